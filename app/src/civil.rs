//! Instants as the site's wall clock shows them.

use model::{CivilDay, UtcMillis};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// 1970-01-01 was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const DAY: i64 = 86_400_000;

/// An instant on the site's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The day.
    pub date: CivilDay,
    /// The month in three letters ("Nov").
    pub month: &'static str,
    /// The day of the month, 1 ..= 31.
    pub day: u32,
    /// The day of the week in three letters ("Fri").
    pub weekday: &'static str,
    /// The hour, 0 ..= 23.
    pub hour: u32,
    /// The minute, 0 ..= 59.
    pub minute: u32,
}

impl Civil {
    /// The instant on a wall clock that is ahead of UTC by so many seconds.
    pub fn at(at: UtcMillis, ahead: i32) -> Self {
        let shown = at.0.saturating_add(i64::from(ahead) * 1000);
        let date = CivilDay(i32::try_from(shown.div_euclid(DAY)).unwrap_or(i32::MAX));
        let (_, month, day) = date.year_month_day();
        let minute = shown.rem_euclid(DAY) / 60_000;
        let name = |names: &[&'static str], index: usize| names.get(index).copied().unwrap_or_default();
        Self {
            date,
            month: name(&MONTHS, usize::from(month) - 1),
            day: u32::from(day),
            weekday: name(&WEEKDAYS, date.0.rem_euclid(7) as usize),
            hour: (minute / 60) as u32,
            minute: (minute % 60) as u32,
        }
    }

    /// "14:05".
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// As far from `today` as needs be: "14:05" today, "Fri 14:05" within a week, else "27 Nov 14:05".
    pub fn told_on(&self, today: &Self) -> String {
        let clock = self.clock();
        match self.date.0.abs_diff(today.date.0) {
            0 => clock,
            1..=5 => format!("{} {clock}", self.weekday),
            _ => format!("{} {} {clock}", self.day, self.month),
        }
    }
}

/// When something was, as far from now as needs be ([`Civil::told_on`]). `zone` is an IANA name.
#[cfg(not(target_arch = "wasm32"))]
pub fn moment(at: UtcMillis, now: UtcMillis, zone: &str) -> String {
    civil(at, zone).told_on(&civil(now, zone))
}

/// The instant on the wall clock of `zone`; in UTC, where the zone isn't known.
#[cfg(not(target_arch = "wasm32"))]
pub fn civil(at: UtcMillis, zone: &str) -> Civil {
    Civil::at(at, ahead_of_utc(at, zone.parse().unwrap_or(chrono_tz::UTC)))
}

/// By how many seconds the wall clock of a zone is ahead of UTC at an instant.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn ahead_of_utc(at: UtcMillis, zone: chrono_tz::Tz) -> i32 {
    use chrono::{DateTime, Offset, TimeZone};
    let instant = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
    zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> UtcMillis {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_says_as_much_of_the_day_as_it_must() {
        let now = at("2026-11-27T21:05:00Z");
        let told = |text| moment(at(text), now, "America/Denver");
        assert_eq!(told("2026-11-27T08:00:30Z"), "01:00");
        assert_eq!(told("2026-11-27T06:59:00Z"), "Thu 23:59");
        assert_eq!(told("2026-09-04T18:30:00Z"), "4 Sep 12:30");
    }

    #[test]
    fn the_wall_clock_over_a_change_of_summer_time() {
        let clock = |text| civil(at(text), "America/New_York").clock();
        assert_eq!(clock("2026-11-01T05:30:00Z"), "01:30");
        assert_eq!(clock("2026-11-01T06:30:00Z"), "01:30");
        assert_eq!(clock("2026-03-08T07:00:00Z"), "03:00");
    }

    proptest! {
        /// The calendar library says the same of any instant in any of these zones.
        #[test]
        fn the_calendar_agrees(
            millis in 0_i64..4_000_000_000_000,
            zone in prop::sample::select(vec!["UTC", "America/Denver", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        ) {
            use chrono::{DateTime, Utc};
            let known: chrono_tz::Tz = zone.parse().unwrap();
            let known = DateTime::<Utc>::from_timestamp_millis(millis).unwrap().with_timezone(&known);
            let told = civil(UtcMillis(millis), zone);
            let told = format!("{} {} {} {}", told.weekday, told.day, told.month, told.clock());
            prop_assert_eq!(told, known.format("%a %-d %b %H:%M").to_string());
        }
    }
}
