//! The daily CSV files beside the database, where they are wanted: what was read, a row now and then, for who keeps logs in
//! spreadsheets. Nothing of the program is read back from them.
//!
//! Each day of the site's calendar has a file for the battery and one for each miner. A row that can't be written is lost,
//! and said once: control and history don't depend on it.

use crate::current::Current;
use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use engine::Handle;
use model::{Celsius, Soc, TeraHash, UtcMillis, Watts, snapshot::Snapshot};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Below the data directory.
pub(crate) const DIRECTORY: &str = "csv";

/// The battery's columns. The last is when the battery said it, which may be minutes before.
const BATTERY: [&str; 7] =
    ["ts", "soc_percent", "pv_power_w", "load_power_w", "grid_power_w", "battery_net_w", "battery_ts"];
/// A miner's columns.
const MINER: [&str; 7] =
    ["ts", "power_w", "power_set_w", "hashrate_ths", "ambient_c", "chip_max_c", "fan_in_rpm"];

/// A row, and the file that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// "battery", "miner-garage".
    of: String,
    /// The day of the site's calendar.
    day: String,
    header: [&'static str; 7],
    row: [String; 7],
}

/// Writes rows as often as the configuration says, until the program closes.
pub(crate) async fn keep(site: Handle, current: Current, directory: PathBuf, closing: CancellationToken) {
    let mut snapshots = site.follow();
    // Who isn't known when an interval begins has its row as soon as it is.
    let mut written = BTreeMap::new();
    let mut is_well = true;
    while let Some(Ok(())) = closing.run_until_cancelled(snapshots.changed()).await {
        let facts = current.facts();
        let Some(every) = facts.csv_log else { continue };
        let snapshot = snapshots.borrow_and_update().clone();
        let interval = (every, snapshot.at.0.div_euclid(millis(every)));
        let mut entries = entries(&snapshot, facts.timezone);
        entries.retain(|entry| written.insert(entry.of.clone(), interval) != Some(interval));
        if entries.is_empty() {
            continue;
        }
        let directory = directory.clone();
        let outcome = tokio::task::spawn_blocking(move || append(&directory, &entries)).await;
        match outcome.map_err(io::Error::other).and_then(|outcome| outcome) {
            Ok(()) => is_well = true,
            Err(error) if is_well => {
                tracing::error!(%error, "the daily CSV files can't be written");
                is_well = false;
            }
            Err(_) => {}
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1)
}

/// What is written of a snapshot: what isn't known now is left empty, and who doesn't answer has no row.
fn entries(snapshot: &Snapshot, zone: Tz) -> Vec<Entry> {
    let Some(now) = local(snapshot.at, zone) else { return Vec::new() };
    let time = now.to_rfc3339_opts(SecondsFormat::Secs, false);
    let day = now.format("%Y-%m-%d").to_string();
    let mut entries = Vec::new();
    let battery = &snapshot.battery;
    if let Some(reading) = battery.reading.as_ref().filter(|_| battery.connection.connected) {
        let said = reading.source_time.and_then(|said| local(said, zone));
        entries.push(Entry {
            of: "battery".to_owned(),
            day: day.clone(),
            header: BATTERY,
            row: [
                time.clone(),
                told(battery.soc.map(Soc::get)),
                told(reading.pv.map(Watts::get)),
                told(reading.load.map(Watts::get)),
                told(reading.grid.map(Watts::get)),
                told(reading.battery.map(Watts::get)),
                said.map(|said| said.to_rfc3339_opts(SecondsFormat::Secs, false)).unwrap_or_default(),
            ],
        });
    }
    let controlled = snapshot.miners.iter().map(|miner| (&miner.id, &miner.connection, &miner.reading));
    let followed = snapshot.followed.iter().map(|miner| (&miner.id, &miner.connection, &miner.reading));
    for (id, connection, reading) in controlled.chain(followed) {
        let Some(reading) = reading.as_ref().filter(|_| connection.connected) else { continue };
        entries.push(Entry {
            of: format!("miner-{}", id.0),
            day: day.clone(),
            header: MINER,
            row: [
                time.clone(),
                told(reading.power.map(Watts::get)),
                told(reading.power_set.map(Watts::get)),
                told(reading.hash_rate.map(TeraHash::get)),
                told(reading.ambient.map(Celsius::get)),
                told(reading.chip_max.map(Celsius::get)),
                told(reading.fan_in_rpm.map(f64::from)),
            ],
        });
    }
    entries
}

fn local(at: UtcMillis, zone: Tz) -> Option<DateTime<Tz>> {
    Some(DateTime::from_timestamp_millis(at.0)?.with_timezone(&zone))
}

/// A number to its hundredth.
fn told(value: Option<f64>) -> String {
    value.map(|value| ((value * 100.0).round() / 100.0).to_string()).unwrap_or_default()
}

/// Writes each row at the end of its file, which it makes where there is none.
fn append(directory: &Path, entries: &[Entry]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for Entry { of, day, header, row } in entries {
        let path = directory.join(format!("{of}-{day}.csv"));
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        let mut text = Vec::new();
        // The power went while a row was written: the next one begins on a line of its own.
        if length > 0 && !ends_with_a_line(&mut file)? {
            text.extend_from_slice(b"\r\n");
        }
        let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut text);
        if length == 0 {
            rows.write_record(header)?;
        }
        rows.write_record(row)?;
        rows.flush()?;
        drop(rows);
        file.write_all(&text)?;
        file.sync_data()?;
    }
    Ok(())
}

fn ends_with_a_line(file: &mut fs::File) -> io::Result<bool> {
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(row: [&str; 7]) -> Entry {
        let (of, day) = ("battery".to_owned(), "2026-06-21".to_owned());
        Entry { of, day, header: BATTERY, row: row.map(str::to_owned) }
    }

    #[test]
    fn rows_follow_one_another_under_one_header_whatever_happened_to_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("deeper/csv");
        let file = inside.join("battery-2026-06-21.csv");
        append(&inside, &[entry(["1", "50", "", "", "", "", ""])]).unwrap();
        append(&inside, &[entry(["2", "51", "", "", "", "", "a,b"])]).unwrap();
        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"3,5").unwrap();
        append(&inside, &[entry(["4", "52", "", "", "", "", ""])]).unwrap();
        let expected =
            format!("{}\r\n1,50,,,,,\r\n2,51,,,,,\"a,b\"\r\n3,5\r\n4,52,,,,,\r\n", BATTERY.join(","));
        assert_eq!(fs::read_to_string(file).unwrap(), expected);
    }

    #[test]
    fn what_is_not_known_is_empty() {
        assert_eq!(told(None), "");
        assert_eq!((told(Some(0.0)), told(Some(17.256))), ("0".to_owned(), "17.26".to_owned()));
    }
}
