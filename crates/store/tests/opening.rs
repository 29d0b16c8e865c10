//! Opening, in all the states a data directory can be found in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

use model::{
    Command, MinerId, MonoTime, Now, OperationId, OperationStage, Reason, Rule, UtcMillis,
    history::{BatterySample, Quantity, Window},
    journal::{Cause, Position, Question},
};
use sqlx::{
    ConnectOptions, Connection, SqlSafeStr, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    query,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::{fs, path::Path, time::Duration};
use store::{FILE_NAME, HistoryRules, Opened, Samples, Store, StoreError};

/// 2026-03-21T12:00:00.250Z.
const NOW: Now = Now { mono: MonoTime(77), utc: UtcMillis(1_774_094_400_250) };

fn garage() -> MinerId {
    MinerId("garage".to_owned())
}

async fn open(dir: &Path) -> Opened {
    Store::open(dir, NOW).await.unwrap()
}

async fn states(store: &Store) -> Vec<String> {
    store.load_states().await.unwrap().into_iter().map(|state| state.json).collect()
}

/// A directory with one saved state, closed in good order.
async fn used_directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.store;
    store.save_state(&garage(), "latched", NOW).await.unwrap();
    store.close().await.unwrap();
    dir
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn missing_directories_are_created() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("some/where");
    let opened = open(&deep).await;
    assert_eq!(opened.notes, Vec::<String>::new());
    opened.store.save_state(&garage(), "latched", NOW).await.unwrap();
    assert_eq!(states(&opened.store).await, ["latched"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _store = open(&data).await;
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_closed_database_keeps_everything() {
    let dir = used_directory().await;
    let opened = open(dir.path()).await;
    assert_eq!(opened.notes, Vec::<String>::new());
    assert_eq!(states(&opened.store).await, ["latched"]);
}

#[tokio::test]
async fn a_database_that_was_never_closed_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.store;
    store.save_state(&garage(), "latched", NOW).await.unwrap();
    drop(store);
    assert_eq!(states(&open(dir.path()).await.store).await, ["latched"]);
}

/// What lies on the disk while the program runs is all that a `kill -9` leaves.
#[tokio::test]
async fn what_was_acknowledged_is_on_the_disk_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.store;
    for count in 0..20 {
        store.save_state(&garage(), &count.to_string(), NOW).await.unwrap();
        let left = tempfile::tempdir().unwrap();
        for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
            fs::copy(dir.path().join(&name), left.path().join(&name)).unwrap();
        }
        let opened = open(left.path()).await;
        assert_eq!(opened.notes, Vec::<String>::new());
        assert_eq!(states(&opened.store).await, [count.to_string()]);
    }
}

/// A power cut can leave any beginning of the log's last write: what is found then is an earlier commit, whole.
#[tokio::test]
async fn a_log_that_was_cut_off_goes_back_to_a_whole_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.store;
    for count in 0..4 {
        let miner = MinerId(format!("miner-{count}"));
        store.save_state(&miner, &"long ".repeat(2000), NOW).await.unwrap();
    }
    let log = fs::read(dir.path().join(format!("{FILE_NAME}-wal"))).unwrap();
    let mut last = 0;
    for cut in (0..=log.len()).step_by(log.len() / 40) {
        let left = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join(FILE_NAME), left.path().join(FILE_NAME)).unwrap();
        fs::write(left.path().join(format!("{FILE_NAME}-wal")), &log[..cut]).unwrap();
        let opened = open(left.path()).await;
        assert_eq!(opened.notes, Vec::<String>::new());
        let kept = opened.store.load_states().await.unwrap();
        assert!(kept.len() >= last, "a longer log can't tell less");
        assert!(kept.iter().all(|state| state.json.len() == 10_000));
        last = kept.len();
    }
    assert!(last >= 3, "the cuts reach into the last commit");
}

#[tokio::test]
async fn a_second_program_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).await.store;
    let error = Store::open(dir.path(), NOW).await.unwrap_err();
    assert!(matches!(&error, StoreError::Locked(at) if at == dir.path()), "{error}");
    first.save_state(&garage(), "latched", NOW).await.unwrap();
    drop(first);
    assert_eq!(states(&open(dir.path()).await.store).await, ["latched"]);
}

/// Each damage, done to the file of a directory that was in use.
async fn found_damaged(damage: impl Fn(&mut Vec<u8>)) {
    let dir = used_directory().await;
    let path = dir.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, &bytes).unwrap();

    let opened = open(dir.path()).await;
    assert_eq!(opened.notes.len(), 1);
    assert!(opened.notes[0].contains("broken-20260321T120000.250Z"), "{}", opened.notes[0]);
    let aside = dir.path().join("wm-controller.db.broken-20260321T120000.250Z");
    assert_eq!(fs::read(aside).unwrap(), bytes, "what was there is kept for whoever can mend it");
    assert_eq!(states(&opened.store).await, Vec::<String>::new());
    opened.store.save_state(&garage(), "new", NOW).await.unwrap();
    drop(opened);
    let again = open(dir.path()).await;
    assert_eq!(again.notes, Vec::<String>::new());
    assert_eq!(states(&again.store).await, ["new"]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_set_aside() {
    found_damaged(|bytes| *bytes = b"These are not the bytes of a database at all.".repeat(40)).await;
}

#[tokio::test]
async fn a_cut_off_file_is_set_aside() {
    found_damaged(|bytes| bytes.truncate(bytes.len() / 2)).await;
}

#[tokio::test]
async fn a_file_with_overwritten_pages_is_set_aside() {
    found_damaged(|bytes| bytes[4096..].fill(0xa5)).await;
}

#[tokio::test]
async fn a_file_of_a_few_bytes_is_set_aside() {
    found_damaged(|bytes| bytes.truncate(10)).await;
}

#[tokio::test]
async fn an_empty_file_is_said_to_have_been_empty() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE_NAME), "").unwrap();
    let opened = open(dir.path()).await;
    assert_eq!(opened.notes.len(), 1);
    assert!(opened.notes[0].contains("empty"), "{}", opened.notes[0]);
    opened.store.save_state(&garage(), "latched", NOW).await.unwrap();
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let dir = used_directory().await;
    let path = dir.path().join(FILE_NAME);
    {
        let mut connection =
            SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9000, 'of the future', 1, x'00', 0)",
        )
        .execute(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
    }
    let before = fs::read(&path).unwrap();
    let error = Store::open(dir.path(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerVersion { found: 9000, known: 1.. }), "{error}");
    assert!(!error.is_transient());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(dir.path()), ["wm-controller.db", "wm-controller.lock"]);
}

/// The bytes of a page, as the file's head tells it (<https://www.sqlite.org/fileformat.html#the_database_header>).
fn page_size(dir: &Path) -> u16 {
    let head = fs::read(dir.join(FILE_NAME)).unwrap();
    u16::from_be_bytes([head[16], head[17]])
}

/// A database as it was before there was a history, with something in each table that there was.
async fn directory_without_history() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = SqliteConnectOptions::new()
        .filename(dir.path().join(FILE_NAME))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .connect()
        .await
        .unwrap();
    let law = include_str!("../../../migrations/0001_law.sql").into_sql_str();
    let law = Migration::new(1, "law".into(), MigrationType::Simple, law, false);
    Migrator::with_migrations(vec![law]).run(&mut connection).await.unwrap();
    for row in [
        "INSERT INTO law_states VALUES ('garage', 'latched', 77, 1774094400250)",
        r#"INSERT INTO operations VALUES (41, 'garage', '{"kind":"off"}', 'emergency_soc', 'observed', 'stop',
           1774094400250, 1774094400251, 1774094400252, 1774094460000, 'stopped')"#,
        r#"INSERT INTO decisions VALUES (1, 'garage', 1774094400250, 'emergency', 'emergency_soc', 'off',
           '{"kind":"off"}', NULL, NULL, 'low', NULL, 'nothing', NULL, 9.5, 1774094400000, 3456.5)"#,
        "INSERT INTO miner_identities VALUES ('garage', NULL, 'M50', NULL, NULL, 'v2', 1774094400250)",
        "INSERT INTO meta VALUES ('last_mono', '77')",
    ] {
        query(row).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    dir
}

#[tokio::test]
async fn a_database_without_history_keeps_everything_and_takes_one() {
    let dir = directory_without_history().await;
    assert_eq!(page_size(dir.path()), 4096);
    for _ in 0..2 {
        let opened = open(dir.path()).await;
        assert_eq!(opened.notes, Vec::<String>::new());
        let store = opened.store;
        assert_eq!(states(&store).await, ["latched"]);
        let operations = store.operations(&garage(), 9).await.unwrap();
        assert_eq!(operations.len(), 1);
        assert_eq!((operations[0].id, operations[0].stage), (OperationId(41), OperationStage::Observed));
        assert_eq!(store.next_operation_id().await.unwrap(), OperationId(42));
        let question = Question {
            miner: Some(garage()),
            causes: vec![Cause { rule: Rule::Emergency, reasons: Vec::new() }],
            commands_only: true,
            from: NOW.utc,
            to: UtcMillis(NOW.utc.0 + 1),
            position: Position::Newest,
            limit: 9,
        };
        let journal = store.journal(&question).await.unwrap().entries;
        assert_eq!(journal.len(), 1);
        let decision = &journal[0].decision;
        assert_eq!((decision.reason, decision.command), (Reason::EmergencySoc, Some(Command::Off)));
        assert_eq!(
            (decision.operation, decision.power_set_percent),
            (None, None),
            "nobody wrote it down then"
        );
        assert_eq!(store.known_identity(&garage()).await.unwrap().unwrap().model.as_deref(), Some("M50"));
        assert_eq!(store.meta(&store::MetaKey::<i64>::new("last_mono")).await.unwrap(), Some(77));

        let sample =
            BatterySample { at: NOW.utc, soc: None, pv: None, load: None, grid: None, battery: None };
        let samples = Samples { battery: vec![sample], miners: Vec::new() };
        let gap = Duration::from_secs(600);
        let rules =
            HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples: Duration::from_secs(86_400) };
        store.record_samples(&samples, &rules, NOW.utc).await.unwrap();
        let window = Window { from: UtcMillis(0), to: UtcMillis(NOW.utc.0 + 1), points: 9 };
        let track = store.battery_history(window, &[Quantity::Soc], gap).await.unwrap();
        assert_eq!(track.at, [NOW.utc]);
        store.close().await.unwrap();
    }
    assert_eq!(page_size(dir.path()), 4096, "what is there isn't written anew");
}

#[tokio::test]
async fn a_new_database_has_small_pages() {
    assert_eq!(page_size(used_directory().await.path()), 1024);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_that_cannot_be_written_is_an_error() {
    // Not even root can write here, unlike a directory without write permission.
    let error = Store::open(Path::new("/proc/self"), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_file_in_the_directorys_place_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    fs::write(&path, "").unwrap();
    let error = Store::open(&path, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_directory_in_the_databases_place_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
    let error = Store::open(dir.path(), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_closed_store_answers_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await.store;
    store.close().await.unwrap();
    let error = store.save_state(&garage(), "late", NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}
