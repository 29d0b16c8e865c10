//! The four commands this driver knows, and what is known once one was sent.

use super::{json, reading::LARGEST_LIMIT};
use crate::{DeviceError, WriteOutcome, Written};
use model::{Means, Watts};

/// A command in the terms of the miner. There is no limit of zero: off is its own command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Stop the mining service.
    Stop,
    /// Start the mining service.
    Start,
    /// Power limit in watts, 1 ..= 99 999. Restarts the mining process.
    Limit(u32),
    /// Percent of the power at the present limit, 1 ..= 100, at once and until the next restart.
    Percent(u8),
}

impl Order {
    /// What the caller is told about how it was done.
    pub(super) const fn means(self) -> Means {
        match self {
            Self::Stop => Means::Stop,
            Self::Start => Means::Start,
            Self::Limit(_) => Means::Limit,
            Self::Percent(_) => Means::Percent,
        }
    }
}

/// `power` as a limit the API can take, rounded down; `None` for less than a watt.
pub(super) fn whole_limit(power: Watts) -> Option<u32> {
    // Bounded to what the API takes, so that the cast is exact.
    let watts = power.get().floor().min(f64::from(LARGEST_LIMIT));
    (watts >= 1.0).then_some(watts as u32)
}

/// The end of a command that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Confirmation {
    pub(super) outcome: WriteOutcome,
    pub(super) words: Option<String>,
}

impl Confirmation {
    /// The device said yes, in these words.
    pub(super) fn acked(words: String) -> Self {
        Self { outcome: WriteOutcome::Acked, words: (!words.is_empty()).then_some(words) }
    }

    /// The command went out and no answer says what became of it.
    pub(super) fn unknown(why: String) -> Self {
        Self { outcome: WriteOutcome::Unknown, words: Some(why) }
    }

    pub(super) fn is_acked(&self) -> bool {
        self.outcome == WriteOutcome::Acked
    }

    pub(super) fn by(self, means: Means) -> Written {
        Written { outcome: self.outcome, means, words: self.words }
    }
}

/// The driver's own refusal of what the miner can't do now.
pub(super) fn refused(words: &str) -> DeviceError {
    DeviceError::Refused { code: 0, words: words.to_owned() }
}

/// A device's words for a message, without the `secrets` it may have echoed.
pub(super) fn redact(words: &str, secrets: &[&str]) -> String {
    let secrets = secrets.iter().filter(|secret| !secret.is_empty());
    json::plain(&secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "…")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_rounded_down_and_never_zero() {
        assert_eq!(whole_limit(Watts::new(1440.9).unwrap()), Some(1440));
        assert_eq!(whole_limit(Watts::new(0.9).unwrap()), None);
        assert_eq!(whole_limit(Watts::new(-5.0).unwrap()), None);
        assert_eq!(whole_limit(Watts::new(1e12).unwrap()), Some(99_999));
    }

    #[test]
    fn an_echoed_secret_is_not_passed_on() {
        assert_eq!(redact("bad token hunter2!", &["hunter2", ""]), "bad token …!");
    }
}
