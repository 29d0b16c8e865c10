//! A house with its sun, battery, miners and portal, simulated behind the real protocols and real sockets.
//!
//! It shares no code with the clients it is spoken to by: what both sides understand, they understand by the
//! protocol. Simulated time is a [`TimeSource`]; nothing in here decides how fast it runs. Physics advance lazily:
//! whoever looks at the world first brings it up to now.

use model::{UtcMillis, Watts};
use std::sync::Arc;

pub mod axeos;
pub mod catalogue;
pub mod house;
pub mod miner;
pub mod network;
mod port;
pub mod portal;
pub mod program;
pub mod time;

/// Tells the simulated instant.
pub type TimeSource = Arc<dyn Fn() -> UtcMillis + Send + Sync>;

/// Something in the house that draws power.
pub trait Consumer: Send + Sync {
    /// Brings this consumer up to `now` and tells what it draws then.
    fn power_at(&self, now: UtcMillis) -> Watts;
}
