//! The stream of events. Whoever follows it holds what the server holds.

use crate::{call, house::House};
use app::view::View;
use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use model::event::{Event, Overview};
use serde_json::json;
use tower::ServiceExt;

/// A listener.
struct Stream {
    body: BodyDataStream,
    text: String,
}

/// An event with its number.
#[derive(Debug)]
struct Heard {
    id: String,
    event: Event,
}

impl Stream {
    async fn open(house: &House, path: &str) -> Self {
        let request = call::get(path);
        let response = house.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: Body::into_data_stream(response.into_body()), text: String::new() }
    }

    async fn next(&mut self) -> Heard {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    block.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
                };
                if let (Some(name), Some(data), Some(id)) = (field("event:"), field("data:"), field("id:")) {
                    let event = format!(r#"{{"event":"{name}","data":{data}}}"#);
                    return Heard { id, event: serde_json::from_str(&event).unwrap() };
                }
            }
            let chunk = self.body.next().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn snapshot(&mut self) -> Overview {
        match self.next().await.event {
            Event::Snapshot(overview) => *overview,
            other => unreachable!("the first event is {}", other.name()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_holds_what_the_server_holds() {
    let house = House::open().await;
    let mut stream = Stream::open(&house, "/api/events").await;
    let mut held = stream.snapshot().await.snapshot;
    house.say_twice(60.0).await;
    house.run(900).await;
    house.post("/api/miner/power_off", json!({})).await.with(202);
    house.run(300).await;
    let wanted = house.get("/api/miner/status").await;
    // Until the tick that the server published last: events are in order.
    let last = house.get("/api/system/status").await["tick"].as_u64().unwrap();
    while held.tick < last {
        held.apply(stream.next().await.event);
    }
    let miner = &held.miners[0];
    assert_eq!(json!(miner.state), wanted["status"]["state"]);
    assert_eq!(json!(miner.operations.first()), wanted["op"]);
    assert_eq!(json!(miner.latches), wanted["latches"]);
    assert_eq!(json!(miner.decision.explanation), wanted["decision"]["explanation"]);
    assert_eq!(json!(miner.reading.as_ref().unwrap().power), wanted["status"]["power_w"]);
    assert!(miner.operations.len() >= 2, "{miner:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_is_told_what_was_missed_and_then_how_things_stand() {
    let house = House::open().await;
    let mut stream = Stream::open(&house, "/api/events").await;
    let mut id = stream.next().await.id;
    house.run(30).await;
    id = stream.next().await.id.max(id);
    drop(stream);
    house.post("/api/miner/power_off", json!({})).await.with(202);
    // What was done is on its way into the stream: a listener that stays sees when it is through.
    let mut other = Stream::open(&house, "/api/events").await;
    house.run(60).await;
    while !matches!(other.next().await.event, Event::Tick(tick) if tick.miners[0].state == model::snapshot::MinerState::Off)
    {
    }
    let mut back = Stream::open(&house, &format!("/api/events?after={id}")).await;
    let mut missed = Vec::new();
    let overview = loop {
        match back.next().await.event {
            Event::Snapshot(overview) => break overview,
            event => missed.push(event),
        }
    };
    assert!(missed.iter().any(|event| matches!(event, Event::Operation(_))), "{missed:?}");
    assert!(missed.iter().any(|event| matches!(event, Event::Decision(_))), "{missed:?}");
    assert!(
        missed.iter().all(|event| !matches!(event, Event::Tick(_))),
        "a tick that has passed says nothing"
    );
    assert_eq!(overview.snapshot.miners[0].state, model::snapshot::MinerState::Off);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_of_another_run_or_none_at_all_is_told_everything() {
    let house = House::open().await;
    for after in ["0-17", "nonsense", "%22%0a", "", "ffffffffffffffffffff-99999999999999999999999"] {
        Stream::open(&house, &format!("/api/events?after={after}")).await.snapshot().await;
    }
    let reply = house.call(call::get("/api/events?since=5")).await;
    assert_eq!(reply.error(422).2.as_deref(), Some("since"));
}

/// Takes ten real seconds: the stream's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_told_how_things_stand_also_while_nothing_happens() {
    let house = House::open().await;
    let response = house.router.clone().oneshot(call::get("/api/events?view=page")).await.unwrap();
    let mut body = Body::into_data_stream(response.into_body());
    let mut text = String::new();
    while text.matches("event: view\n").count() < 3 {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    let views: Vec<View> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(views.iter().all(|view| view.miners[0].headline == "Mining at 100 %"), "{views:?}");
    assert!(!text.contains(crate::house::CANARY));
    let reply = house.call(call::get("/api/events?view=everything")).await;
    assert_eq!(reply.error(422).2.as_deref(), Some("view"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_news() {
    let house = House::open().await;
    let mut stream = Stream::open(&house, "/api/events").await;
    stream.snapshot().await;
    house.run(60).await;
    stream.next().await;
    assert!(!stream.text.contains(crate::house::CANARY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_turned_away() {
    let house = House::open().await;
    let mut listeners = Vec::new();
    for _ in 0..100 {
        listeners.push(Stream::open(&house, "/api/events").await);
    }
    let (code, ..) = house.call(call::get("/api/events")).await.error(503);
    assert_eq!(code, "too_many_listeners");
    listeners.pop();
    Stream::open(&house, "/api/events").await.snapshot().await;
}
