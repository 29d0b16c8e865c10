//! What can go wrong with the database, told apart by what it means for the caller.

use sqlx::migrate::MigrateError;
use std::{path::PathBuf, time::Duration};

/// A failed call. The messages are plain words for a person; they hold no value that was to be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program holds the directory. Nothing was touched.
    #[error("another program is using the data in {}: stop it, or choose another directory", .0.display())]
    Locked(PathBuf),
    /// A newer version of this program wrote the database. Nothing was touched.
    #[error(
        "the database was written by a newer version of this program (schema {found}; this version knows up to \
         {known}): install the newer version again, or move the database away"
    )]
    NewerVersion {
        /// The schema's version in the file.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The file isn't a sound database. The next [`Store::open`](crate::Store::open) sets it aside.
    #[error("{doing}: the database is damaged: {why}")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// The damage, in SQLite's words.
        why: String,
    },
    /// It can't be read or written now: the disk is full, read-only, missing or too slow. The same call may succeed
    /// later.
    #[error("{doing}: the database can't be used now: {why}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What stands in the way.
        why: String,
    },
    /// The database answered, but what it holds or was given doesn't fit: a row that this version can't read, a
    /// number out of range, a schema that was changed by hand.
    #[error("{doing}: {why}")]
    Unfit {
        /// What was being done.
        doing: &'static str,
        /// What doesn't fit.
        why: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without a person doing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(crate) fn too_slow(doing: &'static str, deadline: Duration) -> Self {
        Self::Unavailable { doing, why: format!("the disk didn't answer within {} s", deadline.as_secs()) }
    }

    pub(crate) fn from_io(doing: &'static str, error: &std::io::Error) -> Self {
        Self::Unavailable { doing, why: error.to_string() }
    }

    pub(crate) fn from_sqlx(doing: &'static str, error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let why = error.message().to_owned();
                match error.code().and_then(|code| code.parse::<u32>().ok()).map(primary) {
                    Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Self::Broken { doing, why },
                    Some(SQLITE_CONSTRAINT | SQLITE_ERROR | SQLITE_MISMATCH | SQLITE_TOOBIG) => {
                        Self::Unfit { doing, why }
                    }
                    _ => Self::Unavailable { doing, why },
                }
            }
            sqlx::Error::Migrate(error) => Self::from_migration(doing, *error),
            error @ (sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed) => Self::Unavailable { doing, why: error.to_string() },
            error => Self::Unfit { doing, why: error.to_string() },
        }
    }

    pub(crate) fn from_migration(doing: &'static str, error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self::from_sqlx(doing, error)
            }
            error => Self::Unfit { doing, why: error.to_string() },
        }
    }
}

// Result codes, <https://www.sqlite.org/rescode.html>.
const SQLITE_ERROR: u32 = 1;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_TOOBIG: u32 = 18;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_MISMATCH: u32 = 20;
const SQLITE_NOTADB: u32 = 26;

/// Whether it failed for want of room on the disk.
pub(crate) fn is_full<T>(outcome: &Result<T, sqlx::Error>) -> bool {
    let Err(sqlx::Error::Database(error)) = outcome else { return false };
    error.code().and_then(|code| code.parse::<u32>().ok()).map(primary) == Some(SQLITE_FULL)
}

/// The result code in an extended result code: its lowest byte.
const fn primary(extended: u32) -> u32 {
    extended & 0xff
}
