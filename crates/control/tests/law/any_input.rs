//! Anything at all as an observation: the law is total.

use control::{BatteryObservation, Feedback, MinerObservation, Observation, Outcome, PowerRange, Share};
use model::{
    CivilDay, Intent, LocalTime, Manual, ManualTarget, Means, MonoTime, PowerIntent, PowerPercent, SunTimes,
    TeraHash, UtcMillis, Watts,
};
use proptest::prelude::*;

/// A finite number or one that isn't, small or huge.
fn any_soc() -> impl Strategy<Value = Option<f64>> {
    prop::option::weighted(
        0.9,
        prop_oneof![any::<f64>(), 0.0..=100.0_f64, Just(0.0), Just(100.0), Just(127.0)],
    )
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..10_000_000_i64, 1 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
}

fn any_watts() -> impl Strategy<Value = Option<Watts>> {
    prop_oneof![any::<f64>(), 0.0..=4000.0_f64].prop_map(Watts::new)
}

fn any_share() -> impl Strategy<Value = Share> {
    prop_oneof![
        4 => Just(Share::Whole),
        1 => Just(Share::Asked),
        2 => (any_watts(), any::<bool>()).prop_map(|(power, may_start)| Share::Dealt { power, may_start }),
    ]
}

/// Any observation.
pub(crate) fn any_observation() -> impl Strategy<Value = Observation> {
    let local = (any::<i32>(), any::<u32>(), any::<bool>(), prop::option::of((any::<u32>(), any::<u32>())));
    let battery = prop::option::weighted(0.9, (any_time(), any_time(), any_time(), any_soc(), any::<bool>()));
    let miner = (
        (any::<bool>(), prop::option::of(any_time()), prop::option::of(any::<bool>())),
        (any_watts(), any_watts(), any::<f64>(), prop::option::of(any::<u64>())),
        (prop::option::of((any_watts(), any_watts())), prop::option::of((0..5_u64, 0..4_u8, 0..5_u8))),
    );
    let intent = (any::<bool>(), 0..4_u64, prop::option::of((1..=100_u8, any_watts(), any_time())));
    (any_time(), local, battery, miner, intent, any_share()).prop_map(
        |(now, local, battery, miner, intent, share)| Observation {
            now: MonoTime(now),
            local: LocalTime {
                day: CivilDay(local.0),
                second_of_day: local.1,
                clock_synced: local.2,
                sun: local.3.map(|(sunrise, sunset)| SunTimes::RisesAndSets { sunrise, sunset }),
            },
            battery: battery.map(|(source, at, fetched, soc_percent, lost)| BatteryObservation {
                source_time: UtcMillis(source),
                source_at: MonoTime(at),
                fetched_at: MonoTime(fetched),
                soc_percent,
                lost,
                pv: None,
                load: None,
                power: None,
            }),
            miner: any_miner(miner),
            intent: Intent {
                auto_control: intent.0,
                power: match intent.1 {
                    0 => PowerIntent::Undecided,
                    1 => PowerIntent::Off,
                    request => PowerIntent::On { request },
                },
                manual: intent.2.map(|(percent, watts, until)| Manual {
                    target: watts.map_or(
                        ManualTarget::Percent(PowerPercent::new(percent).unwrap()),
                        ManualTarget::Watts,
                    ),
                    until: MonoTime(until),
                }),
            },
            share,
        },
    )
}

type AnyMiner = (
    (bool, Option<i64>, Option<bool>),
    (Option<Watts>, Option<Watts>, f64, Option<u64>),
    (Option<(Option<Watts>, Option<Watts>)>, Option<(u64, u8, u8)>),
);

fn any_miner((state, values, rest): AnyMiner) -> MinerObservation {
    MinerObservation {
        reachable: state.0,
        read_at: state.1.map(MonoTime),
        service_on: state.2,
        power: values.0,
        power_set: values.1,
        hash_rate: TeraHash::new(values.2),
        elapsed_seconds: values.3,
        range: rest.0.and_then(|(min, max)| Some(PowerRange { min: min?, max: max? })),
        feedback: rest.1.map(|(sequence, outcome, means)| Feedback {
            sequence,
            outcome: match outcome {
                0 => Outcome::UnderWay,
                1 => Outcome::Acknowledged,
                2 => Outcome::Unknown,
                _ => Outcome::Failed,
            },
            means: match means {
                0 => None,
                1 => Some(Means::Stop),
                2 => Some(Means::Start),
                3 => Some(Means::Limit),
                _ => Some(Means::Percent),
            },
        }),
    }
}
