//! A newer version of the program is started on an older one's data, and killed while it brings them up to date.

use crate::{
    child::{BUILT, Ended, Program},
    house::House,
    schema::{DATABASE, newest, open, version, with_schema},
};
use sqlx::Connection;
use std::{ffi::OsString, fs, os::unix::process::ExitStatusExt, path::Path};

/// Before the journal had indexes of its own: making them writes to the disk for a while.
const EARLIER: i64 = 2;
/// What the system sends to a process that writes beyond the size that its files may have.
const SIGXFSZ: i32 = 25;

/// Years of decisions.
const DECISIONS: &str = r#"
    WITH RECURSIVE numbers (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM numbers WHERE id < 8000)
    INSERT INTO decisions
    SELECT id, 'miner', 1700000000000 + id * 7000000, 'ladder', 'ladder_' || id % 7, 'on', '{"kind":"off"}', NULL, NULL,
           'low', NULL, 'nothing', NULL, id % 100, NULL, id * 0.5
    FROM numbers
"#;

/// Everything that the earlier version kept of its decisions.
async fn decisions(path: &Path) -> Vec<String> {
    let mut database = open(path).await;
    let rows = sqlx::query_scalar(
        "SELECT concat_ws(',', id, miner, at_utc_ms, rule, reason, wanted, command, why, what_would_change, soc_percent, \
         miner_power_w) FROM decisions WHERE id <= 8000 ORDER BY id",
    );
    let rows = rows.fetch_all(&mut database).await.unwrap();
    database.close().await.unwrap();
    rows
}

/// Runs the program until one of its files would become longer than so many KiB. The system kills it then, in the middle of
/// that write and without a word: what is left is what a `kill -9` at that instant leaves.
async fn killed_at(house: &House, kib: u64) -> Ended {
    let limited = format!("ulimit -c 0; ulimit -f {kib}; exec \"$0\" \"$@\"");
    let mut arguments: Vec<OsString> = vec!["-c".into(), limited.into(), BUILT.into()];
    arguments.extend(house.joining().map(OsString::from));
    Program::start_from(Path::new("/bin/bash"), house.dir.path(), &arguments, &[]).ended().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_a_kill_cuts_short_is_done_at_the_next_start_and_nothing_is_lost() {
    // The first pages of the log, many of them, and most: before the transaction's end in each case.
    for kib in [40, 200, 450] {
        let house = House::open().await;
        let path = with_schema(&house, EARLIER).await;
        let mut database = open(&path).await;
        sqlx::query(DECISIONS).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
        let before = decisions(&path).await;
        assert_eq!(before.len(), 8000);

        let killed = killed_at(&house, kib).await;
        assert_eq!(killed.status.signal(), Some(SIGXFSZ), "{kib} KiB: {}", killed.err);
        assert_eq!(killed.out, "", "it never answered");
        let log = format!("{DATABASE}-wal");
        let left = fs::metadata(path.with_file_name(&log)).unwrap().len();
        assert_eq!(left, kib * 1024, "it was writing the log");
        // Looked at in a copy: the next start finds what the kill left.
        let copy = tempfile::tempdir().unwrap();
        for name in [DATABASE, &log] {
            fs::copy(path.with_file_name(name), copy.path().join(name)).unwrap();
        }
        assert_eq!(version(&copy.path().join(DATABASE)).await, EARLIER, "{kib} KiB: nothing of it holds");

        let joined = house.program().await;
        assert_eq!(joined.get("/api/system/status").await["database_ok"], true, "{kib} KiB");
        let ended = joined.program.stop().await;
        assert!(!ended.err.contains("damaged"), "{kib} KiB: {}", ended.err);
        assert_eq!(version(&path).await, newest(), "{kib} KiB");
        assert_eq!(decisions(&path).await, before, "{kib} KiB");
    }
}
