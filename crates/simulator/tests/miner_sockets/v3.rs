//! The V3 protocol: frames, connections, permissions, and what reads show of a write.

use crate::bench::{Bench, soon};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::miner::{Answer, Effect, Phase, Profile};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_connection_carries_frame_after_frame_in_pieces() {
    let bench = Bench::new(Profile::G3);
    let mut connection = bench.v3().await;
    connection.stream.set_nodelay(true).unwrap();
    for _ in 0..2 {
        for byte in b"\x19\0\0\0{\"cmd\":\"get.device.info\"}" {
            connection.stream.write_all(&[*byte]).await.unwrap();
        }
        let reply: Value = serde_json::from_slice(&connection.receive().await.unwrap()).unwrap();
        assert_eq!((&reply["code"], &reply["desc"]), (&json!(0), &json!("get.device.info")));
    }
}

#[tokio::test]
async fn heartbeats_are_echoed_or_swallowed() {
    let bench = Bench::new(Profile::G3);
    let mut connection = bench.v3().await;
    connection.send(b"").await.unwrap();
    assert!(connection.receive().await.unwrap().is_empty());
    bench.miner.update_faults(|faults| faults.heartbeat_echo = false);
    // The server has looked at its switch before the frame that follows an exchange.
    connection.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    connection.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    connection.send(b"").await.unwrap();
    let reply = connection.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    assert_eq!(reply["desc"], "get.fan.setting", "the heartbeat had no reply");
}

#[tokio::test]
async fn null_is_no_parameter() {
    let bench = Bench::new(Profile::G3);
    let whole = bench.read_v3("get.device.info", Value::Null).await;
    for part in ["network", "miner", "system", "power", "salt", "error-code"] {
        assert!(whole["msg"].get(part).is_some(), "{part}");
        let only = bench.read_v3("get.device.info", json!(part)).await;
        assert_eq!(only["msg"].as_object().unwrap().len(), 1);
        assert_eq!(only["msg"][part], whole["msg"][part]);
    }
    let refused = bench.read_v3("get.miner.status", Value::Null).await;
    assert_eq!((&refused["code"], &refused["msg"]), (&json!(-3), &json!("param item is null")));
}

#[rstest]
#[case(b"{\"cmd\":".as_slice(), -3)]
#[case(b"[]", -3)]
#[case(b"{}", -3)]
#[case(b"{\"cmd\":\"get.nothing\"}", -2)]
#[case(b"{\"cmd\":\"set.miner.mode\",\"param\":\"low\"}", -2)]
#[case(b"{\"cmd\":\"set.miner.service\",\"param\":\"stop\"}", -4)]
#[case(b"{\"cmd\":\"get.miner.status\",\"param\":\"weather\"}", -1)]
#[case(b"{\"cmd\":\"get.device.info\",\"param\":\"weather\"}", -1)]
#[tokio::test]
async fn bad_requests_have_their_codes_and_the_connection_goes_on(#[case] content: &[u8], #[case] code: i64) {
    let bench = Bench::new(Profile::G3);
    let mut connection = bench.v3().await;
    for _ in 0..2 {
        connection.send(content).await.unwrap();
        let reply: Value = serde_json::from_slice(&connection.receive().await.unwrap()).unwrap();
        assert_eq!(reply["code"], code);
    }
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}

#[rstest]
#[case("account", json!("user1"))]
#[case("account", Value::Null)]
#[case("token", json!("AAAAAAAA"))]
#[case("token", Value::Null)]
#[case("ts", json!("1780000000"))]
#[case("ts", json!(1_780_000_000 - 301))]
#[case("cmd", json!("set.miner.power_limit"))] // The token belongs to its command.
#[tokio::test]
async fn whatever_is_wrong_with_a_permission_looks_the_same(#[case] member: &str, #[case] value: Value) {
    let bench = Bench::new(Profile::G3);
    let mut request = bench.v3_write("set.miner.service", json!("stop")).await;
    request[member] = value;
    let reply = bench.v3().await.ask(&request).await.unwrap();
    assert_eq!((&reply["code"], &reply["msg"]), (&json!(-4), &json!("no permission")));
    assert_eq!(bench.miner.state().phase, Phase::Stable);
    let logged = bench.miner.log().pop().unwrap();
    assert_eq!((logged.write, logged.effect, logged.answer), (true, Effect::Nothing, Answer::Code(-4)));
}

#[tokio::test]
async fn the_switch_for_writes_shows_in_the_system_part() {
    let bench = Bench::with(Profile::G3, |setup| setup.writes_enabled = false);
    let info = bench.read_v3("get.device.info", json!("system")).await;
    assert_eq!(info["msg"]["system"]["apiswitch"], "0");
    assert_eq!(bench.write_v3("set.miner.service", json!("stop")).await.unwrap()["code"], -4);
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}

#[tokio::test]
async fn a_token_can_be_replayed() {
    let bench = Bench::new(Profile::G3);
    let request = bench.v3_write("set.miner.power_limit", json!(2000)).await;
    let mut connection = bench.v3().await;
    for starts in 2..4 {
        assert_eq!(connection.ask(&request).await.unwrap()["code"], 0);
        assert_eq!(bench.miner.state().starts, starts);
    }
}

#[tokio::test]
async fn the_eleventh_client_is_shown_out() {
    let bench = Bench::new(Profile::G3);
    let mut connections = Vec::new();
    for _ in 0..10 {
        let mut connection = bench.v3().await;
        connection.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
        connections.push(connection);
    }
    let mut eleventh = bench.v3().await;
    assert!(eleventh.ask(&json!({ "cmd": "get.fan.setting" })).await.is_err());
    connections[0].ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
}

#[tokio::test]
async fn silence_and_broken_framing_end_a_connection() {
    let bench = Bench::new(Profile::G3);
    let mut garbage = bench.v3().await;
    garbage.stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(garbage.end().await.unwrap_or(0), 0);
    bench.miner.update_faults(|faults| faults.v3_idle_close_ms = 20);
    let mut silent = bench.v3().await;
    assert_eq!(silent.end().await.unwrap(), 0);
}

#[rstest]
#[case(Profile::G2V3, -1)]
#[case(Profile::G3, 0)]
#[tokio::test]
async fn off_reads_back_and_mining_data_is_gone(#[case] profile: Profile, #[case] code: i64) {
    let bench = Bench::new(profile);
    assert_eq!(bench.write_v3("set.miner.service", json!("stop")).await.unwrap()["msg"], "ok");
    bench.pass(60);
    let info = bench.read_v3("get.device.info", Value::Null).await["msg"].clone();
    assert_eq!(info["miner"]["working"], "false");
    assert!((10.0..20.0).contains(&info["power"]["pin"].as_f64().unwrap()));
    let status = bench.read_v3("get.miner.status", json!("summary+pools")).await;
    assert_eq!((&status["code"], &status["msg"]), (&json!(code), &json!("btminer process is down err")));

    assert_eq!(bench.write_v3("set.miner.service", json!("start")).await.unwrap()["code"], 0);
    let status = bench.read_v3("get.miner.status", json!("summary")).await;
    assert_eq!((&status["code"], &status["msg"]["summary"]["power-limit"]), (&json!(0), &json!(0)));
    let working = bench.read_v3("get.device.info", json!("miner")).await["msg"]["miner"]["working"].clone();
    assert_eq!(working, "true");
}

#[tokio::test]
async fn limit_and_percentage_read_back() {
    let bench = Bench::new(Profile::G3);
    bench.write_v3("set.miner.power_limit", json!(2500)).await.unwrap();
    let percent = json!({ "percent": "60", "mode": "fast" });
    assert_eq!(bench.write_v3("set.miner.power_percent", percent.clone()).await.unwrap()["code"], -1);
    let miner = bench.read_v3("get.device.info", json!("miner")).await["msg"]["miner"].clone();
    assert_eq!(miner["power-limit-set"], "2500");
    assert_eq!(bench.read_v3("get.miner.setting", Value::Null).await["msg"]["power-limit"], 2500);

    bench.pass(4000);
    let summary = bench.read_v3("get.miner.status", json!("summary")).await["msg"]["summary"].clone();
    assert_eq!((&summary["power-limit"], &summary["up-freq-finish"]), (&json!(2500), &json!(1)));
    assert_eq!(bench.write_v3("set.miner.power_percent", percent).await.unwrap()["code"], 0);
    bench.pass(10);
    assert_eq!(bench.read_v3("get.miner.setting", Value::Null).await["msg"]["power-percent"], 60);
    let summary = bench.read_v3("get.miner.status", json!("summary")).await["msg"]["summary"].clone();
    let watts = summary["power-realtime"].as_f64().unwrap();
    assert!((1480.0..1520.0).contains(&watts), "{watts} W");
}

#[tokio::test]
async fn a_reboot_takes_the_connection_with_it() {
    let bench = Bench::new(Profile::G3);
    let mut other = bench.v3().await;
    other.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    assert!(bench.write_v3("set.system.reboot", Value::Null).await.is_err());
    assert!(matches!(other.end().await, Err(_) | Ok(0)));
    soon(bench.miner.until_listening(false)).await;
    bench.pass(150);
    soon(bench.miner.until_listening(true)).await;
    assert_eq!(bench.miner.state().phase, Phase::Booting);
    bench.read_v3("get.device.info", Value::Null).await;
}
