//! One channel's own task: it follows what holds, tells what is due, and tries again what didn't go out.

use super::{
    Office, Patience,
    channel::{Channel, Failure, Sender},
    ledger::{Ledger, Quiet},
    message::{Scene, messages},
    quiet::QuietHours,
};
use model::{UtcMillis, snapshot::Snapshot};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) struct Courier {
    pub(super) office: Arc<Office>,
    pub(super) sender: Sender,
    ledger: Ledger,
    /// What the ledger says isn't kept yet.
    is_unkept: bool,
    attempts: Attempts,
}

/// When the next attempt may be made.
#[derive(Debug, Default)]
struct Attempts {
    failed: u32,
    not_before: Option<Instant>,
}

impl Attempts {
    fn failed(&mut self, failure: &Failure, patience: Patience, now: Instant) {
        let factor = 1_u32.checked_shl(self.failed).unwrap_or(u32::MAX);
        let wait = patience.first_wait.saturating_mul(factor).min(patience.longest_wait);
        self.failed = self.failed.saturating_add(1);
        self.not_before = Some(now + wait.max(failure.wait.unwrap_or(Duration::ZERO)));
    }
}

impl Courier {
    /// Goes on from what was told before.
    pub(super) async fn new(office: Arc<Office>, sender: Sender) -> Self {
        let told = match &office.store {
            Some(store) => store.told_alerts(sender.channel().word()).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "it isn't known which alerts were told: what holds is told again");
                Vec::new()
            }),
            None => Vec::new(),
        };
        Self { office, sender, ledger: Ledger::of(told), is_unkept: false, attempts: Attempts::default() }
    }

    /// Tells what is due until `end`, which ends no attempt that is under way.
    pub(super) async fn run(&mut self, end: CancellationToken) {
        let mut snapshots = self.office.site.follow();
        snapshots.mark_changed();
        loop {
            let retry = self.attempts.not_before.unwrap_or_else(Instant::now);
            tokio::select! {
                () = end.cancelled() => return,
                changed = snapshots.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(retry), if self.attempts.not_before.is_some() => {}
            }
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            // Nothing is known before the first tick.
            if snapshot.tick > 0 {
                self.look(&snapshot).await;
            }
        }
    }

    async fn look(&mut self, snapshot: &Snapshot) {
        self.ledger.look(snapshot);
        if self.attempts.not_before.is_none_or(|not_before| not_before <= Instant::now()) {
            self.attempts.not_before = None;
            self.tell(snapshot).await;
        }
        if self.is_unkept && snapshot.database_ok {
            self.keep().await;
        }
        self.office.looked(self.sender.channel(), snapshot.at);
    }

    /// Tells what is due, until an attempt fails.
    async fn tell(&mut self, snapshot: &Snapshot) {
        let due = self.ledger.due(snapshot.at, self.quiet(snapshot.at));
        if due.is_empty() {
            return;
        }
        let facts = self.office.current.facts();
        let scene = Scene { site: &facts.site_name, zone: facts.timezone.name(), snapshot };
        for (message, told) in messages(&due, scene) {
            let patience = self.office.patience;
            let outcome = self.sender.send(&self.office.http, &message, patience.attempt).await;
            self.note(outcome.as_ref().err(), snapshot.at);
            match outcome {
                Ok(()) => {
                    self.attempts = Attempts::default();
                    self.ledger.told(&told, snapshot.at);
                    // At once: what was told isn't told again, even if the program is killed now.
                    self.keep().await;
                }
                Err(failure) => return self.attempts.failed(&failure, patience, Instant::now()),
            }
        }
    }

    fn quiet(&self, now: UtcMillis) -> Quiet {
        let config = self.office.configured.borrow();
        let hold = QuietHours::of(&config)
            .is_some_and(|hours| hours.hold(now, self.office.current.facts().timezone));
        match (hold, config.quiet_for_all) {
            (false, _) => Quiet::No,
            (true, false) => Quiet::ButForCritical,
            (true, true) => Quiet::Entirely,
        }
    }

    /// Keeps what was told.
    async fn keep(&mut self) {
        let Some(store) = &self.office.store else { return };
        let kept = store.keep_told_alerts(self.sender.channel().word(), &self.ledger.kept()).await;
        if let Err(error) = &kept
            && !self.is_unkept
        {
            tracing::warn!(%error, "which alerts were told can't be kept: a restart tells them again");
        }
        self.is_unkept = kept.is_err();
    }

    /// Says how an attempt went, to the log and to whoever asks.
    fn note(&self, failure: Option<&Failure>, at: UtcMillis) {
        let channel = self.sender.channel();
        let was_failing = self.office.went(channel, failure, at);
        match failure {
            Some(failure) if !was_failing => {
                tracing::warn!(channel = channel.word(), %failure, "an alert can't be sent; it is tried again");
            }
            None if was_failing => tracing::info!(channel = channel.word(), "alerts are sent again"),
            _ => {}
        }
    }
}

/// Forgets what was told by channels that there aren't any more: set up anew, they are told everything that holds.
pub(super) async fn forget(store: Option<&Store>, channels: impl Iterator<Item = Channel>) {
    let Some(store) = store else { return };
    for channel in channels {
        if let Err(error) = store.keep_told_alerts(channel.word(), &[]).await {
            tracing::warn!(%error, "what was told can't be forgotten");
        }
    }
}
