//! What flows: sun above, battery left, house right, miner below, the grid in its corner where there is one.
//!
//! The drawing is one picture with one sentence; its numbers stand as facts in the battery's card, too.

use crate::{
    live::Live,
    view::{Arm, Flow},
};
use leptos::prelude::*;

/// A line from what stands at its end to the hub, and where the head of its arrow is: a place and a direction.
#[derive(Clone, Copy)]
struct Place {
    /// Class of line and node: their colour.
    class: &'static str,
    /// From the node to the hub.
    line: &'static str,
    /// The middle of the line, pointing to the hub.
    head: &'static str,
}

const SUN: Place = Place { class: "sun", line: "M180 87V126", head: "translate(180 107) rotate(90)" };
const BATTERY: Place = Place { class: "battery", line: "M112 140H166", head: "translate(140 140)" };
const GRID: Place =
    Place { class: "grid", line: "M276 61Q222 88 191 129", head: "translate(228 91.5) rotate(141)" };
const HOME: Place = Place { class: "home", line: "M271 140H194", head: "translate(233 140) rotate(180)" };
const MINER: Place = Place { class: "miner", line: "M180 193V154", head: "translate(180 173) rotate(-90)" };

/// Pictures in a square of 24 around nothing.
const SUN_PICTURE: &str = "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0M0-10V-7.5M0 7.5V10M-10 0H-7.5M7.5 0H10M-7.1-7.1L-5.3-5.3M5.3 5.3L7.1 7.1M-7.1 7.1L-5.3 5.3M5.3-5.3L7.1-7.1";
const GRID_PICTURE: &str = "M-5 9L-2-9H2L5 9M-7-4H7M-6 1H6M-3.5 1L4.3 5M3.5 1L-4.3 5";
const HOME_PICTURE: &str = "M-9 0L0-8L9 0M-6.5-2V8H6.5V-2M-2 8V2H2V8";
const MINER_PICTURE: &str =
    "M-7-6H7V6H-7ZM-3-2.5H3V2.5H-3ZM-10-3H-7M-10 3H-7M7-3H10M7 3H10M-3-9V-6M3-9V-6M-3 6V9M3 6V9";

pub(super) fn flow(live: Live) -> impl IntoView {
    let sentence = live.part(|view| view.flow.sentence.clone());
    let is_old = live.part(|view| view.flow.is_old);
    let charge = live.part(|view| view.flow.charge.clone());
    let ring = live.part(|view| view.flow.percent.map(|percent| format!("{percent} 100")));
    let battery = live.part(|view| view.flow.battery.told.clone());
    let has_grid = live.part(|view| view.flow.grid.is_some());
    view! {
        <svg class="flow" class:old=move || is_old.get() viewBox="0 0 360 280" role="img" aria-label=move || sentence.get()>
            {arm(live, SUN, |flow| flow.sun.clone())}
            {arm(live, BATTERY, |flow| flow.battery.clone())}
            {arm(live, HOME, |flow| flow.home.clone())}
            {arm(live, MINER, |flow| flow.miner.clone())}
            {move || has_grid.get().then(|| view! {
                {arm(live, GRID, |flow| flow.grid.clone().unwrap_or_default())}
                {node(live, GRID.class, "translate(312 46)", GRID_PICTURE, |flow| flow.grid.clone().unwrap_or_default())}
            })}
            <circle class="hub" cx="180" cy="140" r="9"></circle>
            {node(live, SUN.class, "translate(180 46)", SUN_PICTURE, |flow| flow.sun.clone())}
            {node(live, HOME.class, "translate(312 140)", HOME_PICTURE, |flow| flow.home.clone())}
            {node(live, MINER.class, "translate(180 234)", MINER_PICTURE, |flow| flow.miner.clone())}
            <g class="node battery" transform="translate(58 140)">
                <circle class="track" r="48"></circle>
                <circle class="ring" r="48" pathLength="100" transform="rotate(-90)" stroke-dasharray=move || ring.get().unwrap_or_else(|| "0 100".to_owned())></circle>
                <text class="charge" y="5">
                    {move || charge.get().value}
                    <tspan class="unit">{move || charge.get().unit}</tspan>
                </text>
                <text class="power" y="25">
                    {move || battery.get().value}
                    <tspan class="unit">{move || spaced(battery.get().unit)}</tspan>
                </text>
            </g>
        </svg>
    }
}

/// A line: as wide as the power, its dots as quick, running as the current does.
fn arm(live: Live, place: Place, of: fn(&Flow) -> Arm) -> impl IntoView {
    let Place { class, line, head } = place;
    let part = live.part(move |view| of(&view.flow));
    let width = move || part.with(|arm| arm.width.to_string());
    view! {
        <g class=move || part.with(|arm| format!("arm {class} {} pace-{}", arm.course, arm.pace))>
            <path class="band" d=line stroke-width=width></path>
            <path class="run" d=line></path>
            <g transform=head>
                <path class="head" d="M-5-4.5L6 0L-5 4.5Z"></path>
            </g>
        </g>
    }
}

/// What stands at the end of a line: its picture, and how much flows.
fn node(
    live: Live,
    class: &'static str,
    at: &'static str,
    picture: &'static str,
    of: fn(&Flow) -> Arm,
) -> impl IntoView {
    let told = live.part(move |view| of(&view.flow).told);
    view! {
        <g class=format!("node {class}") transform=at>
            <circle r="39"></circle>
            <path class="picture" d=picture transform="translate(0 -12)"></path>
            <text class="power" y="18">
                {move || told.get().value}
                <tspan class="unit">{move || spaced(told.get().unit)}</tspan>
            </text>
        </g>
    }
}

/// A unit behind its value.
fn spaced(unit: String) -> String {
    if unit.is_empty() { unit } else { format!("\u{202f}{unit}") }
}
