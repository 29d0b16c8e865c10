//! Devices that were found on the network, before anybody made one of them a miner of the site.

use crate::{TeraHash, Watts};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// What a device is, as far as its own answers tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// MicroBT WhatsMiner.
    WhatsMiner,
    /// A Bitaxe with AxeOS.
    Bitaxe,
    /// NerdAxe, NerdQAxe or NerdOctaxe with NerdOS.
    NerdAxe,
    /// Lucky Miner, a closed relative of AxeOS.
    LuckyMiner,
    /// BitForge Nano with ForgeOS.
    BitForge,
    /// A miner that was seen and isn't supported, with the name of its maker or firmware ("Antminer").
    #[serde(rename = "other")]
    OtherMiner(String),
    /// Something listens where miners do, and what it says is none that is known here.
    Unknown,
}

/// One device as a scan found it. A device that has two addresses is found twice, with the same hardware address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundDevice {
    /// Where it answers.
    pub address: Ipv4Addr,
    /// The TCP ports that were found open, rising.
    pub ports: Vec<u16>,
    /// What it is.
    pub kind: DeviceKind,
    /// Model as the device tells it ("M60SVK30", "Gamma 601").
    pub model: Option<String>,
    /// Hardware address in lower case with colons: by this a device is known again. Some firmware tells none.
    pub mac: Option<String>,
    /// Firmware name or version.
    pub firmware: Option<String>,
    /// Hash rate now, where the answers that told what it is told this too.
    pub hash_rate: Option<TeraHash>,
    /// Power drawn now, where these answers told it.
    pub power: Option<Watts>,
    /// How it was recognised, in words for a person.
    pub evidence: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_words_on_the_wire() {
        let told = |kind: DeviceKind| serde_json::to_string(&kind).unwrap();
        assert_eq!(told(DeviceKind::WhatsMiner), r#""whatsminer""#);
        assert_eq!(told(DeviceKind::NerdAxe), r#""nerdaxe""#);
        assert_eq!(told(DeviceKind::OtherMiner("Avalon".into())), r#"{"other":"Avalon"}"#);
        for kind in [DeviceKind::LuckyMiner, DeviceKind::OtherMiner("x".into()), DeviceKind::Unknown] {
            assert_eq!(serde_json::from_str::<DeviceKind>(&told(kind.clone())).unwrap(), kind);
        }
    }
}
