//! The sentence: what a miner does, why, why not more, what would change it, and when. Beside it, what flows.

use super::{
    flow::flow,
    pieces::{part_of, whose},
};
use crate::{live::Live, view::Sentence};
use leptos::prelude::*;

pub(super) fn now(live: Live, ids: &[String]) -> impl IntoView + use<> {
    let sentences = ids.iter().map(|id| sentence(live, id)).collect_view();
    let nobody = ids.is_empty().then(|| {
        view! {
            <div class="sentence">
                <h1>"No miner yet"</h1>
                <p>"The controller is starting, or no miner is configured."</p>
            </div>
        }
    });
    view! { <section class="card now">{sentences} {nobody} {flow(live)}</section> }
}

fn sentence(live: Live, id: &str) -> impl IntoView + use<> {
    let headline = part_of(live, id, |miner| miner.headline.clone());
    let why = part_of(live, id, |miner| miner.why.clone());
    let clock = live.part(|view| view.clock.clone());
    let whose = whose(live, id).map(|name| format!("{name} · "));
    let sentence = |Sentence { text, is_strong }| view! { <p class:strong=is_strong>{text}</p> };
    view! {
        <div class="sentence">
            <p class="eyebrow">{whose} "Now · " {move || clock.get()}</p>
            // It changes with what is done, never with a ticking number: worth saying aloud.
            <h1 aria-live="polite">{move || headline.get()}</h1>
            <div class="why">{move || why.get().into_iter().map(sentence).collect_view()}</div>
        </div>
    }
}
