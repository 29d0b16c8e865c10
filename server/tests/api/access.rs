//! The gate: nobody changes anything without being known, on no way that there is.

use crate::{
    call::{Reply, get, post, request},
    house::{CANARY, House},
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, header},
};
use leptos::server_fn::axum::server_fn_paths;
use server::access::Scope;
use std::collections::BTreeSet;
use tower::ServiceExt;

const PASSWORD: &str = "sunny side up";

pub(crate) async fn outside(house: &House, request: Request<Body>) -> Response<Body> {
    house.outside.clone().oneshot(request).await.unwrap()
}

pub(crate) async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains(CANARY), "a secret: {text}");
    text
}

/// A form as a browser sends it.
pub(crate) fn form(path: &str, fields: &str, cookie: &str) -> Request<Body> {
    request("POST", path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie)
        .body(Body::from(fields.to_owned()))
        .unwrap()
}

/// What a browser would send back of the cookies of a reply.
fn cookies(response: &Response<Body>) -> String {
    let cookies = response.headers().get_all(header::SET_COOKIE).iter();
    let pairs: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    pairs.join("; ")
}

/// A house with a password, and the cookies of whoever set it.
pub(crate) async fn taken_over() -> (House, String) {
    let house = House::open().await;
    let code = house.access.claim_code().unwrap();
    let response = outside(&house, form("/claim", &format!("code={code}&password={PASSWORD}"), "")).await;
    assert_eq!(response.status(), 303);
    let cookies = cookies(&response);
    (house, cookies)
}

async fn status(house: &House, cookie: &str) -> u16 {
    outside(house, form("/account/sessions/end", "id=0", cookie)).await.status().as_u16()
}

/// Every address that the program answers at, as it knows them itself: its routes and its server functions.
pub(crate) fn addresses(house: &House) -> BTreeSet<String> {
    let routes = format!("{:?}", house.outside);
    let routes = routes.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/'));
    let calls: BTreeSet<_> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    assert!(calls.len() >= 10, "{calls:?}");
    let addresses: BTreeSet<String> =
        routes.map(|route| route.replace(['{', '}', '*'], "")).chain(calls).collect();
    for known in ["/", "/account/tokens/make", "/api/miner/power_off", "/rpc/power_off", "/rpc/demo_heal"] {
        assert!(addresses.contains(known), "{known} isn't among {addresses:?}");
    }
    addresses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_way_that_changes_something_is_open_to_strangers_or_to_those_who_only_look() {
    let (house, _) = taken_over().await;
    let doors = ["/sign-in", "/sign-out", "/claim"];
    let read = house.access.make_token("display", Scope::Read).await.unwrap();
    let walked = addresses(&house);
    for (host, path) in (1_u8..).zip(walked.iter().filter(|path| !doors.contains(&path.as_str()))) {
        // Each from an address of its own: what is asked too often is refused before anybody looks who asks.
        let from = axum::extract::ConnectInfo(std::net::SocketAddr::from(([192, 168, 1, host], 5000)));
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            for token in [None, Some("Bearer wmc_00"), Some("Basic d206d206")] {
                let mut asked = request(method, path).extension(from);
                if let Some(token) = token {
                    asked = asked.header(header::AUTHORIZATION, token);
                }
                let response = outside(&house, asked.body(Body::empty()).unwrap()).await;
                assert_eq!(response.status(), 401, "{method} {path} as {token:?}");
            }
            let asked = request(method, path).extension(from);
            let asked = asked.header(header::AUTHORIZATION, format!("Bearer {read}"));
            let response = outside(&house, asked.body(Body::empty()).unwrap()).await;
            assert!([401, 403].contains(&response.status().as_u16()), "{method} {path} with a token to look");
        }
    }
    // Addresses that aren't there, methods that aren't taken: nothing is told of them either.
    for (method, path) in
        [("DELETE", "/api/miner/status"), ("PUT", "/"), ("POST", "/nothing"), ("PATCH", "/rpc/chart")]
    {
        let response = outside(&house, request(method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 401, "{method} {path}");
    }
    house.run(60).await;
    assert_eq!(house.sent(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_does_what_its_scope_says() {
    let (house, _) = taken_over().await;
    let control = house.access.make_token("script", Scope::Control).await.unwrap();
    let ask = async |path: &str, body: &str| {
        let mut asked = post(path, body.to_owned());
        asked.headers_mut().insert(header::AUTHORIZATION, format!("bearer {control}").parse().unwrap());
        outside(&house, asked).await
    };
    assert_eq!(ask("/api/autocontrol/disable", "{}").await.status(), 202);
    let reply = Reply::read(ask("/account/tokens/make", "{}").await).await;
    assert_eq!(reply.error(403).0, "not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_led_to_the_door_and_a_script_is_told() {
    let (house, _) = taken_over().await;
    let asked = request("POST", "/rpc/power_off").header(header::ACCEPT, "text/html,*/*");
    let asked = asked.header(header::REFERER, "http://127.0.0.1:8080/?range=6h&off=sun");
    let response = outside(&house, asked.body(Body::from("miner=garage")).unwrap()).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[header::LOCATION], "/sign-in?then=%2F%3Frange%3D6h%26off%3Dsun");
    let response =
        outside(&house, request("POST", "/api/miner/power_off").body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(Reply::read(response).await.error(401).0, "sign_in_needed");
    // The page's own call gets words for the person.
    let response = outside(&house, request("POST", "/rpc/power_off").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (response.status().as_u16(), text(response).await.as_str()),
        (401, "\"Sign in to change anything.\"")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_another_one_after_each_sign_in_and_none_after_the_end() {
    let (house, first) = taken_over().await;
    assert_eq!(status(&house, &first).await, 303);
    let response = outside(&house, form("/sign-in", &format!("password={PASSWORD}"), &first)).await;
    let second = cookies(&response);
    assert!(!second.is_empty() && second != first);
    assert_eq!(
        (status(&house, &first).await, status(&house, &second).await),
        (401, 303),
        "the old one ended"
    );
    // Whatever a browser brings along, it isn't what it gets.
    let planted = "wm-session=0000000000000000000000000000000000000000000000000000000000000000";
    let response = outside(&house, form("/sign-in", &format!("password={PASSWORD}"), planted)).await;
    assert!(!cookies(&response).contains("0000000000"), "{}", cookies(&response));
    assert_eq!(status(&house, planted).await, 401);
    let response = outside(&house, form("/sign-out", "", &second)).await;
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(status(&house, &second).await, 401, "a replayed cookie is nobody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_isnt_used_ends_and_no_session_lasts_for_ever() {
    let (house, session) = taken_over().await;
    for _ in 0..12 {
        house.later(29);
        assert_eq!(status(&house, &session).await, 303, "used every four weeks");
    }
    house.later(29);
    assert_eq!(status(&house, &session).await, 401, "a year is over");
    let session = cookies(&outside(&house, form("/sign-in", &format!("password={PASSWORD}"), "")).await);
    house.later(31);
    assert_eq!(status(&house, &session).await, 401, "unused for a month");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_are_for_this_site_alone_and_over_https_for_https_alone() {
    let (house, _) = taken_over().await;
    let sign_in = || form("/sign-in", &format!("password={PASSWORD}"), "");
    let plain = outside(&house, sign_in()).await;
    for cookie in plain.headers().get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("wm-") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
    let mut proxied = sign_in();
    proxied.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
    let from = |address: &str| axum::extract::ConnectInfo::<std::net::SocketAddr>(address.parse().unwrap());
    proxied.extensions_mut().insert(from("10.0.0.2:5000"));
    let encrypted = outside(&house, proxied).await;
    for cookie in encrypted.headers().get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
    }
    let mut pretended = sign_in();
    pretended.headers_mut().insert("x-forwarded-proto", "https".parse().unwrap());
    pretended.extensions_mut().insert(from("192.168.1.66:5000"));
    assert!(cookies(&outside(&house, pretended).await).starts_with("wm-"), "no proxy that is trusted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slowed_and_the_household_isnt_locked_out() {
    let (house, owner) = taken_over().await;
    let guess = async |host: u8, password: &str, cookie: &str| {
        let mut asked = form("/sign-in", &format!("password={password}"), cookie);
        let peer: std::net::SocketAddr = format!("192.168.1.{host}:5000").parse().unwrap();
        asked.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        outside(&house, asked).await
    };
    for _ in 0..5 {
        assert_eq!(guess(66, "password", "").await.status(), 401);
    }
    let wait = guess(66, PASSWORD, "").await;
    assert_eq!((wait.status().as_u16(), &wait.headers()[header::RETRY_AFTER]), (429, &"2".parse().unwrap()));
    assert!(text(wait).await.contains("Too many wrong tries."));
    assert_eq!(guess(67, PASSWORD, "").await.status(), 303, "from elsewhere it is the household");
    for host in 100..156 {
        guess(host, "password", "").await;
    }
    assert_eq!(guess(200, PASSWORD, "").await.status(), 429, "all strangers wait");
    let mark = owner.split("; ").find(|cookie| cookie.starts_with("wm-known")).unwrap();
    assert_eq!(guess(200, PASSWORD, mark).await.status(), 303, "a browser of the house doesn't");
    assert_eq!(status(&house, &owner).await, 303, "and whoever is signed in notices nothing");
    house.run(60).await;
    assert_eq!(guess(200, PASSWORD, "").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_code_and_a_wrong_password_are_told_in_the_same_words() {
    let house = House::open().await;
    let wrong = outside(&house, form("/claim", "code=0000-0000&password=long+enough", "")).await;
    assert_eq!(wrong.status(), 401);
    assert!(text(wrong).await.contains("That isn't right."));
    let unclaimed = outside(&house, form("/sign-in", "password=long+enough", "")).await;
    assert_eq!(unclaimed.status(), 409);
    let code = house.access.claim_code().unwrap();
    let short = outside(&house, form("/claim", &format!("code={code}&password=short"), "")).await;
    assert_eq!(short.status(), 422);
    let claim = || form("/claim", &format!("code={code}&password={PASSWORD}"), "");
    assert_eq!(outside(&house, claim()).await.status(), 303);
    assert_eq!(outside(&house, claim()).await.status(), 409, "once");
    let wrong = outside(&house, form("/sign-in", "password=long+enough", "")).await;
    assert_eq!(wrong.status(), 401);
    assert!(text(wrong).await.contains("That isn't right."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_and_by_whom_is_told() {
    let (house, session) = taken_over().await;
    outside(&house, form("/rpc/power_off", "miner=garage", &session)).await;
    let stranger = request("POST", "/api/miner/power_on").body(Body::empty()).unwrap();
    outside(&house, stranger).await;
    house.run(1).await;
    let mut asked = get("/account");
    asked.headers_mut().insert(header::COOKIE, session.parse().unwrap());
    let page = text(outside(&house, asked).await).await;
    let (_, list) = page.split_once("What was changed").unwrap();
    for told in [
        "POST /rpc/power_off",
        "session 1",
        "done",
        "POST /api/miner/power_on",
        "nobody",
        "took over the house",
    ] {
        assert!(list.contains(told), "{told} in {list}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_changes_at_once_have_to_wait() {
    let (house, session) = taken_over().await;
    let mut waits = 0;
    for _ in 0..260 {
        let response = outside(&house, form("/account/sessions/end", "id=0", &session)).await;
        waits += usize::from(response.status() == 429);
    }
    assert!((1..100).contains(&waits), "{waits} of 260");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_cant_flood_the_list_of_what_was_changed() {
    let (house, session) = taken_over().await;
    for number in 0..50 {
        let path = format!("/api/flood/{number}");
        outside(&house, request("POST", &path).body(Body::empty()).unwrap()).await;
        outside(&house, form("/sign-in", "password=not+the+one", "")).await;
        outside(&house, form("/sign-out", "", "")).await;
    }
    let mut asked = get("/account");
    asked.headers_mut().insert(header::COOKIE, session.parse().unwrap());
    let page = text(outside(&house, asked).await).await;
    let (_, list) = page.split_once("What was changed").unwrap();
    assert_eq!(list.matches("nobody").count(), 2, "the taking over, and one refusal: {list}");
    assert!(list.contains("took over the house"), "{list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_strangers_keeps_nobody_from_switching_off() {
    let (house, session) = taken_over().await;
    let flood = async || {
        let mut last = 0;
        for _ in 0..300 {
            last = outside(&house, form("/rpc/power_off", "miner=garage", "")).await.status().as_u16();
        }
        last
    };
    assert_eq!(flood().await, 429, "strangers wait");
    assert_eq!(outside(&house, form("/rpc/power_off", "miner=garage", &session)).await.status(), 200);
    house.run(60).await;
    assert!(house.sent().iter().any(|sent| sent.contains("stop")), "{:?}", house.sent());
}
