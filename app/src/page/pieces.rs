//! Small pieces that several parts of the page are made of.

use crate::{
    live::Live,
    view::{Drive, Fact, MinerCard},
};
use leptos::prelude::*;

/// A value with its smaller unit, and what it is meant to become. Unknown is said to be so.
pub(super) fn value(fact: &Fact) -> impl IntoView + use<> {
    let is_known = !fact.unit.is_empty();
    let aim = fact.aim.clone().map(|aim| {
        view! {
            <span class="aim">
                <span aria-hidden="true">" → "</span>
                <span class="visually-hidden">" going to "</span>
                {aim}
            </span>
        }
    });
    view! {
        <span class="value" class:unknown=!is_known>
            {fact.value.clone()}
            <small>{if is_known { format!("\u{202f}{}", fact.unit) } else { String::new() }}</small>
            <span class="visually-hidden">{if is_known { "" } else { " unknown" }}</span>
        </span>
        {aim}
    }
}

/// A list of facts.
pub(super) fn facts(facts: Memo<Vec<Fact>>) -> impl IntoView {
    let fact = |fact: Fact| {
        view! {
            <div>
                <dt>{fact.label.clone()}</dt>
                <dd>{value(&fact)}</dd>
            </div>
        }
    };
    view! { <dl class="facts">{move || facts.get().into_iter().map(fact).collect_view()}</dl> }
}

/// A part of a miner's card; what is empty, where there is no such miner.
pub(super) fn part_of<T>(
    live: Live,
    id: &str,
    part: impl Fn(&MinerCard) -> T + Send + Sync + 'static,
) -> Memo<T>
where
    T: Default + PartialEq + Send + Sync + 'static,
{
    let id = id.to_owned();
    live.part(move |view| view.miner(&id).map(&part).unwrap_or_default())
}

/// A part of how a miner is told what to do; what is empty, where it is only looked at.
pub(super) fn drive_of<T>(live: Live, id: &str, part: impl Fn(&Drive) -> T + Send + Sync + 'static) -> Memo<T>
where
    T: Default + PartialEq + Send + Sync + 'static,
{
    part_of(live, id, move |miner| miner.drive.as_ref().map(&part).unwrap_or_default())
}
