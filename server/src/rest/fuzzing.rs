//! Any bytes as the query of a request.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::{ApiError, decisions, history::Stretch, which::Which};
use axum::{
    extract::FromRequestParts,
    http::{Request, request::Parts},
};
use futures::FutureExt;
use model::UtcMillis;

/// 2026-11-18.
const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

/// What stands behind the question mark.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(request) = Request::builder().uri(format!("/api?{text}")).body(()) else { return };
    let (mut parts, ()) = request.into_parts();
    match ask::<Stretch>(&mut parts).and_then(|stretch| stretch.window(NOW, 3.0)) {
        Ok(window) => {
            assert!(
                window.from < window.to && (1..=10_000).contains(&window.points),
                "no window: {window:?}"
            );
            assert!(window.to.millis_since(window.from) > 0, "a window of no length: {window:?}");
        }
        Err(error) => check(&error),
    }
    decisions::try_query(&mut parts, NOW).unwrap_or_else(|error| check(&error));
    ask::<Which>(&mut parts).map_or_else(|error| check(&error), drop);
}

/// What a request's parts say, which is there at once.
pub(super) fn ask<T: FromRequestParts<(), Rejection = ApiError>>(parts: &mut Parts) -> Result<T, ApiError> {
    let asked = T::from_request_parts(parts, &()).now_or_never();
    asked.unwrap_or_else(|| unreachable!("a query that one has to wait for"))
}

fn check(error: &ApiError) {
    assert!(error.status.is_client_error(), "a query that breaks something: {}", error.status);
}
