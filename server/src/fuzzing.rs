//! What is tried with any bytes: the configuration, what is imported, and what stands in a request's query. See
//! `devices::fuzzing`, which does the same for what devices say.

pub use crate::{
    import::fuzzing::{import_battery, import_miner, import_state},
    rest::fuzzing::query,
};

use crate::config;

/// The text of a configuration file.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match config::from_text(&text, std::iter::empty()) {
        Ok(loaded) => {
            for miner in &loaded.config.miners {
                let (lowest, highest) = miner.power_range();
                assert!(
                    lowest.get() > 0.0 && lowest <= highest,
                    "no range of powers: {lowest:?} to {highest:?}"
                );
                assert!(!miner.host.as_str().is_empty() && !miner.id.0.is_empty(), "a miner that is nowhere");
                let policy = loaded.config.policy(miner);
                assert_eq!(policy.check(), Ok(()), "what loads, the law accepts");
            }
            let again = config::from_text(&text, std::iter::empty());
            assert_eq!(again.map(|again| again.config).ok(), Some(loaded.config), "read again it is another");
        }
        Err(error) => {
            let words = error.to_string();
            assert!(!words.is_empty() && words.len() < 1 << 20, "{} bytes of words", words.len());
        }
    }
}

#[cfg(test)]
mod replay {
    //! The seeds of the fuzzer, and bytes near them, in an ordinary test.

    use super::*;
    use proptest::prelude::*;
    use std::{fs, path::Path};

    type Target = fn(&[u8]);

    const TARGETS: [(&str, Target); 5] = [
        ("config", config),
        ("import_battery", import_battery),
        ("import_miner", import_miner),
        ("import_state", import_state),
        ("query", query),
    ];

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/server").join(target);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|file| fs::read(file).unwrap()).collect()
    }

    #[test]
    fn seeds_of_what_people_hand_in_and_what_is_near_them_hold() {
        for (name, target) in TARGETS {
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
}
