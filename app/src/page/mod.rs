//! The page's parts. Each shows a part of the live store and knows nothing of the others.

mod alerts;
mod bar;
mod battery;
mod demo;
mod form;
mod miner;
mod now;
mod pieces;

use crate::{chart, live::Live};
use leptos::prelude::*;

/// The one page: what it does and why, the battery, the miners, the past.
pub(crate) fn dashboard(live: Live) -> impl IntoView {
    // Which miners there are changes only with the configuration; the page is loaded anew then.
    let ids: Vec<String> =
        live.view.with_untracked(|view| view.miners.iter().map(|miner| miner.id.clone()).collect());
    let nobody = ids.is_empty().then(|| {
        view! {
            <section class="card now">
                <h1>"No miner yet"</h1>
                <p>"The controller is starting, or no miner is configured."</p>
            </section>
        }
    });
    let now = ids.iter().map(|id| now::now(live, id)).collect_view();
    let miners = ids.iter().map(|id| miner::miner(live, id)).collect_view();
    let commands = ids.iter().map(|id| miner::commands(live, id)).collect_view();
    let version = live.view.with_untracked(|view| view.version.clone());
    view! {
        <a class="skip" href="#main">"To the content"</a>
        {demo::banner(live)}
        {bar::bar(live)}
        <main id="main" class:silent=move || live.silent_seconds().is_some()>
            {silence(live)} {now} {nobody} {battery::battery(live)} {chart::figure(live)} {miners}
            <div class="aside">{commands} {alerts::alerts(live)}</div>
        </main>
        <footer>
            <span>"WhatsMiner Controller " {version}</span>
            <noscript>"Without JavaScript this page stands still: load it again for news."</noscript>
        </footer>
    }
}

/// Says that nothing comes any more, and how old what is shown has become.
fn silence(live: Live) -> impl IntoView {
    let clock = live.part(|view| view.clock.clone());
    let seconds = Memo::new(move |_| live.silent_seconds().map(crate::view::age));
    move || {
        seconds.get().map(|age| {
            view! {
                <p class="banner" role="alert">
                    <strong>"No news from the controller for " {age} "."</strong>
                    " What you see is from " {clock.get()} ". It may have changed since."
                </p>
            }
        })
    }
}
