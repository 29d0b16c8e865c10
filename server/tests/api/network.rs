//! The search for miners, as a script asks for it: a simulated house, whose own network is only what is configured.

use crate::{
    call::{get, post_nothing},
    house::{House, Options},
};
use model::UtcMillis;
use serde_json::Value;
use simulator::{
    miner::{MinerSetup, SimulatedMiner},
    time::SimulatedClock,
};
use std::{net::Ipv4Addr, process, time::Duration};
use tokio::{net::TcpListener, time::timeout};

/// An address for this test alone, by the number of its process, with the ports of real devices.
fn address() -> Ipv4Addr {
    let number = process::id() % (1 << 17);
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 32, 0, 0)) + number * 8 + 1)
}

async fn house(address: Ipv4Addr) -> House {
    House::with(Options { ranges: vec![format!("{address}/32")], ..Options::default() }).await
}

/// What is known of the network once it is as it should be. A search lives by real time, which no simulated clock moves.
async fn until(house: &House, is_so: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let network = house.get("/api/network/devices").await;
            if is_so(&network) {
                return network;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), looking).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_that_is_found_is_told_and_stays_told() {
    let address = address();
    let clock = SimulatedClock::paused(UtcMillis(1_780_000_000_000));
    let at = |port| Some((address, port).into());
    let setup = MinerSetup { v2: at(4028), v3: at(4433), ..MinerSetup::default() };
    let miner = SimulatedMiner::start(setup, clock.source()).unwrap();
    let house = house(address).await;
    assert_eq!(house.get("/api/network/devices").await["scan"], Value::Null);

    let begun = house.call(post_nothing("/api/network/scan")).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert_eq!(begun.body["scan"]["ranges"], format!("{address}/32"));
    let network = until(&house, |network| network["scanning"] == false).await;
    let found = &network["found"][0];
    assert_eq!((&found["type"], &found["mac"]), (&"whatsminer".into(), &"02:00:00:00:00:01".into()));
    assert_eq!((&found["ip"], &found["model"]), (&address.to_string().into(), &"M60SVK30".into()));
    assert_eq!(network["device_count"], 1, "what was found is no miner of the site");
    assert_eq!(network["scan"]["cancelled"], false);
    assert_eq!((&network["scan"]["done"], &network["scan"]["total"]), (&1.into(), &1.into()));

    // It is gone when it is searched for again: it is told with its age.
    miner.shutdown();
    drop(miner);
    house.run(600).await;
    assert_eq!(house.call(post_nothing("/api/network/scan")).await.status, 202);
    let network = until(&house, |network| network["scanning"] == false).await;
    assert!(network["found"][0]["age_seconds"].as_u64().unwrap() >= 600, "{network}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_search_at_a_time_and_it_can_be_given_up() {
    let address = address();
    // It accepts connections and says nothing: the search waits for it.
    let _hanging = TcpListener::bind((address, 4028)).await.unwrap();
    let house = house(address).await;
    assert_eq!(house.call(post_nothing("/api/network/scan")).await.status, 202);
    let second = house.call(post_nothing("/api/network/scan")).await;
    assert_eq!((second.status.as_u16(), &second.body["error"]["code"]), (409, &"under_way".into()));
    let cancelled = house.call(post_nothing("/api/network/scan/cancel")).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.body["cancelled"]), (200, &true.into()));
    let network = until(&house, |network| network["scanning"] == false).await;
    assert_eq!(network["scan"]["cancelled"], true);
    let nothing = house.call(post_nothing("/api/network/scan/cancel")).await;
    assert_eq!(nothing.body["cancelled"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_without_a_network_says_so() {
    let house = House::open().await;
    let refused = house.call(post_nothing("/api/network/scan")).await;
    assert_eq!((refused.status.as_u16(), &refused.body["error"]["code"]), (409, &"nowhere".into()));
    assert!(refused.body["error"]["message"].as_str().unwrap().contains("network.extra_ranges"));
    assert_eq!(house.call(get("/api/network/devices")).await.body["scanning"], false);
}
