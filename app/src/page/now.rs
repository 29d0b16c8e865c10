//! The sentence: what a miner does, or all of them together do, why, why not more, what would change it, and when. On the
//! dashboard with what flows.

use super::flow::flow;
use crate::{live::Live, view::Sentence, words};
use leptos::prelude::*;

/// The story of a miner, or of all of them together.
pub(super) fn now(live: Live, miner: Option<String>) -> impl IntoView {
    let of = live.of();
    let whose =
        of.as_ref().and_then(|id| live.view.with_untracked(|view| Some(view.miner(id)?.name.clone())));
    let whose = whose.map(|name| format!("{name} · "));
    let story = live.part(move |view| view.story_of(miner.as_deref()));
    let headline = Memo::new(move |_| story.with(|(headline, _)| headline.clone()));
    let why = Memo::new(move |_| story.with(|(_, why)| why.clone()));
    let clock = live.part(|view| view.clock.clone());
    let sentence =
        |Sentence { text, is_strong }| view! { <p class:strong=is_strong>{words::unbroken(&text)}</p> };
    view! {
        <section class="card now">
            <div class="sentence">
                <p class="eyebrow">{whose} "Now · " {move || clock.get()}</p>
                // It changes with what is done, never with a ticking number: worth saying aloud.
                <h1 aria-live="polite">{move || headline.get()}</h1>
                <div class="why">{move || why.get().into_iter().map(sentence).collect_view()}</div>
            </div>
            {of.is_none().then(|| flow(live))}
        </section>
    }
}
