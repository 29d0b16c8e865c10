//! The V2 protocol on the wire: framing, quirks, tokens, what becomes of commands.

use super::device::*;
use devices::{DeviceError, Miner, WriteOutcome};
use model::{Means, TeraHash, Watts};
use rstest::rstest;
use serde_json::{Value, json};

#[tokio::test]
async fn a_miner_of_2023_is_recognised_and_read() {
    let port = miner_of_2023().await;
    let miner = v2_driver(&port).await;
    let identity = miner.identify(at(0)).await.unwrap();
    assert_eq!(identity.mac.as_deref(), Some("c6:11:22:00:0a:0b"));
    assert_eq!(identity.model.as_deref(), Some("M50SVH30"));
    assert_eq!(identity.firmware.as_deref(), Some("20230714.13.REL"));
    assert_eq!(identity.serial.as_deref(), Some("SN-1"));
    assert_eq!(identity.api, "V2 2.0.5");

    let reading = miner.read(at(1)).await.unwrap();
    assert_eq!(reading.service_on, Some(true));
    assert_eq!(reading.power, Some(Watts::whole(3500)));
    assert_eq!(reading.hash_rate, TeraHash::new(121.000_000_25));
    assert_eq!(
        (reading.power_limit, reading.power_set),
        (Some(Watts::whole(3600)), Some(Watts::whole(3600)))
    );
    assert_eq!(reading.errors[0].code, 206);
    assert_eq!(reading.pools[0].url, "stratum+tcp://pool.example:3333");
    assert_eq!(reading.writes_enabled, None);

    port.forget_requests();
    let second = miner.read(at(11)).await.unwrap();
    assert_eq!(port.commands(), ["status", "summary"], "two connections for an ordinary poll");
    assert_eq!((second.errors.len(), second.pools.len()), (1, 1), "what isn't asked again is remembered");
}

#[tokio::test]
async fn a_miner_of_2021_is_recognised_and_read() {
    let port = v2_port().await;
    port.on(
        "get_version",
        [Answer::Json(message(131, json!({"api_ver": "whatsminer v1.4.0", "fw_ver": "20210119.10.REL"})))],
    )
    .on(
        "status",
        [Answer::Json(message(131, json!({"btmineroff": "false", "Firmware Version": "'20210119.10.REL'"})))],
    )
    .on(
        "summary",
        [Answer::Json(json!({"STATUS": [{"STATUS": "S", "When": 1_700_000_000, "Code": 11,
            "Msg": "Summary", "Description": "btminer"}], "SUMMARY": [{"Elapsed": 500, "Power": 3300,
            "MHS 5s": 70_000_000.0, "MAC": "02:33:00:00:00:07", "Error Code Count": 0}], "id": 1}))],
    );
    let miner = v2_driver(&port).await;
    let identity = miner.identify(at(0)).await.unwrap();
    assert_eq!(identity.mac.as_deref(), Some("02:33:00:00:00:07"), "told in the summary only");
    assert_eq!(identity.api, "V2 1.4.0");
    assert_eq!(miner.read(at(1)).await.unwrap().service_on, Some(true));
}

#[tokio::test]
async fn another_one_is_noticed_within_six_readings_though_none_was_missed() {
    let port = miner_of_2023().await;
    let miner = v2_driver(&port).await;
    miner.identify(at(0)).await.unwrap();
    port.on("get_miner_info", [Answer::Json(message(131, json!({"mac": "C6:11:22:00:0A:FF"})))]);
    let mut noticed = None;
    for reading in 1..=6 {
        if let Err(error) = miner.read(at(reading)).await {
            noticed = Some(error);
            break;
        }
    }
    assert!(matches!(noticed, Some(DeviceError::WrongDevice(_))), "{noticed:?}");
    assert!(matches!(miner.stop(at(7)).await, Err(DeviceError::WrongDevice(_))));
    assert_eq!(port.count("get_token"), 0);
}

#[tokio::test]
async fn a_cgminer_of_2019_is_read_and_takes_no_commands() {
    let port = v2_port().await;
    let reply = |section: &str, row: Value| {
        Answer::Json(json!({"STATUS": [{"STATUS": "S", "When": 1_700_000_000, "Code": 11, "Msg": section,
            "Description": "cgminer 4.9.2"}], section: [row], "id": 1}))
    };
    port.on("devdetails", [reply("DEVDETAILS", json!({"Driver": "bitmicro", "Model": "M20"}))])
        .on("summary", [reply("SUMMARY", json!({"Elapsed": 500, "MHS 5s": 45_000_000.0}))]);
    let miner = v2_driver(&port).await;
    assert_eq!(miner.identify(at(0)).await.unwrap().api, "V2 (cgminer 4.9.2)");
    let reading = miner.read(at(1)).await.unwrap();
    assert_eq!((reading.service_on, reading.power), (None, None));
    assert_eq!(reading.hash_rate, TeraHash::new(45.0));
    port.on("get_token", [Answer::Json(error(14, "Invalid command"))]);
    for outcome in [miner.stop(at(2)).await.map(drop), miner.check_writes(at(3)).await] {
        assert!(matches!(outcome, Err(DeviceError::Unsupported(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_reply_may_come_in_any_pieces() {
    let port = miner_of_2023().await;
    let Answer::Json(whole) = summary(2000, 3333, 3600, true) else { unreachable!() };
    let text = whole.to_string();
    let pieces = text.bytes().map(|byte| vec![byte]).chain([vec![0], b"left over".to_vec()]).collect();
    port.on("summary", [Answer::Pieces(pieces)]);
    let reading = v2_driver(&port).await.read(at(0)).await.unwrap();
    assert_eq!(reading.power, Some(Watts::whole(3333)));
    assert_eq!(reading.repaired_replies, 0);
}

#[tokio::test]
async fn a_cut_reply_is_mended_and_counted() {
    let port = miner_of_2023().await;
    let cut = br#"{"STATUS":[{"STATUS":"S","Msg":"Summary"}],"SUMMARY":[{"Elapsed":900,"Power":3100,"Env Temp":nan,"MHS 5"#;
    port.on("summary", [Answer::Pieces(vec![cut.to_vec()])]);
    let reading = v2_driver(&port).await.read(at(0)).await.unwrap();
    assert_eq!(reading.power, Some(Watts::whole(3100)));
    assert_eq!((reading.ambient, reading.hash_rate), (None, None));
    assert_eq!(reading.repaired_replies, 1);
}

#[tokio::test]
async fn mended_replies_with_nothing_left_in_them_are_no_reading() {
    let port = miner_of_2023().await;
    let miner = v2_driver(&port).await;
    miner.identify(at(0)).await.unwrap();
    for command in ["status", "summary", "get_psu", "edevs", "get_error_code", "get_miner_info", "pools"] {
        port.on(command, [in_one(br#"{"STATUS":"S","When":"#)]);
    }
    let outcome = miner.read(at(1)).await;
    assert!(matches!(outcome, Err(DeviceError::Protocol(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_reply_that_stops_in_the_middle_is_mended_at_the_deadline() {
    let port = miner_of_2023().await;
    let beginning = br#"{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Power":2000,"Hash Stable":true,"Ela"#;
    port.on("summary", [Answer::Held(beginning.to_vec())]);
    let miner = driver(port.address.port(), closed_port().await, SHORT);
    let reading = miner.read(at(0)).await.unwrap();
    assert_eq!((reading.power, reading.elapsed_seconds), (Some(Watts::whole(2000)), None));
    assert_eq!(reading.repaired_replies, 1);
}

#[rstest]
#[case::antminer(r#"{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command","Description":"cgminer 1.0.0"}],"id":1}"#)]
#[case::web_server("HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>{}</html>")]
#[case::printer("\u{1b}%-12345X@PJL INFO STATUS\r\n")]
#[case::other_json(r#"{"hostname":"bitaxe","power":12.5}"#)]
#[tokio::test]
async fn another_device_is_neither_read_nor_written(#[case] reply: &'static str) {
    let port = v2_port().await;
    let pieces = [Answer::Pieces(vec![reply.as_bytes().to_vec()])];
    for command in ["get_version", "devdetails", "status", "summary", "get_token"] {
        port.on(command, pieces.clone());
    }
    let miner = v2_driver(&port).await;
    for outcome in [
        miner.identify(at(0)).await.map(drop),
        miner.read(at(0)).await.map(drop),
        miner.stop(at(0)).await.map(drop),
        miner.start(Watts::whole(1440), at(0)).await.map(drop),
        miner.set_power(Watts::whole(1440), at(0)).await.map(drop),
        miner.check_writes(at(0)).await,
    ] {
        assert!(matches!(outcome, Err(DeviceError::WrongDevice(_))), "{outcome:?}");
    }
    let commands = port.commands();
    assert!(
        commands.iter().all(|command| command == "get_version" || command == "devdetails"),
        "{commands:?}"
    );
}

/// It may be the miner's own: who answers isn't known, and nothing is written.
#[rstest]
#[case::cut(in_one(br#"{"STATUS":"S","When":"#))]
#[case::cut_in_a_list(in_one(br#"{"STATUS":[{"STATUS":"S","Wh"#))]
#[case::cut_text(in_one(b"Socket connect fai"))]
#[case::not_text(in_one(b"\xff\xfe\x00\n"))]
#[case::five_megabytes(five_megabytes())]
#[tokio::test]
async fn a_reply_that_cant_be_read_is_no_other_device(#[case] reply: Answer) {
    for refuses_get_version in [false, true] {
        let port = v2_port().await;
        for command in ["get_version", "devdetails", "status", "summary", "get_token"] {
            port.on(command, [reply.clone()]);
        }
        if refuses_get_version {
            port.on("get_version", [Answer::Json(error(14, "invalid cmd"))]);
        }
        let miner = v2_driver(&port).await;
        for outcome in [
            miner.identify(at(0)).await.map(drop),
            miner.read(at(0)).await.map(drop),
            miner.stop(at(0)).await.map(drop),
            miner.start(Watts::whole(1440), at(0)).await.map(drop),
        ] {
            assert!(matches!(outcome, Err(DeviceError::Protocol(_))), "{outcome:?}");
        }
        let commands = port.commands();
        assert!(
            commands.iter().all(|command| command == "get_version" || command == "devdetails"),
            "{commands:?}"
        );
    }
}

fn in_one(bytes: &[u8]) -> Answer {
    Answer::Pieces(vec![bytes.to_vec()])
}

fn five_megabytes() -> Answer {
    let mut huge = b"{\"STATUS\":\"S\",\"Msg\":\"".to_vec();
    huge.resize(5 << 20, b'x');
    Answer::Pieces(huge.chunks(1 << 16).map(<[u8]>::to_vec).collect())
}

#[tokio::test]
async fn five_megabytes_are_no_reply() {
    let port = miner_of_2023().await;
    port.on("summary", [five_megabytes()]);
    let outcome = v2_driver(&port).await.read(at(0)).await;
    assert!(matches!(outcome, Err(DeviceError::Protocol(_))), "{outcome:?}");
}

#[rstest]
#[case::text(Answer::Pieces(vec![b"Socket connect failed: Connection refused\n\0".to_vec()]))]
#[case::text_left_open(Answer::Held(b"Socket connect failed: Connection refused\n".to_vec()))]
#[case::words(Answer::Json(error(132, "btminer process is down err")))]
#[case::closed(Answer::Eof)]
#[case::silent(Answer::Silent)]
#[tokio::test]
async fn a_mining_process_that_is_down_is_a_reading(#[case] reply: Answer) {
    let port = miner_of_2023().await;
    port.on("status", [Answer::Json(message(131, status("true")))]).on("summary", [reply]).on(
        "get_psu",
        [Answer::Json(message(131, json!({"name": "P222B", "iin": "91", "vin": "22900", "pin": "16"})))],
    );
    let miner = driver(port.address.port(), closed_port().await, SHORT);
    miner.identify(at(0)).await.unwrap();
    let reading = miner.read(at(0)).await.unwrap();
    assert_eq!(reading.service_on, Some(false));
    assert_eq!((reading.hash_rate, reading.elapsed_seconds), (None, None));
    assert_eq!(reading.power, Some(Watts::whole(16)), "as the power supply measures it");
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let miner = driver(closed_port().await, closed_port().await, SHORT);
    assert!(matches!(miner.identify(at(0)).await, Err(DeviceError::Unreachable(_))));
    assert!(matches!(miner.stop(at(0)).await, Err(DeviceError::Unreachable(_))));
}

#[tokio::test]
async fn silence_ends_with_the_deadline() {
    // A listener that nobody accepts from: connections open and stay silent.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap().port();
    let miner = driver(silent, silent, SHORT);
    assert!(matches!(miner.identify(at(0)).await, Err(DeviceError::TimedOut { .. })));
    assert!(matches!(miner.stop(at(0)).await, Err(DeviceError::TimedOut { .. })));
}

#[tokio::test]
async fn a_stop_is_encrypted_and_one_token_serves_many() {
    let port = miner_of_2023().await;
    port.on("power_off", [done()]).on("power_on", [done()]);
    let miner = v2_driver(&port).await;
    let written = miner.stop(at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Acked, Means::Stop));
    assert_eq!(written.words.as_deref(), Some("API command OK"));
    let request = port.last("power_off");
    assert_eq!((&request["cmd"], &request["respbefore"]), (&json!("power_off"), &json!("true")));
    miner.stop(at(1499)).await.unwrap();
    assert_eq!(port.count("get_token"), 1);
    miner.stop(at(1501)).await.unwrap();
    assert_eq!(port.count("get_token"), 2, "after 25 minutes another one");
    assert_eq!(miner.read(at(1502)).await.unwrap().writes_enabled, Some(true));
}

#[tokio::test]
async fn a_token_refused_is_replaced_once() {
    let port = miner_of_2023().await;
    let refused = || Answer::Plain(error(135, "check token err"));
    port.on("power_off", [refused(), done()]);
    let miner = v2_driver(&port).await;
    assert_eq!(miner.stop(at(0)).await.unwrap().outcome, WriteOutcome::Acked);
    assert_eq!((port.count("get_token"), port.count("power_off")), (2, 2));

    port.forget_requests();
    // Encrypted it means the same.
    port.on("power_off", [Answer::Json(error(135, "check token err"))]);
    assert!(matches!(miner.stop(at(1)).await, Err(DeviceError::Refused { code: 135, .. })));
    assert_eq!(port.count("power_off"), 2, "and not a third time");
}

#[tokio::test]
async fn a_wrong_password_is_named_after_a_fresh_token() {
    let port = miner_of_2023().await;
    port.on("power_off", [done(), Answer::Plain(error(23, "enc json load err"))]);
    let miner = v2_driver(&port).await;
    miner.stop(at(0)).await.unwrap();
    let outcome = miner.stop(at(1)).await;
    assert!(matches!(outcome, Err(DeviceError::BadCredentials(_))), "{outcome:?}");
    assert_eq!(port.count("get_token"), 2, "the cached token was replaced before the password was blamed");

    let stranger = v2_driver(&port).await;
    port.forget_requests();
    assert!(matches!(stranger.stop(at(2)).await, Err(DeviceError::BadCredentials(_))));
    assert_eq!(port.count("get_token"), 1, "a fresh one decides");
}

#[tokio::test]
async fn a_transient_23_on_a_cached_token_is_overcome() {
    let port = miner_of_2023().await;
    port.on("power_off", [done(), Answer::Plain(error(23, "enc json load err")), done()]);
    let miner = v2_driver(&port).await;
    miner.stop(at(0)).await.unwrap();
    assert_eq!(miner.stop(at(1)).await.unwrap().outcome, WriteOutcome::Acked);
}

#[tokio::test]
async fn no_token_is_asked_for_during_the_pause() {
    let port = miner_of_2023().await;
    port.on("get_token", [Answer::Json(error(136, "over max connect"))]);
    let miner = v2_driver(&port).await;
    let refused = |outcome: Result<devices::Written, DeviceError>| match outcome {
        Err(DeviceError::TokensExhausted { retry_after }) => retry_after.as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(miner.stop(at(1000)).await), 185);
    assert_eq!(refused(miner.stop(at(1100)).await), 85);
    assert_eq!(refused(miner.stop(at(1184)).await), 1);
    assert_eq!(port.count("get_token"), 1, "refused without touching the network");
    assert_eq!(refused(miner.stop(at(1185)).await), 185, "every attempt prolongs it");
    assert_eq!(port.count("get_token"), 2);
    miner.identify(at(1186)).await.unwrap();
    assert_eq!(refused(miner.stop(at(1187)).await), 183, "identifying the same miner doesn't end it");
}

#[rstest]
#[case::switched_off(Answer::Json(error(45, "can't access write cmd")))]
#[case::in_the_open(Answer::Plain(error(45, "can't access write cmd")))]
#[tokio::test]
async fn writes_that_are_switched_off_come_with_what_to_do(#[case] reply: Answer) {
    let port = miner_of_2023().await;
    port.on("power_off", [reply]);
    let miner = v2_driver(&port).await;
    let Err(DeviceError::WritesDisabled(words)) = miner.stop(at(0)).await else { panic!() };
    assert!(words.contains("password") && words.contains("WhatsMinerTool"), "{words}");
    assert_eq!(miner.read(at(1)).await.unwrap().writes_enabled, Some(false));
}

#[tokio::test]
async fn refusals_keep_the_devices_words() {
    let port = miner_of_2023().await;
    port.on("power_off", [Answer::Json(error(132, "not now"))]);
    let miner = v2_driver(&port).await;
    let refused = DeviceError::Refused { code: 132, words: "not now".to_owned() };
    assert_eq!(miner.stop(at(0)).await, Err(refused));
    port.on("power_off", [Answer::Json(error(14, "invalid cmd"))]);
    assert_eq!(miner.stop(at(1)).await, Err(DeviceError::Unsupported("invalid cmd".to_owned())));
}

#[rstest]
#[case::closed(Answer::Eof)]
#[case::reset(Answer::Reset)]
#[case::silent(Answer::Silent)]
#[case::unreadable(Answer::Plain(json!({"enc": "AAAAAAAAAAAAAAAAAAAAAA=="})))]
#[case::text(Answer::Pieces(vec![b"busy".to_vec()]))]
#[case::no_status(Answer::Json(json!({"hello": 1})))]
#[tokio::test]
async fn a_command_without_an_answer_is_unknown_and_not_repeated(#[case] reply: Answer) {
    let port = miner_of_2023().await;
    port.on("power_off", [reply]);
    let miner = driver(port.address.port(), closed_port().await, SHORT);
    let written = miner.stop(at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Unknown, Means::Stop));
    assert_eq!(port.count("power_off"), 1);
}

#[tokio::test]
async fn a_command_that_could_not_be_sent_failed() {
    let port = miner_of_2023().await;
    port.on("get_token", [Answer::Eof]);
    let miner = v2_driver(&port).await;
    assert!(matches!(miner.stop(at(0)).await, Err(DeviceError::Unreachable(_))));
    miner.identify(at(1)).await.unwrap();
    port.close().await;
    assert!(matches!(miner.stop(at(2)).await, Err(DeviceError::Unreachable(_))));
    assert_eq!(port.count("power_off"), 0);
}

#[tokio::test]
async fn write_access_is_tested_by_an_encrypted_read() {
    let port = miner_of_2023().await;
    let miner = v2_driver(&port).await;
    miner.check_writes(at(0)).await.unwrap();
    assert!(port.last("status").get("token").is_some());
    port.on("status", [Answer::Plain(error(23, "enc json load err"))]);
    assert!(matches!(miner.check_writes(at(1)).await, Err(DeviceError::BadCredentials(_))));
    port.on("status", [Answer::Json(error(45, "can't access write cmd"))]);
    assert!(matches!(miner.check_writes(at(2)).await, Err(DeviceError::WritesDisabled(_))));
}

#[tokio::test]
async fn no_secret_gets_out() {
    let port = miner_of_2023().await;
    port.on("power_off", [Answer::Json(error(132, &format!("bad password {PASSWORD}")))]);
    let miner = v2_driver(&port).await;
    let error = miner.stop(at(0)).await.unwrap_err();
    let token = port.last("power_off")["token"].as_str().unwrap().to_owned();
    let printed = format!("{error} {error:?} {miner:?}");
    for secret in [PASSWORD, V3_PASSWORD, &token] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
