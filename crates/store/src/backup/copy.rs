//! The copy itself, and what is taken out of it.

use super::{MAKING, Making};
use crate::{
    MetaKey, Store, StoreError,
    open::connect_options,
    settings::{BeforeAfter, without_secrets},
};
use model::UtcMillis;
use serde::{Deserialize, Serialize};
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection, query, query_scalar,
    sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often what was copied so far is brought to the disk. All of it at once would keep the commits of the control loop
/// waiting on a slow memory card.
const SYNC_EVERY: Duration = Duration::from_millis(250);
/// KiB that the copying connection may take: it makes the indices anew.
const CACHE: &str = "-4096";

/// What a backup says of itself, inside of it: this comes along wherever the file goes.
pub(crate) const NOTE: MetaKey<Note> = MetaKey::new("backup");

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When it was made.
    pub at: UtcMillis,
    /// The version of the program that made it.
    pub program: String,
    /// The version of its schema.
    pub schema: i64,
    /// Whether secrets are in it.
    pub with_secrets: bool,
    /// The settings that were left out, by their names.
    pub left_out: Vec<String>,
}

/// What is secret: the store doesn't know what settings and values mean.
#[derive(Clone, Copy)]
pub struct SecretNames<'a> {
    /// Whether the setting with this name is.
    pub setting: &'a (dyn Fn(&str) -> bool + Send + Sync),
    /// The single values that are.
    pub values: &'a [&'a str],
}

impl fmt::Debug for SecretNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretNames(…)")
    }
}

/// Copies the whole database into a file that isn't there yet.
pub(super) async fn copy(store: &Store, to: &Path, making: Making<'_>) -> Result<Note, StoreError> {
    let from = store.file().ok_or_else(|| StoreError::Unfit {
        doing: MAKING,
        why: "a database in memory has no backups".to_owned(),
    })?;
    create_private(to).map_err(|error| StoreError::from_io(MAKING, &error))?;
    let copying = copy_all(from, to);
    tokio::pin!(copying);
    let mut ticks = tokio::time::interval(SYNC_EVERY);
    loop {
        tokio::select! {
            biased;
            copied = &mut copying => break copied,
            _ = ticks.tick() => sync(to.to_owned()).await,
        }
    }
    .map_err(|error| StoreError::from_sqlx(MAKING, error))?;
    take_out(to, making).await.map_err(|error| StoreError::from_sqlx(MAKING, error))
}

/// For its owner alone.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

async fn sync(path: PathBuf) {
    // What doesn't succeed now is tried at the end, and counts there.
    let _ = tokio::task::spawn_blocking(move || fs::File::open(path)?.sync_data()).await;
}

async fn copy_all(from: &Path, to: &Path) -> Result<(), sqlx::Error> {
    let mut connection = connect_options(from).pragma("cache_size", CACHE).connect().await?;
    let to = to.to_str().ok_or_else(|| sqlx::Error::Configuration("the path isn't UTF-8".into()))?;
    // One reading transaction: writers go on beside it. Nothing that was deleted comes along.
    let copied = query("VACUUM INTO ?").bind(to).execute(&mut connection).await.map(drop);
    connection.close().await?;
    copied
}

/// Takes what is secret out of a copy, byte by byte, and notes what it is.
async fn take_out(copy: &Path, making: Making<'_>) -> Result<Note, sqlx::Error> {
    // Nobody else has this file, and one that isn't finished is thrown away: it needs no journal on the disk.
    let mut connection = connect_options(copy)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        // What is deleted is overwritten.
        .pragma("secure_delete", "ON")
        .connect()
        .await?;
    let mut transaction = connection.begin().await?;
    query("DELETE FROM sessions").execute(&mut *transaction).await?;
    let mut left_out = Vec::new();
    if !making.with_secrets {
        query("DELETE FROM password").execute(&mut *transaction).await?;
        query("DELETE FROM tokens").execute(&mut *transaction).await?;
        for name in making.secrets.values {
            query("DELETE FROM meta WHERE key = ?").bind(name).execute(&mut *transaction).await?;
        }
        let names: Vec<String> =
            query_scalar("SELECT name FROM settings ORDER BY name").fetch_all(&mut *transaction).await?;
        left_out = names.into_iter().filter(|name| (making.secrets.setting)(name)).collect();
        for name in &left_out {
            query("DELETE FROM settings WHERE name = ?").bind(name).execute(&mut *transaction).await?;
        }
        forget_secrets(&mut transaction, making.secrets.setting).await?;
    }
    let schema =
        query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut *transaction).await?;
    let Making { at, program, with_secrets, .. } = making;
    let note = Note { at, program: program.to_owned(), schema, with_secrets, left_out };
    let json = serde_json::to_string(&note).map_err(|error| sqlx::Error::Encode(error.into()))?;
    query("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
        .bind(NOTE.name())
        .bind(json)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(note)
}

/// Takes secrets out of the changes of the settings: that they were changed stays.
pub(crate) async fn forget_secrets(
    connection: &mut SqliteConnection,
    is_secret: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<(), sqlx::Error> {
    for row in query("SELECT id, changes FROM setting_changes").fetch_all(&mut *connection).await? {
        let (id, json): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        // What can't be read can't be told either.
        let changes: BTreeMap<String, BeforeAfter> = serde_json::from_str(&json).unwrap_or_default();
        let kept = without_secrets(&changes, is_secret);
        let kept = serde_json::to_string(&kept).map_err(|error| sqlx::Error::Encode(error.into()))?;
        if kept != json {
            let change = query("UPDATE setting_changes SET changes = ? WHERE id = ?").bind(kept).bind(id);
            change.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// What a database says of itself, if it is a backup.
pub(crate) async fn note_of(connection: &mut SqliteConnection) -> Result<Option<Note>, sqlx::Error> {
    let json: Option<String> = query_scalar("SELECT value FROM meta WHERE key = ?")
        .bind(NOTE.name())
        .fetch_optional(connection)
        .await?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}
