//! A miner: what it does, and every way to tell it what to do.

use super::{
    form::{Fate, form_for},
    pieces::{drive_of, facts, part_of, value},
    sign_in,
};
use crate::{
    live::Live,
    rpc,
    view::{CommandRow, Fact, Line, MinerCard, page_of},
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

/// Everything of a miner.
pub(super) fn miner(live: Live, id: &str) -> impl IntoView + use<> {
    let part = |of: fn(&MinerCard) -> String| part_of(live, id, of);
    let (name, identity) = (part(|miner| miner.name.clone()), part(|miner| miner.identity.clone()));
    let is_driven =
        live.view.with_untracked(|view| view.miner(id).is_some_and(|miner| miner.drive.is_some()));
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
                {tag(live, id)}
            </header>
            <div class="figures">{move || figures.get().into_iter().map(figure).collect_view()}</div>
            {is_driven.then(|| controls(live, id))}
            {facts(rest)}
            {move || error.get().map(|error| view! { <p class="note bad">{error}</p> })}
            <p class="identity">{move || identity.get()}</p>
        </section>
    }
}

/// One of several miners: a line that leads to its page, and at hand what is wanted most. The rest is on its page.
pub(super) fn line(live: Live, id: &str) -> impl IntoView + use<> {
    let name = part_of(live, id, |miner| miner.name.clone());
    let line = part_of(live, id, |miner| (miner.name.clone(), miner.line.clone()));
    let is_old = part_of(live, id, |miner| miner.is_old);
    let told = move || {
        let (name, Line { health, word, power, percent }) = line.get();
        view! {
            <span class=format!("dot {health}") aria-hidden="true"></span>
            <strong>{name}</strong>
            " "
            <span class="state">{word}</span>
            " "
            <span class="value">{power}</span>
            " "
            <span class="percent">{percent}</span>
        }
    };
    let at_hand = live.may_change().then(|| {
        let fate = Fate::new();
        let is_refused = live.is_refused_of(id);
        view! {
            <details open=is_refused>
                <summary>"Switch" <span class="visually-hidden">" " {move || name.get()}</span></summary>
                <div class="controls">{on_off(live, id, fate)} {automatic(live, id, fate)} {fate.line(live, id)}</div>
            </details>
        }
    });
    view! {
        <a class:old=move || is_old.get() href=page_of(id)>
            {told}
        </a>
        {at_hand}
    }
}

/// Whether it does what it was told.
fn tag(live: Live, id: &str) -> impl IntoView + use<> {
    let tag = part_of(live, id, |miner| (miner.tag.clone(), miner.obedience.clone()));
    view! { <span class=move || format!("tag {}", tag.get().0)>{move || tag.get().1}</span> }
}

fn controls(live: Live, id: &str) -> impl IntoView + use<> {
    let wishes = drive_of(live, id, |drive| drive.wishes.clone());
    let wish = |wish: String| view! { <p class="note">{wish}</p> };
    // One for all of them: what is asked last is what counts.
    let fate = Fate::new();
    view! {
        <div class="controls">
            {on_off(live, id, fate)} {automatic(live, id, fate)} {manual(live, id, fate)} {fate.line(live, id)}
            {move || wishes.get().into_iter().map(wish).collect_view()}
            {(!live.may_change()).then(sign_in)}
        </div>
    }
}

fn on_off(live: Live, id: &str, fate: Fate) -> impl IntoView + use<> {
    let is_latched = drive_of(live, id, |drive| drive.is_latched);
    let on = view! {
        {move || is_latched.get().then(|| view! {
            <label class="confirm">
                <input type="checkbox" name="confirmed" value="true" required />
                "The battery fell too low. Start all the same."
            </label>
        })}
        <button class="button">"Switch on"</button>
    };
    let off = view! {
        <button class="button stop">"Switch off"</button>
    };
    view! {
        <div class="power">
            {form_for(live, rpc::POWER_ON, id.to_owned(), fate, on)} {form_for(live, rpc::POWER_OFF, id.to_owned(), fate, off)}
        </div>
    }
}

fn automatic(live: Live, id: &str, fate: Fate) -> impl IntoView + use<> {
    let is_auto = drive_of(live, id, |drive| drive.is_auto);
    let switch = view! {
        <input type="hidden" name="enabled" value=move || (!is_auto.get()).to_string() />
        <button class="switch" role="switch" aria-checked=move || is_auto.get().to_string()>
            <span>"Auto-control"</span>
            <small>
                {move || if is_auto.get() { "on: the battery decides" } else { "off: nothing is changed" }}
            </small>
        </button>
    };
    form_for(live, rpc::AUTO_CONTROL, id.to_owned(), fate, switch)
}

fn manual(live: Live, id: &str, fate: Fate) -> impl IntoView + use<> {
    // What the person is choosing isn't changed under their fingers: this is read once.
    let (powers, chosen) = drive_of(live, id, |drive| (drive.powers.clone(), drive.step)).get_untracked();
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
        <fieldset class="manual">
            <legend>"Hold a power, in percent"</legend>
            <div class="steps segments">{powers.into_iter().map(power).collect_view()}</div>
            <label class="hold">"for " <select name="hours">{HOLDS.map(hold).collect_view()}</select></label>
            <button class="button">"Hold"</button>
        </fieldset>
    };
    form_for(live, rpc::MANUAL_POWER, id.to_owned(), fate, manual)
}

/// The last commands and what became of them.
pub(super) fn commands(live: Live, id: &str) -> impl IntoView + use<> {
    let commands = drive_of(live, id, |drive| drive.commands.clone());
    let title = format!("commands-{id}");
    let journal = match live.view.with_untracked(|view| view.miners.len()) {
        0 | 1 => "/decisions".to_owned(),
        _ => format!("/decisions?miner={id}"),
    };
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
                <h2 id=title.clone()>"Last commands"</h2>
                <a class="all" href=journal>"All"<span class="visually-hidden">" decisions"</span></a>
            </header>
            <ol>{move || commands.get().into_iter().map(row).collect_view()}</ol>
            {move || commands.with(Vec::is_empty).then(|| view! { <p class="note">"None yet."</p> })}
        </section>
    }
}
