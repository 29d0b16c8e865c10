//! What the running system says about itself: one value, published after every tick.

use crate::{
    Alert, BatteryReading, Blocked, Command, Explanation, Intent, MinerId, MinerIdentity, MinerReading,
    Operation, PowerPercent, Reason, Rule, Soc, SunTimes, UtcMillis, Wanted, Watts,
};
use serde::{Deserialize, Serialize};

/// Everything known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was made.
    pub at: UtcMillis,
    /// Number of the control loop's tick.
    pub tick: u64,
    /// Something other than our own clock agrees with it.
    pub clock_synced: bool,
    /// The battery and its source.
    pub battery: BatteryView,
    /// The miners that are controlled, in the configuration's order.
    pub miners: Vec<MinerView>,
    /// The miners that are only looked at, in the configuration's order.
    pub followed: Vec<FollowedView>,
    /// What a person should know, active ones first.
    pub alerts: Vec<Alert>,
    /// The database takes writes.
    pub database_ok: bool,
    /// How often a decision broke an invariant since the start, by the invariant's name. All zero, or it is a bug.
    pub invariants: Vec<InvariantCount>,
}

/// A device's connection.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Connection {
    /// The last attempt succeeded. A miner's was also not too long ago: nothing tells of an attempt that never ended.
    pub connected: bool,
    /// When the device last answered.
    pub last_seen: Option<UtcMillis>,
    /// What went wrong at the last attempt, in plain words.
    pub error: Option<String>,
    /// Since when the sign-in holds, for sources that have one.
    pub session_since: Option<UtcMillis>,
}

/// The battery and its source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryView {
    /// The source's connection.
    pub connection: Connection,
    /// The last reading, good or not.
    pub reading: Option<BatteryReading>,
    /// The last good state of charge, by the law's judgement.
    pub soc: Option<Soc>,
    /// Age of that, in seconds, counted from the battery's own time.
    pub age_seconds: Option<f64>,
    /// Seconds between two questions to the source, as they are really asked.
    pub poll_seconds: u32,
}

/// A miner that is only looked at: nothing is ever commanded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowedView {
    /// Its id.
    pub id: MinerId,
    /// The name a person gave it.
    pub name: String,
    /// Its address.
    pub host: String,
    /// The hardware address that it has to have, once it is known: it is recognised by that.
    pub mac: Option<String>,
    /// Its connection.
    pub connection: Connection,
    /// Who it is, once read.
    pub identity: Option<MinerIdentity>,
    /// The last reading. Old readings stay, with `connection.last_seen` telling how old.
    pub reading: Option<MinerReading>,
}

/// One miner that is controlled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinerView {
    /// Its id.
    pub id: MinerId,
    /// The name a person gave it.
    pub name: String,
    /// Its address.
    pub host: String,
    /// 100 %.
    pub base_watts: Watts,
    /// Whose turn it is where several share what the battery allows, 1 first.
    pub priority: u8,
    /// Its part of what all miners together may draw now; `None` where it is the only one.
    pub share: Option<Watts>,
    /// The hardware address that it has to have, once it is known: it is recognised by that.
    pub mac: Option<String>,
    /// Its connection.
    pub connection: Connection,
    /// Who it is, once read.
    pub identity: Option<MinerIdentity>,
    /// The last reading. Old readings stay, with `connection.last_seen` telling how old.
    pub reading: Option<MinerReading>,
    /// What it is doing, by all that is known.
    pub state: MinerState,
    /// The person's wishes.
    pub intent: Intent,
    /// Today's sun, where the site's coordinates are known.
    pub sun: Option<SunTimes>,
    /// When the manual power ends, as an instant.
    pub manual_until: Option<UtcMillis>,
    /// The last decision about it.
    pub decision: DecisionView,
    /// The law's memory, as far as a person wants to see it.
    pub latches: Latches,
    /// The last operations, newest first.
    pub operations: Vec<Operation>,
}

/// What a miner is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MinerState {
    /// Not known. Neither on nor off.
    #[default]
    Unknown,
    /// Off, and seen to be off.
    Off,
    /// Running, or on its way there.
    Running,
}

/// A decision, for people and scripts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionView {
    /// When it was made.
    pub at: UtcMillis,
    /// The rule that decided.
    pub rule: Rule,
    /// Why, for machines.
    pub reason: Reason,
    /// What the law wants.
    pub wanted: Wanted,
    /// What was commanded with it, if anything.
    pub command: Option<Command>,
    /// What stands in the way.
    pub blocked: Option<Blocked>,
    /// When that ends, as an instant.
    pub blocked_until: Option<UtcMillis>,
    /// Why, for people.
    pub explanation: Explanation,
}

/// The law's memory, as far as a person wants to see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latches {
    /// The highest power now allowed, in percent of `base_watts`.
    pub ceiling: PowerPercent,
    /// The emergency latch is set.
    pub emergency: bool,
    /// An emergency reading awaits the next good sample.
    pub emergency_unconfirmed: bool,
    /// The next full battery will act.
    pub full_armed: bool,
    /// Why it is stopped, while it is.
    pub stopped: Option<Reason>,
    /// Three commands in a row failed.
    pub degraded: bool,
    /// Commands of the last 24 hours, and how many may be sent.
    pub commands_today: u32,
    /// The day's budget of ordinary commands.
    pub command_budget: u32,
    /// Seconds the miner was measured to need after a command, once known.
    pub settle_seconds: Option<u32>,
}

/// One invariant's counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvariantCount {
    /// "I1".
    pub name: String,
    /// How often it was broken.
    pub violations: u64,
}
