//! What was measured, over time: samples as they were taken for a while, and what was made of them for good.
//!
//! Samples go in by [`Store::record_samples`](crate::Store::record_samples), which at once makes three tiers of them:
//! rows of a minute, of a *slot* (15 minutes, with the energies of it) and of a *part* of a day (six hours). All of
//! them are aligned to UTC. A question is answered from the coarsest tier that is fine enough for it, so that a year is
//! told as quickly as an hour.
//!
//! A row of a tier is always made of *all* samples of its stretch. Samples are removed by whole slots and long after
//! the last of them can come, on a disk that is almost full by whole days and earlier; a sample that comes for a slot whose
//! samples are gone all the same isn't taken.

mod count;
mod early;
mod extent;
mod read;
mod record;
mod rollup;
mod source;

pub use count::Rows;
pub use extent::{Extent, Extents};
pub use read::{Detail, MOST_POINTS, Subject};
pub use source::as_kept;

use model::{
    UtcMillis,
    history::{BatterySample, MinerSample},
};
use std::time::Duration;

/// Samples to keep, in any order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Samples {
    /// Of the battery.
    pub battery: Vec<BatterySample>,
    /// Of miners.
    pub miners: Vec<MinerSample>,
}

/// What belongs together, and what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRules {
    /// The longest time between two snapshots of the battery that still belong together, at most six hours: energy is
    /// integrated over no longer gap. Another rule counts for the slots that are touched from then on.
    pub battery_gap: Duration,
    /// The same for two readings of a miner.
    pub miner_gap: Duration,
    /// How long samples are kept as they were taken. A sample older than this isn't taken at all.
    pub keep_samples: Duration,
}

const MINUTE: i64 = 60_000;
const SLOT: i64 = 15 * MINUTE;
const PART: i64 = 6 * 60 * MINUTE;
const DAY: i64 = 24 * 60 * MINUTE;

/// The longest gap of a rule: what a sample can change reaches that far.
const LONGEST_GAP: i64 = PART;

/// The end of the times that are kept: from here on, years don't have four digits. They begin with 1970.
const END: UtcMillis = UtcMillis(253_402_300_800_000);

/// The beginning of the stretch of this length that an instant is in.
const fn floor(instant: i64, length: i64) -> i64 {
    instant - instant.rem_euclid(length)
}

/// A duration in milliseconds. Saturates.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
