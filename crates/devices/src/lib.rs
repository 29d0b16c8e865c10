//! Clients of the devices: one module per protocol.
//!
//! What they own: framing, envelopes, units, authentication, deadlines, and the classification of everything that
//! can go wrong. What they don't: any decision, any clock (the caller says what time it is), any retry of a write
//! whose outcome is unknown.
//!
//! * Every call ends within its deadline ([`Deadlines`]), whatever the device does.
//! * A reply is capped in size; bytes from outside never cause a panic.
//! * A value a device doesn't tell is `None`.
//! * Dropping the future of a call abandons it cleanly: the next call starts anew.

pub mod axeos;
mod deadline;
pub mod discovery;
pub mod eg4;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod lenient;
mod secret;
pub mod whatsminer;

pub use error::DeviceError;
pub use secret::Secret;

use async_trait::async_trait;
use model::{BatteryReading, Means, MinerIdentity, MinerReading, Now, UtcMillis, Watts};
use std::time::Duration;

/// How long a call may take, in real time. A test against a local simulator sets them short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Opening a connection.
    pub connect: Duration,
    /// A whole read, connection included.
    pub read: Duration,
    /// A whole write, connection and authentication included.
    pub write: Duration,
}

impl Default for Deadlines {
    /// What suits a device on the local network: 3, 5 and 10 s.
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), read: Duration::from_secs(5), write: Duration::from_secs(10) }
    }
}

/// What is known about a write once its call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The device said yes. That isn't yet an effect.
    Acked,
    /// No answer came, but the device may have acted: read back, never resend blindly.
    Unknown,
}

/// A write that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Whether the device confirmed it.
    pub outcome: WriteOutcome,
    /// How the command was carried out.
    pub means: Means,
    /// The device's own words, if it had any.
    pub words: Option<String>,
}

/// A miner that can be read and driven. All methods may run side by side; an implementation serialises what its
/// protocol can't do in parallel, but never makes [`Miner::stop`] wait for a read.
#[async_trait]
pub trait Miner: Send + Sync {
    /// Finds out who is there and what it can do. To be called at the first contact and after every loss of it:
    /// the miner may have been replaced or its firmware upgraded.
    async fn identify(&self, now: Now) -> Result<MinerIdentity, DeviceError>;

    /// Reads everything the law and the page need.
    async fn read(&self, now: Now) -> Result<MinerReading, DeviceError>;

    /// Stops mining. Safe to repeat.
    async fn stop(&self, now: Now) -> Result<Written, DeviceError>;

    /// Starts mining so that the miner doesn't draw more than `power` where the firmware allows it: the limit is
    /// written before the start.
    async fn start(&self, power: Watts, now: Now) -> Result<Written, DeviceError>;

    /// Sets the power of the running miner: by percentage where that works without a restart, else by limit.
    async fn set_power(&self, power: Watts, now: Now) -> Result<Written, DeviceError>;

    /// Tests whether the miner would take a write, without changing anything. `Ok(())` means that nothing speaks
    /// against it; the error says
    /// what is missing and what to do about it.
    async fn check_writes(&self, now: Now) -> Result<(), DeviceError>;
}

/// A source of battery readings.
#[async_trait]
pub trait BatterySource: Send + Sync {
    /// One reading over all inverters.
    async fn read(&self, now: Now) -> Result<BatteryReading, DeviceError>;

    /// Signs in anew, whatever the state of the present session.
    async fn refresh_session(&self, now: Now) -> Result<(), DeviceError>;

    /// When the present session began; `None` without one.
    fn session_since(&self) -> Option<UtcMillis>;

    /// The shortest sensible time between two readings.
    fn shortest_poll(&self) -> Duration;
}
