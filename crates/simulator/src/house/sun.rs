//! Where the sun stands and what falls on a roof under it. Pure functions of place and time.

use model::UtcMillis;

/// Elevation of the sun's centre above the horizon in degrees, without refraction, by the formulas of the NOAA Solar
/// Calculator (after J. Meeus, "Astronomical Algorithms"); good to a few hundredths of a degree from 1900 to 2100.
///
/// `latitude` is positive in the north, `longitude` in the east, both in degrees. At sunrise and sunset, as almanacs
/// define them, the elevation is −0.833°.
pub fn elevation_degrees(latitude: f64, longitude: f64, utc: UtcMillis) -> f64 {
    let days_since_j2000 = utc.0 as f64 / 86_400_000.0 - 10_957.5;
    let century = days_since_j2000 / 36_525.0;

    let mean_longitude = (280.466_46 + century * (36_000.769_83 + century * 0.000_303_2)).rem_euclid(360.0);
    let mean_anomaly = (357.529_11 + century * (35_999.050_29 - 0.000_153_7 * century)).to_radians();
    let eccentricity = 0.016_708_634 - century * (0.000_042_037 + 0.000_000_126_7 * century);
    let centre = mean_anomaly.sin() * (1.914_602 - century * (0.004_817 + 0.000_014 * century))
        + (2.0 * mean_anomaly).sin() * (0.019_993 - 0.000_101 * century)
        + (3.0 * mean_anomaly).sin() * 0.000_289;
    let node = (125.04 - 1934.136 * century).to_radians();
    let apparent_longitude = (mean_longitude + centre - 0.005_69 - 0.004_78 * node.sin()).to_radians();
    let mean_obliquity =
        23.439_291 - century * (0.013_004_167 + century * (0.000_000_164 - century * 0.000_000_503_6));
    let obliquity = (mean_obliquity + 0.002_56 * node.cos()).to_radians();
    let declination = (obliquity.sin() * apparent_longitude.sin()).asin();

    let y = (obliquity / 2.0).tan().powi(2);
    let doubled_longitude = 2.0 * mean_longitude.to_radians();
    let equation_of_time_minutes = 4.0
        * (y * doubled_longitude.sin() - 2.0 * eccentricity * mean_anomaly.sin()
            + 4.0 * eccentricity * y * mean_anomaly.sin() * doubled_longitude.cos()
            - 0.5 * y * y * (2.0 * doubled_longitude).sin()
            - 1.25 * eccentricity * eccentricity * (2.0 * mean_anomaly).sin())
        .to_degrees();

    let utc_minutes = utc.0.rem_euclid(86_400_000) as f64 / 60_000.0;
    let solar_minutes = utc_minutes + equation_of_time_minutes + 4.0 * longitude;
    let hour_angle = (solar_minutes / 4.0 - 180.0).to_radians();
    let latitude = latitude.to_radians();
    let sine = latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos();
    sine.clamp(-1.0, 1.0).asin().to_degrees()
}

/// Irradiance of a plane under a clear sky in W/m², zero with the sun under the horizon: the sky of B. Haurwitz
/// ("Insolation in relation to cloudiness and cloud density", 1945), of which the diffuse part reaches every plane and
/// the direct part counts by the angle at which it arrives.
///
/// `elevation` is the sun's over the horizon, `over_plane` its elevation over the plane, both in degrees; for a
/// horizontal plane they are the same.
pub fn clear_sky_irradiance(elevation: f64, over_plane: f64) -> f64 {
    const DIFFUSE: f64 = 0.15;
    let sine = elevation.to_radians().sin();
    if sine <= 0.0 {
        return 0.0;
    }
    let towards_the_sun = 1098.0 * (-0.057 / sine).exp();
    towards_the_sun * (DIFFUSE * sine + (1.0 - DIFFUSE) * over_plane.to_radians().sin().max(0.0))
}

/// Elevation of the sun over a plane in degrees that is tilted towards the equator: what the elevation over the horizon
/// is at the latitude where the horizon lies like that plane.
pub fn elevation_over_tilted(latitude: f64, longitude: f64, tilt: f64, utc: UtcMillis) -> f64 {
    elevation_degrees(latitude - tilt.copysign(latitude), longitude, utc)
}

/// The share of the clear sky's irradiance that comes through a cloud cover of 0 ..= 1 (F. Kasten, G. Czeplak,
/// "Solar and terrestrial radiation dependent on the amount and type of cloud", 1980).
pub fn through_clouds(cover: f64) -> f64 {
    1.0 - 0.75 * cover.clamp(0.0, 1.0).powf(3.4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sun_is_overhead_on_the_equator_at_an_equinox() {
        // Noon at longitude 0 on 2026-03-20 is at about 12:07:30 UTC (the equation of time is −7.5 min).
        let noon: UtcMillis = "2026-03-20T12:07:30Z".parse().unwrap();
        assert!(elevation_degrees(0.0, 0.0, noon) > 89.5);
        let midnight: UtcMillis = "2026-03-20T00:07:30Z".parse().unwrap();
        assert!(elevation_degrees(0.0, 0.0, midnight) < -89.5);
    }

    #[test]
    fn irradiance_lies_between_night_and_the_solar_constant() {
        for tenth in -900..=900 {
            for over_plane in [-20.0, 0.0, 45.0, 90.0] {
                let irradiance = clear_sky_irradiance(f64::from(tenth) / 10.0, over_plane);
                assert!((0.0..1361.0).contains(&irradiance));
                assert_eq!(irradiance > 0.0, tenth > 0, "{tenth}");
            }
        }
    }

    #[test]
    fn a_tilted_plane_sees_the_winter_sun_higher() {
        let noon: UtcMillis = "2026-12-21T19:05:00Z".parse().unwrap();
        let (latitude, longitude) = (35.0, -106.65);
        let horizon = elevation_degrees(latitude, longitude, noon);
        assert!((elevation_over_tilted(latitude, longitude, 30.0, noon) - horizon - 30.0).abs() < 0.1);
        let south = elevation_over_tilted(-latitude, longitude, 30.0, noon);
        assert!((south - elevation_degrees(-latitude + 30.0, longitude, noon)).abs() < 1e-9);
    }
}
