//! The REST API under `/api`.
//!
//! Times are RFC 3339 in UTC, powers W, hash rates TH/s, temperatures °C; unknown is `null`. Outer shapes are those
//! that scripts for the earlier program rely on; ours add members. Every error has one shape:
//! `{"error":{"code","message","field?"}}`.

mod alerts;
mod autocontrol;
mod backups;
mod battery;
mod body;
mod decisions;
mod error;
mod export;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod history;
mod miner;
mod network;
mod openapi;
mod pairs;
mod system;
mod which;

use crate::{current::Current, keeping::Keeping, network::Network, notify::Notifier};
use axum::Router;
use engine::Handle;
use model::Soc;
use serde::Serialize;
use std::time::Duration;
use store::Store;

pub use error::ApiError;
pub(crate) use error::{broken, cross_origin, method_not_allowed, not_found};
pub use export::Exports;
pub(crate) use history::members;
pub(crate) use openapi::DESCRIPTION;
pub(crate) use pairs::Pairs;

/// The largest body that is read, in bytes.
pub const LARGEST_BODY: usize = 16 * 1024;

/// What the endpoints know.
#[derive(Clone)]
pub struct Api {
    /// The running site.
    pub site: Handle,
    /// What is told of the configuration.
    pub current: Current,
    /// What was kept; `None` if the database can't be used.
    pub store: Option<Store>,
    /// Who may make a table of it now.
    pub exports: Exports,
    /// What is on the network.
    pub network: Network,
    /// Who tells people of alerts.
    pub notifier: Notifier,
    /// What is kept on the disk.
    pub keeping: Keeping,
}

/// What is told of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The site's name.
    pub site_name: String,
    /// The site's zone.
    pub timezone: chrono_tz::Tz,
    /// Latitude and longitude in degrees, where they are known.
    pub coordinates: Option<(f64, f64)>,
    /// Sunset in seconds after local midnight, where the sun isn't computed.
    pub fixed_sunset: u32,
    /// The shortest time between two ordinary commands.
    pub min_interval: Duration,
    /// The state of charge at and under which a miner is off.
    pub emergency: Soc,
    /// How old the battery's data may be before it is called old.
    pub old_after: Duration,
    /// How old the battery's data may be before health is bad.
    pub stale_after: Duration,
    /// How long a manual power holds if the person doesn't say.
    pub manual_hold: Duration,
    /// How many days a history tells if nobody says.
    pub default_days: f64,
    /// The time between two ticks of the control loop.
    pub tick: Duration,
    /// Ranges that are searched for devices, besides the networks that this machine is in.
    pub search_ranges: Vec<String>,
    /// How often the daily CSV files get a row; `None` where there are none.
    pub csv_log: Option<Duration>,
    /// How long samples are kept as they were taken.
    pub samples_kept: Duration,
    /// The time between two backups; `None` where none are made by themselves.
    pub backup_every: Option<Duration>,
    /// How many backups are kept.
    pub backups_kept: usize,
    /// The devices are simulated.
    pub demo: bool,
}

impl Facts {
    /// How long after its last tick the control loop is taken for one that doesn't tick, in milliseconds.
    pub(crate) fn longest_silence(&self) -> i64 {
        i64::try_from(self.tick.as_millis()).unwrap_or(i64::MAX).saturating_mul(4).saturating_add(5_000)
    }
}

/// The endpoints, to be nested under `/api`.
pub fn routes(api: Api) -> Router {
    Router::new()
        .merge(miner::routes())
        .merge(battery::routes())
        .merge(autocontrol::routes())
        .merge(decisions::routes())
        .merge(export::routes())
        .merge(system::routes())
        .merge(network::routes())
        .merge(alerts::routes())
        .merge(backups::routes())
        .merge(openapi::routes())
        .with_state(api)
}

/// A device's connection, as clients know it.
#[derive(Debug, Serialize)]
struct ConnectionBody {
    connected: bool,
    last_seen: Option<model::UtcMillis>,
    uptime_seconds: Option<u64>,
    error: Option<String>,
}

impl ConnectionBody {
    fn new(connection: &model::snapshot::Connection, uptime_seconds: Option<u64>) -> Self {
        Self {
            connected: connection.connected,
            last_seen: connection.last_seen,
            uptime_seconds,
            error: connection.error.clone(),
        }
    }
}
