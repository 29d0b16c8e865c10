//! `/api/battery`.

use super::{Api, ApiError, ConnectionBody, body::Members, history};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use devices::DeviceError;
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/battery/status", get(status))
        .route("/battery/history", get(past))
        .route("/battery/refresh_session", post(refresh_session))
}

async fn status(State(api): State<Api>) -> Response {
    let snapshot = api.site.snapshot();
    let battery = &snapshot.battery;
    let session_age =
        battery.connection.session_since.map(|since| snapshot.at.millis_since(since) as f64 / 3_600_000.0);
    let mut connection = json!(ConnectionBody::new(&battery.connection, None));
    if let Some(connection) = connection.as_object_mut() {
        connection.insert("session_age_hours".into(), json!(session_age));
        connection.insert("poll_seconds".into(), json!(battery.poll_seconds));
    }
    let reading = battery.reading.as_ref();
    let status = json!({
        "ts": reading.and_then(|reading| reading.source_time),
        "soc_percent": battery.soc,
        "age_seconds": battery.age_seconds,
        "pv_power_w": reading.and_then(|reading| reading.pv),
        "load_power_w": reading.and_then(|reading| reading.load),
        "grid_power_w": reading.and_then(|reading| reading.grid),
        "battery_net_w": reading.and_then(|reading| reading.battery),
        "voltage_v": reading.and_then(|reading| reading.voltage),
        "temperature_c": reading.and_then(|reading| reading.temperature),
        "lost": reading.map(|reading| reading.lost),
        "told_soc_percent": reading.and_then(|reading| reading.soc_percent).filter(|soc| soc.is_finite()),
        "units": reading.map_or(Value::Null, |reading| json!(reading.units)),
    });
    Json(json!({ "status": status, "connection": connection })).into_response()
}

async fn past(State(api): State<Api>, stretch: history::Stretch) -> Result<Response, ApiError> {
    history::battery(&api, &stretch).await
}

async fn refresh_session(State(api): State<Api>, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    match api.site.refresh_battery_session().await {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(json!({ "ok": true }))).into_response()),
        Err(error) => {
            let (status, code) = match error {
                DeviceError::BadCredentials(_) => (StatusCode::CONFLICT, "battery_sign_in"),
                _ => (StatusCode::BAD_GATEWAY, "battery_source"),
            };
            Err(ApiError::new(status, code, error.to_string()))
        }
    }
}
