use super::*;
use proptest::prelude::*;
use rstest::rstest;

const START: i64 = 1_800_000_000_000;
const RATED: u32 = 3600;

fn at(seconds: f64) -> UtcMillis {
    UtcMillis(START + millis(seconds))
}

fn machine(running: bool) -> Machine {
    Machine::new(Physics::default(), RATED, running, at(0.0))
}

/// The truth at a time after the start.
fn look(machine: &mut Machine, seconds: f64) -> MinerTruth {
    machine.advance(at(seconds));
    machine.truth(at(seconds))
}

fn change(machine: &mut Machine, seconds: f64, change: Change) {
    machine.advance(at(seconds));
    machine.apply(at(seconds), change);
}

#[track_caller]
fn assert_near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
}

#[test]
fn a_start_goes_through_dead_time_and_ramp() {
    let mut machine = machine(false);
    let off = look(&mut machine, 1.0);
    assert_eq!((off.phase, off.service_on, off.elapsed_seconds), (Phase::Off, false, 0));
    assert_near(off.watts, 14.0, 0.01);

    change(&mut machine, 10.0, Change::Start);
    let booting = look(&mut machine, 69.0);
    assert_eq!((booting.phase, booting.elapsed_seconds), (Phase::Booting, 59));
    assert_near(booting.watts, 24.0, 0.1);
    assert_near(booting.hashrate_ths, 0.0, 0.0);

    // One time constant of 240 s after the dead time: 1 − 1/e of the way.
    let ramping = look(&mut machine, 10.0 + 60.0 + 240.0);
    assert_eq!(ramping.phase, Phase::Ramping);
    assert_near(ramping.watts, 24.0 + (3600.0 - 24.0) * 0.632_121, 1.0);
    let share = ramping.hashrate_ths / (f64::from(RATED) / 30.0);
    assert!(share < 0.62, "a machine that ramps is less efficient, and this one has {share} of its rating");

    let stable = look(&mut machine, 10.0 + 1500.0);
    assert_eq!(stable.phase, Phase::Stable);
    assert_near(stable.watts, 3600.0, 15.0);
    assert_near(machine.stable_cost_s(), 1500.0, 0.0);
}

#[test]
fn a_recalibration_lasts_as_long_as_it_is_told() {
    for seconds in [30.0, 90.0, 600.0] {
        let mut machine = machine(false);
        machine.set_dead_time(seconds);
        change(&mut machine, 0.0, Change::Start);
        assert_eq!(look(&mut machine, seconds - 1.0).phase, Phase::Booting);
        assert_eq!(look(&mut machine, seconds + 1.0).phase, Phase::Ramping);
    }
}

#[test]
fn a_fast_boot_is_at_85_percent_ten_seconds_after_the_dead_time() {
    let mut machine = machine(false);
    change(&mut machine, 0.0, Change::FastBoot(true));
    change(&mut machine, 0.0, Change::Start);
    assert!(look(&mut machine, 70.0).watts > 0.85 * f64::from(RATED));
    assert_eq!(look(&mut machine, 500.0).phase, Phase::Stable);
}

#[test]
fn a_change_of_the_ramp_waits_for_the_next_start() {
    let mut machine = machine(false);
    change(&mut machine, 0.0, Change::Start);
    change(&mut machine, 100.0, Change::UpfreqSpeed(10));
    assert_eq!(look(&mut machine, 1499.0).phase, Phase::Ramping);
    change(&mut machine, 1600.0, Change::Restart);
    assert_eq!(look(&mut machine, 1600.0 + 500.0).phase, Phase::Stable);
}

#[test]
fn a_stop_is_quick_and_never_reaches_zero() {
    let mut machine = machine(true);
    change(&mut machine, 0.0, Change::Stop { resumes_after_s: None });
    assert_eq!(look(&mut machine, 0.0).phase, Phase::Off);
    assert!(look(&mut machine, 5.0).watts > 500.0);
    let cold = look(&mut machine, 30.0);
    assert_near(cold.watts, 14.0, 1.0);
    assert_near(cold.hashrate_ths, 0.0, 1e-3);
    assert_near(look(&mut machine, 86_400.0).watts, 14.0, 1e-6);
}

#[rstest]
#[case(1500)]
#[case(RATED)] // The limit that it has.
fn a_limit_restarts_whatever_it_is(#[case] limit: u32) {
    let mut machine = machine(true);
    let before = look(&mut machine, 100.0);
    change(&mut machine, 100.0, Change::Limit(limit));
    let after = look(&mut machine, 101.0);
    assert_eq!((after.starts, after.restarts), (before.starts + 1, before.restarts + 1));
    assert_eq!((after.phase, after.elapsed_seconds), (Phase::Booting, 1));
    assert!(!machine.hashing());
    assert_near(look(&mut machine, 4000.0).watts, f64::from(limit), 1.0);
}

#[rstest]
#[case(0, 3600.0)] // Zero is "as rated", never "off".
#[case(99_999, 3600.0)]
#[case(1200, 1200.0)]
fn a_limit_outlives_a_stop(#[case] limit: u32, #[case] watts: f64) {
    let mut machine = machine(true);
    change(&mut machine, 0.0, Change::Stop { resumes_after_s: None });
    change(&mut machine, 50.0, Change::Limit(limit));
    assert_eq!(look(&mut machine, 60.0).phase, Phase::Off, "a limit doesn't switch on");
    change(&mut machine, 100.0, Change::Start);
    assert_near(look(&mut machine, 4000.0).watts, watts, 1.0);
}

#[test]
fn a_percentage_needs_a_finished_ramp_acts_in_a_second_and_ends_with_a_restart() {
    let percent = Change::Percent { percent: 50, pace: Pace::Fast };
    let mut machine = machine(false);
    change(&mut machine, 0.0, Change::Start);
    machine.advance(at(1499.0));
    assert!(!machine.accepts(percent));
    machine.apply(at(1499.0), percent);
    assert_eq!(look(&mut machine, 1499.0).percent, None);

    change(&mut machine, 3000.0, percent);
    let trimmed = look(&mut machine, 3001.0);
    assert_eq!((trimmed.phase, trimmed.percent), (Phase::Stable, Some(50)));
    assert_near(trimmed.watts, 1800.0, 75.0);
    assert_near(look(&mut machine, 3010.0).watts, 1800.0, 1.0);

    change(&mut machine, 4000.0, Change::Restart);
    let restarted = look(&mut machine, 7000.0);
    assert_eq!(restarted.percent, None);
    assert_near(restarted.watts, 3600.0, 1.0);
}

#[test]
fn a_target_power_waits_for_the_next_start_unless_the_ramp_has_finished() {
    let mut machine = machine(false);
    change(&mut machine, 0.0, Change::Start);
    change(&mut machine, 100.0, Change::PowerTarget(2000));
    assert_near(look(&mut machine, 3000.0).watts, 3600.0, 1.0);
    change(&mut machine, 3000.0, Change::PowerTarget(2500));
    assert_near(look(&mut machine, 4000.0).watts, 2500.0, 1.0);
    assert_eq!(machine.truth(at(4000.0)).restarts, 0);
    change(&mut machine, 4000.0, Change::Restart);
    assert_near(look(&mut machine, 8000.0).watts, 2500.0, 1.0);
}

#[test]
fn the_low_mode_caps_the_power() {
    let mut machine = machine(true);
    change(&mut machine, 0.0, Change::Mode(PowerMode::Low));
    assert_near(look(&mut machine, 4000.0).watts, 0.8 * 3600.0, 1.0);
}

#[test]
fn a_reboot_takes_its_time_and_ends_mining() {
    let mut machine = machine(true);
    change(&mut machine, 0.0, Change::Stop { resumes_after_s: None });
    change(&mut machine, 10.0, Change::Reboot { seconds: 150.0 });
    change(&mut machine, 100.0, Change::Stop { resumes_after_s: None });
    assert_eq!(look(&mut machine, 159.0).phase, Phase::BoardRebooting, "nothing reaches it");
    let up = look(&mut machine, 161.0);
    assert_eq!((up.phase, up.service_on, up.uptime_seconds), (Phase::Booting, true, 1));
}

#[test]
fn firmware_that_resumes_does_so_once_and_only_if_nobody_starts_it_before() {
    let mut machine = machine(true);
    change(&mut machine, 0.0, Change::Stop { resumes_after_s: Some(120) });
    assert_eq!(look(&mut machine, 119.0).phase, Phase::Off);
    assert_eq!(look(&mut machine, 120.0).phase, Phase::Booting);
    change(&mut machine, 200.0, Change::Stop { resumes_after_s: Some(120) });
    change(&mut machine, 250.0, Change::Stop { resumes_after_s: None });
    assert_eq!(look(&mut machine, 86_400.0).phase, Phase::Off, "the later stop held");
}

#[test]
fn a_machine_below_its_floor_restarts_every_three_minutes_until_it_is_raised() {
    let mut machine = machine(true);
    machine.set_crash_below(at(0.0), Some(1200));
    assert_eq!(look(&mut machine, 1000.0).restarts, 0);
    change(&mut machine, 1000.0, Change::Limit(1000));
    let looping = look(&mut machine, 1000.0 + 15.0 * 60.0 + 1.0);
    assert_eq!((looping.phase, looping.restarts), (Phase::CrashLoop, 1 + 5));
    change(&mut machine, 2000.0, Change::Limit(1500));
    let restarts = look(&mut machine, 2000.0).restarts;
    let healed = look(&mut machine, 10_000.0);
    assert_eq!((healed.phase, healed.restarts), (Phase::Stable, restarts));
}

#[test]
fn too_low_a_percentage_ends_in_a_restart_without_it() {
    let mut machine = machine(true);
    machine.set_crash_below(at(0.0), Some(1200));
    change(&mut machine, 10.0, Change::Percent { percent: 20, pace: Pace::Fast });
    assert_eq!(look(&mut machine, 100.0).phase, Phase::CrashLoop);
    let after = look(&mut machine, 191.0);
    assert_eq!((after.phase, after.percent, after.restarts), (Phase::Booting, None, 1));
}

#[test]
fn what_waits_happens_in_its_order_at_its_time() {
    let mut machine = machine(true);
    assert!(machine.schedule(at(300.0), Change::Start));
    assert!(machine.schedule(at(100.0), Change::Stop { resumes_after_s: None }));
    assert_eq!(look(&mut machine, 99.0).phase, Phase::Stable);
    assert_eq!(look(&mut machine, 100.0).phase, Phase::Off);
    assert_eq!(look(&mut machine, 400.0).elapsed_seconds, 100);
    let crowd = (0..1000).filter(|_| machine.schedule(at(500.0), Change::Restart)).count();
    assert_eq!(crowd, MOST_WAITING);
}

#[test]
fn what_is_forced_is_so_at_once() {
    let mut machine = machine(false);
    machine.force(at(5.0), Forced::Stable { limit_watts: 1800 });
    let stable = look(&mut machine, 5.0);
    assert_eq!((stable.phase, stable.limit_watts), (Phase::Stable, 1800));
    assert_near(stable.watts, 1800.0, 1e-9);
    assert_near(machine.average_hash_rate(at(5.0)), stable.hashrate_ths, 1e-6);
    assert_near(machine.mean_hash_rate(at(5.0), 900.0), stable.hashrate_ths, 1e-6);
    machine.force(at(6.0), Forced::Off);
    assert_near(look(&mut machine, 6.0).watts, 14.0, 1e-9);
    machine.force(at(7.0), Forced::Running);
    assert_eq!(look(&mut machine, 7.0).phase, Phase::Booting);
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        proptest::option::of(0..2000_u64).prop_map(|resumes_after_s| Change::Stop { resumes_after_s }),
        Just(Change::Start),
        Just(Change::Restart),
        (0.0..400.0).prop_map(|seconds| Change::Reboot { seconds }),
        (0..100_000_u32).prop_map(Change::Limit),
        (0..=100_u8, any::<bool>()).prop_map(|(percent, fast)| Change::Percent {
            percent,
            pace: if fast { Pace::Fast } else { Pace::Normal },
        }),
        Just(Change::RestorePercent),
        prop_oneof![Just(PowerMode::Low), Just(PowerMode::Normal), Just(PowerMode::High)]
            .prop_map(Change::Mode),
        (0..100_000_u32).prop_map(Change::PowerTarget),
        (0..=10_u8).prop_map(Change::UpfreqSpeed),
        any::<bool>().prop_map(Change::FastBoot),
    ]
}

proptest! {
    /// Nobody who looks changes what happens, not by one bit.
    #[test]
    fn looking_changes_nothing(
        running: bool,
        crash_below in proptest::option::of(0..2000_u32),
        story in proptest::collection::vec((0..3_000_000_i64, any_change()), 0..12),
        glances in proptest::collection::vec(0..3_000_000_i64, 0..60),
    ) {
        let (mut watched, mut alone) = (machine(running), machine(running));
        watched.set_crash_below(at(0.0), crash_below);
        alone.set_crash_below(at(0.0), crash_below);
        let mut now = START;
        for (pause, next) in story {
            let mut inside: Vec<i64> = glances.iter().filter(|glance| **glance < pause).copied().collect();
            inside.sort_unstable();
            for glance in inside {
                watched.advance(UtcMillis(now + glance));
                let _ = watched.truth(UtcMillis(now + glance));
            }
            now += pause;
            for machine in [&mut watched, &mut alone] {
                machine.advance(UtcMillis(now));
                machine.apply(UtcMillis(now), next);
            }
        }
        let end = UtcMillis(now + 7_200_000);
        watched.advance(end);
        alone.advance(end);
        prop_assert_eq!(watched.truth(end), alone.truth(end));
    }

    /// Power stays between idle and rating, the hash rate between nothing and its rating, and energy is their sum.
    #[test]
    fn physics_stay_physical(running: bool, story in proptest::collection::vec((0..600_i64, any_change()), 1..20)) {
        let mut machine = machine(running);
        let (mut seconds, mut summed) = (0, 0.0);
        for (pause, next) in story {
            for _ in 0..pause {
                machine.advance(at(f64::from(seconds)));
                let here = machine.watts(at(f64::from(seconds)));
                seconds += 1;
                let truth = look(&mut machine, f64::from(seconds));
                prop_assert!((13.999..=3600.001).contains(&truth.watts), "{} W", truth.watts);
                prop_assert!((-1e-9..=120.001).contains(&truth.hashrate_ths), "{} TH/s", truth.hashrate_ths);
                summed += f64::midpoint(here, truth.watts) / 3600.0;
            }
            change(&mut machine, f64::from(seconds), next);
        }
        let energy = machine.truth(at(f64::from(seconds))).energy_watt_hours;
        // The trapezia of a second are coarse where the power falls within seconds.
        prop_assert!((energy - summed).abs() <= 0.02 * summed + 20.0, "{energy} Wh and {summed} Wh");
    }
}
