//! Which command sets a power, and what has to be remembered to know it.
//!
//! A percentage refers to the power at which the miner first became stable under its present limit. It acts only
//! once the ramp has finished, and every restart of the mining process undoes it. A limit restarts the mining
//! process (vendor's API manuals V2.2 and V3.0.0; the times were seen in the field).
//!
//! Pure: no I/O, no clock.

use super::{
    order::{Order, whole_limit},
    reading::{Observation, ToldPercent},
};
use model::{MinerReading, MonoTime, Watts};

/// A percentage refused this often in a row isn't tried again before the next restart.
const REFUSALS: u8 = 2;
/// The mining process's own seconds may lag behind ours by so much: readings arrive late and some are cached.
const LAG_SECONDS: u64 = 60;
/// A miner that acknowledged a limit may hold a lower one of its own ("not higher than its ordinary power"): down to
/// this share, that is taken as the limit being set.
const OWN_CAP: f64 = 0.9;
/// A stable power within this share of the limit is the limit: what it differs by is measuring noise, which would
/// only turn a round percentage into an odd one.
const AT_LIMIT: f64 = 0.02;

/// What was seen and done since the mining process started.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct PowerMemory {
    /// The mining process's own seconds when they were last read, and when that was.
    elapsed: Option<(u64, MonoTime)>,
    /// The ramp was seen unfinished, so that no percentage from before can be in force.
    seen_ramping: bool,
    ramp_finished: bool,
    percent: Percent,
    /// The highest stable power seen without a percentage.
    reference: Option<Watts>,
    /// The limit that the miner acknowledged last: while it restarts, it tells none.
    acknowledged_limit: Option<u32>,
    refusals: u8,
    abilities: Abilities,
}

/// The percentage in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Percent {
    #[default]
    Unknown,
    Unset,
    Set(u8),
}

/// What the firmware can do, as far as it hasn't said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Abilities {
    percent: bool,
    limit: bool,
}

impl Default for Abilities {
    fn default() -> Self {
        Self { percent: true, limit: true }
    }
}

/// How a power is to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Nothing to do: sending the same limit again would restart the miner.
    AlreadySet,
    /// Send this.
    Send(Order),
    /// It can't be done now; the words say why.
    Impossible(&'static str),
}

impl PowerMemory {
    /// Takes note of an observation and completes its reading.
    pub(super) fn observe(&mut self, observation: Observation, now: MonoTime) -> MinerReading {
        let Observation { mut reading, percent, mac: _ } = observation;
        if let Some(elapsed) = reading.elapsed_seconds {
            // It fell, or after a time without contact it rose by less than it would have without a restart.
            let has_restarted = self.elapsed.is_some_and(|(before, at)| {
                let passed = now.since(at).as_secs();
                elapsed < before || elapsed.saturating_add(LAG_SECONDS) < before.saturating_add(passed)
            });
            if has_restarted {
                self.restarted();
            }
            self.elapsed = Some((elapsed, now));
        }
        match reading.ramp_finished {
            Some(true) => self.ramp_finished = true,
            Some(false) => {
                self.restarted();
                self.seen_ramping = true;
                self.percent = Percent::Unset;
            }
            None if reading.service_on == Some(false) => self.restarted(),
            None => reading.ramp_finished = self.ramp_finished.then_some(true),
        }
        if reading.ramp_finished != Some(false) {
            match percent {
                ToldPercent::Nothing => {}
                ToldPercent::Unset => self.percent = Percent::Unset,
                ToldPercent::Set(percent) => self.percent = Percent::Set(percent),
            }
        }
        let is_certain = self.seen_ramping || percent == ToldPercent::Unset;
        if self.ramp_finished && is_certain && self.percent == Percent::Unset {
            // The highest, so that a moment without work from the pool doesn't pass for the stable power.
            self.reference = match (self.reference, reading.power) {
                (Some(highest), Some(power)) if power.get() <= highest.get() => Some(highest),
                (highest, power) => power.filter(|power| power.get() > 0.0).or(highest),
            };
        }
        reading.power_percent = match self.percent {
            Percent::Set(percent) => Some(percent),
            Percent::Unset | Percent::Unknown => None,
        };
        reading.power_set = match reading.power_percent {
            Some(percent) => self.whole(reading.power_limit).and_then(|whole| share(whole, percent)),
            None => reading.power_limit,
        };
        reading
    }

    /// What 100 % are under this limit.
    fn whole(&self, limit: Option<Watts>) -> Option<Watts> {
        match (self.reference, limit) {
            (Some(stable), Some(limit)) if (stable.get() - limit.get()).abs() <= AT_LIMIT * limit.get() => {
                Some(limit)
            }
            (stable, limit) => stable.or(limit),
        }
    }

    /// Whether the ramp of this run is known to have finished.
    pub(super) const fn is_ramp_finished(&self) -> bool {
        self.ramp_finished
    }

    /// What the firmware can't do has to be learnt anew.
    pub(super) fn forget_abilities(&mut self) {
        self.abilities = Abilities::default();
    }

    /// Nothing that depended on the run holds any more.
    fn restarted(&mut self) {
        *self = Self {
            elapsed: self.elapsed,
            acknowledged_limit: self.acknowledged_limit,
            abilities: self.abilities,
            ..Self::default()
        };
    }

    /// To be called before the first byte of `order` can leave: from then on its effect is possible.
    pub(super) fn about_to_send(&mut self, order: Order) {
        match order {
            Order::Percent(_) => self.percent = Percent::Unknown,
            Order::Limit(_) => self.acknowledged_limit = None,
            Order::Stop | Order::Start => {}
        }
    }

    /// The miner said yes to `order`.
    pub(super) fn acknowledged(&mut self, order: Order) {
        match order {
            Order::Percent(percent) => {
                self.percent = if percent == 100 { Percent::Unset } else { Percent::Set(percent) };
                self.refusals = 0;
            }
            Order::Limit(watts) => {
                self.restarted();
                self.acknowledged_limit = Some(watts);
            }
            Order::Stop | Order::Start => self.restarted(),
        }
    }

    /// The miner said no to `order`.
    pub(super) fn refused(&mut self, order: Order) {
        if matches!(order, Order::Percent(_)) {
            self.refusals = self.refusals.saturating_add(1);
        }
    }

    /// The firmware doesn't have this kind of order.
    pub(super) fn unsupported(&mut self, order: Order) {
        match order {
            Order::Percent(_) => self.abilities.percent = false,
            Order::Limit(_) => self.abilities.limit = false,
            Order::Stop | Order::Start => {}
        }
    }

    /// Whether the firmware takes a limit, as far as known.
    pub(super) const fn takes_limit(&self) -> bool {
        self.abilities.limit
    }

    /// The limit in force, or the one that will be once the miner is through its restart.
    pub(super) fn limit(&self, reading: &MinerReading) -> Option<Watts> {
        reading.power_limit.or(self.acknowledged_limit.map(Watts::whole))
    }

    /// Whether the miner took the wanted limit and made it this lower one.
    fn is_own_cap(&self, limit: Watts, wanted: u32) -> bool {
        let share = limit.get() / f64::from(wanted.max(1));
        self.acknowledged_limit == Some(wanted) && (OWN_CAP..1.0).contains(&share)
    }

    /// How to set `power` on the miner of this (completed) reading. `base` is the configured full power, used only
    /// where the miner tells neither limit nor stable power.
    pub(super) fn plan(&self, power: Watts, reading: &MinerReading, base: Watts) -> Plan {
        let Some(wanted) = whole_limit(power) else {
            return Plan::Impossible("less than a watt isn't a power: use stop");
        };
        let limit = match self.limit(reading) {
            Some(limit) if self.is_own_cap(limit, wanted) => Some(Watts::whole(wanted)),
            limit => limit,
        };
        let is_within = limit.or(self.reference).is_some_and(|most| f64::from(wanted) <= most.get())
            || !self.abilities.limit;
        let acts = reading.ramp_finished == Some(true);
        if self.abilities.percent && acts && is_within && self.refusals < REFUSALS {
            let measured = reading.power.unwrap_or(Watts::ZERO).get();
            let whole = self.whole(limit).map_or(base.get().max(measured), Watts::get);
            let percent = percent_of(f64::from(wanted), whole);
            let is_at_limit = limit.is_some_and(|limit| limit.round_to_whole() == wanted);
            return if is_at_limit && self.percent == Percent::Unset {
                Plan::AlreadySet
            } else {
                Plan::Send(Order::Percent(percent))
            };
        }
        if self.abilities.limit {
            return if limit.is_some_and(|limit| limit.round_to_whole() == wanted) {
                Plan::AlreadySet
            } else {
                Plan::Send(Order::Limit(wanted))
            };
        }
        Plan::Impossible(if !self.abilities.percent {
            "its firmware has neither a power limit nor a power percentage"
        } else if acts {
            "its firmware has no power limit, and it refused the power percentage"
        } else {
            "its firmware has no power limit, and a percentage acts only once the ramp after the start has finished"
        })
    }
}

/// The whole percent, rounded down, that `watts` are of `whole`; at least 1, at most 100.
fn percent_of(watts: f64, whole: f64) -> u8 {
    // A hair more, so that an exact share isn't rounded down by the division.
    let percent = (watts * 100.0 / whole.max(1.0) + 1e-9).floor();
    percent.clamp(1.0, 100.0) as u8
}

fn share(whole: Watts, percent: u8) -> Option<Watts> {
    Watts::new(whole.get() * f64::from(percent) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const BASE: u32 = 3600;

    struct Seen {
        elapsed: u64,
        ramp: Option<bool>,
        power: u32,
        limit: Option<u32>,
        told: ToldPercent,
    }

    fn observe(memory: &mut PowerMemory, seen: &Seen) -> MinerReading {
        observe_at(memory, seen, seen.elapsed)
    }

    fn observe_at(memory: &mut PowerMemory, seen: &Seen, second: u64) -> MinerReading {
        let reading = MinerReading {
            service_on: Some(true),
            elapsed_seconds: Some(seen.elapsed),
            ramp_finished: seen.ramp,
            power: Some(Watts::whole(seen.power)),
            power_limit: seen.limit.map(Watts::whole),
            ..MinerReading::default()
        };
        let now = MonoTime(i64::try_from(second).unwrap() * 1000);
        memory.observe(Observation { percent: seen.told, reading, ..Observation::default() }, now)
    }

    const STABLE: Seen =
        Seen { elapsed: 2000, ramp: Some(true), power: 3400, limit: Some(3600), told: ToldPercent::Nothing };
    const RAMPING: Seen = Seen { elapsed: 100, ramp: Some(false), power: 900, ..STABLE };

    fn plan(memory: &PowerMemory, watts: u32, reading: &MinerReading) -> Plan {
        memory.plan(Watts::whole(watts), reading, Watts::whole(BASE))
    }

    /// A run that was watched from its ramp on.
    fn watched() -> (PowerMemory, MinerReading) {
        let mut memory = PowerMemory::default();
        observe(&mut memory, &RAMPING);
        let reading = observe(&mut memory, &STABLE);
        (memory, reading)
    }

    #[test]
    fn percent_refers_to_the_stable_power_once_it_was_seen() {
        let (memory, reading) = watched();
        assert_eq!(plan(&memory, 1700, &reading), Plan::Send(Order::Percent(50)));
        assert_eq!(plan(&memory, 1733, &reading), Plan::Send(Order::Percent(50)), "rounded down");
        assert_eq!(plan(&memory, 1, &reading), Plan::Send(Order::Percent(1)));
    }

    #[test]
    fn a_stable_power_close_to_the_limit_is_the_limit() {
        let mut memory = PowerMemory::default();
        observe(&mut memory, &RAMPING);
        let reading = observe(&mut memory, &Seen { power: 3550, ..STABLE });
        assert_eq!(plan(&memory, 2160, &reading), Plan::Send(Order::Percent(60)));
        memory.acknowledged(Order::Percent(60));
        let reading = observe(&mut memory, &Seen { power: 2110, elapsed: 2010, ..STABLE });
        assert_eq!(reading.power_set, Some(Watts::whole(2160)));
    }

    #[test]
    fn without_having_seen_the_ramp_it_refers_to_the_limit() {
        // The power may already be reduced by a percentage of which nothing is known.
        let mut memory = PowerMemory::default();
        let reading = observe(&mut memory, &Seen { power: 1800, ..STABLE });
        assert_eq!(plan(&memory, 1800, &reading), Plan::Send(Order::Percent(50)));
        let told = observe(&mut memory, &Seen { power: 3000, told: ToldPercent::Unset, ..STABLE });
        assert_eq!(
            plan(&memory, 1500, &told),
            Plan::Send(Order::Percent(50)),
            "the device says there is none"
        );
    }

    #[test]
    fn a_dip_is_not_the_stable_power() {
        let (mut memory, _) = watched();
        let reading = observe(&mut memory, &Seen { elapsed: 2100, power: 400, ..STABLE });
        assert_eq!(plan(&memory, 1700, &reading), Plan::Send(Order::Percent(50)));
    }

    #[rstest]
    #[case::ramping(&RAMPING, 1440, Plan::Send(Order::Limit(1440)))]
    #[case::ramp_unknown(&Seen { ramp: None, ..RAMPING }, 1440, Plan::Send(Order::Limit(1440)))]
    #[case::same_limit(&RAMPING, 3600, Plan::AlreadySet)]
    #[case::above_the_limit(&STABLE, 3700, Plan::Send(Order::Limit(3700)))]
    #[case::far_above(&STABLE, 4_000_000, Plan::Send(Order::Limit(99_999)))]
    #[case::no_limit_known(&Seen { limit: None, ..STABLE }, 1440, Plan::Send(Order::Limit(1440)))]
    fn where_the_limit_is_used(#[case] seen: &Seen, #[case] watts: u32, #[case] expected: Plan) {
        let mut memory = PowerMemory::default();
        let reading = observe(&mut memory, seen);
        assert_eq!(plan(&memory, watts, &reading), expected);
    }

    #[test]
    fn full_power_is_not_sent_twice() {
        let (mut memory, reading) = watched();
        assert_eq!(plan(&memory, 3600, &reading), Plan::AlreadySet);
        memory.about_to_send(Order::Percent(50));
        assert_eq!(plan(&memory, 3600, &reading), Plan::Send(Order::Percent(100)), "its outcome isn't known");
        memory.acknowledged(Order::Percent(50));
        let reading = observe(&mut memory, &Seen { power: 1710, elapsed: 2010, ..STABLE });
        assert_eq!(reading.power_percent, Some(50));
        assert_eq!(reading.power_set, Some(Watts::whole(1700)));
        assert_eq!(plan(&memory, 3600, &reading), Plan::Send(Order::Percent(100)));
        memory.acknowledged(Order::Percent(100));
        assert_eq!(plan(&memory, 3600, &reading), Plan::AlreadySet);
    }

    #[test]
    fn a_restart_undoes_the_percentage() {
        let (mut memory, _) = watched();
        memory.acknowledged(Order::Percent(50));
        let reading = observe(&mut memory, &Seen { elapsed: 30, ramp: None, power: 400, ..STABLE });
        assert_eq!(reading.power_percent, None);
        assert_eq!(reading.power_set, Some(Watts::whole(3600)));
        assert_eq!(reading.ramp_finished, None, "the end of the last ramp says nothing about this one");
        assert_eq!(plan(&memory, 1800, &reading), Plan::Send(Order::Limit(1800)));
    }

    #[test]
    fn a_restart_during_a_loss_of_contact_is_noticed() {
        let (mut memory, _) = watched();
        memory.acknowledged(Order::Percent(50));
        // Three hours later: its own seconds are higher than before, but three hours haven't passed for it.
        let later = Seen { elapsed: 4000, ..STABLE };
        let reading = observe_at(&mut memory, &later, 2000 + 10_800);
        assert_eq!(reading.power_percent, None);
        let (mut memory, _) = watched();
        memory.acknowledged(Order::Percent(50));
        let later = Seen { elapsed: 2000 + 10_790, ..STABLE };
        let reading = observe_at(&mut memory, &later, 2000 + 10_800);
        assert_eq!(reading.power_percent, Some(50));
    }

    #[test]
    fn the_ramp_stays_finished_within_a_run() {
        let (mut memory, _) = watched();
        let reading = observe(&mut memory, &Seen { elapsed: 2010, ramp: None, ..STABLE });
        assert_eq!(reading.ramp_finished, Some(true));
    }

    #[test]
    fn what_the_device_tells_counts_but_not_while_it_ramps() {
        let mut memory = PowerMemory::default();
        let reading = observe(&mut memory, &Seen { told: ToldPercent::Set(60), ..STABLE });
        assert_eq!((reading.power_percent, reading.power_set), (Some(60), Some(Watts::whole(2160))));
        let reading = observe(&mut memory, &Seen { told: ToldPercent::Set(60), ..RAMPING });
        assert_eq!((reading.power_percent, reading.power_set), (None, Some(Watts::whole(3600))));
    }

    #[test]
    fn a_limit_under_way_is_not_sent_again() {
        let (mut memory, _) = watched();
        let order = Order::Limit(2400);
        memory.about_to_send(order);
        memory.acknowledged(order);
        let retuning =
            Seen { elapsed: 5, ramp: Some(false), power: 0, limit: None, told: ToldPercent::Nothing };
        let retuning = observe(&mut memory, &retuning);
        assert_eq!(retuning.power_limit, None);
        assert_eq!(plan(&memory, 2400, &retuning), Plan::AlreadySet);
        let unchanged = observe(&mut memory, &RAMPING);
        assert_eq!(plan(&memory, 2400, &unchanged), Plan::Send(order), "the miner says otherwise");
    }

    #[test]
    fn a_limit_that_the_miner_caps_by_itself_is_not_sent_again() {
        let (mut memory, _) = watched();
        memory.acknowledged(Order::Limit(3700));
        let ramping = observe(&mut memory, &RAMPING);
        assert_eq!(plan(&memory, 3700, &ramping), Plan::AlreadySet);
        let stable = observe(&mut memory, &STABLE);
        assert_eq!(plan(&memory, 3700, &stable), Plan::AlreadySet);
        assert_eq!(plan(&memory, 3800, &stable), Plan::Send(Order::Limit(3800)));
        let ignored = observe(&mut memory, &Seen { limit: Some(2400), ..STABLE });
        assert_eq!(plan(&memory, 3700, &ignored), Plan::Send(Order::Limit(3700)));
    }

    #[test]
    fn a_percentage_refused_twice_gives_way_to_the_limit() {
        let (mut memory, reading) = watched();
        let order = Order::Percent(50);
        memory.refused(order);
        assert_eq!(plan(&memory, 1700, &reading), Plan::Send(order));
        memory.refused(order);
        assert_eq!(plan(&memory, 1700, &reading), Plan::Send(Order::Limit(1700)));
    }

    #[test]
    fn firmware_without_a_limit_has_the_percentage_alone() {
        let mut memory = PowerMemory::default();
        memory.unsupported(Order::Limit(1));
        let ramping = observe(&mut memory, &RAMPING);
        assert!(matches!(plan(&memory, 1800, &ramping), Plan::Impossible(why) if why.contains("ramp")));
        let stable = observe(&mut memory, &STABLE);
        assert_eq!(plan(&memory, 1700, &stable), Plan::Send(Order::Percent(50)));
        assert_eq!(plan(&memory, 5000, &stable), Plan::Send(Order::Percent(100)));
        let unlimited = observe(&mut memory, &Seen { limit: None, ..STABLE });
        assert_eq!(plan(&memory, 1700, &unlimited), Plan::Send(Order::Percent(50)));
        memory.unsupported(Order::Percent(1));
        assert!(matches!(plan(&memory, 1800, &stable), Plan::Impossible(_)));
        assert!(matches!(
            PowerMemory::default().plan(Watts::ZERO, &stable, Watts::ZERO),
            Plan::Impossible(_)
        ));
    }

    proptest::proptest! {
        #[test]
        fn a_percentage_never_asks_for_more_than_was_wanted(watts in 36_u32..3600, whole in 3000_u32..9000) {
            let percent = percent_of(f64::from(watts), f64::from(whole));
            let asked = f64::from(percent) * f64::from(whole) / 100.0;
            proptest::prop_assert!(percent == 1 || asked <= f64::from(watts) + 1e-6);
        }
    }
}
