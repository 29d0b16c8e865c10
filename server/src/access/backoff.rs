//! Waiting after wrong tries, so that nobody gets through a door by trying, and so that nobody else stands before a closed
//! one because of it.
//!
//! Everybody who tries has tries of their own: a browser that was signed in before, else an address. After a few wrong
//! ones the next has to wait, twice as long each time. Strangers together have a limit too, for those who come from many
//! addresses; a browser that was signed in before isn't one.

use model::UtcMillis;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};
use store::access::SecretHash;

/// Wrong tries without a wait.
const FREE: u32 = 5;
/// The first wait, in milliseconds.
const FIRST_WAIT: i64 = 2_000;
/// The longest.
const LONGEST_WAIT: i64 = 5 * 60_000;
/// Wrong tries are forgotten after so long.
const FORGOTTEN_AFTER: i64 = 60 * 60_000;
/// So many wrong tries all strangers have together ...
const STRANGERS: f64 = 60.0;
/// ... and get one back in so many milliseconds.
const ONE_BACK: f64 = 10_000.0;
/// The most tries that are remembered. Beyond that the oldest are forgotten: whoever has so many addresses is held by the
/// strangers' limit.
const MOST: usize = 4096;

/// Who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tries {
    /// A browser that was signed in before.
    Known(SecretHash),
    /// Anybody at this address; of IPv6, at this network of a subscriber (/64).
    Stranger(IpAddr),
}

impl Tries {
    pub(crate) fn from(address: IpAddr) -> Self {
        Self::Stranger(match address {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// What is remembered of wrong tries.
#[derive(Debug)]
pub(crate) struct Backoff {
    wrong: HashMap<Tries, (u32, UtcMillis)>,
    strangers: f64,
    counted: UtcMillis,
}

impl Backoff {
    pub(crate) fn new(now: UtcMillis) -> Self {
        Self { wrong: HashMap::new(), strangers: STRANGERS, counted: now }
    }

    /// For how many seconds whoever tries has to wait, if at all.
    pub(crate) fn wait(&mut self, tries: Tries, now: UtcMillis) -> Option<u64> {
        self.refill(now);
        let own = self.wrong.get(&tries).map_or(0, |(count, last)| {
            let Some(beyond) = count.checked_sub(FREE) else { return 0 };
            let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(20)).min(LONGEST_WAIT);
            // A clock that was put back doesn't make it longer.
            (wait - now.millis_since(*last).max(0)).clamp(0, LONGEST_WAIT)
        });
        let all = match tries {
            Tries::Stranger(_) if self.strangers < 1.0 => ((1.0 - self.strangers) * ONE_BACK) as i64,
            _ => 0,
        };
        let wait = own.max(all);
        (wait > 0).then(|| wait.unsigned_abs().div_ceil(1000))
    }

    /// It was wrong.
    pub(crate) fn wrong(&mut self, tries: Tries, now: UtcMillis) {
        self.refill(now);
        self.wrong.retain(|_, (_, last)| now.millis_since(*last) < FORGOTTEN_AFTER);
        if self.wrong.len() >= MOST && !self.wrong.contains_key(&tries) {
            let oldest = self.wrong.iter().min_by_key(|(_, (_, last))| *last).map(|(tries, _)| *tries);
            self.wrong.extract_if(|tries, _| Some(*tries) == oldest).for_each(drop);
        }
        let (count, last) = self.wrong.entry(tries).or_insert((0, now));
        (*count, *last) = (count.saturating_add(1), now);
        if matches!(tries, Tries::Stranger(_)) {
            self.strangers = (self.strangers - 1.0).max(0.0);
        }
    }

    /// It was right: earlier tries were slips.
    pub(crate) fn right(&mut self, tries: Tries) {
        self.wrong.remove(&tries);
        if matches!(tries, Tries::Stranger(_)) {
            self.strangers = (self.strangers + 1.0).min(STRANGERS);
        }
    }

    fn refill(&mut self, now: UtcMillis) {
        let passed = now.millis_since(self.counted).max(0) as f64;
        self.strangers = (self.strangers + passed / ONE_BACK).min(STRANGERS);
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

    fn after(seconds: i64) -> UtcMillis {
        UtcMillis(NOW.0 + seconds * 1000)
    }

    fn address(last: u8) -> Tries {
        Tries::from(IpAddr::from([192, 168, 1, last]))
    }

    #[test]
    fn a_few_slips_cost_nothing_and_then_each_costs_twice_as_much() {
        let mut backoff = Backoff::new(NOW);
        let tries = address(7);
        for _ in 0..FREE {
            assert_eq!(backoff.wait(tries, NOW), None);
            backoff.wrong(tries, NOW);
        }
        let mut now = 0;
        for expected in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(backoff.wait(tries, after(now)), Some(expected));
            assert_eq!(backoff.wait(tries, after(now + i64::try_from(expected).unwrap())), None);
            now += i64::try_from(expected).unwrap();
            backoff.wrong(tries, after(now));
        }
        assert_eq!(backoff.wait(address(8), after(now)), None, "another one doesn't wait for it");
        backoff.right(tries);
        assert_eq!(backoff.wait(tries, after(now)), None);
    }

    #[test]
    fn an_hour_later_it_is_forgotten() {
        let mut backoff = Backoff::new(NOW);
        for _ in 0..20 {
            backoff.wrong(address(7), NOW);
        }
        assert!(backoff.wait(address(7), after(299)).is_some());
        backoff.wrong(address(9), after(3600));
        assert_eq!(backoff.wait(address(7), after(3600)), None);
    }

    #[test]
    fn from_many_addresses_all_strangers_are_slowed_and_a_known_browser_isnt() {
        let mut backoff = Backoff::new(NOW);
        for host in 0..60 {
            assert_eq!(backoff.wait(address(host), NOW), None, "{host}");
            backoff.wrong(address(host), NOW);
        }
        assert_eq!(backoff.wait(address(200), NOW), Some(10));
        let known = Tries::Known([7; 32]);
        assert_eq!(backoff.wait(known, NOW), None);
        backoff.wrong(known, NOW);
        assert_eq!(backoff.wait(known, NOW), None);
        assert_eq!(backoff.wait(address(200), after(10)), None, "and neither is locked out for long");
    }

    #[test]
    fn a_subscriber_is_one_whatever_address_of_the_network_it_takes() {
        let mut backoff = Backoff::new(NOW);
        for host in 0..8 {
            let address: IpAddr = format!("2001:db8:1:2::{host:x}").parse().unwrap();
            backoff.wrong(Tries::from(address), NOW);
        }
        let of = |text: &str| Tries::from(text.parse().unwrap());
        assert!(backoff.wait(of("2001:db8:1:2:ffff::1"), NOW).is_some());
        assert_eq!(backoff.wait(of("2001:db8:1:3::1"), NOW), None);
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        let mut backoff = Backoff::new(NOW);
        for _ in 0..8 {
            backoff.wrong(address(7), NOW);
        }
        assert!(backoff.wait(address(7), after(-86_400)).unwrap() <= 300);
        assert_eq!(backoff.wait(address(8), after(-86_400)), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut backoff = Backoff::new(NOW);
        for host in 0..10_000_u32 {
            backoff.wrong(Tries::from(IpAddr::from(host.to_be_bytes())), after(i64::from(host) / 100));
        }
        assert!(backoff.wrong.len() <= MOST);
    }
}
