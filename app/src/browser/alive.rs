//! How the page comes to life: part by part, each in a turn of its own, so that the browser answers a finger in between.

use super::{address, charts, stream};
use crate::{
    live::{Live, Start},
    page::Part,
};
use leptos::{mount::hydrate_from, prelude::*, reactive::owner::Owner};
use std::{collections::VecDeque, time::Duration};
use wasm_bindgen::JsCast;

/// Where the document has what the page begins with, as JSON.
const START: &str = "start";

/// Brings the page to life, as the server rendered it. A document without anything to begin with stays as it is.
pub fn come_alive() {
    let text = document().get_element_by_id(START).and_then(|element| element.text_content());
    let Some(start) = text.and_then(|text| serde_json::from_str::<Start>(&text).ok()) else { return };
    let owner = Owner::new();
    let live = owner.with(|| Live::new(start));
    set_timeout(move || next(live, owner, Part::all(live).into()), Duration::ZERO);
}

/// Brings a part to life, and then the others. News is heard once all of them show what the server rendered: a part that
/// has changed meanwhile couldn't be recognised.
fn next(live: Live, owner: Owner, mut parts: VecDeque<Part>) {
    let Some(part) = parts.pop_front() else {
        owner.with(|| follow(live));
        // The page lives as long as its document.
        std::mem::forget(owner);
        return;
    };
    let place = document().get_element_by_id(&part.place()).and_then(|place| place.dyn_into().ok());
    if let Some(place) = place {
        hydrate_from(place, move || part.view(live)).forget();
    }
    set_timeout(move || next(live, owner, parts), Duration::ZERO);
}

fn follow(live: Live) {
    stream::follow(live);
    address::follow(live.chart());
    charts::follow(live);
    // These aren't part of any part.
    let of = live.of();
    let title = live.part(move |view| view.title_of(of.as_deref()).to_owned());
    Effect::new(move || document().set_title(&title.get()));
    let is_silent = Memo::new(move |_| live.silent_seconds().is_some());
    Effect::new(move || {
        if let Some(main) = document().get_element_by_id("main") {
            let _ = main.class_list().toggle_with_force("silent", is_silent.get());
        }
    });
}
