//! The random days are good days: everything the law can say and do happens on them.

use crate::world::{
    days::{day, policy},
    run::live,
};
use model::{AlertCode, BlockedBy, Command, Reason};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::collections::HashMap;

const DAYS: usize = 600;

const REASONS: [Reason; 25] = [
    Reason::WaitingForBattery,
    Reason::EmergencySoc,
    Reason::EmergencyUnconfirmed,
    Reason::BatteryStale,
    Reason::BatteryRecovering,
    Reason::PersonOff,
    Reason::CrashLoop,
    Reason::ManualPower,
    Reason::AutoControlOff,
    Reason::BatteryFull,
    Reason::SunsetStart,
    Reason::EmergencyLatched,
    Reason::FoundOff,
    Reason::SwitchedOffElsewhere,
    Reason::SwitchedOnElsewhere,
    Reason::PersonStart,
    Reason::ResumeSoc,
    Reason::Recovered,
    Reason::LadderDown,
    Reason::LadderUp,
    Reason::LadderHold,
    Reason::DrawsTooMuch,
    Reason::BelowRange,
    Reason::MinerUnknown,
    Reason::VerifyingOff,
];
const OBSTACLES: [BlockedBy; 12] = [
    BlockedBy::Interval,
    BlockedBy::Settling,
    BlockedBy::SecondSample,
    BlockedBy::BatteryData,
    BlockedBy::CommandUnderWay,
    BlockedBy::MinerUnknown,
    BlockedBy::Degraded,
    BlockedBy::Contested,
    BlockedBy::Budget,
    BlockedBy::StartCondition,
    BlockedBy::MinimumOffTime,
    BlockedBy::OffRetry,
];
const ALERTS: [AlertCode; 15] = [
    AlertCode::BatteryDataOld,
    AlertCode::BatteryDataStale,
    AlertCode::BatteryLost,
    AlertCode::BatteryImplausible,
    AlertCode::ClocksDisagree,
    AlertCode::Emergency,
    AlertCode::OffNotVerified,
    AlertCode::NoEffect,
    AlertCode::Degraded,
    AlertCode::CrashLoop,
    AlertCode::ChangedElsewhere,
    AlertCode::Contested,
    AlertCode::DrawsTooMuch,
    AlertCode::PowerUntold,
    AlertCode::BudgetSpent,
];
const STARTS: [Reason; 5] =
    [Reason::BatteryFull, Reason::SunsetStart, Reason::PersonStart, Reason::ResumeSoc, Reason::Recovered];
const POWERS: [Reason; 5] =
    [Reason::LadderDown, Reason::LadderUp, Reason::BatteryFull, Reason::ManualPower, Reason::DrawsTooMuch];
const OFFS: [Reason; 7] = [
    Reason::EmergencySoc,
    Reason::BatteryStale,
    Reason::PersonOff,
    Reason::CrashLoop,
    Reason::BelowRange,
    Reason::SwitchedOnElsewhere,
    Reason::VerifyingOff,
];

#[test]
fn everything_the_law_can_say_happens_on_random_days() {
    // A fixed seed: this looks at the strategies, not at the law.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut seen: HashMap<String, usize> = HashMap::new();
    for _ in 0..DAYS {
        let (policy, day) = (policy(), day()).new_tree(&mut runner).unwrap().current();
        live(&policy, &day, 1300, |tick| {
            let decision = tick.decision;
            let mut note = |what: String| *seen.entry(what).or_default() += 1;
            note(format!("{:?}", decision.reason));
            decision.blocked.into_iter().for_each(|blocked| note(format!("{:?}", blocked.by)));
            decision.alerts.iter().for_each(|alert| note(format!("{alert:?}")));
            match decision.command {
                Some(Command::Start { .. }) => note(format!("start: {:?}", decision.reason)),
                Some(Command::SetPower { .. }) => note(format!("power: {:?}", decision.reason)),
                Some(Command::Off) => note(format!("off: {:?}", decision.reason)),
                None => {}
            }
            Ok::<_, TestCaseError>(())
        })
        .unwrap();
    }
    let wanted = REASONS
        .map(|reason| format!("{reason:?}"))
        .into_iter()
        .chain(OBSTACLES.map(|by| format!("{by:?}")))
        .chain(ALERTS.map(|alert| format!("{alert:?}")))
        .chain(STARTS.map(|reason| format!("start: {reason:?}")))
        .chain(POWERS.map(|reason| format!("power: {reason:?}")))
        .chain(OFFS.map(|reason| format!("off: {reason:?}")));
    let missing: Vec<_> = wanted.filter(|what| !seen.contains_key(what)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}\nseen: {seen:#?}");
}
