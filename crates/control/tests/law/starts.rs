//! What starts a stopped miner: a full battery, the night, `resume_soc`; and what does not.
//!
//! Samples come every 150 s, a tick is 10 s, the miner obeys and needs 90 s to come up unless a test says
//! otherwise. The monitor watches every tick.

use crate::world::{
    events::{Day, Event, Obedience},
    run::{Run, house, latched, percents},
};
use control::{Policy, Stance, StopReason};
use model::{BlockedBy, Reason, SunTimes};
use std::time::Duration;

#[test]
fn full_acts_once_on_two_samples_and_arms_again_below_98() {
    // (samples, ceiling after them)
    let table: [(&[f64], u8); 7] = [
        (&[99.9, 99.9], 60),
        (&[100.0], 60),
        (&[100.0, 99.0, 100.0], 60),
        (&[100.0, 100.0], 100),
        // Not under 98 in between: the ceiling that the reduction lowered stays.
        (&[100.0, 100.0, 100.0, 98.0, 98.0, 100.0, 100.0], 100),
        (&[100.0, 100.0, 100.0, 85.0, 85.0, 85.0, 99.0, 99.0], 90),
        (&[100.0, 100.0, 100.0, 85.0, 85.0, 85.0, 100.0, 100.0], 100),
    ];
    for (samples, ceiling) in table {
        let mut run = house(90.0, Some(60));
        run.sample(90.0);
        for level in samples {
            run.sample(*level);
        }
        assert_eq!(run.state.ceiling.get(), ceiling, "after {samples:?}");
    }
}

#[test]
fn full_is_edge_triggered() {
    let mut run = house(99.0, Some(60));
    for level in [99.0, 100.0, 100.0] {
        run.sample(level);
    }
    assert!(!run.state.full_armed);
    for (level, armed) in [(99.0, false), (98.0, false), (97.9, true), (100.0, true), (100.0, false)] {
        run.sample(level);
        assert_eq!(run.state.full_armed, armed, "at {level} %");
    }
}

#[test]
fn full_clears_the_latch_and_starts_a_stopped_miner_at_all_power() {
    let mut run = latched(Policy::default());
    for level in [60.0, 90.0, 100.0] {
        assert_eq!(run.sample(level), [], "at {level} %");
    }
    assert_eq!(percents(&run.sample(100.0)), [Some(100)]);
    assert!(!run.state.emergency_latched);
}

#[test]
fn a_full_battery_sends_nothing_to_a_miner_at_full_power() {
    let mut run = house(97.0, Some(100));
    for level in [97.0, 97.0, 100.0, 100.0, 100.0, 97.0, 100.0, 100.0] {
        assert_eq!(run.sample(level), [], "at {level} %");
    }
}

#[test]
fn the_sunset_start_needs_more_than_60_percent_the_night_and_a_synced_clock() {
    // (hour, minute, state of charge, synced, starts)
    let table = [
        (18, 54, 75.0, true, false),
        (19, 0, 75.0, true, true),
        (19, 5, 60.0, true, false),
        (19, 5, 60.1, true, true),
        (19, 5, 61.0, true, true),
        (19, 5, 75.0, false, false),
        (23, 58, 75.0, true, true),
        (0, 0, 75.0, true, true),
        (6, 54, 75.0, true, true),
        (7, 0, 75.0, true, false),
    ];
    for (hour, minute, level, synced, starts) in table {
        let mut run = latched(Policy::default());
        run.clock(12, 0);
        run.sample(50.0);
        run.house.happens(Event::Synced(synced));
        run.clock(hour, minute);
        let expected: &[Option<u8>] = if starts { &[Some(40)] } else { &[] };
        assert_eq!(percents(&run.sample(level)), expected, "{hour}:{minute:02}, {level} %, synced {synced}");
        assert_eq!(run.state.emergency_latched, !starts);
    }
}

#[test]
fn one_sunset_start_a_night_over_midnight_and_over_a_change_of_the_clock() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.clock(23, 50);
    assert_eq!(percents(&run.sample(65.0)), [Some(40)]);
    run.sample(65.0);
    // Down to the emergency once more, and up again after midnight.
    for level in [33.0, 33.0, 30.0, 30.0, 45.0, 65.0, 65.0, 65.0] {
        run.sample(level);
    }
    assert!(run.house.wall.rem_euclid(86_400) < 3600, "after midnight");
    assert_eq!((run.percent(), run.state.emergency_latched), (None, true));
    // The hour between two and three comes twice.
    run.clock(2, 58);
    run.sample(65.0);
    run.house.happens(Event::ClockMoves(-3600));
    assert_eq!(run.sample(65.0), []);
    run.clock(6, 55);
    assert_eq!(run.sample(65.0), []);
    run.clock(12, 0);
    assert_eq!(run.sample(65.0), []);
    // The next evening is another night.
    run.clock(19, 0);
    assert_eq!(percents(&run.sample(65.0)), [Some(40)]);
}

#[test]
fn the_sunset_of_the_sky() {
    let day = |sun| Day { sun: Some(sun), ..Day::quiet(80.0, None, 0) };
    let summer = SunTimes::RisesAndSets { sunrise: 5 * 3600, sunset: 21 * 3600 };
    let after_midnight = SunTimes::RisesAndSets { sunrise: 3 * 3600, sunset: 3600 };
    let table = [
        (summer, 20, 54, false),
        (summer, 21, 0, true),
        (summer, 4, 54, true),
        (summer, 5, 0, false),
        (after_midnight, 0, 54, false),
        (after_midnight, 1, 0, true),
        (after_midnight, 3, 0, false),
        (after_midnight, 22, 0, false),
        (SunTimes::NoSunset, 23, 0, false),
    ];
    for (sun, hour, minute, starts) in table {
        let mut run = Run::new(Policy::default(), &day(sun));
        run.clock(hour, minute);
        assert_eq!(!run.sample(80.0).is_empty(), starts, "{sun:?} at {hour}:{minute:02}");
    }
}

#[test]
fn resume_soc_starts_it_after_min_off_and_not_before() {
    let policy = Policy { resume_soc: Some(65.0), ..Policy::default() };
    let mut run = latched(policy);
    let Stance::Stopped { by: StopReason::Emergency, since } = run.state.stance else {
        panic!("stopped by the emergency")
    };
    for level in [50.0, 64.9, 65.0] {
        assert_eq!(run.sample(level), [], "at {level} %");
    }
    let waiting = run.tick().blocked.unwrap();
    assert_eq!(
        (waiting.by, waiting.until),
        (BlockedBy::MinimumOffTime, Some(since + Duration::from_secs(1800)))
    );
    let start = run.until(1800, |decision| decision.command.is_some()).unwrap();
    assert_eq!(start.reason, Reason::ResumeSoc);
    assert_eq!(start.command.unwrap().percent().unwrap().get(), 40, "the ceiling");
    assert_eq!(run.house.now * 1000, since.0 + 1_800_000);
}

#[test]
fn found_off_at_a_first_start_it_stays_off_by_day() {
    let mut run = house(80.0, None);
    for level in [80.0, 90.0, 99.0, 100.0] {
        assert_eq!(run.sample(level), [], "at {level} %");
    }
    assert_eq!(percents(&run.sample(100.0)), [Some(100)], "a full battery starts it");
}

#[test]
fn a_miner_that_was_never_met_counts_as_found_off_whatever_happened_before() {
    let mut run = house(55.0, None);
    run.house.happens(Event::Reachable(false));
    run.house.happens(Event::Frozen(true));
    run.seconds(1200);
    run.house.happens(Event::Frozen(false));
    run.house.happens(Event::Reachable(true));
    for _ in 0..4 {
        assert!(run.sample(55.0).iter().all(|command| command.is_off()));
    }
    assert_eq!(run.percent(), None);
}

#[test]
fn a_sunset_start_that_failed_and_is_sent_again_by_day_is_still_the_start_of_its_night() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.clock(6, 54);
    run.house.happens(Event::Obedience(Obedience::Refuses));
    run.house.happens(Event::Level(65.0));
    let refused = run.until(300, |decision| decision.command.is_some()).unwrap();
    assert_eq!(refused.reason, Reason::SunsetStart);
    let evening = run.state.last_sunset_start;
    assert_eq!(evening.map(|evening| evening.0 + 1), Some(run.house.observe().local.day.0));
    run.clock(7, 5);
    run.house.happens(Event::Obedience(Obedience::Obeys));
    assert_eq!(run.seconds(600).len(), 1);
    assert_eq!((run.state.last_sunset_start, run.percent()), (evening, Some(40)));
}
