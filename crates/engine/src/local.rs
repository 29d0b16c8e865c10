//! The site's civil time and its sun.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use model::{CivilDay, LocalTime, SunTimes, UtcMillis};
use sunrise::{Coordinates, SolarDay, SolarEvent};

/// Where the site is, as far as its time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The site's zone.
    pub timezone: Tz,
    /// Latitude and longitude in degrees, north and east positive.
    pub coordinates: Option<(f64, f64)>,
}

impl Place {
    /// The civil time at `utc`, with that day's sun where the coordinates are known.
    pub(crate) fn local(&self, utc: UtcMillis, clock_synced: bool) -> LocalTime {
        let instant = DateTime::<Utc>::from_timestamp_millis(utc.0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        let local = instant.with_timezone(&self.timezone);
        let date = local.date_naive();
        LocalTime {
            day: civil_day(date),
            second_of_day: local.num_seconds_from_midnight(),
            clock_synced,
            sun: self.coordinates.and_then(|(latitude, longitude)| self.sun(date, latitude, longitude)),
        }
    }

    /// The sunsets from one instant to another: the sun's own where the coordinates are known, else every day at `fixed`
    /// seconds after midnight on the wall clock. A day without a sunset has none.
    pub fn sunsets(&self, fixed: u32, from: UtcMillis, to: UtcMillis) -> Vec<UtcMillis> {
        let date = |at: UtcMillis| {
            let instant = DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default();
            instant.with_timezone(&self.timezone).date_naive()
        };
        // Near the poles a day's sunset may fall on its neighbour.
        let days = date(from).pred_opt().into_iter().flat_map(|day| day.iter_days());
        let until = date(to).succ_opt();
        let sunset = |day: NaiveDate| {
            if let Some((latitude, longitude)) = self.coordinates {
                return SolarDay::new(Coordinates::new(latitude, longitude)?, day)
                    .event_time(SolarEvent::Sunset);
            }
            let clock = NaiveTime::from_num_seconds_from_midnight_opt(fixed, 0)?;
            let at = day.and_time(clock).and_local_timezone(self.timezone).earliest()?;
            Some(at.with_timezone(&Utc))
        };
        days.take_while(|day| until.is_some_and(|until| *day <= until))
            .filter_map(sunset)
            .map(|at| UtcMillis(at.timestamp_millis()))
            .filter(|at| (from..to).contains(at))
            .collect()
    }

    fn sun(&self, date: NaiveDate, latitude: f64, longitude: f64) -> Option<SunTimes> {
        let day = SolarDay::new(Coordinates::new(latitude, longitude)?, date);
        let second = |event| -> Option<u32> {
            let at: DateTime<Utc> = day.event_time(event)?;
            Some(at.with_timezone(&self.timezone).num_seconds_from_midnight())
        };
        Some(match (second(SolarEvent::Sunrise), second(SolarEvent::Sunset)) {
            (Some(sunrise), Some(sunset)) => SunTimes::RisesAndSets { sunrise, sunset },
            _ => SunTimes::NoSunset,
        })
    }
}

fn civil_day(date: NaiveDate) -> CivilDay {
    let month_and_day = (u8::try_from(date.month()), u8::try_from(date.day()));
    let (Ok(month), Ok(day)) = month_and_day else { return CivilDay(0) };
    CivilDay::from_year_month_day(i64::from(date.year()), month, day).unwrap_or(CivilDay(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMillis {
        text.parse().unwrap()
    }

    #[test]
    fn the_wall_clock_of_the_zone_over_a_change_of_summer_time() {
        let place = Place { timezone: chrono_tz::America::New_York, coordinates: None };
        let before = place.local(at("2026-03-08T06:59:59Z"), true);
        let after = place.local(at("2026-03-08T07:00:00Z"), true);
        assert_eq!(before.second_of_day, 2 * 3600 - 1);
        assert_eq!(after.second_of_day, 3 * 3600);
        assert_eq!(before.day, after.day);
        assert_eq!(before.day.to_string(), "2026-03-08");
    }

    /// The nights of a year at a place, in the order in which they come: each as often as it begins anew.
    fn nights(place: &Place, sunset: u32, sunrise: u32) -> Vec<CivilDay> {
        let policy = control::Policy { sunset, sunrise, ..control::Policy::default() };
        let start = at("2028-01-01T12:00:00Z");
        let instants = (0..366 * 144).map(|step: i64| UtcMillis(start.0 + step * 600_000));
        let mut nights: Vec<CivilDay> = Vec::new();
        for instant in instants {
            if let Some(night) = control::rules::night(&policy, &place.local(instant, true))
                && nights.last() != Some(&night)
            {
                nights.push(night);
            }
        }
        nights
    }

    /// One night a day, whatever the clocks do: the start after sunset can neither come twice nor be left out. 2028 has a
    /// 29 February, and changes of half an hour on Lord Howe; and the sun sets and rises in the hours that are changed.
    #[test]
    fn every_day_of_a_year_has_its_one_night() {
        use chrono_tz::{America::New_York, Australia::Lord_Howe, Europe::Berlin, UTC};
        let fixed =
            [(19, 7), (2, 7), (1, 7), (23, 2)].map(|(sunset, sunrise)| (sunset * 3600, sunrise * 3600));
        for timezone in [New_York, Berlin, Lord_Howe, UTC] {
            for (sunset, sunrise) in fixed.into_iter().chain([(9000, 25_200), (5400, 25_200), (82_800, 9000)])
            {
                let nights = nights(&Place { timezone, coordinates: None }, sunset, sunrise);
                let of_days = nights.iter().zip(nights.iter().skip(1));
                assert!(
                    of_days.clone().all(|(one, next)| next.0 == one.0 + 1),
                    "{timezone} {sunset} {sunrise}: one night after the other"
                );
                assert!((366..=367).contains(&nights.len()), "{timezone} {sunset}: {}", nights.len());
            }
        }
    }

    /// Towards the pole there are days without a night, and sunsets after midnight: still no night comes twice.
    #[test]
    fn no_night_comes_twice_where_the_sun_sets_after_midnight_or_not_at_all() {
        use chrono_tz::{Arctic::Longyearbyen, Europe::Helsinki, Europe::Oslo};
        let places = [
            (Longyearbyen, (78.2, 15.6), 60..240),
            (Oslo, (69.6, 18.9), 180..310),
            (Helsinki, (65.9, 24.1), 300..368),
            (Helsinki, (60.2, 24.9), 366..368),
        ];
        for (timezone, coordinates, expected) in places {
            let nights = nights(&Place { timezone, coordinates: Some(coordinates) }, 0, 0);
            assert!(
                nights.iter().zip(nights.iter().skip(1)).all(|(one, next)| next.0 > one.0),
                "{timezone} {coordinates:?}: {nights:?}"
            );
            assert!(expected.contains(&nights.len()), "{timezone} {coordinates:?}: {}", nights.len());
        }
    }

    #[test]
    fn a_stretch_has_a_sunset_for_each_of_its_days() {
        let (from, to) = (at("2026-06-20T06:00:00Z"), at("2026-06-23T06:00:00Z"));
        let place = Place { timezone: chrono_tz::America::Denver, coordinates: Some((35.08, -106.65)) };
        let sunsets = place.sunsets(0, from, to);
        assert_eq!(sunsets.len(), 3);
        // 20:24 MDT, by the almanac of the US Naval Observatory.
        assert!(sunsets[1].millis_since(at("2026-06-22T02:24:00Z")).abs() < 180_000, "{sunsets:?}");
        let fixed = Place { coordinates: None, ..place }.sunsets(19 * 3600, from, to);
        assert_eq!(fixed.first(), Some(&at("2026-06-21T01:00:00Z")));
        let north = Place { timezone: chrono_tz::Arctic::Longyearbyen, coordinates: Some((78.2, 15.6)) };
        assert_eq!(north.sunsets(0, from, to), []);
    }

    #[test]
    fn sunset_of_a_known_day_and_a_polar_night() {
        // Albuquerque, 2026-06-21: the almanac of the US Naval Observatory gives sunrise 05:53, sunset 20:24 MDT.
        let place = Place { timezone: chrono_tz::America::Denver, coordinates: Some((35.08, -106.65)) };
        let Some(SunTimes::RisesAndSets { sunrise, sunset }) =
            place.local(at("2026-06-21T18:00:00Z"), true).sun
        else {
            panic!("the sun sets in Albuquerque")
        };
        assert!(sunrise.abs_diff(5 * 3600 + 53 * 60) < 180, "sunrise at {sunrise}");
        assert!(sunset.abs_diff(20 * 3600 + 24 * 60) < 180, "sunset at {sunset}");
        let north = Place { timezone: chrono_tz::Arctic::Longyearbyen, coordinates: Some((78.2, 15.6)) };
        assert_eq!(north.local(at("2026-12-21T12:00:00Z"), true).sun, Some(SunTimes::NoSunset));
        assert_eq!(north.local(at("2026-06-21T12:00:00Z"), true).sun, Some(SunTimes::NoSunset));
    }
}
