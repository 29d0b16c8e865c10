//! The journal of decisions: what a script reads of it, and what a person sees of it on its page.

use crate::{
    call::{self, get},
    house::{CANARY, House, Miners, Options},
    shape::assert_shape,
};
use axum::{body::to_bytes, http::header};
use serde_json::{Value, json};
use tower::ServiceExt;

const DECISION: [(&str, &str); 11] = [
    ("id", "whole"),
    ("at", "time"),
    ("miner", "text"),
    ("rule", "text"),
    ("reason", "text"),
    ("command", "object?"),
    ("blocked_by", "text?"),
    ("blocked_until", "time?"),
    ("explanation", "object"),
    ("readings", "object"),
    ("op", "object?"),
];
const READINGS: [(&str, &str); 4] = [
    ("soc_percent", "number?"),
    ("soc_at", "time?"),
    ("power_w", "number?"),
    ("power_set_percent", "number?"),
];

async fn decisions(house: &House, query: &str) -> Vec<Value> {
    house.get(&format!("/api/decisions{query}")).await["decisions"].as_array().unwrap().clone()
}

/// The page at this address.
async fn page(house: &House, path: &str) -> String {
    let response = house.router.clone().oneshot(get(path)).await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!html.contains(CANARY), "a secret: {html}");
    html
}

/// A house in which the battery fell to 60 % and then to 30 %, and everything was seen to work.
async fn fallen() -> House {
    let house = House::open().await;
    house.say_twice(60.0).await;
    house.run(300).await;
    house.say_twice(30.0).await;
    house.run(300).await;
    house
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_tells_its_reasons_its_readings_and_what_became_of_it() {
    let house = fallen().await;
    let all = decisions(&house, "").await;
    for decision in &all {
        assert_shape(decision, &DECISION);
        assert_shape(&decision["readings"], &READINGS);
        assert!(!decision["explanation"]["why"].as_str().unwrap().is_empty());
    }
    let instants: Vec<_> = all.iter().map(|decision| decision["at"].as_str().unwrap()).collect();
    assert!(instants.is_sorted_by(|newer, older| newer >= older), "newest first: {instants:?}");

    let sent = decisions(&house, "?commands=true").await;
    let commands: Vec<_> = sent.iter().map(|decision| &decision["command"]["kind"]).collect();
    assert_eq!(commands, ["off", "set_power"], "as the miner was sent: {:?}", house.sent());
    let (off, down) = (&sent[0], &sent[1]);
    assert_eq!((&off["rule"], &off["reason"]), (&json!("emergency"), &json!("emergency_soc")));
    assert_eq!((&off["op"]["stage"], &off["op"]["command"]["kind"]), (&json!("observed"), &json!("off")));
    assert_eq!(off["readings"]["soc_percent"], 30.0);
    assert_eq!((&down["rule"], &down["command"]["percent"]), (&json!("ladder"), &json!(60)));
    assert_eq!(down["op"]["command"], down["command"]);
    let readings = &down["readings"];
    assert_eq!((&readings["soc_percent"], &readings["power_set_percent"]), (&json!(60.0), &json!(100.0)));
    assert!(readings["power_w"].as_f64().unwrap() > 3000.0, "{readings}");
    assert!(readings["soc_at"].as_str() < down["at"].as_str(), "the battery spoke first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_is_what_is_told() {
    let house = fallen().await;
    let all = decisions(&house, "").await;
    let rules = async |query: &str| -> Vec<Value> {
        decisions(&house, query).await.into_iter().map(|decision| decision["rule"].clone()).collect()
    };
    let emergencies = rules("?rule=emergency").await;
    assert!(!emergencies.is_empty() && emergencies.iter().all(|rule| rule == "emergency"));
    let both = rules("?rule=emergency&rule=ladder&miner=garage").await;
    assert!(
        both.len() > emergencies.len() && both.iter().all(|rule| rule == "emergency" || rule == "ladder")
    );
    assert_eq!(decisions(&house, "?days=1").await, all);
    assert_eq!(decisions(&house, "?to=2026-06-20T00:00:00Z").await, Vec::<Value>::new());
    let since = all[0]["at"].as_str().unwrap();
    assert_eq!(decisions(&house, &format!("?from={since}")).await, all[..1], "from is inside");
    assert_eq!(decisions(&house, &format!("?to={since}")).await, all[1..], "to is not");

    let mut walked = Vec::new();
    let mut next = "?limit=2".to_owned();
    loop {
        let reply = house.get(&format!("/api/decisions{next}")).await;
        let page = reply["decisions"].as_array().unwrap();
        assert!(page.len() <= 2);
        walked.extend(page.iter().cloned());
        let Some(older) = reply["older"].as_str() else { break };
        next = format!("?limit=2&before={older}");
    }
    assert_eq!(walked, all, "each once, in the same order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_is_refused() {
    let house = House::open().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("days=x", "days"),
        ("rule=gravity", "rule"),
        ("commands=yes", "commands"),
        ("before=yesterday", "before"),
        ("points=5", "points"),
        ("to=2026-06-20T00:00:00Z&from=2026-06-21T00:00:00Z", "from"),
    ] {
        let (code, message, found) = house.call(get(&format!("/api/decisions?{query}"))).await.error(400);
        assert_eq!((code.as_str(), found.as_deref()), ("bad_query", Some(field)), "{query}");
        if field == "rule" {
            assert!(message.contains("person_off"), "it names the rules there are: {message}");
        }
    }
    let (code, _, field) = house.call(get("/api/decisions?miner=nobody")).await.error(404);
    assert_eq!((code.as_str(), field.as_deref()), ("no_such_miner", Some("miner")));
    house.call(call::post("/api/decisions", "{}")).await.error(405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_was_done_why_and_what_became_of_it() {
    let house = fallen().await;
    let html = page(&house, "/decisions").await;
    for text in [
        "<h1>Decisions</h1>",
        "Sunday 21 June",
        "off seen after",
        "seen to work after",
        "Emergency",
        "set to 100\u{a0}%",
        "America/Denver",
        "/?range=6h&amp;at=",
        "Decisions · Test house",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    assert!(!html.contains("<script"), "nothing is brought to life here");
    let safety = page(&house, "/decisions?about=safety").await;
    assert!(safety.contains("Emergency") && !safety.contains(">Ladder<"), "{safety}");
    let earlier = page(&house, "/decisions?day=2026-06-01").await;
    assert!(earlier.contains("Nothing was decided in this time."), "{earlier}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_means_nothing_shows_everything() {
    let house = fallen().await;
    let all = page(&house, "/decisions").await;
    for query in [
        "?about=x&miner=%3Cscript%3E&day=2026-02-30&before=1&after=2",
        "?about=&miner=&day=&before=&after=",
        "?about=all&about=all",
        "?%FF",
        "?after=0.0",
    ] {
        assert_eq!(page(&house, &format!("/decisions{query}")).await, all, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_miners_one_can_be_picked_and_names_stay_text() {
    let options = Options { miners: Miners(&["garage", "shed"]), ..Options::default() };
    let house = House::with(options).await;
    house.say_twice(60.0).await;
    house.run(60).await;
    let html = page(&house, "/decisions?miner=shed").await;
    assert!(html.contains("shed &lt;b&gt;") && !html.contains("shed <b>"), "a name is never markup: {html}");
    let rows = |html: &str, name: &str| html.matches(&format!("{name} &lt;b&gt; · ")).count();
    assert_eq!(rows(&html, "garage"), 0);
    assert!(rows(&html, "shed") > 0);
    let both = page(&house, "/decisions").await;
    assert!(rows(&both, "garage") > 0 && rows(&both, "shed") > 0);
    let shed = decisions(&house, "?miner=shed").await;
    assert!(!shed.is_empty() && shed.iter().all(|decision| decision["miner"] == "shed"));
}
