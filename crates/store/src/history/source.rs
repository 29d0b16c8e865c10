//! Where samples come from, which tables hold them, and how a value stands in a column.

use super::{MINUTE, PART, SLOT};
use model::history::{Quantity, Sample};
use sqlx::{QueryBuilder, Sqlite};

/// The battery, or one miner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) kind: &'static Kind,
    /// The key of the instant 0.
    base: i64,
}

/// What a kind of source measures, and in which tables that is.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) samples: &'static str,
    minutes: &'static str,
    slots: &'static str,
    parts: &'static str,
    pub(super) quantities: &'static [Quantity],
    pub(super) meters: &'static [Meter],
}

/// An energy of a slot.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) column: &'static str,
    /// The power it is the integral of.
    pub(super) power: Quantity,
    pub(super) counts: Counts,
}

/// Which power a meter counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counts {
    All,
    Positive,
    /// Negative power, as a positive energy.
    Negative,
}

/// Length of the stretches that a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Minute,
    Slot,
    Part,
}

/// Bits of a key that hold the time: all of it up to `END`.
const TIME_BITS: u32 = 48;

/// How long a slot is covered by readings, in milliseconds: stands behind its energies.
pub(super) const COVERED: &str = "covered_ms";

pub(super) static BATTERY: Kind = Kind {
    samples: "battery_samples",
    minutes: "battery_1min",
    slots: "battery_15min",
    parts: "battery_6h",
    quantities: &Quantity::OF_BATTERY,
    meters: &[
        Meter { column: "pv_mwh", power: Quantity::Pv, counts: Counts::All },
        Meter { column: "load_mwh", power: Quantity::Load, counts: Counts::All },
        Meter { column: "imported_mwh", power: Quantity::Grid, counts: Counts::Positive },
        Meter { column: "exported_mwh", power: Quantity::Grid, counts: Counts::Negative },
        Meter { column: "charged_mwh", power: Quantity::Battery, counts: Counts::Positive },
        Meter { column: "discharged_mwh", power: Quantity::Battery, counts: Counts::Negative },
    ],
};

pub(super) static MINER: Kind = Kind {
    samples: "miner_samples",
    minutes: "miner_1min",
    slots: "miner_15min",
    parts: "miner_6h",
    quantities: &Quantity::OF_MINER,
    meters: &[Meter { column: "drawn_mwh", power: Quantity::Power, counts: Counts::All }],
};

impl Source {
    pub(super) const fn battery() -> Self {
        Self { kind: &BATTERY, base: 0 }
    }

    /// The miner with this number, 1 ..= 32 767.
    pub(super) const fn miner(number: i64) -> Self {
        Self { kind: &MINER, base: number << TIME_BITS }
    }

    /// The key of a row of this source at an instant.
    pub(super) const fn key(self, at: i64) -> i64 {
        self.base + at
    }

    /// The instant in a key of this source.
    pub(super) const fn instant(self, key: i64) -> i64 {
        key - self.base
    }

    /// Adds the condition that a row belongs to this source and to an instant from `from` until before `to`. They may
    /// lie a day outside the times that are kept: no row is there.
    pub(super) fn push_where(self, sql: &mut QueryBuilder<Sqlite>, from: i64, to: i64) {
        sql.push(" WHERE key >= ").push_bind(self.key(from));
        sql.push(" AND key < ").push_bind(self.key(to));
    }
}

impl Kind {
    pub(super) const fn table(&self, tier: Tier) -> &'static str {
        match tier {
            Tier::Minute => self.minutes,
            Tier::Slot => self.slots,
            Tier::Part => self.parts,
        }
    }

    /// The energies that a row of this tier holds.
    pub(super) const fn meters(&self, tier: Tier) -> &'static [Meter] {
        if matches!(tier, Tier::Slot) { self.meters } else { &[] }
    }
}

impl Tier {
    /// Milliseconds.
    pub(super) const fn length(self) -> i64 {
        match self {
            Self::Minute => MINUTE,
            Self::Slot => SLOT,
            Self::Part => PART,
        }
    }
}

/// The name of a quantity's column, and the beginning of the names of its columns in a tier.
pub(super) const fn column(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Soc => "soc",
        Quantity::Pv => "pv",
        Quantity::Load => "load",
        Quantity::Grid => "grid",
        Quantity::Battery => "battery",
        Quantity::Power => "power",
        Quantity::PowerSet => "power_set",
        Quantity::HashRate => "hash_rate",
        Quantity::Ambient => "ambient",
        Quantity::ChipMax => "chip_max",
        Quantity::FanIn => "fan_in",
        Quantity::FanOut => "fan_out",
    }
}

/// How many of the column's units are one of the quantity's.
pub(super) const fn scale(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Soc | Quantity::Ambient | Quantity::ChipMax => 10.0,
        Quantity::HashRate => 1000.0,
        Quantity::Pv
        | Quantity::Load
        | Quantity::Grid
        | Quantity::Battery
        | Quantity::Power
        | Quantity::PowerSet
        | Quantity::FanIn
        | Quantity::FanOut => 1.0,
    }
}

/// The largest number a column of samples takes: beyond anything real, and ten million of it still sum up in an `i64`.
const LARGEST: f64 = 1e12;

/// A value in the column's unit, rounded; what is beyond ±10¹² is kept as that.
fn stored(quantity: Quantity, value: f64) -> i64 {
    (value * scale(quantity)).round().clamp(-LARGEST, LARGEST) as i64
}

/// A value as it is told once it was kept: in whole units of its column.
pub fn as_kept(quantity: Quantity, value: f64) -> f64 {
    stored(quantity, value) as f64 / scale(quantity)
}

/// A sample as it stands in its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// In the order of the kind's quantities.
    pub(super) values: Vec<Option<i64>>,
}

impl Row {
    /// A sample of such a source.
    pub(super) fn of(sample: &impl Sample, kind: &Kind) -> Self {
        let value = |quantity: &Quantity| Some(stored(*quantity, sample.value(*quantity)?));
        Self { at: sample.at().0, values: kind.quantities.iter().map(value).collect() }
    }
}
