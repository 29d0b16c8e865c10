//! What a person should know about: each thing once, the gravest first; what is over, folded away.

use crate::{live::Live, view::AlertRow};
use leptos::prelude::*;

pub(super) fn alerts(live: Live) -> impl IntoView {
    let of = move |is_over: bool| {
        live.part(move |view| {
            view.alerts.iter().filter(|alert| alert.is_over == is_over).cloned().collect::<Vec<_>>()
        })
    };
    let (active, over) = (of(false), of(true));
    view! {
        <section class="card alerts" class:some=move || !active.with(Vec::is_empty) aria-labelledby="alerts-title">
            <header>
                <h2 id="alerts-title">"Alerts"</h2>
            </header>
            <p class="note" hidden=move || !active.with(Vec::is_empty)>"Nothing is wrong."</p>
            <ul aria-live="polite">{move || rows(active.get())}</ul>
            <details hidden=move || over.with(Vec::is_empty)>
                <summary>"Over (" {move || over.with(Vec::len)} ")"</summary>
                <ul>{move || rows(over.get())}</ul>
            </details>
        </section>
    }
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
