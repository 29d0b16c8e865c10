//! What the charts show, and what of it a person has taken away.

use crate::words::{self, Told};
use model::{Watts, history::Quantity};
use serde::{Deserialize, Serialize};

/// One of the two charts. They share their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Panel {
    /// Powers, the state of charge and the hash rate.
    Power,
    /// Temperatures and the fan.
    Temperature,
}

impl Panel {
    /// Both, as they stand on the page.
    pub const ALL: [Self; 2] = [Self::Power, Self::Temperature];

    /// As the page calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Power => "Power",
            Self::Temperature => "Temperature",
        }
    }

    /// As style and script call it.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Temperature => "temperature",
        }
    }

    /// What it shows, in the order of its chips.
    pub fn shows(self) -> impl Iterator<Item = Shown> {
        Shown::ALL.into_iter().filter(move |shown| shown.panel() == self)
    }
}

/// The axis that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one at the left.
    Left,
    /// The one at the right.
    Right,
    /// One of its own, which isn't shown.
    Own,
}

/// A line of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The state of charge.
    Charge,
    /// Solar production.
    Sun,
    /// What goes into the battery, or, under zero, out of it.
    Battery,
    /// The miner's power.
    Miner,
    /// Its hash rate.
    HashRate,
    /// Its hottest chip.
    Chips,
    /// The air at its inlet.
    Air,
    /// Its inlet fan.
    Fan,
}

impl Shown {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Charge,
        Self::Sun,
        Self::Battery,
        Self::Miner,
        Self::HashRate,
        Self::Chips,
        Self::Air,
        Self::Fan,
    ];
    /// What the battery tells.
    pub const OF_BATTERY: [Self; 3] = [Self::Charge, Self::Sun, Self::Battery];
    /// What the miner tells.
    pub const OF_MINER: [Self; 5] = [Self::Miner, Self::HashRate, Self::Chips, Self::Air, Self::Fan];

    /// The chart it is in.
    pub const fn panel(self) -> Panel {
        match self {
            Self::Charge | Self::Sun | Self::Battery | Self::Miner | Self::HashRate => Panel::Power,
            Self::Chips | Self::Air | Self::Fan => Panel::Temperature,
        }
    }

    /// What was measured.
    pub const fn quantity(self) -> Quantity {
        match self {
            Self::Charge => Quantity::Soc,
            Self::Sun => Quantity::Pv,
            Self::Battery => Quantity::Battery,
            Self::Miner => Quantity::Power,
            Self::HashRate => Quantity::HashRate,
            Self::Chips => Quantity::ChipMax,
            Self::Air => Quantity::Ambient,
            Self::Fan => Quantity::FanIn,
        }
    }

    /// As it stands in the address and in the style.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Charge => "soc",
            Self::Sun => "sun",
            Self::Battery => "battery",
            Self::Miner => "miner",
            Self::HashRate => "hash",
            Self::Chips => "chips",
            Self::Air => "air",
            Self::Fan => "fan",
        }
    }

    /// As its chip says it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Charge => "SOC",
            Self::Sun => "Sun",
            Self::Battery => "Battery",
            Self::Miner => "Miner",
            Self::HashRate => "Hash rate",
            Self::Chips => "Miner's chips",
            Self::Air => "Ambient",
            Self::Fan => "Fan",
        }
    }

    /// The axis it belongs to.
    pub const fn side(self) -> Side {
        match self {
            Self::Charge | Self::Fan => Side::Right,
            Self::HashRate => Side::Own,
            _ => Side::Left,
        }
    }

    /// Unit of its values, and how many decimals are worth telling.
    pub const fn unit(self) -> (&'static str, u8) {
        match self {
            Self::Charge => ("%", 1),
            Self::Sun | Self::Battery | Self::Miner => ("W", 0),
            Self::HashRate => ("TH/s", 1),
            Self::Chips | Self::Air => ("°C", 0),
            Self::Fan => ("rpm", 0),
        }
    }

    /// A value of it, in words.
    pub fn told(self, value: Option<f32>) -> Told {
        let value = value.map(f64::from);
        let (unit, decimals) = self.unit();
        match self {
            Self::Charge => words::charge(value),
            Self::Sun | Self::Battery | Self::Miner => words::power(value.and_then(Watts::new)),
            _ => words::number(value, usize::from(decimals), unit),
        }
    }

    /// Its colour's name among the style's tokens. A thing has one colour everywhere.
    pub const fn colour(self) -> &'static str {
        match self {
            Self::Charge | Self::Air => "--charge",
            Self::Sun => "--sun",
            Self::Battery => "--battery",
            Self::Miner | Self::HashRate | Self::Chips => "--miner",
            Self::Fan => "--grid",
        }
    }
}

/// What a person took away from the charts. It lives in the page's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off(u8);

impl Default for Off {
    /// The hash rate follows the power: it is shown to those who ask for it.
    fn default() -> Self {
        Self(1 << Shown::HashRate as u8)
    }
}

impl Off {
    /// Whether a line is taken away.
    pub const fn hides(self, shown: Shown) -> bool {
        self.0 & 1 << shown as u8 != 0
    }

    /// With a line taken away, or brought back.
    #[must_use]
    pub const fn toggled(self, shown: Shown) -> Self {
        Self(self.0 ^ 1 << shown as u8)
    }

    /// As an address says it (`?off=hash,fan`); the default, where it says nothing. Names that there aren't count
    /// nothing.
    pub fn from_slug(slug: Option<&str>) -> Self {
        let Some(slug) = slug else { return Self::default() };
        let named = |shown: &Shown| slug.split(',').any(|name| name == shown.slug());
        Self(Shown::ALL.into_iter().filter(named).fold(0, |off, shown| off | 1 << shown as u8))
    }

    /// As it stands in the address.
    pub fn slug(self) -> String {
        let hidden = Shown::ALL.into_iter().filter(|shown| self.hides(*shown));
        hidden.map(Shown::slug).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_that_says_nothing_hides_the_hash_rate_alone() {
        assert_eq!(Off::from_slug(None).slug(), "hash");
        assert_eq!(Off::from_slug(Some("")).slug(), "");
        assert_eq!(Off::from_slug(Some("fan,<script>,soc,fan")).slug(), "soc,fan");
    }

    #[test]
    fn every_line_is_told_by_one_device() {
        for shown in Shown::ALL {
            assert!(Shown::OF_BATTERY.contains(&shown) != Shown::OF_MINER.contains(&shown), "{shown:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_hidden_survives_its_address(bits: u8, index in 0..Shown::ALL.len()) {
            let (off, shown) = (Off(bits), Shown::ALL[index]);
            prop_assert_eq!(Off::from_slug(Some(&off.slug())), off);
            prop_assert_ne!(off.toggled(shown).hides(shown), off.hides(shown));
            prop_assert_eq!(off.toggled(shown).toggled(shown), off);
        }
    }
}
