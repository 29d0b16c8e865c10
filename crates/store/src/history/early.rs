//! Removing samples before their time, where the disk has no room for more.

use super::{DAY, floor, source::Source};
use crate::{Store, StoreError, within};
use model::UtcMillis;
use sqlx::{QueryBuilder, query_scalar};

const MAKING_ROOM: &str = "making room in the database";

impl Store {
    /// The bytes in the database's file that hold nothing: what comes next is written there, and the file doesn't grow.
    pub async fn reusable_bytes(&self) -> Result<u64, StoreError> {
        within("asking for room in the database", async {
            let mut connection = self.readers().acquire().await?;
            let pages: i64 = query_scalar("PRAGMA freelist_count").fetch_one(&mut *connection).await?;
            let size: i64 = query_scalar("PRAGMA page_size").fetch_one(&mut *connection).await?;
            Ok(pages.saturating_mul(size).unsigned_abs())
        })
        .await
    }

    /// Removes the oldest day of samples, as UTC counts days, of every source, if that day ends by `until`. Tells the day's end:
    /// no sample from before it is left; `None`, if all samples are younger than that. The rows that were made of them stay,
    /// and nothing else is touched.
    ///
    /// # Errors
    /// Also if there is no room for it: what is removed has to be noted in the log first. Of some sources the day may be removed
    /// then.
    pub async fn remove_oldest_samples(&self, until: UtcMillis) -> Result<Option<UtcMillis>, StoreError> {
        within(MAKING_ROOM, async {
            self.write_log_back().await;
            Ok(())
        })
        .await?;
        let oldest = self.history_extents().await?.samples.map(|extent| extent.from.0);
        let Some(end) = oldest.map(|oldest| floor(oldest, DAY) + DAY).filter(|end| *end <= until.0) else {
            return Ok(None);
        };
        let numbers: Vec<i64> = within(MAKING_ROOM, async {
            query_scalar("SELECT number FROM miner_numbers").fetch_all(self.readers()).await
        })
        .await?;
        let sources = std::iter::once(Source::battery()).chain(numbers.into_iter().map(Source::miner));
        // One source at a time: that is quick, and whoever commands a miner writes in between.
        for source in sources {
            within(MAKING_ROOM, async {
                let mut sql = QueryBuilder::new("DELETE FROM ");
                sql.push(source.kind.samples);
                source.push_where(&mut sql, 0, end);
                sql.build().execute(self.writer()).await
            })
            .await?;
        }
        Ok(Some(UtcMillis(end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HistoryRules, Samples};
    use model::{
        MinerId, Now,
        history::{BatterySample, MinerSample, Quantity, Window},
    };
    use sqlx::query;
    use std::{ops::Range, time::Duration};

    /// 2026-03-21T00:00:00Z.
    const BEGIN: i64 = 1_774_051_200_000;
    const GAP: Duration = Duration::from_secs(600);
    const RULES: HistoryRules =
        HistoryRules { battery_gap: GAP, miner_gap: GAP, keep_samples: Duration::from_secs(30 * 86_400) };

    /// Samples a minute apart, of the battery and a miner, in an hour after the beginning.
    fn hour(hour: i64) -> Samples {
        let instants = || (0..60).map(move |minute| UtcMillis(BEGIN + hour * 3_600_000 + minute * 60_000));
        let battery = |at| BatterySample { at, soc: None, pv: None, load: None, grid: None, battery: None };
        let miner = |at| MinerSample {
            miner: MinerId("garage".into()),
            at,
            power: model::Watts::new(3400.0),
            power_set: None,
            hash_rate: None,
            ambient: None,
            chip_max: None,
            fan_in_rpm: None,
            fan_out_rpm: None,
        };
        Samples { battery: instants().map(battery).collect(), miners: instants().map(miner).collect() }
    }

    async fn measure(store: &Store, hours: Range<i64>) -> Result<(), StoreError> {
        for count in hours {
            store.record_samples(&hour(count), &RULES, UtcMillis(BEGIN + (count + 1) * 3_600_000)).await?;
        }
        Ok(())
    }

    fn after(days: i64) -> UtcMillis {
        UtcMillis(BEGIN + days * DAY)
    }

    #[tokio::test]
    async fn a_day_of_samples_goes_at_a_time_and_what_was_made_of_them_stays() {
        let store = Store::in_memory().await.unwrap();
        assert_eq!(store.remove_oldest_samples(after(9)).await.unwrap(), None);
        measure(&store, 3..80).await.unwrap();
        // Few enough that samples don't tell it.
        let all = Window { from: after(0), to: after(4), points: 100 };
        let in_minutes = async || store.battery_history(all, &Quantity::OF_BATTERY, GAP).await.unwrap();
        let energy =
            async || store.miner_energy(&MinerId("garage".into()), after(0), after(4)).await.unwrap();
        let (rows, track, drawn) =
            (store.history_rows(after(0), after(4)).await.unwrap(), in_minutes().await, energy().await);

        for (until, expected) in [
            (after(1).0 - 1, None),
            (after(1).0, Some(after(1))),
            (after(3).0, Some(after(2))),
            (after(3).0, Some(after(3))),
        ] {
            assert_eq!(store.remove_oldest_samples(UtcMillis(until)).await.unwrap(), expected);
        }
        assert_eq!(store.remove_oldest_samples(after(3)).await.unwrap(), None, "the rest is younger");
        let left = store.history_rows(after(0), after(4)).await.unwrap();
        assert_eq!(left, crate::Rows { samples: 8 * 60 * 2, ..rows });
        assert_eq!((in_minutes().await, energy().await), (track, drawn));
        let extent = store.history_extents().await.unwrap().samples.unwrap();
        assert_eq!(extent.from, after(3));
    }

    /// What was made of samples that are gone isn't made anew of those that come late.
    #[tokio::test]
    async fn what_comes_late_for_a_day_that_went_early_changes_nothing() {
        let store = Store::in_memory().await.unwrap();
        measure(&store, 0..72).await.unwrap();
        store.remove_oldest_samples(after(1)).await.unwrap();
        let rows = store.history_rows(after(0), after(3)).await.unwrap();
        let mut late = hour(5);
        for sample in &mut late.battery {
            sample.at.0 += 1000;
        }
        assert_eq!(store.record_samples(&late, &RULES, after(3)).await.unwrap(), 0);
        assert_eq!(store.history_rows(after(0), after(3)).await.unwrap(), rows);
    }

    #[tokio::test]
    async fn what_went_makes_room_for_what_comes_on_a_disk_that_is_full() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Now::default()).await.unwrap().store;
        measure(&store, 0..96).await.unwrap();
        // SQLite answers a page limit that is reached exactly as it answers a full disk.
        let pages: i64 = query_scalar("PRAGMA page_count").fetch_one(store.writer()).await.unwrap();
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        query(limit).execute(store.writer()).await.unwrap();
        let error = measure(&store, 96..120).await.unwrap_err();
        assert!(error.is_transient(), "{error}");

        let before = store.reusable_bytes().await.unwrap();
        assert_eq!(store.remove_oldest_samples(after(2)).await.unwrap(), Some(after(1)));
        let freed = store.reusable_bytes().await.unwrap() - before;
        assert!(freed > 24 * 60 * 2 * 10, "{freed} bytes of a day");
        measure(&store, 96..100).await.unwrap();
        let pages_now: i64 = query_scalar("PRAGMA page_count").fetch_one(store.writer()).await.unwrap();
        assert_eq!(pages_now, pages, "the file didn't grow");
    }
}
