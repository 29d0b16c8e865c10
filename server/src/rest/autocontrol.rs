//! `/api/autocontrol`: the decision with its reasons, the latches, what would change it and when.

use super::{Api, ApiError, body::Members, miner::ask, which::Which};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::{DateTime, Timelike, Utc};
use engine::Request;
use model::{
    SunTimes, Wanted,
    snapshot::{MinerView, Snapshot},
};
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/autocontrol/status", get(status))
        .route("/autocontrol/enable", post(enable))
        .route("/autocontrol/disable", post(disable))
}

async fn status(State(api): State<Api>, which: Which) -> Result<Response, ApiError> {
    let snapshot = api.site.snapshot();
    let miner = which.find(&snapshot)?;
    Ok(Json(state(&api, &snapshot, miner)).into_response())
}

/// The state of auto-control under the names that earlier clients know, and ours beside them.
pub(super) fn state(api: &Api, snapshot: &Snapshot, miner: &MinerView) -> Value {
    let target = match miner.decision.wanted {
        Wanted::Run(percent) => Some(percent),
        Wanted::Off | Wanted::Hold => None,
    };
    let last_set = miner.operations.iter().find_map(|operation| operation.command.watts());
    let local = DateTime::<Utc>::from_timestamp_millis(snapshot.at.0)
        .map(|at| at.with_timezone(&api.current.facts().timezone));
    let sunset = match miner.sun {
        Some(SunTimes::RisesAndSets { sunset, .. }) => Some(sunset),
        Some(SunTimes::NoSunset) => None,
        None => Some(api.current.facts().fixed_sunset),
    };
    json!({
        "enabled": miner.intent.auto_control,
        "target_w": target.map(|percent| percent.of(miner.base_watts)),
        "target_pct": target,
        "last_set_w": last_set,
        "latched_floor_w": miner.latches.ceiling.of(miner.base_watts),
        "min_interval_sec": api.current.facts().min_interval.as_secs(),
        "current_state_description": miner.decision.explanation.paragraph(),
        "sunset_time": sunset.map(|second| format!("{:02}:{:02}", second / 3600, second / 60 % 60)),
        "is_past_sunset": local.zip(sunset).map(|(local, sunset)| local.num_seconds_from_midnight() >= sunset),
        "clock_synced": snapshot.clock_synced,
        "decision": miner.decision,
        "latches": miner.latches,
        "op": miner.operations.first(),
    })
}

async fn enable(State(api): State<Api>, which: Which, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    ask(&api, which, Request::AutoControl { enabled: true }).await
}

async fn disable(State(api): State<Api>, which: Which, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    ask(&api, which, Request::AutoControl { enabled: false }).await
}
