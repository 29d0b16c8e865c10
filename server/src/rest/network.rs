//! `/api/network`: the devices that are known, and the search for others.

use super::{Api, ApiError, ConnectionBody, body::Members};
use crate::network::NoSearch;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use model::{
    MinerId, MinerIdentity, MinerReading,
    discovery::{DeviceKind, FoundDevice},
    snapshot::{Connection, Snapshot},
};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

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
    api.network.begin().map_err(|why| ApiError::new(StatusCode::CONFLICT, "refused", why.to_string()))?;
    Ok((StatusCode::ACCEPTED, Json(told(&api, &api.site.snapshot()))).into_response())
}

async fn cancel(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    api.network.cancel();
    Ok(Json(json!({ "ok": true })).into_response())
}

/// What is known of the network: the miners that are configured, and what the last search found.
pub(super) fn told(api: &Api, snapshot: &Snapshot) -> Value {
    let moved = api.network.moved(snapshot);
    let moved_to = |id: &MinerId| moved.iter().find(|moved| moved.miner == *id).map(|moved| moved.to);
    let controlled = snapshot.miners.iter().map(|miner| {
        let of = Of {
            mac: miner.mac.as_ref(),
            moved_to: moved_to(&miner.id),
            connection: &miner.connection,
            identity: miner.identity.as_ref(),
            reading: miner.reading.as_ref(),
        };
        configured((&miner.id.0, &miner.name, &miner.host), true, &of)
    });
    let followed = snapshot.followed.iter().map(|miner| {
        let of = Of {
            mac: miner.mac.as_ref(),
            moved_to: moved_to(&miner.id),
            connection: &miner.connection,
            identity: miner.identity.as_ref(),
            reading: miner.reading.as_ref(),
        };
        configured((&miner.id.0, &miner.name, &miner.host), false, &of)
    });
    let devices: Vec<_> = controlled.chain(followed).collect();
    let seen = api.network.seen();
    let ranges = match api.network.ranges() {
        Ok(ranges) => ranges.searched().iter().map(ToString::to_string).collect(),
        Err(NoSearch::Running | NoSearch::Nowhere | NoSearch::Range(_)) => Vec::new(),
    };
    json!({
        "scanning": seen.is_running,
        "last_scan_time": seen.ended.map(|(at, _)| at),
        "device_count": devices.len(),
        "devices": devices,
        "ranges": ranges,
        "progress": { "done": seen.done, "total": seen.total },
        "found": seen.found.iter().map(found).collect::<Vec<_>>(),
    })
}

/// What is known of a miner.
struct Of<'a> {
    mac: Option<&'a String>,
    moved_to: Option<Ipv4Addr>,
    connection: &'a Connection,
    identity: Option<&'a MinerIdentity>,
    reading: Option<&'a MinerReading>,
}

fn configured((id, name, host): (&str, &str, &str), is_controlled: bool, of: &Of<'_>) -> Value {
    // What was read before it vanished isn't the present.
    let reading = of.reading.filter(|_| of.connection.connected);
    let is_axeos = of.identity.is_some_and(|identity| !identity.api.starts_with('V'));
    let connection = ConnectionBody::new(of.connection, None);
    json!({
        "id": id,
        "ip": host,
        "hostname": name,
        "type": if is_axeos { "axeos" } else { "whatsminer" },
        "controlled": is_controlled,
        "connected": connection.connected,
        "model": of.identity.and_then(|identity| identity.model.as_ref()),
        "mac": of.identity.and_then(|identity| identity.mac.as_ref()).or(of.mac),
        "hashrate_ths": reading.and_then(|reading| reading.hash_rate),
        "power_w": reading.and_then(|reading| reading.power),
        "last_seen": connection.last_seen,
        "moved_to": of.moved_to,
    })
}

fn found(device: &FoundDevice) -> Value {
    let identity = device.identity.as_ref();
    let model = identity.and_then(|identity| identity.model.as_ref());
    let (kind, maker, model) = match &device.kind {
        DeviceKind::Whatsminer => ("whatsminer", None, model),
        DeviceKind::Axeos => ("axeos", None, model),
        DeviceKind::OtherMiner { maker, model } => ("other_miner", Some(maker), model.as_ref()),
        DeviceKind::Unknown => ("unknown", None, model),
    };
    json!({
        "ip": device.address,
        "type": kind,
        "maker": maker,
        "model": model,
        "mac": identity.and_then(|identity| identity.mac.as_ref()),
        "firmware": identity.and_then(|identity| identity.firmware.as_ref()),
        "ports": device.ports,
        "hashrate_ths": device.hash_rate,
        "power_w": device.power,
        "evidence": device.evidence,
    })
}
