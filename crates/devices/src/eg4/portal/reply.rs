//! What a reply means: data, a sign that the session has expired, or a failure of one of three kinds.
//! Credentials are judged by the login alone; everything else here is transient or about the data.

use super::fields::Fields;
use crate::{DeviceError, Secret};
use model::UtcMillis;
use serde_json::Value;
use std::time::Duration;

/// How long the portal is left alone when it says to slow down without saying for how long.
const SLOW_DOWN: Duration = Duration::from_secs(15 * 60);

/// One reply as it came.
pub(super) struct Reply {
    pub(super) status: u16,
    /// It redirects to a login page.
    pub(super) to_login: bool,
    pub(super) retry_after: Option<Duration>,
    /// The server's clock.
    pub(super) clock: Option<UtcMillis>,
    /// The session that the reply opens.
    pub(super) session: Option<Secret>,
    pub(super) body: Vec<u8>,
}

/// How an expired session shows itself. Each may mean something else too, so each is answered by signing in
/// once; if the new session shows it as well, the portal is what has a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A page where data was expected: the login page, or one about maintenance.
    Page,
    /// HTTP 401.
    Unauthorised,
    /// A redirect to a login page.
    Redirect,
    /// HTTP 403. Seen with expired sessions, but also what a server says that wants less traffic.
    Forbidden,
    /// `success: false` with words about login or session.
    Words,
}

impl Sign {
    /// What it means from a session that was only just opened, or from the login itself.
    pub(super) fn into_error(self) -> DeviceError {
        let (words, retry_after) = match self {
            Self::Page => ("it shows a page instead of data; that may be maintenance", Duration::ZERO),
            Self::Unauthorised | Self::Redirect | Self::Words => {
                ("it asks for a sign-in although there was one just now", Duration::ZERO)
            }
            Self::Forbidden => ("it refuses access (HTTP 403), perhaps to slow us down", SLOW_DOWN),
        };
        DeviceError::Unavailable { words: words.to_owned(), retry_after }
    }
}

/// Why there is no data.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Failure {
    Expired(Sign),
    Device(DeviceError),
}

impl From<DeviceError> for Failure {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<Failure> for DeviceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Expired(sign) => sign.into_error(),
            Failure::Device(error) => error,
        }
    }
}

impl Reply {
    /// The JSON in it. What the body is counts, not what the headers call it.
    pub(super) fn json(&self) -> Result<Value, Failure> {
        let unavailable = |pause: Duration| {
            let words = format!("HTTP {}", self.status);
            Failure::Device(DeviceError::Unavailable {
                words,
                retry_after: self.retry_after.unwrap_or(pause),
            })
        };
        match self.status {
            200..=299 => {}
            300..=399 if self.to_login => return Err(Failure::Expired(Sign::Redirect)),
            401 => return Err(Failure::Expired(Sign::Unauthorised)),
            403 => return Err(Failure::Expired(Sign::Forbidden)),
            429 => return Err(unavailable(SLOW_DOWN)),
            408 | 500..=599 => return Err(unavailable(Duration::ZERO)),
            other => return Err(DeviceError::Protocol(format!("HTTP {other}")).into()),
        }
        let body = self.body.trim_ascii();
        match serde_json::from_slice(body) {
            Ok(json) => Ok(json),
            Err(_) if body.first() == Some(&b'<') => Err(Failure::Expired(Sign::Page)),
            Err(_) if body.is_empty() => {
                Err(DeviceError::Protocol("the portal's answer is empty".to_owned()).into())
            }
            Err(error) if error.is_eof() => {
                Err(DeviceError::Protocol("the portal's answer is cut short".to_owned()).into())
            }
            Err(_) => Err(DeviceError::Protocol("the portal's answer isn't JSON".to_owned()).into()),
        }
    }
}

/// What a reply to a request for data says.
pub(super) enum Verdict<'a> {
    /// `success` is true or absent.
    Data(Fields<'a>),
    /// `success: false` and not a word why: an expired session, or a portal that has lost its data.
    Nothing,
    /// It can't be had, for the reason given. The session is fine.
    Refused(DeviceError),
}

/// Judges a reply to a request for data.
pub(super) fn verdict(json: &Value) -> Result<Verdict<'_>, Failure> {
    let fields = Fields::of(json)
        .ok_or_else(|| DeviceError::Protocol("the portal's answer isn't an object".to_owned()))?;
    if fields.flag("success") != Some(false) {
        return Ok(Verdict::Data(fields));
    }
    let Some(message) = message(fields) else { return Ok(Verdict::Nothing) };
    let upper = message.to_ascii_uppercase();
    let says = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    if says(&["LOGIN", "SESSION", "UNAUTHOR"]) {
        return Err(Failure::Expired(Sign::Words));
    }
    Ok(Verdict::Refused(if says(&["UNSUPPORT"]) {
        DeviceError::Unsupported(code(message))
    } else if is_busy(fields) {
        DeviceError::Unavailable {
            words: format!("the inverter doesn't answer the portal ({})", code(message)),
            retry_after: Duration::ZERO,
        }
    } else if says(&["APIBLOCKED"]) {
        let words = "the account may not use the portal's remote functions (apiBlocked)".to_owned();
        DeviceError::Refused { code: fields.whole("msgCode").unwrap_or(0), words }
    } else {
        DeviceError::Refused { code: fields.whole("msgCode").unwrap_or(0), words: code(message) }
    }))
}

/// Whether a refusal says that somebody didn't answer in time, which will pass.
pub(super) fn is_busy(fields: Fields<'_>) -> bool {
    let upper = message(fields).unwrap_or_default().to_ascii_uppercase();
    ["TIMEOUT", "BUSY", "COMMUNICATION_ERROR"].iter().any(|word| upper.contains(word))
}

fn message(fields: Fields<'_>) -> Option<&str> {
    fields.text("msg").or_else(|| fields.text("message"))
}

/// The portal's own word, if it is a code. A sentence isn't shown: it may name the account.
fn code(message: &str) -> String {
    let is_code = message.len() <= 64 && message.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_code { message.to_owned() } else { "in words that aren't shown here".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn reply(status: u16, body: &[u8]) -> Reply {
        Reply { status, to_login: false, retry_after: None, clock: None, session: None, body: body.to_vec() }
    }

    fn unavailable(words: &str, seconds: u64) -> Failure {
        let retry_after = Duration::from_secs(seconds);
        Failure::Device(DeviceError::Unavailable { words: words.to_owned(), retry_after })
    }

    #[rstest]
    #[case(200, b"<!DOCTYPE html><html>", Failure::Expired(Sign::Page))]
    #[case(200, b"\r\n  <html>", Failure::Expired(Sign::Page))]
    #[case(401, b"", Failure::Expired(Sign::Unauthorised))]
    #[case(403, b"{}", Failure::Expired(Sign::Forbidden))]
    #[case(429, b"", unavailable("HTTP 429", 900))]
    #[case(503, b"<html>", unavailable("HTTP 503", 0))]
    #[case(302, b"", Failure::Device(DeviceError::Protocol("HTTP 302".to_owned())))]
    #[case(404, b"<html>", Failure::Device(DeviceError::Protocol("HTTP 404".to_owned())))]
    fn no_data(#[case] status: u16, #[case] body: &[u8], #[case] expected: Failure) {
        assert_eq!(reply(status, body).json(), Err(expected));
    }

    #[test]
    fn a_redirect_to_a_login_page_is_a_sign() {
        let redirect = Reply { to_login: true, ..reply(302, b"") };
        assert_eq!(redirect.json(), Err(Failure::Expired(Sign::Redirect)));
    }

    #[test]
    fn the_portal_says_how_long_to_wait() {
        for status in [429, 503] {
            let wait = Reply { retry_after: Some(Duration::from_secs(120)), ..reply(status, b"") };
            assert_eq!(wait.json(), Err(unavailable(&format!("HTTP {status}"), 120)));
        }
    }

    #[rstest]
    #[case(b"", "empty")]
    #[case(b"{\"success\":true,\"soc\":5", "cut short")]
    #[case(b"{\"success\":tru!", "isn't JSON")]
    #[case(b"\xff\xfe{}", "isn't JSON")]
    fn broken_bodies_are_no_credentials(#[case] body: &[u8], #[case] words: &str) {
        let error = DeviceError::from(reply(200, body).json().unwrap_err());
        assert!(matches!(&error, DeviceError::Protocol(text) if text.contains(words)), "{error:?}");
        assert!(error.is_transient());
    }

    #[test]
    fn json_counts_whatever_it_is_called() {
        assert_eq!(reply(200, b" {\"soc\":5} ").json(), Ok(json!({ "soc": 5 })));
    }

    #[rstest]
    #[case(json!({ "soc": 5 }))]
    #[case(json!({ "success": true }))]
    #[case(json!({ "success": "yes" }))]
    fn data(#[case] reply: Value) {
        assert!(matches!(verdict(&reply), Ok(Verdict::Data(_))));
    }

    #[rstest]
    #[case(json!({ "success": false, "data": null }))]
    #[case(json!({ "success": false, "msg": "" }))]
    #[case(json!({ "success": "false", "msg": null, "message": "  " }))]
    fn a_refusal_without_a_word(#[case] reply: Value) {
        assert!(matches!(verdict(&reply), Ok(Verdict::Nothing)));
    }

    #[rstest]
    #[case("please login first")]
    #[case("Session timeout")]
    #[case("UNAUTHORIZED")]
    fn words_of_expiry(#[case] message: &str) {
        let reply = json!({ "success": false, "msg": message });
        assert!(matches!(verdict(&reply), Err(Failure::Expired(Sign::Words))));
    }

    fn refusal(reply: &Value) -> DeviceError {
        match verdict(reply) {
            Ok(Verdict::Refused(error)) => error,
            _ => panic!("not refused"),
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let says = |message: &str| refusal(&json!({ "success": false, "message": message, "msgCode": 17 }));
        for busy in ["DATAFRAME_TIMEOUT", "DEVICE_BUSY", "DATALOG_COMMUNICATION_ERROR"] {
            assert!(matches!(says(busy), DeviceError::Unavailable { words, .. } if words.contains(busy)));
        }
        assert!(matches!(says("DEVICE_ERROR_UNSUPPORT_DEVICE_TYPE"), DeviceError::Unsupported(_)));
        assert!(
            matches!(says("apiBlocked"), DeviceError::Refused { code: 17, words } if words.contains("apiBlocked"))
        );
        assert_eq!(says("notParallel"), DeviceError::Refused { code: 17, words: "notParallel".to_owned() });
    }

    #[test]
    fn a_sentence_of_the_portal_is_not_repeated() {
        let error = refusal(&json!({ "success": false, "msg": "no permission for jane@example.org" }));
        assert!(!error.to_string().contains("jane"));
    }

    #[test]
    fn what_is_no_object_is_no_answer() {
        assert!(matches!(verdict(&json!([1])), Err(Failure::Device(DeviceError::Protocol(_)))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(json) = reply(status, &body).json() {
                let _ = verdict(&json);
            }
        }

        #[test]
        fn no_message_panics_or_leaks_a_sentence(message in "\\PC{0,80}") {
            let sentence = message.trim().contains(' ');
            if let Ok(Verdict::Refused(error)) = verdict(&json!({ "success": false, "msg": message })) {
                prop_assert!(!sentence || !error.to_string().contains(message.trim()));
            }
        }
    }
}
