//! The calls of `/api/miner`.

use super::{
    call::Call,
    history::{MinerHistory, of_a_stretch},
    shapes::{AskedPower, Connection, Decision, Instant, Latches, Operation, Percent, SaidOfPower, State},
};
use serde_json::json;
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    let hold =
        "Holds for `hours`, else for as long as the configuration says, and then auto-control goes on.";
    let past = Call::get("/api/miner/history", "What a miner was measured to do");
    vec![
        Call::get("/api/miner/status", "What a miner does, what it is meant to do, and why")
            .of_a_miner()
            .reply::<MinerStatus>(200, "as it is known now"),
        of_a_stretch(past.of_any_miner()).reply::<MinerHistory>(200, "rows, oldest first"),
        Call::get("/api/miner/op_status", "The last commands and what became of them")
            .of_a_miner()
            .reply::<Operations>(200, "the newest first"),
        wish(Call::post("/api/miner/power_limit", "Set a power in W").about(hold))
            .body::<PowerLimit>(&json!({ "watts": 2400, "hours": 3 })),
        wish(Call::post("/api/miner/power_pct", "Set a power in percent").about(hold))
            .body::<PowerPercent>(&json!({ "percent": 60, "hours": 3 })),
        wish(Call::post("/api/miner/power_on", "Switch it on")).body::<PowerOn>(&json!({ "confirm": true })),
        wish(Call::post("/api/miner/power_off", "Switch it off, until somebody says on")).no_members(),
    ]
}

/// A person's wish: taken up, which isn't yet done.
pub(super) fn wish(call: Call) -> Call {
    call.of_a_miner()
        .reply::<TakenUp>(202, "taken up; the operation tells what becomes of it")
        .refuses(409, "safety forbids it; the message says why")
        .refuses(503, "the control loop doesn't run")
}

/// A wish that was taken up.
#[derive(ToSchema)]
pub(super) struct TakenUp {
    ok: bool,
    /// The command that follows from it, if one goes out at once.
    op: Option<Operation>,
    /// What was decided with it.
    decision: Decision,
}

/// The last commands.
#[derive(ToSchema)]
pub(super) struct Operations {
    operations: Vec<Operation>,
}

/// A miner, and what is decided about it.
#[derive(ToSchema)]
pub(super) struct MinerStatus {
    status: MinerReading,
    connection: Connection,
    desired: Desired,
    decision: Decision,
    latches: Latches,
    intent: Wishes,
    /// The last command.
    op: Option<Operation>,
}

/// A miner's last reading. What isn't known is null.
#[derive(ToSchema)]
pub(super) struct MinerReading {
    id: String,
    /// The name a person gave it.
    name: String,
    /// Its address.
    host: String,
    state: State,
    /// Its full power in W.
    base_w: f64,
    /// Drawn at the input.
    power_w: Option<f64>,
    /// What it is set to, from limit and percentage together.
    power_set_w: Option<f64>,
    /// The power limit in force.
    power_limit_w: Option<f64>,
    /// The power percentage in force.
    power_percent: Option<u8>,
    /// The hash rate now.
    hashrate_ths: Option<f64>,
    /// Since the mining process started.
    hashrate_average_ths: Option<f64>,
    /// What the factory measured.
    hashrate_rated_ths: Option<f64>,
    efficiency_j_per_th: Option<f64>,
    /// Air at the inlet.
    ambient_c: Option<f64>,
    /// The hottest chip.
    chip_max_c: Option<f64>,
    chip_average_c: Option<f64>,
    fan_in_rpm: Option<u32>,
    fan_out_rpm: Option<u32>,
    /// Since the mining process started.
    elapsed_seconds: Option<u64>,
    /// The ramp after a start has finished.
    ramp_finished: Option<bool>,
    power_mode: Option<String>,
    /// It lets its network API change anything.
    writes_enabled: Option<bool>,
    /// Its own error codes.
    errors: Vec<MinerError>,
    pools: Vec<Pool>,
    identity: Option<Identity>,
}

/// One of a miner's own error codes.
#[derive(ToSchema)]
pub(super) struct MinerError {
    code: u32,
    text: String,
    /// In the miner's own local time, as it spells it.
    at: Option<String>,
}

/// A mining pool.
#[derive(ToSchema)]
pub(super) struct Pool {
    url: String,
    user: String,
    /// The miner's word for its state.
    status: String,
    /// Work comes from this pool now.
    active: bool,
    last_share: Option<Instant>,
}

/// Who a miner is.
#[derive(ToSchema)]
pub(super) struct Identity {
    mac: Option<String>,
    model: Option<String>,
    firmware: Option<String>,
    serial: Option<String>,
    /// Protocol and its version.
    api: String,
}

/// What a miner is meant to do; null where everything stays as it is.
#[derive(ToSchema)]
pub(super) struct Desired {
    /// "off" or "running".
    state: Option<String>,
    percent: Option<Percent>,
    watts: Option<f64>,
}

/// What a person wants of a miner.
#[derive(ToSchema)]
pub(super) struct Wishes {
    /// The battery drives it.
    auto_control: bool,
    power: SaidOfPower,
    /// The power a person asked for.
    manual: Option<AskedPower>,
    /// When that ends.
    manual_until: Option<Instant>,
}

#[derive(ToSchema)]
struct PowerLimit {
    /// At the input; what this miner can't hold is refused.
    #[schema(minimum = 1, maximum = 99_999)]
    watts: u32,
    /// For how long.
    #[schema(minimum = 0.01, maximum = 168.0)]
    hours: Option<f64>,
}

#[derive(ToSchema)]
struct PowerPercent {
    /// Of the miner's full power; what this miner can't hold is refused.
    #[schema(minimum = 1, maximum = 100)]
    percent: u8,
    /// For how long.
    #[schema(minimum = 0.01, maximum = 168.0)]
    hours: Option<f64>,
}

#[derive(ToSchema)]
struct PowerOn {
    /// Also though a latch is set.
    confirm: Option<bool>,
}
