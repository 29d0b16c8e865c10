//! What people hand in: files and requests. Which target is meant says the variable FUZZ_TARGET.

#![no_main]

use libfuzzer_sys::fuzz_target;
use server::fuzzing;
use std::{env, sync::LazyLock};

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = env::var("FUZZ_TARGET").unwrap_or_default();
    match name.as_str() {
        "config" => fuzzing::config,
        "import_battery" => fuzzing::import_battery,
        "import_miner" => fuzzing::import_miner,
        "import_state" => fuzzing::import_state,
        "query" => fuzzing::query,
        _ => panic!("FUZZ_TARGET is {name:?}, and there is no such target"),
    }
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
