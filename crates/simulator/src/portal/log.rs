//! What the portal was asked, for whoever checks a client: never a password, never a cookie.

use model::UtcMillis;
use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How many requests are remembered; the oldest goes when one more comes.
const MOST_ENTRIES: usize = 10_000;

/// One request as it came, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortalRequest {
    /// When it came, in simulated time.
    pub at: UtcMillis,
    /// "POST".
    pub method: String,
    /// "/WManage/api/login".
    pub path: String,
    /// The form's `serialNum`, where it has one.
    pub serial: Option<String>,
    /// Whether it came with a session that held.
    pub session: bool,
    /// For an attempt to sign in: whether it succeeded.
    pub login: Option<bool>,
    /// The status it was answered with; `None` if it wasn't.
    pub status: Option<u16>,
}

/// How often what was asked since the log was cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PortalCounts {
    /// All requests.
    pub requests: u64,
    /// Sign-ins that succeeded.
    pub logins: u64,
    /// Sign-ins that were refused.
    pub logins_refused: u64,
    /// Requests for data without a session that held.
    pub without_session: u64,
}

/// The requests so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    kept: Mutex<Kept>,
    grown: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<PortalRequest>,
    counts: PortalCounts,
}

impl Log {
    pub(super) fn push(&self, request: PortalRequest) {
        let mut kept = self.lock();
        kept.counts.requests += 1;
        match request.login {
            Some(true) => kept.counts.logins += 1,
            Some(false) => kept.counts.logins_refused += 1,
            None if !request.session => kept.counts.without_session += 1,
            None => {}
        }
        if kept.entries.len() >= MOST_ENTRIES {
            kept.entries.pop_front();
        }
        kept.entries.push_back(request);
        drop(kept);
        self.grown.notify_waiters();
    }

    pub(super) fn entries(&self) -> Vec<PortalRequest> {
        self.lock().entries.iter().cloned().collect()
    }

    pub(super) fn counts(&self) -> PortalCounts {
        self.lock().counts
    }

    pub(super) fn clear(&self) {
        *self.lock() = Kept::default();
    }

    /// Waits for a request that is wanted; one that is in the log already counts.
    pub(super) async fn received(&self, wanted: impl Fn(&PortalRequest) -> bool) -> PortalRequest {
        loop {
            let grown = self.grown.notified();
            let found = self.lock().entries.iter().find(|entry| wanted(entry)).cloned();
            match found {
                Some(request) => return request,
                None => grown.await,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
