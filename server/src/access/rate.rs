//! How often somebody may ask for a change: a burst, then a few a second. A person never gets there.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// So many at once ...
const BURST: f64 = 240.0;
/// ... and so many a second after that.
const A_SECOND: f64 = 10.0;
/// The most addresses that are remembered.
const MOST: usize = 4096;

/// What each address has left.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    left: HashMap<IpAddr, (f64, Instant)>,
}

impl Rate {
    /// Takes one. If there is none left, for how long to wait.
    pub(crate) fn take(&mut self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let filled = |left: f64, since: Instant| {
            (left + now.saturating_duration_since(since).as_secs_f64() * A_SECOND).min(BURST)
        };
        if self.left.len() >= MOST {
            self.left.retain(|_, (left, since)| filled(*left, *since) < BURST);
        }
        if self.left.len() >= MOST && !self.left.contains_key(&address) {
            // All of them are busy just now: this is no household.
            return Err(Duration::from_secs(1));
        }
        let (left, since) = self.left.entry(address).or_insert((BURST, now));
        *left = filled(*left, *since);
        *since = now;
        if *left < 1.0 {
            let wait = (1.0 - *left) / A_SECOND * 1000.0;
            return Err(Duration::from_millis(wait.ceil() as u64));
        }
        *left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_fine_and_a_flood_isnt() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        let [one, other] = [1, 2].map(|host| IpAddr::from([192, 168, 1, host]));
        for _ in 0..240 {
            assert_eq!(rate.take(one, now), Ok(()));
        }
        assert_eq!(rate.take(one, now), Err(Duration::from_millis(100)));
        assert_eq!(rate.take(other, now), Ok(()), "another one has its own");
        assert_eq!(rate.take(one, now + Duration::from_millis(150)), Ok(()));
        assert!(rate.take(one, now + Duration::from_millis(150)).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        for host in 0..10_000_u32 {
            let _ = rate.take(IpAddr::from(host.to_be_bytes()), now);
        }
        assert!(rate.left.len() <= MOST);
        assert_eq!(rate.take(IpAddr::from([9, 9, 9, 9]), now + Duration::from_secs(60)), Ok(()));
    }
}
