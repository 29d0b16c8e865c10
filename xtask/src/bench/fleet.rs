//! The running program with many miners: how long a tick of the control loop takes, how soon an emergency has stopped
//! them all though some of them hang, what a search of the network costs the control loop, and what each miner costs.

use super::{
    Figure,
    site::{Programs, Site, at, is_stop, requests, until},
};
use crate::{
    http,
    process_facts::{self, Memory},
    say,
    workspace::Workspace,
};
use anyhow::{Context, bail};
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// How many miners there are; the last is what the budgets are for.
const FLEETS: [usize; 4] = [1, 10, 50, 200];
/// Every so many-th is a Bitaxe.
const BITAXE_EVERY: usize = 10;
/// Of the whole fleet, so many hang in the emergency: they accept every connection and never answer.
const HANGING: usize = 10;
/// How long a fleet is left to itself before it is looked at, and how long it is watched: three of its polls.
const SETTLE: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(30);
/// How long a search is waited for.
const SEARCH: Duration = Duration::from_secs(60);
/// States of charge at which all run at full power, at which all are told less, and at which all are off, percent.
const FULL: f64 = 96.0;
const LESS: f64 = 55.0;
const EMERGENCY: f64 = 29.0;

/// Measures fleets of each size.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    let programs = Programs::build(workspace)?;
    let mut costs = Vec::new();
    let mut whole = None;
    for miners in FLEETS {
        let fleet = Fleet::start(&programs, miners)?;
        costs.push(fleet.cost()?);
        if Some(&miners) == FLEETS.last() {
            whole = Some(fleet.put_to_the_test()?);
        }
    }
    let Some((first, last)) = costs.first().zip(costs.last()) else { bail!("no fleet was measured") };
    let whole = whole.context("the whole fleet wasn't measured")?;
    let each = |value: fn(&Cost) -> f64| {
        let told = costs.iter().map(|cost| format!("{:.1} with {}", value(cost), cost.miners));
        let more = (last.miners - first.miners).max(1) as f64;
        (told.collect::<Vec<_>>().join(", "), (value(last) - value(first)) / more)
    };
    let (memory, memory_each) = each(|cost| cost.megabytes);
    let (processor, processor_each) = each(|cost| cost.processor_seconds_a_minute);
    let metrics = |how: &str| format!("with {} miners, as the program tells in /metrics: {how}", last.miners);
    Ok(vec![
        Figure {
            name: "longest tick of 200 miners",
            how: metrics("since its start, an order to all and an emergency among them"),
            measured: whole.longest_tick,
            budget: 100.0,
            unit: "ms",
        },
        Figure {
            name: "latest tick of 200 miners",
            how: metrics("since its start"),
            measured: whole.latest_tick,
            budget: 100.0,
            unit: "ms",
        },
        Figure {
            name: "latest tick in a search",
            how: metrics(&format!("until the end of a search, which took {:.1} s", whole.search_seconds)),
            measured: whole.latest_tick_in_search,
            budget: 100.0,
            unit: "ms",
        },
        Figure {
            name: "off at the last of 190",
            how: format!(
                "while {HANGING} others hang: from the portal's request that brought {EMERGENCY} % to the last of the \
                 stops at the simulated miners' sockets, on the simulator's clock; half of them had theirs after {:.0} ms",
                whole.half_stopped
            ),
            measured: whole.all_stopped / 1000.0,
            budget: 2.0,
            unit: "s",
        },
        Figure {
            name: "memory of 200 miners",
            how: format!(
                "VmHWM at the end; VmRSS in MB while nothing happens: {memory}; {:.0} kB for each miner more",
                memory_each * 1024.0
            ),
            measured: whole.highest_megabytes,
            budget: 120.0,
            unit: "MB",
        },
        Figure {
            name: "processor of 200 miners",
            how: format!(
                "user and kernel time in a minute in which nothing happens, each miner asked every 10 s; in s: \
                 {processor}; {:.0} ms for each miner more",
                processor_each * 1000.0
            ),
            measured: last.processor_seconds_a_minute,
            budget: 5.0,
            unit: "s",
        },
    ])
}

/// What a fleet costs while nothing happens.
struct Cost {
    miners: usize,
    megabytes: f64,
    processor_seconds_a_minute: f64,
}

/// How the program does with the whole fleet. Times in milliseconds.
struct Whole {
    longest_tick: f64,
    latest_tick: f64,
    latest_tick_in_search: f64,
    search_seconds: f64,
    half_stopped: f64,
    all_stopped: f64,
    highest_megabytes: f64,
}

/// A simulator with as many miners, and the program that joined it.
struct Fleet {
    site: Site,
    /// Where the simulator's API tells of each: `/miners/miner-1`.
    paths: Vec<String>,
}

impl Fleet {
    fn start(programs: &Programs, miners: usize) -> anyhow::Result<Self> {
        say::step(format_args!(
            "starting the program with {miners} miners and waiting until it reads them all"
        ));
        let (setup, paths) = simulated(miners);
        let file = programs.scratch().join("fleet.json");
        fs::create_dir_all(programs.scratch())?;
        fs::write(&file, setup.to_string()).with_context(|| format!("writing {}", file.display()))?;
        let file = file.to_str().context("the path isn't text")?;
        // Noon: no sunset rule.
        let arguments = ["--setup", file, "--start", "2026-03-21T18:00:00Z"].map(str::to_owned);
        let site = Site::simulating(programs, &arguments)?;
        let fleet = Self { site, paths };
        fleet.site.say(FULL)?;
        until("the program to read every miner and the battery", || {
            Ok((fleet.connected()? == miners && fleet.site.battery_soc()?.is_some()).then_some(()))
        })?;
        Ok(fleet)
    }

    /// How many miners the program is in contact with.
    fn connected(&self) -> anyhow::Result<usize> {
        let network = http::call(self.site.api(), "GET", "/api/network/devices", &Value::Null)?;
        let devices = network.get("devices").and_then(Value::as_array);
        let connected = |device: &&Value| device.get("connected") == Some(&Value::Bool(true));
        Ok(devices.context("the program tells no devices")?.iter().filter(connected).count())
    }

    fn cost(&self) -> anyhow::Result<Cost> {
        let process = self.site.server_id();
        // What is lived through here is time itself: there is no event to wait for.
        thread::sleep(SETTLE);
        let (before, begun) = (process_facts::processor_time(process)?, Instant::now());
        thread::sleep(WATCHED);
        let spent = process_facts::processor_time(process)?.saturating_sub(before);
        Ok(Cost {
            miners: self.paths.len(),
            megabytes: Memory::of(process)?.now,
            processor_seconds_a_minute: 60.0 * spent.as_secs_f64() / begun.elapsed().as_secs_f64(),
        })
    }

    /// A search, an order to all, and an emergency in which some hang.
    fn put_to_the_test(&self) -> anyhow::Result<Whole> {
        let search_seconds = self.search()?;
        let latest_tick_in_search = self.milliseconds("latest")?;
        say::step("letting the battery fall until every miner is told less");
        self.site.say(LESS)?;
        until("a first order", || Ok((self.site.battery_soc()? == Some(LESS)).then_some(())))?;
        // Down needs two samples that agree.
        self.site.say(LESS)?;
        until("orders to half of the miners", || {
            let told = self.logs()?.iter().filter(|log| log.iter().any(is_order)).count();
            Ok((2 * told > self.paths.len()).then_some(()))
        })?;
        say::step(format_args!("letting {HANGING} miners hang, and the battery fall to {EMERGENCY} %"));
        let (hanging, healthy) = self.paths.split_at(HANGING);
        for path in hanging {
            let hangs = if path.starts_with("/axeos") {
                json!({"stall": "everything"})
            } else {
                json!({"on_accept": "silent"})
            };
            http::call(self.site.simulator_api(), "PATCH", &format!("{path}/faults"), &hangs)?;
        }
        self.site.say(EMERGENCY)?;
        let stops = until("the stops of all that answer", || {
            let stops: Vec<_> = healthy.iter().map(|path| self.stop(path)).collect::<anyhow::Result<_>>()?;
            Ok(stops.into_iter().collect::<Option<Vec<_>>>())
        })?;
        let first = *stops.iter().min().context("there are no stops")?;
        let told = self.site.told_before(first)?;
        let mut after: Vec<_> = stops.iter().map(|stop| (*stop - told).num_milliseconds() as f64).collect();
        after.sort_by(f64::total_cmp);
        let half_stopped = after.get(after.len() / 2).copied().unwrap_or(f64::NAN);
        let all_stopped = after.last().copied().unwrap_or(f64::NAN);
        // The tick after it has seen what became of them.
        thread::sleep(SETTLE);
        Ok(Whole {
            longest_tick: self.milliseconds("longest")?,
            latest_tick: self.milliseconds("latest")?,
            latest_tick_in_search,
            search_seconds,
            half_stopped,
            all_stopped,
            highest_megabytes: Memory::of(self.site.server_id())?.highest,
        })
    }

    /// Searches the network of the miners, and tells how long that took, in seconds.
    fn search(&self) -> anyhow::Result<f64> {
        say::step("searching the network of the miners");
        let begun = Instant::now();
        http::call(self.site.api(), "POST", "/api/network/scan", &json!({}))?;
        loop {
            let network = http::call(self.site.api(), "GET", "/api/network/devices", &Value::Null)?;
            if network.get("scanning") == Some(&Value::Bool(false)) {
                return Ok(begun.elapsed().as_secs_f64());
            }
            if begun.elapsed() > SEARCH {
                bail!("the search took longer than {} s", SEARCH.as_secs());
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// A gauge of the control loop.
    fn milliseconds(&self, name: &str) -> anyhow::Result<f64> {
        let name = format!("wm_controller_control_loop_{name}_seconds");
        Ok(http::metrics(self.site.api())?.value(&name)? * 1000.0)
    }

    /// What each miner was asked and told.
    fn logs(&self) -> anyhow::Result<Vec<Vec<Value>>> {
        self.paths.iter().map(|path| self.log(path)).collect()
    }

    fn log(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let log = http::call(self.site.simulator_api(), "GET", &format!("{path}/log"), &Value::Null)?;
        Ok(requests(&log))
    }

    /// When a miner was told to stop for the emergency: the last time so far.
    fn stop(&self, path: &str) -> anyhow::Result<Option<DateTime<FixedOffset>>> {
        let log = self.log(path)?;
        log.iter().rev().find(|request| is_off(request)).map(at).transpose()
    }
}

/// Told to be off, in any of the protocols.
fn is_off(request: &Value) -> bool {
    is_stop(request) || request.get("path") == Some(&json!("/api/system/pause"))
}

/// Told anything that changes its power. The light is told to stay as it is, to see whether commands are taken.
fn is_order(request: &Value) -> bool {
    let command = request.get("command").and_then(Value::as_str).unwrap_or_default();
    let is_light = matches!(command, "set_led" | "set.system.led");
    is_off(request) || (request.get("write") == Some(&Value::Bool(true)) && !is_light)
}

/// A simulator's setup with so many miners, and where its API tells of each. As in a network, each has an address of its
/// own and the usual ports; only that of a Bitaxe, 80, isn't everybody's to listen at.
fn simulated(miners: usize) -> (Value, Vec<String>) {
    let (mut whatsminers, mut bitaxes, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=miners {
        let address = |port: u16| format!("127.0.77.{number}:{port}");
        let mac = format!("02:00:00:00:77:{number:02X}");
        if number % BITAXE_EVERY == 0 {
            let id = format!("bitaxe-{number}");
            paths.push(format!("/axeos/{id}"));
            bitaxes.push(json!({"id": id, "mac": mac, "addr": address(8077), "seed": number}));
            continue;
        }
        let id = format!("miner-{number}");
        paths.push(format!("/miners/{id}"));
        let (profile, has_v3) = match number % 3 {
            0 => ("g1", false),
            1 => ("g3", true),
            _ => ("g2", false),
        };
        let v3 = has_v3.then(|| address(4433));
        whatsminers.push(
            json!({"id": id, "profile": profile, "mac": mac, "v2": address(4028), "v3": v3, "seed": number}),
        );
    }
    (json!({"house": {"initial_soc": FULL}, "miners": whatsminers, "axeos": bitaxes}), paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_has_every_protocol_and_an_address_for_each() {
        let (setup, paths) = simulated(200);
        let list = |name: &str| setup.get(name).and_then(Value::as_array).unwrap();
        assert_eq!((list("miners").len(), list("axeos").len(), paths.len()), (180, 20, 200));
        let with = |profile: &str| list("miners").iter().filter(|miner| miner["profile"] == profile).count();
        assert_eq!(["g1", "g2", "g3"].map(with), [60, 60, 60]);
        let (one, _) = simulated(1);
        assert_eq!(one["miners"][0]["v3"], "127.0.77.1:4433");
    }

    #[test]
    fn the_light_is_no_order() {
        assert!(!is_order(&json!({"command": "set_led", "write": true})));
        assert!(!is_order(&json!({"command": "summary", "write": false})));
        assert!(is_order(&json!({"command": "adjust_power_limit", "write": true})));
        assert!(is_order(&json!({"method": "POST", "path": "/api/system/pause"})));
        assert!(!is_order(&json!({"method": "GET", "path": "/api/system/info"})));
    }
}
