//! What a person should know about, each thing once.

use crate::{MinerId, UtcMillis};
use serde::{Deserialize, Serialize};

/// How much an alert matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Something doesn't work as it should; nothing is in danger.
    Warning,
    /// The miner or the battery needs a person.
    Alarm,
}

/// What an alert is about. Two alerts with the same code and the same miner are the same alert, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertCode {
    /// The battery data is older than `warn_after_sec`.
    BatteryDataOld,
    /// The battery data is older than `stale_off_sec`.
    BatteryDataStale,
    /// The battery source says that the battery or its uplink is offline.
    BatteryLost,
    /// A state of charge that can't be true was set aside.
    BatteryImplausible,
    /// The source's clock and ours disagree.
    ClocksDisagree,
    /// The battery source can't be reached or doesn't answer properly.
    BatterySource,
    /// The battery source refuses the user name or password.
    BatterySignIn,
    /// Inverters disagree about the state of charge.
    InvertersDisagree,
    /// The battery wasn't full for two weeks.
    BatteryNotFull,
    /// The state of charge fell to the emergency threshold.
    Emergency,
    /// The miner can't be reached.
    MinerUnreachable,
    /// The miner's replies can't be understood.
    MinerProtocol,
    /// The miner refuses the password.
    MinerPassword,
    /// The miner's API write access is off.
    MinerWritesDisabled,
    /// The miner hands out no more sessions for now.
    MinerTokens,
    /// The miner refused a command.
    MinerRefused,
    /// Another device answers at the miner's address.
    WrongDevice,
    /// Off was commanded and the miner still draws power.
    OffNotVerified,
    /// A command was accepted and had no effect.
    NoEffect,
    /// Three commands in a row failed: nothing upward is sent.
    Degraded,
    /// It restarts by itself again and again.
    CrashLoop,
    /// It was switched or set by someone else.
    ChangedElsewhere,
    /// It was changed three times within an hour by others: nothing upward is sent.
    Contested,
    /// It draws more than it was told to.
    DrawsTooMuch,
    /// It runs and no longer tells what it draws.
    PowerUntold,
    /// The day's command budget is spent.
    BudgetSpent,
    /// The database doesn't take writes. Control goes on.
    Database,
    /// No backup could be made, or one couldn't be restored.
    Backup,
    /// Little room is left on the disk.
    DiskLow,
    /// A part of the program stopped and was started again.
    TaskRestarted,
    /// A decision broke a rule that must hold: a bug.
    InvariantBroken,
    /// The configuration deserves a look.
    Configuration,
}

/// A channel by which alerts should reach people, and don't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// What people call it: "ntfy".
    pub channel: String,
    /// Since when.
    pub since: UtcMillis,
    /// Why, in plain words.
    pub why: String,
}

/// Something a person should know about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is about.
    pub code: AlertCode,
    /// Which miner, where it is about one.
    pub miner: Option<MinerId>,
    /// How much it matters.
    pub severity: Severity,
    /// Plain words: what is wrong, and what to do about it.
    pub text: String,
    /// When it began.
    pub since: UtcMillis,
    /// When it was last seen.
    pub last: UtcMillis,
    /// How often it was seen.
    pub count: u32,
    /// It holds now; `false` once it is over and only waits to be read.
    pub active: bool,
    /// It holds, and a person said that they know. It is news again when it begins anew.
    pub seen: bool,
}
