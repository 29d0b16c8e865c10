//! What is kept of every reading: all of it, once, and nothing that wasn't read.

use crate::house::{House, Options};
use model::{
    AlertCode, MinerId, Now, UtcMillis,
    history::{Quantity, Track, Window},
};
use sqlx::{Connection, Executor, SqliteConnection};
use std::time::Duration;
use store::Store;

/// What a power cut at this moment would leave of the samples.
struct Kept {
    battery: Track,
    miner: Track,
}

impl Kept {
    async fn of(house: &House) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for suffix in ["", "-wal"] {
            let name = format!("{}{suffix}", store::FILE_NAME);
            if house.data().join(&name).exists() {
                std::fs::copy(house.data().join(&name), copy.path().join(&name)).unwrap();
            }
        }
        let store = Store::open(copy.path(), Now::default()).await.unwrap().store;
        let everything = Window { from: UtcMillis(0), to: UtcMillis(i64::MAX), points: store::MOST_POINTS };
        let (gap, id) = (Duration::from_secs(360), MinerId("m1".into()));
        let battery = store.battery_history(everything, &Quantity::OF_BATTERY, gap).await.unwrap();
        let miner = store.miner_history(&id, everything, &Quantity::OF_MINER, gap).await.unwrap();
        assert_eq!((battery.step_ms, miner.step_ms), (None, None), "single samples");
        Self { battery, miner }
    }
}

/// Seconds between the instants of a track.
fn distances(track: &Track) -> Vec<i64> {
    track.at.windows(2).map(|pair| pair[1].millis_since(pair[0]) / 1000).collect()
}

fn values(track: &Track, quantity: Quantity) -> Vec<Option<f64>> {
    track.series(quantity).unwrap().mean.clone()
}

/// Seconds from the last instant of a track until now.
fn missing(house: &House, track: &Track) -> i64 {
    house.clock.true_time().millis_since(*track.at.last().unwrap()) / 1000
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reading_of_the_miner_and_every_upload_of_the_battery_is_a_sample() {
    let house = House::open(Options::default()).await;
    house.run(1800).await;
    let Kept { battery, miner } = Kept::of(&house).await;
    let start: UtcMillis = "2026-06-21T18:00:00Z".parse().unwrap();
    assert_eq!((battery.at[0], miner.at[0]), (start, start));
    assert!(distances(&miner).iter().all(|seconds| *seconds == 10), "{:?}", distances(&miner));
    assert!(missing(&house, &miner) <= 70 && miner.at.len() > 170, "{} samples", miner.at.len());
    let powers = values(&miner, Quantity::Power);
    assert!(powers.iter().all(|watts| watts.is_some_and(|watts| watts > 3300.0)), "{powers:?}");
    for quantity in Quantity::OF_MINER {
        assert!(values(&miner, quantity).iter().all(Option::is_some), "{quantity:?}");
    }

    // The portal is asked every 30 s and learns something new every 4 min or so.
    let uploads = distances(&battery);
    assert!(uploads.iter().all(|seconds| (200..=280).contains(seconds)), "{uploads:?}");
    assert!((7..=9).contains(&battery.at.len()), "{uploads:?}");
    assert!(values(&battery, Quantity::Soc).iter().all(|soc| *soc == Some(95.0)));
    for quantity in Quantity::OF_BATTERY {
        assert!(values(&battery, quantity).iter().all(Option::is_some), "{quantity:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_portal_adds_nothing_to_the_battery() {
    let house = House::open(Options::default()).await;
    house.run(600).await;
    house.set_portal(|faults| faults.frozen = true);
    house.run(1800).await;
    let frozen = Kept::of(&house).await;
    assert!(missing(&house, &frozen.battery) >= 1800, "{:?}", frozen.battery.at);
    assert!(missing(&house, &frozen.miner) <= 70, "the miner is still read");
    house.set_portal(|faults| faults.frozen = false);
    house.run(600).await;
    let after = Kept::of(&house).await.battery;
    assert_eq!(after.at[..frozen.battery.at.len()], frozen.battery.at);
    let gaps: Vec<_> = distances(&after).into_iter().filter(|seconds| *seconds > 360).collect();
    assert!(gaps.len() == 1 && gaps[0] > 1700, "one gap: {:?}", distances(&after));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_that_cant_be_reached_leaves_a_gap_and_no_zeros() {
    let house = House::open(Options::default()).await;
    house.run(300).await;
    house.miner().update_faults(|faults| faults.refuse_connections = true);
    house.miner().until_listening(false).await;
    house.run(600).await;
    house.miner().update_faults(|faults| faults.refuse_connections = false);
    house.miner().until_listening(true).await;
    house.run(300).await;
    let miner = Kept::of(&house).await.miner;
    let gaps: Vec<_> = distances(&miner).into_iter().filter(|seconds| *seconds != 10).collect();
    assert!(gaps.len() == 1 && gaps[0] >= 600, "{gaps:?}");
    let powers = values(&miner, Quantity::Power);
    assert!(powers.iter().all(|watts| watts.is_some_and(|watts| watts > 3000.0)), "{powers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_battery_that_is_lost_has_no_state_of_charge() {
    let house = House::open(Options::default()).await;
    house.run(60).await;
    house.set_portal(|faults| faults.lost = true);
    house.portal().upload_now();
    let lost_at = house.clock.true_time();
    house.run(120).await;
    let battery = Kept::of(&house).await.battery;
    let told: Vec<_> = battery.at.iter().zip(values(&battery, Quantity::Soc)).collect();
    assert!(
        told.iter().all(|(at, soc)| soc.is_some() == (at.millis_since(lost_at) < -1000)),
        "lost at {lost_at}: {told:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_isnt_written_yet_is_told_all_the_same() {
    let house = House::open(Options::default()).await;
    for seconds in [30, 100, 20, 47] {
        house.run(seconds).await;
        let waiting = house.handle.waiting_samples();
        let mut miner = Kept::of(&house).await.miner;
        miner.go_on(waiting.miners);
        assert!(missing(&house, &miner) <= 10, "{:?}", miner.at);
        assert!(distances(&miner).iter().all(|seconds| *seconds <= 10), "{:?}", distances(&miner));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_writes_what_still_waits() {
    let mut house = House::open(Options::default()).await;
    house.run(20).await;
    assert!(Kept::of(&house).await.miner.at.is_empty(), "nothing has waited for a minute");
    house.stop().await;
    let kept = Kept::of(&house).await;
    assert_eq!((kept.miner.at.len(), kept.battery.at.len()), (4, 1), "{:?}", kept.miner.at);
    house.restart().await;
    house.run(120).await;
    let miner = Kept::of(&house).await.miner;
    assert_eq!(miner.at[..4], kept.miner.at, "and a restart goes on from there");
    assert!(miner.at.len() > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_costs_a_minute_at_the_most() {
    let house = House::open(Options::default()).await;
    house.run(300).await;
    for _ in 0..8 {
        house.run(10).await;
        let miner = Kept::of(&house).await.miner;
        assert!(missing(&house, &miner) <= 70, "{} s", missing(&house, &miner));
        assert!(distances(&miner).iter().all(|seconds| *seconds == 10));
    }
}

/// Somebody else holds the database for a while, as a backup may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_refuses_for_a_while_loses_nothing() {
    let house = House::open(Options::default()).await;
    house.run(120).await;
    let file = house.data().join(store::FILE_NAME);
    let mut other = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let kept = Kept::of(&house).await.miner.at.len();
    house.run(300).await;
    assert!(house.alerts().contains(&AlertCode::Database), "{:?}", house.alerts());
    assert_eq!(Kept::of(&house).await.miner.at.len(), kept);
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    house.run(130).await;
    assert!(!house.alerts().contains(&AlertCode::Database), "{:?}", house.alerts());
    let Kept { battery, miner } = Kept::of(&house).await;
    assert!(distances(&miner).iter().all(|seconds| *seconds == 10), "{:?}", distances(&miner));
    assert!(missing(&house, &miner) <= 70 && missing(&house, &battery) <= 360);
    house.assert_sound();
}
