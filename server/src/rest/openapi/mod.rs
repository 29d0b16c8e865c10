//! `GET /api/openapi.json`: the API, described for programs.
//!
//! The description is made of the code by the tests and kept beside it as `openapi.json`, which the program carries and
//! hands out as it is: what describes costs no memory and no start-up time in the program, and a change of the API is
//! seen in a diff. `the_file_is_what_the_code_describes` fails when the two differ, and says how to renew the file. Whether
//! the description is true is asked of the real replies (`tests/api/described.rs`) and of the real program
//! (`cargo xtask clients`).
//!
//! The calls are described in `described`, in modules with the names of those that answer them; the table is in `history`, the
//! description in `itself`.

use super::Api;
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};

#[cfg(test)]
#[expect(dead_code, reason = "shapes are described and never made")]
mod described;

/// The description, as JSON.
pub(crate) const DESCRIPTION: &str = include_str!("openapi.json");

pub(super) fn routes() -> Router<Api> {
    // Weak, since what is packed for the way has other bytes.
    let digest = Sha256::digest(DESCRIPTION);
    let mark = digest.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let tag = HeaderValue::try_from(format!("W/\"{mark}\"")).ok();
    let answer = move |headers: HeaderMap| async move { describe(tag.as_ref(), &headers) };
    Router::new().route("/openapi.json", get(answer))
}

/// The description; not again to those who have this one.
fn describe(tag: Option<&HeaderValue>, headers: &HeaderMap) -> Response {
    let had = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let is_known = had.zip(tag.and_then(|tag| tag.to_str().ok())).is_some_and(|(had, tag)| {
        let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        had.split(',').any(|had| had.trim() == "*" || strong(had) == strong(tag))
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
    };
    let headers = response.headers_mut();
    // Kept, but asked for every time: the program may have become another one.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag.clone());
    }
    response
}
