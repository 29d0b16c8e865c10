//! Where the axes have their marks.

use super::Mark;
use crate::civil::civil;
use model::{UtcMillis, history::Window};

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
    const LONGEST: [(i64, Spacing); 4] = [
        (90 * MINUTE, Spacing::Minutes(10)),
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
pub(super) fn times(window: Window, zone: &str) -> Vec<Mark> {
    let length = window.to.millis_since(window.from);
    if length <= 0 {
        return Vec::new();
    }
    let spacing = spacing(length);
    // No zone's clock differs from UTC by anything but a multiple of a quarter of an hour (nor did any since 1972).
    let grid = if spacing == Spacing::Minutes(10) { 10 * MINUTE } else { 15 * MINUTE };
    let mut marks = Vec::new();
    let mut day = 0_u32;
    let mut at = window.from.0.div_euclid(grid) * grid;
    let mut last = civil(UtcMillis(at - grid), zone);
    while at < window.to.0 {
        let here = civil(UtcMillis(at), zone);
        let day_begins = here.day != last.day;
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
            && at >= window.from.0
        {
            let along = (at - window.from.0) as f64 / length as f64 * 100.0;
            let is_major = day_begins && matches!(spacing, Spacing::Minutes(_));
            marks.push(Mark { at: hundredths(along), label, is_major, is_spare: false });
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
fn to_next_day(here: &crate::civil::Civil, grid: i64) -> i64 {
    let passed = i64::from(here.hour) * HOUR + i64::from(here.minute) * MINUTE;
    // A day can be up to two hours shorter than others.
    (DAY - 2 * HOUR - passed).max(grid) / grid * grid
}

/// The top of a power axis that has room for `highest` watts, and its marks.
pub(super) fn powers(highest: f64) -> (f64, Vec<Mark>) {
    // Steps that people count in, in W.
    let steps = [100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0];
    let step = steps.into_iter().find(|step| highest <= step * 4.0).unwrap_or(1_000_000.0);
    let count = (highest / step).ceil().clamp(1.0, 10.0);
    let top = step * count;
    let marks = (0..=count as u32)
        .map(|index| {
            let watts = step * f64::from(index);
            let label = if top < 1000.0 {
                format!("{watts:.0} W")
            } else if step < 1000.0 {
                format!("{:.1} kW", watts / 1000.0)
            } else {
                format!("{:.0} kW", watts / 1000.0)
            };
            let label = if index == 0 { "0".to_owned() } else { label };
            Mark { at: hundredths(watts / top * 100.0), label, is_major: index == 0, is_spare: false }
        })
        .collect();
    (top, marks)
}

/// The marks of the charge axis: always 0 to 100 %.
pub(super) fn charges() -> Vec<Mark> {
    let mark = |percent: u32| Mark {
        at: f64::from(percent),
        label: format!("{percent} %"),
        is_major: percent == 0,
        is_spare: false,
    };
    [0, 50, 100].map(mark).to_vec()
}

pub(super) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, hours: i64) -> Window {
        let from: UtcMillis = from.parse().unwrap();
        Window { from, to: UtcMillis(from.0 + hours * HOUR), points: 300 }
    }

    fn labels(from: &str, hours: i64, zone: &str) -> Vec<String> {
        times(window(from, hours), zone).into_iter().map(|mark| mark.label).collect()
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
            let marks = times(window(from, hours), "America/New_York");
            let at = marks.iter().find(|mark| mark.label == "12:00").unwrap().at;
            assert!((at - noon / hours as f64 * 100.0).abs() < 0.01, "{marks:?}");
        }
        // Lord Howe puts its clock by half an hour.
        let marks = times(window("2026-10-03T13:30:00Z", 24), "Australia/Lord_Howe");
        assert_eq!(
            marks.iter().map(|mark| mark.label.as_str()).take(3).collect::<Vec<_>>(),
            ["Sun 4", "03:00", "06:00"]
        );
        assert!((marks[1].at - 2.5 / 24.0 * 100.0).abs() < 0.01, "{marks:?}");
    }

    #[test]
    fn any_length_has_few_marks_and_they_rise() {
        for days in [1_i64, 3, 7, 8, 30, 365, 4000] {
            let marks = times(window("2026-01-15T03:17:00Z", days * 24), "Europe/Berlin");
            assert!((2..=14).contains(&marks.len()), "{days} days: {marks:?}");
            assert!(marks.windows(2).all(|pair| pair[0].at < pair[1].at), "{marks:?}");
            assert!(marks.iter().all(|mark| (0.0..100.0).contains(&mark.at)), "{marks:?}");
        }
        assert_eq!(times(window("2026-01-15T03:17:00Z", 0), "Europe/Berlin"), []);
        let week = labels("2026-11-20T07:00:00Z", 168, "America/Denver");
        assert_eq!(week, ["20 Nov", "21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov"]);
    }

    #[test]
    fn a_power_axis_has_room_for_the_highest_value_and_little_more() {
        for (highest, top, last) in [
            (0.0, 100.0, "100 W"),
            (350.0, 400.0, "400 W"),
            (800.0, 800.0, "800 W"),
            (1700.0, 2000.0, "2.0 kW"),
            (3600.0, 4000.0, "4 kW"),
            (8100.0, 10_000.0, "10 kW"),
        ] {
            let (found, marks) = powers(highest);
            assert!((found - top).abs() < 1e-9, "{highest}: {found}");
            assert_eq!(marks.last().unwrap().label, last);
        }
    }
}
