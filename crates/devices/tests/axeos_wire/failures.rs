//! Devices that say nothing, half of it, or nonsense.

use super::bench::*;
use devices::{DeviceError, Miner, WriteOutcome};
use model::Watts;
use rstest::rstest;
use simulator::axeos::{Faults, Phase, Profile, Stall};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_stop_waits_for_no_read_and_a_silent_device_s_read_ends_with_the_deadline() {
    let bench = Bench::new(Profile::Gamma215);
    let miner = Arc::new(bench.miner);
    miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { stall: Stall::Reads, ..Faults::default() });
    bench.device.clear_log();
    let reading = tokio::spawn({
        let miner = Arc::clone(&miner);
        async move { miner.read(now()).await.map(drop) }
    });
    soon(bench.device.received(|request| request.method == "GET")).await;
    let starting = tokio::spawn({
        let miner = Arc::clone(&miner);
        async move { miner.start(Watts::whole(18), now()).await.map(drop) }
    });
    assert_eq!(miner.stop(now()).await.unwrap().outcome, WriteOutcome::Acked);
    assert!(!reading.is_finished() && !starting.is_finished(), "they wait for their turn");
    assert!(bench.device.state().paused);
    reading.abort();
    starting.abort();

    let bench = Bench::with(Profile::Gamma215, SHORT_READS);
    bench.device.set_faults(Faults { stall: Stall::Everything, ..Faults::default() });
    let silent = bench.miner.read(now()).await.unwrap_err();
    assert!(matches!(silent, DeviceError::TimedOut { .. }), "{silent}");
    assert_eq!(bench.device.state().phase, Phase::Mining, "it mines on");
}

/// Before it restarts, a NerdQAxe is asked whether it is off.
#[tokio::test]
async fn a_stop_waits_for_no_question_of_a_start() {
    let bench = Bench::new(Profile::NerdQaxe11);
    let miner = Arc::new(bench.miner);
    miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { stall: Stall::Reads, ..Faults::default() });
    bench.device.clear_log();
    let starting = tokio::spawn({
        let miner = Arc::clone(&miner);
        async move { miner.start(Watts::whole(70), now()).await.map(drop) }
    });
    soon(bench.device.received(|request| request.method == "GET")).await;
    assert_eq!(miner.stop(now()).await.unwrap().outcome, WriteOutcome::Acked);
    assert!(!starting.is_finished(), "it is still asking");
    starting.abort();
}

#[tokio::test]
async fn a_command_that_is_never_answered_is_unknown() {
    let bench = Bench::with(Profile::Gamma215, SHORT_WRITES);
    bench.miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { stall: Stall::Everything, ..Faults::default() });
    assert_eq!(bench.miner.stop(now()).await.unwrap().outcome, WriteOutcome::Unknown);
    let next = bench.miner.stop(now()).await.unwrap_err();
    assert!(matches!(next, DeviceError::TimedOut { .. }), "who is there must be known first: {next}");
    assert_eq!(bench.commands().len(), 1);
}

#[tokio::test]
async fn requests_go_out_one_after_the_other() {
    let bench = Bench::new(Profile::Gamma215);
    let (one, two, three) =
        tokio::join!(bench.miner.read(now()), bench.miner.read(now()), bench.miner.check_writes(now()));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(bench.device.log().len(), 3);
}

#[tokio::test]
async fn a_broken_answer_is_no_other_device() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_faults(Faults { truncate_bytes: Some(300), ..Faults::default() });
    let error = bench.miner.read(now()).await.unwrap_err();
    assert!(matches!(error, DeviceError::Protocol(_)) && error.is_transient(), "{error}");
    bench.device.set_faults(Faults::default());
    assert!(bench.miner.read(now()).await.is_ok());
}

#[tokio::test]
async fn a_refusal_explains_the_rule_of_private_addresses() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { unauthorized: true, ..Faults::default() });
    let errors = [bench.miner.read(now()).await.map(drop), bench.miner.stop(now()).await.map(drop)];
    for error in errors {
        let error = error.unwrap_err();
        assert!(matches!(error, DeviceError::Refused { code: 401, .. }), "{error}");
        assert!(error.to_string().contains("private IPv4"), "{error}");
    }
    assert!(!bench.device.state().paused);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { closed: true, ..Faults::default() });
    soon(bench.device.until_listening(false)).await;
    for error in [bench.miner.read(now()).await.map(drop), bench.miner.stop(now()).await.map(drop)] {
        assert!(matches!(error, Err(DeviceError::Unreachable(_))), "{error:?}");
    }
    let named = devices::axeos::AxeOsConfig { host: "no host".into(), port: 80, deadlines: PATIENT };
    let error = devices::axeos::AxeOs::new(&named).unwrap().read(now()).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unreachable(_)), "{error}");
}

const MOVED: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
const MISSING: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n<title>AxeOS</title";
const TROUBLE: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
const NONSENSE: &[u8] = b"SSH-2.0-OpenSSH_9.6\r\n";
const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"ASICModel\":";

#[rstest]
#[case(MOVED, true)]
#[case(MISSING, true)]
#[case(PAGE, true)]
#[case(TROUBLE, false)]
#[case(NONSENSE, false)]
#[case(HALF, false)]
#[case(b"", false)]
#[tokio::test]
async fn what_else_may_answer(#[case] reply: &'static [u8], #[case] is_other: bool) {
    let error = driver(says(reply).await, PATIENT).identify(now()).await.unwrap_err();
    assert_eq!(matches!(error, DeviceError::WrongDevice(_)), is_other, "{error}");
    assert_eq!(error.is_transient(), !is_other);
}

/// A device that says who it is, and `reply` to every command.
async fn answers_commands_with(reply: &'static str) -> SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let count = stream.read(&mut request).await.unwrap_or(0);
            let info = r#"{"ASICModel":"BM1370","version":"v2.14.2","hashRate":0}"#;
            let info = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{info}", info.len());
            let answer = if request[..count].starts_with(b"GET") { info.as_str() } else { reply };
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    addr
}

#[rstest]
#[case("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
#[case("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")]
#[case("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")]
#[tokio::test]
async fn a_command_that_is_not_there_is_unsupported(#[case] reply: &'static str) {
    let miner = driver(answers_commands_with(reply).await, PATIENT);
    let error = miner.stop(now()).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unsupported(_)), "{error}");
}

#[tokio::test]
async fn other_answers_to_commands() {
    let refused = "HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\n\r\nWrong API input";
    let error = driver(answers_commands_with(refused).await, PATIENT).stop(now()).await.unwrap_err();
    assert_eq!(error, DeviceError::Refused { code: 400, words: "Wrong API input".into() });
    let trouble = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n";
    let written = driver(answers_commands_with(trouble).await, PATIENT).stop(now()).await.unwrap();
    assert_eq!(written.outcome, WriteOutcome::Unknown);
}

#[tokio::test]
async fn five_megabytes_are_no_reply() {
    let mut reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n{".to_vec();
    reply.resize(5_000_000, b' ');
    let addr = says(Vec::leak(reply)).await;
    let error = driver(addr, PATIENT).read(now()).await.unwrap_err();
    assert_eq!(error, DeviceError::Protocol("the answer is longer than 64 KiB".into()));
}
