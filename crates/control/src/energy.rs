//! Energy from power readings: integrated over fresh samples only, so that a gap stays a gap.

use model::{MonoTime, Watts};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Integrates a power over time by the trapezoidal rule. A pair of readings further apart than `longest_gap` adds
/// nothing: what happened between them isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    longest_gap: Duration,
    last: Option<(MonoTime, Watts)>,
    watt_hours: f64,
    covered: Duration,
}

impl Energy {
    /// Starts at zero. `longest_gap` is the largest distance of two readings that still belong together.
    pub const fn new(longest_gap: Duration) -> Self {
        Self { longest_gap, last: None, watt_hours: 0.0, covered: Duration::ZERO }
    }

    /// Takes up a reading. `None` ends the present run of readings; a reading that isn't newer than the last is
    /// dropped.
    pub fn add(&mut self, at: MonoTime, power: Option<Watts>) {
        let Some(power) = power else {
            self.last = None;
            return;
        };
        if let Some((before, earlier)) = self.last {
            if at <= before {
                return;
            }
            let between = at.since(before);
            if between <= self.longest_gap {
                let mean = f64::midpoint(earlier.get(), power.get());
                self.watt_hours += mean * between.as_secs_f64() / 3600.0;
                self.covered = self.covered.saturating_add(between);
            }
        }
        self.last = Some((at, power));
    }

    /// Energy so far in Wh, over [`Energy::covered`].
    pub const fn watt_hours(&self) -> f64 {
        self.watt_hours
    }

    /// The time that readings cover.
    pub const fn covered(&self) -> Duration {
        self.covered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_hour_at_a_constant_power() {
        let mut energy = Energy::new(Duration::from_secs(60));
        for second in (0..=3600).step_by(10) {
            energy.add(MonoTime(second * 1000), Some(Watts::whole(3600)));
        }
        assert!((energy.watt_hours() - 3600.0).abs() < 1e-6);
        assert_eq!(energy.covered(), Duration::from_secs(3600));
    }

    #[test]
    fn i19_a_gap_stays_a_gap() {
        let mut energy = Energy::new(Duration::from_secs(60));
        energy.add(MonoTime(0), Some(Watts::whole(1000)));
        energy.add(MonoTime(3_600_000), Some(Watts::whole(1000)));
        assert!(energy.watt_hours().abs() < f64::EPSILON);
        energy.add(MonoTime(3_610_000), None);
        energy.add(MonoTime(3_620_000), Some(Watts::whole(1000)));
        assert!(energy.watt_hours().abs() < f64::EPSILON, "an unknown reading ends the run");
    }

    proptest! {
        /// What is integrated never exceeds the highest power over the time that readings cover.
        #[test]
        fn i19_energy_is_bounded_by_power_and_covered_time(
            readings in prop::collection::vec((0_i64..200_000, prop::option::of(0_u32..5000)), 0..60)
        ) {
            let mut energy = Energy::new(Duration::from_secs(60));
            let mut at = 0;
            for (millis, watts) in readings {
                at += millis;
                energy.add(MonoTime(at), watts.map(Watts::whole));
            }
            prop_assert!(energy.watt_hours() <= 5000.0 * energy.covered().as_secs_f64() / 3600.0 + 1e-9);
            prop_assert!(energy.watt_hours() >= 0.0);
        }
    }
}
