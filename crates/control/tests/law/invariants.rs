//! The invariants of the law, each under its own name, over random days in a simulated house.
//!
//! What a property expects is worked out here from what the law was shown, not taken from the law's own verdicts;
//! the runtime monitor is held against the same days.

use crate::{
    any_input::any_observation,
    world::{
        days::{any_policy, battery_day, day, policy},
        events::{Day, Event},
        run::{Tick, live},
    },
};
use control::{
    BatteryObservation, Decision, Policy, Stage, Stance, State, StopReason, energy::Energy, explain,
    monitor::Monitor, step,
};
use model::{
    AlertCode, BlockedBy, Command, MonoTime, PowerIntent, PowerPercent, Reason, Rule, Soc, UtcMillis, Wanted,
    Watts, snapshot::MinerState,
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use std::{collections::HashSet, time::Duration};

/// Random days for one property.
const CASES: u32 = 400;
/// Ticks of one random day: at ten seconds a tick, a bit under four hours.
const TICKS: usize = 1300;
/// Properties below that live through `CASES` days of `TICKS` ticks at least once.
const PROPERTIES_OVER_DAYS: usize = 24;
const _: () = assert!(CASES as usize * TICKS * PROPERTIES_OVER_DAYS >= 1_000_000);

fn config() -> ProptestConfig {
    let counter_examples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/law/invariants.regressions");
    ProptestConfig {
        cases: CASES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(counter_examples))),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// The samples a source has shown so far, as anybody would judge them who doesn't know the law.
#[derive(Default)]
struct Shown {
    newest: Option<UtcMillis>,
    /// The last one that was too far ahead of our clock: no time passing makes it good.
    ahead: Option<UtcMillis>,
    /// Plausible and new, in order: state of charge and from when it counts.
    plausible: Vec<(f64, MonoTime)>,
}

impl Shown {
    fn look(&mut self, tick: &Tick<'_>) {
        let Some(reading) = tick.seen.battery.filter(is_possible) else { return };
        if !usable(&reading, tick) {
            self.ahead = Some(reading.source_time);
        }
        if self.ahead == Some(reading.source_time)
            || self.newest.is_some_and(|newest| reading.source_time <= newest)
        {
            return;
        }
        self.newest = Some(reading.source_time);
        if age(&reading, tick) < tick.policy.stale_off {
            self.plausible.push((reading.soc_percent.unwrap(), reading.source_at.min(reading.fetched_at)));
        }
    }

    /// How long there has been nothing plausible.
    fn nothing_for(&self, tick: &Tick<'_>) -> Duration {
        let since = self.plausible.last().map_or(tick.after.watching_since, |last| last.1);
        tick.seen.now.since(since.max(tick.after.watching_since))
    }
}

/// Not lost, and a number that a battery can say.
fn is_possible(reading: &BatteryObservation) -> bool {
    !reading.lost && reading.soc_percent.is_some_and(|soc| (0.0..=100.0).contains(&soc))
}

/// Possible, and by a clock that agrees with ours.
fn usable(reading: &BatteryObservation, tick: &Tick<'_>) -> bool {
    is_possible(reading) && reading.source_at.millis_since(tick.seen.now) <= 120_000
}

fn age(reading: &BatteryObservation, tick: &Tick<'_>) -> Duration {
    tick.seen.now.since(reading.source_at.min(reading.fetched_at))
}

fn is_ordinary(command: Command) -> bool {
    !command.is_off()
}

/// Off is sent, or there is nothing to switch off, or an off is out and not through yet.
fn off_is_on_its_way(tick: &Tick<'_>) -> bool {
    let last_is_off = tick.after.last.is_some_and(|last| last.command.is_off());
    match (tick.decision.command, tick.decision.doing) {
        (Some(command), _) => command.is_off(),
        (None, MinerState::Off) => last_is_off || tick.after.last.is_none_or(|last| !last.stage.is_open()),
        (None, MinerState::Running) => {
            last_is_off && tick.after.last.is_some_and(|last| last.stage != Stage::Observed)
        }
        (None, MinerState::Unknown) => last_is_off,
    }
}

/// A decision as text: a rejected NaN is then equal to itself.
fn written(decision: &Decision) -> String {
    format!("{decision:?}")
}

/// Is this a start, or more power than the miner held before?
fn is_upward(tick: &Tick<'_>) -> bool {
    match tick.decision.command {
        Some(Command::Start { .. }) => true,
        Some(Command::SetPower { watts, .. }) => {
            tick.after.last.unwrap().held_before.is_none_or(|held| watts > held)
        }
        Some(Command::Off) | None => false,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn i01_fresh_soc_at_or_under_emergency_is_off_on_that_tick(policy in policy(), day in day()) {
        let mut shown = Shown::default();
        live(&policy, &day, TICKS, |tick| {
            let fresh = tick.seen.battery.filter(|reading| {
                usable(reading, tick)
                    && age(reading, tick) < policy.stale_off
                    && shown.newest.is_none_or(|newest| reading.source_time >= newest)
            });
            shown.look(tick);
            if fresh.is_some_and(|reading| reading.soc_percent.unwrap() <= policy.emergency_soc) {
                prop_assert_eq!(tick.decision.rule, Rule::Emergency);
                prop_assert!(off_is_on_its_way(tick), "{:?}", tick.decision);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i01_an_obedient_miner_is_really_off_one_tick_later(policy in policy(), day in battery_day()) {
        let mut shown = Shown::default();
        let mut must_be_off = false;
        live(&policy, &day, TICKS, |tick| {
            prop_assert!(!(must_be_off && tick.house.miner.on));
            let newest = shown.newest;
            shown.look(tick);
            must_be_off = tick.seen.battery.is_some_and(|reading| {
                usable(&reading, tick)
                    && age(&reading, tick) < policy.stale_off
                    && newest.is_none_or(|newest| reading.source_time >= newest)
                    && reading.soc_percent.unwrap() <= policy.emergency_soc
            });
            Ok(())
        })?;
    }

    #[test]
    fn i02_the_ceiling_rises_only_on_a_confirmed_full(policy in policy(), day in day()) {
        let mut shown = Shown::default();
        live(&policy, &day, TICKS, |tick| {
            let before = shown.plausible.len();
            shown.look(tick);
            if tick.after.ceiling > tick.before.ceiling {
                prop_assert!(shown.plausible.len() > before, "no new sample");
                let last_two: Vec<f64> = shown.plausible.iter().rev().take(2).map(|(soc, _)| *soc).collect();
                prop_assert!(last_two.len() == 2 && last_two.iter().all(|soc| *soc >= policy.full_soc));
                prop_assert_eq!(tick.after.ceiling, PowerPercent::FULL);
                prop_assert!(tick.before.full_armed && !tick.after.full_armed);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i03_stale_or_impossible_data_never_raises(policy in policy(), day in day()) {
        let mut shown = Shown::default();
        live(&policy, &day, TICKS, |tick| {
            shown.look(tick);
            if is_upward(tick) {
                prop_assert!(shown.nothing_for(tick) < policy.stale_off.min(policy.warn_after));
                // Whatever it rests on was told by the battery, and allows as much.
                let told = shown.plausible.last().unwrap().0;
                let earlier = shown.plausible.iter().rev().map(|(soc, _)| *soc);
                if tick.decision.rule != Rule::Manual {
                    let allowed = earlier.take(2).fold(told, f64::max);
                    prop_assert!(f64::from(tick.decision.command.unwrap().percent().unwrap().get()) < allowed + 10.0);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn i03_under_auto_control_stale_is_off(policy in policy(), day in battery_day()) {
        let mut shown = Shown::default();
        let mut must_be_off = false;
        live(&policy, &day, TICKS, |tick| {
            prop_assert!(!(must_be_off && tick.house.miner.on));
            shown.look(tick);
            must_be_off = shown.nothing_for(tick) >= policy.stale_off;
            Ok(())
        })?;
    }

    #[test]
    fn i04_two_ordinary_commands_keep_the_interval(policy in policy(), day in day()) {
        let mut last = None;
        live(&policy, &day, TICKS, |tick| {
            if tick.decision.command.is_some_and(is_ordinary) {
                let now = tick.seen.now;
                prop_assert!(last.is_none_or(|last| now.since(last) >= policy.min_interval));
                last = Some(now);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i05_a_command_is_off_or_a_step_not_above_the_ceiling(policy in policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            let manual = tick.seen.intent.manual.is_some_and(|manual| tick.seen.now < manual.until);
            if let Some(percent) = tick.decision.command.and_then(Command::percent)
                && !manual
            {
                prop_assert!([40, 50, 60, 70, 80, 90, 100].contains(&percent.get()));
                // Starts and reductions lower the ceiling to what they command.
                let upward = matches!(tick.decision.command, Some(Command::SetPower { .. })) && is_upward(tick);
                let as_commanded = percent == tick.after.ceiling || upward && percent < tick.after.ceiling;
                prop_assert!(as_commanded);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i06_no_limit_of_zero_and_none_outside_the_range(policy in policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            if let Some(watts) = tick.decision.command.and_then(Command::watts) {
                prop_assert!(watts.round_to_whole() > 0);
                if let Some(range) = tick.seen.miner.range.filter(|range| range.min <= range.max) {
                    prop_assert!(range.min <= watts && watts <= range.max, "{watts} in {range:?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn i07_person_off_is_off_and_no_rule_starts_it(policy in policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            if tick.seen.intent.power == PowerIntent::Off {
                prop_assert_eq!(tick.decision.wanted, Wanted::Off);
                prop_assert!(off_is_on_its_way(tick), "{:?}", tick.decision);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i08_a_restart_at_any_tick_changes_no_decision(
        policy in policy(),
        day in day(),
        restarts in prop::collection::hash_set(0..TICKS, 0..200)
    ) {
        let mut at = 0;
        let mut restarted: Option<State> = None;
        live(&policy, &day, TICKS, |tick| {
            let mut state = restarted.take().unwrap_or_else(|| tick.before.clone());
            if restarts.contains(&at) {
                let kept = serde_json::to_string(&state).unwrap();
                state = serde_json::from_str(&kept).unwrap();
            }
            at += 1;
            let (after, decision) = step(&policy, state, tick.seen);
            prop_assert_eq!(written(&decision), written(tick.decision));
            prop_assert_eq!(&after, tick.after);
            restarted = Some(after);
            Ok(())
        })?;
    }

    #[test]
    fn i09_no_setting_breaks_i1_i3_or_i6(policy in any_policy(), day in day()) {
        let mut monitor = Monitor::default();
        live(&policy, &day, TICKS, |tick| {
            let broken = monitor.check(tick.policy, tick.before, tick.seen, tick.after, tick.decision);
            let grave: Vec<_> = broken.names().filter(|name| ["I1", "I3", "I6", "I9"].contains(name)).collect();
            prop_assert!(grave.is_empty(), "{grave:?} by {:?}", tick.decision);
            Ok(())
        })?;
    }

    #[test]
    fn i10_one_sunset_start_a_night_only_above_60_and_with_a_synced_clock(policy in policy(), day in day()) {
        let mut last_evening = None;
        live(&policy, &day, TICKS, |tick| {
            let again = tick.before.stance == Stance::Starting { because: Reason::SunsetStart };
            let sunset = tick.decision.reason == Reason::SunsetStart && tick.decision.command.is_some();
            if sunset && !again {
                prop_assert!(tick.seen.local.clock_synced);
                prop_assert!(tick.decision.battery.soc.is_some_and(|soc| soc.get() > policy.sunset_soc));
                prop_assert!(tick.after.last_sunset_start.is_some());
                prop_assert_ne!(tick.after.last_sunset_start, last_evening);
                prop_assert!(!tick.after.emergency_latched);
                last_evening = tick.after.last_sunset_start;
            } else {
                prop_assert!(sunset || tick.after.last_sunset_start == tick.before.last_sunset_start);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i11_every_decision_has_a_reason_and_every_block_a_time_or_a_condition(policy in policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            let words = explain(&policy, tick.after, tick.seen, tick.decision);
            prop_assert!(!words.why.is_empty() && !words.what_would_change.is_empty());
            if let Some(blocked) = tick.decision.blocked {
                prop_assert_eq!(tick.decision.command, None);
                prop_assert!(blocked.until.is_none_or(|until| until > tick.seen.now));
                let timed = [BlockedBy::Interval, BlockedBy::Settling, BlockedBy::Budget, BlockedBy::MinimumOffTime,
                    BlockedBy::OffRetry].contains(&blocked.by);
                prop_assert!(!timed || blocked.until.is_some());
            } else if tick.decision.command.is_none() {
                let open = match tick.decision.wanted {
                    Wanted::Off => tick.decision.doing == MinerState::Running,
                    Wanted::Run(_) => tick.decision.doing == MinerState::Off,
                    Wanted::Hold => false,
                };
                prop_assert!(!open, "nothing sent, and nobody told why: {:?}", tick.decision);
            }
            Ok(())
        })?;
    }

    #[test]
    fn i12_ordinary_commands_keep_the_budget(
        policy in policy(),
        budget in 1..6_u32,
        day in day()
    ) {
        let policy = Policy { command_budget: budget, ..policy };
        let mut sent: Vec<MonoTime> = Vec::new();
        live(&policy, &day, TICKS, |tick| {
            if tick.decision.command.is_some_and(is_ordinary) {
                sent.push(tick.seen.now);
                let day_ago = tick.seen.now.0 - 86_400_000;
                prop_assert!(sent.iter().filter(|at| at.0 > day_ago).count() <= budget as usize);
            }
            prop_assert!(tick.after.ordinary_sent.len() <= budget as usize, "bounded memory");
            Ok(())
        })?;
    }

    #[test]
    fn i13_total_in_a_house_with_any_settings(policy in any_policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            let words = explain(&policy, tick.after, tick.seen, tick.decision);
            prop_assert!(!words.paragraph().is_empty());
            Ok(())
        })?;
    }

    #[test]
    fn i13_total_for_any_input(policy in any_policy(), seen in prop::collection::vec(any_observation(), 1..60)) {
        let mut state = State::new(seen[0].now);
        let mut monitor = Monitor::default();
        for seen in seen {
            let before = state.clone();
            let (after, decision) = step(&policy, state, &seen);
            monitor.check(&policy, &before, &seen, &after, &decision);
            let words = explain(&policy, &after, &seen, &decision);
            prop_assert!(!words.paragraph().is_empty());
            let (again, same) = step(&policy, before, &seen);
            prop_assert_eq!((&again, written(&same)), (&after, written(&decision)), "deterministic");
            state = after;
        }
    }

    #[test]
    fn i14_an_unverified_off_alarms_is_retried_and_never_shown_as_off(policy in policy(), day in day()) {
        // A miner that doesn't tell whether it is on can look off while it ramps up.
        let events = day.events.iter().filter(|(_, event)| !matches!(event, Event::TellsService(_)));
        let day = Day { events: events.copied().collect(), ..day.clone() };
        live(&policy, &day, TICKS, |tick| {
            prop_assert!(tick.decision.doing != MinerState::Off || !tick.house.miner.on);
            let waiting = tick.before.last.filter(|last| last.command.is_off() && last.stage.is_open());
            if let Some(off) = waiting
                && tick.seen.now.since(off.sent_at) >= policy.off_verify
                && tick.decision.doing != MinerState::Off
            {
                prop_assert!(tick.decision.alerts.contains(AlertCode::OffNotVerified));
                let still_wanted = tick.decision.wanted == Wanted::Off;
                prop_assert!(!still_wanted || tick.decision.command == Some(Command::Off));
            }
            Ok(())
        })?;
    }

    #[test]
    fn i15_a_safety_off_is_never_queued(policy in policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            let safety = matches!(
                tick.decision.reason,
                Reason::EmergencySoc | Reason::EmergencyUnconfirmed | Reason::BatteryStale | Reason::PersonOff
            );
            if safety && tick.decision.doing == MinerState::Running {
                let off_before = tick.before.last.is_some_and(|last| {
                    last.command.is_off() && last.stage != Stage::Observed
                });
                prop_assert!(off_before || tick.decision.command == Some(Command::Off));
                let blocked = tick.decision.blocked.map(|blocked| blocked.by);
                prop_assert!(matches!(blocked, None | Some(BlockedBy::OffRetry | BlockedBy::CommandUnderWay)));
            }
            Ok(())
        })?;
    }

    #[test]
    fn i16_the_wall_clock_moves_nothing_but_the_sunset_rule(
        policy in policy(),
        day in day(),
        starts_at in 0..86_400_u32
    ) {
        // No charge is above 100 %: the sunset rule rests.
        let policy = Policy { sunset_soc: 100.0, ..policy };
        let still = |(after, event): &(u16, Event)| match event {
            Event::ClockMoves(_) | Event::Synced(_) => (*after, Event::Quiet),
            event => (*after, *event),
        };
        let events = day.events.iter().map(still).collect();
        let other = Day { starts_at, sun: None, events, ..day.clone() };
        let mut decisions = Vec::new();
        live(&policy, &day, TICKS, |tick| { decisions.push(written(tick.decision)); Ok::<_, TestCaseError>(()) })?;
        let mut expected = decisions.into_iter();
        live(&policy, &other, TICKS, |tick| {
            prop_assert_eq!(Some(written(tick.decision)), expected.next());
            Ok(())
        })?;
    }

    #[test]
    fn i17_noise_inside_the_confirmation_causes_no_command(
        level in 31.0..=100.0_f64,
        glitches in prop::collection::vec((46..90_u16, 30.1..=100.0_f64), 0..20)
    ) {
        let level = (level * 10.0).round() / 10.0;
        let step = Soc::new(level).map(control::ladder::decile).unwrap();
        // Uploads come every 150 s: two true ones at the least lie between two glitches, so that the first may be
        // set aside as a jump and the second confirms it.
        let glitch = |(after, told)| (after, Event::Glitch { told: Some(told), uploads: 1 });
        let events = glitches.into_iter().map(glitch).collect();
        let day = Day { events, ..Day::quiet(level, Some(step.get()), 36_000) };
        live(&Policy::default(), &day, TICKS, |tick| {
            prop_assert_eq!(tick.decision.command, None);
            Ok(())
        })?;
    }

    #[test]
    fn i18_a_stopped_miner_is_started_only_as_rule_8_says(policy in policy(), day in day()) {
        let mut shown = Shown::default();
        let mut honoured = HashSet::new();
        live(&policy, &day, TICKS, |tick| {
            shown.look(tick);
            if matches!(tick.decision.command, Some(Command::SetPower { .. })) {
                prop_assert_eq!(tick.decision.doing, MinerState::Running, "a power can start it");
            }
            let Some(Command::Start { .. }) = tick.decision.command else { return Ok(()) };
            let stopped_by = match tick.before.stance {
                Stance::Stopped { by, .. } => Some(by),
                Stance::Unmet => None,
                Stance::Running | Stance::Starting { .. } => return Ok(()),
            };
            let charge = shown.plausible.last().unwrap().0;
            let granted = match tick.decision.reason {
                Reason::BatteryFull => charge >= policy.full_soc && tick.before.full_armed,
                Reason::SunsetStart => charge > policy.sunset_soc,
                Reason::ResumeSoc => policy.resume_soc.is_some_and(|resume| charge >= resume),
                Reason::PersonStart => match tick.seen.intent.power {
                    PowerIntent::On { request } => honoured.insert(request),
                    PowerIntent::Off | PowerIntent::Undecided => false,
                },
                Reason::Recovered => {
                    !tick.before.emergency_latched
                        && matches!(stopped_by, Some(StopReason::Emergency | StopReason::Stale))
                }
                _ => false,
            };
            prop_assert!(granted, "{:?} started what {stopped_by:?} stopped", tick.decision.reason);
            Ok(())
        })?;
    }

    #[test]
    fn i18_found_off_stays_off_without_a_full_battery(policy in policy(), day in battery_day()) {
        let low = |(after, event): &(u16, Event)| match event {
            Event::Level(level) => (*after, Event::Level(level.min(90.0))),
            Event::Glitch { told, uploads } => {
                (*after, Event::Glitch { told: told.map(|told| told.min(90.0)), uploads: *uploads })
            }
            Event::Drift(drift) => (*after, Event::Drift(-drift.abs())),
            event => (*after, *event),
        };
        let events = day.events.iter().map(low).collect();
        let (level, drift) = (day.level.min(90.0), -day.drift.abs());
        let day = Day { mining: None, level, drift, events, ..day.clone() };
        let policy = Policy { sunset_soc: 100.0, resume_soc: None, ..policy };
        live(&policy, &day, TICKS, |tick| {
            prop_assert!(tick.decision.command.is_none_or(Command::is_off));
            prop_assert!(!tick.house.miner.on);
            Ok(())
        })?;
    }

    #[test]
    fn i19_energy_is_the_sum_over_neighbours_and_a_gap_stays_a_gap(
        readings in prop::collection::vec((1..120_i64, prop::option::weighted(0.9, 0..4000_u32)), 0..200)
    ) {
        let mut energy = Energy::new(Duration::from_secs(60));
        let (mut at, mut expected) = (0, 0.0);
        let mut last: Option<(i64, u32)> = None;
        for (seconds, watts) in readings {
            at += seconds;
            energy.add(MonoTime(at * 1000), watts.map(Watts::whole));
            if let (Some((before, from)), Some(to)) = (last, watts)
                && at - before <= 60
            {
                expected += f64::from(from + to) / 2.0 * (at - before) as f64 / 3600.0;
            }
            last = watts.map(|watts| (at, watts));
        }
        prop_assert!((energy.watt_hours() - expected).abs() < 1e-6);
    }

    #[test]
    fn the_monitor_finds_nothing(policy in policy(), day in day()) {
        let mut monitor = Monitor::default();
        live(&policy, &day, TICKS, |tick| {
            let broken = monitor.check(tick.policy, tick.before, tick.seen, tick.after, tick.decision);
            prop_assert!(
                broken.is_empty(),
                "{:?} by {:?}\nbefore {:?}\nseen {:?}",
                broken.names().collect::<Vec<_>>(),
                tick.decision,
                tick.before,
                tick.seen
            );
            Ok(())
        })?;
        prop_assert_eq!(monitor.counts().map(|(_, count)| count).sum::<u64>(), 0);
    }

    #[test]
    fn the_same_power_is_never_sent_to_a_miner_that_holds_it(policy in policy(), day in day()) {
        live(&policy, &day, TICKS, |tick| {
            if let Some(Command::SetPower { watts, .. }) = tick.decision.command {
                prop_assert_ne!(tick.after.last.unwrap().held_before, Some(watts));
                prop_assert_ne!(tick.seen.miner.power_set, Some(watts));
            }
            Ok(())
        })?;
    }

    #[test]
    fn latches_follow_the_battery_without_auto_control(policy in policy(), day in battery_day()) {
        let events: Vec<_> = day.events.clone();
        let day = Day { auto: false, events, ..day.clone() };
        live(&policy, &day, TICKS, |tick| {
            // Rule 5: nothing but rule 1, and rule 2 where it says so.
            let safety = [Rule::Emergency, Rule::Stale].contains(&tick.decision.rule);
            prop_assert!(tick.decision.command.is_none() || safety && tick.decision.command == Some(Command::Off)
                || tick.decision.reason == Reason::VerifyingOff);
            Ok(())
        })?;
    }
}
