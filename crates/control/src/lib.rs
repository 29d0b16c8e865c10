//! The control law: what a miner may draw, given what the battery says.
//!
//! One function carries it, [`step`]: `(policy, state, observation) -> (state', decision)`. It is pure, total and
//! deterministic: no clock, no I/O, no randomness, no logging, no panic, for any input. The same crate decides in
//! the running system, replays history and answers "what if" in the browser.
//!
//! The way through a step is the way through the modules:
//!
//! 1. [`battery`] judges the sample: is it new, possible, fresh, confirmed?
//! 2. [`actuation`] tells what the miner does and what became of the last command.
//! 3. [`rules`] lets the latches follow the battery and asks the rules, highest first, what is wanted.
//! 4. [`gate`] holds an ordinary command back until it may go; an off it never holds back.
//!
//! Where several miners live on one battery, [`fleet`] deals out what the law allows them together.
//!
//! [`alerts`] lists what a person should know, [`mod@explain`] says all of it in plain sentences, [`monitor`] checks
//! every step against the invariants, [`replay`] runs the law over a recorded series and [`energy`] integrates power
//! over fresh samples.

pub mod actuation;
pub mod alerts;
pub mod battery;
pub mod energy;
pub mod explain;
pub mod fleet;
pub mod gate;
pub mod ladder;
pub mod monitor;
pub mod observation;
pub mod policy;
pub mod replay;
pub mod rules;
pub mod state;

pub use alerts::AlertSet;
pub use explain::{explain, refusal};
pub use fleet::{Claim, Member, Share, claim, deal};
pub use observation::{BatteryObservation, Feedback, MinerObservation, Observation, Outcome, PowerRange};
pub use policy::{Policy, PolicyError};
pub use rules::{Decision, step};
pub use state::{LastCommand, Stage, Stance, State, StopReason};
