//! A miner: what it does, and every way to tell it what to do.

use super::{
    form::{Fate, form_with},
    pieces::{facts, part_of, value, whose},
};
use crate::{
    live::Live,
    rpc,
    view::{CommandRow, Fact},
};
use leptos::prelude::*;

/// How long a power can be held from here: hours, and how they are called.
const HOLDS: [(&str, &str); 6] = [
    ("0.5", "30 min"),
    ("1", "1 hour"),
    ("2", "2 hours"),
    ("4", "4 hours"),
    ("8", "8 hours"),
    ("24", "a day"),
];
/// The one that is offered first.
const USUAL_HOLD: &str = "2";

pub(super) fn miner(live: Live, id: &str) -> impl IntoView + use<> {
    let part = |of: fn(&crate::view::MinerCard) -> String| part_of(live, id, of);
    let (name, tag) = (part(|miner| miner.name.clone()), part(|miner| miner.tag.clone()));
    let (obedience, identity) = (part(|miner| miner.obedience.clone()), part(|miner| miner.identity.clone()));
    let error = part_of(live, id, |miner| miner.error.clone());
    let is_old = part_of(live, id, |miner| miner.is_old);
    let figures = part_of(live, id, |miner| miner.figures.clone());
    let rest = part_of(live, id, |miner| miner.facts.clone());
    let title = format!("miner-{id}");
    let figure = |fact: Fact| {
        view! {
            <p>
                <span class="visually-hidden">{format!("{} ", fact.label)}</span>
                {value(&fact)}
            </p>
        }
    };
    view! {
        <section class="card miner" class:old=move || is_old.get() aria-labelledby=title.clone()>
            <header>
                <h2 id=title.clone()>{move || name.get()}</h2>
                <span class=move || format!("tag {}", tag.get())>{move || obedience.get()}</span>
            </header>
            <div class="figures">{move || figures.get().into_iter().map(figure).collect_view()}</div>
            {controls(live, id)}
            {facts(rest)}
            {move || error.get().map(|error| view! { <p class="note bad">{error}</p> })}
            <p class="identity">{move || identity.get()}</p>
        </section>
    }
}

fn controls(live: Live, id: &str) -> impl IntoView + use<> {
    let is_auto = part_of(live, id, |miner| miner.is_auto);
    let is_latched = part_of(live, id, |miner| miner.is_latched);
    let wishes = part_of(live, id, |miner| miner.wishes.clone());
    // What the person is choosing isn't changed under their fingers: this is read once.
    let (powers, chosen) = part_of(live, id, |miner| (miner.powers.clone(), miner.step)).get_untracked();
    let miner = || view! { <input type="hidden" name="miner" value=id.to_owned() /> };
    let on = view! {
        {miner()}
        {move || is_latched.get().then(|| view! {
            <label class="confirm">
                <input type="checkbox" name="confirmed" value="true" required />
                "The battery fell too low. Start all the same."
            </label>
        })}
        <button class="button">"Switch on"</button>
    };
    let off = view! {
        {miner()}
        <button class="button stop">"Switch off"</button>
    };
    let automatic = view! {
        {miner()}
        <input type="hidden" name="enabled" value=move || (!is_auto.get()).to_string() />
        <button class="switch" role="switch" aria-checked=move || is_auto.get().to_string()>
            <span>"Auto-control"</span>
            <small>
                {move || if is_auto.get() { "on: the battery decides" } else { "off: nothing is changed" }}
            </small>
        </button>
    };
    let power = |power: u8| {
        view! {
            <label>
                <input type="radio" name="percent" value=power checked=power == chosen />
                <span>{power}</span>
            </label>
        }
    };
    let hold = |(hours, words): (&'static str, &'static str)| {
        view! { <option value=hours selected=hours == USUAL_HOLD>{words}</option> }
    };
    let manual = view! {
        {miner()}
        <fieldset class="manual">
            <legend>"Hold a power, in percent"</legend>
            <div class="steps segments">{powers.into_iter().map(power).collect_view()}</div>
            <label class="hold">"for " <select name="hours">{HOLDS.map(hold).collect_view()}</select></label>
            <button class="button">"Hold"</button>
        </fieldset>
    };
    let wish = |wish: String| view! { <p class="note">{wish}</p> };
    // One for all of them: what is asked last is what counts.
    let fate = Fate::new();
    view! {
        <div class="controls">
            <div class="power">
                {form_with(live, rpc::POWER_ON, fate, on)} {form_with(live, rpc::POWER_OFF, fate, off)}
            </div>
            {form_with(live, rpc::AUTO_CONTROL, fate, automatic)}
            {form_with(live, rpc::MANUAL_POWER, fate, manual)}
            {fate.line(live, id)}
            {move || wishes.get().into_iter().map(wish).collect_view()}
            {(!live.may_change()).then(|| view! {
                <p class="note">
                    <a class="button" href="/sign-in">"Sign in"</a>
                    " to change anything."
                </p>
            })}
        </div>
    }
}

/// The last commands and what became of them.
pub(super) fn commands(live: Live, id: &str) -> impl IntoView + use<> {
    let commands = part_of(live, id, |miner| miner.commands.clone());
    let title = format!("commands-{id}");
    let whose = whose(live, id).map(|name| format!("{name}: "));
    let row = |CommandRow { when, what, outcome, .. }| {
        view! {
            <li>
                <span class="when">{when}</span>
                <strong>{what}</strong>
                <span class="what">{outcome}</span>
            </li>
        }
    };
    view! {
        <section class="card commands" aria-labelledby=title.clone()>
            <header>
                <h2 id=title.clone()>{whose} "Last commands"</h2>
                <a class="all" href="/decisions">"All"<span class="visually-hidden">" decisions"</span></a>
            </header>
            <ol>{move || commands.get().into_iter().map(row).collect_view()}</ol>
            {move || commands.with(Vec::is_empty).then(|| view! { <p class="note">"None yet."</p> })}
        </section>
    }
}
