//! Clocks that are wrong, and days that aren't like others.

use crate::{
    home::{Home, spoken, was_sent},
    scenario::{Scenario, Seen},
    site::Options,
};
use serde_json::{Value, json};
use simulator::miner::Initial;

const HOUR: i64 = 3_600_000;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let once = "one start that night, not two and not none";
    vec![
        Scenario::new(
            "clock_steps",
            &["clock by 1 h, 1 day, to 1970", "clock jump or unsynced clock"],
            "intervals go on: nothing is sent, nothing ages",
            clock_steps,
        ),
        Scenario::new(
            "late_ntp",
            &["NTP late after boot", "clock jump or unsynced clock"],
            "no start after sunset before the clock is known to be right; then one",
            late_ntp,
        ),
        Scenario::new("dst_new_york", &["DST in New York, Berlin, Lord Howe"], once, async || {
            both_ways("America/New_York", [("2026-03-08T06:15:00Z", 2, 30), ("2026-11-01T05:15:00Z", 1, 30)])
                .await
        }),
        Scenario::new("dst_berlin", &["DST in New York, Berlin, Lord Howe"], once, async || {
            both_ways("Europe/Berlin", [("2026-03-29T00:15:00Z", 2, 30), ("2026-10-25T00:15:00Z", 2, 30)])
                .await
        }),
        Scenario::new("dst_lord_howe", &["DST in New York, Berlin, Lord Howe"], once, async || {
            both_ways(
                "Australia/Lord_Howe",
                [("2026-10-03T14:45:00Z", 2, 15), ("2026-04-04T14:15:00Z", 1, 45)],
            )
            .await
        }),
        Scenario::new("years_end", &["year's end"], once, async || {
            one_night("America/Denver", "2027-01-01T06:30:00Z", 19, 0).await
        }),
        Scenario::new("leap_day", &["29 February"], once, async || {
            one_night("America/Denver", "2028-02-29T06:30:00Z", 19, 0).await
        }),
        Scenario::new("after_leap_day", &["29 February"], once, async || {
            one_night("America/Denver", "2028-03-01T06:30:00Z", 19, 0).await
        }),
        Scenario::new(
            "polar_night",
            &["polar day and night"],
            "there is no sunset: no start by it; a full battery starts",
            async || polar("2026-12-21T12:00:00Z").await,
        ),
        Scenario::new(
            "polar_day",
            &["polar day and night"],
            "there is no sunset: no start by it; a full battery starts",
            async || polar("2026-06-21T12:00:00Z").await,
        ),
        Scenario::new(
            "no_coordinates",
            &["no coordinates"],
            "the sun sets at the configured time",
            no_coordinates,
        ),
    ]
}

async fn clock_steps() -> Seen {
    let mut told = String::new();
    let to_1970 = -1_782_000_000_000;
    for step in [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, to_1970] {
        let home = Home::open().await;
        home.site.clock.step_wall(step);
        home.run(1500).await;
        let now = home.told().await;
        let age = now.battery["status"]["age_seconds"].as_f64().unwrap();
        assert!(home.sent().is_empty() && age < 360.0, "by {step} ms: {:?}, {age} s old", home.sent());
        told = format!("after each: {now}");
    }
    Seen { done: "mined on through steps of 1 h, 1 day, and to 1970".to_owned(), told }
}

/// A miner that was found off, in the night, with a battery that would let it run.
fn at_night(start: &'static str, configure: impl Fn(&mut Value) + Send + Sync + 'static) -> Options {
    Options {
        start: Some(start),
        simulate: Some(|setup| {
            setup.house.initial_soc = 75.0;
            setup.miners[0].initial = Initial::Off;
        }),
        configure: Some(Box::new(configure)),
        ..Options::default()
    }
}

async fn late_ntp() -> Seen {
    // 21:00 in Denver, and the clock stands at 1970.
    let options = at_night("2026-06-22T03:00:00Z", |_| {});
    let off_by = -1_782_000_000_000;
    let home = Home::with(Options { wall_is_off_by: off_by, ..options }).await;
    home.run(600).await;
    let before = home.told().await;
    let synced = home.api("/api/system/status").await["clock_synced"].clone();
    assert_eq!((home.sent(), &synced), (vec![], &json!(false)), "{before}");
    home.site.clock.step_wall(-off_by);
    let after = home.until(3600, "the start after sunset", |home| !home.is_off()).await;
    let synced = home.api("/api/system/status").await["clock_synced"].clone();
    assert_eq!(synced, true);
    Seen {
        done: format!("off in 1970; {} {} after the clock was set", was_sent(&home.sent()), spoken(after)),
        told: format!("before: clock_synced false, {before}; after: clock_synced true"),
    }
}

/// The start after sunset over a change of the clock, forward and back, with a sunset in the hour that is left out or
/// comes twice.
async fn both_ways(zone: &'static str, nights: [(&'static str, u32, u32); 2]) -> Seen {
    let mut done = Vec::new();
    let mut told = String::new();
    for (way, (start, hour, minute)) in ["forward", "back"].into_iter().zip(nights) {
        let seen = one_night(zone, start, hour, minute).await;
        done.push(format!("{way}: {}", seen.done));
        told = seen.told;
    }
    Seen { done: done.join("; "), told }
}

/// Waits for the start of that night; then the battery is empty and charged again, and there is none for two hours more.
async fn one_night(zone: &'static str, start: &'static str, hour: u32, minute: u32) -> Seen {
    let home = Home::with(at_night(start, move |text| {
        text["site"]["timezone"] = json!(zone);
        text["autocontrol"]["sunset_hour"] = json!(hour);
        text["autocontrol"]["sunset_minute"] = json!(minute);
    }))
    .await;
    let after = home.until(2 * 3600, "the start of the night", |home| !home.is_off()).await;
    let at = home.site.clock.true_time();
    home.site.say_twice(30.0).await;
    home.until(60, "off", Home::is_off).await;
    home.site.say_twice(75.0).await;
    home.run(2 * 3600).await;
    let told = home.told().await;
    assert_eq!(home.truth().starts, 1, "{:?}; {told}", home.sent());
    Seen { done: format!("started once, at {at}, {} after {start}", spoken(after)), told: told.to_string() }
}

async fn polar(start: &'static str) -> Seen {
    let home = Home::with(at_night(start, |text| {
        text["site"] = json!({
            "name": "Test house", "timezone": "Arctic/Longyearbyen", "latitude": 78.2, "longitude": 15.6
        });
    }))
    .await;
    home.run(12 * 3600).await;
    let told = home.told().await;
    let sunset = home.api("/api/autocontrol/status").await["sunset_time"].clone();
    assert_eq!((home.sent(), &sunset), (vec![], &Value::Null), "{told}");
    home.site.say_twice(100.0).await;
    let after = home.until(600, "the start by a full battery", |home| !home.is_off()).await;
    Seen {
        done: format!("off for 12 h; on {} after the battery was full", spoken(after)),
        told: format!("sunset_time {sunset}. {told}"),
    }
}

async fn no_coordinates() -> Seen {
    // 18:50 in Denver.
    let home = Home::with(at_night("2026-06-22T00:50:00Z", |_| {})).await;
    let after = home.until(3600, "the start after sunset", |home| !home.is_off()).await + 15;
    assert!((600..=640).contains(&after), "{after} s after 18:50");
    let sunset = home.api("/api/autocontrol/status").await["sunset_time"].clone();
    let told = home.told().await;
    Seen {
        done: format!("started {} after 18:50", spoken(after)),
        told: format!("sunset_time {sunset}. {told}"),
    }
}
