//! The firmware versions that are simulated, and the boards that run them.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A board with its firmware. It decides which endpoints exist, and names and types of every field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Profile {
    /// Bitaxe Ultra 205 of early 2025: measures its input, tells its chips, can't be paused.
    #[serde(rename = "ultra-2.4.5")]
    Ultra245,
    /// Bitaxe Supra 401 with the same firmware.
    #[serde(rename = "supra-2.4.5")]
    Supra245,
    /// Bitaxe Gamma 601 of summer 2025: no word of its chips but in `/asic`, best difficulties still as text.
    #[serde(rename = "gamma-2.9.0")]
    Gamma29,
    /// Bitaxe Gamma 601 of December 2025: averages of the hash rate, numbers for difficulties, can't be paused.
    #[serde(rename = "gamma-2.12.2")]
    Gamma212,
    /// Bitaxe Gamma 601 of August 2026: can be paused and resumed.
    #[serde(rename = "gamma-2.15.0")]
    Gamma215,
    /// Bitaxe Ultra 205 with the same firmware: it measures its input, so that it tells what it draws while paused.
    #[serde(rename = "ultra-2.15.0")]
    Ultra215,
    /// NerdQAxe++ with NerdOS: four chips, measures its input, can be shut down and comes back by a restart only.
    #[serde(rename = "nerdqaxe++-1.1")]
    NerdQaxe11,
}

/// How a board learns its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensor {
    /// At the input, so that what it tells is what it draws.
    Input,
    /// At the core regulator's output, and a fixed number of watts for everything else is added.
    Core,
}

/// What is printed on the board and compiled into its firmware.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plate {
    pub(super) version: &'static str,
    /// Family, or a fork's own name of the model.
    pub(super) family: &'static str,
    pub(super) board: &'static str,
    pub(super) asic: &'static str,
    pub(super) chips: u32,
    /// Small cores of one chip: each hashes once a cycle.
    pub(super) cores: u32,
    /// MHz and mV as delivered.
    pub(super) frequency: f64,
    pub(super) core_voltage: f64,
    /// W.
    pub(super) max_power: f64,
    /// V.
    pub(super) nominal_voltage: f64,
    pub(super) sensor: Sensor,
    /// What everything but the cores draws while they are on, W; a core sensor adds it at any time.
    pub(super) offset_watts: f64,
    /// What the board draws while the cores are off, W.
    pub(super) idle_watts: f64,
    /// Power of the cores in W per MHz and V².
    pub(super) watts_per_mhz_v2: f64,
    /// Whether the chip's sensor is dead while the chip is off.
    pub(super) blind_when_off: bool,
}

const GAMMA: Plate = Plate {
    version: "v2.15.0",
    family: "Gamma",
    board: "601",
    asic: "BM1370",
    chips: 1,
    cores: 2040,
    frequency: 525.0,
    core_voltage: 1150.0,
    max_power: 40.0,
    nominal_voltage: 5.0,
    sensor: Sensor::Core,
    offset_watts: 5.0,
    idle_watts: 2.0,
    watts_per_mhz_v2: 0.02,
    blind_when_off: true,
};

const ULTRA: Plate = Plate {
    version: "v2.15.0",
    family: "Ultra",
    board: "205",
    asic: "BM1366",
    cores: 894,
    frequency: 485.0,
    core_voltage: 1200.0,
    max_power: 25.0,
    sensor: Sensor::Input,
    offset_watts: 2.7,
    idle_watts: 2.7,
    watts_per_mhz_v2: 0.0133,
    blind_when_off: false,
    ..GAMMA
};

impl Profile {
    /// Every profile there is.
    pub const ALL: [Self; 7] = [
        Self::Ultra245,
        Self::Supra245,
        Self::Gamma29,
        Self::Gamma212,
        Self::Gamma215,
        Self::Ultra215,
        Self::NerdQaxe11,
    ];

    /// The name by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ultra245 => "ultra-2.4.5",
            Self::Supra245 => "supra-2.4.5",
            Self::Gamma29 => "gamma-2.9.0",
            Self::Gamma212 => "gamma-2.12.2",
            Self::Gamma215 => "gamma-2.15.0",
            Self::Ultra215 => "ultra-2.15.0",
            Self::NerdQaxe11 => "nerdqaxe++-1.1",
        }
    }

    pub(super) const fn plate(self) -> Plate {
        match self {
            Self::Ultra245 => Plate { version: "v2.4.5", ..ULTRA },
            Self::Supra245 => Plate {
                version: "v2.4.5",
                family: "Supra",
                board: "401",
                asic: "BM1368",
                cores: 1276,
                frequency: 490.0,
                core_voltage: 1166.0,
                sensor: Sensor::Input,
                offset_watts: 2.7,
                idle_watts: 2.7,
                watts_per_mhz_v2: 0.017,
                blind_when_off: false,
                ..GAMMA
            },
            Self::Gamma29 => Plate { version: "v2.9.0", ..GAMMA },
            Self::Gamma212 => Plate { version: "v2.12.2", ..GAMMA },
            Self::Gamma215 => GAMMA,
            Self::Ultra215 => ULTRA,
            Self::NerdQaxe11 => Plate {
                version: "v1.1.0",
                family: "NerdQAxe++",
                board: "",
                chips: 4,
                frequency: 600.0,
                max_power: 130.0,
                nominal_voltage: 12.0,
                sensor: Sensor::Input,
                offset_watts: 8.0,
                idle_watts: 5.0,
                watts_per_mhz_v2: 0.08,
                blind_when_off: false,
                ..GAMMA
            },
        }
    }

    /// Whether this is NerdOS rather than AxeOS.
    pub const fn is_nerd(self) -> bool {
        matches!(self, Self::NerdQaxe11)
    }

    /// Whether mining can be paused and resumed over the network.
    pub const fn can_pause(self) -> bool {
        self.is_since(14)
    }

    /// Whether the firmware is AxeOS of this minor version of 2 or newer.
    pub(super) const fn is_since(self, minor: u32) -> bool {
        let own = match self {
            Self::Ultra245 | Self::Supra245 => 4,
            Self::Gamma29 => 9,
            Self::Gamma212 => 12,
            Self::Gamma215 | Self::Ultra215 => 15,
            Self::NerdQaxe11 => return false,
        };
        own >= minor
    }

    /// Whether an overheated board mines again by itself once it has cooled down.
    pub(super) const fn recovers(self) -> bool {
        self.is_since(11)
    }

    /// How often the hash rate that is told is renewed, ms.
    pub(super) const fn hash_rate_every_ms(self) -> i64 {
        if self.is_since(14) { 1000 } else { 5000 }
    }

    /// Amplitude of the hash rate's noise, as a share: before the chips' counters it was guessed from what was found.
    pub(super) const fn hash_rate_noise(self) -> f64 {
        if self.is_since(11) || self.is_nerd() { 0.08 } else { 0.25 }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no profile's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile {0:?}: one of {names}", names = Profile::ALL.map(Profile::name).join(", "))]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == name);
        known.ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_one_name_everywhere() {
        for profile in Profile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.name());
        }
        let error = "gamma-9".parse::<Profile>().unwrap_err().to_string();
        assert!(Profile::ALL.iter().all(|profile| error.contains(profile.name())), "{error}");
    }
}
