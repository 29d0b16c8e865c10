//! The battery and what its charge allows: how full it is, the ladder, what flows, and how old that is.

use super::{
    form::{Fate, form_with},
    ladder,
    pieces::{facts, value},
};
use crate::{live::Live, rpc};
use leptos::prelude::*;

/// With the ladder of a miner, or of all of them together, where there is one.
pub(super) fn battery(live: Live, miner: Option<String>) -> impl IntoView {
    let charge = live.part(|view| view.battery.charge.clone());
    let is_old = live.part(|view| view.battery.is_old);
    let said = live.part(|view| (view.battery.said.clone(), view.battery.said_at));
    let flows = live.part(|view| view.battery.facts.clone());
    let source = live.part(|view| view.battery.source.clone());
    let error = live.part(|view| view.battery.error.clone());
    let said = move || {
        let (words, at) = said.get();
        at.map_or_else(|| words.clone(), |at| format!("{words}, {} ago.", live.age(at)))
    };
    let has_ladder = live.view.with_untracked(|view| view.ladder_of(miner.as_deref()).is_some());
    let steps = live.part(move |view| view.ladder_of(miner.as_deref()).cloned().unwrap_or_default());
    let fate = Fate::new();
    let refresh = view! { <button class="button">"Sign in anew"</button> };
    view! {
        <section class="card battery" class:old=move || is_old.get() aria-labelledby="battery-title">
            <header>
                <h2 id="battery-title">"Battery and power"</h2>
                {has_ladder.then(|| ladder::tag(steps))}
            </header>
            <div class="charge">
                <p class="big">{move || value(&charge.get())}</p>
                <p class="said">{said}</p>
            </div>
            {has_ladder.then(|| ladder::ladder(steps))}
            {facts(flows)}
            {move || error.get().map(|error| view! { <p class="note bad">{error}</p> })}
            <details class="more">
                <summary>"Where this comes from"</summary>
                <p>{move || source.get()}</p>
                {form_with(live, rpc::REFRESH_SESSION, fate, refresh)}
                {fate.line(live, "")}
            </details>
        </section>
    }
}
