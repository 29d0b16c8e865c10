//! The calls of `/api/alerts`.

use super::{call::Call, shapes::Alert};
use serde_json::json;
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    vec![
        Call::post("/api/alerts/clear", "Dismiss alerts that are over, and mark those that hold as seen")
            .body::<Until>(&json!({ "until": "2026-06-21T18:00:00Z" }))
            .reply::<Cleared>(200, "the alerts that are left")
            .refuses(503, "the control loop doesn't run"),
        Call::post("/api/alerts/test", "Send a test by every channel that is set up")
            .no_members()
            .reply::<Tested>(200, "what became of it, channel by channel")
            .refuses(409, "no channel is set up, or a test is under way"),
    ]
}

#[derive(ToSchema)]
struct Until {
    /// Only what was told by then; everything, if left out. An instant in UTC.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$")]
    until: Option<String>,
}

/// The alerts that are left.
#[derive(ToSchema)]
pub(super) struct Cleared {
    ok: bool,
    alerts: Vec<Alert>,
}

/// What became of a test.
#[derive(ToSchema)]
pub(super) struct Tested {
    /// It went out by all of them.
    ok: bool,
    channels: Vec<TestedChannel>,
}

/// What became of it by one channel.
#[derive(ToSchema)]
pub(super) struct TestedChannel {
    /// "ntfy", "webhook", "telegram" or "mail".
    channel: String,
    /// The other side took it.
    ok: bool,
    /// Why it didn't, for people.
    error: Option<String>,
}
