//! What the battery's side can do wrong.

use crate::{
    home::{Home, spoken, was_sent},
    scenario::{Scenario, Seen},
    site::Options,
};
use serde_json::{Value, json};
use simulator::portal::{PortalFaults, ReplyFault};

/// When the miner is switched off on old data, by default, and the rest of a poll and a tick.
const OFF_AT: std::ops::RangeInclusive<u64> = 600..=780;

/// How a fault of the portal ends.
#[derive(Clone, Copy)]
enum End {
    /// It does no harm: nothing is sent for half an hour.
    Nothing,
    /// Off when the data is too old, and no earlier; back by itself.
    InTime,
    /// Off at once.
    AtOnce,
}

const NO_CHARGE: &[&str] = &["charge 127, 255, -1, 102.3, --, NaN", "impossible charge"];
const DOWN: &[&str] = &["portal: 5xx with and without Retry-After"];
const BUSY: &[&str] = &["portal: 429 with and without Retry-After"];
const HTML: &[&str] = &["portal: captcha or HTML"];
const LOST: &[&str] = &["portal says lost or serves the same for ever", "battery reading missing or old"];

/// Name, fault in the catalogue, rows, and how it ends.
const OUTAGES: &[(&str, &str, &[&str], End)] = &[
    ("frozen", "portal_frozen", LOST, End::InTime),
    ("lost", "portal_lost", LOST, End::InTime),
    ("lagging", "portal_lagging", LOST, End::Nothing),
    ("down", "portal_down", DOWN, End::InTime),
    ("down_until", "portal_down_until", DOWN, End::InTime),
    ("busy", "portal_busy", BUSY, End::InTime),
    ("busy_silent", "portal_busy_silent", BUSY, End::InTime),
    ("captcha", "portal_captcha", HTML, End::InTime),
    ("maintenance", "portal_maintenance", HTML, End::InTime),
    ("login_moved", "portal_login_moved", &["portal: login moved"], End::InTime),
    ("zombie", "portal_zombie", &["portal: zombie session"], End::InTime),
    ("portal_resets", "portal_resets", &["reset in mid-reply"], End::InTime),
    ("portal_truncated", "portal_truncated", &["truncated"], End::InTime),
    ("portal_5_mb", "portal_oversized", &["5 MB of JSON"], End::InTime),
    ("portal_strings", "portal_strings", &["numbers as texts"], End::Nothing),
    ("portal_no_modules", "portal_no_modules", &["missing or renamed fields"], End::Nothing),
    ("charge_missing", "soc_missing", &["battery reading missing or old"], End::InTime),
    ("charge_0", "soc_0", &["charge 0"], End::AtOnce),
    ("charge_127", "soc_127", NO_CHARGE, End::InTime),
    ("charge_255", "soc_255", NO_CHARGE, End::InTime),
    ("charge_negative", "soc_negative", NO_CHARGE, End::InTime),
    ("charge_102", "soc_102", NO_CHARGE, End::InTime),
    ("charge_dashes", "soc_dashes", NO_CHARGE, End::InTime),
    ("charge_nan", "soc_nan", NO_CHARGE, End::InTime),
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let outages = OUTAGES.iter().map(|(name, fault, rows, end)| outage(name, fault, rows, *end));
    outages.chain(charges()).chain(portals()).collect()
}

fn charges() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "jump",
            &["charge 80, 5, 80", "impossible charge"],
            "5 switches off at once; 80 counts again only when a second reading agrees",
            jump,
        ),
        Scenario::new(
            "inverters",
            &["two inverters disagree", "two sources disagree"],
            "the lower one counts, and an alert says so",
            inverters,
        ),
        Scenario::new(
            "first_reading",
            &["start without a battery reading"],
            "nothing is sent before the first good reading; then the miner goes on",
            first_reading,
        ),
        Scenario::new(
            "never_a_reading",
            &["start without a battery reading", "network down"],
            "nothing is sent at the start; off once the stale time has passed since then",
            never_a_reading,
        ),
        Scenario::new(
            "clock_ahead",
            &["portal: clock an hour off"],
            "not good: off in time, and the alert names the clocks",
            async || clock_off("portal_ahead").await,
        ),
        Scenario::new(
            "clock_behind",
            &["portal: clock an hour off"],
            "an hour old: off in time",
            async || clock_off("portal_behind").await,
        ),
    ]
}

fn portals() -> Vec<Scenario> {
    const NO_PORTAL: &str = "no reading is made up: off by the stale rule, with a cause";
    vec![
        Scenario::new(
            "five_hours",
            &["portal: success false for 5 h"],
            "off in time, no restart and no hammering in 5 h; back by itself",
            five_hours,
        ),
        Scenario::new(
            "portal_silent",
            &["accepted, then silent"],
            "each call ends by its deadline; an alert; nothing is sent while the data is fresh",
            silent,
        ),
        Scenario::new(
            "portal_password",
            &["wrong password"],
            "told in words, tried once, not hammered; off in time",
            portal_password,
        ),
        Scenario::new("tls", &["portal: TLS error"], NO_PORTAL, async || {
            // The simulated portal speaks no TLS.
            unreachable_portal(|text| {
                let plain = text["battery"]["base_url"].as_str().unwrap().to_owned();
                text["battery"]["base_url"] = json!(plain.replace("http://", "https://"));
            })
            .await
        }),
        Scenario::new("dns", &["portal: DNS failure"], "no reading is made up, and the cause is told", dns),
    ]
}

/// A fault of the portal, from its beginning to its end.
fn outage(name: &'static str, fault: &'static str, rows: &'static [&'static str], end: End) -> Scenario {
    let expected = match end {
        End::Nothing => "nothing is sent, and the data stays fresh",
        End::InTime => {
            "nothing upward; off when the last good reading is 12 min old, not earlier; back after two good ones"
        }
        End::AtOnce => "off at once; said twice, it is latched, and only a full battery starts",
    };
    Scenario::new(name, rows, expected, move || async move {
        let home = Home::open().await;
        home.breaks(fault);
        home.run(60).await;
        home.site.portal().upload_now();
        if matches!(end, End::Nothing) {
            home.run(1800).await;
            let told = home.told().await;
            let age = told.battery["status"]["age_seconds"].as_f64().unwrap();
            assert!(home.sent().is_empty() && age < 600.0, "{:?}, {age} s old", home.sent());
            return Seen { done: "mined on for 30 min".to_owned(), told: told.to_string() };
        }
        let off_after = 60 + home.until(900, "off", Home::is_off).await;
        home.run(30).await;
        let told = home.told().await;
        assert_eq!((home.sent(), told.state.as_str()), (vec!["off".to_owned()], "off"));
        // A portal that freezes says nothing of it: that its data is old is all that is known.
        let has_cause = told.alerts.iter().any(|alert| alert != "battery_data_stale");
        assert!(has_cause || fault == "portal_frozen", "the cause is named: {told}");
        if matches!(end, End::AtOnce) {
            assert!(off_after <= 120, "{off_after} s");
        } else {
            assert!(OFF_AT.contains(&off_after), "off after {off_after} s");
        }
        home.mends(fault);
        if matches!(end, End::AtOnce) {
            home.site.say_twice(95.0).await;
            home.run(600).await;
            assert!(home.is_off(), "it was said twice: the latch is set");
            home.site.say_twice(100.0).await;
        }
        let on_after = home.until(3600, "on again", |home| home.truth().starts > 1).await;
        let done = format!("off {} after it began; on {} after its end", spoken(off_after), spoken(on_after));
        home.told().await;
        Seen { done, told: told.to_string() }
    })
}

async fn five_hours() -> Seen {
    let home = Home::open().await;
    home.breaks("portal_success_false");
    let off_after = home.until(900, "off", Home::is_off).await;
    home.run(5 * 3600 - off_after).await;
    let told = home.told().await;
    let logins = home.site.portal().counts().logins;
    assert_eq!(home.sent(), ["off"], "{told}");
    assert!(OFF_AT.contains(&off_after) && logins < 200, "{off_after} s, {logins} sign-ins");
    home.mends("portal_success_false");
    let on_after = home.until(3600, "on again", |home| home.truth().starts > 1).await;
    let done = format!(
        "off after {}, stayed off; {logins} sign-ins in 5 h; on {} after its end",
        spoken(off_after),
        spoken(on_after)
    );
    Seen { done, told: told.to_string() }
}

async fn clock_off(fault: &str) -> Seen {
    let home = Home::open().await;
    home.breaks(fault);
    home.run(60).await;
    home.site.portal().upload_now();
    let off_after = 60 + home.until(900, "off", Home::is_off).await;
    let told = home.told().await;
    assert!(OFF_AT.contains(&off_after), "off after {off_after} s");
    assert_eq!(told.alerts("clocks_disagree"), fault == "portal_ahead", "{told}");
    Seen { done: format!("off after {}", spoken(off_after)), told: told.to_string() }
}

async fn jump() -> Seen {
    let home = Home::open().await;
    home.site.say_twice(80.0).await;
    home.run(300).await;
    assert_eq!(home.sent(), ["80 %"]);
    let say = async |soc: f64| {
        home.run(60).await;
        home.site.simulation.house().set_soc(model::Soc::new(soc).unwrap());
        home.site.portal().upload_now();
        home.run(40).await;
    };
    say(5.0).await;
    let at_5 = home.told().await;
    assert_eq!(home.sent(), ["80 %", "off"], "on the first reading");
    say(80.0).await;
    let quarantined = home.told().await;
    assert!(quarantined.alerts("battery_implausible"), "{quarantined}");
    assert_eq!(home.sent().len(), 2, "one reading of 80 starts nothing");
    say(80.0).await;
    home.run(600).await;
    let sent = home.sent();
    assert_eq!(sent.last().map(String::as_str), Some("start"), "{sent:?}");
    Seen { done: was_sent(&sent), told: format!("at 5: {}; at 80: {}", at_5.reason, quarantined) }
}

async fn inverters() -> Seen {
    let options = Options { simulate: Some(|setup| setup.portal.inverters = 2), ..Options::default() };
    let home = Home::with(options).await;
    home.breaks("soc_disagreement");
    for _ in 0..2 {
        home.run(60).await;
        home.site.portal().upload_now();
        home.run(40).await;
    }
    let (_, told) = home.until_told(600, "an alert", |told| told.alerts("inverters_disagree")).await;
    let soc = told.battery["status"]["soc_percent"].as_f64().unwrap();
    assert!((soc - 80.0).abs() < 0.5, "the lower one: {soc}");
    home.run(300).await;
    Seen {
        done: format!("{}; the charge that counts is {soc} %", was_sent(&home.sent())),
        told: told.to_string(),
    }
}

async fn silent() -> Seen {
    let home = Home::open().await;
    home.breaks("portal_silent");
    let (after, told) = home.until_told(120, "an alert", |told| told.alerts("battery_source")).await;
    assert!(home.sent().is_empty() && !told.alerts("battery_sign_in"), "{told}");
    home.mends("portal_silent");
    home.until_told(600, "data again", |told| told.battery["connection"]["connected"] == true).await;
    Seen { done: format!("mined on; the alert came after {}", spoken(after)), told: told.to_string() }
}

async fn first_reading() -> Seen {
    let down = PortalFaults { reply: Some(ReplyFault::Maintenance), ..Default::default() };
    let home = Home::with(Options { portal_faults: down, ..Options::default() }).await;
    home.run(120).await;
    let told = home.told().await;
    assert!(home.sent().is_empty() && told.battery["status"]["soc_percent"].is_null(), "{told}");
    home.site.portal().set_faults(PortalFaults::default()).unwrap();
    let (after, _) =
        home.until_told(300, "a reading", |told| told.battery["status"]["soc_percent"] == 95.0).await;
    home.run(300).await;
    assert!(home.sent().is_empty(), "it may do what it does: {:?}", home.sent());
    Seen {
        done: format!("was sent nothing; the first reading came {} after the repair", spoken(after)),
        told: told.to_string(),
    }
}

async fn never_a_reading() -> Seen {
    let home = Home::with(Options {
        portal_faults: PortalFaults { reply: Some(ReplyFault::Reset), ..Default::default() },
        ..Options::default()
    })
    .await;
    let waiting = home.told().await;
    let off_after = 15 + home.until(900, "off", Home::is_off).await;
    assert!((700..=780).contains(&off_after), "off after {off_after} s");
    let told = home.told().await;
    Seen {
        done: format!("off after {}", spoken(off_after)),
        told: format!("first: {}; then: {told}", waiting.headline),
    }
}

async fn portal_password() -> Seen {
    let home = Home::with(Options { wrong_portal_password: true, ..Options::default() }).await;
    home.run(300).await;
    let told = home.told().await;
    assert!(told.alerts("battery_sign_in"), "{told}");
    let off_after = 315 + home.until(900, "off", Home::is_off).await;
    let refused = home.site.portal().counts().logins_refused;
    assert_eq!(refused, 1);
    Seen { done: format!("off after {}; {refused} sign-in", spoken(off_after)), told: told.to_string() }
}

/// Only until it is told: where no resolver answers, each try takes its whole deadline in real time.
async fn dns() -> Seen {
    let no_such_host =
        Box::new(|text: &mut Value| text["battery"]["base_url"] = json!("https://portal.invalid"));
    let home = Home::with(Options { configure: Some(no_such_host), ..Options::default() }).await;
    let (after, told) = home.until_told(120, "an alert", |told| told.alerts("battery_source")).await;
    assert!(home.sent().is_empty() && told.battery["status"]["soc_percent"].is_null(), "{told}");
    Seen { done: format!("mined on; told after {}", spoken(after + 15)), told: told.to_string() }
}

async fn unreachable_portal(configure: fn(&mut Value)) -> Seen {
    let home = Home::with(Options { configure: Some(Box::new(configure)), ..Options::default() }).await;
    let (_, told) = home.until_told(120, "an alert", |told| told.alerts("battery_source")).await;
    assert!(home.sent().is_empty(), "{told}");
    let off_after = 15 + home.until(900, "off", Home::is_off).await;
    assert!(off_after <= 800, "off after {off_after} s");
    Seen { done: format!("off after about {}", spoken(off_after)), told: told.to_string() }
}
