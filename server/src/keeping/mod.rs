//! What is kept on the disk: backups and taking them up, and how much room and how many writes it all takes.
//!
//! One thing is done at a time, beside everything else: whoever asks for it is told that it was begun, and looks again. A
//! restored database is taken up by starting the whole house anew, inside the running program ([`crate::run`]).

mod count;
mod disk;
mod room;
mod schedule;
mod taking_up;
mod wear;

pub use count::Counted;
pub use wear::{BUDGET, Written};

use crate::{access::KNOWN, config::is_secret, current::Current};
use count::Settled;
use engine::Handle;
use model::{AlertCode, UtcMillis};
use room::{LEFT_FREE, Room};
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use store::{
    Extents, Store, StoreError,
    backup::{Backup, Backups, Making, SecretNames},
    restore,
};
use tokio_util::sync::CancellationToken;
use wear::Wear;

/// How often it is looked whether a backup is due, in real time.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// How often rows are counted, in real time: once an hour, and no look later for a moment's sake.
const COUNT_EVERY: Duration = Duration::from_secs(59 * 60);
/// How long what a restore set aside is kept, in days.
pub const SET_ASIDE_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;
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
    counted: Mutex<Option<Counted>>,
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
    /// The size of what restores set aside, in bytes.
    pub set_aside: u64,
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
            counted: Mutex::default(),
        }))
    }

    /// Looks after it until `stop`: backups when they are due, the room on the disk, what has been set aside for long, and
    /// how many rows there are.
    pub async fn look_after(self, stop: CancellationToken) {
        Backups::of(&self.0.data).remove_remains();
        let begun = self.0.site.now().utc;
        let mut tried: Option<UtcMillis> = None;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        let mut snapshots = self.0.site.follow();
        let mut is_synced = false;
        let mut room = Room::default();
        let (mut settled, mut counted) = (Settled::default(), None::<Instant>);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                // What goes by the age of things hasn't to wait for the next look then.
                _ = snapshots.wait_for(|snapshot| snapshot.clock_synced), if !is_synced => is_synced = true,
            }
            self.wear().look();
            let (facts, now) = (self.0.current.facts(), self.0.site.now().utc);
            let zone = facts.timezone.name();
            let short = room.look(&self.0.data, self.0.store.as_ref(), now, zone).await;
            self.0.site.note(AlertCode::DiskLow, short);
            self.look_at_set_aside();
            if counted.is_none_or(|counted| counted.elapsed() >= COUNT_EVERY) {
                counted = Some(Instant::now());
                self.count_rows(&mut settled).await;
            }
            let Some(every) = facts.backup_every.filter(|_| !facts.demo) else { continue };
            let newest = self.backups().first().map(|backup| backup.manifest.at);
            let hour = app::civil::civil(now, zone).hour;
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
            set_aside: restore::set_aside(&self.0.data).iter().map(|file| file.bytes).sum(),
            free: disk::free(&self.0.data),
            written: self.written(),
            copied: self.0.copied.load(Ordering::Relaxed),
        }
    }

    /// What was written in the last day or since the start, without backups, as far as the system tells.
    pub fn written(&self) -> Option<Written> {
        self.wear().written()
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

    /// How many rows that is, as of when it was last counted; `None` before that.
    pub fn counted(&self) -> Option<Counted> {
        *self.0.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn count_rows(&self, settled: &mut Settled) {
        let Some(store) = &self.0.store else { return };
        let (now, kept) = (self.0.site.now().utc, self.0.current.facts().samples_kept);
        match settled.count(store, now, kept).await {
            Ok(counted) => {
                *self.0.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
            }
            Err(error) => tracing::warn!(%error, "the rows of the history can't be counted"),
        }
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

    fn has_room(&self, needed: u64) -> Result<(), NotBegun> {
        let needed = needed + LEFT_FREE;
        match disk::free(&self.0.data) {
            Some(free) if free < needed => Err(NotBegun::NoRoom { needed, free }),
            _ => Ok(()),
        }
    }

    /// What was set aside long ago goes; not by a clock that nothing else agrees with.
    fn look_at_set_aside(&self) {
        if !self.0.site.snapshot().clock_synced {
            return;
        }
        let before = UtcMillis(self.0.site.now().utc.0 - SET_ASIDE_DAYS * DAY_MS);
        match restore::remove_set_aside(&self.0.data, before) {
            Ok(removed) => {
                for file in removed {
                    tracing::info!(file = %file.path.display(), "what a restore set aside long ago was removed");
                }
            }
            Err(error) => tracing::warn!(%error, "what a restore set aside long ago can't be removed"),
        }
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
