//! The history as anybody would work it out with all samples on the table: slow, and plainly right.

use crate::SLOT;
use model::{
    history::{BatteryEnergy, BatterySample, MinerSample, Quantity, Window},
    {UtcMillis, Watts},
};
use std::collections::BTreeMap;

/// What energies are added up in, in milliseconds. Samples and slots begin at multiples of it.
const STEP: i64 = 50;

/// Every sample that was taken, with its values rounded as they are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByHand {
    samples: BTreeMap<i64, BTreeMap<Quantity, f64>>,
}

/// When, and what was known then.
type Known<'a> = (i64, &'a BTreeMap<Quantity, f64>);

/// The least, the mean and the greatest.
type Three = (f64, f64, f64);

impl ByHand {
    pub(crate) fn take_battery(&mut self, sample: &BatterySample) {
        let values = [
            (Quantity::Soc, sample.soc.map(|soc| tenths(soc.get()))),
            (Quantity::Pv, sample.pv.map(whole)),
            (Quantity::Load, sample.load.map(whole)),
            (Quantity::Grid, sample.grid.map(whole)),
            (Quantity::Battery, sample.battery.map(whole)),
        ];
        self.take(sample.at, values);
    }

    pub(crate) fn take_miner(&mut self, sample: &MinerSample) {
        let values = [
            (Quantity::Power, sample.power.map(whole)),
            (Quantity::PowerSet, sample.power_set.map(whole)),
            (Quantity::HashRate, sample.hash_rate.map(|rate| (rate.get() * 1000.0).round() / 1000.0)),
            (Quantity::Ambient, sample.ambient.map(|celsius| tenths(celsius.get()))),
            (Quantity::ChipMax, sample.chip_max.map(|celsius| tenths(celsius.get()))),
            (Quantity::FanIn, sample.fan_in_rpm.map(f64::from)),
            (Quantity::FanOut, sample.fan_out_rpm.map(f64::from)),
        ];
        self.take(sample.at, values);
    }

    /// The first sample of an instant stays.
    fn take(&mut self, at: UtcMillis, values: impl IntoIterator<Item = (Quantity, Option<f64>)>) {
        let known = values.into_iter().filter_map(|(quantity, value)| Some((quantity, value?)));
        self.samples.entry(at.0).or_insert_with(|| known.collect());
    }

    pub(crate) fn len(&self, window: Window) -> usize {
        self.samples.range(window.from.0..window.to.0).count()
    }

    /// The buckets of this length: of the samples whose stretch of `grain` milliseconds reaches into the window.
    pub(crate) fn buckets(
        &self,
        window: Window,
        step: i64,
        grain: i64,
        quantity: Quantity,
    ) -> BTreeMap<i64, Option<Three>> {
        let mut buckets: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (at, values) in &self.samples {
            let begin = at - at.rem_euclid(grain);
            if begin + grain > window.from.0 && begin < window.to.0 {
                let bucket = buckets.entry(at - at.rem_euclid(step)).or_default();
                bucket.extend(values.get(&quantity));
            }
        }
        buckets.into_iter().map(|(begin, values)| (begin, three(&values))).collect()
    }

    /// The battery's energies in the slots that begin within, added up in small steps.
    pub(crate) fn battery_energy(&self, from: i64, to: i64, longest_gap: i64) -> BatteryEnergy {
        let wh = |quantity, count: fn(f64) -> f64| self.wh(quantity, count, from, to, longest_gap);
        let powers = [Quantity::Pv, Quantity::Load, Quantity::Grid, Quantity::Battery];
        BatteryEnergy {
            pv_wh: wh(Quantity::Pv, |power| power),
            load_wh: wh(Quantity::Load, |power| power),
            imported_wh: wh(Quantity::Grid, |power| power.max(0.0)),
            exported_wh: wh(Quantity::Grid, |power| (-power).max(0.0)),
            charged_wh: wh(Quantity::Battery, |power| power.max(0.0)),
            discharged_wh: wh(Quantity::Battery, |power| (-power).max(0.0)),
            covered_s: self.covered(&powers, from, to, longest_gap),
        }
    }

    pub(crate) fn wh(
        &self,
        quantity: Quantity,
        count: fn(f64) -> f64,
        from: i64,
        to: i64,
        longest_gap: i64,
    ) -> f64 {
        let mut joules = 0.0;
        for ((left, before), (right, after)) in self.neighbours(longest_gap) {
            let (Some(before), Some(after)) = (before.get(&quantity), after.get(&quantity)) else { continue };
            for begin in (left..right).step_by(STEP as usize) {
                let length = (right - begin).min(STEP);
                let share = (begin - left) as f64 + length as f64 / 2.0;
                if counts(begin, from, to) {
                    joules += count(before + (after - before) * share / (right - left) as f64)
                        * length as f64
                        / 1000.0;
                }
            }
        }
        joules / 3600.0
    }

    /// Seconds in which at least one of the quantities is known at both ends.
    pub(crate) fn covered(&self, quantities: &[Quantity], from: i64, to: i64, longest_gap: i64) -> f64 {
        let mut millis = 0;
        for ((left, before), (right, after)) in self.neighbours(longest_gap) {
            if quantities.iter().any(|quantity| before.contains_key(quantity) && after.contains_key(quantity))
            {
                for begin in (left..right).step_by(STEP as usize) {
                    let length = (right - begin).min(STEP);
                    millis += if counts(begin, from, to) { length } else { 0 };
                }
            }
        }
        millis as f64 / 1000.0
    }

    fn neighbours(&self, longest_gap: i64) -> impl Iterator<Item = (Known<'_>, Known<'_>)> {
        let samples = || self.samples.iter().map(|(at, values)| (*at, values));
        samples().zip(samples().skip(1)).filter(move |(left, right)| right.0 - left.0 <= longest_gap)
    }
}

/// Whether the slot that this instant is in begins within.
fn counts(at: i64, from: i64, to: i64) -> bool {
    (from..to).contains(&(at - at.rem_euclid(SLOT)))
}

fn three(values: &[f64]) -> Option<Three> {
    let min = values.iter().copied().reduce(f64::min)?;
    let max = values.iter().copied().reduce(f64::max)?;
    Some((min, values.iter().sum::<f64>() / values.len() as f64, max))
}

fn whole(power: Watts) -> f64 {
    power.get().round()
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
