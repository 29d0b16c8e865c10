//! The board itself: chips, clock, power and hash rate over simulated time. It knows nothing of HTTP.
//!
//! What happens by itself (the end of a ramp, of a restart, of a time to cool down) happens at instants that follow
//! from what happened before, never from when somebody looked. Power is `offset + k · f · V²`.

use super::{
    AxeosTruth, Forced, Phase, Profile,
    line::Line,
    profile::{Plate, Sensor},
};
use crate::house::noise;
use model::UtcMillis;

/// The clock is ramped in steps of 6.25 MHz every 100 ms, between this and the set frequency.
const LOWEST_MHZ: f64 = 50.0;
const MHZ_PER_SECOND: f64 = 62.5;
/// Core voltage off, 0.5 s of rest, reset low, 0.1 s.
const SETTLING_MS: i64 = 600;
/// Core voltage on, 0.5 + 0.1 s, and the setting up of the chips.
const WAKING_MS: i64 = 3000;
/// A restart or a shutdown comes this long after it was answered.
const AFTER_ANSWER_MS: i64 = 1000;
/// How long a restart keeps the board off the network.
const REBOOT_MS: i64 = 8000;
/// From there to the first work of a pool.
const BOOTING_MS: i64 = 12_000;
/// How long an overheated board cools down.
const COOLING_MS: i64 = 45_000;
/// What an overheated board takes off its frequency (MHz) and its core voltage (mV).
const OVERHEATED_LESS: f64 = 100.0;
/// How long the board has been up when its simulation begins.
const HAS_BEEN_UP_MS: i64 = 36_000_000;
/// Hashes of one share at a difficulty of 1000, in GH.
const GIGAHASHES_PER_SHARE: f64 = 4295.0;
/// The room, and how much hotter the chip is at the power as delivered, °C.
const ROOM_CELSIUS: f64 = 25.0;
const HOTTER_CELSIUS: f64 = 34.0;
/// The chip's temperature follows the mean power over this time.
const WARMING_MS: i64 = 40_000;
const SEED_HASH: u64 = 0xA5;
const SEED_POWER: u64 = 0x90;

/// What is told of the sensors. The power loop reads them, and it stands still while it ramps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// W.
    pub(super) power: f64,
    /// Input voltage, mV.
    pub(super) voltage: f64,
    /// At the input, or at the core on boards that measure there, mA.
    pub(super) current: f64,
    /// Chip, °C; −1 where nothing can be read.
    pub(super) temp: f64,
    /// Regulator, °C; 0 on boards whose regulator tells nothing.
    pub(super) vr_temp: f64,
}

/// Where the board is on its way between running and stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Rebooting { until: i64 },
    Booting { until: i64 },
    Waking { until: i64 },
    RampingUp { until: i64 },
    Mining,
    RampingDown { until: i64 },
    Settling { until: i64 },
    Stopped,
}

/// What comes a moment after it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    Reboot,
    Shutdown,
}

/// What the board does by itself.
#[derive(Debug, Clone, Copy)]
enum Event {
    StageOver,
    Announced(Announced),
    CooledDown,
}

/// One board. Every instant handed in must be at or after the one before.
pub(super) struct Machine {
    profile: Profile,
    plate: Plate,
    seed: u64,
    stage: Stage,
    paused: bool,
    shutdown: bool,
    /// The flag that the firmware tells; old firmware keeps it until a restart.
    overheated: bool,
    cools_until: Option<i64>,
    tripped: bool,
    /// The regulator is broken: it trips at every start.
    broken: bool,
    announced: Option<(i64, Announced)>,
    /// MHz and mV as set.
    pub(super) frequency: f64,
    pub(super) core_voltage: f64,
    pub(super) auto_fan: bool,
    /// Percent.
    pub(super) manual_fan: f64,
    reboot_ms: i64,
    clock: Line,
    hash: Line,
    power: Line,
    cores_on: bool,
    frozen: Option<Measured>,
    /// Since when nothing is hashed: averages don't go on then.
    idle_since: Option<i64>,
    booted_at: i64,
    /// Integral of the hash rate at the last boot, GH.
    work_at_boot: f64,
    reboots: u64,
}

impl Machine {
    /// A board that has long been mining at its delivered settings, or has long been stopped.
    pub(super) fn new(profile: Profile, seed: u64, mining: bool, now: UtcMillis) -> Self {
        let (now, plate) = (now.0, profile.plate());
        let mut machine = Self {
            profile,
            plate,
            seed,
            stage: Stage::Stopped,
            paused: false,
            shutdown: false,
            overheated: false,
            cools_until: None,
            tripped: false,
            broken: false,
            announced: None,
            frequency: plate.frequency,
            core_voltage: plate.core_voltage,
            auto_fan: true,
            manual_fan: 100.0,
            reboot_ms: REBOOT_MS,
            clock: Line::new(now, 0.0),
            hash: Line::new(now, 0.0),
            power: Line::new(now, plate.idle_watts),
            cores_on: false,
            frozen: None,
            idle_since: Some(now),
            booted_at: now.saturating_sub(HAS_BEEN_UP_MS),
            work_at_boot: 0.0,
            reboots: 0,
        };
        machine.force(UtcMillis(now), if mining { Forced::Mining } else { Forced::Stopped });
        machine
    }

    /// Lets everything happen that is due by `now`.
    pub(super) fn advance(&mut self, now: UtcMillis) {
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= now.0) {
            match event {
                Event::StageOver => self.stage_over(at),
                Event::Announced(Announced::Reboot) => self.reboot(at),
                Event::Announced(Announced::Shutdown) => {
                    self.announced = None;
                    self.shutdown = true;
                    self.cut(at);
                }
                Event::CooledDown => {
                    (self.cools_until, self.overheated, self.frozen) = (None, false, None);
                    self.frequency = (self.frequency - OVERHEATED_LESS).max(LOWEST_MHZ);
                    self.core_voltage = (self.core_voltage - OVERHEATED_LESS).max(OVERHEATED_LESS);
                    self.reconsider(at);
                }
            }
        }
    }

    fn next_event(&self) -> Option<(i64, Event)> {
        let stage = match self.stage {
            Stage::Mining | Stage::Stopped => None,
            Stage::Rebooting { until }
            | Stage::Booting { until }
            | Stage::Waking { until }
            | Stage::RampingUp { until }
            | Stage::RampingDown { until }
            | Stage::Settling { until } => Some((until, Event::StageOver)),
        };
        let announced = self.announced.map(|(at, what)| (at, Event::Announced(what)));
        let cooled = self.cools_until.map(|at| (at, Event::CooledDown));
        [stage, announced, cooled].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn stage_over(&mut self, at: i64) {
        match self.stage {
            Stage::Rebooting { .. } => {
                self.booted_at = at;
                self.work_at_boot = self.hash.integral(at);
                self.stage = Stage::Booting { until: at.saturating_add(BOOTING_MS) };
            }
            Stage::Booting { .. } => {
                self.stage = Stage::Stopped;
                self.tripped = self.broken;
                self.reconsider(at);
                // Its power loop runs beside the start.
                self.frozen = None;
            }
            Stage::Waking { .. } => {
                let during = ramp_ms(self.frequency);
                self.stage = Stage::RampingUp { until: at.saturating_add(during) };
                self.idle_since = None;
                self.clock.go(at, LOWEST_MHZ, 0);
                self.run_at(at, LOWEST_MHZ, 0);
                self.run_at(at, self.frequency, during);
            }
            Stage::RampingUp { .. } => {
                self.stage = Stage::Mining;
                self.frozen = None;
                self.reconsider(at);
            }
            Stage::RampingDown { .. } => {
                self.switch_cores_off(at);
                self.stage = Stage::Settling { until: at.saturating_add(SETTLING_MS) };
            }
            Stage::Settling { .. } => {
                self.stage = Stage::Stopped;
                // An overheated board's loop waits for the end of its time to cool down.
                if self.cools_until.is_none() {
                    self.frozen = None;
                }
                self.reconsider(at);
            }
            Stage::Mining | Stage::Stopped => {}
        }
    }

    /// Begins what the flags ask for. A ramp under way is finished first: the loop that would notice is busy with it.
    fn reconsider(&mut self, at: i64) {
        match self.stage {
            Stage::Mining if !self.wants_to_mine() => {
                self.freeze(at);
                let during = ramp_ms(self.clock.value(at));
                self.stage = Stage::RampingDown { until: at.saturating_add(during) };
                self.idle_since = Some(at);
                self.run_at(at, LOWEST_MHZ, during);
            }
            Stage::Stopped if self.wants_to_mine() => {
                self.freeze(at);
                self.cores_on = true;
                self.power.go(at, self.plate.offset_watts, 0);
                self.stage = Stage::Waking { until: at.saturating_add(WAKING_MS) };
            }
            _ => {}
        }
    }

    fn wants_to_mine(&self) -> bool {
        !self.paused && !self.shutdown && !self.overheated && !self.tripped
    }

    fn freeze(&mut self, at: i64) {
        if self.frozen.is_none() {
            self.frozen = Some(self.measure(at));
        }
    }

    /// Sets clock, hash rate and power on their way to `mhz`.
    fn run_at(&mut self, at: i64, mhz: f64, during: i64) {
        self.clock.go(at, mhz, during);
        self.hash.go(at, self.gigahashes(mhz), during);
        self.power.go(at, self.watts_at(mhz), during);
    }

    fn switch_cores_off(&mut self, at: i64) {
        self.cores_on = false;
        self.clock.go(at, 0.0, 0);
        self.hash.go(at, 0.0, 0);
        self.power.go(at, self.plate.idle_watts, 0);
    }

    /// Switches the chips off without a ramp.
    fn cut(&mut self, at: i64) {
        if self.rebooting() {
            return;
        }
        self.switch_cores_off(at);
        self.idle_since.get_or_insert(at);
        (self.stage, self.frozen) = (Stage::Stopped, None);
    }

    fn reboot(&mut self, at: i64) {
        self.switch_cores_off(at);
        self.idle_since.get_or_insert(at);
        (self.announced, self.cools_until, self.frozen) = (None, None, None);
        (self.paused, self.shutdown, self.overheated, self.tripped) = (false, false, false, false);
        self.reboots += 1;
        self.stage = Stage::Rebooting { until: at.saturating_add(self.reboot_ms) };
    }

    /// Pauses or resumes: the flag at once, the chips as the loop gets to it.
    pub(super) fn pause(&mut self, now: UtcMillis, paused: bool) {
        self.paused = paused;
        self.reconsider(now.0);
    }

    /// Restarts a moment after this was answered.
    pub(super) fn announce_reboot(&mut self, now: UtcMillis) {
        self.announced = Some((now.0.saturating_add(AFTER_ANSWER_MS), Announced::Reboot));
    }

    /// Switches the chips off a moment after this was answered.
    pub(super) fn announce_shutdown(&mut self, now: UtcMillis) {
        if self.announced.is_none() {
            self.announced = Some((now.0.saturating_add(AFTER_ANSWER_MS), Announced::Shutdown));
        }
    }

    /// Takes up another frequency (MHz) or core voltage (mV). A running board is ramped to it.
    pub(super) fn set_clock(&mut self, now: UtcMillis, frequency: f64, core_voltage: f64) {
        if (frequency.to_bits(), core_voltage.to_bits())
            == (self.frequency.to_bits(), self.core_voltage.to_bits())
        {
            return;
        }
        (self.frequency, self.core_voltage) = (frequency, core_voltage);
        if self.stage == Stage::Mining {
            let way = (frequency - self.clock.value(now.0)).abs();
            self.run_at(now.0, frequency, (way / MHZ_PER_SECOND * 1000.0) as i64);
        }
    }

    /// Clears the overheat flag that old firmware keeps.
    pub(super) fn clear_overheat(&mut self, now: UtcMillis) {
        if self.cools_until.is_none() {
            self.overheated = false;
            if self.profile.recovers() {
                self.reconsider(now.0);
            }
        }
    }

    /// What the faults say of the regulator, and of how long a restart takes.
    pub(super) fn suffer(&mut self, now: UtcMillis, broken: bool, reboot_seconds: Option<u64>) {
        self.reboot_ms = reboot_seconds
            .map_or(REBOOT_MS, |seconds| i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX));
        self.broken = broken;
        if broken && !self.tripped && !self.rebooting() {
            self.tripped = true;
            self.cut(now.0);
        }
    }

    /// Puts the board into a state.
    pub(super) fn force(&mut self, now: UtcMillis, forced: Forced) {
        let at = now.0;
        match forced {
            Forced::Mining => {
                (self.paused, self.shutdown, self.overheated, self.tripped) = (false, false, false, false);
                (self.announced, self.cools_until, self.frozen) = (None, None, None);
                (self.cores_on, self.stage, self.idle_since) = (true, Stage::Mining, None);
                self.run_at(at, self.frequency, 0);
            }
            Forced::Stopped => {
                (self.announced, self.cools_until) = (None, None);
                (self.paused, self.shutdown) = (!self.profile.is_nerd(), self.profile.is_nerd());
                self.stage = Stage::Stopped;
                self.cut(at);
            }
            Forced::Overheats => {
                if self.rebooting() {
                    return;
                }
                self.overheated = true;
                (self.auto_fan, self.manual_fan) = (false, 100.0);
                if self.profile.is_nerd() {
                    (self.overheated, self.shutdown) = (false, true);
                }
                if self.profile.recovers() {
                    self.freeze(at);
                    self.cools_until = Some(at.saturating_add(COOLING_MS));
                }
                self.reconsider(at);
            }
            Forced::Reboots => self.reboot(at),
        }
    }

    /// Hash rate at a clock: every small core hashes once a cycle, GH/s.
    fn gigahashes(&self, mhz: f64) -> f64 {
        mhz * f64::from(self.plate.cores * self.plate.chips) / 1000.0
    }

    /// Power at a clock and the set core voltage, W.
    fn watts_at(&self, mhz: f64) -> f64 {
        let volts = self.core_voltage / 1000.0;
        self.plate.offset_watts + self.plate.watts_per_mhz_v2 * mhz * volts * volts
    }

    /// The board restarts: nothing answers.
    pub(super) fn rebooting(&self) -> bool {
        matches!(self.stage, Stage::Rebooting { .. })
    }

    /// It has said that it will restart.
    pub(super) fn restarts_soon(&self) -> bool {
        matches!(self.announced, Some((_, Announced::Reboot)))
    }

    /// It has been paused.
    pub(super) fn paused(&self) -> bool {
        self.paused
    }

    /// It has been shut down.
    pub(super) fn is_shut_down(&self) -> bool {
        self.shutdown
    }

    /// The overheat flag.
    pub(super) fn overheated(&self) -> bool {
        self.overheated
    }

    /// A fault of the regulator keeps it off.
    pub(super) fn tripped(&self) -> bool {
        self.tripped
    }

    /// Power at the input at an instant up to two hours ago, W.
    pub(super) fn watts(&self, at: UtcMillis) -> f64 {
        self.power.value(at.0)
    }

    /// Clock now, MHz.
    pub(super) fn actual_frequency(&self, now: UtcMillis) -> f64 {
        self.clock.value(now.0)
    }

    /// Core voltage as it is measured, mV.
    pub(super) fn actual_core_voltage(&self) -> f64 {
        if self.cores_on { self.core_voltage * 0.995 } else { 0.0 }
    }

    /// Hash rate that the settings promise, GH/s; 0 while the loop doesn't mine.
    pub(super) fn expected_gigahashes(&self) -> f64 {
        if self.wants_to_mine() { self.gigahashes(self.frequency) } else { 0.0 }
    }

    /// Hash rate as it is told, with its noise, GH/s.
    pub(super) fn told_gigahashes(&self, now: UtcMillis) -> f64 {
        let every = self.profile.hash_rate_every_ms();
        let renewed = now.0.div_euclid(every).saturating_mul(every);
        let noise = 2.0 * noise::unit(self.seed ^ SEED_HASH, renewed) - 1.0;
        self.hash.value(renewed) * (1.0 + self.profile.hash_rate_noise() * noise)
    }

    /// Hash rate over the last so many seconds, GH/s. It stands still while nothing is hashed.
    pub(super) fn average_gigahashes(&self, now: UtcMillis, seconds: i64) -> f64 {
        let end = self.idle_since.unwrap_or(now.0).min(now.0);
        self.hash.mean(end.saturating_sub(seconds.saturating_mul(1000)), end)
    }

    /// Shares since the boot.
    pub(super) fn shares(&self, now: UtcMillis) -> u64 {
        ((self.hash.integral(now.0) - self.work_at_boot) / GIGAHASHES_PER_SHARE).max(0.0) as u64
    }

    /// Time since the boot, s.
    pub(super) fn uptime_seconds(&self, now: UtcMillis) -> u64 {
        u64::try_from(now.0.saturating_sub(self.booted_at) / 1000).unwrap_or(0)
    }

    /// Duty of the fan, percent: a paused board's fan is fixed.
    pub(super) fn fan_percent(&self) -> f64 {
        if !self.cores_on && !self.overheated {
            30.0
        } else if self.auto_fan {
            55.0
        } else {
            self.manual_fan
        }
    }

    /// What is told of the sensors.
    pub(super) fn measured(&self, now: UtcMillis) -> Measured {
        self.frozen.unwrap_or_else(|| self.measure(now.0))
    }

    /// What the sensors read.
    fn measure(&self, at: i64) -> Measured {
        let wobble = 1.0 + 0.01 * (2.0 * noise::smooth(self.seed ^ SEED_POWER, at, 7000) - 1.0);
        let volts = self.plate.nominal_voltage * if self.cores_on { 1.02 } else { 1.04 };
        let drawn = self.power.value(at);
        let (power, current) = match self.plate.sensor {
            Sensor::Input => (drawn * wobble, drawn * wobble / volts),
            Sensor::Core => {
                let cores =
                    if self.cores_on { (drawn - self.plate.offset_watts).max(0.0) * wobble } else { 0.0 };
                let core_volts = self.core_voltage / 1000.0;
                (cores + self.plate.offset_watts, cores / core_volts)
            }
        };
        let warmth = self.power.mean(at.saturating_sub(WARMING_MS), at) / self.delivered_watts();
        let temp = if !self.cores_on && self.plate.blind_when_off {
            -1.0
        } else {
            ROOM_CELSIUS + HOTTER_CELSIUS * warmth
        };
        let vr_temp = match self.plate.sensor {
            Sensor::Core => ROOM_CELSIUS + 5.0 + HOTTER_CELSIUS * warmth,
            Sensor::Input => 0.0,
        };
        Measured { power, voltage: volts * 1000.0, current: current * 1000.0, temp, vr_temp }
    }

    fn delivered_watts(&self) -> f64 {
        let volts = self.plate.core_voltage / 1000.0;
        self.plate.offset_watts + self.plate.watts_per_mhz_v2 * self.plate.frequency * volts * volts
    }

    /// What it does in truth.
    pub(super) fn truth(&self, now: UtcMillis) -> AxeosTruth {
        AxeosTruth {
            at: now,
            phase: match self.stage {
                Stage::Rebooting { .. } => Phase::Rebooting,
                Stage::Booting { .. } => Phase::Booting,
                Stage::Waking { .. } => Phase::Waking,
                Stage::RampingUp { .. } => Phase::RampingUp,
                Stage::Mining => Phase::Mining,
                Stage::RampingDown { .. } => Phase::RampingDown,
                Stage::Settling { .. } => Phase::Settling,
                Stage::Stopped => Phase::Stopped,
            },
            paused: self.paused,
            shutdown: self.shutdown,
            overheated: self.overheated,
            tripped: self.tripped,
            watts: self.power.value(now.0),
            hashrate_ths: self.hash.value(now.0) / 1000.0,
            frequency_mhz: self.frequency,
            core_voltage_mv: self.core_voltage,
            uptime_seconds: self.uptime_seconds(now),
            reboots: self.reboots,
            energy_watt_hours: self.power.integral(now.0) / 3600.0,
        }
    }
}

/// How long the clock takes between its lowest and `mhz`, ms.
fn ramp_ms(mhz: f64) -> i64 {
    ((mhz - LOWEST_MHZ).max(0.0) / MHZ_PER_SECOND * 1000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcMillis = UtcMillis(1_790_000_000_000);

    fn after(seconds: f64) -> UtcMillis {
        UtcMillis(START.0 + (seconds * 1000.0) as i64)
    }

    fn machine(profile: Profile) -> Machine {
        Machine::new(profile, 1, true, START)
    }

    /// The machine at so many seconds after the start.
    fn at(machine: &mut Machine, seconds: f64) -> AxeosTruth {
        machine.advance(after(seconds));
        machine.truth(after(seconds))
    }

    #[test]
    fn the_power_is_that_of_the_formula() {
        for (profile, watts) in [
            (Profile::Ultra245, 12.0),
            (Profile::Supra245, 14.0),
            (Profile::Gamma215, 18.9),
            (Profile::NerdQaxe11, 71.5),
        ] {
            let drawn = machine(profile).truth(START).watts;
            assert!((drawn - watts).abs() < 0.2, "{profile}: {drawn} W");
        }
    }

    #[test]
    fn a_pause_ramps_down_in_seven_seconds_and_a_half() {
        let mut machine = machine(Profile::Gamma215);
        let mining = machine.measured(after(9.0)).power;
        machine.advance(after(10.0));
        machine.pause(after(10.0), true);
        let frozen = machine.measured(after(10.0));
        assert!(machine.expected_gigahashes() < 1.0, "at once");
        let half = at(&mut machine, 13.8);
        assert_eq!(half.phase, Phase::RampingDown);
        assert!((8.0..14.0).contains(&half.watts), "{}", half.watts);
        assert_eq!(machine.measured(after(13.8)), frozen);
        assert!((frozen.power - mining).abs() < 1.0);
        assert_eq!(at(&mut machine, 17.7).phase, Phase::Settling);
        let stopped = at(&mut machine, 18.3);
        assert_eq!((stopped.phase, stopped.paused), (Phase::Stopped, true));
        assert!((stopped.watts - 2.0).abs() < 1e-9);
        let told = machine.measured(after(18.3));
        assert!((told.power - 5.0).abs() < 1e-9, "the offset, whatever is drawn");
        assert!((told.temp + 1.0).abs() < 1e-9);
        assert!((machine.fan_percent() - 30.0).abs() < 1e-9);
        assert!(machine.told_gigahashes(after(18.3)).abs() < 1e-9);
        assert!(machine.average_gigahashes(after(4000.0), 60) > 1000.0, "averages stand still");
    }

    #[test]
    fn a_resume_during_the_ramp_comes_after_it() {
        let mut machine = machine(Profile::Gamma215);
        machine.pause(START, true);
        machine.advance(after(2.0));
        machine.pause(after(2.0), false);
        assert_eq!(at(&mut machine, 7.0).phase, Phase::RampingDown);
        assert_eq!(at(&mut machine, 9.0).phase, Phase::Waking);
        assert_eq!(at(&mut machine, 12.0).phase, Phase::RampingUp);
        assert_eq!(at(&mut machine, 20.0).phase, Phase::Mining);
    }

    #[test]
    fn a_restart_forgets_the_pause() {
        let mut machine = machine(Profile::Gamma215);
        machine.pause(START, true);
        machine.advance(after(30.0));
        machine.announce_reboot(after(30.0));
        assert_eq!(at(&mut machine, 30.9).phase, Phase::Stopped);
        assert_eq!(at(&mut machine, 31.0).phase, Phase::Rebooting);
        let up = at(&mut machine, 39.0);
        assert_eq!((up.phase, up.paused, up.uptime_seconds), (Phase::Booting, false, 0));
        let mining = at(&mut machine, 70.0);
        assert_eq!((mining.phase, mining.reboots), (Phase::Mining, 1));
    }

    #[test]
    fn an_overheated_board_comes_back_with_less() {
        let mut new = machine(Profile::Gamma215);
        new.force(START, Forced::Overheats);
        let frozen = new.measured(START);
        let hot = at(&mut new, 30.0);
        assert_eq!((hot.phase, hot.overheated), (Phase::Stopped, true));
        assert_eq!(new.measured(after(30.0)), frozen, "its loop waits");
        let back = at(&mut new, 60.0);
        assert_eq!((back.phase, back.overheated), (Phase::Mining, false));
        assert!((back.frequency_mhz - 425.0).abs() < 1e-9 && (back.core_voltage_mv - 1050.0).abs() < 1e-9);

        let mut old = machine(Profile::Ultra245);
        old.force(START, Forced::Overheats);
        assert!(at(&mut old, 86_400.0).overheated, "old firmware stays off");
    }

    #[test]
    fn a_regulator_fault_needs_a_restart() {
        let mut machine = machine(Profile::Gamma215);
        machine.suffer(START, true, None);
        assert_eq!(at(&mut machine, 1.0).phase, Phase::Stopped);
        machine.suffer(after(2.0), false, None);
        machine.pause(after(2.0), false);
        assert_eq!(at(&mut machine, 60.0).phase, Phase::Stopped);
        machine.announce_reboot(after(60.0));
        assert_eq!(at(&mut machine, 120.0).phase, Phase::Mining);
    }

    #[test]
    fn looking_often_changes_nothing() {
        let (mut often, mut once) = (machine(Profile::Gamma215), machine(Profile::Gamma215));
        for machine in [&mut often, &mut once] {
            machine.pause(START, true);
        }
        for tenth in 0..600 {
            often.advance(after(f64::from(tenth) / 10.0));
        }
        assert_eq!(at(&mut often, 60.0), at(&mut once, 60.0));
    }
}
