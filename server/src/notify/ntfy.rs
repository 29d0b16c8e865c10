//! [ntfy](https://docs.ntfy.sh/publish/): the message is the body, everything else a header.

use super::{
    channel::Failure,
    http::Http,
    message::{Message, Urgency},
};
use crate::config::{Notify, ServiceUrl};
use base64::{Engine, engine::general_purpose::STANDARD};
use devices::Secret;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ntfy {
    url: ServiceUrl,
    token: Option<Secret>,
}

impl Ntfy {
    pub(super) fn of(config: &Notify) -> Option<Self> {
        Some(Self { url: config.ntfy_url.clone()?, token: config.ntfy_token.clone() })
    }

    pub(super) async fn send(&self, http: &Http, message: &Message) -> Result<(), Failure> {
        let (priority, tag) = match message.urgency {
            Urgency::Urgent => ("5", "rotating_light"),
            Urgency::High => ("4", "warning"),
            Urgency::Normal => ("3", "white_check_mark"),
        };
        let request = http
            .client()
            .post(self.url.url().clone())
            .header("Title", header(&message.title))
            .header("Priority", priority)
            .header("Tags", tag)
            .body(message.text.clone());
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        Http::send(request).await
    }
}

/// A header holds ASCII: what is more than that goes as RFC 2047 has it, which ntfy understands.
fn header(text: &str) -> String {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        text.to_owned()
    } else {
        format!("=?UTF-8?B?{}?=", STANDARD.encode(text))
    }
}
