//! The ladder: the state of charge from left to right, the power upwards. The filled step is where the miner is, the
//! dotted line is the ceiling, the dot is now.

use super::pieces::{part_of, whose};
use crate::{
    live::Live,
    view::{Mark, Step},
};
use leptos::prelude::*;

/// What holds the power, in a few words.
pub(super) fn tag(live: Live, id: &str) -> impl IntoView + use<> {
    let tag = part_of(live, id, |miner| (miner.ladder.class.clone(), miner.ladder.tag.clone()));
    view! { <span class=move || format!("tag {}", tag.get().0)>{move || tag.get().1}</span> }
}

/// A miner's ladder. Positions are percent of a drawing that is as wide as its place.
pub(super) fn ladder(live: Live, id: &str) -> impl IntoView + use<> {
    let sentence = part_of(live, id, |miner| miner.ladder.sentence.clone());
    let off_up_to = part_of(live, id, |miner| miner.ladder.off_up_to);
    let steps = part_of(live, id, |miner| miner.ladder.steps.clone());
    let ceiling = part_of(live, id, |miner| miner.ladder.ceiling);
    let now = part_of(live, id, |miner| miner.ladder.charge.zip(miner.ladder.power));
    let marks = part_of(live, id, |miner| miner.ladder.marks.clone());
    let of_several = whose(live, id).map(|name| view! { <p class="whose">{name} " " {tag(live, id)}</p> });
    let step = |Step { above, width, power, class }| {
        view! {
            <rect
                class=format!("step {class}")
                x=percent(above + 0.3)
                width=percent(width - 0.6)
                y=percent(f64::from(100 - power))
                height=percent(f64::from(power))
                rx="3"
            ></rect>
        }
    };
    let level = move || percent(f64::from(100 - ceiling.get()));
    let dot = move || {
        now.get().map(|(charge, power)| {
            view! { <circle class="dot" cx=percent(charge) cy=percent(100.0 - power) r="6"></circle> }
        })
    };
    let mark = |Mark { at, text, class }| view! { <text class=class x=percent(at) y="1.1rem">{text}</text> };
    view! {
        {of_several}
        <div class="ladder" role="img" aria-label=move || sentence.get()>
            <svg class="steps" aria-hidden="true">
                <rect class="off" y="0" width=move || percent(off_up_to.get() - 0.3) height="100%" rx="3"></rect>
                <text class="off" x=move || percent(off_up_to.get() / 2.0) y="50%">"off"</text>
                {move || steps.get().into_iter().map(step).collect_view()}
                <line class="ceiling" x1=move || percent(off_up_to.get()) x2="100%" y1=level y2=level></line>
                {dot}
            </svg>
            <svg class="marks" aria-hidden="true">{move || marks.get().into_iter().map(mark).collect_view()}</svg>
        </div>
    }
}

fn percent(value: f64) -> String {
    format!("{value}%")
}
