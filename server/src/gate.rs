//! Until people can sign in, the API answers only those on this machine, by this machine's own names: a page that
//! points its own name at the loopback address (DNS rebinding) gets nothing.

use crate::rest::ApiError;
use axum::{
    extract::Request,
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::IpAddr;

pub(crate) async fn local_names_only(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let named = host.or_else(|| request.uri().authority().map(Authority::as_str));
    if named.is_some_and(is_local) {
        return next.run(request).await;
    }
    let message = "only names of this machine are answered: localhost, 127.0.0.1 or [::1]";
    ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", message).into_response()
}

fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn names_of_this_machine() {
        for local in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.3.2.1", "[::1]:8080"] {
            assert!(is_local(local), "{local}");
        }
        for other in [
            "",
            "example.com",
            "localhost.example.com",
            "192.168.1.5:8080",
            "127.0.0.1.example.com",
            "[::2]",
            "a b",
        ] {
            assert!(!is_local(other), "{other}");
        }
    }
}
