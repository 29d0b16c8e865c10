//! Health: 200 only while the control loop ticks and the battery's data is fresh.

use crate::{
    call::{Reply, get},
    house::{House, Options, without_database},
};
use engine::clock::{Busy, Clock};
use model::UtcMillis;
use serde_json::{Value, json};
use server::{
    config::{Changes, Inputs},
    settings::Start,
};
use simulator::portal::PortalFaults;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

fn why(body: &Value) -> &str {
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["ok", "status"]);
    body["status"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_good_while_data_is_fresh_and_says_why_it_is_not() {
    let house = House::open().await;
    let well = house.get("/api/system/health").await;
    assert_eq!(well["ok"], true);
    assert!(!why(&well).is_empty());

    house.portal().set_faults(PortalFaults { frozen: true, ..PortalFaults::default() }).unwrap();
    house.run(600).await;
    assert_eq!(house.get("/api/system/health").await["ok"], true, "old, but not stale yet");
    house.run(300).await;
    let ill = house.call(get("/api/system/health")).await.with(503);
    assert_eq!(ill["ok"], false);
    assert!(why(&ill).contains("battery"), "{ill}");

    house.portal().set_faults(PortalFaults::default()).unwrap();
    house.say_twice(95.0).await;
    assert_eq!(house.get("/api/system/health").await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_bad_without_any_reading() {
    let house = House::with(Options { wrong_portal_password: true, ..Options::default() }).await;
    let ill = house.call(get("/api/system/health")).await.with(503);
    assert!(ill["ok"] == json!(false) && why(&ill).contains("battery"), "{ill}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_was_stopped_is_not_well_and_takes_nothing_up() {
    let mut house = House::open().await;
    house.stop().await;
    let ill = house.call(get("/api/system/health")).await.with(503);
    assert!(why(&ill).contains("shutting down"), "{ill}");
    assert_eq!(house.post("/api/miner/power_off", Value::Null).await.error(503).0, "not_running");
}

/// A clock whose alarms never come after its start: who sleeps on it hangs, while time goes on.
#[derive(Default)]
struct NoAlarms(AtomicU64);

impl Clock for NoAlarms {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn wall(&self) -> UtcMillis {
        UtcMillis(1_780_000_000_000 + i64::try_from(self.elapsed().as_millis()).unwrap())
    }

    fn sleep_until(&self, busy: Busy, at: Duration) -> Pin<Box<dyn Future<Output = Busy> + Send + '_>> {
        let over = at.is_zero();
        Box::pin(async move { if over { busy } else { std::future::pending().await } })
    }

    fn busy(&self) -> Busy {
        Busy::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_bad_when_the_control_loop_hangs() {
    let inputs = Inputs::of_text("", std::iter::empty());
    let app = inputs.load(&Changes::new()).unwrap().config.app;
    let clock = Arc::new(NoAlarms::default());
    let start = Start { inputs, app, store: None, clock: clock.clone(), demo: false, samples_wait: None };
    let settings = start.start().await.unwrap();
    let handle = settings.handle();
    // One tick of its own and one for the answer of the battery's source: nothing else wakes the loop.
    handle.follow().wait_for(|snapshot| snapshot.tick == 2).await.unwrap();
    clock.0.store(120, Ordering::SeqCst);
    let router = without_database(settings).await;
    let reply = Reply::read(router.oneshot(get("/api/system/health")).await.unwrap()).await;
    let ill = reply.with(503);
    assert!(why(&ill).contains("hasn't ticked for 120 s"), "{ill}");
}
