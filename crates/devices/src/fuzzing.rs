//! What is tried with any bytes: every parser of what a device says, and what must hold of whatever it makes of them.
//!
//! cargo-fuzz searches for bytes that break it (`cargo xtask fuzz`, fuzz/); the ordinary tests try its seeds and bytes near
//! them. Each target takes bytes as a device would send them, and panics where something doesn't hold.

pub use crate::{
    axeos::fuzzing::axeos,
    discovery::fuzzing::identify,
    eg4::fuzzing::portal,
    whatsminer::fuzzing::{v2, v2_sealed, v3},
};

use model::{MinerReading, PoolReading};

/// What holds of every reading of a miner, of a reply that is this text.
pub(crate) fn check_reading(reading: &MinerReading, text: &str) {
    let MinerReading {
        power,
        hash_rate,
        hash_rate_average,
        hash_rate_rated,
        power_limit,
        power_percent,
        power_set,
        elapsed_seconds,
        uptime_seconds,
        ambient,
        chip_max,
        chip_average,
        fan_in_rpm,
        fan_out_rpm,
        pools,
        ..
    } = reading;
    let watts = [power, power_limit, power_set].map(|power| power.map(model::Watts::get));
    let hashes = [hash_rate, hash_rate_average, hash_rate_rated].map(|rate| rate.map(model::TeraHash::get));
    let degrees = [ambient, chip_max, chip_average].map(|degrees| degrees.map(model::Celsius::get));
    let counts = [*elapsed_seconds, *uptime_seconds];
    let fans = [*fan_in_rpm, *fan_out_rpm].map(|rpm| rpm.map(f64::from));
    for value in watts.iter().chain(&hashes).chain(&fans).flatten() {
        assert!(value.is_finite() && *value >= 0.0, "no such power, hash rate or fan: {value}");
    }
    assert!(degrees.iter().flatten().all(|value| value.is_finite()), "no temperature: {degrees:?}");
    assert!(
        power_limit.is_none_or(|limit| (1.0..=99_999.0).contains(&limit.get())),
        "no limit: {power_limit:?}"
    );
    assert!(pools.len() <= 64 && reading.errors.len() <= 64, "lists without an end");
    if has_no_digit(text) {
        // Unknown is unknown, and never 0.
        let numbers = watts.iter().chain(&hashes).chain(&degrees).chain(&fans);
        assert!(
            numbers.flatten().next().is_none() && power_percent.is_none(),
            "numbers of nowhere: {reading:?}"
        );
        assert_eq!(counts, [None, None], "counts of nowhere");
    }
    for PoolReading { url, .. } in pools {
        assert!(!url.is_empty(), "a pool without an address");
    }
}

/// Whether no number can stand in a text.
pub(crate) fn has_no_digit(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod replay {
    //! The seeds of the fuzzer, and bytes near them, in an ordinary test.

    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use std::{fs, path::Path};

    type Target = fn(&[u8]);

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/devices").join(target);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| fs::read(file).unwrap()).collect()
    }

    #[rstest]
    #[case("v2", v2)]
    #[case("v2_sealed", v2_sealed)]
    #[case("v3", v3)]
    #[case("axeos", axeos)]
    #[case("portal", portal)]
    #[case("identify", identify)]
    fn seeds_and_what_is_near_them_hold(#[case] name: &str, #[case] target: Target) {
        let seeds = seeds(name);
        assert!(seeds.len() >= 2, "no seeds for {name}");
        for seed in &seeds {
            target(seed);
        }
        let near =
            (proptest::sample::select(seeds), any::<prop::sample::Index>(), any::<Vec<u8>>(), 0..8_usize);
        proptest!(|((mut seed, at, bytes, gone) in near)| {
            let at = at.index(seed.len() + 1);
            let end = seed.len().min(at + gone);
            seed.splice(at..end, bytes);
            target(&seed);
        });
        proptest!(|(bytes: Vec<u8>)| target(&bytes));
    }
}
