//! The tests of the control law: its invariants over random days, its whole state space, a second implementation of
//! its rules, and its boundaries as tables.

#![expect(clippy::unwrap_used, reason = "a helper of the tests fails like a test")]

mod any_input;
mod battery;
mod battery_faults;
mod differential;
mod exhaustive;
mod fleet;
mod fleet_days;
mod invariants;
mod liveliness;
mod miner_faults;
mod monitor;
mod naive;
mod person;
mod starts;
mod worked_example;
mod world;
