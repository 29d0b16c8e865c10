//! Bodies of the control API: reading them so that an error names the field, and the shape of an error.

use crate::{house::InvalidSetup, time::ClockRefused};
use axum::{
    Json,
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// A request that isn't carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    field: Option<String>,
    message: String,
}

impl Refusal {
    /// A bad body; `field` is the member that is wrong.
    pub(super) fn bad(field: Option<&str>, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, field: field.map(str::to_owned), message: message.into() }
    }

    /// Nothing is there.
    pub(super) fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, field: None, message: format!("there is no {what}") }
    }

    /// The address is right and the method isn't.
    pub(super) fn method() -> Self {
        let message = "this address doesn't take this method: GET / lists what there is".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, field: None, message }
    }

    /// The simulation can't do it.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, field: None, message: message.into() }
    }
}

impl From<InvalidSetup> for Refusal {
    fn from(invalid: InvalidSetup) -> Self {
        Self::bad(Some(&invalid.field), invalid.expected)
    }
}

impl From<ClockRefused> for Refusal {
    fn from(refused: ClockRefused) -> Self {
        let field = match refused {
            ClockRefused::Scale => "scale",
            ClockRefused::Instant => "utc",
        };
        Self::bad(Some(field), refused.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": {"field": self.field, "message": self.message}});
        (self.status, Json(body)).into_response()
    }
}

/// The body as any JSON value.
pub(super) fn json_value(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(None, format!("the body is no JSON: {error}")))
}

/// The body as a JSON object.
pub(super) fn object(body: &Bytes) -> Result<Map<String, Value>, Refusal> {
    match json_value(body)? {
        Value::Object(members) => Ok(members),
        _ => Err(Refusal::bad(None, "the body is no JSON object")),
    }
}

/// `current` with the members of `patch` in the place of its own, one after the other, so that a member that doesn't
/// fit is known by its name.
pub(super) fn patched<T: Serialize + DeserializeOwned>(
    current: &T,
    patch: Map<String, Value>,
) -> Result<T, Refusal> {
    let mut whole = serde_json::to_value(current).map_err(|error| Refusal::failed(error.to_string()))?;
    let mut result =
        serde_json::from_value(whole.clone()).map_err(|error| Refusal::failed(error.to_string()))?;
    for (field, value) in patch {
        if let Value::Object(members) = &mut whole {
            members.insert(field.clone(), value);
        }
        result = serde_json::from_value(whole.clone())
            .map_err(|error| Refusal::bad(Some(&field), error.to_string()))?;
    }
    Ok(result)
}
