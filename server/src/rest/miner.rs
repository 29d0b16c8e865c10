//! `/api/miner`: what the miner does, and what a person asks of it.

use super::{Api, ApiError, ConnectionBody, body::Members, history, which::Which};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::Request;
use model::{ManualTarget, MinerId, PowerPercent, Watts, snapshot::MinerView};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// The longest a manual power may be asked to hold, in hours.
const LONGEST_HOLD: f64 = 168.0;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/miner/status", get(status))
        .route("/miner/history", get(past))
        .route("/miner/op_status", get(operations))
        .route("/miner/power_limit", post(power_limit))
        .route("/miner/power_pct", post(power_percent))
        .route("/miner/power_on", post(power_on))
        .route("/miner/power_off", post(power_off))
}

/// A miner's last reading under the names of the API.
#[derive(Debug, Serialize)]
struct StatusBody<'a> {
    id: &'a MinerId,
    name: &'a str,
    host: &'a str,
    state: model::snapshot::MinerState,
    base_w: Watts,
    power_w: Option<Watts>,
    power_set_w: Option<Watts>,
    power_limit_w: Option<Watts>,
    power_percent: Option<u8>,
    hashrate_ths: Option<model::TeraHash>,
    hashrate_average_ths: Option<model::TeraHash>,
    hashrate_rated_ths: Option<model::TeraHash>,
    efficiency_j_per_th: Option<f64>,
    ambient_c: Option<model::Celsius>,
    chip_max_c: Option<model::Celsius>,
    chip_average_c: Option<model::Celsius>,
    fan_in_rpm: Option<u32>,
    fan_out_rpm: Option<u32>,
    elapsed_seconds: Option<u64>,
    ramp_finished: Option<bool>,
    power_mode: Option<&'a str>,
    writes_enabled: Option<bool>,
    errors: &'a [model::MinerError],
    pools: &'a [model::PoolReading],
    identity: Option<&'a model::MinerIdentity>,
}

impl<'a> StatusBody<'a> {
    fn new(miner: &'a MinerView) -> Self {
        let reading = miner.reading.as_ref();
        let efficiency = reading.and_then(|reading| {
            let (power, rate) = (reading.power?.get(), reading.hash_rate?.get());
            (rate > 0.0).then(|| (power / rate * 10.0).round() / 10.0)
        });
        Self {
            id: &miner.id,
            name: &miner.name,
            host: &miner.host,
            state: miner.state,
            base_w: miner.base_watts,
            power_w: reading.and_then(|reading| reading.power),
            power_set_w: reading.and_then(|reading| reading.power_set),
            power_limit_w: reading.and_then(|reading| reading.power_limit),
            power_percent: reading.and_then(|reading| reading.power_percent),
            hashrate_ths: reading.and_then(|reading| reading.hash_rate),
            hashrate_average_ths: reading.and_then(|reading| reading.hash_rate_average),
            hashrate_rated_ths: reading.and_then(|reading| reading.hash_rate_rated),
            efficiency_j_per_th: efficiency,
            ambient_c: reading.and_then(|reading| reading.ambient),
            chip_max_c: reading.and_then(|reading| reading.chip_max),
            chip_average_c: reading.and_then(|reading| reading.chip_average),
            fan_in_rpm: reading.and_then(|reading| reading.fan_in_rpm),
            fan_out_rpm: reading.and_then(|reading| reading.fan_out_rpm),
            elapsed_seconds: reading.and_then(|reading| reading.elapsed_seconds),
            ramp_finished: reading.and_then(|reading| reading.ramp_finished),
            power_mode: reading.and_then(|reading| reading.power_mode.as_deref()),
            writes_enabled: reading.and_then(|reading| reading.writes_enabled),
            errors: reading.map_or(&[], |reading| &reading.errors),
            pools: reading.map_or(&[], |reading| &reading.pools),
            identity: miner.identity.as_ref(),
        }
    }
}

async fn status(State(api): State<Api>, which: Which) -> Result<Response, ApiError> {
    let snapshot = api.site.snapshot();
    let miner = which.find(&snapshot)?;
    let uptime = miner.reading.as_ref().and_then(|reading| reading.uptime_seconds);
    Ok(Json(json!({
        "status": StatusBody::new(miner),
        "connection": ConnectionBody::new(&miner.connection, uptime),
        "desired": desired(miner),
        "decision": miner.decision,
        "latches": miner.latches,
        "intent": { "auto_control": miner.intent.auto_control, "power": miner.intent.power, "manual": miner.intent.manual.map(|manual| manual.target), "manual_until": miner.manual_until },
        "op": miner.operations.first(),
    }))
    .into_response())
}

/// What it is meant to do, beside what it does.
pub(super) fn desired(miner: &MinerView) -> serde_json::Value {
    match miner.decision.wanted {
        model::Wanted::Hold => json!({ "state": null, "percent": null, "watts": null }),
        model::Wanted::Off => json!({ "state": "off", "percent": null, "watts": null }),
        model::Wanted::Run(percent) => {
            json!({ "state": "running", "percent": percent, "watts": percent.of(miner.base_watts) })
        }
    }
}

async fn past(State(api): State<Api>, stretch: history::Stretch) -> Result<Response, ApiError> {
    let id = Which(stretch.id.clone()).known(&api.site.snapshot())?.clone();
    history::miner(&api, &id, &stretch).await
}

async fn operations(State(api): State<Api>, which: Which) -> Result<Response, ApiError> {
    let snapshot = api.site.snapshot();
    let miner = which.find(&snapshot)?;
    Ok(Json(json!({ "operations": miner.operations })).into_response())
}

async fn power_limit(State(api): State<Api>, which: Which, body: Members) -> Result<Response, ApiError> {
    let members = body.only(&["watts", "hours"])?;
    let watts = members.whole("watts", 1..=99_999)?;
    manual(api, which, ManualTarget::Watts(Watts::whole(watts)), &members).await
}

async fn power_percent(State(api): State<Api>, which: Which, body: Members) -> Result<Response, ApiError> {
    let members = body.only(&["percent", "hours"])?;
    let percent = members.whole("percent", 1..=100)?;
    let percent = u8::try_from(percent)
        .ok()
        .and_then(PowerPercent::new)
        .ok_or_else(|| ApiError::invalid("percent", "must be 1 to 100"))?;
    manual(api, which, ManualTarget::Percent(percent), &members).await
}

async fn manual(
    api: Api,
    which: Which,
    target: ManualTarget,
    members: &Members,
) -> Result<Response, ApiError> {
    let hours = members.number("hours", 0.01..=LONGEST_HOLD)?;
    let hold = hours.and_then(|hours| Duration::try_from_secs_f64(hours * 3600.0).ok());
    ask(&api, which, Request::Manual { target, hold }).await
}

async fn power_on(State(api): State<Api>, which: Which, body: Members) -> Result<Response, ApiError> {
    let confirmed = body.only(&["confirm"])?.flag("confirm")?;
    ask(&api, which, Request::PowerOn { confirmed }).await
}

async fn power_off(State(api): State<Api>, which: Which, body: Members) -> Result<Response, ApiError> {
    body.only(&[])?;
    ask(&api, which, Request::PowerOff).await
}

/// Hands a wish over and answers 202: taken up, which isn't yet done.
pub(super) async fn ask(api: &Api, which: Which, request: Request) -> Result<Response, ApiError> {
    which.find(&api.site.snapshot())?;
    let reply = api.site.ask(which.0, request).await?;
    let body = json!({ "ok": true, "op": reply.operation, "decision": reply.decision });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}
