//! What was measured, over time: samples as they are kept, and tracks as they are asked for.

use crate::{Celsius, MinerId, Soc, TeraHash, UtcMillis, Watts};
use serde::{Deserialize, Serialize};

/// One snapshot of the battery. Its instant is the *battery's own*: the same snapshot read twice is one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatterySample {
    /// When the battery said it.
    pub at: UtcMillis,
    /// State of charge, if it was possible at all and the source didn't call the battery lost.
    pub soc: Option<Soc>,
    /// Solar production.
    pub pv: Option<Watts>,
    /// Consumption of the house.
    pub load: Option<Watts>,
    /// Grid power, positive = import.
    pub grid: Option<Watts>,
    /// Battery power, positive = charging.
    pub battery: Option<Watts>,
}

/// One reading of a miner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinerSample {
    /// Which miner.
    pub miner: MinerId,
    /// When it was read.
    pub at: UtcMillis,
    /// Power drawn at the input.
    pub power: Option<Watts>,
    /// Power it is set to.
    pub power_set: Option<Watts>,
    /// Hash rate.
    pub hash_rate: Option<TeraHash>,
    /// Air at the inlet.
    pub ambient: Option<Celsius>,
    /// Hottest chip.
    pub chip_max: Option<Celsius>,
    /// Inlet fan, rpm.
    pub fan_in_rpm: Option<u32>,
    /// Outlet fan, rpm.
    pub fan_out_rpm: Option<u32>,
}

/// What was measured at one instant.
pub trait Sample {
    /// The instant.
    fn at(&self) -> UtcMillis;
    /// What was measured of a quantity, in its unit; `None` if that wasn't known or is no quantity of such a sample.
    fn value(&self, quantity: Quantity) -> Option<f64>;
}

impl Sample for BatterySample {
    fn at(&self) -> UtcMillis {
        self.at
    }

    fn value(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Soc => self.soc.map(f64::from),
            Quantity::Pv => self.pv.map(f64::from),
            Quantity::Load => self.load.map(f64::from),
            Quantity::Grid => self.grid.map(f64::from),
            Quantity::Battery => self.battery.map(f64::from),
            _ => None,
        }
    }
}

impl Sample for MinerSample {
    fn at(&self) -> UtcMillis {
        self.at
    }

    fn value(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Power => self.power.map(f64::from),
            Quantity::PowerSet => self.power_set.map(f64::from),
            Quantity::HashRate => self.hash_rate.map(f64::from),
            Quantity::Ambient => self.ambient.map(f64::from),
            Quantity::ChipMax => self.chip_max.map(f64::from),
            Quantity::FanIn => self.fan_in_rpm.map(f64::from),
            Quantity::FanOut => self.fan_out_rpm.map(f64::from),
            _ => None,
        }
    }
}

/// Something that is measured again and again. The unit belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The battery's state of charge, percent.
    Soc,
    /// Solar production, W.
    Pv,
    /// Consumption of the house, W.
    Load,
    /// Grid power, W, positive = import.
    Grid,
    /// Battery power, W, positive = charging.
    Battery,
    /// A miner's power, W.
    Power,
    /// The power a miner is set to, W.
    PowerSet,
    /// A miner's hash rate, TH/s.
    HashRate,
    /// Air at a miner's inlet, °C.
    Ambient,
    /// A miner's hottest chip, °C.
    ChipMax,
    /// A miner's inlet fan, rpm.
    FanIn,
    /// A miner's outlet fan, rpm.
    FanOut,
}

impl Quantity {
    /// What a [`BatterySample`] measures.
    pub const OF_BATTERY: [Self; 5] = [Self::Soc, Self::Pv, Self::Load, Self::Grid, Self::Battery];
    /// What a [`MinerSample`] measures.
    pub const OF_MINER: [Self; 7] = [
        Self::Power,
        Self::PowerSet,
        Self::HashRate,
        Self::Ambient,
        Self::ChipMax,
        Self::FanIn,
        Self::FanOut,
    ];
}

/// A stretch of time to be told in a limited number of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its beginning, included.
    pub from: UtcMillis,
    /// Its end, not included.
    pub to: UtcMillis,
    /// The most points a track may have.
    pub points: u32,
}

/// Series over the same instants. Instants at which nothing is known are left out: two neighbours that are further
/// apart than `gap_ms` don't belong to one line.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Track {
    /// Length of the buckets in milliseconds; `None` if every point is a sample as it was taken.
    pub step_ms: Option<i64>,
    /// The largest distance of two points that belong together, in milliseconds.
    pub gap_ms: i64,
    /// When: a bucket's beginning, or the sample's instant. Rises strictly.
    pub at: Vec<UtcMillis>,
    /// What, in the order it was asked for.
    pub series: Vec<Series>,
}

/// One quantity of a [`Track`]. Its values are as many as the track has instants; `None` where it wasn't known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Which.
    pub quantity: Quantity,
    /// The least value in each bucket.
    pub min: Vec<Option<f64>>,
    /// The mean of the samples in each bucket.
    pub mean: Vec<Option<f64>>,
    /// The greatest value in each bucket.
    pub max: Vec<Option<f64>>,
}

impl Track {
    /// The series of this quantity, if it was asked for.
    pub fn series(&self, quantity: Quantity) -> Option<&Series> {
        self.series.iter().find(|series| series.quantity == quantity)
    }

    /// Goes on with samples, in any order. What isn't newer than the track's last point is in it already, and a bucket
    /// that has begun stays as it was.
    pub fn go_on<S: Sample>(&mut self, mut samples: Vec<S>) {
        samples.sort_by_key(Sample::at);
        let told = self.at.last().copied();
        let point_of = |at: UtcMillis| match self.step_ms {
            Some(step) => UtcMillis(at.0 - at.0.rem_euclid(step.max(1))),
            None => at,
        };
        // How many samples the last point's means are made of, for each series.
        let mut counts = vec![0.0; self.series.len()];
        for sample in samples {
            let at = point_of(sample.at());
            if told.is_some_and(|told| at <= told) {
                continue;
            }
            if self.at.last().is_none_or(|last| *last < at) {
                self.at.push(at);
                counts.fill(0.0);
                for series in &mut self.series {
                    series.min.push(None);
                    series.mean.push(None);
                    series.max.push(None);
                }
            }
            for (series, count) in self.series.iter_mut().zip(&mut counts) {
                if let Some(value) = sample.value(series.quantity) {
                    *count += 1.0;
                    series.take(value, *count);
                }
            }
        }
    }
}

impl Series {
    /// Takes a value into the last point, as the `count`th one.
    fn take(&mut self, value: f64, count: f64) {
        let [Some(min), Some(mean), Some(max)] =
            [self.min.last_mut(), self.mean.last_mut(), self.max.last_mut()]
        else {
            return;
        };
        *min = Some(min.map_or(value, |min| min.min(value)));
        *mean = Some(mean.map_or(value, |mean| mean + (value - mean) / count));
        *max = Some(max.map_or(value, |max| max.max(value)));
    }
}

/// Energy over a stretch of time, in Wh. Each is integrated over readings that belong together: what happened in a gap
/// isn't known and counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryEnergy {
    /// Produced by the sun.
    pub pv_wh: f64,
    /// Consumed by the house.
    pub load_wh: f64,
    /// Taken from the grid.
    pub imported_wh: f64,
    /// Given to the grid.
    pub exported_wh: f64,
    /// Charged into the battery.
    pub charged_wh: f64,
    /// Discharged from the battery.
    pub discharged_wh: f64,
    /// How much of the time readings cover, in seconds.
    pub covered_s: f64,
}

/// A miner's energy over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MinerEnergy {
    /// Drawn, in Wh.
    pub drawn_wh: f64,
    /// How much of the time readings cover, in seconds.
    pub covered_s: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(at: i64, power: Option<f64>) -> MinerSample {
        MinerSample {
            miner: MinerId("m".to_owned()),
            at: UtcMillis(at),
            power: power.and_then(Watts::new),
            power_set: None,
            hash_rate: None,
            ambient: None,
            chip_max: None,
            fan_in_rpm: None,
            fan_out_rpm: None,
        }
    }

    /// A track of the power with one point, 500 W at 1000 ms.
    fn track(step_ms: Option<i64>) -> Track {
        let value = || vec![Some(500.0)];
        let series = Series { quantity: Quantity::Power, min: value(), mean: value(), max: value() };
        Track { step_ms, gap_ms: 60_000, at: vec![UtcMillis(1000)], series: vec![series] }
    }

    #[test]
    fn a_track_goes_on_after_its_last_point() {
        let mut track = track(None);
        track.go_on(vec![
            sample(1000, Some(9.0)),
            sample(3000, None),
            sample(2000, Some(600.0)),
            sample(0, Some(9.0)),
        ]);
        assert_eq!(track.at, [1000, 2000, 3000].map(UtcMillis));
        let power = track.series(Quantity::Power).unwrap();
        assert_eq!(power.mean, [Some(500.0), Some(600.0), None]);
        assert_eq!((&power.min, &power.max), (&power.mean, &power.mean));
    }

    #[test]
    fn a_bucket_that_has_begun_stays_as_it_was() {
        let mut track = track(Some(1000));
        track.go_on(vec![sample(1900, Some(9000.0)), sample(2000, Some(600.0)), sample(2999, Some(800.0))]);
        assert_eq!(track.at, [1000, 2000].map(UtcMillis));
        let power = track.series(Quantity::Power).unwrap();
        assert_eq!(power.min, [Some(500.0), Some(600.0)]);
        assert_eq!(power.mean, [Some(500.0), Some(700.0)]);
        assert_eq!(power.max, [Some(500.0), Some(800.0)]);
    }

    proptest! {
        /// Whatever comes, in any order: instants rise, every series is as long as they are, and a mean lies between
        /// its extremes.
        #[test]
        fn a_track_stays_one(
            step in prop::option::of(1_i64..5000),
            samples in prop::collection::vec((0_i64..20_000, prop::option::of(0.0..4000.0_f64)), 0..60),
        ) {
            let mut track = track(step);
            track.go_on(samples.into_iter().map(|(at, power)| sample(at, power)).collect());
            prop_assert!(track.at.is_sorted_by(|one, next| one < next));
            let Series { min, mean, max, .. } = &track.series[0];
            prop_assert!([min, mean, max].iter().all(|values| values.len() == track.at.len()));
            for ((min, mean), max) in min.iter().zip(mean).zip(max) {
                match (min, mean, max) {
                    (Some(min), Some(mean), Some(max)) => {
                        prop_assert!(*min <= mean + 1e-9 && mean - 1e-9 <= *max, "{min} {mean} {max}");
                    }
                    values => prop_assert_eq!(values, (&None, &None, &None)),
                }
            }
        }
    }
}
