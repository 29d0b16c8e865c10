//! What the page calls: its server functions, each at its address.

use super::REFUSED;
use crate::{config::is_id, rest};
use app::backend::Backend;
use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use leptos::{
    prelude::provide_context,
    reactive::{computed::ScopedFuture, owner::Owner},
};
use server_fn::axum::get_server_fn_service;
use std::{collections::BTreeMap, sync::Arc};

/// Calls what is at the request's address. A form that a browser sent by itself leads back to the page it stood on.
pub(super) async fn call(State(backend): State<Arc<dyn Backend>>, request: Request<Body>) -> Response {
    let service = get_server_fn_service(request.uri().path(), request.method().clone());
    let Some(mut service) = service else { return rest::not_found().await.into_response() };
    let page = page_of(request.headers());
    let miner = miner_of(request.uri());
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
    name(&mut answer, miner.as_ref());
    answer
}

/// The miner that a form says it is about.
fn miner_of(uri: &Uri) -> Option<String> {
    let Query(query) = Query::<BTreeMap<String, String>>::try_from_uri(uri).ok()?;
    query.get("miner").filter(|miner| is_id(miner)).cloned()
}

/// Says in the address that a refusal leads back to which miner it is about, and forgets an earlier one's.
fn name(answer: &mut Response, miner: Option<&String>) {
    let Some(place) = answer.headers_mut().get_mut(header::LOCATION) else { return };
    let Ok(address) = place.to_str() else { return };
    if !address.contains("__err=") {
        return;
    }
    let earlier = format!("{REFUSED}=");
    let kept: Vec<_> = address.split('&').filter(|member| !member.starts_with(&earlier)).collect();
    let named = miner.map_or_else(String::new, |miner| format!("&{earlier}{miner}"));
    if let Ok(address) = HeaderValue::try_from(format!("{}{named}", kept.join("&"))) {
        *place = address;
    }
}

/// The page that a form stood on, if a browser sent the form by itself.
fn page_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let accepts = headers.get(header::ACCEPT)?.to_str().ok()?;
    headers.get(header::REFERER).filter(|_| accepts.contains("text/html")).cloned()
}
