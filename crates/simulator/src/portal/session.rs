//! The portal's sessions: who holds which, and until when in simulated time.

use crate::house::noise;
use model::UtcMillis;
use std::collections::VecDeque;

/// How many sessions there are at most; the oldest goes when one more is opened.
const MOST_SESSIONS: usize = 1000;

/// All open sessions, oldest first.
#[derive(Debug)]
pub(super) struct Sessions {
    seed: u64,
    opened: i64,
    lifetime_ms: i64,
    open: VecDeque<(String, UtcMillis)>,
}

impl Sessions {
    /// A table without sessions, each of which lasts this long after it was opened.
    pub(super) fn new(seed: u64, lifetime_seconds: u64) -> Self {
        let lifetime_ms = i64::try_from(lifetime_seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        Self { seed, opened: 0, lifetime_ms, open: VecDeque::new() }
    }

    /// Opens one and tells its cookie's value.
    pub(super) fn open(&mut self, now: UtcMillis) -> String {
        let token = format!(
            "{:016X}{:016X}",
            noise::bits(self.seed, self.opened),
            noise::bits(!self.seed, self.opened)
        );
        self.opened += 1;
        if self.open.len() >= MOST_SESSIONS {
            self.open.pop_front();
        }
        self.open.push_back((token.clone(), now));
        token
    }

    /// Whether this cookie's session is open now.
    pub(super) fn holds(&mut self, token: &str, now: UtcMillis) -> bool {
        self.open.retain(|(_, since)| now.millis_since(*since) < self.lifetime_ms);
        self.open.iter().any(|(open, _)| open == token)
    }

    /// Ends all of them.
    pub(super) fn end_all(&mut self) {
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_with_its_lifetime_or_all_at_once() {
        let mut sessions = Sessions::new(1, 60);
        let (first, second) = (sessions.open(UtcMillis(0)), sessions.open(UtcMillis(30_000)));
        assert_ne!(first, second);
        assert!(sessions.holds(&first, UtcMillis(59_999)) && sessions.holds(&second, UtcMillis(59_999)));
        assert!(!sessions.holds(&first, UtcMillis(60_000)) && sessions.holds(&second, UtcMillis(60_000)));
        sessions.end_all();
        assert!(!sessions.holds(&second, UtcMillis(60_000)));
        assert!(!sessions.holds("", UtcMillis(60_000)));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut sessions = Sessions::new(1, 60);
        let first = sessions.open(UtcMillis(0));
        for _ in 0..MOST_SESSIONS {
            sessions.open(UtcMillis(0));
        }
        assert!(!sessions.holds(&first, UtcMillis(0)));
        assert_eq!(sessions.open.len(), MOST_SESSIONS);
    }
}
