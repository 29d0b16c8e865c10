//! EG4 (and LuxPower) inverters as a source of battery readings.
//!
//! What it owns: the manufacturer's monitoring portal ([`Portal`]), and how the readings of several inverters
//! become one reading of the house's battery (`bank`). A client of the inverter's dongle or of its Modbus port
//! would be a sibling of `portal`, feeding the same `bank`. What it must not do: judge whether a state of
//! charge is possible or fresh enough. That is the law's business, and needs the value as the source gave it.
//!
//! The portal's interface is undocumented. What is written here was learnt in the field and from open clients
//! of it (pylxpweb, eg4_web_monitor, lux-mon, homebridge-eg4).

mod bank;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod portal;

pub use portal::{Portal, PortalConfig};
