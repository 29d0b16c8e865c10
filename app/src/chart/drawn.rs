//! A plot as SVG and HTML: what paints first, and what stays without JavaScript.

use super::{
    Drawn, Off, Panel, Plot, Scale, Shown, Span, Stretch,
    frame::{HEIGHT, WIDTH, frame},
};
use leptos::prelude::*;
use std::fmt::Write;

/// Draws what isn't taken away.
pub fn drawn(plot: &Plot, off: Off) -> Drawn {
    Drawn { power: draw(plot, Panel::Power, off), temperature: draw(plot, Panel::Temperature, off) }
}

fn draw(plot: &Plot, panel: Panel, off: Off) -> String {
    let shown: Vec<Shown> = panel.shows().filter(|shown| !off.hides(*shown)).collect();
    let paths: Vec<Paths> = shown
        .iter()
        .filter_map(|shown| {
            let plane = Plane { span: plot.span, scale: plot.panel(panel).scale(*shown) };
            plane.paths(&plot.stretch, *shown)
        })
        .collect();
    let nothing = paths.is_empty() || paths.iter().all(|paths| paths.mean.is_empty());
    let line = |Paths { shown, mean, spread, area }: Paths| {
        view! {
            <g class=format!("line {}", shown.slug())>
                <path class="area" d=area />
                <path class="spread" d=spread />
                <path class="mean" d=mean />
            </g>
        }
    };
    view! {
        {frame(plot, panel, plot.span)}
        <svg
            class="lines"
            viewBox=format!("0 0 {WIDTH} {HEIGHT}")
            preserveAspectRatio="none"
            focusable="false"
        >
            {paths.into_iter().map(line).collect_view()}
        </svg>
        {(nothing && !shown.is_empty())
            .then(|| view! { <p class="empty">"Nothing is known of this time."</p> })}
    }
    .to_html()
}

/// One line as SVG paths.
struct Paths {
    shown: Shown,
    /// The means. It is broken where nothing is known.
    mean: String,
    /// Around everything between the least and the greatest value; empty where each point is one reading.
    spread: String,
    /// Between the line and zero, for what is drawn as an area.
    area: String,
}

/// The box, as an area of time and value.
struct Plane {
    span: Span,
    scale: Scale,
}

impl Plane {
    fn along(&self, at: i64) -> f64 {
        at.saturating_sub(self.span.from) as f64 / self.span.length().max(1) as f64 * WIDTH
    }

    fn up(&self, value: f64) -> f64 {
        HEIGHT - self.scale.share(value) * HEIGHT
    }

    fn paths(&self, stretch: &Stretch, shown: Shown) -> Option<Paths> {
        let (track, line) = stretch.line(shown)?;
        let mut paths = Paths { shown, mean: String::new(), spread: String::new(), area: String::new() };
        let x = |index: usize| track.at.get(index).map_or(0.0, |at| self.along(*at));
        let is_area = matches!(shown, Shown::Sun | Shown::Miner);
        for run in track.runs(line) {
            let means = || run.iter().map(|(index, mean)| (x(*index), self.up(f64::from(*mean))));
            let (Some(first), Some(last)) = (means().next(), means().next_back()) else { continue };
            trace(&mut paths.mean, means());
            if run.len() == 1 {
                // A lone point: a line of no length that round ends make a dot of.
                paths.mean.push_str("h0");
            }
            if is_area {
                let zero = self.up(0.0);
                trace(&mut paths.area, means().chain([(last.0, zero), (first.0, zero)]));
                paths.area.push('z');
            }
            let edge = |edge: &[Option<f32>], index: usize| edge.get(index).copied().flatten().map(f64::from);
            if let Some([least, greatest]) = &line.spread
                && run.iter().any(|(index, _)| edge(least, *index) < edge(greatest, *index))
            {
                let along = |values: &[Option<f32>]| -> Vec<(f64, f64)> {
                    let points = run.iter().filter_map(|(index, _)| Some((x(*index), edge(values, *index)?)));
                    points.map(|(x, value)| (x, self.up(value))).collect()
                };
                let upper = along(greatest).into_iter();
                trace(&mut paths.spread, upper.chain(along(least).into_iter().rev()));
                paths.spread.push('z');
            }
        }
        Some(paths)
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

#[cfg(test)]
mod tests {
    use super::super::{plot, plot::tests::*};
    use super::*;
    use model::history::{self, Quantity};
    use proptest::prelude::*;

    fn paths(battery: history::Track, miner: history::Track, shown: Shown) -> Paths {
        let plot = plot(&history(battery, miner));
        let plane = Plane { span: plot.span, scale: plot.panel(shown.panel()).scale(shown) };
        plane.paths(&plot.stretch, shown).unwrap()
    }

    fn charge(points: &[(i64, Option<(f64, f64)>)]) -> Paths {
        paths(track(Quantity::Soc, None, points), history::Track::default(), Shown::Charge)
    }

    #[test]
    fn a_line_goes_where_its_values_are() {
        let paths = charge(&[(0, Some((100.0, 100.0))), (1, Some((50.0, 50.0))), (2, Some((0.0, 0.0)))]);
        assert_eq!(paths.mean, "M0 0L10 150 20 300");
        assert_eq!(paths.spread, "", "single readings don't spread");
    }

    #[test]
    fn a_gap_breaks_the_line_and_so_does_an_unknown_value() {
        let value = Some((50.0, 50.0));
        assert_eq!(
            charge(&[(0, value), (1, value), (10, value), (11, value)]).mean,
            "M0 150L10 150M100 150L110 150"
        );
        assert_eq!(charge(&[(0, value), (1, None), (2, value)]).mean, "M0 150h0M20 150h0");
    }

    #[test]
    fn a_peak_inside_a_point_reaches_its_height() {
        let points = [(0, Some((0.0, 0.0))), (1, Some((0.0, 4000.0)))];
        let miner = track(Quantity::Power, Some(MINUTE), &points);
        let paths = paths(history::Track::default(), miner, Shown::Miner);
        // The middle of the second point is at 15 of 1000; 4 kW has 4 % of room above it, 300 - 300 / 1.04.
        assert!(paths.spread.contains("15 11.5"), "{}", paths.spread);
    }

    #[test]
    fn what_is_taken_away_isnt_drawn() {
        let battery = track(Quantity::Soc, None, &[(0, Some((50.0, 50.0)))]);
        let plot = plot(&history(battery, history::Track::default()));
        let all = drawn(&plot, Off::from_slug(Some("")));
        assert!(all.power.contains("line soc") && all.temperature.contains("Nothing is known"));
        let less = drawn(&plot, Off::from_slug(Some("soc")));
        assert!(!less.power.contains("line soc"), "{}", less.power);
    }

    proptest! {
        /// Whatever was measured: the drawing stays inside its box.
        #[test]
        fn no_value_leaves_the_box(
            points in prop::collection::vec((1_i64..5, prop::option::of((-1e6..1e6_f64, 0.0..1e6_f64))), 0..80)
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
            let miner = track(Quantity::Power, Some(1), &points);
            let paths = paths(history::Track::default(), miner, Shown::Miner);
            for path in [&paths.mean, &paths.spread, &paths.area] {
                let numbers = path.split(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
                let numbers: Vec<f64> =
                    numbers.filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect();
                prop_assert!(path.contains('h') || numbers.chunks(2).all(|point| {
                    (0.0..=WIDTH).contains(&point[0]) && (0.0..=HEIGHT).contains(&point[1])
                }), "{path}");
            }
        }
    }
}
