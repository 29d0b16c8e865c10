//! What a person should know about: each thing once, the gravest first. What they have seen and what is over is folded
//! away, in a card of its own further down.

use super::form::form;
use crate::{live::Live, rpc, view::AlertRow};
use leptos::prelude::*;

/// What holds and is news. Without any it isn't to be seen, but there, so that the first one is said aloud.
pub(super) fn news(live: Live) -> impl IntoView {
    let news = rows_that(live, |alert| !alert.is_over && !alert.is_seen);
    let has_none = move || news.with(Vec::is_empty);
    view! {
        <section class="card alerts" class:visually-hidden=has_none aria-labelledby="alerts-title">
            <header>
                <h2 id="alerts-title">"Alerts"</h2>
                <div hidden=has_none>{clear(live)}</div>
            </header>
            <p class="note" hidden=move || !has_none()>"Nothing new is wrong."</p>
            <ul aria-live="polite">{move || rows(news.get())}</ul>
        </section>
    }
}

/// What holds and was seen, and what is over.
pub(super) fn past(live: Live) -> impl IntoView {
    let seen = rows_that(live, |alert| alert.is_seen);
    let over = rows_that(live, |alert| alert.is_over);
    let folded = |title: &'static str, alerts: Memo<Vec<AlertRow>>| {
        view! {
            <details hidden=move || alerts.with(Vec::is_empty)>
                <summary>{title} " (" {move || alerts.with(Vec::len)} ")"</summary>
                <ul>{move || rows(alerts.get())}</ul>
            </details>
        }
    };
    let is_empty = move || seen.with(Vec::is_empty) && over.with(Vec::is_empty);
    view! {
        <section class="card alerts" hidden=is_empty aria-labelledby="past-title">
            <header>
                <h2 id="past-title">"Seen or over"</h2>
                <div hidden=move || over.with(Vec::is_empty)>{clear(live)}</div>
            </header>
            {folded("Seen, and still so", seen)} {folded("Over", over)}
        </section>
    }
}

/// Dismisses what is over and folds away what still holds: as far as this page tells it, not what came since.
fn clear(live: Live) -> impl IntoView {
    let at = live.part(|view| view.at);
    let body = view! {
        <input type="hidden" name="until" value=move || at.get().to_string() />
        <button class="button">"Clear"</button>
    };
    form(live, rpc::CLEAR_ALERTS, body)
}

fn rows_that(live: Live, wanted: fn(&AlertRow) -> bool) -> Memo<Vec<AlertRow>> {
    live.part(move |view| view.alerts.iter().filter(|alert| wanted(alert)).cloned().collect())
}

fn rows(alerts: Vec<AlertRow>) -> impl IntoView {
    let row = |AlertRow { class, severity, text, since, .. }| {
        view! {
            <li class=class>
                <span class="severity">{severity}</span>
                <span class="text">{text}</span>
                <span class="since">{since}</span>
            </li>
        }
    };
    alerts.into_iter().map(row).collect_view()
}
