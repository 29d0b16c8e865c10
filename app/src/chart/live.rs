//! The charts' part of the live store.

use super::{Off, Panel, Plot, Span, Stretch};
use crate::{range::Range, view::age};
use leptos::prelude::*;
use model::UtcMillis;
use serde::{Deserialize, Serialize};

/// The shortest time that can be zoomed to, in milliseconds.
const SHORTEST: f64 = 60_000.0;
/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// A miner whose past can be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What the charts begin with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChartStart {
    /// The id of the miner that they show beside the battery; `None`, where there is none.
    pub miner: Option<String>,
    /// The miners that can be chosen by the page's address, the one that it needn't name first. Empty, where the charts
    /// are of one miner.
    pub choices: Vec<Choice>,
    /// How far they look back.
    pub range: Range,
    /// The instant they look at, in milliseconds since 1970; the present, where it is `None`.
    pub here: Option<i64>,
    /// What is taken away.
    pub off: Off,
    /// What they say, for those who don't see them.
    pub summary: String,
    /// How much time a point stands for, in milliseconds; `None`, if each is a reading as it was taken.
    pub step: Option<i64>,
    /// Why there are none.
    pub problem: Option<String>,
    /// Where the code that draws them alive is.
    pub code: Option<String>,
    /// The charts, which the browser finds in the document.
    #[serde(skip)]
    pub drawn: Drawn,
    /// The table, which the browser finds in the document.
    #[serde(skip)]
    pub table: String,
}

/// The charts as HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawn {
    /// Powers.
    pub power: String,
    /// Temperatures.
    pub temperature: String,
}

impl Drawn {
    /// One of them.
    pub fn panel(&self, panel: Panel) -> &str {
        match panel {
            Panel::Power => &self.power,
            Panel::Temperature => &self.temperature,
        }
    }
}

/// The charts. A handle: copies are the same.
#[derive(Clone, Copy)]
pub struct Chart {
    pub(crate) start: StoredValue<ChartStart>,
    pub(crate) miner: RwSignal<Option<String>>,
    pub(crate) range: RwSignal<Range>,
    pub(crate) here: RwSignal<Option<i64>>,
    pub(crate) off: RwSignal<Off>,
    pub(crate) problem: RwSignal<Option<String>>,
    /// What is drawn alive; `None` while the charts are as the server drew them.
    pub(crate) plot: RwSignal<Option<Plot>>,
    /// Whether they are drawn alive. It is told once: whatever hangs on it isn't made anew with every reading.
    alive: Memo<bool>,
    /// A part of the plot that is told in more points.
    pub(crate) finer: RwSignal<Option<(Span, Stretch)>>,
    /// Both together, as they are drawn.
    pub(crate) stretch: RwSignal<Stretch>,
    /// Which part of the plot's time is seen, as shares of its length.
    pub(crate) seen: RwSignal<Seen>,
    /// The instant that is pointed at.
    pub(crate) cursor: RwSignal<Option<i64>>,
}

impl Chart {
    /// Charts that begin with what the server drew.
    pub fn new(start: ChartStart) -> Self {
        let plot = RwSignal::new(None);
        Self {
            miner: RwSignal::new(start.miner.clone()),
            range: RwSignal::new(start.range),
            here: RwSignal::new(start.here),
            off: RwSignal::new(start.off),
            problem: RwSignal::new(start.problem.clone()),
            plot,
            alive: Memo::new(move |_| plot.with(Option::is_some)),
            finer: RwSignal::new(None),
            stretch: RwSignal::default(),
            seen: RwSignal::default(),
            cursor: RwSignal::new(None),
            start: StoredValue::new(start),
        }
    }

    /// Whether they are drawn alive.
    pub(crate) fn is_alive(self) -> bool {
        self.alive.get()
    }

    /// The time that is seen.
    pub(crate) fn seen_span(self) -> Span {
        let span = self.plot.with(|plot| plot.as_ref().map_or_else(Span::default, |plot| plot.span));
        self.seen.get().of(span)
    }

    /// Puts together what is drawn.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn renew(self) {
        let drawn = self.plot.with_untracked(|plot| {
            let base = plot.as_ref().map(|plot| &plot.stretch);
            self.finer.with_untracked(|finer| match (base, finer) {
                (Some(base), Some((span, part))) => base.with(span.from, span.to, part),
                (Some(base), None) => base.clone(),
                (None, _) => Stretch::default(),
            })
        });
        self.stretch.set(drawn);
    }

    /// How fine what is seen is, in words.
    pub(crate) fn resolution(self) -> String {
        let step = if self.is_alive() {
            let seen = self.seen_span();
            let finer = self.finer.with(|finer| {
                let covered = finer.as_ref().filter(|(span, _)| span.holds(seen.from) && span.holds(seen.to));
                covered.map(|(_, part)| part.step())
            });
            finer.unwrap_or_else(|| self.plot.with(|plot| plot.as_ref().and_then(|plot| plot.stretch.step())))
        } else {
            self.start.with_value(|start| start.step)
        };
        match step {
            Some(step) => format!("A point stands for {}.", age(step as f64 / 1000.0)),
            None => "Every reading, as it was taken: there is nothing finer.".to_owned(),
        }
    }

    /// The miner that the page's address has to name to show it: any but the first that can be chosen.
    pub(crate) fn named(self, miner: Option<&str>) -> Option<String> {
        self.start.with_value(|start| {
            let others = start.choices.iter().skip(1).map(|choice| &choice.id);
            others.into_iter().find(|id| miner == Some(id)).cloned()
        })
    }

    /// The miner that the page's address has to name as it stands.
    pub(crate) fn named_now(self) -> Option<String> {
        self.named(self.miner.get().as_deref())
    }

    /// The miner that an address means which names this one, or none.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn meant(self, named: Option<&str>) -> Option<String> {
        self.named(named).or_else(|| {
            self.start.with_value(|start| {
                start.choices.first().map(|choice| choice.id.clone()).or_else(|| start.miner.clone())
            })
        })
    }

    /// The page's address, with another miner, another range or other lines.
    pub(crate) fn address(miner: Option<&str>, range: Range, here: Option<i64>, off: Off) -> String {
        let miner = miner.map_or_else(String::new, |miner| format!("&miner={miner}"));
        let here = here.map_or_else(String::new, |here| format!("&at={here}"));
        let off = if off == Off::default() { String::new() } else { format!("&off={}", off.slug()) };
        format!("?range={}{miner}{here}{off}", range.slug())
    }

    /// Where what was measured over a range is to be had as a file, with every reading: of one miner, or of all.
    pub(crate) fn file(miner: Option<&str>, range: Range, here: Option<i64>) -> String {
        let miner = miner.map_or_else(String::new, |miner| format!("&id={miner}"));
        let stretch = match (range.millis(), here) {
            // As long as the charts are.
            (length, Some(here)) => {
                let half = length.unwrap_or(DAY) / 2;
                let (from, to) = (here.saturating_sub(half), here.saturating_add(half));
                format!("from={}&to={}", UtcMillis(from), UtcMillis(to))
            }
            (Some(length), None) => format!("days={}", length as f64 / DAY as f64),
            (None, None) => format!("from={}", UtcMillis(0)),
        };
        format!("/api/history.csv?{stretch}{miner}")
    }
}

/// A part of a plot's time, as shares of its length from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Default for Seen {
    /// All of it.
    fn default() -> Self {
        Self { from: 0.0, to: 1.0 }
    }
}

impl Seen {
    /// As a span of the plot's.
    pub(crate) fn of(self, plot: Span) -> Span {
        Span { from: plot.at(self.from), to: plot.at(self.to) }
    }

    pub(crate) fn is_all(self) -> bool {
        self == Self::default()
    }

    /// Zoomed by a factor (less than one is closer) around a share of the plot, `length` milliseconds long.
    pub(crate) fn zoomed(self, factor: f64, around: f64, length: i64) -> Self {
        let width = self.to - self.from;
        let shortest = (SHORTEST / (length.max(1) as f64)).min(1.0);
        let wanted = (width * factor).clamp(shortest, 1.0);
        let share = if width > 0.0 { (around - self.from) / width } else { 0.5 };
        Self::placed(around - wanted * share, wanted)
    }

    /// Moved by a share of what is seen.
    #[cfg(any(target_arch = "wasm32", test))]
    pub(crate) fn moved(self, by: f64) -> Self {
        let width = self.to - self.from;
        Self::placed(self.from + width * by, width)
    }

    /// So wide, and inside the plot.
    fn placed(from: f64, width: f64) -> Self {
        let from = from.clamp(0.0, 1.0 - width);
        Self { from, to: (from + width).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_says_what_differs_from_the_usual() {
        let off = Off::default();
        assert_eq!(Chart::address(None, Range::Day, None, off), "?range=24h");
        assert_eq!(
            Chart::address(Some("shed"), Range::Week, Some(5), off.toggled(crate::chart::Shown::Fan)),
            "?range=1w&miner=shed&at=5&off=hash,fan"
        );
    }

    #[test]
    fn an_address_names_a_miner_that_can_be_chosen_unless_it_is_the_first() {
        let choice = |id: &str| Choice { id: id.into(), name: id.into() };
        let of = |choices| {
            let chart = Chart::new(ChartStart { choices, ..ChartStart::default() });
            ["garage", "shed", "nobody"].map(|id| chart.named(Some(id)))
        };
        assert_eq!(of(vec![choice("garage"), choice("shed")]), [None, Some("shed".to_owned()), None]);
        assert_eq!(of(Vec::new()), [None, None, None], "a miner's own page");
    }

    #[test]
    fn a_file_is_of_the_stretch_that_the_charts_are_of() {
        assert_eq!(Chart::file(None, Range::SixHours, None), "/api/history.csv?days=0.25");
        let all = "/api/history.csv?from=1970-01-01T00:00:00Z&id=shed";
        assert_eq!(Chart::file(Some("shed"), Range::All, None), all);
        let noon = 1_774_094_400_000;
        let hour = "/api/history.csv?from=2026-03-21T11:30:00Z&to=2026-03-21T12:30:00Z";
        assert_eq!(Chart::file(None, Range::Hour, Some(noon)), hour);
        let day = "/api/history.csv?from=2026-03-21T00:00:00Z&to=2026-03-22T00:00:00Z";
        assert_eq!(Chart::file(None, Range::All, Some(noon)), day, "a day, where the range is everything");
    }

    proptest! {
        /// However one zooms and moves, a part of the plot is seen that isn't shorter than a minute; and what is zoomed
        /// around stays where it is, unless the plot ends there.
        #[test]
        fn what_is_seen_stays_inside(steps in prop::collection::vec((0.1..4.0_f64, 0.0..1.0_f64, -2.0..2.0_f64), 1..30)) {
            let length = 3_600_000;
            let mut seen = Seen::default();
            for (factor, along, by) in steps {
                let around = seen.from + (seen.to - seen.from) * along;
                let zoomed = seen.zoomed(factor, around, length);
                let share = (around - zoomed.from) / (zoomed.to - zoomed.from);
                let at_an_end = zoomed.from < 1e-9 || zoomed.to > 1.0 - 1e-9;
                prop_assert!(at_an_end || (share - along).abs() < 1e-6, "{zoomed:?} {share} {along}");
                seen = zoomed.moved(by);
                prop_assert!(seen.from >= 0.0 && seen.to <= 1.0);
                prop_assert!((seen.to - seen.from) * length as f64 >= SHORTEST - 1.0, "{seen:?}");
            }
        }
    }
}
