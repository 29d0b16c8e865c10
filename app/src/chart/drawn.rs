//! A plot as SVG and HTML: what paints first, and what stays without JavaScript.

use super::{
    Drawn, Off, Panel, Plot, Scale, Shown, Span, Stretch,
    frame::{HEIGHT, WIDTH, frame},
};
use leptos::prelude::*;
use std::fmt::Write;

/// Draws what isn't taken away.
pub(super) fn drawn(plot: &Plot, off: Off) -> Drawn {
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
            class:thicket=plot.stretch.is_thicket()
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

/// Appends a polyline to an SVG path, in whole units of the box: where it begins, then step by step. Most of the document
/// is drawing: short steps, and one for all of a level stretch, keep it small.
fn trace(path: &mut String, points: impl Iterator<Item = (f64, f64)>) {
    let mut points = points.map(|(x, y)| (x.round() as i64, y.round() as i64));
    let Some(first) = points.next() else { return };
    // A String takes everything.
    let _ = write!(path, "M{} {}", first.0, first.1);
    let mut corners: Vec<(i64, i64)> = vec![first];
    for point in points {
        if let [.., before, last] = corners.as_mut_slice()
            && before.1 == last.1
            && last.1 == point.1
        {
            *last = point;
        } else {
            corners.push(point);
        }
    }
    let mut letter = "l";
    for pair in corners.windows(2) {
        let [from, to] = pair else { continue };
        let (x, y) = (to.0 - from.0, to.1 - from.1);
        if (x, y) == (0, 0) {
            continue;
        }
        // A sign parts two numbers as well as a space does.
        let between = |number: i64| if number < 0 { "" } else { " " };
        let before = if letter.is_empty() { between(x) } else { letter };
        let _ = write!(path, "{before}{x}{}{y}", between(y));
        letter = "";
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

    /// Where a path has its corners, by the grammar of SVG (<https://www.w3.org/TR/SVG2/paths.html#PathDataBNF>).
    fn corners(path: &str) -> Vec<(i64, i64)> {
        let mut numbers: Vec<String> = Vec::new();
        let mut commands: Vec<(char, Vec<i64>)> = Vec::new();
        let end = |numbers: &mut Vec<String>, commands: &mut Vec<(char, Vec<i64>)>| {
            let numbers = numbers.drain(..).filter(|number| !number.is_empty());
            if let Some((_, of_command)) = commands.last_mut() {
                of_command.extend(numbers.map(|number| number.parse::<i64>().unwrap()));
            }
        };
        for character in path.chars() {
            match character {
                letter if letter.is_ascii_alphabetic() => {
                    end(&mut numbers, &mut commands);
                    commands.push((letter, Vec::new()));
                }
                '-' | ' ' => numbers.push(character.to_string().trim().to_owned()),
                digit => {
                    if numbers.is_empty() {
                        numbers.push(String::new());
                    }
                    numbers.last_mut().unwrap().push(digit);
                }
            }
        }
        end(&mut numbers, &mut commands);
        let mut corners: Vec<(i64, i64)> = Vec::new();
        for (command, numbers) in commands {
            for pair in numbers.chunks(2) {
                let last = corners.last().copied().unwrap_or_default();
                match (command, pair) {
                    ('M', &[x, y]) => corners.push((x, y)),
                    ('l', &[x, y]) => corners.push((last.0 + x, last.1 + y)),
                    ('h', [0]) => {}
                    other => panic!("{other:?} in {path}"),
                }
            }
        }
        corners
    }

    #[test]
    fn a_line_goes_where_its_values_are() {
        let paths = charge(&[(0, Some((100.0, 100.0))), (1, Some((50.0, 50.0))), (2, Some((0.0, 0.0)))]);
        assert_eq!(paths.mean, "M0 0l100 1500 100 1500");
        assert_eq!(paths.spread, "", "single readings don't spread");
    }

    #[test]
    fn a_gap_breaks_the_line_and_so_does_an_unknown_value() {
        let value = Some((50.0, 50.0));
        assert_eq!(
            charge(&[(0, value), (1, value), (10, value), (11, value)]).mean,
            "M0 1500l100 0M1000 1500l100 0"
        );
        assert_eq!(charge(&[(0, value), (1, None), (2, value)]).mean, "M0 1500h0M200 1500h0");
    }

    #[test]
    fn a_peak_inside_a_point_reaches_its_height() {
        let points = [(0, Some((0.0, 0.0))), (1, Some((0.0, 4000.0)))];
        let miner = track(Quantity::Power, Some(MINUTE), &points);
        let paths = paths(history::Track::default(), miner, Shown::Miner);
        // The middle of the second point is at 150 of 10000; 4 kW has 4 % of room above it, 3000 - 3000 / 1.04.
        assert!(corners(&paths.spread).contains(&(150, 115)), "{}", paths.spread);
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

    #[test]
    fn a_level_stretch_is_one_step_and_its_corners_stay() {
        let mut path = String::new();
        let heights = [5.0, 5.0, 5.0, 9.0, 9.0, 9.0, 2.0, 9.0, 9.0];
        trace(&mut path, heights.into_iter().enumerate().map(|(x, y)| (x as f64, y)));
        assert_eq!(path, "M0 5l2 0 1 4 2 0 1-7 1 7 1 0");
        assert_eq!(corners(&path), [(0, 5), (2, 5), (3, 9), (5, 9), (6, 2), (7, 9), (8, 9)]);
    }

    proptest! {
        /// Whatever was measured: a line has its first and its last point, and every one where it rises or falls.
        #[test]
        fn no_corner_is_lost(heights in prop::collection::vec(0_i64..4, 2..60)) {
            let mut path = String::new();
            trace(&mut path, heights.iter().enumerate().map(|(x, y)| (x as f64, *y as f64)));
            let corners = corners(&path);
            let height = |x: i64| {
                let next = corners.partition_point(|corner| corner.0 < x);
                let (after, before) = (corners[next], corners[next.saturating_sub(1)]);
                prop_assert!(after.0 == x || before.1 == after.1, "{path}");
                Ok(after.1)
            };
            for (x, y) in heights.iter().enumerate() {
                prop_assert_eq!(height(x as i64)?, *y, "{} in {}", x, &path);
            }
        }

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
                prop_assert!(corners(path).into_iter().all(|(x, y)| {
                    (0.0..=WIDTH).contains(&(x as f64)) && (0.0..=HEIGHT).contains(&(y as f64))
                }), "{path}");
            }
        }
    }
}
