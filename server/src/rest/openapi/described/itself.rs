//! The call of the description itself.

use super::call::Call;
use utoipa::openapi::{ObjectBuilder, Type};

pub(super) fn calls() -> Vec<Call> {
    let document = ObjectBuilder::new().schema_type(Type::Object);
    vec![
        Call::get("/api/openapi.json", "This description (OpenAPI 3.1)")
            .header("if-none-match", "the `etag` of an earlier reply: nothing is sent again that is known")
            .reply_of(200, "the description", "application/json", document)
            .bare(304, "it is still the same"),
    ]
}
