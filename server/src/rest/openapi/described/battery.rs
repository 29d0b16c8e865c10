//! The calls of `/api/battery`.

use super::{
    call::Call,
    history::{BatteryHistory, of_a_stretch},
    shapes::{Charge, Instant},
};
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    let past =
        Call::get("/api/battery/history", "What the battery, the sun and the house were measured to do");
    vec![
        Call::get("/api/battery/status", "What the battery and the house do, and how old that is")
            .reply::<BatteryStatus>(200, "as it is known now"),
        of_a_stretch(past).reply::<BatteryHistory>(200, "rows, oldest first"),
        Call::post("/api/battery/refresh_session", "Sign in anew at the battery's portal")
            .no_members()
            .reply::<Done>(202, "signed in")
            .refuses(409, "the portal refuses user name or password")
            .refuses(502, "the portal can't be reached or doesn't answer properly"),
    ]
}

/// Done.
#[derive(ToSchema)]
pub(super) struct Done {
    ok: bool,
}

/// The battery and its source.
#[derive(ToSchema)]
pub(super) struct BatteryStatus {
    status: BatteryReading,
    connection: BatteryConnection,
}

/// The battery's last reading. What isn't known is null.
#[derive(ToSchema)]
pub(super) struct BatteryReading {
    /// When the battery said it.
    ts: Option<Instant>,
    /// The last good state of charge.
    soc_percent: Option<Charge>,
    /// How old that is, by the battery's own time.
    age_seconds: Option<f64>,
    /// Produced by the sun.
    pv_power_w: Option<f64>,
    /// Consumed by the house.
    load_power_w: Option<f64>,
    /// From the grid; negative is into it.
    grid_power_w: Option<f64>,
    /// Into the battery; negative is out of it.
    battery_net_w: Option<f64>,
    voltage_v: Option<f64>,
    temperature_c: Option<f64>,
    /// The source says that the battery or its uplink is offline.
    lost: Option<bool>,
    /// The state of charge as the source told it, possible or not.
    told_soc_percent: Option<f64>,
    /// The inverters this was put together from.
    units: Option<Vec<Inverter>>,
}

/// One inverter's part.
#[derive(ToSchema)]
pub(super) struct Inverter {
    serial: String,
    model: Option<String>,
    soc: Option<Charge>,
    /// In W; positive is charging.
    battery: Option<f64>,
    /// The source says that it is offline.
    lost: bool,
    source_time: Option<Instant>,
}

/// The connection to the battery's source.
#[derive(ToSchema)]
pub(super) struct BatteryConnection {
    /// The last attempt succeeded.
    connected: bool,
    /// When it last answered.
    last_seen: Option<Instant>,
    /// Always null: the source doesn't tell it.
    uptime_seconds: Option<u64>,
    /// What went wrong at the last attempt.
    error: Option<String>,
    /// How long the sign-in has held.
    session_age_hours: Option<f64>,
    /// Seconds between two questions to the source.
    poll_seconds: u32,
}
