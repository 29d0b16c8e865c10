//! From tracks to lines.

use super::{Drawing, HEIGHT, Line, Row, WIDTH, axis};
use crate::{backend::History, civil::moment, words};
use model::{
    UtcMillis, Watts,
    history::{Quantity, Series, Track, Window},
};
use std::fmt::Write;

/// Rows of the table at most.
const ROWS: usize = 24;

/// Draws a stretch of the past: state of charge, sun and miner.
pub fn draw(history: &History) -> Drawing {
    let pv = curve(&history.battery, Quantity::Pv);
    let charge = curve(&history.battery, Quantity::Soc);
    let power = curve(&history.miner, Quantity::Power);
    let highest = pv.iter().chain(&power).flatten().map(|point| point.max).fold(0.0, f64::max);
    let (top, powers) = axis::powers(highest);
    let plane = |top: f64| Plane { window: history.window, top };
    Drawing {
        summary: summary(history, &charge, &pv, &power),
        is_empty: [&charge, &pv, &power].iter().all(|runs| runs.is_empty()),
        lines: vec![
            plane(top).line(Quantity::Pv, &pv),
            plane(top).line(Quantity::Power, &power),
            plane(100.0).line(Quantity::Soc, &charge),
        ],
        times: axis::times(history.window, &history.timezone),
        powers,
        charges: axis::charges(),
        emergency: axis::hundredths(history.emergency_percent),
        now: axis::hundredths(plane(top).along(history.now) / WIDTH * 100.0).clamp(0.0, 100.0),
        rows: rows(history),
    }
}

/// A value and how far it strayed around an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    at: UtcMillis,
    min: f64,
    mean: f64,
    max: f64,
}

/// Points that belong together.
type Run = Vec<Point>;

/// A quantity as runs: a new one begins after every gap and every unknown value.
fn curve(track: &Track, quantity: Quantity) -> Vec<Run> {
    let Some(Series { min, mean, max, .. }) = track.series(quantity) else { return Vec::new() };
    let middle = track.step_ms.unwrap_or(0) / 2;
    let mut runs: Vec<Run> = Vec::new();
    let mut last: Option<UtcMillis> = None;
    for (((at, min), mean), max) in track.at.iter().zip(min).zip(mean).zip(max) {
        let (Some(min), Some(mean), Some(max)) = (*min, *mean, *max) else {
            last = None;
            continue;
        };
        let point = Point { at: UtcMillis(at.0 + middle), min, mean, max };
        let goes_on = last.is_some_and(|last| at.millis_since(last) <= track.gap_ms);
        match runs.last_mut().filter(|_| goes_on) {
            Some(run) => run.push(point),
            None => runs.push(vec![point]),
        }
        last = Some(*at);
    }
    runs
}

/// The box, as an area of time and value from zero up.
struct Plane {
    window: Window,
    /// The value at the upper edge.
    top: f64,
}

impl Plane {
    fn along(&self, at: UtcMillis) -> f64 {
        let length = self.window.to.millis_since(self.window.from).max(1);
        at.millis_since(self.window.from) as f64 / length as f64 * WIDTH
    }

    fn up(&self, value: f64) -> f64 {
        HEIGHT - value.clamp(0.0, self.top) / self.top * HEIGHT
    }

    fn line(&self, quantity: Quantity, runs: &[Run]) -> Line {
        let mut line = Line { quantity, mean: String::new(), spread: String::new(), area: String::new() };
        for run in runs {
            let means = || run.iter().map(|point| (self.along(point.at), self.up(point.mean)));
            let (Some(first), Some(last)) = (means().next(), means().next_back()) else { continue };
            trace(&mut line.mean, means());
            if run.len() == 1 {
                // A lone point: a line of no length that round ends make a dot of.
                line.mean.push_str("h0");
            }
            trace(&mut line.area, means().chain([(last.0, HEIGHT), (first.0, HEIGHT)]));
            line.area.push('z');
            if run.iter().any(|point| point.min < point.max) {
                let upper = run.iter().map(|point| (self.along(point.at), self.up(point.max)));
                let lower = run.iter().rev().map(|point| (self.along(point.at), self.up(point.min)));
                trace(&mut line.spread, upper.chain(lower));
                line.spread.push('z');
            }
        }
        line
    }
}

/// Appends a polyline to an SVG path, in tenths of the box's unit.
fn trace(path: &mut String, points: impl Iterator<Item = (f64, f64)>) {
    let mut letter = "M";
    for (x, y) in points {
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        // A String takes everything.
        let _ = write!(path, "{letter}{} {}", tenth(x), tenth(y));
        letter = if letter == "M" { "L" } else { " " };
    }
}

fn summary(history: &History, charge: &[Run], pv: &[Run], power: &[Run]) -> String {
    let extremes = |runs: &[Run]| {
        let points = || runs.iter().flatten();
        let least = points().map(|point| point.min).reduce(f64::min);
        least.zip(points().map(|point| point.max).reduce(f64::max))
    };
    let kilowatts = |watts: f64| {
        let told = words::power(Watts::new(watts));
        format!("{} {}", told.value, told.unit)
    };
    let mut parts = Vec::new();
    if let Some((least, greatest)) = extremes(charge) {
        parts.push(format!("the battery was between {least:.0} and {greatest:.0} %"));
    }
    if let Some((_, greatest)) = extremes(pv) {
        parts.push(format!("the sun gave up to {}", kilowatts(greatest)));
    }
    if let Some((_, greatest)) = extremes(power) {
        parts.push(format!("the miner drew up to {}", kilowatts(greatest)));
    }
    let moment = |at| moment(at, history.now, &history.timezone);
    let span = format!("From {} to {}", moment(history.window.from), moment(history.now));
    match parts.split_last() {
        None => format!("{span} nothing is known."),
        Some((only, [])) => format!("{span} {only}."),
        Some((last, others)) => format!("{span} {}, and {last}.", others.join(", ")),
    }
}

/// The mean values in a few rows, at the instants of the track that has more of them.
fn rows(history: &History) -> Vec<Row> {
    let longer =
        if history.battery.at.len() >= history.miner.at.len() { &history.battery } else { &history.miner };
    let every = longer.at.len().div_ceil(ROWS).max(1);
    let told = |told: words::Told| {
        if told.is_known() { format!("{} {}", told.value, told.unit) } else { "unknown".to_owned() }
    };
    let instants = longer.at.iter().copied().step_by(every);
    instants
        .map(|at| Row {
            time: moment(at, history.now, &history.timezone),
            charge: told(words::charge(value_at(&history.battery, Quantity::Soc, at))),
            pv: told(words::power(value_at(&history.battery, Quantity::Pv, at).and_then(Watts::new))),
            miner: told(words::power(value_at(&history.miner, Quantity::Power, at).and_then(Watts::new))),
        })
        .collect()
}

/// The last value at or before an instant, unless a gap lies between.
fn value_at(track: &Track, quantity: Quantity, at: UtcMillis) -> Option<f64> {
    let index = track.at.partition_point(|other| *other <= at).checked_sub(1)?;
    let known = at.millis_since(*track.at.get(index)?) <= track.gap_ms;
    track.series(quantity)?.mean.get(index).copied().flatten().filter(|_| known)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Mark, POINTS},
        *,
    };
    use proptest::prelude::*;

    const START: i64 = 1_795_000_000_000;
    const MINUTE: i64 = 60_000;

    fn track(quantity: Quantity, step: Option<i64>, points: &[(i64, Option<(f64, f64)>)]) -> Track {
        let series = Series {
            quantity,
            min: points.iter().map(|(_, value)| value.map(|value| value.0)).collect(),
            mean: points
                .iter()
                .map(|(_, value)| value.map(|value| f64::midpoint(value.0, value.1)))
                .collect(),
            max: points.iter().map(|(_, value)| value.map(|value| value.1)).collect(),
        };
        let at = points.iter().map(|(minute, _)| UtcMillis(START + minute * MINUTE)).collect();
        Track { step_ms: step, gap_ms: 2 * MINUTE, at, series: vec![series] }
    }

    fn history(battery: Track, miner: Track) -> History {
        let (from, to) = (UtcMillis(START), UtcMillis(START + 100 * MINUTE));
        let window = Window { from, to, points: POINTS };
        History { window, now: to, timezone: "UTC".into(), emergency_percent: 30.0, battery, miner }
    }

    fn line(drawing: &Drawing, quantity: Quantity) -> &Line {
        drawing.lines.iter().find(|line| line.quantity == quantity).unwrap()
    }

    #[test]
    fn a_line_goes_where_its_values_are() {
        let battery = track(
            Quantity::Soc,
            None,
            &[(0, Some((100.0, 100.0))), (1, Some((50.0, 50.0))), (2, Some((0.0, 0.0)))],
        );
        let drawing = draw(&history(battery, Track::default()));
        assert_eq!(line(&drawing, Quantity::Soc).mean, "M0 0L10 150 20 300");
        assert_eq!(line(&drawing, Quantity::Soc).spread, "", "single samples don't spread");
        assert_eq!(line(&drawing, Quantity::Power).mean, "", "what isn't known isn't drawn");
    }

    #[test]
    fn a_gap_breaks_the_line_and_so_does_an_unknown_value() {
        let value = Some((50.0, 50.0));
        let gap = track(Quantity::Soc, None, &[(0, value), (1, value), (10, value), (11, value)]);
        let unknown = track(Quantity::Soc, None, &[(0, value), (1, None), (2, value)]);
        assert_eq!(
            line(&draw(&history(gap, Track::default())), Quantity::Soc).mean,
            "M0 150L10 150M100 150L110 150"
        );
        assert_eq!(line(&draw(&history(unknown, Track::default())), Quantity::Soc).mean, "M0 150h0M20 150h0");
    }

    #[test]
    fn a_peak_inside_a_bucket_reaches_its_height() {
        let miner = track(Quantity::Power, Some(MINUTE), &[(0, Some((0.0, 0.0))), (1, Some((0.0, 4000.0)))]);
        let drawing = draw(&history(Track::default(), miner));
        // The middle of the second bucket is at 15 of 1000, and 4 kW is the top.
        assert!(line(&drawing, Quantity::Power).spread.contains("15 0"), "{drawing:?}");
    }

    #[test]
    fn an_empty_past_says_that_nothing_is_known() {
        let drawing = draw(&history(Track::default(), Track::default()));
        assert!(drawing.is_empty);
        assert!(drawing.summary.ends_with("nothing is known."), "{}", drawing.summary);
        assert_eq!(drawing.rows, []);
    }

    #[test]
    fn the_table_tells_unknown_as_unknown() {
        let battery = track(Quantity::Soc, None, &[(0, Some((60.0, 60.0))), (50, Some((55.5, 55.5)))]);
        let miner = track(Quantity::Power, None, &[(0, Some((2134.0, 2134.0)))]);
        let rows = draw(&history(battery, miner)).rows;
        let told: Vec<_> = rows.iter().map(|row| [&row.charge, &row.pv, &row.miner]).collect();
        assert_eq!(told, [["60 %", "unknown", "2.13 kW"], ["55.5 %", "unknown", "unknown"]]);
    }

    fn marks_are_inside(marks: &[Mark]) -> bool {
        marks.iter().all(|mark| (0.0..=100.0).contains(&mark.at))
    }

    proptest! {
        /// Whatever was measured: the drawing stays inside its box and holds every run.
        #[test]
        fn no_value_leaves_the_box(
            points in prop::collection::vec((1_i64..5, prop::option::of((-1e9..1e9_f64, 0.0..1e9_f64))), 0..80)
        ) {
            let mut minute = 0;
            let points: Vec<_> = points
                .into_iter()
                .map(|(after, value)| {
                    minute += after;
                    (minute, value.map(|(least, more)| (least, least + more)))
                })
                .filter(|(minute, _)| *minute < 100)
                .collect();
            let drawing = draw(&history(Track::default(), track(Quantity::Power, None, &points)));
            let line = line(&drawing, Quantity::Power);
            for path in [&line.mean, &line.spread, &line.area] {
                let numbers = path.split(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
                for (index, number) in numbers.filter(|text| !text.is_empty()).enumerate() {
                    let number: f64 = number.parse().unwrap();
                    let most = if index % 2 == 0 { WIDTH } else { HEIGHT };
                    prop_assert!(path.contains("h0") || (0.0..=most).contains(&number), "{path}");
                }
            }
            prop_assert!(marks_are_inside(&drawing.times) && marks_are_inside(&drawing.powers));
        }
    }
}
