//! `wm-controller import`: the history and the memory of the earlier Python program, from its two logs and its state file.
//!
//! Tolerant: files have NUL bytes, cut lines, shifted columns and times without offset. What is good goes into the history
//! as any other sample does, however old it is; what isn't is left out and counted. A moment that the database knows stays
//! as it is, so that nothing doubles if the same is imported again.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod lines;
mod log;
mod remembered;
mod report;
mod row;
mod when;

use crate::{
    assemble,
    config::{Config, Inputs},
    settings,
};
use anyhow::{Context, bail};
use chrono_tz::Tz;
use engine::{Inherited, inherit};
use lines::Lines;
use log::{BatteryLog, Log, MinerLog, Reading};
use model::{MinerId, Now};
use report::FileReport;
use std::{
    fs::{self, File},
    io::{BufReader, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use store::{HistoryRules, Samples, Store};
use when::When;

/// Samples that go into the database at once: few enough for a memory card within the database's deadline.
const AT_ONCE: usize = 5000;

const BATTERY: &str = "eg4_battery_log.csv";
const MINER: &str = "wm_status_log.csv";
const STATE: &str = "wm_state.json";

/// What is imported, and into what.
#[derive(Debug, Clone)]
pub struct Import {
    /// Files of the earlier program, or directories with them.
    pub paths: Vec<PathBuf>,
    /// The miner that its log is of; the only one, if left out.
    pub miner: Option<MinerId>,
    /// Only look: nothing is written.
    pub dry_run: bool,
}

/// Imports into the site that `inputs` and what was changed on its settings page describe, and tells of every file what
/// became of it. A dry run doesn't open the database, which could change it and belongs to a program that runs: what was
/// changed on the page doesn't count then.
///
/// # Errors
/// If there is nothing to import, the miner isn't known, a file can't be read, or the database belongs to a running program.
pub async fn import(
    import: &Import,
    inputs: &Inputs,
    data: &Path,
    now: Now,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let files = files(&import.paths)?;
    let store = if import.dry_run {
        None
    } else {
        let opened = Store::open(data, now).await.context("the program may be running: stop it first")?;
        for note in &opened.notes {
            writeln!(out, "{note}")?;
        }
        Some(opened.store)
    };
    let config = settings::loaded_with_changes(inputs, store.as_ref()).await?.config;
    let miner = miner(import.miner.as_ref(), &config)?;
    // Everything is taken, however old: what is older than samples are kept is removed by and by, and its rows stay.
    let rules = HistoryRules {
        keep_samples: Duration::from_millis(now.utc.0.unsigned_abs()),
        ..assemble::site(&config)?.history_rules()
    };
    let target = Target { store, rules, zone: config.site.timezone, now };
    for (kind, path) in &files {
        let name = path.display();
        match kind {
            Kind::Battery => {
                let pack = |samples| Samples { battery: samples, ..Samples::default() };
                let report = target.read(path, &BatteryLog, pack).await?;
                writeln!(out, "{name}: {report}")?;
            }
            Kind::Miner => {
                let pack = |samples| Samples { miners: samples, ..Samples::default() };
                let report = target.read(path, &MinerLog(miner.clone()), pack).await?;
                writeln!(out, "{name}: {report}")?;
            }
            Kind::State => writeln!(out, "{name}: {}", target.remember(path, &miner).await?)?,
        }
    }
    if let Some(store) = &target.store {
        store.close().await?;
    } else {
        writeln!(out, "Nothing was written.")?;
    }
    Ok(())
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Battery,
    Miner,
    State,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        match path.file_name()?.to_str()? {
            BATTERY => Some(Self::Battery),
            MINER => Some(Self::Miner),
            STATE => Some(Self::State),
            _ => None,
        }
    }
}

/// The files that are meant: those named, and those of the three names in directories and their `miner_logs`.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<(Kind, PathBuf)>> {
    let mut files = Vec::new();
    for path in paths {
        let about = fs::metadata(path).with_context(|| path.display().to_string())?;
        if about.is_dir() {
            let inside = [path.clone(), path.join("miner_logs")]
                .into_iter()
                .flat_map(|dir| [BATTERY, MINER, STATE].map(|name| dir.join(name)));
            let found = inside.filter(|file| file.is_file());
            files.extend(found.filter_map(|file| Some((Kind::of(&file)?, file))));
        } else if let Some(kind) = Kind::of(path) {
            files.push((kind, path.clone()));
        } else {
            bail!("{}: what is imported is called {MINER}, {BATTERY} or {STATE}", path.display());
        }
    }
    if files.is_empty() {
        bail!("there is no {MINER}, {BATTERY} or {STATE}");
    }
    Ok(files)
}

fn miner(named: Option<&MinerId>, config: &Config) -> anyhow::Result<MinerId> {
    let ids: Vec<_> = config.miners.iter().map(|miner| &miner.id).collect();
    let known = || ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(", ");
    match (named, ids.as_slice()) {
        (Some(named), _) if ids.contains(&named) => Ok(named.clone()),
        (Some(named), _) => bail!("there is no miner {}: one of {}", named.0, known()),
        (None, [only]) => Ok((*only).clone()),
        (None, _) => bail!("name the miner that the log is of with --miner: one of {}", known()),
    }
}

/// What is written to, and by which rules.
struct Target {
    store: Option<Store>,
    rules: HistoryRules,
    zone: Tz,
    now: Now,
}

impl Target {
    async fn read<L: Log>(
        &self,
        path: &Path,
        log: &L,
        pack: impl Fn(Vec<L::Sample>) -> Samples,
    ) -> anyhow::Result<FileReport> {
        let named = || path.display().to_string();
        let mut lines = Lines::new(BufReader::with_capacity(1 << 16, File::open(path).with_context(named)?));
        let mut reading = Reading::new(log, When::new(self.zone), self.now.utc);
        let mut report = FileReport::default();
        if self.store.is_some() {
            report.taken(0);
        }
        loop {
            let samples = reading.samples(&mut lines, AT_ONCE, &mut report).with_context(named)?;
            if samples.is_empty() {
                return Ok(report);
            }
            if let Some(store) = &self.store {
                let taken = store.record_samples(&pack(samples), &self.rules, self.now.utc).await;
                report.taken(taken.with_context(|| format!("what came before it was kept; {report}"))?);
            }
        }
    }

    async fn remember(&self, path: &Path, miner: &MinerId) -> anyhow::Result<String> {
        let text = fs::read(path).with_context(|| path.display().to_string())?;
        let inherited = match remembered::parse(&String::from_utf8_lossy(&text)) {
            Ok(inherited) => inherited,
            Err(error) => return Ok(format!("left out: it can't be read ({error})")),
        };
        let Some(store) = &self.store else { return Ok(told(inherited, "would be taken over")) };
        let kept = inherit(store, miner, inherited, self.now).await?;
        let rest = Inherited {
            auto_control: inherited.auto_control.filter(|_| kept.auto_control.is_none()),
            emergency_latched: inherited.emergency_latched && !kept.emergency_latched,
        };
        let words = [(kept, "taken over"), (rest, "left out: this controller has its own already")];
        let words = words.into_iter().filter(|(what, _)| *what != Inherited::default());
        let words: Vec<_> = words.map(|(what, words)| told(what, words)).collect();
        Ok(if words.is_empty() { told(Inherited::default(), "") } else { words.join("; ") })
    }
}

/// What was inherited, and what became of it.
fn told(inherited: Inherited, what: &str) -> String {
    let choice = inherited.auto_control.map(|on| if on { "auto-control on" } else { "auto-control off" });
    let latch = inherited.emergency_latched.then_some("the emergency latch");
    let both: Vec<_> = choice.into_iter().chain(latch).collect();
    if both.is_empty() {
        "nothing in it that is kept".to_owned()
    } else {
        format!("{} {what}", both.join(" and "))
    }
}
