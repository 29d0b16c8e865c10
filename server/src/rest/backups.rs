//! `/api/backups`: what there is, and making one. Taking one away and restoring one ask for the password, and are the page's.

use super::{Api, ApiError, body::Members};
use crate::keeping::{BUDGET, NotBegun, Written};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use store::{Extent, Extents, Rows, backup::Backup};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/backups", get(list)).route("/backups/make", post(make))
}

async fn list(State(api): State<Api>) -> Response {
    Json(told(&api).await).into_response()
}

async fn make(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    api.keeping.make(false).map_err(|why| {
        let (status, code) = match why {
            NotBegun::NoDatabase => (StatusCode::SERVICE_UNAVAILABLE, "no_database"),
            _ => (StatusCode::CONFLICT, "refused"),
        };
        ApiError::new(status, code, why.to_string())
    })?;
    Ok((StatusCode::ACCEPTED, Json(told(&api).await)).into_response())
}

async fn told(api: &Api) -> Value {
    let counted = api.keeping.counted();
    let Extents { samples, minutes, slots, parts } = api.keeping.extents().await;
    let tier = |name, extent: Option<Extent>, rows: fn(&Rows) -> u64| {
        json!({
            "tier": name,
            "from": extent.map(|extent| extent.from),
            "to": extent.map(|extent| extent.to),
            "rows": counted.map(|counted| rows(&counted.rows)),
        })
    };
    let kept = api.keeping.kept();
    json!({
        "backups": kept.backups.iter().map(backup).collect::<Vec<_>>(),
        "under_way": kept.doing,
        "last": kept.last.map(|last| match last {
            Ok(text) => json!({ "ok": true, "status": text }),
            Err(text) => json!({ "ok": false, "status": text }),
        }),
        "history": [
            tier("samples", samples, |rows| rows.samples),
            tier("1min", minutes, |rows| rows.minutes),
            tier("15min", slots, |rows| rows.slots),
            tier("6h", parts, |rows| rows.parts),
        ],
        "rows_counted_at": counted.map(|counted| counted.at),
        "database_bytes": kept.database,
        "free_bytes": kept.free,
        "written": kept.written.map(written),
        "written_by_backups_bytes": kept.copied,
    })
}

/// What was written to the disk, beside what that may be.
pub(super) fn written(written: Written) -> Value {
    json!({
        "bytes": written.bytes,
        "seconds": written.over.as_secs(),
        "bytes_a_day": written.in_a_day(),
        "budget_bytes_a_day": BUDGET,
    })
}

fn backup(backup: &Backup) -> Value {
    let manifest = &backup.manifest;
    json!({
        "name": backup.name,
        "made_at": manifest.at,
        "program": manifest.program,
        "schema": manifest.schema,
        "bytes": manifest.bytes,
        "sha256": manifest.sha256,
        "with_secrets": manifest.with_secrets,
    })
}
