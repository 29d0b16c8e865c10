//! What a device knows of itself when it is asked: the truth through its own sensors, counters and lies. The replies
//! of every protocol are written from this one report.

use super::{
    Faults, Physics,
    machine::{Machine, PowerMode},
};
use crate::house::noise;
use model::UtcMillis;

/// How quickly the sensors' noise wanders, ms.
const NOISE_PERIOD_MS: i64 = 5000;
/// The power that firmware tells is a mean over this time, s.
const POWER_SMOOTHING_S: f64 = 5.0;

/// The channels whose noise is independent.
#[derive(Clone, Copy)]
enum Channel {
    Power = 1,
    Hash = 2,
    Air = 3,
}

/// Mean hash rates, TH/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct HashRates {
    /// Since the mining process started.
    pub(super) average: f64,
    pub(super) five_seconds: f64,
    pub(super) one_minute: f64,
    pub(super) five_minutes: f64,
    pub(super) quarter_hour: f64,
    /// The factory test's.
    pub(super) rated: f64,
    /// What the settings lead to.
    pub(super) target: f64,
}

/// A device's view of itself at one instant.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// The device's own clock, Unix seconds.
    pub(super) when: i64,
    pub(super) service_on: bool,
    /// When it was switched off, Unix seconds of the device's clock.
    pub(super) off_since: Option<i64>,
    pub(super) process_up: bool,
    pub(super) ramp_finished: bool,
    /// Since the mining process started, s.
    pub(super) elapsed_s: f64,
    /// Since the control board booted, s.
    pub(super) uptime_s: f64,
    /// How long the ramp took, s; 0 until it has finished.
    pub(super) stable_cost_s: f64,
    /// Smoothed, at this instant, and over five minutes, W.
    pub(super) power_w: f64,
    pub(super) power_now_w: f64,
    pub(super) power_five_minutes_w: f64,
    pub(super) hash: HashRates,
    /// Power limit in force, W; 0 while nothing hashes.
    pub(super) limit_w: u32,
    /// Power limit as it was set, W.
    pub(super) limit_set_w: u32,
    pub(super) percent: Option<u8>,
    pub(super) mode: PowerMode,
    /// W; 0 is none.
    pub(super) power_target_w: u32,
    pub(super) upfreq_speed: u8,
    pub(super) fast_boot: bool,
    /// Share of the rated power that it draws, 0 ..= 1.
    pub(super) load: f64,
    /// °C.
    pub(super) air_c: f64,
    /// rpm.
    pub(super) fan_rpm: u32,
    /// The device's own error codes.
    pub(super) errors: Vec<u32>,
    pub(super) mac: String,
    pub(super) writes_enabled: bool,
}

impl Report {
    /// Asks `machine`, which has been advanced to `now`.
    pub(super) fn new(
        machine: &Machine,
        now: UtcMillis,
        faults: &Faults,
        (rated_watts, seed): (u32, u64),
        (mac, writes_enabled): (&str, bool),
    ) -> Self {
        let physics = machine.physics();
        let factor = |channel| noise_factor(physics, seed, channel, now);
        let power = if faults.power_reads_zero { 0.0 } else { factor(Channel::Power) };
        let hash = if faults.hash_reads_zero { 0.0 } else { factor(Channel::Hash) };
        let load = (machine.watts(now) / f64::from(rated_watts.max(1))).clamp(0.0, 1.0);
        let stored = machine.stored();
        let device_seconds = |at: UtcMillis| at.0.div_euclid(1000).saturating_add(faults.clock_skew_seconds);
        let up = machine.process_up();
        let mean_hash = |seconds| if up { machine.mean_hash_rate(now, seconds) } else { 0.0 };
        Self {
            when: device_seconds(now),
            service_on: machine.service_on(),
            off_since: machine.stopped_at().map(device_seconds),
            process_up: up,
            ramp_finished: machine.ramp_finished(),
            elapsed_s: machine.elapsed_s(now),
            uptime_s: machine.uptime_s(now),
            stable_cost_s: machine.stable_cost_s(),
            power_w: machine.mean_watts(now, POWER_SMOOTHING_S) * power,
            power_now_w: machine.watts(now) * power,
            power_five_minutes_w: machine.mean_watts(now, 300.0) * if power > 0.0 { 1.0 } else { 0.0 },
            hash: HashRates {
                average: machine.average_hash_rate(now) * if hash > 0.0 { 1.0 } else { 0.0 },
                five_seconds: mean_hash(5.0) * hash,
                one_minute: mean_hash(60.0) * hash,
                five_minutes: mean_hash(300.0) * hash,
                quarter_hour: mean_hash(900.0) * hash,
                rated: machine.rated_hash_rate(),
                target: machine.target_hash_rate(),
            },
            limit_w: if machine.hashing() && !faults.limit_reads_zero {
                machine.limit_in_force() as u32
            } else {
                0
            },
            limit_set_w: stored.limit,
            percent: machine.percent(),
            mode: stored.mode,
            power_target_w: stored.power_target,
            upfreq_speed: stored.upfreq_speed,
            fast_boot: stored.fast_boot,
            load,
            air_c: 26.0 * factor(Channel::Air),
            fan_rpm: if machine.service_on() { 3000 + (2600.0 * load) as u32 } else { 0 },
            errors: faults.error_codes.clone(),
            mac: mac.to_owned(),
            writes_enabled,
        }
    }

    /// Mean temperature of a board, °C.
    pub(super) fn board_c(&self, slot: u8) -> f64 {
        self.air_c + 44.0 * self.load + f64::from(slot)
    }

    /// Coolest, mean and hottest chip of a board, °C.
    pub(super) fn chips_c(&self, slot: u8) -> [f64; 3] {
        let board = self.board_c(slot);
        [board + 4.0 * self.load, board + 14.0 * self.load, board + 23.0 * self.load]
    }

    /// Mean clock of the chips, MHz.
    pub(super) fn frequency_mhz(&self) -> f64 {
        650.0 * self.hash.one_minute / self.hash.rated.max(f64::MIN_POSITIVE)
    }

    /// Efficiency since the mining process started, J/TH; 0 while nothing hashes.
    pub(super) fn power_rate(&self) -> f64 {
        if self.hash.average > 0.0 { self.power_w / self.hash.average } else { 0.0 }
    }

    /// What the power supply measures at its input, V and A: their product is the power.
    pub(super) fn input(&self) -> (f64, f64) {
        let volts = 232.4;
        (volts, self.power_w / volts)
    }
}

fn noise_factor(physics: &Physics, seed: u64, channel: Channel, now: UtcMillis) -> f64 {
    let swing = 2.0 * noise::smooth(seed.wrapping_add(channel as u64), now.0, NOISE_PERIOD_MS) - 1.0;
    1.0 + physics.noise.clamp(0.0, 1.0) * swing
}

/// A power mode as V3 spells it.
pub(super) const fn mode_name(mode: PowerMode) -> &'static str {
    match mode {
        PowerMode::Low => "low",
        PowerMode::Normal => "normal",
        PowerMode::High => "high",
    }
}

/// An instant as devices print it: their local time without a zone.
pub(super) fn device_time(unix_seconds: i64) -> String {
    let text = UtcMillis(unix_seconds.saturating_mul(1000)).to_string();
    text.trim_end_matches('Z').replacen('T', " ", 1)
}
