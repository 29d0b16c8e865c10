//! The export: the same values as the history's, row by row.

use crate::{
    access::{outside, text},
    call::{Reply, get},
    house::House,
};
use axum::http::header;
use serde_json::Value;
use std::collections::BTreeMap;

/// The lines of an export, split into fields; the head first.
async fn lines(house: &House, query: &str) -> Vec<Vec<String>> {
    let response = outside(house, get(&format!("/api/history.csv?{query}"))).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/csv"));
    let named = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(
        named.starts_with("attachment; filename=\"history-2026-06-2") && named.ends_with(".csv\""),
        "{named}"
    );
    let text = text(response).await;
    let lines = text.strip_suffix("\r\n").unwrap().split("\r\n");
    lines.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// The values of a column where it has any, by their time.
fn column(lines: &[Vec<String>], name: &str) -> BTreeMap<String, f64> {
    let at = lines[0].iter().position(|head| head == name).unwrap();
    let known = lines[1..].iter().filter(|line| !line[at].is_empty());
    known.map(|line| (line[0].clone(), line[at].parse().unwrap())).collect()
}

/// The same of the history as JSON.
fn told(history: &Value, name: &str) -> BTreeMap<String, f64> {
    let rows = history["data"].as_array().unwrap().iter().filter(|row| !row[name].is_null());
    rows.map(|row| (row["ts"].as_str().unwrap().to_owned(), row[name].as_f64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reading_is_in_it_and_the_same_as_in_the_history() {
    let house = House::open().await;
    house.run(2 * 3600).await;
    for query in ["days=1", "days=1&points=20", "from=2026-06-21T18:30:00Z&to=2026-06-21T19:10:00Z"] {
        let lines = lines(&house, query).await;
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "every row has every column");
        assert!(lines[1..].is_sorted_by(|one, next| one[0] < next[0]), "{query}");
        let points =
            if query.contains("points") { query.to_owned() } else { format!("{query}&points=10000") };
        let battery = house.get(&format!("/api/battery/history?{points}")).await;
        let miner = house.get(&format!("/api/miner/history?{points}")).await;
        for name in ["soc_percent", "pv_power_w", "load_power_w", "battery_net_w"] {
            assert_eq!(column(&lines, name), told(&battery, name), "{query}: {name}");
        }
        for name in ["power_w", "hashrate_ths", "chip_max_c", "fan_in_rpm"] {
            let column = column(&lines, &format!("{name}[garage]"));
            assert!(!column.is_empty());
            assert_eq!(column, told(&miner, name), "{query}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_of_a_column_is_taken_for_a_formula_and_a_time_without_anything_is_only_a_head() {
    let house = House::open().await;
    house.run(120).await;
    let all = lines(&house, "from=2026-06-21T17:00:00Z&to=2026-06-21T17:30:00Z").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].iter().all(|head| head.starts_with(|first: char| first.is_ascii_lowercase())), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_means_nothing_is_refused_with_what_is_wrong() {
    let house = House::open().await;
    for (query, field) in [
        ("days=0", "days"),
        ("id=garage", "id"),
        ("points=0", "points"),
        ("from=../../etc/passwd", "from"),
        ("from=2026-06-22T00:00:00Z&to=2026-06-21T00:00:00Z", "from"),
        ("file=x", "file"),
    ] {
        let reply = Reply::read(outside(&house, get(&format!("/api/history.csv?{query}"))).await).await;
        assert_eq!(reply.error(400).2.as_deref(), Some(field), "{query}");
    }
}
