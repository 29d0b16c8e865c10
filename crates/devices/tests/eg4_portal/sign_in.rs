//! Signing in: what is sent, when, and what wrong credentials do.

use crate::server::{HOUR, LOGIN, MINUTE, PASSWORD, RUNTIME, Reply, SERIAL, Server, USER, at};
use devices::{BatterySource, DeviceError, Secret, eg4::Portal};
use serde_json::json;

#[tokio::test]
async fn forms_and_headers_are_what_the_portal_expects() {
    let server = Server::start().await;
    let portal = server.client();
    assert_eq!(portal.session_since(), None);
    portal.read(at(7)).await.unwrap();
    assert_eq!(portal.session_since(), Some(at(7).utc));
    let requests = server.world().requests.clone();
    let [login, runtime] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((login.path.as_str(), runtime.path.as_str()), (LOGIN, RUNTIME));
    let form = [("account", USER), ("password", PASSWORD), ("language", "ENGLISH")];
    assert_eq!(login.form, form.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(login.headers.get("cookie"), None);
    assert_eq!(runtime.form, [("serialNum".to_owned(), SERIAL.to_owned())]);
    assert_eq!(runtime.headers["cookie"], "JSESSIONID=5E550001");
    for request in [login, runtime] {
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded; charset=UTF-8");
        assert_eq!(request.headers["accept"], "application/json");
    }
}

#[tokio::test]
async fn one_session_serves_many_readings() {
    let server = Server::start().await;
    let portal = server.client();
    for minute in 0..5 {
        portal.read(at(minute * MINUTE)).await.unwrap();
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn an_address_may_have_a_prefix_and_slashes() {
    let server = Server::start().await;
    let mut config = server.config();
    config.base_url.push_str("/proxy//");
    let portal = Portal::new(config).unwrap();
    portal.read(at(0)).await.unwrap_err();
    assert_eq!(server.world().requests[0].path, format!("/proxy{LOGIN}"));
}

#[tokio::test]
async fn refused_credentials_are_tried_again_after_hours_only() {
    let server = Server::start().await;
    let mut config = server.config();
    config.password = Secret::new("wrong".to_owned());
    let portal = Portal::new(config).unwrap();
    let mut attempts = 0;
    let mut second = 0;
    for pause in [15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 24 * HOUR] {
        attempts += 1;
        for now in [second, second + 30, second + pause - 1] {
            let error = portal.read(at(now)).await.unwrap_err();
            assert!(matches!(error, DeviceError::BadCredentials(_)), "{error:?}");
            assert_eq!(server.requests(), attempts);
        }
        second += pause;
    }
    assert_eq!(portal.session_since(), None);
}

#[tokio::test]
async fn a_person_may_try_the_credentials_at_any_time() {
    let server = Server::start().await;
    let refusal = json!({ "success": false, "msg": "LOGIN_ERROR_DISMATCH", "msgCode": 101 });
    server.world().always(LOGIN, Reply::json(&refusal));
    let portal = server.client();
    portal.read(at(0)).await.unwrap_err();
    let error = portal.refresh_session(at(1)).await.unwrap_err();
    assert!(matches!(error, DeviceError::BadCredentials(_)));
    assert_eq!(server.logins(), 2);
    server.world().as_usual();
    portal.read(at(2)).await.unwrap_err();
    assert_eq!(server.logins(), 2);
    portal.refresh_session(at(3)).await.unwrap();
    assert_eq!(portal.session_since(), Some(at(3).utc));
    assert_eq!(portal.read(at(4)).await.unwrap().soc_percent, Some(64.0));
}

#[tokio::test]
async fn a_busy_login_is_no_refusal() {
    let server = Server::start().await;
    server.world().always(LOGIN, Reply::json(&json!({ "success": false, "msg": "SERVER_BUSY" })));
    let portal = server.client();
    let error = portal.read(at(0)).await.unwrap_err();
    assert!(matches!(error, DeviceError::Unavailable { .. }), "{error:?}");
    server.world().as_usual();
    portal.read(at(1)).await.unwrap();
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = Server::start().await;
    for (user, password) in [("", PASSWORD), (USER, ""), ("", "")] {
        let mut config = server.config();
        config.user = Secret::new(user.to_owned());
        config.password = Secret::new(password.to_owned());
        let portal = Portal::new(config).unwrap();
        let error = portal.read(at(0)).await.unwrap_err();
        assert!(
            matches!(&error, DeviceError::BadCredentials(words) if words.contains("configured")),
            "{error:?}"
        );
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_login_without_a_cookie_opens_nothing() {
    let server = Server::start().await;
    let reply = Reply::json(&server.world().login);
    server.world().always(LOGIN, reply);
    let error = server.client().read(at(0)).await.unwrap_err();
    assert!(matches!(error, DeviceError::Protocol(_)), "{error:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn an_old_session_is_replaced() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    portal.read(at(168 * HOUR - 1)).await.unwrap();
    assert_eq!(server.logins(), 1);
    portal.read(at(168 * HOUR)).await.unwrap();
    assert_eq!(server.logins(), 2);
    assert_eq!(portal.session_since(), Some(at(168 * HOUR).utc));
}

#[tokio::test]
async fn an_old_session_serves_on_if_it_cant_be_replaced() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    server.world().always(LOGIN, Reply::page("maintenance"));
    let due = 168 * HOUR;
    for now in [due, due + 30, due + 14 * MINUTE] {
        assert_eq!(portal.read(at(now)).await.unwrap().soc_percent, Some(64.0));
    }
    assert_eq!(server.logins(), 2, "one attempt to replace it");
    server.world().as_usual();
    portal.read(at(due + 15 * MINUTE)).await.unwrap();
    assert_eq!(server.logins(), 3);
}

#[tokio::test]
async fn a_person_gets_a_new_session_although_the_old_one_works() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    portal.refresh_session(at(5)).await.unwrap();
    assert_eq!((server.logins(), portal.session_since()), (2, Some(at(5).utc)));
}

#[tokio::test]
async fn side_by_side_readings_share_one_sign_in() {
    let server = Server::start().await;
    let portal = server.client();
    let readings = [portal.read(at(0)), portal.read(at(0)), portal.read(at(0)), portal.read(at(0))];
    for reading in futures::future::join_all(readings).await {
        assert_eq!(reading.unwrap().soc_percent, Some(64.0));
    }
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn nothing_personal_is_printed() {
    let server = Server::start().await;
    let portal = server.client();
    portal.read(at(0)).await.unwrap();
    let text = format!("{portal:?} {:?}", server.config());
    for secret in [USER, PASSWORD, "5E55"] {
        assert!(!text.contains(secret), "{text}");
    }
}
