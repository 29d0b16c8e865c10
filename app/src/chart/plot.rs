//! From what was measured to a plot.

use super::{
    Axis, ChartStart, Line, Panel, PanelPlot, Plot, Point, Shown, Span, Stretch, Track, Zone, drawn, option,
    scale::Scale, table,
};
use crate::{backend::History, civil::moment, words};
use model::{
    MinerReading, Watts,
    history::{self, Series},
    snapshot::{BatteryView, Connection},
};

/// Makes a plot of a stretch of the past, to be drawn by the browser.
pub fn plot(history: &History) -> Plot {
    let mut plot = measured(history);
    for (panel, of) in [(Panel::Power, &mut plot.power), (Panel::Temperature, &mut plot.temperature)] {
        of.option = option::json(panel, of, plot.stretch.is_thicket());
    }
    plot
}

/// A plot without the browser's options.
fn measured(history: &History) -> Plot {
    let stretch = stretch(history);
    let span = Span { from: history.window.from.0, to: history.window.to.0 };
    Plot {
        miner: history.whose.as_ref().map(ToString::to_string),
        span,
        now: history.now.0,
        here: history.here.map(|at| at.0),
        zone: Zone::of(&history.timezone, history.window.from, history.window.to),
        power: power(&stretch),
        temperature: temperature(&stretch),
        emergency: history.emergency_percent,
        events: history.events.clone(),
        summary: summary(history, &stretch),
        table: table::html(history, &stretch),
        stretch,
    }
}

/// The charts as the document has them: `start` with what was measured.
pub fn start(start: ChartStart, history: &History) -> ChartStart {
    let plot = measured(history);
    ChartStart {
        drawn: drawn(&plot, start.off),
        step: plot.stretch.step(),
        summary: plot.summary,
        table: plot.table,
        ..start
    }
}

/// What was measured over a stretch of the past, as the charts draw it.
pub fn stretch(history: &History) -> Stretch {
    Stretch {
        battery: track(&history.battery, &Shown::OF_BATTERY),
        miner: track(&history.miner, &Shown::OF_MINER),
    }
}

/// The battery's newest good reading, in the order of [`Shown::OF_BATTERY`].
pub fn newest_of_battery(battery: &BatteryView) -> Option<Point> {
    let reading = battery.reading.as_ref().filter(|reading| !reading.lost)?;
    let power = |power: Option<Watts>| narrow(power.map(Watts::get));
    let charge = narrow(reading.soc_percent.and_then(model::Soc::new).map(model::Soc::get));
    let values = vec![charge, power(reading.pv), power(reading.battery)];
    Some(Point { at: reading.source_time?.0, values })
}

/// The newest reading of a miner that answers, in the order of [`Shown::OF_MINER`].
pub fn newest_of_miner(connection: &Connection, reading: Option<&MinerReading>) -> Option<Point> {
    let reading = reading.filter(|_| connection.connected)?;
    let celsius = |celsius: Option<model::Celsius>| narrow(celsius.map(model::Celsius::get));
    let values = vec![
        narrow(reading.power.map(Watts::get)),
        narrow(reading.hash_rate.map(model::TeraHash::get)),
        celsius(reading.chip_max),
        celsius(reading.ambient),
        narrow(reading.fan_in_rpm.map(f64::from)),
    ];
    Some(Point { at: connection.last_seen?.0, values })
}

fn narrow(value: Option<f64>) -> Option<f32> {
    value.map(|value| value as f32)
}

fn track(track: &history::Track, shown: &[Shown]) -> Track {
    // A point that stands for some time is drawn in the middle of it.
    let middle = track.step_ms.unwrap_or(0) / 2;
    let lines = shown.iter().filter_map(|shown| {
        let Series { min, mean, max, .. } = track.series(shown.quantity())?;
        let (_, decimals) = shown.unit();
        let round = |values: &[Option<f64>]| {
            let scale = 10_f64.powi(i32::from(decimals));
            values.iter().map(|value| value.map(|value| ((value * scale).round() / scale) as f32)).collect()
        };
        let spread = track.step_ms.map(|_| [round(min), round(max)]);
        Some(Line { shown: *shown, mean: round(mean), spread })
    });
    Track {
        step: track.step_ms,
        gap: track.gap_ms,
        finer: None,
        at: track.at.iter().map(|at| at.0 + middle).collect(),
        lines: lines.collect(),
    }
}

/// The least and the greatest value of some lines.
fn extremes(stretch: &Stretch, shown: &[Shown]) -> Option<(f64, f64)> {
    let lines = shown.iter().filter_map(|shown| stretch.line(*shown));
    let values = |line: &Line| -> Vec<f32> {
        let [least, greatest] = line.spread.clone().unwrap_or_default();
        [&line.mean, &least, &greatest].into_iter().flatten().flatten().copied().collect()
    };
    lines.flat_map(|(_, line)| values(line)).map(f64::from).fold(None, |known, value| {
        let (least, greatest) = known.unwrap_or((value, value));
        Some((value.min(least), value.max(greatest)))
    })
}

fn power(stretch: &Stretch) -> PanelPlot {
    let (lowest, highest) =
        extremes(stretch, &[Shown::Sun, Shown::Battery, Shown::Miner]).unwrap_or((0.0, 0.0));
    let (_, rate) = extremes(stretch, &[Shown::HashRate]).unwrap_or((0.0, 0.0));
    let left = Axis::powers(lowest, highest);
    PanelPlot { own: Scale::beside(left.scale, rate), left, right: Axis::charges(), option: String::new() }
}

fn temperature(stretch: &Stretch) -> PanelPlot {
    let (lowest, highest) = extremes(stretch, &[Shown::Chips, Shown::Air]).unwrap_or((0.0, 100.0));
    let (_, speed) = extremes(stretch, &[Shown::Fan]).unwrap_or((0.0, 0.0));
    PanelPlot {
        left: Axis::temperatures(lowest, highest),
        right: Axis::speeds(speed),
        own: Scale { bottom: 0.0, top: 1.0 },
        option: String::new(),
    }
}

fn summary(history: &History, stretch: &Stretch) -> String {
    let kilowatts = |watts: f64| {
        let told = words::power(Watts::new(watts));
        format!("{} {}", told.value, told.unit)
    };
    let mut parts = Vec::new();
    if let Some((least, greatest)) = extremes(stretch, &[Shown::Charge]) {
        parts.push(format!("the battery was between {least:.0} and {greatest:.0} %"));
    }
    if let Some((_, greatest)) = extremes(stretch, &[Shown::Sun]) {
        parts.push(format!("the sun gave up to {}", kilowatts(greatest)));
    }
    if let Some((_, greatest)) = extremes(stretch, &[Shown::Miner]) {
        parts.push(format!("the miner drew up to {}", kilowatts(greatest)));
    }
    let moment = |at| moment(at, history.now, &history.timezone);
    let end = history.window.to.min(history.now);
    let span = format!("From {} to {}", moment(history.window.from), moment(end));
    match parts.split_last() {
        None => format!("{span} nothing is known."),
        Some((only, [])) => format!("{span} {only}."),
        Some((last, others)) => format!("{span} {}, and {last}.", others.join(", ")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::chart::POINTS_DRAWN;
    use model::{
        UtcMillis,
        history::{Quantity, Window},
    };

    pub(in crate::chart) const START: i64 = 1_795_000_000_000;
    pub(in crate::chart) const MINUTE: i64 = 60_000;

    /// A track of one quantity: minutes since the start, and the least and the greatest value then.
    pub(in crate::chart) fn track(
        quantity: Quantity,
        step: Option<i64>,
        points: &[(i64, Option<(f64, f64)>)],
    ) -> history::Track {
        let values = |of: fn((f64, f64)) -> f64| points.iter().map(|(_, value)| value.map(of)).collect();
        let series = Series {
            quantity,
            min: values(|value| value.0),
            mean: values(|value| f64::midpoint(value.0, value.1)),
            max: values(|value| value.1),
        };
        let at = points.iter().map(|(minute, _)| UtcMillis(START + minute * MINUTE)).collect();
        history::Track { step_ms: step, gap_ms: 2 * MINUTE, at, series: vec![series] }
    }

    /// A hundred minutes.
    pub(in crate::chart) fn history(battery: history::Track, miner: history::Track) -> History {
        let (from, to) = (UtcMillis(START), UtcMillis(START + 100 * MINUTE));
        History {
            window: Window { from, to, points: POINTS_DRAWN },
            now: to,
            here: None,
            timezone: "UTC".into(),
            emergency_percent: 30.0,
            whose: None,
            battery,
            miner,
            events: Vec::new(),
        }
    }

    #[test]
    fn an_empty_past_says_that_nothing_is_known() {
        let plot = plot(&history(history::Track::default(), history::Track::default()));
        assert!(plot.summary.ends_with("nothing is known."), "{}", plot.summary);
        assert_eq!(plot.stretch.line(Shown::Charge), None);
    }

    #[test]
    fn a_point_stands_in_the_middle_of_its_time_and_keeps_its_peak() {
        let miner = track(Quantity::Power, Some(MINUTE), &[(0, Some((0.0, 0.0))), (1, Some((0.0, 3601.4)))]);
        let plot = plot(&history(history::Track::default(), miner));
        let (track, line) = plot.stretch.line(Shown::Miner).unwrap();
        assert_eq!(track.at, [START + 30_000, START + 90_000]);
        assert_eq!(line.spread, Some([vec![Some(0.0), Some(0.0)], vec![Some(0.0), Some(3601.0)]]));
        assert!(plot.power.left.scale.top >= 3601.0, "the peak has room");
    }

    #[test]
    fn what_flows_out_of_the_battery_has_room_under_zero() {
        let battery = track(Quantity::Battery, None, &[(0, Some((-2570.0, -2570.0)))]);
        let plot = plot(&history(battery, history::Track::default()));
        assert!(plot.power.left.scale.bottom <= -2570.0);
        assert!(plot.power.left.marks.iter().any(|mark| mark.label == "0" && mark.is_major));
    }
}
