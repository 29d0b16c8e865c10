//! The envelopes around V2 replies: cgminer's for mining reads, the daemon's for everything else.

use crate::miner::{Faults, Profile, report::Report, spoiling::spoil_members};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Success of a command.
pub(super) const OK: i64 = 131;
/// Success of `get_token`.
pub(super) const TOKEN: i64 = 134;
/// A token that isn't known any more.
pub(super) const TOKEN_UNKNOWN: Body = Body::error(135, "check token err");
/// Too many tokens.
pub(super) const TOO_MANY_TOKENS: Body = Body::error(136, "over max connect");
/// The ciphertext isn't base64.
pub(super) const NOT_BASE64: Body = Body::error(137, "base64 decode err");
/// The ciphertext doesn't decrypt to JSON.
pub(super) const NOT_DECRYPTED: Body = Body::error(23, "enc json load err");
/// The request isn't JSON.
pub(super) const NOT_JSON: Body = Body::error(23, "invalid json");
/// cgminer's objection to a request without its key.
pub(super) const MISSING_COMMAND: Body = Body::error(24, "Missing JSON 'command'");
/// No such command.
pub(super) const UNKNOWN_COMMAND: Body = Body::error(14, "invalid cmd");
/// Writes over the network are switched off.
pub(super) const WRITES_DISABLED: Body = Body::error(45, "can't access write cmd");
/// The command exists and can't be done as asked.
pub(super) const COMMAND_ERROR: Body = Body::error(132, "API command ERROR");
/// A read that newer firmware has given up.
pub(super) const DEPRECATED: Body = Body::error(132, "This command is deprecated.");

/// A reply without its envelope.
pub(super) enum Body {
    /// A mining read in cgminer's envelope.
    Mining { code: i64, message: String, section: &'static str, rows: Vec<Value> },
    /// The daemon's own reply.
    Daemon { code: i64, message: Value },
    /// An error in the daemon's envelope.
    Error { code: i64, message: &'static str },
    /// Several mining reads in one.
    Joined(Vec<(String, Body)>),
    /// The daemon couldn't forward a mining read: its text isn't JSON.
    MiningDown,
}

/// The daemon's envelope, in the order in which it is printed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Daemon<'a> {
    #[serde(rename = "STATUS")]
    status: &'static str,
    when: i64,
    code: i64,
    msg: &'a Value,
    description: &'static str,
}

impl Body {
    const fn error(code: i64, message: &'static str) -> Self {
        Self::Error { code, message }
    }

    /// Success without anything to say.
    pub(super) fn done() -> Self {
        Self::Daemon { code: OK, message: Value::from("API command OK") }
    }

    /// The code in the reply; `None` if the reply has none.
    pub(super) fn code(&self) -> Option<i64> {
        match self {
            Self::Mining { code, .. } | Self::Daemon { code, .. } | Self::Error { code, .. } => Some(*code),
            Self::Joined(_) => Some(0),
            Self::MiningDown => None,
        }
    }

    /// Puts keys into the payload that no manual knows.
    pub(super) fn add_unknown_keys(&mut self) {
        let add = |object: &mut Map<String, Value>| {
            object.insert("Aurora Mode".into(), json!({ "depth": [1, null, { "x": "y" }] }));
            object.insert("zz_reserved".into(), json!(-1));
        };
        match self {
            Self::Mining { rows, .. } => rows.iter_mut().filter_map(Value::as_object_mut).for_each(add),
            Self::Daemon { message, .. } => message.as_object_mut().into_iter().for_each(add),
            Self::Joined(parts) => parts.iter_mut().for_each(|(_, part)| part.add_unknown_keys()),
            Self::Error { .. } | Self::MiningDown => {}
        }
    }

    /// Puts the faults of its members into the payload.
    pub(super) fn spoil_members(&mut self, faults: &Faults) {
        match self {
            Self::Mining { rows, .. } => rows.iter_mut().for_each(|row| spoil_members(row, faults)),
            Self::Daemon { message, .. } => spoil_members(message, faults),
            Self::Joined(parts) => parts.iter_mut().for_each(|(_, part)| part.spoil_members(faults)),
            Self::Error { .. } | Self::MiningDown => {}
        }
    }

    /// The reply as it is printed.
    pub(super) fn print(&self, profile: Profile, report: &Report) -> String {
        match self {
            Self::MiningDown => "Socket connect failed: Connection refused\n".to_owned(),
            Self::Daemon { code, message } => daemon(profile, report, *code, message),
            Self::Error { code, message } => match profile {
                Profile::G0 => self.value(profile, report).to_string(),
                _ => daemon(profile, report, *code, &Value::from(*message)),
            },
            Self::Mining { .. } | Self::Joined(_) => self.value(profile, report).to_string(),
        }
    }

    fn value(&self, profile: Profile, report: &Report) -> Value {
        match self {
            Self::Mining { code, message, section, rows } => {
                let status = mining_status(profile, report, "S", *code, message);
                json!({ "STATUS": [status], *section: rows, "id": 1 })
            }
            Self::Error { code, message } if profile == Profile::G0 => {
                json!({ "STATUS": [mining_status(profile, report, "E", *code, message)], "id": 1 })
            }
            Self::Joined(parts) => {
                let mut joined: Map<String, Value> = parts
                    .iter()
                    .map(|(name, part)| (name.clone(), json!([part.value(profile, report)])))
                    .collect();
                joined.insert("id".into(), json!(1));
                Value::Object(joined)
            }
            Self::Daemon { code, message } => daemon_value(profile, report, *code, message),
            Self::Error { code, message } => daemon_value(profile, report, *code, &Value::from(*message)),
            Self::MiningDown => Value::Null,
        }
    }
}

/// The entry of cgminer's `STATUS` list: newer firmware has shrunk it.
fn mining_status(profile: Profile, report: &Report, status: &str, code: i64, message: &str) -> Value {
    let description = match profile {
        Profile::G0 => "cgminer 4.9.2",
        Profile::G1 => "btminer",
        Profile::G2 | Profile::G2V3 | Profile::G3 => return json!({ "STATUS": status, "Msg": message }),
    };
    json!({ "STATUS": status, "When": report.when, "Code": code, "Msg": message, "Description": description })
}

fn envelope<'a>(profile: Profile, report: &Report, code: i64, msg: &'a Value) -> Daemon<'a> {
    let status = if matches!(code, OK | TOKEN) { "S" } else { "E" };
    let description = if profile == Profile::G1 { profile.plate().v2_api } else { "" };
    Daemon { status, when: report.when, code, msg, description }
}

fn daemon(profile: Profile, report: &Report, code: i64, message: &Value) -> String {
    serde_json::to_string(&envelope(profile, report, code, message)).unwrap_or_default()
}

fn daemon_value(profile: Profile, report: &Report, code: i64, message: &Value) -> Value {
    serde_json::to_value(envelope(profile, report, code, message)).unwrap_or_default()
}
