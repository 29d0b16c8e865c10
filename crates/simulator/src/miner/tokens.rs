//! The V2 sessions of a device: who holds a token, and until when.

use super::{TokenPolicy, crypt};
use model::UtcMillis;
use std::collections::HashMap;

/// Sessions at most, whatever the policy says.
const MOST_SESSIONS: usize = 4096;

/// What `get_token` gives out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// Four digits. They look like a clock's and aren't its.
    pub(super) time: String,
    /// Eight characters, new for every token.
    pub(super) newsalt: String,
}

/// The tokens that are alive, by their signs.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// When each one ends, simulated ms.
    ends: HashMap<String, i64>,
}

impl Tokens {
    /// Opens a session for `grant` under a V2 key. `None` if there are too many.
    pub(super) fn open(
        &mut self,
        policy: TokenPolicy,
        now: UtcMillis,
        key: &str,
        grant: &Grant,
    ) -> Option<()> {
        self.ends.retain(|_, end| *end > now.0);
        match policy {
            TokenPolicy::Table { max, .. } if self.ends.len() >= max.min(MOST_SESSIONS) => return None,
            TokenPolicy::SingleSession { refresh_on_failure, .. } if !self.ends.is_empty() => {
                if refresh_on_failure {
                    self.ends.values_mut().for_each(|end| *end = end_of(policy, now));
                }
                return None;
            }
            TokenPolicy::Table { .. } | TokenPolicy::SingleSession { .. } => {}
        }
        let sign = crypt::md5crypt(&format!("{key}{}", grant.time), &grant.newsalt)?;
        self.ends.insert(sign, end_of(policy, now));
        Some(())
    }

    /// Whether `sign` belongs to a living session. Its use prolongs a session of the table.
    pub(super) fn admit(&mut self, policy: TokenPolicy, now: UtcMillis, sign: &str) -> bool {
        match self.ends.get_mut(sign) {
            Some(end) if *end > now.0 => {
                if matches!(policy, TokenPolicy::Table { .. }) {
                    *end = end_of(policy, now);
                }
                true
            }
            _ => false,
        }
    }

    /// Forgets every session, as a reboot does.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }
}

fn end_of(policy: TokenPolicy, now: UtcMillis) -> i64 {
    let (TokenPolicy::Table { ttl_seconds, .. } | TokenPolicy::SingleSession { ttl_seconds, .. }) = policy;
    now.0.saturating_add(i64::try_from(ttl_seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(number: u32) -> Grant {
        Grant { time: format!("{number:04}"), newsalt: "jbzkfQls".into() }
    }

    const fn at(seconds: i64) -> UtcMillis {
        UtcMillis(seconds * 1000)
    }

    #[test]
    fn the_table_is_full_at_its_maximum_and_use_keeps_a_token_alive() {
        let policy = TokenPolicy::Table { max: 2, ttl_seconds: 100 };
        let mut tokens = Tokens::default();
        let first = crypt::md5crypt("key0001", "jbzkfQls").unwrap();
        assert!(tokens.open(policy, at(0), "key", &grant(1)).is_some());
        assert!(tokens.open(policy, at(50), "key", &grant(2)).is_some());
        assert!(tokens.open(policy, at(60), "key", &grant(3)).is_none());
        assert!(tokens.admit(policy, at(99), &first));
        assert!(tokens.open(policy, at(149), "key", &grant(4)).is_none());
        assert!(tokens.open(policy, at(151), "key", &grant(5)).is_some(), "the second one has ended");
        assert!(tokens.admit(policy, at(198), &first));
        assert!(!tokens.admit(policy, at(298), &first));
        assert!(!tokens.admit(policy, at(0), "unknown"));
    }

    #[test]
    fn hammering_keeps_a_single_session_locked() {
        let mut tokens = Tokens::default();
        assert!(tokens.open(TokenPolicy::NASTY, at(0), "key", &grant(1)).is_some());
        assert!(tokens.open(TokenPolicy::NASTY, at(179), "key", &grant(2)).is_none());
        assert!(tokens.open(TokenPolicy::NASTY, at(358), "key", &grant(3)).is_none());
        assert!(tokens.open(TokenPolicy::NASTY, at(538), "key", &grant(4)).is_some());
    }
}
