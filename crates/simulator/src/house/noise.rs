//! Noise that looks random and isn't: the same seed and the same place on the axis give the same value, on every
//! machine and however often it is asked for.

/// A number in 0.0 .. 1.0 for this seed and index.
pub(crate) fn unit(seed: u64, index: i64) -> f64 {
    // The upper 53 bits are as many as an f64 holds exactly.
    (bits(seed, index) >> 11) as f64 / (1_u64 << 53) as f64
}

/// 64 well-mixed bits for this seed and index: the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast Splittable
/// Pseudorandom Number Generators", 2014).
pub(crate) fn bits(seed: u64, index: i64) -> u64 {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut mixed = seed.wrapping_mul(GOLDEN) ^ (index as u64).wrapping_add(1).wrapping_mul(GOLDEN);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Smooth noise in 0.0 .. 1.0 along time: a random value every `period_ms`, eased from one to the next.
pub(crate) fn smooth(seed: u64, at_ms: i64, period_ms: i64) -> f64 {
    let index = at_ms.div_euclid(period_ms);
    let fraction = at_ms.rem_euclid(period_ms) as f64 / period_ms as f64;
    let eased = fraction * fraction * (3.0 - 2.0 * fraction);
    let (from, to) = (unit(seed, index), unit(seed, index.wrapping_add(1)));
    from + (to - from) * eased
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn noise_stays_inside_and_has_no_steps(seed: u64, at in -10_000_000_000_i64..10_000_000_000) {
            let period = 60_000;
            let (here, next) = (smooth(seed, at, period), smooth(seed, at + 1, period));
            prop_assert!((0.0..1.0).contains(&here));
            prop_assert!((next - here).abs() <= 1.5 / 60_000.0 + 1e-12);
        }
    }

    #[test]
    fn seeds_differ() {
        let values: std::collections::BTreeSet<u64> = (0..100).map(|seed| bits(seed, 7)).collect();
        assert_eq!(values.len(), 100);
    }
}
