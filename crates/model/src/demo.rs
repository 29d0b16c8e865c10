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
    /// The names of what is wrong.
    pub faults: Vec<String>,
    /// Where everything else about the simulation can be set, by HTTP.
    pub control_api: String,
    /// Everything that can be wrong. It stays the same, and events go without it.
    #[serde(skip)]
    pub catalogue: Vec<DemoFault>,
}

/// Something that can be wrong with the demo house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoFault {
    /// Its name on the wire.
    pub name: &'static str,
    /// What happens, for people.
    pub sentence: &'static str,
}

/// A change of the demo house.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        /// Its name.
        fault: String,
        /// On or off.
        on: bool,
    },
    /// Nothing is wrong any more.
    Heal,
}
