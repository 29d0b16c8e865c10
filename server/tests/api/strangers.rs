//! Pages of other sites, and names that aren't this machine's.

use crate::{
    call::{get, post, request},
    house::House,
};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use tower::ServiceExt;

/// A wish that would be taken up, with these headers.
fn wish(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let body = if path.ends_with("power_pct") { "{\"percent\":60}" } else { "{}" };
    let mut request = post(path, body);
    for (name, value) in headers {
        let name: header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_changes_nothing() {
    let house = House::open().await;
    let strangers: [&[(&str, &str)]; 8] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:9999")],
        &[("origin", "http://127.0.0.1:8080.evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8080")],
        &[("origin", "https://evil.example"), ("content-type", "text/plain")],
    ];
    for path in [
        "/api/miner/power_on",
        "/api/miner/power_off",
        "/api/miner/power_pct",
        "/api/autocontrol/disable",
        "/api/battery/refresh_session",
    ] {
        for headers in strangers {
            let (code, _, _) = house.call(wish(path, headers)).await.error(403);
            assert_eq!(code, "cross_origin", "{path} {headers:?}");
        }
    }
    house.run(60).await;
    assert_eq!(house.sent(), Vec::<String>::new());
    assert_eq!(house.get("/api/miner/status").await["intent"]["power"], "undecided");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_page_and_scripts_may() {
    let house = House::open().await;
    let own: [&[(&str, &str)]; 4] = [
        &[],
        &[("origin", "http://127.0.0.1:8080")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8080")],
        &[("sec-fetch-site", "none")],
    ];
    for headers in own {
        house.call(wish("/api/autocontrol/enable", headers)).await.with(202);
    }
}

/// Another site's page may ask, as it may ask anything; the browser doesn't show it the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reply_invites_pages_of_other_sites_to_read_it() {
    let house = House::open().await;
    let asked = request("GET", "/api/miner/status").header(header::ORIGIN, "https://evil.example");
    let reply = house.call(asked.body(Body::empty()).unwrap()).await;
    assert!(
        !reply.headers.keys().any(|name| name.as_str().starts_with("access-control")),
        "{:?}",
        reply.headers
    );
    let preflight = request("OPTIONS", "/api/miner/power_off")
        .header(header::ORIGIN, "https://evil.example")
        .header("access-control-request-method", "POST");
    let reply = house.call(preflight.body(Body::empty()).unwrap()).await;
    assert!(
        !reply.headers.keys().any(|name| name.as_str().starts_with("access-control")),
        "{:?}",
        reply.headers
    );
    assert!(!reply.status.is_success());
}

/// A page that points its own name at the loopback address (DNS rebinding) is of the same origin as its requests:
/// only the name tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_names_are_answered_with_nothing() {
    let house = House::open().await;
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8080",
        "0.0.0.0:8080",
        "[::]",
        "127.0.0.1@evil.example",
        "localhost:8080:8080",
        "",
    ] {
        for (method, path) in
            [("GET", "/api/miner/status"), ("GET", "/api/nothing"), ("POST", "/api/miner/power_off")]
        {
            let request = Request::builder().method(method).uri(path).header(header::HOST, host);
            let request = request.header(header::ORIGIN, format!("http://{host}"));
            let (code, _, _) = house.call(request.body(Body::empty()).unwrap()).await.error(421);
            assert_eq!(code, "unknown_host", "{method} {path} at {host:?}");
        }
    }
    let nameless = Request::builder().uri("/api/miner/status").body(Body::empty()).unwrap();
    house.call(nameless).await.error(421);
    house.run(60).await;
    assert_eq!(house.sent(), Vec::<String>::new());

    for host in [
        "localhost",
        "localhost:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
        "192.168.1.5:8080",
        "Solar.example:8080",
    ] {
        let request = Request::builder().uri("/api/system/health").header(header::HOST, host);
        let body = house.call(request.body(Body::empty()).unwrap()).await.with(200);
        assert_eq!(body["ok"], json!(true));
        assert_ne!(body["status"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_tells_the_browser_what_not_to_do() {
    let house = House::open().await;
    for path in ["/", "/decisions", "/sign-in", "/api/miner/status", "/nothing", "/api/nothing"] {
        let response = house.router.clone().oneshot(get(path)).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let scripts = policy.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert_eq!(scripts.trim(), "script-src 'self' 'wasm-unsafe-eval'");
        assert!(
            !policy.contains("http:") && !policy.contains("https:"),
            "nothing comes from elsewhere: {policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
    }
}
