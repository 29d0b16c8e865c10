//! What is on the network: each device with its address, what it does and how much, and when it was last seen.

use crate::{live::Live, view::Device};
use leptos::prelude::*;

pub(super) fn devices(live: Live) -> impl IntoView {
    // Which there are changes only with the configuration, as for miners. A link that somebody is on stays where it is.
    let devices = live.view.with_untracked(|view| view.devices.clone());
    let is_empty = devices.is_empty();
    let device = |(place, device): (usize, Device)| {
        let page = device.page;
        let of = live.part(move |view| view.devices.get(place).cloned().unwrap_or_default());
        let told = move || {
            let device = of.get();
            let what = device.what();
            let Device { word, figures, seen, .. } = device;
            let gap = if figures.is_empty() { "" } else { " · " };
            let seen = seen.map(|seen| view! { {gap} "seen " {move || live.age(seen)} " ago" });
            view! {
                <span class="state">{word}</span>
                <span class="what">{what}</span>
                <span class="what">{figures} {seen}</span>
            }
        };
        view! {
            <li>
                <span class=move || of.with(|of| format!("dot {}", of.health)) aria-hidden="true"></span>
                <strong>
                    <a href=page>{move || of.get().name}</a>
                </strong>
                {told}
            </li>
        }
    };
    view! {
        <section class="card devices" aria-labelledby="devices-title">
            <header>
                <h2 id="devices-title">"On the network"</h2>
                <a class="all" href="/devices">"All"<span class="visually-hidden">" devices"</span></a>
            </header>
            <ul>{devices.into_iter().enumerate().map(device).collect_view()}</ul>
            {is_empty.then(|| view! { <p class="note">"Nothing yet."</p> })}
        </section>
    }
}
