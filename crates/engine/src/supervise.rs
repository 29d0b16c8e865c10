//! Supervision: a task that ends is started again, and that is said.

use crate::clock::{Busy, Timekeeper};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The wait before a task is started again, in real time: long enough not to spin, short against every rule.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(crate) struct Supervisor {
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    pub(crate) keeper: Arc<Timekeeper>,
    restarts: Arc<AtomicU64>,
}

impl Supervisor {
    pub(crate) fn new(keeper: Arc<Timekeeper>) -> Self {
        Self {
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            keeper,
            restarts: Arc::default(),
        }
    }

    /// How often a task had to be started again.
    pub(crate) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Runs `work` until the shutdown, starting it again whenever it ends or panics. The task dies with the shutdown
    /// at its next await: for whoever needs to finish something, `work` looks at the token itself.
    pub(crate) fn keep_running<F>(&self, name: &'static str, mut work: impl FnMut(Busy) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let this = self.clone();
        let mut busy = this.keeper.clock().busy();
        self.tasks.spawn(async move {
            loop {
                let mut run = tokio::spawn(work(busy));
                let ended = tokio::select! {
                    ended = &mut run => ended,
                    () = this.shutdown.cancelled() => {
                        run.abort();
                        // Only once it is gone is what it held free again.
                        let _ = run.await;
                        return;
                    }
                };
                this.note(name, ended.is_err());
                tokio::time::sleep(PAUSE).await;
                busy = this.keeper.clock().busy();
            }
        });
    }

    /// The same for work that ends by itself after the shutdown, and is waited for.
    pub(crate) fn keep_running_to_the_end<F>(
        &self,
        name: &'static str,
        mut work: impl FnMut(Busy) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let this = self.clone();
        let mut busy = this.keeper.clock().busy();
        self.tasks.spawn(async move {
            loop {
                let ended = tokio::spawn(work(busy)).await;
                if this.shutdown.is_cancelled() {
                    return;
                }
                this.note(name, ended.is_err());
                tokio::time::sleep(PAUSE).await;
                busy = this.keeper.clock().busy();
            }
        });
    }

    fn note(&self, name: &'static str, panicked: bool) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        tracing::error!(task = name, panicked, "a task ended and is started again");
    }
}
