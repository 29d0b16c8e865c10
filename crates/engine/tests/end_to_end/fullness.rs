//! A battery that wasn't full for two weeks is told of, by what the history knows.

use crate::house::{House, Options};
use model::{AlertCode, MonoTime, Now, UtcMillis, history::BatterySample};
use std::time::Duration;
use store::{HistoryRules, Samples, Store};

const HOUR: i64 = 3_600_000;

/// A house that was at 80 % for so many days, by its own history, and is so now.
async fn at_80_for(days: i64) -> House {
    let mut house = House::open(Options { soc: 80.0, ..Options::default() }).await;
    house.stop().await;
    let now = house.clock.true_time();
    let hour = |hour: i64| BatterySample {
        at: UtcMillis(now.0 - hour * HOUR),
        soc: model::Soc::new(80.0),
        pv: None,
        load: None,
        grid: None,
        battery: None,
    };
    let samples = Samples { battery: (1..days * 24).rev().map(hour).collect(), miners: Vec::new() };
    let gap = Duration::from_secs(360);
    let keep_samples = Duration::from_secs(30 * 86_400);
    let rules = HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples };
    let store = Store::open(house.data(), Now { mono: MonoTime(0), utc: now }).await.unwrap().store;
    store.record_samples(&samples, &rules, now).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    house.restart().await;
    house
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_battery_that_wasnt_full_for_two_weeks_is_told_until_it_is() {
    let mut house = at_80_for(16).await;
    assert!(house.alerts().contains(&AlertCode::BatteryNotFull), "{}", house.report());
    house.say_twice(99.0).await;
    assert!(house.alerts().contains(&AlertCode::BatteryNotFull), "{}", house.report());
    house.renew(|setup| setup.tick = Duration::from_secs(9)).await;
    assert!(house.alerts().contains(&AlertCode::BatteryNotFull), "{}", house.report());
    house.say_twice(100.0).await;
    assert!(!house.alerts().contains(&AlertCode::BatteryNotFull), "{}", house.report());
    house.restart().await;
    assert!(!house.alerts().contains(&AlertCode::BatteryNotFull), "{}", house.report());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_is_shorter_tells_nothing() {
    let house = at_80_for(13).await;
    assert!(!house.alerts().contains(&AlertCode::BatteryNotFull), "{}", house.report());
}
