//! The parts of the dashboard and of a miner's page. Each shows a part of the live store and knows nothing of the others.
//!
//! Where one miner is controlled, the dashboard tells its story; where several are, it tells of all together, each in a
//! line, and the story of each is on its own page.

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

#[cfg(not(target_arch = "wasm32"))]
use crate::view::page_of;
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
    /// The miner of this id, with everything.
    Miner(String),
    /// The miner of this id in a line.
    Line(String),
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
    /// All that a document may hold, in the order in which they come alive.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn all(live: Live) -> Vec<Self> {
        let of = |part: fn(String) -> Self| subject(live).into_iter().map(part);
        let above = [Self::Demo, Self::Bar, Self::Silence, Self::News, Self::Now, Self::Battery];
        let below = [Self::Charts, Self::Devices, Self::Past, Self::Install, Self::Update];
        let lines = controlled(live).into_iter().map(Self::Line);
        above.into_iter().chain(lines).chain(of(Self::Miner)).chain(of(Self::Commands)).chain(below).collect()
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
            Self::Line(id) => return format!("part-line-{id}"),
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
            Self::Now => now::now(live, subject(live)).into_any(),
            Self::Battery => battery::battery(live, subject(live)).into_any(),
            Self::Charts => chart::figure(live.chart()).into_any(),
            Self::Miner(id) => miner::miner(live, id).into_any(),
            Self::Line(id) => miner::line(live, id).into_any(),
            Self::Commands(id) => miner::commands(live, id).into_any(),
            Self::Devices => devices::devices(live).into_any(),
            Self::Past => alerts::past(live).into_any(),
            Self::Install => install::install().into_any(),
            Self::Update => update::update(live).into_any(),
        }
    }
}

/// The way to sign in, for those who may only look.
pub(crate) fn sign_in() -> impl IntoView {
    view! {
        <p class="note">
            <a class="button" href="/sign-in">"Sign in"</a>
            " to change anything."
        </p>
    }
}

/// The miners that are controlled. Which there are changes only with the configuration; the page is loaded anew then.
fn controlled(live: Live) -> Vec<String> {
    live.view.with_untracked(|view| view.miners.iter().map(|miner| miner.id.clone()).collect())
}

/// The miner whose story the page tells: that whose page it is, or on the dashboard the only one.
fn subject(live: Live) -> Option<String> {
    live.of().or_else(|| match controlled(live).as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    })
}

/// The dashboard, or a miner's page.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn page(live: Live) -> impl IntoView {
    let part = |part: Part| {
        view! {
            <div class="part" id=part.place()>
                {part.view(live)}
            </div>
        }
    };
    let main = match (live.of(), subject(live)) {
        (Some(id), _) => of_miner(live, &id, |of| part(of).into_any()),
        (None, Some(id)) => of_one(id, part).into_any(),
        (None, None) => of_several(live, part).into_any(),
    };
    let version = live.view.with_untracked(|view| view.version.clone());
    view! {
        <a class="skip" href="#main">"To the content"</a>
        {part(Part::Demo)}
        {part(Part::Bar)}
        {main}
        <footer>
            <span>"WhatsMiner Controller " {version}</span>
            {part(Part::Install)}
            <noscript>"Without JavaScript this page stands still: load it again for news."</noscript>
        </footer>
        {part(Part::Update)}
    }
}

/// The dashboard of a house with one miner: what it does and why, the battery, the past, the miner.
#[cfg(not(target_arch = "wasm32"))]
fn of_one<T: IntoView>(id: String, part: impl Fn(Part) -> T + Copy) -> impl IntoView {
    view! {
        <main id="main">
            {[Part::Silence, Part::News, Part::Now, Part::Battery, Part::Charts].map(part).collect_view()}
            <div class="miners">{part(Part::Miner(id.clone()))}</div>
            <div class="side">
                <div class="told">{part(Part::Commands(id))}</div>
                <div class="aside">{part(Part::Devices)} {part(Part::Past)}</div>
            </div>
        </main>
    }
}

/// The dashboard of a house with several miners: all of them together, and each in a line.
#[cfg(not(target_arch = "wasm32"))]
fn of_several<T: IntoView>(live: Live, part: impl Fn(Part) -> T + Copy) -> impl IntoView {
    let line = |id| {
        let line = Part::Line(id);
        view! { <li id=line.place()>{line.view(live)}</li> }
    };
    let ids = controlled(live);
    let miners = (!ids.is_empty()).then(|| {
        view! {
            <section class="card lines" aria-labelledby="miners-title">
                <h2 id="miners-title">"Miners"</h2>
                <ul>{ids.into_iter().map(line).collect_view()}</ul>
                {(!live.may_change()).then(sign_in)}
            </section>
        }
    });
    view! {
        <main id="main">
            {[Part::Silence, Part::News].map(part).collect_view()}
            <div class="story">{part(Part::Now)} {miners}</div>
            {[Part::Battery, Part::Charts].map(part).collect_view()}
            <div class="aside">{part(Part::Devices)} {part(Part::Past)}</div>
        </main>
    }
}

/// A miner's page: its story, everything of it, its past, what it was told; and the way to the others.
#[cfg(not(target_arch = "wasm32"))]
fn of_miner(live: Live, id: &str, part: impl Fn(Part) -> AnyView + Copy) -> AnyView {
    let (is_driven, others) = live.view.with_untracked(|view| {
        let is_driven = view.miner(id).is_some_and(|miner| miner.drive.is_some());
        let others: Vec<_> = view.all_miners().map(|miner| (miner.id.clone(), miner.name.clone())).collect();
        (is_driven, others)
    });
    let other = |(other, name): (String, String)| {
        let is_this = other == id;
        view! {
            <a href=page_of(&other) aria-current=is_this.then_some("page")>
                {name}
            </a>
        }
    };
    let others = (others.len() > 1).then(|| others.into_iter().map(other).collect_view());
    let main = view! {
        <main id="main">
            {[Part::Silence, Part::News].map(part).collect_view()}
            <nav class="subjects" aria-label="Miners">
                <a class="back" href="/">"The whole house"</a>
                {others}
            </nav>
            <div class="story">
                {part(Part::Now)}
                {is_driven.then(|| part(Part::Battery))}
            </div>
            <div class="miners">{part(Part::Miner(id.to_owned()))}</div>
            {part(Part::Charts)}
            {is_driven.then(|| view! { <div class="told">{part(Part::Commands(id.to_owned()))}</div> })}
            <div class="aside">{part(Part::Devices)}</div>
        </main>
    };
    main.into_any()
}
