//! The page's parts. Each shows a part of the live store and knows nothing of the others.

mod alerts;
mod bar;
mod battery;
mod demo;
mod devices;
mod flow;
mod form;
mod install;
mod ladder;
mod miner;
pub(crate) mod nav;
mod now;
mod pieces;
mod silence;
mod update;

#[cfg(target_arch = "wasm32")]
pub(crate) use install::Way;

use crate::{chart, live::Live};
use leptos::prelude::*;

/// The one page: what it does and why, the battery, the miners, the past.
pub(crate) fn dashboard(live: Live) -> impl IntoView {
    // Which miners there are changes only with the configuration; the page is loaded anew then.
    let ids: Vec<String> =
        live.view.with_untracked(|view| view.miners.iter().map(|miner| miner.id.clone()).collect());
    let miners = ids.iter().map(|id| miner::miner(live, id)).collect_view();
    let commands = ids.iter().map(|id| miner::commands(live, id)).collect_view();
    let version = live.view.with_untracked(|view| view.version.clone());
    view! {
        <a class="skip" href="#main">"To the content"</a>
        {demo::banner(live)}
        {bar::bar(live)}
        <main id="main" class:silent=move || live.silent_seconds().is_some()>
            {silence::silence(live)} {alerts::news(live)} {now::now(live, &ids)} {battery::battery(live, &ids)}
            {chart::figure(live.chart())}
            <div class="miners">{miners}</div>
            <div class="side">
                <div class="told">{commands}</div>
                <div class="aside">{devices::devices(live)} {alerts::past(live)}</div>
            </div>
        </main>
        <footer>
            <span>"WhatsMiner Controller " {version}</span>
            {install::install()}
            <noscript>"Without JavaScript this page stands still: load it again for news."</noscript>
        </footer>
        {update::update(live)}
    }
}
