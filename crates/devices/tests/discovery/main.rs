//! Searching a network over real sockets: a simulated household, and devices that do what none should.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what the helpers of a test can't do fails the test"
)]

mod bench;
mod household;
mod strange;
