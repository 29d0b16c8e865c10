//! The simulated miners, spoken to over real sockets by the smallest clients there can be.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what the helpers of a test can't do fails the test"
)]

mod bench;
mod handle;
mod network_faults;
mod profiles;
mod reply_faults;
mod v2;
mod v3;
mod write_faults;
