//! Instants as the site's wall clock shows them.

use model::UtcMillis;

/// An instant on the site's wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i32,
    /// The month in three letters ("Nov").
    pub month: String,
    /// The day of the month, 1 ..= 31.
    pub day: u32,
    /// The day of the week in three letters ("Fri").
    pub weekday: String,
    /// The hour, 0 ..= 23.
    pub hour: u32,
    /// The minute, 0 ..= 59.
    pub minute: u32,
}

impl Civil {
    /// "14:05".
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    fn same_day(&self, other: &Self) -> bool {
        (self.year, &self.month, self.day) == (other.year, &other.month, other.day)
    }
}

/// When something was, as far from now as needs be: "14:05" today, "Fri 14:05" within a week of now, else
/// "27 Nov 14:05". `zone` is an IANA name.
pub fn moment(at: UtcMillis, now: UtcMillis, zone: &str) -> String {
    const SIX_DAYS: i64 = 6 * 86_400_000;
    let (then, today) = (civil(at, zone), civil(now, zone));
    if then.same_day(&today) {
        then.clock()
    } else if now.millis_since(at).abs() < SIX_DAYS {
        format!("{} {}", then.weekday, then.clock())
    } else {
        format!("{} {} {}", then.day, then.month, then.clock())
    }
}

/// The instant on the wall clock of `zone`; in UTC, where the zone isn't known.
pub fn civil(at: UtcMillis, zone: &str) -> Civil {
    use chrono::{DateTime, Datelike, Timelike, Utc};
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    let instant = DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default().with_timezone(&zone);
    Civil {
        year: instant.year(),
        month: instant.format("%b").to_string(),
        day: instant.day(),
        weekday: instant.format("%a").to_string(),
        hour: instant.hour(),
        minute: instant.minute(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
