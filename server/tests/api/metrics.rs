//! The metrics: what the API says at the same moment, in base units, and nothing that isn't known.

use crate::{
    access::{outside, text},
    call::get,
    house::{House, Options},
};
use axum::http::header;
use simulator::miner::Faults;
use std::collections::BTreeMap;

/// The values by name and labels.
async fn metrics(house: &House) -> BTreeMap<String, f64> {
    let response = outside(house, get("/metrics")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = text(response).await;
    assert!(text.ends_with("# EOF\n"));
    let values = text.lines().filter(|line| !line.starts_with('#'));
    let value = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    let all: Vec<(String, f64)> = values.map(value).collect();
    let by_name: BTreeMap<_, _> = all.iter().cloned().collect();
    assert_eq!(by_name.len(), all.len(), "no value stands twice");
    by_name
}

/// Two numbers that came the same way are the same.
fn same(one: f64, other: f64) {
    assert!((one - other).abs() <= other.abs() * 1e-12, "{one} isn't {other}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_what_the_api_says() {
    let house = House::open().await;
    house.run(600).await;
    let metrics = metrics(&house).await;
    let (battery, miner) = (house.get("/api/battery/status").await, house.get("/api/miner/status").await);
    let of = |name: &str| *metrics.get(name).ok_or(name).unwrap();
    same(of("battery_state_of_charge_ratio"), battery["status"]["soc_percent"].as_f64().unwrap() / 100.0);
    same(of("solar_power_watts"), battery["status"]["pv_power_w"].as_f64().unwrap());
    same(of("battery_power_watts"), battery["status"]["battery_net_w"].as_f64().unwrap());
    same(of("battery_up"), 1.0);
    let label = |name: &str| of(&format!("{name}{{miner=\"garage\"}}"));
    let status = &miner["status"];
    same(label("miner_power_watts"), status["power_w"].as_f64().unwrap());
    same(label("miner_hash_rate_hashes_per_second"), status["hashrate_ths"].as_f64().unwrap() * 1e12);
    same(label("miner_up"), 1.0);
    same(label("miner_wanted_power_ratio"), 1.0);
    same(of("miner_state{miner=\"garage\",state=\"running\"}"), 1.0);
    same(of("miner_state{miner=\"garage\",state=\"off\"}"), 0.0);
    same(of("miner_info{miner=\"garage\",name=\"garage <b>\",host=\"127.0.0.1\"}"), 1.0);
    assert!(of("wm_controller_ticks_total") > 0.0);
    same(of("wm_controller_ticks_dropped_total"), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_isnt_known_is_left_out_and_never_0() {
    let house = House::with(Options {
        miner_faults: Faults { refuse_connections: true, ..Faults::default() },
        wrong_portal_password: true,
        ..Options::default()
    })
    .await;
    let metrics = metrics(&house).await;
    same(metrics["battery_up"], 0.0);
    same(metrics["miner_up{miner=\"garage\"}"], 0.0);
    same(metrics["miner_state{miner=\"garage\",state=\"unknown\"}"], 1.0);
    for unknown in [
        "battery_state",
        "battery_power",
        "solar",
        "house",
        "grid",
        "miner_power",
        "miner_hash",
        "miner_chip",
        "miner_fan",
    ] {
        assert!(!metrics.keys().any(|name| name.starts_with(unknown)), "{unknown}: {metrics:?}");
    }
}
