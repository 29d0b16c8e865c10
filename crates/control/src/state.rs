//! The law's memory. It is kept after every change and before any command is sent.

use crate::{
    battery::BatteryMemory,
    policy::{CONTESTED_CHANGES, CONTESTED_WINDOW, CRASH_LOOP_RESTARTS, FAILURES_UNTIL_DEGRADED, Policy},
};
use model::{CivilDay, Command, Intent, Means, MonoTime, PowerPercent, Reason, Rule, Watts};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Everything the law remembers about one miner and the battery it lives on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// When the law was last asked.
    pub last_step: Option<MonoTime>,
    /// Since when it has been asked without a long break: the stale rule counts from here while there is no sample.
    pub watching_since: MonoTime,
    /// What it knows of the battery.
    pub battery: BatteryMemory,

    /// The highest power now allowed. Earlier users call it the latched floor.
    pub ceiling: PowerPercent,
    /// The emergency latch: set by a confirmed emergency, cleared by a full battery or the sunset start.
    pub emergency_latched: bool,
    /// An emergency reading stopped the miner and the next good sample decides what it was.
    pub emergency_unconfirmed: bool,
    /// The next full battery acts.
    pub full_armed: bool,
    /// The evening of the last sunset start.
    pub last_sunset_start: Option<CivilDay>,

    /// What the miner is meant to be doing.
    pub stance: Stance,
    /// The power it was last told, or was found, to hold.
    pub holding: Option<Watts>,
    /// The last command.
    pub last: Option<LastCommand>,
    /// The last start or change of power, which the interval counts from.
    pub last_ordinary: Option<Ordinary>,
    /// When the ordinary commands of the last 24 hours were sent, oldest first.
    pub ordinary_sent: Vec<MonoTime>,
    /// Commands that failed in a row.
    pub failures: u8,
    /// How long this miner was measured to need after a restart of its mining process.
    pub settle_restart: Option<Duration>,
    /// How long it was measured to need after a change of percentage.
    pub settle_percent: Option<Duration>,
    /// Number of the next command.
    pub next_sequence: u64,
    /// The person's power-on request that was last honoured or dropped.
    pub honoured_request: u64,
    /// Its own restarts, for the crash-loop rule.
    pub restarts: Restarts,
    /// It has told what it draws.
    #[serde(default)]
    pub tells_power: bool,
    /// What others changed about it.
    #[serde(default)]
    pub contest: Contest,
    /// Readings in a row, and the last one's time, that show something unexpected.
    pub surprises: Surprises,
    /// The person's wishes as last seen.
    pub intent: Intent,
}

/// What the miner is meant to be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// Nothing is known about it yet.
    Unmet,
    /// Running.
    Running,
    /// A start was granted or sent, and isn't seen yet.
    Starting {
        /// Why it may start.
        because: Reason,
    },
    /// Stopped, and why.
    Stopped {
        /// What stopped it.
        by: StopReason,
        /// Since when.
        since: MonoTime,
    },
}

/// What stopped a miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Rule 1.
    Emergency,
    /// Rule 2.
    Stale,
    /// Rule 3.
    Person,
    /// It was found off at a first start.
    FoundOff,
    /// Someone else switched it off.
    Elsewhere,
    /// It restarted by itself again and again.
    CrashLoop,
    /// The power allowed is less than it can hold.
    BelowRange,
    /// The power allowed goes to other miners.
    NoShare,
}

/// A command that was handed over, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LastCommand {
    /// Its number, rising by one.
    pub sequence: u64,
    /// What was commanded.
    pub command: Command,
    /// By which rule.
    pub rule: Rule,
    /// Why.
    pub reason: Reason,
    /// When it was handed over.
    pub sent_at: MonoTime,
    /// How far it has come.
    pub stage: Stage,
    /// How it was carried out, once known.
    pub means: Option<Means>,
    /// An off that repeats one that failed: the alarm stays until one is seen to work.
    pub again: bool,
    /// What the miner held before, by what it was told or tells, else what it drew: to fall back to if it fails.
    pub held_before: Option<Watts>,
    /// The miner reached its new power and its settle time was measured.
    pub settled: bool,
}

/// How far a command has come, as the law sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// On its way.
    UnderWay,
    /// The program lost sight of it (it was restarted): it may or may not have been sent.
    Lost,
    /// No answer came: it may or may not have had an effect.
    Unknown,
    /// The miner said yes.
    Acknowledged,
    /// Its effect was seen.
    Observed,
    /// Refused, not deliverable, or without effect in its time.
    Failed,
}

impl Stage {
    /// The command's fate is still open.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::UnderWay | Self::Lost | Self::Unknown | Self::Acknowledged)
    }
}

/// A start or a change of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordinary {
    /// When it was sent.
    pub sent_at: MonoTime,
    /// How it was carried out; `None` counts as a restart of the mining process.
    pub means: Option<Means>,
}

/// The miner's own restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restarts {
    /// Seconds since its mining process started, at the last reading that told them.
    pub last_elapsed: Option<u64>,
    /// When the last restarts that nobody ordered were seen, oldest first.
    pub seen: [Option<MonoTime>; CRASH_LOOP_RESTARTS],
}

/// Unexpected readings in a row. One alone can be a glitch; the same reading looked at again is still one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Surprises {
    /// The reading that was last judged.
    pub judged: Option<MonoTime>,
    /// It is off and should run.
    pub off: u8,
    /// It draws more than it was told to.
    pub drawing: u8,
    /// It was off at the last reading that told.
    #[serde(default)]
    pub was_off: bool,
    /// Since when it runs and doesn't tell what it draws, although it used to.
    pub power_untold_since: Option<MonoTime>,
}

/// Changes of the miner that nobody here ordered. Who makes them again and again commands it as well, and isn't
/// fought upward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contest {
    /// When the last of them were seen, oldest first.
    pub seen: [Option<MonoTime>; CONTESTED_CHANGES],
    /// Nothing upward is sent until then.
    pub until: Option<MonoTime>,
}

impl Contest {
    pub(crate) fn note(&mut self, now: MonoTime) {
        self.seen.rotate_left(1);
        if let Some(newest) = self.seen.last_mut() {
            *newest = Some(now);
        }
        let often = self.seen.iter().all(|seen| seen.is_some_and(|seen| now.since(seen) <= CONTESTED_WINDOW));
        if often || self.until.is_some_and(|until| now < until) {
            self.until = Some(now + CONTESTED_WINDOW);
        }
    }
}

impl State {
    /// A first start, with nothing recorded.
    pub fn new(now: MonoTime) -> Self {
        Self {
            last_step: None,
            watching_since: now,
            battery: BatteryMemory::default(),
            ceiling: PowerPercent::FULL,
            emergency_latched: false,
            emergency_unconfirmed: false,
            full_armed: true,
            last_sunset_start: None,
            stance: Stance::Unmet,
            holding: None,
            last: None,
            last_ordinary: None,
            ordinary_sent: Vec::new(),
            failures: 0,
            settle_restart: None,
            settle_percent: None,
            next_sequence: 1,
            honoured_request: 0,
            restarts: Restarts::default(),
            tells_power: false,
            contest: Contest::default(),
            surprises: Surprises::default(),
            intent: Intent::default(),
        }
    }

    /// Nothing upward is sent: three commands in a row failed.
    pub const fn degraded(&self) -> bool {
        self.failures >= FAILURES_UNTIL_DEGRADED
    }

    /// Until when nothing upward is sent, while others change the miner again and again.
    pub fn contested_until(&self, now: MonoTime) -> Option<MonoTime> {
        self.contest.until.filter(|until| now < *until)
    }

    /// How long the miner needs after a command carried out by `means`: as measured, else as assumed.
    pub fn settle_time(&self, policy: &Policy, means: Option<Means>) -> Duration {
        let measured = if means == Some(Means::Percent) { self.settle_percent } else { self.settle_restart };
        measured.unwrap_or(policy.settle)
    }

    /// What stopped it, while it is stopped.
    pub const fn stopped_by(&self) -> Option<StopReason> {
        match self.stance {
            Stance::Stopped { by, .. } => Some(by),
            _ => None,
        }
    }
}
