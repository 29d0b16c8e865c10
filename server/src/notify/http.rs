//! One request to a service that a person chose. It is followed nowhere, and of the reply the status alone is looked at.

use super::channel::Failure;
use crate::config::Host;
use reqwest::{
    Client, RequestBuilder, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::RETRY_AFTER,
    redirect, retry,
};
use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest that a service's wish to be left alone is heeded.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What requests go out by.
#[derive(Debug, Clone)]
pub(super) struct Http(Client);

impl Http {
    pub(super) fn new() -> reqwest::Result<Self> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            // Messages are rare: a connection isn't kept for the next.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Usable))
            .user_agent(concat!("WhatsMinerController/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    pub(super) const fn client(&self) -> &Client {
        &self.0
    }

    /// Sends the request. Whoever wants to be asked elsewhere isn't.
    pub(super) async fn send(request: RequestBuilder) -> Result<(), Failure> {
        let reply = request.send().await.map_err(|error| Failure::new(words(&error)))?;
        let status = reply.status();
        if status.is_success() {
            return Ok(());
        }
        let wait = reply.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
        let wait = wait.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
        Err(Failure { why: refused(status), wait })
    }
}

fn refused(status: StatusCode) -> String {
    let said = match status.as_u16() {
        300..=399 => "it leads to another address, which isn't followed",
        401 | 403 => "the token or the address isn't accepted",
        404 | 405 | 410 => "there is nothing that takes messages at this address",
        413 => "the message is too long for it",
        429 => "it was sent too many messages",
        400..=499 => "it doesn't take the message",
        _ => "it has a problem of its own",
    };
    format!("refused with status {}: {said}", status.as_u16())
}

/// What went wrong, without the address, which may hold a secret.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it can't be reached in time".to_owned();
    }
    if !error.is_connect() {
        return "the connection broke off, or the answer was none".to_owned();
    }
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    format!("it can't be reached: {deepest}")
}

/// Names lead to no place where nothing may be asked.
struct Usable;

impl Resolve for Usable {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let usable: Vec<_> =
                found.into_iter().filter(|address| Host::unusable(address.ip()).is_none()).collect();
            if usable.is_empty() {
                return Err("the name leads to no address that may be asked".into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}
