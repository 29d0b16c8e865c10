//! How many rows what is kept has.

use super::{END, SLOT, floor};
use crate::{Store, StoreError, within};
use model::UtcMillis;
use sqlx::{Row as _, query};
use std::ops::{Add, AddAssign};

/// How many rows each tier has, over all sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// Samples as they were taken.
    pub samples: u64,
    /// Rows of a minute.
    pub minutes: u64,
    /// Rows of a quarter of an hour.
    pub slots: u64,
    /// Rows of six hours.
    pub parts: u64,
}

impl Add for Rows {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            minutes: self.minutes + other.minutes,
            slots: self.slots + other.slots,
            parts: self.parts + other.parts,
        }
    }
}

impl AddAssign for Rows {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The rows from ?1 until before ?2; the end of all times is ?3, the length of a slot ?4. Samples are removed by whole slots
/// from the oldest on, and slots say of how many samples they were made: from the first that is left, their sum is as many as
/// there are, and a hundredth of the rows to look at.
const COUNT: &str = "SELECT \
    (SELECT coalesce(sum(samples), 0) FROM battery_15min \
        WHERE key >= max(?1, (SELECT min(key) / ?4 * ?4 FROM battery_samples)) AND key < ?2) \
    + (SELECT coalesce(sum((SELECT sum(samples) FROM miner_15min WHERE key < (number << 48) + ?2 \
        AND key >= (number << 48) + max(?1, ((SELECT min(key) FROM miner_samples WHERE key >= number << 48 \
            AND key < (number << 48) + ?3) - (number << 48)) / ?4 * ?4))), 0) FROM miner_numbers) AS samples, \
    (SELECT count(*) FROM battery_1min WHERE key >= ?1 AND key < ?2) \
    + (SELECT coalesce(sum((SELECT count(*) FROM miner_1min WHERE key >= (number << 48) + ?1 \
        AND key < (number << 48) + ?2)), 0) FROM miner_numbers) AS minutes, \
    (SELECT count(*) FROM battery_15min WHERE key >= ?1 AND key < ?2) \
    + (SELECT coalesce(sum((SELECT count(*) FROM miner_15min WHERE key >= (number << 48) + ?1 \
        AND key < (number << 48) + ?2)), 0) FROM miner_numbers) AS slots, \
    (SELECT count(*) FROM battery_6h WHERE key >= ?1 AND key < ?2) \
    + (SELECT coalesce(sum((SELECT count(*) FROM miner_6h WHERE key >= (number << 48) + ?1 \
        AND key < (number << 48) + ?2)), 0) FROM miner_numbers) AS parts";

impl Store {
    /// How many rows of each tier begin from `from` until before `to`, which count as the beginnings of their quarters of an
    /// hour. It looks at every row but samples: whoever wants to know it of years asks for a day at a time.
    pub async fn history_rows(&self, from: UtcMillis, to: UtcMillis) -> Result<Rows, StoreError> {
        let whole = |at: UtcMillis| floor(at.0.clamp(0, END.0), SLOT);
        within("counting the history", async {
            let counting = query(COUNT).bind(whole(from)).bind(whole(to)).bind(END.0).bind(SLOT);
            let row = counting.fetch_one(self.readers()).await?;
            let count = |column: &str| row.try_get(column).map(|count: i64| count.unsigned_abs());
            Ok(Rows {
                samples: count("samples")?,
                minutes: count("minutes")?,
                slots: count("slots")?,
                parts: count("parts")?,
            })
        })
        .await
    }
}
