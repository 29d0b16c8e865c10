//! The ways outward: which of them are configured, and how a message goes.

use super::{http::Http, mail::Mail, message::Message, ntfy::Ntfy, telegram::Telegram, webhook::Webhook};
use crate::config::Notify;
use std::{fmt, time::Duration};

/// A way outward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// A topic at ntfy.
    Ntfy,
    /// Any address that takes JSON.
    Webhook,
    /// A Telegram bot.
    Telegram,
    /// Mail.
    Mail,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ntfy, Self::Webhook, Self::Telegram, Self::Mail];

    /// For programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
            Self::Telegram => "telegram",
            Self::Mail => "mail",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ntfy => "ntfy",
            Self::Webhook => "the webhook",
            Self::Telegram => "Telegram",
            Self::Mail => "mail",
        })
    }
}

/// Why a message didn't go out. In words that hold neither an address nor anything that the other side said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    pub(super) why: String,
    /// The other side wants to be asked again no sooner than this.
    pub(super) wait: Option<Duration>,
}

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), wait: None }
    }
}

/// A configured way outward.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sender {
    Ntfy(Ntfy),
    Webhook(Webhook),
    Telegram(Telegram),
    Mail(Mail),
}

impl Sender {
    /// All that are configured.
    pub(super) fn all(config: &Notify) -> Vec<Self> {
        let senders = [
            Ntfy::of(config).map(Self::Ntfy),
            Webhook::of(config).map(Self::Webhook),
            Telegram::of(config).map(Self::Telegram),
            Mail::of(config).map(Self::Mail),
        ];
        senders.into_iter().flatten().collect()
    }

    pub(super) const fn channel(&self) -> Channel {
        match self {
            Self::Ntfy(_) => Channel::Ntfy,
            Self::Webhook(_) => Channel::Webhook,
            Self::Telegram(_) => Channel::Telegram,
            Self::Mail(_) => Channel::Mail,
        }
    }

    /// Sends a message, once, within this time.
    pub(super) async fn send(
        &self,
        http: &Http,
        message: &Message,
        deadline: Duration,
    ) -> Result<(), Failure> {
        let sending = async {
            match self {
                Self::Ntfy(ntfy) => ntfy.send(http, message).await,
                Self::Webhook(webhook) => webhook.send(http, message).await,
                Self::Telegram(telegram) => telegram.send(http, message).await,
                Self::Mail(mail) => mail.send(message).await,
            }
        };
        let in_time = tokio::time::timeout(deadline, sending).await;
        in_time.unwrap_or_else(|_| Err(Failure::new(format!("no answer within {} s", deadline.as_secs()))))
    }
}
