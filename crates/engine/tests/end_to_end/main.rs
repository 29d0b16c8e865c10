//! The whole chain over real sockets: simulated house, portal and miners, the real clients, the law, the actor.
//!
//! Time is simulated in lockstep: it moves only while the engine rests, so that nothing here depends on how fast the
//! machine is. What is asserted is what the simulated miner was sent and drew.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod address;
mod battery_faults;
mod bitaxe;
mod day;
mod fullness;
mod house;
mod miner_faults;
mod person;
mod renewal;
mod restart;
mod samples;
mod several;
mod who_is_there;
