//! How long the portal is left alone after a failure. Time comes from the caller: nothing here waits.

use crate::DeviceError;
use model::MonoTime;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// After everything but refused credentials: 1 s, doubled by each further failure up to 60 s, or longer where
/// the portal asked for more. Counted from the start of the call that failed.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    failures: u32,
    pause: Option<(MonoTime, DeviceError)>,
}

impl BackOff {
    /// Whether the portal may be asked now. If not, the error is of the same kind as the failure, so that the
    /// two don't take turns in front of a person.
    pub(super) fn check(&self, now: MonoTime) -> Result<(), DeviceError> {
        match &self.pause {
            Some((until, error)) if *until > now => {
                let retry_after = until.since(now);
                Err(match error {
                    DeviceError::Unavailable { words, .. } => {
                        DeviceError::Unavailable { words: words.clone(), retry_after }
                    }
                    error if error.is_transient() => {
                        DeviceError::Unavailable { words: error.to_string(), retry_after }
                    }
                    lasting => lasting.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Notes a failure, and completes the error with the pause that follows.
    pub(super) fn failed(&mut self, error: DeviceError, now: MonoTime) -> DeviceError {
        if matches!(error, DeviceError::BadCredentials(_)) {
            return error; // `Refusals` counts these.
        }
        let pause = SHORTEST.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let (pause, error) = match error {
            DeviceError::Unavailable { words, retry_after } => {
                let retry_after = retry_after.max(pause);
                (retry_after, DeviceError::Unavailable { words, retry_after })
            }
            other => (pause, other),
        };
        self.pause = Some((now + pause, error.clone()));
        error
    }

    /// Forgets all failures.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// After refused credentials: 15 min, 1 h, 6 h, then a day between two attempts to sign in. A portal that locks
/// accounts after many wrong passwords would be locked by a program that goes on trying.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: usize,
    pause: Option<(MonoTime, String)>,
}

const REFUSAL_PAUSES: [Duration; 4] = [
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
    Duration::from_secs(6 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

impl Refusals {
    /// Whether a sign-in may be tried now.
    pub(super) fn check(&self, now: MonoTime) -> Result<(), DeviceError> {
        match &self.pause {
            Some((until, words)) if *until > now => {
                let minutes = until.since(now).as_secs().div_ceil(60);
                Err(DeviceError::BadCredentials(format!("{words}; the next attempt is in {minutes} min")))
            }
            _ => Ok(()),
        }
    }

    /// Notes that the credentials were refused.
    pub(super) fn refused(&mut self, words: String, now: MonoTime) {
        let [.., last] = REFUSAL_PAUSES;
        let pause = REFUSAL_PAUSES.get(self.count).copied().unwrap_or(last);
        self.count = self.count.saturating_add(1);
        self.pause = Some((now + pause, words));
    }

    /// Forgets all refusals.
    pub(super) fn accepted(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> MonoTime {
        MonoTime(seconds * 1000)
    }

    fn gone() -> DeviceError {
        DeviceError::Unreachable("no route".to_owned())
    }

    #[test]
    fn pauses_double_to_a_minute_and_end_with_a_success() {
        let mut back_off = BackOff::default();
        assert_eq!(back_off.check(at(0)), Ok(()));
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(back_off.failed(gone(), at(0)), gone());
            assert!(back_off.check(at(pause - 1)).is_err(), "{pause}");
            assert_eq!(back_off.check(at(pause)), Ok(()), "{pause}");
        }
        for _ in 0..100 {
            back_off.failed(gone(), at(0));
        }
        assert_eq!(back_off.check(at(60)), Ok(()));
        back_off.succeeded();
        back_off.failed(gone(), at(0));
        assert_eq!(back_off.check(at(1)), Ok(()));
    }

    #[test]
    fn the_portal_may_ask_for_longer() {
        let mut back_off = BackOff::default();
        let busy = |seconds| DeviceError::Unavailable {
            words: "busy".to_owned(),
            retry_after: Duration::from_secs(seconds),
        };
        assert_eq!(back_off.failed(busy(900), at(10)), busy(900));
        assert_eq!(back_off.check(at(310)), Err(busy(600)));
        assert_eq!(back_off.failed(busy(0), at(910)), busy(2), "never less than the back-off's own");
    }

    #[test]
    fn what_lasts_stays_itself_during_the_pause() {
        let mut back_off = BackOff::default();
        let lasting = DeviceError::WrongDevice("no inverter".to_owned());
        back_off.failed(lasting.clone(), at(0));
        assert_eq!(back_off.check(at(0)), Err(lasting));
    }

    #[test]
    fn refusals_are_spaced_by_hours() {
        let mut refusals = Refusals::default();
        for pause in [900, 3600, 21_600, 86_400, 86_400] {
            refusals.refused("wrong".to_owned(), at(0));
            assert!(matches!(refusals.check(at(pause - 1)), Err(DeviceError::BadCredentials(_))));
            assert_eq!(refusals.check(at(pause)), Ok(()));
        }
        refusals.accepted();
        assert_eq!(refusals.check(at(0)), Ok(()));
    }

    #[test]
    fn refused_credentials_are_not_a_failure_of_the_portal() {
        let mut back_off = BackOff::default();
        back_off.failed(DeviceError::BadCredentials("wrong".to_owned()), at(0));
        assert_eq!(back_off.check(at(0)), Ok(()));
    }
}
