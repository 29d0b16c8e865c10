//! The numbers behind a simulated miner: how fast it starts, ramps, follows and stops, and what it makes of its power.

use super::Profile;
use serde::{Deserialize, Serialize};

/// Everything about a machine that isn't protocol. Times are simulated seconds.
///
/// The defaults are drawn from operators' reports: 13–14 W when off, a minute without hashing after each start of the
/// mining process, ramps of 8 to 30 minutes, a percentage that acts within a second, a reboot of two to three minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Physics {
    /// Input power while the mining service is off, W.
    pub idle_watts: f64,
    /// Input power in the dead time after a start, W.
    pub boot_watts: f64,
    /// Time from the start of the mining process to the first hash, s.
    pub dead_time_s: f64,
    /// Time constant of the ramp at upfreq speed 0, s.
    pub ramp_tau_s: f64,
    /// Time constant of the ramp at upfreq speed 10, s; between the two it is interpolated.
    pub quick_ramp_tau_s: f64,
    /// Time constant of the ramp with fast boot, s (more than 85 % of the power 10 s after the dead time).
    pub fast_boot_tau_s: f64,
    /// Time from the start of the mining process to the end of the ramp at upfreq speed 0, s.
    pub stable_after_s: f64,
    /// The same at upfreq speed 10 and with fast boot, s.
    pub quick_stable_after_s: f64,
    /// How many times slower the hash rate follows than the power: a machine that ramps is less efficient.
    pub hash_lag: f64,
    /// Time constant of the fall of power and hash rate at a stop, s.
    pub stop_tau_s: f64,
    /// Time constant of a percentage in fast mode, s.
    pub fast_percent_tau_s: f64,
    /// Time constant of a percentage or a target power in normal mode, s.
    pub normal_percent_tau_s: f64,
    /// How long a reboot of the control board keeps it off the network, s.
    pub reboot_s: f64,
    /// Time between two restarts of a machine that can't hold its limit, s.
    pub crash_period_s: f64,
    /// Share of the rated power that the low power mode allows, 0 ..= 1.
    pub low_mode_share: f64,
    /// Efficiency at rated power, J/TH.
    pub joules_per_terahash: f64,
    /// Amplitude of the noise on what the device measures, as a share of the value, 0 ..= 1.
    pub noise: f64,
}

impl Default for Physics {
    fn default() -> Self {
        Self {
            idle_watts: 14.0,
            boot_watts: 24.0,
            dead_time_s: 60.0,
            ramp_tau_s: 240.0,
            quick_ramp_tau_s: 90.0,
            fast_boot_tau_s: 5.0,
            stable_after_s: 1500.0,
            quick_stable_after_s: 500.0,
            hash_lag: 1.15,
            stop_tau_s: 3.0,
            fast_percent_tau_s: 0.3,
            normal_percent_tau_s: 60.0,
            reboot_s: 150.0,
            crash_period_s: 180.0,
            low_mode_share: 0.8,
            joules_per_terahash: 30.0,
            noise: 0.01,
        }
    }
}

impl Physics {
    /// A typical machine with this firmware.
    pub fn typical(profile: Profile) -> Self {
        Self { joules_per_terahash: profile.plate().joules_per_terahash, ..Self::default() }
    }

    /// Time constant of the ramp, s.
    pub(super) fn ramp_tau(&self, upfreq_speed: u8, fast_boot: bool) -> f64 {
        if fast_boot {
            self.fast_boot_tau_s
        } else {
            between(self.ramp_tau_s, self.quick_ramp_tau_s, upfreq_speed)
        }
    }

    /// Time from the start of the mining process to the end of the ramp, s.
    pub(super) fn stable_after(&self, upfreq_speed: u8, fast_boot: bool) -> f64 {
        if fast_boot {
            self.quick_stable_after_s
        } else {
            between(self.stable_after_s, self.quick_stable_after_s, upfreq_speed)
        }
    }
}

/// From `slow` at speed 0 to `quick` at speed 10.
fn between(slow: f64, quick: f64, speed: u8) -> f64 {
    slow + (quick - slow) * f64::from(speed.min(10)) / 10.0
}
