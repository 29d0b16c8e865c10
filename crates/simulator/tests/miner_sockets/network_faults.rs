//! Faults of the network and of who is at the address.

use crate::bench::{Bench, end, json_of, soon};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::miner::{Impostor, OnAccept, Phase, Profile};
use std::io::ErrorKind;
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test]
async fn refused_connections_come_back_at_the_same_address() {
    let bench = Bench::new(Profile::G3);
    let mut open = bench.v3().await;
    open.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    for _ in 0..3 {
        bench.miner.update_faults(|faults| faults.refuse_connections = true);
        soon(bench.miner.until_listening(false)).await;
        for address in [bench.miner.v2_addr().unwrap(), bench.miner.v3_addr().unwrap()] {
            let refused = TcpStream::connect(address).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        }
        bench.miner.update_faults(|faults| faults.refuse_connections = false);
        soon(bench.miner.until_listening(true)).await;
        bench.read_v2("summary").await;
        bench.read_v3("get.device.info", Value::Null).await;
    }
    assert_eq!(open.end().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(bench.miner.state().phase, Phase::Stable, "the machine doesn't care");
}

#[tokio::test]
async fn accepted_connections_can_be_reset() {
    let bench = Bench::new(Profile::G2);
    bench.miner.update_faults(|faults| faults.on_accept = OnAccept::Reset);
    let mut stream = bench.connect_v2().await;
    assert_eq!(end(&mut stream).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[rstest]
#[case(false)]
#[case(true)]
#[tokio::test]
async fn accepted_connections_can_be_met_with_silence(#[case] v3: bool) {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.on_accept = OnAccept::Silent);
    let address = if v3 { bench.miner.v3_addr() } else { bench.miner.v2_addr() };
    let mut stream = TcpStream::connect(address.unwrap()).await.unwrap();
    stream.write_all(b"{\"cmd\":\"get_version\"}").await.unwrap();
    // The end of the network is the first thing that the client hears.
    bench.miner.update_faults(|faults| faults.refuse_connections = true);
    assert_eq!(end(&mut stream).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(bench.miner.log().is_empty());
}

#[tokio::test]
async fn a_reboot_is_a_time_off_the_network() {
    let bench = Bench::new(Profile::G2);
    bench.miner.update_faults(|faults| faults.reboot_seconds = Some(600));
    bench.miner.reboot();
    soon(bench.miner.until_listening(false)).await;
    bench.pass(599);
    assert!(bench.try_v2(b"{}").await.is_err());
    assert_eq!(bench.miner.state().phase, Phase::BoardRebooting);
    bench.pass(1);
    soon(bench.miner.until_listening(true)).await;
    let summary = bench.summary().await;
    assert_eq!((&summary["Uptime"], &summary["Elapsed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn an_antminer_speaks_cgminer_and_has_no_v3() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.impostor = Some(Impostor::Antminer));
    let version = bench.read_v2("version").await;
    assert!(version["VERSION"][0]["Type"].as_str().unwrap().starts_with("Antminer"));
    assert_eq!(bench.read_v2("get_version").await["STATUS"][0]["Code"], 14);
    let vendor_key = bench.try_v2(br#"{"cmd":"get_token"}"#).await.unwrap();
    assert_eq!(json_of(&String::from_utf8(vendor_key).unwrap())["STATUS"][0]["Code"], 24);
    assert!(bench.v3().await.ask(&json!({ "cmd": "get.device.info" })).await.is_err());
    assert!(bench.miner.log().is_empty());
}

#[tokio::test]
async fn a_web_server_answers_in_http_on_both_ports() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.impostor = Some(Impostor::WebServer));
    assert!(bench.text_v2("summary").await.starts_with("HTTP/1.1 400 "));
    let mut connection = bench.v3().await;
    connection.send(b"{\"cmd\":\"get.device.info\"}").await.unwrap();
    assert!(connection.end().await.unwrap() > 100);
}

#[tokio::test]
async fn another_hardware_address_shows_everywhere() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.mac = Some("02:00:00:00:00:99".into()));
    assert_eq!(bench.daemon("get_miner_info").await["mac"], "02:00:00:00:00:99");
    let network = bench.read_v3("get.device.info", json!("network")).await;
    assert_eq!(network["msg"]["network"]["mac"], "02:00:00:00:00:99");
}

#[tokio::test]
async fn a_wrong_clock_shows_and_counts() {
    let bench = Bench::new(Profile::G3);
    let right = bench.read_v2("status").await["When"].as_i64().unwrap();
    let request = bench.v3_write("set.miner.service", json!("stop")).await;
    bench.miner.update_faults(|faults| faults.clock_skew_seconds = -3600);
    assert_eq!(bench.read_v2("status").await["When"], right - 3600);
    let mut connection = bench.v3().await;
    assert_eq!(connection.ask(&request).await.unwrap()["code"], -4, "it counts by its own clock");
    assert_eq!(bench.write_v3("set.miner.service", json!("stop")).await.unwrap()["code"], 0);
    bench.miner.update_faults(|faults| faults.v3_clock_tolerance_seconds = 3600);
    assert_eq!(connection.ask(&request).await.unwrap()["code"], 0);
}
