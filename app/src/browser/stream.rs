//! The stream of events in the browser (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): one, closed
//! while the page is hidden. Every event is the whole view, so that nothing is missed by whoever comes back.

use super::{
    kept::{self, Keeper},
    update,
};
use crate::{
    live::{Link, Live},
    view::View,
};
use leptos::{ev, prelude::*};
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent, VisibilityState};

/// The stream in the page's words.
const ADDRESS: &str = "/api/events?view=page";
/// How long to wait before a stream that the browser gave up is opened again.
const AGAIN: Duration = Duration::from_secs(3);

/// The open stream, when it was last heard, and what is kept of that.
#[derive(Default)]
struct Stream {
    source: Option<EventSource>,
    heard: f64,
    keeper: Keeper,
}

type Shared = Rc<RefCell<Stream>>;

/// Opens the stream, follows the page's visibility, and lets the site's time go on between two events.
pub(super) fn follow(live: Live) {
    // What a kept document shows was heard before the page was opened.
    let heard = elapsed() - kept::show(live).unwrap_or_default() as f64;
    go_on(live, heard);
    let stream = Shared::new(RefCell::new(Stream { heard, ..Stream::default() }));
    open(live, &stream);
    let followed = Rc::clone(&stream);
    let on_change = window_event_listener(ev::visibilitychange, move |_| {
        if document().visibility_state() == VisibilityState::Hidden {
            let mut stream = followed.borrow_mut();
            if let Some(source) = stream.source.take() {
                source.close();
            }
            // It may be the last that is seen of this page.
            stream.keeper.write();
            live.link.set(Link::Asleep);
        } else {
            open(live, &followed);
        }
    });
    // The page lives as long as its document.
    std::mem::forget(on_change);
    set_interval(move || go_on(live, stream.borrow().heard), Duration::from_secs(1));
}

fn open(live: Live, stream: &Shared) {
    if stream.borrow().source.is_some() || document().visibility_state() == VisibilityState::Hidden {
        return;
    }
    let Ok(source) = EventSource::new(ADDRESS) else { return };
    let listen = |name: &str, listener: Closure<dyn Fn(MessageEvent)>| {
        let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        // It goes with its source.
        listener.forget();
    };
    let (heard, ended) = (Rc::clone(stream), Rc::clone(stream));
    listen("view", Closure::new(move |message: MessageEvent| take(live, &heard, &message)));
    listen("error", Closure::new(move |_| lost(live, &ended)));
    stream.borrow_mut().source = Some(source);
}

/// The browser opens a broken stream again by itself, unless the answer was no stream at all.
fn lost(live: Live, stream: &Shared) {
    if live.link.get_untracked() == Link::Asleep {
        return;
    }
    live.link.set(Link::Lost);
    let given_up =
        stream.borrow().source.as_ref().is_some_and(|source| source.ready_state() == EventSource::CLOSED);
    if given_up {
        stream.borrow_mut().source = None;
        let stream = Rc::clone(stream);
        set_timeout(move || open(live, &stream), AGAIN);
    }
}

fn take(live: Live, stream: &Shared, message: &MessageEvent) {
    let Some(text) = message.data().as_string() else { return };
    let view = serde_json::from_str::<View>(&text).ok();
    let is_ours = view.as_ref().is_some_and(|view| live.is_of_this_build(view));
    if !is_ours {
        update::is_there(live);
    }
    // What can't be read was said by another version of the program.
    let Some(view) = view else { return };
    if !live.view.with_untracked(|known| known.has_miners_of(&view)) {
        // There are other miners than the page was made for.
        let _ = window().location().reload();
        return;
    }
    kept::is_over(live);
    live.view.set(view);
    live.link.set(Link::Open);
    let now = elapsed();
    go_on(live, now);
    let mut stream = stream.borrow_mut();
    stream.heard = now;
    if is_ours {
        stream.keeper.hear(text);
    }
}

/// Moves the site's present on by what passed since the last event, at the demo's pace in the demo.
fn go_on(live: Live, heard: f64) {
    let silent = (elapsed() - heard).max(0.0);
    let (at, pace) = live.view.with_untracked(|view| (view.at, view.pace));
    let now = at.saturating_add((silent * pace) as i64);
    if live.now.get_untracked() != now {
        live.now.set(now);
    }
    live.silent.set(if live.link.get_untracked() == Link::Asleep { 0.0 } else { silent });
}

/// Milliseconds on the page's monotonic clock.
pub(super) fn elapsed() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}
