//! What is on the network: each device with its address, what it does and how much, and when it was last seen.

use crate::{live::Live, view::Device};
use leptos::prelude::*;

pub(super) fn devices(live: Live) -> impl IntoView {
    let devices = live.part(|view| view.devices.clone());
    let device = move |Device { name, kind, address, health, word, figures, seen }| {
        let gap = if figures.is_empty() { "" } else { " · " };
        let seen = seen.map(|seen| view! { {gap} "seen " {move || live.age(seen)} " ago" });
        view! {
            <li>
                <span class=format!("dot {health}") aria-hidden="true"></span>
                <strong>{name}</strong>
                <span class="state">{word}</span>
                <span class="what">{kind} " · " {address}</span>
                <span class="what">{figures} {seen}</span>
            </li>
        }
    };
    view! {
        <section class="card devices" aria-labelledby="devices-title">
            <header>
                <h2 id="devices-title">"On the network"</h2>
                <a class="all" href="/devices">"All"<span class="visually-hidden">" devices"</span></a>
            </header>
            <ul>{move || devices.get().into_iter().map(device).collect_view()}</ul>
            <p class="note" hidden=move || !devices.with(Vec::is_empty)>"Nothing yet."</p>
        </section>
    }
}
