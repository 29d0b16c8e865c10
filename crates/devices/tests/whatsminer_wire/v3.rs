//! The V3 protocol on the wire, and the choice between the two.

use super::device::*;
use devices::{DeviceError, Miner, WriteOutcome};
use model::{Means, TeraHash, Watts};
use rstest::rstest;
use serde_json::json;
use std::collections::HashSet;

#[tokio::test]
async fn a_v3_miner_is_recognised_and_read_over_one_connection() {
    let port = v3_miner().await;
    let miner = v3_driver(&port).await;
    let identity = miner.identify(at(0)).await.unwrap();
    assert_eq!(identity.mac.as_deref(), Some("c6:11:22:00:0a:0b"));
    assert_eq!(identity.model.as_deref(), Some("M60SVK30"));
    assert_eq!(identity.api, "V3 3.0.3");
    port.forget_requests();

    let reading = miner.read(at(1)).await.unwrap();
    assert_eq!(reading.service_on, Some(true));
    assert_eq!(reading.power, Some(Watts::whole(3500)));
    assert_eq!(reading.hash_rate, TeraHash::new(121.5));
    assert_eq!(reading.power_set, Some(Watts::whole(3600)));
    assert_eq!((reading.ramp_finished, reading.writes_enabled), (Some(true), Some(true)));
    assert_eq!(reading.errors[0].text, "Slot1 not found.");
    assert!(reading.pools[0].active);
    let connections: HashSet<usize> = port.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 1);
}

#[tokio::test]
async fn firmware_that_closes_after_each_reply_is_read_as_well() {
    let port = v3_port_that_closes().await;
    script_v3(&port);
    let miner = v3_driver(&port).await;
    let reading = miner.read(at(0)).await.unwrap();
    assert_eq!(reading.power, Some(Watts::whole(3500)));
    assert_eq!(reading.power_mode.as_deref(), Some("normal"));
    let written = miner.stop(at(1)).await.unwrap();
    assert_eq!(written.outcome, WriteOutcome::Acked);
}

#[tokio::test]
async fn frames_come_in_any_pieces_between_heartbeats() {
    let port = v3_miner().await;
    let framed = frame(&v3_message(device_info("true", "1")));
    let report = frame(&json!({"code": 0, "msg": {}, "desc": "get.miner.report"}));
    let bytes = [&[0; 4], report.as_slice(), &[0; 8], framed.as_slice()].concat();
    port.on("get.device.info", [Answer::Pieces(bytes.into_iter().map(|byte| vec![byte]).collect())]);
    let reading = v3_driver(&port).await.read(at(0)).await.unwrap();
    assert_eq!(reading.service_on, Some(true));
}

#[rstest]
#[case::words(Answer::Json(v3_message(json!("btminer process is down err"))))]
#[case::error_with_words(Answer::Json(v3_error(-1, "btminer process is down err")))]
#[case::plain_error(Answer::Json(v3_error(-1, "fail")))]
#[case::closed(Answer::Eof)]
#[case::silent(Answer::Silent)]
#[tokio::test]
async fn a_mining_process_that_is_down_is_a_reading(#[case] reply: Answer) {
    let port = v3_miner().await;
    port.on("get.device.info", [Answer::Json(v3_message(device_info("false", "1")))])
        .on("get.miner.status summary+pools", [reply.clone()])
        .on("get.miner.status summary", [reply]);
    let miner = driver(closed_port().await, port.address.port(), SHORT);
    let reading = miner.read(at(0)).await.unwrap();
    assert_eq!(reading.service_on, Some(false));
    assert_eq!(reading.power, Some(Watts::whole(17)), "as the power supply measures it");
    assert_eq!((reading.hash_rate, reading.elapsed_seconds, reading.ramp_finished), (None, None, None));
}

#[tokio::test]
async fn firmware_without_the_joined_status_is_asked_for_the_summary_alone() {
    let port = v3_miner().await;
    port.on("get.miner.status summary+pools", [Answer::Json(v3_error(-1, "fail"))])
        .on("get.miner.status summary", [v3_summary(2000, 3500, 3600, 1)]);
    let miner = v3_driver(&port).await;
    assert_eq!(miner.read(at(0)).await.unwrap().power, Some(Watts::whole(3500)));
    assert_eq!(miner.read(at(10)).await.unwrap().power, Some(Watts::whole(3500)));
    assert_eq!(port.count("get.miner.status summary+pools"), 1);
}

#[rstest]
#[case::nothing_there(None)]
#[case::silent(Some(Answer::Silent))]
#[case::closes(Some(Answer::Eof))]
#[case::another_protocol(Some(Answer::Pieces(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()])))]
#[tokio::test]
async fn without_v3_it_is_v2(#[case] v3: Option<Answer>) {
    let v2 = miner_of_2023().await;
    let v3_port = match v3 {
        None => closed_port().await,
        Some(answer) => {
            let port = v3_port().await;
            port.on("get.device.info", [answer]);
            port.address.port()
        }
    };
    let miner = driver(v2.address.port(), v3_port, SHORT * 2);
    assert_eq!(miner.identify(at(0)).await.unwrap().api, "V2 2.0.5");
    assert_eq!(miner.read(at(1)).await.unwrap().power, Some(Watts::whole(3500)));
}

#[tokio::test]
async fn with_both_everything_goes_by_v3() {
    let (v2, v3) = (miner_of_2023().await, v3_miner().await);
    let miner = driver(v2.address.port(), v3.address.port(), SHORT * 10);
    assert_eq!(miner.identify(at(0)).await.unwrap().api, "V3 3.0.3");
    miner.read(at(1)).await.unwrap();
    miner.stop(at(2)).await.unwrap();
    miner.start(Watts::whole(3600), at(3)).await.unwrap();
    assert!(v2.commands().iter().all(|command| command.starts_with("get_") && command != "get_token"));
    assert_eq!((v3.count("set.miner.service stop"), v3.count("set.miner.service start")), (1, 1));
}

#[tokio::test]
async fn v3_that_was_too_busy_is_found_later() {
    let (v2, v3) = (miner_of_2023().await, v3_miner().await);
    v3.on("get.device.info", [Answer::Silent]);
    let miner = driver(v2.address.port(), v3.address.port(), SHORT * 2);
    assert_eq!(miner.identify(at(0)).await.unwrap().api, "V2 2.0.5");
    script_v3(&v3);
    for second in 0..30 {
        miner.read(at(second)).await.unwrap();
    }
    miner.stop(at(40)).await.unwrap();
    assert_eq!(v3.count("set.miner.service stop"), 1);
}

#[tokio::test]
async fn a_stop_is_signed_with_the_devices_own_time() {
    let port = v3_miner().await;
    let miner = v3_driver(&port).await;
    let written = miner.stop(at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Acked, Means::Stop));
    let request = port.last("set.miner.service stop");
    assert_eq!((&request["ts"], &request["account"]), (&json!(V3_TIME), &json!("super")));
}

#[tokio::test]
async fn no_permission_is_explained_by_the_switch() {
    let port = v3_miner().await;
    let miner = v3_driver(&port).await;
    port.on("set.miner.service stop", [Answer::Plain(v3_error(-4, "no permission"))]);
    let error = miner.stop(at(0)).await.unwrap_err();
    assert!(matches!(&error, DeviceError::BadCredentials(words) if words.contains("super")), "{error:?}");
    port.on("get.device.info system", [Answer::Json(v3_message(json!({"system": {"apiswitch": "0"}})))]);
    let error = miner.stop(at(1)).await.unwrap_err();
    assert!(
        matches!(&error, DeviceError::WritesDisabled(words) if words.contains("WhatsMinerTool")),
        "{error:?}"
    );
    assert!(matches!(miner.check_writes(at(2)).await, Err(DeviceError::WritesDisabled(_))));
    port.on("get.device.info system", [Answer::Json(v3_message(json!({"system": {}})))]);
    let Err(DeviceError::BadCredentials(words)) = miner.stop(at(3)).await else { panic!() };
    assert!(words.contains("password") && words.contains("WhatsMinerTool"), "both are possible: {words}");
    miner.check_writes(at(4)).await.unwrap();
}

#[rstest]
#[case(-1, DeviceError::Refused { code: -1, words: "no".to_owned() })]
#[case(-2, DeviceError::Unsupported("no".to_owned()))]
#[case(-3, DeviceError::Refused { code: -3, words: "no".to_owned() })]
#[tokio::test]
async fn refusals(#[case] code: i64, #[case] expected: DeviceError) {
    let port = v3_miner().await;
    port.on("set.miner.service stop", [Answer::Plain(v3_error(code, "no"))]);
    assert_eq!(v3_driver(&port).await.stop(at(0)).await, Err(expected));
}

#[rstest]
#[case::closed(Answer::Eof)]
#[case::reset(Answer::Reset)]
#[case::silent(Answer::Silent)]
#[case::garbage(Answer::Pieces(vec![vec![9, 0, 0, 0], b"\xff\xfe nope!".to_vec()]))]
#[case::heartbeats_only(Answer::Pieces(vec![vec![0; 40]]))]
#[tokio::test]
async fn a_command_without_an_answer_is_unknown_and_not_repeated(#[case] reply: Answer) {
    let port = v3_miner().await;
    port.on("set.miner.service stop", [reply]);
    let miner = driver(closed_port().await, port.address.port(), SHORT);
    let written = miner.stop(at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Unknown, Means::Stop));
    assert_eq!(port.count("set.miner.service stop"), 1);
}

#[tokio::test]
async fn without_its_salt_nothing_is_written() {
    let port = v3_miner().await;
    port.on("get.device.info salt", [Answer::Eof]);
    let miner = v3_driver(&port).await;
    assert!(matches!(miner.stop(at(0)).await, Err(DeviceError::Unreachable(_))));
    assert_eq!(port.count("set.miner.service stop"), 0);
}

/// It may be the miner's own: who answers isn't known, and nothing is written until it is.
#[tokio::test]
async fn a_reply_that_cant_be_read_is_no_other_device() {
    let whole = frame(&v3_message(device_info("true", "1")));
    let oversized = [(5_u32 << 20).to_le_bytes().as_slice(), &[b' '; 1 << 10]].concat();
    for unread in
        [whole[..20].to_vec(), oversized, [&8_u32.to_le_bytes(), b"\xff\xfe{{{{{{".as_slice()].concat()]
    {
        let port = v3_miner().await;
        let miner = v3_driver(&port).await;
        miner.identify(at(0)).await.unwrap();
        port.on("get.device.info", [Answer::Pieces(vec![unread])]);
        for outcome in [
            miner.identify(at(2)).await.map(drop),
            miner.stop(at(2)).await.map(drop),
            miner.start(Watts::whole(1440), at(2)).await.map(drop),
        ] {
            assert!(matches!(outcome, Err(DeviceError::Protocol(_))), "{outcome:?}");
        }
        assert_eq!(port.count("set.miner.service stop"), 0);
        port.on("get.device.info", [Answer::Json(v3_message(device_info("true", "1")))]);
        miner.stop(at(3)).await.unwrap();
    }
}

#[tokio::test]
async fn a_web_server_at_the_port_is_another_device() {
    let port = v3_port().await;
    let words = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    port.on("get.device.info", [Answer::Pieces(vec![words])]);
    let miner = v3_driver(&port).await;
    for outcome in [miner.identify(at(0)).await.map(drop), miner.stop(at(1)).await.map(drop)] {
        assert!(matches!(outcome, Err(DeviceError::WrongDevice(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn another_whatsminer_at_the_address_is_refused_until_it_is_identified() {
    let port = v3_miner().await;
    let miner = v3_driver(&port).await;
    miner.identify(at(0)).await.unwrap();
    let mut other = device_info("true", "1");
    other["network"]["mac"] = json!("C6:11:22:00:0A:FF");
    port.on("get.device.info", [Answer::Eof, Answer::Json(v3_message(other))]);
    assert!(matches!(miner.read(at(1)).await, Err(DeviceError::Unreachable(_))));
    assert!(matches!(miner.stop(at(2)).await, Err(DeviceError::WrongDevice(_))));
    assert_eq!(port.count("set.miner.service stop"), 0);
    assert_eq!(miner.identify(at(3)).await.unwrap().mac.as_deref(), Some("c6:11:22:00:0a:ff"));
    miner.stop(at(4)).await.unwrap();
}

#[tokio::test]
async fn another_whatsminer_is_noticed_though_none_was_missed() {
    let port = v3_miner().await;
    let miner = v3_driver(&port).await;
    miner.identify(at(0)).await.unwrap();
    miner.read(at(1)).await.unwrap();
    let mut other = device_info("true", "1");
    other["network"]["mac"] = json!("C6:11:22:00:0A:FF");
    port.on("get.device.info", [Answer::Json(v3_message(other))]);
    assert!(matches!(miner.read(at(2)).await, Err(DeviceError::WrongDevice(_))));
    assert!(matches!(miner.stop(at(3)).await, Err(DeviceError::WrongDevice(_))));
    assert_eq!(port.count("set.miner.service stop"), 0);
    port.on("get.device.info", [Answer::Json(v3_message(device_info("true", "1")))]);
    miner.stop(at(4)).await.unwrap();
}

#[tokio::test]
async fn no_secret_gets_out() {
    let port = v3_miner().await;
    port.on("set.miner.service stop", [Answer::Plain(v3_error(-1, &format!("{V3_PASSWORD}?")))]);
    let miner = v3_driver(&port).await;
    let error = miner.stop(at(0)).await.unwrap_err();
    assert!(!format!("{error} {error:?} {miner:?}").contains(V3_PASSWORD));
}
