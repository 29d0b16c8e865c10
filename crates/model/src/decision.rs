//! The words of a decision: what the law commands, by which rule, why, and what stands in the way.

use crate::{MonoTime, PowerPercent, Soc, Watts};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the law can ask of a miner. There is no power of zero: off is its own command.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// Stop mining.
    Off,
    /// Start mining, drawing no more than this.
    Start {
        /// Share of `base_watts`.
        percent: PowerPercent,
        /// The same in watts, inside the miner's range.
        watts: Watts,
    },
    /// Change the power of a running miner.
    SetPower {
        /// Share of `base_watts`.
        percent: PowerPercent,
        /// The same in watts, inside the miner's range.
        watts: Watts,
    },
}

impl Command {
    /// The share of `base_watts` this asks for; `None` for off.
    pub const fn percent(self) -> Option<PowerPercent> {
        match self {
            Self::Off => None,
            Self::Start { percent, .. } | Self::SetPower { percent, .. } => Some(percent),
        }
    }

    /// The power this asks for; `None` for off.
    pub const fn watts(self) -> Option<Watts> {
        match self {
            Self::Off => None,
            Self::Start { watts, .. } | Self::SetPower { watts, .. } => Some(watts),
        }
    }

    /// Off goes to the front of every queue and waits for no interval.
    pub const fn is_off(self) -> bool {
        matches!(self, Self::Off)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Start { percent, watts } => write!(f, "start at {percent} ({watts})"),
            Self::SetPower { percent, watts } => write!(f, "{percent} ({watts})"),
        }
    }
}

/// The rule of the control law that decided, highest priority first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 1: state of charge at or under the emergency threshold.
    Emergency,
    /// 2: battery data stale, impossible or not there yet.
    Stale,
    /// 3: the person switched it off.
    PersonOff,
    /// The miner restarts by itself again and again: stopped to protect it.
    Unstable,
    /// 4: the person set a power.
    Manual,
    /// 5: auto-control is off.
    AutoOff,
    /// 6: the battery is full.
    Full,
    /// 7: the one start a night.
    Sunset,
    /// 8: stopped, and what may start it.
    Stopped,
    /// 9: the ladder.
    Ladder,
}

impl Rule {
    /// All of them, highest priority first.
    pub const ALL: [Self; 10] = [
        Self::Emergency,
        Self::Stale,
        Self::PersonOff,
        Self::Unstable,
        Self::Manual,
        Self::AutoOff,
        Self::Full,
        Self::Sunset,
        Self::Stopped,
        Self::Ladder,
    ];
}

/// Why, for machines. The sentences for people are in [`Explanation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No good battery reading since the start: nothing is sent.
    WaitingForBattery,
    /// A fresh state of charge at or under the emergency threshold.
    EmergencySoc,
    /// An emergency reading stopped it; the next good sample decides whether it was a glitch.
    EmergencyUnconfirmed,
    /// No good battery sample for `stale_off_sec`.
    BatteryStale,
    /// Data came back; the second good sample is awaited.
    BatteryRecovering,
    /// The person switched it off.
    PersonOff,
    /// It restarted by itself too often at this power.
    CrashLoop,
    /// The person's manual power holds.
    ManualPower,
    /// Auto-control is off: nothing is changed.
    AutoControlOff,
    /// The battery is full: all power, ceiling and latch reset.
    BatteryFull,
    /// After sunset with charge to spare.
    SunsetStart,
    /// Stopped by the emergency latch.
    EmergencyLatched,
    /// Stopped since it was found off at a first start.
    FoundOff,
    /// Stopped since somebody or something else switched it off.
    SwitchedOffElsewhere,
    /// Switched on elsewhere while safety keeps it stopped.
    SwitchedOnElsewhere,
    /// The person's confirmed power-on.
    PersonStart,
    /// Charge is at `resume_soc` again and it was off long enough.
    ResumeSoc,
    /// Back after stale data or a glitch.
    Recovered,
    /// The state of charge fell to the next step.
    LadderDown,
    /// Up to the ceiling, after a full battery or a manual power.
    LadderUp,
    /// Running as the ladder says.
    LadderHold,
    /// It draws more than it was told to.
    DrawsTooMuch,
    /// The step the ladder wants is below what this miner can hold.
    BelowRange,
    /// The power that the ladder allows all miners together goes to the others.
    NoShare,
    /// The miner's state isn't known.
    MinerUnknown,
    /// Off was commanded and isn't verified yet.
    VerifyingOff,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::WaitingForBattery,
        Self::EmergencySoc,
        Self::EmergencyUnconfirmed,
        Self::BatteryStale,
        Self::BatteryRecovering,
        Self::PersonOff,
        Self::CrashLoop,
        Self::ManualPower,
        Self::AutoControlOff,
        Self::BatteryFull,
        Self::SunsetStart,
        Self::EmergencyLatched,
        Self::FoundOff,
        Self::SwitchedOffElsewhere,
        Self::SwitchedOnElsewhere,
        Self::PersonStart,
        Self::ResumeSoc,
        Self::Recovered,
        Self::LadderDown,
        Self::LadderUp,
        Self::LadderHold,
        Self::DrawsTooMuch,
        Self::BelowRange,
        Self::NoShare,
        Self::MinerUnknown,
        Self::VerifyingOff,
    ];

    /// The code as it stands in the API ("emergency_soc").
    pub fn code(self) -> String {
        // The derive of serde owns the spelling; a unit variant always serialises to a plain string.
        let mut code = String::new();
        for (index, letter) in format!("{self:?}").chars().enumerate() {
            if letter.is_ascii_uppercase() && index > 0 {
                code.push('_');
            }
            code.push(letter.to_ascii_lowercase());
        }
        code
    }
}

/// What the law wants, whether or not it may be commanded now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Leave everything as it is.
    Hold,
    /// Off.
    Off,
    /// Running at this share of `base_watts`.
    Run(PowerPercent),
}

/// A step of the ladder: the power that a stretch of the battery's charge allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LadderStep {
    /// The step holds above this state of charge.
    pub above: Soc,
    /// It holds up to this state of charge, and at it.
    pub up_to: Soc,
    /// Share of the miner's full power.
    pub power: PowerPercent,
}

/// What stands in the way of what is wanted, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The obstacle.
    pub by: BlockedBy,
    /// When it ends, where that is known. Else the obstacle itself names the condition.
    pub until: Option<MonoTime>,
}

/// The obstacles a wanted command can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedBy {
    /// The interval between two ordinary commands.
    Interval,
    /// The miner is settling after the last command.
    Settling,
    /// A second good sample that agrees.
    SecondSample,
    /// No good sample yet, or the last is too old to start or raise anything.
    BatteryData,
    /// The last command isn't through yet.
    CommandUnderWay,
    /// The miner can't be reached or its state isn't known.
    MinerUnknown,
    /// Three commands in a row failed: nothing upward is sent.
    Degraded,
    /// Others change the miner again and again: nothing upward is sent.
    Contested,
    /// The day's budget of commands is spent.
    Budget,
    /// A full battery, the sunset start or the person: nothing else starts it.
    StartCondition,
    /// `min_off_sec` has not passed.
    MinimumOffTime,
    /// The next off attempt waits for the verification of the last.
    OffRetry,
    /// Its share of what all miners together may draw is less than it can hold.
    Share,
    /// Miners start one after the other.
    Turn,
}

/// Plain sentences for people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// What it does and why this.
    pub why: String,
    /// Why not more; empty at full power.
    pub why_not_more: Option<String>,
    /// What would change it.
    pub what_would_change: String,
    /// When, where it can be told. An estimate says that it is one.
    pub when: Option<String>,
}

impl Explanation {
    /// All sentences as one paragraph.
    pub fn paragraph(&self) -> String {
        let mut text = self.why.clone();
        let rest =
            [self.why_not_more.as_deref(), Some(self.what_would_change.as_str()), self.when.as_deref()];
        for sentence in rest.into_iter().flatten().filter(|sentence| !sentence.is_empty()) {
            text.push(' ');
            text.push_str(sentence);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_there_in_their_order() {
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, index);
        }
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index);
        }
        assert_eq!(
            (Rule::ALL.last(), Reason::ALL.last()),
            (Some(&Rule::Ladder), Some(&Reason::VerifyingOff))
        );
    }

    #[test]
    fn the_code_of_a_reason_is_its_spelling_in_json() {
        for reason in [Reason::EmergencySoc, Reason::WaitingForBattery, Reason::LadderHold] {
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json.as_str().unwrap(), reason.code());
        }
    }
}
