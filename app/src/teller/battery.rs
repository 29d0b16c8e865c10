//! The battery: its charge, what flows, and how old that is.

use super::{Teller, fact};
use crate::{
    view::{BatteryCard, Fact},
    words,
};
use model::{BatteryReading, Watts, snapshot::BatteryView};

/// Less than this is nothing, in W.
pub(super) const NOTHING: f64 = 1.0;

impl Teller<'_> {
    pub(super) fn battery(&self, battery: &BatteryView) -> BatteryCard {
        let said_at = self.said_at(battery);
        let said = match said_at {
            Some(at) if battery.age_seconds.is_some() => {
                format!("The battery said so at {}", self.moment(at))
            }
            Some(at) => format!("The last reading can't be used: it is of {}", self.moment(at)),
            None => "The battery has said nothing yet.".to_owned(),
        };
        let session = battery
            .connection
            .session_since
            .map(|since| format!("Signed in at the portal since {}. ", self.moment(since)));
        BatteryCard {
            charge: fact("State of charge", words::charge(battery.soc.map(model::Soc::get))),
            facts: flows(battery.reading.as_ref(), self.overview.snapshot.miners.len() > 1),
            said,
            said_at: said_at.map(|at| at.0),
            is_old: self.is_old(battery),
            source: format!(
                "{}The portal is asked every {} s and learns something new every 2 to 5 min.",
                session.unwrap_or_default(),
                battery.poll_seconds
            ),
            error: battery.connection.error.clone(),
        }
    }
}

/// Sun, house, battery and grid. A direction is a word, never only a sign.
fn flows(reading: Option<&BatteryReading>, has_several_miners: bool) -> Vec<Fact> {
    let of = |of: fn(&BatteryReading) -> Option<Watts>| reading.and_then(of);
    let (battery, grid) = (of(|reading| reading.battery), of(|reading| reading.grid));
    let direction = match battery.map(Watts::get) {
        Some(watts) if watts >= NOTHING => "Charging with",
        Some(watts) if watts <= -NOTHING => "Giving",
        Some(_) => "Resting",
        None => "In or out",
    };
    let side = if grid.is_some_and(|grid| grid.get() <= -NOTHING) { "To the grid" } else { "From the grid" };
    vec![
        fact("Sun", words::power(of(|reading| reading.pv))),
        fact(
            if has_several_miners { "House and miners" } else { "House and miner" },
            words::power(of(|reading| reading.load)),
        ),
        fact(direction, words::power(battery.and_then(size))),
        fact(side, words::power(grid.and_then(size))),
    ]
}

/// How much, whatever its direction.
pub(super) fn size(power: Watts) -> Option<Watts> {
    Watts::new(power.get().abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_a_word() {
        let labels = |battery: f64, grid: f64| {
            let reading = BatteryReading {
                battery: Watts::new(battery),
                grid: Watts::new(grid),
                ..BatteryReading::default()
            };
            let facts = flows(Some(&reading), false);
            [
                (facts[2].label.clone(), facts[2].value.clone()),
                (facts[3].label.clone(), facts[3].value.clone()),
            ]
        };
        let told = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        assert_eq!(labels(-2570.0, 0.0), [told("Giving", "2.57"), told("From the grid", "0")]);
        assert_eq!(labels(310.0, -800.0), [told("Charging with", "310"), told("To the grid", "800")]);
        assert_eq!(
            flows(None, false).iter().map(|fact| fact.unit.as_str()).collect::<String>(),
            "",
            "unknown"
        );
    }
}
