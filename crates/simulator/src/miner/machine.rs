//! The machine itself: mining process, ramp, power and hash rate over simulated time. It knows nothing of protocols.
//!
//! What happens by itself (the end of the dead time, of the ramp, of a reboot) happens at instants that follow from
//! what happened before, never from when somebody looked.

use super::{Forced, MinerTruth, Phase, Physics, curve::Curve};
use model::UtcMillis;
use std::collections::VecDeque;

/// Changes that wait for their time at most.
const MOST_WAITING: usize = 256;
/// A machine in a crash loop takes at least this long for a round, s: time jumps must not hang.
const SHORTEST_CRASH_PERIOD_S: f64 = 10.0;
/// How long a machine that starts its life running has been up, s.
const HAS_BEEN_UP_S: f64 = 36_000.0;

/// How quickly a percentage acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Fast,
    Normal,
}

/// The power mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PowerMode {
    Low,
    Normal,
    High,
}

/// Something that a write does to the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// Switches the mining service off. Some firmware switches it on again by itself some seconds later.
    Stop { resumes_after_s: Option<u64> },
    /// Switches the mining service on; nothing if it is.
    Start,
    /// Restarts the mining process; a service that is off comes on.
    Restart,
    /// Restarts the control board, and with it the mining service.
    Reboot { seconds: f64 },
    /// Stores a power limit, W, and restarts a running mining process, even if the limit is the one it has.
    Limit(u32),
    /// Sets the power to a share of what it is at the present limit. It lasts until the next start.
    Percent { percent: u8, pace: Pace },
    /// Takes the percentage back.
    RestorePercent,
    /// Sets the power mode and restarts a running mining process.
    Mode(PowerMode),
    /// Stores a target power, W (0 is none): in force at once after the ramp, else at the next start.
    PowerTarget(u32),
    /// Stores how quickly the next ramp rises, 0 ..= 10.
    UpfreqSpeed(u8),
    /// Stores whether the next start is a quick one.
    FastBoot(bool),
}

/// Where the mining process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Off,
    Booting { since: i64 },
    Ramping { since: i64 },
    Stable { since: i64 },
    BoardRebooting { until: i64 },
}

/// What the machine does by itself.
#[derive(Debug, Clone, Copy)]
enum Event {
    BoardUp,
    DeadTimeOver,
    RampFinished,
    Crash,
    Resume,
    Waiting,
}

/// What is stored in the machine and survives a restart of the mining process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    /// W, as it was set.
    pub(super) limit: u32,
    pub(super) mode: PowerMode,
    /// W; 0 is none.
    pub(super) power_target: u32,
    /// 0 ..= 10.
    pub(super) upfreq_speed: u8,
    pub(super) fast_boot: bool,
}

/// One machine. Every instant handed in must be at or after the one before.
pub(super) struct Machine {
    physics: Physics,
    rated_watts: f64,
    stage: Stage,
    stored: Stored,
    /// The target power that this run of the mining process obeys, W.
    power_target_in_force: u32,
    /// Time from a start of the mining process to the first hash, s.
    dead_time_s: f64,
    /// Time constant of this run's ramp, and when it ends after the start, s.
    ramp_tau_s: f64,
    ramp_s: f64,
    percent: Option<u8>,
    power: Curve,
    hash: Curve,
    /// Integral of the hash rate at the start of the mining process, TH.
    work_at_start: f64,
    /// How long the last ramp took, s.
    stable_cost_s: f64,
    booted_at: i64,
    stopped_at: Option<i64>,
    resumes_at: Option<i64>,
    /// Power below which this machine can't run, W, and since when it has tried to.
    crash_below: Option<f64>,
    unstable_since: Option<i64>,
    waiting: VecDeque<(i64, Change)>,
    starts: u64,
    restarts: u64,
}

impl Machine {
    /// A machine at its rated power with the ramp long finished, or one that has long been off.
    pub(super) fn new(physics: Physics, rated_watts: u32, running: bool, now: UtcMillis) -> Self {
        let now = now.0;
        let mut machine = Self {
            power: Curve::new(now, physics.idle_watts),
            hash: Curve::new(now, 0.0),
            rated_watts: f64::from(rated_watts),
            stage: Stage::Off,
            stored: Stored {
                limit: rated_watts,
                mode: PowerMode::Normal,
                power_target: 0,
                upfreq_speed: 0,
                fast_boot: false,
            },
            power_target_in_force: 0,
            dead_time_s: physics.dead_time_s,
            ramp_tau_s: 0.0,
            ramp_s: 0.0,
            percent: None,
            work_at_start: 0.0,
            stable_cost_s: 0.0,
            booted_at: now.saturating_sub(millis(HAS_BEEN_UP_S)),
            stopped_at: None,
            resumes_at: None,
            crash_below: None,
            unstable_since: None,
            waiting: VecDeque::new(),
            starts: 0,
            restarts: 0,
            physics,
        };
        if running {
            machine.force(UtcMillis(now), Forced::Stable { limit_watts: rated_watts });
        }
        machine
    }

    /// Lets everything happen that is due by `now`.
    pub(super) fn advance(&mut self, now: UtcMillis) {
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= now.0) {
            match event {
                Event::BoardUp => {
                    self.booted_at = at;
                    self.begin(at);
                }
                Event::DeadTimeOver => self.ramp(at),
                Event::RampFinished => self.finish_ramp(),
                Event::Crash => self.restart(at),
                Event::Resume => self.start(at),
                Event::Waiting => {
                    if let Some((_, change)) = self.waiting.pop_front() {
                        self.apply(UtcMillis(at), change);
                    }
                }
            }
        }
    }

    fn next_event(&self) -> Option<(i64, Event)> {
        let stage = match self.stage {
            Stage::Off | Stage::Stable { .. } => None,
            Stage::Booting { since } => {
                Some((since.saturating_add(millis(self.dead_time_s)), Event::DeadTimeOver))
            }
            Stage::Ramping { since } => {
                Some((since.saturating_add(millis(self.ramp_s)), Event::RampFinished))
            }
            Stage::BoardRebooting { until } => Some((until, Event::BoardUp)),
        };
        // Of several at one instant the first in this order happens first.
        let period = millis(self.physics.crash_period_s.max(SHORTEST_CRASH_PERIOD_S));
        let crash = self.unstable_since.map(|since| (since.saturating_add(period), Event::Crash));
        let resume = self.resumes_at.map(|at| (at, Event::Resume));
        let waiting = self.waiting.front().map(|(at, _)| (*at, Event::Waiting));
        [stage, crash, resume, waiting].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Whether a change would take effect now: a percentage needs a finished ramp.
    pub(super) fn accepts(&self, change: Change) -> bool {
        !matches!(change, Change::Percent { .. } | Change::RestorePercent) || self.ramp_finished()
    }

    /// Makes a change later. `false` if too many wait already.
    #[must_use]
    pub(super) fn schedule(&mut self, at: UtcMillis, change: Change) -> bool {
        if self.waiting.len() >= MOST_WAITING {
            return false;
        }
        let after = self.waiting.partition_point(|(earlier, _)| *earlier <= at.0);
        self.waiting.insert(after, (at.0, change));
        true
    }

    /// Makes a change now.
    pub(super) fn apply(&mut self, now: UtcMillis, change: Change) {
        if self.board_rebooting() || !self.accepts(change) {
            return;
        }
        let now = now.0;
        match change {
            Change::Stop { resumes_after_s } => {
                self.stop(now);
                self.resumes_at = resumes_after_s.map(|seconds| now.saturating_add(millis(seconds as f64)));
            }
            Change::Start => self.start(now),
            Change::Restart => self.restart(now),
            Change::Reboot { seconds } => self.reboot(now, seconds),
            Change::Limit(watts) => {
                self.stored.limit = watts;
                self.restart_if_on(now);
            }
            Change::Percent { percent, pace } => {
                self.percent = Some(percent);
                self.retarget(now, pace);
            }
            Change::RestorePercent => {
                self.percent = None;
                self.retarget(now, Pace::Normal);
            }
            Change::Mode(mode) => {
                self.stored.mode = mode;
                self.restart_if_on(now);
            }
            Change::PowerTarget(watts) => {
                self.stored.power_target = watts;
                if self.ramp_finished() {
                    self.power_target_in_force = watts;
                    self.retarget(now, Pace::Normal);
                }
            }
            Change::UpfreqSpeed(speed) => self.stored.upfreq_speed = speed.min(10),
            Change::FastBoot(on) => self.stored.fast_boot = on,
        }
    }

    /// Puts the machine into a state at once.
    pub(super) fn force(&mut self, now: UtcMillis, forced: Forced) {
        let now = now.0;
        match forced {
            Forced::Off => {
                self.stop(now);
                self.power.reset(now, self.physics.idle_watts);
                self.hash.reset(now, 0.0);
            }
            Forced::Running => self.start(now),
            Forced::Stable { limit_watts } => {
                self.stored.limit = limit_watts;
                self.begin(now);
                self.stage = Stage::Ramping { since: now.saturating_sub(millis(self.ramp_s)) };
                self.finish_ramp();
                self.power.reset(now, self.target_watts());
                self.hash.reset(now, self.hash_rate_for(self.target_watts()));
                self.work_at_start = self.hash.integral(now) - self.hash.value(now) * self.ramp_s;
                self.reconsider_stability(now);
            }
        }
    }

    /// Time from a start of the mining process to the first hash, s, from now on.
    pub(super) fn set_dead_time(&mut self, seconds: f64) {
        self.dead_time_s = seconds;
    }

    /// Power below which the machine can't run, W; `None` if it can run at any.
    pub(super) fn set_crash_below(&mut self, now: UtcMillis, watts: Option<u32>) {
        self.crash_below = watts.map(f64::from);
        self.reconsider_stability(now.0);
    }

    fn start(&mut self, now: i64) {
        if !self.service_on() {
            self.begin(now);
        }
    }

    fn restart(&mut self, now: i64) {
        if self.process_up() {
            self.restarts += 1;
        }
        self.begin(now);
    }

    fn restart_if_on(&mut self, now: i64) {
        if self.service_on() {
            self.restart(now);
        }
    }

    /// The mining process starts.
    fn begin(&mut self, now: i64) {
        self.starts += 1;
        self.stage = Stage::Booting { since: now };
        self.stable_cost_s = 0.0;
        self.percent = None;
        self.power_target_in_force = self.stored.power_target;
        self.ramp_tau_s = self.physics.ramp_tau(self.stored.upfreq_speed, self.stored.fast_boot);
        // Who recalibrates longer than the ramp lasts ramps afterwards.
        let ramp_s = self.physics.stable_after(self.stored.upfreq_speed, self.stored.fast_boot);
        self.ramp_s = ramp_s.max(self.dead_time_s);
        (self.stopped_at, self.resumes_at, self.unstable_since) = (None, None, None);
        self.power.approach(now, self.physics.boot_watts, self.physics.stop_tau_s);
        // The averages of a run don't look back at the run before.
        self.hash.reset(now, 0.0);
        self.work_at_start = self.hash.integral(now);
        self.reconsider_stability(now);
    }

    fn ramp(&mut self, now: i64) {
        if let Stage::Booting { since } = self.stage {
            self.stage = Stage::Ramping { since };
            self.approach_target(now, self.ramp_tau_s);
        }
    }

    fn finish_ramp(&mut self) {
        if let Stage::Ramping { since } = self.stage {
            self.stage = Stage::Stable { since };
            self.stable_cost_s = self.ramp_s;
        }
    }

    fn stop(&mut self, now: i64) {
        self.stage = Stage::Off;
        self.stopped_at = Some(now);
        self.percent = None;
        (self.resumes_at, self.unstable_since) = (None, None);
        self.power.approach(now, self.physics.idle_watts, self.physics.stop_tau_s);
        self.hash.approach(now, 0.0, self.physics.stop_tau_s / 2.0);
    }

    fn reboot(&mut self, now: i64, seconds: f64) {
        self.stop(now);
        self.stopped_at = None;
        self.stage = Stage::BoardRebooting { until: now.saturating_add(millis(seconds)) };
    }

    /// The set power has changed in a machine that runs.
    fn retarget(&mut self, now: i64, pace: Pace) {
        let tau = match pace {
            Pace::Fast => self.physics.fast_percent_tau_s,
            Pace::Normal => self.physics.normal_percent_tau_s,
        };
        self.approach_target(now, tau);
        self.reconsider_stability(now);
    }

    fn approach_target(&mut self, now: i64, tau: f64) {
        let target = self.target_watts();
        self.power.approach(now, target, tau);
        self.hash.approach(now, self.hash_rate_for(target), tau * self.physics.hash_lag);
    }

    fn reconsider_stability(&mut self, now: i64) {
        let too_low = self.crash_below.is_some_and(|floor| self.process_up() && self.target_watts() < floor);
        self.unstable_since = too_low.then(|| self.unstable_since.unwrap_or(now));
    }

    /// Hash rate at a settled power, TH/s.
    fn hash_rate_for(&self, watts: f64) -> f64 {
        let span = self.rated_watts - self.physics.idle_watts;
        if span <= 0.0 {
            return 0.0;
        }
        (self.rated_hash_rate() * (watts - self.physics.idle_watts) / span).max(0.0)
    }

    /// Hash rate at rated power, TH/s.
    pub(super) fn rated_hash_rate(&self) -> f64 {
        self.rated_watts / self.physics.joules_per_terahash
    }

    /// Hash rate that the present settings lead to, TH/s.
    pub(super) fn target_hash_rate(&self) -> f64 {
        self.hash_rate_for(self.target_watts())
    }

    /// The limit in force from the stored limit, the mode and the target power, W.
    pub(super) fn limit_in_force(&self) -> f64 {
        let unless_zero = |watts: u32| if watts == 0 { f64::INFINITY } else { f64::from(watts) };
        let by_mode = match self.stored.mode {
            PowerMode::Low => self.rated_watts * self.physics.low_mode_share,
            PowerMode::Normal | PowerMode::High => self.rated_watts,
        };
        by_mode.min(unless_zero(self.stored.limit)).min(unless_zero(self.power_target_in_force))
    }

    fn target_watts(&self) -> f64 {
        let share = self.percent.map_or(1.0, |percent| f64::from(percent) / 100.0);
        (self.limit_in_force() * share).max(self.physics.idle_watts)
    }

    /// Switched on, whether or not it hashes.
    pub(super) fn service_on(&self) -> bool {
        self.stage != Stage::Off
    }

    /// The mining process exists.
    pub(super) fn process_up(&self) -> bool {
        matches!(self.stage, Stage::Booting { .. } | Stage::Ramping { .. } | Stage::Stable { .. })
    }

    /// The mining process hashes: the limit is in force.
    pub(super) fn hashing(&self) -> bool {
        matches!(self.stage, Stage::Ramping { .. } | Stage::Stable { .. })
    }

    pub(super) fn ramp_finished(&self) -> bool {
        matches!(self.stage, Stage::Stable { .. })
    }

    pub(super) fn board_rebooting(&self) -> bool {
        matches!(self.stage, Stage::BoardRebooting { .. })
    }

    pub(super) fn stored(&self) -> Stored {
        self.stored
    }

    pub(super) fn percent(&self) -> Option<u8> {
        self.percent
    }

    pub(super) fn stopped_at(&self) -> Option<UtcMillis> {
        self.stopped_at.map(UtcMillis)
    }

    /// How long the last ramp took, s; 0 until it has finished.
    pub(super) fn stable_cost_s(&self) -> f64 {
        self.stable_cost_s
    }

    pub(super) fn physics(&self) -> &Physics {
        &self.physics
    }

    /// Seconds since the mining process started; 0 while it is down.
    pub(super) fn elapsed_s(&self, now: UtcMillis) -> f64 {
        match self.stage {
            Stage::Off | Stage::BoardRebooting { .. } => 0.0,
            Stage::Booting { since } | Stage::Ramping { since } | Stage::Stable { since } => {
                now.0.saturating_sub(since) as f64 / 1000.0
            }
        }
    }

    /// Seconds since the control board booted.
    pub(super) fn uptime_s(&self, now: UtcMillis) -> f64 {
        if self.board_rebooting() { 0.0 } else { now.0.saturating_sub(self.booted_at).max(0) as f64 / 1000.0 }
    }

    /// Power at an instant up to the present, W.
    pub(super) fn watts(&self, at: UtcMillis) -> f64 {
        self.power.value(at.0)
    }

    /// Mean power over the last `seconds`, W.
    pub(super) fn mean_watts(&self, now: UtcMillis, seconds: f64) -> f64 {
        self.power.mean(now.0.saturating_sub(millis(seconds)), now.0)
    }

    /// Mean hash rate over the last `seconds` of this run of the mining process, TH/s.
    pub(super) fn mean_hash_rate(&self, now: UtcMillis, seconds: f64) -> f64 {
        self.hash.mean(now.0.saturating_sub(millis(seconds)), now.0)
    }

    /// Mean hash rate since the mining process started, TH/s.
    pub(super) fn average_hash_rate(&self, now: UtcMillis) -> f64 {
        let elapsed = self.elapsed_s(now);
        if elapsed > 0.0 {
            ((self.hash.integral(now.0) - self.work_at_start) / elapsed).max(0.0)
        } else {
            0.0
        }
    }

    /// What it does in truth.
    pub(super) fn truth(&self, now: UtcMillis) -> MinerTruth {
        MinerTruth {
            at: now,
            phase: self.phase(),
            service_on: self.service_on(),
            watts: self.watts(now),
            target_watts: if self.process_up() { self.target_watts() } else { self.physics.idle_watts },
            hashrate_ths: self.hash.value(now.0),
            limit_watts: self.stored.limit,
            percent: self.percent,
            elapsed_seconds: self.elapsed_s(now) as u64,
            uptime_seconds: self.uptime_s(now) as u64,
            starts: self.starts,
            restarts: self.restarts,
            energy_watt_hours: self.power.integral(now.0) / 3600.0,
        }
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::Off => Phase::Off,
            Stage::BoardRebooting { .. } => Phase::BoardRebooting,
            _ if self.unstable_since.is_some() => Phase::CrashLoop,
            Stage::Booting { .. } => Phase::Booting,
            Stage::Ramping { .. } => Phase::Ramping,
            Stage::Stable { .. } => Phase::Stable,
        }
    }
}

/// Seconds as milliseconds: never negative, NaN is 0.
fn millis(seconds: f64) -> i64 {
    (seconds.max(0.0) * 1000.0).round() as i64
}

#[cfg(test)]
mod tests;
