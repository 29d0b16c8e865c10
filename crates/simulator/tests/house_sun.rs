//! The sun of the simulated house against an independent ephemeris, and what it means for the roof.

use model::UtcMillis;
use rstest::rstest;
use simulator::{
    house::{Clouds, House, HouseSetup, sun},
    time::SimulatedClock,
};
use std::time::Duration;

/// Elevation of the sun's centre at sunrise and sunset by the almanacs' definition: refraction and half its disc.
const HORIZON: f64 = -0.833;

/// The times are computed with PyEphem 4 (VSOP87): the disc's centre at −0°50′, without its own refraction.
#[rstest]
#[case::albuquerque_summer(35.0844, -106.6504, "2026-06-21T11:52:50Z", "2026-06-22T02:24:07Z")]
#[case::albuquerque_winter(35.0844, -106.6504, "2026-12-21T14:10:59Z", "2026-12-21T23:58:38Z")]
#[case::london_equinox(51.5074, -0.1278, "2026-03-20T06:03:24Z", "2026-03-20T18:13:29Z")]
#[case::sydney(-33.8688, 151.2093, "2026-01-14T18:59:29Z", "2026-01-15T09:08:58Z")]
#[case::quito(-0.1807, -78.4678, "2026-09-23T11:02:55Z", "2026-09-23T23:09:24Z")]
#[case::tromso(69.6492, 18.9553, "2026-03-01T06:10:13Z", "2026-03-01T15:44:28Z")]
fn the_sun_rises_and_sets_when_the_ephemeris_says(
    #[case] latitude: f64,
    #[case] longitude: f64,
    #[case] sunrise: UtcMillis,
    #[case] sunset: UtcMillis,
) {
    const TOLERANCE_MS: i64 = 60_000;
    let up = |instant: UtcMillis, shift: i64| {
        sun::elevation_degrees(latitude, longitude, UtcMillis(instant.0 + shift)) > HORIZON
    };
    assert!(!up(sunrise, -TOLERANCE_MS) && up(sunrise, TOLERANCE_MS), "sunrise isn't at {sunrise}");
    assert!(up(sunset, -TOLERANCE_MS) && !up(sunset, TOLERANCE_MS), "sunset isn't at {sunset}");
}

#[test]
fn a_polar_night_gives_nothing_and_a_polar_day_never_nothing() {
    for (start, dark) in [("2026-12-10T00:00:00Z", true), ("2026-06-10T00:00:00Z", false)] {
        let clock = SimulatedClock::paused(start.parse().unwrap());
        let setup = HouseSetup {
            latitude: 69.65,
            longitude: 18.96,
            timezone: "Europe/Oslo".to_owned(),
            ..HouseSetup::default()
        };
        let house = House::new(setup, clock.source()).unwrap();
        for _ in 0..24 * 6 {
            clock.jump(Duration::from_secs(600));
            let pv = house.now().pv.get();
            assert!(if dark { pv.abs() < 1e-9 } else { pv > 0.0 }, "{pv} W at {}", clock.now());
        }
    }
}

#[test]
fn clouds_take_from_the_sun_and_never_add() {
    let noon = |cover: f64| {
        let clock = SimulatedClock::paused("2026-05-01T19:00:00Z".parse().unwrap());
        let clouds = Clouds { cover, variability: 0.0 };
        House::new(HouseSetup { clouds, ..HouseSetup::default() }, clock.source()).unwrap().now().pv.get()
    };
    let (clear, cloudy, overcast) = (noon(0.0), noon(0.7), noon(1.0));
    assert!(clear > 8000.0 && clear < 12_000.0, "12 kW of panels at noon in May gave {clear} W");
    assert!(cloudy < clear && overcast < cloudy);
    assert!((overcast / clear - 0.25).abs() < 1e-9, "a quarter comes through a closed cover");
}
