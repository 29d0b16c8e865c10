//! Commands of the V2 API: the token, the encrypted request, and what the reply means.
//!
//! What it must not do: send a command a second time unless the device said that it didn't take the first.

use super::super::{
    WRITES_DISABLED, hold,
    json::Fields,
    order::{Confirmation, Order, redact},
    peer::Failure,
};
use super::{
    Answer, Client, Deadline,
    crypt::{self, Challenge, Credentials},
    envelope::{Envelope, code},
    transport::{Body, exchange},
};
use crate::DeviceError;
use model::Now;
use serde_json::Value;
use std::time::Duration;

/// What a reply to a command means.
enum Verdict {
    Done(Confirmation),
    TokenRefused(DeviceError),
    NotDecrypted,
    Failed(DeviceError),
}

impl Client {
    /// Sends one command. A token that the device no longer takes is replaced once: the command was not carried
    /// out then. What gets no readable answer is never sent again.
    pub(in crate::whatsminer) async fn write(
        &self,
        order: Order,
        now: Now,
        deadline: Deadline,
    ) -> Result<Confirmation, DeviceError> {
        let number = match order {
            Order::Limit(watts) => watts.to_string(),
            Order::Percent(percent) => percent.to_string(),
            Order::Stop | Order::Start => String::new(),
        };
        let (name, parameters): (_, &[(&str, &str)]) = match order {
            Order::Stop => ("power_off", &[("respbefore", "true")]),
            Order::Start => ("power_on", &[]),
            Order::Limit(_) => ("adjust_power_limit", &[("power_limit", &number)]),
            Order::Percent(_) => ("set_power_pct", &[("percent", &number)]),
        };
        let outcome = self.command(name, parameters, now, deadline).await;
        let learnt = match &outcome {
            Ok(confirmation) if confirmation.is_acked() => Some(true),
            Err(DeviceError::WritesDisabled(_)) => Some(false),
            _ => None,
        };
        if learnt.is_some() {
            hold(&self.slow).writes_enabled = learnt;
        }
        outcome
    }

    /// Whether an encrypted read is answered: it is only if the password is right. Then whether the write API is on:
    /// an indicator light that is automatic is told to stay so. Any other state of the light is left alone, and the
    /// write API unproven.
    pub(in crate::whatsminer) async fn check_writes(
        &self,
        now: Now,
        deadline: Deadline,
    ) -> Result<(), DeviceError> {
        let confirmation = self.command("status", &[], now, deadline).await?;
        if !confirmation.is_acked() {
            return Err(DeviceError::Protocol(confirmation.words.unwrap_or_default()));
        }
        let info = self.ask("get_miner_info", "", "reading the state of its light", deadline).await.ok();
        let info = info.map(Answer::into_envelope).unwrap_or_default();
        if info.fields().text(&["ledstat"]).as_deref() != Some("auto") {
            return Ok(());
        }
        match self.command("set_led", &[("param", "auto")], now, deadline).await {
            // It understood and had nothing against being commanded.
            Ok(_) | Err(DeviceError::Refused { .. } | DeviceError::Unsupported(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn command(
        &self,
        name: &str,
        parameters: &[(&str, &str)],
        now: Now,
        deadline: Deadline,
    ) -> Result<Confirmation, DeviceError> {
        let mut is_retry = false;
        loop {
            let cached = hold(&self.session).credentials(now.mono);
            let is_cached = cached.is_some();
            let credentials = match cached {
                Some(credentials) => credentials,
                None => self.new_token(now, deadline).await?,
            };
            let text = crypt::command(name, parameters, credentials.sign());
            let request = crypt::request(&credentials.seal(&text));
            let reply = exchange(&self.peer, request.as_bytes(), "sending a command", deadline).await;
            let verdict = match reply {
                Ok(body) => self.verdict(body, &credentials, now),
                Err(Failure::NotSent(error)) => return Err(error),
                Err(Failure::NoReply(error)) => Verdict::Done(Confirmation::unknown(error.to_string())),
            };
            let error = match verdict {
                Verdict::Done(confirmation) => return Ok(confirmation),
                Verdict::Failed(error) => return Err(error),
                Verdict::TokenRefused(error) if is_retry => return Err(error),
                // A token just obtained decides: asking for another would only use up a session.
                Verdict::NotDecrypted if is_retry || !is_cached => Some(DeviceError::BadCredentials(
                    "the miner doesn't take the admin password of its V2 API".to_owned(),
                )),
                Verdict::TokenRefused(_) | Verdict::NotDecrypted => None,
            };
            hold(&self.session).drop_token();
            if let Some(error) = error {
                return Err(error);
            }
            is_retry = true;
        }
    }

    async fn new_token(&self, now: Now, deadline: Deadline) -> Result<Credentials, DeviceError> {
        if let Some(retry_after) = hold(&self.session).pause(now.mono) {
            return Err(DeviceError::TokensExhausted { retry_after });
        }
        let envelope = match self.ask("get_token", "", "asking for a token", deadline).await {
            Ok(answer) => answer.into_envelope(),
            Err(error) => return Err(self.refused_token(error, now)),
        };
        let fields = envelope.fields();
        let challenge = challenge_of(fields)
            .ok_or_else(|| DeviceError::Protocol("a token without its salts".to_owned()))?;
        let credentials = Credentials::new(self.password.expose(), &challenge);
        let idle = fields.positive(&["timeout"]).map(|seconds| Duration::from_secs(seconds as u64));
        hold(&self.session).accept(credentials.clone(), idle, now.mono);
        Ok(credentials)
    }

    fn refused_token(&self, error: DeviceError, now: Now) -> DeviceError {
        match error {
            DeviceError::Refused { code, words }
                if code == code::TOO_MANY_TOKENS || words.contains("over max connect") =>
            {
                self.exhausted(now)
            }
            DeviceError::Refused { code: code::PERMISSION_DENIED, .. } => {
                DeviceError::WritesDisabled(WRITES_DISABLED.to_owned())
            }
            DeviceError::Unsupported(words) => {
                DeviceError::Unsupported(format!("its V2 API takes no commands ({words})"))
            }
            other => other,
        }
    }

    fn exhausted(&self, now: Now) -> DeviceError {
        DeviceError::TokensExhausted { retry_after: hold(&self.session).refuse(now.mono) }
    }

    fn verdict(&self, body: Body, credentials: &Credentials, now: Now) -> Verdict {
        let parsed = match body {
            Body::Json(parsed) => parsed,
            Body::Text { words, .. } => {
                return Verdict::Done(Confirmation::unknown(self.redact(&words, credentials)));
            }
            Body::Empty => return Verdict::Done(Confirmation::unknown("no answer".to_owned())),
        };
        let value = match parsed.value.get("enc").and_then(Value::as_str) {
            None => parsed.value,
            Some(sealed) => match credentials.open(sealed) {
                Some(opened) => opened.value,
                None => return Verdict::Done(Confirmation::unknown("an unreadable answer".to_owned())),
            },
        };
        let mut envelope = Envelope::open(&value, "");
        envelope.words = self.redact(&envelope.words, credentials);
        if envelope.success == Some(true) {
            return Verdict::Done(Confirmation::acked(envelope.words));
        }
        match envelope.code {
            Some(code::TOKEN_ERROR) => Verdict::TokenRefused(envelope.refusal()),
            Some(code::INVALID_JSON) => Verdict::NotDecrypted,
            Some(code::TOO_MANY_TOKENS) => Verdict::Failed(self.exhausted(now)),
            Some(code::PERMISSION_DENIED) => {
                Verdict::Failed(DeviceError::WritesDisabled(WRITES_DISABLED.to_owned()))
            }
            _ if envelope.success == Some(false) => Verdict::Failed(envelope.refusal()),
            _ => Verdict::Done(Confirmation::unknown("an answer without a status".to_owned())),
        }
    }

    fn redact(&self, words: &str, credentials: &Credentials) -> String {
        redact(words, &[self.password.expose(), credentials.sign()])
    }
}

pub(super) fn challenge_of(fields: Fields<'_>) -> Option<Challenge> {
    Some(Challenge {
        time: fields.text(&["time"])?,
        salt: fields.text(&["salt"])?,
        new_salt: fields.text(&["newsalt"])?,
    })
}
