//! The page of the demo's faults. A real house has none.

use super::{Page, query, refused, show_nothing};
use crate::access::{Scope, Who};
use app::faults;
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::{Html, IntoResponse, Response},
};

/// What can be wrong, and what is.
pub(super) async fn show(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    request: Request<Body>,
) -> Response {
    let problem = refused(&query(&request)).map(|refused| refused.why);
    match faults::tell(&page.backend.overview(), who.may(Scope::Control), problem) {
        Some(faults) => Html(app::faults_page(faults, page.files.as_deref())).into_response(),
        None => show_nothing(State(page), request).await,
    }
}
