//! The numbers of the law, checked against each other.

use model::Watts;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The settings of the law for one miner.
///
/// [`step`](crate::step) keeps its promises for any policy, even one that [`Policy::check`] refuses: what would
/// break a safety rule is read as the safe bound instead (see [`Policy::emergency_soc`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// 100 % of the ladder, in watts at the miner's input.
    pub base_watts: Watts,
    /// At or under this state of charge (%) the miner is off. 30 ..= 80.
    pub emergency_soc: f64,
    /// At this state of charge (%) the battery is full. 95 ..= 100.
    pub full_soc: f64,
    /// The sunset start needs more than this (%).
    pub sunset_soc: f64,
    /// With this state of charge (%) a stopped miner starts again after [`Policy::min_off`]; never, if `None`.
    pub resume_soc: Option<f64>,
    /// The shortest time off before `resume_soc` may start it.
    pub min_off: Duration,
    /// No good sample for this long: a warning, and nothing is started or raised.
    pub warn_after: Duration,
    /// No good sample for this long: off.
    pub stale_off: Duration,
    /// Whether stale data also stops a miner that isn't under auto-control.
    pub stale_off_without_auto: bool,
    /// The shortest time between two ordinary commands.
    pub min_interval: Duration,
    /// How long a miner is assumed to need after a command until its own time was measured.
    pub settle: Duration,
    /// Off must be seen within this time, or it is sent again.
    pub off_verify: Duration,
    /// Ordinary commands in 24 hours.
    pub command_budget: u32,
    /// Sunset in seconds after local midnight, where the sun isn't computed from coordinates.
    pub sunset: u32,
    /// Sunrise likewise.
    pub sunrise: u32,
}

impl Default for Policy {
    /// The law's own defaults, for a battery behind a portal that uploads every 2 to 5 minutes.
    fn default() -> Self {
        Self {
            base_watts: Watts::whole(3600),
            emergency_soc: 30.0,
            full_soc: 100.0,
            sunset_soc: 60.0,
            resume_soc: None,
            min_off: Duration::from_secs(1800),
            warn_after: Duration::from_secs(360),
            stale_off: Duration::from_secs(720),
            stale_off_without_auto: false,
            min_interval: Duration::from_secs(120),
            settle: Duration::from_secs(300),
            off_verify: Duration::from_secs(180),
            command_budget: 48,
            sunset: 19 * 3600,
            sunrise: 7 * 3600,
        }
    }
}

/// A setting that can't be, with what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The setting's name in the configuration ("emergency_soc").
    pub key: &'static str,
    /// What was expected, in plain words.
    pub expected: String,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} must be {}", self.key, self.expected)
    }
}

impl std::error::Error for PolicyError {}

/// How far above the emergency threshold the sample after an emergency still confirms it, in points.
pub const EMERGENCY_MARGIN: f64 = 5.0;
/// A rise faster than this, in points a minute, needs a second sample.
pub const JUMP_POINTS_PER_MINUTE: f64 = 15.0;
/// How near the second sample must be, in points.
pub const JUMP_CONFIRM_POINTS: f64 = 2.0;
/// How far ahead of ours a source's clock may be.
pub const SOURCE_AHEAD: Duration = Duration::from_secs(120);
/// Full arms again this far under `full_soc`, in points.
pub const FULL_REARM_POINTS: f64 = 2.0;
/// Under this share of `base_watts` a miner draws nothing that matters: off.
pub const OFF_SHARE: f64 = 0.05;
/// The same in W, for miners so small that their control board alone is more than that share.
pub const OFF_WATTS: f64 = 6.0;
/// An off that couldn't be delivered is tried again after this.
pub const OFF_RETRY: Duration = Duration::from_secs(10);
/// This many failed commands in a row and nothing upward is sent.
pub const FAILURES_UNTIL_DEGRADED: u8 = 3;
/// This many changes that nobody here ordered within [`CONTESTED_WINDOW`], and the miner is contested: nothing upward is
/// sent until as long passed without one.
pub const CONTESTED_CHANGES: usize = 3;
/// See [`CONTESTED_CHANGES`].
pub const CONTESTED_WINDOW: Duration = Duration::from_secs(3600);
/// This many restarts by itself within [`CRASH_LOOP_WINDOW`] are a crash loop.
pub const CRASH_LOOP_RESTARTS: usize = 3;
/// See [`CRASH_LOOP_RESTARTS`].
pub const CRASH_LOOP_WINDOW: Duration = Duration::from_secs(900);

impl Policy {
    /// Checks the numbers, each by itself and against each other, and names the first that can't be.
    pub fn check(&self) -> Result<(), PolicyError> {
        let fail = |key, expected: &str| Err(PolicyError { key, expected: expected.to_owned() });
        if !(1.0..=100_000.0).contains(&self.base_watts.get()) {
            return fail("base_watts", "1 to 100000 W");
        }
        if !(30.0..=80.0).contains(&self.emergency_soc) {
            return fail("emergency_soc", "30 to 80 %: the ladder has no step for less");
        }
        if !(95.0..=100.0).contains(&self.full_soc) {
            return fail("full_soc", "95 to 100 %");
        }
        let after_emergency = self.sunset_soc > self.emergency_soc + EMERGENCY_MARGIN;
        if !(self.sunset_soc >= 60.0 && after_emergency && self.sunset_soc <= self.full_soc) {
            return fail("sunset_soc", "at least 60 %, more than emergency_soc + 5 and at most full_soc");
        }
        if self.resume_soc.is_some_and(|soc| {
            !(soc >= 50.0 && soc <= self.full_soc && soc > self.emergency_soc + EMERGENCY_MARGIN)
        }) {
            return fail("resume_soc", "at least 50 %, more than emergency_soc + 5 and at most full_soc");
        }
        if self.warn_after < Duration::from_secs(10) || self.warn_after >= self.stale_off {
            return fail("warn_after_sec", "at least 10 s and less than stale_off_sec");
        }
        if self.stale_off > Duration::from_secs(3600) {
            return fail("stale_off_sec", "at most 3600 s");
        }
        if !(30..=86_400).contains(&self.min_interval.as_secs()) {
            return fail("min_interval_sec", "30 to 86400 s");
        }
        if self.command_budget == 0 {
            return fail("max_commands_per_day", "at least 1");
        }
        if self.sunset >= 86_400 || self.sunrise >= 86_400 {
            return fail("sunset_hour", "a time of day");
        }
        Ok(())
    }

    /// The emergency threshold as the law uses it: what isn't within 30 ..= 100 is read as 30, so that no setting
    /// can switch rule 1 off.
    pub fn emergency_soc(&self) -> f64 {
        if (30.0..=100.0).contains(&self.emergency_soc) { self.emergency_soc } else { 30.0 }
    }

    /// The full threshold as the law uses it: what isn't within 95 ..= 100 is read as 100.
    pub fn full_soc(&self) -> f64 {
        if (95.0..=100.0).contains(&self.full_soc) { self.full_soc } else { 100.0 }
    }

    /// The age at which data is stale, at most an hour whatever the setting says.
    pub fn stale_off(&self) -> Duration {
        self.stale_off.min(Duration::from_secs(3600))
    }
}
