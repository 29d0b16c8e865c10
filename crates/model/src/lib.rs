//! Units, readings and the types that cross the wire.
//!
//! Everything here is plain data: no I/O, no clock, no rule of the control law. Three conventions hold in the
//! whole project and are written down once, here:
//!
//! * **Unknown is `None`.** It is never zero and never "off". A number that a device didn't report, or that isn't
//!   finite, doesn't exist.
//! * **Signs.** Battery power is positive while charging. Grid power is positive while importing.
//! * **Three times.** [`time::MonoTime`] measures intervals, [`time::UtcMillis`] names instants for people and
//!   for devices, [`time::LocalTime`] is the site's civil time and only the sunset rule reads it.

pub mod alert;
pub mod battery;
pub mod decision;
pub mod demo;
pub mod discovery;
pub mod event;
pub mod history;
pub mod intent;
pub mod journal;
pub mod miner;
pub mod operation;
pub mod snapshot;
pub mod time;
pub mod units;

pub use alert::{Alert, AlertCode, Severity, Undelivered};
pub use battery::{BatteryReading, BatteryUnit};
pub use decision::{Blocked, BlockedBy, Command, Explanation, LadderStep, Reason, Rule, Wanted};
pub use intent::{Intent, Manual, ManualTarget, PowerIntent};
pub use miner::{MinerError, MinerId, MinerIdentity, MinerReading, PoolReading};
pub use operation::{Means, Operation, OperationId, OperationStage};
pub use time::{CivilDay, LocalTime, MonoTime, Now, SunTimes, UtcMillis};
pub use units::{Celsius, PowerPercent, Soc, TeraHash, Watts};
