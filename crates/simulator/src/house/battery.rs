//! The battery bank: what its BMS allows, what charging and discharging do to it, and its voltage. It knows neither
//! the house nor the time.

/// The state of charge above which the BMS takes less and less current, percent.
const TAPER_FROM: f64 = 95.0;
/// What is left of the charge limit when the bank is full: enough to get there.
const TAPER_TO: f64 = 0.05;
/// State of charge and resting voltage of 16 LFP cells in series, from the flat curve that their data sheets show.
const RESTING_VOLTS: [(f64, f64); 9] = [
    (0.0, 46.4),
    (5.0, 49.6),
    (10.0, 51.0),
    (20.0, 51.8),
    (40.0, 52.5),
    (70.0, 53.2),
    (90.0, 53.4),
    (97.0, 53.9),
    (100.0, 55.2),
];
/// What the terminals lose per watt and watt-hour of capacity: about 1.3 V at a rate of one capacity per hour.
const VOLTS_PER_RATE: f64 = 1.3;

/// What doesn't change about a bank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bank {
    /// Usable energy between 0 and 100 %, Wh.
    pub(super) capacity_wh: f64,
    /// Most it takes under [`TAPER_FROM`], W at the terminals.
    pub(super) max_charge: f64,
    /// Most it gives, W at the terminals.
    pub(super) max_discharge: f64,
    /// Share of the power at the terminals that is stored, 0 ..= 1.
    pub(super) charge_efficiency: f64,
    /// Share of the stored power that reaches the terminals, 0 ..= 1.
    pub(super) discharge_efficiency: f64,
    /// State of charge at which it stops giving, percent.
    pub(super) floor_percent: f64,
}

impl Bank {
    /// What the BMS lets in at this state of charge, W.
    pub(super) fn charge_limit(&self, soc: f64) -> f64 {
        let into_taper = ((soc - TAPER_FROM) / (100.0 - TAPER_FROM)).clamp(0.0, 1.0);
        if soc >= 100.0 { 0.0 } else { self.max_charge * (1.0 - into_taper * (1.0 - TAPER_TO)) }
    }

    /// What the BMS lets out at this state of charge, W.
    pub(super) fn discharge_limit(&self, soc: f64) -> f64 {
        if soc <= self.floor_percent { 0.0 } else { self.max_discharge }
    }

    /// The most power that fits in `hours` before it is full, W.
    pub(super) fn room(&self, soc: f64, hours: f64) -> f64 {
        (100.0 - soc).max(0.0) / 100.0 * self.capacity_wh / self.charge_efficiency / hours
    }

    /// The most power that it can give for `hours` before it reaches its floor, W.
    pub(super) fn reserve(&self, soc: f64, hours: f64) -> f64 {
        (soc - self.floor_percent).max(0.0) / 100.0 * self.capacity_wh * self.discharge_efficiency / hours
    }

    /// What the store gains per second of `power` at the terminals (+ = charging), W.
    pub(super) fn stored(&self, power: f64) -> f64 {
        if power >= 0.0 { power * self.charge_efficiency } else { power / self.discharge_efficiency }
    }

    /// The state of charge after `power` (+ = charging) has flowed for `hours`.
    pub(super) fn after(&self, soc: f64, power: f64, hours: f64) -> f64 {
        (soc + self.stored(power) * hours / self.capacity_wh * 100.0).clamp(0.0, 100.0)
    }

    /// Volts at the terminals with `power` (+ = charging) flowing.
    pub(super) fn voltage(&self, soc: f64, power: f64) -> f64 {
        let resting = RESTING_VOLTS
            .windows(2)
            .find_map(|pair| match pair {
                &[(from, low), (to, high)] if soc <= to => {
                    Some(low + (high - low) * (soc - from) / (to - from))
                }
                _ => None,
            })
            .unwrap_or(55.2);
        resting + VOLTS_PER_RATE * power / self.capacity_wh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BANK: Bank = Bank {
        capacity_wh: 10_000.0,
        max_charge: 5000.0,
        max_discharge: 6000.0,
        charge_efficiency: 0.9,
        discharge_efficiency: 0.8,
        floor_percent: 10.0,
    };

    #[test]
    fn the_bms_takes_less_above_95_percent() {
        let limits: Vec<f64> = [50.0, 95.0, 97.5, 99.9, 100.0].map(|soc| BANK.charge_limit(soc)).to_vec();
        assert!((limits[0] - 5000.0).abs() < 1e-9 && (limits[1] - 5000.0).abs() < 1e-9);
        assert!((limits[2] - 2625.0).abs() < 1e-9, "half-way from 5000 to 250");
        assert!(limits[3] > 0.0 && limits[3] < 400.0);
        assert!(limits[4].abs() < 1e-9);
    }

    #[test]
    fn losses_are_paid_both_ways() {
        assert!((BANK.after(50.0, 1000.0, 1.0) - 59.0).abs() < 1e-9);
        assert!((BANK.after(50.0, -800.0, 1.0) - 40.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn what_fits_never_overfills(soc in 0.0..=100.0_f64, hours in 0.001..2.0_f64) {
            let full = BANK.after(soc, BANK.room(soc, hours), hours);
            prop_assert!((full - 100.0).abs() < 1e-6);
            let empty = BANK.after(soc, -BANK.reserve(soc, hours), hours);
            prop_assert!((empty - soc.min(10.0)).abs() < 1e-6);
        }

        #[test]
        fn voltage_rises_with_the_charge(soc in 0.0..99.0_f64) {
            let volts = BANK.voltage(soc, 0.0);
            prop_assert!((46.0..56.0).contains(&volts));
            prop_assert!(BANK.voltage(soc + 1.0, 0.0) >= volts);
            prop_assert!(BANK.voltage(soc, -3000.0) < volts);
        }
    }
}
