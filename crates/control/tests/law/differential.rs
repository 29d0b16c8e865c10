//! The law against a second, naive implementation of its rules: the same commands at the same ticks, and the same
//! latches, over random days with an obedient miner and a person who leaves it to the battery.

use crate::{
    naive::{Naive, Order, Settings, Shown},
    world::{
        days::{battery_day, policy},
        events::{Day, Event},
        run::{TICK, Tick, live},
    },
};
use control::Policy;
use model::{Command, PowerPercent, Watts};
use proptest::prelude::*;
use std::time::Duration;

const CASES: u32 = 200;
/// Half a day and more.
const TICKS: usize = 5000;

fn settings(policy: &Policy) -> Settings {
    Settings {
        emergency: policy.emergency_soc,
        full: policy.full_soc,
        sunset_soc: policy.sunset_soc,
        stale_off: policy.stale_off.as_secs_f64(),
        warn_after: policy.warn_after.as_secs_f64(),
        interval: policy.min_interval.as_secs_f64(),
        settle: policy.settle.as_secs_f64(),
        // The house's miner starts on the tick after the command and needs 90 s.
        needs: 90.0 + TICK as f64,
        sunset: f64::from(policy.sunset),
        sunrise: f64::from(policy.sunrise),
        budget: policy.command_budget as usize,
    }
}

fn order(command: Command) -> Order {
    match (command, command.percent().map(PowerPercent::get)) {
        (Command::Start { .. }, Some(percent)) => Order::Start(percent),
        (_, Some(percent)) => Order::Change(percent),
        (_, None) => Order::Off,
    }
}

fn shown(tick: &Tick<'_>) -> Option<Shown> {
    tick.seen.battery.map(|reading| Shown {
        source: reading.source_at.0 as f64 / 1000.0,
        soc: reading.soc_percent.unwrap_or(f64::NAN),
        lost: reading.lost,
    })
}

fn same_decisions(policy: &Policy, day: &Day) -> Result<(), TestCaseError> {
    let mut naive = Naive::new(settings(policy), TICK as f64, day.mining);
    live(policy, day, TICKS, |tick| {
        let now = tick.house.now as f64;
        let local = tick.seen.local;
        let expected = naive.tick(now, local.day.0, f64::from(local.second_of_day), shown(tick));
        let told = || format!("at {now} s: {:?}\n{naive:?}", tick.decision);
        prop_assert_eq!(tick.decision.command.map(order), expected, "{}", told());
        prop_assert_eq!(tick.after.ceiling.get(), naive.ceiling(), "{}", told());
        let emergency = (tick.after.emergency_latched, tick.after.emergency_unconfirmed);
        prop_assert_eq!(emergency, naive.emergency(), "{}", told());
        prop_assert_eq!(tick.after.full_armed, naive.full_armed(), "{}", told());
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_implementations_of_the_rules_decide_alike(
        policy in policy(),
        day in battery_day(),
        mining in prop::option::of(prop::sample::select(vec![40, 50, 60, 70, 80, 90, 100_u8]))
    ) {
        let policy = Policy {
            base_watts: Watts::whole(3600),
            resume_soc: None,
            min_interval: policy.min_interval.max(Duration::from_secs(110)),
            ..policy
        };
        let agrees = |event: &Event| !matches!(event, Event::Ahead(_));
        let events = day.events.iter().filter(|(_, event)| agrees(event));
        // A day has room for four times the events.
        let events = events.map(|(after, event)| (after * 3, *event)).collect();
        same_decisions(&policy, &Day { mining, sun: None, events, ..day.clone() })?;
    }
}
