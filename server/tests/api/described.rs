//! The description of the API: it names every route and no other, and every reply is as it says.

use crate::{
    access::addresses,
    call::{Reply, get, post, request},
    house::{House, Options},
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use jsonschema::Validator;
use serde_json::{Value, json};
use simulator::{
    miner::Faults,
    portal::{PortalFaults, ReplyFault},
};
use std::collections::BTreeSet;
use tower::ServiceExt;

/// What the program says of itself.
struct Description(Value);

impl Description {
    async fn of(house: &House) -> Self {
        Self(house.get("/api/openapi.json").await)
    }

    /// What is said of the reply to this.
    fn reply(&self, method: &str, path: &str, status: u16) -> &Value {
        let path = path.split('?').next().unwrap();
        let reply = &self.0["paths"][path][method.to_lowercase()]["responses"][status.to_string()];
        assert!(reply.is_object(), "{method} {path} isn't described with {status}");
        reply
    }

    /// The shape that such a reply has.
    fn shape(&self, method: &str, path: &str, status: u16) -> Validator {
        let mut shape = self.reply(method, path, status)["content"]["application/json"]["schema"].clone();
        assert!(shape.is_object(), "{method} {path} {status} has no shape");
        shape["components"] = self.0["components"].clone();
        jsonschema::draft202012::options().should_validate_formats(true).build(&shape).unwrap()
    }

    /// Asks, and holds the reply against what is said of it.
    async fn ask(&self, house: &House, request: Request<Body>) -> (u16, Value) {
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let Reply { status, body, headers } = house.call(request).await;
        let status = status.as_u16();
        assert_eq!(headers[header::CONTENT_TYPE], "application/json", "{method} {uri}");
        let shape = self.shape(&method, &uri, status);
        let wrong: Vec<_> =
            shape.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{method} {uri} {status}: {wrong:#?}\n{body:#}");
        (status, body)
    }

    /// Every method and path.
    fn calls(&self) -> BTreeSet<(String, String)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let calls = paths.flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        });
        calls.collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_described_and_nothing_else_is() {
    let house = House::open().await;
    let mut routes = BTreeSet::new();
    for path in addresses(&house).into_iter().filter(|path| path.starts_with("/api/") && path != "/api/") {
        // Nothing takes this one: what does is told.
        let refused =
            house.router.clone().oneshot(request("TRACE", &path).body(Body::empty()).unwrap()).await;
        let refused = refused.unwrap();
        // What the router calls the place where nothing else is.
        if refused.status() == 404 {
            continue;
        }
        assert_eq!(refused.status(), 405, "{path}");
        let taken = refused.headers()[header::ALLOW].to_str().unwrap().to_owned();
        let taken = taken.split(',').map(str::trim).filter(|method| *method != "HEAD");
        routes.extend(taken.map(|method| (method.to_owned(), path.clone())));
    }
    assert!(routes.len() >= 19, "{routes:?}");
    assert_eq!(Description::of(&house).await.calls(), routes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_that_reads_is_as_described() {
    let house = House::open().await;
    let description = Description::of(&house).await;
    house.say_twice(60.0).await;
    house.post("/api/miner/power_pct", json!({ "percent": 50, "hours": 1 })).await.with(202);
    house.run(900).await;
    let mut asked = BTreeSet::new();
    for (method, path) in description.calls() {
        // What isn't JSON, the stream and the table, has its own tests.
        if method != "GET" || description.reply(&method, &path, 200)["content"]["application/json"].is_null()
        {
            continue;
        }
        let (status, body) = description.ask(&house, get(&path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        asked.insert(path);
    }
    assert!(asked.len() >= 10, "{asked:?}");
    for path in [
        "/api/miner/history?days=1&points=3",
        "/api/battery/history?days=1&points=3",
        "/api/decisions?commands=true&limit=1",
    ] {
        assert_eq!(description.ask(&house, get(path)).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reply_that_changes_something_is_as_described() {
    // Nothing listens at port 1.
    let notify = json!({ "ntfy_url": "http://127.0.0.1:1/topic" });
    let house = House::with(Options { notify, ..Options::default() }).await;
    let description = Description::of(&house).await;
    for (path, body, status) in [
        ("/api/autocontrol/disable", "{}", 202),
        ("/api/autocontrol/enable", "", 202),
        ("/api/miner/power_pct", r#"{"percent":50}"#, 202),
        ("/api/miner/power_limit", r#"{"watts":2000,"hours":0.5}"#, 202),
        ("/api/miner/power_off", "", 202),
        ("/api/miner/power_on", r#"{"confirm":true}"#, 202),
        ("/api/battery/refresh_session", "{}", 202),
        ("/api/alerts/clear", "", 200),
        ("/api/alerts/test", "", 200),
    ] {
        let (told, reply) = description.ask(&house, post(path, body)).await;
        assert_eq!(told, status, "{path}: {reply}");
        house.run(20).await;
        for path in ["/api/miner/status", "/api/miner/op_status", "/api/system/status"] {
            description.ask(&house, get(path)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_as_described() {
    let house = House::open().await;
    let description = Description::of(&house).await;
    for (request, status) in [
        (get("/api/miner/status?id=nobody"), 404),
        (get("/api/miner/status?name=x"), 400),
        (get("/api/miner/history?from=2026-06-21T18:00:00Z&to=2026-06-21T17:00:00Z"), 400),
        (get("/api/battery/history?points=0"), 400),
        (get("/api/history.csv?points=10001"), 400),
        (get("/api/history.csv?id=nobody"), 404),
        (get("/api/decisions?miner=nobody"), 404),
        (get("/api/decisions?rule=none"), 400),
        (get("/api/events?after=%FF%FE&view=x"), 422),
        (post("/api/miner/power_pct", r#"{"percent":0}"#), 422),
        (post("/api/miner/power_pct", r#"{"percent":"#), 400),
        (post("/api/miner/power_limit", " ".repeat(20_000)), 413),
        (request("POST", "/api/miner/power_off").body(Body::from("x")).unwrap(), 415),
        (post("/api/alerts/clear", r#"{"until":"yesterday"}"#), 422),
        (post("/api/alerts/test", "{}"), 409),
    ] {
        let what = format!("{} {}", request.method(), request.uri());
        assert_eq!(description.ask(&house, request).await.0, status, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unknown_is_described_too() {
    let house = House::with(Options {
        miner_faults: Faults { refuse_connections: true, ..Faults::default() },
        portal_faults: PortalFaults {
            reply: Some(ReplyFault::ServerError { status: 503 }),
            ..PortalFaults::default()
        },
        ..Options::default()
    })
    .await;
    let description = Description::of(&house).await;
    for (path, status) in [
        ("/api/miner/status", 200),
        ("/api/battery/status", 200),
        ("/api/autocontrol/status", 200),
        ("/api/system/status", 200),
        ("/api/network/devices", 200),
        ("/api/system/health", 503),
    ] {
        assert_eq!(description.ask(&house, get(path)).await.0, status, "{path}");
    }
    assert_eq!(description.ask(&house, post("/api/battery/refresh_session", "")).await.0, 502);
}

/// What would let anything pass as described.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_with_another_member_or_without_one_is_not_as_described() {
    let house = House::open().await;
    let description = Description::of(&house).await;
    let shape = description.shape("GET", "/api/miner/status", 200);
    let reply = house.get("/api/miner/status").await;
    assert!(shape.is_valid(&reply));
    for member in ["/status", "/decision", "/latches", "/connection", "/decision/explanation"] {
        let mut more = reply.clone();
        more.pointer_mut(member).unwrap()["unheard_of"] = json!(1);
        assert!(!shape.is_valid(&more), "{member} with another member");
        let mut less = reply.clone();
        let members = less.pointer_mut(member).unwrap().as_object_mut().unwrap();
        let first = members.keys().next().unwrap().clone();
        members.remove(&first);
        assert!(!shape.is_valid(&less), "{member} without {first}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_is_not_sent_again_to_those_who_have_it() {
    let house = House::open().await;
    let asked = |tag: &str| {
        let request = request("GET", "/api/openapi.json").header(header::IF_NONE_MATCH, tag);
        house.router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let first = asked("\"another\"").await.unwrap();
    assert_eq!(first.status(), 200);
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again = asked(&format!("\"another\", {tag}")).await.unwrap();
    assert_eq!(
        (again.status().as_u16(), again.headers()[header::ETAG].to_str().unwrap()),
        (304, tag.as_str())
    );
    assert!(to_bytes(again.into_body(), 1 << 20).await.unwrap().is_empty());
}
