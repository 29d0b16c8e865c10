//! Any bytes as replies of V2.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::{
    super::{json, json::Parsed},
    crypt::{Challenge, Credentials},
    envelope::Envelope,
    reading::{self, Replies},
};
use crate::fuzzing::check_reading;
use std::sync::LazyLock;

/// A reply in the clear: it is a summary, a status, a supply and boards at once.
pub fn v2(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(Parsed { value, .. }) = json::parse(&text) {
        check(&Envelope::open(&value, "SUMMARY"), &text);
        check(&Envelope::open(&value, ""), &text);
    }
}

fn check(envelope: &Envelope, text: &str) {
    let fields = envelope.fields();
    let (refused, unsupported) = (envelope.refusal(), envelope.is_unsupported());
    assert!(!(envelope.success == Some(true) && unsupported), "a success that isn't supported: {refused}");
    for ramp_known in [false, true] {
        let boards = Some(envelope.rows.as_slice());
        let replies = Replies { status: fields, summary: fields, psu: fields, boards, ramp_known };
        let mut seen = reading::observation(&replies);
        seen.reading.pools = reading::pools(&envelope.rows);
        seen.reading.errors = reading::inline_errors(fields).unwrap_or_default();
        check_reading(&seen.reading, text);
        assert!(seen.mac.is_none_or(|mac| mac.len() == 17), "no hardware address");
    }
    let identity = reading::identity(fields, fields, fields, fields, String::new());
    assert!(identity.mac.is_none_or(|mac| mac.len() == 17), "no hardware address");
}

/// A sealed reply; and the same bytes sealed, which have to come out as they went in.
pub fn v2_sealed(bytes: &[u8]) {
    static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
        let challenge =
            Challenge { time: "4711".into(), salt: "BQ5hoXV9".into(), new_salt: "jbzkfQls".into() };
        Credentials::new("admin", &challenge)
    });
    let text = String::from_utf8_lossy(bytes);
    if let Some(Parsed { value, .. }) = CREDENTIALS.open(&text) {
        check(&Envelope::open(&value, ""), "0");
    }
    assert_eq!(
        CREDENTIALS.open(&CREDENTIALS.seal(&text)),
        json::parse(&text),
        "sealed and opened it is another"
    );
}
