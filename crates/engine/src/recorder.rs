//! The recorder: the way of everything that is kept to the store. Control never waits for it longer than it says,
//! and goes on without it.

use crate::{
    clock::{Busy, Timekeeper},
    samples::Gathered,
};
use model::{
    MinerId, MinerIdentity, Now, Operation,
    history::{BatterySample, MinerSample},
    journal::DecisionRecord,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{HistoryRules, MetaKey, Samples, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Whether a person switched auto-control on or off, by miner: it wins over the configuration.
pub(crate) const AUTO_CONTROL: MetaKey<BTreeMap<MinerId, bool>> = MetaKey::new("auto_control");

/// How many writes may wait. More than this and the database is in trouble: the newest are dropped, and said so.
const QUEUE: usize = 512;

pub(crate) enum Entry {
    /// The law's state and the operation that follows from it; tells when it is durable.
    Begin {
        json: String,
        operation: Box<Operation>,
        at: Now,
        done: oneshot::Sender<bool>,
    },
    State {
        miner: MinerId,
        json: String,
        at: Now,
    },
    Operation(Box<Operation>),
    Decision(Box<DecisionRecord>),
    Identity {
        miner: MinerId,
        identity: Box<MinerIdentity>,
        at: Now,
    },
    AutoControl(BTreeMap<MinerId, bool>),
    /// What the battery said, and when it was heard.
    BatterySample(Box<BatterySample>, Now),
    /// What a miner said, and when.
    MinerSample(Box<MinerSample>, Now),
    /// What time it is: samples that have waited long enough are written.
    Time(Now),
    /// Everything before it is written, samples included.
    Flush(oneshot::Sender<()>, Now),
}

#[derive(Clone)]
pub(crate) struct Recorder {
    entries: mpsc::Sender<(Entry, Busy)>,
    healthy: Arc<AtomicBool>,
    samples: Arc<Mutex<Gathered>>,
    keeper: Arc<Timekeeper>,
}

/// The recorder's own end, which its task empties.
pub(crate) struct Entries {
    waiting: mpsc::Receiver<(Entry, Busy)>,
    healthy: Arc<AtomicBool>,
    store: Option<Store>,
    rules: HistoryRules,
    samples: Arc<Mutex<Gathered>>,
}

impl Recorder {
    pub(crate) fn new(
        store: Option<Store>,
        keeper: Arc<Timekeeper>,
        rules: HistoryRules,
        samples_wait: Duration,
    ) -> (Self, Entries) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let healthy = Arc::new(AtomicBool::new(store.is_some()));
        let samples = Arc::new(Mutex::new(Gathered::new(samples_wait)));
        let recorder =
            Self { entries: sender, healthy: Arc::clone(&healthy), samples: Arc::clone(&samples), keeper };
        let entries = Entries { waiting: receiver, healthy, store, rules, samples };
        (recorder, entries)
    }

    /// The last write succeeded.
    pub(crate) fn healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// The samples that wait to be written.
    pub(crate) fn waiting_samples(&self) -> Samples {
        lock(&self.samples).all()
    }

    /// Hands an entry over without waiting.
    pub(crate) fn put(&self, entry: Entry) {
        if self.entries.try_send((entry, self.keeper.clock().busy())).is_err() {
            self.healthy.store(false, Ordering::Relaxed);
        }
    }

    /// Keeps state and operation, and waits until they are durable, but no longer than `patience` (real time).
    pub(crate) async fn begin(&self, json: String, operation: Operation, at: Now, patience: Duration) {
        let (done, durable) = oneshot::channel();
        self.put(Entry::Begin { json, operation: Box::new(operation), at, done });
        if !matches!(tokio::time::timeout(patience, durable).await, Ok(Ok(true))) {
            tracing::warn!("a command goes out before its record is durable");
        }
    }

    pub(crate) fn remember_identity(&self, miner: &MinerId, identity: &MinerIdentity, keeper: &Timekeeper) {
        let identity = Box::new(identity.clone());
        self.put(Entry::Identity { miner: miner.clone(), identity, at: keeper.now() });
    }

    /// Waits until everything handed over so far is written, but no longer than `patience` (real time).
    pub(crate) async fn flush(&self, patience: Duration) {
        let (done, flushed) = oneshot::channel();
        self.put(Entry::Flush(done, self.keeper.now()));
        let _ = tokio::time::timeout(patience, flushed).await;
    }
}

impl Entries {
    /// Writes what comes until nobody can hand over any more.
    pub(crate) async fn run(&mut self) {
        while let Some((entry, _busy)) = self.waiting.recv().await {
            let Some(store) = self.store.clone() else { continue };
            match entry {
                Entry::Begin { json, operation, at, done } => {
                    let result = store.begin_operation(&json, &operation, at).await;
                    let _ = done.send(result.is_ok());
                    self.note(result);
                }
                Entry::State { miner, json, at } => self.note(store.save_state(&miner, &json, at).await),
                Entry::Operation(operation) => self.note(store.save_operation(&operation).await),
                Entry::Decision(record) => self.note(store.record_decision(&record).await),
                Entry::Identity { miner, identity, at } => {
                    self.note(store.remember_identity(&miner, &identity, at).await);
                }
                Entry::AutoControl(by_miner) => self.note(store.put_meta(&AUTO_CONTROL, &by_miner).await),
                Entry::BatterySample(sample, now) => lock(&self.samples).add_battery(*sample, now.mono),
                Entry::MinerSample(sample, now) => lock(&self.samples).add_miner(*sample, now.mono),
                Entry::Time(now) => {
                    let is_due = lock(&self.samples).is_due(now.mono);
                    if is_due {
                        self.write_samples(&store, now).await;
                    }
                }
                Entry::Flush(done, now) => {
                    // Also after a person's wish, which is rare: one commit more, and one meaning of "everything".
                    while self.write_samples(&store, now).await {}
                    let _ = done.send(());
                }
            }
        }
    }

    /// Writes the samples that wait, or as many as go at once. Tells whether it should be called again for the rest.
    async fn write_samples(&mut self, store: &Store, now: Now) -> bool {
        let Some(samples) = lock(&self.samples).next() else { return false };
        let result = store.record_samples(&samples, &self.rules, now.utc).await;
        let written = result.is_ok();
        if written {
            lock(&self.samples).written(&samples, now.mono);
        } else {
            lock(&self.samples).refused(now.mono);
        }
        self.note(result);
        written
    }

    /// Takes notice of how a write went.
    fn note<T>(&self, result: Result<T, StoreError>) {
        match result {
            Ok(_) => {
                if !self.healthy.swap(true, Ordering::Relaxed) {
                    tracing::info!("the database takes writes again");
                }
            }
            Err(error) => {
                if self.healthy.swap(false, Ordering::Relaxed) {
                    tracing::error!(%error, "the database doesn't take writes; control goes on without it");
                }
            }
        }
    }
}

/// Nothing is left half done under this lock.
fn lock(samples: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    samples.lock().unwrap_or_else(PoisonError::into_inner)
}
