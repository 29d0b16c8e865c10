//! Every fault of the portal does what it says, over real sockets, and is over when it is switched off.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what the helpers of a test can't do fails the test"
)]

mod http;
mod portal_bench;

use model::Soc;
use portal_bench::Bench;
use rstest::rstest;
use serde_json::{Value, json};
use simulator::portal::{
    ClockFault, Expiry, LoginFault, PortalFaults, PortalSetup, ReplyFault, ReplyTo, SocFault,
};
use std::{io, time::Duration};

const RUNTIME: &str = "/WManage/api/inverter/getInverterRuntime";
const BATTERY: &str = "/WManage/api/battery/getBatteryInfo";
const ENERGY: &str = "/WManage/api/inverter/getInverterEnergyInfo";
const OVERVIEW: &str = "/WManage/api/inverterOverview/list";

async fn bench_with(faults: PortalFaults) -> (Bench, String) {
    let bench =
        Bench::start(PortalSetup { upload_jitter_seconds: 0, inverters: 2, ..PortalSetup::default() }).await;
    let cookie = bench.cookie().await;
    bench.portal.set_faults(faults).unwrap();
    (bench, cookie)
}

#[rstest]
#[case(Expiry::Html200, 200, "text/html")]
#[case(Expiry::Status401, 401, "text/html")]
#[case(Expiry::Status403, 403, "text/html")]
#[case(Expiry::Redirect302, 302, "text/html")]
#[case(Expiry::SuccessFalse, 200, "application/json")]
#[case(Expiry::Zombie, 200, "application/json")]
#[tokio::test]
async fn an_expired_session_shows_itself_as_chosen(
    #[case] expiry: Expiry,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let (bench, cookie) = bench_with(PortalFaults { expiry, ..PortalFaults::default() }).await;
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json()["soc"], 62, "still signed in");
    bench.portal.expire_sessions();
    for path in [RUNTIME, BATTERY, ENERGY, OVERVIEW] {
        let reply = bench.ask(path, &cookie).await;
        assert_eq!(reply.status, status);
        assert!(reply.header("content-type").unwrap().starts_with(kind));
        match expiry {
            Expiry::Html200 => assert!(String::from_utf8_lossy(&reply.body).contains("loginForm")),
            Expiry::Redirect302 => assert_eq!(reply.header("location"), Some("/WManage/web/login")),
            Expiry::SuccessFalse => assert_eq!(reply.json(), json!({"success": false, "msg": ""})),
            Expiry::Zombie => assert_eq!(reply.json(), json!({"success": true})),
            Expiry::Status401 | Expiry::Status403 => assert!(reply.body.is_empty()),
        }
    }
    let cookie = bench.cookie().await;
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json()["soc"], 62, "signing in again helps");
}

#[tokio::test]
async fn sessions_may_never_hold() {
    let (bench, _) = bench_with(PortalFaults { sessions_never_hold: true, ..PortalFaults::default() }).await;
    let cookie = bench.cookie().await;
    assert!(bench.ask(RUNTIME, &cookie).await.header("content-type").unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn replies_fail_as_a_whole() {
    let serial = "x";
    for status in [500, 502, 503] {
        let (bench, cookie) = bench_with(PortalFaults {
            reply: Some(ReplyFault::ServerError { status }),
            ..PortalFaults::default()
        })
        .await;
        assert_eq!(bench.ask(RUNTIME, &cookie).await.status, status);
        assert_eq!(bench.login("demo", "demo").await.status, status);
        bench.portal.set_faults(PortalFaults::default()).unwrap();
        assert_eq!(bench.ask(RUNTIME, &cookie).await.status, 200);
    }
    for (retry_after, header) in [(None, None), (Some(120), Some("120"))] {
        let reply = Some(ReplyFault::TooManyRequests { retry_after });
        let (bench, cookie) = bench_with(PortalFaults { reply, ..PortalFaults::default() }).await;
        let reply = bench.ask(RUNTIME, &cookie).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, header));
    }
    let (bench, cookie) =
        bench_with(PortalFaults { reply: Some(ReplyFault::Maintenance), ..PortalFaults::default() }).await;
    let reply = bench.ask(RUNTIME, &cookie).await;
    assert_eq!(reply.status, 200);
    assert!(String::from_utf8_lossy(&reply.body).contains("under maintenance"));
    let login = bench.login("demo", "demo").await;
    assert!(login.header("set-cookie").is_none(), "nobody is signed in by a page of maintenance");

    let (bench, cookie) =
        bench_with(PortalFaults { reply: Some(ReplyFault::Reset), ..PortalFaults::default() }).await;
    let error = bench.try_ask(RUNTIME, &cookie, serial).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(bench.portal.log().last().unwrap().status, None);
}

#[tokio::test]
async fn bodies_are_cut_or_blown_up() {
    let (bench, cookie) = bench_with(PortalFaults::default()).await;
    let sound = bench.ask(RUNTIME, &cookie).await.body;
    let spoil = |reply| PortalFaults { reply: Some(reply), ..PortalFaults::default() };
    bench.portal.set_faults(spoil(ReplyFault::Truncated)).unwrap();
    assert_eq!(bench.ask(RUNTIME, &cookie).await.body, sound[..sound.len() / 2]);
    bench.portal.set_faults(spoil(ReplyFault::Oversized)).unwrap();
    let reply = bench.ask(RUNTIME, &cookie).await;
    assert_eq!(reply.body.len(), 5 * 1024 * 1024);
    assert_eq!(reply.json()["soc"], 62, "and yet it is the reply");
}

#[tokio::test]
async fn a_silent_portal_says_nothing_until_it_is_stopped() {
    let (bench, cookie) =
        bench_with(PortalFaults { reply: Some(ReplyFault::Silent), ..PortalFaults::default() }).await;
    let addr = bench.portal.addr();
    let asking = tokio::spawn(async move {
        http::request(addr, "POST", RUNTIME, &[("Cookie", &cookie)], "").await.map(|reply| reply.status)
    });
    bench.portal.received(|request| request.path == RUNTIME && request.status.is_none()).await;
    bench.portal.stop().await;
    assert!(asking.await.unwrap().is_err(), "the connection ends with the portal");
}

#[tokio::test]
async fn a_slow_reply_comes_nevertheless() {
    let (bench, cookie) = bench_with(PortalFaults { slow_ms: 30, ..PortalFaults::default() }).await;
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json()["soc"], 62);
}

#[tokio::test]
async fn a_fault_concerns_the_requests_it_is_meant_for_and_as_many() {
    let unavailable = Some(ReplyFault::ServerError { status: 503 });
    let (bench, cookie) =
        bench_with(PortalFaults { reply: unavailable, reply_to: ReplyTo::Data, ..PortalFaults::default() })
            .await;
    assert_eq!(bench.login("demo", "demo").await.status, 200);
    assert_eq!(bench.ask(RUNTIME, &cookie).await.status, 503);
    let faults = PortalFaults { reply: unavailable, reply_count: Some(1), ..PortalFaults::default() };
    bench.portal.set_faults(faults).unwrap();
    assert_eq!(bench.ask(RUNTIME, &cookie).await.status, 503);
    assert_eq!(bench.ask(RUNTIME, &cookie).await.status, 200);
    assert_eq!(bench.portal.faults(), PortalFaults::default());
}

#[tokio::test]
async fn signing_in_can_be_refused_or_be_gone() {
    let login = |fault| PortalFaults { login: Some(fault), ..PortalFaults::default() };
    let (bench, cookie) = bench_with(login(LoginFault::Refused)).await;
    let reply = bench.login("demo", "demo").await;
    assert_eq!((reply.status, &reply.json()["msg"]), (200, &"LOGIN_ERROR_DISMATCH".into()));
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json()["soc"], 62, "the session that is open stays open");
    bench.portal.set_faults(login(LoginFault::Missing404)).unwrap();
    assert_eq!(bench.login("demo", "demo").await.status, 404);
    bench.portal.set_faults(login(LoginFault::Html200)).unwrap();
    let reply = bench.login("demo", "demo").await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.header("content-type").unwrap().starts_with("text/html")
            && reply.header("set-cookie").is_none()
    );
}

#[tokio::test]
async fn a_lost_unit_freezes_and_leaves_fields_out() {
    let (bench, cookie) = bench_with(PortalFaults { lost: true, ..PortalFaults::default() }).await;
    let before = bench.ask(RUNTIME, &cookie).await.json();
    bench.clock.jump(Duration::from_secs(3600));
    let runtime = bench.ask(RUNTIME, &cookie).await.json();
    assert_eq!(
        (&runtime["success"], &runtime["lost"], &runtime["statusText"]),
        (&true.into(), &true.into(), &"offline".into())
    );
    assert_eq!(runtime["serverTime"], before["serverTime"], "frozen");
    for field in [
        "status",
        "ppv",
        "soc",
        "vBat",
        "pCharge",
        "pDisCharge",
        "batPower",
        "pinv",
        "prec",
        "peps",
        "batteryColor",
    ] {
        assert!(runtime.get(field).is_none(), "{field} is there");
    }
    for field in ["ppv1", "vpv1", "tinner", "pToUser", "pLoad170"] {
        assert!(runtime.get(field).is_some(), "{field} is missing");
    }
    let battery = bench.ask(BATTERY, &cookie).await.json();
    assert_eq!((&battery["totalNumber"], &battery["currentType"]), (&0.into(), &"unknown".into()));
    assert!(battery.get("soc").is_none());

    let only_second = PortalFaults { lost: true, lost_inverter: Some(1), ..PortalFaults::default() };
    bench.portal.set_faults(only_second).unwrap();
    let serials = bench.portal.serials();
    assert_eq!(bench.ask_for(RUNTIME, &cookie, &serials[0]).await.json()["lost"], false);
    assert_eq!(bench.ask_for(RUNTIME, &cookie, &serials[1]).await.json()["lost"], true);
    bench.portal.set_faults(PortalFaults::default()).unwrap();
    assert_eq!(
        bench.ask_for(RUNTIME, &cookie, &serials[1]).await.json()["serverTime"],
        "2026-05-01 17:00:00"
    );
}

#[tokio::test]
async fn a_frozen_portal_doesn_t_say_so() {
    let (bench, cookie) = bench_with(PortalFaults { frozen: true, ..PortalFaults::default() }).await;
    let before = bench.ask(RUNTIME, &cookie).await.json();
    bench.clock.jump(Duration::from_secs(3600));
    bench.portal.upload_now();
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json(), before);
    assert_eq!(before["lost"], false);
}

#[tokio::test]
async fn a_lagging_node_answers_now_and_then() {
    let (bench, cookie) =
        bench_with(PortalFaults { lagging_every: Some(3), ..PortalFaults::default() }).await;
    bench.clock.jump(Duration::from_secs(480));
    let mut times = Vec::new();
    for _ in 0..6 {
        times.push(bench.ask(RUNTIME, &cookie).await.json()["serverTime"].as_str().unwrap()[11..].to_owned());
    }
    assert_eq!(times, ["16:08:00", "16:08:00", "16:04:00", "16:08:00", "16:08:00", "16:04:00"]);
}

#[rstest]
#[case(json!(0))]
#[case(json!(127))]
#[case(json!(255))]
#[case(json!(-1))]
#[case(json!(102.3))]
#[case(json!("--"))]
#[case(json!("NaN"))]
#[case(Value::Null)]
#[tokio::test]
async fn anything_can_stand_for_the_state_of_charge(#[case] value: Value) {
    let soc = Some(SocFault::Value(value.clone()));
    let (bench, cookie) = bench_with(PortalFaults { soc, ..PortalFaults::default() }).await;
    for path in [RUNTIME, BATTERY, ENERGY] {
        assert_eq!(bench.ask(path, &cookie).await.json().get("soc"), Some(&value));
    }
    let faults = PortalFaults { soc: Some(SocFault::Missing), ..PortalFaults::default() };
    bench.portal.set_faults(faults).unwrap();
    for path in [RUNTIME, BATTERY, ENERGY] {
        assert_eq!(bench.ask(path, &cookie).await.json().get("soc"), None);
    }
}

#[tokio::test]
async fn the_portal_s_clock_can_be_wrong() {
    let clock = |offset_seconds, only_server_time| PortalFaults {
        clock: Some(ClockFault { offset_seconds, only_server_time }),
        ..PortalFaults::default()
    };
    let (bench, cookie) = bench_with(clock(3600, false)).await;
    let told = async || {
        let reply = bench.ask(RUNTIME, &cookie).await;
        let (json, date) = (reply.json(), reply.header("date").unwrap().to_owned());
        [
            json["serverTime"].as_str().unwrap()[11..].to_owned(),
            json["deviceTime"].as_str().unwrap()[11..].to_owned(),
            date[17..25].to_owned(),
        ]
    };
    assert_eq!(told().await, ["17:00:00", "11:00:00", "17:00:00"]);
    bench.portal.set_faults(clock(-1800, false)).unwrap();
    assert_eq!(told().await, ["15:30:00", "09:30:00", "15:30:00"]);
    bench.portal.set_faults(clock(3600, true)).unwrap();
    assert_eq!(told().await, ["17:00:00", "10:00:00", "16:00:00"]);
}

#[tokio::test]
async fn values_change_their_shape() {
    let faults =
        PortalFaults { strings_for_numbers: true, missing_battery_array: true, ..PortalFaults::default() };
    let (bench, cookie) = bench_with(faults).await;
    let runtime = bench.ask(RUNTIME, &cookie).await.json();
    assert_eq!((&runtime["soc"], &runtime["success"]), (&"62".into(), &true.into()));
    assert!(runtime.as_object().unwrap().values().all(|value| !value.is_number()));
    let battery = bench.ask(BATTERY, &cookie).await.json();
    assert!(battery.get("batteryArray").is_none());
    assert_eq!(battery["totalNumber"], "3");
}

#[tokio::test]
async fn inverters_disagree() {
    let (bench, cookie) =
        bench_with(PortalFaults { soc_disagreement: -15.0, ..PortalFaults::default() }).await;
    bench.house.set_soc(Soc::new(70.0).unwrap());
    bench.clock.jump(Duration::from_secs(1));
    bench.portal.upload_now();
    let mut told = Vec::new();
    for serial in bench.portal.serials() {
        told.push(bench.ask_for(RUNTIME, &cookie, &serial).await.json()["soc"].as_i64().unwrap());
    }
    assert_eq!(told, [70, 55]);
}

#[tokio::test]
async fn impossible_faults_are_refused_and_change_nothing() {
    let (bench, _) = bench_with(PortalFaults { frozen: true, ..PortalFaults::default() }).await;
    let bad = PortalFaults { lagging_every: Some(0), ..PortalFaults::default() };
    assert_eq!(bench.portal.set_faults(bad).unwrap_err().field, "lagging_every");
    assert!(bench.portal.faults().frozen);
}
