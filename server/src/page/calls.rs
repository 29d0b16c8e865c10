//! What the page calls: its server functions, each at its address.

use crate::rest;
use app::backend::Backend;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::{
    prelude::provide_context,
    reactive::{computed::ScopedFuture, owner::Owner},
};
use server_fn::axum::get_server_fn_service;
use std::sync::Arc;

/// Calls what is at the request's address. A form that a browser sent by itself leads back to the page it stood on.
pub(super) async fn call(State(backend): State<Arc<dyn Backend>>, request: Request<Body>) -> Response {
    let service = get_server_fn_service(request.uri().path(), request.method().clone());
    let Some(mut service) = service else { return rest::not_found().await.into_response() };
    let page = page_of(request.headers());
    let answer = Owner::new().with(|| {
        provide_context(backend);
        ScopedFuture::new(async move { service.run(request).await })
    });
    let mut answer = answer.await;
    if let Some(page) = page
        && !answer.headers().contains_key(header::LOCATION)
    {
        *answer.status_mut() = StatusCode::FOUND;
        answer.headers_mut().insert(header::LOCATION, page);
    }
    answer
}

/// The page that a form stood on, if a browser sent the form by itself.
fn page_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let accepts = headers.get(header::ACCEPT)?.to_str().ok()?;
    headers.get(header::REFERER).filter(|_| accepts.contains("text/html")).cloned()
}
