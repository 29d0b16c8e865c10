//! What a simulated device does in truth, as opposed to what it says.

use model::UtcMillis;
use serde::{Deserialize, Serialize};

/// What the device is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The board restarts: nothing answers on the network.
    Rebooting,
    /// It answers and connects to its pool; the chips are still off.
    Booting,
    /// Core voltage on, chips being set up.
    Waking,
    /// The clock rises.
    RampingUp,
    /// At its set frequency.
    Mining,
    /// The clock falls.
    RampingDown,
    /// Core voltage off, chips held in reset.
    Settling,
    /// The chips are off.
    Stopped,
}

/// What the device does at one instant, free of noise and of every lie that its firmware tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AxeosTruth {
    /// The simulated instant.
    pub at: UtcMillis,
    /// What it is doing.
    pub phase: Phase,
    /// It has been paused, and not resumed nor restarted since.
    pub paused: bool,
    /// It has been shut down (NerdOS), and not restarted since.
    pub shutdown: bool,
    /// It stopped because it was too hot, and hasn't recovered.
    pub overheated: bool,
    /// A fault of its regulator keeps it off until it restarts.
    pub tripped: bool,
    /// Power at the input, W.
    pub watts: f64,
    /// Hash rate, TH/s.
    pub hashrate_ths: f64,
    /// Set frequency, MHz.
    pub frequency_mhz: f64,
    /// Set core voltage, mV.
    pub core_voltage_mv: f64,
    /// Time since the board booted, s.
    pub uptime_seconds: u64,
    /// How often it has restarted.
    pub reboots: u64,
    /// Energy drawn since the simulation of this device began, Wh.
    pub energy_watt_hours: f64,
}

/// Something that happens to a device without anybody asking for it over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forced {
    /// It mines at its set frequency, every ramp over.
    Mining,
    /// It has been paused (NerdOS: shut down), every ramp over; firmware that can't be paused stands as still.
    Stopped,
    /// It gets too hot, and does what its firmware does then.
    Overheats,
    /// It restarts: whatever was paused mines again afterwards.
    Reboots,
}
