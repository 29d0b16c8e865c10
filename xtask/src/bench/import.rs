//! Taking over old logs: a million rows, of which one of a hundred is damaged in every way that memory cards know.

use super::Figure;
use crate::{
    process, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, ensure};
use chrono::{DateTime, Duration};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::Command,
    time::Instant,
};

/// Rows of each log.
const ROWS: u64 = 500_000;
/// The first row's instant, 2025-01-01T00:00:00Z; the others follow a minute apart.
const FIRST: i64 = 1_735_689_600;
/// Of so many rows, one is damaged in each of the ways.
const EVERY: u64 = 100;

const BATTERY_HEADER: &str = "ts,soc_percent,pack_voltage_v,pack_current_a,pv_power_w,load_power_w,grid_power_w,ac_couple_w,battery_net_w,units";
const MINER_HEADER: &str = "ts,Elapsed,MHS av,Power,Power Limit,Power Mode,Env Temp,Chip Temp Avg,Fan Speed In,Fan Speed Out,Hashrate,Efficiency";
const CONFIG: &str = "\
site: {timezone: UTC}
miner: {id: garage, host: 192.168.7.9, base_watts: 3600}
battery: {user: me, password: sun}
";

/// Imports two logs twice with the release build.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    say::step("building the program");
    let program = workspace.build("server", Program::Bin("wm-controller"), Profile::Release)?;
    let dir = workspace.scratch()?.join("import");
    // What an earlier run left would be known already.
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir)?;
    say::step(format_args!("writing two logs of {ROWS} rows"));
    let good = write(&dir.join("eg4_battery_log.csv"), BATTERY_HEADER, battery)?
        + write(&dir.join("wm_status_log.csv"), MINER_HEADER, miner)?;
    fs::write(dir.join("config.yaml"), CONFIG)?;

    let import = || {
        let mut command = Command::new(&program);
        command.arg("import").arg(&dir).arg("--config").arg(dir.join("config.yaml"));
        command.arg("--data").arg(dir.join("data"));
        let begun = Instant::now();
        let report = process::output(&mut command).context("the import failed: run it by hand")?;
        anyhow::Ok((begun.elapsed().as_secs_f64(), report))
    };
    say::step("importing them");
    let (seconds, report) = import()?;
    let taken = counted(&report, "taken");
    ensure!(taken == good, "{taken} rows were taken, and {good} are good:\n{report}");
    say::step("importing them again");
    let (again, report) = import()?;
    ensure!(counted(&report, "taken") == 0, "something was taken twice:\n{report}");
    fs::remove_dir_all(&dir)?;
    let how = format!(
        "battery's and miner's log with 1 % of the rows damaged in each of {} ways, all {good} good ones taken and no other",
        Damage::ALL.len()
    );
    let figure = |name, how, measured| Figure { name, how, measured, budget: 60.0, unit: "s" };
    Ok(vec![
        figure("import of a million rows", how, seconds),
        figure("the same again", "nothing is taken".to_owned(), again),
    ])
}

/// What can happen to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// The power went while it was written.
    CutWithNulBytes,
    /// The time is gone.
    NoTime,
    /// The columns are shifted by one.
    Shifted,
    /// It is there a second time.
    Twice,
    /// It has no offset.
    NoOffset,
    /// It comes after its successor.
    Late,
    /// Bytes that are no text are in its time.
    NoText,
}

impl Damage {
    const ALL: [Self; 7] = [
        Self::CutWithNulBytes,
        Self::NoTime,
        Self::Shifted,
        Self::Twice,
        Self::NoOffset,
        Self::Late,
        Self::NoText,
    ];

    /// The damage of a row, if it has any. The ways are spread over the hundred.
    fn of(number: u64) -> Option<Self> {
        let (place, apart) = (number % EVERY, EVERY / Self::ALL.len() as u64);
        (place % apart == 1).then(|| Self::ALL.get(usize::try_from(place / apart).ok()?).copied()).flatten()
    }
}

/// Writes a log of damaged rows; how many of them are good for something. `fields` makes a row's, after its time.
fn write(path: &Path, header: &str, fields: fn(u64) -> String) -> anyhow::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(file, "{header}\r\n")?;
    let mut good = 0;
    let mut late = None;
    for number in 0..ROWS {
        let at = DateTime::from_timestamp(FIRST, 0).context("no instant")?
            + Duration::minutes(i64::try_from(number)?);
        let (time, fields) = (at.format("%Y-%m-%dT%H:%M:%S+00:00"), fields(number));
        let damage = Damage::of(number);
        match damage {
            None => write!(file, "{time},{fields}\r\n")?,
            Some(Damage::CutWithNulBytes) => {
                write!(file, "{time},{}\0\0\0\0", fields.get(..5).unwrap_or(""))?;
            }
            Some(Damage::NoTime) => write!(file, ",{fields}\r\n")?,
            // The time stands where the first value was.
            Some(Damage::Shifted) => {
                let (shifted, _) = fields.rsplit_once(',').unwrap_or_default();
                write!(file, "-3.5,{time},{shifted}\r\n")?;
            }
            Some(Damage::Twice) => write!(file, "{time},{fields}\r\n{time},{fields}\r\n")?,
            Some(Damage::NoOffset) => write!(file, "{},{fields}\r\n", at.format("%Y-%m-%d %H:%M:%S"))?,
            Some(Damage::Late) => late = Some(format!("{time},{fields}\r\n")),
            Some(Damage::NoText) => {
                file.write_all(b"\xff\xfe\x80")?;
                write!(file, "{time},{fields}\r\n")?;
            }
        }
        if damage != Some(Damage::Late)
            && let Some(late) = late.take()
        {
            file.write_all(late.as_bytes())?;
        }
        let is_lost = matches!(
            damage,
            Some(Damage::CutWithNulBytes | Damage::NoTime | Damage::Shifted | Damage::NoText)
        );
        good += u64::from(!is_lost);
    }
    // The last one waits for no successor.
    file.write_all(late.unwrap_or_default().as_bytes())?;
    file.flush()?;
    Ok(good)
}

fn battery(number: u64) -> String {
    let (soc, pv) = (20 + number % 80, number % 7000);
    format!("{soc},52.3,-4.5,{pv},900,0,0,{},\"[{{'id': 1, 'cells': [3.3, 3.4]}}]\"", pv as i64 - 900)
}

fn miner(number: u64) -> String {
    let power = 1400 + number % 2200;
    let rate = power as f64 / 20.0;
    format!("{},{}e6,{power},3600,Normal,25.5,70.1,4200,4300,{rate:.2},20.0", number * 60, rate)
}

/// The sum of the numbers before a word, each at the beginning of a line.
fn counted(report: &str, word: &str) -> u64 {
    let number = |line: &str| line.trim().strip_suffix(word)?.trim().parse::<u64>().ok();
    report.lines().filter_map(number).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_is_there_once_in_a_hundred_rows() {
        let of = |damage| (0..EVERY).filter(|number| Damage::of(*number) == Some(damage)).count();
        assert!(Damage::ALL.into_iter().all(|damage| of(damage) == 1));
    }

    #[test]
    fn counts_are_read_from_a_report() {
        let report =
            "a.csv: 5 rows\n  3 taken\n  2 left out: cut off (the first is line 3)\nb.csv: 1 rows\n  1 taken";
        assert_eq!(counted(report, "taken"), 4);
    }
}
