//! A miner's page: of one that is controlled, or only looked at.

use super::{Page, Subject, query, render, show_nothing};
use crate::access::Who;
use app::{starting, teller};
use axum::{
    Extension,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// A browser looks again after this many seconds while no miner is known yet.
const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("1");

pub(super) async fn show(
    State(page): State<Page>,
    Path(id): Path<String>,
    Extension(who): Extension<Who>,
    request: Request<Body>,
) -> Response {
    let overview = page.backend.overview();
    // Before the first tick nobody is known: a page that its stream loads anew after a restart must not end here.
    if overview.snapshot.tick == 0 {
        let page = Html(starting(page.files.as_deref()));
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
        response.headers_mut().insert(header::REFRESH, LOOK_AGAIN);
        return response;
    }
    let view = teller::tell(&overview);
    if view.miner(&id).is_none() {
        return show_nothing(State(page), request).await;
    }
    let query = query(&request);
    let subject = Subject { of: Some(id.clone()), view, miner: Some(id), choices: Vec::new() };
    render(&page, &who, &query, subject).await
}
