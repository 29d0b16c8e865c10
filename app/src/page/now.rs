//! The sentence: what a miner does, why, why not more, what would change it, and when.

use super::pieces::part_of;
use crate::{live::Live, view::Sentence};
use leptos::prelude::*;

pub(super) fn now(live: Live, id: &str) -> impl IntoView + use<> {
    let headline = part_of(live, id, |miner| miner.headline.clone());
    let why = part_of(live, id, |miner| miner.why.clone());
    let clock = live.part(|view| view.clock.clone());
    // With several miners each sentence says whose it is.
    let whose = live.view.with_untracked(|view| {
        let name = view.miners.iter().find(|miner| miner.id == id).map(|miner| format!("{} · ", miner.name));
        name.filter(|_| view.miners.len() > 1)
    });
    let sentence = |Sentence { text, is_strong }| view! { <p class:strong=is_strong>{text}</p> };
    view! {
        <section class="card now">
            <p class="eyebrow">{whose} "Now · " {move || clock.get()}</p>
            // It changes with what is done, never with a ticking number: worth saying aloud.
            <h1 aria-live="polite">{move || headline.get()}</h1>
            <div class="why">{move || why.get().into_iter().map(sentence).collect_view()}</div>
        </section>
    }
}
