//! What a healthy portal tells, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what the helpers of a test can't do fails the test"
)]

mod http;
mod portal_bench;

use model::{Soc, Watts};
use portal_bench::Bench;
use serde_json::Value;
use simulator::{
    house::{Grid, HouseSetup, Overrides},
    portal::{PortalSetup, Profile},
};
use std::time::Duration;

const RUNTIME: &str = "/WManage/api/inverter/getInverterRuntime";
const BATTERY: &str = "/WManage/api/battery/getBatteryInfo";
const ENERGY: &str = "/WManage/api/inverter/getInverterEnergyInfo";

fn whole(reply: &Value, field: &str) -> i64 {
    reply[field].as_i64().unwrap_or_else(|| panic!("{field} is {}", reply[field]))
}

#[tokio::test]
async fn signing_in_yields_a_cookie_and_the_plant() {
    let bench = Bench::start(PortalSetup::default()).await;
    let reply = bench.login("demo", "demo").await;
    assert_eq!(reply.status, 200);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("JSESSIONID=") && cookie.ends_with("; Path=/WManage; HttpOnly"), "{cookie}");
    let plant = &reply.json()["plants"][0];
    assert_eq!(plant["timezoneHourOffset"], -6, "Denver in May");
    assert_eq!(plant["inverters"][0]["serialNum"], bench.portal.serials()[0].as_str());
    assert_eq!(plant["inverters"][0]["deviceTypeText"], "18KPV");
    assert!(plant.get("parallelGroups").is_none());
    assert_eq!(bench.portal.counts().logins, 1);
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_the_portal_s_words() {
    let bench = Bench::start(PortalSetup::default()).await;
    for (user, password) in [("demo", "wrong"), ("someone", "demo"), ("", "")] {
        let reply = bench.login(user, password).await;
        assert_eq!((reply.status, reply.header("set-cookie")), (200, None));
        assert_eq!(
            reply.json(),
            serde_json::json!({"success": false, "msg": "LOGIN_ERROR_DISMATCH", "msgCode": 101})
        );
    }
    let counts = bench.portal.counts();
    assert_eq!((counts.logins, counts.logins_refused, counts.requests), (0, 3, 3));
    assert!(!format!("{:?}", bench.portal.log()).contains("wrong"), "the log holds no password");
    assert!(!format!("{:?}", bench.portal.setup()).contains("demo"));
}

#[tokio::test]
async fn the_browser_s_sign_in_gives_the_same_cookie() {
    let bench = Bench::start(PortalSetup::default()).await;
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let page = "/WManage/web/login";
    let good = bench.send("POST", page, &form, "account=demo&password=demo").await.unwrap();
    assert_eq!((good.status, good.header("location")), (302, Some("/WManage/web/monitor/inverter")));
    let cookie = good.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json()["success"], true);
    let bad = bench.send("POST", page, &form, "account=demo&password=no").await.unwrap();
    assert_eq!((bad.status, bad.header("location")), (302, Some(page)));
    assert!(
        bench
            .send("GET", page, &[], "")
            .await
            .unwrap()
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    let demo = bench.send("GET", "/WManage/web/login/viewDemoPlant?customCompany=", &[], "").await.unwrap();
    assert!(demo.header("set-cookie").is_some());
}

#[tokio::test]
async fn a_hybrid_s_replies_agree_with_the_house() {
    let bench = Bench::start(PortalSetup::default()).await;
    let cookie = bench.cookie().await;
    bench.house.set_soc(Soc::new(57.4).unwrap());
    let held = Overrides { pv: Watts::new(6000.0), load: Watts::new(1500.0), ..Overrides::default() };
    bench.house.set_overrides(held).unwrap();
    bench.clock.jump(Duration::from_secs(1));
    bench.portal.upload_now();
    let truth = bench.house.now();
    let runtime = bench.ask(RUNTIME, &cookie).await.json();
    assert_eq!(whole(&runtime, "soc"), 57);
    assert_eq!(whole(&runtime, "ppv"), 6000);
    assert_eq!(["ppv1", "ppv2", "ppv3"].map(|string| whole(&runtime, string)).iter().sum::<i64>(), 6000);
    assert_eq!(whole(&runtime, "pLoad170"), 1500);
    assert_eq!(whole(&runtime, "consumptionPower"), 1500);
    assert_eq!(whole(&runtime, "batPower"), truth.battery.get().round() as i64);
    assert_eq!(whole(&runtime, "batPower"), whole(&runtime, "pCharge") - whole(&runtime, "pDisCharge"));
    assert_eq!(whole(&runtime, "vBat"), (truth.voltage * 10.0).round() as i64);
    let derived = whole(&runtime, "pToUser") + whole(&runtime, "ppv") + whole(&runtime, "pDisCharge")
        - whole(&runtime, "pToGrid")
        - whole(&runtime, "pCharge");
    let losses = derived - 1500;
    assert!((45..=480).contains(&losses), "3 to 8 % of 6 kW are lost: {losses}");
    assert_eq!(runtime["status"], 12, "the sun charges and serves the house");

    let battery = bench.ask(BATTERY, &cookie).await.json();
    assert_eq!(battery["batStatus"], "Charging");
    assert_eq!(battery["currentType"], "charge");
    let modules = battery["batteryArray"].as_array().unwrap();
    assert_eq!((modules.len(), &battery["totalNumber"]), (3, &Value::from(3)));
    let tenths: i64 = modules.iter().map(|module| whole(module, "current")).sum();
    let amps: f64 = battery["currentText"].as_str().unwrap().parse().unwrap();
    assert!((tenths as f64 / 10.0 - amps).abs() < 0.3);
    assert!(modules.iter().all(|module| whole(module, "soc") == 57));

    let energy = bench.ask(ENERGY, &cookie).await.json();
    assert_eq!(whole(&energy, "soc"), 57);
    assert_eq!(energy["totalYieldingText"], format!("{:.1}", whole(&energy, "totalYielding") as f64 / 10.0));
}

#[tokio::test]
async fn an_xp_fills_the_same_reply_differently() {
    let setup = PortalSetup { profile: Profile::Xp, ..PortalSetup::default() };
    let bench = Bench::start_in(HouseSetup { grid: Grid::OffGrid, ..HouseSetup::default() }, setup).await;
    let cookie = bench.cookie().await;
    let held = Overrides { pv: Some(Watts::ZERO), load: Watts::new(2141.0), ..Overrides::default() };
    bench.house.set_overrides(held).unwrap();
    bench.clock.jump(Duration::from_secs(1));
    bench.portal.upload_now();
    let runtime = bench.ask(RUNTIME, &cookie).await.json();
    assert_eq!((whole(&runtime, "peps"), whole(&runtime, "consumptionPower")), (2141, 0));
    assert_eq!((&runtime["pf"], &runtime["vact"]), (&Value::from("[0]"), &Value::from(6145)));
    assert_eq!(runtime["status"], 64, "battery, off the grid");
    assert!(runtime.get("pLoad170").is_none());
    assert_eq!(whole(&runtime, "fac"), 0);
    assert!(whole(&runtime, "batPower") < -2200, "discharging is negative");
    let battery = bench.ask(BATTERY, &cookie).await.json();
    assert!(battery.get("batteryArray").is_none());
    assert_eq!(
        (&battery["totalNumber"], &battery["currentType"]),
        (&Value::from(0), &Value::from("discharge"))
    );
}

#[tokio::test]
async fn several_inverters_share_the_house() {
    let bench = Bench::start(PortalSetup { inverters: 3, ..PortalSetup::default() }).await;
    let login = bench.login("demo", "demo").await;
    let plant = &login.json()["plants"][0];
    assert_eq!(plant["inverters"].as_array().unwrap().len(), 3);
    assert_eq!(plant["parallelGroups"][0]["parallelFirstDeviceSn"], bench.portal.serials()[0].as_str());
    bench.clock.jump_to("2026-05-01T18:00:00Z".parse().unwrap()).unwrap();
    let cookie = bench.cookie().await;
    bench.portal.upload_now();
    let mut powers = [0; 2];
    for serial in bench.portal.serials() {
        let runtime = bench.ask_for(RUNTIME, &cookie, &serial).await.json();
        assert_eq!(runtime["serialNum"], serial.as_str());
        powers[0] += whole(&runtime, "ppv");
        powers[1] += whole(&runtime, "batPower");
    }
    let truth = bench.house.now();
    assert_eq!(powers, [truth.pv.get().round() as i64, truth.battery.get().round() as i64]);
    let group = bench.ask("/WManage/api/inverterOverview/getParallelGroupDetails", &cookie).await.json();
    assert_eq!(whole(&group, "total"), 3);
}

#[tokio::test]
async fn the_lists_name_what_there_is() {
    let bench = Bench::start(PortalSetup::default()).await;
    let cookie = bench.cookie().await;
    let serial = bench.portal.serials()[0].clone();
    let plants = bench.ask("/WManage/web/config/plant/list/viewer", &cookie).await.json();
    assert_eq!(plants["rows"][0]["currentTimezoneWithMinute"], -600);
    let overview = bench.ask("/WManage/api/inverterOverview/list", &cookie).await.json();
    assert_eq!(
        (&overview["rows"][0]["soc"], &overview["rows"][0]["serialNum"]),
        (&"62 %".into(), &serial.as_str().into())
    );
    let inverters = bench.ask("/WManage/web/config/inverter/list", &cookie).await.json();
    assert_eq!((whole(&inverters, "onlineNum"), whole(&inverters, "offlineNum")), (1, 0));
    let group = bench.ask("/WManage/api/inverterOverview/getParallelGroupDetails", &cookie).await.json();
    assert_eq!(group, serde_json::json!({"success": false, "msg": "notParallel"}));
    assert_eq!(bench.ask_for(RUNTIME, &cookie, "0000000000").await.json()["success"], false);
    assert_eq!(bench.send("GET", "/anything", &[], "").await.unwrap().status, 404);
}

#[tokio::test]
async fn replies_stay_the_same_between_uploads() {
    let setup = PortalSetup { upload_seconds: 240, upload_jitter_seconds: 0, ..PortalSetup::default() };
    let bench = Bench::start(setup).await;
    let cookie = bench.cookie().await;
    let first = bench.ask(RUNTIME, &cookie).await.json();
    assert_eq!(
        (&first["serverTime"], &first["deviceTime"]),
        (&"2026-05-01 16:00:00".into(), &"2026-05-01 10:00:00".into())
    );
    bench.clock.jump(Duration::from_secs(239));
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json(), first);
    bench.clock.jump(Duration::from_secs(1));
    let second = bench.ask(RUNTIME, &cookie).await;
    assert_eq!(second.json()["serverTime"], "2026-05-01 16:04:00");
    assert_eq!(second.header("date"), Some("Fri, 01 May 2026 16:04:00 GMT"));
    bench.clock.jump(Duration::from_secs(100_000));
    let cookie = bench.cookie().await;
    assert_eq!(
        bench.ask(RUNTIME, &cookie).await.json()["serverTime"],
        "2026-05-02 19:48:00",
        "the last that was due"
    );
}

#[tokio::test]
async fn uploads_stray_no_farther_than_they_may() {
    let setup = PortalSetup { upload_seconds: 120, upload_jitter_seconds: 50, ..PortalSetup::default() };
    let bench = Bench::start(setup).await;
    let cookie = bench.cookie().await;
    let (mut times, mut last) = (Vec::new(), String::new());
    for _ in 0..708 {
        bench.clock.jump(Duration::from_secs(5));
        let reply = bench.ask(RUNTIME, &cookie).await.json();
        let time = reply["serverTime"].as_str().unwrap().to_owned();
        if time != last {
            times.push(format!("{}Z", time.replace(' ', "T")).parse::<model::UtcMillis>().unwrap());
            last = time;
        }
    }
    assert_eq!(times.len(), 30, "one every two minutes of an hour");
    let start = times[0];
    for (number, time) in (0_i64..).zip(&times) {
        assert!((time.millis_since(start) - number * 120_000).abs() <= 50_000);
    }
    let apart: std::collections::BTreeSet<i64> =
        times.windows(2).map(|pair| pair[1].millis_since(pair[0])).collect();
    assert!(apart.len() > 5, "they do stray: {apart:?}");
}

#[tokio::test]
async fn a_session_ends_with_its_lifetime() {
    let bench = Bench::start(PortalSetup { session_seconds: 1800, ..PortalSetup::default() }).await;
    let cookie = bench.cookie().await;
    bench.clock.jump(Duration::from_secs(1799));
    assert_eq!(bench.ask(RUNTIME, &cookie).await.json()["success"], true);
    bench.clock.jump(Duration::from_secs(1));
    assert!(bench.ask(RUNTIME, &cookie).await.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(bench.portal.counts().without_session, 1);
}

#[tokio::test]
async fn a_request_can_be_awaited_and_the_log_be_cleared() {
    let bench = Bench::start(PortalSetup::default()).await;
    let (request, _) = tokio::join!(
        bench.portal.received(|request| request.path == "/WManage/api/login"),
        bench.login("demo", "demo"),
    );
    assert_eq!((request.method.as_str(), request.login, request.status), ("POST", Some(true), Some(200)));
    assert_eq!(request.at, bench.clock.now());
    bench.portal.clear_log();
    assert!(bench.portal.log().is_empty());
    assert_eq!(bench.portal.counts().requests, 0);
}

#[tokio::test]
async fn a_stopped_portal_refuses_connections() {
    let bench = Bench::start(PortalSetup::default()).await;
    let addr = bench.portal.addr();
    bench.portal.stop().await;
    let error = http::request(addr, "GET", "/", &[], "").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn an_impossible_setup_is_named() {
    let bench = Bench::start(PortalSetup::default()).await;
    let setup = PortalSetup { upload_seconds: 5, ..PortalSetup::default() };
    let error = simulator::portal::SimulatedPortal::start(setup, bench.house, bench.clock.source())
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("upload_seconds"), "{error}");
}
