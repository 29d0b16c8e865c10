//! The battery: its charge, what flows, and how old that is.

use super::{
    form::form,
    pieces::{facts, value},
};
use crate::{live::Live, rpc};
use leptos::prelude::*;

pub(super) fn battery(live: Live) -> impl IntoView {
    let charge = live.part(|view| view.battery.charge.clone());
    let percent = live.part(|view| view.battery.percent);
    let is_old = live.part(|view| view.battery.is_old);
    let said = live.part(|view| (view.battery.said.clone(), view.battery.said_at));
    let flows = live.part(|view| view.battery.facts.clone());
    let source = live.part(|view| view.battery.source.clone());
    let error = live.part(|view| view.battery.error.clone());
    let said = move || {
        let (words, at) = said.get();
        at.map_or_else(|| words.clone(), |at| format!("{words}, {} ago.", live.age(at)))
    };
    let refresh = view! { <button class="button">"Sign in anew"</button> };
    view! {
        <section class="card battery" class:old=move || is_old.get() aria-labelledby="battery-title">
            <header>
                <h2 id="battery-title">"Battery"</h2>
            </header>
            <div class="charge">
                <p class="big">{move || value(&charge.get())}</p>
                <meter
                    min="0"
                    max="100"
                    low="30"
                    high="60"
                    optimum="100"
                    value=move || percent.get().unwrap_or_default().to_string()
                    aria-labelledby="battery-title"
                    hidden=move || percent.get().is_none()
                ></meter>
            </div>
            <p class="said">{said}</p>
            {facts(flows)}
            {move || error.get().map(|error| view! { <p class="note bad">{error}</p> })}
            <details class="more">
                <summary>"Where this comes from"</summary>
                <p>{move || source.get()}</p>
                {form(live, rpc::REFRESH_SESSION, refresh)}
            </details>
        </section>
    }
}
