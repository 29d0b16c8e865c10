//! Faults of the process and its platform, tried on the built program.

use crate::{
    child::{PATIENCE, Program, run},
    house::{House, Joined},
    scenario::{Scenario, Seen},
};
use serde_json::json;
use simulator::miner::{Phase, WriteFault};
use std::{fs, path::Path, time::Duration};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "restart",
            &["restart of the program"],
            "the latches hold, and nothing is sent again",
            restart,
        ),
        Scenario::new(
            "kill_mid_write",
            &["kill -9 in mid-write"],
            "what was sent isn't sent again; what was latched holds; the database is sound",
            kill_mid_write,
        ),
        Scenario::new("memory", &["256 MB of memory"], "the whole program stays far under 256 MB", memory),
        Scenario::new(
            "starved",
            &["starved of CPU"],
            "at nice 19 beside busy programs no tick is late by two",
            starved,
        ),
        Scenario::new(
            "sigterm",
            &["SIGTERM in mid-command"],
            "the answer on its way is waited for and written down; nothing is sent again",
            sigterm,
        ),
        Scenario::new(
            "two_programs",
            &["two programs on one database"],
            "the second one refuses to start, the first goes on",
            two_programs,
        ),
        Scenario::new(
            "kills",
            &["kill -9 at chance instants", "kill -9 in mid-write"],
            "nothing is lost that was answered for, nothing is sent twice, a minute of readings at the most is missing",
            kills,
        ),
    ]
}

/// What the miner was sent, in words.
fn sent(house: &House) -> Vec<String> {
    crate::home::sent_to(house.miner())
}

/// What the page and the API say, once the miner was read; and no decision broke a rule.
pub(crate) async fn told(joined: &Joined<'_>) -> String {
    joined
        .pass_until(120, "the miner is read", async || {
            joined.get("/api/miner/status").await["status"]["state"] != "unknown"
        })
        .await;
    let system = joined.get("/api/system/status").await;
    let broken = system["invariant_violations"].as_object().unwrap();
    assert!(broken.values().all(|count| *count == 0), "{system:#}");
    let alerts = system["alerts"].as_array().unwrap().iter().filter(|alert| alert["active"] == true);
    let alerts: Vec<_> = alerts.map(|alert| alert["code"].as_str().unwrap()).collect();
    let miner = joined.get("/api/miner/status").await;
    let (_, page) = joined.house.text(joined.address, "/").await;
    let headline = page.split("<h1 aria-live=\"polite\">").nth(1).unwrap_or_default();
    let headline = headline.split("</h1>").next().unwrap_or_default();
    format!(
        "Page: \u{201C}{headline}\u{201D} API: {}, database_ok {}, alerts: {alerts:?}",
        miner["status"]["state"].as_str().unwrap(),
        system["database_ok"]
    )
}

/// Waits until the miner is off, in truth.
pub(crate) async fn until_off(joined: &Joined<'_>, house: &House) {
    joined.pass_until(120, "the miner is off", async || house.miner().state().phase == Phase::Off).await;
}

async fn restart() -> Seen {
    let house = House::open().await;
    let joined = house.program().await;
    joined.say(60.0).await;
    joined.say(60.0).await;
    house.command().await;
    joined.program.stop().await;
    let before = sent(&house);
    let joined = house.program().await;
    joined.say(70.0).await;
    joined.say(70.0).await;
    joined.pass(300).await;
    let ceiling = joined.get("/api/miner/status").await["latches"]["ceiling"].clone();
    assert_eq!((ceiling, sent(&house)), (json!(60), before.clone()));
    Seen { done: format!("was sent {} before, nothing after", before.join(", ")), told: told(&joined).await }
}

async fn kill_mid_write() -> Seen {
    let house = House::open().await;
    let mut kills = 0;
    for _ in 0..2 {
        let joined = house.program().await;
        joined.say(60.0).await;
        house.miner().update_faults(|faults| faults.writes = WriteFault::Silent);
        joined.say(60.0).await;
        house.command().await;
        joined.program.kill().await;
        kills += 1;
        house.miner().update_faults(|faults| faults.writes = WriteFault::None);
    }
    let joined = house.program().await;
    let status = joined.get("/api/miner/status").await;
    assert_eq!(status["latches"]["ceiling"], 60, "{status:#}");
    assert_eq!(sent(&house), ["60 %"], "once in {kills} lives");
    let told = told(&joined).await;
    Seen { done: format!("{kills} kills in mid-command: was sent 60 % once"), told }
}

/// The most memory that a process ever had, in kB.
fn most_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn memory() -> Seen {
    let house = House::open().await;
    let joined = house.program().await;
    for _ in 0..10 {
        joined.pass(60).await;
        for path in ["/", "/settings", "/decisions", "/api", "/metrics", "/api/history.csv?days=30"] {
            assert_eq!(house.text(joined.address, path).await.0, 200, "{path}");
        }
    }
    let most = most_memory(joined.program.id());
    assert!(most < 256 * 1024, "{most} kB");
    Seen {
        done: format!("{} MB at the most, after 10 min and 60 pages", most / 1024),
        told: told(&joined).await,
    }
}

async fn starved() -> Seen {
    let house = House::in_real_time().await;
    let file = house.configuration(|text| text["miner"]["poll_seconds"] = json!(1));
    let arguments = ["-n", "19", crate::child::BUILT, "--config", &file, "--port", "0", "--data", "data"];
    let busy = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let cores = std::thread::available_parallelism().unwrap().get();
    let burning: Vec<_> = (0..cores * 2)
        .map(|_| {
            let busy = std::sync::Arc::clone(&busy);
            std::thread::spawn(move || {
                while busy.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        })
        .collect();
    let mut program = Program::start_from(Path::new("nice"), house.dir.path(), &arguments, &[]);
    let address = program.address().await;
    let figure = |text: &str, name: &str| -> f64 {
        let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or("? NaN");
        line.split(' ').nth(1).unwrap().parse().unwrap()
    };
    let measured = async {
        loop {
            let (_, text) = house.text(address, "/metrics").await;
            if figure(&text, "wm_controller_control_loop_ticks_total") >= 8.0 {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let text = tokio::time::timeout(PATIENCE, measured).await.unwrap();
    busy.store(false, std::sync::atomic::Ordering::Relaxed);
    for thread in burning {
        thread.join().unwrap();
    }
    let ticks = figure(&text, "wm_controller_control_loop_ticks_total");
    let latest = figure(&text, "wm_controller_control_loop_latest_seconds");
    assert!(latest < 2.0, "a tick of 1 s was {latest} s late");
    program.stop().await;
    Seen {
        done: format!("{ticks} ticks of 1 s beside {} busy threads", cores * 2),
        told: format!("/metrics: the latest tick came {latest:.3} s after it was due"),
    }
}

async fn sigterm() -> Seen {
    let house = House::open().await;
    let joined = house.program().await;
    joined.say(60.0).await;
    house.miner().update_faults(|faults| {
        faults.only_commands = vec!["set.miner.power_percent".into()];
        faults.reply_delay_ms = 1000;
    });
    joined.say(60.0).await;
    house.command().await;
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(ended.err.contains("Acknowledged"), "the answer was waited for: {}", ended.err);
    let joined = house.program().await;
    joined
        .pass_until(300, "its effect is seen", async || {
            joined.get("/api/miner/status").await["op"]["stage"] == "observed"
        })
        .await;
    assert_eq!(sent(&house), ["60 %"]);
    Seen {
        done: "was sent 60 %, once; the answer was waited for; exit code 0".to_owned(),
        told: told(&joined).await,
    }
}

async fn two_programs() -> Seen {
    let house = House::open().await;
    let joined = house.program().await;
    let second = run(house.dir.path(), &house.joining()).await;
    let said = second.err.lines().last().unwrap_or_default().to_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another program is using the data"), "{said}");
    let first = told(&joined).await;
    assert!(sent(&house).is_empty() && first.contains("database_ok true"), "{first}");
    Seen {
        done: "the second: exit code 1; the miner was sent nothing".to_owned(),
        told: format!("the second: {said} The first: {first}"),
    }
}

async fn kills() -> Seen {
    let summary = crate::kills::again_and_again(4, 11).await;
    let (done, told) = summary.split_once(": ").unwrap();
    Seen { done: done.to_owned(), told: told.to_owned() }
}
