//! The record of what a device was asked and how it reacted: what tests look at.

use model::UtcMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Requests that are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 20_000;
/// Longest command name and longest text of parameters that are kept, bytes.
const LONGEST_COMMAND: usize = 128;
const LONGEST_PARAMS: usize = 4096;

/// The protocol of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP 4028.
    V2,
    /// TCP 4433.
    V3,
}

/// Whether a write takes effect on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A read, a refused write, or a write that a fault swallowed.
    Nothing,
    /// At once.
    Applied,
    /// Later: a fault delays it.
    Delayed,
}

/// What a device decided to answer. The transport may still spoil it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A reply with this code: V2's 131, 134, 14, 23, 45 …, V3's 0, −1 … −4. Mining reads in cgminer's envelope tell its
    /// codes (7, 9, 11, 69, 70), joined reads 0.
    Code(i64),
    /// Text that isn't JSON: the mining process is down.
    Text,
    /// Nothing: the connection is closed or held open.
    NoReply,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Counts the requests from 1; it isn't reset.
    pub number: u64,
    /// The simulated instant.
    pub at: UtcMillis,
    /// The protocol.
    pub protocol: Protocol,
    /// The command; empty if the request had none that could be read.
    pub command: String,
    /// Its parameters, decrypted, without credentials. `null` if there were none, or too much of them to keep.
    pub params: Value,
    /// The request was encrypted (V2) or carried a token (V3).
    pub privileged: bool,
    /// The command would change something.
    pub write: bool,
    /// Whether it did.
    pub effect: Effect,
    /// What was decided to answer.
    pub answer: Answer,
}

/// What is known of a request before it is numbered.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) protocol: Protocol,
    pub(super) command: String,
    pub(super) params: Value,
    pub(super) privileged: bool,
    pub(super) write: bool,
    pub(super) effect: Effect,
    pub(super) answer: Answer,
}

/// The last requests in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<Received>,
    count: u64,
}

impl Log {
    pub(super) fn push(&mut self, at: UtcMillis, entry: Entry) {
        let Entry { protocol, mut command, params, privileged, write, effect, answer } = entry;
        while command.len() > LONGEST_COMMAND {
            command.pop();
        }
        let params = if params.to_string().len() > LONGEST_PARAMS { Value::Null } else { params };
        self.count += 1;
        if self.entries.len() >= REMEMBERED {
            self.entries.pop_front();
        }
        let number = self.count;
        let received = Received { number, at, protocol, command, params, privileged, write, effect, answer };
        self.entries.push_back(received);
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Received> {
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

/// A V2 request's members without the command and the credentials; `null` if nothing is left.
pub(super) fn parameters(request: &Map<String, Value>) -> Value {
    const NO_PARAMETERS: [&str; 7] = ["cmd", "command", "token", "enc", "data", "old", "new"];
    let params: Map<String, Value> = request
        .iter()
        .filter(|(key, _)| !NO_PARAMETERS.contains(&key.as_str()) && !key.starts_with("passwd"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if params.is_empty() { Value::Null } else { Value::Object(params) }
}
