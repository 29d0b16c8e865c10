//! The connection bar: whether miners, battery, network and this page are connected, as a dot and a word, and since when
//! not.

use super::nav::{Place, nav};
use crate::{
    live::{Link, Live},
    view::Connected,
};
use leptos::prelude::*;

pub(super) fn bar(live: Live) -> impl IntoView {
    let connections = live.part(|view| view.connections.clone());
    let site = live.view.with_untracked(|view| view.site.clone());
    let page = move || {
        let (health, word) = of_link(live.link.get(), live.silent_seconds().is_some());
        Connected { label: "Page".into(), health: health.into(), word: word.into(), ..Connected::default() }
    };
    // What a connection was when the controller was last heard isn't what it is.
    let still_known = move |connected: Connected| match live.silent_seconds() {
        Some(_) => Connected { health: String::new(), word: "not known".into(), ..connected },
        None => connected,
    };
    let item = move |connected: Connected| {
        let age = connected.seen.map(|seen| live.age(seen));
        let session = connected.session.map(|since| {
            view! { <span class="session">"session " {live.age(since)}</span> }
        });
        view! {
            <li title=connected.error>
                <span class=format!("dot {}", connected.health) aria-hidden="true"></span>
                <span class="label">{connected.label}</span>
                <span class="word">{connected.word}</span>
                <span class="age">{age}</span>
                {session}
            </li>
        }
    };
    view! {
        <header class="bar">
            <span class="site">{site}</span>
            <ul aria-label="Connections">
                {move || connections.get().into_iter().map(still_known).chain([page()]).map(item).collect_view()}
            </ul>
            {nav(if live.of().is_some() { Place::Miner } else { Place::Now })}
        </header>
    }
}

/// The page's own connection: class of the dot, and a word.
const fn of_link(link: Link, is_silent: bool) -> (&'static str, &'static str) {
    match link {
        _ if is_silent => ("bad", "no news"),
        Link::Open => ("good", "live"),
        Link::Lost => ("doubtful", "reconnecting"),
        Link::Asleep => ("", "asleep"),
        Link::None => ("", "not live"),
    }
}
