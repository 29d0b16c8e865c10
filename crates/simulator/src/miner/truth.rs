//! What a simulated miner does in truth, as opposed to what it says.

use model::UtcMillis;
use serde::{Deserialize, Serialize};

/// What the machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The mining service is switched off.
    Off,
    /// The mining process has started and doesn't hash yet.
    Booting,
    /// Frequency and power rise.
    Ramping,
    /// The ramp has finished.
    Stable,
    /// The control board restarts: nothing answers on the network.
    BoardRebooting,
    /// It can't hold its set power and restarts again and again.
    CrashLoop,
}

/// What the machine does at one instant, free of noise and of every lie that its protocol tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinerTruth {
    /// The simulated instant.
    pub at: UtcMillis,
    /// What it is doing.
    pub phase: Phase,
    /// The mining service is switched on, whether or not it hashes already.
    pub service_on: bool,
    /// Power at the input, W.
    pub watts: f64,
    /// Power it settles at if nothing changes, W.
    pub target_watts: f64,
    /// Hash rate, TH/s.
    pub hashrate_ths: f64,
    /// Stored power limit as it was set, W; 0 and everything above the rating mean "as rated".
    pub limit_watts: u32,
    /// Percentage of the initial stable power, 0 ..= 100; `None` while none is set.
    pub percent: Option<u8>,
    /// Time since the mining process started, s; 0 while it is down.
    pub elapsed_seconds: u64,
    /// Time since the control board booted, s.
    pub uptime_seconds: u64,
    /// How often the mining process has been started, for whatever reason.
    pub starts: u64,
    /// How many of these starts cut a running process short.
    pub restarts: u64,
    /// Energy drawn since the simulation of this miner began, Wh.
    pub energy_watt_hours: f64,
}

/// A state to put a machine into at once, past every ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forced {
    /// Off and cooled down to idle power.
    Off,
    /// On: a machine that was off begins to boot.
    Running,
    /// On, ramp finished.
    Stable {
        /// The power limit it has settled at, W; 0 is the rated power.
        limit_watts: u32,
    },
}
