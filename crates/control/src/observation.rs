//! What the law sees at one tick.

use crate::fleet::Share;
use model::{Intent, LocalTime, Means, MonoTime, TeraHash, UtcMillis, Watts};
use serde::{Deserialize, Serialize};

/// Everything the law may know.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Monotonic time. Every interval is measured on it.
    pub now: MonoTime,
    /// The site's civil time. Only the sunset rule reads it.
    pub local: LocalTime,
    /// The latest reading of the battery, the same one again as long as there is no newer. `None` before the first.
    pub battery: Option<BatteryObservation>,
    /// The miner as last read.
    pub miner: MinerObservation,
    /// The person's wishes.
    pub intent: Intent,
    /// Its part of what all miners together may draw, where there are several.
    #[serde(default)]
    pub share: Share,
}

/// A reading of the battery.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BatteryObservation {
    /// When the battery said it, on the source's clock: the reading's identity. An equal one is the same reading.
    pub source_time: UtcMillis,
    /// The same instant on our monotonic clock. It may be ahead of `now` if the clocks disagree.
    pub source_at: MonoTime,
    /// When we fetched it.
    pub fetched_at: MonoTime,
    /// State of charge as told, in percent, whatever it is.
    pub soc_percent: Option<f64>,
    /// The source says that the battery is offline.
    pub lost: bool,
    /// Solar production.
    pub pv: Option<Watts>,
    /// Consumption of the house.
    pub load: Option<Watts>,
    /// Battery power, positive = charging.
    pub power: Option<Watts>,
}

/// The miner as last read.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MinerObservation {
    /// It answers, and it is the miner it should be.
    pub reachable: bool,
    /// When it was last read.
    pub read_at: Option<MonoTime>,
    /// The mining service is switched on, by its own status.
    pub service_on: Option<bool>,
    /// Measured power.
    pub power: Option<Watts>,
    /// Measured hash rate.
    pub hash_rate: Option<TeraHash>,
    /// The power it is set to, by limit and percentage.
    pub power_set: Option<Watts>,
    /// Seconds since its mining process started.
    pub elapsed_seconds: Option<u64>,
    /// The powers it can hold.
    pub range: Option<PowerRange>,
    /// What became of the last command so far.
    pub feedback: Option<Feedback>,
}

/// The powers a miner can hold, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PowerRange {
    /// Less makes it unstable.
    pub min: Watts,
    /// More isn't allowed or possible.
    pub max: Watts,
}

/// What the miner's actor says about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// The command's [`sequence`](crate::LastCommand::sequence).
    pub sequence: u64,
    /// How far it got.
    pub outcome: Outcome,
    /// How it was carried out, once known.
    pub means: Option<Means>,
}

/// How far a command got on its way to the miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Waiting or being sent.
    UnderWay,
    /// The miner said yes.
    Acknowledged,
    /// It may or may not have arrived.
    Unknown,
    /// The miner refused, or it could not be delivered: it had no effect.
    Failed,
}
