//! The person's wishes: manual power, auto-control, off and on; and the day's budget.
//!
//! Samples come every 150 s, a tick is 10 s, the miner obeys and needs 90 s to come up unless a test says
//! otherwise. The monitor watches every tick.

use crate::world::{
    events::{Day, Event},
    run::{NOON, Run, house, latched, percents},
};
use control::Policy;
use model::{AlertCode, BlockedBy, Command, Soc};

#[test]
fn a_manual_percent_holds_until_it_expires_and_moves_no_latch() {
    let mut run = house(85.0, Some(90));
    run.sample(85.0);
    run.sample(85.0);
    run.house.happens(Event::ManualPercent(55, 1200));
    assert_eq!(percents(&run.sample(85.0)), [Some(55)]);
    assert_eq!(run.state.ceiling.get(), 90);
    for _ in 0..6 {
        assert_eq!(run.sample(85.0), []);
    }
    assert_eq!(percents(&run.sample(85.0)), [Some(90)], "expired");
    assert_eq!(run.state.ceiling.get(), 90);
}

#[test]
fn a_manual_percent_may_be_above_the_ceiling_but_not_stand_against_safety() {
    let mut run = house(45.0, Some(60));
    run.sample(45.0);
    for _ in 0..3 {
        run.sample(45.0);
    }
    assert_eq!(run.percent(), Some(50));
    run.house.happens(Event::ManualPercent(100, 7200));
    assert_eq!(percents(&run.sample(45.0)), [Some(100)]);
    assert_eq!(run.state.ceiling.get(), 50);
    assert_eq!(run.sample(30.0), [Command::Off], "rule 1");
}

#[test]
fn a_raise_below_the_ceiling_lowers_nothing() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::ManualPercent(60, 600));
    run.sample(85.0);
    for _ in 0..5 {
        run.sample(85.0);
    }
    // Only starts and reductions lower the ceiling: it never ran under auto-control at less.
    assert_eq!((run.percent(), run.state.ceiling.get()), (Some(90), 100));
}

#[test]
fn without_auto_control_only_an_emergency_acts() {
    let mut run = house(95.0, Some(100));
    run.house.happens(Event::Auto(false));
    for level in [95.0, 55.0, 45.0, 31.0] {
        assert_eq!(run.sample(level), [], "at {level} %");
    }
    assert_eq!(run.sample(30.0), [Command::Off]);
}

#[test]
fn without_auto_control_stale_data_stops_only_where_it_is_told_to() {
    for stops in [false, true] {
        let policy = Policy { stale_off_without_auto: stops, ..Policy::default() };
        let mut run = Run::new(policy, &Day { auto: false, ..Day::quiet(55.0, Some(60), NOON) });
        run.sample(55.0);
        run.house.happens(Event::Frozen(true));
        assert_eq!(!run.seconds(1200).is_empty(), stops);
        assert!(run.tick().alerts.contains(AlertCode::BatteryDataStale));
    }
}

#[test]
fn person_off_stays_off_through_a_full_battery_and_a_sunset() {
    let mut run = house(90.0, Some(90));
    run.sample(90.0);
    run.house.happens(Event::PersonOff);
    assert_eq!(run.sample(90.0), [Command::Off]);
    for (hour, level) in [(12, 100.0), (12, 100.0), (19, 80.0), (23, 100.0), (4, 90.0)] {
        run.clock(hour, 0);
        assert_eq!(run.sample(level), [], "{hour}:00 at {level} %");
    }
    run.house.happens(Event::PersonOn);
    assert_eq!(percents(&run.sample(90.0)), [Some(90)]);
}

#[test]
fn a_power_on_is_honoured_once_and_refused_by_safety() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.house.happens(Event::PersonOn);
    assert_eq!(percents(&run.sample(50.0)), [Some(40)], "the person's own start");
    run.sample(50.0);
    assert_eq!(run.sample(30.0), [Command::Off]);
    run.house.happens(Event::PersonOn);
    for level in [30.0, 33.0, 45.0, 50.0] {
        assert_eq!(run.sample(level), [], "asked at 30 %, now {level} %");
    }
}

#[test]
fn the_days_budget() {
    let mut run =
        Run::new(Policy { command_budget: 2, ..Policy::default() }, &Day::quiet(95.0, Some(100), NOON));
    let mut sent = Vec::new();
    for level in [95.0, 85.0, 85.0, 85.0, 75.0, 75.0, 75.0, 65.0, 65.0, 65.0] {
        sent.extend(run.sample(level));
    }
    assert_eq!(percents(&sent), [Some(90), Some(80)]);
    let decision = run.tick();
    assert_eq!(decision.blocked.unwrap().by, BlockedBy::Budget);
    assert!(decision.blocked.unwrap().until.is_some() && decision.alerts.contains(AlertCode::BudgetSpent));
    // A day after the first of them one more may go; what is older than a day is forgotten.
    run.house.happens(Event::Down(86_400));
    let mut late = Vec::new();
    for _ in 0..3 {
        late.extend(run.sample(65.0));
    }
    assert_eq!((percents(&late), run.state.ordinary_sent.len()), (vec![Some(70)], 1));
    assert_eq!(run.sample(30.0), [Command::Off], "an off is no ordinary command");
}

#[test]
fn a_budget_of_nothing_allows_nothing() {
    let policy = Policy { command_budget: 0, ..Policy::default() };
    let mut run = Run::new(policy, &Day::quiet(85.0, Some(100), NOON));
    for _ in 0..4 {
        assert_eq!(run.sample(85.0), []);
    }
}

#[test]
fn a_power_on_while_data_is_stale_is_refused_and_not_kept() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.house.happens(Event::PersonOff);
    run.sample(55.0);
    run.house.happens(Event::Frozen(true));
    run.seconds(900);
    run.house.happens(Event::PersonOn);
    run.tick();
    run.house.happens(Event::Frozen(false));
    for _ in 0..4 {
        assert_eq!(run.sample(55.0), []);
    }
}

#[test]
fn back_up_after_a_manual_power_two_samples_have_to_ask_for_it() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::ManualPercent(40, 605));
    for level in [95.0, 80.0, 50.0] {
        run.sample(level);
    }
    assert_eq!(run.percent(), Some(40));
    // It expires on the tick at which the sample after 50 says 85.
    run.house.happens(Event::Level(50.0));
    run.seconds(140);
    run.house.happens(Event::Level(85.0));
    run.seconds(10);
    assert_eq!(run.percent(), Some(40));
    let raise = run.until(10, |_| true).unwrap();
    assert_eq!(
        (raise.battery.arrived, raise.command.map(|command| command.percent().unwrap().get())),
        (Soc::new(85.0), Some(50))
    );
}

#[test]
fn a_start_is_at_most_at_the_manual_power_that_holds() {
    for (manual, sent) in [(55, vec![Some(55)]), (100, vec![Some(90), Some(100)])] {
        let mut run = house(85.0, None);
        run.sample(85.0);
        run.house.happens(Event::ManualPercent(manual, 7200));
        run.house.happens(Event::PersonOn);
        assert_eq!(percents(&run.sample(85.0)), sent, "manual {manual} %");
        assert_eq!(run.state.ceiling.get(), 90, "the manual power moves no latch");
    }
}
