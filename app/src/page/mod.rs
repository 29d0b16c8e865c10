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

/// A part of the page. Each comes alive by itself, so that none keeps the browser from answering a finger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The demo house's banner.
    Demo,
    /// The connection bar.
    Bar,
    /// That nothing is heard.
    Silence,
    /// Alerts that are news.
    News,
    /// The sentence, and what flows.
    Now,
    /// The battery with the ladder.
    Battery,
    /// The past.
    Charts,
    /// The miner of this id.
    Miner(String),
    /// The last commands to the miner of this id.
    Commands(String),
    /// What is on the network.
    Devices,
    /// Alerts that were seen or are over.
    Past,
    /// How the page becomes an app.
    Install,
    /// That there is a newer version.
    Update,
}

impl Part {
    /// All of them, in the order in which they come alive.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn all(live: Live) -> Vec<Self> {
        let of = |part: fn(String) -> Self| ids(live).into_iter().map(part);
        let above = [Self::Demo, Self::Bar, Self::Silence, Self::News, Self::Now, Self::Battery];
        let below = [Self::Charts, Self::Devices, Self::Past, Self::Install, Self::Update];
        above.into_iter().chain(of(Self::Miner)).chain(of(Self::Commands)).chain(below).collect()
    }

    /// The id of the element that holds it, and nothing else.
    pub(crate) fn place(&self) -> String {
        let slug = match self {
            Self::Demo => "demo",
            Self::Bar => "bar",
            Self::Silence => "silence",
            Self::News => "news",
            Self::Now => "now",
            Self::Battery => "battery",
            Self::Charts => "charts",
            Self::Miner(id) => return format!("part-miner-{id}"),
            Self::Commands(id) => return format!("part-commands-{id}"),
            Self::Devices => "devices",
            Self::Past => "past",
            Self::Install => "install",
            Self::Update => "update",
        };
        format!("part-{slug}")
    }

    /// What it shows.
    pub(crate) fn view(&self, live: Live) -> AnyView {
        match self {
            Self::Demo => demo::banner(live).into_any(),
            Self::Bar => bar::bar(live).into_any(),
            Self::Silence => silence::silence(live).into_any(),
            Self::News => alerts::news(live).into_any(),
            Self::Now => now::now(live, &ids(live)).into_any(),
            Self::Battery => battery::battery(live, &ids(live)).into_any(),
            Self::Charts => chart::figure(live.chart()).into_any(),
            Self::Miner(id) => miner::miner(live, id).into_any(),
            Self::Commands(id) => miner::commands(live, id).into_any(),
            Self::Devices => devices::devices(live).into_any(),
            Self::Past => alerts::past(live).into_any(),
            Self::Install => install::install().into_any(),
            Self::Update => update::update(live).into_any(),
        }
    }
}

/// Which miners there are changes only with the configuration; the page is loaded anew then.
fn ids(live: Live) -> Vec<String> {
    live.view.with_untracked(|view| view.miners.iter().map(|miner| miner.id.clone()).collect())
}

/// The one page: what it does and why, the battery, the miners, the past.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn dashboard(live: Live) -> impl IntoView {
    let part = |part: Part| {
        view! {
            <div class="part" id=part.place()>
                {part.view(live)}
            </div>
        }
    };
    let of = |each: fn(String) -> Part| ids(live).into_iter().map(each).map(part).collect_view();
    let version = live.view.with_untracked(|view| view.version.clone());
    view! {
        <a class="skip" href="#main">"To the content"</a>
        {part(Part::Demo)}
        {part(Part::Bar)}
        <main id="main">
            {[Part::Silence, Part::News, Part::Now, Part::Battery, Part::Charts].map(part).collect_view()}
            <div class="miners">{of(Part::Miner)}</div>
            <div class="side">
                <div class="told">{of(Part::Commands)}</div>
                <div class="aside">{part(Part::Devices)} {part(Part::Past)}</div>
            </div>
        </main>
        <footer>
            <span>"WhatsMiner Controller " {version}</span>
            {part(Part::Install)}
            <noscript>"Without JavaScript this page stands still: load it again for news."</noscript>
        </footer>
        {part(Part::Update)}
    }
}
