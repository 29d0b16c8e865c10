//! What there is to see of a house at one instant.

use super::balance::Flows;
use model::{UtcMillis, Watts};
use serde::Serialize;

/// A house at one instant: the truth, of which a portal tells a part.
///
/// `pv + grid = load + battery + losses` at every instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HouseState {
    /// The instant.
    pub utc: UtcMillis,
    /// State of charge, 0 ..= 100, with all its decimals.
    pub soc_percent: f64,
    /// Solar production.
    pub pv: Watts,
    /// Solar power that could be produced and isn't: without a grid there is nobody to take it.
    pub curtailed: Watts,
    /// Consumption of the house with its miners.
    pub load: Watts,
    /// What of it the miners draw.
    pub miners: Watts,
    /// Consumption that there is no power for: a house without a grid and with an empty battery.
    pub unserved: Watts,
    /// Power at the battery's terminals, positive = charging.
    pub battery: Watts,
    /// Grid power, positive = import.
    pub grid: Watts,
    /// What the inverter turns into heat.
    pub losses: Watts,
    /// Volts at the battery's terminals.
    pub voltage: f64,
    /// Most that the battery management lets in.
    pub charge_limit: Watts,
    /// Most that the battery management lets out.
    pub discharge_limit: Watts,
    /// Energy since midnight on the wall clock.
    pub today: Energy,
    /// Energy since the simulation began.
    pub total: Energy,
}

/// Energy that has flowed, in Wh. All but [`Energy::stored`] only grow.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Energy {
    /// Produced by the sun.
    pub pv: f64,
    /// Consumed, miners included.
    pub load: f64,
    /// Consumed by the miners.
    pub miners: f64,
    /// From the grid.
    pub import: f64,
    /// To the grid.
    pub export: f64,
    /// Into the battery's terminals.
    pub charge: f64,
    /// Out of the battery's terminals.
    pub discharge: f64,
    /// Turned into heat by the inverter.
    pub losses: f64,
    /// What the battery holds more than at the beginning; what a person set isn't counted.
    pub stored: f64,
}

impl Energy {
    pub(super) fn add(&mut self, flows: &Flows, miners: f64, stored_wh: f64, hours: f64) {
        self.pv += flows.pv * hours;
        self.load += flows.load * hours;
        self.miners += miners * hours;
        self.import += flows.grid.max(0.0) * hours;
        self.export += (-flows.grid).max(0.0) * hours;
        self.charge += flows.battery.max(0.0) * hours;
        self.discharge += (-flows.battery).max(0.0) * hours;
        self.losses += flows.losses * hours;
        self.stored += stored_wh;
    }
}
