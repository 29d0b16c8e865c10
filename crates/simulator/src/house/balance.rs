//! Who supplies whom at one instant: sun before battery before grid. Arithmetic only.

use super::Grid;

/// What the sun offers, what the house asks for, and what battery and inverter can do, all in W.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// Direct current that the panels could give.
    pub(super) pv: f64,
    /// Alternating current that the house wants.
    pub(super) load: f64,
    /// Most that the battery takes now.
    pub(super) charge_limit: f64,
    /// Most that the battery gives now.
    pub(super) discharge_limit: f64,
    /// Share of the direct current that the inverter turns into alternating current.
    pub(super) inverter_efficiency: f64,
    /// What the inverter needs for itself, from the direct current.
    pub(super) inverter_idle: f64,
    /// What there is beyond the meter.
    pub(super) grid: Grid,
}

/// The powers that come of it, W. `pv + import + discharge = load + export + charge + losses`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Flows {
    /// What the panels give.
    pub(super) pv: f64,
    /// What they could give and aren't asked for.
    pub(super) curtailed: f64,
    /// What is consumed.
    pub(super) load: f64,
    /// What would be consumed if there were enough.
    pub(super) unserved: f64,
    /// At the battery's terminals, + = charging.
    pub(super) battery: f64,
    /// + = import.
    pub(super) grid: f64,
    /// What the inverter turns into heat.
    pub(super) losses: f64,
}

impl Offer {
    /// Settles who supplies whom.
    pub(super) fn settle(self) -> Flows {
        let wanted = self.load / self.inverter_efficiency + self.inverter_idle;
        let surplus = self.pv - wanted;
        let mut flows = Flows { pv: self.pv, load: self.load, ..Flows::default() };
        if surplus >= 0.0 {
            flows.battery = surplus.min(self.charge_limit);
            let left = surplus - flows.battery;
            match self.grid {
                Grid::Export => flows.grid = -left * self.inverter_efficiency,
                Grid::OffGrid => {
                    flows.pv -= left;
                    flows.curtailed = left;
                }
            }
        } else {
            flows.battery = surplus.max(-self.discharge_limit);
            // What isn't there as direct current needn't be inverted either.
            let missing = (flows.battery - surplus) * self.inverter_efficiency;
            match self.grid {
                Grid::Export => flows.grid = missing,
                Grid::OffGrid => {
                    flows.unserved = missing.min(self.load);
                    flows.load -= flows.unserved;
                }
            }
        }
        flows.losses = flows.pv + flows.grid - flows.battery - flows.load;
        flows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn any_offer()(
            pv in 0.0..20_000.0_f64, load in 0.0..20_000.0_f64, charge_limit in 0.0..10_000.0_f64,
            discharge_limit in 0.0..10_000.0_f64, inverter_efficiency in 0.5..=1.0_f64,
            inverter_idle in 0.0..200.0_f64, off_grid: bool,
        ) -> Offer {
            let grid = if off_grid { Grid::OffGrid } else { Grid::Export };
            Offer { pv, load, charge_limit, discharge_limit, inverter_efficiency, inverter_idle, grid }
        }
    }

    proptest! {
        #[test]
        fn nothing_comes_from_nowhere(offer in any_offer()) {
            let flows = offer.settle();
            prop_assert!(flows.battery <= offer.charge_limit && -flows.battery <= offer.discharge_limit);
            prop_assert!((flows.pv + flows.curtailed - offer.pv).abs() < 1e-6);
            prop_assert!((flows.load + flows.unserved - offer.load).abs() < 1e-6);
            prop_assert!(flows.pv >= -1e-6 && flows.load >= 0.0);
            // In a blackout the inverter starves as well: it then has less than its idle power to lose.
            let at_least = if flows.unserved > 0.0 || offer.pv + offer.discharge_limit < offer.inverter_idle { 0.0 } else { offer.inverter_idle * offer.inverter_efficiency };
            prop_assert!(flows.losses >= at_least - 1e-6, "{flows:?}");
            if matches!(offer.grid, Grid::OffGrid) {
                prop_assert!(flows.grid.abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_sun_serves_the_house_before_the_battery_before_the_grid() {
        let offer = Offer {
            pv: 10_000.0,
            load: 1900.0,
            charge_limit: 5000.0,
            discharge_limit: 4000.0,
            inverter_efficiency: 0.95,
            inverter_idle: 0.0,
            grid: Grid::Export,
        };
        let day = offer.settle();
        assert!((day.battery - 5000.0).abs() < 1e-9);
        assert!((day.grid + 2850.0).abs() < 1e-9, "0.95 × (10000 − 2000 − 5000) is exported");

        let night = Offer { pv: 0.0, load: 5700.0, ..offer }.settle();
        assert!((night.battery + 4000.0).abs() < 1e-9);
        assert!((night.grid - 1900.0).abs() < 1e-9, "4000 W make 3800 W; the grid adds the rest");

        let blackout = Offer { pv: 0.0, load: 5700.0, grid: Grid::OffGrid, ..offer }.settle();
        assert!((blackout.unserved - 1900.0).abs() < 1e-9);
    }
}
