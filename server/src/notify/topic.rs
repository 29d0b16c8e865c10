//! What people are told about: few things of all that the page tells.

use model::AlertCode;
use std::time::Duration;

/// What a message is about. Alerts of one topic that begin together are one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// A miner doesn't do what it is told.
    Disobeys,
    /// A miner was stopped so that nothing is harmed.
    StoppedForSafety,
    /// The battery's state of charge isn't known any more.
    BatteryDataStale,
    /// The battery wasn't full for too long.
    BatteryNotFull,
    /// Nothing is kept.
    Database,
}

/// How a kind of alert is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) topic: Topic,
    /// It comes in quiet hours too.
    pub(super) is_critical: bool,
    /// It is told once it has held for this long: what passes by itself needs nobody.
    pub(super) after: Duration,
    /// While it holds it is told again, first after this long, then after twice as long each time.
    pub(super) again: Option<Duration>,
}

/// How this is told; `None` if the page alone tells it.
pub(super) fn manner(code: AlertCode) -> Option<Manner> {
    let told = |topic, is_critical| Manner { topic, is_critical, after: Duration::ZERO, again: None };
    Some(match code {
        AlertCode::Emergency | AlertCode::CrashLoop => told(Topic::StoppedForSafety, true),
        // What may run on although it mustn't is the one thing that can't be told too often.
        AlertCode::OffNotVerified => {
            Manner { again: Some(Duration::from_secs(600)), ..told(Topic::Disobeys, true) }
        }
        AlertCode::Degraded | AlertCode::Contested => told(Topic::Disobeys, false),
        AlertCode::BatteryDataStale => told(Topic::BatteryDataStale, false),
        AlertCode::BatteryNotFull => told(Topic::BatteryNotFull, false),
        AlertCode::Database => Manner { after: Duration::from_secs(120), ..told(Topic::Database, false) },
        _ => return None,
    })
}

impl Topic {
    /// For programs.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Disobeys => "disobeys",
            Self::StoppedForSafety => "stopped_for_safety",
            Self::BatteryDataStale => "battery_data_stale",
            Self::BatteryNotFull => "battery_not_full",
            Self::Database => "database",
        }
    }
}
