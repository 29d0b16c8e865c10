//! Which samples are taken, and how their values are kept.

use crate::{
    BEGIN, DAY, HOUR, MINUTE, RULES, SECOND, battery, blank, drawing, garage, line, miner, of_battery,
    of_miners, record, silent, sunny, window,
};
use model::{
    Celsius, MinerId, Soc, TeraHash, UtcMillis, Watts,
    history::{BatterySample, MinerSample, Quantity},
};
use std::time::Duration;
use store::{HistoryRules, Samples, Store};

#[tokio::test]
async fn a_sample_that_is_there_is_never_changed() {
    let store = Store::in_memory().await.unwrap();
    record(&store, &of_battery([sunny(BEGIN, 100), sunny(BEGIN, 200)]), BEGIN).await;
    record(&store, &of_battery([sunny(BEGIN, 300)]), BEGIN).await;
    let track = battery(&store, window(BEGIN, BEGIN + HOUR, 10)).await;
    assert_eq!(line(&track, Quantity::Pv), [(BEGIN, Some(100.0))]);
}

#[tokio::test]
async fn two_miners_do_not_mix() {
    let store = Store::in_memory().await.unwrap();
    let shed = MinerId("shed'; DROP TABLE miner_samples; --".to_owned());
    for minute in 0..300 {
        let at = BEGIN + minute * MINUTE;
        let readings =
            [drawing(&garage(), at, 1000), drawing(&shed, at, 3000), drawing(&shed, at + SECOND, 3000)];
        record(&store, &of_miners(readings), at).await;
    }
    for points in [1000, 50, 2] {
        for (id, power) in [(garage(), 1000.0), (shed.clone(), 3000.0)] {
            let track = miner(&store, &id, window(BEGIN, BEGIN + DAY, points)).await;
            assert!(line(&track, Quantity::Power).iter().all(|(_, told)| *told == Some(power)));
        }
    }
    let (from, to) = (UtcMillis(BEGIN), UtcMillis(BEGIN + 5 * HOUR));
    assert_eq!(store.miner_energy(&garage(), from, to).await.unwrap().drawn_wh.round(), 4983.0);
    assert_eq!(store.miner_energy(&shed, from, to).await.unwrap().drawn_wh.round(), 14951.0);
    let nobody = MinerId("attic".to_owned());
    assert!(miner(&store, &nobody, window(BEGIN, BEGIN + DAY, 9)).await.at.is_empty());
}

#[tokio::test]
async fn samples_of_an_absurd_time_are_not_taken() {
    let store = Store::in_memory().await.unwrap();
    let keep = RULES.keep_samples.as_millis() as i64;
    let absurd = [
        i64::MIN,
        -1,
        0,
        BEGIN - keep - 15 * MINUTE,
        BEGIN + 5 * MINUTE + 1,
        4_102_444_800_000, // 2100-01-01T00:00:00Z
        i64::MAX,
    ];
    record(&store, &of_battery(absurd.map(|at| sunny(at, 100))), BEGIN).await;
    record(&store, &of_miners(absurd.map(|at| drawing(&garage(), at, 100))), BEGIN).await;
    assert_eq!(store.history_begins().await.unwrap(), None);

    let taken = [BEGIN - keep, BEGIN + 5 * MINUTE];
    record(&store, &of_battery(absurd.into_iter().chain(taken).map(|at| sunny(at, 100))), BEGIN).await;
    let track = battery(&store, window(i64::MIN, i64::MAX, 10)).await;
    assert_eq!(line(&track, Quantity::Pv), taken.map(|at| (at, Some(100.0))));
    assert_eq!(store.history_begins().await.unwrap(), Some(UtcMillis(BEGIN - keep)));
}

#[tokio::test]
async fn no_clock_and_no_rule_breaks_it() {
    let store = Store::in_memory().await.unwrap();
    for length in [Duration::ZERO, Duration::MAX] {
        let rules = HistoryRules { battery_gap: length, miner_gap: length, keep_samples: length };
        for now in [i64::MIN, -1, 0, 1, BEGIN, 253_402_300_799_999, 253_402_300_800_000, i64::MAX] {
            let samples = Samples {
                battery: [0, 1, now].map(|at| sunny(at, 100)).into(),
                miners: [0, 1, now].map(|at| drawing(&garage(), at, 100)).into(),
            };
            store.record_samples(&samples, &rules, UtcMillis(now)).await.unwrap();
        }
    }
    for points in [0, 1, u32::MAX] {
        let track = battery(&store, window(i64::MIN, i64::MAX, points)).await;
        assert!(!track.at.is_empty() && track.at.len() <= points.clamp(1, store::MOST_POINTS) as usize);
    }
}

#[tokio::test]
async fn values_are_kept_to_the_unit() {
    let store = Store::in_memory().await.unwrap();
    let of_battery = BatterySample {
        soc: Soc::new(49.96),
        pv: Watts::new(1234.5),
        load: Watts::new(0.4),
        grid: Watts::new(-0.6),
        battery: Watts::new(-1234.5),
        ..blank(BEGIN)
    };
    let of_miner = MinerSample {
        power: Watts::new(3456.7),
        power_set: Watts::new(3500.0),
        hash_rate: TeraHash::new(123.4567),
        ambient: Celsius::new(-3.12),
        chip_max: Celsius::new(88.85),
        fan_in_rpm: Some(4320),
        fan_out_rpm: Some(u32::MAX),
        ..silent(&garage(), BEGIN)
    };
    record(&store, &Samples { battery: vec![of_battery], miners: vec![of_miner] }, BEGIN).await;
    let told = |track: &model::history::Track| -> Vec<_> {
        track.series.iter().map(|series| (series.min[0], series.mean[0], series.max[0])).collect()
    };
    let three = |value: f64| (Some(value), Some(value), Some(value));
    let track = battery(&store, window(BEGIN, BEGIN + 1, 1)).await;
    assert_eq!(told(&track), [50.0, 1235.0, 0.0, -1.0, -1235.0].map(three));
    let track = miner(&store, &garage(), window(BEGIN, BEGIN + 1, 1)).await;
    let expected = [3457.0, 3500.0, 123.457, -3.1, 88.9, 4320.0, 4_294_967_295.0];
    assert_eq!(told(&track), expected.map(three));
}

#[tokio::test]
async fn values_beyond_all_measure_are_kept_as_the_largest() {
    let store = Store::in_memory().await.unwrap();
    let minutes = || (0..600).map(|minute| BEGIN + minute * MINUTE);
    let immense = |at| BatterySample {
        pv: Watts::new(f64::MAX),
        grid: Watts::new(f64::MIN),
        battery: Watts::new(9.3e18),
        ..blank(at)
    };
    record(&store, &of_battery(minutes().map(immense)), BEGIN + DAY).await;
    for points in [1000, 100, 1] {
        let track = battery(&store, window(BEGIN, BEGIN + DAY, points)).await;
        for (quantity, value) in [(Quantity::Pv, 1e12), (Quantity::Grid, -1e12), (Quantity::Battery, 1e12)] {
            assert!(line(&track, quantity).iter().all(|(_, told)| *told == Some(value)));
        }
    }
    let energy = store.battery_energy(UtcMillis(BEGIN), UtcMillis(BEGIN + 9 * HOUR)).await.unwrap();
    assert_eq!((energy.pv_wh, energy.exported_wh, energy.imported_wh), (9e12, 9e12, 0.0));
}
