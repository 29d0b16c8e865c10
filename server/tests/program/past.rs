//! The demo's time: lived through before the first answer, and wherever it jumps.

use crate::{
    child::{PATIENCE, Program},
    house::House,
};
use model::{
    MinerId, Now, UtcMillis,
    history::{Quantity, Window},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use store::Store;

const PRESENT: &str = "2026-06-21T18:00:00Z";

/// The demo in a directory of its own, and where its house is controlled.
async fn demo(house: &House, arguments: &[&str]) -> (Program, SocketAddr) {
    let arguments = [&["--demo", "--house", "one", "--port", "0"], arguments].concat();
    let mut program = Program::start(house.dir.path(), &arguments, &[]);
    let rest = program.says("control_api=\"http://").await;
    let simulation = rest.split('"').next().unwrap().parse().unwrap();
    (program, simulation)
}

fn instant(told: &Value) -> UtcMillis {
    told.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_and_a_jump_are_lived_through_reading_by_reading() {
    let house = House::open().await;
    let (mut program, simulation) =
        demo(&house, &["--history", "0.1", "--scale", "0", "--start", PRESENT]).await;
    let address = program.address().await;
    let (_, time) = house.ask(simulation, Method::GET, "/time", None).await;
    assert_eq!((&time["utc"], &time["wanted"]), (&json!(PRESENT), &json!(PRESENT)), "the past is over");
    let (_, status) = house.ask(address, Method::GET, "/api/system/status", None).await;
    let present: UtcMillis = PRESENT.parse().unwrap();
    assert!(present.millis_since(instant(&status["time"])) <= 10_000, "{status}");

    let (_, time) = house.ask(simulation, Method::POST, "/time/jump", Some(json!({"seconds": 3600}))).await;
    assert_eq!(time["wanted"], "2026-06-21T19:00:00Z");
    let arrived = async {
        loop {
            let (_, time) = house.ask(simulation, Method::GET, "/time", None).await;
            if time["utc"] == time["wanted"] {
                return time;
            }
        }
    };
    let time = tokio::time::timeout(PATIENCE, arrived).await.unwrap();
    assert_eq!(time["utc"], "2026-06-21T19:00:00Z", "and no further while it is paused");
    let read = async {
        loop {
            let (_, status) = house.ask(address, Method::GET, "/api/miner/status", None).await;
            if status["connection"]["last_seen"] == time["utc"] {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("what is due at that instant is read");
    let ended = program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);

    let store = Store::open(&house.dir.path().join("data/demo"), Now::default()).await.unwrap().store;
    let everything = Window { from: UtcMillis(0), to: UtcMillis(i64::MAX), points: store::MOST_POINTS };
    let (miner, gap) = (MinerId("miner".into()), Duration::from_secs(360));
    let miner = store.miner_history(&miner, everything, &[Quantity::Power], gap).await.unwrap();
    let battery = store.battery_history(everything, &[Quantity::Soc], gap).await.unwrap();
    let (first, last) = (miner.at[0], *miner.at.last().unwrap());
    assert_eq!(present.millis_since(first), 8_640_000, "a tenth of a day");
    assert_eq!(last.millis_since(present), 3_600_000);
    assert!(miner.at.windows(2).all(|pair| pair[1].millis_since(pair[0]) == 40_000), "{:?}", miner.at);
    let longest = battery.at.windows(2).map(|pair| pair[1].millis_since(pair[0])).max();
    assert!(battery.at.len() > 45 && longest < Some(300_000), "{:?}", battery.at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_doesnt_wait_for_the_past() {
    let house = House::open().await;
    let (program, _) = demo(&house, &["--history", "30", "--scale", "0"]).await;
    let ended = program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert_eq!(ended.out, "", "it never came to an answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_past_or_a_pace_that_cant_be_is_refused() {
    let house = House::open().await;
    for (option, value) in [
        ("--history", "31"),
        ("--history", "-1"),
        ("--history", "NaN"),
        ("--start", "noon"),
        ("--scale", "-1"),
    ] {
        let option = format!("{option}={value}");
        let ended = crate::child::run(house.dir.path(), &["--demo", "--port=0", &option]).await;
        assert!(!ended.status.success() && ended.out.is_empty(), "{option}: {}", ended.err);
    }
}
