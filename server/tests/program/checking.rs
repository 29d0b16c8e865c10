//! `wm-controller check`, with and without the devices.

use crate::{
    child::{Ended, run},
    house::{CANARY, House},
};
use serde_json::{Value, json};
use simulator::portal::{PortalFaults, ReplyFault};

async fn check_live(house: &House, change: impl FnOnce(&mut Value)) -> Ended {
    let file = house.configuration(change);
    let ended = run(house.dir.path(), &["check", "--live", "--config", &file]).await;
    assert!(!format!("{ended:?}").contains(CANARY), "{ended:?}");
    assert_eq!(ended.err, "", "everything is said on standard output");
    ended
}

/// The line that is about this.
fn about<'a>(ended: &'a Ended, what: &str) -> &'a str {
    let line = ended.out.lines().rfind(|line| line.starts_with(what));
    line.unwrap_or_else(|| unreachable!("nothing about {what}: {}", ended.out))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_what_the_configuration_comes_to() {
    let house = House::in_real_time().await;
    let file = house.configuration(|text| text["miner"]["name"] = json!("Garage"));
    let ended = run(house.dir.path(), &["check", "--config", &file]).await;
    assert_eq!((ended.status.code(), ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.starts_with(&format!("{file} is fine.\n")), "{}", ended.out);
    assert!(about(&ended, "Miner Garage at 127.0.0.1").contains("3600 W"), "{}", ended.out);
    assert!(about(&ended, "Battery at").contains("every 30 s"), "{}", ended.out);
    assert!(!ended.out.contains(CANARY));
    assert!(house.miner().log().is_empty() && house.simulation.portal().log().is_empty(), "nobody was asked");
    assert!(!house.dir.path().join("data").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_well() {
    let house = House::in_real_time().await;
    let ended = check_live(&house, |_| {}).await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.out);
    assert!(about(&ended, "Battery: ").contains("95 %"), "{}", ended.out);
    assert!(ended.out.contains("firmware") && ended.out.contains("it would take commands"), "{}", ended.out);
    assert!(house.sent().is_empty(), "nothing was changed: {:?}", house.sent());
    assert!(!house.dir.path().join("data").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_miner_password_is_told() {
    let house = House::in_real_time().await;
    let ended = check_live(&house, |text| text["miner"]["password"] = json!("wrong")).await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
    assert!(about(&ended, "Miner miner: it would take no commands").contains("password"), "{}", ended.out);
    assert!(about(&ended, "Battery: ").contains("95 %"), "the rest is told all the same: {}", ended.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disabled_writes_are_told_with_what_to_do() {
    let house = House::in_real_time().await;
    house.miner().update_faults(|faults| faults.writes_disabled = true);
    let ended = check_live(&house, |_| {}).await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
    assert!(
        about(&ended, "Miner miner: it would take no commands").contains("WhatsMinerTool"),
        "{}",
        ended.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_portal_password_is_told() {
    let house = House::in_real_time().await;
    let ended = check_live(&house, |text| text["battery"]["password"] = json!("wrong")).await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
    assert!(about(&ended, "Battery: ").contains("password"), "{}", ended.out);
    assert!(ended.out.contains("it would take commands"), "the rest is told all the same: {}", ended.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_that_don_t_answer_are_told() {
    let house = House::in_real_time().await;
    house.miner().update_faults(|faults| faults.refuse_connections = true);
    house.miner().until_listening(false).await;
    let faults =
        PortalFaults { reply: Some(ReplyFault::ServerError { status: 503 }), ..PortalFaults::default() };
    house.simulation.portal().set_faults(faults).unwrap();
    let ended = check_live(&house, |_| {}).await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
    assert!(about(&ended, "Miner miner: ").contains("can't be reached"), "{}", ended.out);
    assert!(!about(&ended, "Battery: ").contains("password"), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn battery_data_that_no_miner_would_run_on_is_not_well() {
    let house = House::in_real_time().await;
    let faults = PortalFaults { lost: true, ..PortalFaults::default() };
    house.simulation.portal().set_faults(faults).unwrap();
    let ended = check_live(&house, |_| {}).await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
    assert!(about(&ended, "Battery: ").contains("offline"), "{}", ended.out);

    for (ahead, told) in [(-3600, "switched off"), (3600, "clock")] {
        let house = House::ahead_of_real_time(ahead).await;
        let ended = check_live(&house, |_| {}).await;
        assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
        assert!(about(&ended, "Battery: ").contains(told), "{}", ended.out);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_configured_is_not_well() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(dir.path(), &["check"]).await;
    assert_eq!(ended.status.code(), Some(0), "the defaults are a configuration: {}", ended.out);
    assert!(ended.out.starts_with("No config.yaml"), "{}", ended.out);
    let ended = run(dir.path(), &["check", "--live"]).await;
    assert_eq!(ended.status.code(), Some(1), "{}", ended.out);
    assert!(about(&ended, "Battery: ").contains("no user name or password"), "{}", ended.out);
    assert!(ended.out.contains("miner.host"), "what to do about it: {}", ended.out);
}
