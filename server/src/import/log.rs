//! The two logs: how a file of one is read row by row, and what a row becomes.

use super::{
    lines::{Line, Lines},
    report::FileReport,
    row::{Columns, LeftOut, Row, Splitter, is_header},
    when::When,
};
use csv::StringRecord;
use model::{
    Celsius, MinerId, Soc, TeraHash, UtcMillis, Watts,
    history::{BatterySample, MinerSample},
};
use std::{
    collections::HashSet,
    io::{self, BufRead},
};

/// Before this there was no such program. 2009-01-03, the first block.
const EARLIEST: UtcMillis = UtcMillis(1_230_940_800_000);
/// More than any house or miner of such a site draws, W.
const MOST_WATTS: f64 = 200_000.0;
/// More than one miner hashes, TH/s.
const MOST_TERAHASH: f64 = 5000.0;
/// What a battery's voltage can be, V. A current or a power in its place, as after a shift by one column, is out of it
/// most of the time.
const VOLTS: std::ops::RangeInclusive<f64> = 10.0..=1000.0;
/// MH in a TH.
const MEGA_PER_TERA: f64 = 1e6;

/// What the battery's log has told since it had all of its columns.
const BATTERY_COLUMNS: [&str; 10] = [
    "ts",
    "soc_percent",
    "pack_voltage_v",
    "pack_current_a",
    "pv_power_w",
    "load_power_w",
    "grid_power_w",
    "ac_couple_w",
    "battery_net_w",
    "units",
];

/// What a log is of.
pub(super) trait Log {
    /// What a row becomes.
    type Sample;

    /// The columns of a row that has another number of them than its header, or no header above it. `None` if only its
    /// neighbours can tell whether it is a row at all.
    fn columns_of(&self, count: usize) -> Option<Columns>;

    /// The columns that are the same in a row of any firmware, by their places among `count`.
    fn columns_of_any(&self, count: usize) -> Option<Columns>;

    /// What a row of this time says.
    fn sample(&self, row: Row<'_>, at: UtcMillis) -> Result<Self::Sample, LeftOut>;
}

/// `eg4_battery_log.csv`.
pub(super) struct BatteryLog;

impl Log for BatteryLog {
    type Sample = BatterySample;

    fn columns_of(&self, count: usize) -> Option<Columns> {
        (count == BATTERY_COLUMNS.len()).then(|| Columns::of(&BATTERY_COLUMNS.iter().collect()))
    }

    fn columns_of_any(&self, _count: usize) -> Option<Columns> {
        None
    }

    fn sample(&self, row: Row<'_>, at: UtcMillis) -> Result<BatterySample, LeftOut> {
        let volts = row.number("pack_voltage_v")?;
        // 0 is how a pack is told that wasn't asked.
        if volts.is_some_and(|volts| volts != 0.0 && !VOLTS.contains(&volts)) {
            return Err(LeftOut::Damaged);
        }
        let soc = row.number("soc_percent")?.map(|soc| Soc::new(soc).ok_or(LeftOut::Damaged)).transpose()?;
        let power = |name| row.number(name).and_then(|told| watts(told, -MOST_WATTS));
        let sample = BatterySample {
            at,
            soc,
            pv: power("pv_power_w")?,
            load: power("load_power_w")?,
            grid: power("grid_power_w")?,
            battery: power("battery_net_w")?,
        };
        let BatterySample { at: _, soc, pv, load, grid, battery } = &sample;
        let is_empty = soc.is_none() && [pv, load, grid, battery].iter().all(|power| power.is_none());
        if is_empty { Err(LeftOut::Empty) } else { Ok(sample) }
    }
}

/// `wm_status_log.csv`, of this miner.
pub(super) struct MinerLog(pub(super) MinerId);

impl Log for MinerLog {
    type Sample = MinerSample;

    fn columns_of(&self, _count: usize) -> Option<Columns> {
        None
    }

    /// The time is first, and what the program worked out itself is last, whatever the firmware tells in between.
    fn columns_of_any(&self, count: usize) -> Option<Columns> {
        let between = count.checked_sub(3).filter(|between| *between > 0)?;
        let between = (0..between).map(|number| format!("(unknown {number})"));
        let names = std::iter::once("ts".to_owned()).chain(between);
        Some(Columns::of(&names.chain(["hashrate".to_owned(), "efficiency".to_owned()]).collect()))
    }

    fn sample(&self, row: Row<'_>, at: UtcMillis) -> Result<MinerSample, LeftOut> {
        let told = row.number("hashrate")?;
        let mega = if told.is_some() { None } else { row.number("hs rt")?.or(row.number("mhs av")?) };
        let hash_rate = told.or(mega.map(|mega| mega / MEGA_PER_TERA));
        if hash_rate.is_some_and(|rate| !(0.0..=MOST_TERAHASH).contains(&rate)) {
            return Err(LeftOut::Damaged);
        }
        // W/TH times TH/s.
        let worked_out = match (hash_rate, row.number("efficiency")?) {
            (Some(rate), Some(efficiency)) if rate > 0.0 && efficiency > 0.0 => Some(rate * efficiency),
            _ => None,
        };
        let sample = MinerSample {
            miner: self.0.clone(),
            at,
            power: watts(row.number("power")?.or(worked_out), 0.0)?,
            // A limit of 0 is how some firmware says that it has none.
            power_set: watts(row.number("power limit")?.filter(|limit| *limit != 0.0), 0.0)?,
            hash_rate: hash_rate.and_then(TeraHash::new),
            ambient: celsius(row.number("env temp")?),
            chip_max: celsius(row.number("chip temp max")?),
            fan_in_rpm: rpm(row.number("fan speed in")?),
            fan_out_rpm: rpm(row.number("fan speed out")?),
        };
        if sample.power.is_none() && sample.hash_rate.is_none() { Err(LeftOut::Empty) } else { Ok(sample) }
    }
}

fn watts(told: Option<f64>, least: f64) -> Result<Option<Watts>, LeftOut> {
    told.map(|told| {
        let known = (least..=MOST_WATTS).contains(&told).then(|| Watts::new(told)).flatten();
        known.ok_or(LeftOut::Damaged)
    })
    .transpose()
}

/// A sensor that isn't there is told as 0 or far below.
fn celsius(told: Option<f64>) -> Option<Celsius> {
    told.filter(|told| *told != 0.0 && (-60.0..=200.0).contains(told)).and_then(Celsius::new)
}

fn rpm(told: Option<f64>) -> Option<u32> {
    told.filter(|told| (0.0..=100_000.0).contains(told)).map(|told| told.round() as u32)
}

/// A log that is being read.
pub(super) struct Reading<'a, L> {
    log: &'a L,
    when: When,
    now: UtcMillis,
    header: Option<Columns>,
    /// Rows of another number of columns than the header's that were found to be rows, and their columns.
    other: Option<Columns>,
    /// A row of yet another number, that its successor has to vouch for.
    doubtful: Option<(u64, StringRecord)>,
    seen: HashSet<UtcMillis>,
    splitter: Splitter,
}

impl<'a, L: Log> Reading<'a, L> {
    /// `now` is the present: nothing was written after it.
    pub(super) fn new(log: &'a L, when: When, now: UtcMillis) -> Self {
        let seen = HashSet::new();
        let splitter = Splitter::new();
        Self { log, when, now, header: None, other: None, doubtful: None, seen, splitter }
    }

    /// Reads up to `most` samples; none at the end.
    ///
    /// # Errors
    /// If the file can't be read on.
    pub(super) fn samples<R: BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        most: usize,
        report: &mut FileReport,
    ) -> io::Result<Vec<L::Sample>> {
        let mut samples = Vec::new();
        let mut record = StringRecord::new();
        while samples.len() < most {
            let Some(Line { number, text, is_whole }) = lines.next()? else {
                if let Some((number, _)) = self.doubtful.take() {
                    report.left_out(number, LeftOut::OddShape);
                }
                break;
            };
            self.splitter.split(text, &mut record);
            if is_header(&record) {
                (self.header, self.other) = (Some(Columns::of(&record)), None);
                continue;
            }
            report.row();
            if !is_whole {
                report.left_out(number, LeftOut::Cut);
                continue;
            }
            self.row(number, &record, report, &mut samples);
        }
        Ok(samples)
    }

    /// Takes up a whole line.
    fn row(
        &mut self,
        number: u64,
        record: &StringRecord,
        report: &mut FileReport,
        samples: &mut Vec<L::Sample>,
    ) {
        let of_header = self.header.as_ref().filter(|header| header.count() == record.len());
        let of_others = self.other.as_ref().filter(|other| other.count() == record.len());
        let columns = of_header.or(of_others).cloned().or_else(|| self.log.columns_of(record.len()));
        let doubtful = self.doubtful.take();
        if let Some(columns) = columns {
            if let Some((number, _)) = doubtful {
                report.left_out(number, LeftOut::OddShape);
            }
            self.take(number, record, &columns, report, samples);
            return;
        }
        let Some(columns) = self.log.columns_of_any(record.len()) else {
            if let Some((before, _)) = doubtful {
                report.left_out(before, LeftOut::OddShape);
            }
            report.left_out(number, LeftOut::OddShape);
            return;
        };
        match doubtful {
            // Two in a row: from here on the firmware tells something else.
            Some((before, other)) if other.len() == record.len() => {
                self.take(before, &other, &columns, report, samples);
                self.take(number, record, &columns, report, samples);
                self.other = Some(columns);
            }
            other => {
                if let Some((number, _)) = other {
                    report.left_out(number, LeftOut::OddShape);
                }
                self.doubtful = Some((number, record.clone()));
            }
        }
    }

    fn take(
        &mut self,
        number: u64,
        record: &StringRecord,
        columns: &Columns,
        report: &mut FileReport,
        samples: &mut Vec<L::Sample>,
    ) {
        let row = Row { record, columns };
        match self.time(row).and_then(|at| Ok((at, self.log.sample(row, at)?))) {
            Ok((at, _)) if !self.seen.insert(at) => report.left_out(number, LeftOut::Twice),
            Ok((at, sample)) => {
                report.fit(at);
                samples.push(sample);
            }
            Err(why) => report.left_out(number, why),
        }
    }

    fn time(&mut self, row: Row<'_>) -> Result<UtcMillis, LeftOut> {
        let at = match (row.text("ts"), row.text("date"), row.text("time")) {
            (None, Some(date), Some(time)) if !time.is_empty() => self.when.date_and_time(date, time),
            (Some(whole), ..) | (None, Some(whole), _) => self.when.timestamp(whole),
            (None, None, _) => None,
        };
        let at = at.ok_or(LeftOut::NoTime)?;
        if (EARLIEST..=self.now).contains(&at) { Ok(at) } else { Err(LeftOut::ImpossibleTime) }
    }
}
