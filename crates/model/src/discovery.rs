//! What a search of the network found.

use crate::{MinerId, MinerIdentity, TeraHash, Watts};
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
    /// A miner of another maker, or with another's firmware: seen, not supported.
    OtherMiner {
        /// The maker, or the firmware where that is another's ("Braiins OS").
        maker: String,
        /// The model, where it tells one.
        model: Option<String>,
    },
    /// It holds a miner's port open, and says nothing that is known.
    Unknown,
}

/// A device as a search found it. One that has two addresses is found twice, with the same hardware address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundDevice {
    /// Where.
    pub address: Ipv4Addr,
    /// The TCP ports that were open, of those that were tried, rising.
    pub ports: Vec<u16>,
    /// What it is.
    pub kind: DeviceKind,
    /// Who it is, where it says so. The hardware address is what it is recognised by.
    pub identity: Option<MinerIdentity>,
    /// Its hash rate then, where the answers that told who it is told this too.
    pub hash_rate: Option<TeraHash>,
    /// Its power then, likewise.
    pub power: Option<Watts>,
    /// How it was recognised, in plain words.
    pub evidence: String,
}

/// A miner that doesn't answer where it is known to be, and was found elsewhere by its hardware address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub miner: MinerId,
    /// Where it was found.
    pub to: Ipv4Addr,
}
