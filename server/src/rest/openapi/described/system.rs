//! The calls of `/api/system` and `/api/network`.

use super::{
    autocontrol::AutoControl,
    call::Call,
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
        Call::get("/api/network/devices", "The miners that are configured")
            .reply::<Network>(200, "in the configuration's order"),
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
    /// Active ones first.
    alerts: Vec<Alert>,
    /// How often a decision broke an invariant since the start. All zero, or it is a bug.
    invariant_violations: BTreeMap<String, u64>,
    /// The program's version.
    version: String,
    /// The devices are simulated.
    demo: bool,
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

/// The miners that are configured. Nothing is scanned.
#[derive(ToSchema)]
pub(super) struct Network {
    scanning: bool,
    last_scan_time: Option<Instant>,
    device_count: u64,
    devices: Vec<Device>,
}

/// A miner on the network.
#[derive(ToSchema)]
pub(super) struct Device {
    id: String,
    ip: String,
    hostname: String,
    r#type: String,
    hashrate_ths: Option<f64>,
    power_w: Option<f64>,
    last_seen: Option<Instant>,
}
