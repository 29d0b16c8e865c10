//! The history endpoints: what was measured, under the names that earlier clients know.

use crate::{call::get, house::House};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_has_the_outer_shape_of_earlier_replies_and_its_numbers_are_those_of_the_devices() {
    let house = House::open().await;
    house.run(1800).await;
    let battery = house.get("/api/battery/history?days=3").await;
    assert_eq!(keys(&battery), BTreeSet::from(["data", "meta"]));
    assert_eq!(battery["meta"]["requested_days"], 3.0);
    let rows = battery["data"].as_array().unwrap();
    // An upload every 2 to 5 minutes; the last minute isn't committed yet.
    assert!((5..=16).contains(&rows.len()), "{} rows", rows.len());
    assert!(rows.iter().all(|row| row["soc_percent"] == 95.0), "{rows:?}");
    let expected = ["ts", "soc_percent", "pv_power_w", "load_power_w", "grid_power_w", "battery_net_w"];
    assert_eq!(keys(&rows[0]), BTreeSet::from(expected));

    let miner = house.get("/api/miner/history?days=3").await;
    let rows = miner["data"].as_array().unwrap();
    // Read every ten seconds.
    assert!((170..=183).contains(&rows.len()), "{} rows", rows.len());
    assert!(rows.iter().all(|row| row["power_w"].as_f64().unwrap() > 3000.0), "{rows:?}");
    let instants: Vec<_> = rows.iter().map(|row| row["ts"].as_str().unwrap()).collect();
    assert!(instants.is_sorted());
    let drawn = miner["meta"]["energy"]["drawn_wh"].as_f64().unwrap();
    assert!((1400.0..1900.0).contains(&drawn), "half an hour at about 3.6 kW: {drawn} Wh");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_points_keep_the_extremes() {
    let house = House::open().await;
    house.run(600).await;
    house.say_twice(30.0).await;
    house.run(1200).await;
    let history = house.get("/api/miner/history?days=1&points=3").await;
    let rows = history["data"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.len() <= 3, "{rows:?}");
    let least = rows.iter().filter_map(|row| row["power_w_min"].as_f64()).fold(f64::MAX, f64::min);
    let most = rows.iter().filter_map(|row| row["power_w_max"].as_f64()).fold(0.0, f64::max);
    assert!(least < 200.0 && most > 3000.0, "{rows:?}");
    assert!(history["meta"]["step_seconds"].as_f64().unwrap() >= 3600.0, "{history}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_measured_is_missing_and_never_zero() {
    let house = House::open().await;
    house.run(600).await;
    let begun = house.get("/api/system/status").await["time"].clone();
    house.miner().update_faults(|faults| faults.refuse_connections = true);
    house.run(1200).await;
    let begun = begun.as_str().unwrap();
    let rows = house.get(&format!("/api/miner/history?from={begun}")).await["data"].clone();
    assert!(rows.as_array().unwrap().len() <= 1, "one reading may just have been on its way: {rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stretch_that_cannot_be_is_refused() {
    let house = House::open().await;
    for (query, field) in [
        ("days=0", "days"),
        ("days=x", "days"),
        ("points=0", "points"),
        ("from=2026-06-21", "from"),
        ("to=2026-06-20T00:00:00Z&from=2026-06-21T00:00:00Z", "from"),
        ("limit=5", "limit"),
    ] {
        for path in ["/api/miner/history", "/api/battery/history"] {
            let reply = house.call(get(&format!("{path}?{query}"))).await;
            let (code, _, found) = reply.error(400);
            assert_eq!((code.as_str(), found.as_deref()), ("bad_query", Some(field)), "{path}?{query}");
        }
    }
    let (code, ..) = house.call(get("/api/miner/history?id=nobody")).await.error(404);
    assert_eq!(code, "no_such_miner");
    let (_, _, field) = house.call(get("/api/battery/history?id=garage")).await.error(400);
    assert_eq!(field.as_deref(), Some("id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stretch_from_before_anything_is_empty() {
    let house = House::open().await;
    let history =
        house.get("/api/miner/history?from=1999-01-01T00:00:00Z&to=1999-02-01T00:00:00Z&points=10").await;
    assert_eq!(history["data"], json!([]));
    assert_eq!(history["meta"]["energy"], json!({ "drawn_wh": 0.0, "covered_s": 0.0 }));
}
