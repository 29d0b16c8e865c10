//! Taking up a backup in the place of the database: proven first, then laid ready, then taken up at the next opening.
//!
//! A file from outside is nothing but bytes until it is proven: a sound database, with the schema of a version that this
//! program knows and nothing beside it, which can be brought to the present schema and opened. Only then it is laid ready, by
//! one renaming. The next [`Store::open`] takes it up, under the lock of the directory, and sets aside what was there.
//!
//! **What is of the present stays.** A backup is the past: its history, journal and settings come back, but no miner may be
//! driven by what was known of it then. The law's states, operations, single values (what was chosen about auto-control),
//! identities, the audit list, and who may sign in stay as they are. Where no miner was known yet, as on a new machine, nothing
//! is known of any: that is a first start, which starts none by itself.

mod aside;

pub use aside::{SetAside, remove_set_aside, set_aside};

use crate::{
    Store, StoreError,
    backup::{Note, note_of},
    open::{self, FILE_NAME, connect_options, create_directory, sync_directory},
};
use model::{Now, UtcMillis};
use sqlx::{ConnectOptions, Connection, SqliteConnection, query, query_scalar};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where a file is that is being proven.
const INCOMING: &str = "restore.new";
/// Where one is laid ready.
const READY: &str = "restore.ready";
/// What it is called there once it holds what is of the present: from then on the renamings are all that is left.
const MERGED: &str = "merged.db";
/// The longest that proving may take, in real time.
const LONGEST: Duration = Duration::from_secs(20 * 60);

const PROVING: &str = "looking at the backup";
const RESTORING: &str = "restoring the backup";

/// A backup that was proven and lies ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// What it says of itself; `None`, if it is a database that was copied by hand.
    pub note: Option<Note>,
    /// Since when it holds a history.
    pub begins: Option<UtcMillis>,
}

/// Where to put a file that shall be restored: at a place of its own in the data directory, which is empty then.
///
/// # Errors
/// If there can't be such a place.
pub fn incoming(data: &Path) -> Result<PathBuf, StoreError> {
    let dir = data.join(INCOMING);
    let emptied = remove(&dir).and_then(|()| create_directory(&dir));
    emptied.map_err(|error| StoreError::from_io(PROVING, &error))?;
    Ok(dir.join(FILE_NAME))
}

/// Forgets a file that was to be restored, or what was begun with it.
pub fn give_up(data: &Path) {
    let _ = remove(&data.join(INCOMING));
}

/// Proves the file at [`incoming`], and lays it ready for the next opening. Nothing that is in use is touched.
///
/// # Errors
/// Says what is wrong with it: then it is gone, and nothing else has changed.
pub async fn prove(data: &Path, now: Now) -> Result<Ready, StoreError> {
    let proven = tokio::time::timeout(LONGEST, proven(&data.join(INCOMING), now)).await;
    let laid = match proven.unwrap_or_else(|_| Err(StoreError::too_slow(PROVING, LONGEST))) {
        Ok(ready) => lay_ready(data).map(|()| ready).map_err(|error| StoreError::from_io(PROVING, &error)),
        Err(error) => Err(error),
    };
    if laid.is_err() {
        give_up(data);
    }
    laid
}

async fn proven(dir: &Path, now: Now) -> Result<Ready, StoreError> {
    let failed = |error| StoreError::from_sqlx(PROVING, error);
    let path = dir.join(FILE_NAME);
    open::judge_foreign(&path).await?;
    // As the program will open it, and from end to end: a reader of each kind.
    let opened = Store::open(dir, now).await?;
    if let Some(note) = opened.notes.into_iter().next() {
        return Err(StoreError::Broken { doing: PROVING, why: note });
    }
    let store = opened.store;
    let begins = store.history_begins().await?;
    store.settings().await?;
    store.audit(1).await?;
    store.next_operation_id().await?;
    let mut connection = connect_options(&path).connect().await.map_err(failed)?;
    let note = note_of(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    store.close().await?;
    Ok(Ready { note, begins })
}

fn lay_ready(data: &Path) -> io::Result<()> {
    let (from, to) = (data.join(INCOMING), data.join(READY));
    for entry in fs::read_dir(&from)?.flatten() {
        if entry.file_name() != FILE_NAME {
            fs::remove_file(entry.path())?;
        }
    }
    fs::File::open(from.join(FILE_NAME))?.sync_all()?;
    sync_directory(&from)?;
    remove(&to)?;
    fs::rename(&from, &to)?;
    sync_directory(data)
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes up what lies ready, if anything does. Called under the lock of the directory, before the database is opened. Whatever
/// the instant at which it is cut short, the next call goes on from there.
pub(crate) async fn take_up(data: &Path, now: UtcMillis, notes: &mut Vec<String>) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::from_io(RESTORING, &error);
    give_up(data);
    let ready = data.join(READY);
    let (staged, merged) = (ready.join(FILE_NAME), ready.join(MERGED));
    if staged.exists() {
        if let Err(error) = merge(&data.join(FILE_NAME), &staged).await {
            // A newer version's database is refused by whoever opens it; it isn't replaced.
            if matches!(error, StoreError::NewerVersion { .. }) {
                return Err(error);
            }
            let aside = data.join(format!("{READY}.failed-{}", stamp(now)));
            fs::rename(&ready, &aside).map_err(failed)?;
            notes.push(format!(
                "The backup couldn't be restored ({error}). It was set aside as {}, and everything is as it was.",
                aside.display()
            ));
            return Ok(());
        }
        fs::File::open(&staged).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&staged, &merged).map_err(failed)?;
        sync_directory(&ready).map_err(failed)?;
    }
    if merged.exists() {
        // Also a log that was left alone: beside another database it would be taken for that one's.
        let is_there = |suffix: &&str| data.join(format!("{FILE_NAME}{suffix}")).exists();
        let aside = if ["", "-wal", "-shm"].iter().any(is_there) {
            Some(open::set_aside(data, aside::WHY, now).map_err(failed)?)
        } else {
            None
        };
        fs::rename(&merged, data.join(FILE_NAME)).map_err(failed)?;
        sync_directory(data).map_err(failed)?;
        notes.push(aside.map_or_else(
            || "A backup was restored.".to_owned(),
            |aside| {
                format!("A backup was restored. What was there before was set aside as {}.", aside.display())
            },
        ));
    }
    // What is left in there is nothing that counts.
    remove(&ready).map_err(failed)
}

fn stamp(now: UtcMillis) -> String {
    now.to_string().chars().filter(|letter| !matches!(letter, ':' | '-')).collect()
}

/// Puts what is of the present into a backup.
async fn merge(present: &Path, staged: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::from_sqlx(RESTORING, error);
    open::bring_up_to_date(staged).await?;
    let present = match open::look_at(present, &mut Vec::new()).await {
        Ok(()) if present.exists() && fs::metadata(present).is_ok_and(|file| file.len() > 0) => {
            open::bring_up_to_date(present).await?;
            Some(present)
        }
        Ok(()) | Err(StoreError::Broken { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut connection = connect_options(staged).connect().await.map_err(failed)?;
    let merged = match present {
        Some(present) => merge_with(&mut connection, present).await,
        None => forget_then(&mut connection).await,
    };
    let closed = connection.close().await;
    merged.and(closed).map_err(failed)
}

/// Nothing is known of the present: nothing is known of any miner.
async fn forget_then(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    query("DELETE FROM law_states").execute(&mut *transaction).await?;
    query("DELETE FROM sessions").execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Tables of which only the present counts, once any miner is known in it.
const OF_THE_PRESENT: [&str; 3] = [LAW, "meta", "audit"];
const LAW: &str = "law_states";
/// Tables that say who may do what. Those of the present count, unless it has no owner.
const ACCESS: [&str; 3] = ["password", "sessions", "tokens"];

async fn merge_with(connection: &mut SqliteConnection, present: &Path) -> Result<(), sqlx::Error> {
    let path = present.to_str().ok_or_else(|| sqlx::Error::Configuration("the path isn't UTF-8".into()))?;
    let note = note_of(connection).await?;
    query("ATTACH ? AS present").bind(path).execute(&mut *connection).await?;
    let mut transaction = connection.begin().await?;
    let has_owner: bool =
        query_scalar("SELECT EXISTS (SELECT 1 FROM present.password)").fetch_one(&mut *transaction).await?;
    let has_lived: bool =
        query_scalar("SELECT EXISTS (SELECT 1 FROM present.law_states)").fetch_one(&mut *transaction).await?;
    let known: &[&str] = if has_lived { &OF_THE_PRESENT } else { &[LAW] };
    let access: &[&str] = if has_owner { &ACCESS } else { &[] };
    for table in known.iter().chain(access) {
        for sql in [
            format!("DELETE FROM main.{table}"),
            format!("INSERT INTO main.{table} SELECT * FROM present.{table}"),
        ] {
            query(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        }
    }
    if !has_owner {
        query("DELETE FROM main.sessions").execute(&mut *transaction).await?;
    }
    query("INSERT OR REPLACE INTO main.miner_identities SELECT * FROM present.miner_identities")
        .execute(&mut *transaction)
        .await?;
    merge_operations(&mut transaction).await?;
    let left_out = note.map(|note| note.left_out).unwrap_or_default();
    keep_secrets(&mut transaction, &left_out).await?;
    transaction.commit().await?;
    query("DETACH present").execute(connection).await.map(drop)
}

/// The operations of the present: a law's state knows its last one. Where the backup is of another house, numbers mean
/// something else there, and those of the present go behind them.
async fn merge_operations(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let are_others: bool = query_scalar(
        "SELECT EXISTS (SELECT 1 FROM main.operations AS past JOIN present.operations AS newer USING (id) \
         WHERE past.miner <> newer.miner OR past.decided_utc_ms <> newer.decided_utc_ms)",
    )
    .fetch_one(&mut *connection)
    .await?;
    let known: i64 = query_scalar(
        "SELECT max(coalesce((SELECT seq FROM main.sqlite_sequence WHERE name = 'operations'), 0), \
         coalesce((SELECT max(operation) FROM main.decisions), 0))",
    )
    .fetch_one(&mut *connection)
    .await?;
    let present: i64 = query_scalar("SELECT coalesce(max(id), 0) FROM present.operations")
        .fetch_one(&mut *connection)
        .await?;
    // The newest must be the newest, or the law takes another one for its last.
    let shift = if are_others || known > present { known } else { 0 };
    query(
        "INSERT OR REPLACE INTO main.operations SELECT id + ?, miner, command, reason, stage, means, decided_utc_ms, \
         sent_utc_ms, acknowledged_utc_ms, ended_utc_ms, words FROM present.operations",
    )
    .bind(shift)
    .execute(connection)
    .await
    .map(drop)
}

/// Keeps the secrets that the backup is without, each where it still goes to the same place: everything else that is set of the
/// same device is what it is now.
async fn keep_secrets(connection: &mut SqliteConnection, left_out: &[String]) -> Result<(), sqlx::Error> {
    let then = all_but(connection, "main", left_out).await?;
    let now = all_but(connection, "present", left_out).await?;
    for name in left_out {
        let Some((device, _)) = name.rsplit_once('.') else { continue };
        let of_device =
            |(name, _): &(&String, &String)| name.rsplit_once('.').is_some_and(|of| of.0 == device);
        if then.iter().filter(of_device).eq(now.iter().filter(of_device)) {
            query("INSERT OR REPLACE INTO main.settings SELECT * FROM present.settings WHERE name = ?")
                .bind(name)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// The settings without these, by their names.
async fn all_but(
    connection: &mut SqliteConnection,
    schema: &str,
    left_out: &[String],
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let sql = format!("SELECT name, value FROM {schema}.settings");
    let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await?;
    Ok(rows.into_iter().filter(|(name, _)| !left_out.contains(name)).collect())
}
