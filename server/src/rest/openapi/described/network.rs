//! The calls of `/api/network`.

use super::{call::Call, shapes::Instant};
use serde_json::json;
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    vec![
        Call::get("/api/network/devices", "The miners that are known, and what a search found")
            .reply::<Network>(200, "in the configuration's order; what was found, by address"),
        Call::post("/api/network/scan", "Search the network for miners")
            .body::<Nothing>(&json!({}))
            .reply::<Network>(202, "it is under way: follow it by /api/network/devices")
            .refuses(409, "a search is under way, or there is nowhere to look"),
        Call::post("/api/network/scan/cancel", "End the search")
            .body::<Nothing>(&json!({}))
            .reply::<Done>(200, "what was found until then stays"),
    ]
}

/// Nothing has to be said.
#[derive(ToSchema)]
struct Nothing {}

/// It was done.
#[derive(ToSchema)]
pub(super) struct Done {
    ok: bool,
}

/// The miners that are known, and what the last search found.
#[derive(ToSchema)]
pub(super) struct Network {
    scanning: bool,
    /// When the last search ended.
    last_scan_time: Option<Instant>,
    device_count: u64,
    devices: Vec<Device>,
    /// Where a search looks, as ranges of addresses.
    ranges: Vec<String>,
    progress: Progress,
    found: Vec<Found>,
}

/// How far the search is, or was when it ended.
#[derive(ToSchema)]
pub(super) struct Progress {
    /// Addresses it is through with.
    done: u32,
    /// All of them.
    total: u32,
}

/// A miner that is known.
#[derive(ToSchema)]
pub(super) struct Device {
    id: String,
    ip: String,
    hostname: String,
    /// "whatsminer" or "axeos".
    r#type: String,
    /// The battery drives it, or may; else it is only looked at.
    controlled: bool,
    connected: bool,
    model: Option<String>,
    /// Its hardware address.
    mac: Option<String>,
    hashrate_ths: Option<f64>,
    power_w: Option<f64>,
    last_seen: Option<Instant>,
    /// Where it was found, if it doesn't answer at its address: it isn't followed there before a person says so.
    moved_to: Option<String>,
}

/// A device that was found.
#[derive(ToSchema)]
pub(super) struct Found {
    ip: String,
    /// "whatsminer", "axeos", "other_miner" for what isn't supported, or "unknown".
    r#type: String,
    /// Of a miner that isn't supported.
    maker: Option<String>,
    model: Option<String>,
    /// Its hardware address.
    mac: Option<String>,
    firmware: Option<String>,
    /// The ports that were open, of those that were tried.
    ports: Vec<u16>,
    hashrate_ths: Option<f64>,
    power_w: Option<f64>,
    /// How it was recognised, for people.
    evidence: String,
}
