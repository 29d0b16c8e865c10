//! The history chart: drawn on the server, as lines in a box of 1000 by 300 that the page stretches, with its labels
//! beside it as text. The browser does no geometry and knows no calendar: it shows the [`Drawing`].

#[cfg(not(target_arch = "wasm32"))]
mod axis;
#[cfg(not(target_arch = "wasm32"))]
mod draw;
mod figure;

#[cfg(not(target_arch = "wasm32"))]
pub use draw::draw;
pub(crate) use figure::figure;

use model::history::Quantity;
use serde::{Deserialize, Serialize};

/// The most points of a line: as many as a phone can tell apart, and few enough to send twice.
pub const POINTS: u32 = 300;
/// Width of the box.
pub const WIDTH: f64 = 1000.0;
/// Height of the box.
pub const HEIGHT: f64 = 300.0;

/// A chart, ready to be shown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Drawing {
    /// What the chart says, for those who don't see it.
    pub summary: String,
    /// Nothing is known of this time.
    pub is_empty: bool,
    /// One for each quantity.
    pub lines: Vec<Line>,
    /// Marks of the time axis, from left to right.
    pub times: Vec<Mark>,
    /// Marks of the power axis, from the bottom up.
    pub powers: Vec<Mark>,
    /// Marks of the charge axis, from the bottom up.
    pub charges: Vec<Mark>,
    /// Height of the emergency threshold above the bottom, in percent of the box.
    pub emergency: f64,
    /// Where the present is, in percent of the width.
    pub now: f64,
    /// The values in a few rows.
    pub rows: Vec<Row>,
}

/// One quantity's line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which.
    pub quantity: Quantity,
    /// SVG path of the means. It is broken where nothing is known.
    pub mean: String,
    /// SVG path around everything between the least and the greatest value; empty where each point is one sample.
    pub spread: String,
    /// SVG path of the area between the line and the bottom.
    pub area: String,
}

/// A mark of an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// How far along the axis, in percent of its length.
    pub at: f64,
    /// What stands there; empty for a line without words.
    pub label: String,
    /// A day begins here, or the axis has its zero here.
    pub is_major: bool,
    /// It may go where there is no room: its neighbours stay.
    pub is_spare: bool,
}

/// A row of the table: an instant and what was then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The instant on the site's wall clock.
    pub time: String,
    /// State of charge, with its unit.
    pub charge: String,
    /// Solar production, with its unit.
    pub pv: String,
    /// The miner's power, with its unit.
    pub miner: String,
}
