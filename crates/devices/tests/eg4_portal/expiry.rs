//! Sessions that end, seem to end, or never work.

use crate::server::{LOGIN, MINUTE, RUNTIME, Reply, Server, Style, at, runtime};
use devices::{BatterySource, DeviceError};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[tokio::test]
async fn an_expired_session_is_replaced_and_the_reading_repeated_once(
    #[values(
        Style::LoginPage,
        Style::Unauthorised,
        Style::Redirect,
        Style::Forbidden,
        Style::Words,
        Style::Silence
    )]
    style: Style,
) {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().expire(style);
    let reading = portal.read(at(60)).await.unwrap();
    assert_eq!(reading.soc_percent, Some(64.0));
    assert_eq!(portal.session_since(), Some(at(60).utc));
    assert_eq!((server.logins(), server.world().count(RUNTIME)), (2, 3));
    server.world().expire(style);
    assert_eq!(portal.read(at(120)).await.unwrap().soc_percent, Some(64.0), "as often as it expires");
}

#[rstest]
#[tokio::test]
async fn a_new_session_that_is_refused_too_is_the_portals_problem(
    #[values(Style::LoginPage, Style::Unauthorised, Style::Redirect, Style::Words)] style: Style,
) {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().always(RUNTIME, style.reply());
    for now in [60, 120, 240, 15 * MINUTE + 59] {
        let error = portal.read(at(now)).await.unwrap_err();
        assert!(matches!(error, DeviceError::Unavailable { .. }), "{error:?}");
        assert_eq!(server.logins(), 2, "no second sign-in within a quarter of an hour");
    }
    portal.read(at(17 * MINUTE)).await.unwrap_err();
    assert_eq!(server.logins(), 3);
    server.world().as_usual();
    assert_eq!(portal.read(at(19 * MINUTE)).await.unwrap().soc_percent, Some(64.0));
    assert_eq!(server.logins(), 3, "the session that was refused works now");
}

#[tokio::test]
async fn access_refused_to_a_new_session_means_slow_down() {
    let server = Server::start().await;
    server.world().always(RUNTIME, Style::Forbidden.reply());
    let portal = server.client();
    let error = portal.read(at(0)).await.unwrap_err();
    assert!(
        matches!(error, DeviceError::Unavailable { retry_after, .. } if retry_after.as_secs() == 900),
        "{error:?}"
    );
    let requests = server.requests();
    portal.read(at(15 * MINUTE - 1)).await.unwrap_err();
    assert_eq!(server.requests(), requests);
}

#[tokio::test]
async fn a_zombie_session_is_replaced_once_and_then_gives_readings_without_values() {
    for nothing in [
        json!({ "success": false, "data": null }),
        json!({ "success": true, "lost": false, "soc": "", "ppv": null, "serverTime": "2026-03-20 09:40:11" }),
        json!({}),
    ] {
        let server = Server::start().await;
        let portal = server.client();
        portal.read(at(0)).await.unwrap();
        server.world().always(RUNTIME, Reply::json(&nothing));
        for now in [60, 90, 120, 14 * MINUTE] {
            let reading = portal.read(at(now)).await.unwrap();
            assert_eq!((reading.soc_percent, reading.pv, reading.lost), (None, None, false));
            assert_eq!(server.logins(), 2);
        }
        server.world().as_usual();
        assert_eq!(portal.read(at(15 * MINUTE)).await.unwrap().soc_percent, Some(64.0));
        assert_eq!(server.logins(), 2);
    }
}

#[tokio::test]
async fn an_offline_inverter_is_no_expired_session() {
    let server = Server::start().await;
    server
        .world()
        .always(RUNTIME, Reply::json(&json!({ "success": true, "lost": true, "statusText": "offline" })));
    let portal = server.client();
    for now in [0, 60] {
        let reading = portal.read(at(now)).await.unwrap();
        assert!(reading.lost);
        assert_eq!(reading.soc_percent, None);
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn one_silent_inverter_is_no_expired_session() {
    let time = "2026-03-20 09:40:11";
    let server = Server::with_inverters(&[
        ("52310A0071", runtime(64, time)),
        ("52310A0072", json!({ "success": false, "msg": "" })),
    ])
    .await;
    let portal = server.client();
    for now in [0, 60, 120] {
        let reading = portal.read(at(now)).await.unwrap();
        assert_eq!((reading.soc_percent, reading.pv), (Some(64.0), None));
        assert_eq!(reading.units[1].soc, None);
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn several_inverters_and_readings_share_one_new_sign_in() {
    let time = "2026-03-20 09:40:11";
    let server =
        Server::with_inverters(&["52310A0071", "52310A0072", "52310A0073"].map(|it| (it, runtime(64, time))))
            .await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().expire(Style::LoginPage);
    let readings = [portal.read(at(60)), portal.read(at(60)), portal.read(at(60))];
    for reading in futures::future::join_all(readings).await {
        assert_eq!(reading.unwrap().soc_percent, Some(64.0));
    }
    assert_eq!(server.logins(), 2);
}

#[tokio::test]
async fn maintenance_leaves_the_session_alone() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().instead(|_| Some(Reply::page("The system is being upgraded.")));
    for now in [60, 120, 600] {
        let error = portal.read(at(now)).await.unwrap_err();
        assert!(matches!(error, DeviceError::Unavailable { .. }), "{error:?}");
    }
    let logins = server.logins();
    server.world().as_usual();
    assert_eq!(portal.read(at(700)).await.unwrap().soc_percent, Some(64.0));
    assert_eq!((server.logins(), portal.session_since()), (logins, Some(at(0).utc)));
}

#[tokio::test]
async fn credentials_refused_at_expiry_end_the_session() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().expire(Style::LoginPage);
    let (page, refusal) = (Style::LoginPage.reply(), Reply::json(&json!({ "success": false, "msg": "" })));
    server
        .world()
        .instead(move |request| Some(if request.path == LOGIN { refusal.clone() } else { page.clone() }));
    for _ in 0..3 {
        let error = portal.read(at(60)).await.unwrap_err();
        assert!(matches!(error, DeviceError::BadCredentials(_)), "{error:?}");
    }
    assert_eq!((server.logins(), portal.session_since()), (2, None));
}
