//! What only a browser can do: the stream of events, calls without leaving the page, the page's address.

mod address;
mod calls;
mod stream;

use crate::live::Live;
use leptos::prelude::*;

pub(crate) use address::choose;
pub(crate) use calls::submit;

/// Brings the page to life.
pub(crate) fn follow(live: Live) {
    stream::follow(live);
    address::follow(live);
    // The title isn't part of the page's own tree.
    let title = live.part(|view| view.title.clone());
    Effect::new(move || document().set_title(&title.get()));
}
