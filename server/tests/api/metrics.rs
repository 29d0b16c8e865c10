//! `GET /metrics`: whoever collects it gets what the API tells at the same moment, and nothing that isn't known.

use crate::{
    call::{get, request},
    house::{CANARY, House, Options},
};
use axum::body::{Body, to_bytes};
use serde_json::Value;
use simulator::{
    miner::Faults,
    portal::{PortalFaults, ReplyFault},
};
use std::collections::{BTreeMap, BTreeSet};
use tower::ServiceExt;

/// What was collected: each metric as it is written, name and labels, with its value.
struct Collected {
    text: String,
    values: BTreeMap<String, f64>,
}

impl Collected {
    async fn from(house: &House) -> Self {
        let response = house.outside.clone().oneshot(get("/metrics")).await.unwrap();
        assert_eq!(response.status(), 200);
        let expected = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(response.headers()["content-type"], expected);
        assert_eq!(response.headers()["cache-control"], "no-store");
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(!text.contains(CANARY), "a secret: {text}");
        Self::read(text)
    }

    /// Reads as much of the format as is written: families one after the other, each described before its metrics.
    fn read(text: String) -> Self {
        let lines = text.strip_suffix("# EOF\n").unwrap_or_else(|| unreachable!("no end: {text}"));
        let (mut family, mut described, mut values) = (String::new(), BTreeSet::new(), BTreeMap::new());
        let mut is_described = BTreeSet::new();
        for line in lines.lines() {
            if let Some(rest) = line.strip_prefix("# ") {
                let mut words = rest.splitn(3, ' ');
                let (what, name, said) =
                    (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
                assert!(!said.is_empty(), "{line}");
                if name != family {
                    assert!(described.insert(name.to_owned()), "{name} comes twice");
                    name.clone_into(&mut family);
                    is_described.clear();
                }
                assert!(is_described.insert(what.to_owned()), "{line} comes twice");
                if what == "UNIT" {
                    assert!(name.ends_with(&format!("_{said}")), "{line}");
                }
            } else {
                assert!(is_described.contains("HELP") && is_described.contains("TYPE"), "{line}");
                let (metric, value) = line.rsplit_once(' ').unwrap();
                assert!(metric.starts_with(&family), "{line} isn't of {family}");
                let before = values.insert(metric.to_owned(), value.parse().unwrap());
                assert_eq!(before, None, "{metric} comes twice");
            }
        }
        Self { text, values }
    }

    fn get(&self, metric: &str) -> Option<f64> {
        self.values.get(metric).copied()
    }

    /// The value is there and is what the API tells, in the API's unit.
    fn is(&self, metric: &str, told: &Value, units: f64) {
        let told = told.as_f64().unwrap_or_else(|| unreachable!("{metric}: the API tells {told}"));
        let value = self.get(metric).unwrap_or_else(|| unreachable!("no {metric} in {}", self.text));
        assert!((value - told * units).abs() <= 1e-9 * value.abs(), "{metric} {value}, told {told}");
    }

    fn named(&self, beginning: &str) -> Vec<&String> {
        self.values.keys().filter(|metric| metric.starts_with(beginning)).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_collected_is_what_the_api_tells() {
    let house = House::open().await;
    house.run(300).await;
    // Time stands still meanwhile.
    let collected = Collected::from(&house).await;
    let battery = house.get("/api/battery/status").await["status"].clone();
    collected.is("wm_controller_battery_state_of_charge_ratio", &battery["soc_percent"], 0.01);
    collected.is("wm_controller_battery_data_age_seconds", &battery["age_seconds"], 1.0);
    collected.is("wm_controller_battery_pv_power_watts", &battery["pv_power_w"], 1.0);
    collected.is("wm_controller_battery_load_power_watts", &battery["load_power_w"], 1.0);
    collected.is("wm_controller_battery_grid_power_watts", &battery["grid_power_w"], 1.0);
    collected.is("wm_controller_battery_power_watts", &battery["battery_net_w"], 1.0);
    collected.is("wm_controller_battery_voltage_volts", &battery["voltage_v"], 1.0);
    assert_eq!(collected.get("wm_controller_battery_source_up"), Some(1.0));
    assert_eq!(collected.get("wm_controller_battery_lost"), Some(0.0));

    let miner = house.get("/api/miner/status").await;
    let status = &miner["status"];
    for (name, told, units) in [
        ("power_watts", &status["power_w"], 1.0),
        ("power_set_watts", &status["power_set_w"], 1.0),
        ("power_limit_watts", &status["power_limit_w"], 1.0),
        ("base_power_watts", &status["base_w"], 1.0),
        ("hash_rate_hashes_per_second", &status["hashrate_ths"], 1e12),
        ("ambient_temperature_celsius", &status["ambient_c"], 1.0),
        ("chip_max_temperature_celsius", &status["chip_max_c"], 1.0),
        ("running_time_seconds", &status["elapsed_seconds"], 1.0),
        ("wanted_power_ratio", &miner["desired"]["percent"], 0.01),
        ("ceiling_ratio", &miner["latches"]["ceiling"], 0.01),
        ("commands_of_day", &miner["latches"]["commands_today"], 1.0),
        ("command_budget", &miner["latches"]["command_budget"], 1.0),
    ] {
        collected.is(&format!("wm_controller_miner_{name}{{miner=\"garage\"}}"), told, units);
    }
    let fan = |fan: &str| format!("wm_controller_miner_fan_speed_rpm{{miner=\"garage\",fan=\"{fan}\"}}");
    collected.is(&fan("inlet"), &status["fan_in_rpm"], 1.0);
    collected.is(&fan("outlet"), &status["fan_out_rpm"], 1.0);
    for (state, expected) in [("running", 1.0), ("off", 0.0), ("unknown", 0.0)] {
        let metric = format!("wm_controller_miner_state{{miner=\"garage\",state=\"{state}\"}}");
        assert_eq!(collected.get(&metric), Some(expected), "{metric}");
    }
    assert_eq!(collected.get("wm_controller_miner_up{miner=\"garage\"}"), Some(1.0));
    let model = status["identity"]["model"].as_str().unwrap();
    assert!(collected.text.contains(&format!("model=\"{model}\"")), "{}", collected.text);

    let system = house.get("/api/system/status").await;
    collected.is("wm_controller_control_loop_ticks_total", &system["tick"], 1.0);
    let broken = system["invariant_violations"].as_object().unwrap();
    assert!(!broken.is_empty());
    for (name, count) in broken {
        let metric = format!("wm_controller_invariant_violations_total{{invariant=\"{name}\"}}");
        collected.is(&metric, count, 1.0);
    }
    assert_eq!(collected.get("wm_controller_database_up"), Some(1.0));
    assert!(
        collected.text.contains("# UNIT wm_controller_battery_power_watts watts\n"),
        "{}",
        collected.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_falls_silent_has_no_values_any_more() {
    let house = House::open().await;
    house.miner().update_faults(|faults| faults.refuse_connections = true);
    house.portal().set_faults(PortalFaults { frozen: true, ..PortalFaults::default() }).unwrap();
    house.run(1200).await;
    let collected = Collected::from(&house).await;
    assert_eq!(collected.get("wm_controller_miner_up{miner=\"garage\"}"), Some(0.0));
    assert_eq!(collected.get("wm_controller_battery_source_up"), Some(1.0), "the portal answers as before");
    for name in [
        "wm_controller_battery_state_of_charge",
        "wm_controller_battery_pv_power",
        "wm_controller_battery_load_power",
        "wm_controller_battery_grid_power",
        "wm_controller_battery_power",
        "wm_controller_battery_voltage",
        "wm_controller_miner_power",
        "wm_controller_miner_hash_rate",
        "wm_controller_miner_fan_speed",
        "wm_controller_miner_chip",
        "wm_controller_miner_ambient",
        "wm_controller_miner_running_time",
    ] {
        assert!(!collected.text.contains(name), "{name}: {}", collected.text);
    }
    let age = collected.get("wm_controller_battery_reading_age_seconds").unwrap();
    assert!(age >= 1200.0, "it is still told how old the last one is: {age}");
    let age = collected.get("wm_controller_miner_last_seen_age_seconds{miner=\"garage\"}").unwrap();
    assert!((1180.0..=1215.0).contains(&age), "{age}");
    // What is alarmed is counted, and each alert that holds has its own metric.
    let system = house.get("/api/system/status").await;
    let alerts = system["alerts"].as_array().unwrap();
    let active: Vec<_> = alerts.iter().filter(|alert| alert["active"] == true).collect();
    assert!(active.iter().any(|alert| alert["code"] == "miner_unreachable"), "{active:?}");
    assert_eq!(collected.named("wm_controller_alert{").len(), active.len(), "{active:?}");
    for severity in ["info", "warning", "alarm"] {
        let count = active.iter().filter(|alert| alert["severity"] == severity).count();
        let metric = format!("wm_controller_alerts{{severity=\"{severity}\"}}");
        assert_eq!(collected.get(&metric), Some(count as f64), "{metric}");
    }
    let unreachable = "wm_controller_alert{code=\"miner_unreachable\",severity=\"warning\",miner=\"garage\"}";
    assert_eq!(collected.get(unreachable), Some(1.0), "{:?}", collected.named("wm_controller_alert{"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_never_known_is_left_out() {
    let silent = Faults { refuse_connections: true, ..Faults::default() };
    let portal = PortalFaults { reply: Some(ReplyFault::Maintenance), ..PortalFaults::default() };
    let house =
        House::with(Options { miner_faults: silent, portal_faults: portal, ..Options::default() }).await;
    let collected = Collected::from(&house).await;
    assert_eq!(collected.get("wm_controller_battery_source_up"), Some(0.0));
    let known: BTreeSet<_> = collected.named("wm_controller_battery").into_iter().collect();
    assert_eq!(known.len(), 1, "{known:?}");
    assert!(!collected.text.contains("wm_controller_miner_last_seen"), "{}", collected.text);
    let unknown = "wm_controller_miner_state{miner=\"garage\",state=\"unknown\"}";
    assert_eq!(collected.get(unknown), Some(1.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_name_can_stand_in_a_label() {
    let options = Options { name: Some("the \"big\" one \\ n{}= ⚡"), ..Options::default() };
    let collected = Collected::from(&House::with(options).await).await;
    let line = collected.text.lines().find(|line| line.starts_with("wm_controller_miner_info{")).unwrap();
    assert!(line.contains(r#",name="the \"big\" one \\ n{}= ⚡","#), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_loop_says_how_punctual_it_is_and_listeners_are_counted() {
    let house = House::open().await;
    let listening = house.router.clone().oneshot(get("/api/events")).await.unwrap();
    house.run(100).await;
    let collected = Collected::from(&house).await;
    assert_eq!(collected.get("wm_controller_event_listeners"), Some(1.0));
    let lateness = "wm_controller_control_loop_lateness_seconds";
    let ticks = collected.get(&format!("{lateness}_count")).unwrap();
    assert!(ticks >= 10.0, "one every ten seconds: {ticks}");
    // Simulated time stands still while anybody works: no tick is late.
    assert_eq!(collected.get(&format!("{lateness}_bucket{{le=\"0.002\"}}")), Some(ticks));
    assert_eq!(collected.get(&format!("{lateness}_bucket{{le=\"+Inf\"}}")), Some(ticks));
    assert_eq!(collected.get(&format!("{lateness}_sum")), Some(0.0));
    assert_eq!(collected.get("wm_controller_control_loop_skipped_ticks_total"), Some(0.0));
    // Those that a reading or a command brings about take their time as well.
    let took = collected.get("wm_controller_control_loop_duration_seconds_count").unwrap();
    assert_eq!(Some(took), collected.get("wm_controller_control_loop_ticks_total"));
    assert!(took >= ticks, "{took} of {ticks}");
    assert_eq!(collected.get("wm_controller_control_loop_longest_seconds"), Some(0.0));
    assert!(collected.get("process_resident_memory_bytes").unwrap() > 1e6);
    drop(listening);
    assert_eq!(Collected::from(&house).await.get("wm_controller_event_listeners"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_only_read() {
    let house = House::open().await;
    let posted = request("POST", "/metrics").body(Body::empty()).unwrap();
    assert_eq!(house.call(posted).await.error(405).0, "method_not_allowed");
}
