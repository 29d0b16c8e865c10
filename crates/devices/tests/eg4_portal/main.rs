//! The portal client against a portal on a real socket.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test may fail as the test itself may"
)]

mod expiry;
mod failures;
mod readings;
mod server;
mod sign_in;
