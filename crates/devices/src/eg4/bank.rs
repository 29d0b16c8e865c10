//! Several inverters, one battery: how their readings are put together.
//!
//! It knows nothing of how a reading was obtained. The rules:
//!
//! * **Who speaks.** Inverters in parallel share one bank, so any one that is online tells its state of charge.
//!   An
//!   inverter that is offline or silent therefore doesn't silence the others; the battery is *lost* only when no
//!   inverter that is online tells a state of charge and at least one is offline.
//! * **State of charge.** Where they disagree, the lower counts: low is the safe direction. Weighting by energy
//!   isn't possible, the capacities aren't known. Each inverter's own value stays visible in its unit.
//! * **Time.** The oldest of those that told the state of charge. If one of them tells no time, there is none.
//! * **Powers** are sums, and a sum with an unknown part is unknown.
//! * **Voltage and temperature** are of one place: the first inverter online that tells them.

use model::{BatteryReading, BatteryUnit, Celsius, Soc, UtcMillis, Watts};

/// What one inverter says. `None` is unknown.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct UnitReading {
    pub(super) serial: String,
    pub(super) model: Option<String>,
    /// Percent, as the source gave it; finite but not necessarily possible.
    pub(super) soc: Option<f64>,
    /// The source says that this inverter or its uplink is offline.
    pub(super) lost: bool,
    pub(super) source_time: Option<UtcMillis>,
    /// The source's own clock when it answered.
    pub(super) source_clock: Option<UtcMillis>,
    pub(super) pv: Option<Watts>,
    pub(super) load: Option<Watts>,
    /// Positive = import.
    pub(super) grid: Option<Watts>,
    /// Positive = charging.
    pub(super) battery: Option<Watts>,
    /// Volts.
    pub(super) voltage: Option<f64>,
    pub(super) temperature: Option<Celsius>,
}

impl UnitReading {
    /// Whether every live value is missing although the inverter isn't said to be offline.
    pub(super) fn says_nothing(&self) -> bool {
        let powers = [self.pv, self.load, self.grid, self.battery];
        !self.lost && self.soc.is_none() && self.voltage.is_none() && powers.iter().all(Option::is_none)
    }
}

/// One reading over all inverters, in their order.
pub(super) fn merge(units: Vec<UnitReading>) -> BatteryReading {
    let online: Vec<&UnitReading> = units.iter().filter(|unit| !unit.lost).collect();
    let online_tell = online.iter().any(|unit| unit.soc.is_some());
    let speakers: Vec<&UnitReading> =
        units.iter().filter(|unit| unit.soc.is_some() && !(online_tell && unit.lost)).collect();
    BatteryReading {
        source_time: if speakers.is_empty() { oldest(&units) } else { oldest(speakers.iter().copied()) },
        source_clock: units.iter().filter_map(|unit| unit.source_clock).max(),
        soc_percent: speakers.iter().filter_map(|unit| unit.soc).reduce(f64::min),
        lost: !online_tell && units.iter().any(|unit| unit.lost),
        pv: sum(&units, |unit| unit.pv),
        load: sum(&units, |unit| unit.load),
        grid: sum(&units, |unit| unit.grid),
        battery: sum(&units, |unit| unit.battery),
        voltage: online.iter().find_map(|unit| unit.voltage),
        temperature: online.iter().find_map(|unit| unit.temperature),
        units: units.into_iter().map(part).collect(),
    }
}

fn oldest<'a>(units: impl IntoIterator<Item = &'a UnitReading>) -> Option<UtcMillis> {
    let times = units.into_iter().map(|unit| unit.source_time);
    times.reduce(|oldest, time| oldest.zip(time).map(|(oldest, time)| oldest.min(time))).flatten()
}

fn sum(units: &[UnitReading], power: impl Fn(&UnitReading) -> Option<Watts>) -> Option<Watts> {
    let (first, others) = units.split_first()?;
    others.iter().try_fold(power(first)?, |sum, unit| Some(sum + power(unit)?))
}

fn part(unit: UnitReading) -> BatteryUnit {
    BatteryUnit {
        serial: unit.serial,
        model: unit.model,
        soc: unit.soc.and_then(Soc::new),
        battery: unit.battery,
        lost: unit.lost,
        source_time: unit.source_time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(soc: Option<f64>, minute: i64) -> UnitReading {
        UnitReading {
            serial: format!("SN{minute}"),
            soc,
            source_time: Some(UtcMillis(minute * 60_000)),
            pv: Some(Watts::whole(1000)),
            battery: Watts::new(-200.0),
            ..UnitReading::default()
        }
    }

    fn lost(soc: Option<f64>, minute: i64) -> UnitReading {
        UnitReading { lost: true, pv: None, battery: None, ..unit(soc, minute) }
    }

    #[test]
    fn the_lower_state_of_charge_and_the_older_time_count() {
        let reading = merge(vec![unit(Some(58.0), 7), unit(Some(55.0), 9)]);
        assert_eq!(reading.soc_percent, Some(55.0));
        assert_eq!(reading.source_time, Some(UtcMillis(7 * 60_000)));
        assert_eq!(reading.pv, Some(Watts::whole(2000)));
        assert_eq!(reading.battery, Watts::new(-400.0));
        assert_eq!(
            reading.units.iter().map(|unit| unit.soc).collect::<Vec<_>>(),
            [Soc::new(58.0), Soc::new(55.0)]
        );
        assert!(!reading.lost);
    }

    #[test]
    fn an_impossible_value_passes_in_the_safe_direction_only() {
        assert_eq!(merge(vec![unit(Some(127.0), 1), unit(Some(58.0), 1)]).soc_percent, Some(58.0));
        assert_eq!(merge(vec![unit(Some(-1.0), 1), unit(Some(58.0), 1)]).soc_percent, Some(-1.0));
        assert_eq!(merge(vec![unit(Some(102.3), 1)]).soc_percent, Some(102.3));
        assert_eq!(merge(vec![unit(Some(102.3), 1)]).units[0].soc, None);
    }

    #[test]
    fn one_online_inverter_speaks_for_an_offline_one() {
        let reading = merge(vec![lost(Some(12.0), 1), unit(Some(58.0), 9)]);
        assert!(!reading.lost);
        assert_eq!(reading.soc_percent, Some(58.0));
        assert_eq!(reading.source_time, Some(UtcMillis(9 * 60_000)));
        assert_eq!(reading.pv, None, "a sum with an unknown part is unknown");
        assert!(reading.units[0].lost);
    }

    #[test]
    fn the_battery_is_lost_when_nobody_online_tells_its_charge() {
        let reading = merge(vec![lost(Some(40.0), 1), lost(Some(44.0), 9)]);
        assert!(reading.lost);
        assert_eq!((reading.soc_percent, reading.source_time), (Some(40.0), Some(UtcMillis(60_000))));
        let reading = merge(vec![lost(None, 1), unit(None, 9)]);
        assert!(reading.lost);
        assert_eq!((reading.soc_percent, reading.source_time), (None, Some(UtcMillis(60_000))));
    }

    #[test]
    fn an_unknown_time_among_those_who_speak_is_no_time() {
        let timeless = UnitReading { source_time: None, ..unit(Some(60.0), 1) };
        assert_eq!(merge(vec![unit(Some(61.0), 1), timeless.clone()]).source_time, None);
        assert_eq!(merge(vec![timeless, unit(Some(61.0), 1)]).source_time, None);
    }

    #[test]
    fn without_inverters_nothing_is_known() {
        assert_eq!(merge(Vec::new()), BatteryReading::default());
    }
}
