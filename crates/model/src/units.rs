//! Physical units as types. A value that exists is finite: the constructors refuse NaN and infinities, so that
//! "unknown" has one spelling only, `None`.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! finite_unit {
    ($(#[$doc:meta])* $name:ident, $suffix:literal, $decimals:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// The value if it is finite, else `None`.
            pub fn new(value: f64) -> Option<Self> {
                value.is_finite().then_some(Self(value))
            }

            /// The bare number, in the unit of the type.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = NotFinite;
            fn try_from(value: f64) -> Result<Self, NotFinite> {
                Self::new(value).ok_or(NotFinite)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:.", $decimals, "} ", $suffix), self.0)
            }
        }
    };
}

/// A number that is NaN or infinite was offered as a physical value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFinite;

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a finite number")
    }
}

impl std::error::Error for NotFinite {}

finite_unit!(
    /// Electric power in watts. The sign convention is the field's (see the crate's documentation).
    Watts,
    "W",
    "0"
);
finite_unit!(
    /// Temperature in degrees Celsius.
    Celsius,
    "°C",
    "1"
);
finite_unit!(
    /// Hash rate in TH/s (10¹² hashes a second).
    TeraHash,
    "TH/s",
    "1"
);

impl Watts {
    /// No power at all.
    pub const ZERO: Self = Self(0.0);

    /// A whole number of watts, as configurations and commands carry them.
    pub fn whole(watts: u32) -> Self {
        Self(f64::from(watts))
    }

    /// The smaller of two powers.
    #[must_use]
    pub const fn least(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }

    /// The greater of two powers.
    #[must_use]
    pub const fn most(self, other: Self) -> Self {
        if other.0 > self.0 { other } else { self }
    }

    /// The nearest whole number of watts, clamped to 0 ..= `u32::MAX`: what goes into a command.
    pub fn round_to_whole(self) -> u32 {
        self.0.round().clamp(0.0, f64::from(u32::MAX)) as u32
    }
}

impl std::ops::Add for Watts {
    type Output = Self;
    /// Sums saturate at the largest finite value: a sum of finite powers stays finite.
    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0).clamp(f64::MIN, f64::MAX))
    }
}

/// A battery's state of charge in percent, 0 ..= 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Soc(f64);

impl Soc {
    /// The value if it is finite and within 0 ..= 100, else `None`.
    pub fn new(percent: f64) -> Option<Self> {
        (0.0..=100.0).contains(&percent).then_some(Self(percent))
    }

    /// Percent, 0.0 ..= 100.0.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<Soc> for f64 {
    fn from(value: Soc) -> Self {
        value.0
    }
}

impl TryFrom<f64> for Soc {
    type Error = OutOfRange;
    fn try_from(value: f64) -> Result<Self, OutOfRange> {
        Self::new(value).ok_or(OutOfRange)
    }
}

impl fmt::Display for Soc {
    /// Whole numbers without decimals ("60 %"), others with one ("50.1 %").
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        if tenths.fract() == 0.0 { write!(f, "{tenths:.0} %") } else { write!(f, "{tenths:.1} %") }
    }
}

/// A number outside the range that its unit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of range")
    }
}

impl std::error::Error for OutOfRange {}

/// Power as a whole percent of a miner's `base_watts`, 1 ..= 100. Zero can't be said: "off" is a command of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct PowerPercent(u8);

impl PowerPercent {
    /// All of `base_watts`.
    pub const FULL: Self = Self(100);

    /// The percentage if it is within 1 ..= 100, else `None`.
    pub const fn new(percent: u8) -> Option<Self> {
        if percent >= 1 && percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// 1 ..= 100.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// This share of `base`.
    pub fn of(self, base: Watts) -> Watts {
        Watts(base.get() * f64::from(self.0) / 100.0)
    }
}

impl From<PowerPercent> for u8 {
    fn from(value: PowerPercent) -> Self {
        value.0
    }
}

impl TryFrom<u8> for PowerPercent {
    type Error = OutOfRange;
    fn try_from(value: u8) -> Result<Self, OutOfRange> {
        Self::new(value).ok_or(OutOfRange)
    }
}

impl fmt::Display for PowerPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_does_not_exist() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Watts::new(bad), None);
            assert_eq!(Soc::new(bad), None);
        }
        assert!(serde_json::from_str::<Soc>("100.1").is_err());
        assert!(serde_json::from_str::<PowerPercent>("0").is_err());
    }

    #[test]
    fn state_of_charge_reads_as_people_write_it() {
        assert_eq!(Soc::new(60.0).unwrap().to_string(), "60 %");
        assert_eq!(Soc::new(50.1).unwrap().to_string(), "50.1 %");
        assert_eq!(Soc::new(-0.1), None);
    }

    #[test]
    fn a_percentage_of_base_watts() {
        let base = Watts::whole(3600);
        assert_eq!(PowerPercent::new(40).unwrap().of(base).round_to_whole(), 1440);
        assert_eq!(PowerPercent::new(0), None);
        assert_eq!(PowerPercent::new(101), None);
    }
}
