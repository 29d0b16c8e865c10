//! Signing in and out, and who has access. Every form is a browser's own: nothing here needs a script.

use super::Page;
use crate::access::{ACCOUNT, Access, Done, Refusal, SignedIn, Visitor, Who, cookies, local, mark};
use app::account::{Account, AuditRow, Door, SessionRow, TokenRow};
use axum::{
    Extension, Form, Router,
    extract::{DefaultBodyLimit, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use std::collections::BTreeMap;

/// The largest form that is read, in bytes.
const LARGEST_FORM: usize = 4 * 1024;

type Fields = BTreeMap<String, String>;

pub(super) fn routes() -> Router<Page> {
    Router::new()
        .route("/sign-in", get(show_door).post(sign_in))
        .route("/claim", get(show_door).post(claim))
        .route("/sign-out", post(sign_out))
        .route("/account", get(show))
        .route("/account/password", post(change_password))
        .route("/account/sessions/end", post(end_sessions))
        .route("/account/tokens/make", post(make_token))
        .route("/account/tokens/remove", post(remove_token))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

async fn show_door(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Query(query): Query<Fields>,
) -> Response {
    let then = local(query.get("then").map(String::as_str));
    if who.scope.is_some() {
        return Redirect::to(&then).into_response();
    }
    door(&page, StatusCode::OK, then, None)
}

async fn sign_in(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let then = local(fields.get("then").map(String::as_str));
    let signed_in = page.access.sign_in(field(&fields, "password"), &visitor, mark(&headers, &visitor)).await;
    enter(&page, &who, &visitor, signed_in, then, "signed in")
}

async fn claim(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let then = local(fields.get("then").map(String::as_str));
    let (code, password) = (field(&fields, "code"), field(&fields, "password"));
    let signed_in = page.access.claim(code, password, &visitor, mark(&headers, &visitor)).await;
    enter(&page, &who, &visitor, signed_in, then, "took over the house")
}

/// Lets somebody in, under a new name in any case, or says why not.
fn enter(
    page: &Page,
    who: &Who,
    visitor: &Visitor,
    signed_in: Result<SignedIn, Refusal>,
    then: String,
    done: &'static str,
) -> Response {
    match signed_in {
        Ok(signed_in) => {
            if let Some(before) = who.session {
                page.access.end_session(before);
            }
            with_cookies(Redirect::to(&then).into_response(), visitor, &signed_in, done)
        }
        Err(refusal) => {
            let mut response = door(page, status(&refusal), then, Some(&refusal));
            response.extensions_mut().insert(Done(format!("tried to sign in: {refusal}")));
            response
        }
    }
}

async fn sign_out(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let mut response = Redirect::to("/").into_response();
    let Some(id) = who.session else { return response };
    page.access.end_session(id);
    let headers = response.headers_mut();
    for cookie in cookies(&visitor, "", None) {
        headers.append(header::SET_COOKIE, cookie);
    }
    // What the browser kept of the page for when we are out of reach is for those who may look.
    headers.insert("clear-site-data", HeaderValue::from_static("\"storage\""));
    response.extensions_mut().insert(Done("signed out".to_owned()));
    response
}

async fn show(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Query(query): Query<Fields>,
) -> Response {
    let done = match query.get("done").map(String::as_str) {
        Some("password") => Some("The password is another one now."),
        Some("session") => Some("Ended."),
        Some("token") => Some("Taken back."),
        _ => None,
    };
    let account = account(&page, &who);
    Html(app::account(Account { done, ..account }, page.files.as_deref())).into_response()
}

async fn change_password(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let (old, new) = (field(&fields, "old"), field(&fields, "new"));
    match page.access.change_password(old, new, &visitor, mark(&headers, &visitor)).await {
        Ok(signed_in) => with_cookies(to("password"), &visitor, &signed_in, "changed the password"),
        Err(refusal) => refused(&page, &who, &refusal),
    }
}

async fn end_sessions(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Form(fields): Form<Fields>,
) -> Response {
    let id = field(&fields, "id");
    let done = if id == "others" {
        page.access.end_other_sessions(who.session);
        "ended all other sessions".to_owned()
    } else if let Ok(id) = id.parse() {
        page.access.end_session(id);
        format!("ended session {id}")
    } else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "which session?").into_response();
    };
    with_done(to("session"), done)
}

async fn make_token(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Form(fields): Form<Fields>,
) -> Response {
    let name = field(&fields, "name");
    let Ok(scope) = field(&fields, "scope").parse() else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "may what?").into_response();
    };
    match page.access.make_token(name, scope).await {
        Ok(token) => {
            let account = account(&page, &who);
            let made = Some((name.trim().to_owned(), token));
            let page = app::account(Account { made, ..account }, page.files.as_deref());
            with_done(Html(page).into_response(), format!("made a token to {scope}: {}", name.trim()))
        }
        Err(refusal) => refused(&page, &who, &refusal),
    }
}

async fn remove_token(State(page): State<Page>, Form(fields): Form<Fields>) -> Response {
    let Ok(id) = field(&fields, "id").parse() else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "which token?").into_response();
    };
    page.access.remove_token(id);
    with_done(to("token"), format!("took back token {id}"))
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn to(done: &str) -> Response {
    Redirect::to(&format!("{ACCOUNT}?done={done}")).into_response()
}

fn with_done(mut response: Response, done: String) -> Response {
    response.extensions_mut().insert(Done(done));
    response
}

fn with_cookies(
    mut response: Response,
    visitor: &Visitor,
    signed_in: &SignedIn,
    done: &'static str,
) -> Response {
    for cookie in cookies(visitor, &signed_in.session, signed_in.mark.as_deref()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    with_done(response, done.to_owned())
}

fn door(page: &Page, status: StatusCode, then: String, refusal: Option<&Refusal>) -> Response {
    let overview = page.backend.overview();
    let door = Door {
        site: overview.site.name,
        version: overview.site.version,
        is_unclaimed: page.access.is_unclaimed(),
        then,
        refusal: refusal.map(ToString::to_string),
    };
    let mut response = (status, Html(app::door(door, page.files.as_deref()))).into_response();
    if let Some(Refusal::Wait { seconds }) = refusal {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

fn refused(page: &Page, who: &Who, refusal: &Refusal) -> Response {
    let account = Account { refusal: Some(refusal.to_string()), ..account(page, who) };
    let done = Done(format!("tried to change who has access: {refusal}"));
    let mut response = (status(refusal), Html(app::account(account, page.files.as_deref()))).into_response();
    response.extensions_mut().insert(done);
    response
}

const fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Wrong => StatusCode::UNAUTHORIZED,
        Refusal::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::BadPassword | Refusal::BadName => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::TooMany | Refusal::Claimed | Refusal::Unclaimed => StatusCode::CONFLICT,
        Refusal::NoDatabase => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn account(page: &Page, who: &Who) -> Account {
    let overview = page.backend.overview();
    let access: &Access = &page.access;
    let session = |session: store::access::Session| SessionRow {
        id: session.id,
        is_own: Some(session.id) == who.session,
        browser: session.browser,
        address: session.address,
        begun: session.begun,
        seen: session.seen,
    };
    let token = |token: store::access::Token| TokenRow {
        id: token.id,
        name: token.name,
        scope: token.scope,
        made: token.made,
        used: token.used,
    };
    let line = |entry: store::access::AuditEntry| AuditRow {
        at: entry.at,
        who: entry.who,
        address: entry.address,
        what: entry.what,
        outcome: entry.outcome,
    };
    Account {
        site: overview.site.name,
        version: overview.site.version,
        timezone: overview.site.timezone,
        now: access.now(),
        is_open: access.door() == crate::access::Door::Open,
        sessions: access.sessions().into_iter().map(session).collect(),
        tokens: access.tokens().into_iter().map(token).collect(),
        audit: access.audit().into_iter().map(line).collect(),
        made: None,
        done: None,
        refusal: None,
    }
}
