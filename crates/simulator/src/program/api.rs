//! The control API: reading and setting everything simulated, as JSON over HTTP. Its README describes it for people.
//!
//! It is for whoever runs the simulation, has no sign-in, and therefore stays on the loopback interface unless it is
//! told otherwise.

use super::{
    Simulation,
    bodies::{Refusal, json_value, object, patched},
};
use crate::{
    axeos::{self, SimulatedAxeos},
    catalogue::{CATALOGUE, NamedFault},
    house::Overrides,
    miner::{Faults, SimulatedMiner},
    portal::{PortalCounts, PortalFaults, PortalRequest},
    time::Steering,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    routing::{get, post, put},
};
use model::{Soc, UtcMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Largest body that is read.
const LARGEST_BODY: usize = 64 * 1024;

/// What there is, for whoever asks for `/`.
const INDEX: [(&str, &str); 32] = [
    ("GET /state", "everything"),
    ("GET /time", "the simulated instant, how fast it runs, and where a jump is to end"),
    ("PUT /time", "{\"utc\"?, \"scale\"?}: forward only; scale 0 is paused"),
    ("POST /time/jump", "{\"seconds\"}"),
    ("GET /house", "powers, state of charge, energies; what is held fast"),
    ("PATCH /house", "{\"soc\"?, \"hold_soc\"?, \"pv\"?, \"load\"?, \"cloud_cover\"?}: null lets go"),
    ("GET /faults", "everything that can go wrong, by name"),
    ("PUT /faults/{name}", "{\"on\": true or false}"),
    ("GET /portal/faults", "the portal's faults"),
    ("PATCH /portal/faults", "any of them"),
    ("DELETE /portal/faults", "none any more"),
    ("POST /portal/expire", "ends all sessions"),
    ("POST /portal/upload", "an upload of every inverter now"),
    ("GET /portal/log", "the requests so far, and how many of each kind"),
    ("DELETE /portal/log", "forgets them"),
    ("GET /miners", "what the miners do in truth"),
    ("GET /miners/{id}", "what one does in truth"),
    ("POST /miners/{id}/truth", "\"off\", \"running\" or {\"stable\": {\"limit_watts\": W}}"),
    ("GET /miners/{id}/faults", "its faults"),
    ("PATCH /miners/{id}/faults", "any of them"),
    ("DELETE /miners/{id}/faults", "none any more"),
    ("GET /miners/{id}/log", "what it was sent and how it reacted"),
    ("DELETE /miners/{id}/log", "forgets that"),
    ("GET /axeos", "what the Bitaxes and their kin do in truth"),
    ("GET /axeos/{id}", "what one does in truth"),
    ("POST /axeos/{id}/truth", "\"mining\", \"stopped\", \"overheats\" or \"reboots\""),
    ("GET /axeos/{id}/faults", "its faults"),
    ("PATCH /axeos/{id}/faults", "any of them"),
    ("DELETE /axeos/{id}/faults", "none any more"),
    ("GET /axeos/{id}/log", "what it was asked and how it reacted"),
    ("DELETE /axeos/{id}/log", "forgets that"),
    ("GET /", "this list"),
];

/// A running control API. Dropping it stops it.
pub struct ControlApi {
    addr: SocketAddr,
    _serving: DropGuard,
}

#[derive(Clone)]
struct Controlled {
    simulation: Arc<Simulation>,
    time: Arc<dyn Steering>,
}

impl ControlApi {
    /// Starts the API at `addr` (port 0 takes any free one) for a simulation that runs by `time`. An address that
    /// others can reach is refused unless `expose` says that this is meant.
    pub async fn start(
        addr: SocketAddr,
        expose: bool,
        simulation: Arc<Simulation>,
        time: impl Steering + 'static,
    ) -> io::Result<Self> {
        if !addr.ip().is_loopback() && !expose {
            let message = "the control API has no sign-in: it stays on the loopback interface unless exposed";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let stop = CancellationToken::new();
        let router = router(Controlled { simulation, time: Arc::new(time) });
        let stopped = stop.clone();
        tokio::spawn(async move {
            let served =
                axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned()).await;
            if let Err(error) = served {
                tracing::error!(%error, "the control API stopped");
            }
        });
        Ok(Self { addr, _serving: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl fmt::Debug for ControlApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlApi").field("addr", &self.addr).finish_non_exhaustive()
    }
}

fn router(controlled: Controlled) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/state", get(state))
        .route("/time", get(time).put(set_time))
        .route("/time/jump", post(jump))
        .route("/house", get(house).patch(set_house))
        .route("/faults", get(faults))
        .route("/faults/{name}", put(switch_fault))
        .route("/portal/faults", get(portal_faults).patch(set_portal_faults).delete(heal_portal))
        .route("/portal/expire", post(expire))
        .route("/portal/upload", post(upload))
        .route("/portal/log", get(portal_log).delete(clear_portal_log))
        .route("/miners", get(miners))
        .route("/miners/{id}", get(miner))
        .route("/miners/{id}/truth", post(set_truth))
        .route("/miners/{id}/faults", get(miner_faults).patch(set_miner_faults).delete(heal_miner))
        .route("/miners/{id}/log", get(miner_log).delete(clear_miner_log))
        .route("/axeos", get(axeos_devices))
        .route("/axeos/{id}", get(axeos_device))
        .route("/axeos/{id}/truth", post(set_axeos_truth))
        .route("/axeos/{id}/faults", get(axeos_faults).patch(set_axeos_faults).delete(heal_axeos))
        .route("/axeos/{id}/log", get(axeos_log).delete(clear_axeos_log))
        .fallback(async || Refusal::not_found("such address: GET / lists what there is"))
        .method_not_allowed_fallback(async || Refusal::method())
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(controlled)
}

type Answer = Result<Json<Value>, Refusal>;
type World = State<Controlled>;

async fn index() -> Json<Value> {
    let list: Vec<Value> = INDEX.iter().map(|(call, does)| json!({"call": call, "does": does})).collect();
    Json(json!({"simulator": env!("CARGO_PKG_VERSION"), "calls": list}))
}

async fn state(State(controlled): World) -> Json<Value> {
    let Controlled { simulation, time } = &controlled;
    let miners: Vec<Value> = simulation.miners().iter().map(described).collect();
    let axeos: Vec<Value> = simulation.axeos().iter().map(axeos_described).collect();
    Json(json!({
        "time": told(&**time),
        "house": inhabited(simulation),
        "portal": {
            "url": simulation.portal().base_url(),
            "serials": simulation.portal().serials(),
            "faults": simulation.portal().faults(),
            "counts": simulation.portal().counts(),
        },
        "miners": miners,
        "axeos": axeos,
    }))
}

#[derive(Serialize)]
struct TimeTold {
    utc: UtcMillis,
    scale: f64,
    wanted: UtcMillis,
}

fn told(time: &dyn Steering) -> TimeTold {
    // Asked for first: an instant that is over when it is told isn't wanted any more.
    let (wanted, utc) = (time.wanted(), time.now());
    TimeTold { utc, scale: time.scale(), wanted: wanted.max(utc) }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TimeChange {
    utc: Option<UtcMillis>,
    scale: Option<f64>,
}

async fn time(State(controlled): World) -> Json<TimeTold> {
    Json(told(&*controlled.time))
}

async fn set_time(State(controlled): World, body: Bytes) -> Result<Json<TimeTold>, Refusal> {
    let change: TimeChange = patched(&TimeChange::default(), object(&body)?)?;
    if let Some(scale) = change.scale {
        controlled.time.set_scale(scale).await?;
    }
    if let Some(utc) = change.utc {
        controlled.time.jump_to(utc)?;
    }
    Ok(Json(told(&*controlled.time)))
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Jump {
    seconds: Option<f64>,
}

async fn jump(State(controlled): World, body: Bytes) -> Result<Json<TimeTold>, Refusal> {
    let Jump { seconds } = patched(&Jump::default(), object(&body)?)?;
    let by = seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|by| *by <= crate::time::LONGEST_JUMP)
        .ok_or_else(|| Refusal::bad(Some("seconds"), "a number of seconds, from 0 to those of 31 days"))?;
    controlled.time.jump(by);
    Ok(Json(told(&*controlled.time)))
}

fn inhabited(simulation: &Simulation) -> Value {
    json!({"state": simulation.house().now(), "overrides": simulation.house().overrides()})
}

async fn house(State(controlled): World) -> Json<Value> {
    Json(inhabited(&controlled.simulation))
}

async fn set_house(State(controlled): World, body: Bytes) -> Answer {
    let house = controlled.simulation.house();
    let mut patch = object(&body)?;
    let soc = patch.remove("soc").map(|soc| {
        soc.as_f64().and_then(Soc::new).ok_or_else(|| Refusal::bad(Some("soc"), "a number from 0 to 100"))
    });
    let soc = soc.transpose()?;
    let overrides: Overrides = patched(&house.overrides(), patch)?;
    house.set_overrides(overrides)?;
    if let Some(soc) = soc {
        house.set_soc(soc);
    }
    Ok(Json(inhabited(&controlled.simulation)))
}

/// A named fault, and whether it is on.
#[derive(Serialize)]
struct FaultTold {
    #[serde(flatten)]
    fault: NamedFault,
    on: bool,
}

async fn faults(State(controlled): World) -> Json<Vec<FaultTold>> {
    let simulation = &controlled.simulation;
    let told = |fault: &NamedFault| FaultTold { fault: *fault, on: fault.is_on(simulation) };
    Json(CATALOGUE.iter().filter(|fault| fault.can_happen(simulation)).map(told).collect())
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Switched {
    on: Option<bool>,
}

async fn switch_fault(
    State(controlled): World,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<FaultTold>, Refusal> {
    let fault = NamedFault::find(&name).ok_or_else(|| Refusal::not_found("such fault"))?;
    let Switched { on } = patched(&Switched::default(), object(&body)?)?;
    let on = on.ok_or_else(|| Refusal::bad(Some("on"), "true or false"))?;
    fault.switch(&controlled.simulation, on)?;
    Ok(Json(FaultTold { fault: *fault, on: fault.is_on(&controlled.simulation) }))
}

async fn portal_faults(State(controlled): World) -> Json<PortalFaults> {
    Json(controlled.simulation.portal().faults())
}

async fn set_portal_faults(State(controlled): World, body: Bytes) -> Result<Json<PortalFaults>, Refusal> {
    let portal = controlled.simulation.portal();
    portal.set_faults(patched(&portal.faults(), object(&body)?)?)?;
    Ok(Json(portal.faults()))
}

async fn heal_portal(State(controlled): World) -> Result<Json<PortalFaults>, Refusal> {
    let portal = controlled.simulation.portal();
    portal.set_faults(PortalFaults::default())?;
    Ok(Json(portal.faults()))
}

async fn expire(State(controlled): World) -> StatusCode {
    controlled.simulation.portal().expire_sessions();
    StatusCode::NO_CONTENT
}

async fn upload(State(controlled): World) -> StatusCode {
    controlled.simulation.portal().upload_now();
    StatusCode::NO_CONTENT
}

#[derive(Serialize)]
struct PortalLog {
    counts: PortalCounts,
    requests: Vec<PortalRequest>,
}

async fn portal_log(State(controlled): World) -> Json<PortalLog> {
    let portal = controlled.simulation.portal();
    Json(PortalLog { counts: portal.counts(), requests: portal.log() })
}

async fn clear_portal_log(State(controlled): World) -> StatusCode {
    controlled.simulation.portal().clear_log();
    StatusCode::NO_CONTENT
}

fn described(miner: &SimulatedMiner) -> Value {
    json!({
        "id": miner.id(),
        "profile": miner.profile(),
        "v2": miner.v2_addr(),
        "v3": miner.v3_addr(),
        "truth": miner.state(),
        "faults": miner.faults(),
    })
}

impl Controlled {
    fn miner(&self, id: &str) -> Result<&SimulatedMiner, Refusal> {
        self.simulation.miner(id).ok_or_else(|| Refusal::not_found("such miner"))
    }

    fn axeos(&self, id: &str) -> Result<&SimulatedAxeos, Refusal> {
        self.simulation.axeos_device(id).ok_or_else(|| Refusal::not_found("such Bitaxe"))
    }
}

async fn miners(State(controlled): World) -> Json<Vec<Value>> {
    Json(controlled.simulation.miners().iter().map(described).collect())
}

async fn miner(State(controlled): World, Path(id): Path<String>) -> Answer {
    Ok(Json(described(controlled.miner(&id)?)))
}

async fn set_truth(State(controlled): World, Path(id): Path<String>, body: Bytes) -> Answer {
    let miner = controlled.miner(&id)?;
    let forced = serde_json::from_value(json_value(&body)?)
        .map_err(|error| Refusal::bad(Some("truth"), error.to_string()))?;
    // What it drew until now is settled first: a miner that is put into a state forgets what it did before.
    controlled.simulation.house().now();
    miner.set_truth(forced);
    Ok(Json(described(miner)))
}

async fn miner_faults(State(controlled): World, Path(id): Path<String>) -> Result<Json<Faults>, Refusal> {
    Ok(Json(controlled.miner(&id)?.faults()))
}

async fn set_miner_faults(
    State(controlled): World,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Faults>, Refusal> {
    let miner = controlled.miner(&id)?;
    miner.set_faults(patched(&miner.faults(), object(&body)?)?);
    Ok(Json(miner.faults()))
}

async fn heal_miner(State(controlled): World, Path(id): Path<String>) -> Result<Json<Faults>, Refusal> {
    let miner = controlled.miner(&id)?;
    miner.set_faults(Faults::default());
    Ok(Json(miner.faults()))
}

async fn miner_log(State(controlled): World, Path(id): Path<String>) -> Answer {
    Ok(Json(json!({"requests": controlled.miner(&id)?.log()})))
}

async fn clear_miner_log(State(controlled): World, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    controlled.miner(&id)?.clear_log();
    Ok(StatusCode::NO_CONTENT)
}

fn axeos_described(device: &SimulatedAxeos) -> Value {
    json!({
        "id": device.id(),
        "profile": device.profile(),
        "addr": device.addr(),
        "truth": device.state(),
        "faults": device.faults(),
    })
}

async fn axeos_devices(State(controlled): World) -> Json<Vec<Value>> {
    Json(controlled.simulation.axeos().iter().map(axeos_described).collect())
}

async fn axeos_device(State(controlled): World, Path(id): Path<String>) -> Answer {
    Ok(Json(axeos_described(controlled.axeos(&id)?)))
}

async fn set_axeos_truth(State(controlled): World, Path(id): Path<String>, body: Bytes) -> Answer {
    let device = controlled.axeos(&id)?;
    let forced = serde_json::from_value(json_value(&body)?)
        .map_err(|error| Refusal::bad(Some("truth"), error.to_string()))?;
    device.set_truth(forced);
    Ok(Json(axeos_described(device)))
}

async fn axeos_faults(
    State(controlled): World,
    Path(id): Path<String>,
) -> Result<Json<axeos::Faults>, Refusal> {
    Ok(Json(controlled.axeos(&id)?.faults()))
}

async fn set_axeos_faults(
    State(controlled): World,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<axeos::Faults>, Refusal> {
    let device = controlled.axeos(&id)?;
    device.set_faults(patched(&device.faults(), object(&body)?)?);
    Ok(Json(device.faults()))
}

async fn heal_axeos(
    State(controlled): World,
    Path(id): Path<String>,
) -> Result<Json<axeos::Faults>, Refusal> {
    let device = controlled.axeos(&id)?;
    device.set_faults(axeos::Faults::default());
    Ok(Json(device.faults()))
}

async fn axeos_log(State(controlled): World, Path(id): Path<String>) -> Answer {
    Ok(Json(json!({"requests": controlled.axeos(&id)?.log()})))
}

async fn clear_axeos_log(State(controlled): World, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    controlled.axeos(&id)?.clear_log();
    Ok(StatusCode::NO_CONTENT)
}
