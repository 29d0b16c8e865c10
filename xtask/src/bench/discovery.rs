//! Searching a home network of 254 addresses: how soon all miners are found, and whether only they are. Others' scanners
//! search the same network in the same run.

use super::Figure;
use crate::{
    process::{self, Service},
    python, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, bail};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

/// The simulated network. Loopback, and nobody else's.
const NETWORK: &str = "127.0.209.0/24";
/// Files that it takes: silent addresses hold two or three for each of five ports.
const FILES: u32 = 8192;
/// How often it is searched; the slowest counts.
const SEARCHES: usize = 3;
/// The most that a search may take, s.
const BUDGET: f64 = 3.0;

const SCRIPTS: &str = "crates/simulator/tests/clients";
/// What others' scanners are called, and what runs them.
const OTHERS: [(&str, &str); 2] = [("pyasic", "scan_pyasic.py"), ("asic-rs", "scan_asic_rs.py")];

/// Measures the search with the example that its crate has for that.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    say::step("building the search and the simulated network");
    let search = workspace.build("devices", Program::Example("bench_discovery"), Profile::Release)?;
    let simulator = workspace.build("simulator", Program::Bin("simulator"), Profile::Release)?;
    let python = python::environment(workspace)?;
    let network = start(&simulator, &workspace.scratch()?.join("network.log"))?;
    let announced: Value = serde_json::from_str(network.announcement())
        .context("the simulated network's announcement is no JSON")?;
    let miners = addresses(&announced, "/miners");
    let silent = announced.pointer("/silent").and_then(Value::as_u64).unwrap_or(0);

    let mut slowest = Outcome::default();
    for run in 1..=SEARCHES {
        say::step(format_args!("searching {NETWORK}, {run} of {SEARCHES}"));
        let outcome = outcome(Command::new(&search).arg(NETWORK), &miners)?;
        slowest.seconds = slowest.seconds.max(outcome.seconds);
        slowest.last = slowest.last.max(outcome.last);
        slowest.wrong = slowest.wrong.max(outcome.wrong);
        slowest.words = outcome.words;
    }
    let mut others = Vec::new();
    for (name, script) in OTHERS {
        say::step(format_args!("letting {name} search it"));
        let outcome = outcome(&mut scanner(workspace, &python, script), &miners)?;
        others.push(format!("{name} {} in {:.2} s", outcome.words, outcome.seconds));
    }
    Ok(vec![
        Figure {
            name: "search of a network",
            how: format!(
                "slowest of {SEARCHES}, 254 addresses of which {silent} are silent and two hang; the last miner was \
                 found after {:.2} s at the latest. In the same run: {}",
                slowest.last,
                others.join("; ")
            ),
            measured: slowest.seconds,
            budget: BUDGET,
            unit: "s",
        },
        Figure {
            name: "wrong in a search",
            how: format!("miners not found, and others taken for miners: {}", slowest.words),
            measured: slowest.wrong,
            budget: 0.0,
            unit: "devices",
        },
    ])
}

fn start(simulator: &Path, log: &Path) -> anyhow::Result<Service> {
    say::step(format_args!("simulating the network {NETWORK}"));
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {FILES} 2>/dev/null; exec \"$0\" \"$@\"")]).arg(simulator);
    Service::start(command.args(["--network", NETWORK]), log)
        .context("the simulated network needs port 80 (root) and some thousand files")
}

fn scanner(workspace: &Workspace, python: &PathBuf, script: &str) -> Command {
    let mut command = Command::new(python);
    // No bytecode is left beside the sources.
    command.arg("-B").arg(workspace.root().join(SCRIPTS).join(script)).arg(NETWORK);
    command
}

/// What a search came to.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// How long it took, s.
    seconds: f64,
    /// When the last miner was found, s.
    last: f64,
    /// How many addresses it got wrong.
    wrong: f64,
    /// What it found, for a person.
    words: String,
}

fn outcome(command: &mut Command, miners: &BTreeSet<String>) -> anyhow::Result<Outcome> {
    let Some(told) = process::output(command) else { bail!("{command:?} failed: run it by hand") };
    let report: Value = serde_json::from_str(&told).context("a search prints no JSON")?;
    read(&report, miners)
}

/// What a report comes to, beside the addresses of the miners.
fn read(report: &Value, miners: &BTreeSet<String>) -> anyhow::Result<Outcome> {
    let found = addresses(report, "/found");
    let seconds = report.pointer("/seconds").and_then(Value::as_f64).context("a search tells no time")?;
    let times = devices(report, "/found").filter_map(|device| device.get("seconds").and_then(Value::as_f64));
    let right = found.intersection(miners).count();
    let extra = found.difference(miners).count();
    Ok(Outcome {
        seconds,
        last: times.fold(0.0, f64::max),
        wrong: (miners.len() - right + extra) as f64,
        words: format!("{right} of {} miners, {extra} that are none", miners.len()),
    })
}

/// The devices of a list; what is only said to be unknown is none.
fn devices<'a>(report: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    let all = report.pointer(list).and_then(Value::as_array).into_iter().flatten();
    all.filter(|device| device.get("kind").and_then(Value::as_str) != Some("unknown"))
}

fn addresses(report: &Value, list: &str) -> BTreeSet<String> {
    let address = |device: &Value| device.get("address").and_then(Value::as_str).map(str::to_owned);
    devices(report, list).filter_map(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_is_held_against_the_miners_that_there_are() {
        let miners = ["127.0.209.1", "127.0.209.2"].map(str::to_owned).into();
        let report = json!({"seconds": 2.5, "found": [
            {"address": "127.0.209.1", "kind": "whatsminer", "seconds": 0.25},
            {"address": "127.0.209.3", "kind": {"other": "Antminer"}, "seconds": 0.5},
            {"address": "127.0.209.4", "kind": "unknown", "seconds": 2.0},
        ]});
        let words = "1 of 2 miners, 1 that are none".to_owned();
        let expected = Outcome { seconds: 2.5, last: 0.5, wrong: 2.0, words };
        assert_eq!(read(&report, &miners).unwrap(), expected);
        assert!(read(&json!({}), &miners).is_err());
    }
}
