//! A portal that fails: what kind of failure it is, and how long it is left alone.

use crate::server::{HOUR, LOGIN, MINUTE, PASSWORD, RUNTIME, Reply, Server, USER, at};
use devices::{BatterySource, DeviceError, eg4::Portal};
use rstest::rstest;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Notify};

fn pause_of(error: &DeviceError) -> u64 {
    let DeviceError::Unavailable { retry_after, .. } = error else { panic!("{error:?}") };
    retry_after.as_secs()
}

#[rstest]
#[case(Reply::status(500, b"oops"), 1)]
#[case(Reply::status(503, b"<html>"), 1)]
#[case(Reply::status(503, b"").with("Retry-After", "120"), 120)]
#[case(Reply::status(429, b""), 900)]
#[case(Reply::status(429, b"").with("Retry-After", "60"), 60)]
#[case(Reply::status(403, b""), 900)]
#[case(Reply::status(401, b""), 1)]
#[case(Reply::page("captcha"), 1)]
#[tokio::test]
async fn a_login_that_isnt_available_is_no_wrong_password(#[case] reply: Reply, #[case] pause: u64) {
    let server = Server::start().await;
    server.world().always(LOGIN, reply);
    let portal = server.client();
    let error = portal.read(at(100)).await.unwrap_err();
    assert_eq!(pause_of(&error), pause);
    let pause = i64::try_from(pause).unwrap();
    let error = portal.read(at(100 + pause - 1)).await.unwrap_err();
    assert_eq!((pause_of(&error), server.requests()), (1, 1), "the network rests during the pause");
    server.world().as_usual();
    portal.read(at(100 + pause)).await.unwrap();
}

#[tokio::test]
async fn failures_double_the_pause_and_a_success_ends_it() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().always(RUNTIME, Reply::status(502, b"Bad Gateway"));
    let mut second = 1000;
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        let before = server.requests();
        assert_eq!(pause_of(&portal.read(at(second)).await.unwrap_err()), pause);
        portal.read(at(second)).await.unwrap_err();
        assert_eq!(server.requests(), before + 1);
        second += i64::try_from(pause).unwrap();
    }
    server.world().as_usual();
    portal.read(at(second)).await.unwrap();
    server.world().always(RUNTIME, Reply::status(502, b"Bad Gateway"));
    assert_eq!(pause_of(&portal.read(at(second + 30)).await.unwrap_err()), 1);
    assert_eq!(server.logins(), 1, "an outage is no reason to sign in");
}

#[tokio::test]
async fn a_refresh_by_a_person_ends_the_pause() {
    let server = Server::start().await;
    server.world().always(LOGIN, Reply::status(429, b""));
    let portal = server.client();
    portal.read(at(0)).await.unwrap_err();
    server.world().as_usual();
    portal.refresh_session(at(1)).await.unwrap();
    portal.read(at(2)).await.unwrap();
}

#[rstest]
#[case(b"{\"success\":true,\"soc\":64,\"ppv\":32")]
#[case(b"")]
#[case(b"null")]
#[case(b"[]")]
#[case(b"\x00\xff\xfe")]
#[case(b"OK")]
#[tokio::test]
async fn answers_that_make_no_sense_pass(#[case] body: &'static [u8]) {
    let server = Server::start().await;
    let portal = server.client();
    server.world().always(RUNTIME, Reply::status(200, body));
    let error = portal.read(at(0)).await.unwrap_err();
    assert!(matches!(error, DeviceError::Protocol(_)), "{error:?}");
    assert!(matches!(portal.read(at(0)).await, Err(DeviceError::Unavailable { .. })));
    assert_eq!(server.requests(), 2);
    server.world().as_usual();
    portal.read(at(1)).await.unwrap();
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let server = Server::start().await;
    server.world().always(RUNTIME, Reply::status(200, "[".repeat(500_000).as_bytes()));
    assert!(matches!(server.client().read(at(0)).await, Err(DeviceError::Protocol(_))));
}

#[rstest]
#[case(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"success\":true,\"soc\":64}")]
#[case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{\"soc\":64}")]
#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer(#[case] bytes: &'static [u8]) {
    let server = Server::start().await;
    server.world().always(RUNTIME, Reply::Bytes(bytes.to_vec()));
    let error = server.client().read(at(0)).await.unwrap_err();
    assert!(matches!(&error, DeviceError::Protocol(words) if words.contains("broke off")), "{error:?}");
}

#[rstest]
#[case(b"")]
#[case(b"SSH-2.0-OpenSSH_9.6\r\n")]
#[tokio::test]
async fn a_connection_that_closes_or_speaks_something_else_is_unreachable(#[case] bytes: &'static [u8]) {
    let server = Server::start().await;
    server.world().always(RUNTIME, Reply::Bytes(bytes.to_vec()));
    let error = server.client().read(at(0)).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let server = Server::start().await;
    server.world().always(RUNTIME, Reply::Endless);
    let error = server.client().read(at(0)).await.unwrap_err();
    assert!(matches!(&error, DeviceError::Protocol(words) if words.contains("1 MiB")), "{error:?}");
}

#[tokio::test]
async fn the_announced_length_isnt_believed() {
    let server = Server::start().await;
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{".to_vec();
    server.world().always(RUNTIME, Reply::Bytes(head));
    assert!(matches!(server.client().read(at(0)).await, Err(DeviceError::Protocol(_))));
}

#[rstest]
#[case(b"")]
#[case(b"HTTP/1.1 200 OK\r\nContent-")]
#[case(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"soc\":64")]
#[tokio::test]
async fn a_portal_that_stalls_is_given_up(#[case] bytes: &'static [u8]) {
    let server = Server::start().await;
    let mut config = server.config();
    config.deadlines.read = Duration::from_millis(100);
    config.deadlines.write = Duration::from_millis(50);
    let portal = Portal::new(config).unwrap();
    server.world().always(LOGIN, Reply::Stalled(bytes.to_vec()));
    let deadline = Duration::from_millis(100);
    let doing = "reading the battery from the portal";
    assert_eq!(portal.read(at(0)).await, Err(DeviceError::TimedOut { doing, deadline }));
    assert!(matches!(portal.read(at(0)).await, Err(DeviceError::Unavailable { .. })));
    assert!(matches!(portal.refresh_session(at(0)).await, Err(DeviceError::TimedOut { .. })));
}

#[tokio::test]
async fn a_reading_given_up_while_replacing_an_old_session_costs_only_itself() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    let signing_in = Arc::new(Notify::new());
    let signal = Arc::clone(&signing_in);
    server.world().instead(move |request| {
        (request.path == LOGIN).then(|| {
            signal.notify_one();
            Reply::Stalled(Vec::new())
        })
    });
    let due = 168 * HOUR;
    tokio::select! {
        reading = portal.read(at(due)) => panic!("the sign-in never ends, but: {reading:?}"),
        () = signing_in.notified() => {}
    }
    assert_eq!(portal.read(at(due)).await.unwrap().soc_percent, Some(64.0));
    assert_eq!(server.logins(), 2);
}

#[tokio::test]
async fn nobody_at_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut config = Server::start().await.config();
    config.base_url = format!("http://{address}");
    let error = Portal::new(config).unwrap().read(at(0)).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn without_tls_at_the_other_end_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let peer = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 65_536];
        let length = stream.read(&mut hello).await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&hello[..length]).into_owned()
    });
    let mut config = Server::start().await.config();
    config.base_url = format!("https://{address}");
    let error = Portal::new(config).unwrap().read(at(0)).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unreachable(_)), "{error:?}");
    assert!(!peer.await.unwrap().contains("account="));
}

#[tokio::test]
async fn an_inverter_that_doesnt_answer_the_portal_passes() {
    let server = Server::start().await;
    let portal = server.client();
    for message in ["DATAFRAME_TIMEOUT", "DEVICE_BUSY"] {
        server.world().always(RUNTIME, Reply::json(&json!({ "success": false, "msg": message })));
        let error = portal.read(at(0)).await.unwrap_err();
        assert!(error.is_transient() && error.to_string().contains(message), "{error}");
        server.world().as_usual();
        portal.read(at(1)).await.unwrap();
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn what_isnt_supported_isnt_asked_again() {
    let server = Server::start().await;
    server.world().always(
        RUNTIME,
        Reply::json(&json!({ "success": false, "msg": "DEVICE_ERROR_UNSUPPORT_DEVICE_TYPE" })),
    );
    let portal = server.client();
    for now in [0, 5 * MINUTE, 10 * MINUTE] {
        assert!(matches!(portal.read(at(now)).await, Err(DeviceError::Unsupported(_))));
    }
    assert_eq!(server.world().count(RUNTIME), 1);
}

#[tokio::test]
async fn a_blocked_account_says_so() {
    let server = Server::start().await;
    server.world().always(RUNTIME, Reply::json(&json!({ "success": false, "msg": "apiBlocked" })));
    let portal = server.client();
    for now in [0, 0, 5] {
        let error = portal.read(at(now)).await.unwrap_err();
        assert!(
            matches!(&error, DeviceError::Refused { words, .. } if words.contains("apiBlocked")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn no_failure_tells_a_secret() {
    let echo = format!("{USER} {PASSWORD} 5E550001");
    let replies = [
        Reply::json(&json!({ "success": false, "msg": echo.clone() })),
        Reply::page(&echo),
        Reply::status(500, echo.as_bytes()),
        Reply::status(200, echo.as_bytes()),
        Reply::status(302, b"").with("Location", "/elsewhere?id=5E550001"),
        Reply::Bytes(Vec::new()),
        Reply::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{echo}").into_bytes()),
    ];
    for path in [LOGIN, RUNTIME] {
        for reply in &replies {
            let server = Server::start().await;
            server.world().always(path, reply.clone());
            let error = server.client().read(at(0)).await.unwrap_err();
            let text = format!("{error} {error:?}");
            for secret in [USER, PASSWORD, "5E55"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}
