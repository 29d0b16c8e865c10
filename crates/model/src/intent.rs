//! What the person wants. It is kept, and it is never guessed.

use crate::{MonoTime, PowerPercent, Watts};
use serde::{Deserialize, Serialize};

/// The person's wishes for one miner.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Intent {
    /// The battery drives the miner.
    pub auto_control: bool,
    /// What the person last said about on and off.
    pub power: PowerIntent,
    /// A power the person asked for, until it expires.
    pub manual: Option<Manual>,
}

/// What the person last said about on and off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerIntent {
    /// Nothing: the law decides.
    #[default]
    Undecided,
    /// Off, until the person says otherwise.
    Off,
    /// On. The number tells one request from the next: each is honoured once, so that an old wish never restarts a
    /// miner that safety stopped later.
    On {
        /// Rises with every request.
        request: u64,
    },
}

/// A power the person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Manual {
    /// How much.
    pub target: ManualTarget,
    /// When it ends, on the monotonic clock.
    pub until: MonoTime,
}

/// How the person said how much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualTarget {
    /// Percent of `base_watts`.
    Percent(PowerPercent),
    /// Watts at the input.
    Watts(Watts),
}

impl ManualTarget {
    /// The power this asks for, given the miner's `base_watts`.
    pub fn watts(self, base: Watts) -> Watts {
        match self {
            Self::Percent(percent) => percent.of(base),
            Self::Watts(watts) => watts,
        }
    }
}
