//! What the charts show lives in the page's address: choosing makes a new address, and back leads back.

use crate::{
    chart::{Chart, Off, Pick, Shown},
    range::Range,
};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

/// Follows the browser's way back and forth.
pub(super) fn follow(chart: Chart) {
    let on_back = window_event_listener(ev::popstate, move |_| {
        let address = window().location().search().unwrap_or_default();
        let query = UrlSearchParams::new_with_str(&address).ok();
        let of = |name| query.as_ref().and_then(|query| query.get(name));
        chart.off.set(Off::from_slug(of("off").as_deref()));
        chart.here.set(of("at").and_then(|at| at.parse().ok()));
        chart.miner.set(chart.meant(of("miner").as_deref()));
        chart.range.set(Range::from_slug(of("range").as_deref()));
    });
    // The page lives as long as its document.
    std::mem::forget(on_back);
}

/// Follows a link to other charts.
pub(crate) fn choose(chart: Chart, pick: &Pick) {
    match pick {
        Pick::Range(range) => {
            chart.here.set(None);
            chart.range.set(*range);
        }
        Pick::Miner(id) => chart.miner.set(Some(id.clone())),
    }
    say(chart);
}

/// Takes a line away, or brings it back.
pub(crate) fn toggle(chart: Chart, shown: Shown) {
    chart.off.update(|off| *off = off.toggled(shown));
    say(chart);
}

fn say(chart: Chart) {
    let miner = untrack(|| chart.named_now());
    let (range, here, off) =
        (chart.range.get_untracked(), chart.here.get_untracked(), chart.off.get_untracked());
    let address = Chart::address(miner.as_deref(), range, here, off);
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&address));
    }
}
