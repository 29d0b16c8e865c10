//! Room on the disk: what can be spared goes before it is full, first old backups, then the oldest samples.

use super::{DAY_MS, disk};
use model::UtcMillis;
use std::path::Path;
use store::{Store, StoreError, backup::Backups};

/// The room that is left to everything else on the disk, in bytes.
pub(super) const LEFT_FREE: u64 = 64 << 20;
/// The room that the database is given inside of itself while the disk has none to spare, in bytes: what a house with one miner
/// adds to it in some days.
const GIVEN: u64 = 4 << 20;
/// How long samples are kept in any case, in milliseconds.
const KEPT_IN_ANY_CASE: i64 = 2 * DAY_MS;

/// What is done for room while the disk is almost full.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Samples from before this instant were removed early.
    removed_until: Option<UtcMillis>,
}

impl Room {
    /// Looks at the room, and makes some where it is short. Tells what the household should know, if there is too little:
    /// `zone` is that of its clock.
    pub(super) async fn look(
        &mut self,
        data: &Path,
        store: Option<&Store>,
        now: UtcMillis,
        zone: &str,
    ) -> Option<String> {
        self.make(data, store, now, || disk::free(data)).await.map(|free| self.words(free, now, zone))
    }

    /// Makes room where there is too little of it. Tells how many bytes are free if that doesn't help.
    async fn make(
        &mut self,
        data: &Path,
        store: Option<&Store>,
        now: UtcMillis,
        free: impl Fn() -> Option<u64>,
    ) -> Option<u64> {
        let is_short = |free: &u64| *free < LEFT_FREE;
        if free().as_ref().is_some_and(is_short)
            && let Err(error) = Backups::of(data).prune(1)
        {
            tracing::warn!(%error, "an old backup can't be removed");
        }
        let Some(free) = free().filter(is_short) else {
            *self = Self::default();
            return None;
        };
        if let Some(store) = store
            && let Err(error) = self.remove_samples(store, now).await
        {
            tracing::warn!(%error, "no room can be made in the database; control goes on");
        }
        Some(free)
    }

    /// Removes the oldest samples, day by day, until there is room inside of the database: its file doesn't become smaller by
    /// that, and doesn't grow any more.
    async fn remove_samples(&mut self, store: &Store, now: UtcMillis) -> Result<(), StoreError> {
        let Some(samples) = store.history_extents().await?.samples else { return Ok(()) };
        // Of a house that has been silent for long, what it measured last stays.
        let until = UtcMillis(now.min(samples.to).0 - KEPT_IN_ANY_CASE);
        while store.reusable_bytes().await? < GIVEN {
            let Some(end) = store.remove_oldest_samples(until).await? else { break };
            tracing::warn!(until = %end, "the disk is almost full: samples were removed before their time");
            self.removed_until = Some(end);
        }
        Ok(())
    }

    fn words(&self, free: u64, now: UtcMillis, zone: &str) -> String {
        let removed = self.removed_until.map_or_else(String::new, |until| {
            format!(
                " To make room, readings from before {} were removed earlier than they are by the settings; the minutes \
                 and quarters of an hour that were made of them stay.",
                app::civil::moment(until, now, zone)
            )
        });
        format!(
            "Only {} MB are left on the disk that holds the data.{removed} Once it is full nothing more is remembered; \
             control goes on.",
            free / 1_000_000
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeping::SECRETS;
    use model::{Now, Watts, history::BatterySample};
    use std::{ops::Range, time::Duration};
    use store::{HistoryRules, Samples, backup::Making};

    /// 2026-03-21T00:00:00Z.
    const BEGIN: i64 = 1_774_051_200_000;

    fn after(days: i64) -> UtcMillis {
        UtcMillis(BEGIN + days * DAY_MS)
    }

    /// Samples ten seconds apart, from one day until before another.
    async fn measure(store: &Store, days: Range<i64>) {
        let gap = Duration::from_secs(60);
        let rules =
            HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples: Duration::from_secs(30 * 86_400) };
        for hour in days.start * 24..days.end * 24 {
            let begin = BEGIN + hour * 3_600_000;
            let sample = |count: i64| {
                let watts = Watts::new(1000.0 + count as f64);
                let at = UtcMillis(begin + count * 10_000);
                BatterySample { at, soc: None, pv: watts, load: watts, grid: watts, battery: watts }
            };
            let samples = Samples { battery: (0..360).map(sample).collect(), miners: Vec::new() };
            store.record_samples(&samples, &rules, UtcMillis(begin + 3_600_000)).await.unwrap();
        }
    }

    async fn samples_from(store: &Store) -> UtcMillis {
        store.history_extents().await.unwrap().samples.unwrap().from
    }

    async fn open(dir: &Path) -> Store {
        Store::open(dir, Now { utc: after(0), ..Now::default() }).await.unwrap().store
    }

    async fn back_up(dir: &Path, store: &Store) {
        let making = Making { at: after(1), program: "1.2.3", with_secrets: false, secrets: SECRETS };
        Backups::of(dir).make(store, making).await.unwrap();
    }

    #[tokio::test]
    async fn old_backups_go_first_and_no_sample_does_while_they_make_room() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await;
        measure(&store, 0..4).await;
        for _ in 0..3 {
            back_up(dir.path(), &store).await;
        }
        let backups = || Backups::of(dir.path()).list().len();
        let mut room = Room::default();
        let plenty = room.make(dir.path(), Some(&store), after(4), || Some(LEFT_FREE)).await;
        assert_eq!((plenty, backups()), (None, 3));
        let short_with_three = || Some(if backups() > 1 { LEFT_FREE - 1 } else { LEFT_FREE });
        assert_eq!(room.make(dir.path(), Some(&store), after(4), short_with_three).await, None);
        assert_eq!(backups(), 1, "the newest stays");
        assert_eq!(samples_from(&store).await, after(0));
        assert_eq!(
            room.make(dir.path(), Some(&store), after(4), || None).await,
            None,
            "what isn't known isn't short"
        );
    }

    #[tokio::test]
    async fn then_the_oldest_samples_go_but_never_those_of_the_last_two_days() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await;
        measure(&store, 0..6).await;
        let rows = store.history_rows(after(0), after(7)).await.unwrap();
        let mut room = Room::default();
        let free = room.make(dir.path(), Some(&store), after(6), || Some(12_300_000)).await;
        assert_eq!(free, Some(12_300_000));
        // The last two days begin ten seconds before the fifth day.
        assert_eq!(samples_from(&store).await, after(3));
        let left = store.history_rows(after(0), after(7)).await.unwrap();
        assert_eq!(left, store::Rows { samples: 3 * 8640, ..rows });
        let words = room.words(12_300_000, after(6), "America/Denver");
        assert!(words.starts_with("Only 12 MB are left") && words.ends_with("control goes on."), "{words}");
        // Denver's day began six hours later.
        assert!(words.contains(" readings from before Mon 18:00 were removed "), "{words}");
        // It holds for as long as the disk is short of room, and is forgotten with that.
        room.make(dir.path(), Some(&store), after(6), || Some(0)).await;
        assert!(room.words(0, after(6), "UTC").contains("were removed"));
        room.make(dir.path(), Some(&store), after(6), || Some(LEFT_FREE)).await;
        assert!(!room.words(0, after(6), "UTC").contains("were removed"));
    }

    #[tokio::test]
    async fn no_more_goes_than_is_needed() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await;
        measure(&store, 0..30).await;
        let mut room = Room::default();
        room.make(dir.path(), Some(&store), after(30), || Some(0)).await;
        let first = samples_from(&store).await;
        assert!(after(5) < first && first < after(28), "{first}");
        assert!(store.reusable_bytes().await.unwrap() >= GIVEN);
        room.make(dir.path(), Some(&store), after(30), || Some(0)).await;
        assert_eq!(samples_from(&store).await, first, "there is room still");
    }

    #[tokio::test]
    async fn a_house_that_was_silent_keeps_what_it_measured_last() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).await;
        measure(&store, 0..3).await;
        Room::default().make(dir.path(), Some(&store), after(300), || Some(0)).await;
        // Its last sample is ten seconds before the end of the third day.
        assert_eq!(samples_from(&store).await, after(0));
    }

    #[tokio::test]
    async fn without_a_database_it_is_told_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let mut room = Room::default();
        assert_eq!(room.make(dir.path(), None, after(0), || Some(5)).await, Some(5));
        assert!(!room.words(5, after(0), "UTC").contains("removed"));
        let store = open(dir.path()).await;
        store.close().await.unwrap();
        assert_eq!(
            room.make(dir.path(), Some(&store), after(0), || Some(5)).await,
            Some(5),
            "and if it fails"
        );
    }
}
