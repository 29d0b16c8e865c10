//! `cargo xtask soak`: the shipped program through weeks in which one thing after the other goes wrong. Nothing may grow, no
//! invariant may break, and what was alarmed has to be over once all is well.
//!
//! The program's own demo house has time that is lived through: every poll, decision and command happens, over real
//! sockets, only sooner. Which fault comes when is decided by a seed.

mod faults;
mod trend;

use crate::{
    folder, http,
    process::Service,
    process_facts::{self, Memory},
    program, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use faults::FAULTS;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};
use trend::Trend;

/// Where it begins: long nights, and the longer days after.
const START: &str = "2026-02-20T06:00:00Z";
/// Before this much time the program is still filling what it keeps.
const WARM_UP: TimeDelta = TimeDelta::hours(72);
/// How long a fault lasts, and how long all is well after it, in minutes.
const FAULT_MINUTES: (u64, u64) = (10, 150);
const WELL_MINUTES: (u64, u64) = (30, 180);
/// The miners of the house that are controlled.
const MINERS: [&str; 2] = ["miner", "shed"];
/// How long all is well at the end until a person looks after the miners ...
const SETTLE: TimeDelta = TimeDelta::hours(2);
/// ... and after that, until what was alarmed has to be over.
const LAST: TimeDelta = TimeDelta::hours(36);
/// How long simulated time may stand still, in ours.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it has come as far.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How much a day's history may take on the disk, kB: samples of three miners and the battery, their rows, the journal.
const DAY_ON_DISK: f64 = 6000.0;

/// Lives through so many hours with the program that is built, or with this one.
pub(crate) fn soak(
    workspace: &Workspace,
    hours: u32,
    seed: u64,
    program: Option<PathBuf>,
) -> anyhow::Result<()> {
    let program = if let Some(program) = program {
        program
    } else {
        say::step("building wm-controller as it is shipped");
        workspace.build("server", Program::Bin("wm-controller"), Profile::Release)?
    };
    let scratch = workspace.scratch()?.join("soak");
    folder::empty(&scratch)?;
    let mut run = Run::start(&program, &scratch, seed)?;
    say::step(format_args!("living {hours} hours with faults by the seed {seed}"));
    let begun = Instant::now();
    let end = run.now + TimeDelta::hours(hours.into());
    let mut told = run.now;
    while run.now < end {
        run.round()?;
        if run.now - told >= TimeDelta::hours(24) {
            told = run.now;
            run.looks.last().map(Look::line).into_iter().for_each(say::line);
        }
    }
    run.last()?;
    say::line(format_args!(
        "{:.1} simulated days in {:.0} s, {} faults, {} kinds of alerts: {}",
        (run.now - run.started).as_seconds_f64() / 86_400.0,
        begun.elapsed().as_secs_f64(),
        run.rounds,
        run.alerted.len(),
        run.alerted.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    ));
    judge(&run.looks, run.started)
}

/// The running program, and what was seen of it.
struct Run {
    service: Service,
    /// Where it answers, and where its house is controlled.
    api: String,
    house: String,
    data: PathBuf,
    random: Random,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
    rounds: usize,
    looks: Vec<Look>,
    /// The kinds of alerts that there were.
    alerted: BTreeSet<String>,
}

/// One look at the program, while time stands still.
struct Look {
    at: DateTime<Utc>,
    memory: Memory,
    files: usize,
    threads: f64,
    disk_kilobytes: f64,
    alerts: usize,
}

impl Look {
    fn line(&self) -> String {
        format!(
            "  {}: {:.1} MB resident, {:.1} MB data, {} files, {} threads, {:.0} kB on the disk, {} alerts hold",
            self.at.format("%F %R"),
            self.memory.now,
            self.memory.data,
            self.files,
            self.threads,
            self.disk_kilobytes,
            self.alerts
        )
    }
}

impl Run {
    fn start(program: &Path, scratch: &Path, seed: u64) -> anyhow::Result<Self> {
        let log = scratch.join("wm-controller.log");
        let mut command = Command::new(program);
        command.args(["--demo", "--scale", "0", "--history", "0", "--port", "0", "--start", START, "--data"]);
        let service = Service::start(command.arg(scratch), &log)?;
        let api = program::address(&service)?;
        let said = fs::read_to_string(&log).with_context(|| format!("reading {}", log.display()))?;
        let house = said.split_once("control_api=\"").and_then(|(_, rest)| rest.split('"').next());
        let house = house.context("the demo doesn't say where its house is controlled")?.to_owned();
        let started = START.parse()?;
        Ok(Self {
            service,
            api,
            house,
            data: scratch.join("demo"),
            random: Random(seed),
            started,
            now: started,
            rounds: 0,
            looks: Vec::new(),
            alerted: BTreeSet::new(),
        })
    }

    /// Something goes wrong for a while, and then all is well for a while.
    fn round(&mut self) -> anyhow::Result<()> {
        let fault = self.random.one_of(&FAULTS).context("there are no faults")?;
        self.rounds += 1;
        fault.begin(&self.house).with_context(|| format!("switching {fault:?} on"))?;
        let time = self.random.minutes(FAULT_MINUTES);
        self.live(time)?;
        self.look().with_context(|| format!("under {fault:?}"))?;
        fault.end(&self.house).with_context(|| format!("switching {fault:?} off"))?;
        let time = self.random.minutes(WELL_MINUTES);
        self.live(time)?;
        self.look().with_context(|| format!("after {fault:?}"))
    }

    /// All is well for so long that nothing may be alarmed any more.
    fn last(&mut self) -> anyhow::Result<()> {
        // A battery that runs low at night is no fault, and an alarm all the same.
        let full = json!({"soc": 100, "hold_soc": true});
        http::call(&self.house, "PATCH", "/house", &full)?;
        self.live(SETTLE)?;
        // A miner whose commands failed is neither started nor raised until a person, who has seen the alarm, asks again.
        for id in MINERS {
            let path = format!("/api/miner/power_on?id={id}");
            http::call(&self.api, "POST", &path, &json!({})).context("asking a miner to run again")?;
        }
        self.live(LAST)?;
        self.look()?;
        let status = http::call(&self.api, "GET", "/api/system/status", &Value::Null)?;
        let alerts = status.get("alerts").and_then(Value::as_array).context("the program tells no alerts")?;
        let held: Vec<_> = alerts.iter().filter(|alert| is_active(alert)).map(ToString::to_string).collect();
        ensure!(
            held.is_empty(),
            "{} hours after the last fault is still alarmed: {}",
            LAST.num_hours(),
            held.join(", ")
        );
        http::call(&self.api, "POST", "/api/alerts/clear", &json!({}))?;
        Ok(())
    }

    /// Lets this much simulated time pass.
    fn live(&mut self, time: TimeDelta) -> anyhow::Result<()> {
        let until = self.now + time;
        http::call(&self.house, "POST", "/time/jump", &json!({"seconds": time.num_seconds()}))?;
        let (mut at, mut moved) = (self.now, Instant::now());
        while at < until {
            thread::sleep(LOOK_AGAIN);
            let told = http::call(&self.house, "GET", "/time", &Value::Null)?;
            let told = told.get("utc").and_then(Value::as_str).context("the house tells no time")?;
            let told: DateTime<Utc> = told.parse()?;
            if told > at {
                (at, moved) = (told, Instant::now());
            }
            ensure!(moved.elapsed() < PATIENCE, "time stands still at {at}: target/xtask/soak has the log");
        }
        self.now = at;
        Ok(())
    }

    fn look(&mut self) -> anyhow::Result<()> {
        // The house is in the same process: what it remembers of requests isn't the program's.
        let logs = ["/portal/log", "/miners/miner/log", "/miners/shed/log", "/axeos/bitaxe-1/log"];
        for log in logs {
            http::call(&self.house, "DELETE", log, &Value::Null)?;
        }
        let status = http::call(&self.api, "GET", "/api/system/status", &Value::Null)?;
        let violations = status.get("invariant_violations").and_then(Value::as_object);
        let broken: Vec<_> =
            violations.context("no invariants are told")?.iter().filter(|(_, n)| **n != 0).collect();
        ensure!(broken.is_empty(), "at {} invariants are broken: {broken:?}", self.now);
        ensure!(
            status.get("database_ok") == Some(&Value::Bool(true)),
            "at {} the database is lost",
            self.now
        );
        let alerts = status.get("alerts").and_then(Value::as_array).context("the program tells no alerts")?;
        self.alerted.extend(alerts.iter().filter_map(|alert| Some(alert.get("code")?.as_str()?.to_owned())));
        http::metrics(&self.api)?.value("wm_controller_control_loop_ticks_total")?;
        let id = self.service.id();
        self.looks.push(Look {
            at: self.now,
            memory: Memory::of(id)?,
            files: process_facts::open_files(id)?,
            threads: process_facts::threads(id)?,
            disk_kilobytes: size(&self.data)? / 1024.0,
            alerts: alerts.iter().filter(|alert| is_active(alert)).count(),
        });
        Ok(())
    }
}

fn is_active(alert: &Value) -> bool {
    alert.get("active") == Some(&Value::Bool(true))
}

/// The bytes of the files in a directory.
fn size(directory: &Path) -> anyhow::Result<f64> {
    let files = fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let sizes = files.map(|file| Ok(file?.metadata()?.len() as f64));
    Ok(sizes.collect::<std::io::Result<Vec<_>>>()?.into_iter().sum())
}

/// Shows what became of each thing that could grow; fails if one did, or if the faults weren't felt.
fn judge(looks: &[Look], started: DateTime<Utc>) -> anyhow::Result<()> {
    let warm: Vec<_> = looks.iter().filter(|look| look.at - started >= WARM_UP).collect();
    let series = |value: fn(&Look) -> f64| warm.iter().map(|look| value(look)).collect::<Vec<_>>();
    let trend = |name, unit, share, amount, value| Trend { name, unit, values: series(value), share, amount };
    let trends = [
        trend("resident memory", "MB", 0.15, 1.0, |look| look.memory.now),
        trend("data in memory", "MB", 0.15, 1.0, |look| look.memory.data),
        trend("open files", "", 0.0, 4.0, |look| look.files as f64),
        trend("threads", "", 0.0, 2.0, |look| look.threads),
    ];
    for trend in &trends {
        let (first, last) = trend.ends();
        say::line(format_args!(
            "{}: {first:.1} {unit} in the first quarter, {last:.1} in the last (at most {:.1}), {:.1} the highest",
            trend.name,
            trend.allowed(),
            trend.highest(),
            unit = trend.unit
        ));
    }
    let mut faults: Vec<_> =
        trends.iter().filter(|trend| trend.grows()).map(|trend| format!("{} grows", trend.name)).collect();
    if let (Some(first), Some(last)) = (warm.first(), warm.last()) {
        let days = (last.at - first.at).as_seconds_f64() / 86_400.0;
        let daily = (last.disk_kilobytes - first.disk_kilobytes) / days;
        say::line(format_args!(
            "on the disk: {:.0} kB at the end, {daily:.0} kB a day (at most {DAY_ON_DISK:.0})",
            last.disk_kilobytes
        ));
        if daily.is_nan() || daily > DAY_ON_DISK {
            faults.push("the database grows too fast".to_owned());
        }
    }
    if !looks.iter().any(|look| look.alerts > 0) || !looks.iter().any(|look| look.alerts == 0) {
        faults.push("alerts don't come and go".to_owned());
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}: target/xtask/soak has the log", faults.join(", ")) }
}

/// Numbers that look like chance and are the same again for the same seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn minutes(&mut self, range: (u64, u64)) -> TimeDelta {
        TimeDelta::minutes(self.between(range))
    }

    fn between(&mut self, (least, most): (u64, u64)) -> i64 {
        (least + self.next() % (most - least + 1)).cast_signed()
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(usize::try_from(self.next() % list.len().max(1) as u64).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(hour: u32, files: usize, alerts: usize) -> Look {
        let at = START.parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour.into());
        let memory = Memory { now: 20.0, data: 9.0, highest: 21.0 };
        Look { at, memory, files, threads: 5.0, disk_kilobytes: f64::from(hour) * 40.0, alerts }
    }

    fn judged(files: fn(u32) -> usize, alerts: fn(u32) -> usize) -> Result<(), String> {
        let looks: Vec<_> = (0..500).map(|hour| look(hour, files(hour), alerts(hour))).collect();
        judge(&looks, START.parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn files_that_stay_open_and_alerts_that_stay_fail_it() {
        let comes_and_goes = |hour: u32| usize::from(hour.is_multiple_of(5));
        assert_eq!(judged(|_| 24, comes_and_goes), Ok(()));
        let leaks = judged(|hour| 24 + hour as usize / 40, comes_and_goes).unwrap_err();
        assert!(leaks.starts_with("open files grows"), "{leaks}");
        assert!(judged(|_| 24, |_| 1).unwrap_err().contains("come and go"));
        assert!(judged(|_| 24, |_| 0).unwrap_err().contains("come and go"));
    }

    #[test]
    fn the_same_seed_is_the_same_again_and_reaches_every_fault() {
        let drawn = |seed| {
            let mut random = Random(seed);
            (0..500).map(|_| random.between((0, FAULTS.len() as u64 - 1))).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert_eq!(drawn(1).into_iter().collect::<BTreeSet<_>>().len(), FAULTS.len());
    }
}
