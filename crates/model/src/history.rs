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
