//! The demo house's switches: how its time runs, and what is wrong with it.

use crate::Soc;
use serde::{Deserialize, Serialize};

/// How the demo house is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemoState {
    /// How many times as fast as ours its time runs; 0 is paused.
    pub pace: f64,
    /// A jump is still being lived through.
    pub catching_up: bool,
    /// What is wrong.
    pub faults: Vec<DemoFault>,
    /// Where everything else about the simulation can be set, by HTTP.
    pub control_api: String,
}

/// Something that can be wrong with the demo house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoFault {
    /// Thick clouds.
    Clouds,
    /// The portal goes on serving its last data, and nothing says so.
    PortalFrozen,
    /// The portal answers 503.
    PortalDown,
    /// The miner acknowledges every command and does nothing.
    MinerIgnores,
    /// The miner refuses every connection.
    MinerUnreachable,
}

impl DemoFault {
    /// Every fault, in the order in which a page shows them.
    pub const ALL: [Self; 5] =
        [Self::Clouds, Self::PortalFrozen, Self::PortalDown, Self::MinerIgnores, Self::MinerUnreachable];
}

/// A change of the demo house.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoChange {
    /// Let time run so many times as fast as ours; 0 pauses it.
    Pace(f64),
    /// Live through so many seconds as fast as the machine can.
    Jump(u32),
    /// Set the battery's charge, once; the portal is told at once.
    Charge(Soc),
    /// Switch a fault on or off.
    Fault {
        /// Which.
        fault: DemoFault,
        /// On or off.
        on: bool,
    },
    /// Nothing is wrong any more.
    Heal,
}
