//! The page: rendered, called by its server functions, and its assets.

mod account;
mod assets;
mod backend;
mod calls;
mod data;
mod decisions;
mod devices;
mod faults;
mod manifest;
mod miner;
mod reference;
mod settings;

pub use assets::{Site, SiteProblem};
pub use backend::PageBackend;
pub(crate) use data::DATABASE;

use crate::{
    access::{Access, Scope, Who},
    events::News,
    keeping::Keeping,
    network::Network,
    notify::Notifier,
    rest,
    settings::Settings,
};
use app::{
    Files,
    backend::{Backend, Stretch},
    calls::CallError,
    chart::{self, ChartStart, Choice, Off},
    live::{Refused, Start},
    nothing_here, out_of_reach,
    range::Range,
    teller,
    view::{FAULTS, MinerCard, View},
};
use axum::{
    Extension, Router,
    body::Body,
    extract::{DefaultBodyLimit, Query, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{any, get},
};
use leptos::server_fn::error::ServerFnUrlError;
use model::MinerId;
use std::{collections::BTreeMap, sync::Arc};
use tower_http::limit::RequestBodyLimitLayer;

/// The largest form that is read, in bytes.
const LARGEST_FORM: usize = 16 * 1024;
/// Where an address says which miner a refused form was about.
const REFUSED: &str = "__miner";

/// What the page is made from.
pub struct Parts {
    /// What it shows, and what its forms do.
    pub backend: Arc<dyn Backend>,
    /// Who may change something.
    pub access: Access,
    /// The configuration that holds.
    pub settings: Settings,
    /// What is new.
    pub news: News,
    /// What is on the network.
    pub network: Network,
    /// Who tells people of alerts.
    pub notifier: Notifier,
    /// What is kept on the disk.
    pub keeping: Keeping,
}

#[derive(Clone)]
struct Page {
    backend: Arc<dyn Backend>,
    access: Access,
    settings: Settings,
    news: News,
    network: Network,
    notifier: Notifier,
    keeping: Keeping,
    files: Option<Arc<Files>>,
}

/// The page with everything that belongs to it. Without its site folder it has neither style nor script, and works.
pub fn routes(parts: Parts, site: Option<&Site>) -> Router {
    let Parts { backend, access, settings, news, network, notifier, keeping } = parts;
    let files = site.map(Site::files);
    let page = Page { backend, access, settings, news, network, notifier, keeping, files };
    let calls = Router::new()
        .route("/rpc/{call}", any(calls::call))
        .with_state(Arc::clone(&page.backend))
        .layer(RequestBodyLimitLayer::new(LARGEST_FORM))
        .layer(DefaultBodyLimit::disable());
    let named = Arc::clone(&page.backend);
    let pages = Router::new()
        .route("/", get(show))
        .route("/miners/{id}", get(miner::show))
        .route(app::decisions::PATH, get(decisions::show))
        .route(FAULTS, get(faults::show))
        .route("/api", get(reference::show))
        .route("/offline", get(show_out_of_reach))
        .merge(account::routes())
        .merge(settings::routes())
        .merge(data::routes())
        .merge(devices::routes())
        .fallback(show_nothing)
        .with_state(page);
    let rendered = pages.merge(calls).layer(middleware::from_fn(never_old));
    match site {
        Some(site) => rendered.merge(site.routes(move || named.overview().site.name)),
        None => rendered,
    }
}

/// What is rendered for one moment is of no use to the next.
async fn never_old(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The page, with everything in it that is known now.
async fn show(State(page): State<Page>, Extension(who): Extension<Who>, request: Request<Body>) -> Response {
    let view = teller::tell(&page.backend.overview());
    let choice = |miner: &MinerCard| Choice { id: miner.id.clone(), name: miner.name.clone() };
    let mut choices: Vec<_> = view.all_miners().map(choice).collect();
    if choices.len() == 1 {
        choices.clear();
    }
    let query = query(&request);
    let asked_for = query.get("miner").filter(|id| view.miner(id).is_some()).cloned();
    let miner = asked_for.or_else(|| view.all_miners().next().map(|first| first.id.clone()));
    render(&page, &who, &query, Subject { of: None, view, miner, choices }).await
}

/// What a page that comes alive is about.
struct Subject {
    /// The miner whose page it is; the dashboard, if it is `None`.
    of: Option<String>,
    /// What is known.
    view: View,
    /// The miner that its charts show.
    miner: Option<String>,
    /// The miners that its charts could show.
    choices: Vec<Choice>,
}

async fn render(page: &Page, who: &Who, query: &BTreeMap<String, String>, subject: Subject) -> Response {
    let Subject { of, view, miner, choices } = subject;
    let start = Start {
        of,
        chart: charts(page, query, miner, choices).await,
        view,
        refused: refused(query),
        may_change: who.may(Scope::Control),
    };
    Html(app::live_page(start, page.files.as_deref())).into_response()
}

/// What an address asks for. One that can't be read asks for nothing in particular.
fn query(request: &Request<Body>) -> BTreeMap<String, String> {
    let query = Query::try_from_uri(request.uri());
    query.map(|Query(query)| query).unwrap_or_default()
}

/// The charts that an address asks for.
async fn charts(
    page: &Page,
    query: &BTreeMap<String, String>,
    miner: Option<String>,
    choices: Vec<Choice>,
) -> ChartStart {
    let of = |name| query.get(name).map(String::as_str);
    let (range, off) = (Range::from_slug(of("range")), Off::from_slug(of("off")));
    let here = of("at").and_then(|at| at.parse().ok());
    let whose = miner.clone().map(MinerId);
    let history = page.backend.history(whose, Stretch::new(range, here), chart::POINTS_DRAWN).await;
    let code = page.files.as_ref().and_then(|files| files.charts.clone());
    let start = ChartStart { miner, choices, range, here, off, code, ..ChartStart::default() };
    match history {
        Ok(history) => chart::start(start, &history),
        Err(error) => ChartStart { problem: Some(error.to_string()), ..start },
    }
}

/// What a form was refused, as [`leptos::server_fn`] leads back from it.
fn refused(query: &BTreeMap<String, String>) -> Option<Refused> {
    let (call, error) = query.get("__path").zip(query.get("__err"))?;
    let why = ServerFnUrlError::<CallError>::decode_err(error).to_string();
    Some(Refused { call: call.clone(), miner: query.get(REFUSED).cloned(), why })
}

/// What a browser shows in the place of a page that it can't get: its service worker has kept it.
async fn show_out_of_reach(State(page): State<Page>) -> Html<String> {
    Html(out_of_reach(page.files.as_deref()))
}

/// There is nothing at this address: a browser is shown so, everybody else is told.
async fn show_nothing(State(page): State<Page>, request: Request<Body>) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    if request.method() != Method::GET || !accepted.is_some_and(|accepted| accepted.contains("text/html")) {
        return rest::not_found().await.into_response();
    }
    (StatusCode::NOT_FOUND, Html(nothing_here(page.files.as_deref()))).into_response()
}
