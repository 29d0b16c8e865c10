//! The three kinds of time (see the crate's documentation for which is used where).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr, time::Duration};

/// Milliseconds on the controller's own monotonic clock. Every interval of the law is measured on it, so that
/// moving the wall clock moves nothing. It goes on counting over a restart of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonoTime(pub i64);

impl MonoTime {
    /// Milliseconds from `earlier` to this; negative if `earlier` is later. Saturates.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        let millis = self.millis_since(earlier);
        if millis > 0 { Duration::from_millis(millis as u64) } else { Duration::ZERO }
    }
}

impl std::ops::Add<Duration> for MonoTime {
    type Output = Self;
    /// Saturates.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. On the wire an RFC 3339 text in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// Milliseconds from `earlier` to this; negative if `earlier` is later. Saturates.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// One moment on both clocks, as the engine hands it to whoever needs to know the time: nobody else reads a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// For intervals.
    pub mono: MonoTime,
    /// For devices and people.
    pub utc: UtcMillis,
}

/// A day of the civil calendar as the number of days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CivilDay(pub i32);

impl CivilDay {
    /// Year, month 1 ..= 12 and day of the month 1 ..= 31 in the proleptic Gregorian calendar
    /// (the `civil_from_days` algorithm of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    pub const fn year_month_day(self) -> (i64, u8, u8) {
        let shifted = self.0 as i64 + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
        let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
        let year = year_of_era + era * 400 + (month <= 2) as i64;
        (year, month as u8, day as u8)
    }

    /// The day with this year, month and day of the month, or `None` where the calendar has none (or the year is
    /// outside ±9999).
    pub fn from_year_month_day(year: i64, month: u8, day: u8) -> Option<Self> {
        if !(-9999..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let month_shifted = i64::from(month) + if month > 2 { -3 } else { 9 };
        let day_of_year = (153 * month_shifted + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let candidate = Self(i32::try_from(era * 146_097 + day_of_era - 719_468).ok()?);
        (candidate.year_month_day() == (year, month, day)).then_some(candidate)
    }
}

impl fmt::Display for CivilDay {
    /// ISO 8601, `2026-03-21`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.year_month_day();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for UtcMillis {
    /// RFC 3339 in UTC; milliseconds only where they aren't zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400_000;
        let day = CivilDay(i32::try_from(self.0.div_euclid(DAY)).unwrap_or(i32::MAX));
        let millis = self.0.rem_euclid(DAY);
        let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
        let (seconds, fraction) = (millis / 1000 % 60, millis % 1000);
        write!(f, "{day}T{hours:02}:{minutes:02}:{seconds:02}")?;
        if fraction != 0 {
            write!(f, ".{fraction:03}")?;
        }
        f.write_str("Z")
    }
}

/// A text that is no RFC 3339 instant in UTC (`2026-03-21T12:00:00Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnInstant;

impl fmt::Display for NotAnInstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an instant like 2026-03-21T12:00:00Z")
    }
}

impl std::error::Error for NotAnInstant {}

impl FromStr for UtcMillis {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        // So many digits, no signs and no spaces.
        let digits = |text: Option<&str>, count: usize| {
            let is_number =
                |text: &&str| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
            text.filter(is_number)?.parse::<i64>().ok()
        };
        let parse = || {
            let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
            let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
            let mut date = date.splitn(3, '-');
            let (year, month, day) =
                (digits(date.next(), 4)?, digits(date.next(), 2)?, digits(date.next(), 2)?);
            let day =
                CivilDay::from_year_month_day(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
            let mut clock = clock.splitn(3, ':');
            let (hours, minutes, seconds) =
                (digits(clock.next(), 2)?, digits(clock.next(), 2)?, digits(clock.next(), 2)?);
            let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
            if hours > 23 || minutes > 59 || seconds > 59 || !is_fraction {
                return None;
            }
            let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            Some(Self(
                i64::from(day.0) * 86_400_000
                    + hours * 3_600_000
                    + minutes * 60_000
                    + seconds * 1000
                    + millis,
            ))
        };
        parse().ok_or(NotAnInstant)
    }
}

impl Serialize for UtcMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The site's civil time at one instant, as far as the sunset rule needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LocalTime {
    /// The civil day in the site's zone.
    pub day: CivilDay,
    /// Seconds after the local midnight as a clock on the wall shows them, 0 ..= 86 399.
    pub second_of_day: u32,
    /// Whether something other than our own clock agrees with it. The sunset rule rests while it is `false`.
    pub clock_synced: bool,
    /// Sunrise and sunset of this civil day, where the site's coordinates are known.
    pub sun: Option<SunTimes>,
}

/// Sunrise and sunset of one civil day on the site's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SunTimes {
    /// Both happen; seconds after local midnight, 0 ..= 86 399. Sunset may be before sunrise (it falls after
    /// midnight near the polar circles).
    RisesAndSets {
        /// Seconds after local midnight.
        sunrise: u32,
        /// Seconds after local midnight.
        sunset: u32,
    },
    /// Polar day or polar night: there is no sunset today.
    NoSunset,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_read_as_rfc_3339() {
        assert_eq!(UtcMillis(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(UtcMillis(1_709_164_800_000).to_string(), "2024-02-29T00:00:00Z");
        assert_eq!(UtcMillis(-1).to_string(), "1969-12-31T23:59:59.999Z");
        for bad in [
            "",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00+01:00",
            "2026-1-1",
            "2026-1-01T00:00:00Z",
            "2026-01-01T+1:00:00Z",
            "2026-01-01T00:00:00.Z",
            "02026-01-01T00:00:00Z",
        ] {
            assert_eq!(bad.parse::<UtcMillis>(), Err(NotAnInstant), "{bad}");
        }
    }

    #[test]
    fn intervals_saturate() {
        assert_eq!(MonoTime(i64::MIN).millis_since(MonoTime(i64::MAX)), i64::MIN);
        assert_eq!(MonoTime(5).since(MonoTime(9)), Duration::ZERO);
        assert_eq!(MonoTime(i64::MAX) + Duration::from_secs(1), MonoTime(i64::MAX));
    }

    proptest! {
        #[test]
        fn an_instant_survives_its_text(millis in -60_000_000_000_000_i64..250_000_000_000_000) {
            let instant = UtcMillis(millis);
            prop_assert_eq!(instant.to_string().parse::<UtcMillis>(), Ok(instant));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<UtcMillis>();
        }
    }
}
