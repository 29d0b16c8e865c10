//! The AxeOS driver over real sockets: against simulated devices, which share no code with it, and against sockets that
//! say whatever they are told to.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, helpers included"
)]

mod bench;
mod driving;
mod failures;
mod reading;
