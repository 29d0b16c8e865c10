//! A command on its way: sent, acknowledged, observed. A reply is not an effect.

use crate::{Command, MinerId, Reason, UtcMillis};
use serde::{Deserialize, Serialize};

/// Number of an operation, rising over the life of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub u64);

/// How a driver carried a command out: how long the miner needs to settle depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The mining service was stopped.
    Stop,
    /// The mining service was started: a full ramp.
    Start,
    /// The power limit was written: the mining process restarts, then a full ramp.
    Limit,
    /// The power percentage was written: no restart.
    Percent,
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStage {
    /// Waiting for the miner's actor.
    Queued,
    /// Bytes are on their way, or no answer came: the effect is unknown.
    Sent,
    /// The miner said yes.
    Acknowledged,
    /// Later readings show the effect.
    Observed,
    /// Refused, not deliverable, or without effect in its time.
    Failed,
    /// A newer command took its place before it could be seen to work.
    Superseded,
}

/// One command to one miner and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its number.
    pub id: OperationId,
    /// The miner it is for.
    pub miner: MinerId,
    /// What was asked.
    pub command: Command,
    /// Why.
    pub reason: Reason,
    /// How far it has come.
    pub stage: OperationStage,
    /// How it was carried out, once the driver knows.
    pub means: Option<Means>,
    /// When the law decided on it.
    pub decided_at: UtcMillis,
    /// When the first byte could have left.
    pub sent_at: Option<UtcMillis>,
    /// When the miner acknowledged it.
    pub acknowledged_at: Option<UtcMillis>,
    /// When its effect was seen, or when it failed.
    pub ended_at: Option<UtcMillis>,
    /// The miner's own words, or what went wrong.
    pub words: Option<String>,
}
