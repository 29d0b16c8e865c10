//! The running system: poll, decide, act, verify, record, publish.
//!
//! ```text
//! battery task ──latest──▶┐                        ┌──order──▶ miner's actor ──▶ device
//!                         ├─ control loop: step ───┤
//! miner's reader ─latest─▶┘        │               └──write──▶ recorder ──▶ store
//!                                  └──▶ published snapshot
//! ```
//!
//! * Every device has its own tasks: one that is dead or slow delays no other and never delays the loop.
//! * The control loop is the only place that decides, and a miner's actor the only place that commands it: one
//!   operation at a time, off before everything else.
//! * The law's state is handed to the recorder before a command is sent. Losing the database never stops control.
//! * [`clock`] is the only place that reads a clock; whoever needs to know the time is told.
//! * Every task is supervised: it is started again if it ends, and a control loop that stops ticking has its miners
//!   switched off.

mod actor;
mod alerts;
mod battery;
pub mod clock;
mod control_loop;
mod followed;
mod fullness;
mod inherited;
mod local;
mod notices;
mod punctuality;
mod reader;
mod recorder;
mod requests;
mod samples;
mod site;
mod supervise;
mod unit;

pub use inherited::{Inherited, inherit};
pub use local::Place;
pub use punctuality::{Ticks, Times};
pub use requests::{Handle, Law, Refused, Reply, Request, WouldDecide};
pub use site::{FollowedSetup, MinerSetup, NotRenewed, Site, SiteSetup};
