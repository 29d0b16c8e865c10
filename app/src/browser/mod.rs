//! What only a browser can do: the stream of events, calls without leaving the page, the page's address, charts that are
//! drawn alive, keeping the last view, being installed and updated.

mod address;
mod calls;
mod charts;
mod echarts;
mod install;
mod kept;
mod stream;
mod update;

use crate::live::Live;
use leptos::prelude::*;

pub(crate) use address::{choose, toggle};
pub(crate) use calls::submit;
pub(crate) use echarts::draw;
pub(crate) use install::{ask_to_install, look_for_a_way};
pub(crate) use update::load_anew;

/// Brings the page to life.
pub(crate) fn follow(live: Live) {
    stream::follow(live);
    address::follow(live.chart());
    charts::follow(live);
    // The title isn't part of the page's own tree.
    let title = live.part(|view| view.title.clone());
    Effect::new(move || document().set_title(&title.get()));
}
