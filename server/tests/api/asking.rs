//! What a person asks reaches the miner, or is refused with the reason.

use crate::house::{House, Miners, Options, sent_to};
use serde_json::{Value, json};
use simulator::{
    miner::Phase,
    portal::{PortalFaults, ReplyFault, ReplyTo},
};

const STOP: &str = r#"set.miner.service "stop""#;
const START: &str = r#"set.miner.service "start""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn off_and_on_reach_the_miner() {
    let house = House::open().await;
    let off = house.post("/api/miner/power_off?id=garage", Value::Null).await.with(202);
    assert_eq!((&off["ok"], &off["op"]["command"]["kind"]), (&json!(true), &json!("off")));
    house.run(30).await;
    assert_eq!(house.sent(), [STOP]);
    assert_eq!(house.miner().state().phase, Phase::Off);
    assert_eq!(house.get("/api/miner/status").await["status"]["state"], "off");

    house.run(600).await;
    let on = house.post("/api/miner/power_on", json!({})).await.with(202);
    assert_eq!(on["op"]["command"], json!({ "kind": "start", "percent": 100, "watts": 3600.0 }));
    house.run(900).await;
    assert_eq!(house.sent(), [STOP, START], "its limit is in force already");
    assert!(house.miner().state().watts > 3300.0, "{:?}", house.miner().state());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_tells_which_miner_is_meant() {
    let miners = Miners(&["garage", "shed"]);
    let house = House::with(Options { miners, ..Options::default() }).await;
    let [garage, shed] = house.simulation.miners() else { unreachable!() };
    let off = house.post("/api/miner/power_off?id=shed", Value::Null).await.with(202);
    assert_eq!(off["op"]["miner"], "shed");
    house.run(30).await;
    assert_eq!((sent_to(garage), sent_to(shed)), (vec![], vec![STOP.to_owned()]));
    for (query, state) in [("", "running"), ("?id=garage", "running"), ("?id=shed", "off")] {
        let status = house.get(&format!("/api/miner/status{query}")).await;
        assert_eq!(status["status"]["state"], state, "{query}");
    }
    house.post("/api/autocontrol/disable?id=garage", Value::Null).await.with(202);
    for (query, enabled) in [("?id=garage", false), ("?id=shed", true)] {
        let status = house.get(&format!("/api/autocontrol/status{query}")).await;
        assert_eq!(status["enabled"], enabled, "{query}");
    }
    assert_eq!(house.get("/api/network/devices").await["device_count"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_percentage_and_a_limit_reach_the_miner() {
    let house = House::open().await;
    house.post("/api/miner/power_pct", json!({ "percent": 50 })).await.with(202);
    house.run(600).await;
    assert!((house.miner().state().watts - 1800.0).abs() < 110.0, "{:?}", house.miner().state());
    let body = house.get("/api/miner/status").await;
    assert_eq!(body["desired"], json!({ "state": "running", "percent": 50, "watts": 1800.0 }));
    assert_eq!(body["intent"]["manual"], json!({ "percent": 50 }));
    assert_eq!(body["intent"]["manual_until"], "2026-06-21T20:00:15Z", "two hours after it was asked for");

    house.miner().clear_log();
    house.post("/api/miner/power_limit", json!({ "watts": 2500, "hours": 0.5 })).await.with(202);
    house.run(900).await;
    assert_eq!(house.sent().len(), 1, "{:?}", house.sent());
    assert!((house.miner().state().watts - 2500.0).abs() < 130.0, "{:?}", house.miner().state());
    house.run(1800).await;
    assert!(house.miner().state().watts > 3300.0, "after half an hour the ladder has it again");
}

/// The interval between two commands holds the second one back: it is taken up, and told as blocked until when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_within_the_interval_is_taken_up_and_told_as_blocked() {
    let house = House::open().await;
    house.post("/api/miner/power_pct", json!({ "percent": 50 })).await.with(202);
    house.run(20).await;
    let second = house.post("/api/miner/power_pct", json!({ "percent": 70 })).await.with(202);
    assert_eq!((&second["ok"], &second["op"]), (&json!(true), &Value::Null));
    let blocked = &second["decision"]["blocked"]["by"];
    assert!(["interval", "settling"].contains(&blocked.as_str().unwrap()), "{second}");
    assert!(second["decision"]["blocked_until"].is_string(), "{second}");
    assert_eq!(house.sent().len(), 1);
    house.run(900).await;
    assert_eq!(house.sent().len(), 2, "{:?}", house.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_refuses_every_wish_for_power_with_the_reason() {
    let house = House::open().await;
    house.say_twice(30.0).await;
    assert_eq!(house.sent(), [STOP]);
    for (path, body) in [
        ("/api/miner/power_on", Value::Null),
        ("/api/miner/power_on", json!({ "confirm": true })),
        ("/api/miner/power_pct", json!({ "percent": 40 })),
        ("/api/miner/power_limit", json!({ "watts": 1500 })),
    ] {
        let (code, message, _) = house.post(path, body).await.error(409);
        assert_eq!(code, "refused", "{path}");
        assert!(message.contains("30 %") && message.contains("emergency"), "{path}: {message}");
    }
    house.post("/api/miner/power_off", Value::Null).await.with(202);
    house.run(600).await;
    assert_eq!(house.sent(), [STOP], "nothing but the emergency's own off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latch_asks_for_a_confirmation() {
    let house = House::open().await;
    house.say_twice(30.0).await;
    house.say_twice(45.0).await;
    let (code, message, _) = house.post("/api/miner/power_on", Value::Null).await.error(409);
    assert!(code == "refused" && message.to_lowercase().contains("confirm"), "{message}");
    assert!(house.get("/api/miner/status").await["latches"]["emergency"].as_bool().unwrap());
    house.post("/api/miner/power_on", json!({ "confirm": true })).await.with(202);
    house.run(120).await;
    assert_eq!(house.sent().last().map(String::as_str), Some(START), "{:?}", house.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stale_data_refuses_every_wish_for_power_with_the_reason() {
    let house = House::open().await;
    house.portal().set_faults(PortalFaults { frozen: true, ..PortalFaults::default() }).unwrap();
    house.run(1200).await;
    assert_eq!(house.sent(), [STOP], "off by the stale rule");
    for (path, body) in [
        ("/api/miner/power_on", json!({ "confirm": true })),
        ("/api/miner/power_pct", json!({ "percent": 40 })),
        ("/api/miner/power_limit", json!({ "watts": 1500 })),
    ] {
        let (code, message, _) = house.post(path, body).await.error(409);
        assert_eq!(code, "refused", "{path}");
        assert!(message.contains("battery"), "{path}: {message}");
    }
    house.run(600).await;
    assert_eq!(house.sent(), [STOP]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auto_control_is_switched_off_and_on() {
    let house = House::open().await;
    assert_eq!(house.post("/api/autocontrol/disable", Value::Null).await.with(202)["ok"], true);
    assert_eq!(house.get("/api/autocontrol/status").await["enabled"], false);
    house.say_twice(60.0).await;
    house.run(600).await;
    assert_eq!(house.sent(), Vec::<String>::new(), "nothing is changed without auto-control");
    assert_eq!(house.post("/api/autocontrol/enable", json!({})).await.with(202)["ok"], true);
    assert_eq!(house.get("/api/autocontrol/status").await["enabled"], true);
    house.run(30).await;
    assert_eq!(house.sent().len(), 1, "{:?}", house.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_is_refreshed_on_request() {
    let house = House::open().await;
    let logins = house.portal().counts().logins;
    let body = house.post("/api/battery/refresh_session", Value::Null).await.with(202);
    assert_eq!(body, json!({ "ok": true }));
    assert_eq!(house.portal().counts().logins, logins + 1);
    house.run(40).await;
    let battery = house.get("/api/battery/status").await;
    let age = battery["connection"]["session_age_hours"].as_f64().unwrap();
    assert!((0.0..0.02).contains(&age), "{age} h");
}

/// What still holds is marked as seen, what is over is dismissed, and what came after the person looked stays news.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_that_were_read_are_cleared() {
    let house = House::open().await;
    let alerts = async || house.get("/api/system/status").await["alerts"].as_array().unwrap().clone();
    let told = |alerts: &[Value]| {
        alerts.iter().map(|alert| (alert["active"].clone(), alert["seen"].clone())).collect::<Vec<_>>()
    };
    let reply = Some(ReplyFault::ServerError { status: 502 });
    house.portal().set_faults(PortalFaults { reply, ..PortalFaults::default() }).unwrap();
    house.run(60).await;
    assert_eq!(told(&alerts().await), [(json!(true), json!(false))]);
    house.post("/api/alerts/clear", json!({ "until": "2026-06-21T18:00:00Z" })).await.with(200);
    assert_eq!(told(&alerts().await), [(json!(true), json!(false))], "it began after that");
    let cleared = house.post("/api/alerts/clear", Value::Null).await.with(200);
    assert_eq!(told(cleared["alerts"].as_array().unwrap()), [(json!(true), json!(true))]);
    house.run(30).await;
    assert_eq!(told(&alerts().await), [(json!(true), json!(true))], "it holds, so it stays");
    house.portal().set_faults(PortalFaults::default()).unwrap();
    house.run(120).await;
    assert_eq!(told(&alerts().await), [(json!(false), json!(false))]);
    house.post("/api/alerts/clear", Value::Null).await.with(200);
    assert_eq!(alerts().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_portal_password_is_told_as_such() {
    let house = House::with(Options { wrong_portal_password: true, ..Options::default() }).await;
    let (code, message, _) = house.post("/api/battery/refresh_session", json!({})).await.error(409);
    assert_eq!(code, "battery_sign_in");
    assert!(message.contains("password"), "{message}");
    let told = house.get("/api/battery/status").await["connection"]["error"].as_str().unwrap().to_owned();
    assert!(told.contains("password"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_that_is_down_is_no_wrong_password() {
    let house = House::open().await;
    let faults = PortalFaults {
        reply: Some(ReplyFault::ServerError { status: 502 }),
        reply_to: ReplyTo::Login,
        ..PortalFaults::default()
    };
    house.portal().set_faults(faults).unwrap();
    let (code, message, _) = house.post("/api/battery/refresh_session", Value::Null).await.error(502);
    assert_eq!(code, "battery_source");
    assert!(!message.contains("password"), "{message}");
    house.run(60).await;
    assert_eq!(
        house.get("/api/battery/status").await["connection"]["connected"],
        true,
        "the old session serves on"
    );
}
