//! What a miner says about itself.

use crate::{Celsius, TeraHash, UtcMillis, Watts};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name by which a site knows one of its miners: short, stable over address changes, safe in a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MinerId(pub String);

impl fmt::Display for MinerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who a miner is: read at the first contact and again after every loss of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MinerIdentity {
    /// Hardware address in lower case with colons: the key by which a miner is recognised.
    pub mac: Option<String>,
    /// Model as the miner spells it, without underscores ("M30S+VE40").
    pub model: Option<String>,
    /// Firmware name ("20250409.15.REL").
    pub firmware: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Protocol and its version ("V3 3.0.2", "V2 2.0.5").
    pub api: String,
}

/// One reading of a miner. Every value is optional: what a firmware doesn't tell isn't known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MinerReading {
    /// Whether the mining service is switched on, by the miner's own status (`mineroff`, `working`).
    pub service_on: Option<bool>,
    /// Power drawn at the input. Zero only if the miner measured zero.
    pub power: Option<Watts>,
    /// Hash rate now: the shortest average the firmware tells.
    pub hash_rate: Option<TeraHash>,
    /// Hash rate averaged since the mining process started.
    pub hash_rate_average: Option<TeraHash>,
    /// What the factory test measured.
    pub hash_rate_rated: Option<TeraHash>,
    /// Power limit in force. The 0 that firmware tells while the mining process is down is `None`.
    pub power_limit: Option<Watts>,
    /// Power percentage in force, where the firmware tells it or this driver set it since the last start.
    pub power_percent: Option<u8>,
    /// Power this miner is set to, from limit and percentage together; `None` while neither is known.
    pub power_set: Option<Watts>,
    /// The frequency ramp after a start has finished: only then does a percentage act.
    pub ramp_finished: Option<bool>,
    /// Seconds since the mining process started. It falls at every restart.
    pub elapsed_seconds: Option<u64>,
    /// Seconds since the control board booted.
    pub uptime_seconds: Option<u64>,
    /// Air at the inlet.
    pub ambient: Option<Celsius>,
    /// Hottest chip.
    pub chip_max: Option<Celsius>,
    /// Mean over the chips.
    pub chip_average: Option<Celsius>,
    /// Inlet fan, rpm.
    pub fan_in_rpm: Option<u32>,
    /// Outlet fan, rpm.
    pub fan_out_rpm: Option<u32>,
    /// Power mode ("low", "normal", "high").
    pub power_mode: Option<String>,
    /// Whether the miner lets its network API change anything, where it tells.
    pub writes_enabled: Option<bool>,
    /// The miner's own error codes.
    pub errors: Vec<MinerError>,
    /// Mining pools.
    pub pools: Vec<PoolReading>,
    /// How many replies had to be mended before they could be read (broken JSON of known firmware).
    pub repaired_replies: u32,
}

/// One of the miner's own error codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinerError {
    /// The vendor's code.
    pub code: u32,
    /// The miner's own words, or the vendor's text for the code; empty if neither is known.
    pub text: String,
    /// When, in the miner's own local time, as the miner spells it.
    pub at: Option<String>,
}

/// One mining pool as the miner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolReading {
    /// Address with scheme.
    pub url: String,
    /// Worker name.
    pub user: String,
    /// The miner's word for its state, in lower case ("alive", "dead").
    pub status: String,
    /// Work comes from this pool now.
    pub active: bool,
    /// When the last share was sent.
    pub last_share: Option<UtcMillis>,
}
