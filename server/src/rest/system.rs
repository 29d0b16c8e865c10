//! `/api/system` and `/api/network`: the whole, and whether it is well.

use super::{Api, ConnectionBody, autocontrol, backups};
use crate::notify::{Channel, ChannelState};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use model::snapshot::Snapshot;
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/system/status", get(status)).route("/system/health", get(health))
}

async fn status(State(api): State<Api>) -> Response {
    let snapshot = api.site.snapshot();
    let first = snapshot.miners.first();
    let uptime = first.and_then(|miner| miner.reading.as_ref()).and_then(|reading| reading.uptime_seconds);
    let violations: serde_json::Map<_, _> =
        snapshot.invariants.iter().map(|count| (count.name.clone(), count.violations.into())).collect();
    Json(json!({
        "miner": first.map(|miner| ConnectionBody::new(&miner.connection, uptime)),
        "battery": ConnectionBody::new(&snapshot.battery.connection, None),
        "autocontrol": first.map(|miner| autocontrol::state(&api, &snapshot, miner)),
        "network": super::network::told(&api, &snapshot),
        "site": { "name": api.current.facts().site_name, "timezone": api.current.facts().timezone.name() },
        "time": snapshot.at,
        "clock_synced": snapshot.clock_synced,
        "tick": snapshot.tick,
        "database_ok": snapshot.database_ok,
        "written": api.keeping.written().map(backups::written),
        "alerts": snapshot.alerts,
        "channels": channels(&api),
        "invariant_violations": violations,
        "version": env!("CARGO_PKG_VERSION"),
        "demo": api.current.facts().demo,
    }))
    .into_response()
}

/// By which channels alerts go out, and whether they do.
fn channels(api: &Api) -> Vec<Value> {
    let told = |(channel, state): (Channel, ChannelState)| {
        let (since, error) = state.failing.unzip();
        json!({
            "channel": channel.word(),
            "last_looked": state.looked,
            "last_sent": state.sent,
            "failing_since": since,
            "error": error,
        })
    };
    api.notifier.states().into_iter().map(told).collect()
}

/// 200 only while the control loop ticks and the battery data is fresh, else 503 with why.
async fn health(State(api): State<Api>) -> Response {
    let snapshot = api.site.snapshot();
    let problem = trouble(&api, &snapshot);
    let status = if problem.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text =
        problem.clone().unwrap_or_else(|| "the control loop ticks and the battery data is fresh".into());
    (status, Json(json!({ "ok": problem.is_none(), "status": text }))).into_response()
}

fn trouble(api: &Api, snapshot: &Snapshot) -> Option<String> {
    if api.site.is_shutting_down() {
        return Some("the controller is shutting down".into());
    }
    let silent = api.site.now().utc.millis_since(snapshot.at);
    if snapshot.tick == 0 {
        return Some("the control loop hasn't ticked yet".into());
    }
    if silent > api.current.facts().longest_silence() {
        return Some(format!("the control loop hasn't ticked for {} s", silent / 1000));
    }
    match snapshot.battery.age_seconds {
        None => Some("there is no good battery reading".into()),
        Some(age) if age >= api.current.facts().stale_after.as_secs_f64() => {
            Some(format!("the battery data is {age:.0} s old"))
        }
        Some(_) => None,
    }
}
