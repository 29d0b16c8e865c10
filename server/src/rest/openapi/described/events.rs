//! The call of `/api/events`.

use super::call::Call;
use serde_json::json;
use utoipa::openapi::{ObjectBuilder, Type};

pub(super) fn calls() -> Vec<Call> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let view = text().enum_values(Some(["page"]));
    let stream = text().examples([json!("id: 19ee5-17\nevent: tick\ndata: {…}\n\n")]);
    vec![
        Call::get("/api/events", "What happens, as it happens")
            .about(
                "Server-sent events without an end: `snapshot` first, with everything; then `tick`, `decision`, \
                 `operation` and `alert`. Each has JSON as its data. Whoever comes back says the last `id`, and is first \
                 told what was missed.",
            )
            .query("after", "the `id` of the last event that was heard", text())
            .query("view", "the page's own words instead", view)
            .header("last-event-id", "as `after`, and goes before it: what a browser sends by itself")
            .reply_of(200, "the stream", "text/event-stream", stream)
            .refuses(400, "the query can't be read")
            .refuses(422, "a member of the query is unknown or wrong; `field` names it")
            .refuses(503, "too many listen already"),
    ]
}
