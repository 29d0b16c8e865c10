//! How many tokens are asked for, and when: firmware hands out few, and asking in vain makes it worse.

use super::crypt::Credentials;
use model::MonoTime;
use std::time::Duration;

/// A token is used for this long at most; the device forgets it after 30 min (vendor's API manual V2.0.5).
const TOKEN_LIFE: Duration = Duration::from_secs(25 * 60);
/// Seen in the field: one privileged session at a time, which lasts 180 s and is prolonged by every attempt.
const PAUSE: Duration = Duration::from_secs(185);

/// The one token of a miner and the pause after a refused one.
#[derive(Debug, Default)]
pub(super) struct Session {
    token: Option<Token>,
    refused_at: Option<MonoTime>,
}

#[derive(Debug)]
struct Token {
    credentials: Credentials,
    obtained: MonoTime,
    life: Duration,
}

impl Session {
    /// The token in hand, if it is still good.
    pub(super) fn credentials(&self, now: MonoTime) -> Option<Credentials> {
        let token = self.token.as_ref()?;
        let age = now.millis_since(token.obtained);
        let is_young = age >= 0 && now.since(token.obtained) < token.life;
        is_young.then(|| token.credentials.clone())
    }

    /// Takes a token. `idle` is the time of rest after which the device forgets it, where it says so.
    pub(super) fn accept(&mut self, credentials: Credentials, idle: Option<Duration>, now: MonoTime) {
        // Somewhat less than what the device says, since its clock began earlier.
        let life = idle.map_or(TOKEN_LIFE, |idle| TOKEN_LIFE.min(idle * 5 / 6));
        self.token = Some(Token { credentials, obtained: now, life });
        self.refused_at = None;
    }

    /// Forgets the token.
    pub(super) fn drop_token(&mut self) {
        self.token = None;
    }

    /// The device gave out no token. The pause begins anew.
    pub(super) fn refuse(&mut self, now: MonoTime) -> Duration {
        self.token = None;
        self.refused_at = Some(now);
        PAUSE
    }

    /// How long no token may be asked for, if at all.
    pub(super) fn pause(&self, now: MonoTime) -> Option<Duration> {
        let rest = PAUSE.saturating_sub(now.since(self.refused_at?));
        (!rest.is_zero()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::super::crypt::Challenge;
    use super::*;

    fn credentials() -> Credentials {
        let challenge =
            Challenge { time: "1".to_owned(), salt: "aaaaaaaa".to_owned(), new_salt: "bbbbbbbb".to_owned() };
        Credentials::new("x", &challenge)
    }

    fn at(seconds: i64) -> MonoTime {
        MonoTime(seconds * 1000)
    }

    #[test]
    fn a_token_lasts_25_minutes() {
        let mut session = Session::default();
        assert!(session.credentials(at(0)).is_none());
        session.accept(credentials(), None, at(100));
        assert!(session.credentials(at(100 + 1499)).is_some());
        assert!(session.credentials(at(100 + 1500)).is_none());
        assert!(session.credentials(at(99)).is_none(), "a token from the future is of another clock");
    }

    #[test]
    fn the_device_may_forget_it_sooner() {
        let mut session = Session::default();
        session.accept(credentials(), Some(Duration::from_secs(180)), at(0));
        assert!(session.credentials(at(149)).is_some());
        assert!(session.credentials(at(150)).is_none());
    }

    #[test]
    fn every_refusal_begins_the_pause_anew() {
        let mut session = Session::default();
        assert_eq!(session.pause(at(0)), None);
        session.refuse(at(10));
        assert_eq!(session.pause(at(10 + 184)), Some(Duration::from_secs(1)));
        assert_eq!(session.pause(at(10 + 185)), None);
        session.refuse(at(200));
        assert_eq!(session.pause(at(201)), Some(Duration::from_secs(184)));
        session.accept(credentials(), None, at(202));
        assert_eq!(session.pause(at(203)), None);
    }
}
