//! What is made of samples: a row for each stretch of time. Plain computing; the database isn't known here.

use super::{
    SLOT, floor,
    source::{Counts, Kind, Row},
};
use std::collections::{BTreeMap, BTreeSet};

/// A row of a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rollup {
    pub(super) samples: i64,
    /// In the order of the kind's quantities.
    pub(super) figures: Vec<Figure>,
    /// Of a slot alone; empty in other tiers.
    pub(super) energy: Vec<i64>,
}

/// One quantity in a row of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figure {
    /// The samples in which it wasn't known.
    pub(super) unknown: i64,
    /// Of the others; `None` if there are none.
    pub(super) known: Option<Known>,
}

/// In the column's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) min: i64,
    /// Rounded.
    pub(super) mean: i64,
    pub(super) max: i64,
}

impl Rollup {
    pub(super) fn of_samples<'a>(kind: &Kind, rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut tallies = vec![Tally::default(); kind.quantities.len()];
        let mut samples = 0;
        for row in rows {
            samples += 1;
            for (tally, value) in tallies.iter_mut().zip(&row.values) {
                tally.add(value.map(|value| Known { min: value, mean: value, max: value }), 1);
            }
        }
        Self::new(samples, &tallies)
    }

    pub(super) fn of_rollups<'a>(kind: &Kind, rollups: impl Iterator<Item = &'a Self>) -> Self {
        let mut tallies = vec![Tally::default(); kind.quantities.len()];
        let mut samples = 0;
        for rollup in rollups {
            samples += rollup.samples;
            for (tally, figure) in tallies.iter_mut().zip(&rollup.figures) {
                tally.add(figure.known, rollup.samples - figure.unknown);
            }
        }
        Self::new(samples, &tallies)
    }

    fn new(samples: i64, tallies: &[Tally]) -> Self {
        let figures = tallies.iter().map(|tally| tally.figure(samples)).collect();
        Self { samples, figures, energy: Vec::new() }
    }

    /// Whether it says no more than a row that isn't there.
    pub(super) fn is_empty(&self) -> bool {
        self.samples == 0 && self.energy.iter().all(|energy| *energy == 0)
    }
}

#[derive(Debug, Clone, Default)]
struct Tally {
    samples: i64,
    sum: f64,
    range: Option<(i64, i64)>,
}

impl Tally {
    /// Takes up what `samples` samples say together.
    fn add(&mut self, known: Option<Known>, samples: i64) {
        let Some(known) = known else { return };
        self.samples += samples;
        self.sum += known.mean as f64 * samples as f64;
        let (min, max) = self.range.unwrap_or((known.min, known.max));
        self.range = Some((min.min(known.min), max.max(known.max)));
    }

    fn figure(&self, of: i64) -> Figure {
        let mean = || (self.sum / self.samples as f64).round() as i64;
        Figure {
            unknown: of - self.samples,
            known: self.range.map(|(min, max)| Known { min, mean: mean(), max }),
        }
    }
}

/// The energies of these slots: each meter's in mWh, and last the covered time in milliseconds.
///
/// Between two neighbouring samples that both know a power and that aren't further apart than `gap` milliseconds, the
/// power is taken to go straight from one to the other; a slot gets what lies within it. What counts as covered is time
/// in which at least one meter ran.
pub(super) fn energies<'a>(
    kind: &Kind,
    rows: impl Iterator<Item = &'a Row> + Clone,
    slots: &BTreeSet<i64>,
    gap: i64,
) -> BTreeMap<i64, Vec<i64>> {
    let mut sums: BTreeMap<i64, (Vec<f64>, i64)> =
        slots.iter().map(|slot| (*slot, (vec![0.0; kind.meters.len()], 0))).collect();
    let columns: Vec<_> = kind
        .meters
        .iter()
        .map(|meter| (kind.quantities.iter().position(|quantity| *quantity == meter.power), meter.counts))
        .collect();
    for (left, right) in rows.clone().zip(rows.skip(1)) {
        if right.at - left.at > gap {
            continue;
        }
        let lines: Vec<_> = columns
            .iter()
            .map(|(column, counts)| Some((Line::new(left, right, (*column)?)?, *counts)))
            .collect();
        if lines.iter().all(Option::is_none) {
            continue;
        }
        for (slot, (meters, covered)) in sums.range_mut(floor(left.at, SLOT)..right.at) {
            let (from, to) = (left.at.max(*slot), right.at.min(slot + SLOT));
            for (sum, line) in meters.iter_mut().zip(&lines) {
                *sum += line.as_ref().map_or(0.0, |(line, counts)| line.integral(*counts, from, to));
            }
            *covered += (to - from).max(0);
        }
    }
    let rounded = |(meters, covered): (Vec<f64>, i64)| {
        // A watt over a millisecond is 1/3600 mWh.
        meters.into_iter().map(|sum| (sum / 3600.0).round() as i64).chain([covered]).collect()
    };
    sums.into_iter().map(|(slot, sums)| (slot, rounded(sums))).collect()
}

/// A power that goes straight from one reading to the next.
struct Line {
    begin: i64,
    power: f64,
    /// W/ms.
    slope: f64,
}

impl Line {
    /// `None` if this column is unknown at either end.
    fn new(left: &Row, right: &Row, column: usize) -> Option<Self> {
        let power = |row: &Row| Some((*row.values.get(column)?)? as f64);
        let (begin, end) = (power(left)?, power(right)?);
        Some(Self { begin: left.at, power: begin, slope: (end - begin) / (right.at - left.at) as f64 })
    }

    fn at(&self, instant: i64) -> f64 {
        self.power + self.slope * (instant - self.begin) as f64
    }

    /// W·ms from `from` to `to`.
    fn integral(&self, counts: Counts, from: i64, to: i64) -> f64 {
        let (begin, end, length) = (self.at(from), self.at(to), (to - from) as f64);
        match counts {
            Counts::All => f64::midpoint(begin, end) * length,
            Counts::Positive => above_zero(begin, end) * length,
            Counts::Negative => above_zero(-begin, -end) * length,
        }
    }
}

/// The mean of what is above zero of a line from `begin` to `end`.
fn above_zero(begin: f64, end: f64) -> f64 {
    let (low, high) = if begin < end { (begin, end) } else { (end, begin) };
    if low >= 0.0 {
        f64::midpoint(low, high)
    } else if high <= 0.0 {
        0.0
    } else {
        // A triangle: the share of the time in which the line is above zero, times its mean there.
        high / (high - low) * high / 2.0
    }
}
