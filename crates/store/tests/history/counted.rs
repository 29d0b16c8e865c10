//! Whatever comes, in whatever order: what is told is what is counted by hand.

use crate::{
    BEGIN, DAY, HOUR, MINUTE, RULES, SECOND, battery, blank, by_hand::ByHand, garage, line, miner,
    of_battery, record, silent, window,
};
use model::{
    Celsius, Soc, TeraHash, UtcMillis, Watts,
    history::{BatterySample, MinerSample, Quantity, Track, Window},
};
use proptest::{collection::vec, option, prelude::*};
use store::{Samples, Store};

const STEPS: [i64; 13] = [
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
];

/// The smallest step with few enough buckets, and within which length a window is rounded outwards.
fn step(window: Window) -> (i64, i64) {
    let buckets = |step: &i64| (window.to.0 - 1).div_euclid(*step) - window.from.0.div_euclid(*step) + 1;
    let longer =
        std::iter::successors(Some(2 * DAY), |step| Some(if *step == 2 * DAY { 7 * DAY } else { step * 2 }));
    let step =
        STEPS.into_iter().chain(longer).find(|step| buckets(step) <= i64::from(window.points)).unwrap();
    let grain = match step {
        ..MINUTE => 1,
        MINUTE..=600_000 => MINUTE,
        _ => 15 * MINUTE,
    };
    (step, grain)
}

/// How far a mean that was made of rounded means may be off, in the unit that is kept.
fn unit(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Soc | Quantity::Ambient | Quantity::ChipMax => 0.1,
        Quantity::HashRate => 0.001,
        _ => 1.0,
    }
}

fn check(track: &Track, by_hand: &ByHand, window: Window) {
    assert!(track.at.len() <= window.points as usize);
    assert!(track.at.is_sorted_by(|left, right| left < right));
    let fit = by_hand.len(window) <= window.points as usize;
    let (step, grain) = if fit { (1, 1) } else { step(window) };
    assert_eq!(track.step_ms, (!fit).then_some(step));
    for series in &track.series {
        let expected = by_hand.buckets(window, step, grain, series.quantity);
        let found: Vec<_> = line(track, series.quantity).into_iter().map(|(at, _)| at).collect();
        assert_eq!(found, expected.keys().copied().collect::<Vec<_>>());
        for (index, expected) in expected.values().enumerate() {
            let (min, mean, max) = (series.min[index], series.mean[index], series.max[index]);
            assert_eq!((min, max), (expected.map(|three| three.0), expected.map(|three| three.2)));
            assert_eq!(mean.is_some(), expected.is_some());
            let off = mean.unwrap_or_default() - expected.unwrap_or_default().1;
            let most = if grain == 1 { 1e-9 } else { 1.001 * unit(series.quantity) };
            assert!(off.abs() <= most, "{:?} is off by {off}", series.quantity);
        }
    }
}

fn watts() -> impl Strategy<Value = Option<Watts>> {
    option::weighted(0.8, (-6000.0..9000.0_f64).prop_map(|watts| Watts::new(watts).unwrap()))
}

prop_compose! {
    fn battery_sample(grid_ms: i64, span: i64)(
        at in 0..span / grid_ms, percent in option::weighted(0.8, 0.0..=100.0_f64),
        pv in watts(), load in watts(), grid in watts(), power in watts(),
    ) -> BatterySample {
        BatterySample {
            soc: percent.and_then(Soc::new), pv, load, grid, battery: power, ..blank(BEGIN + at * grid_ms)
        }
    }
}

prop_compose! {
    fn miner_sample(grid_ms: i64, span: i64)(
        at in 0..span / grid_ms, power in watts(), power_set in watts(),
        rate in option::of(0.0..300.0_f64), ambient in option::of(-30.0..60.0_f64),
        chip in option::of(0.0..120.0_f64), fan_in_rpm in option::of(0_u32..9000),
        fan_out_rpm in option::of(0_u32..9000),
    ) -> MinerSample {
        MinerSample {
            power, power_set, hash_rate: rate.and_then(TeraHash::new), ambient: ambient.and_then(Celsius::new),
            chip_max: chip.and_then(Celsius::new), fan_in_rpm, fan_out_rpm, ..silent(&garage(), BEGIN + at * grid_ms)
        }
    }
}

/// Batches as they may come: a sample of a later batch may be older than one of an earlier, and some come again with
/// other values.
fn batches(grid_ms: i64, span: i64) -> impl Strategy<Value = Vec<Samples>> {
    let batch = (vec(battery_sample(grid_ms, span), 0..60), vec(miner_sample(grid_ms, span), 0..60));
    vec(batch.prop_map(|(battery, miners)| Samples { battery, miners }), 1..5)
}

fn windows(span: i64) -> impl Strategy<Value = Vec<Window>> {
    let one = (-span / 4..span, 1..span + span / 4, 1_u32..150)
        .prop_map(|(from, length, points)| window(BEGIN + from, BEGIN + from + length, points));
    vec(one, 1..12)
}

fn told_as_counted(batches: &[Samples], windows: &[Window], span: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::in_memory().await.unwrap();
        let (mut battery_by_hand, mut miner_by_hand) = (ByHand::default(), ByHand::default());
        for samples in batches {
            record(&store, samples, BEGIN + span).await;
            samples.battery.iter().for_each(|sample| battery_by_hand.take_battery(sample));
            samples.miners.iter().for_each(|sample| miner_by_hand.take_miner(sample));
            for window in windows {
                check(&battery(&store, *window).await, &battery_by_hand, *window);
                check(&miner(&store, &garage(), *window).await, &miner_by_hand, *window);
            }
        }
        let (from, to) = (windows[0].from.0, windows[0].to.0);
        let told = store.battery_energy(UtcMillis(from), UtcMillis(to)).await.unwrap();
        let counted = battery_by_hand.battery_energy(from, to, RULES.battery_gap.as_millis() as i64);
        for (told, counted) in [
            (told.pv_wh, counted.pv_wh),
            (told.load_wh, counted.load_wh),
            (told.imported_wh, counted.imported_wh),
            (told.exported_wh, counted.exported_wh),
            (told.charged_wh, counted.charged_wh),
            (told.discharged_wh, counted.discharged_wh),
        ] {
            assert!((told - counted).abs() < 0.05, "{told} Wh instead of {counted}");
        }
        assert!((told.covered_s - counted.covered_s).abs() < 1e-6);

        let told = store.miner_energy(&garage(), UtcMillis(from), UtcMillis(to)).await.unwrap();
        let gap = RULES.miner_gap.as_millis() as i64;
        let counted = miner_by_hand.wh(Quantity::Power, |power| power, from, to, gap);
        assert!((told.drawn_wh - counted).abs() < 0.05, "{} Wh instead of {counted}", told.drawn_wh);
        assert!((told.covered_s - miner_by_hand.covered(&[Quantity::Power], from, to, gap)).abs() < 1e-6);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hours_are_told_as_counted(batches in batches(50, 2 * HOUR), windows in windows(2 * HOUR)) {
        told_as_counted(&batches, &windows, 2 * HOUR);
    }

    #[test]
    fn days_are_told_as_counted(batches in batches(MINUTE, 5 * DAY), windows in windows(5 * DAY)) {
        told_as_counted(&batches, &windows, 5 * DAY);
    }

    /// As it is in use: each batch is newer than the one before.
    #[test]
    fn days_that_come_in_their_order_are_told_as_counted(
        batches in batches(MINUTE, 5 * DAY), windows in windows(5 * DAY), size in 1_usize..20,
    ) {
        let mut samples: Vec<_> = batches.into_iter().flat_map(|batch| batch.battery).collect();
        samples.sort_by_key(|sample| sample.at);
        let batches: Vec<_> = samples.chunks(size).map(|samples| of_battery(samples.to_vec())).collect();
        told_as_counted(&batches, &windows, 5 * DAY);
    }

    /// Few instants, so that most samples meet one that is there already.
    #[test]
    fn what_comes_again_changes_nothing(batches in batches(30 * SECOND, 20 * MINUTE), windows in windows(20 * MINUTE)) {
        told_as_counted(&batches, &windows, 20 * MINUTE);
    }
}
