//! How many rows what was measured has. To look at all of them takes a memory card seconds, so it is done now and then, and
//! told with its moment.

use model::UtcMillis;
use std::time::Duration;
use store::{Rows, Store, StoreError};

const DAY: i64 = 86_400_000;
/// The end of all times that are kept.
const END: UtcMillis = UtcMillis(i64::MAX);

/// How many rows there were at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many, by tier.
    pub rows: Rows,
    /// When they were counted.
    pub at: UtcMillis,
}

/// What is known of the rows that stay as many as they are: those of days whose samples are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settled {
    rows: Rows,
    /// Until before this day.
    until: Option<UtcMillis>,
}

impl Settled {
    /// Counts what isn't settled, a day at a time: nobody else waits for long, and every question ends in time.
    pub(super) async fn count(
        &mut self,
        store: &Store,
        now: UtcMillis,
        samples_kept: Duration,
    ) -> Result<Counted, StoreError> {
        let Some(begins) = store.history_begins().await? else {
            return Ok(Counted { rows: Rows::default(), at: now });
        };
        let begins = day(begins);
        let settles = settles(store, now, samples_kept).await?;
        if self.until.is_none_or(|until| until < begins) {
            *self = Self { rows: Rows::default(), until: Some(begins) };
        }
        let mut at = self.until.unwrap_or(begins);
        let mut rows = self.rows;
        while at < day(now) {
            let next = UtcMillis(at.0 + DAY);
            rows += store.history_rows(at, next).await?;
            at = next;
            if at <= settles {
                *self = Self { rows, until: Some(at) };
            }
        }
        rows += store.history_rows(at, END).await?;
        Ok(Counted { rows, at: now })
    }
}

/// The day before which everything stays as it is: no sample is left there, and none is taken any more.
async fn settles(store: &Store, now: UtcMillis, samples_kept: Duration) -> Result<UtcMillis, StoreError> {
    let kept = i64::try_from(samples_kept.as_millis()).unwrap_or(i64::MAX);
    let taken = UtcMillis(now.0.saturating_sub(kept).saturating_sub(DAY));
    let first = store.history_extents().await?.samples.map_or(taken, |extent| extent.from);
    Ok(day(taken.min(first)))
}

/// The beginning of the day that an instant is in, as UTC counts days.
fn day(at: UtcMillis) -> UtcMillis {
    UtcMillis(at.0 - at.0.rem_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Watts, history::BatterySample};
    use store::{HistoryRules, Samples};

    /// 2026-03-21T00:00:00Z.
    const BEGIN: i64 = 1_774_051_200_000;
    const KEPT: Duration = Duration::from_secs(3 * 86_400);

    /// A sample every ten minutes from one day until before another.
    async fn measure(store: &Store, days: std::ops::Range<i64>) {
        let gap = Duration::from_secs(900);
        let rules = HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples: KEPT };
        for hour in days.start * 24..days.end * 24 {
            let begin = BEGIN + hour * 3_600_000;
            let sample = |count: i64| BatterySample {
                at: UtcMillis(begin + count * 600_000),
                soc: None,
                pv: Watts::new(1.0),
                load: None,
                grid: None,
                battery: None,
            };
            let samples = Samples { battery: (0..6).map(sample).collect(), miners: Vec::new() };
            store.record_samples(&samples, &rules, UtcMillis(begin + 3_600_000)).await.unwrap();
        }
    }

    fn after(days: i64) -> UtcMillis {
        UtcMillis(BEGIN + days * DAY)
    }

    #[tokio::test]
    async fn what_is_settled_is_counted_once_and_nothing_is_missed() {
        let store = Store::in_memory().await.unwrap();
        let mut settled = Settled::default();
        let nothing = settled.count(&store, after(0), KEPT).await.unwrap();
        assert_eq!(nothing, Counted { rows: Rows::default(), at: after(0) });
        let mut until = None;
        for days in [1, 2, 8, 9, 20] {
            measure(&store, until.unwrap_or(0)..days).await;
            until = Some(days);
            let counted = settled.count(&store, after(days), KEPT).await.unwrap();
            let all = store.history_rows(UtcMillis(0), END).await.unwrap();
            assert_eq!(counted, Counted { rows: all, at: after(days) }, "after {days} days");
            assert_eq!(counted.rows.minutes, days.unsigned_abs() * 144);
        }
        assert_eq!(
            settled.until,
            Some(after(16)),
            "three days of samples, and a day for those that come late"
        );
        // A clock that goes back settles nothing anew, and what is ahead of it counts.
        let before = settled;
        let counted = settled.count(&store, after(5), KEPT).await.unwrap();
        assert_eq!((counted.rows, settled), (store.history_rows(UtcMillis(0), END).await.unwrap(), before));
    }

    #[tokio::test]
    async fn days_of_which_samples_are_left_are_counted_anew() {
        let store = Store::in_memory().await.unwrap();
        measure(&store, 0..2).await;
        let mut settled = Settled::default();
        // A house that was off for a year: its samples go once it measures again.
        let counted = settled.count(&store, after(365), KEPT).await.unwrap();
        assert_eq!((counted.rows.samples, settled.rows.samples), (288, 0));
        measure(&store, 365..367).await;
        let counted = settled.count(&store, after(367), KEPT).await.unwrap();
        assert_eq!(counted.rows.samples, 288, "of the last two days");
        assert_eq!(counted.rows, store.history_rows(UtcMillis(0), END).await.unwrap());
    }
}
