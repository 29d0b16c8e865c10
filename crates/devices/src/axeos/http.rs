//! The transport: one request on a connection of its own, and its capped reply. It knows nothing of what they mean.

use crate::{DeviceError, deadline::Deadline, error::cause, lenient};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{CONNECTION, HeaderValue},
};
use serde_json::Value;
use std::{net::Ipv6Addr, time::Duration};

/// Longest reply that is read, in bytes: real ones have a few thousand.
const LARGEST_REPLY: usize = 64 * 1024;

/// The device as a peer.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    /// Without a slash at the end.
    base: String,
    connect: Duration,
}

/// A reply as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// A request that got no reply. Which of the two it is decides what a failed *command* means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not one byte of the request can have reached the device.
    NotSent(DeviceError),
    /// The device may have received the request, and acted on it.
    NoReply(DeviceError),
}

impl Failure {
    /// For a read, it makes no difference.
    pub(super) fn into_error(self) -> DeviceError {
        match self {
            Self::NotSent(error) | Self::NoReply(error) => error,
        }
    }
}

impl Reply {
    /// The device's words: the message of a JSON object, or the text. `None` where there are none.
    pub(super) fn words(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let message = serde_json::from_str::<Value>(&text).ok();
        let message = message.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str);
        let words = lenient::plain(message.unwrap_or(&text));
        (!words.is_empty()).then_some(words)
    }
}

impl Http {
    /// `connect` is the deadline for the connection alone.
    pub(super) fn new(host: &str, port: u16, connect: Duration) -> Result<Self, DeviceError> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            // There is no TLS here, whose certificates would have to be read.
            .tls_certs_only([])
            .connect_timeout(connect)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("WhatsMinerController/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                DeviceError::Unreachable(format!("no HTTP client can be made: {}", cause(&error)))
            })?;
        Ok(Self { client, base: base(host, port), connect })
    }

    /// Asks for what is at `path`, which begins with a slash.
    pub(super) async fn get(&self, path: &str, deadline: Deadline) -> Result<Reply, Failure> {
        self.exchange(self.request(Method::GET, path), "asking the miner", deadline).await
    }

    /// Posts to `path`, without a body.
    pub(super) async fn post(&self, path: &str, deadline: Deadline) -> Result<Reply, Failure> {
        self.exchange(self.request(Method::POST, path), "sending a command", deadline).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base));
        request.header(CONNECTION, HeaderValue::from_static("close"))
    }

    async fn exchange(
        &self,
        request: RequestBuilder,
        doing: &'static str,
        deadline: Deadline,
    ) -> Result<Reply, Failure> {
        let exchange = async {
            let mut response = request.send().await.map_err(|error| self.failed(&error))?;
            let status = response.status().as_u16();
            let body = body(&mut response).await.map_err(Failure::NoReply)?;
            Ok(Reply { status, body })
        };
        // Whether it was connected by then isn't known.
        deadline.limit(doing, exchange).await.map_err(Failure::NoReply)?
    }

    fn failed(&self, error: &reqwest::Error) -> Failure {
        if error.is_connect() && error.is_timeout() {
            Failure::NotSent(DeviceError::TimedOut { doing: "connecting", deadline: self.connect })
        } else if error.is_connect() || error.is_builder() {
            Failure::NotSent(DeviceError::Unreachable(cause(error)))
        } else {
            let words = format!("the connection broke off: {}", cause(error));
            Failure::NoReply(DeviceError::Unreachable(words))
        }
    }
}

async fn body(response: &mut Response) -> Result<Vec<u8>, DeviceError> {
    let mut body = Vec::new();
    let broke_off = |error| DeviceError::Protocol(format!("the answer broke off: {}", cause(&error)));
    while let Some(chunk) = response.chunk().await.map_err(broke_off)? {
        if body.len() + chunk.len() > LARGEST_REPLY {
            return Err(DeviceError::Protocol("the answer is longer than 64 KiB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `host` is a name, an IPv4 address, or an IPv6 address with or without brackets.
fn base(host: &str, port: u16) -> String {
    let bare = host.trim();
    if bare.parse::<Ipv6Addr>().is_ok() {
        format!("http://[{bare}]:{port}")
    } else {
        format!("http://{bare}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(base(" 192.0.2.9 ", 80), "http://192.0.2.9:80");
        assert_eq!(base("fd00::9", 80), "http://[fd00::9]:80");
        assert_eq!(base("[fd00::9]", 8080), "http://[fd00::9]:8080");
        assert_eq!(base("bitaxe.local", 80), "http://bitaxe.local:80");
    }

    #[test]
    fn words() {
        let words = |body: &[u8]| Reply { status: 200, body: body.to_vec() }.words();
        assert_eq!(words(b"{\"message\":\"Mining\\npaused\"}").as_deref(), Some("Mining paused"));
        assert_eq!(
            words(b"System will shutdown shortly.\n").as_deref(),
            Some("System will shutdown shortly.")
        );
        assert_eq!(words(b""), None);
        assert_eq!(words(&[0xFF; 9000]).unwrap().chars().count(), 200);
    }
}
