//! The one gate that every request passes: whether it was meant for us, who asks, whether they may, and whether they ask too
//! often. What changes something is denied unless it is known to need less, and stands in the audit list afterwards.

use super::{Access, Door, Scope, Visitor, Who, rate::Rate};
use crate::rest::ApiError;
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Where people sign in.
pub(crate) const SIGN_IN: &str = "/sign-in";
/// Where somebody takes over a house that has no password yet.
pub(crate) const CLAIM: &str = "/claim";
/// Where people sign out.
pub(crate) const SIGN_OUT: &str = "/sign-out";
/// Who may do what.
pub(crate) const ACCOUNT: &str = "/account";
/// What can be set.
pub(crate) const SETTINGS: &str = "/settings";

/// What is kept, and its backups.
pub(crate) const DATA: &str = "/data";
/// Where a backup is sent to be restored.
pub(crate) const RESTORE: &str = "/data/restore";

/// What nobody has to be known for: the way to become known, and files that everybody has.
const DOORS: [&str; 3] = [SIGN_IN, CLAIM, SIGN_OUT];
const FILES: [&str; 5] = ["/early.js", "/icon.svg", "/sw.js", "/manifest.webmanifest", "/offline"];
const FOLDERS: [&str; 3] = ["/pkg/", "/vendor/", "/install/"];

/// What tells miners what to do, and what belongs to that. Everything else that changes something needs more.
const CONTROL: [&str; 20] = [
    "/api/miner/power_on",
    "/api/miner/power_off",
    "/api/miner/power_pct",
    "/api/miner/power_limit",
    "/api/autocontrol/enable",
    "/api/autocontrol/disable",
    "/api/battery/refresh_session",
    "/api/alerts/clear",
    "/rpc/power_on",
    "/rpc/power_off",
    "/rpc/auto_control",
    "/rpc/manual_power",
    "/rpc/refresh_session",
    "/rpc/clear_alerts",
    // The demo's switches are there in the demo only, where everybody may everything.
    "/rpc/demo_pace",
    "/rpc/demo_jump",
    "/rpc/demo_charge",
    "/rpc/demo_fault",
    "/rpc/demo_heal",
    "/api/network/scan",
];

/// Cookies over an encrypted way: a browser takes a `__Host-` one from nobody else.
const SESSION_HTTPS: &str = "__Host-session";
const MARK_HTTPS: &str = "__Host-known";
/// Cookies over a plain one.
const SESSION: &str = "wm-session";
const MARK: &str = "wm-known";

/// What a request passes through.
#[derive(Clone)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    access: Access,
    hosts: Vec<String>,
    proxies: Vec<IpAddr>,
    strangers: Mutex<Rate>,
    known: Mutex<Rate>,
}

/// What was done, in more words than the address says; a handler puts it into its response for the audit list.
#[derive(Debug, Clone)]
pub(crate) struct Done(pub(crate) String);

impl Gate {
    /// `hosts` are the names that we answer to besides those of this machine and bare addresses; `proxies` are believed
    /// about who is behind them.
    pub(crate) fn new(access: Access, hosts: Vec<String>, proxies: Vec<IpAddr>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        Self {
            inner: Arc::new(Inner {
                access,
                hosts,
                proxies,
                strangers: Mutex::default(),
                known: Mutex::default(),
            }),
        }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.inner.access
    }

    /// Whether a request names us. A page that points its own name at our address (DNS rebinding) names itself; a bare
    /// address can't be pointed anywhere.
    fn answers_to(&self, request: &Request) -> bool {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(host) = host.or_else(|| request.uri().authority().map(Authority::as_str)) else {
            return false;
        };
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let is_address = address.parse::<IpAddr>().is_ok_and(|address| !address.is_unspecified());
        name == "localhost" || is_address || self.inner.hosts.contains(&name)
    }
}

pub(crate) async fn gate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if !gate.answers_to(&request) {
        let message = "this name isn't answered to: add it to app.allowed_hosts if it is this controller's";
        return ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", message).into_response();
    }
    let access = gate.access().clone();
    let visitor = Visitor::of(request.headers(), request.extensions(), &gate.inner.proxies);
    let who = access.who(
        cookie(request.headers(), if visitor.is_https { SESSION_HTTPS } else { SESSION }),
        bearer(request.headers()),
    );
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let changes = !method.is_safe();
    let what = format!("{method} {path}");
    let is_guarded = access.door() != Door::Open;
    if changes && is_guarded {
        let taken = {
            // By itself: strangers behind the same address can't keep the household from switching off.
            let rate = if who.scope.is_some() { &gate.inner.known } else { &gate.inner.strangers };
            let mut rate = rate.lock().unwrap_or_else(PoisonError::into_inner);
            rate.take(visitor.address, Instant::now())
        };
        if let Err(wait) = taken {
            return too_often(wait.as_secs() + 1);
        }
    }
    if let Some(scope) = needed(&method, &path, access.door())
        && !who.may(scope)
    {
        if changes {
            access.note_refusal(&who, &visitor, what, "refused: may not".to_owned());
        }
        return refuse(&request, &who, scope, access.is_unclaimed());
    }
    request.extensions_mut().insert(who.clone());
    request.extensions_mut().insert(visitor.clone());
    let response = next.run(request).await;
    if changes && is_guarded {
        let what = response.extensions().get::<Done>().map_or(what, |Done(done)| done.clone());
        let status = response.status();
        if !status.is_success() && !status.is_redirection() {
            access.note_refusal(&who, &visitor, what, format!("refused ({})", status.as_u16()));
        } else if who.scope.is_some() || response.headers().contains_key(header::SET_COOKIE) {
            access.note(&who, &visitor, what, "done".to_owned());
        }
    }
    response
}

/// What a request needs; `None`, if nobody has to be known for it.
pub(crate) fn needed(method: &Method, path: &str, door: Door) -> Option<Scope> {
    if DOORS.contains(&path) {
        return None;
    }
    if !method.is_safe() {
        return Some(if CONTROL.contains(&path) { Scope::Control } else { Scope::Admin });
    }
    let is_file = FILES.contains(&path) || FOLDERS.iter().any(|folder| path.starts_with(folder));
    if [ACCOUNT, SETTINGS, DATA].contains(&path) {
        return Some(Scope::Admin);
    }
    (door == Door::Guarded { reading: true } && !is_file).then_some(Scope::Read)
}

/// Leads a person to where they can sign in, and tells a program why not.
fn refuse(request: &Request, who: &Who, scope: Scope, is_unclaimed: bool) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    if who.scope.is_none() && accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        let from = if request.method().is_safe() {
            Some(request.uri().to_string())
        } else {
            referer(request.headers())
        };
        let door = if is_unclaimed { CLAIM } else { SIGN_IN };
        return Redirect::to(&format!("{door}?then={}", escaped(&local(from.as_deref())))).into_response();
    }
    if request.uri().path().starts_with("/rpc/") {
        // As the page's own calls are refused.
        return (StatusCode::UNAUTHORIZED, Json("Sign in to change anything.")).into_response();
    }
    if who.scope.is_none() {
        let message = "sign in, or send a token: authorization: Bearer wmc_…";
        let error = ApiError::new(StatusCode::UNAUTHORIZED, "sign_in_needed", message);
        return ([(header::WWW_AUTHENTICATE, "Bearer")], error).into_response();
    }
    let message = format!("this needs a token for {scope}");
    ApiError::new(StatusCode::FORBIDDEN, "not_allowed", message).into_response()
}

fn too_often(seconds: u64) -> Response {
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_often", "too many changes at once");
    ([(header::RETRY_AFTER, seconds.to_string())], error).into_response()
}

/// Where a page of ours was that a form stood on.
fn referer(headers: &HeaderMap) -> Option<String> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    rest.find('/').and_then(|path| rest.get(path..)).map(str::to_owned)
}

/// A place on this site to go on to; the dashboard, if it isn't one. What begins like another site's address leads there.
pub(crate) fn local(place: Option<&str>) -> String {
    let is_here = |place: &&str| {
        place.starts_with('/')
            && !place.starts_with("//")
            && !place.contains(['\\', '\r', '\n', '\t'])
            && place.is_ascii()
            && place.len() <= 512
    };
    place.filter(is_here).unwrap_or("/").to_owned()
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find_map(|(known, value)| (known == name).then_some(value))
}

/// The token that a program shows.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The mark by which a browser is known from an earlier sign-in.
pub(crate) fn mark<'a>(headers: &'a HeaderMap, visitor: &Visitor) -> Option<&'a str> {
    cookie(headers, if visitor.is_https { MARK_HTTPS } else { MARK })
}

/// What a browser keeps from now on: its session, and the mark by which it is known later.
pub(crate) fn cookies(visitor: &Visitor, session: &str, mark: Option<&str>) -> Vec<HeaderValue> {
    const YEAR: u32 = 31_536_000;
    let names = if visitor.is_https { (SESSION_HTTPS, MARK_HTTPS) } else { (SESSION, MARK) };
    // An empty one is taken away.
    let age = if session.is_empty() { 0 } else { YEAR };
    let secure = if visitor.is_https { "; Secure" } else { "" };
    let text = |name: &str, value: &str, age: u32| {
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    };
    let kept = [Some(text(names.0, session, age)), mark.map(|mark| text(names.1, mark, YEAR))];
    kept.into_iter().flatten().filter_map(|text| HeaderValue::try_from(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUARDED: Door = Door::Guarded { reading: false };

    #[test]
    fn what_changes_something_needs_the_most_unless_it_is_known_to_need_less() {
        for (path, expected) in [
            ("/api/miner/power_off", Some(Scope::Control)),
            ("/rpc/power_off", Some(Scope::Control)),
            ("/rpc/power%5Foff", Some(Scope::Admin)),
            ("/rpc/anything", Some(Scope::Admin)),
            ("/account/password", Some(Scope::Admin)),
            ("/pkg/../rpc/power_off", Some(Scope::Admin)),
            ("/sign-in", None),
            ("/sign-in/", Some(Scope::Admin)),
        ] {
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                assert_eq!(needed(&method, path, GUARDED), expected, "{method} {path}");
            }
        }
    }

    #[test]
    fn looking_is_free_unless_the_house_wants_it_otherwise() {
        let closed = Door::Guarded { reading: true };
        for path in ["/", "/decisions", "/api/miner/status", "/rpc/chart", "/metrics", "/nothing"] {
            assert_eq!(needed(&Method::GET, path, GUARDED), None, "{path}");
            assert_eq!(needed(&Method::GET, path, closed), Some(Scope::Read), "{path}");
        }
        for path in ["/sign-in", "/claim", "/early.js", "/pkg/a.wasm", "/offline"] {
            assert_eq!(needed(&Method::GET, path, closed), None, "{path}");
        }
        assert_eq!(needed(&Method::GET, "/account", GUARDED), Some(Scope::Admin));
    }

    #[test]
    fn nobody_is_led_to_another_site() {
        for here in ["/", "/decisions?day=2026-06-21", "/?range=1h&at=5#chart"] {
            assert_eq!(local(Some(here)), here);
        }
        for elsewhere in [
            "//evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "\\/evil.example",
            "evil",
            "",
            "/a\r\nb: c",
            "/\t/x",
        ] {
            assert_eq!(local(Some(elsewhere)), "/", "{elsewhere:?}");
        }
        assert_eq!(local(None), "/");
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("xwm-session=a; wm-session=b;c"));
        headers.append(header::COOKIE, HeaderValue::from_static("wm-session=d"));
        assert_eq!(cookie(&headers, SESSION), Some("b"));
        assert_eq!(cookie(&headers, SESSION_HTTPS), None);
    }
}
