//! The shapes in which V2 replies come, opened to one: whether it worked, the code, the words, and the rows.
//!
//! * A: `{"STATUS":[{"STATUS":"S","Code":11,"Msg":"Summary"}],"SUMMARY":[{…}]}` (mining reads, from cgminer)
//! * B: `{"STATUS":"S","Code":131,"Msg":{…}}` (the API daemon; mining reads too on firmware of 2024 and later)
//! * M: `{"summary":[{A}],"pools":[{A}]}` (joined reads)
//! * bare: `{"btmineroff":"false"}` (as the vendor's older manuals print it)

use super::super::json::{Fields, Object, object_of, plain};
use crate::DeviceError;
use serde_json::Value;

/// The vendor's reply codes that mean something to a client (WhatsMiner API manuals V1.3.8 to V2.2, and seen in
/// the field).
pub(in crate::whatsminer) mod code {
    /// Invalid command or data.
    pub(in crate::whatsminer) const INVALID_COMMAND: i64 = 14;
    /// Invalid JSON: to an encrypted command, that it didn't decrypt, so that the password is wrong.
    pub(in crate::whatsminer) const INVALID_JSON: i64 = 23;
    /// cgminer: no `command` in the request.
    pub(in crate::whatsminer) const MISSING_COMMAND: i64 = 24;
    /// The write API is off, or the default password is still set.
    pub(in crate::whatsminer) const PERMISSION_DENIED: i64 = 45;
    /// Command refused, deprecated or out of range.
    pub(in crate::whatsminer) const COMMAND_ERROR: i64 = 132;
    /// The token is unknown or has expired.
    pub(in crate::whatsminer) const TOKEN_ERROR: i64 = 135;
    /// No more tokens are given out.
    pub(in crate::whatsminer) const TOO_MANY_TOKENS: i64 = 136;
}

/// An opened reply.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::whatsminer) struct Envelope {
    /// `STATUS`; `None` if the reply has none.
    pub(in crate::whatsminer) success: Option<bool>,
    /// `Code`; absent from envelope A since 2022.
    pub(in crate::whatsminer) code: Option<i64>,
    /// `Msg` where it is a text.
    pub(in crate::whatsminer) words: String,
    /// `Description`: on old firmware the name and version of who answers.
    pub(in crate::whatsminer) description: String,
    /// The payload: one row, or one for each board or pool.
    pub(in crate::whatsminer) rows: Vec<Object>,
}

impl Envelope {
    /// Opens `reply` to the command whose payload stands under `section` ("SUMMARY"; ignored where there is none).
    pub(in crate::whatsminer) fn open(reply: &Value, section: &str) -> Self {
        let Some(mut object) = object_of(reply) else { return Self::default() };
        if let Some(joined) = object.get(&section.to_ascii_lowercase()).and_then(object_of) {
            object = joined;
        }
        let fields = Fields::new(Some(object));
        let status = object.get("STATUS");
        let status_fields = Fields::new(status.and_then(object_of));
        let letter = status.and_then(Value::as_str).map(str::to_owned).or(status_fields.text(&["STATUS"]));
        let message = fields.value(&["Msg"]).or(status_fields.value(&["Msg"]));
        let payload = object.get(section).or(message).filter(|value| value.is_array() || value.is_object());
        let rows = match payload {
            Some(payload) => rows_of(payload),
            None if letter.is_none() => vec![object.clone()],
            None => Vec::new(),
        };
        Self {
            success: match letter.as_deref() {
                Some("S" | "I" | "W") => Some(true),
                Some("E" | "F") => Some(false),
                _ => None,
            },
            code: fields.number(&["Code"]).or(status_fields.number(&["Code"])).map(|code| code as i64),
            words: message.and_then(Value::as_str).map(plain).unwrap_or_default(),
            description: fields
                .text(&["Description"])
                .or(status_fields.text(&["Description"]))
                .unwrap_or_default(),
            rows,
        }
    }

    /// The fields of the first row.
    pub(in crate::whatsminer) fn fields(&self) -> Fields<'_> {
        Fields::new(self.rows.first())
    }

    /// The device doesn't know the command, or no longer.
    pub(in crate::whatsminer) fn is_unsupported(&self) -> bool {
        let by_code = matches!(self.code, Some(code::INVALID_COMMAND | code::MISSING_COMMAND));
        let withdrawn = self.code == Some(code::COMMAND_ERROR) && self.words.contains("deprecated");
        self.success != Some(true) && (by_code || withdrawn)
    }

    /// The API daemon answers and the mining process behind it doesn't run.
    pub(in crate::whatsminer) fn says_mining_down(&self) -> bool {
        is_mining_down(&self.words)
    }

    /// The error of a reply that says it is one.
    pub(in crate::whatsminer) fn refusal(&self) -> DeviceError {
        let words = if self.words.is_empty() { "without a word".to_owned() } else { self.words.clone() };
        if self.is_unsupported() {
            DeviceError::Unsupported(words)
        } else {
            DeviceError::Refused { code: self.code.unwrap_or(-1), words }
        }
    }
}

/// Whether these words mean that the mining process is down: what the daemon of older firmware passes on as plain
/// text, and what newer firmware says where an object is expected.
pub(in crate::whatsminer) fn is_mining_down(words: &str) -> bool {
    words.contains("Socket connect failed") || words.contains("btminer process is down")
}

fn rows_of(value: &Value) -> Vec<Object> {
    match value {
        Value::Array(rows) => rows.iter().filter_map(Value::as_object).cloned().collect(),
        Value::Object(row) => vec![row.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::a(json!({"STATUS":[{"STATUS":"S","When":1,"Code":11,"Msg":"Summary","Description":"btminer"}],
                     "SUMMARY":[{"Power":3412}],"id":1}), Some(11))]
    #[case::a_short(json!({"STATUS":[{"STATUS":"S","Msg":"Summary"}],"SUMMARY":[{"Power":3412}],"id":1}), None)]
    #[case::b(json!({"STATUS":"S","When":1,"Code":131,"Msg":{"Power":3412},"Description":""}), Some(131))]
    #[case::joined(json!({"summary":[{"STATUS":[{"STATUS":"S","Msg":"Summary"}],"SUMMARY":[{"Power":3412}]}],
                          "pools":[{"STATUS":[{"STATUS":"S"}],"POOLS":[]}],"id":1}), None)]
    fn every_envelope_opens_to_the_same(#[case] reply: Value, #[case] code: Option<i64>) {
        let envelope = Envelope::open(&reply, "SUMMARY");
        assert_eq!(envelope.success, Some(true));
        assert_eq!(envelope.code, code);
        assert_eq!(envelope.fields().number(&["Power"]), Some(3412.0));
    }

    #[test]
    fn a_bare_object_is_its_own_row() {
        let envelope = Envelope::open(&json!({"btmineroff": "false"}), "");
        assert_eq!(envelope.fields().flag(&["btmineroff"]), Some(false));
        assert_eq!(envelope.success, None);
    }

    #[test]
    fn an_error_has_no_rows() {
        let reply = json!({"STATUS":"E","When":1,"Code":14,"Msg":"invalid cmd","Description":""});
        let envelope = Envelope::open(&reply, "SUMMARY");
        assert_eq!(envelope.rows, Vec::<Object>::new());
        assert_eq!(envelope.refusal(), DeviceError::Unsupported("invalid cmd".to_owned()));
        let reply = json!({"STATUS":"E","Code":132,"Msg":"This command is deprecated."});
        assert!(Envelope::open(&reply, "").is_unsupported());
        let reply = json!({"STATUS":"E","Code":"132","Msg":"percent out of range"});
        assert!(matches!(Envelope::open(&reply, "").refusal(), DeviceError::Refused { code: 132, .. }));
    }
}
