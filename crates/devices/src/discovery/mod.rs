//! Finding miners on the home network.
//!
//! A search goes in two stages that overlap. First every address is knocked at, on the ports where miners listen; then
//! whoever opened one is asked who it is, each port at most once and only in its own protocol. Beside that, devices
//! that announce themselves by mDNS are listened to. Findings are told as they come.
//!
//! * Only private networks are searched ([`Ranges`]), and at most [`MOST_ADDRESSES`] addresses.
//! * Everything has a deadline ([`Pace`]), replies are read up to 64 KiB, redirects aren't followed.
//! * What a page says in its text makes no Bitaxe: only its own JSON does.
//! * A device is known by its hardware address; that one has changed is for the caller to see.
//!
//! What it must not do: send a password, a command or anything to a port that didn't open; decide what becomes of what
//! was found; keep anything from one search to the next.

mod announced;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod identify;
mod knock;
mod pace;
mod ranges;
mod scan;

pub use pace::{Pace, Ports};
pub use ranges::{Interface, MOST_ADDRESSES, RangeError, Ranges, own_interfaces, parse_range};
pub use scan::{Scan, ScanEvent, Search};
