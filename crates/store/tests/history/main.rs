//! The history: what goes in is what is told, however it came.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "what fails here fails the test; whole numbers are kept exactly"
)]

mod by_hand;
mod counted;
mod energy;
mod keeping;
mod rows;
mod taking;
mod telling;

use model::{
    MinerId, MonoTime, Now, UtcMillis, Watts,
    history::{BatterySample, MinerSample, Quantity, Track, Window},
};
use std::time::Duration;
use store::{HistoryRules, Samples, Store};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The length of what the store calls a slot.
const SLOT: i64 = 15 * MINUTE;

/// 2026-03-21T00:00:00Z.
const BEGIN: i64 = 1_774_051_200_000;

const RULES: HistoryRules = HistoryRules {
    battery_gap: Duration::from_secs(10 * 60),
    miner_gap: Duration::from_secs(60),
    keep_samples: Duration::from_secs(30 * 24 * 3600),
};

fn garage() -> MinerId {
    MinerId("garage".to_owned())
}

/// A snapshot in which nothing is known.
fn blank(at: i64) -> BatterySample {
    BatterySample { at: UtcMillis(at), soc: None, pv: None, load: None, grid: None, battery: None }
}

fn sunny(at: i64, pv: i32) -> BatterySample {
    BatterySample { pv: Watts::new(pv.into()), ..blank(at) }
}

/// A reading in which nothing is known.
fn silent(miner: &MinerId, at: i64) -> MinerSample {
    MinerSample {
        miner: miner.clone(),
        at: UtcMillis(at),
        power: None,
        power_set: None,
        hash_rate: None,
        ambient: None,
        chip_max: None,
        fan_in_rpm: None,
        fan_out_rpm: None,
    }
}

fn drawing(miner: &MinerId, at: i64, power: i32) -> MinerSample {
    MinerSample { power: Watts::new(power.into()), ..silent(miner, at) }
}

fn of_battery(battery: impl IntoIterator<Item = BatterySample>) -> Samples {
    Samples { battery: battery.into_iter().collect(), miners: Vec::new() }
}

fn of_miners(miners: impl IntoIterator<Item = MinerSample>) -> Samples {
    Samples { battery: Vec::new(), miners: miners.into_iter().collect() }
}

fn window(from: i64, to: i64, points: u32) -> Window {
    Window { from: UtcMillis(from), to: UtcMillis(to), points }
}

async fn record(store: &Store, samples: &Samples, now: i64) {
    store.record_samples(samples, &RULES, UtcMillis(now)).await.unwrap();
}

async fn battery(store: &Store, window: Window) -> Track {
    store.battery_history(window, &Quantity::OF_BATTERY, RULES.battery_gap).await.unwrap()
}

async fn miner(store: &Store, miner: &MinerId, window: Window) -> Track {
    store.miner_history(miner, window, &Quantity::OF_MINER, RULES.miner_gap).await.unwrap()
}

/// Instants and means of one quantity.
fn line(track: &Track, quantity: Quantity) -> Vec<(i64, Option<f64>)> {
    track.at.iter().map(|at| at.0).zip(track.series(quantity).unwrap().mean.iter().copied()).collect()
}

fn at(now: i64) -> Now {
    Now { mono: MonoTime(0), utc: UtcMillis(now) }
}
