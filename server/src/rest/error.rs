//! The one shape of every error.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::Refused;
use serde_json::json;
use std::{any::Any, borrow::Cow};

/// An error on the wire: a status, a code for machines, words for people, and the member of the request that is
/// wrong, if it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// For machines ("refused").
    pub code: &'static str,
    /// For people. Never holds a secret.
    pub message: String,
    /// The member of the request that is wrong.
    pub field: Option<Cow<'static, str>>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None }
    }

    pub(crate) fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
        Self { field: Some(field.into()), ..error }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(field), Some(error)) = (self.field, error.as_object_mut()) {
            error.insert("field".into(), field.into());
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::NoSuchMiner(_) => {
                // Without the id: whatever was asked for isn't repeated.
                let message = "there is no miner with this id";
                let error = Self::new(StatusCode::NOT_FOUND, "no_such_miner", message);
                Self { field: Some("id".into()), ..error }
            }
            Refused::Forbidden(_) => Self::new(StatusCode::CONFLICT, "refused", message),
            Refused::Invalid { field, .. } => Self::invalid(field, message),
            Refused::NotRunning => Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_running", message),
        }
    }
}

pub(crate) async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}

pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address takes another method")
}

pub(crate) fn cross_origin(_: tower_http::csrf::ProtectionError) -> Response {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "cross_origin",
        "a page of another site may not change anything here",
    )
    .into_response()
}

/// A bug here. What it said is in the log; whoever asked gets an answer, and the next request is a new one.
pub(crate) fn broken(_: Box<dyn Any + Send>) -> Response {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", "this can't be answered because of a bug here")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, http::Request, routing::get};
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    async fn bug() {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_bug_is_answered_and_told_to_nobody() {
        let routes = Router::new().route("/", get(bug)).layer(CatchPanicLayer::custom(broken));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("\"broken\"") && !text.contains("secret"), "{text}");
    }
}
