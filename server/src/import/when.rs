//! When a row was written: with an offset, or by the site's wall clock as older rows have it.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use model::UtcMillis;

/// A time with its offset.
const WITH_OFFSET: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
/// One by the wall clock.
const LOCAL: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

/// The hour and what it is there twice for, in milliseconds.
const TWO_HOURS: i64 = 2 * 3_600_000;

/// Reads the times of a file's rows, one after the other.
pub(super) struct When {
    zone: Tz,
    /// The row before: of the hour that is there twice in autumn, it says which is meant.
    last: Option<UtcMillis>,
}

impl When {
    /// `zone` is the site's.
    pub(super) const fn new(zone: Tz) -> Self {
        Self { zone, last: None }
    }

    /// A whole timestamp; `None` if it is none, or the clock never showed it.
    pub(super) fn timestamp(&mut self, text: &str) -> Option<UtcMillis> {
        let text = text.trim();
        let absolute = DateTime::parse_from_rfc3339(text)
            .ok()
            .or_else(|| WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(text, format).ok()));
        if let Some(absolute) = absolute {
            return Some(self.note(UtcMillis(absolute.timestamp_millis())));
        }
        let local = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
        self.local(local)
    }

    /// A date and a time of the wall clock.
    pub(super) fn date_and_time(&mut self, date: &str, time: &str) -> Option<UtcMillis> {
        let date = NaiveDate::parse_from_str(date.trim(), "%Y-%m-%d").ok()?;
        let time = ["%H:%M:%S%.f", "%H:%M"]
            .iter()
            .find_map(|format| NaiveTime::parse_from_str(time.trim(), format).ok())?;
        self.local(NaiveDateTime::new(date, time))
    }

    fn local(&mut self, local: NaiveDateTime) -> Option<UtcMillis> {
        let millis = |at: DateTime<Tz>| UtcMillis(at.timestamp_millis());
        let at = match self.zone.from_local_datetime(&local) {
            LocalResult::Single(at) => millis(at),
            LocalResult::Ambiguous(first, second) => {
                let first = millis(first);
                // Rows follow one another: what lies before the last one is the hour's second time. A row from elsewhere
                // in the file says nothing.
                let goes_on = |last: UtcMillis| (1..TWO_HOURS).contains(&last.millis_since(first));
                if self.last.is_some_and(goes_on) { millis(second) } else { first }
            }
            LocalResult::None => return None,
        };
        Some(self.note(at))
    }

    fn note(&mut self, at: UtcMillis) -> UtcMillis {
        self.last = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> UtcMillis {
        text.parse().unwrap()
    }

    #[test]
    fn timestamps() {
        for (text, expected) in [
            ("2025-06-01T12:00:00-06:00", "2025-06-01T18:00:00Z"),
            ("2025-06-01T12:00:00Z", "2025-06-01T12:00:00Z"),
            ("2025-06-01T12:00:00+0000", "2025-06-01T12:00:00Z"),
            ("2025-06-01 12:00:00.25-0600", "2025-06-01T18:00:00.250Z"),
            ("2025-06-01T12:00:00", "2025-06-01T18:00:00Z"),
            ("2025-01-01 12:00:00", "2025-01-01T19:00:00Z"),
            ("2025-01-01 12:00", "2025-01-01T19:00:00Z"),
        ] {
            assert_eq!(When::new(chrono_tz::America::Denver).timestamp(text), Some(utc(expected)), "{text}");
        }
    }

    #[test]
    fn no_timestamps() {
        // In the last, clocks went from 2:00 to 3:00.
        for text in ["", "52.4", "2025-13-01 12:00:00", "2025-06-01", "2025-03-09 02:30:00"] {
            assert_eq!(When::new(chrono_tz::America::Denver).timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn the_hour_that_is_there_twice_goes_on_from_the_row_before() {
        let mut when = When::new(chrono_tz::America::Denver);
        let rows = ["01:59:50", "01:00:00", "01:00:10", "01:59:50", "02:00:00"];
        let told = rows.map(|time| when.date_and_time("2025-11-02", time).unwrap());
        let expected = [
            "2025-11-02T07:59:50Z",
            "2025-11-02T08:00:00Z",
            "2025-11-02T08:00:10Z",
            "2025-11-02T08:59:50Z",
            "2025-11-02T09:00:00Z",
        ];
        assert_eq!(told, expected.map(utc));
    }
}
