//! `/api/alerts`: what a person has read of them, and whether they reach anybody. They themselves are told in
//! `/api/system/status`.

use super::{Api, ApiError, body::Members};
use crate::notify::NotTested;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/alerts/clear", post(clear)).route("/alerts/test", post(test))
}

/// Dismisses what is over and marks what still holds as seen: all that was told up to `until`, or up to now.
async fn clear(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    let until = body.only(&["until"])?.instant("until")?;
    api.site.clear_alerts(until.unwrap_or_else(|| api.site.now().utc)).await?;
    Ok(Json(json!({ "ok": true, "alerts": api.site.snapshot().alerts })).into_response())
}

/// Sends a test by every channel that is set up, and says what became of each.
async fn test(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    let tested = api.notifier.test(None).await.map_err(|why| {
        let code = match why {
            NotTested::NothingConfigured => "nothing_configured",
            NotTested::UnderWay => "under_way",
        };
        ApiError::new(StatusCode::CONFLICT, code, why.to_string())
    })?;
    let channels: Vec<_> = tested
        .iter()
        .map(|(channel, sent)| {
            let error = sent.as_ref().err().map(ToString::to_string);
            json!({ "channel": channel.word(), "ok": sent.is_ok(), "error": error })
        })
        .collect();
    let is_well = tested.iter().all(|(_, sent)| sent.is_ok());
    Ok(Json(json!({ "ok": is_well, "channels": channels })).into_response())
}
