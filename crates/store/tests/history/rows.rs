//! How many rows there are: what is derived is what is there.

use crate::{BEGIN, DAY, HOUR, MINUTE, SLOT, at, drawing, garage, record, sunny};
use model::{MinerId, UtcMillis};
use sqlx::{Connection, SqliteConnection, query_scalar};
use std::path::Path;
use store::{FILE_NAME, Rows, Samples, Store};

/// A minute's samples; the second miner is read half as often.
fn samples(from: i64) -> Samples {
    let shed = MinerId("shed".to_owned());
    let instants = |apart: usize| (from..from + MINUTE).step_by(apart);
    let miners = instants(10_000).map(|at| drawing(&garage(), at, 1));
    Samples {
        battery: instants(30_000).map(|at| sunny(at, 2)).collect(),
        miners: miners.chain(instants(20_000).map(|at| drawing(&shed, at, 3))).collect(),
    }
}

/// Every row, one by one.
async fn one_by_one(dir: &Path) -> Rows {
    let path = dir.join(FILE_NAME);
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let mut counts = Vec::new();
    for tier in ["samples", "1min", "15min", "6h"] {
        let sql =
            format!("SELECT (SELECT count(*) FROM battery_{tier}) + (SELECT count(*) FROM miner_{tier})");
        let count: i64 = query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        counts.push(u64::try_from(count).unwrap());
    }
    connection.close().await.unwrap();
    let [samples, minutes, slots, parts] = counts[..] else { unreachable!("four tiers") };
    Rows { samples, minutes, slots, parts }
}

#[tokio::test]
async fn what_is_counted_is_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), at(BEGIN)).await.unwrap().store;
    let everything = (UtcMillis(0), UtcMillis(253_402_300_800_000));
    let counted = async || store.history_rows(everything.0, everything.1).await.unwrap();
    assert_eq!(counted().await, Rows::default());
    for minute in 0..8 * 60 {
        record(&store, &samples(BEGIN + minute * MINUTE), BEGIN + (minute + 1) * MINUTE).await;
    }
    let of_eight_hours = one_by_one(dir.path()).await;
    assert_eq!(of_eight_hours.samples, 8 * 60 * (2 + 6 + 3));
    assert_eq!(of_eight_hours.minutes, 8 * 60 * 3);
    assert_eq!(counted().await, of_eight_hours);

    // A month later, the oldest samples go, a slot with each that begins.
    for slot in 0..12 {
        let begin = BEGIN + 30 * DAY + slot * SLOT;
        record(&store, &samples(begin), begin + MINUTE).await;
    }
    let there = one_by_one(dir.path()).await;
    assert!(there.samples < of_eight_hours.samples && there.minutes > of_eight_hours.minutes, "{there:?}");
    assert_eq!(counted().await, there);
    let mut by_days = Rows::default();
    for day in 0..=31 {
        let begin = BEGIN + day * DAY;
        by_days += store.history_rows(UtcMillis(begin), UtcMillis(begin + DAY)).await.unwrap();
    }
    assert_eq!(by_days, there);
    let none = store.history_rows(UtcMillis(BEGIN + DAY), UtcMillis(BEGIN + 29 * DAY + HOUR)).await.unwrap();
    assert_eq!(none, Rows::default());
}
