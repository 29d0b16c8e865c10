//! The portal's times: text without a zone, some in UTC and some in the plant's civil time.

use model::UtcMillis;

const MINUTE: i64 = 60_000;
/// All civil offsets from UTC are multiples of this.
const QUARTER_HOUR: i64 = 15 * MINUTE;
/// No civil time is further than this from UTC.
const LARGEST_OFFSET: i64 = 14 * 60 * MINUTE;
/// How far two clocks may differ and still mean the same instant. In all replies seen they differed by nothing.
const SAME_INSTANT: i64 = MINUTE;

/// A plant's offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlantOffset {
    millis: i64,
}

impl PlantOffset {
    /// From the signed hours and the minutes that a login tells (`timezoneHourOffset`, `timezoneMinuteOffset`).
    /// The minutes count in the direction of the hours, whatever their own sign.
    pub(super) fn from_hours_and_minutes(hours: f64, minutes: f64) -> Option<Self> {
        let minutes = if hours < 0.0 { -minutes.abs() } else { minutes };
        Self::from_minutes(hours * 60.0 + minutes)
    }

    /// From a plant list's `currentTimezoneWithMinute`: ±HHMM written as a number, −730 is UTC−7:30.
    pub(super) fn from_hhmm(hhmm: f64) -> Option<Self> {
        let hours = (hhmm / 100.0).trunc();
        Self::from_minutes(hours * 60.0 + (hhmm - hours * 100.0))
    }

    fn from_minutes(minutes: f64) -> Option<Self> {
        let millis = minutes * MINUTE as f64;
        (millis.abs() <= LARGEST_OFFSET as f64).then_some(Self { millis: millis as i64 })
    }
}

/// Reads `YYYY-MM-DD HH:MM:SS` as if it were UTC. Anything else, and an instant that the calendar doesn't have,
/// is `None`.
pub(super) fn parse(text: &str) -> Option<UtcMillis> {
    let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    if !text.bytes().map(shape).eq(b"0000-00-00 00:00:00".iter().copied()) {
        return None;
    }
    format!("{}Z", text.replace(' ', "T")).parse().ok()
}

/// When a snapshot was uploaded, from the two times that a reply carries.
///
/// `server` (`serverTime`) is UTC and `device` (`deviceTime`) the same instant in the plant's civil time, so
/// they differ by a multiple of a quarter of an hour. `server` counts. Without it, `device` less the plant's
/// offset does; that offset may lack daylight saving, which makes the result an hour too late, which the law
/// refuses as a time ahead of ours. Two times that can't mean the same instant contradict each other: the older
/// counts, and without an offset to compare them by, none.
pub(super) fn upload_time(
    server: Option<UtcMillis>,
    device: Option<UtcMillis>,
    offset: Option<PlantOffset>,
) -> Option<UtcMillis> {
    let device_as_utc = device.zip(offset).map(|(local, offset)| UtcMillis(local.0 - offset.millis));
    match (server, device) {
        (Some(server), Some(device)) if !same_instant(server, device) => {
            device_as_utc.map(|device| device.min(server))
        }
        (Some(server), _) => Some(server),
        (None, _) => device_as_utc,
    }
}

fn same_instant(utc: UtcMillis, local: UtcMillis) -> bool {
    let apart = local.millis_since(utc);
    let beyond = (apart + SAME_INSTANT).rem_euclid(QUARTER_HOUR);
    apart.abs() <= LARGEST_OFFSET + SAME_INSTANT && beyond <= 2 * SAME_INSTANT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn at(text: &str) -> Option<UtcMillis> {
        let instant = parse(text);
        assert!(instant.is_some(), "{text}");
        instant
    }

    #[test]
    fn a_time_reads_as_utc() {
        assert_eq!(parse("1970-01-02 00:00:01"), Some(UtcMillis(86_401_000)));
        assert_eq!(parse("2028-02-29 23:59:59"), "2028-02-29T23:59:59Z".parse().ok());
    }

    #[rstest]
    #[case("")]
    #[case("--")]
    #[case("2026-02-29 12:00:00")]
    #[case("2026-13-01 12:00:00")]
    #[case("2026-01-01 24:00:00")]
    #[case("2026-01-01 23:60:00")]
    #[case("2026-01-01 23:59:60")]
    #[case("2026-01-01T23:59:59")]
    #[case("2026-1-1 3:5:9")]
    #[case("+026-01-01 23:59:59")]
    #[case("2026-01-01 23:59:59 ")]
    #[case("２０26-01-01 23:59:59")]
    fn what_is_no_time_is_none(#[case] text: &str) {
        assert_eq!(parse(text), None);
    }

    #[test]
    fn the_servers_time_counts() {
        let server = at("2026-03-21 18:04:10");
        assert_eq!(upload_time(server, None, None), server);
        assert_eq!(upload_time(server, at("2026-03-21 11:04:10"), None), server);
        assert_eq!(upload_time(server, at("2026-03-21 23:34:11"), None), server, "UTC+5:30, a second apart");
    }

    #[test]
    fn the_devices_time_stands_in_where_the_offset_is_known() {
        let device = at("2026-03-21 11:04:10");
        let offset = PlantOffset::from_hours_and_minutes(-7.0, 0.0);
        assert_eq!(upload_time(None, device, offset), at("2026-03-21 18:04:10"));
        assert_eq!(upload_time(None, device, None), None);
        assert_eq!(upload_time(None, None, offset), None);
    }

    #[test]
    fn of_two_times_that_contradict_each_other_the_older_counts() {
        let (server, device) = (at("2026-03-21 18:12:40"), at("2026-03-21 11:04:10"));
        let offset = PlantOffset::from_hhmm(-700.0);
        assert_eq!(upload_time(server, device, offset), at("2026-03-21 18:04:10"));
        assert_eq!(upload_time(server, device, None), None);
        let (server, device) = (at("2026-03-20 02:00:00"), at("2026-03-21 11:00:00"));
        assert_eq!(upload_time(server, device, offset), server, "no zone is 33 h from UTC");
    }

    #[rstest]
    #[case(-8.0, 0.0, -480)]
    #[case(5.0, 30.0, 330)]
    #[case(-3.0, 30.0, -210)]
    #[case(-3.0, -30.0, -210)]
    fn offsets_of_a_login(#[case] hours: f64, #[case] minutes: f64, #[case] expected: i64) {
        let offset = PlantOffset::from_hours_and_minutes(hours, minutes);
        assert_eq!(offset, Some(PlantOffset { millis: expected * MINUTE }));
    }

    #[rstest]
    #[case(-700.0, -420)]
    #[case(-730.0, -450)]
    #[case(545.0, 345)]
    #[case(0.0, 0)]
    fn offsets_of_a_plant_list(#[case] hhmm: f64, #[case] expected: i64) {
        assert_eq!(PlantOffset::from_hhmm(hhmm), Some(PlantOffset { millis: expected * MINUTE }));
    }

    #[test]
    fn no_place_on_earth_is_a_day_away() {
        assert_eq!(PlantOffset::from_hhmm(2400.0), None);
        assert_eq!(PlantOffset::from_hours_and_minutes(f64::INFINITY, 0.0), None);
        assert_eq!(PlantOffset::from_hours_and_minutes(-1e300, f64::NAN), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_offset_panics(hours in any::<f64>(), minutes in any::<f64>(), hhmm in any::<f64>()) {
            let _ = PlantOffset::from_hours_and_minutes(hours, minutes);
            let _ = PlantOffset::from_hhmm(hhmm);
        }
    }
}
