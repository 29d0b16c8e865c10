//! How long ago the battery was full. Cells that never are drift apart, and the state of charge that is told drifts with them.

use model::{
    UtcMillis,
    history::{Quantity, Track, Window},
};
use std::time::Duration;
use store::{Store, StoreError};

const DAY: i64 = 86_400_000;
/// A battery that wasn't full for this long is told of.
const OVERDUE: i64 = 14 * DAY;
/// In a gap as long as this it may have been full at any noon: the count begins anew.
const LONGEST_GAP: i64 = DAY;
/// How far back the history is asked, and in how many points: buckets of six hours.
const LOOKED_BACK: i64 = 60 * DAY;
const POINTS: u32 = 60 * 4;

/// Since when the battery is known not to have been full. Unknown is neither full nor overdue.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fullness {
    /// The newest that was known.
    known: Option<UtcMillis>,
    /// It was full then, or nothing is known of the time before.
    since: Option<UtcMillis>,
    overdue: bool,
}

impl Fullness {
    /// What the history tells. Whatever reaches `full` is full.
    pub(crate) async fn load(store: &Store, full: f64, now: UtcMillis) -> Result<Self, StoreError> {
        let from = UtcMillis(now.0.saturating_sub(LOOKED_BACK));
        let window = Window { from, to: now, points: POINTS };
        let track = store.battery_history(window, &[Quantity::Soc], Duration::ZERO).await?;
        Ok(Self::of(&track, full, now))
    }

    fn of(track: &Track, full: f64, now: UtcMillis) -> Self {
        let mut fullness = Self::default();
        let highest = track.series(Quantity::Soc).map_or(&[][..], |series| &series.max);
        for (at, highest) in track.at.iter().zip(highest) {
            if let Some(highest) = highest {
                // The greatest value of a bucket may have been its last.
                let end = at.0.saturating_add(track.step_ms.unwrap_or(0));
                fullness.take(UtcMillis(end.min(now.0)), *highest, full);
            }
        }
        fullness
    }

    /// The battery was so full at this instant. Once told, only a full battery ends it.
    pub(crate) fn take(&mut self, at: UtcMillis, soc: f64, full: f64) {
        if self.known.is_some_and(|known| at <= known) {
            return;
        }
        let is_after_a_gap = self.known.is_none_or(|known| at.millis_since(known) >= LONGEST_GAP);
        self.known = Some(at);
        if soc >= full {
            (self.since, self.overdue) = (Some(at), false);
        } else if is_after_a_gap {
            self.since = Some(at);
        }
        self.overdue |= self.since.is_some_and(|since| at.millis_since(since) >= OVERDUE);
    }

    /// It wasn't full for too long.
    pub(crate) const fn is_overdue(&self) -> bool {
        self.overdue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::history::Series;

    const FULL: f64 = 100.0;

    /// A reading every hour of these days, each day with its own highest value at noon.
    fn days(fullness: &mut Fullness, from: i64, highest: &[f64]) {
        for (day, highest) in (from..).zip(highest) {
            for hour in 0..24 {
                let soc = if hour == 12 { *highest } else { 50.0 };
                fullness.take(UtcMillis(day * DAY + hour * 3_600_000), soc, FULL);
            }
        }
    }

    #[test]
    fn fourteen_days_without_a_full_battery_are_too_many_and_a_full_one_ends_it() {
        let mut fullness = Fullness::default();
        days(&mut fullness, 0, &[100.0]);
        days(&mut fullness, 1, &[99.0; 13]);
        assert!(!fullness.is_overdue(), "fourteen days are over at noon");
        days(&mut fullness, 14, &[99.0]);
        assert!(fullness.is_overdue());
        days(&mut fullness, 15, &[100.0, 80.0]);
        assert!(!fullness.is_overdue());
    }

    #[test]
    fn what_isnt_known_doesnt_count() {
        let mut fullness = Fullness::default();
        days(&mut fullness, 0, &[80.0; 14]);
        assert!(!fullness.is_overdue(), "shorter than that is known");
        // For a day nobody looked.
        days(&mut fullness, 16, &[80.0; 14]);
        assert!(!fullness.is_overdue(), "it may have been full meanwhile");
        days(&mut fullness, 30, &[80.0]);
        assert!(fullness.is_overdue());
        days(&mut fullness, 40, &[80.0]);
        assert!(fullness.is_overdue(), "what was told ends with a full battery alone");
        // An older reading that comes late.
        fullness.take(UtcMillis(0), FULL, FULL);
        assert!(fullness.is_overdue());
    }

    #[test]
    fn the_history_counts_from_the_end_of_a_bucket_that_reached_it() {
        let hours = 6 * 3_600_000;
        let track = |days: i64| Track {
            step_ms: Some(hours),
            gap_ms: hours,
            at: (0..days * 4).map(|part| UtcMillis(part * hours)).collect(),
            series: vec![Series {
                quantity: Quantity::Soc,
                min: Vec::new(),
                mean: Vec::new(),
                max: (0..days * 4).map(|part| Some(if part == 0 { FULL } else { 90.0 })).collect(),
            }],
        };
        assert!(!Fullness::of(&track(14), FULL, UtcMillis(14 * DAY)).is_overdue());
        assert!(Fullness::of(&track(15), FULL, UtcMillis(15 * DAY)).is_overdue());
        let unknown = Track { series: vec![], ..track(20) };
        assert!(!Fullness::of(&unknown, FULL, UtcMillis(20 * DAY)).is_overdue());
    }
}
