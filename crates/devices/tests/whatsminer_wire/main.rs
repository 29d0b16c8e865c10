//! The WhatsMiner driver over real sockets, against scripted devices that share no code with it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, helpers included"
)]
#![expect(clippy::needless_pass_by_value, reason = "replies are written in place and handed over")]

mod device;
mod driving;
mod v2;
mod v3;
