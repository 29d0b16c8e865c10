//! What was measured, as lines over time.

use super::Shown;
use serde::{Deserialize, Serialize};

/// What battery and miner told over a stretch of time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stretch {
    /// The battery.
    pub battery: Track,
    /// The miner.
    pub miner: Track,
}

/// Lines over the same instants. At instants that are left out nothing is known: two neighbours further apart than `gap`
/// don't belong to one line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Track {
    /// How much time a point stands for, in milliseconds; `None`, if each is a reading as it was taken.
    pub step: Option<i64>,
    /// The largest distance of two points that belong together, in milliseconds.
    pub gap: i64,
    /// The part that is told in more points than the rest.
    #[serde(skip)]
    pub finer: Option<Finer>,
    /// When, in milliseconds since 1970: the reading's instant, or the middle of what the point stands for. Rises.
    pub at: Vec<i64>,
    /// What.
    pub lines: Vec<Line>,
}

/// A part of a [`Track`] that is told in more points than the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finer {
    from: i64,
    to: i64,
    gap: i64,
}

/// One line of a [`Track`]; its values are as many as the track has instants, `None` where nothing was known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which.
    pub shown: Shown,
    /// The mean over what the point stands for.
    pub mean: Vec<Option<f32>>,
    /// The least and the greatest value in it; `None`, where each point is one reading.
    pub spread: Option<[Vec<Option<f32>>; 2]>,
}

/// The newest reading of battery and miner.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latest {
    /// The battery's, in the order of [`Shown::OF_BATTERY`].
    pub battery: Option<Point>,
    /// The miner's, in the order of [`Shown::OF_MINER`].
    pub miner: Option<Point>,
}

/// A reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What.
    pub values: Vec<Option<f32>>,
}

impl Stretch {
    /// How much time a point stands for, in milliseconds, where it stands for most; `None`, if each is a reading as it
    /// was taken.
    pub fn step(&self) -> Option<i64> {
        self.battery.step.max(self.miner.step)
    }

    /// Whether so many days are seen at once that a line is a thicket of ups and downs. Thin lines can be told apart
    /// there, and a browser that draws by software strokes a wide one some thirty times as long.
    pub fn is_thicket(&self) -> bool {
        self.step().is_some_and(|step| step >= 2 * 3_600_000)
    }

    /// The line of something that is shown, with its track.
    pub fn line(&self, shown: Shown) -> Option<(&Track, &Line)> {
        let of = |track: &'_ Track| track.lines.iter().position(|line| line.shown == shown);
        let tracks = [&self.battery, &self.miner];
        tracks.into_iter().find_map(|track| Some((track, track.lines.get(of(track)?)?)))
    }

    /// Goes on with a reading that is newer than everything in it. Whether everything between is known: else something
    /// was missed.
    pub fn go_on(&mut self, latest: &Latest) -> bool {
        let battery = latest.battery.as_ref().is_none_or(|point| self.battery.go_on(point));
        let miner = latest.miner.as_ref().is_none_or(|point| self.miner.go_on(point));
        battery && miner
    }

    /// Forgets what is older than an instant.
    pub fn forget_before(&mut self, at: i64) {
        self.battery.forget_before(at);
        self.miner.forget_before(at);
    }

    /// This stretch, with a part of it told in more points.
    #[must_use]
    pub fn with(&self, from: i64, to: i64, part: &Self) -> Self {
        Self {
            battery: self.battery.with(from, to, &part.battery),
            miner: self.miner.with(from, to, &part.miner),
        }
    }
}

impl Track {
    fn go_on(&mut self, point: &Point) -> bool {
        let last = self.at.last().copied();
        if last.is_some_and(|last| point.at <= last) {
            return true;
        }
        self.at.push(point.at);
        for (line, value) in self.lines.iter_mut().zip(&point.values) {
            line.mean.push(*value);
            for edge in line.spread.iter_mut().flatten() {
                edge.push(*value);
            }
        }
        // A point that stands for some time is told when that is over.
        last.is_none_or(|last| point.at - last <= self.gap + self.step.unwrap_or(0))
    }

    fn forget_before(&mut self, at: i64) {
        let old = self.at.partition_point(|instant| *instant < at);
        self.at.drain(..old);
        for line in &mut self.lines {
            line.mean.drain(..old);
            for edge in line.spread.iter_mut().flatten() {
                edge.drain(..old);
            }
        }
    }

    fn with(&self, from: i64, to: i64, part: &Self) -> Self {
        let before = self.at.partition_point(|at| *at < from);
        let after = self.at.partition_point(|at| *at <= to);
        let (first, last) =
            (part.at.partition_point(|at| *at < from), part.at.partition_point(|at| *at <= to));
        let join = |own: &[Option<f32>], finer: &[Option<f32>]| -> Vec<Option<f32>> {
            let piece = |values: &[Option<f32>], from, to| values.get(from..to).unwrap_or_default().to_vec();
            [piece(own, 0, before), piece(finer, first, last), piece(own, after, own.len())].concat()
        };
        let instants = |at: &[i64], from, to| at.get(from..to).unwrap_or_default().to_vec();
        let lines = self.lines.iter().zip(&part.lines).map(|(own, finer)| {
            let edge = |line: &Line, edge: usize| match &line.spread {
                Some(spread) => spread.get(edge).cloned().unwrap_or_default(),
                None => line.mean.clone(),
            };
            let has_spread = own.spread.is_some() || finer.spread.is_some();
            Line {
                shown: own.shown,
                mean: join(&own.mean, &finer.mean),
                spread: has_spread.then(|| [0, 1].map(|side| join(&edge(own, side), &edge(finer, side)))),
            }
        });
        Self {
            step: part.step,
            gap: self.gap,
            finer: Some(Finer { from, to, gap: part.gap }),
            at: [
                instants(&self.at, 0, before),
                instants(&part.at, first, last),
                instants(&self.at, after, self.at.len()),
            ]
            .concat(),
            lines: lines.collect(),
        }
    }

    /// A line as runs of points that belong together: a new one begins after every gap and every unknown value. A point
    /// is given by its index and its mean.
    pub fn runs(&self, line: &Line) -> Vec<Vec<(usize, f32)>> {
        let mut runs: Vec<Vec<(usize, f32)>> = Vec::new();
        let mut last: Option<i64> = None;
        for (index, (at, mean)) in self.at.iter().zip(&line.mean).enumerate() {
            let Some(mean) = *mean else {
                last = None;
                continue;
            };
            let goes_on = last.is_some_and(|last| at - last <= self.gap_between(last, *at));
            match runs.last_mut().filter(|_| goes_on) {
                Some(run) => run.push((index, mean)),
                None => runs.push(vec![(index, mean)]),
            }
            last = Some(*at);
        }
        runs
    }

    fn gap_between(&self, from: i64, to: i64) -> i64 {
        match self.finer {
            Some(finer) if finer.from <= from && to <= finer.to => finer.gap,
            _ => self.gap,
        }
    }

    /// The value of a line at an instant: that of the nearest point, if it is as near as points that belong together.
    pub fn value_at(&self, line: &Line, at: i64) -> Option<f32> {
        let after = self.at.partition_point(|instant| *instant < at);
        let near = |index: usize| Some((index, self.at.get(index)?.abs_diff(at)));
        let candidates = [after.checked_sub(1).and_then(near), near(after)];
        let (index, distance) = candidates.into_iter().flatten().min_by_key(|(_, distance)| *distance)?;
        let is_near = i64::try_from(distance).is_ok_and(|distance| distance <= self.gap_between(at, at));
        line.mean.get(index).copied().flatten().filter(|_| is_near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn track(at: &[i64], values: &[Option<f32>]) -> Track {
        let line = Line { shown: Shown::Miner, mean: values.to_vec(), spread: None };
        Track { step: None, gap: 20, finer: None, at: at.to_vec(), lines: vec![line] }
    }

    #[test]
    fn a_gap_breaks_a_line_and_so_does_an_unknown_value() {
        let some = Some(1.0);
        let track = track(&[0, 10, 50, 60, 70], &[some, some, some, None, some]);
        let runs = track.runs(&track.lines[0]);
        let indexes: Vec<Vec<usize>> =
            runs.iter().map(|run| run.iter().map(|(index, _)| *index).collect()).collect();
        assert_eq!(indexes, [vec![0, 1], vec![2], vec![4]]);
    }

    #[test]
    fn what_is_newer_goes_on_and_what_was_missed_is_noticed() {
        let mut track = track(&[0, 10], &[Some(1.0), Some(2.0)]);
        let point = |at, value| Point { at, values: vec![Some(value)] };
        assert!(track.go_on(&point(20, 3.0)));
        assert!(track.go_on(&point(20, 9.0)), "the same reading again is nothing new");
        assert!(!track.go_on(&point(41, 4.0)), "something lies between");
        assert_eq!(track.at, [0, 10, 20, 41]);
        assert_eq!(track.lines[0].mean, [Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
        track.forget_before(10);
        assert_eq!(track.at, [10, 20, 41]);
        assert_eq!(track.lines[0].mean, [Some(2.0), Some(3.0), Some(4.0)]);
    }

    #[test]
    fn a_value_is_known_near_its_points_only() {
        let track = track(&[0, 10, 100], &[Some(1.0), Some(2.0), None]);
        let value = |at| track.value_at(&track.lines[0], at);
        assert_eq!([value(-5), value(4), value(6), value(30)], [Some(1.0), Some(1.0), Some(2.0), Some(2.0)]);
        assert_eq!([value(31), value(100), value(500)], [None; 3]);
    }

    #[test]
    fn a_gap_that_only_the_finer_part_shows_is_one() {
        let some = Some(1.0);
        let coarse = track(&[0, 20, 40], &[some; 3]);
        let mut fine = track(&[12, 16, 30, 32], &[some; 4]);
        fine.gap = 5;
        let joined = coarse.with(10, 35, &fine);
        let runs = joined.runs(&joined.lines[0]);
        let lengths: Vec<usize> = runs.iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 3], "0 12 16 and 30 32 40");
    }

    proptest! {
        /// A part that is told anew is taken as it is, and what lies outside stays as it was.
        #[test]
        fn a_finer_part_replaces_what_it_covers(
            coarse in prop::collection::btree_set(0_i64..200, 0..40),
            fine in prop::collection::btree_set(0_i64..200, 0..80),
            from in 0_i64..200,
            length in 0_i64..200,
        ) {
            let to = from + length;
            let make = |at: &std::collections::BTreeSet<i64>, value: f32| {
                let at: Vec<i64> = at.iter().copied().collect();
                track(&at, &vec![Some(value); at.len()])
            };
            let joined = make(&coarse, 1.0).with(from, to, &make(&fine, 2.0));
            let inside = |at: &i64| (from..=to).contains(at);
            let expected: Vec<(i64, f32)> = coarse
                .iter()
                .filter(|at| !inside(at))
                .map(|at| (*at, 1.0))
                .chain(fine.iter().filter(|at| inside(at)).map(|at| (*at, 2.0)))
                .collect::<std::collections::BTreeMap<_, _>>()
                .into_iter()
                .collect();
            let told: Vec<(i64, f32)> =
                joined.at.iter().copied().zip(joined.lines[0].mean.iter().map(|value| value.unwrap())).collect();
            prop_assert_eq!(told, expected);
        }
    }
}
