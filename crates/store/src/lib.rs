//! Everything that is kept, in one SQLite file behind one interface.
//!
//! What it owns: the file, its schema, its lock, and all SQL. What it doesn't: any clock (the caller says what time
//! it is), any meaning (the law's state is a text to it), any decision about what to do without a database.
//!
//! * **Durable on return.** A call that succeeded survives a power cut.
//! * **Bounded.** Every call ends within [`DEADLINE`], [`Store::open`] within [`OPEN_DEADLINE`], whatever the disk
//!   does. Control goes on without a database, so no error here is fatal to it.
//! * **One owner.** A directory is used by one program at a time.
//!
//! What was measured goes into the history, which thins it out as it ages ([`Store::record_samples`],
//! [`Store::battery_history`]); everything else is kept as it was given.
//!
//! ```
//! # use model::{MinerId, MonoTime, Now, UtcMillis};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), store::StoreError> {
//! let store = store::Store::in_memory().await?;
//! let now = Now { mono: MonoTime(5), utc: UtcMillis(1_790_000_000_000) };
//! store.save_state(&MinerId("garage".to_owned()), r#"{"ceiling_pct":60}"#, now).await?;
//! assert_eq!(store.load_states().await?.len(), 1);
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod backup;
mod error;
mod history;
mod identities;
mod journal;
mod law;
mod lock;
mod meta;
mod migrations;
mod open;
mod operations;
mod record;
pub mod restore;
mod settings;
mod told;
mod words;

pub use error::StoreError;
pub use history::{Detail, Extent, Extents, HistoryRules, MOST_POINTS, Rows, Samples, Subject, as_kept};
pub use law::SavedState;
pub use meta::MetaKey;
pub use open::{FILE_NAME, OPEN_DEADLINE, Opened};
pub use record::Record;
pub use settings::{BeforeAfter, SettingValue, SettingsChange};
pub use told::ToldAlert;

use lock::DirectoryLock;
use sqlx::SqlitePool;
use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The longest a call may take, in real time. A healthy disk needs a few milliseconds; a memory card that is busy
/// with itself can need a second.
pub const DEADLINE: Duration = Duration::from_secs(2);

/// The most rows one question is answered with.
pub const MOST_ROWS: u32 = 10_000;

/// The database. Clones share it; the directory is free again when it is closed, or when the last one is dropped.
///
/// A call whose future is dropped, or that fails by its deadline, may or may not have taken effect; it never takes
/// half effect.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: SqlitePool,
    readers: SqlitePool,
    /// The database's file; `None` in memory.
    file: Option<PathBuf>,
    /// Let go of after the connections. `None` in memory, and once it is closed.
    lock: Mutex<Option<DirectoryLock>>,
}

impl Store {
    /// Writes everything back into the one file and lets go of it. Later calls fail with
    /// [`StoreError::Unavailable`]. Leaving this out loses nothing: the next start reads the log instead.
    pub async fn close(&self) -> Result<(), StoreError> {
        within("closing the database", async {
            self.inner.readers.close().await;
            self.inner.writer.close().await;
            Ok(())
        })
        .await?;
        self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(())
    }

    /// The database's file; `None` in memory.
    pub fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    /// Writes the log back into the file, so that the next commit begins it anew: on a disk that is full it has no more room
    /// than it has taken. Where that fails, the next commit says why.
    async fn write_log_back(&self) {
        let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(self.writer()).await;
    }

    fn writer(&self) -> &SqlitePool {
        &self.inner.writer
    }

    fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }
}

/// Runs `work` to its end or to the deadline, and says in the error what was being done.
async fn within<T>(
    doing: &'static str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(result) => result.map_err(|error| StoreError::from_sqlx(doing, error)),
        Err(_) => Err(StoreError::too_slow(doing, DEADLINE)),
    }
}
