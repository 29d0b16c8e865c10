//! The site's zone over a stretch of time, so that a browser without a calendar of zones tells the site's wall clock.

use crate::civil::Civil;
use model::UtcMillis;
use serde::{Deserialize, Serialize};

/// By how much the wall clock is ahead of UTC, over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Zone {
    /// Seconds at the beginning.
    first: i32,
    /// Instants, in milliseconds since 1970, from which on it is so many seconds. They rise.
    changes: Vec<(i64, i32)>,
}

impl Zone {
    /// An IANA zone from one instant to another; UTC, where the zone isn't known.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn of(name: &str, from: UtcMillis, to: UtcMillis) -> Self {
        /// No zone has changed twice within so short a time since 1970.
        const STEP: i64 = 86_400_000;
        let zone = name.parse().unwrap_or(chrono_tz::UTC);
        let ahead = |at| crate::civil::ahead_of_utc(UtcMillis(at), zone);
        let first = ahead(from.0);
        let mut changes = Vec::new();
        let (mut at, mut known) = (from.0, first);
        while at < to.0 {
            let next = at.saturating_add(STEP).min(to.0);
            let later = ahead(next);
            if later != known {
                let (mut before, mut after) = (at, next);
                while after - before > 1 {
                    let middle = before + (after - before) / 2;
                    if ahead(middle) == known { before = middle } else { after = middle }
                }
                changes.push((after, later));
            }
            (at, known) = (next, later);
        }
        Self { first, changes }
    }

    /// The instant on the wall clock. Before the stretch and after it, the clock isn't put.
    pub fn civil(&self, at: UtcMillis) -> Civil {
        let passed = self.changes.iter().take_while(|(change, _)| *change <= at.0);
        Civil::at(at, passed.last().map_or(self.first, |(_, ahead)| *ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any instant of the stretch reads as the calendar of zones has it, however the clock is put.
        #[test]
        fn the_clock_reads_as_in_the_zone(
            from in 0_i64..2_000_000_000_000,
            days in 0_i64..800,
            along in 0.0..1.0_f64,
            name in prop::sample::select(vec![
                "UTC", "America/Denver", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca",
            ]),
        ) {
            let length = days * 86_400_000 + 1;
            let zone = Zone::of(name, UtcMillis(from), UtcMillis(from + length));
            let at = UtcMillis(from + (length as f64 * along) as i64);
            prop_assert_eq!(zone.civil(at), crate::civil::civil(at, name));
            for (change, _) in &zone.changes {
                for at in [change - 1, *change] {
                    prop_assert_eq!(zone.civil(UtcMillis(at)), crate::civil::civil(UtcMillis(at), name));
                }
            }
        }
    }
}
