//! The contract's own example, the steps of the ladder and the emergency, as tables.
//!
//! Samples come every 150 s, a tick is 10 s, the miner obeys and needs 90 s to come up unless a test says
//! otherwise. The monitor watches every tick.

use crate::world::{
    events::{Day, Event},
    run::{NOON, Run, house, percents},
};
use control::Policy;
use model::{BlockedBy, Command, Reason, Rule};

#[test]
fn the_worked_example() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    // (state of charge, percent it then runs at, ceiling)
    let by_day = [
        (95.0, Some(100), 100),
        (90.0, Some(90), 90),
        (85.0, Some(90), 90),
        (80.0, Some(80), 80),
        (88.0, Some(80), 80),
        (55.0, Some(60), 60),
        (61.0, Some(60), 60),
        (31.0, Some(40), 40),
        (30.0, None, 40),
        (45.0, None, 40),
        (75.0, None, 40),
    ];
    for (level, percent, ceiling) in by_day {
        run.clock(12, 0);
        for _ in 0..4 {
            run.sample(level);
        }
        assert_eq!((run.percent(), run.state.ceiling.get()), (percent, ceiling), "at {level} %");
        assert_eq!(run.state.emergency_latched, percent.is_none(), "at {level} %");
    }
    run.clock(19, 5);
    assert_eq!(percents(&run.sample(75.0)), [Some(40)], "75 at 19:05");
    assert_eq!((run.percent(), run.state.ceiling.get()), (Some(40), 40));
    assert!(!run.state.emergency_latched);
    for _ in 0..3 {
        run.sample(75.0);
    }
    assert_eq!((percents(&run.sample(100.0)), run.state.ceiling.get()), (vec![], 40), "100 once");
    assert_eq!((percents(&run.sample(100.0)), run.state.ceiling.get()), (vec![Some(100)], 100), "100 twice");
    assert_eq!(run.percent(), Some(100));
}

#[test]
fn where_each_step_begins() {
    let table = [
        (0.0, None),
        (29.9, None),
        (30.0, None),
        (30.1, Some(40)),
        (31.0, Some(40)),
        (35.0, Some(40)),
        (36.0, Some(40)),
        (40.0, Some(40)),
        (40.1, Some(50)),
        (41.0, Some(50)),
        (50.0, Some(50)),
        (50.1, Some(60)),
        (51.0, Some(60)),
        (60.0, Some(60)),
        (60.1, Some(70)),
        (61.0, Some(70)),
        (70.1, Some(80)),
        (80.1, Some(90)),
        (90.0, Some(90)),
        (90.1, Some(100)),
        (91.0, Some(100)),
        (98.0, Some(100)),
        (99.0, Some(100)),
        (100.0, Some(100)),
    ];
    for (level, percent) in table {
        let mut run = house(level, Some(100));
        for _ in 0..4 {
            run.sample(level);
        }
        assert_eq!(run.percent(), percent, "at {level} %");
        assert_eq!(run.state.ceiling.get(), percent.unwrap_or(100), "at {level} %");
    }
}

#[test]
fn going_down_needs_two_samples_that_agree() {
    // (samples after 95, percent after them): the least reduction that the last two both ask for.
    let table: [(&[f64], u8); 6] = [
        (&[85.0], 100),
        (&[85.0, 85.0], 90),
        (&[85.0, 95.0, 85.0, 95.0, 85.0], 100),
        (&[85.0, 72.0], 90),
        (&[72.0, 85.0], 90),
        (&[45.0, 45.0], 50),
    ];
    for (samples, percent) in table {
        let mut run = house(95.0, Some(100));
        run.sample(95.0);
        for level in samples {
            run.sample(*level);
        }
        assert_eq!(run.percent(), Some(percent), "after {samples:?}");
    }
}

#[test]
fn an_emergency_acts_on_the_very_tick_and_waits_for_nothing() {
    let mut run = house(45.0, Some(60));
    run.sample(45.0);
    run.sample(45.0);
    assert_eq!(run.percent(), Some(50), "a command has just been sent, the interval runs");
    run.house.happens(Event::Level(30.0));
    let decision = run.tick();
    assert_eq!((decision.rule, decision.reason), (Rule::Emergency, Reason::EmergencySoc));
    assert_eq!((decision.command, decision.blocked), (Some(Command::Off), None));
}

#[test]
fn thirty_thirty_one_thirty_thirty_one_stops_once() {
    let mut run = house(32.0, Some(40));
    run.sample(32.0);
    run.sample(32.0);
    let mut sent = Vec::new();
    for level in [30.0, 31.0, 30.0, 31.0, 30.0, 31.0] {
        sent.extend(run.sample(level));
    }
    assert_eq!(sent, [Command::Off]);
    assert!(run.state.emergency_latched);
}

#[test]
fn the_sample_after_an_emergency_decides_what_it_was() {
    // (next sample, latched, percent after another of the same)
    let table = [
        (0.0, true, None),
        (30.0, true, None),
        (31.0, true, None),
        (35.0, true, None),
        (35.1, false, Some(40)),
        (36.0, false, Some(40)),
        (42.0, false, Some(50)),
        (60.0, false, Some(50)),
    ];
    for (next, emergency, percent) in table {
        let mut run = house(50.0, Some(50));
        run.sample(50.0);
        run.sample(50.0);
        assert_eq!(run.sample(30.0), [Command::Off]);
        assert!(run.state.emergency_unconfirmed && !run.state.emergency_latched);
        run.sample(next);
        assert_eq!(run.state.emergency_latched, emergency, "after {next} %");
        assert!(!run.state.emergency_unconfirmed);
        run.sample(next);
        assert_eq!(run.percent(), percent, "after {next} %");
    }
}

#[test]
fn a_glitch_to_zero_stops_it_and_two_true_samples_bring_it_back() {
    let mut run = house(80.0, Some(80));
    run.sample(80.0);
    run.sample(80.0);
    assert_eq!(run.sample(0.0), [Command::Off]);
    // From 0 to 80 in 150 s is faster than a battery can: nothing rests on it until a second says the same.
    assert_eq!(run.sample(80.0), []);
    assert!(run.state.emergency_unconfirmed && run.percent().is_none());
    assert_eq!(percents(&run.sample(80.0)), [Some(80)]);
    assert!(!run.state.emergency_latched);
}

#[test]
fn after_a_glitch_the_interval_is_kept() {
    let mut run = house(40.0, Some(40));
    run.sample(40.0);
    run.sample(40.0);
    run.house.happens(Event::Cadence { upload: 60, fetch: 10 });
    run.house.happens(Event::Level(29.0));
    let off = run.until(300, |decision| decision.command.is_some()).unwrap();
    assert_eq!(off.command, Some(Command::Off));
    let off_at = run.house.now;
    run.house.happens(Event::Level(40.0));
    let blocked = run.until(120, |decision| decision.reason == Reason::Recovered).unwrap();
    let blocked = blocked.blocked.unwrap();
    assert_eq!((blocked.by, blocked.until.unwrap().0), (BlockedBy::Interval, (off_at + 120) * 1000));
    let start = run.until(120, |decision| decision.command.is_some()).unwrap();
    assert_eq!((start.command.unwrap().percent().unwrap().get(), run.house.now), (40, off_at + 120));
}

#[test]
fn what_is_sent_after_a_block_is_what_the_law_wants_then() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::Cadence { upload: 60, fetch: 10 });
    run.house.happens(Event::Ramp(600));
    let mut sent = Vec::new();
    for level in [85.0, 85.0, 75.0, 75.0, 65.0, 65.0] {
        sent.extend(run.sample(level));
    }
    for _ in 0..8 {
        sent.extend(run.sample(65.0));
    }
    // 90 goes at once; 80 would have been wanted while the miner settled, 70 is when it may go.
    assert_eq!(percents(&sent), [Some(90), Some(70)]);
}

#[test]
fn settings_that_cannot_be_are_read_as_the_safe_bound() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 29.9, 100.1] {
        let policy = Policy { emergency_soc: bad, full_soc: bad, ..Policy::default() };
        assert!(policy.check().is_err(), "{bad}");
        assert_eq!(
            (policy.emergency_soc().to_bits(), policy.full_soc().to_bits()),
            (30_f64.to_bits(), 100_f64.to_bits())
        );
        let mut run = Run::new(policy, &Day::quiet(30.0, Some(100), NOON));
        assert_eq!(run.sample(30.0), [Command::Off], "{bad}");
    }
}
