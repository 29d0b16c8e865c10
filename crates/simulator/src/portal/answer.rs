//! What the portal answers: which address, signed in or not, which reply. No socket, no waiting.

use super::{
    Portal, State,
    faults::{Expiry, LoginFault, ReplyFault},
    log::PortalRequest,
    replies::{self, View, account, bank, energy, lists, runtime},
};
use axum::http::{HeaderName, header};
use model::UtcMillis;
use serde_json::{Value, json};
use std::time::Duration;

/// A request, as far as the portal looks at it.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Value of the session's cookie.
    pub(super) cookie: Option<String>,
    /// Fields of the form.
    pub(super) form: Vec<(String, String)>,
}

impl Request {
    fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// A reply before it is put on the wire.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: Body,
}

/// The body of a reply.
pub(super) enum Body {
    Json(Value),
    Html(String),
}

impl Answer {
    fn json(value: Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::Json(value) }
    }

    fn html(status: u16, page: &str) -> Self {
        Self { status, headers: Vec::new(), body: Body::Html(page.to_owned()) }
    }

    fn redirect(to: &str) -> Self {
        Self { headers: vec![(header::LOCATION, to.to_owned())], ..Self::html(302, "") }
    }

    fn with_session(mut self, token: &str) -> Self {
        self.headers.push((header::SET_COOKIE, format!("JSESSIONID={token}; Path=/WManage; HttpOnly")));
        self
    }
}

/// Where the sign-in page is.
const LOGIN_PAGE: &str = "/WManage/web/login";
const LOGIN_HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>\
    <form id=\"loginForm\" method=\"post\" action=\"/WManage/web/login\"><input name=\"account\">\
    <input name=\"password\" type=\"password\"><button>Sign in</button></form></body></html>";
const MAINTENANCE_HTML: &str = "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>\
    <h1>We'll be right back</h1><p>The system is under maintenance.</p></body></html>";
const CAPTCHA_HTML: &str = "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body>\
    <form id=\"challenge\" method=\"post\"><label><input type=\"checkbox\"> I am human</label></form></body></html>";
const ELSE_HTML: &str = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><p>Our new portal is here.</p></body></html>";

/// What can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Login,
    WebLogin,
    Demo,
    LoginPage,
    Plants,
    Overview,
    Inverters,
    ParallelGroup,
    Runtime,
    Energy,
    Battery,
    Unknown,
}

impl Endpoint {
    fn of(request: &Request) -> Self {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/WManage/api/login") => Self::Login,
            ("POST", LOGIN_PAGE) => Self::WebLogin,
            ("GET", LOGIN_PAGE) => Self::LoginPage,
            ("GET", "/WManage/web/login/viewDemoPlant") => Self::Demo,
            ("POST", "/WManage/web/config/plant/list/viewer" | "/WManage/web/config/plant/list") => {
                Self::Plants
            }
            ("POST", "/WManage/api/inverterOverview/list") => Self::Overview,
            ("POST", "/WManage/web/config/inverter/list") => Self::Inverters,
            ("POST", "/WManage/api/inverterOverview/getParallelGroupDetails") => Self::ParallelGroup,
            ("POST", "/WManage/api/inverter/getInverterRuntime") => Self::Runtime,
            ("POST", "/WManage/api/inverter/getInverterEnergyInfo") => Self::Energy,
            ("POST", "/WManage/api/battery/getBatteryInfo") => Self::Battery,
            _ => Self::Unknown,
        }
    }

    fn signs_in(self) -> bool {
        matches!(self, Self::Login | Self::WebLogin | Self::Demo)
    }
}

impl Portal {
    /// Answers a request: the reply, what happens to it as a whole, and how long it is held back.
    pub(super) fn answer(&self, request: &Request) -> (Answer, Option<ReplyFault>, Duration) {
        let now = (self.time)();
        let endpoint = Endpoint::of(request);
        let mut state = self.lock();
        let fault = state.faults.next_reply_fault(endpoint.signs_in());
        let held_back = if state.faults.concern(endpoint.signs_in()) { state.faults.slow_ms } else { 0 };
        let session = request.cookie.as_deref().is_some_and(|token| state.sessions.holds(token, now))
            && !state.faults.sessions_never_hold;

        let (answer, login) = match unprocessed(fault) {
            Some(answer) => (answer, None),
            None => self.process(&mut state, request, endpoint, session, now),
        };
        drop(state);
        let unanswered = matches!(fault, Some(ReplyFault::Reset | ReplyFault::Silent));
        self.log.push(PortalRequest {
            at: now,
            method: request.method.clone(),
            path: request.path.clone(),
            serial: Some(request.field("serialNum")).filter(|serial| !serial.is_empty()).map(str::to_owned),
            session,
            login,
            status: (!unanswered).then_some(answer.status),
        });
        (answer, fault, Duration::from_millis(held_back))
    }

    fn process(
        &self,
        state: &mut State,
        request: &Request,
        endpoint: Endpoint,
        session: bool,
        now: UtcMillis,
    ) -> (Answer, Option<bool>) {
        if endpoint.signs_in() {
            let (answer, accepted) = self.sign_in(state, request, endpoint, now);
            return (answer, Some(accepted));
        }
        let answer = match endpoint {
            Endpoint::Unknown => Answer::html(404, "<html><body><h1>HTTP Status 404</h1></body></html>"),
            Endpoint::LoginPage => Answer::html(200, LOGIN_HTML),
            _ if !session => expired(state.faults.expiry),
            _ => Answer::json(self.data(state, request, endpoint, now)),
        };
        (answer, None)
    }

    fn sign_in(
        &self,
        state: &mut State,
        request: &Request,
        endpoint: Endpoint,
        now: UtcMillis,
    ) -> (Answer, bool) {
        let right = endpoint == Endpoint::Demo
            || (request.field("account") == self.setup.user
                && request.field("password") == self.setup.password);
        match state.faults.login {
            Some(LoginFault::Missing404) => {
                return (Answer::html(404, "<html><body><h1>HTTP Status 404</h1></body></html>"), false);
            }
            Some(LoginFault::Html200) => return (Answer::html(200, ELSE_HTML), false),
            Some(LoginFault::Refused) | None => {}
        }
        let accepted = right && state.faults.login.is_none();
        let answer = match (endpoint, accepted) {
            (Endpoint::Login, true) => {
                let reply =
                    account::reply(&self.setup, &state.faults, &state.inverters, self.house.zone(), now);
                Answer::json(reply).with_session(&state.sessions.open(now))
            }
            (Endpoint::Login, false) => Answer::json(account::refused()),
            (_, true) => {
                Answer::redirect("/WManage/web/monitor/inverter").with_session(&state.sessions.open(now))
            }
            (_, false) => Answer::redirect(LOGIN_PAGE),
        };
        (answer, accepted)
    }

    /// A reply with values, for someone who is signed in.
    fn data(&self, state: &mut State, request: &Request, endpoint: Endpoint, now: UtcMillis) -> Value {
        let State { faults, inverters, live_replies, .. } = state;
        for inverter in inverters.iter_mut() {
            inverter.bring_up(&self.schedule, &self.house, faults, now);
        }
        let live =
            matches!(endpoint, Endpoint::Runtime | Endpoint::Energy | Endpoint::Battery | Endpoint::Overview);
        *live_replies += u64::from(live);
        let lags =
            live && faults.lagging_every.is_some_and(|every| live_replies.is_multiple_of(u64::from(every)));
        let views: Vec<View<'_>> = inverters
            .iter()
            .map(|inverter| View {
                setup: &self.setup,
                faults,
                zone: self.house.zone(),
                battery_wh: self.house.setup().battery_wh,
                inverter,
                snapshot: if lags { inverter.older() } else { inverter.latest() },
            })
            .collect();
        let asked = views.iter().find(|view| view.inverter.serial == request.field("serialNum"));
        let mut reply = match (endpoint, asked) {
            (Endpoint::Plants, _) => lists::plants(self.house.zone(), now),
            (Endpoint::Overview, _) => lists::overview(&views),
            (Endpoint::Inverters, _) => lists::inverters(&views),
            (Endpoint::ParallelGroup, Some(_)) => lists::parallel_group(&views),
            (Endpoint::Runtime, Some(view)) => runtime::reply(view, self.house.setup().grid),
            (Endpoint::Energy, Some(view)) => energy::reply(view),
            (Endpoint::Battery, Some(view)) => bank::reply(view),
            // What the real portal says to a serial number of someone else isn't known.
            _ => json!({"success": false, "msg": "DEVICE_NOT_FOUND"}),
        };
        if live && faults.strings_for_numbers {
            replies::numbers_as_texts(&mut reply);
        }
        reply
    }

    /// The portal's clock as a header.
    pub(super) fn http_date(&self) -> String {
        let now = (self.time)();
        replies::http_date(now, &self.lock().faults)
    }
}

/// The reply to a request that isn't looked at.
fn unprocessed(fault: Option<ReplyFault>) -> Option<Answer> {
    match fault? {
        ReplyFault::ServerError { status } => {
            Some(Answer::html(status, &format!("<html><body><h1>{status}</h1><hr>nginx</body></html>")))
        }
        ReplyFault::TooManyRequests { retry_after } => {
            let mut answer = Answer::html(429, "<html><body><h1>429 Too Many Requests</h1></body></html>");
            answer.headers.extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds.to_string())));
            Some(answer)
        }
        ReplyFault::Unavailable { retry_after } => {
            let mut answer = Answer::html(503, "<html><body><h1>503 Service Unavailable</h1></body></html>");
            answer.headers.push((header::RETRY_AFTER, retry_after.to_string()));
            Some(answer)
        }
        ReplyFault::Captcha => Some(Answer::html(200, CAPTCHA_HTML)),
        ReplyFault::Maintenance => Some(Answer::html(200, MAINTENANCE_HTML)),
        // Never written: the connection is cut first.
        ReplyFault::Reset | ReplyFault::Silent => Some(Answer::html(200, "")),
        ReplyFault::Truncated | ReplyFault::Oversized => None,
    }
}

/// The reply to a request without a session.
fn expired(style: Expiry) -> Answer {
    match style {
        Expiry::Html200 => Answer::html(200, LOGIN_HTML),
        Expiry::Status401 => Answer::html(401, ""),
        Expiry::Redirect302 => Answer::redirect(LOGIN_PAGE),
        Expiry::Status403 => Answer::html(403, ""),
        Expiry::SuccessFalse => Answer::json(json!({"success": false, "msg": ""})),
        Expiry::Zombie => Answer::json(json!({"success": true})),
    }
}
