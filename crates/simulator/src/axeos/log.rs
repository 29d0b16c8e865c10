//! The record of what a device was asked and how it reacted: what tests look at.

use model::UtcMillis;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Requests that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 10_000;
/// Longest path and body that are kept, bytes.
const LONGEST_TEXT: usize = 1024;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Counts the requests from 1; it isn't reset.
    pub number: u64,
    /// The simulated instant.
    pub at: UtcMillis,
    /// Its method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The header `Origin`, which the device's access filter looks at.
    pub origin: Option<String>,
    /// The header `Connection`.
    pub connection: Option<String>,
    /// Its body as text.
    pub body: String,
    /// The status that was decided; `None` if no answer was sent.
    pub status: Option<u16>,
}

/// The last requests in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Received>,
    count: u64,
}

impl Log {
    /// Remembers a request under the next number.
    pub(super) fn push(&mut self, mut received: Received) {
        self.count += 1;
        received.number = self.count;
        for text in [&mut received.path, &mut received.body] {
            while text.len() > LONGEST_TEXT {
                text.pop();
            }
        }
        if self.entries.len() >= REMEMBERED {
            self.entries.pop_front();
        }
        self.entries.push_back(received);
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Received> {
        self.entries.iter()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// The number of the last request.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
