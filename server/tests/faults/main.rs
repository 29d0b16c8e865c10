//! The fault matrix: everything that can go wrong, tried, in one table of what was expected and what was seen.
//!
//! The program's parts run over real sockets against simulated devices, in simulated time, and what they say is read from
//! the page and the API as a browser and a script read it; faults of the process are tried on the built program.
//! `cargo xtask faults` prints the whole table. Each scenario is a test of its own as well.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

#[expect(dead_code, reason = "what the tests of the API need besides")]
#[path = "../api/call.rs"]
mod call;
#[path = "../program/child.rs"]
mod child;
#[expect(dead_code, reason = "what the tests of the program need besides")]
#[path = "../program/house.rs"]
mod house;
#[expect(dead_code, reason = "what the tests of the program need besides")]
#[path = "../program/kills.rs"]
mod kills;
#[path = "../program/schema.rs"]
mod schema;
#[expect(dead_code, reason = "what the tests of the API need besides")]
#[path = "../api/house.rs"]
mod site;

mod battery;
mod disk;
mod home;
mod input;
mod miner;
mod process;
mod rows;
mod scenario;
mod table;
mod time;

use libtest_mimic::{Arguments, Failed, Trial};
use scenario::Scenario;
use std::{
    any::Any,
    collections::BTreeSet,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use table::Line;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let scenarios: &'static [Scenario] = Vec::leak(all());
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut trials =
        vec![Trial::test("every_row_has_its_scenario", || every_row_has_its_scenario(scenarios))];
    trials.extend(scenarios.iter().map(|scenario| {
        let lines = Arc::clone(&lines);
        Trial::test(scenario.name, move || {
            let begun = Instant::now();
            let seen = catch_unwind(AssertUnwindSafe(|| scenario.run())).map_err(why);
            let failed = seen.as_ref().err().cloned();
            let line = Line { scenario, seen, took: begun.elapsed() };
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            failed.map_or(Ok(()), |why| Err(Failed::from(why)))
        })
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    if !lines.is_empty() && table::print(&lines, &mut io::stdout()).is_err() {
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn all() -> Vec<Scenario> {
    let parts = [
        battery::scenarios(),
        miner::scenarios(),
        process::scenarios(),
        disk::scenarios(),
        time::scenarios(),
        input::scenarios(),
    ];
    parts.into_iter().flatten().collect()
}

fn every_row_has_its_scenario(scenarios: &[Scenario]) -> Result<(), Failed> {
    let shown: BTreeSet<_> = scenarios.iter().flat_map(|scenario| scenario.rows).copied().collect();
    let known = rows::SECTIONS.iter().flat_map(|section| section.rows).copied();
    let missing: Vec<_> = known.filter(|row| !shown.contains(row)).collect();
    let unknown: Vec<_> = shown.iter().filter(|row| !rows::is_known(row)).collect();
    let names: BTreeSet<_> = scenarios.iter().map(|scenario| scenario.name).collect();
    if missing.is_empty() && unknown.is_empty() && names.len() == scenarios.len() {
        return Ok(());
    }
    Err(format!("without a scenario: {missing:?}; in no list: {unknown:?}; or two with one name").into())
}

/// What a panic said.
fn why(panic: Box<dyn Any + Send>) -> String {
    let said = panic.downcast::<String>().map(|text| *text);
    said.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|_| "it panicked".to_owned())
}
