//! The ladder: the state of charge from left to right, the power upwards. The filled step is where the miner is, the
//! dotted line is the ceiling, the dot is now.

use crate::view::{Ladder, Mark, Step};
use leptos::prelude::*;

/// What holds the power, in a few words.
pub(super) fn tag(ladder: Memo<Ladder>) -> impl IntoView {
    let tag = of(ladder, |ladder| (ladder.class.clone(), ladder.tag.clone()));
    view! { <span class=move || format!("tag {}", tag.get().0)>{move || tag.get().1}</span> }
}

/// Positions are percent of a drawing that is as wide as its place.
pub(super) fn ladder(ladder: Memo<Ladder>) -> impl IntoView {
    let sentence = of(ladder, |ladder| ladder.sentence.clone());
    let off_up_to = of(ladder, |ladder| ladder.off_up_to);
    let steps = of(ladder, |ladder| ladder.steps.clone());
    let ceiling = of(ladder, |ladder| ladder.ceiling);
    let now = of(ladder, |ladder| ladder.charge.zip(ladder.power));
    let marks = of(ladder, |ladder| ladder.marks.clone());
    let share = of(ladder, |ladder| ladder.share.clone());
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
        {move || share.get().map(|share| view! { <p class="note">{share}</p> })}
    }
}

/// A part of it, which tells only when it changes.
fn of<T>(ladder: Memo<Ladder>, part: fn(&Ladder) -> T) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| ladder.with(part))
}

fn percent(value: f64) -> String {
    format!("{value}%")
}
