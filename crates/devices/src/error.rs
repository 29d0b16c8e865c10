//! What can go wrong with a device, told apart by what it means for the caller.

use std::{error::Error, time::Duration};

/// A failed call. For a write, every variant means that the command did **not** take effect; where that isn't
/// certain the call succeeds with [`WriteOutcome::Unknown`](crate::WriteOutcome::Unknown) instead.
///
/// The messages are plain words for a person and never contain a password, a token or a cookie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Nothing answers: name not resolved, connection refused or reset before a byte was sent, no route.
    #[error("can't be reached: {0}")]
    Unreachable(String),
    /// The deadline passed.
    #[error("no answer within {} s while {doing}", deadline.as_secs_f32())]
    TimedOut {
        /// What was awaited, for a person ("reading the summary").
        doing: &'static str,
        /// The deadline that passed.
        deadline: Duration,
    },
    /// An answer came that isn't in the protocol.
    #[error("the answer makes no sense: {0}")]
    Protocol(String),
    /// Another kind of device, or none that this driver knows, answers at the address.
    #[error("another device answers there: {0}")]
    WrongDevice(String),
    /// The password (or, for a portal, the user name) is wrong.
    #[error("{0}")]
    BadCredentials(String),
    /// The device lets its network API change nothing; the text says how to enable it.
    #[error("{0}")]
    WritesDisabled(String),
    /// The device hands out no more sessions for now. The driver doesn't ask again before `retry_after` is over.
    #[error("the device gives out no more sessions; the next attempt is possible in {} s", retry_after.as_secs())]
    TokensExhausted {
        /// How long the driver will refuse by itself.
        retry_after: Duration,
    },
    /// The device understood and refused.
    #[error("refused with code {code}: {words}")]
    Refused {
        /// The device's code.
        code: i64,
        /// The device's own words.
        words: String,
    },
    /// The firmware can't do this.
    #[error("the firmware can't do this: {0}")]
    Unsupported(String),
    /// The service is down or asks to slow down: it isn't the credentials. The driver doesn't ask again before
    /// `retry_after` is over.
    #[error("the service isn't available now: {words}")]
    Unavailable {
        /// What it said.
        words: String,
        /// How long to leave it alone.
        retry_after: Duration,
    },
}

impl DeviceError {
    /// Whether the same call may succeed later without a person doing anything.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::TimedOut { .. }
            | Self::Protocol(_)
            | Self::TokensExhausted { .. }
            | Self::Unavailable { .. } => true,
            Self::WrongDevice(_)
            | Self::BadCredentials(_)
            | Self::WritesDisabled(_)
            | Self::Refused { .. }
            | Self::Unsupported(_) => false,
        }
    }
}

/// The innermost cause in its own words: the outer ones repeat each other, and the first of an HTTP client's names the
/// address.
pub(crate) fn cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
