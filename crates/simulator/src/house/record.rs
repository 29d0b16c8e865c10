//! A recorded day: a table of what a real house did, read from CSV and told back by the wall clock.
//!
//! The first line names the columns, in any order and case; unknown ones are ignored:
//!
//! | column | |
//! |---|---|
//! | `time` | `2026-05-04T12:30:00Z` (UTC), `2026-05-04 06:30:00` or `06:30` or `06:30:00` (wall clock) |
//! | `seconds` | instead of `time`: seconds after midnight of the wall clock |
//! | `soc` or `soc_percent` | state of charge, percent, 0 ..= 100 |
//! | `pv_w` or `pv` | solar power, W |
//! | `load_w` or `load` | consumption, W |
//! | `battery_w` or `battery` | battery power, W, + = charging |
//!
//! Columns are separated by commas, semicolons or tabs. Empty lines and lines that start with `#` are skipped. An
//! empty cell, `null`, `NaN` and `--` mean that nobody knows; the neighbours in the same column fill the gap. Rows
//! ascend and span less than a day; a clock time that goes back has passed midnight. The day repeats every day.

use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime, Timelike};
use chrono_tz::Tz;

const DAY_SECONDS: i64 = 86_400;
/// One row a second for a day, and a header.
const MOST_LINES: usize = 100_000;

/// A recorded day.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedDay {
    /// Second of the day at which it begins.
    begins: i64,
    /// State of charge, percent.
    pub(super) soc: Column,
    /// Solar power, W.
    pub(super) pv: Column,
    /// Consumption, W.
    pub(super) load: Column,
    /// Battery power, W, + = charging.
    pub(super) battery: Column,
}

/// The known values of one column by their seconds after the first row, ascending.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Column(Vec<(i64, f64)>);

/// A line of a record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct BadRecord {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Where each column stands in a row.
struct Header {
    separator: char,
    time: Option<usize>,
    seconds: Option<usize>,
    soc: Option<usize>,
    pv: Option<usize>,
    load: Option<usize>,
    battery: Option<usize>,
}

/// What a row says about its time.
enum Stamp {
    /// Seconds after some midnight; the date is known.
    Dated(i64),
    /// Seconds after midnight of an unknown day.
    Clock(i64),
}

impl RecordedDay {
    /// Reads a record (see the module's documentation). Instants in UTC are told by the wall clock of `zone`.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, BadRecord> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let bad = |line, problem: &str| BadRecord { line, problem: problem.to_owned() };
        let (line, names) = lines.next().ok_or_else(|| bad(1, "the record is empty"))?;
        let header = Header::parse(names).map_err(|problem| BadRecord { line, problem })?;

        let (mut first, mut last) = (None, None);
        let [mut soc, mut pv, mut load, mut battery] = std::array::from_fn(|_| Column::default());
        for (line, row) in lines {
            if line > MOST_LINES {
                return Err(bad(line, "the record is longer than a row a second"));
            }
            let at_line = |problem| BadRecord { line, problem };
            let cells: Vec<&str> =
                row.split(header.separator).map(|cell| cell.trim().trim_matches('"')).collect();
            let second = match header.stamp(&cells, zone).map_err(at_line)? {
                Stamp::Dated(second) => second,
                Stamp::Clock(second) => {
                    let midnights = last.map_or(0, |last: i64| {
                        last.div_euclid(DAY_SECONDS) + i64::from(second < last.rem_euclid(DAY_SECONDS))
                    });
                    midnights * DAY_SECONDS + second
                }
            };
            if last.is_some_and(|last| second < last) {
                return Err(bad(line, "the time is before that of the row above"));
            }
            last = Some(second);
            let offset = second - *first.get_or_insert(second);
            if offset >= DAY_SECONDS {
                return Err(bad(line, "the time is a day or more after the first row"));
            }
            for (column, place, name, range) in [
                (&mut soc, header.soc, "soc", 0.0..=100.0),
                (&mut pv, header.pv, "pv_w", 0.0..=1e6),
                (&mut load, header.load, "load_w", 0.0..=1e6),
                (&mut battery, header.battery, "battery_w", -1e6..=1e6),
            ] {
                let cell = place.and_then(|place| cells.get(place)).copied().unwrap_or_default();
                if matches!(cell.to_ascii_lowercase().as_str(), "" | "null" | "nan" | "--") {
                    continue;
                }
                match cell.parse::<f64>() {
                    Ok(value) if range.contains(&value) => column.0.push((offset, value)),
                    _ => {
                        let (from, to) = (range.start(), range.end());
                        return Err(at_line(format!("{name} is {cell:?}, not a number from {from} to {to}")));
                    }
                }
            }
        }
        let begins = first.ok_or_else(|| bad(line, "no row follows the names of the columns"))?;
        Ok(Self { begins: begins.rem_euclid(DAY_SECONDS), soc, pv, load, battery })
    }

    /// Whether it tells all that is needed to replay the house without simulating it.
    pub(super) fn is_complete(&self) -> bool {
        [&self.soc, &self.pv, &self.load, &self.battery].iter().all(|column| !column.0.is_empty())
    }

    /// Whether it tells what is needed to simulate the battery under it.
    pub(super) fn has_sun_and_load(&self) -> bool {
        [&self.pv, &self.load].iter().all(|column| !column.0.is_empty())
    }

    /// How far into the record the wall clock is, in seconds after its first row.
    pub(super) fn offset(&self, second_of_day: f64) -> f64 {
        (second_of_day - self.begins as f64).rem_euclid(DAY_SECONDS as f64)
    }
}

impl Column {
    /// The value at this offset, on a straight line between the known ones; before the first and after the last
    /// of them, that one. Zero in a column without any.
    pub(super) fn at(&self, offset: f64) -> f64 {
        let after = self.0.partition_point(|(second, _)| *second as f64 <= offset);
        let next = self.0.get(after);
        let previous = after.checked_sub(1).and_then(|before| self.0.get(before));
        match (previous, next) {
            (Some(&(from, low)), Some(&(to, high))) => {
                low + (high - low) * (offset - from as f64) / (to - from) as f64
            }
            (Some(&(_, value)), None) | (None, Some(&(_, value))) => value,
            (None, None) => 0.0,
        }
    }
}

impl Header {
    fn parse(line: &str) -> Result<Self, String> {
        let separator = [';', '\t'].into_iter().find(|&separator| line.contains(separator)).unwrap_or(',');
        let names: Vec<String> =
            line.split(separator).map(|name| name.trim().trim_matches('"').to_ascii_lowercase()).collect();
        let place = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        let header = Self {
            separator,
            time: place(&["time"]),
            seconds: place(&["seconds"]),
            soc: place(&["soc", "soc_percent"]),
            pv: place(&["pv_w", "pv"]),
            load: place(&["load_w", "load"]),
            battery: place(&["battery_w", "battery"]),
        };
        if header.time.is_none() && header.seconds.is_none() {
            return Err("neither a column time nor a column seconds".to_owned());
        }
        Ok(header)
    }

    fn stamp(&self, cells: &[&str], zone: Tz) -> Result<Stamp, String> {
        let cell = |place: Option<usize>| place.and_then(|place| cells.get(place)).copied();
        if let Some(text) = cell(self.time) {
            return wall_clock(text, zone).ok_or_else(|| format!("{text:?} is no time"));
        }
        let text = cell(self.seconds).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(seconds) if (0.0..=1e6).contains(&seconds) => Ok(Stamp::Dated(seconds as i64)),
            _ => Err(format!("{text:?} is no number of seconds after midnight")),
        }
    }
}

fn wall_clock(text: &str, zone: Tz) -> Option<Stamp> {
    let second = |time: NaiveTime| i64::from(time.num_seconds_from_midnight());
    let dated = |local: NaiveDateTime| {
        Stamp::Dated(i64::from(local.num_days_from_ce()) * DAY_SECONDS + second(local.time()))
    };
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(dated(instant.with_timezone(&zone).naive_local()));
    }
    let local = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    if let Some(local) = local {
        return Some(dated(local));
    }
    ["%H:%M:%S", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
        .map(|time| Stamp::Clock(second(time)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZONE: Tz = chrono_tz::America::Denver;

    #[test]
    fn columns_are_found_by_name_and_gaps_are_bridged() {
        let text = "\u{feff}SOC; time ;note;pv_w\n# a remark\n\n40;06:00;x;0\n;07:00;;500\n44;08:00;;--\n";
        let day = RecordedDay::parse(text, ZONE).unwrap();
        assert!((day.soc.at(day.offset(7.0 * 3600.0)) - 42.0).abs() < 1e-9);
        assert!((day.pv.at(day.offset(6.5 * 3600.0)) - 250.0).abs() < 1e-9);
        assert!((day.pv.at(day.offset(23.0 * 3600.0)) - 500.0).abs() < 1e-9, "the last known value holds");
        assert!(!day.is_complete() && !day.has_sun_and_load());
    }

    #[test]
    fn times_are_read_by_the_wall_clock() {
        for text in [
            "time,soc\n2026-07-01T12:00:00Z,10\n2026-07-01T13:00:00Z,20",
            "time,soc\n2026-07-01 06:00:00,10\n2026-07-01 07:00,20",
            "seconds,soc\n21600,10\n25200,20",
        ] {
            let day = RecordedDay::parse(text, ZONE).unwrap();
            assert!((day.soc.at(day.offset(6.5 * 3600.0)) - 15.0).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_has_passed_midnight() {
        let day = RecordedDay::parse("time,soc\n23:00,50\n01:00,40\n", ZONE).unwrap();
        assert!((day.soc.at(day.offset(0.0)) - 45.0).abs() < 1e-9);
    }

    #[test]
    fn errors_name_the_line() {
        for (text, line) in [
            ("", 1),
            ("soc,pv\n1,2", 1),
            ("time,soc\n", 1),
            ("time,soc\n06:00,50\nnoon,50", 3),
            ("time,soc\n06:00,50\n\n07:00,101", 4),
            ("time,pv\n06:00,-1", 2),
            ("seconds,soc\n60,1\n30,1", 3),
            ("seconds,soc\n0,1\n86400,1", 3),
            ("time,soc\n06:00,1\n05:00,1\n06:00,1", 4),
        ] {
            assert_eq!(RecordedDay::parse(text, ZONE).unwrap_err().line, line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(time|seconds|soc|pv_w|,|;|\n|[0-9:.-]{1,8}|\\PC){0,60}") {
            if let Ok(day) = RecordedDay::parse(&text, ZONE) {
                let _ = day.soc.at(day.offset(43_200.0));
            }
        }
    }
}
