//! `/api/network`: the miners that are configured, and what a search found besides.

use super::{Api, ApiError, body::Members};
use crate::network::{NoSearch, Progress, Seen};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use model::{UtcMillis, discovery::DeviceKind, snapshot::Snapshot};
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/network/devices", get(devices))
        .route("/network/scan", post(scan))
        .route("/network/scan/cancel", post(cancel))
}

async fn devices(State(api): State<Api>) -> Response {
    Json(told(&api, &api.site.snapshot())).into_response()
}

async fn scan(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    let progress = api.network.begin()?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "ok": true, "scan": scan_body(&progress) }))).into_response())
}

async fn cancel(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    Ok(Json(json!({ "ok": true, "cancelled": api.network.cancel() })).into_response())
}

impl From<NoSearch> for ApiError {
    fn from(none: NoSearch) -> Self {
        let code = match none {
            NoSearch::UnderWay => "under_way",
            NoSearch::Nowhere => "nowhere",
            NoSearch::Range(_) => "range",
        };
        Self::new(StatusCode::CONFLICT, code, none.to_string())
    }
}

/// What is known of the network.
pub(super) fn told(api: &Api, snapshot: &Snapshot) -> Value {
    let devices: Vec<_> = snapshot
        .miners
        .iter()
        .map(|miner| {
            let reading = miner.reading.as_ref();
            json!({
                "id": miner.id,
                "ip": miner.host,
                "hostname": miner.name,
                "type": "whatsminer",
                "hashrate_ths": reading.and_then(|reading| reading.hash_rate),
                "power_w": reading.and_then(|reading| reading.power),
                "last_seen": miner.connection.last_seen,
            })
        })
        .collect();
    let search = api.network.search();
    let now = api.site.now().utc;
    let found: Vec<_> = api.network.devices().iter().map(|seen| found_body(seen, now)).collect();
    json!({
        "scanning": search.as_ref().is_some_and(|search| search.ended.is_none()),
        "last_scan_time": search.as_ref().and_then(|search| search.ended),
        "device_count": devices.len(),
        "devices": devices,
        "scan": search.as_ref().map(scan_body),
        "found": found,
    })
}

fn scan_body(search: &Progress) -> Value {
    json!({
        "ranges": search.ranges,
        "began_at": search.began,
        "ended_at": search.ended,
        "done": search.done,
        "total": search.total,
        "cancelled": search.cancelled,
        "seconds": search.took.map(|took| took.as_secs_f64()),
    })
}

fn found_body(seen: &Seen, now: UtcMillis) -> Value {
    let device = &seen.device;
    let (kind, make) = match &device.kind {
        DeviceKind::WhatsMiner => ("whatsminer", None),
        DeviceKind::Bitaxe => ("bitaxe", None),
        DeviceKind::NerdAxe => ("nerdaxe", None),
        DeviceKind::LuckyMiner => ("luckyminer", None),
        DeviceKind::BitForge => ("bitforge", None),
        DeviceKind::OtherMiner(make) => ("other", Some(make)),
        DeviceKind::Unknown => ("unknown", None),
    };
    json!({
        "ip": device.address,
        "ports": device.ports,
        "type": kind,
        "make": make,
        "model": device.model,
        "mac": device.mac,
        "firmware": device.firmware,
        "hashrate_ths": device.hash_rate,
        "power_w": device.power,
        "evidence": device.evidence,
        "last_seen": seen.at,
        "age_seconds": now.millis_since(seen.at).max(0) / 1000,
    })
}
