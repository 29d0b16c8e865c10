//! The page of what is on the network: the miners that are known, what a search found, and how they are taken in.
//!
//! It is rendered on the server and stays as it was rendered: every form works by itself. What changes a setting leads
//! over the page that says what it does.

use crate::{account::around, page::nav::Place, settings::Frame, view::Device};
use leptos::prelude::*;

/// The page.
#[derive(Debug, Clone, PartialEq)]
pub struct Devices {
    /// What is around it.
    pub frame: Frame,
    /// The miners that are known, those that are controlled first.
    pub known: Vec<Known>,
    /// What a search found that isn't known yet.
    pub found: Vec<Found>,
    /// How far a search is.
    pub search: Search,
    /// Whoever looks may change something.
    pub may_change: bool,
    /// What is wrong with what was asked.
    pub problem: Option<String>,
}

/// A miner that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What its settings begin with in forms: "miner", "miners.shed".
    pub part: String,
    /// What it is and does.
    pub device: Device,
    /// The battery drives it, or may.
    pub is_controlled: bool,
    /// Whose turn it is, 1 first.
    pub priority: u8,
    /// Its part of what all miners together may draw, where there are several.
    pub share: Option<String>,
    /// The settings that were added on the page and not in the file: taking them back forgets it.
    pub added: Vec<String>,
}

/// A device that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is and does.
    pub device: Device,
    /// How it was recognised.
    pub evidence: String,
    /// How it can be taken in; `None` for what is seen but not supported.
    pub takes: Option<Takes>,
}

/// How a device is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takes {
    /// What its settings would begin with in forms.
    pub part: String,
    /// The settings that are known of it: keys and values.
    pub fields: Vec<(String, String)>,
    /// It takes commands only with its password.
    pub needs_password: bool,
    /// Its full power has to be said: W as it draws now, empty where that isn't known.
    pub watts: Option<String>,
    /// The known miner that it is, by its hardware address: it is somewhere else than it was.
    pub is_known_as: Option<String>,
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// It is under way.
    pub is_running: bool,
    /// Where it looks: ranges of addresses.
    pub ranges: Vec<String>,
    /// Addresses that were asked, and how many there are.
    pub asked: (usize, usize),
    /// How the last one ended.
    pub ended: Option<String>,
}

pub(crate) fn page(devices: Devices) -> impl IntoView {
    let Devices { frame, known, found, search, may_change, problem } = devices;
    let Frame { site, version, .. } = frame;
    let several = known.iter().filter(|known| known.is_controlled).count() > 1;
    let together = several.then(|| {
        view! {
            <p class="note">
                "What the battery allows is for all controlled miners together. The one with the lower priority makes room first."
            </p>
        }
    });
    let nobody = known.is_empty().then(|| {
        view! { <p class="note">"No miner is known yet. Search for one, or write its address on the settings page."</p> }
    });
    let known = known.into_iter().map(|known| one(known, may_change)).collect_view();
    let body = view! {
        <div class="lead">
            <h1>"Devices"</h1>
            <p>"The miners of the house: those that the battery drives, those that are only looked at, and what else is there."</p>
        </div>
        {problem.map(|why| view! { <p class="refusal" role="alert">{why}</p> })}
        <section class="card spaced" aria-labelledby="known">
            <h2 id="known">"Known"</h2>
            {together}
            <ul class="devices">{known}</ul>
            {nobody}
        </section>
        {searching(search, found, may_change)}
    };
    around(site, version, Place::Devices, body.into_any())
}

fn lines(device: Device) -> impl IntoView {
    let what = device.what();
    let Device { page, name, health, word, figures, .. } = device;
    let name = match page {
        Some(page) => view! { <a href=page>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    view! {
        <span class=format!("dot {health}") aria-hidden="true"></span>
        <strong>{name}</strong>
        <span class="state">{word}</span>
        <span class="what">{what}</span>
        {(!figures.is_empty()).then(|| view! { <span class="what">{figures}</span> })}
    }
}

fn one(known: Known, may_change: bool) -> impl IntoView {
    let Known { part, device, is_controlled, priority, share, added } = known;
    let name = device.name.clone();
    let about = match (is_controlled, share) {
        (false, _) => "Only looked at: it is never told anything.".to_owned(),
        (true, None) => "The battery drives it.".to_owned(),
        (true, Some(share)) => format!("The battery drives it, priority {priority}. Its share now: {share}."),
    };
    let change = may_change.then(|| change(&part, &name, is_controlled, priority, added));
    view! {
        <li>{lines(device)} <span class="what">{about}</span> {change}</li>
    }
}

fn change(
    part: &str,
    name: &str,
    is_controlled: bool,
    priority: u8,
    added: Vec<String>,
) -> impl IntoView + use<> {
    let of = |key: &str| format!("{part}.{key}");
    let choice = |value: u8| view! { <option value=value selected=value == priority>{value}</option> };
    let forget = (!added.is_empty()).then(|| {
        let field = |name: String| view! { <input type="hidden" name="reset" value=name /> };
        view! {
            <form action="/settings" method="post">
                {added.into_iter().map(field).collect_view()}
                <button class="button">"Forget" <span class="visually-hidden">" " {name.to_owned()}</span></button>
            </form>
        }
    });
    let (other, verb) =
        if is_controlled { ("false", "Only look at it") } else { ("true", "Let the battery drive it") };
    let whose = name.to_owned();
    view! {
        <details class="change">
            <summary>"Change" <span class="visually-hidden">" " {whose}</span></summary>
            <form class="make" action="/settings" method="post">
                <label>
                    "Name"
                    <input name=of("name") value=name.to_owned() maxlength="64" autocomplete="off" />
                </label>
                <label>
                    "Priority (1 is served first)"
                    <select name=of("priority")>{(1..=9).map(choice).collect_view()}</select>
                </label>
                <button class="button">"See what it does"</button>
            </form>
            <div class="ways">
                <form action="/settings" method="post">
                    <input type="hidden" name=of("controlled") value=other />
                    <button class="button">{verb}</button>
                </form>
                {forget}
            </div>
        </details>
    }
}

fn searching(search: Search, found: Vec<Found>, may_change: bool) -> impl IntoView {
    let Search { is_running, ranges, asked: (done, of), ended } = search;
    let none = ranges.is_empty();
    let where_to = if none {
        "This machine is in no home network that could be searched.".to_owned()
    } else {
        format!("Looks at {}. Nothing is changed there, and no password is sent.", ranges.join(", "))
    };
    let progress = is_running.then(|| {
        view! {
            <p role="status">
                <progress max=of value=done></progress>
                {format!(" {done} of {of} addresses")}
            </p>
        }
    });
    let action = if is_running { "/devices/cancel" } else { "/devices/search" };
    let button = (may_change && (is_running || !none)).then(|| {
        view! {
            <form action=action method="post">
                <button class="button" class:main=!is_running>{if is_running { "Stop" } else { "Search the network" }}</button>
            </form>
        }
    });
    let ended = ended.filter(|_| !is_running).map(|ended| view! { <p class="note">{ended}</p> });
    let found = found.into_iter().map(|found| candidate(found, may_change)).collect_view();
    view! {
        <section class="card spaced" aria-labelledby="search">
            <h2 id="search">"Search"</h2>
            <p class="note">{where_to}</p>
            {progress}
            {button}
            {ended}
            <ul class="devices">{found}</ul>
        </section>
    }
}

fn candidate(found: Found, may_change: bool) -> impl IntoView {
    let Found { device, evidence, takes } = found;
    let (name, address) = (device.name.clone(), device.address.clone());
    let take = takes.filter(|_| may_change).map(|Takes { part, fields, needs_password, watts, is_known_as }| {
        let of = |key: &str| format!("{part}.{key}");
        let hidden = |(key, value): (String, String)| {
            view! { <input type="hidden" name=format!("{part}.{key}") value=value /> }
        };
        let watts = watts.map(|watts| {
            view! {
                <label>
                    "Power while it mines, W"
                    <input name=of("base_watts") value=watts inputmode="numeric" required autocomplete="off" />
                </label>
            }
        });
        let password = needs_password.then(|| {
            view! {
                <label>
                    "Password of its API, for commands"
                    <input name=of("password") type="password" autocomplete="new-password" />
                </label>
            }
        });
        let name = is_known_as.is_none().then(|| {
            view! {
                <label>
                    "Name"
                    <input name=of("name") value=name maxlength="64" autocomplete="off" />
                </label>
            }
        });
        let buttons = if is_known_as.is_some() {
            view! { <button class="button main">"It is here now"</button> }.into_any()
        } else {
            view! {
                <button class="button main" name=of("controlled") value="true">
                    "Let the battery drive it"
                </button>
                <button class="button" name=of("controlled") value="false">
                    "Only look at it"
                </button>
            }
            .into_any()
        };
        let verb = if is_known_as.is_some() { "Follow it" } else { "Take in" };
        view! {
            <details class="change">
                <summary>{verb} <span class="visually-hidden">" the device at " {address}</span></summary>
                <form class="make" action="/settings" method="post">
                    {fields.into_iter().map(hidden).collect_view()}
                    {name} {watts} {password} {buttons}
                </form>
            </details>
        }
    });
    view! {
        <li>{lines(device)} <span class="what">{evidence}</span> {take}</li>
    }
}
