//! Everything that can be wrong with a simulated device, each at its own switch. Waits of the network are real
//! milliseconds, everything else is simulated time.

use serde::{Deserialize, Serialize};

/// The faults of one device. The default is a healthy one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Nothing listens: connections are refused. Open ones are reset. The device goes on mining.
    pub closed: bool,
    /// Requests that are accepted and never answered, while the device goes on mining.
    pub stall: Stall,
    /// Every request gets 401, as from an address that isn't private.
    pub unauthorized: bool,
    /// Wait before a reply, real ms. Requests behind it wait as well: they are served one after the other.
    pub reply_delay_ms: u64,
    /// The JSON of replies ends after so many bytes.
    pub truncate_bytes: Option<usize>,
    /// What is measured reads `null`.
    pub null_numbers: bool,
    /// Another kind of device answers: a web page at every address.
    pub impostor: bool,
    /// The device has another hardware address: another one of its kind has taken its place.
    pub mac: Option<String>,
    /// The hash rate that is told, GH/s, whatever is true.
    pub hash_rate_ghs: Option<f64>,
    /// The hash rate stands still at what it was and no share is found any more: the device hangs.
    pub flatline: bool,
    /// The regulator reports this fault and the chips go off. Without the fault they stay off until a restart.
    pub power_fault: Option<String>,
    /// Commands that change something are acknowledged and do nothing.
    pub swallow_writes: bool,
    /// Commands that change something are carried out, and the connection ends without an answer.
    pub drop_write_replies: bool,
    /// How long a restart keeps the device off the network, s; `None` is the usual time.
    pub reboot_seconds: Option<u64>,
}

/// Requests that get no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stall {
    /// None.
    #[default]
    Nothing,
    /// GET requests.
    Reads,
    /// All.
    Everything,
}
