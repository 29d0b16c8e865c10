//! The running engine goes on by another setup: the new numbers hold at once, and nothing that was known is lost.

use crate::house::{House, Options};
use async_trait::async_trait;
use control::Policy;
use devices::{
    BatterySource, Deadlines, DeviceError, Secret,
    whatsminer::{WhatsMiner, WhatsMinerConfig},
};
use engine::{Law, Refused, Request};
use model::{
    BatteryReading, ManualTarget, MinerId, Now, PowerPercent, UtcMillis, Wanted, snapshot::MinerState,
};
use simulator::miner::{Phase, WriteFault};
use std::{sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_numbers_of_the_law_hold_from_the_next_tick_on() {
    let mut house = House::open(Options::default()).await;
    house.say_twice(55.0).await;
    house.run(400).await;
    let before = house.sent();
    assert_ne!(house.view().state, MinerState::Off);
    house.renew(|setup| setup.miners[0].policy.emergency_soc = 60.0).await;
    assert!(house.snapshot().battery.soc.is_some(), "what the battery said is still known");
    assert!(house.view().connection.connected, "and so is the miner");
    house.until(120, "off", |house| house.truth().phase == Phase::Off).await;
    let after = house.sent();
    assert_eq!(after.strip_prefix(before.as_slice()).unwrap(), ["off"], "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wishes_latches_alerts_and_operations_stay_even_without_a_database() {
    let mut house = House::open(Options { forgets: true, ..Options::default() }).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::AcknowledgeOnly);
    house.say_twice(60.0).await;
    house.until(900, "an alert that it disobeys", |house| !house.alerts().is_empty()).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::None);
    house.say_twice(30.0).await;
    house.until(300, "off", |house| house.truth().phase == Phase::Off).await;
    house.handle.ask(None, Request::AutoControl { enabled: false }).await.unwrap();
    let (view, told) = (house.view(), house.snapshot().alerts.len());
    house.renew(|setup| setup.miners[0].name = "Garage".into()).await;
    let after = house.view();
    assert_eq!(after.name, "Garage");
    assert!(after.latches.emergency && !after.intent.auto_control);
    assert_eq!(after.latches, view.latches);
    assert_eq!(after.operations, view.operations);
    assert!(house.snapshot().alerts.len() >= told);
    house.run(900).await;
    assert_eq!(house.truth().phase, Phase::Off, "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_changes_nothing_sends_nothing_and_every_handle_goes_on() {
    let mut house = House::open(Options::default()).await;
    let (old, mut followed) = (house.handle.clone(), house.handle.follow());
    let target = ManualTarget::Percent(PowerPercent::new(60).unwrap());
    old.ask(None, Request::Manual { target, hold: Some(Duration::from_secs(7200)) }).await.unwrap();
    house.run(400).await;
    let (sent, until) = (house.sent(), house.view().manual_until);
    for _ in 0..3 {
        house.renew(|_| {}).await;
        house.run(60).await;
    }
    assert_eq!(house.sent(), sent, "{}", house.report());
    assert_eq!(house.view().manual_until, until);
    assert!(followed.has_changed().unwrap());
    assert_eq!(followed.borrow_and_update().tick, old.snapshot().tick);
    old.ask(None, Request::PowerOff).await.unwrap();
    house.until(120, "off", |house| house.truth().phase == Phase::Off).await;
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_in_mid_command_repeats_nothing() {
    let mut house = House::open(Options::default()).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::DropReply);
    house.say_twice(60.0).await;
    house.renew(|setup| setup.miners[0].poll = Duration::from_secs(20)).await;
    house.run(600).await;
    assert_eq!(house.sent(), ["percent 60"], "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_device_that_is_reached_otherwise_nothing_is_known_until_it_answers() {
    let mut house = House::open(Options::default()).await;
    let nobody = WhatsMiner::new(WhatsMinerConfig {
        host: "127.0.0.1".into(),
        v2_port: 9,
        v3_port: 10,
        v2_password: Secret::new("x".into()),
        v3_account: "super".into(),
        v3_password: Secret::new("x".into()),
        base_watts: Policy::default().base_watts,
        deadlines: Deadlines::default(),
    });
    house.renew(|setup| setup.miners[0].device = Arc::new(nobody)).await;
    house.run(60).await;
    let view = house.view();
    assert!(!view.connection.connected && view.reading.is_none(), "{view:?}");
    house.renew(|setup| setup.miners.clear()).await;
    assert!(house.snapshot().miners.is_empty());
    let refused = house.handle.ask(None, Request::PowerOff).await;
    assert!(matches!(refused, Err(Refused::NoSuchMiner(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_decided_is_told_and_not_done() {
    let house = House::open(Options::default()).await;
    house.say_twice(55.0).await;
    house.run(400).await;
    let (sent, view) = (house.sent(), house.view());
    let policy = Policy { emergency_soc: 60.0, ..Policy::default() };
    let range = house.range();
    let laws = vec![
        (MinerId("m1".into()), Law { policy, range }),
        (MinerId("other".into()), Law { policy: Policy::default(), range }),
    ];
    let would = house.handle.what_if(laws).await.unwrap();
    assert_eq!(would.len(), 1, "{would:?}");
    let would = &would[0];
    assert_eq!(would.now.wanted, view.decision.wanted);
    assert_eq!(would.then.wanted, Wanted::Off, "{would:?}");
    house.run(60).await;
    assert_eq!(house.sent(), sent);
    assert_eq!(house.view().latches, view.latches);
}

/// A source with a bug.
struct Broken;

#[async_trait]
impl BatterySource for Broken {
    async fn read(&self, _: Now) -> Result<BatteryReading, DeviceError> {
        unreachable!("it can't even be started")
    }

    async fn refresh_session(&self, _: Now) -> Result<(), DeviceError> {
        unreachable!("it can't even be started")
    }

    fn session_since(&self) -> Option<UtcMillis> {
        None
    }

    fn shortest_poll(&self) -> Duration {
        unreachable!("a bug")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setup_that_cannot_be_started_leaves_the_one_before_in_control() {
    for forgets in [false, true] {
        let mut house = House::open(Options { forgets, ..Options::default() }).await;
        house.say_twice(55.0).await;
        house.handle.ask(None, Request::AutoControl { enabled: false }).await.unwrap();
        house.handle.ask(None, Request::AutoControl { enabled: true }).await.unwrap();
        house.run(400).await;
        let (before, sent) = (house.view(), house.sent());
        house
            .fail_to_renew(|setup| {
                setup.miners[0].policy.emergency_soc = 60.0;
                setup.battery = Arc::new(Broken);
            })
            .await;
        let after = house.view();
        assert_eq!((after.latches, after.intent), (before.latches, before.intent));
        assert_eq!(after.operations, before.operations);
        house.run(600).await;
        assert_eq!(house.sent(), sent, "55 % are no emergency: {}", house.report());
        house.say_twice(30.0).await;
        house.until(300, "off", |house| house.truth().phase == Phase::Off).await;
        house.renew(|setup| setup.miners[0].name = "Garage".into()).await;
        assert_eq!(house.view().name, "Garage");
        house.assert_sound();
    }
}
