//! Watches the law at work: every step is held against the invariants, and what breaks one is counted.
//!
//! It judges a transition from what went in and what came out and asks none of the law's own rules, so that a slip
//! there shows here. It decides nothing and changes nothing. Invariants that need more than one transition (a
//! restart, a moved wall clock, noise, energy) are left to the property tests.

use crate::{
    Decision, Observation, Policy, PowerRange, Stage, Stance, State, StopReason,
    battery::Sample,
    fleet::Share,
    ladder::{RUNGS, decile},
};
use model::{
    AlertCode, BlockedBy, CivilDay, Command, LocalTime, Means, MonoTime, PowerIntent, PowerPercent, Reason,
    Rule, SunTimes, Wanted, Watts, snapshot::MinerState,
};
use std::time::Duration;

const NAMES: [&str; 14] =
    ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9", "I10", "I11", "I12", "I14", "I15", "I18"];

const SOURCE_AHEAD: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(86_400);
const LONGEST_STALE_OFF: Duration = Duration::from_secs(3600);

/// The counters.
#[derive(Debug, Clone, Default)]
pub struct Monitor {
    counts: [u64; NAMES.len()],
}

/// The invariants that one step broke: none, or the law has a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Broken(u16);

impl Broken {
    /// Nothing was broken.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the invariants ("I1").
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(NAMES).filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }

    fn note(&mut self, name: &str, holds: bool) {
        if !holds && let Some(bit) = NAMES.iter().position(|known| *known == name) {
            self.0 |= 1 << bit;
        }
    }
}

impl Monitor {
    /// Checks one step: `before` and `seen` went in, `after` and `decision` came out.
    pub fn check(
        &mut self,
        policy: &Policy,
        before: &State,
        seen: &Observation,
        after: &State,
        decision: &Decision,
    ) -> Broken {
        let now = after.last_step.unwrap_or(seen.now);
        let transition = Transition { policy, before, seen, after, decision, now };
        let broken = transition.broken();
        if !broken.is_empty() {
            for (bit, count) in (0..).zip(&mut self.counts) {
                *count = count.saturating_add(u64::from(broken.0 >> bit & 1));
            }
        }
        broken
    }

    /// Every invariant's name and how often it was broken.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        NAMES.into_iter().zip(self.counts)
    }
}

struct Transition<'a> {
    policy: &'a Policy,
    before: &'a State,
    seen: &'a Observation,
    after: &'a State,
    decision: &'a Decision,
    now: MonoTime,
}

impl Transition<'_> {
    fn broken(&self) -> Broken {
        let mut broken = Broken::default();
        broken.note("I1", !self.emergency_reading() || self.off_is_ensured());
        broken.note("I2", self.after.ceiling <= self.before.ceiling || self.full_confirmed());
        broken.note("I3", self.bad_data_raises_nothing() && self.stale_is_off());
        broken.note("I7", self.seen.intent.power != PowerIntent::Off || self.off_is_ensured());
        broken.note("I11", self.block_is_told());
        broken.note("I14", self.off_is_shown_only_if_seen() && self.unverified_off_alarms());
        broken.note("I15", !self.safety_off() || self.off_is_ensured());
        if let Some(command) = self.decision.command
            && let (Some(percent), Some(watts)) = (command.percent(), command.watts())
        {
            broken.note("I4", self.interval_kept());
            broken.note("I5", self.on_the_ladder(command, percent));
            broken.note("I6", self.inside_the_range(watts));
            broken.note("I12", self.budget_kept());
            if let Command::Start { .. } = command {
                broken.note("I10", self.decision.reason != Reason::SunsetStart || self.sunset_start_due());
                broken.note("I18", self.start_is_granted());
            } else {
                // A power written to a miner that is off can start it.
                broken.note("I18", self.decision.doing == MinerState::Running);
            }
        }
        let bent = Broken(broken.0 & (Self::bit("I1") | Self::bit("I3") | Self::bit("I6")));
        broken.note("I9", bent.is_empty() || self.policy.check().is_ok());
        broken
    }

    fn bit(name: &str) -> u16 {
        let mut only = Broken::default();
        only.note(name, false);
        only.0
    }

    fn stale_off(&self) -> Duration {
        self.policy.stale_off.min(LONGEST_STALE_OFF)
    }

    fn emergency_reading(&self) -> bool {
        let threshold = match self.policy.emergency_soc {
            soc if (30.0..=100.0).contains(&soc) => soc,
            _ => 30.0,
        };
        self.seen.battery.is_some_and(|reading| {
            let at = reading.source_at.min(reading.fetched_at);
            !reading.lost
                && reading.soc_percent.is_some_and(|soc| (0.0..=threshold).contains(&soc))
                && self.now.since(at) < self.stale_off()
                && reading.source_at.since(self.now) <= SOURCE_AHEAD
                && self.before.battery.newest.is_none_or(|newest| reading.source_time >= newest)
        })
    }

    /// It is off, or an off goes out now, or one is out already and watched.
    fn off_is_ensured(&self) -> bool {
        match self.decision.command {
            Some(command) => return command.is_off(),
            None if self.decision.wanted != Wanted::Off => return false,
            None => {}
        }
        let last = self.after.last;
        match self.decision.doing {
            MinerState::Off => last.is_none_or(|last| last.command.is_off() || !last.stage.is_open()),
            MinerState::Unknown => last.is_some_and(|last| last.command.is_off()),
            MinerState::Running => {
                last.is_some_and(|last| last.command.is_off() && last.stage != Stage::Observed)
                    && self.decision.blocked.is_some_and(|blocked| {
                        matches!(blocked.by, BlockedBy::OffRetry | BlockedBy::CommandUnderWay)
                    })
            }
        }
    }

    fn safety_off(&self) -> bool {
        let Decision { rule, reason, wanted, .. } = *self.decision;
        wanted == Wanted::Off
            && match rule {
                Rule::Emergency | Rule::PersonOff => true,
                Rule::Stale => reason == Reason::BatteryStale,
                _ => false,
            }
    }

    /// The last good sample while it isn't stale.
    fn good(&self) -> Option<Sample> {
        self.after.battery.good.filter(|good| self.now.since(good.at) < self.stale_off())
    }

    fn full_confirmed(&self) -> bool {
        let full = match self.policy.full_soc {
            soc if (95.0..=100.0).contains(&soc) => soc,
            _ => 100.0,
        };
        let is_full = |sample: Option<Sample>| {
            sample.is_some_and(|sample| {
                sample.soc.get() >= full && self.now.since(sample.at) < self.stale_off()
            })
        };
        self.before.full_armed
            && self.after.battery.good != self.before.battery.good
            && is_full(self.after.battery.good)
            && is_full(self.after.battery.before)
            && self.after.ceiling == PowerPercent::FULL
    }

    fn is_upward(&self, command: Command) -> bool {
        match command {
            Command::Off => false,
            Command::Start { .. } => true,
            Command::SetPower { watts, .. } => {
                self.after.last.and_then(|last| last.held_before).is_none_or(|held| watts > held)
            }
        }
    }

    fn bad_data_raises_nothing(&self) -> bool {
        let Some(command) = self.decision.command.filter(|command| self.is_upward(*command)) else {
            return self.new_sample_is_good();
        };
        let Some(good) = self.good() else { return false };
        // A share may be more than its own part of what all are allowed.
        let by_the_battery = self.decision.rule == Rule::Manual
            || self.seen.share != Share::Whole
            || command.percent().is_none_or(|percent| percent <= decile(good.soc));
        by_the_battery && !self.after.battery.recovering && self.new_sample_is_good()
    }

    /// What was taken up as a good sample on this step deserved it.
    fn new_sample_is_good(&self) -> bool {
        let (Some(good), Some(reading)) = (self.after.battery.good, self.seen.battery) else { return true };
        let before = &self.before.battery;
        if before.good == Some(good) {
            return true;
        }
        let rises_too_fast = before.good.is_some_and(|earlier| {
            let minutes = good.source_time.millis_since(earlier.source_time) as f64 / 60_000.0;
            good.soc.get() - earlier.soc.get() > 15.0 * minutes.max(0.0)
        });
        let confirmed =
            before.candidate.is_some_and(|candidate| (candidate.soc.get() - good.soc.get()).abs() <= 2.0);
        !reading.lost
            && reading.source_time == good.source_time
            && before.newest.is_none_or(|newest| reading.source_time > newest)
            && reading.source_at.since(self.now) <= SOURCE_AHEAD
            && self.now.since(good.at) < self.stale_off()
            && (!rises_too_fast || confirmed)
    }

    fn stale_is_off(&self) -> bool {
        let watching = self.after.watching_since;
        let since = self.after.battery.good.map_or(watching, |good| good.at.max(watching));
        !self.seen.intent.auto_control || self.now.since(since) < self.stale_off() || self.off_is_ensured()
    }

    fn interval_kept(&self) -> bool {
        let Some(earlier) = self.before.last_ordinary else { return true };
        let told = self.seen.miner.feedback.filter(|feedback| {
            self.before.last.is_some_and(|last| {
                last.sequence == feedback.sequence && last.sent_at == earlier.sent_at && last.stage.is_open()
            })
        });
        let settle = match earlier.means.or(told.and_then(|told| told.means)) {
            Some(Means::Percent) => self.after.settle_percent,
            _ => self.after.settle_restart,
        };
        let apart = self.policy.min_interval.max(settle.unwrap_or(self.policy.settle));
        self.now >= earlier.sent_at + apart
    }

    fn on_the_ladder(&self, command: Command, percent: PowerPercent) -> bool {
        if self.decision.rule == Rule::Manual {
            return true;
        }
        match self.seen.share {
            Share::Whole => {}
            Share::Asked => return false,
            Share::Dealt { power, .. } => {
                return command.watts().zip(power).is_some_and(|(told, dealt)| told <= dealt);
            }
        }
        let under_the_ceiling = percent <= self.before.ceiling.max(self.after.ceiling);
        let manual = self.seen.intent.manual.is_some_and(|manual| self.now < manual.until);
        let started_lower = manual && matches!(command, Command::Start { .. });
        under_the_ceiling && (started_lower || RUNGS.contains(&percent.get()))
    }

    fn range(&self) -> Option<PowerRange> {
        self.seen.miner.range.filter(|range| range.min <= range.max)
    }

    fn inside_the_range(&self, watts: Watts) -> bool {
        watts.round_to_whole() > 0
            && self.range().is_none_or(|range| range.min <= watts && watts <= range.max)
    }

    fn budget_kept(&self) -> bool {
        let sent = &self.before.ordinary_sent;
        let today = sent.iter().filter(|sent| self.now.since(**sent) < DAY).count();
        today < self.policy.command_budget as usize
    }

    fn sunset_start_due(&self) -> bool {
        let again = self.before.stance == Stance::Starting { because: Reason::SunsetStart };
        let evening = evening(self.policy, &self.seen.local);
        again
            || self.seen.local.clock_synced
                && self.good().is_some_and(|good| good.soc.get() > 60.0)
                && evening.is_some()
                && self.before.last_sunset_start != evening
                && self.after.last_sunset_start == evening
    }

    fn start_is_granted(&self) -> bool {
        let (stopped_by, since) = match self.before.stance {
            Stance::Running | Stance::Starting { .. } => return true,
            Stance::Stopped { by, since } => (Some(by), Some(since)),
            Stance::Unmet => (None, None),
        };
        match self.decision.reason {
            Reason::BatteryFull => self.full_confirmed_now(),
            Reason::SunsetStart => self.sunset_start_due(),
            Reason::PersonStart => matches!(
                self.seen.intent.power,
                PowerIntent::On { request } if request > self.before.honoured_request
            ),
            Reason::ResumeSoc => self.policy.resume_soc.is_some_and(|resume| {
                resume >= 50.0
                    && self.good().is_some_and(|good| good.soc.get() >= resume)
                    && since.is_some_and(|since| self.now.since(since) >= self.policy.min_off)
            }),
            Reason::Recovered => {
                matches!(stopped_by, Some(StopReason::Emergency | StopReason::Stale | StopReason::NoShare))
                    && !self.after.emergency_latched
                    && !self.after.battery.recovering
            }
            _ => false,
        }
    }

    fn full_confirmed_now(&self) -> bool {
        self.before.full_armed && !self.after.full_armed
    }

    fn block_is_told(&self) -> bool {
        let Decision { wanted, command, blocked, doing, .. } = *self.decision;
        if let Some(blocked) = blocked {
            let timed = matches!(
                blocked.by,
                BlockedBy::Interval
                    | BlockedBy::Settling
                    | BlockedBy::Contested
                    | BlockedBy::OffRetry
                    | BlockedBy::MinimumOffTime
            );
            return command.is_none()
                && blocked.until.is_none_or(|until| until > self.now)
                && (!timed || blocked.until.is_some());
        }
        command.is_some()
            || match (wanted, doing) {
                (Wanted::Hold, _) | (Wanted::Off, MinerState::Off | MinerState::Unknown) => true,
                (Wanted::Off, MinerState::Running) | (Wanted::Run(_), MinerState::Off) => false,
                (Wanted::Run(percent), _) => self.holds(percent),
            }
    }

    /// It holds this share of `base_watts` (or the manual power it stands for), or the most it can.
    fn holds(&self, percent: PowerPercent) -> bool {
        let base = self.policy.base_watts;
        let wanted = match self.seen.intent.manual {
            Some(manual) if self.decision.rule == Rule::Manual => manual.target.watts(base),
            _ if let Share::Dealt { power: Some(dealt), .. } = self.seen.share => dealt,
            _ => percent.of(base),
        };
        let most = self.range().map_or(wanted, |range| range.max);
        self.after.holding.or(self.seen.miner.power).is_some_and(|held| {
            let same = |watts: Watts| (held.get() - watts.get()).abs() <= 0.03 * base.get().abs();
            same(wanted) || most < wanted && same(most)
        })
    }

    fn off_is_shown_only_if_seen(&self) -> bool {
        let miner = &self.seen.miner;
        let least = (0.05 * self.policy.base_watts.get()).max(6.0);
        let draws = miner.power.is_some_and(|power| power.get() >= least);
        let hashes = miner.hash_rate.is_some_and(|rate| rate.get() > 0.0);
        self.decision.doing != MinerState::Off
            || miner.reachable && !draws && !hashes && miner.service_on != Some(true)
    }

    fn unverified_off_alarms(&self) -> bool {
        let Some(off) = self.before.last.filter(|last| last.command.is_off() && last.stage.is_open()) else {
            return true;
        };
        let seen_off = self.decision.doing == MinerState::Off
            || self
                .after
                .last
                .is_some_and(|last| last.sequence == off.sequence && last.stage == Stage::Observed);
        let overdue = self.now >= off.sent_at + self.policy.off_verify;
        seen_off
            || !overdue
            || self.decision.alerts.contains(AlertCode::OffNotVerified)
                && (self.decision.wanted != Wanted::Off || self.off_is_ensured())
    }
}

/// The evening whose night it is.
fn evening(policy: &Policy, local: &LocalTime) -> Option<CivilDay> {
    let (sunrise, sunset) = match local.sun {
        Some(SunTimes::RisesAndSets { sunrise, sunset }) => (sunrise, sunset),
        Some(SunTimes::NoSunset) => return None,
        None => (policy.sunrise, policy.sunset),
    };
    let yesterday = CivilDay(local.day.0.saturating_sub(1));
    let second = local.second_of_day;
    match (sunset < sunrise, second >= sunset, second < sunrise) {
        (true, true, true) | (false, false, true) => Some(yesterday),
        (false, true, _) => Some(local.day),
        _ => None,
    }
}
