//! The calls of `/api/autocontrol`.

use super::{
    call::Call,
    miner::wish,
    shapes::{Decision, Latches, Operation, Percent},
};
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    vec![
        Call::get("/api/autocontrol/status", "What was decided, why, what would change it and when")
            .of_a_miner()
            .reply::<AutoControl>(200, "as it is known now"),
        wish(Call::post(
            "/api/autocontrol/enable",
            "Let the battery drive a miner; this ends a manual power",
        ))
        .no_members(),
        wish(Call::post("/api/autocontrol/disable", "Leave a miner as it is")).no_members(),
    ]
}

/// The state of auto-control, under the names that earlier clients know.
#[derive(ToSchema)]
pub(super) struct AutoControl {
    /// The battery drives it.
    enabled: bool,
    /// What it should draw; null where it is off or stays as it is.
    target_w: Option<f64>,
    /// The same in percent.
    target_pct: Option<Percent>,
    /// The power that was commanded last.
    last_set_w: Option<f64>,
    /// The highest power now allowed.
    latched_floor_w: f64,
    /// The shortest time between two ordinary commands.
    min_interval_sec: u64,
    /// Why, for people, in one paragraph.
    current_state_description: String,
    /// By the site's own time, as 19:00; null where the sun doesn't set today.
    #[schema(pattern = "^[0-9]{2}:[0-9]{2}$")]
    sunset_time: Option<String>,
    is_past_sunset: Option<bool>,
    /// Something other than the controller's clock agrees with it.
    clock_synced: bool,
    decision: Decision,
    latches: Latches,
    /// The last command.
    op: Option<Operation>,
}
