//! Requests as a script sends them, and the replies to them.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header, request::Builder},
};
use serde_json::Value;

/// More than any reply holds.
const LARGEST_REPLY: usize = 1 << 20;

/// A request to this machine's own name.
pub(crate) fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    request("GET", path).body(Body::empty()).unwrap()
}

/// A POST without any body.
pub(crate) fn post_nothing(path: &str) -> Request<Body> {
    request("POST", path).body(Body::empty()).unwrap()
}

/// A POST of these bytes as JSON, whatever they are.
pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    request("POST", path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

/// A reply whose body is JSON.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) async fn read(response: axum::response::Response) -> Self {
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, LARGEST_REPLY).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            unreachable!("{}: {error}: {}", head.status, String::from_utf8_lossy(&bytes))
        });
        Self { status: head.status, headers: head.headers, body }
    }

    /// The body, if the status is this one.
    pub(crate) fn with(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The error that comes with this status, in the one shape that errors have: (code, message, field).
    pub(crate) fn error(self, status: u16) -> (String, String, Option<String>) {
        let body = self.with(status);
        let outer: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(outer, ["error"], "{body}");
        let error = body["error"].as_object().unwrap();
        assert!(error.keys().all(|key| ["code", "message", "field"].contains(&key.as_str())), "{body}");
        let text = |key: &str| error.get(key).map(|text| text.as_str().unwrap().to_owned());
        let (code, message) = (text("code").unwrap(), text("message").unwrap());
        assert!(!code.is_empty() && !message.is_empty(), "{body}");
        (code, message, text("field"))
    }
}
