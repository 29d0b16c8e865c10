//! `/api/alerts`: what a person has read of them. They themselves are told in `/api/system/status`.

use super::{Api, ApiError, body::Members};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/alerts/clear", post(clear))
}

/// Dismisses what is over and marks what still holds as seen: all that was told up to `until`, or up to now.
async fn clear(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    let until = body.only(&["until"])?.instant("until")?;
    api.site.clear_alerts(until.unwrap_or_else(|| api.site.now().utc)).await?;
    Ok(Json(json!({ "ok": true, "alerts": api.site.snapshot().alerts })).into_response())
}
