//! What the miner's side can do wrong.

use crate::{
    home::{Home, Told, sent_to, spoken, was_sent},
    scenario::{Scenario, Seen},
    site::{Miners, Options},
};
use model::Soc;
use serde_json::{Value, json};
use simulator::{
    axeos,
    miner::{Faults, Forced, Phase, Profile, Protocol},
    program::SimulationSetup,
};
use std::time::Duration;

/// By when a miner that closes idle connections has done so, in real time.
const HUNG_UP: Duration = Duration::from_millis(1500);

/// How an off gets through.
#[derive(Clone, Copy, PartialEq)]
enum Off {
    /// In spite of the fault, once.
    Through,
    /// In spite of the fault, and perhaps twice: the answer can't be read.
    Unheard,
    /// As soon as the fault is over, and it is never shown before.
    Afterwards,
    /// The same, and who answers can't be read.
    Unread,
}

const THROUGH: &str = "the battery falls to 30: off gets through all the same, once, and is seen";

/// A generation of firmware.
type Generation = Option<fn(&mut SimulationSetup)>;

/// V2 alone.
const OLD: Generation = Some(|setup| as_generation(setup, Profile::G2));
/// V2 alone, without a power limit.
const OLDEST: Generation = Some(|setup| as_generation(setup, Profile::G1));
const CURRENT: Generation = None;

fn as_generation(setup: &mut SimulationSetup, profile: Profile) {
    for miner in &mut setup.miners {
        (miner.profile, miner.v3) = (profile, None);
    }
}

/// Name, fault in the catalogue, rows, generation, and how an off gets through.
const WIRES: &[(&str, &str, &[&str], Generation, Off)] = &[
    ("refused", "miner_unreachable", &["TCP refused", "miner unreachable"], CURRENT, Off::Afterwards),
    ("resets", "miner_resets", &["reset in mid-reply"], CURRENT, Off::Afterwards),
    ("reset_midway", "miner_reset_midway", &["reset in mid-reply"], CURRENT, Off::Afterwards),
    ("cut_off", "miner_truncated", &["truncated"], CURRENT, Off::Unread),
    ("five_mb", "miner_oversized", &["5 MB of JSON"], CURRENT, Off::Unread),
    ("not_utf8", "miner_not_utf8", &["not UTF-8"], CURRENT, Off::Unheard),
    ("nul", "miner_nul", &["NUL at the end"], OLD, Off::Through),
    ("concatenated", "miner_concatenated", &["concatenated"], OLD, Off::Through),
    ("strings", "miner_strings", &["numbers as texts"], CURRENT, Off::Through),
    ("strings_v2", "miner_strings", &["numbers as texts"], OLDEST, Off::Through),
    ("no_reply", "miner_no_reply", &["power_off without a reply"], OLD, Off::Through),
    ("holds_the_line", "miner_stays_silent", &["power_off without a reply"], OLDEST, Off::Through),
    (
        "write_access",
        "miner_writes_off",
        &["code 45", "command refused or without effect"],
        CURRENT,
        Off::Afterwards,
    ),
    ("write_access_v2", "miner_writes_off", &["code 45"], OLD, Off::Afterwards),
    ("enc_json", "miner_password", &["code 23: enc json load err", "wrong password"], OLD, Off::Afterwards),
    ("password_v3", "miner_password", &["wrong password"], CURRENT, Off::Afterwards),
    ("no_effect", "miner_ignores", &["code 131 and no effect", "off not verified"], OLD, Off::Afterwards),
    ("loses", "miner_loses", &["off not verified"], CURRENT, Off::Afterwards),
    ("token", "miner_token_gone", &["token expired or refused in mid-session"], OLD, Off::Afterwards),
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let wires =
        WIRES.iter().map(|(name, fault, rows, generation, off)| wire(name, fault, rows, *generation, *off));
    wires.chain(connections()).chain(replies()).chain(commands()).chain(identities()).collect()
}

fn connections() -> Vec<Scenario> {
    vec![
        silence("silent", "miner_silent", &["accepted, then silent"]),
        silence("half_open", "miner_half_open", &["half-open"]),
        silence("drip", "miner_drips", &["slow drip"]),
        Scenario::new("idle_close", &["idle close"], THROUGH, idle_close),
        Scenario::new("v3", &["V3 on 4433"], "all of it by V3: read, reduced, switched off", v3),
        Scenario::new(
            "sessions",
            &["over max connect, 180-s lock"],
            "left alone for its lock-out; told; off as soon as there is a session",
            sessions,
        ),
        Scenario::new(
            "everything_down",
            &["network down"],
            "nothing upward; unknown; off once the miner can be reached",
            everything_down,
        ),
        Scenario::new(
            "modbus",
            &["Modbus and serial"],
            "the program knows no such source, and says which it knows",
            async || modbus(),
        ),
    ]
}

fn replies() -> Vec<Scenario> {
    const RUNS: &str = "it runs: nothing is sent, and it isn't shown as off";
    vec![
        Scenario::new(
            "renamed",
            &["missing or renamed fields", "firmware upgrade changes the API"],
            "power is unknown, not 0, and that is told; never off; a fall to 30 still switches off, and ends the alert",
            renamed,
        ),
        Scenario::new("power_0", &["0 W while hashing"], RUNS, async || contradiction("miner_power_0").await),
        Scenario::new("hash_0", &["power without a hash rate"], RUNS, async || {
            contradiction("miner_hash_0").await
        }),
        Scenario::new(
            "limit_0",
            &["limit-0 trap"],
            "a limit that reads 0 is never written back, and is no off",
            limit_0,
        ),
        Scenario::new(
            "recalibration",
            &["recalibration of 30 s, 90 s, 10 min", "limit 0 during recalibration"],
            "0 W and a limit of 0 after a start are waited out: no second start; an alert if it takes 10 min",
            recalibration,
        ),
    ]
}

fn commands() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "unknown_command",
            &["code 14", "firmware upgrade changes the API", "command refused or without effect"],
            "the power is set in the other way that the miner knows, by its limit; a fall to 30 still switches off",
            unknown_command,
        ),
        Scenario::new("reboots", &["miner reboots itself"], "noticed, stopped, told", reboots),
        Scenario::new(
            "late",
            &["applied after 6 min"],
            "not taken for done; sent again at most as often as the law says; off in the end",
            late,
        ),
        Scenario::new(
            "two_controllers",
            &["two controllers on one miner"],
            "more than was commanded is corrected, each time, and the ceiling stays; after three told, and not raised for an hour",
            two_controllers,
        ),
    ]
}

fn identities() -> Vec<Scenario> {
    const OTHERS: &[&str] = &["Antminer, Bitaxe or printer at the address", "miner replaced or moved"];
    const NEVER: &str = "told, never commanded, unknown";
    vec![
        Scenario::new("antminer", OTHERS, NEVER, async || impostor("other_antminer").await),
        Scenario::new("printer", OTHERS, NEVER, async || impostor("other_printer").await),
        Scenario::new("mac", &["changed MAC", "miner replaced or moved"], NEVER, async || {
            impostor("other_mac").await
        }),
        Scenario::new("bitaxe", OTHERS, NEVER, bitaxe),
        Scenario::new(
            "swapped",
            &["two miners swap addresses", "miner replaced or moved"],
            "neither is commanded until each is back where it belongs",
            swapped,
        ),
    ]
}

async fn home_of(generation: Generation) -> Home {
    Home::with(Options { simulate: generation, ..Options::default() }).await
}

impl Home {
    /// The battery says this once, and that was read.
    pub(crate) async fn battery_says(&self, soc: f64) {
        self.run(60).await;
        self.site.simulation.house().set_soc(Soc::new(soc).unwrap());
        self.site.portal().upload_now();
        self.run(40).await;
    }

    /// Nothing is shown as off that isn't.
    async fn told_truly(&self) -> Told {
        let told = self.told().await;
        assert!(told.state != "off" || self.is_off(), "shown as off: {told}");
        told
    }
}

/// A fault that the battery falls to 30 under.
fn wire(
    name: &'static str,
    fault: &'static str,
    rows: &'static [&'static str],
    generation: Generation,
    off: Off,
) -> Scenario {
    let expected = match off {
        Off::Through => THROUGH,
        Off::Unheard => "the battery falls to 30: off gets through all the same, and is seen",
        Off::Afterwards => {
            "never shown as off while it isn't; off is tried again and again, and gets through once it can"
        }
        Off::Unread => {
            "told as replies that can't be read, and not as another device; never shown as off; off gets through once it can"
        }
    };
    Scenario::new(name, rows, expected, move || async move {
        let home = home_of(generation).await;
        home.breaks(fault);
        home.run(60).await;
        home.told_truly().await;
        assert!(home.sent().is_empty(), "{:?}", home.sent());
        home.battery_says(30.0).await;
        if matches!(off, Off::Through | Off::Unheard) {
            let after = home.until(60, "off", Home::is_off).await;
            let (_, told) = home.until_told(60, "seen", |told| told.state == "off").await;
            let sent = home.sent();
            let most = if off == Off::Through { 1 } else { 2 };
            assert!(sent.iter().all(|sent| sent == "off") && sent.len() <= most, "{sent:?}; {told}");
            return Seen { done: format!("off {} after the reading", spoken(after)), told: told.to_string() };
        }
        home.run(200).await;
        let told = home.told_truly().await;
        assert!(!home.is_off() && !told.alerts.is_empty(), "somebody is told: {told}");
        let is_unread =
            told.state == "unknown" && told.alerts("miner_protocol") && !told.alerts("wrong_device");
        assert!(off != Off::Unread || is_unread, "{told}");
        assert!(home.sent().iter().all(|sent| sent == "off"), "nothing else is tried: {:?}", home.sent());
        home.mends(fault);
        let after = home.until(260, "off", Home::is_off).await;
        home.until_told(60, "seen", |told| told.state == "off").await;
        Seen { done: format!("mined on; off {} after the end of it", spoken(after)), told: told.to_string() }
    })
}

/// A miner that keeps its callers waiting, for two readings: each call costs its whole deadline in real time.
fn silence(name: &'static str, fault: &'static str, rows: &'static [&'static str]) -> Scenario {
    let expected = "the deadline ends it; never shown as off; a fall to 30 switches off once it answers";
    Scenario::new(name, rows, expected, move || async move {
        let home = home_of(OLD).await;
        home.breaks(fault);
        let (_, told) = home.until_told(40, "an error", |told| told.state == "unknown").await;
        assert!(!home.is_off() && home.sent().is_empty(), "{told}");
        home.mends(fault);
        home.battery_says(30.0).await;
        let after = home.until(260, "off", Home::is_off).await;
        Seen { done: format!("mined on; off {} after the reading", spoken(after)), told: told.to_string() }
    })
}

/// A connection that is kept is found closed, in real time, when the next command needs it.
async fn idle_close() -> Seen {
    let home = Home::open().await;
    home.breaks("miner_hangs_up");
    home.run(20).await;
    tokio::time::sleep(HUNG_UP).await;
    home.battery_says(30.0).await;
    let after = home.until(60, "off", Home::is_off).await;
    let (_, told) = home.until_told(60, "seen", |told| told.state == "off").await;
    assert_eq!(home.sent(), ["off"], "{told}");
    Seen { done: format!("off {} after the reading", spoken(after)), told: told.to_string() }
}

async fn v3() -> Seen {
    let home = Home::open().await;
    home.site.say_twice(60.0).await;
    home.run(300).await;
    let reduced = home.truth().watts;
    home.battery_says(30.0).await;
    home.until(60, "off", Home::is_off).await;
    let (_, told) = home.until_told(60, "seen", |told| told.state == "off").await;
    let log = home.miner().log();
    let by_v3 = log.iter().filter(|received| received.protocol == Protocol::V3).count();
    assert!(home.sent() == ["60 %", "off"] && (reduced - 2160.0).abs() < 200.0, "{:?}; {told}", home.sent());
    assert_eq!(by_v3, log.len(), "{:?}", log.iter().find(|received| received.protocol == Protocol::V2));
    Seen { done: format!("{}; {by_v3} requests, all by V3", was_sent(&home.sent())), told: told.to_string() }
}

async fn renamed() -> Seen {
    let home = home_of(OLD).await;
    home.breaks("miner_renamed");
    home.run(120).await;
    let miner = home.api("/api/miner/status").await;
    assert_eq!(miner["status"]["power_w"], Value::Null, "unknown isn't 0: {miner:#}");
    let (_, told) = home.until_told(400, "told", |told| told.alerts("power_untold")).await;
    assert!(told.state == "running" && home.sent().is_empty(), "{told}");
    home.battery_says(30.0).await;
    let after = home.until(60, "off", Home::is_off).await;
    home.until_told(60, "over", |told| told.state == "off" && !told.alerts("power_untold")).await;
    Seen {
        done: format!("{}; off {} after the reading", was_sent(&home.sent()), spoken(after)),
        told: format!("power: unknown. {told}"),
    }
}

async fn unknown_command() -> Seen {
    let home = home_of(OLD).await;
    home.breaks("miner_unknown_command");
    home.site.say_twice(60.0).await;
    home.run(1800).await;
    let told = home.told_truly().await;
    assert_eq!(home.sent(), ["60 %", "2160 W"], "{told}");
    assert!((home.truth().watts - 2160.0).abs() < 200.0, "{told}");
    home.battery_says(30.0).await;
    home.until(60, "off", Home::is_off).await;
    Seen { done: was_sent(&home.sent()), told: told.to_string() }
}

async fn sessions() -> Seen {
    let home = home_of(OLD).await;
    home.breaks("miner_sessions");
    home.battery_says(30.0).await;
    let (_, told) = home.until_told(60, "told", |told| told.alerts("miner_tokens")).await;
    let asked = || home.miner().log().iter().filter(|received| received.command == "get_token").count();
    let before = asked();
    home.run(120).await;
    assert_eq!(asked(), before, "every further question would prolong it");
    home.miner().set_faults(Faults::default());
    let after = home.until(300, "off", Home::is_off).await;
    Seen {
        done: format!(
            "{before} questions for a session, then none for 2 min; off {} after the end",
            spoken(after)
        ),
        told: told.to_string(),
    }
}

async fn contradiction(fault: &str) -> Seen {
    let home = Home::open().await;
    home.breaks(fault);
    home.run(600).await;
    let told = home.told().await;
    assert_eq!((told.state.as_str(), home.sent().len()), ("running", 0), "{told}");
    Seen { done: was_sent(&home.sent()), told: told.to_string() }
}

async fn limit_0() -> Seen {
    let home = home_of(OLD).await;
    home.breaks("miner_limit_0");
    home.run(600).await;
    let still = home.told_truly().await;
    assert!(home.sent().is_empty(), "{:?}; {still}", home.sent());
    home.site.say_twice(60.0).await;
    home.run(1800).await;
    let told = home.told_truly().await;
    let sent = home.sent();
    assert!(!sent.iter().any(|sent| sent == "0 W" || sent == "0 %"), "{sent:?}");
    assert!((home.truth().watts - 2160.0).abs() < 200.0, "{sent:?}; {told}");
    Seen { done: was_sent(&sent), told: told.to_string() }
}

async fn recalibration() -> Seen {
    let mut seen = Vec::new();
    let mut last = String::new();
    for (fault, seconds) in
        [("miner_calibrates_30", 30), ("miner_calibrates_90", 90), ("miner_calibrates_600", 600)]
    {
        let home = home_of(OLD).await;
        home.breaks(fault);
        // The glitch stops it, and the readings after it start it again.
        home.battery_says(0.0).await;
        home.site.say_twice(95.0).await;
        home.until(600, "a start", |home| home.truth().starts > 1).await;
        home.run(seconds.min(60)).await;
        let during = home.told().await;
        assert!(!during.alerts("no_effect"), "{during}");
        let mut after = seconds.min(60);
        let stage = loop {
            let stage = home.api("/api/miner/status").await["op"]["stage"].clone();
            if stage == "observed" || stage == "failed" {
                break stage;
            }
            assert!(after < 1800, "it stays {stage}");
            home.run(10).await;
            after += 10;
        };
        // Ten minutes are as long as an effect may take: then somebody is told, and nothing is sent again.
        let told = home.told().await;
        let alert = home.alert_of("no_effect").await;
        let is_seen = stage == "observed" && alert.is_none();
        assert!(is_seen || (seconds == 600 && alert.is_some()), "{seconds} s: {stage}, {told}");
        home.run(1800).await;
        assert_eq!((home.truth().phase, home.truth().starts), (Phase::Stable, 2), "{:?}", home.sent());
        seen.push(format!("{seconds} s: {} after {}", stage.as_str().unwrap_or_default(), spoken(after)));
        last = format!("{seconds} s: {} {told}", alert.unwrap_or_default());
    }
    Seen { done: format!("started once each time. {}", seen.join("; ")), told: last }
}

async fn reboots() -> Seen {
    let home = home_of(OLD).await;
    home.breaks("miner_reboots");
    let (after, told) = home.until_told(7200, "noticed", |told| told.alerts("crash_loop")).await;
    home.until(120, "off", Home::is_off).await;
    Seen {
        done: format!("stopped after {}; {} starts", spoken(after), home.truth().starts),
        told: told.to_string(),
    }
}

async fn late() -> Seen {
    let home = Home::open().await;
    home.breaks("miner_late");
    home.battery_says(30.0).await;
    home.run(240).await;
    let told = home.told_truly().await;
    assert!(told.alerts("off_not_verified") && !home.is_off(), "{told}");
    let after = 280 + home.until(300, "off", Home::is_off).await;
    home.until_told(120, "seen", |told| told.state == "off" && !told.alerts("off_not_verified")).await;
    let sent = home.sent();
    assert!(sent.iter().all(|sent| sent == "off") && sent.len() <= 3, "{sent:?}");
    Seen { done: format!("{}; off after {}", was_sent(&sent), spoken(after)), told: told.to_string() }
}

async fn two_controllers() -> Seen {
    let home = home_of(OLD).await;
    home.site.say_twice(60.0).await;
    home.run(600).await;
    assert_eq!(home.sent(), ["60 %"]);
    for _ in 0..3 {
        // Somebody else gives it its full power back, past this program, at the miner.
        home.miner().set_truth(Forced::Stable { limit_watts: 3600 });
        home.run(900).await;
        assert!((home.truth().watts - 2160.0).abs() < 200.0, "corrected: {:?}", home.sent());
    }
    let (sent, told) = (home.sent(), home.told().await);
    let ceiling = home.api("/api/miner/status").await["latches"]["ceiling"].clone();
    assert!(sent.len() > 3 && ceiling == 60 && told.alerts("contested"), "{sent:?}; {told}");
    let alert = home.alert_of("contested").await.unwrap_or_default();
    // The battery is full, and whoever sets it isn't fought for more power.
    home.site.say_twice(100.0).await;
    home.run(600).await;
    assert_eq!(home.sent(), sent, "{}", home.told().await);
    home.run(3600).await;
    let over = home.told().await;
    assert!(
        !over.alerts("contested") && (home.truth().watts - 3600.0).abs() < 200.0,
        "{:?}; {over}",
        home.sent()
    );
    Seen { done: was_sent(&home.sent()), told: format!("ceiling {ceiling} %. {alert} {told}") }
}

async fn impostor(fault: &str) -> Seen {
    let home = Home::open().await;
    // One goes away, and another comes back in its place.
    home.breaks("miner_unreachable");
    home.run(60).await;
    home.mends("miner_unreachable");
    home.breaks(fault);
    home.miner().until_listening(true).await;
    home.run(60).await;
    home.battery_says(30.0).await;
    home.run(120).await;
    let told = home.told().await;
    assert!(home.sent().is_empty(), "{:?}", home.sent());
    assert!(told.state == "unknown" && told.alerts("wrong_device"), "{told}");
    home.mends(fault);
    let after = home.until(260, "off", Home::is_off).await;
    Seen {
        done: format!("was sent nothing; off {} after the right one came back", spoken(after)),
        told: told.to_string(),
    }
}

/// A Bitaxe is configured, and another kind of device answers; a Bitaxe has no port of a WhatsMiner.
async fn bitaxe() -> Seen {
    let home = Home::with(Options {
        simulate: Some(|setup| setup.axeos = vec![axeos::AxeosSetup::default()]),
        configure: Some(Box::new(|text| text["miners"][0]["v3_port"] = json!(1))),
        ..Options::default()
    })
    .await;
    let boards = home.site.simulation.axeos();
    let log = boards[0].log().len();
    home.breaks("miner_unreachable");
    home.run(120).await;
    home.battery_says(30.0).await;
    let told = home.told().await;
    assert!(told.state == "unknown" && home.sent().is_empty(), "{told}");
    assert_eq!(boards[0].log().len(), log, "nobody asked the Bitaxe");
    Seen {
        done: "a Bitaxe listens at none of a WhatsMiner's ports: was sent nothing".to_owned(),
        told: told.to_string(),
    }
}

async fn swapped() -> Seen {
    let home = Home::with(Options {
        miners: Miners(&["garage", "shed"]),
        simulate: Some(|setup| setup.miners[1].mac = "02:00:00:00:00:02".into()),
        ..Options::default()
    })
    .await;
    home.run(30).await;
    home.breaks("miner_unreachable");
    home.run(30).await;
    home.mends("miner_unreachable");
    home.breaks("swapped");
    home.run(60).await;
    home.battery_says(30.0).await;
    home.run(60).await;
    let told = home.told().await;
    let sent: Vec<_> = home.site.simulation.miners().iter().flat_map(sent_to).collect();
    assert!(sent.is_empty() && told.alerts("wrong_device"), "{sent:?}; {told}");
    home.mends("swapped");
    let both_off = |home: &Home| home.site.simulation.miners().iter().all(|miner| !miner.state().service_on);
    let after = home.until(300, "both off", both_off).await;
    Seen {
        done: format!("were sent nothing; both off {} after they were back", spoken(after)),
        told: told.to_string(),
    }
}

async fn everything_down() -> Seen {
    let home = Home::open().await;
    home.breaks("miner_unreachable");
    home.breaks("portal_resets");
    home.run(1000).await;
    let told = home.told().await;
    assert!(told.state == "unknown" && home.sent().is_empty(), "{told}");
    assert!(told.alerts("miner_unreachable") && told.alerts("battery_data_stale"), "{told}");
    home.mends("miner_unreachable");
    let after = home.until(260, "off", Home::is_off).await;
    Seen {
        done: format!("mined on; off {} after the miner was back, by the stale rule", spoken(after)),
        told: told.to_string(),
    }
}

fn modbus() -> Seen {
    let text = r#"{"battery": {"kind": "modbus"}, "miner": {"host": "10.0.0.2"}}"#;
    let refused = server::config::Inputs::of_text(text, std::iter::empty());
    let told = refused.load(&server::config::Changes::new()).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("battery.kind") && told.contains("eg4_portal"), "{told}");
    Seen { done: "not applicable: the portal is the only source".to_owned(), told }
}
