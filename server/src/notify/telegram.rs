//! A [Telegram bot](https://core.telegram.org/bots/api#sendmessage). Its token is part of the address: that is told nowhere.

use super::{
    channel::Failure,
    http::Http,
    message::{Message, Urgency},
};
use crate::config::{Notify, ServiceUrl};
use devices::Secret;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

/// The most characters of a message.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Telegram {
    api: ServiceUrl,
    token: Secret,
    chat: String,
}

impl Telegram {
    pub(super) fn of(config: &Notify) -> Option<Self> {
        Some(Self {
            api: config.telegram_url.clone(),
            token: config.telegram_token.clone()?,
            chat: config.telegram_chat.clone()?,
        })
    }

    pub(super) async fn send(&self, http: &Http, message: &Message) -> Result<(), Failure> {
        let mut url = self.api.url().clone();
        let bot = format!("bot{}", self.token.expose());
        url.path_segments_mut()
            .map_err(|()| Failure::new("its address can't be one"))?
            .pop_if_empty()
            .extend([bot.as_str(), "sendMessage"]);
        let text: String = format!("{}\n{}", message.title, message.text).chars().take(LONGEST).collect();
        let body = json!({
            "chat_id": self.chat,
            "text": text,
            "disable_notification": message.urgency == Urgency::Normal,
        });
        let request = http.client().post(url).header(CONTENT_TYPE, "application/json");
        Http::send(request.body(body.to_string())).await
    }
}
