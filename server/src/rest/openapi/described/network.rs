//! The calls of `/api/network`.

use super::{call::Call, shapes::Instant};
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    vec![
        Call::get("/api/network/devices", "The miners that are configured, and what a search found")
            .reply::<Network>(200, "configured ones in the configuration's order, found ones by address"),
        Call::post("/api/network/scan", "Search the home network for miners")
            .about(
                "It goes on in the background and asks nobody for anything but who they are, without a password. \
                 What is found is in /api/network/devices as soon as it is found.",
            )
            .no_members()
            .reply::<ScanBegun>(202, "it begins")
            .refuses(409, "a search is under way, or there is no private network to search"),
        Call::post("/api/network/scan/cancel", "Give the search up")
            .no_members()
            .reply::<ScanCancelled>(200, "none goes on any more"),
    ]
}

/// What is known of the network.
#[derive(ToSchema)]
pub(super) struct Network {
    /// A search goes on.
    scanning: bool,
    /// When the last search ended.
    last_scan_time: Option<Instant>,
    /// How many miners are configured.
    device_count: u64,
    /// The miners that are configured.
    devices: Vec<Device>,
    /// The search that goes on, or the last one.
    scan: Option<Scan>,
    /// What searches found since the program started.
    found: Vec<Found>,
}

/// A miner that is configured.
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

/// A search.
#[derive(ToSchema)]
pub(super) struct Scan {
    /// What is searched: networks in CIDR notation, with commas.
    ranges: String,
    began_at: Instant,
    ended_at: Option<Instant>,
    /// How many addresses are done.
    done: u64,
    /// How many there are.
    total: u64,
    /// It was given up before its end.
    cancelled: bool,
    /// How long it took.
    seconds: Option<f64>,
}

/// A device that was found.
#[derive(ToSchema)]
pub(super) struct Found {
    /// Its IPv4 address.
    ip: String,
    /// The TCP ports that were found open.
    ports: Vec<u16>,
    /// What it is.
    r#type: FoundType,
    /// Maker or firmware of a miner that isn't supported.
    make: Option<String>,
    model: Option<String>,
    /// In lower case with colons.
    mac: Option<String>,
    firmware: Option<String>,
    /// Then, where it told it.
    hashrate_ths: Option<f64>,
    /// Then, where it told it.
    power_w: Option<f64>,
    /// How it was recognised, for people.
    evidence: String,
    last_seen: Instant,
    age_seconds: u64,
}

/// What a device is that was found.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "its words are what is described")]
pub(super) enum FoundType {
    WhatsMiner,
    Bitaxe,
    NerdAxe,
    LuckyMiner,
    BitForge,
    /// A miner that isn't supported.
    Other,
    /// It listens where miners do, and says nothing that is known.
    Unknown,
}

/// A search begins.
#[derive(ToSchema)]
pub(super) struct ScanBegun {
    ok: bool,
    scan: Scan,
}

/// No search goes on any more.
#[derive(ToSchema)]
pub(super) struct ScanCancelled {
    ok: bool,
    /// There was one.
    cancelled: bool,
}
