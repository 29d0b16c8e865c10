//! What a search of the network found.

use crate::{MinerIdentity, TeraHash, Watts};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A kind of device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A WhatsMiner.
    Whatsminer,
    /// A Bitaxe, or another one whose firmware is AxeOS or descends from it.
    Axeos,
    /// A miner of another maker, by its name: seen, not supported.
    OtherMiner(String),
    /// It holds a miner's port open, and says nothing that is known.
    Unknown,
}

/// A device that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundDevice {
    /// Where.
    pub address: Ipv4Addr,
    /// The ports that were open, of those that were tried.
    pub ports: Vec<u16>,
    /// What it is.
    pub kind: DeviceKind,
    /// Who it is, where it says so. The hardware address is what it is recognised by.
    pub identity: Option<MinerIdentity>,
    /// Its hash rate then.
    pub hash_rate: Option<TeraHash>,
    /// Its power then.
    pub power: Option<Watts>,
    /// How it was recognised, in plain words.
    pub evidence: String,
}
