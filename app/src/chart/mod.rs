//! The charts of the past.
//!
//! The server makes a [`Plot`] of what was measured (`plot`) and draws it as SVG (`drawn`): this is what paints first
//! and what stays without JavaScript. In the browser the same plot is drawn by ECharts, with the options that the server
//! made (`option`), and goes on with what the page hears. Axes, rules and marks are the page's own in both.

mod axis;
#[cfg(not(target_arch = "wasm32"))]
mod drawn;
#[cfg(not(target_arch = "wasm32"))]
mod events;
mod figure;
mod frame;
mod live;
#[cfg(not(target_arch = "wasm32"))]
mod option;
#[cfg(not(target_arch = "wasm32"))]
mod plot;
mod scale;
mod shown;
#[cfg(not(target_arch = "wasm32"))]
mod table;
mod track;
mod zone;

#[cfg(not(target_arch = "wasm32"))]
use drawn::drawn;
#[cfg(not(target_arch = "wasm32"))]
pub use events::events;
#[cfg(target_arch = "wasm32")]
pub(crate) use figure::Pick;
pub(crate) use figure::figure;
#[cfg(target_arch = "wasm32")]
pub(crate) use live::Seen;
pub use live::{Chart, ChartStart, Choice, Drawn};
#[cfg(not(target_arch = "wasm32"))]
pub use plot::{newest_of_battery, newest_of_miner, plot, start, stretch};
pub use scale::{Axis, Scale};
pub use shown::{Off, Panel, Shown, Side};
pub use track::{Latest, Line, Point, Stretch, Track};
pub use zone::Zone;

use crate::range::Range;
use serde::{Deserialize, Serialize};

/// The most points of a line in the document: about as many as a phone can tell apart, and few enough to be sent with it.
pub const POINTS_DRAWN: u32 = 240;
/// The most points of a line that is drawn alive.
pub const POINTS_ALIVE: u32 = 600;

/// From one instant to another, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// Its beginning.
    pub from: i64,
    /// Its end.
    pub to: i64,
}

impl Span {
    /// Its length in milliseconds.
    pub const fn length(self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// How far along it an instant is, in percent, to the hundredth.
    pub fn percent(self, at: i64) -> f64 {
        let along = at.saturating_sub(self.from) as f64 / self.length().max(1) as f64;
        (along * 10_000.0).round() / 100.0
    }

    /// The instant so far along it, from 0 to 1.
    pub fn at(self, along: f64) -> i64 {
        self.from.saturating_add((self.length() as f64 * along) as i64)
    }

    /// Whether an instant is in it.
    pub const fn holds(self, at: i64) -> bool {
        self.from <= at && at <= self.to
    }
}

/// A stretch of the past, ready to be drawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plot {
    /// The id of the miner that is shown beside the battery; `None`, where there is none.
    pub miner: Option<String>,
    /// From the left edge to the right one.
    pub span: Span,
    /// The present.
    pub now: i64,
    /// The instant that was asked for, where one was.
    pub here: Option<i64>,
    /// The site's zone.
    pub zone: Zone,
    /// What was measured.
    pub stretch: Stretch,
    /// The two charts.
    pub power: PanelPlot,
    /// The two charts.
    pub temperature: PanelPlot,
    /// The state of charge at and under which the miner is off, percent.
    pub emergency: f64,
    /// What happened, in its order.
    pub events: Vec<Event>,
    /// What the charts say, for those who don't see them.
    pub summary: String,
    /// The same as a table, as HTML.
    pub table: String,
}

impl Plot {
    /// One of its charts.
    pub const fn panel(&self, panel: Panel) -> &PanelPlot {
        match panel {
            Panel::Power => &self.power,
            Panel::Temperature => &self.temperature,
        }
    }

    /// Goes on with the newest readings until `now`; a limited range moves along. Whether nothing was missed and
    /// everything has room: else the plot has to be made anew.
    pub fn go_on(&mut self, latest: &Latest, now: i64, range: Range) -> bool {
        let nothing_missed = self.stretch.go_on(latest);
        let ahead = now - self.span.to;
        if ahead > 0 {
            self.span.to = now;
            if range != Range::All {
                self.span.from += ahead;
                self.stretch.forget_before(self.span.from);
            }
        }
        self.now = now;
        let device = |shown: &[Shown], point: &Option<Point>| {
            let values = point.iter().flat_map(|point| &point.values);
            shown.iter().zip(values).all(|(shown, value)| {
                let Scale { bottom, top } = self.panel(shown.panel()).scale(*shown);
                value.is_none_or(|value| (bottom..=top).contains(&f64::from(value)))
            })
        };
        let has_room = device(&Shown::OF_BATTERY, &latest.battery) && device(&Shown::OF_MINER, &latest.miner);
        nothing_missed && has_room
    }
}

/// What belongs to one of the charts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelPlot {
    /// The axis at the left.
    pub left: Axis,
    /// The axis at the right.
    pub right: Axis,
    /// The scale of what has an axis of its own.
    pub own: Scale,
    /// ECharts' options, as JSON, without data. Colours are names of the style's tokens.
    pub option: String,
}

impl PanelPlot {
    /// The scale that a line belongs to.
    pub const fn scale(&self, shown: Shown) -> Scale {
        match shown.side() {
            Side::Left => self.left.scale,
            Side::Right => self.right.scale,
            Side::Own => self.own,
        }
    }
}

impl Default for PanelPlot {
    fn default() -> Self {
        let scale = Scale { bottom: 0.0, top: 1.0 };
        let axis = || Axis { scale, marks: Vec::new() };
        Self { left: axis(), right: axis(), own: scale, option: String::new() }
    }
}

/// A mark of an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// How far along the axis, in percent of its length.
    pub at: f64,
    /// What stands there.
    pub label: String,
    /// A day begins here, or the axis has its zero here.
    pub is_major: bool,
    /// It may go where there is no room: its neighbours stay.
    pub is_spare: bool,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The sun went down.
    Sunset,
    /// A miner was told something.
    Command,
    /// The battery fell too low.
    Emergency,
    /// Something failed, or wasn't known.
    Fault,
}

impl EventKind {
    /// As the style calls it.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Sunset => "sunset",
            Self::Command => "command",
            Self::Emergency => "emergency",
            Self::Fault => "fault",
        }
    }
}

/// Something that happened at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What kind of thing.
    pub kind: EventKind,
    /// What, in a few words.
    pub text: String,
}
