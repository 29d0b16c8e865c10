//! Random days and settings, as strategies that shrink.

use super::events::{Day, Event, Obedience, TellsLimit};
use control::Policy;
use model::{SunTimes, Watts};
use proptest::prelude::*;
use std::time::Duration;

/// Levels that matter, and any other.
pub(crate) fn level() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => 0.0..=100.0_f64,
        4 => 35.0..=100.0_f64,
        1 => 28.0..=37.0_f64,
        1 => Just(100.0),
        1 => prop::sample::select(vec![30.0, 30.1, 31.0, 35.0, 36.0, 40.0, 50.0, 60.0, 60.1, 90.0, 97.9, 98.0, 99.0]),
    ]
}

/// What a broken source says.
fn told() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        2 => Just(Some(0.0)),
        1 => Just(None),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 127.0, 102.3, 255.0]).prop_map(Some),
        3 => level().prop_map(Some),
    ]
}

/// What the battery and its source can do.
fn battery_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (-1.0..=1.0_f64).prop_map(Event::Drift),
        2 => (-5.0..=5.0_f64).prop_map(Event::Drift),
        4 => level().prop_map(Event::Level),
        4 => (told(), 1..=3_u8).prop_map(|(told, uploads)| Event::Glitch { told, uploads }),
        1 => Just(Event::Lost(true)),
        4 => Just(Event::Lost(false)),
        1 => Just(Event::Frozen(true)),
        4 => Just(Event::Frozen(false)),
        1 => (0..400_i64).prop_map(Event::Ahead),
        4 => Just(Event::Ahead(0)),
        1 => any::<bool>().prop_map(Event::Older),
        2 => (120..=300_i64, 10..=30_i64).prop_map(|(upload, fetch)| Event::Cadence { upload, fetch }),
    ]
}

/// What the miner and others can do to it.
fn miner_event() -> impl Strategy<Value = Event> {
    use Obedience::{Late, Mute, Obeys, OnlySaysYes, Refuses};
    prop_oneof![
        5 => Just(Event::Obedience(Obeys)),
        2 => prop::sample::select(vec![Refuses, OnlySaysYes, Mute, Late]).prop_map(Event::Obedience),
        1 => Just(Event::Reachable(false)),
        4 => Just(Event::Reachable(true)),
        1 => any::<bool>().prop_map(Event::Switched),
        1 => (20..=110_u8).prop_map(Event::SetElsewhere),
        2 => (1..=5_u8).prop_map(Event::Restarts),
        1 => (0..600_i64).prop_map(Event::Ramp),
        1 => any::<bool>().prop_map(Event::TellsService),
        1 => any::<bool>().prop_map(Event::TellsPower),
        1 => prop::sample::select(vec![TellsLimit::Never, TellsLimit::Up, TellsLimit::Early]).prop_map(Event::TellsLimit),
        2 => prop::option::of((0..2500_u32, 0..4000_u32)).prop_map(Event::Range),
    ]
}

/// What the person, the clocks and the program can do.
fn person_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Auto(true)),
        1 => Just(Event::Auto(false)),
        1 => Just(Event::PersonOff),
        2 => Just(Event::PersonOn),
        1 => Just(Event::PersonLeaves),
        2 => (1..=100_u8, 0..9000_u64).prop_map(|(percent, seconds)| Event::ManualPercent(percent, seconds)),
        1 => (0..6000_u32, 0..9000_u64).prop_map(|(watts, seconds)| Event::ManualWatts(watts, seconds)),
        1 => Just(Event::ManualEnds),
        1 => prop::sample::select(vec![-3600, 3600, 1800, -86_400, 86_400 * 200, 14_000]).prop_map(Event::ClockMoves),
        1 => any::<bool>().prop_map(Event::Synced),
        1 => (0..4000_i64).prop_map(Event::Down),
        1 => Just(Event::Quiet),
    ]
}

/// A day on which anything happens.
pub(crate) fn day() -> impl Strategy<Value = Day> {
    day_of(prop_oneof![3 => battery_event(), 2 => miner_event(), 2 => person_event()])
}

/// A day on which only the battery and its source do anything.
pub(crate) fn battery_day() -> impl Strategy<Value = Day> {
    day_of(battery_event()).prop_map(|day| Day { auto: true, ..day })
}

fn day_of(event: impl Strategy<Value = Event>) -> impl Strategy<Value = Day> {
    let sun = prop_oneof![
        6 => Just(None),
        1 => Just(Some(SunTimes::NoSunset)),
        2 => (0..86_400_u32, 0..86_400_u32).prop_map(|(sunrise, sunset)| Some(SunTimes::RisesAndSets { sunrise, sunset })),
    ];
    (
        level(),
        -1.0..=1.0_f64,
        prop::option::weighted(0.8, prop::sample::select(vec![40, 60, 80, 97, 100, 120_u8])),
        prop_oneof![0..86_400_u32, 64_000..72_000_u32],
        sun,
        prop::bool::weighted(0.85),
        prop::collection::vec((1..=80_u16, event), 0..40),
    )
        .prop_map(|(level, drift, mining, starts_at, sun, auto, events)| Day {
            level,
            drift,
            mining,
            starts_at,
            sun,
            auto,
            events,
        })
}

/// Settings that the check accepts.
pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    let seconds = |range: std::ops::RangeInclusive<u64>| range.prop_map(Duration::from_secs);
    (
        (30.0..=54.0_f64, 95.0..=100.0_f64, 60.0..=95.0_f64, prop::option::of(60.0..=95.0_f64)),
        (seconds(10..=400), seconds(401..=3600), seconds(30..=900), seconds(0..=7200)),
        (any::<bool>(), 1..=60_u32, 1000..=6000_u32, any::<bool>()),
    )
        .prop_map(|((emergency, full, sunset, resume), (warn, stale, interval, min_off), rest)| {
            let (stale_off_without_auto, command_budget, base, usual) = rest;
            let policy = Policy {
                base_watts: Watts::whole(base),
                emergency_soc: emergency,
                full_soc: full,
                sunset_soc: sunset,
                resume_soc: resume,
                min_off,
                warn_after: warn,
                stale_off: stale,
                stale_off_without_auto,
                min_interval: interval,
                command_budget,
                ..Policy::default()
            };
            if usual { Policy { resume_soc: policy.resume_soc, ..Policy::default() } } else { policy }
        })
        .prop_filter("the check accepts it", |policy| policy.check().is_ok())
}

/// Any settings at all.
pub(crate) fn any_policy() -> impl Strategy<Value = Policy> {
    let number = || {
        prop_oneof![
            any::<f64>(),
            -10.0..=130.0_f64,
            prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 30.0, 100.0, 1e308]),
        ]
    };
    let duration = || {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::MAX),
            any::<u64>().prop_map(Duration::from_millis),
            (0..10_000_u64).prop_map(Duration::from_secs),
        ]
    };
    let watts = prop_oneof![
        Just(Watts::whole(3600)),
        prop::sample::select(vec![0.0, -3600.0, 1e-300, 1e300, f64::MAX])
            .prop_map(|watts| Watts::new(watts).unwrap())
    ];
    (
        (watts, number(), number(), number(), prop::option::of(number())),
        (duration(), duration(), duration(), duration(), duration(), duration()),
        (any::<bool>(), prop_oneof![Just(0), Just(u32::MAX), any::<u32>()], any::<u32>(), any::<u32>()),
    )
        .prop_map(|(numbers, durations, rest)| Policy {
            base_watts: numbers.0,
            emergency_soc: numbers.1,
            full_soc: numbers.2,
            sunset_soc: numbers.3,
            resume_soc: numbers.4,
            min_off: durations.0,
            warn_after: durations.1,
            stale_off: durations.2,
            min_interval: durations.3,
            settle: durations.4,
            off_verify: durations.5,
            stale_off_without_auto: rest.0,
            command_budget: rest.1,
            sunset: rest.2,
            sunrise: rest.3,
        })
}
