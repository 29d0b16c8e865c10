//! The call of `/api/decisions`.

use super::{
    call::Call,
    history::between,
    shapes::{Charge, Command, Explanation, Instant, Obstacle, Operation, ReasonCode, RuleName, Wanted},
};
use crate::rest::decisions::{LIMIT, MOST};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Array, ObjectBuilder, Type},
};

pub(super) fn calls() -> Vec<Call> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(MOST))
        .default(Some(json!(LIMIT)));
    let mut rules = Array::new(RuleName::schema());
    rules.unique_items = true;
    let commands = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(json!(false)));
    let place = text().pattern(Some("^-?[0-9]{1,18}[.]-?[0-9]{1,18}$"));
    let call = Call::get("/api/decisions", "The journal of decisions")
        .about("Without a stretch of time, the whole journal is meant.")
        .query(
            "miner",
            "decisions about this miner only; there are none about one that is only looked at",
            text(),
        );
    vec![
        between(call)
            .query("rule", "decisions by this rule only; may be written once for each of several", rules)
            .query("commands", "decisions that commanded something only", commands)
            .query("before", "what `older` of an earlier reply said: goes on from there", place)
            .query("limit", "how many at most", limit)
            .reply::<Decisions>(200, "the newest first")
            .refuses(404, "there is no such miner")
            .refuses(503, "the database can't be read"),
    ]
}

/// A part of the journal.
#[derive(ToSchema)]
pub(super) struct Decisions {
    decisions: Vec<JournalEntry>,
    /// Where to go on, if there is more: to be given as `before`.
    older: Option<String>,
}

/// A decision, what it was made from and what became of it.
#[derive(ToSchema)]
pub(super) struct JournalEntry {
    id: i64,
    at: Instant,
    miner: String,
    rule: RuleName,
    reason: ReasonCode,
    wanted: Wanted,
    command: Option<Command>,
    /// What stood in the way.
    blocked_by: Option<Obstacle>,
    blocked_until: Option<Instant>,
    explanation: Explanation,
    readings: MadeFrom,
    /// The command that went out with it.
    op: Option<Operation>,
}

/// What a decision was made from.
#[derive(ToSchema)]
pub(super) struct MadeFrom {
    soc_percent: Option<Charge>,
    /// When the battery said so.
    soc_at: Option<Instant>,
    power_w: Option<f64>,
    power_set_percent: Option<f64>,
}
