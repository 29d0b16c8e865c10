//! When a backup is due: at night, once so many days have gone by.

use model::UtcMillis;
use std::time::Duration;

/// The hour of the site's wall clock in which backups are made: nobody looks, and no sun moves anything.
const HOUR: u32 = 3;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The time after which a backup that failed is tried again, in milliseconds.
const AGAIN: i64 = 6 * HOUR_MS;

/// Whether a backup is due. `newest` is when the newest was made, `begun` when the program was started, `tried` when the last
/// try was, and `hour` that of the site's wall clock.
pub(super) fn is_due(
    now: UtcMillis,
    newest: Option<UtcMillis>,
    begun: UtcMillis,
    tried: Option<UtcMillis>,
    every: Duration,
    hour: u32,
) -> bool {
    if tried.is_some_and(|tried| (0..AGAIN).contains(&now.millis_since(tried))) {
        return false;
    }
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    // One from a time to come was made by a clock that was wrong.
    let age = newest.map(|newest| now.millis_since(newest)).filter(|age| *age > -DAY_MS);
    // The hour isn't met to the minute: half a day less is as good.
    let is_old = age.is_none_or(|age| age >= every - DAY_MS / 2);
    // Who is never on at that hour gets one all the same.
    let is_overdue = match age {
        Some(age) => age >= every.saturating_add(DAY_MS),
        None => now.millis_since(begun) >= DAY_MS,
    };
    is_overdue || is_old && hour == HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_790_000_000_000);
    const WEEK: Duration = Duration::from_secs(7 * 86_400);

    fn ago(days: f64) -> UtcMillis {
        UtcMillis(NOW.0 - (days * DAY_MS as f64) as i64)
    }

    #[test]
    fn a_backup_is_due_at_night_once_the_days_have_gone_by() {
        let due = |newest: Option<f64>, hour| is_due(NOW, newest.map(ago), ago(0.1), None, WEEK, hour);
        for (newest, at_night, by_day) in [
            (None, true, false),
            (Some(0.1), false, false),
            (Some(6.0), false, false),
            (Some(6.99), true, false),
            (Some(7.5), true, false),
            (Some(8.1), true, true),
            (Some(-400.0), true, false),
        ] {
            assert_eq!((due(newest, 3), due(newest, 14)), (at_night, by_day), "{newest:?} days old");
        }
    }

    #[test]
    fn who_is_never_on_at_night_has_backups_too() {
        assert!(is_due(NOW, None, ago(1.0), None, WEEK, 14));
    }

    #[test]
    fn what_failed_is_tried_again_later() {
        let due = |tried: f64| is_due(NOW, None, ago(9.0), Some(ago(tried)), WEEK, 3);
        assert!(!due(0.1) && due(0.3));
        assert!(due(-3.0), "a clock that was set back keeps nothing from being tried");
    }
}
