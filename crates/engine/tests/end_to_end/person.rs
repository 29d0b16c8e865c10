//! What a person asks, and what safety makes of it.

use crate::house::{House, Options};
use engine::{Refused, Request};
use model::{ManualTarget, PowerPercent, Watts, snapshot::MinerState};
use std::time::Duration;

fn percent(percent: u8) -> Request {
    Request::Manual { target: ManualTarget::Percent(PowerPercent::new(percent).unwrap()), hold: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn off_stays_off_until_the_person_says_so() {
    let house = House::open(Options::default()).await;
    house.handle.ask(None, Request::PowerOff).await.unwrap();
    house.run(20).await;
    assert_eq!(house.sent(), ["off"]);
    house.say_twice(100.0).await;
    house.run(12 * 3600).await;
    assert_eq!(house.sent(), ["off"], "neither full nor sunset starts it: {}", house.report());
    house.handle.ask(None, Request::PowerOn { confirmed: false }).await.unwrap();
    house.run(120).await;
    assert_eq!(house.sent(), ["off", "start"], "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_is_refused_while_safety_forbids_it() {
    let house = House::open(Options::default()).await;
    house.say_twice(30.0).await;
    let low = house.handle.ask(None, Request::PowerOn { confirmed: true }).await.unwrap_err();
    assert!(matches!(&low, Refused::Forbidden(why) if why.contains("emergency")), "{low}");
    assert!(house.handle.ask(None, percent(50)).await.is_err());
    house.say_twice(45.0).await;
    let latched = house.handle.ask(None, Request::PowerOn { confirmed: false }).await.unwrap_err();
    assert!(latched.to_string().contains("Confirm"), "{latched}");
    house.handle.ask(None, Request::PowerOn { confirmed: true }).await.unwrap();
    house.run(60).await;
    assert_eq!(house.sent(), ["off", "limit 1800", "start"], "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manual_power_holds_and_ends() {
    let house = House::open(Options::default()).await;
    let hold = Some(Duration::from_secs(1800));
    let target = ManualTarget::Watts(Watts::whole(2000));
    house.handle.ask(None, Request::Manual { target, hold }).await.unwrap();
    house.run(30).await;
    assert_eq!(house.sent().len(), 1, "{}", house.report());
    house.run(300).await;
    let watts = house.truth().watts;
    assert!((watts - 2000.0).abs() < 120.0, "{watts} W");
    assert_eq!(house.view().latches.ceiling.get(), 100, "it moves no latch");
    house.run(1800).await;
    assert!(house.truth().watts > 3300.0, "back to what the ladder allows: {}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_cant_be_are_refused_with_the_field() {
    let house = House::open(Options::default()).await;
    for (watts, field) in [(100, "watts"), (99_999, "watts")] {
        let request = Request::Manual { target: ManualTarget::Watts(Watts::whole(watts)), hold: None };
        let refused = house.handle.ask(None, request).await.unwrap_err();
        assert!(matches!(refused, Refused::Invalid { field: named, .. } if named == field), "{refused}");
    }
    let nobody = Some(model::MinerId("nobody".into()));
    assert!(matches!(house.handle.ask(nobody, Request::PowerOff).await, Err(Refused::NoSuchMiner(_))));
    assert_eq!(house.sent(), Vec::<String>::new());
}

/// Without auto-control nothing is changed, but an emergency still stops the miner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_auto_control_only_an_emergency_acts() {
    let house = House::open(Options { auto_control: false, ..Options::default() }).await;
    house.say_twice(50.0).await;
    house.run(600).await;
    assert_eq!(house.sent(), Vec::<String>::new());
    house.set_portal(|faults| faults.frozen = true);
    house.run(1800).await;
    assert_eq!(house.sent(), Vec::<String>::new(), "stale data warns only: {}", house.report());
    house.set_portal(|faults| faults.frozen = false);
    house.say(29.0).await;
    house.run(20).await;
    assert_eq!(house.sent(), ["off"]);
    assert_eq!(house.view().state, MinerState::Off);
    house.assert_sound();
}
