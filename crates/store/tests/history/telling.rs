//! How a stretch of time is told.

use crate::{
    BEGIN, DAY, HOUR, MINUTE, RULES, SECOND, battery, blank, drawing, garage, line, miner, of_battery,
    of_miners, record, sunny, window,
};
use model::{
    UtcMillis,
    history::{BatterySample, Quantity, Track},
};
use std::time::Duration;
use store::{Store, Subject};

/// Samples ten seconds apart, the power counting up.
async fn counting(length: i64) -> Store {
    let store = Store::in_memory().await.unwrap();
    let samples = (0..length / 10_000).map(|count| sunny(BEGIN + count * 10_000, count as i32));
    record(&store, &of_battery(samples), BEGIN + length).await;
    store
}

#[tokio::test]
async fn points_are_samples_while_these_are_few_enough() {
    let store = counting(HOUR).await;
    for (points, step) in [
        (1000, None),
        (360, None),
        (359, Some(30 * SECOND)),
        (120, Some(30 * SECOND)),
        (119, Some(MINUTE)),
        (59, Some(2 * MINUTE)),
        (29, Some(5 * MINUTE)),
        (4, Some(15 * MINUTE)),
        (1, Some(HOUR)),
        (0, Some(HOUR)),
    ] {
        let track = battery(&store, window(BEGIN, BEGIN + HOUR, points)).await;
        assert_eq!(track.step_ms, step, "{points} points");
    }
    let track = battery(&store, window(BEGIN + 20 * MINUTE, BEGIN + 80 * MINUTE, 2)).await;
    assert_eq!(track.step_ms, Some(HOUR), "three buckets of half an hour would reach into it");
}

#[tokio::test]
async fn a_bucket_tells_the_least_the_mean_and_the_greatest() {
    let store = counting(HOUR).await;
    let track = battery(&store, window(BEGIN, BEGIN + 20 * MINUTE, 2)).await;
    let pv = track.series(Quantity::Pv).unwrap();
    assert_eq!(track.at, [UtcMillis(BEGIN), UtcMillis(BEGIN + 10 * MINUTE)]);
    assert_eq!((&pv.min[..], &pv.max[..]), (&[Some(0.0), Some(60.0)][..], &[Some(59.0), Some(119.0)][..]));
    assert_eq!(pv.mean, [Some(29.5 + 0.5), Some(89.5 + 0.5)], "the means of minutes are rounded");
    assert_eq!(track.series(Quantity::Soc).unwrap().mean, [None, None]);
}

/// Every sample of a day counts its place: no bucket may leave one out, tell it twice or tell one of another day.
async fn every_sample_of_the_day_is_found_once(from: &str, to: &str, hours: f64) {
    let (from, to): (UtcMillis, UtcMillis) = (from.parse().unwrap(), to.parse().unwrap());
    assert_eq!(to.millis_since(from) as f64 / HOUR as f64, hours);
    let store = Store::in_memory().await.unwrap();
    let (first, last) = (from.0 - DAY, to.0 + DAY);
    let place = |at: i64| ((at - first) / (5 * MINUTE)) as i32;
    let load = |at| BatterySample { load: model::Watts::new(1000.0), ..sunny(at, place(at)) };
    record(&store, &of_battery((first..=last).step_by(5 * MINUTE as usize).map(load)), last).await;
    for points in [1000, 150, 100, 50, 26] {
        let track = battery(&store, window(from.0, to.0, points)).await;
        let pv = track.series(Quantity::Pv).unwrap();
        let mut next = f64::from(place(from.0));
        for (min, max) in pv.min.iter().zip(&pv.max) {
            assert_eq!(*min, Some(next), "{points} points");
            next = max.unwrap() + 1.0;
        }
        assert_eq!(next, f64::from(place(to.0)), "{points} points");
    }
    let energy = store.battery_energy(from, to).await.unwrap();
    assert_eq!((energy.load_wh, energy.covered_s), (hours * 1000.0, hours * 3600.0));
}

#[tokio::test]
async fn every_sample_is_found_once_on_a_day_of_23_hours() {
    // America/New_York, 8 March 2026.
    every_sample_of_the_day_is_found_once("2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", 23.0).await;
}

#[tokio::test]
async fn every_sample_is_found_once_on_a_day_of_25_hours() {
    // America/New_York, 1 November 2026.
    every_sample_of_the_day_is_found_once("2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 25.0).await;
}

#[tokio::test]
async fn every_sample_is_found_once_where_clocks_change_by_half_an_hour() {
    // Australia/Lord_Howe, 5 April and 4 October 2026.
    every_sample_of_the_day_is_found_once("2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", 24.5).await;
    every_sample_of_the_day_is_found_once("2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", 23.5).await;
}

/// Tracks of this store's battery in windows of all kinds around an instant.
async fn around(store: &Store, at: i64) -> Vec<Track> {
    let mut tracks = Vec::new();
    for length in [SECOND, MINUTE, 7 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, 40 * DAY, 4000 * DAY] {
        for points in [1, 2, 3, 7, 50, 333, 1000, 10_000] {
            for before in [0, length / 3, length - 1] {
                let window = window(at - before, at - before + length, points);
                let track = battery(store, window).await;
                assert!(track.at.len() <= points as usize);
                tracks.push(track);
            }
        }
    }
    tracks
}

#[tokio::test]
async fn a_peak_of_one_sample_survives_every_window_and_every_number_of_points() {
    let store = Store::in_memory().await.unwrap();
    let peak = BEGIN + DAY + 7 * HOUR + 13 * MINUTE + 20 * SECOND;
    let power = |at| match at - peak {
        0 => 9000,
        10_000 => -9000,
        _ => 100,
    };
    let samples = |from: i64, to: i64| (from..to).step_by(10_000).map(|at| sunny(at, power(at)));
    record(&store, &of_battery(samples(BEGIN, BEGIN + 2 * DAY)), BEGIN + 2 * DAY).await;
    for track in around(&store, peak).await {
        let highest = track.series(Quantity::Pv).unwrap().max.iter().copied().flatten().reduce(f64::max);
        assert_eq!(highest, Some(9000.0), "{:?}", track.step_ms);
    }
    for track in around(&store, peak + 10_000).await {
        let lowest = track.series(Quantity::Pv).unwrap().min.iter().copied().flatten().reduce(f64::min);
        assert_eq!(lowest, Some(-9000.0), "{:?}", track.step_ms);
    }
}

#[tokio::test]
async fn gaps_stay_gaps() {
    let store = Store::in_memory().await.unwrap();
    let on = |from: i64| (from..from + HOUR).step_by(10_000);
    let samples = on(BEGIN).chain(on(BEGIN + 10 * HOUR)).map(|at| sunny(at, 500));
    record(&store, &of_battery(samples), BEGIN + DAY).await;
    for (points, step, count) in [
        (720, None, 720),
        (700, Some(MINUTE), 120),
        (100, Some(10 * MINUTE), 12),
        (50, Some(15 * MINUTE), 8),
        (11, Some(HOUR), 2),
    ] {
        let track = battery(&store, window(BEGIN, BEGIN + 11 * HOUR, points)).await;
        assert_eq!((track.step_ms, track.at.len()), (step, count));
        let gap_ms = step.map_or(600_000, |step| (step * 3 / 2).max(600_000));
        assert_eq!(track.gap_ms, gap_ms);
        let apart: Vec<_> = track.at.windows(2).map(|two| two[1].millis_since(two[0])).collect();
        assert_eq!(apart.iter().filter(|apart| **apart > gap_ms).count(), 1, "{points} points");
    }
}

#[tokio::test]
async fn unknown_stays_unknown() {
    let store = Store::in_memory().await.unwrap();
    let samples = (0..720).map(|count| {
        let at = BEGIN + count * 10_000;
        if count < 360 { sunny(at, 500) } else { blank(at) }
    });
    record(&store, &of_battery(samples), BEGIN + DAY).await;
    for points in [720, 300, 120, 2] {
        let track = battery(&store, window(BEGIN, BEGIN + 2 * HOUR, points)).await;
        for (at, pv) in line(&track, Quantity::Pv) {
            assert_eq!(pv, (at < BEGIN + HOUR).then_some(500.0), "{points} points");
        }
        assert!(line(&track, Quantity::Load).iter().all(|(_, load)| load.is_none()));
    }
}

#[tokio::test]
async fn series_are_those_that_were_asked_for_in_their_order() {
    let store = counting(HOUR).await;
    let asked = [Quantity::Battery, Quantity::Pv, Quantity::Power, Quantity::Pv];
    for window in [window(BEGIN, BEGIN + HOUR, 60), window(BEGIN, BEGIN + HOUR, 1000), window(0, 0, 9)] {
        let track = store.battery_history(window, &asked, Duration::ZERO).await.unwrap();
        assert_eq!(track.series.iter().map(|series| series.quantity).collect::<Vec<_>>(), asked);
        for series in &track.series {
            for values in [&series.min, &series.mean, &series.max] {
                assert_eq!(values.len(), track.at.len());
                assert!(values.iter().all(|value| value.is_some() == (series.quantity == Quantity::Pv)));
            }
        }
    }
    let track = store.battery_history(window(BEGIN, BEGIN + HOUR, 60), &[], Duration::ZERO).await.unwrap();
    assert_eq!((track.at.len(), track.series.len()), (60, 0));
}

#[tokio::test]
async fn a_window_without_length_is_an_empty_track() {
    let store = counting(HOUR).await;
    for (from, to) in [(BEGIN, BEGIN), (BEGIN + HOUR, BEGIN), (i64::MAX, i64::MIN), (i64::MIN, 0)] {
        let track = battery(&store, window(from, to, 100)).await;
        assert_eq!((track.at.len(), track.step_ms, track.series.len()), (0, None, 5));
        assert_eq!(track.gap_ms, RULES.battery_gap.as_millis() as i64);
    }
}

#[tokio::test]
async fn the_history_begins_with_the_earliest_sample_of_anything() {
    let store = Store::in_memory().await.unwrap();
    assert_eq!(store.history_begins().await.unwrap(), None);
    record(&store, &of_miners([drawing(&garage(), BEGIN + HOUR, 100)]), BEGIN + DAY).await;
    assert_eq!(store.history_begins().await.unwrap(), Some(UtcMillis(BEGIN + HOUR)));
    record(&store, &of_battery([blank(BEGIN + 30 * SECOND)]), BEGIN + DAY).await;
    assert_eq!(store.history_begins().await.unwrap(), Some(UtcMillis(BEGIN)), "to the minute");
}

#[tokio::test]
async fn parts_told_as_finely_as_the_whole_are_together_the_whole() {
    let store = Store::in_memory().await.unwrap();
    let now = BEGIN + 2 * DAY;
    let samples: Vec<_> =
        (0..8640).map(|n| drawing(&garage(), BEGIN + i64::from(n) * 20 * SECOND, n % 997)).collect();
    for some in samples.chunks(1000) {
        record(&store, &of_miners(some.iter().cloned()), now).await;
    }
    let subject = Subject::Miner(garage());
    let (from, to) = (BEGIN + 7 * MINUTE + SECOND, now - 3 * MINUTE);
    for points in [1, 3, 10, 50, 100, 1000, 5000, 10_000] {
        let whole = miner(&store, &garage(), window(from, to, points)).await;
        let detail = store.history_detail(&subject, window(from, to, points)).await.unwrap();
        assert_eq!(detail.step_ms(), whole.step_ms, "{points} points");
        let length = detail.step_ms().map_or(HOUR, |step| 3 * step);
        let (mut told, mut at) = (Vec::new(), from);
        while at < to {
            let until = to.min((at.div_euclid(length) + 1) * length);
            let (from, to) = (UtcMillis(at), UtcMillis(until));
            let part = store.history_part(&subject, from, to, detail, &Quantity::OF_MINER, RULES.miner_gap);
            told.extend(line(&part.await.unwrap(), Quantity::Power));
            at = until;
        }
        assert_eq!(told, line(&whole, Quantity::Power), "{points} points");
        assert!(!told.is_empty());
    }
}
