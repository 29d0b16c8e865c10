//! What devices say. Which target is meant says the variable FUZZ_TARGET.

#![no_main]

use devices::fuzzing;
use libfuzzer_sys::fuzz_target;
use std::{env, sync::LazyLock};

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").unwrap_or_default();
    match name.as_str() {
        "v2" => fuzzing::v2,
        "v2_sealed" => fuzzing::v2_sealed,
        "v3" => fuzzing::v3,
        "axeos" => fuzzing::axeos,
        "portal" => fuzzing::portal,
        "identify" => fuzzing::identify,
        _ => panic!("FUZZ_TARGET is {name:?}, and there is no such target"),
    }
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
