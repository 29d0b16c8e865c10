//! One deadline for all the steps of a call, so that no sum of small waits can exceed it.

use crate::DeviceError;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// The moment at which a call gives up, in real time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    whole: Duration,
}

impl Deadline {
    /// From this moment on.
    pub(crate) fn after(whole: Duration) -> Self {
        Self { at: sleep(whole).deadline(), whole }
    }

    /// The same, or `within` from this moment on, whichever comes first.
    pub(crate) fn sooner(self, within: Duration) -> Self {
        let other = Self::after(within);
        if other.at < self.at { other } else { self }
    }

    /// The same, or half of the whole from this moment on, so that some time is left for another step.
    pub(crate) fn half(self) -> Self {
        self.sooner(self.whole / 2)
    }

    /// Waits for `step`, which is dropped when the deadline passes.
    pub(crate) async fn limit<F: Future>(
        self,
        doing: &'static str,
        step: F,
    ) -> Result<F::Output, DeviceError> {
        timeout_at(self.at, step).await.map_err(|_| DeviceError::TimedOut { doing, deadline: self.whole })
    }
}
