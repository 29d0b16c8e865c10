//! Days and seconds as the site's wall clock has them, on the days that clocks are changed too.

use chrono::{DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use model::UtcMillis;

/// The years that a day can be asked for in.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;

/// The zone of this IANA name; UTC, where there is none.
pub(super) fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// The day that a text like `2026-11-01` means.
pub(super) fn read(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (YEARS.contains(&day.year()) && day.to_string() == text).then_some(day)
}

/// The instant on the zone's wall clock.
pub(super) fn wall(at: UtcMillis, zone: Tz) -> DateTime<Tz> {
    DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default().with_timezone(&zone)
}

/// When a day begins and when the next one does. Most have 24 hours between.
pub(super) fn bounds(day: NaiveDate, zone: Tz) -> (UtcMillis, UtcMillis) {
    (begins(day, zone), begins(day + Days::new(1), zone))
}

/// The first instant of a day. Where clocks are put forward at midnight, the day begins later than that.
fn begins(day: NaiveDate, zone: Tz) -> UtcMillis {
    const QUARTER: TimeDelta = TimeDelta::minutes(15);
    let midnight = day.and_time(NaiveTime::MIN);
    let first = std::iter::successors(Some(midnight), |time| time.checked_add_signed(QUARTER))
        .find_map(|time| zone.from_local_datetime(&time).earliest());
    UtcMillis(first.map_or_else(|| midnight.and_utc().timestamp_millis(), |first| first.timestamp_millis()))
}

/// "14:05:10"; with the name of the time that holds ("01:30:00 MDT") in the hour that is there twice.
pub(super) fn clock(at: UtcMillis, zone: Tz) -> String {
    let wall = wall(at, zone);
    let is_twice = matches!(zone.from_local_datetime(&wall.naive_local()), MappedLocalTime::Ambiguous(..));
    wall.format(if is_twice { "%H:%M:%S %Z" } else { "%H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;

    fn hours(day: &str, zone: Tz) -> i64 {
        let (begins, ends) = bounds(read(day).unwrap(), zone);
        ends.millis_since(begins) / HOUR
    }

    #[test]
    fn a_day_is_as_long_as_it_is() {
        assert_eq!(hours("2026-03-08", Tz::America__Denver), 23);
        assert_eq!(hours("2026-06-21", Tz::America__Denver), 24);
        assert_eq!(hours("2026-11-01", Tz::America__Denver), 25);
        assert_eq!(hours("2026-04-24", Tz::Africa__Cairo), 23, "there is no midnight");
        assert_eq!(hours("2011-12-30", Tz::Pacific__Apia), 0, "this day wasn't there at all");
    }

    #[test]
    fn a_day_begins_at_its_own_midnight() {
        let (begins, ends) = bounds(read("2026-11-01").unwrap(), Tz::America__Denver);
        assert_eq!(begins, "2026-11-01T06:00:00Z".parse().unwrap());
        assert_eq!(ends, "2026-11-02T07:00:00Z".parse().unwrap());
    }

    #[test]
    fn the_hour_that_is_there_twice_says_which_it_is() {
        let told = |at: &str| clock(at.parse().unwrap(), Tz::America__Denver);
        assert_eq!(told("2026-11-01T07:30:00Z"), "01:30:00 MDT");
        assert_eq!(told("2026-11-01T08:30:00Z"), "01:30:00 MST");
        assert_eq!(told("2026-11-01T09:30:00Z"), "02:30:00");
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "",
            "2026-02-30",
            "2026-2-3",
            "20260203",
            "2026-02-03T00:00",
            "1969-12-31",
            "3000-01-01",
            "+2026-02-03",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_day_begins_where_the_one_before_ends(
            number in 0..40_000_u64,
            zone in prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        ) {
            let day = read("1971-01-01").unwrap() + Days::new(number);
            let (from, to) = bounds(day, zone);
            prop_assert!(from <= to);
            prop_assert_eq!(to, begins(day + Days::new(1), zone));
            if from < to {
                prop_assert_eq!(wall(from, zone).date_naive(), day);
                prop_assert_eq!(wall(UtcMillis(to.0 - 1), zone).date_naive(), day);
            }
            prop_assert!(wall(UtcMillis(from.0 - 1), zone).date_naive() < day);
        }
    }
}
