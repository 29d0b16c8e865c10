//! What a battery source says, as far as it can be trusted to be what the battery said.

use crate::{Celsius, Soc, UtcMillis, Watts};
use serde::{Deserialize, Serialize};

/// One reading of the house's battery, over all its inverters.
///
/// Every live value is optional: sources leave out what they don't know, and an offline unit leaves out most.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryReading {
    /// When the *battery* said it, in the source's own time: the identity of the reading. Reading the same
    /// snapshot again gives the same time. `None` if the source tells no time: such a reading has no age.
    pub source_time: Option<UtcMillis>,
    /// The source's own clock at the moment of the answer, where it tells one (an HTTP `Date`): what our clock is
    /// compared with.
    pub source_clock: Option<UtcMillis>,
    /// State of charge as the source gave it, whatever it is: the law judges whether it is possible.
    /// `None` if it was missing or wasn't a number.
    pub soc_percent: Option<f64>,
    /// The source itself says that the battery or its uplink is offline; values may be frozen.
    pub lost: bool,
    /// Solar production.
    pub pv: Option<Watts>,
    /// Consumption of the house.
    pub load: Option<Watts>,
    /// Grid power, positive = import.
    pub grid: Option<Watts>,
    /// Battery power, positive = charging.
    pub battery: Option<Watts>,
    /// Pack voltage in volts.
    pub voltage: Option<f64>,
    /// Pack temperature.
    pub temperature: Option<Celsius>,
    /// The inverters this was put together from, in the source's order.
    pub units: Vec<BatteryUnit>,
}

/// One inverter's part of a [`BatteryReading`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryUnit {
    /// Serial number.
    pub serial: String,
    /// Model as the source names it ("18KPV").
    pub model: Option<String>,
    /// State of charge this unit reports, if it is possible at all.
    pub soc: Option<Soc>,
    /// Power of this unit's battery port, positive = charging.
    pub battery: Option<Watts>,
    /// The source says this unit is offline.
    pub lost: bool,
    /// When this unit last reported, in the source's time.
    pub source_time: Option<UtcMillis>,
}
