//! A disk that is full, in earnest: a small file system in memory, in a mount namespace of its own. Where the system allows
//! nobody to have one, nothing is tried.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use model::{MonoTime, Now, UtcMillis, Watts, history::BatterySample};
use std::{
    env,
    fs::{self, OpenOptions},
    io::Write,
    ops::Range,
    path::Path,
    process::{Command, Output},
    time::Duration,
};
use store::{HistoryRules, Samples, Store, StoreError};

/// 2026-03-21T00:00:00Z.
const BEGIN: i64 = 1_774_051_200_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;
/// Where the small disk is, in the process that sees it.
const DISK: &str = "WMC_TEST_DISK";

/// Runs this in a mount namespace with a small disk at `$1`.
fn beside(disk: &Path, script: &str) -> Output {
    let script = format!("mount -t tmpfs -o size=8m none \"$1\" && {script}");
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .arg(env::current_exe().unwrap())
        .arg(disk);
    command.env(DISK, disk).output().unwrap()
}

/// Runs the test of this name where there is a small disk; `there` is what it does.
fn on_a_small_disk(name: &str, there: impl AsyncFnOnce(&Path)) {
    if let Some(disk) = env::var_os(DISK) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(there(Path::new(&disk)));
    }
    let disk = tempfile::tempdir().unwrap();
    let probed = beside(disk.path(), "true");
    // Some systems let nobody but root mount a disk.
    if !probed.status.success() {
        return;
    }
    let ran = beside(disk.path(), &format!("exec \"$0\" --exact {name} --nocapture"));
    let told = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
}

/// Commits of a minute each, with a sample every second.
async fn measure(store: &Store, minutes: Range<i64>) -> Result<(), StoreError> {
    let gap = Duration::from_secs(60);
    let rules =
        HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples: Duration::from_secs(30 * 86_400) };
    for minute in minutes {
        let begin = BEGIN + minute * MINUTE;
        let sample = |second: i64| {
            let watts = Watts::new((minute * 60 + second) as f64);
            let at = UtcMillis(begin + second * 1000);
            BatterySample { at, soc: None, pv: watts, load: watts, grid: watts, battery: watts }
        };
        let samples = Samples { battery: (0..60).map(sample).collect(), miners: Vec::new() };
        store.record_samples(&samples, &rules, UtcMillis(begin + MINUTE)).await?;
    }
    Ok(())
}

async fn open(disk: &Path) -> Store {
    let now = Now { mono: MonoTime(0), utc: UtcMillis(BEGIN) };
    Store::open(&disk.join("data"), now).await.unwrap().store
}

/// Fills the disk to its last byte.
fn fill(disk: &Path) {
    let mut file = OpenOptions::new().create_new(true).write(true).open(disk.join("fill")).unwrap();
    while file.write_all(&[0x5a; 512]).is_ok() {}
}

fn after(minutes: i64) -> UtcMillis {
    UtcMillis(BEGIN + minutes * MINUTE)
}

/// When the first day's samples begin: some hours of it are enough.
const EVENING: i64 = 1440 - 400;

#[test]
fn what_made_room_in_time_keeps_a_database_going_on_a_disk_that_is_full() {
    on_a_small_disk("what_made_room_in_time_keeps_a_database_going_on_a_disk_that_is_full", async |disk| {
        let store = open(disk).await;
        measure(&store, EVENING..1440 + 10).await.unwrap();
        assert_eq!(store.remove_oldest_samples(after(1440)).await.unwrap(), Some(after(1440)));
        let room = store.reusable_bytes().await.unwrap();
        fill(disk);
        // As much again as went, and more than the log holds: it was written back in between.
        measure(&store, 1440 + 10..1440 + 200).await.unwrap();
        assert!(store.reusable_bytes().await.unwrap() < room);
        // And so again.
        assert_eq!(store.remove_oldest_samples(after(2 * 1440)).await.unwrap(), Some(after(2 * 1440)));
        measure(&store, 2 * 1440..2 * 1440 + 100).await.unwrap();
        store.close().await.unwrap();
    });
}

#[test]
fn a_disk_that_is_full_all_at_once_takes_nothing_and_loses_nothing() {
    on_a_small_disk("a_disk_that_is_full_all_at_once_takes_nothing_and_loses_nothing", async |disk| {
        let store = open(disk).await;
        measure(&store, EVENING..1440 + 10).await.unwrap();
        fill(disk);
        let error = measure(&store, 1440 + 10..2 * 1440).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        let before = store.history_rows(after(0), UtcMillis(BEGIN + 3 * DAY)).await.unwrap();
        // To remove needs room in the log, too.
        let error = store.remove_oldest_samples(after(1440)).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(store.history_rows(after(0), UtcMillis(BEGIN + 3 * DAY)).await.unwrap(), before);
        fs::remove_file(disk.join("fill")).unwrap();
        assert_eq!(store.remove_oldest_samples(after(1440)).await.unwrap(), Some(after(1440)));
        measure(&store, 2 * 1440..2 * 1440 + 10).await.unwrap();
        store.close().await.unwrap();
    });
}
