//! Small pieces that several parts of the page are made of.

use crate::{
    live::Live,
    view::{Fact, MinerCard},
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
    live.part(move |view| view.miners.iter().find(|miner| miner.id == id).map(&part).unwrap_or_default())
}

/// The names of the miners, where there are several: what is about one then says whose it is.
pub(super) fn whose(live: Live, id: &str) -> Option<String> {
    live.view.with_untracked(|view| {
        let name = view.miners.iter().find(|miner| miner.id == id).map(|miner| miner.name.clone());
        name.filter(|_| view.miners.len() > 1)
    })
}
