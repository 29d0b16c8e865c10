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
use store::{HistoryRules, MetaKey, Record, Samples, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Whether a person switched auto-control on or off, by miner: it wins over the configuration.
pub(crate) const AUTO_CONTROL: MetaKey<BTreeMap<MinerId, bool>> = MetaKey::new("auto_control");

/// How many writes may wait: several for each of hundreds of miners that are told something on one tick. More than this and
/// the database is in trouble: the newest are dropped, and said so.
const QUEUE: usize = 4096;
/// The most of them that are written in one commit, which has two seconds.
const AT_ONCE: usize = 256;

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

impl Entry {
    /// What the store is told of it, if it is a decision or follows from one.
    fn record(&self) -> Option<Record<'_>> {
        match self {
            Self::Begin { json, operation, at, .. } => Some(Record::Begun { json, operation, at: *at }),
            Self::State { miner, json, at } => Some(Record::State { miner, json, at: *at }),
            Self::Operation(operation) => Some(Record::Operation(operation)),
            Self::Decision(decision) => Some(Record::Decision(decision)),
            _ => None,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Recorder {
    entries: mpsc::Sender<(Entry, Busy)>,
    healthy: Arc<AtomicBool>,
    samples: Arc<Mutex<Gathered>>,
    keeper: Arc<Timekeeper>,
}

/// A record on its way to the disk.
#[derive(Debug)]
pub(crate) struct Durable {
    told: oneshot::Receiver<bool>,
    patience: Duration,
}

impl Durable {
    /// Waits until the record is durable, but no longer than its patience (real time).
    pub(crate) async fn wait(self) {
        if !matches!(tokio::time::timeout(self.patience, self.told).await, Ok(Ok(true))) {
            tracing::warn!("a command goes out before its record is durable");
        }
    }
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

    /// Keeps state and operation. Whoever carries the operation out waits for it to be durable first.
    pub(crate) fn begin(&self, json: String, operation: Operation, at: Now, patience: Duration) -> Durable {
        let (done, told) = oneshot::channel();
        self.put(Entry::Begin { json, operation: Box::new(operation), at, done });
        Durable { told, patience }
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
    /// Writes what comes until nobody can hand over any more. What was decided is written with all that waits behind it: a
    /// commit for each of hundreds of orders would make the last of them wait for seconds.
    pub(crate) async fn run(&mut self) {
        let mut waiting = Vec::new();
        while self.waiting.recv_many(&mut waiting, AT_ONCE).await > 0 {
            if self.store.is_none() {
                waiting.clear();
            }
            let mut decided = Vec::new();
            // Simulated time waits until all of it is written.
            let mut tokens = Vec::new();
            for (entry, busy) in waiting.drain(..) {
                tokens.push(busy);
                match entry {
                    decision if decision.record().is_some() => decided.push(decision),
                    Entry::BatterySample(sample, now) => lock(&self.samples).add_battery(*sample, now.mono),
                    Entry::MinerSample(sample, now) => lock(&self.samples).add_miner(*sample, now.mono),
                    other => {
                        self.write_decided(std::mem::take(&mut decided)).await;
                        self.write(other).await;
                    }
                }
            }
            self.write_decided(decided).await;
        }
    }

    /// Writes what was decided, in one commit.
    async fn write_decided(&mut self, decided: Vec<Entry>) {
        let Some(store) = self.store.as_ref().filter(|_| !decided.is_empty()) else { return };
        let records: Vec<_> = decided.iter().filter_map(Entry::record).collect();
        let together = store.record(&records).await;
        let is_unfit = records.len() > 1 && matches!(together, Err(StoreError::Unfit { .. }));
        for entry in decided {
            // What one of them can't be written for is no reason to lose the others.
            let alone = match entry.record() {
                Some(record) if is_unfit => Some(store.record(&[record]).await),
                _ => None,
            };
            let is_written = alone.as_ref().map_or(together.is_ok(), Result::is_ok);
            if let Some(alone) = alone {
                self.note(alone);
            }
            if let Entry::Begin { done, .. } = entry {
                let _ = done.send(is_written);
            }
        }
        if !is_unfit {
            self.note(together);
        }
    }

    /// Writes anything else.
    async fn write(&mut self, entry: Entry) {
        let Some(store) = self.store.clone() else { return };
        match entry {
            Entry::Identity { miner, identity, at } => {
                self.note(store.remember_identity(&miner, &identity, at).await);
            }
            Entry::AutoControl(by_miner) => self.note(store.put_meta(&AUTO_CONTROL, &by_miner).await),
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
            // What was decided and what was measured is written with others of its kind.
            Entry::Begin { .. }
            | Entry::State { .. }
            | Entry::Operation(_)
            | Entry::Decision(_)
            | Entry::BatterySample(..)
            | Entry::MinerSample(..) => {}
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use model::{Command, MonoTime, OperationId, OperationStage, Reason, UtcMillis};

    const NOW: Now = Now { mono: MonoTime(5), utc: UtcMillis(1_774_094_400_000) };

    fn off(id: u64) -> Operation {
        Operation {
            id: OperationId(id),
            miner: MinerId("garage".into()),
            command: Command::Off,
            reason: Reason::PersonOff,
            stage: OperationStage::Queued,
            means: None,
            decided_at: NOW.utc,
            sent_at: None,
            acknowledged_at: None,
            ended_at: None,
            words: None,
        }
    }

    #[tokio::test]
    async fn what_can_t_be_written_takes_nothing_else_along() {
        let store = Store::in_memory().await.unwrap();
        let keeper = Arc::new(Timekeeper::new(Arc::new(SystemClock::new()), None));
        let rules = HistoryRules {
            battery_gap: Duration::ZERO,
            miner_gap: Duration::ZERO,
            keep_samples: Duration::ZERO,
        };
        let (recorder, mut entries) = Recorder::new(Some(store.clone()), keeper, rules, Duration::ZERO);
        // No column of the database holds such a number.
        let told = [1, u64::MAX, 2]
            .map(|id| recorder.begin(format!("after {id}"), off(id), NOW, Duration::ZERO).told);
        drop(recorder);
        entries.run().await;
        let written = futures::future::join_all(told).await;
        assert_eq!(written, [Ok(true), Ok(false), Ok(true)]);
        assert_eq!(store.operations(&MinerId("garage".into()), 9).await.unwrap(), [off(2), off(1)]);
        assert_eq!(store.load_states().await.unwrap()[0].json, "after 2");
    }
}
