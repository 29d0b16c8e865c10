//! Finding miners on the home network.
//!
//! * [`ranges`] says where to look: the private networks of this host's own interfaces, and what a person adds.
//! * [`search()`] looks there in two stages: which addresses have a miner's port open, and who answers at it.
//! * `probe` recognises who answers: by the drivers' own identification, and other makers by what gives them away.
//!
//! Nothing is ever changed on a device, no password is sent, no redirect is followed, and no address outside of private
//! networks is touched.

mod probe;
pub mod ranges;
mod search;

pub use probe::Ports;
pub use search::{Plan, SearchEvent, search};
