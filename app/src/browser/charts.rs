//! The charts come alive once somebody nears them: their code is loaded, their data is asked for, and goes on with what
//! the page hears. Zooming in asks for more points.

use super::{calls::ask, stream::elapsed};
use crate::{
    chart::{Chart, Plot, Seen, Span, Stretch},
    live::Live,
    range::Range,
    rpc,
};
use leptos::{
    leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle},
    prelude::*,
    task::spawn_local,
};
use std::{cell::Cell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{
    HtmlScriptElement, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit, js_sys,
};

/// How near the charts have to be before their code is loaded.
const NEAR: &str = "300px";
/// How long a zoom has to rest before more points are asked for.
const REST: Duration = Duration::from_millis(200);
/// How long after a call nothing that was missed is asked for again: a demo's time may run faster than its stream.
const PATIENCE: f64 = 2_000.0;

/// Follows the page's charts.
pub(super) fn follow(live: Live) {
    let chart = live.chart();
    let Some(code) = chart.start.with_value(|start| start.code.clone()) else { return };
    let Some(place) = document().get_element_by_id("chart") else { return };
    let load = Closure::<dyn Fn(js_sys::Array, IntersectionObserver)>::new(
        move |entries: js_sys::Array, observer: IntersectionObserver| {
            let is_near = |entry: wasm_bindgen::JsValue| {
                entry.dyn_into::<IntersectionObserverEntry>().is_ok_and(|entry| entry.is_intersecting())
            };
            if entries.iter().any(is_near) {
                observer.disconnect();
                load(live, &code);
            }
        },
    );
    let options = IntersectionObserverInit::new();
    options.set_root_margin(NEAR);
    if let Ok(observer) = IntersectionObserver::new_with_options(load.as_ref().unchecked_ref(), &options) {
        observer.observe(&place);
    }
    // Once, at most.
    load.forget();
}

/// Loads the code. Where that fails, the charts stay as the server drew them.
fn load(live: Live, code: &str) {
    let Ok(script) = document().create_element("script") else { return };
    let Ok(script) = script.dyn_into::<HtmlScriptElement>() else { return };
    let loaded = Closure::once_into_js(move || begin(live));
    script.set_onload(Some(loaded.unchecked_ref()));
    script.set_src(code);
    if let Some(head) = document().head() {
        let _ = head.append_child(&script);
    }
}

/// The code is there.
fn begin(live: Live) {
    let chart = live.chart();
    let asked = Asked::default();
    let at = live.part(|view| view.at);
    let due = Memo::new(move |_| {
        let (miner, range, here) = (chart.miner.get(), chart.range.get(), chart.here.get());
        // A part of the past looks the same tomorrow.
        let age = if here.is_none() { at.get().div_euclid(range.redrawn_after()) } else { 0 };
        ((miner, range, here), age)
    });
    let asked_before = Rc::clone(&asked);
    Effect::new(move |last: Option<(Wanted, i64)>| {
        let now = due.get();
        fetch(chart, last.is_none_or(|last| last.0 != now.0), &asked_before);
        now
    });
    let latest = live.part(move |view| chart.miner.with(|miner| view.latest_of(miner.as_deref())));
    Effect::new(move || {
        let latest = latest.get();
        let now = at.get_untracked();
        let range = chart.range.get_untracked();
        if !chart.plot.with_untracked(Option::is_some) {
            // It couldn't be had. Who is heard again may tell it.
            return fetch(chart, false, &asked);
        }
        let is_of_another = chart.plot.with_untracked(|plot| {
            plot.as_ref().is_some_and(|plot| chart.miner.with_untracked(|miner| plot.miner != *miner))
        });
        // A part of the past doesn't go on. Nor does one miner's with what another tells: its own was asked for.
        if is_of_another || chart.here.get_untracked().is_some() {
            return;
        }
        let is_whole =
            chart.plot.try_update(|plot| plot.as_mut().is_none_or(|plot| plot.go_on(&latest, now, range)));
        chart.renew();
        if is_whole == Some(false) {
            fetch(chart, false, &asked);
        }
    });
    let waiting: Rc<Cell<Option<TimeoutHandle>>> = Rc::default();
    Effect::new(move || {
        let seen = chart.seen_span();
        if let Some(handle) = waiting.take() {
            handle.clear();
        }
        if !chart.seen.with_untracked(|seen| seen.is_all()) {
            waiting.set(set_timeout_with_handle(move || look_closer(chart, seen), REST).ok());
        }
    });
}

/// What a plot is of: the miner, the range and the instant looked at.
type Wanted = (Option<String>, Range, Option<i64>);

/// What the person wants now.
fn wanted(chart: Chart) -> Wanted {
    (chart.miner.get_untracked(), chart.range.get_untracked(), chart.here.get_untracked())
}

/// The miner that is meant, as a call's address says it.
fn of(miner: Option<&String>) -> String {
    miner.map_or_else(String::new, |miner| format!("&miner={miner}"))
}

/// When a plot was asked for last.
type Asked = Rc<Cell<f64>>;

/// Asks for the plot that is wanted: at once where it is another one, else with patience.
fn fetch(chart: Chart, is_other: bool, asked: &Asked) {
    let now = elapsed();
    if !is_other && now - asked.get() < PATIENCE {
        return;
    }
    asked.set(now);
    let asked_for = wanted(chart);
    let (miner, range, at) = &asked_for;
    let at = at.map_or_else(String::new, |at| format!("&at={at}"));
    let address = format!("{}?range={}{}{at}", rpc::CHART, range.slug(), of(miner.as_ref()));
    spawn_local(async move {
        let answer = ask(&address, None).await;
        // Another one may have been chosen meanwhile.
        if asked_for != wanted(chart) {
            return;
        }
        match answer.and_then(|text| read::<Plot>(&text)) {
            Ok(plot) => {
                if is_other {
                    chart.seen.set(Seen::default());
                    chart.finer.set(None);
                    chart.cursor.set(None);
                }
                chart.problem.set(None);
                chart.plot.set(Some(plot));
                chart.renew();
            }
            // What is a little old is better than nothing: only who chose another range is told.
            Err(why) if is_other && chart.plot.with_untracked(Option::is_some) => {
                chart.problem.set(Some(why));
            }
            Err(_) => {}
        }
    });
}

/// Asks for more points of what is seen, and of half as much around it.
fn look_closer(chart: Chart, seen: Span) {
    let is_finest = |stretch: &Stretch| stretch.battery.step.is_none() && stretch.miner.step.is_none();
    let finest = chart.plot.with_untracked(|plot| plot.as_ref().is_none_or(|plot| is_finest(&plot.stretch)));
    let known = chart.finer.with_untracked(|finer| {
        finer.as_ref().is_some_and(|(span, part)| {
            span.holds(seen.from)
                && span.holds(seen.to)
                && (is_finest(part) || span.length() <= seen.length().saturating_mul(4))
        })
    });
    if finest || known {
        return;
    }
    let margin = seen.length() / 2;
    let span = Span { from: seen.from - margin, to: seen.to + margin };
    // Nearly the whole in as many points is as coarse as the whole.
    if span.length() >= chart.plot.with_untracked(|plot| plot.as_ref().map_or(0, |plot| plot.span.length())) {
        return;
    }
    let miner = chart.miner.get_untracked();
    let address = format!("{}?from={}&to={}{}", rpc::CHART_PART, span.from, span.to, of(miner.as_ref()));
    spawn_local(async move {
        let part = ask(&address, None).await.and_then(|text| read::<Stretch>(&text));
        let now = untrack(|| chart.seen_span());
        // Without it, the chart stays as coarse as it was. By now something else may be seen.
        if let Ok(part) = part
            && miner == chart.miner.get_untracked()
            && span.holds(now.from)
            && span.holds(now.to)
        {
            chart.finer.set(Some((span, part)));
            chart.renew();
        }
    });
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|_| "The charts can't be read. Load the page again.".to_owned())
}
