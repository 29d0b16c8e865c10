//! The built program as a household runs it: started, asked, stopped and killed from outside, against simulated
//! devices in this process.
//!
//! Nothing is asserted about how long anything takes: simulated time stands still until a test moves it, and every
//! wait is for an event, with a deadline only so that a failure ends.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod attacks;
mod backups;
mod checking;
mod child;
mod configuration;
mod disk;
mod house;
mod installed;
mod killed;
mod kills;
mod living;
mod past;
mod schema;
mod service;
mod upgraded;
