//! The running program under load: pages that follow it and programs that ask it, for a minute. What must not suffer is the
//! control loop.

use super::{
    Figure,
    site::{Programs, Site},
};
use crate::{http, process_facts::Memory, say, workspace::Workspace};
use anyhow::{Context, bail};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long it is asked.
const LOAD: Duration = Duration::from_secs(60);
/// Pages that follow it.
const FOLLOWERS: usize = 20;
/// Programs that ask it, each one question after the other ...
const ASKING: usize = 8;
/// ... with so much time from one to the next: 200 a second in all.
const APART: Duration = Duration::from_millis(40);
/// What they ask, in turn.
const QUESTIONS: [(&str, bool); 4] = [
    ("/api/system/status", false),
    ("/api/miner/history?days=1", true),
    ("/api/autocontrol/status", false),
    ("/api/battery/history?days=1", true),
];

/// Measures the program under load.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(&Programs::build(workspace)?, 1)?;
    site.until_running()?;
    let _followers = follow(site.api())?;
    let before = Memory::of(site.server_id())?;
    say::step(format_args!(
        "asking {} times a second, and following with {FOLLOWERS}, for {} s",
        1000 / APART.as_millis() * ASKING as u128,
        LOAD.as_secs()
    ));
    let asked = ask(site.api())?;
    let after = Memory::of(site.server_id())?;
    let metrics = http::metrics(site.api())?;
    let how = format!(
        "{} requests in {} s by {ASKING} programs, half of them for a day of history, beside {FOLLOWERS} streams of events",
        asked.status.len() + asked.history.len(),
        LOAD.as_secs()
    );
    let took = |name, times: &[f64], share: f64, budget| Figure {
        name,
        how: how.clone(),
        measured: quantile(times, share),
        budget,
        unit: "ms",
    };
    let count = (asked.status.len() + asked.history.len()) as f64;
    Ok(vec![
        Figure {
            name: "latest tick under load",
            how: "since the program's start, as it tells in /metrics".to_owned(),
            measured: metrics.value("wm_controller_control_loop_latest_seconds")? * 1000.0,
            budget: 100.0,
            unit: "ms",
        },
        Figure {
            name: "ticks dropped",
            how: "likewise".to_owned(),
            measured: metrics.value("wm_controller_control_loop_skipped_ticks_total")?,
            budget: 0.0,
            unit: "",
        },
        Figure {
            name: "memory gained under load",
            how: format!("VmRSS from {:.1} to {:.1} MB", before.now, after.now),
            measured: after.now - before.now,
            budget: 10.0,
            unit: "MB",
        },
        Figure {
            name: "requests short of 200 a second",
            how: format!("{count:.0} were answered"),
            measured: 200.0 - count / LOAD.as_secs_f64(),
            budget: 10.0,
            unit: "/s",
        },
        took("status, half of all", &asked.status, 0.5, 20.0),
        took("status, 99 of 100", &asked.status, 0.99, 100.0),
        took("history, half of all", &asked.history, 0.5, 50.0),
        took("history, 99 of 100", &asked.history, 0.99, 200.0),
    ])
}

/// Milliseconds that answers took.
#[derive(Default)]
struct Asked {
    status: Vec<f64>,
    history: Vec<f64>,
}

fn ask(api: &str) -> anyhow::Result<Asked> {
    let ends = Instant::now() + LOAD;
    let asking = (0..ASKING).map(|first| {
        let api = api.to_owned();
        thread::spawn(move || -> anyhow::Result<Asked> {
            let mut asked = Asked::default();
            let mut due = Instant::now() + APART / 8 * u32::try_from(first).unwrap_or_default();
            for (path, is_history) in QUESTIONS.iter().cycle().skip(first) {
                // Who is late doesn't wait: the load stays what it is.
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if Instant::now() >= ends {
                    break;
                }
                let begun = Instant::now();
                http::call(&api, "GET", path, &Value::Null)?;
                let took = begun.elapsed().as_secs_f64() * 1000.0;
                if *is_history {
                    asked.history.push(took);
                } else {
                    asked.status.push(took);
                }
                due += APART;
            }
            Ok(asked)
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut all = Asked::default();
    for asked in asking {
        let Ok(asked) = asked.join() else { bail!("a question broke off") };
        let Asked { status, history } = asked?;
        all.status.extend(status);
        all.history.extend(history);
    }
    Ok(all)
}

/// Follows the page's events until it is dropped.
struct Followers(Arc<AtomicBool>);

impl Drop for Followers {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn follow(api: &str) -> anyhow::Result<Followers> {
    let over = Arc::new(AtomicBool::new(false));
    let host = api.strip_prefix("http://").context("only plain HTTP is spoken here")?;
    for _ in 0..FOLLOWERS {
        let mut stream = TcpStream::connect(host)?;
        write!(stream, "GET /api/events?view=page HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
        let over = Arc::clone(&over);
        // It ends with its stream.
        thread::spawn(move || {
            for _ in BufReader::new(stream).lines().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
    }
    Ok(Followers(over))
}

/// The value below which this share of all is.
fn quantile(times: &[f64], share: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let at = (times.len() as f64 * share) as usize;
    times.get(at.min(times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let times: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|share| quantile(&times, share) as u32), [51, 100, 100]);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
