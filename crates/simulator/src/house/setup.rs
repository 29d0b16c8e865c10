//! What a house is like: the numbers that don't change while it is simulated, and their limits.

use super::battery::Bank;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A house. Every field has a default: a 12 kW roof and a 30 kWh battery in the high desert of New Mexico.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HouseSetup {
    /// Degrees, positive in the north, −90 ..= 90.
    pub latitude: f64,
    /// Degrees, positive in the east, −180 ..= 180.
    pub longitude: f64,
    /// IANA zone of the wall clock, "America/Denver".
    pub timezone: String,
    /// What the solar panels give under 1000 W/m², W, 0 ..= 1 000 000.
    pub pv_peak_watts: f64,
    /// How far the panels are tilted towards the equator, degrees, 0 ..= 90.
    pub panel_tilt: f64,
    /// Usable energy of the battery from 0 to 100 %, Wh, 100 ..= 10 000 000.
    pub battery_wh: f64,
    /// State of charge at the start, percent, 0 ..= 100.
    pub initial_soc: f64,
    /// Most the battery takes, W at its terminals, 0 ..= 1 000 000. It takes less above 95 %.
    pub max_charge_watts: f64,
    /// Most the battery gives, W at its terminals, 0 ..= 1 000 000.
    pub max_discharge_watts: f64,
    /// Share of what reaches the terminals that is stored, 0.5 ..= 1.
    pub charge_efficiency: f64,
    /// Share of what is taken from the store that reaches the terminals, 0.5 ..= 1.
    pub discharge_efficiency: f64,
    /// State of charge at which the inverter stops discharging, percent, 0 ..= 100.
    pub discharge_floor_percent: f64,
    /// Share of the direct current that leaves the inverter as alternating current, 0.5 ..= 1.
    pub inverter_efficiency: f64,
    /// What the inverter needs for itself, W, 0 ..= 1000.
    pub inverter_idle_watts: f64,
    /// What the house consumes without its miners.
    pub load: LoadProfile,
    /// What stands between the sun and the roof.
    pub clouds: Clouds,
    /// What there is beyond the meter.
    pub grid: Grid,
    /// Makes two houses with the same numbers differ in clouds and load, and one house repeatable.
    pub seed: u64,
}

impl Default for HouseSetup {
    fn default() -> Self {
        Self {
            latitude: 35.08,
            longitude: -106.65,
            timezone: "America/Denver".to_owned(),
            pv_peak_watts: 12_000.0,
            panel_tilt: 25.0,
            battery_wh: 30_000.0,
            initial_soc: 62.0,
            max_charge_watts: 10_000.0,
            max_discharge_watts: 10_000.0,
            charge_efficiency: 0.98,
            discharge_efficiency: 0.98,
            discharge_floor_percent: 5.0,
            inverter_efficiency: 0.95,
            inverter_idle_watts: 60.0,
            load: LoadProfile::default(),
            clouds: Clouds::default(),
            grid: Grid::default(),
            seed: 1,
        }
    }
}

/// What the house consumes without its miners, over the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadProfile {
    /// W at each full hour of the wall clock, midnight first, each 0 ..= 1 000 000; straight lines between them.
    pub hourly_watts: [f64; 24],
    /// How far it strays from these at random, as a share of them, 0 ..= 1.
    pub variation: f64,
}

impl Default for LoadProfile {
    /// A family's day of about 17 kWh: up at six, cooking in the evening.
    fn default() -> Self {
        Self {
            hourly_watts: [
                380.0, 340.0, 320.0, 320.0, 330.0, 420.0, 820.0, 1100.0, 900.0, 650.0, 560.0, 580.0, 700.0,
                640.0, 590.0, 620.0, 780.0, 1250.0, 1600.0, 1450.0, 1150.0, 850.0, 600.0, 450.0,
            ],
            variation: 0.3,
        }
    }
}

/// Clouds: a mean, and how much they come and go around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clouds {
    /// Mean share of the sky that is covered, 0 ..= 1.
    pub cover: f64,
    /// How far the cover strays from the mean, 0 ..= 1.
    pub variability: f64,
}

impl Default for Clouds {
    /// A few clouds now and then.
    fn default() -> Self {
        Self { cover: 0.3, variability: 0.6 }
    }
}

/// What there is beyond the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grid {
    /// A grid that gives what is missing and takes what is left over.
    #[default]
    Export,
    /// None: what is left over isn't produced, what is missing isn't consumed.
    OffGrid,
}

/// A setup that can't be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {expected}")]
pub struct InvalidSetup {
    /// The field, with dots where it is inside another.
    pub field: String,
    /// What would be right.
    pub expected: String,
}

impl InvalidSetup {
    pub(crate) fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: field.into(), expected: expected.into() }
    }

    /// Refuses a number outside `from ..= to`.
    pub(crate) fn unless_within(field: &str, value: f64, from: f64, to: f64) -> Result<(), Self> {
        if (from..=to).contains(&value) {
            Ok(())
        } else {
            Err(Self::new(field, format!("a number from {from} to {to}")))
        }
    }
}

impl HouseSetup {
    /// Checks every number against its limits; the wall clock's zone if all is well.
    pub fn check(&self) -> Result<Tz, InvalidSetup> {
        const MEGAWATT: f64 = 1_000_000.0;
        for (field, value, from, to) in [
            ("latitude", self.latitude, -90.0, 90.0),
            ("longitude", self.longitude, -180.0, 180.0),
            ("pv_peak_watts", self.pv_peak_watts, 0.0, MEGAWATT),
            ("panel_tilt", self.panel_tilt, 0.0, 90.0),
            ("battery_wh", self.battery_wh, 100.0, 10.0 * MEGAWATT),
            ("initial_soc", self.initial_soc, 0.0, 100.0),
            ("max_charge_watts", self.max_charge_watts, 0.0, MEGAWATT),
            ("max_discharge_watts", self.max_discharge_watts, 0.0, MEGAWATT),
            ("charge_efficiency", self.charge_efficiency, 0.5, 1.0),
            ("discharge_efficiency", self.discharge_efficiency, 0.5, 1.0),
            ("discharge_floor_percent", self.discharge_floor_percent, 0.0, 100.0),
            ("inverter_efficiency", self.inverter_efficiency, 0.5, 1.0),
            ("inverter_idle_watts", self.inverter_idle_watts, 0.0, 1000.0),
            ("load.variation", self.load.variation, 0.0, 1.0),
            ("clouds.cover", self.clouds.cover, 0.0, 1.0),
            ("clouds.variability", self.clouds.variability, 0.0, 1.0),
        ] {
            InvalidSetup::unless_within(field, value, from, to)?;
        }
        for watts in self.load.hourly_watts {
            InvalidSetup::unless_within("load.hourly_watts", watts, 0.0, MEGAWATT)?;
        }
        self.timezone.parse().map_err(|_| InvalidSetup::new("timezone", "an IANA zone like America/Denver"))
    }

    /// The battery bank of this house.
    pub(super) fn bank(&self) -> Bank {
        Bank {
            capacity_wh: self.battery_wh,
            max_charge: self.max_charge_watts,
            max_discharge: self.max_discharge_watts,
            charge_efficiency: self.charge_efficiency,
            discharge_efficiency: self.discharge_efficiency,
            floor_percent: self.discharge_floor_percent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_number_is_named() {
        let bad = HouseSetup { latitude: f64::NAN, ..HouseSetup::default() };
        assert_eq!(bad.check().unwrap_err().field, "latitude");
        let bad = HouseSetup { timezone: "Mars/Olympus".to_owned(), ..HouseSetup::default() };
        assert_eq!(bad.check().unwrap_err().field, "timezone");
        assert!(HouseSetup::default().check().is_ok());
    }
}
