//! Battery data that is impossible, stale, ahead of its time or old.
//!
//! Samples come every 150 s, a tick is 10 s, the miner obeys and needs 90 s to come up unless a test says
//! otherwise. The monitor watches every tick.

use crate::world::{
    events::Event,
    run::{house, latched, percents},
};
use control::Policy;
use model::{AlertCode, Command, Reason, Soc};

#[test]
fn impossible_readings_neither_start_nor_raise_nor_stop() {
    for told in [None, Some(f64::NAN), Some(f64::INFINITY), Some(127.0), Some(-1.0), Some(102.3)] {
        let mut run = house(55.0, Some(60));
        run.sample(55.0);
        run.sample(55.0);
        run.house.happens(Event::Glitch { told, uploads: 3 });
        assert_eq!(run.seconds(300), [], "{told:?}");
        let decision = run.tick();
        let impossible = told.is_some();
        assert_eq!(decision.alerts.contains(AlertCode::BatteryImplausible), impossible, "{told:?}");
        assert_eq!(decision.battery.soc, Soc::new(55.0));
    }
}

#[test]
fn stale_data_warns_at_360_and_stops_at_720_seconds_of_the_sources_age() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.house.happens(Event::Frozen(true));
    let mut seen = Vec::new();
    while run.percent().is_some() && seen.len() < 100 {
        let decision = run.tick();
        let age = decision.battery.without_good_for.as_secs();
        assert_eq!(decision.alerts.contains(AlertCode::BatteryDataOld), (360..720).contains(&age), "{age}");
        assert_eq!(decision.alerts.contains(AlertCode::BatteryDataStale), age >= 720, "{age}");
        assert_eq!(decision.command, (age == 720).then_some(Command::Off), "{age}");
        seen.push(age);
        if decision.command.is_some() {
            break;
        }
    }
    assert_eq!(seen.last(), Some(&720));
}

#[test]
fn after_stale_data_two_good_samples_bring_it_back() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.sample(55.0);
    run.house.happens(Event::Frozen(true));
    assert_eq!(run.seconds(1200).len(), 1);
    run.house.happens(Event::Frozen(false));
    run.house.happens(Event::Level(48.0));
    let one = run.tick();
    assert_eq!((one.reason, one.battery.arrived), (Reason::BatteryRecovering, Soc::new(48.0)));
    assert_eq!(run.seconds(140), [], "one sample");
    assert_eq!(percents(&run.sample(48.0)), [Some(50)], "two samples");
}

#[test]
fn stale_data_does_not_lift_the_emergency_latch() {
    let mut run = latched(Policy::default());
    run.house.happens(Event::Frozen(true));
    run.seconds(1200);
    run.house.happens(Event::Frozen(false));
    for _ in 0..4 {
        assert_eq!(run.sample(58.0), []);
    }
    assert!(run.state.emergency_latched);
}

#[test]
fn with_no_sample_at_all_nothing_is_sent_until_the_stale_rule() {
    let mut run = house(55.0, Some(60));
    run.house.happens(Event::Frozen(true));
    let mut offs = run.seconds(1500);
    assert_eq!(offs.len(), 1);
    // The first tick of the law is at 10 s.
    assert_eq!(offs.pop(), Some((730, Command::Off)));
}

#[test]
fn a_source_clock_ahead_of_ours() {
    for (ahead, good) in [(0, true), (119, true), (120, true), (121, false), (3600, false)] {
        let mut run = house(55.0, Some(60));
        run.house.happens(Event::Ahead(ahead));
        let decision = run.tick();
        assert_eq!(decision.alerts.contains(AlertCode::ClocksDisagree), !good, "{ahead} s ahead");
        // Our clock catching up with it makes no reading good.
        run.house.happens(Event::Frozen(true));
        run.seconds(ahead + 60);
        assert_eq!(run.state.battery.good.is_some(), good, "{ahead} s ahead");
    }
}

#[test]
fn an_older_snapshot_is_dropped() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.sample(54.0);
    run.house.happens(Event::Older(true));
    run.seconds(30);
    assert_eq!(run.state.battery.good.unwrap().soc, Soc::new(54.0).unwrap());
}
