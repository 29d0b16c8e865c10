//! The V3 protocol on TCP 4433: frames of a little-endian length and JSON, on a connection that may stay open. It owns
//! tokens, codes and envelopes; what a write does is the device's.

mod connection;
mod reads;
#[cfg(test)]
mod vectors;
mod writes;

pub(super) use connection::serve;

use super::{
    Protocol,
    crypt::v3_token,
    device::{Device, Outcome, Reply, State, Verdict, Write},
    report::Report,
    spoiling,
};
use model::UtcMillis;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The account that may write.
const ACCOUNT: &str = "super";

/// A reply's code and message.
struct Body {
    code: i64,
    message: Value,
}

impl Body {
    fn success(message: impl Into<Value>) -> Self {
        Self { code: 0, message: message.into() }
    }

    fn fail(message: &str) -> Self {
        Self { code: -1, message: message.into() }
    }

    fn invalid_command() -> Self {
        Self { code: -2, message: "invalid command".into() }
    }

    fn invalid_item(message: &str) -> Self {
        Self { code: -3, message: message.into() }
    }

    fn no_permission(message: &str) -> Self {
        Self { code: -4, message: message.into() }
    }
}

/// The envelope, in the order in which it is printed.
#[derive(Serialize)]
struct Envelope<'a> {
    code: i64,
    when: i64,
    msg: &'a Value,
    desc: &'a str,
}

/// Answers one frame's content.
fn answer(device: &Device, content: &[u8]) -> Reply {
    let request: Option<Value> = serde_json::from_slice(content).ok();
    device.visit(|state, now| {
        let report = state.report(now);
        let mut verdict = match request.as_ref().and_then(Value::as_object) {
            Some(request) => judge(device, state, now, request, &report),
            None => Verdict::read("", Value::Null, Body::invalid_item("invalid json")),
        };
        let faults = state.faults.concerning(&verdict.command);
        if let (true, Some(message)) = (faults.unknown_keys, verdict.body.message.as_object_mut()) {
            message.insert("aurora-mode".into(), json!({ "depth": [1, null, { "x": "y" }] }));
            message.insert("zz-reserved".into(), json!(-1));
        }
        if !verdict.write {
            spoiling::spoil_members(&mut verdict.body.message, &faults);
        }
        let Body { code, message } = &verdict.body;
        let envelope = Envelope { code: *code, when: report.when, msg: message, desc: &verdict.command };
        let text = serde_json::to_string(&envelope).unwrap_or_default();
        let bytes = frame(&spoiling::spoil(text, &faults));
        state.record(now, Protocol::V3, &verdict, Some(verdict.body.code));
        Reply { bytes, ending: verdict.ending, faults }
    })
}

/// The content with its length before it.
fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes();
    [length.as_slice(), content].concat()
}

fn judge(
    device: &Device,
    state: &mut State,
    now: UtcMillis,
    request: &Map<String, Value>,
    report: &Report,
) -> Verdict<Body> {
    let Some(command) = request.get("cmd").and_then(Value::as_str) else {
        return Verdict::read("", Value::Null, Body::invalid_item("cmd item is null"));
    };
    // Clients send `null` where they have no parameter.
    let param = request.get("param").filter(|param| !param.is_null());
    let read = |body| Verdict::read(command, param.cloned().unwrap_or_default(), body);
    if state.faults.knows_not(command) {
        return read(Body::invalid_command());
    }
    if let Some(body) = reads::read(device.setup.profile, command, param, &state.v3_salt, report) {
        return read(body);
    }
    let Some(write) = writes::parse(command, param) else { return read(Body::invalid_command()) };
    let verdict = |body| {
        let verdict = read(body).write();
        if request.contains_key("token") { verdict.privileged() } else { verdict }
    };
    if !authentic(device, state, command, request, report) {
        return verdict(Body::no_permission("no permission"));
    }
    if !state.writes_enabled() {
        return verdict(Body::no_permission("no permission for write command"));
    }
    let change = match write {
        Write::Malformed if param.is_none() => return verdict(Body::invalid_item("param item is null")),
        Write::Malformed => return verdict(Body::invalid_item("invalid param")),
        Write::OutOfRange => return verdict(Body::fail("param out of range")),
        Write::WithoutEffect => None,
        Write::Change(change) => Some(change),
    };
    match state.carry_out(now, Protocol::V3, command, change) {
        Outcome::Refused => verdict(Body::fail("fail")),
        Outcome::Done { effect, ending } => Verdict { effect, ending, ..verdict(Body::success("ok")) },
    }
}

/// Whether account, time and token are right. Which of them isn't, a device doesn't tell.
fn authentic(
    device: &Device,
    state: &State,
    command: &str,
    request: &Map<String, Value>,
    report: &Report,
) -> bool {
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let Some(ts) = request.get("ts").and_then(Value::as_i64) else { return false };
    let in_time = report.when.abs_diff(ts) <= state.faults.v3_clock_tolerance_seconds;
    let token = v3_token(command, &device.setup.v3_password, &state.v3_salt, ts);
    in_time
        && !state.faults.wrong_password
        && text("account") == Some(ACCOUNT)
        && text("token") == Some(&token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::miner::{MinerSetup, Physics};
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        /// Nothing panics, everything is answered, and no bytes change anything without the password.
        #[test]
        fn anything_is_answered(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                "\\{\"cmd\":\"(get|set)\\.(miner|device)\\.(status|info|service|power_limit)\",\"(param|token|ts)\":[\"0-9a-z+-]{1,12}\\}"
                    .prop_map(String::into_bytes),
            ],
        ) {
            let time = UtcMillis(1_800_000_000_000);
            let device = Device::new(MinerSetup::default(), Physics::default(), Arc::new(move || time));
            let before = device.visit(|state, now| state.machine.truth(now));
            let reply = answer(&device, &bytes).bytes;
            let length = u32::from_le_bytes([reply[0], reply[1], reply[2], reply[3]]) as usize;
            prop_assert_eq!(length, reply.len() - 4);
            prop_assert!(serde_json::from_slice::<Value>(&reply[4..]).unwrap()["code"].is_i64());
            prop_assert_eq!(device.visit(|state, now| state.machine.truth(now)), before);
        }
    }
}
