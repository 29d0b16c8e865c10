//! Opening: the lock, the look at the file before it is touched, setting a damaged one aside, the schema.

use crate::{
    Inner, Store, StoreError, backup::Backups, lock::DirectoryLock, migrations::MIGRATIONS, restore,
};
use model::{Now, UtcMillis};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::Migrator,
    query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// The database's name in its directory.
pub const FILE_NAME: &str = "wm-controller.db";

/// The longest [`Store::open`] may take, in real time: the whole file is read once.
pub const OPEN_DEADLINE: Duration = Duration::from_secs(30);

/// How long a statement waits for another connection of this same program.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a call waits for a connection to be free: less than its deadline, so that the error names the cause.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long a reading connection is kept without a question: each has a thread and a cache.
const READER_IDLE: Duration = Duration::from_secs(60);

/// Bytes of a page in a new database; one that exists keeps its own. The history's commit a minute touches a few rows
/// on each of six pages and writes all of these whole: with one miner that was measured as 16 MB a day, and as 25 and
/// 45 MB with pages of 2048 and 4096 bytes.
const PAGE_SIZE: u32 = 1024;

/// Rows that wait between the database's thread and the one that asked: a track in one go, not by a switch of threads
/// for every few of its points.
const ROWS_UNDER_WAY: usize = 1000;

/// An opened database, and what a person should know about how it was found.
#[derive(Debug)]
pub struct Opened {
    /// The database.
    pub store: Store,
    /// Plain sentences: a damaged file that was set aside, an empty one. Empty if all is well.
    pub notes: Vec<String>,
}

impl Store {
    /// Opens the database in `dir`; creates directory and database where they are missing.
    ///
    /// A damaged file is renamed to `wm-controller.db.broken-<now>` and a new one is begun: [`Opened::notes`] says so.
    /// The law then starts as at a first start, which starts no miner by itself; what was changed on the settings page is taken
    /// from the newest backup. A backup that lies ready ([`crate::restore`]) is taken up before anything else.
    ///
    /// # Errors
    /// [`StoreError::Locked`] and [`StoreError::NewerVersion`] leave everything as it was. The caller may go on
    /// without a database after [`StoreError::Unavailable`].
    pub async fn open(dir: &Path, now: Now) -> Result<Opened, StoreError> {
        let opening = open(dir, now.utc);
        tokio::time::timeout(OPEN_DEADLINE, opening)
            .await
            .unwrap_or_else(|_| Err(StoreError::too_slow("opening the database", OPEN_DEADLINE)))
    }

    /// A database that is gone with its last clone.
    pub async fn in_memory() -> Result<Self, StoreError> {
        // The database is the connection: there must be one, and it must stay.
        let only = pool_options(1)
            .idle_timeout(None)
            .connect_with(connect_options(Path::new(":memory:")).in_memory(true))
            .await
            .map_err(|error| StoreError::from_sqlx(CREATING, error))?;
        migrate(&only).await?;
        let inner = Inner { writer: only.clone(), readers: only, file: None, lock: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }
}

const CREATING: &str = "creating the database";
const CHECKING: &str = "checking the database";
const PREPARING: &str = "preparing the database";

async fn open(dir: &Path, now: UtcMillis) -> Result<Opened, StoreError> {
    create_directory(dir).map_err(|error| StoreError::from_io("creating the data directory", &error))?;
    let lock = DirectoryLock::take(dir)?;
    let path = dir.join(FILE_NAME);
    let mut notes = Vec::new();
    restore::take_up(dir, now, &mut notes).await?;

    let mut was_damaged = false;
    if let Err(error) = look_at(&path, &mut notes).await {
        let StoreError::Broken { why, .. } = error else { return Err(error) };
        was_damaged = true;
        let aside = set_aside(dir, "broken", now)
            .map_err(|error| StoreError::from_io("setting the damaged database aside", &error))?;
        notes.push(format!(
            "The database was damaged ({why}). It was set aside as {}, and a new one was begun: what the program \
             remembered is gone.",
            aside.display()
        ));
    }

    let writer = migrated(&path).await?;
    if was_damaged {
        take_settings_of_a_backup(dir, &writer, &mut notes).await;
    }
    // A new file is only safe once its name is.
    sync_directory(dir).map_err(|error| StoreError::from_io(CREATING, &error))?;

    let readers = pool_options(2)
        .idle_timeout(READER_IDLE)
        .connect_lazy_with(connect_options(&path).pragma("query_only", "ON"));
    let inner = Inner { writer, readers, file: Some(path), lock: Mutex::new(Some(lock)) };
    Ok(Opened { store: Store { inner: Arc::new(inner) }, notes })
}

/// The one connection that writes, to a database with the present schema.
async fn migrated(path: &Path) -> Result<SqlitePool, StoreError> {
    let durable = connect_options(path)
        .create_if_missing(true)
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode anything less than FULL doesn't flush the log at a commit: a power cut would undo the latest
        // commits, and with them a latch whose command the miner has already seen
        // (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
        .synchronous(SqliteSynchronous::Full);
    let writer = pool_options(1)
        .idle_timeout(None)
        .connect_with(durable)
        .await
        .map_err(|error| StoreError::from_sqlx(CREATING, error))?;
    migrate(&writer).await?;
    Ok(writer)
}

/// Gives a database that isn't in use the present schema.
pub(crate) async fn bring_up_to_date(path: &Path) -> Result<(), StoreError> {
    migrated(path).await?.close().await;
    Ok(())
}

/// Takes what was changed on the settings page from the newest backup that can be read.
async fn take_settings_of_a_backup(dir: &Path, writer: &SqlitePool, notes: &mut Vec<String>) {
    let backups = Backups::of(dir);
    for backup in backups.list() {
        let Some((_, path)) = backups.find(&backup.name) else { continue };
        let Some(path) = path.to_str() else { continue };
        let at = backup.manifest.at;
        match take_settings(path, writer).await {
            Ok(0) => return,
            Ok(_) => {
                notes.push(format!(
                    "What was changed on the settings page was taken from the backup of {at}; passwords of devices have \
                     to be given anew."
                ));
                return;
            }
            Err(error) => notes.push(format!("The backup of {at} can't be read: {error}.")),
        }
    }
}

async fn take_settings(path: &str, writer: &SqlitePool) -> Result<u64, sqlx::Error> {
    let mut connection = writer.acquire().await?;
    sqlx::query("ATTACH ? AS backup").bind(path).execute(&mut *connection).await?;
    let taken = sqlx::query(
        "INSERT INTO settings (name, value, changed_utc_ms) SELECT name, value, changed_utc_ms FROM backup.settings",
    )
    .execute(&mut *connection)
    .await;
    sqlx::query("DETACH backup").execute(&mut *connection).await?;
    Ok(taken?.rows_affected())
}

/// Judges an existing file without changing it: sound, and not from a newer version.
pub(crate) async fn look_at(path: &Path, notes: &mut Vec<String>) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::from_io(CHECKING, &error)),
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
            notes.push(
                "The database was an empty file: what the program remembered, if anything, is gone."
                    .to_owned(),
            );
            return Ok(());
        }
        Ok(_) => {}
    }
    let failed = |error| StoreError::from_sqlx(CHECKING, error);
    let mut connection = connect_options(path).connect().await.map_err(failed)?;
    let verdict = judge(&mut connection, "PRAGMA quick_check(1)").await;
    let closed = connection.close().await.map_err(failed);
    verdict.and(closed)
}

/// Judges a file that came from somewhere: sound through and through, with the schema of a version that is known, and nothing
/// beside it that could do something of its own.
pub(crate) async fn judge_foreign(path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_sqlx(CHECKING, error);
    let mut connection = connect_options(path).connect().await.map_err(failed)?;
    let verdict = async {
        judge(&mut connection, "PRAGMA integrity_check(1)").await?;
        let expected = schema(&mut connection).await.map_err(failed)?;
        let version: Option<i64> = query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_optional(&mut connection)
            .await
            .unwrap_or_default();
        let known =
            MIGRATIONS.iter().filter(|migration| version.is_some_and(|version| migration.version <= version));
        let mut made =
            connect_options(Path::new(":memory:")).in_memory(true).connect().await.map_err(failed)?;
        Migrator::with_migrations(known.cloned().collect())
            .run(&mut made)
            .await
            .map_err(|error| StoreError::from_migration(CHECKING, error))?;
        let is_ours = version.is_some() && schema(&mut made).await.map_err(failed)? == expected;
        let why = || "it isn't a database of this program".to_owned();
        if is_ours { Ok(()) } else { Err(StoreError::Unfit { doing: CHECKING, why: why() }) }
    };
    let verdict = verdict.await;
    let closed = connection.close().await.map_err(failed);
    verdict.and(closed)
}

/// Everything that a schema holds, as it was written. What the migrator keeps for itself is its own.
async fn schema(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, String, String, String)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE NOT (tbl_name = '_sqlx_migrations' \
         AND type IN ('table', 'index')) ORDER BY type, name",
    )
    .fetch_all(connection)
    .await
}

async fn judge(connection: &mut SqliteConnection, check: &'static str) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_sqlx(CHECKING, error);
    let has_schema: bool =
        query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
    if has_schema {
        let found: Option<i64> = query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(StoreError::NewerVersion { found, known });
        }
    }
    let verdict: String = query_scalar(check).fetch_one(&mut *connection).await.map_err(failed)?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Broken { doing: CHECKING, why: verdict }) }
}

async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    MIGRATIONS.run(writer).await.map_err(|error| StoreError::from_migration(PREPARING, error))
}

/// What holds for every connection: small caches, bounded waits.
pub(crate) fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(32)
        .row_buffer_size(ROWS_UNDER_WAY)
        .pragma("cache_size", "-512") // KiB
        .pragma("temp_store", "MEMORY")
        .pragma("cell_size_check", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("journal_size_limit", "4194304") // bytes that a log keeps once it was written back
        .disable_statement_logging()
}

fn pool_options(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Creates the directory for its owner alone: it will hold more than temperatures.
pub(crate) fn create_directory(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

pub(crate) fn sync_directory(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

/// Renames the database with its log and index, never over an earlier one.
pub(crate) fn set_aside(dir: &Path, why: &str, now: UtcMillis) -> io::Result<PathBuf> {
    // Colons can't stand in a file name everywhere a memory card may be looked at.
    let stamp: String = now.to_string().chars().filter(|letter| !matches!(letter, ':' | '-')).collect();
    let base = format!("{FILE_NAME}.{why}-{stamp}");
    let name = std::iter::once(base.clone())
        .chain((2..100).map(|count| format!("{base}-{count}")))
        .find(|name| !dir.join(name).exists())
        .ok_or_else(|| io::Error::new(io::ErrorKind::AlreadyExists, base))?;
    // The database goes first: without its log it could pass for sound and have forgotten a latch.
    for suffix in ["", "-wal", "-shm"] {
        match fs::rename(dir.join(format!("{FILE_NAME}{suffix}")), dir.join(format!("{name}{suffix}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_directory(dir)?;
    Ok(dir.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the promise "durable on return" stands on.
    #[tokio::test]
    async fn the_writer_flushes_the_log_at_every_commit() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Now::default()).await.unwrap().store;
        let mode: String = query_scalar("PRAGMA journal_mode").fetch_one(store.writer()).await.unwrap();
        let synchronous: i64 = query_scalar("PRAGMA synchronous").fetch_one(store.writer()).await.unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }

    #[tokio::test]
    async fn every_table_is_strict() {
        let store = Store::in_memory().await.unwrap();
        let lax: Vec<String> = query_scalar(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT GLOB 'sqlite_*' \
             AND name <> '_sqlx_migrations'",
        )
        .fetch_all(store.writer())
        .await
        .unwrap();
        assert_eq!(lax, Vec::<String>::new());
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Now::default()).await.unwrap().store;
        let result = sqlx::query("DELETE FROM meta").execute(store.readers()).await;
        assert!(matches!(StoreError::from_sqlx("", result.unwrap_err()), StoreError::Unavailable { .. }));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_that_passes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Now::default()).await.unwrap().store;
        let miner = model::MinerId("garage".to_owned());
        let pages: i64 = query_scalar("PRAGMA page_count").fetch_one(store.writer()).await.unwrap();
        // SQLite answers a page limit that is reached exactly as it answers a full disk.
        let limit = |count: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {count}"));
        sqlx::query(limit(pages)).execute(store.writer()).await.unwrap();
        let error = store.save_state(&miner, &"x".repeat(100_000), Now::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.is_transient());

        sqlx::query(limit(pages + 1000)).execute(store.writer()).await.unwrap();
        store.save_state(&miner, &"x".repeat(100_000), Now::default()).await.unwrap();
        assert_eq!(store.load_states().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_second_damaged_file_of_the_same_moment_keeps_the_first() {
        let dir = tempfile::tempdir().unwrap();
        for content in ["one", "two"] {
            fs::write(dir.path().join(FILE_NAME), content).unwrap();
            set_aside(dir.path(), "broken", UtcMillis(0)).unwrap();
        }
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("wm-controller.db.broken-19700101T000000Z"), "one");
        assert_eq!(read("wm-controller.db.broken-19700101T000000Z-2"), "two");
    }
}
