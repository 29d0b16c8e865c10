//! Starting, setting a power and stopping: which commands go out, in which order, and what doesn't.

use super::device::*;
use devices::{DeviceError, Miner, WriteOutcome};
use futures::poll;
use model::{Means, Watts};
use rstest::rstest;
use serde_json::{Value, json};
use std::{pin::pin, sync::Arc};

/// What changed something, in order.
fn writes(port: &Port) -> Vec<String> {
    let is_write = |name: &String| {
        name.starts_with("set") || name.starts_with("power_o") || name == "adjust_power_limit"
    };
    port.commands().into_iter().filter(is_write).collect()
}

/// A V2 miner that is switched off.
async fn stopped(stored_limit: Option<&str>) -> Port {
    let port = miner_of_2023().await;
    let mut off = status("true");
    if let Some(limit) = stored_limit {
        off["power_limit_set"] = json!(limit);
    }
    port.on("status", [Answer::Json(message(131, off))])
        .on("summary", [summary(0, 0, 0, false)])
        .on("adjust_power_limit", [done()])
        .on("power_on", [done()])
        .on("power_off", [done()])
        .on("set_power_pct", [done()]);
    port
}

fn watts(number: u32) -> Watts {
    Watts::whole(number)
}

#[tokio::test]
async fn a_start_writes_the_limit_first() {
    let port = stopped(None).await;
    let written = v2_driver(&port).await.start(watts(1440), at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Acked, Means::Start));
    assert_eq!(writes(&port), ["adjust_power_limit", "power_on"]);
    assert_eq!(port.last("adjust_power_limit")["power_limit"], json!("1440"));
}

#[rstest]
#[case("1440", 1440, &["power_on"])]
#[case("1465", 1440, &["power_on"])]
#[case("1480", 1440, &["adjust_power_limit", "power_on"])]
#[case("3600", 1440, &["adjust_power_limit", "power_on"])]
#[case("0", 1440, &["adjust_power_limit", "power_on"])]
#[tokio::test]
async fn a_stored_limit_that_fits_is_not_written_again(
    #[case] stored: &str,
    #[case] wanted: u32,
    #[case] expected: &[&str],
) {
    let port = stopped(Some(stored)).await;
    v2_driver(&port).await.start(watts(wanted), at(0)).await.unwrap();
    assert_eq!(writes(&port), expected);
}

#[tokio::test]
async fn a_limit_that_fails_in_transport_starts_nothing() {
    let port = stopped(None).await;
    port.on("get_token", [Answer::Reset]);
    assert!(v2_driver(&port).await.start(watts(1440), at(0)).await.is_err());
    assert_eq!(writes(&port), Vec::<String>::new());
}

#[tokio::test]
async fn a_limit_without_an_answer_starts_nothing_unless_it_is_seen() {
    let port = stopped(Some("3600")).await;
    port.on("adjust_power_limit", [Answer::Eof]);
    let written = v2_driver(&port).await.start(watts(1440), at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Unknown, Means::Limit));
    assert_eq!(writes(&port), ["adjust_power_limit"]);

    let port = stopped(None).await;
    let stored = |limit: &str| {
        let mut status = status("true");
        status["power_limit_set"] = json!(limit);
        Answer::Json(message(131, status))
    };
    port.on("adjust_power_limit", [Answer::Silent]).on("status", [stored("3600"), stored("1440")]);
    let miner = driver(port.address.port(), closed_port().await, SHORT * 2);
    let written = miner.start(watts(1440), at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Acked, Means::Start));
    assert_eq!(writes(&port), ["adjust_power_limit", "power_on"]);
}

#[tokio::test]
async fn a_limit_refused_while_off_is_written_after_the_start() {
    let port = stopped(None).await;
    port.on("adjust_power_limit", [Answer::Json(error(132, "miner is off")), done()]);
    let written = v2_driver(&port).await.start(watts(1440), at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Acked, Means::Start));
    assert_eq!(writes(&port), ["adjust_power_limit", "power_on", "adjust_power_limit"]);
    port.on("adjust_power_limit", [Answer::Json(error(132, "no such power"))]);
    let written = v2_driver(&port).await.start(watts(1440), at(0)).await.unwrap();
    assert!(written.words.unwrap().contains("no such power"), "what stays open is said");
}

#[tokio::test]
async fn without_permission_nothing_is_started() {
    let port = stopped(None).await;
    port.on("adjust_power_limit", [Answer::Json(error(45, "can't access write cmd"))]);
    let outcome = v2_driver(&port).await.start(watts(1440), at(0)).await;
    assert!(matches!(outcome, Err(DeviceError::WritesDisabled(_))));
    assert_eq!(writes(&port), ["adjust_power_limit"]);
}

#[tokio::test]
async fn less_than_a_watt_is_never_sent() {
    let port = stopped(None).await;
    let miner = v2_driver(&port).await;
    for power in [Watts::ZERO, Watts::new(0.4).unwrap(), Watts::new(-1440.0).unwrap()] {
        assert!(miner.start(power, at(0)).await.is_err());
        port.on("status", [Answer::Json(message(131, status("false")))]);
        assert!(miner.set_power(power, at(0)).await.is_err());
    }
    assert_eq!(writes(&port), Vec::<String>::new());
}

#[tokio::test]
async fn a_stable_miner_is_trimmed_by_percentage() {
    let port = stopped(None).await;
    port.on("status", [Answer::Json(message(131, status("false")))])
        .on("summary", [summary(2000, 3500, 3600, true)]);
    let miner = v2_driver(&port).await;
    let written = miner.set_power(watts(2160), at(0)).await.unwrap();
    assert_eq!((written.outcome, written.means), (WriteOutcome::Acked, Means::Percent));
    assert_eq!(port.last("set_power_pct")["percent"], json!("60"));
    let reading = miner.read(at(10)).await.unwrap();
    assert_eq!((reading.power_percent, reading.power_set), (Some(60), Some(watts(2160))));
    port.on("summary", [summary(5, 30, 3600, false)]);
    let restarted = miner.read(at(20)).await.unwrap();
    assert_eq!((restarted.power_percent, restarted.power_set), (None, Some(watts(3600))));
}

#[tokio::test]
async fn by_v3_the_percentage_is_a_text_and_the_limit_a_number() {
    let port = v3_miner().await;
    port.on("get.miner.status summary+pools", [v3_summary(2000, 3400, 3600, 1)]);
    let miner = v3_driver(&port).await;
    miner.set_power(watts(1700), at(0)).await.unwrap();
    assert_eq!(port.last("set.miner.power_percent")["param"], json!({"percent": "50", "mode": "fast"}));
    let written = miner.set_power(watts(3700), at(1)).await.unwrap();
    assert_eq!(written.means, Means::Limit);
    assert_eq!(port.last("set.miner.power_limit")["param"], json!(3700));
}

#[rstest]
#[case::v2_unknown(Answer::Json(error(14, "invalid cmd")))]
#[case::v2_error(Answer::Json(error(132, "command error")))]
#[tokio::test]
async fn firmware_without_a_percentage_gets_the_limit(#[case] refusal: Answer) {
    let port = stopped(None).await;
    port.on("status", [Answer::Json(message(131, status("false")))])
        .on("summary", [summary(2000, 3500, 3600, true)])
        .on("set_power_pct", [refusal]);
    let miner = v2_driver(&port).await;
    assert_eq!(miner.set_power(watts(2160), at(0)).await.unwrap().means, Means::Limit);
    assert_eq!(miner.set_power(watts(1800), at(1)).await.unwrap().means, Means::Limit);
    assert_eq!(writes(&port), ["set_power_pct", "adjust_power_limit", "adjust_power_limit"]);
}

#[tokio::test]
async fn while_it_ramps_it_gets_the_limit_and_the_same_one_only_once() {
    let port = stopped(None).await;
    port.on("status", [Answer::Json(message(131, status("false")))])
        .on("summary", [summary(300, 1500, 3600, false)]);
    let miner = v2_driver(&port).await;
    assert_eq!(miner.set_power(watts(2160), at(0)).await.unwrap().means, Means::Limit);
    // Restarting, it tells a limit of 0; then the new one.
    for limit in [0, 2160] {
        port.on("summary", [summary(20, 0, limit, false)]);
        let written = miner.set_power(watts(2160), at(30)).await.unwrap();
        assert_eq!(written.outcome, WriteOutcome::Acked);
        assert_eq!(written.words.as_deref(), Some("already set"));
    }
    assert_eq!(writes(&port), ["adjust_power_limit"]);
}

#[tokio::test]
async fn a_miner_of_2021_waits_for_the_end_of_its_ramp() {
    let port = stopped(None).await;
    port.on("status", [Answer::Json(message(131, json!({"btmineroff": "false"})))])
        .on("summary", [summary(300, 1500, 3600, false)])
        .on("adjust_power_limit", [Answer::Json(error(14, "invalid cmd"))]);
    let miner = v2_driver(&port).await;
    let Err(DeviceError::Refused { words, .. }) = miner.set_power(watts(1800), at(0)).await else { panic!() };
    assert!(words.contains("ramp"), "{words}");
    port.on("summary", [summary(1500, 3600, 3600, true)]);
    assert_eq!(miner.set_power(watts(1800), at(1200)).await.unwrap().means, Means::Percent);
    assert_eq!(writes(&port), ["adjust_power_limit", "set_power_pct"]);
    let started = miner.start(watts(1800), at(1300)).await.unwrap();
    assert!(started.words.unwrap().contains("own limit"));
}

#[tokio::test]
async fn no_limit_is_set_on_a_miner_that_is_off() {
    let port = stopped(Some("3600")).await;
    let outcome = v2_driver(&port).await.set_power(watts(1800), at(0)).await;
    assert!(matches!(outcome, Err(DeviceError::Refused { .. })));
    assert_eq!(writes(&port), Vec::<String>::new());
}

#[tokio::test]
async fn a_stop_waits_for_no_read() {
    let port = stopped(None).await;
    let miner = Arc::new(v2_driver(&port).await);
    miner.identify(at(0)).await.unwrap();
    port.on("status", [Answer::Silent]);
    let reading = tokio::spawn({
        let miner = Arc::clone(&miner);
        async move { miner.read(at(1)).await.map(drop) }
    });
    port.receives("status").await;
    assert_eq!(miner.stop(at(1)).await.unwrap().outcome, WriteOutcome::Acked);
    assert!(!reading.is_finished(), "the read is still waiting for its answer");
    reading.abort();
}

/// Looking whether commands are taken holds the way that commands take: it gives way to a stop.
#[tokio::test]
async fn a_stop_waits_for_no_check_of_write_access() {
    let port = stopped(None).await;
    let miner = Arc::new(v2_driver(&port).await);
    miner.identify(at(0)).await.unwrap();
    port.on("get_miner_info", [Answer::Json(message(131, serde_json::json!({"ledstat": "auto"})))])
        .on("set_led", [Answer::Silent]);
    let checking = tokio::spawn({
        let miner = Arc::clone(&miner);
        async move { miner.check_writes(at(1)).await }
    });
    port.receives("set_led").await;
    assert_eq!(miner.stop(at(1)).await.unwrap().outcome, WriteOutcome::Acked);
    let checked = checking.await.unwrap();
    assert!(matches!(checked, Err(DeviceError::Unavailable { .. })), "it gave way: {checked:?}");
}

#[tokio::test]
async fn a_stop_goes_out_after_a_command_was_dropped() {
    let port = stopped(None).await;
    port.on("status", [Answer::Json(message(131, status("false")))])
        .on("summary", [summary(300, 1500, 3600, false)])
        .on("adjust_power_limit", [Answer::Silent, done()]);
    let miner = v2_driver(&port).await;
    tokio::select! {
        outcome = miner.set_power(watts(1800), at(0)) => panic!("{outcome:?}"),
        () = port.receives("adjust_power_limit") => {}
    }
    assert_eq!(miner.stop(at(1)).await.unwrap().outcome, WriteOutcome::Acked);
    // Nothing says that the dropped limit arrived: it may be sent again.
    assert_eq!(miner.set_power(watts(1800), at(2)).await.unwrap().outcome, WriteOutcome::Acked);
    assert_eq!(writes(&port), ["adjust_power_limit", "power_off", "adjust_power_limit"]);
}

#[tokio::test]
async fn commands_go_out_one_after_the_other() {
    let port = stopped(None).await;
    let miner = v2_driver(&port).await;
    miner.identify(at(0)).await.unwrap();
    let (first, second, third) = tokio::join!(miner.stop(at(0)), miner.stop(at(0)), miner.stop(at(0)));
    for outcome in [first, second, third] {
        assert_eq!(outcome.unwrap().outcome, WriteOutcome::Acked);
    }
    assert_eq!(port.count("get_token"), 1, "one token, although three commands came at once");
    let written: Vec<Value> =
        port.requests().into_iter().map(|request| request.body["cmd"].clone()).collect();
    assert_eq!(written.iter().filter(|name| **name == json!("power_off")).count(), 3);
}

/// Newer firmware's summary doesn't tell who answers, so it is asked before a command.
#[tokio::test]
async fn of_two_that_changed_places_neither_is_started_or_set_as_the_other() {
    for is_off in [false, true] {
        let port = if is_off { stopped(Some("3600")).await } else { miner_of_2023().await };
        let miner = v2_driver(&port).await;
        miner.identify(at(0)).await.unwrap();
        miner.read(at(1)).await.unwrap();
        let other = json!({"ip": "192.0.2.9", "mac": "C6:11:22:00:0A:FF", "minersn": "SN-2"});
        port.on("get_miner_info", [Answer::Json(message(131, other))]);
        let told = if is_off {
            miner.start(watts(1800), at(2)).await
        } else {
            miner.set_power(watts(1800), at(2)).await
        };
        assert!(matches!(told, Err(DeviceError::WrongDevice(_))), "{told:?}");
        assert_eq!(writes(&port), Vec::<String>::new());
    }
}

/// A command that waits for the one before it is for the miner that was there when it came.
#[tokio::test]
async fn a_command_that_waited_is_not_sent_to_one_that_was_identified_meanwhile() {
    let port = miner_of_2023().await;
    let miner = Arc::new(v2_driver(&port).await);
    miner.identify(at(0)).await.unwrap();
    // The first stop stands in its token, and keeps the second waiting.
    port.on("get_token", [Answer::Silent]);
    let first = tokio::spawn({
        let miner = Arc::clone(&miner);
        async move { miner.stop(at(1)).await }
    });
    port.receives("get_token").await;
    let mut second = pin!(miner.stop(at(2)));
    assert!(poll!(&mut second).is_pending());
    let other = json!({"ip": "192.0.2.9", "mac": "C6:11:22:00:0A:FF", "minersn": "SN-2"});
    port.on("get_miner_info", [Answer::Json(message(131, other))]);
    miner.identify(at(3)).await.unwrap();
    first.abort();
    let told = second.await;
    assert!(matches!(told, Err(DeviceError::WrongDevice(_))), "{told:?}");
    assert_eq!(writes(&port), Vec::<String>::new());
}
