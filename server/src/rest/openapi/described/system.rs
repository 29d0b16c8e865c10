//! The calls of `/api/system`.

use super::{
    autocontrol::AutoControl,
    backups::Written,
    call::Call,
    network::Network,
    shapes::{Alert, Connection, Instant},
};
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    vec![
        Call::get("/api/system/status", "Everything in short")
            .reply::<SystemStatus>(200, "as it is known now"),
        Call::get("/api/system/health", "Whether it works")
            .reply::<Health>(200, "the control loop ticks and the battery data is fresh")
            .reply::<Health>(503, "it doesn't, and why"),
    ]
}

/// Everything in short.
#[derive(ToSchema)]
pub(super) struct SystemStatus {
    /// The first miner's connection.
    miner: Option<Connection>,
    battery: Connection,
    /// Of the first miner.
    autocontrol: Option<AutoControl>,
    network: Network,
    site: Site,
    time: Instant,
    /// Something other than the controller's clock agrees with it.
    clock_synced: bool,
    /// Number of the control loop's tick.
    tick: u64,
    /// The database takes writes.
    database_ok: bool,
    written: Option<Written>,
    /// Active ones first.
    alerts: Vec<Alert>,
    /// By which channels alerts go out to people, and whether they do.
    channels: Vec<AlertChannel>,
    /// How often a decision broke an invariant since the start. All zero, or it is a bug.
    invariant_violations: BTreeMap<String, u64>,
    /// The program's version.
    version: String,
    /// The devices are simulated.
    demo: bool,
}

/// A channel by which alerts go out to people.
#[derive(ToSchema)]
pub(super) struct AlertChannel {
    /// "ntfy", "webhook", "telegram" or "mail".
    channel: String,
    /// How things stood when it was last looked whether something is to be told.
    last_looked: Option<Instant>,
    /// When a message last went out, since the program was started.
    last_sent: Option<Instant>,
    /// Since when none does; null while they do, or nothing was to be told.
    failing_since: Option<Instant>,
    /// Why, for people.
    error: Option<String>,
}

/// The site.
#[derive(ToSchema)]
pub(super) struct Site {
    name: String,
    /// Its IANA zone.
    timezone: String,
}

/// Whether it works.
#[derive(ToSchema)]
pub(super) struct Health {
    ok: bool,
    /// Why, for people.
    status: String,
}
