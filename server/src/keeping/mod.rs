//! What is kept on the disk: backups and taking them up, and how much room and how many writes it all takes.
//!
//! One thing is done at a time, beside everything else: whoever asks for it is told that it was begun, and looks again. A
//! restored database is taken up by starting the whole house anew, inside the running program ([`crate::run`]).

mod disk;
mod schedule;
mod wear;

pub use wear::{BUDGET, Written};

use crate::{access::KNOWN, config::is_secret, current::Current};
use axum::body::Bytes;
use engine::Handle;
use futures::{Stream, StreamExt};
use model::{AlertCode, UtcMillis};
use std::{
    fmt, fs,
    future::Future,
    io::{self, Write},
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use store::{
    Extents, Store, StoreError,
    backup::{Backup, Backups, Making, SecretNames},
    restore,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wear::Wear;

/// How often it is looked whether a backup is due, in real time.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// The largest file that is taken for a backup, in bytes: decades of one house.
const LARGEST: u64 = 8 << 30;
/// The room that is left to everything else on the disk, in bytes.
const LEFT_FREE: u64 = 64 << 20;
/// How long nothing may come of a file that is sent, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program's version.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What a backup leaves out unless it is asked for.
pub const SECRETS: SecretNames<'static> = SecretNames { setting: &is_secret, values: &[KNOWN.name()] };

/// What is kept. Clones are the same.
#[derive(Clone)]
pub struct Keeping(Arc<Inner>);

struct Inner {
    data: PathBuf,
    store: Option<Store>,
    site: Handle,
    current: Current,
    doing: Mutex<Doing>,
    /// The house is started anew once this is cancelled.
    anew: CancellationToken,
    wear: Mutex<Wear>,
    /// What backups and restores wrote since the start, in bytes.
    copied: AtomicU64,
}

/// What is being done, and what became of the last.
#[derive(Debug, Clone, Default)]
struct Doing {
    now: Option<&'static str>,
    last: Option<Result<String, String>>,
}

/// What is kept, as it is now.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Something is being done with it: what, in words.
    pub doing: Option<&'static str>,
    /// What became of the last that was asked for.
    pub last: Option<Result<String, String>>,
    /// The backups, the newest first.
    pub backups: Vec<Backup>,
    /// The size of the database, in bytes.
    pub database: Option<u64>,
    /// The room that is left on its disk, in bytes.
    pub free: Option<u64>,
    /// What was written, without backups.
    pub written: Option<Written>,
    /// What backups wrote since the start, in bytes.
    pub copied: u64,
}

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// One thing at a time.
    #[error("Something else is being done just now: {0}. Try again when that is over.")]
    Busy(&'static str),
    /// There is no such backup.
    #[error("There is no such backup any more.")]
    Unknown,
    /// There is no database.
    #[error("The database can't be used just now.")]
    NoDatabase,
    /// There is no room.
    #[error("There isn't enough room on the disk: {} MB are needed, {} MB are free.", megabytes(*.needed), megabytes(*.free))]
    NoRoom {
        /// Needed, in bytes.
        needed: u64,
        /// Free, in bytes.
        free: u64,
    },
    /// What was sent can't be taken.
    #[error("The file didn't come whole: {0}.")]
    Broken(String),
}

/// Whole megabytes, as a person says them.
pub fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

impl Keeping {
    /// What is kept in this directory. `anew` is cancelled when the house is to be started anew.
    pub fn new(
        data: &Path,
        store: Option<Store>,
        site: Handle,
        current: Current,
        anew: CancellationToken,
    ) -> Self {
        Self(Arc::new(Inner {
            data: data.to_owned(),
            store,
            site,
            current,
            doing: Mutex::default(),
            anew,
            wear: Mutex::new(Wear::begin()),
            copied: AtomicU64::new(0),
        }))
    }

    /// Looks after it until `stop`: backups when they are due, and the room on the disk.
    pub async fn look_after(self, stop: CancellationToken) {
        Backups::of(&self.0.data).remove_remains();
        let begun = self.0.site.now().utc;
        let mut tried: Option<UtcMillis> = None;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            self.wear().look();
            self.look_at_room();
            let facts = self.0.current.facts();
            let Some(every) = facts.backup_every.filter(|_| !facts.demo) else { continue };
            let now = self.0.site.now().utc;
            let newest = self.backups().first().map(|backup| backup.manifest.at);
            let hour = app::civil::civil(now, facts.timezone.name()).hour;
            if schedule::is_due(now, newest, begun, tried, every, hour) {
                tried = Some(now);
                if let Err(error) = self.make(false) {
                    tracing::warn!(%error, "no backup is made now");
                    self.0.site.note(AlertCode::Backup, Some(format!("No backup could be made. {error}")));
                }
            }
        }
    }

    /// What there is.
    pub fn backups(&self) -> Vec<Backup> {
        Backups::of(&self.0.data).list()
    }

    /// The file of a backup, by its name.
    pub fn find(&self, name: &str) -> Option<(Backup, PathBuf)> {
        Backups::of(&self.0.data).find(name)
    }

    /// All that is told of it.
    pub fn kept(&self) -> Kept {
        let Doing { now, last } = self.doing().clone();
        Kept {
            doing: now,
            last,
            backups: self.backups(),
            database: self.database(),
            free: disk::free(&self.0.data),
            written: self.wear().written(),
            copied: self.0.copied.load(Ordering::Relaxed),
        }
    }

    /// What this process wrote since it was started, in bytes, as far as the system tells.
    pub fn written_since_start() -> Option<u64> {
        wear::written()
    }

    /// How far what was measured reaches.
    pub async fn extents(&self) -> Extents {
        let Some(store) = &self.0.store else { return Extents::default() };
        store.history_extents().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "how far the history reaches can't be told");
            Extents::default()
        })
    }

    fn database(&self) -> Option<u64> {
        let file = self.0.store.as_ref()?.file()?;
        fs::metadata(file).ok().map(|metadata| metadata.len())
    }

    /// Begins to make a backup.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn make(&self, with_secrets: bool) -> Result<(), NotBegun> {
        let store = self.0.store.clone().ok_or(NotBegun::NoDatabase)?;
        self.has_room(self.database().unwrap_or_default())?;
        let this = self.clone();
        self.begin("a backup is being made", async move {
            let made = this.made(&store, with_secrets).await;
            let told = made.as_ref().err().map(|error| format!("No backup could be made. {error}."));
            this.0.site.note(AlertCode::Backup, told);
            let Backup { name, manifest } = made.map_err(|error| format!("No backup was made: {error}."))?;
            tracing::info!(name, bytes = manifest.bytes, "a backup was made");
            Ok(format!("A backup of {} MB was made.", megabytes(manifest.bytes)))
        })
    }

    async fn made(&self, store: &Store, with_secrets: bool) -> Result<Backup, StoreError> {
        let backups = Backups::of(&self.0.data);
        let at = self.0.site.now().utc;
        let making = Making { at, program: PROGRAM, with_secrets, secrets: SECRETS };
        let made = backups.make(store, making).await?;
        self.count(made.manifest.bytes);
        if let Err(error) = backups.prune(self.0.current.facts().backups_kept) {
            tracing::warn!(%error, "an old backup can't be removed");
        }
        Ok(made)
    }

    /// Begins to restore a backup that is there.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn restore(&self, name: &str) -> Result<(), NotBegun> {
        let (backup, path) = self.find(name).ok_or(NotBegun::Unknown)?;
        self.has_room(backup.manifest.bytes)?;
        let this = self.clone();
        self.begin("a backup is being restored", async move {
            let data = this.0.data.clone();
            let copying = tokio::task::spawn_blocking(move || copied(&data, &backup, &path));
            let copied = copying.await.map_err(|error| error.to_string()).and_then(|copied| copied);
            this.prove(copied).await
        })
    }

    /// Takes a backup that is sent, and begins to restore it once it is there.
    ///
    /// # Errors
    /// If it doesn't come whole, or can't be begun.
    pub async fn receive<E: fmt::Display>(
        &self,
        pieces: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), NotBegun> {
        let receiving = self.occupy("a backup is being received")?;
        let path = restore::incoming(&self.0.data).map_err(|error| NotBegun::Broken(error.to_string()))?;
        let received = self.write(&path, pieces).await;
        drop(receiving);
        if let Err(refusal) = received {
            restore::give_up(&self.0.data);
            return Err(refusal);
        }
        let this = self.clone();
        self.begin("a backup is being restored", async move { this.prove(Ok(())).await })
    }

    async fn write<E: fmt::Display>(
        &self,
        path: &Path,
        pieces: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), NotBegun> {
        let broken = |error: io::Error| NotBegun::Broken(error.to_string());
        let free = disk::free(&self.0.data).unwrap_or(LARGEST).saturating_sub(LEFT_FREE);
        let most = free.min(LARGEST);
        let mut file = private(path).map_err(broken)?;
        let mut pieces = pin!(pieces);
        let mut bytes = 0;
        loop {
            let next = tokio::time::timeout(PATIENCE, pieces.next()).await;
            let Some(piece) = next.map_err(|_| NotBegun::Broken("nothing more came".into()))? else { break };
            let piece = piece.map_err(|error| NotBegun::Broken(error.to_string()))?;
            bytes += piece.len() as u64;
            if bytes > most {
                return Err(NotBegun::NoRoom { needed: bytes, free: most });
            }
            // A piece is small, and at most waits for the disk as everybody does.
            let written = tokio::task::spawn_blocking(move || file.write_all(&piece).map(|()| file)).await;
            file = written.map_err(io::Error::other).and_then(|file| file).map_err(broken)?;
        }
        self.count(bytes);
        Ok(())
    }

    /// Proves what is there, and starts the house anew with it.
    async fn prove(&self, copied: Result<(), String>) -> Result<String, String> {
        let (data, now) = (self.0.data.clone(), self.0.site.now());
        let proven = match copied {
            Ok(()) => {
                // On a thread of its own, which nobody waits for at a shutdown: a large file is read several times.
                let (runtime, (told, proven)) = (tokio::runtime::Handle::current(), oneshot::channel());
                thread::spawn(move || told.send(runtime.block_on(restore::prove(&data, now))));
                let proven = proven.await.map_err(|error| error.to_string());
                proven.and_then(|proven| proven.map_err(|error| error.to_string()))
            }
            Err(error) => Err(error),
        };
        let ready = proven.map_err(|error| {
            restore::give_up(&self.0.data);
            format!("Nothing was restored, and everything is as it was: {error}.")
        })?;
        tracing::warn!(?ready, "a backup is taken up: the house is started anew");
        self.0.anew.cancel();
        Ok("The backup is taken up now.".to_owned())
    }

    fn has_room(&self, needed: u64) -> Result<(), NotBegun> {
        let needed = needed + LEFT_FREE;
        match disk::free(&self.0.data) {
            Some(free) if free < needed => Err(NotBegun::NoRoom { needed, free }),
            _ => Ok(()),
        }
    }

    /// What can be spared goes before the disk is full: old backups, but not the newest.
    fn look_at_room(&self) {
        let Some(mut free) = disk::free(&self.0.data) else { return };
        if free < LEFT_FREE {
            let _ = Backups::of(&self.0.data).prune(1);
            free = disk::free(&self.0.data).unwrap_or(free);
        }
        let text = format!(
            "Only {} MB are left on the disk that holds the data. Once it is full nothing more is remembered; control goes on.",
            free / 1_000_000
        );
        self.0.site.note(AlertCode::DiskLow, (free < LEFT_FREE).then_some(text));
    }

    fn begin(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<String, String>> + Send + 'static,
    ) -> Result<(), NotBegun> {
        let occupied = self.occupy(what)?;
        tokio::spawn(async move {
            let outcome = work.await;
            if let Err(error) = &outcome {
                tracing::error!(error, "it failed");
            }
            occupied.over(outcome);
        });
        Ok(())
    }

    fn occupy(&self, what: &'static str) -> Result<Occupied, NotBegun> {
        let mut doing = self.doing();
        if let Some(busy) = doing.now {
            return Err(NotBegun::Busy(busy));
        }
        *doing = Doing { now: Some(what), last: None };
        Ok(Occupied { keeping: self.clone(), outcome: None })
    }

    fn count(&self, bytes: u64) {
        self.0.copied.fetch_add(bytes, Ordering::Relaxed);
        self.wear().leave_out(bytes);
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        // Nothing is left half done under this lock.
        self.0.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wear(&self) -> MutexGuard<'_, Wear> {
        self.0.wear.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something is being done; nothing else until this is dropped.
struct Occupied {
    keeping: Keeping,
    /// What became of it.
    outcome: Option<Result<String, String>>,
}

impl Occupied {
    /// It is over, and this became of it.
    fn over(mut self, outcome: Result<String, String>) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        *self.keeping.doing() = Doing { now: None, last: self.outcome.take() };
    }
}

/// Copies a backup that is there to where it is proven.
fn copied(data: &Path, backup: &Backup, path: &Path) -> Result<(), String> {
    backup.manifest.check(path).map_err(|error| error.to_string())?;
    let to = restore::incoming(data).map_err(|error| error.to_string())?;
    fs::copy(path, to).map(drop).map_err(|error| error.to_string())
}

/// A new file for its owner alone.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    options.open(path)
}
