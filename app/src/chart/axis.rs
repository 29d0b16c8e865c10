//! Where the time axis has its marks.

use super::{Mark, Span, zone::Zone};
use crate::civil::Civil;
use model::UtcMillis;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Between two marks of the time axis: a number of minutes that divides a day, or a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Minutes(u32),
    Days(u32),
}

/// The spacing for a window of this length: about eight marks, which a phone has room for.
fn spacing(length: i64) -> Spacing {
    const LONGEST: [(i64, Spacing); 7] = [
        (10 * MINUTE, Spacing::Minutes(1)),
        (25 * MINUTE, Spacing::Minutes(5)),
        (90 * MINUTE, Spacing::Minutes(10)),
        (4 * HOUR, Spacing::Minutes(30)),
        (7 * HOUR, Spacing::Minutes(60)),
        (25 * HOUR, Spacing::Minutes(180)),
        (75 * HOUR, Spacing::Minutes(720)),
    ];
    let found = LONGEST.into_iter().find(|(longest, _)| length <= *longest);
    let days = || Spacing::Days(u32::try_from(length / (8 * DAY) + 1).unwrap_or(u32::MAX));
    found.map_or_else(days, |(_, spacing)| spacing)
}

/// Marks at round times of the site's wall clock. On the day the clock is put back an hour is on it twice, on the day it
/// is put forward an hour is missing, and so are their marks.
pub(super) fn times(span: Span, zone: &Zone) -> Vec<Mark> {
    let length = span.length();
    if length <= 0 {
        return Vec::new();
    }
    let spacing = spacing(length);
    // No zone's clock differs from UTC by anything but a multiple of a quarter of an hour (nor did any since 1972).
    let grid = match spacing {
        Spacing::Minutes(every @ ..=10) => i64::from(every) * MINUTE,
        _ => 15 * MINUTE,
    };
    let mut marks = Vec::new();
    let mut day = 0_u32;
    let mut at = span.from.div_euclid(grid) * grid;
    let mut last = zone.civil(UtcMillis(at - grid));
    while at < span.to {
        let here = zone.civil(UtcMillis(at));
        let day_begins = here.date != last.date;
        let mark = match spacing {
            Spacing::Days(every) => {
                day += u32::from(day_begins);
                (day_begins && (day - 1).is_multiple_of(every))
                    .then(|| format!("{} {}", here.day, here.month))
            }
            Spacing::Minutes(every) => {
                let due = (here.hour * 60 + here.minute).is_multiple_of(every);
                due.then(|| if day_begins { format!("{} {}", here.weekday, here.day) } else { here.clock() })
            }
        };
        if let Some(label) = mark
            && at >= span.from
        {
            let is_major = day_begins && matches!(spacing, Spacing::Minutes(_));
            marks.push(Mark { at: span.percent(at), label, is_major, is_spare: false });
        }
        last = here;
        at += if matches!(spacing, Spacing::Days(_)) { to_next_day(&last, grid) } else { grid };
    }
    // Where only every other mark has room, the beginning of a day is among them.
    let kept = marks.iter().position(|mark| mark.is_major).unwrap_or(0) % 2;
    for (index, mark) in marks.iter_mut().enumerate() {
        mark.is_spare = index % 2 != kept && !mark.is_major;
    }
    marks
}

/// From a whole quarter of an hour to shortly before the next midnight on the wall clock: the rest of a long window's day
/// has no mark.
fn to_next_day(here: &Civil, grid: i64) -> i64 {
    let passed = i64::from(here.hour) * HOUR + i64::from(here.minute) * MINUTE;
    // A day can be up to two hours shorter than others.
    (DAY - 2 * HOUR - passed).max(grid) / grid * grid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(from: &str, hours: i64, zone: &str) -> Vec<Mark> {
        let from: UtcMillis = from.parse().unwrap();
        let to = UtcMillis(from.0 + hours * HOUR);
        times(Span { from: from.0, to: to.0 }, &Zone::of(zone, from, to))
    }

    fn labels(from: &str, hours: i64, zone: &str) -> Vec<String> {
        marks(from, hours, zone).into_iter().map(|mark| mark.label).collect()
    }

    #[test]
    fn a_day_has_a_mark_every_three_hours() {
        let found = labels("2026-11-27T07:00:00Z", 24, "America/Denver");
        assert_eq!(found, ["Fri 27", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]);
    }

    #[test]
    fn the_hour_that_is_there_twice_has_two_marks_and_the_missing_one_has_none() {
        let twice = labels("2026-11-01T04:00:00Z", 6, "America/New_York");
        assert_eq!(twice, ["Sun 1", "01:00", "01:00", "02:00", "03:00", "04:00"]);
        let missing = labels("2026-03-08T05:00:00Z", 6, "America/New_York");
        assert_eq!(missing, ["Sun 8", "01:00", "03:00", "04:00", "05:00", "06:00"]);
    }

    #[test]
    fn a_long_and_a_short_day_are_as_long_as_they_are() {
        // From midnight to midnight in New York, 25 and 23 hours.
        for (from, hours, noon) in [("2026-11-01T04:00:00Z", 25, 13.0), ("2026-03-08T05:00:00Z", 23, 11.0)] {
            let marks = marks(from, hours, "America/New_York");
            let at = marks.iter().find(|mark| mark.label == "12:00").unwrap().at;
            assert!((at - noon / hours as f64 * 100.0).abs() < 0.01, "{marks:?}");
        }
        // Lord Howe puts its clock by half an hour.
        let marks = marks("2026-10-03T13:30:00Z", 24, "Australia/Lord_Howe");
        assert_eq!(
            marks.iter().map(|mark| mark.label.as_str()).take(3).collect::<Vec<_>>(),
            ["Sun 4", "03:00", "06:00"]
        );
        assert!((marks[1].at - 2.5 / 24.0 * 100.0).abs() < 0.01, "{marks:?}");
    }

    #[test]
    fn any_length_has_few_marks_and_they_rise() {
        for days in [1_i64, 3, 7, 8, 30, 365, 4000] {
            let marks = marks("2026-01-15T03:17:00Z", days * 24, "Europe/Berlin");
            assert!((2..=14).contains(&marks.len()), "{days} days: {marks:?}");
            assert!(marks.windows(2).all(|pair| pair[0].at < pair[1].at), "{marks:?}");
            assert!(marks.iter().all(|mark| (0.0..100.0).contains(&mark.at)), "{marks:?}");
        }
        assert_eq!(marks("2026-01-15T03:17:00Z", 0, "Europe/Berlin"), []);
        let week = labels("2026-11-20T07:00:00Z", 168, "America/Denver");
        assert_eq!(week, ["20 Nov", "21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov"]);
    }
}
