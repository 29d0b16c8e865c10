//! Faults of replies: bytes, JSON, and what they claim.

use crate::bench::{Bench, json_of};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::miner::{Cut, CutEnd, Faults, Malformation, Profile};
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[rstest]
#[case(Some(true), Profile::G3, "status", true)]
#[case(Some(false), Profile::G1, "summary", false)]
#[tokio::test]
async fn the_nul_can_be_forced(
    #[case] knob: Option<bool>,
    #[case] profile: Profile,
    #[case] command: &str,
    #[case] nul: bool,
) {
    let bench = Bench::new(profile);
    bench.miner.update_faults(|faults| faults.trailing_nul = knob);
    assert_eq!(bench.text_v2(command).await.ends_with('\0'), nul);
}

#[rstest]
#[case(1)]
#[case(7)]
#[tokio::test]
async fn segments_add_up(#[case] segment: usize) {
    let bench = Bench::new(Profile::G3);
    let (whole, info) = (bench.summary().await, bench.read_v3("get.device.info", Value::Null).await);
    bench.miner.update_faults(|faults| faults.segment_bytes = Some(segment));
    assert_eq!(bench.summary().await, whole);
    assert_eq!(bench.read_v3("get.device.info", Value::Null).await, info);
}

#[tokio::test]
async fn a_drip_comes_byte_by_byte_and_a_slow_reply_late() {
    let bench = Bench::new(Profile::G2);
    let an_hour = 3_600_000;
    bench.miner.set_faults(Faults { segment_bytes: Some(1), segment_delay_ms: an_hour, ..Faults::default() });
    let mut dripping = bench.connect_v2().await;
    dripping.write_all(b"{\"cmd\":\"summary\"}").await.unwrap();
    let mut first = [0; 16];
    assert_eq!(dripping.read(&mut first).await.unwrap(), 1);

    bench.miner.set_faults(Faults { reply_delay_ms: an_hour, ..Faults::default() });
    let mut slow = bench.connect_v2().await;
    slow.write_all(b"{\"cmd\":\"pools\"}").await.unwrap();
    bench.miner.received(|request| request.command == "pools").await;
    bench.miner.update_faults(|faults| faults.refuse_connections = true);
    for stream in [&mut dripping, &mut slow] {
        let ended = stream.read(&mut first).await.unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::ConnectionReset, "nothing more came before the end");
    }
}

#[rstest]
#[case(CutEnd::Close, None)]
#[case(CutEnd::Reset, Some(ErrorKind::ConnectionReset))]
#[tokio::test]
async fn replies_break_off(#[case] then: CutEnd, #[case] error: Option<ErrorKind>) {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.cut = Some(Cut { after_bytes: 100, then }));
    let mut stream = bench.connect_v2().await;
    stream.write_all(b"{\"cmd\":\"summary\"}").await.unwrap();
    let mut reply = [0; 100];
    stream.read_exact(&mut reply).await.unwrap();
    assert_eq!(reply[0], b'{');
    let end = stream.read(&mut reply).await;
    assert_eq!(end.as_ref().err().map(std::io::Error::kind), error);
    assert!(end.is_err() || end.is_ok_and(|count| count == 0));

    let mut connection = bench.v3().await;
    assert!(connection.ask(&json!({ "cmd": "get.device.info" })).await.is_err());
}

#[tokio::test]
async fn a_reply_that_stops_half_way_leaves_the_connection_open() {
    let bench = Bench::new(Profile::G2);
    bench.miner.update_faults(|faults| faults.cut = Some(Cut { after_bytes: 1, then: CutEnd::Silence }));
    let mut stream = bench.connect_v2().await;
    stream.write_all(b"{\"cmd\":\"summary\"}").await.unwrap();
    let mut byte = [0; 2];
    assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
    bench.miner.update_faults(|faults| faults.refuse_connections = true);
    assert_eq!(stream.read(&mut byte).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn five_megabytes_are_still_json() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.oversize_bytes = Some(5_000_000));
    let text = bench.text_v2("summary").await;
    assert_eq!(text.len(), 5_000_000);
    assert_eq!(json_of(&text)["Code"], 131);
    assert_eq!(bench.read_v3("get.device.info", Value::Null).await["code"], 0);
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.not_utf8 = true);
    let reply = bench.try_v2(br#"{"cmd":"summary"}"#).await.unwrap();
    assert!(String::from_utf8(reply.clone()).is_err());
    assert!(serde_json::from_str::<Value>(&String::from_utf8_lossy(&reply)).is_ok(), "it's inside a string");
    let mut connection = bench.v3().await;
    connection.send(br#"{"cmd":"get.device.info"}"#).await.unwrap();
    assert!(String::from_utf8(connection.receive().await.unwrap()).is_err());
}

#[tokio::test]
async fn every_malformation_breaks_some_reply_of_every_writable_generation() {
    for profile in [Profile::G1, Profile::G2, Profile::G2V3, Profile::G3] {
        for malformation in Malformation::ALL {
            let bench = Bench::new(profile);
            bench.miner.set_faults(Faults {
                malformed: Some(malformation),
                error_codes: vec![110, 2010],
                ..Faults::default()
            });
            let command = match malformation {
                Malformation::GluedTemperature => "get_psu",
                Malformation::BracketedErrors => "get_error_code",
                Malformation::MissingComma | Malformation::LeadingComma => "edevs",
                _ => "summary",
            };
            let text = bench.text_v2(command).await;
            let prints_it = malformation != Malformation::GluedTemperature
                || matches!(profile, Profile::G2V3 | Profile::G3);
            assert_eq!(
                serde_json::from_str::<Value>(text.trim_end_matches('\0')).is_err(),
                prints_it,
                "{profile:?} {malformation:?}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn encrypted_replies_stay_whole() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.malformed = Some(Malformation::CutShort));
    bench.miner.update_faults(|faults| faults.only_commands = vec!["set_led".into(), "summary".into()]);
    assert_eq!(bench.write_v2("set_led", json!({ "param": "auto" })).await.sealed()["Code"], 131);
}

#[tokio::test]
async fn faults_can_be_for_some_commands_only() {
    let bench = Bench::new(Profile::G2);
    bench.miner.set_faults(Faults {
        only_commands: vec!["summary".into()],
        malformed: Some(Malformation::CommaForBrace),
        ..Faults::default()
    });
    assert!(bench.text_v2("summary").await.starts_with(','));
    assert!(bench.text_v2("pools").await.starts_with('{'));
}

#[tokio::test]
async fn unknown_keys_are_added_to_payloads() {
    let bench = Bench::new(Profile::G3);
    let known = bench.daemon("status").await.as_object().unwrap().len();
    bench.miner.update_faults(|faults| faults.unknown_keys = true);
    assert_eq!(bench.daemon("status").await.as_object().unwrap().len(), known + 2);
    assert!(bench.read_v2("edevs").await["DEVS"][2]["Aurora Mode"].is_object());
    assert!(bench.read_v3("get.miner.setting", Value::Null).await["msg"]["aurora-mode"].is_object());
}

#[tokio::test]
async fn sensors_can_lie() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| faults.power_reads_zero = true);
    let status = bench.read_v3("get.miner.status", json!("summary")).await["msg"]["summary"].clone();
    assert_eq!((status["power-realtime"].as_f64(), status["power-5min"].as_f64()), (Some(0.0), Some(0.0)));
    assert!(status["hash-realtime"].as_f64().unwrap() > 160.0);
    assert_eq!(bench.summary().await["Power"], 0.0);
    assert!(bench.miner.state().watts > 3500.0);

    bench.miner.set_faults(Faults { hash_reads_zero: true, ..Faults::default() });
    let summary = bench.summary().await;
    assert_eq!((&summary["MHS av"], &summary["MHS 1m"]), (&json!(0), &json!(0)));
    assert!(summary["Power"].as_f64().unwrap() > 3500.0);
}

#[rstest]
#[case(Profile::G1)]
#[case(Profile::G2)]
#[case(Profile::G3)]
#[tokio::test]
async fn error_codes_are_where_the_generation_has_them(#[case] profile: Profile) {
    let bench = Bench::new(profile);
    bench.miner.update_faults(|faults| faults.error_codes = vec![531, 2010]);
    let codes = bench.daemon("get_error_code").await["error_code"].clone();
    assert_eq!(codes[1]["2010"], "2026-05-28 20:26:40");
    match profile {
        Profile::G1 => {
            let summary = bench.summary().await;
            assert_eq!((&summary["Error Code Count"], &summary["Error Code 1"]), (&json!(2), &json!(2010)));
        }
        Profile::G3 => {
            let info = bench.read_v3("get.device.info", json!("error-code")).await;
            assert!(info["msg"]["error-code"][0]["reason"].is_string());
        }
        _ => {}
    }
}

#[rstest]
#[case(Profile::G1)]
#[case(Profile::G3)]
#[tokio::test]
async fn members_are_left_out_and_numbers_are_texts(#[case] profile: Profile) {
    let bench = Bench::new(profile);
    let whole = bench.summary().await;
    let (name, number) = whole.as_object().unwrap().iter().find(|(_, value)| value.is_f64()).unwrap();
    bench.miner.update_faults(|faults| faults.left_out = vec![name.clone()]);
    let spoilt = bench.summary().await;
    assert_eq!(
        (spoilt.get(name), spoilt.as_object().unwrap().len()),
        (None, whole.as_object().unwrap().len() - 1)
    );
    bench.miner.set_faults(Faults { numbers_as_texts: true, ..Faults::default() });
    assert_eq!(bench.summary().await[name], json!(number.to_string()));
}

#[tokio::test]
async fn a_command_that_firmware_doesn_t_know_is_refused_by_its_code() {
    let bench = Bench::new(Profile::G3);
    bench.miner.update_faults(|faults| {
        faults.unknown_commands = vec!["summary".into(), "get.device.info".into()];
    });
    let reply: Value = json_of(&bench.text_v2("summary").await);
    assert_eq!(reply["Code"], 14, "{reply}");
    let reply = bench.v3().await.ask(&json!({"cmd": "get.device.info"})).await.unwrap();
    assert_eq!(reply["code"], -2, "{reply}");
}
