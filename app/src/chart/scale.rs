//! Scales of values: what lies between the lower and the upper edge of a chart, and the marks beside it.

use super::Mark;
use serde::{Deserialize, Serialize};

/// What is at the edges of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// At the lower edge.
    pub bottom: f64,
    /// At the upper edge; greater than what is at the lower one.
    pub top: f64,
}

impl Scale {
    /// How far up a value is, from 0 at the lower edge to 1 at the upper one; at the edge, for what is beyond.
    pub fn share(self, value: f64) -> f64 {
        ((value - self.bottom) / (self.top - self.bottom)).clamp(0.0, 1.0)
    }
}

/// A scale with its marks, from the bottom up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The scale.
    pub scale: Scale,
    /// The marks.
    pub marks: Vec<Mark>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Axis {
    /// Marks at the multiples of a round step that lie on the scale, at most `most` of them.
    fn round(scale: Scale, most: f64, label: impl Fn(f64, f64) -> String) -> Self {
        let Scale { bottom, top } = scale;
        let size = 10_f64.powf(((top - bottom) / most).log10().floor());
        let ends = |step: f64| ((bottom / step).ceil(), (top / step).floor());
        let fits = |step: &f64| ends(*step).1 - ends(*step).0 < most;
        let steps = [size, 2.0 * size, 5.0 * size, 10.0 * size];
        let step = steps.into_iter().find(fits).unwrap_or(20.0 * size);
        let (first, last) = ends(step);
        let marks = (0..=(last - first) as u32).map(|index| {
            let value = (first + f64::from(index)) * step;
            Mark {
                at: hundredths(scale.share(value) * 100.0),
                label: label(value, step),
                is_major: value == 0.0,
                is_spare: false,
            }
        });
        Self { scale, marks: marks.collect() }
    }

    /// A little more than from `lowest` to `highest`.
    fn room(lowest: f64, highest: f64) -> Scale {
        let margin = (highest - lowest) * 0.04;
        Scale { bottom: if lowest == 0.0 { 0.0 } else { lowest - margin }, top: highest + margin }
    }

    /// Powers in W, with zero and at least 100 W.
    pub(super) fn powers(lowest: f64, highest: f64) -> Self {
        let highest = highest.max(100.0);
        let in_kilowatts = highest >= 1000.0 || lowest <= -1000.0;
        Self::round(Self::room(lowest.min(0.0), highest), 6.0, |watts, step| {
            let kilowatts = watts / 1000.0;
            let text = match (watts == 0.0, in_kilowatts) {
                (true, _) => "0".to_owned(),
                (_, false) => format!("{watts:.0} W"),
                _ if step < 1000.0 => format!("{kilowatts:.1} kW"),
                _ => format!("{kilowatts:.0} kW"),
            };
            text.replace('-', "−")
        })
    }

    /// The state of charge: always 0 to 100 %.
    pub(super) fn charges() -> Self {
        let marks = [0_u32, 50, 100].map(|percent| Mark {
            at: f64::from(percent),
            label: format!("{percent} %"),
            is_major: false,
            is_spare: false,
        });
        Self { scale: Scale { bottom: 0.0, top: 100.0 }, marks: marks.to_vec() }
    }

    /// Temperatures in °C, with at least ten degrees of room.
    pub(super) fn temperatures(lowest: f64, highest: f64) -> Self {
        let highest = highest.max(lowest + 10.0);
        let label = |celsius: f64, _| format!("{celsius:.0} °C").replace('-', "−");
        Self::round(Self::room(lowest, highest), 5.0, label)
    }

    /// Speeds in rpm, from zero.
    pub(super) fn speeds(highest: f64) -> Self {
        Self::round(Self::room(0.0, highest.max(1000.0)), 4.0, |rpm, _| format!("{rpm:.0}"))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Scale {
    /// A scale for what has none that is shown: its zero is where the other's is, and `highest` has room.
    pub(super) fn beside(other: Self, highest: f64) -> Self {
        let factor = highest.max(1.0) * 1.25 / other.top.max(1.0);
        Self { bottom: other.bottom * factor, top: other.top.max(1.0) * factor }
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub(super) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_power_axis_counts_as_people_do() {
        let labels = |lowest, highest| {
            Axis::powers(lowest, highest).marks.into_iter().map(|mark| mark.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(0.0, 350.0), ["0", "100 W", "200 W", "300 W"]);
        assert_eq!(labels(0.0, 1700.0), ["0", "0.5 kW", "1.0 kW", "1.5 kW"]);
        assert_eq!(labels(-3100.0, 8100.0), ["−2 kW", "0", "2 kW", "4 kW", "6 kW", "8 kW"]);
        assert_eq!(labels(-4900.0, 10_400.0), ["−5 kW", "0", "5 kW", "10 kW"]);
    }

    #[test]
    fn a_scale_beside_another_has_its_zero_where_the_other_has_it() {
        let other = Scale { bottom: -2000.0, top: 6000.0 };
        let rates = Scale::beside(other, 200.0);
        assert!((rates.share(0.0) - other.share(0.0)).abs() < 1e-9);
        assert!((rates.share(200.0) - (0.25 + 0.75 * 0.8)).abs() < 1e-9);
    }

    proptest! {
        /// Whatever was measured has room, zero has its mark, and there are few marks that rise.
        #[test]
        fn everything_has_room(lowest in -1e6..1e6_f64, more in 0.0..1e6_f64) {
            for axis in [Axis::powers(lowest, lowest + more), Axis::temperatures(lowest, lowest + more)] {
                let Axis { scale, marks } = axis;
                prop_assert!(scale.bottom <= lowest && scale.top >= lowest + more, "{scale:?}");
                prop_assert!((1..=6).contains(&marks.len()), "{marks:?}");
                prop_assert!(marks.windows(2).all(|pair| pair[0].at < pair[1].at), "{marks:?}");
                prop_assert!(marks.iter().all(|mark| (0.0..=100.0).contains(&mark.at)), "{marks:?}");
            }
            prop_assert!(Axis::powers(lowest, lowest + more).marks.iter().any(|mark| mark.label == "0"));
        }
    }
}
