//! The running program against a running simulator, as two processes: how soon it stops a miner, what it holds in memory,
//! what it takes of the processor while nothing happens.

use super::Figure;
use crate::{
    http,
    process::Service,
    process_facts::{self, Memory},
    program, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, bail};
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How often the stop is measured; the slowest counts.
const STOPS: usize = 3;
/// How long idling is watched.
const IDLE: Duration = Duration::from_secs(20);
/// How fast the scaled day passes.
const DAY_SCALE: u32 = 600;
const DAY: Duration = Duration::from_secs(86_400);
/// A battery that leaves the miner running, and one at the emergency threshold, percent.
const WELL_CHARGED: f64 = 62.0;
const EMERGENCY: f64 = 30.0;
/// How long anything may take that is waited for. Fresh data alone takes an upload and a poll.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often is looked for it.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Measures the program.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    let programs = Programs::build(workspace)?;
    let mut slowest: f64 = 0.0;
    let mut idle = None;
    for run in 1..=STOPS {
        let site = Site::start(&programs, 1)?;
        site.until_running()?;
        if idle.is_none() {
            say::step(format_args!("measuring processor time over {} s of nothing", IDLE.as_secs()));
            idle = Some(site.processor_percent()?);
        }
        say::step(format_args!("measuring how soon the miner is stopped, {run} of {STOPS}"));
        slowest = slowest.max(site.stop_milliseconds()?);
    }
    let memory = after_a_day(&programs)?;
    Ok(vec![
        Figure {
            name: "stop at the miner",
            how: format!(
                "slowest of {STOPS}, from the portal's request that brought {EMERGENCY} % to the stop at the \
                 simulated miner's socket, on the simulator's clock"
            ),
            measured: slowest,
            budget: 50.0,
            unit: "ms",
        },
        Figure {
            name: "memory after a day",
            how: format!(
                "VmRSS after a simulated day at {DAY_SCALE} times real time; {:.1} MB of it is data, the rest the \
                 program's file; its highest was {:.1} MB",
                memory.data, memory.highest
            ),
            measured: memory.now,
            budget: 15.0,
            unit: "MB",
        },
        Figure {
            name: "processor while idle",
            how: format!(
                "user and kernel time over {} s in real time at an even state of charge, percent of one core",
                IDLE.as_secs()
            ),
            measured: idle.unwrap_or(f64::NAN),
            budget: 1.0,
            unit: "%",
        },
    ])
}

fn after_a_day(programs: &Programs) -> anyhow::Result<Memory> {
    let site = Site::start(programs, DAY_SCALE)?;
    site.until_running()?;
    let rest = DAY / DAY_SCALE;
    say::step(format_args!("living a day in {} s", rest.as_secs()));
    // What is lived through here is time itself: there is no event to wait for.
    thread::sleep(rest);
    site.battery_soc()?.context("the program has no state of charge any more at the end of the day")?;
    Memory::of(site.server.id())
}

pub(super) struct Programs {
    simulator: PathBuf,
    server: PathBuf,
    scratch: PathBuf,
}

impl Programs {
    /// Where the bench keeps its files.
    pub(super) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Builds them as they are shipped.
    pub(super) fn build(workspace: &Workspace) -> anyhow::Result<Self> {
        say::step("building the program and the simulator as they are shipped");
        Ok(Self {
            simulator: workspace.build("simulator", Program::Bin("simulator"), Profile::Release)?,
            server: workspace.build("server", Program::Bin("wm-controller"), Profile::Release)?,
            scratch: workspace.scratch()?.join("bench"),
        })
    }
}

/// A simulator with the program that joined it.
pub(super) struct Site {
    api: String,
    simulator_api: String,
    // The program ends before the devices do.
    server: Service,
    _simulator: Service,
}

impl Site {
    pub(super) fn start(programs: &Programs, scale: u32) -> anyhow::Result<Self> {
        let arguments =
            ["--scale", &scale.to_string(), "--soc", &WELL_CHARGED.to_string()].map(str::to_owned);
        let noon = ["--start", "2026-03-21T12:00:00Z"].map(str::to_owned);
        Self::simulating(programs, &[arguments.as_slice(), &noon].concat())
    }

    /// One whose simulator is started with these arguments.
    pub(super) fn simulating(programs: &Programs, arguments: &[String]) -> anyhow::Result<Self> {
        let data = programs.scratch.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))?;
        }
        fs::create_dir_all(&data).with_context(|| format!("making {}", data.display()))?;
        let log = |name: &str| programs.scratch.join(name);
        let simulator =
            Service::start(Command::new(&programs.simulator).args(arguments), &log("simulator.log"))?;
        let announced: Value = serde_json::from_str(simulator.announcement())?;
        let simulator_api = announced.get("api").and_then(Value::as_str);
        let simulator_api = simulator_api.context("the simulator announces no api")?.to_owned();
        let (server, api) =
            program::start(&programs.server, &simulator_api, &data, &log("wm-controller.log"))?;
        Ok(Self { api, simulator_api, server, _simulator: simulator })
    }

    /// Where the program answers.
    pub(super) fn api(&self) -> &str {
        &self.api
    }

    /// Where the simulator is controlled.
    pub(super) fn simulator_api(&self) -> &str {
        &self.simulator_api
    }

    /// The program's process.
    pub(super) fn server_id(&self) -> u32 {
        self.server.id()
    }

    /// Waits until the program reads the battery and the miner and has said its first word to the miner.
    pub(super) fn until_running(&self) -> anyhow::Result<()> {
        say::step("starting the program and waiting until it runs the miner");
        until("the program to command the miner", || {
            let told = self.battery_soc()?.is_some() && !self.writes()?.is_empty();
            Ok(told.then_some(()))
        })
    }

    pub(super) fn battery_soc(&self) -> anyhow::Result<Option<f64>> {
        let reply = http::call(&self.api, "GET", "/api/battery/status", &Value::Null)?;
        Ok(reply.pointer("/status/soc_percent").and_then(Value::as_f64))
    }

    /// The writes that the miner received, oldest first.
    fn writes(&self) -> anyhow::Result<Vec<Value>> {
        let log = http::call(&self.simulator_api, "GET", "/miners/miner/log", &Value::Null)?;
        let mut requests = requests(&log);
        requests.retain(|request| request.get("write") == Some(&Value::Bool(true)));
        Ok(requests)
    }

    /// Processor time of the program while nothing happens, in percent of one core.
    fn processor_percent(&self) -> anyhow::Result<f64> {
        let (before, begun) = (process_facts::processor_time(self.server.id())?, Instant::now());
        thread::sleep(IDLE);
        let spent = process_facts::processor_time(self.server.id())?.saturating_sub(before);
        Ok(100.0 * spent.as_secs_f64() / begun.elapsed().as_secs_f64())
    }

    /// Lets the battery have this state of charge, percent, from now on, and tell it to the portal.
    pub(super) fn say(&self, soc: f64) -> anyhow::Result<()> {
        http::call(&self.simulator_api, "PATCH", "/house", &json!({"soc": soc, "hold_soc": true}))?;
        http::call(&self.simulator_api, "POST", "/portal/upload", &Value::Null)?;
        Ok(())
    }

    /// Lets the battery fall to the emergency threshold. How long the miner's stop takes from the last request of the
    /// reading that told it, in milliseconds.
    fn stop_milliseconds(&self) -> anyhow::Result<f64> {
        self.say(EMERGENCY)?;
        let stop = until("the stop to arrive at the miner", || {
            Ok(self.writes()?.iter().find(|write| is_stop(write)).cloned())
        })?;
        let stopped = at(&stop)?;
        Ok((stopped - self.told_before(stopped)?).num_milliseconds() as f64)
    }

    /// When the portal was last asked before this instant, on the simulator's clock.
    pub(super) fn told_before(
        &self,
        instant: DateTime<FixedOffset>,
    ) -> anyhow::Result<DateTime<FixedOffset>> {
        let portal = http::call(&self.simulator_api, "GET", "/portal/log", &Value::Null)?;
        let asked: Vec<_> = requests(&portal).iter().map(at).collect::<anyhow::Result<_>>()?;
        let told = asked.into_iter().filter(|asked| *asked <= instant).max();
        told.context("the program stopped a miner without having asked the portal")
    }
}

/// Looks until `found` finds something.
pub(super) fn until<T>(
    what: &str,
    mut found: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = found()? {
            return Ok(found);
        }
        if begun.elapsed() > PATIENCE {
            bail!("waited {} s for {what}: target/xtask/bench has the logs", PATIENCE.as_secs());
        }
        thread::sleep(LOOK_AGAIN);
    }
}

pub(super) fn requests(log: &Value) -> Vec<Value> {
    log.get("requests").and_then(Value::as_array).cloned().unwrap_or_default()
}

pub(super) fn is_stop(write: &Value) -> bool {
    let command = write.get("command").and_then(Value::as_str);
    command == Some("power_off")
        || (command == Some("set.miner.service") && write.get("params") == Some(&json!("stop")))
}

pub(super) fn at(request: &Value) -> anyhow::Result<DateTime<FixedOffset>> {
    let text = request.get("at").and_then(Value::as_str).context("a logged request has no time")?;
    DateTime::parse_from_rfc3339(text).with_context(|| format!("{text} is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_known_in_both_protocols() {
        assert!(is_stop(&json!({"command": "power_off", "params": {"respbefore": "true"}})));
        assert!(is_stop(&json!({"command": "set.miner.service", "params": "stop"})));
        assert!(!is_stop(&json!({"command": "set.miner.service", "params": "start"})));
        assert!(!is_stop(&json!({"command": "set.miner.power_percent"})));
    }

    #[test]
    fn times_of_requests_differ_by_milliseconds() {
        let earlier = at(&json!({"at": "2026-03-21T12:00:09.990Z"})).unwrap();
        let later = at(&json!({"at": "2026-03-21T12:00:10.012Z"})).unwrap();
        assert_eq!((later - earlier).num_milliseconds(), 22);
        assert!(at(&json!({"at": "noon"})).is_err());
    }
}
