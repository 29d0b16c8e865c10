//! The last view, kept by the browser: what a page that opens without the controller shows, and since when it is old.
//!
//! The service worker keeps the document, which is as old as the last time it was loaded. What the stream said last is newer:
//! it is kept here, as it came. All of it is a convenience: where nothing can be kept, nothing is said about it.

use crate::{live::Live, view::View};
use leptos::prelude::*;
use std::mem;
use web_sys::{Element, Storage, js_sys::Date};

/// Where in the browser's storage it is: the wall clock's milliseconds when it was heard, a space, the view as JSON.
const PLACE: &str = "view";
/// The time between two writes, in milliseconds: what is lost if the browser is ended in between.
const PACE: i64 = 30_000;
/// What the service worker sets on a document that it has kept: when it came, in milliseconds of the wall clock.
const MARK: &str = "data-offline";

/// Keeps what is heard.
#[derive(Default)]
pub(super) struct Keeper {
    written: i64,
    /// What is to be written, and when it was heard.
    heard: (i64, String),
}

impl Keeper {
    /// A view was heard, in the stream's words.
    pub(super) fn hear(&mut self, text: String) {
        self.heard = (now(), text);
        if self.heard.0 - self.written >= PACE {
            self.write();
        }
    }

    /// Writes down what isn't yet.
    pub(super) fn write(&mut self) {
        let (at, text) = mem::take(&mut self.heard);
        if !text.is_empty()
            && let Some(storage) = storage()
        {
            // It may be full.
            let _ = storage.set_item(PLACE, &format!("{at} {text}"));
            self.written = at;
        }
    }
}

/// Shows what was kept, if the document is a kept one; for how many milliseconds that has been old.
pub(super) fn show(live: Live) -> Option<i64> {
    let loaded: i64 = root()?.get_attribute(MARK)?.parse().ok()?;
    live.is_kept.set(true);
    let heard = newest(live, loaded).map_or(loaded, |(heard, view)| {
        live.view.set(view);
        heard
    });
    Some((now() - heard).max(0))
}

/// Something has come: the page isn't a kept one any more.
pub(super) fn is_over(live: Live) {
    if live.is_kept.get_untracked() {
        live.is_kept.set(false);
        if let Some(root) = root() {
            let _ = root.remove_attribute(MARK);
        }
    }
}

/// The kept view, if it is newer than the document and the document can show it.
fn newest(live: Live, loaded: i64) -> Option<(i64, View)> {
    let kept = storage()?.get_item(PLACE).ok()??;
    let (heard, text) = kept.split_once(' ')?;
    let heard = heard.parse().ok().filter(|heard| *heard > loaded)?;
    let view: View = serde_json::from_str(text).ok()?;
    let fits = live.is_of_this_build(&view) && live.view.with_untracked(|known| known.has_miners_of(&view));
    fits.then_some((heard, view))
}

/// Milliseconds of the wall clock.
fn now() -> i64 {
    Date::now() as i64
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

fn root() -> Option<Element> {
    document().document_element()
}
