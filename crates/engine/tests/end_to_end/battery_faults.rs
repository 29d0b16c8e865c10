//! What the battery's side can do wrong.

use crate::house::{House, Options};
use model::{AlertCode, Soc};
use serde_json::json;
use simulator::{
    miner::Phase,
    portal::{ClockFault, Expiry, LoginFault, ReplyFault, SocFault},
};

/// A session that ends, in every way the portal was seen to end one: signed in again, nothing missed, nothing sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_session_is_renewed_in_every_style() {
    let house = House::open(Options::default()).await;
    for expiry in [
        Expiry::Html200,
        Expiry::Status401,
        Expiry::Redirect302,
        Expiry::Status403,
        Expiry::SuccessFalse,
        Expiry::Zombie,
    ] {
        house.set_portal(|faults| faults.expiry = expiry);
        let logins = house.portal().counts().logins;
        house.portal().expire_sessions();
        house.run(600).await;
        assert!(house.portal().counts().logins > logins, "{expiry:?}: no new sign-in\n{}", house.report());
        assert!(house.portal().counts().logins <= logins + 2, "{expiry:?}: signs in again and again");
        let age = house.snapshot().battery.age_seconds.unwrap();
        assert!(age < 360.0, "{expiry:?}: data is {age} s old\n{}", house.report());
    }
    assert_eq!(house.sent(), Vec::<String>::new());
    house.assert_sound();
}

/// `lost`: nothing good any more; off when the stale time is over, back by itself with two good samples.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_inverter_stops_the_miner_in_time_and_two_samples_bring_it_back() {
    let house = House::open(Options::default()).await;
    house.set_portal(|faults| faults.lost = true);
    house.run(660).await;
    assert_eq!(house.sent(), Vec::<String>::new(), "not before its time: {}", house.report());
    house.until(120, "off", |house| house.truth().phase == Phase::Off).await;
    assert_eq!(house.sent(), ["off"]);
    assert!(house.alerts().contains(&AlertCode::BatteryLost), "{:?}", house.alerts());
    house.run(30).await;
    house.set_portal(|faults| faults.lost = false);
    house
        .until(600, "a first good sample", |house| {
            house.view().decision.reason == model::Reason::BatteryRecovering
        })
        .await;
    assert_eq!(house.sent(), ["off"], "one sample isn't enough");
    house.until(600, "a start", |house| house.truth().starts > 1).await;
    assert_eq!(house.sent(), ["off", "start"], "{}", house.report());
    house.assert_sound();
}

/// A portal that serves the same snapshot for ever, without saying that anything is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_snapshot_is_as_good_as_none() {
    let house = House::open(Options::default()).await;
    house.set_portal(|faults| faults.frozen = true);
    house.until(1000, "off", |house| house.truth().phase == Phase::Off).await;
    assert_eq!(house.sent(), ["off"]);
    assert!(house.alerts().contains(&AlertCode::BatteryDataStale), "{:?}", house.alerts());
    house.assert_sound();
}

/// A lagging node of the portal serves an older snapshot now and then: it is dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_snapshot_is_dropped() {
    let house = House::open(Options::default()).await;
    house.say_twice(95.0).await;
    house.set_portal(|faults| faults.lagging_every = Some(2));
    for soc in [94.0, 93.0, 92.0, 91.0] {
        house.say(soc).await;
        house.run(240).await;
        let told = house.snapshot().battery.soc.map(Soc::get);
        assert_eq!(told, Some(soc), "{}", house.report());
    }
    assert_eq!(house.sent(), Vec::<String>::new());
    house.assert_sound();
}

/// One reading of 0 %: off at once; the readings after it show that it was a glitch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_glitch_to_zero_stops_at_once_and_is_recognised() {
    let house = House::open(Options::default()).await;
    house.say(0.0).await;
    assert_eq!(house.sent(), ["off"], "{}", house.report());
    house.say(95.0).await;
    assert_eq!(house.sent(), ["off"], "a jump from 0 to 95 needs a second reading");
    house.say(95.0).await;
    house.run(300).await;
    assert_eq!(house.sent(), ["off", "start"], "{}", house.report());
    assert!(!house.view().latches.emergency);
    house.assert_sound();
}

/// Numbers that can't be a state of charge are never acted on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn impossible_values_are_never_acted_on() {
    for value in [json!(127), json!(255), json!(-1), json!(102.3), json!("--"), json!("NaN"), json!(null)] {
        let house = House::open(Options::default()).await;
        house.set_portal(|faults| faults.soc = Some(SocFault::Value(value.clone())));
        house.run(60).await;
        house.portal().upload_now();
        house.run(500).await;
        assert_eq!(house.sent(), Vec::<String>::new(), "{value}\n{}", house.report());
        house.until(400, "off as stale", |house| house.truth().phase == Phase::Off).await;
        house.assert_sound();
    }
}

/// The portal's clock an hour ahead: not good, and the alert names the clocks. An hour behind: old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_portal_with_a_wrong_clock_isnt_believed() {
    for offset_seconds in [3600, -3600] {
        let house = House::open(Options::default()).await;
        house
            .set_portal(|faults| faults.clock = Some(ClockFault { offset_seconds, only_server_time: false }));
        house.run(60).await;
        house.portal().upload_now();
        house.run(300).await;
        let alerts = house.alerts();
        assert_eq!(alerts.contains(&AlertCode::ClocksDisagree), offset_seconds > 0, "{alerts:?}");
        house.until(700, "off", |house| house.truth().phase == Phase::Off).await;
        assert_eq!(house.sent(), ["off"]);
        house.assert_sound();
    }
}

/// A wall clock that steps by an hour changes nothing: the portal's own clock bears witness.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stepped_wall_clock_changes_nothing() {
    for step in [3_600_000, -3_600_000, -1_700_000_000_000] {
        let house = House::open(Options::default()).await;
        house.clock.step_wall(step);
        house.run(1800).await;
        assert_eq!(house.sent(), Vec::<String>::new(), "step {step}: {}", house.report());
        assert!(house.snapshot().battery.age_seconds.unwrap() < 360.0);
        house.assert_sound();
    }
}

/// A wrong portal password: told once in plain words, not tried again and again, and the miner goes off in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_portal_password_is_told_and_not_hammered() {
    let house = House::open(Options { portal_password: "wrong", ..Options::default() }).await;
    house.run(600).await;
    assert!(house.alerts().contains(&AlertCode::BatterySignIn), "{}", house.report());
    assert_eq!(house.portal().counts().logins_refused, 1);
    assert_eq!(house.sent(), Vec::<String>::new());
    house.until(200, "off: there was never a good sample", |house| house.truth().phase == Phase::Off).await;
    house.assert_sound();
}

/// Outages of every kind, shorter than the stale time: nothing is sent, and nobody is told that the password is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_no_wrong_password() {
    let house = House::open(Options::default()).await;
    let faults = [
        ReplyFault::ServerError { status: 503 },
        ReplyFault::TooManyRequests { retry_after: Some(60) },
        ReplyFault::Maintenance,
        ReplyFault::Reset,
        ReplyFault::Truncated,
        ReplyFault::Oversized,
        ReplyFault::Silent,
    ];
    for fault in faults {
        house.set_portal(|faults| faults.reply = Some(fault));
        house.run(180).await;
        assert!(house.alerts().contains(&AlertCode::BatterySource), "{fault:?}: {}", house.report());
        assert!(!house.alerts().contains(&AlertCode::BatterySignIn), "{fault:?}: {}", house.report());
        house.set_portal(|faults| faults.reply = None);
        house
            .until(1000, "data again", |house| {
                house.snapshot().battery.age_seconds.is_some_and(|age| age < 300.0)
            })
            .await;
    }
    house.assert_sound();
}

/// Nightly maintenance of the sign-in alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_login_page_is_an_outage_too() {
    let house = House::open(Options::default()).await;
    house.set_portal(|faults| faults.login = Some(LoginFault::Html200));
    house.portal().expire_sessions();
    house.run(300).await;
    assert!(!house.alerts().contains(&AlertCode::BatterySignIn), "{}", house.report());
    house.set_portal(|faults| faults.login = None);
    house.until(1200, "data again", |house| house.snapshot().battery.connection.connected).await;
    house.assert_sound();
}
