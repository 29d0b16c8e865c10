//! Any address that takes JSON.

use super::{channel::Failure, http::Http, message::Message};
use crate::config::{Notify, ServiceUrl};
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Webhook {
    url: ServiceUrl,
}

impl Webhook {
    pub(super) fn of(config: &Notify) -> Option<Self> {
        Some(Self { url: config.webhook_url.clone()? })
    }

    pub(super) async fn send(&self, http: &Http, message: &Message) -> Result<(), Failure> {
        let Message { title, text, urgency, topic, step, miners, site, at } = message;
        let body = json!({
            "title": title,
            "text": text,
            "urgency": format!("{urgency:?}").to_lowercase(),
            "topic": topic,
            "event": step,
            "miners": miners,
            "site": site,
            "at": at,
        });
        let request = http.client().post(self.url.url().clone()).header(CONTENT_TYPE, "application/json");
        Http::send(request.body(body.to_string())).await
    }
}
