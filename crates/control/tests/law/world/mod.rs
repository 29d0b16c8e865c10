//! A simulated house for the tests of the law: a battery behind a portal, a miner with a will of its own, a person
//! and a clock. A day is a list of events, so that a failing one shrinks to the events that matter.

pub(crate) mod days;
pub(crate) mod events;
pub(crate) mod house;
pub(crate) mod run;
