//! The REST API over a running site: simulated house, portal and miner behind real sockets, the real clients, the
//! law, and simulated time that moves only while the site rests.
//!
//! What is asserted is what a client reads and what the simulated miner was sent.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod access;
mod asking;
mod bad_input;
mod call;
mod decisions;
mod described;
mod events;
mod export;
mod health;
mod history;
mod house;
mod metrics;
mod miners;
mod network;
mod notify;
mod page;
mod receivers;
mod replies;
mod settings;
mod shape;
mod strangers;
