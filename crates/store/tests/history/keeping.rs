//! What is kept: for how long, and over the end of the program.

use crate::{
    BEGIN, DAY, HOUR, MINUTE, SLOT, at, battery, drawing, garage, line, miner, of_battery, record, sunny,
    window,
};
use model::{UtcMillis, history::Quantity};
use std::fs;
use store::{FILE_NAME, Samples, Store};

const KEEP: i64 = 30 * DAY;

/// A minute's samples of the battery and a miner, the power counting minutes.
fn samples(from: i64) -> Samples {
    let minute = ((from - BEGIN) / MINUTE) as i32;
    let instants = || (from..from + MINUTE).step_by(20_000);
    Samples {
        battery: instants().map(|at| sunny(at, minute)).collect(),
        miners: instants().map(|at| drawing(&garage(), at, minute)).collect(),
    }
}

async fn run(store: &Store, from: i64, to: i64, every: i64) {
    for at in (from..to).step_by(every as usize) {
        record(store, &samples(at), at + MINUTE).await;
    }
}

/// Whether this hour is told by its samples, for battery and miner alike.
async fn is_told_by_samples(store: &Store, from: i64) -> bool {
    let battery = battery(store, window(from, from + HOUR, 1000)).await;
    let miner = miner(store, &garage(), window(from, from + HOUR, 1000)).await;
    assert_eq!(battery.step_ms, miner.step_ms);
    assert!(!battery.at.is_empty() && battery.at == miner.at);
    battery.step_ms.is_none()
}

#[tokio::test]
async fn samples_go_after_their_time_and_what_was_made_of_them_stays() {
    let store = Store::in_memory().await.unwrap();
    run(&store, BEGIN, BEGIN + 4 * HOUR, MINUTE).await;
    let (from, to) = (UtcMillis(BEGIN), UtcMillis(BEGIN + DAY));
    let energies = async || {
        let miner = store.miner_energy(&garage(), from, to).await.unwrap();
        (store.battery_energy(from, to).await.unwrap(), miner)
    };
    let in_minutes = battery(&store, window(BEGIN, BEGIN + 4 * HOUR, 300)).await;
    let before = energies().await;
    assert!(is_told_by_samples(&store, BEGIN).await);

    // A slot begins every fifteen minutes, and with it some of the oldest samples go.
    run(&store, BEGIN + KEEP, BEGIN + KEEP + 3 * HOUR, SLOT).await;
    assert!(!is_told_by_samples(&store, BEGIN).await);
    assert!(is_told_by_samples(&store, BEGIN + 3 * HOUR).await);
    assert_eq!(battery(&store, window(BEGIN, BEGIN + 4 * HOUR, 300)).await, in_minutes);
    assert_eq!(battery(&store, window(BEGIN, BEGIN + 4 * HOUR, 10_000)).await, in_minutes);
    assert_eq!(energies().await, before);
    assert_eq!(store.history_begins().await.unwrap(), Some(from));

    // After weeks without a sample, a day of them goes with each slot.
    run(&store, BEGIN + 3 * KEEP, BEGIN + 3 * KEEP + HOUR, SLOT).await;
    assert!(!is_told_by_samples(&store, BEGIN + 3 * HOUR).await);
    assert_eq!(battery(&store, window(BEGIN, BEGIN + 4 * HOUR, 300)).await, in_minutes);
    assert_eq!(energies().await, before);
}

/// A slot of which samples are gone must not be made anew of the rest.
#[tokio::test]
async fn a_sample_that_comes_for_a_slot_without_its_samples_is_not_taken() {
    let store = Store::in_memory().await.unwrap();
    run(&store, BEGIN, BEGIN + 2 * HOUR, MINUTE).await;
    run(&store, BEGIN + KEEP, BEGIN + KEEP + HOUR + 2 * SLOT, SLOT).await;
    let all = window(BEGIN, BEGIN + 2 * HOUR, 300);
    let before = battery(&store, all).await;
    assert_eq!(before.step_ms, Some(MINUTE));
    // The clock goes back, so that even the oldest could be a sample of these days.
    for late in (BEGIN..BEGIN + HOUR).step_by(MINUTE as usize) {
        record(&store, &of_battery([sunny(late + 1, 9999)]), BEGIN + 2 * HOUR).await;
    }
    assert_eq!(battery(&store, all).await, before);
}

#[tokio::test]
async fn a_clock_that_is_ahead_for_a_while_takes_a_few_days_of_samples_at_the_most() {
    let store = Store::in_memory().await.unwrap();
    for day in 0..5 {
        run(&store, BEGIN + day * DAY, BEGIN + day * DAY + HOUR, MINUTE).await;
    }
    let now = BEGIN + 4 * DAY + HOUR;
    let ahead = 4_102_444_800_000;
    for sample in [drawing(&garage(), ahead, 1), drawing(&garage(), ahead + SLOT, 2)] {
        record(&store, &Samples { battery: Vec::new(), miners: vec![sample] }, ahead + SLOT).await;
    }
    assert!(!is_told_by_samples(&store, BEGIN + DAY).await);
    assert!(is_told_by_samples(&store, BEGIN + 2 * DAY).await);

    // With the right time it goes on at once.
    run(&store, now, now + DAY, MINUTE).await;
    for points in [1000, 100, 10] {
        let track = battery(&store, window(now, now + DAY, points)).await;
        let pv = track.series(Quantity::Pv).unwrap();
        let lowest = pv.min.iter().copied().flatten().reduce(f64::min).unwrap();
        let highest = pv.max.iter().copied().flatten().reduce(f64::max).unwrap();
        assert_eq!(highest - lowest, 1439.0);
    }
}

/// What lies on the disk while the program runs is all that a `kill -9` leaves.
#[tokio::test]
async fn every_batch_is_on_the_disk_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), at(BEGIN)).await.unwrap().store;
    for minute in 0..40 {
        let from = BEGIN + minute * MINUTE;
        record(&store, &samples(from), from + MINUTE).await;
        let left = tempfile::tempdir().unwrap();
        for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
            fs::copy(dir.path().join(&name), left.path().join(&name)).unwrap();
        }
        let found = Store::open(left.path(), at(from)).await.unwrap();
        assert_eq!(found.notes, Vec::<String>::new());
        let track = battery(&found.store, window(BEGIN, BEGIN + HOUR, 1000)).await;
        let expected: Vec<_> = (0..=minute)
            .flat_map(|minute| {
                [0, 20_000, 40_000].map(|after| (BEGIN + minute * MINUTE + after, Some(minute as f64)))
            })
            .collect();
        assert_eq!(line(&track, Quantity::Pv), expected);
        let in_minutes = miner(&found.store, &garage(), window(BEGIN, BEGIN + HOUR, 100)).await;
        assert_eq!(in_minutes.series(Quantity::Power).unwrap().max.last(), Some(&Some(minute as f64)));
    }
}

#[tokio::test]
async fn a_database_that_was_never_closed_keeps_its_history() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), at(BEGIN)).await.unwrap().store;
    run(&store, BEGIN, BEGIN + HOUR, MINUTE).await;
    drop(store);
    let store = Store::open(dir.path(), at(BEGIN)).await.unwrap().store;
    run(&store, BEGIN + HOUR, BEGIN + 2 * HOUR, MINUTE).await;
    let track = miner(&store, &garage(), window(BEGIN, BEGIN + DAY, 1000)).await;
    assert_eq!((track.step_ms, track.at.len()), (None, 360));
}
