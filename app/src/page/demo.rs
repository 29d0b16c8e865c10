//! The demo house's banner, with its switches for time and faults.

use super::form::form;
use crate::{
    live::Live,
    rpc,
    view::{FAULTS, FaultSwitch},
};
use leptos::prelude::*;

const PACES: [(u32, &str); 5] = [(0, "Pause"), (1, "1×"), (60, "60×"), (600, "600×"), (3600, "3600×")];
const JUMPS: [(u32, &str); 3] = [(900, "15 min"), (3600, "1 h"), (21_600, "6 h")];
const CHARGES: [(u32, &str); 4] = [(30, "30 %"), (55, "55 %"), (80, "80 %"), (100, "100 %")];

/// The banner; nothing, in a real house.
pub(super) fn banner(live: Live) -> impl IntoView {
    live.view.with_untracked(|view| view.demo.is_some()).then(|| switches(live))
}

fn switches(live: Live) -> impl IntoView {
    let time = live.part(|view| view.demo.as_ref().map(|demo| demo.time.clone()));
    let pace = live.part(|view| view.demo.as_ref().map(|demo| demo.pace));
    let runs_at = move |value: u32| pace.get().is_some_and(|pace| (pace - f64::from(value)).abs() < 0.01);
    let paces = PACES.map(|(value, label)| {
        view! {
            <button name="pace" value=value aria-pressed=move || runs_at(value).to_string()>{label}</button>
        }
    });
    let buttons = |name: &'static str, choices: &[(u32, &'static str)]| {
        let button = |(value, label): &(u32, &'static str)| {
            view! { <button name=name value=*value>{*label}</button> }
        };
        choices.iter().map(button).collect_view()
    };
    let paces = view! { <div role="group" aria-label="How fast time runs">{paces.collect_view()}</div> };
    let jumps = view! {
        <div role="group" aria-label="Skip time"><span>"Skip"</span> {buttons("seconds", &JUMPS)}</div>
    };
    let charges = view! {
        <div role="group" aria-label="Charge the battery"><span>"Battery"</span> {buttons("percent", &CHARGES)}</div>
    };
    let panel = live.view.with_untracked(|view| view.demo.clone().unwrap_or_default());
    let wrong = live.part(|view| view.demo.as_ref().map(|demo| demo.wrong.clone()));
    let faults: Vec<_> = panel.faults.into_iter().map(|fault| switch(live, fault)).collect();
    let heal = view! { <button>"Mend everything"</button> };
    view! {
        <aside class="demo" aria-label="Demo house">
            <p>
                <strong>"Demo house."</strong>
                " Every device is simulated, behind its real protocol. "
                <span>{move || time.get()}</span>
            </p>
            <details>
                <summary>"Time and faults"</summary>
                <div class="switches">
                    {form(live, rpc::DEMO_PACE, paces)} {form(live, rpc::DEMO_JUMP, jumps)}
                    {form(live, rpc::DEMO_CHARGE, charges)}
                    <div class="faults" role="group" aria-label="Faults">{faults}</div>
                    <a class="button" href=FAULTS>"All faults"</a>
                    {form(live, rpc::DEMO_HEAL, heal)}
                </div>
                <p>{move || wrong.get()}</p>
            </details>
        </aside>
    }
}

/// A fault's switch.
fn switch(live: Live, fault: FaultSwitch) -> impl IntoView {
    let FaultSwitch { code, label, .. } = fault;
    let known = code.clone();
    let is_on = live.part(move |view| {
        let faults = view.demo.iter().flat_map(|demo| &demo.faults);
        faults.filter(|fault| fault.code == known).any(|fault| fault.is_on)
    });
    let body = view! {
        <input type="hidden" name="fault" value=code />
        <input type="hidden" name="on" value=move || (!is_on.get()).to_string() />
        <button aria-pressed=move || is_on.get().to_string()>{label}</button>
    };
    form(live, rpc::DEMO_FAULT, body)
}
