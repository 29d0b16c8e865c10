//! The transport: form posts and their capped replies. It knows nothing of what they mean.
//!
//! No redirect is followed, since a redirect to the login page is how an expired session may show itself and
//! must be seen; and no cookie is kept here.

use super::reply::Reply;
use crate::{DeviceError, Secret, error::cause};
use chrono::DateTime;
use model::UtcMillis;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{
        ACCEPT, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
        SET_COOKIE,
    },
};
use std::{net::IpAddr, time::Duration};

/// A login reply with many plants has tens of kilobytes.
const LARGEST_REPLY: usize = 1024 * 1024;
/// Long enough for the requests of one reading, too short for the next: after minutes of silence a kept
/// connection may be dead without a sign, and would eat the deadline.
const KEEP_CONNECTION: Duration = Duration::from_secs(10);
/// No request to wait is honoured beyond this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
const SESSION_COOKIE: &str = "JSESSIONID";
/// A Tomcat session id has 32 characters, perhaps with the name of a node behind.
const LONGEST_SESSION_ID: usize = 256;

/// The portal as a peer.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    /// Without a slash at the end.
    base: String,
    connect: Duration,
}

impl Http {
    /// `connect` is the deadline for TCP and TLS together. The deadline of a whole exchange is the caller's.
    pub(super) fn new(base_url: &str, plain_http: bool, connect: Duration) -> Result<Self, DeviceError> {
        let base = base(base_url, plain_http).map_err(|why| DeviceError::Unreachable(why.to_owned()))?;
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .https_only(base.starts_with("https:"))
            .connect_timeout(connect)
            .pool_idle_timeout(KEEP_CONNECTION)
            .user_agent(concat!("WhatsMinerController/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| DeviceError::Unreachable(format!("TLS can't be set up: {}", cause(&error))))?;
        Ok(Self { client, base, connect })
    }

    /// Posts a form to `path`, which begins with a slash.
    pub(super) async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        session: Option<&Secret>,
    ) -> Result<Reply, DeviceError> {
        let mut request = self
            .client
            .post(format!("{}{path}", self.base))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .form(form);
        if let Some(id) = session {
            let mut cookie =
                HeaderValue::try_from(format!("{SESSION_COOKIE}={}", id.expose())).map_err(|_| {
                    DeviceError::Protocol("the session cookie has impossible characters".to_owned())
                })?;
            cookie.set_sensitive(true);
            request = request.header(COOKIE, cookie);
        }
        let mut response = request.send().await.map_err(|error| self.not_sent(&error))?;
        let body = body(&mut response).await?;
        Ok(reply(response.status(), response.headers(), body))
    }

    fn not_sent(&self, error: &reqwest::Error) -> DeviceError {
        if error.is_timeout() {
            DeviceError::TimedOut { doing: "connecting to the portal", deadline: self.connect }
        } else if error.is_connect() {
            DeviceError::Unreachable(format!("no connection to the portal: {}", cause(error)))
        } else {
            DeviceError::Unreachable(format!("the connection to the portal broke off: {}", cause(error)))
        }
    }
}

async fn body(response: &mut Response) -> Result<Vec<u8>, DeviceError> {
    let mut body = Vec::new();
    let broke_off =
        |error| DeviceError::Protocol(format!("the portal's answer broke off: {}", cause(&error)));
    while let Some(chunk) = response.chunk().await.map_err(broke_off)? {
        if body.len() + chunk.len() > LARGEST_REPLY {
            return Err(DeviceError::Protocol("the portal's answer is longer than 1 MiB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn reply(status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> Reply {
    let clock = text(headers, &DATE).and_then(http_date);
    Reply {
        status: status.as_u16(),
        to_login: text(headers, &LOCATION).is_some_and(|to| to.to_ascii_lowercase().contains("login")),
        retry_after: text(headers, &RETRY_AFTER).and_then(|text| retry_after(text, clock)),
        clock,
        session: session_id(headers),
        body,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The date of RFC 9110 section 5.6.7 in its preferred form.
fn http_date(text: &str) -> Option<UtcMillis> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| UtcMillis(date.timestamp_millis()))
}

/// Seconds or a date (RFC 9110 section 10.2.3). A date is measured on the server's own clock.
fn retry_after(text: &str, clock: Option<UtcMillis>) -> Option<Duration> {
    let pause = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::from_millis(u64::try_from(http_date(text)?.millis_since(clock?)).unwrap_or(0)),
    };
    Some(pause.min(LONGEST_RETRY_AFTER))
}

/// The session's id, where the reply sets one. Where it sets several, the last counts, as in a browser.
fn session_id(headers: &HeaderMap) -> Option<Secret> {
    let mut ids = headers.get_all(SET_COOKIE).iter().filter_map(|cookie| {
        let (name, value) = cookie.to_str().ok()?.split(';').next()?.split_once('=')?;
        let value = value.trim().trim_matches('"');
        let possible =
            (1..=LONGEST_SESSION_ID).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic());
        (name.trim() == SESSION_COOKIE && possible).then(|| Secret::new(value.to_owned()))
    });
    ids.next_back()
}

/// The address before the paths, which all begin with `/WManage`. A path before that is kept (a proxy), one
/// from there on is dropped (copied from a browser).
fn base(base_url: &str, plain_http: bool) -> Result<String, &'static str> {
    let url = Url::parse(base_url.trim()).map_err(|_| "the portal's address must be like https://host")?;
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || !matches!(url.scheme(), "https" | "http") {
        return Err("the portal's address must be like https://host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the portal's address can't contain a user name or password");
    }
    if url.scheme() == "http" && !plain_http && !is_loopback(host) {
        return Err("the portal's address must begin with https:// since the password is sent to it");
    }
    let path = url.path().split("/WManage").next().unwrap_or_default();
    Ok(format!("{}{}", url.origin().ascii_serialization(), path.trim_end_matches('/')))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://monitor.example.org", "https://monitor.example.org")]
    #[case("https://monitor.example.org/", "https://monitor.example.org")]
    #[case(" https://Monitor.example.org:8443/proxy/eg4// ", "https://monitor.example.org:8443/proxy/eg4")]
    #[case("https://monitor.example.org/WManage/web/login?x=1#y", "https://monitor.example.org")]
    #[case("http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    #[case("http://[::1]:8080/", "http://[::1]:8080")]
    #[case("http://localhost:8080", "http://localhost:8080")]
    fn addresses(#[case] configured: &str, #[case] expected: &str) {
        assert_eq!(base(configured, false).as_deref(), Ok(expected));
    }

    #[rstest]
    #[case("")]
    #[case("monitor.example.org")]
    #[case("ftp://monitor.example.org")]
    #[case("https://")]
    #[case("file:///etc/passwd")]
    #[case("https://me:secret@monitor.example.org")]
    #[case("http://monitor.example.org")]
    #[case("http://192.168.1.20")]
    #[case("http://localhost.example.org")]
    fn what_is_no_address_is_refused(#[case] configured: &str) {
        let error = Http::new(configured, false, Duration::from_secs(1)).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn plain_http_needs_a_word() {
        assert_eq!(base("http://192.168.1.20", true).as_deref(), Ok("http://192.168.1.20"));
    }

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date() {
        let clock = http_date("Sat, 21 Mar 2026 12:00:00 GMT");
        assert_eq!(clock, "2026-03-21T12:00:00Z".parse().ok());
        assert_eq!(retry_after("90", None), Some(Duration::from_secs(90)));
        assert_eq!(retry_after("99999999999", None), Some(LONGEST_RETRY_AFTER));
        assert_eq!(retry_after("Sat, 21 Mar 2026 12:02:00 GMT", clock), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sat, 21 Mar 2026 11:00:00 GMT", clock), Some(Duration::ZERO));
        assert_eq!(retry_after("Sat, 21 Mar 2026 12:02:00 GMT", None), None);
        assert_eq!(retry_after("soon", clock), None);
    }

    #[test]
    fn the_last_usable_session_cookie_counts() {
        let mut headers = HeaderMap::new();
        assert!(session_id(&headers).is_none());
        for cookie in [
            "JSESSIONID=00AA; Path=/WManage; HttpOnly",
            "theme=dark",
            "JSESSIONID=0BB1.node7; Path=/WManage; Secure",
            "JSESSIONID=; Max-Age=0",
            "JSESSIONID=a b",
        ] {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        assert_eq!(session_id(&headers).map(|id| id.expose().to_owned()).as_deref(), Some("0BB1.node7"));
    }

    proptest! {
        #[test]
        fn no_header_panics(value in "[ -~]{0,60}") {
            let mut headers = HeaderMap::new();
            for name in [DATE, LOCATION, RETRY_AFTER, SET_COOKIE] {
                headers.append(name, HeaderValue::from_str(&value).unwrap());
            }
            let _ = reply(StatusCode::OK, &headers, Vec::new());
            let _ = base(&value, true);
        }
    }
}
