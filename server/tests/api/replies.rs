//! The shape of every reply: the members that scripts for the earlier program rely on, and ours beside them.

use crate::{
    call::get,
    house::{House, Miners, Options},
    shape::assert_shape,
};
use serde_json::{Value, json};
use simulator::{
    miner::Faults,
    portal::{PortalFaults, ReplyFault},
};

const CONNECTION: [(&str, &str); 4] =
    [("connected", "flag"), ("last_seen", "time?"), ("uptime_seconds", "whole?"), ("error", "text?")];
const AUTOCONTROL: [(&str, &str); 12] = [
    ("enabled", "flag"),
    ("target_w", "number?"),
    ("target_pct", "whole?"),
    ("last_set_w", "number?"),
    ("latched_floor_w", "number"),
    ("min_interval_sec", "whole"),
    ("current_state_description", "text"),
    ("sunset_time", "text?"),
    ("is_past_sunset", "flag?"),
    ("decision", "object"),
    ("latches", "object"),
    ("op", "object?"),
];
const NETWORK: [(&str, &str); 4] =
    [("scanning", "flag"), ("last_scan_time", "time?"), ("device_count", "whole"), ("devices", "list")];
const OPERATION: [(&str, &str); 10] = [
    ("id", "whole"),
    ("miner", "text"),
    ("command", "object"),
    ("reason", "text"),
    ("stage", "text"),
    ("decided_at", "time"),
    ("sent_at", "time?"),
    ("acknowledged_at", "time?"),
    ("ended_at", "time?"),
    ("words", "text?"),
];
const DECISION: [(&str, &str); 8] = [
    ("at", "time"),
    ("rule", "text"),
    ("reason", "text"),
    ("command", "object?"),
    ("blocked", "object?"),
    ("blocked_until", "time?"),
    ("explanation", "object"),
    ("wanted", "text"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_miner_s_status() {
    let house = House::open().await;
    let body = house.get("/api/miner/status").await;
    assert_eq!(body, house.get("/api/miner/status?id=garage").await);
    assert_shape(&body["connection"], &CONNECTION);
    assert_eq!(
        (&body["connection"]["connected"], &body["connection"]["error"]),
        (&json!(true), &Value::Null)
    );
    assert!(body["connection"]["last_seen"].is_string() && body["connection"]["uptime_seconds"].is_u64());
    let status = &body["status"];
    assert_eq!((&status["id"], &status["name"]), (&json!("garage"), &json!("garage <b>")));
    assert_eq!((&status["state"], &status["base_w"]), (&json!("running"), &json!(3600.0)));
    let truth = house.miner().state();
    let power = status["power_w"].as_f64().unwrap();
    assert!((power - truth.watts).abs() < 0.03 * truth.watts, "{power} W, in truth {}", truth.watts);
    let rate = status["hashrate_ths"].as_f64().unwrap();
    assert!((rate - truth.hashrate_ths).abs() < 0.1 * truth.hashrate_ths, "{rate} TH/s");
    let efficiency = status["efficiency_j_per_th"].as_f64().unwrap();
    assert!((efficiency - power / rate).abs() < 0.1, "{efficiency} J/TH");
    assert_shape(
        status,
        &[
            ("power_limit_w", "number"),
            ("power_percent", "whole?"),
            ("ambient_c", "number"),
            ("chip_max_c", "number"),
            ("fan_in_rpm", "whole"),
            ("fan_out_rpm", "whole"),
            ("elapsed_seconds", "whole"),
            ("errors", "list"),
            ("pools", "list"),
            ("identity", "object"),
        ],
    );
    assert_shape(
        &body,
        &[("desired", "object"), ("latches", "object"), ("intent", "object"), ("op", "object?")],
    );
    assert_shape(&body["decision"], &[("at", "time"), ("rule", "text"), ("reason", "text")]);
    assert_eq!(body["op"], Value::Null, "nothing was commanded yet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_battery_s_status() {
    let house = House::open().await;
    let body = house.get("/api/battery/status").await;
    assert_shape(&body["connection"], &CONNECTION);
    assert_shape(&body["connection"], &[("session_age_hours", "number"), ("poll_seconds", "whole")]);
    assert_eq!(
        (&body["connection"]["connected"], &body["connection"]["poll_seconds"]),
        (&json!(true), &json!(30))
    );
    assert_shape(
        &body["status"],
        &[
            ("ts", "time"),
            ("soc_percent", "number"),
            ("age_seconds", "number"),
            ("pv_power_w", "number"),
            ("load_power_w", "number"),
            ("grid_power_w", "number"),
            ("battery_net_w", "number"),
            ("units", "list"),
            ("lost", "flag"),
        ],
    );
    assert_eq!(body["status"]["soc_percent"], 95.0);
    let truth = house.simulation.house().now();
    let charging = body["status"]["battery_net_w"].as_f64().unwrap();
    assert!((charging > 0.0) == (truth.battery.get() > 0.0), "charging is positive: {charging} W");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_auto_control() {
    let house = House::open().await;
    house.say_twice(60.0).await;
    let body = house.get("/api/autocontrol/status").await;
    assert_shape(&body, &AUTOCONTROL);
    assert_eq!((&body["enabled"], &body["target_pct"]), (&json!(true), &json!(60)));
    assert_eq!((&body["target_w"], &body["last_set_w"]), (&json!(2160.0), &json!(2160.0)));
    assert_eq!((&body["latched_floor_w"], &body["min_interval_sec"]), (&json!(2160.0), &json!(120)));
    assert_eq!((&body["sunset_time"], &body["is_past_sunset"]), (&json!("19:00"), &json!(false)));
    assert!(!body["current_state_description"].as_str().unwrap().is_empty());
    assert_shape(&body["op"], &OPERATION);
    assert_eq!(body["latches"]["ceiling"], 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sunset_is_told_by_the_site_s_own_time() {
    for (start, past) in [("2026-06-22T00:58:00Z", false), ("2026-06-22T01:01:00Z", true)] {
        let house = House::with(Options { start: Some(start), ..Options::default() }).await;
        let body = house.get("/api/autocontrol/status").await;
        assert_eq!(
            (&body["sunset_time"], &body["is_past_sunset"]),
            (&json!("19:00"), &json!(past)),
            "{start}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operations() {
    let house = House::open().await;
    assert_eq!(house.get("/api/miner/op_status").await, json!({ "operations": [] }));
    house.post("/api/miner/power_off", Value::Null).await.with(202);
    house.run(60).await;
    let body = house.get("/api/miner/op_status").await;
    let [operation] = body["operations"].as_array().unwrap().as_slice() else { unreachable!("{body}") };
    assert_shape(operation, &OPERATION);
    assert_eq!((&operation["command"], &operation["stage"]), (&json!({ "kind": "off" }), &json!("observed")));
    for time in ["decided_at", "sent_at", "acknowledged_at", "ended_at"] {
        assert_shape(operation, &[(time, "time")]);
    }
    assert_eq!(house.get("/api/miner/status").await["op"], *operation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_and_the_devices() {
    let house = House::open().await;
    let body = house.get("/api/system/status").await;
    assert_shape(&body["miner"], &CONNECTION);
    assert_shape(&body["battery"], &CONNECTION);
    assert_shape(&body["autocontrol"], &AUTOCONTROL);
    assert_shape(&body["network"], &NETWORK);
    assert_shape(
        &body,
        &[
            ("site", "object"),
            ("time", "time"),
            ("clock_synced", "flag"),
            ("tick", "whole"),
            ("database_ok", "flag"),
            ("written", "object?"),
            ("alerts", "list"),
            ("invariant_violations", "object"),
            ("version", "text"),
            ("demo", "flag"),
        ],
    );
    assert_eq!((&body["database_ok"], &body["clock_synced"]), (&json!(true), &json!(true)));
    assert_eq!(body["site"], json!({ "name": "Test house", "timezone": "America/Denver" }));
    let violations = body["invariant_violations"].as_object().unwrap();
    assert!(violations.contains_key("I1") && violations.contains_key("I3"), "{violations:?}");
    assert!(violations.values().all(|count| *count == 0), "{violations:?}");

    if cfg!(target_os = "linux") {
        assert_shape(
            &body["written"],
            &[("bytes", "whole"), ("seconds", "whole"), ("bytes_a_day", "whole?")],
        );
        assert_eq!(body["written"]["budget_bytes_a_day"], server::keeping::BUDGET);
        let told = house.get("/api/backups").await["written"].clone();
        assert_eq!(told.as_object().unwrap().len(), 4, "the same figure as with the backups: {told}");
        assert!(told["bytes"].as_u64() >= body["written"]["bytes"].as_u64(), "{told}");
    }

    let network = house.get("/api/network/devices").await;
    assert_shape(&network, &NETWORK);
    assert_eq!(network["device_count"], 1);
    assert_shape(
        &network["devices"][0],
        &[
            ("ip", "text"),
            ("hostname", "text"),
            ("type", "text"),
            ("hashrate_ths", "number"),
            ("power_w", "number"),
        ],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_that_is_taken_up_is_answered_with_operation_and_decision() {
    let house = House::open().await;
    let body = house.post("/api/miner/power_pct", json!({ "percent": 50 })).await.with(202);
    assert_eq!(body["ok"], true);
    assert_shape(&body["op"], &OPERATION);
    assert_eq!(body["op"]["command"], json!({ "kind": "set_power", "percent": 50, "watts": 1800.0 }));
    let decision = body["decision"].as_object().unwrap();
    let known = DECISION.iter().filter(|(name, _)| *name != "wanted").copied().collect::<Vec<_>>();
    assert_shape(&Value::Object(decision.clone()), &known);
    assert_eq!(decision["rule"], "manual");
    let explanation = &decision["explanation"];
    assert_shape(explanation, &[("why", "text"), ("why_not_more", "text?"), ("when", "text?")]);
}

/// What can't be known is null: never 0, never off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unknown_is_null() {
    let house = House::with(Options {
        miner_faults: Faults { refuse_connections: true, ..Faults::default() },
        portal_faults: PortalFaults {
            reply: Some(ReplyFault::ServerError { status: 503 }),
            ..PortalFaults::default()
        },
        ..Options::default()
    })
    .await;
    let miner = house.get("/api/miner/status").await;
    assert_eq!(miner["status"]["state"], "unknown");
    for name in [
        "power_w",
        "power_limit_w",
        "power_percent",
        "hashrate_ths",
        "efficiency_j_per_th",
        "ambient_c",
        "chip_max_c",
        "fan_in_rpm",
        "elapsed_seconds",
        "identity",
        "writes_enabled",
    ] {
        assert_eq!(miner["status"].get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(miner["connection"]["connected"], false);
    assert_eq!(
        (&miner["connection"]["last_seen"], &miner["connection"]["uptime_seconds"]),
        (&Value::Null, &Value::Null)
    );
    assert!(miner["connection"]["error"].as_str().unwrap().contains("reached"), "{miner}");
    assert_eq!(miner["desired"], json!({ "state": null, "percent": null, "watts": null }));

    let battery = house.get("/api/battery/status").await;
    for name in [
        "ts",
        "soc_percent",
        "age_seconds",
        "pv_power_w",
        "load_power_w",
        "grid_power_w",
        "battery_net_w",
        "lost",
        "units",
    ] {
        assert_eq!(battery["status"].get(name), Some(&Value::Null), "{name}");
    }
    let connection = &battery["connection"];
    assert_eq!((&connection["connected"], &connection["session_age_hours"]), (&json!(false), &Value::Null));
    assert!(connection["error"].is_string());

    let auto = house.get("/api/autocontrol/status").await;
    assert_shape(&auto, &AUTOCONTROL);
    assert_eq!(
        (&auto["target_w"], &auto["target_pct"], &auto["last_set_w"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let devices = house.get("/api/network/devices").await;
    assert_eq!(
        (&devices["devices"][0]["power_w"], &devices["devices"][0]["hashrate_ths"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_without_a_miner_says_so() {
    let house = House::with(Options { miners: Miners(&[]), ..Options::default() }).await;
    for path in ["/api/miner/status", "/api/miner/op_status", "/api/autocontrol/status"] {
        assert_eq!(house.call(get(path)).await.error(404).0, "no_miner", "{path}");
    }
    for path in ["/api/miner/power_on", "/api/miner/power_off", "/api/autocontrol/enable"] {
        let (code, _, field) = house.post(path, Value::Null).await.error(404);
        assert_eq!((code.as_str(), field), ("no_miner", None), "{path}");
    }
    let system = house.get("/api/system/status").await;
    assert_eq!((&system["miner"], &system["autocontrol"]), (&Value::Null, &Value::Null));
    assert_eq!(house.get("/api/network/devices").await["device_count"], 0);
}
