//! The control API over real sockets: what it tells, what it sets, and how it refuses.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test can't do fails the test")]

mod http;

use rstest::rstest;
use serde_json::{Value, json};
use simulator::{
    axeos::AxeosSetup,
    miner::MinerSetup,
    portal::PortalSetup,
    program::{ControlApi, Simulation, SimulationSetup},
    time::SimulatedClock,
};
use std::sync::Arc;

const START: &str = "2026-05-01T18:00:00Z";
const SECRET: &str = "swordfish";

struct Bench {
    simulation: Arc<Simulation>,
    clock: SimulatedClock,
    api: ControlApi,
}

impl Bench {
    async fn start() -> Self {
        let clock = SimulatedClock::paused(START.parse().unwrap());
        let miner =
            MinerSetup { v2_password: SECRET.into(), v3_password: SECRET.into(), ..MinerSetup::default() };
        let portal = PortalSetup { password: SECRET.into(), ..PortalSetup::default() };
        let axeos = vec![AxeosSetup::default()];
        let setup = SimulationSetup { miners: vec![miner], portal, axeos, ..SimulationSetup::default() };
        let simulation = Simulation::start(setup, clock.source()).await.unwrap();
        let simulation = Arc::new(simulation);
        let loopback = "127.0.0.1:0".parse().unwrap();
        let api = ControlApi::start(loopback, false, Arc::clone(&simulation), clock.clone()).await.unwrap();
        Self { simulation, clock, api }
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let reply = http::request(self.api.addr(), method, path, &[], body).await.unwrap();
        let value = if reply.body.is_empty() { Value::Null } else { reply.json() };
        (reply.status, value)
    }

    async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, value) = self.call(method, path, &body).await;
        assert!((200..300).contains(&status), "{method} {path} {body}: {status} {value}");
        value
    }
}

#[tokio::test]
async fn the_index_lists_calls_that_exist() {
    let bench = Bench::start().await;
    let index = bench.good("GET", "/", Value::Null).await;
    let calls = index["calls"].as_array().unwrap();
    assert!(calls.len() > 15);
    for call in calls {
        let (method, path) = call["call"].as_str().unwrap().split_once(' ').unwrap();
        let id = if path.starts_with("/axeos/") { "axeos" } else { "miner" };
        let path = path.replace("{id}", id).replace("{name}", "clouds");
        let (status, _) = bench.call(method, &path, "").await;
        assert!(status == 200 || status == 204 || status == 400, "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn a_fault_is_switched_by_its_name() {
    let bench = Bench::start().await;
    let is_on = async |name: &str| {
        let told = bench.good("GET", "/faults", Value::Null).await;
        let told = told.as_array().unwrap().iter().find(|fault| fault["name"] == name).cloned();
        told.unwrap()["on"].clone()
    };
    let told = bench.good("PUT", "/faults/portal_busy", json!({"on": true})).await;
    assert_eq!((&told["part"], &told["on"]), (&json!("portal"), &json!(true)));
    assert_eq!(is_on("portal_busy").await, true);
    assert_eq!(
        bench.good("GET", "/portal/faults", Value::Null).await["reply"],
        json!({"too_many_requests": {"retry_after": 60}})
    );
    bench.good("PUT", "/faults/portal_down", json!({"on": true})).await;
    assert_eq!(is_on("portal_busy").await, false, "there is one reply");
    bench.good("PUT", "/faults/portal_down", json!({"on": false})).await;
    assert_eq!(is_on("portal_down").await, false);
    let swap = bench.good("GET", "/faults", Value::Null).await;
    assert!(!swap.to_string().contains("swapped"), "there is only one");
    for (path, body, status) in [
        ("/faults/fire", r#"{"on": true}"#, 404),
        ("/faults/clouds", "{}", 400),
        ("/faults/clouds", r#"{"on": 1}"#, 400),
        ("/faults/swapped", r#"{"on": true}"#, 400),
    ] {
        assert_eq!(bench.call("PUT", path, body).await.0, status, "{path} {body}");
    }
}

#[tokio::test]
async fn the_state_has_everything() {
    let bench = Bench::start().await;
    let state = bench.good("GET", "/state", Value::Null).await;
    assert_eq!(state["time"], json!({"utc": START, "scale": 0.0, "wanted": START}));
    assert_eq!(state["house"]["state"]["soc_percent"], 62.0);
    assert_eq!(state["portal"]["url"], bench.simulation.portal().base_url());
    let miner = &state["miners"][0];
    assert_eq!(miner["id"], "miner");
    assert_eq!(miner["truth"]["service_on"], true);
    let drawn = state["house"]["state"]["miners"].as_f64().unwrap();
    assert!((3000.0..4000.0).contains(&drawn), "the miner's {drawn} W are part of the house's consumption");
    let axeos = &state["axeos"][0];
    assert_eq!((&axeos["id"], &axeos["profile"]), (&json!("axeos"), &json!("gamma-2.15.0")));
    let both = miner["truth"]["watts"].as_f64().unwrap() + axeos["truth"]["watts"].as_f64().unwrap();
    assert!((drawn - both).abs() < 1.0, "{drawn} W instead of {both} W");
    assert!(!state.to_string().contains(SECRET));
}

#[tokio::test]
async fn time_is_read_set_and_jumped() {
    let bench = Bench::start().await;
    let told = bench.good("PUT", "/time", json!({"utc": "2026-05-01T20:00:00Z"})).await;
    assert_eq!(told, json!({"utc": "2026-05-01T20:00:00Z", "scale": 0.0, "wanted": "2026-05-01T20:00:00Z"}));
    let told = bench.good("POST", "/time/jump", json!({"seconds": 1.5})).await;
    assert_eq!(told["utc"], "2026-05-01T20:00:01.500Z");
    assert_eq!(bench.good("PUT", "/time", json!({"scale": 60})).await["scale"], 60.0);
    assert_eq!(bench.clock.scale().to_bits(), 60.0_f64.to_bits());
}

#[tokio::test]
async fn the_house_is_held_and_let_go() {
    let bench = Bench::start().await;
    let house =
        bench.good("PATCH", "/house", json!({"soc": 33.3, "hold_soc": true, "pv": 4200, "load": 700})).await;
    assert_eq!((&house["state"]["soc_percent"], &house["state"]["pv"]), (&json!(33.3), &json!(4200.0)));
    assert_eq!(house["overrides"]["hold_soc"], true);
    let house = bench.good("PATCH", "/house", json!({"pv": null})).await;
    assert_eq!((&house["overrides"]["pv"], &house["overrides"]["load"]), (&Value::Null, &json!(700.0)));
    assert!(house["state"]["pv"].as_f64().unwrap() > 0.0, "noon in Denver");
    assert_eq!(bench.good("GET", "/house", Value::Null).await, house);
}

#[tokio::test]
async fn the_portal_s_faults_uploads_sessions_and_log() {
    let bench = Bench::start().await;
    let login = async || {
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let form_body = format!("account=demo&password={SECRET}");
        let addr = bench.simulation.portal().addr();
        http::request(addr, "POST", "/WManage/api/login", &form, &form_body).await.unwrap().status
    };
    let faults = bench
        .good(
            "PATCH",
            "/portal/faults",
            json!({"reply": {"server_error": {"status": 502}}, "soc": {"value": null}}),
        )
        .await;
    assert_eq!(faults["soc"], json!({"value": null}));
    assert_eq!(login().await, 502);
    let faults = bench.good("PATCH", "/portal/faults", json!({"reply": null})).await;
    assert_eq!((&faults["reply"], &faults["soc"]), (&Value::Null, &json!({"value": null})));
    assert_eq!(login().await, 200);
    bench.good("DELETE", "/portal/faults", Value::Null).await;
    assert_eq!(bench.simulation.portal().faults(), simulator::portal::PortalFaults::default());

    bench.good("POST", "/portal/expire", Value::Null).await;
    bench.good("POST", "/portal/upload", Value::Null).await;
    let log = bench.good("GET", "/portal/log", Value::Null).await;
    assert_eq!(log["counts"]["logins"], 1);
    assert_eq!(log["requests"][1]["at"], START);
    bench.good("DELETE", "/portal/log", Value::Null).await;
    assert_eq!(bench.good("GET", "/portal/log", Value::Null).await["requests"], json!([]));
}

#[tokio::test]
async fn a_miner_s_truth_faults_and_log() {
    let bench = Bench::start().await;
    assert_eq!(bench.good("GET", "/miners", Value::Null).await.as_array().unwrap().len(), 1);
    let miner = bench.good("POST", "/miners/miner/truth", json!("off")).await;
    assert_eq!((&miner["truth"]["service_on"], &miner["truth"]["phase"]), (&json!(false), &json!("off")));
    assert!(bench.good("GET", "/house", Value::Null).await["state"]["miners"].as_f64().unwrap() < 300.0);
    let miner = bench.good("POST", "/miners/miner/truth", json!({"stable": {"limit_watts": 2000}})).await;
    assert_eq!(miner["truth"]["phase"], "stable");
    let faults = bench.good("PATCH", "/miners/miner/faults", json!({"writes_disabled": true})).await;
    assert_eq!(faults["writes_disabled"], true);
    assert!(bench.simulation.miner("miner").unwrap().faults().writes_disabled);
    assert_eq!(bench.good("DELETE", "/miners/miner/faults", Value::Null).await["writes_disabled"], false);
    assert_eq!(bench.good("GET", "/miners/miner/log", Value::Null).await, json!({"requests": []}));
    bench.good("DELETE", "/miners/miner/log", Value::Null).await;
}

#[tokio::test]
async fn a_bitaxe_s_truth_faults_and_log() {
    let bench = Bench::start().await;
    assert_eq!(bench.good("GET", "/axeos", Value::Null).await.as_array().unwrap().len(), 1);
    let device = bench.good("POST", "/axeos/axeos/truth", json!("stopped")).await;
    assert_eq!((&device["truth"]["phase"], &device["truth"]["paused"]), (&json!("stopped"), &json!(true)));
    let device = bench.good("POST", "/axeos/axeos/truth", json!("reboots")).await;
    assert_eq!(device["truth"]["phase"], "rebooting");
    bench.good("POST", "/time/jump", json!({"seconds": 60})).await;
    let device = bench.good("GET", "/axeos/axeos", Value::Null).await;
    assert_eq!((&device["truth"]["phase"], &device["truth"]["paused"]), (&json!("mining"), &json!(false)));
    let faults = bench.good("PATCH", "/axeos/axeos/faults", json!({"stall": "reads"})).await;
    assert_eq!((&faults["stall"], &faults["closed"]), (&json!("reads"), &json!(false)));
    assert_eq!(bench.good("DELETE", "/axeos/axeos/faults", Value::Null).await["stall"], "nothing");
    assert_eq!(bench.good("GET", "/axeos/axeos/log", Value::Null).await, json!({"requests": []}));
    bench.good("DELETE", "/axeos/axeos/log", Value::Null).await;
}

#[rstest]
#[case("PUT", "/time", "{\"scale\": -1}", 400, Some("scale"))]
#[case("PUT", "/time", "{\"scale\": \"fast\"}", 400, Some("scale"))]
#[case("PUT", "/time", "{\"utc\": \"yesterday\"}", 400, Some("utc"))]
#[case("PUT", "/time", "{\"utc\": \"2020-01-01T00:00:00Z\"}", 400, Some("utc"))]
#[case("PUT", "/time", "{\"speed\": 2}", 400, Some("speed"))]
#[case("POST", "/time/jump", "{}", 400, Some("seconds"))]
#[case("POST", "/time/jump", "{\"seconds\": -5}", 400, Some("seconds"))]
#[case("POST", "/time/jump", "{\"seconds\": 1e300}", 400, Some("seconds"))]
#[case("PATCH", "/house", "{\"soc\": 101}", 400, Some("soc"))]
#[case("PATCH", "/house", "{\"pv\": -1}", 400, Some("pv"))]
#[case("PATCH", "/house", "{\"load\": \"much\"}", 400, Some("load"))]
#[case("PATCH", "/house", "{\"sun\": 1}", 400, Some("sun"))]
#[case("PATCH", "/house", "[1]", 400, None)]
#[case("PATCH", "/house", "{", 400, None)]
#[case("PATCH", "/house", "", 400, None)]
#[case("PATCH", "/portal/faults", "{\"expiry\": \"never\"}", 400, Some("expiry"))]
#[case("PATCH", "/portal/faults", "{\"frozen\": true, \"lagging_every\": 0}", 400, Some("lagging_every"))]
#[case("PATCH", "/miners/miner/faults", "{\"power_reads_zero\": 3}", 400, Some("power_reads_zero"))]
#[case("POST", "/miners/miner/truth", "\"asleep\"", 400, Some("truth"))]
#[case("PATCH", "/axeos/axeos/faults", "{\"stall\": \"often\"}", 400, Some("stall"))]
#[case("POST", "/axeos/axeos/truth", "\"asleep\"", 400, Some("truth"))]
#[case("GET", "/axeos/other", "", 404, None)]
#[case("GET", "/miners/other", "", 404, None)]
#[case("GET", "/nothing", "", 404, None)]
#[case("DELETE", "/time", "", 405, None)]
#[tokio::test]
async fn a_bad_request_is_refused_and_changes_nothing(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] field: Option<&str>,
) {
    let bench = Bench::start().await;
    let before = bench.good("GET", "/state", Value::Null).await;
    let (told, reply) = bench.call(method, path, body).await;
    assert_eq!(told, status, "{reply}");
    assert_eq!(reply["error"]["field"].as_str(), field);
    assert!(!reply["error"]["message"].as_str().unwrap().is_empty());
    assert_eq!(bench.good("GET", "/state", Value::Null).await, before);
}

#[tokio::test]
async fn a_body_has_its_limit() {
    let bench = Bench::start().await;
    let reply = http::request(bench.api.addr(), "PATCH", "/house", &[], &" ".repeat(70_000)).await;
    assert!(reply.is_err() || reply.is_ok_and(|reply| reply.status == 413));
}

#[tokio::test]
async fn others_can_t_reach_it_unless_that_is_meant() {
    let bench = Bench::start().await;
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let start = async |expose| {
        ControlApi::start(everywhere, expose, Arc::clone(&bench.simulation), bench.clock.clone()).await
    };
    assert_eq!(start(false).await.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    assert!(start(true).await.is_ok());
}
