//! Pages of web servers that may be miners: read without redirects, cookies or credentials, up to a limit.

use reqwest::{Client, Response, header::WWW_AUTHENTICATE};
use std::{borrow::Cow, net::SocketAddrV4, time::Duration};

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// HTTP's status.
    pub(super) status: u16,
    /// What it asks credentials for, as it says itself; empty if it asks for none.
    pub(super) challenge: String,
    /// As much of it as is read.
    pub(super) body: Vec<u8>,
}

impl Page {
    /// The body as text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Asks web servers.
pub(super) struct Web {
    client: Client,
    limit: usize,
}

impl Web {
    /// `request` is the deadline of one page; no more than `limit` bytes of its body are read.
    pub(super) fn new(request: Duration, limit: usize) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .timeout(request)
            // AxeOS has few sockets: none of them is kept.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, limit })
    }

    /// One page; `None` if nothing comes that is HTTP, or not in time. A body that ends late or is too long is cut.
    pub(super) async fn get(&self, at: SocketAddrV4, path: &str) -> Option<Page> {
        let mut response = self.client.get(format!("http://{at}{path}")).send().await.ok()?;
        let status = response.status().as_u16();
        let challenge = response.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let challenge = challenge.unwrap_or_default().to_owned();
        let body = self.body(&mut response).await;
        Some(Page { status, challenge, body })
    }

    async fn body(&self, response: &mut Response) -> Vec<u8> {
        let mut body = Vec::new();
        while body.len() < self.limit
            && let Ok(Some(chunk)) = response.chunk().await
        {
            let rest = self.limit - body.len();
            body.extend_from_slice(chunk.get(..rest).unwrap_or(&chunk));
        }
        body
    }
}
