//! What a reading contains, and which requests it takes.

use crate::server::{BATTERY_INFO, LOGIN, MINUTE, RUNTIME, Reply, SERIAL, Server, at, login, runtime};
use devices::{BatterySource, DeviceError, eg4::Portal};
use model::{Celsius, Soc, Watts};
use serde_json::{Value, json};
use std::{collections::HashSet, sync::Arc};
use tokio::{net::TcpListener, sync::Barrier};

const TIME: &str = "2026-03-20 09:40:11";

#[tokio::test]
async fn one_inverter() {
    let server = Server::start().await;
    let reply = Reply::json(&runtime(64, TIME)).with("Date", "Fri, 20 Mar 2026 09:43:30 GMT");
    server.world().always(RUNTIME, reply);
    let reading = server.client().read(at(0)).await.unwrap();
    assert_eq!(reading.source_time, "2026-03-20T09:40:11Z".parse().ok());
    assert_eq!(reading.source_clock, "2026-03-20T09:43:30Z".parse().ok());
    assert_eq!((reading.soc_percent, reading.lost), (Some(64.0), false));
    assert_eq!((reading.pv, reading.load), (Some(Watts::whole(3210)), Some(Watts::whole(1395))));
    assert_eq!((reading.grid, reading.battery), (Some(Watts::whole(140)), Some(Watts::whole(1850))));
    assert_eq!((reading.voltage, reading.temperature), (Some(53.4), Celsius::new(21.0)));
    let [unit] = reading.units.as_slice() else { panic!("{reading:?}") };
    assert_eq!((unit.serial.as_str(), unit.model.as_deref()), (SERIAL, Some("18KPV")));
    assert_eq!(unit.soc, Soc::new(64.0));
}

#[tokio::test]
async fn impossible_values_pass_through() {
    let server = Server::start().await;
    let portal = server.client();
    for (soc, expected) in [
        (json!(0), Some(0.0)),
        (json!(127), Some(127.0)),
        (json!(255), Some(255.0)),
        (json!(-1), Some(-1.0)),
        (json!("102.3"), Some(102.3)),
        (json!("58 %"), Some(58.0)),
        (json!("--"), None),
        (json!("NaN"), None),
    ] {
        server.world().runtime.get_mut(SERIAL).unwrap()["soc"] = soc;
        assert_eq!(portal.read(at(0)).await.unwrap().soc_percent, expected);
    }
}

#[tokio::test]
async fn an_older_snapshot_passes_through() {
    let server = Server::start().await;
    let portal = server.client();
    for (time, soc) in [("2026-03-20 09:44:13", 63), ("2026-03-20 09:40:11", 64), ("2026-03-20 09:44:13", 63)]
    {
        server.world().runtime.insert(SERIAL.to_owned(), runtime(soc, time));
        let reading = portal.read(at(0)).await.unwrap();
        assert_eq!(reading.source_time.unwrap().to_string(), format!("{}Z", time.replace(' ', "T")));
        assert_eq!(reading.soc_percent, Some(soc as f64));
    }
}

#[tokio::test]
async fn a_time_that_isnt_one_is_no_time() {
    let server = Server::start().await;
    let portal = server.client();
    for time in ["", "yesterday", "2026-02-30 09:40:11", "2026-03-20T09:40:11Z"] {
        server.world().runtime.insert(SERIAL.to_owned(), runtime(64, time));
        assert_eq!(portal.read(at(0)).await.unwrap().source_time, None);
    }
    server.world().runtime.get_mut(SERIAL).unwrap()["deviceTime"] = json!("2026-03-20 04:40:11");
    let reading = portal.read(at(0)).await.unwrap();
    assert_eq!(reading.source_time, "2026-03-20T09:40:11Z".parse().ok(), "the plant is at UTC-5");
}

#[tokio::test]
async fn several_inverters_become_one_battery() {
    let server = Server::with_inverters(&[
        ("52310A0071", runtime(64, "2026-03-20 09:40:11")),
        ("52310A0072", runtime(61, "2026-03-20 09:38:02")),
    ])
    .await;
    let reading = server.client().read(at(0)).await.unwrap();
    assert_eq!(reading.soc_percent, Some(61.0));
    assert_eq!(reading.source_time, "2026-03-20T09:38:02Z".parse().ok());
    assert_eq!(reading.battery, Some(Watts::whole(3700)));
    let units: Vec<_> = reading.units.iter().map(|unit| (unit.serial.as_str(), unit.soc)).collect();
    assert_eq!(units, [("52310A0071", Soc::new(64.0)), ("52310A0072", Soc::new(61.0))]);
}

#[tokio::test]
async fn an_inverter_that_cant_be_read_doesnt_hide_the_others() {
    let server = Server::with_inverters(&[
        ("52310A0071", json!({ "success": false, "msg": "DATAFRAME_TIMEOUT" })),
        ("52310A0072", runtime(61, TIME)),
    ])
    .await;
    let reading = server.client().read(at(0)).await.unwrap();
    assert_eq!((reading.soc_percent, reading.pv), (Some(61.0), None));
    assert_eq!(reading.units.len(), 2);
}

#[tokio::test]
async fn the_battery_is_asked_only_where_the_inverter_doesnt_tell() {
    let mut without = runtime(0, TIME);
    without.as_object_mut().unwrap().remove("soc");
    let server = Server::with_inverters(&[("52310A0071", runtime(64, TIME)), ("52310A0072", without)]).await;
    server.world().instead(|request| {
        let battery = json!({ "success": true, "lost": false, "soc": "60", "capacityPercent": 0 });
        (request.path == BATTERY_INFO).then(|| Reply::json(&battery))
    });
    let reading = server.client().read(at(0)).await.unwrap();
    assert_eq!(reading.soc_percent, Some(60.0));
    let world = server.world();
    let asked: Vec<_> = world.requests.iter().filter(|request| request.path == BATTERY_INFO).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].field("serialNum"), Some("52310A0072"));
}

#[tokio::test]
async fn a_battery_that_isnt_supported_isnt_asked_again() {
    let server = Server::start().await;
    server.world().runtime.get_mut(SERIAL).unwrap()["soc"] = json!("--");
    let portal = server.client();
    for now in [0, 60, 120] {
        let reading = portal.read(at(now)).await.unwrap();
        assert_eq!((reading.soc_percent, reading.pv), (None, Some(Watts::whole(3210))));
    }
    assert_eq!(server.world().count(BATTERY_INFO), 1);
}

#[tokio::test]
async fn other_devices_arent_asked() {
    let server = Server::start().await;
    let mut devices = login(&[SERIAL]);
    let inverters = devices["plants"][0]["inverters"].as_array_mut().unwrap();
    inverters.push(json!({ "serialNum": "52310G0073", "deviceType": 9, "deviceTypeText": "Grid Boss" }));
    inverters.push(inverters[0].clone());
    server.world().login = devices;
    let reading = server.client().read(at(0)).await.unwrap();
    assert_eq!(reading.units.len(), 1);
    assert_eq!(server.world().count(RUNTIME), 1);
}

#[tokio::test]
async fn a_configured_inverter_is_the_only_one_asked() {
    let server =
        Server::with_inverters(&["52310A0071", "52310A0072"].map(|serial| (serial, runtime(64, TIME)))).await;
    let mut config = server.config();
    config.inverters = vec!["52310A0072".to_owned(), "52310A0072".to_owned()];
    let reading = Portal::new(config).unwrap().read(at(0)).await.unwrap();
    assert_eq!(reading.units.iter().map(|unit| unit.serial.as_str()).collect::<Vec<_>>(), ["52310A0072"]);
}

#[tokio::test]
async fn one_of_several_plants_must_be_chosen() {
    let server = Server::start().await;
    let mut account = login(&[SERIAL]);
    let mut other = account["plants"][0].clone();
    other["plantId"] = json!(3108);
    other["inverters"][0]["serialNum"] = json!("52310A0090");
    account["plants"].as_array_mut().unwrap().push(other);
    server.world().login = account;
    let portal = server.client();
    for now in [0, 0, 60] {
        let error = portal.read(at(now)).await.unwrap_err();
        assert!(
            matches!(&error, DeviceError::WrongDevice(words) if words.contains("3107, 3108")),
            "{error:?}"
        );
    }
    assert_eq!(server.requests(), 1, "one sign-in, and no inverter is asked");
    let mut config = server.config();
    config.plant = Some(3107);
    let reading = Portal::new(config).unwrap().read(at(0)).await.unwrap();
    assert_eq!(reading.units[0].serial, SERIAL);
}

fn lists(request: &crate::server::Request) -> Option<Reply> {
    match request.path.as_str() {
        "/WManage/web/config/plant/list/viewer" | "/WManage/web/config/plant/list" => Some(Reply::json(
            &json!({ "total": 1, "rows": [{ "id": 3107, "currentTimezoneWithMinute": -400 }] }),
        )),
        "/WManage/api/inverterOverview/list" => Some(Reply::json(&json!({
            "success": true,
            "rows": [{ "serialNum": SERIAL, "deviceType": 6, "deviceTypeText": "12KPV", "soc": "64 %" }]
        }))),
        _ => None,
    }
}

#[tokio::test]
async fn lists_stand_in_for_a_login_without_plants() {
    for (role, path) in
        [("VIEWER", "/WManage/web/config/plant/list/viewer"), ("INSTALLER", "/WManage/web/config/plant/list")]
    {
        let server = Server::start().await;
        server.world().login = json!({ "success": true, "role": role });
        server.world().instead(lists);
        let portal = server.client();
        for now in [0, 60] {
            let reading = portal.read(at(now)).await.unwrap();
            assert_eq!(reading.units[0].model.as_deref(), Some("12KPV"));
        }
        let requests = server.world().requests.clone();
        let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
        assert_eq!(paths, [LOGIN, path, "/WManage/api/inverterOverview/list", RUNTIME, RUNTIME]);
        assert_eq!(requests[1].field("searchText"), Some(""));
        assert_eq!(requests[2].field("plantId"), Some("3107"));
    }
}

#[tokio::test]
async fn an_account_without_inverters_says_so() {
    let server = Server::start().await;
    server.world().login = json!({ "success": true });
    server.world().instead(|request| {
        let rows: Vec<Value> =
            if request.path.contains("plant") { vec![json!({ "plantId": 3107 })] } else { Vec::new() };
        (request.path != LOGIN).then(|| Reply::json(&json!({ "rows": rows })))
    });
    let portal = server.client();
    assert!(matches!(portal.read(at(0)).await, Err(DeviceError::WrongDevice(_))));
    assert!(matches!(portal.read(at(MINUTE)).await, Err(DeviceError::WrongDevice(_))));
    assert_eq!(server.logins(), 1);
}

/// Replies come in threes: fewer requests at a time would wait for ever.
#[tokio::test]
async fn three_inverters_are_asked_at_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Server::start().await.config();
    config.base_url = format!("http://{}", listener.local_addr().unwrap());
    let serials: Vec<String> = (0..6).map(|n| format!("52310A007{n}")).collect();
    let account = login(&serials.iter().map(String::as_str).collect::<Vec<_>>()).to_string();
    let portal = tokio::spawn(async move {
        let barrier = Arc::new(Barrier::new(3));
        let open = Arc::new(std::sync::Mutex::new((0_usize, 0_usize)));
        let mut connections = tokio::task::JoinSet::new();
        for _ in 0..7 {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(one_exchange(stream, account.clone(), Arc::clone(&barrier), Arc::clone(&open)));
        }
        while connections.join_next().await.is_some() {}
        let (_, most) = *open.lock().unwrap();
        most
    });
    let reading = Portal::new(config).unwrap().read(at(0)).await.unwrap();
    let read: HashSet<_> = reading.units.into_iter().map(|unit| unit.serial).collect();
    assert_eq!(read, serials.into_iter().collect());
    assert_eq!(portal.await.unwrap(), 3);
}

async fn one_exchange(
    mut stream: tokio::net::TcpStream,
    account: String,
    barrier: Arc<Barrier>,
    open: Arc<std::sync::Mutex<(usize, usize)>>,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut request = Vec::new();
    // The last member of each form ends in a known way.
    while !request.ends_with(b"ENGLISH")
        && !request.windows(18).any(|part| part.starts_with(b"serialNum=52310A00"))
    {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
    }
    let body = if request.ends_with(b"ENGLISH") {
        account
    } else {
        {
            let mut open = open.lock().unwrap();
            open.0 += 1;
            open.1 = open.1.max(open.0);
        }
        barrier.wait().await;
        open.lock().unwrap().0 -= 1;
        runtime(64, TIME).to_string()
    };
    let reply = format!(
        "HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(reply.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}
