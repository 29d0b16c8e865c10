//! Quiet hours, by the house's clock.

use crate::config::Notify;
use chrono::{DateTime, NaiveTime};
use chrono_tz::Tz;
use model::UtcMillis;

/// When people want to be left alone. They may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuietHours {
    /// Included.
    from: NaiveTime,
    /// Not included.
    until: NaiveTime,
}

impl QuietHours {
    pub(super) fn of(config: &Notify) -> Option<Self> {
        let (from, until) = config.quiet_from.zip(config.quiet_until)?;
        Some(Self { from, until })
    }

    /// Whether they hold at this instant. An hour that the clock shows twice is as quiet both times.
    pub(super) fn hold(self, at: UtcMillis, zone: Tz) -> bool {
        let Some(at) = DateTime::from_timestamp_millis(at.0) else { return false };
        let time = at.with_timezone(&zone).time();
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(from: &str, until: &str, at: &str) -> bool {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        QuietHours { from: time(from), until: time(until) }
            .hold(at.parse().unwrap(), chrono_tz::America::Denver)
    }

    #[test]
    fn they_hold_within_a_day_and_over_midnight() {
        // Denver is six hours behind in June.
        for (from, until, at, expected) in [
            ("13:00", "15:00", "2026-06-21T18:59:59Z", false),
            ("13:00", "15:00", "2026-06-21T19:00:00Z", true),
            ("13:00", "15:00", "2026-06-21T20:59:59Z", true),
            ("13:00", "15:00", "2026-06-21T21:00:00Z", false),
            ("22:00", "07:00", "2026-06-22T03:59:59Z", false),
            ("22:00", "07:00", "2026-06-22T04:00:00Z", true),
            ("22:00", "07:00", "2026-06-22T12:59:59Z", true),
            ("22:00", "07:00", "2026-06-22T13:00:00Z", false),
            ("22:00", "00:00", "2026-06-22T05:59:59Z", true),
            ("22:00", "00:00", "2026-06-22T06:00:00Z", false),
        ] {
            assert_eq!(holds(from, until, at), expected, "{from} to {until} at {at}");
        }
    }

    #[test]
    fn they_follow_the_clock_when_it_is_changed() {
        // On 2026-03-08 02:00 becomes 03:00; on 2026-11-01 02:00 becomes 01:00.
        for (at, expected) in [
            ("2026-03-08T08:59:59Z", false),
            ("2026-03-08T09:00:00Z", true), // 03:00, and 02:30 never was
            ("2026-03-08T13:00:00Z", false),
            ("2026-11-01T08:29:59Z", false),
            ("2026-11-01T09:30:00Z", true), // 02:30, after the hour that came twice
            ("2026-11-01T13:59:59Z", true), // 06:59 in winter time
            ("2026-11-01T14:00:00Z", false),
        ] {
            assert_eq!(holds("02:30", "07:00", at), expected, "{at}");
        }
        for twice in ["2026-11-01T07:15:00Z", "2026-11-01T08:15:00Z"] {
            assert!(holds("01:00", "01:30", twice), "{twice}");
        }
    }
}
