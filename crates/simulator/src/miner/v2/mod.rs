//! The V2 protocol on TCP 4028: one JSON object in, one reply out, close. It owns authentication and envelopes; what a
//! write does is the device's.

mod connection;
mod envelope;
mod reads;
mod summary;
#[cfg(test)]
mod vectors;
mod writes;

pub(super) use connection::serve;

use super::{
    Profile, Protocol, TokenPolicy,
    crypt::Unreadable,
    device::{Device, Outcome, Reply, State, Verdict, Write},
    malformed::spoil,
    received::parameters,
    report::Report,
    spoiling,
};
use envelope::Body;
use model::UtcMillis;
use serde_json::{Map, Value, json};

/// A verdict, and whether its reply is encrypted.
struct Judged {
    verdict: Verdict<Body>,
    sealed: bool,
}

impl Judged {
    fn plain(verdict: Verdict<Body>) -> Self {
        Self { verdict, sealed: false }
    }

    fn sealed(verdict: Verdict<Body>) -> Self {
        Self { verdict: verdict.privileged(), sealed: true }
    }
}

/// Answers one request; `None` stands for bytes that aren't JSON.
fn answer(device: &Device, request: Option<&Value>) -> Reply {
    let profile = device.setup.profile;
    device.visit(|state, now| {
        // A read tells what was before it; a write's reply tells the time only.
        let report = state.report(now);
        let Judged { mut verdict, sealed } = match request.and_then(Value::as_object) {
            Some(request) => judge(state, now, profile, request, &report),
            None => Judged::plain(Verdict::read("", Value::Null, envelope::NOT_JSON)),
        };
        let faults = state.faults.concerning(&verdict.command);
        if faults.unknown_keys {
            verdict.body.add_unknown_keys();
        }
        if !verdict.write {
            verdict.body.spoil_members(&faults);
        }
        let mut text = verdict.body.print(profile, &report);
        if sealed {
            text = json!({ "enc": state.cipher.seal(&text) }).to_string();
        } else if let Some(malformation) = faults.malformed {
            text = spoil(&text, malformation);
        }
        let mining = matches!(verdict.body, Body::Mining { .. } | Body::Joined(_));
        let nul = faults.trailing_nul.unwrap_or(mining && profile.ends_with_nul());
        let mut bytes = spoiling::spoil(text, &faults);
        bytes.extend(nul.then_some(0));
        state.record(now, Protocol::V2, &verdict, verdict.body.code());
        Reply { bytes, ending: verdict.ending, faults }
    })
}

fn judge(
    state: &mut State,
    now: UtcMillis,
    profile: Profile,
    request: &Map<String, Value>,
    report: &Report,
) -> Judged {
    if profile != Profile::G0 && request.contains_key("enc") {
        return judge_encrypted(state, now, profile, request, report);
    }
    let command = command_of(profile, request);
    let body = match command {
        None => envelope::MISSING_COMMAND,
        Some(command) if state.faults.knows_not(command) => envelope::UNKNOWN_COMMAND,
        Some("get_token") if profile != Profile::G0 => token(state, now),
        Some(command) => reads::read(profile, command, request, report).unwrap_or(envelope::UNKNOWN_COMMAND),
    };
    Judged::plain(Verdict::read(command.unwrap_or_default(), parameters(request), body))
}

/// Opens a session.
fn token(state: &mut State, now: UtcMillis) -> Body {
    let grant = state.next_grant();
    let policy = state.faults.tokens;
    if state.tokens.open(policy, now, &state.v2_key, &grant).is_none() {
        return envelope::TOO_MANY_TOKENS;
    }
    let mut message = json!({ "time": grant.time, "salt": state.v2_salt, "newsalt": grant.newsalt });
    if let (Value::Object(message), TokenPolicy::SingleSession { ttl_seconds, .. }) = (&mut message, policy) {
        message.insert("timeout".into(), json!(ttl_seconds.to_string()));
    }
    Body::Daemon { code: envelope::TOKEN, message }
}

/// A request in `{"enc":1,"data":"…"}`. What fails before the session is known is answered in plain text.
fn judge_encrypted(
    state: &mut State,
    now: UtcMillis,
    profile: Profile,
    request: &Map<String, Value>,
    report: &Report,
) -> Judged {
    let unreadable = |body| Judged::plain(Verdict::read("", Value::Null, body).privileged());
    let data = request.get("data").and_then(Value::as_str).unwrap_or_default();
    let request = match state.cipher.open(data) {
        Err(Unreadable::NotBase64) => return unreadable(envelope::NOT_BASE64),
        Ok(Value::Object(request)) if !state.faults.wrong_password => request,
        Ok(_) | Err(Unreadable::NotJson) => return unreadable(envelope::NOT_DECRYPTED),
    };
    let command = command_of(profile, &request).unwrap_or_default();
    let params = parameters(&request);
    let parsed = writes::parse(profile, command, &request);
    let verdict = |body| {
        let verdict = Verdict::read(command, params.clone(), body);
        if parsed.is_some() { verdict.write() } else { verdict }
    };
    let sign = request.get("token").and_then(Value::as_str).unwrap_or_default();
    if !state.tokens.admit(state.faults.tokens, now, sign) || state.faults.forget_tokens {
        return Judged::plain(verdict(envelope::TOKEN_UNKNOWN).privileged());
    }
    if let Some(body) = reads::read(profile, command, &request, report) {
        return Judged::sealed(verdict(body));
    }
    let change = match parsed {
        None => return Judged::sealed(verdict(envelope::UNKNOWN_COMMAND)),
        Some(_) if state.faults.knows_not(command) => {
            return Judged::sealed(verdict(envelope::UNKNOWN_COMMAND));
        }
        Some(_) if !state.writes_enabled() => return Judged::sealed(verdict(envelope::WRITES_DISABLED)),
        Some(Write::Malformed | Write::OutOfRange) => {
            return Judged::sealed(verdict(envelope::COMMAND_ERROR));
        }
        Some(Write::WithoutEffect) => None,
        Some(Write::Change(change)) => Some(change),
    };
    Judged::sealed(match state.carry_out(now, Protocol::V2, command, change) {
        Outcome::Refused => verdict(envelope::COMMAND_ERROR),
        Outcome::Done { effect, ending } => Verdict { effect, ending, ..verdict(Body::done()) },
    })
}

/// The command's name under whichever key this firmware reads.
fn command_of(profile: Profile, request: &Map<String, Value>) -> Option<&str> {
    let by_vendor = if profile == Profile::G0 { None } else { request.get("cmd") };
    by_vendor.or_else(|| request.get("command"))?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::miner::{MinerSetup, Physics};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z]{1,5}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whoever knows the password may ask for anything, too: nothing panics, and everything is answered.
        #[test]
        fn anything_is_answered(
            command in prop_oneof!["\\PC{0,20}", "(summary|pools|edevs|\\+){0,6}", "(power_o(n|ff)|set_power_pct|reboot)"],
            params in any_json(),
            encrypted: bool,
        ) {
            let setup = MinerSetup { profile: Profile::G2, ..MinerSetup::default() };
            let device = Device::new(setup, Physics::default(), Arc::new(|| UtcMillis(1_800_000_000_000)));
            let (sign, grant) = device.visit(|state, now| {
                let grant = state.next_grant();
                let opened = state.tokens.open(TokenPolicy::default(), now, &state.v2_key, &grant);
                let sign = super::super::crypt::md5crypt(&format!("{}{}", state.v2_key, grant.time), &grant.newsalt);
                (sign, opened)
            });
            prop_assert!(grant.is_some());
            let mut request = json!({ "cmd": command, "token": sign, "percent": params, "respbefore": params, "info": params });
            if encrypted {
                let data = device.visit(|state, _| state.cipher.seal(&request.to_string()));
                request = json!({ "enc": 1, "data": data });
            }
            for request in [&request, &params] {
                let reply = answer(&device, Some(request));
                let text = String::from_utf8(reply.bytes).unwrap();
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
            }
        }
    }
}
