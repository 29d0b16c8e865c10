//! The chart's range lives in the page's address: choosing one makes a new address, and back leads back.

use super::calls::ask;
use crate::{chart::Drawing, live::Live, range::Range, rpc};
use leptos::{ev, prelude::*, task::spawn_local};
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

/// Draws the chart anew when another range is chosen, and when so much time has passed that it would look different.
pub(super) fn follow(live: Live) {
    let at = live.part(|view| view.at);
    let due = Memo::new(move |_| {
        let range = live.range.get();
        (range, at.get().div_euclid(range.redrawn_after()))
    });
    // What the server drew is what is wanted at first.
    Effect::watch(move || due.get(), move |(range, _), _, _| draw(live, *range), false);
    let on_back = window_event_listener(ev::popstate, move |_| {
        let address = window().location().search().unwrap_or_default();
        let query = UrlSearchParams::new_with_str(&address).ok();
        live.range.set(Range::from_slug(query.and_then(|query| query.get("range")).as_deref()));
    });
    // The page lives as long as its document.
    std::mem::forget(on_back);
}

/// Chooses a range.
pub(crate) fn choose(live: Live, range: Range) {
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&format!("?range={}", range.slug())));
    }
    live.range.set(range);
}

fn draw(live: Live, range: Range) {
    spawn_local(async move {
        let answer = ask(&format!("{}?range={}", rpc::CHART, range.slug()), None).await;
        let drawing = answer.and_then(|text| {
            serde_json::from_str::<Drawing>(&text)
                .map_err(|_| "The chart can't be read. Load the page again.".to_owned())
        });
        // Another one may have been chosen meanwhile; and a chart that is a little old is better than none.
        let keep =
            drawing.is_err() && live.chart.with_untracked(Result::is_ok) && live.silent_seconds().is_some();
        if live.range.get_untracked() == range && !keep {
            live.chart.set(drawing);
        }
    });
}
