//! What flows from where to where, as a drawing and as a sentence.

use super::{
    Teller,
    battery::{NOTHING, size},
    fact,
    miner::power_of_all,
};
use crate::{
    view::{Arm, Flow},
    words,
};
use model::{Watts, snapshot::MinerView};

/// The powers up to which a flow moves slowly, faster, and so on, in W.
const PACES: [f64; 4] = [300.0, 1000.0, 2500.0, 5000.0];
/// Width of a line through which nothing flows, or nobody knows what, in units of the drawing.
const THIN: f64 = 1.5;
/// By how much a line is wider for each kilowatt.
const WIDER: f64 = 1.5;
/// The widest line.
const WIDEST: f64 = 12.0;

/// Which way a power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Given: towards the hub.
    Given,
    /// Taken: from it.
    Taken,
}

impl Teller<'_> {
    pub(super) fn flow(&self) -> Flow {
        let battery = &self.overview.snapshot.battery;
        let miners = &self.overview.snapshot.miners;
        let reading = battery.reading.as_ref();
        let percent = battery.soc.map(model::Soc::get);
        let sun = reading.and_then(|reading| reading.pv);
        let stored = reading.and_then(|reading| reading.battery);
        let grid = reading.and_then(|reading| reading.grid).filter(|grid| grid.get().abs() >= NOTHING);
        let mined = power_of_all(miners);
        let rest = self.rest_of_house(mined);
        let whose = if miners.len() > 1 { "the miners take" } else { "the miner takes" };
        let mut clauses = vec![clause("the sun gives", sun), of_battery(percent, stored)];
        clauses.extend(grid.map(|grid| {
            clause(if grid.get() > 0.0 { "the grid gives" } else { "the grid takes" }, size(grid))
        }));
        clauses.push(clause(whose, mined));
        clauses.push(clause("the rest of the house takes", rest));
        Flow {
            sentence: self.sentence(&clauses),
            sun: arm("Sun", sun, Way::Given),
            battery: arm("Battery", stored, Way::Taken),
            grid: grid.map(|grid| arm("Grid", Some(grid), Way::Given)),
            home: arm("House", rest, Way::Taken),
            miner: arm(if miners.len() > 1 { "Miners" } else { "Miner" }, mined, Way::Taken),
            charge: fact("State of charge", words::charge(percent)),
            percent,
            is_old: self.is_old(battery),
        }
    }

    /// What the house takes besides the miners. The inverter's number is of a while ago and holds them too: while a
    /// command is on its way, or since one ended, the two are of different moments and their difference means nothing.
    fn rest_of_house(&self, mined: Option<Watts>) -> Option<Watts> {
        let battery = &self.overview.snapshot.battery;
        let said_at = self.said_at(battery)?;
        let is_settled = |miner: &MinerView| {
            let last = miner.operations.first();
            last.is_none_or(|operation| operation.ended_at.is_some_and(|ended| ended <= said_at))
        };
        let load = battery.reading.as_ref()?.load?;
        let rest = Watts::new(load.get() - mined?.get())?;
        (self.overview.snapshot.miners.iter().all(is_settled) && rest.get() >= 0.0).then_some(rest)
    }

    /// The clauses as one sentence, which says of when it is if that isn't now.
    fn sentence(&self, clauses: &[String]) -> String {
        let battery = &self.overview.snapshot.battery;
        let said_at = self.said_at(battery).filter(|_| self.is_old(battery));
        let of_when = said_at.map(|at| format!("As of {}, ", self.moment(at))).unwrap_or_default();
        let (last, others) =
            clauses.split_last().map_or(("", clauses), |(last, others)| (last.as_str(), others));
        let sentence = format!("{of_when}{} and {last}.", others.join(", "));
        let mut letters = sentence.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    }
}

/// "the sun gives 2.66 kW".
fn clause(who: &str, power: Option<Watts>) -> String {
    match power {
        None => format!("it isn't known what {who}"),
        Some(power) if power.get().abs() < NOTHING => format!("{who} nothing"),
        Some(power) => format!("{who} {}", words::power(Some(power)).text()),
    }
}

fn of_battery(percent: Option<f64>, stored: Option<Watts>) -> String {
    let charge = percent.map_or_else(
        || "the battery, whose charge isn't known,".to_owned(),
        |percent| format!("the battery at {}", words::charge(Some(percent)).text()),
    );
    match stored {
        None => format!("it isn't known what {charge} gives or takes"),
        Some(power) if power.get().abs() < NOTHING => format!("{charge} rests"),
        Some(power) => {
            let verb = if power.get() > 0.0 { "takes" } else { "gives" };
            format!("{charge} {verb} {}", words::power(size(power)).text())
        }
    }
}

/// A power that is given, or taken; a negative one goes the other way.
fn arm(label: &str, power: Option<Watts>, way: Way) -> Arm {
    let told = fact(label, words::power(power.and_then(size)));
    let Some(watts) = power.map(Watts::get) else {
        return Arm { told, course: "unknown".to_owned(), width: THIN, pace: 0 };
    };
    let (size, inwards) = (watts.abs(), (watts > 0.0) == (way == Way::Given));
    if size < NOTHING {
        return Arm { told, course: "still".to_owned(), width: THIN, pace: 0 };
    }
    Arm {
        told,
        course: if inwards { "in" } else { "out" }.to_owned(),
        width: ((THIN + size / 1000.0 * WIDER).min(WIDEST) * 10.0).round() / 10.0,
        pace: 1 + PACES.iter().filter(|bound| size >= **bound).count() as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::{
        sample::{NOW, battery, operation, overview, running},
        tell,
    };
    use model::{BatteryReading, OperationStage, UtcMillis, snapshot::BatteryView};
    use proptest::prelude::*;

    /// Sun, battery, grid and load in W.
    fn house(flows: [Option<f64>; 4], miners: Vec<MinerView>) -> Flow {
        tell(&overview(said(flows, Some(60.0)), miners)).flow
    }

    fn said([pv, stored, grid, load]: [Option<f64>; 4], age: Option<f64>) -> BatteryView {
        let watts = |watts: Option<f64>| watts.and_then(Watts::new);
        let reading = BatteryReading {
            pv: watts(pv),
            battery: watts(stored),
            grid: watts(grid),
            load: watts(load),
            ..BatteryReading::default()
        };
        BatteryView { reading: Some(reading), ..battery(age) }
    }

    const EVENING: [Option<f64>; 4] = [Some(2660.0), Some(-2440.0), Some(0.0), Some(5100.0)];

    #[test]
    fn the_house_is_told_without_the_miner() {
        let flow = house(EVENING, vec![running("garage", 100.0)]);
        assert_eq!((flow.home.told.value.as_str(), flow.home.told.unit.as_str()), ("1.50", "kW"));
        assert_eq!(flow.miner.told.value, "3.60");
        let sentence = "The sun gives 2.66 kW, the battery at 60 % gives 2.44 kW, the miner takes 3.60 kW and the rest of the house takes 1.50 kW.";
        assert_eq!(flow.sentence, sentence.replace(" kW", "\u{202f}kW").replace(" %", "\u{202f}%"));
    }

    #[test]
    fn a_sign_is_a_direction() {
        let course = |power, way| arm("", Watts::new(power), way).course;
        assert_eq!(course(800.0, Way::Given), "in");
        assert_eq!(course(-800.0, Way::Given), "out");
        assert_eq!(course(800.0, Way::Taken), "out");
        assert_eq!(course(-800.0, Way::Taken), "in");
        assert_eq!(course(-0.4, Way::Given), "still");
        let flow =
            house([Some(0.0), Some(300.0), Some(-500.0), Some(3600.0)], vec![running("garage", 100.0)]);
        assert_eq!((flow.battery.course.as_str(), flow.grid.unwrap().course.as_str()), ("out", "out"));
        assert!(flow.sentence.contains("the grid takes 500"), "{}", flow.sentence);
        assert!(flow.sentence.starts_with("The sun gives nothing, the battery at 60"), "{}", flow.sentence);
    }

    #[test]
    fn what_is_not_known_is_no_number() {
        let mut gone = running("garage", 100.0);
        gone.connection.connected = false;
        for (load, miner) in [(None, running("garage", 100.0)), (Some(5100.0), gone)] {
            let flow = house([None, None, None, load], vec![miner]);
            for arm in [&flow.sun, &flow.battery, &flow.home] {
                assert_eq!((arm.course.as_str(), arm.told.value.as_str(), arm.pace), ("unknown", "–", 0));
            }
            assert_eq!(flow.grid, None);
            assert!(
                flow.sentence.contains("it isn't known what the rest of the house takes"),
                "{}",
                flow.sentence
            );
        }
        let nothing = tell(&overview(BatteryView::default(), vec![])).flow;
        assert!(nothing.is_old && nothing.charge.unit.is_empty());
        assert!(nothing.sentence.contains("whose charge isn't known"), "{}", nothing.sentence);
    }

    /// A load of before and a miner of after a command tell nothing about the house.
    #[test]
    fn what_is_of_two_moments_is_not_subtracted() {
        let rest = |stage, ended_at: Option<i64>| {
            let mut miner = running("garage", 40.0);
            let ended_at = ended_at.map(|before_now| UtcMillis(NOW.0 - before_now));
            miner.operations = vec![model::Operation { ended_at, ..operation(1, stage) }];
            house(EVENING, vec![miner]).home.told.value
        };
        assert_eq!(rest(OperationStage::Sent, None), "–");
        assert_eq!(rest(OperationStage::Observed, Some(30_000)), "–", "the battery spoke before that");
        assert_eq!(rest(OperationStage::Observed, Some(60_000)), "3.66");
        let smaller = house([None, None, None, Some(900.0)], vec![running("garage", 100.0)]);
        assert_eq!(smaller.home.course, "unknown", "never negative");
    }

    #[test]
    fn what_is_old_says_of_when_it_is() {
        let flow = tell(&overview(said(EVENING, Some(600.0)), vec![running("garage", 100.0)])).flow;
        assert!(flow.is_old && flow.sentence.starts_with("As of 03:56, the sun gives"), "{}", flow.sentence);
    }

    proptest! {
        /// What flows in and out is told as it was read: the size in words, the sign as a direction, more as a wider and
        /// quicker line.
        #[test]
        fn what_flows_is_told_as_it_was_read(
            flows in prop::array::uniform4(prop::option::of(-20_000.0..20_000.0_f64)),
            share in 0.0..100.0_f64,
        ) {
            let flow = house(flows, vec![running("garage", share)]);
            let [pv, stored, grid, load] = flows;
            let shown = [(Some(&flow.sun), pv), (Some(&flow.battery), stored.map(|watts| -watts)), (flow.grid.as_ref(), grid)];
            for (arm, given) in shown {
                let Some(arm) = arm else {
                    prop_assert!(given.is_none_or(|watts| watts.abs() < NOTHING));
                    continue;
                };
                let told = words::power(given.and_then(|watts| Watts::new(watts.abs())));
                prop_assert_eq!((&arm.told.value, arm.told.unit.as_str()), (&told.value, told.unit));
                let course = match given {
                    None => "unknown",
                    Some(watts) if watts.abs() < NOTHING => "still",
                    Some(watts) if watts > 0.0 => "in",
                    Some(_) => "out",
                };
                prop_assert_eq!(arm.course.as_str(), course);
                prop_assert_eq!(arm.pace > 0, matches!(course, "in" | "out"));
            }
            let rest = load.map(|load| load - share * 36.0).filter(|rest| *rest >= 0.0);
            prop_assert_eq!(&flow.home.told.value, &words::power(rest.and_then(Watts::new)).value);
        }

        #[test]
        fn more_is_never_thinner_or_slower(less in 1.0..30_000.0_f64, more in 0.0..30_000.0_f64) {
            let (less, more) = (Watts::new(less), Watts::new(less + more));
            let (less, more) = (arm("", less, Way::Given), arm("", more, Way::Given));
            prop_assert!(less.width <= more.width && less.pace <= more.pace);
            prop_assert!((1..=5).contains(&less.pace) && more.width <= WIDEST);
        }
    }
}
