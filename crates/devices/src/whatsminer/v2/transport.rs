//! One V2 request: a TCP connection, one JSON object out, one reply in. The device acts as soon as the object is
//! complete, answers, and closes.
//!
//! What it must not do: know what a request or a reply means.

use super::super::{
    json::{self, Parsed},
    peer::{Failure, Peer, unreachable},
};
use crate::{DeviceError, deadline::Deadline};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A reply of some firmware begins with a comma where its opening brace should be.
const JSON_BEGINS: [char; 3] = ['{', '[', ','];

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::whatsminer) enum Body {
    /// A JSON object, or what was left of one.
    Json(Parsed),
    /// Something else.
    Text {
        /// Its first characters, fit for a message.
        words: String,
        /// It is text to the end of its line, as another kind of device may say. Else it may be what is left of JSON.
        is_whole: bool,
    },
    /// The device closed the connection without a byte.
    Empty,
}

/// Sends `request` and reads the reply to its end: a complete JSON object, a NUL byte, the end of the stream, or
/// the deadline, at which what has arrived by then is mended if it can be.
pub(in crate::whatsminer) async fn exchange(
    peer: &Peer,
    request: &[u8],
    doing: &'static str,
    deadline: Deadline,
) -> Result<Body, Failure> {
    let (deadline, limit) = (peer.request(deadline), peer.reply_limit());
    let mut stream = peer.connect(deadline).await.map_err(Failure::NotSent)?;
    deadline
        .limit(doing, stream.write_all(request))
        .await
        .map_err(Failure::NoReply)?
        .map_err(|error| Failure::NoReply(unreachable(&error)))?;
    let mut reply = Vec::new();
    match deadline.limit(doing, read_reply(&mut stream, &mut reply, limit)).await {
        Ok(Err(ReadError::TooLong)) => {
            Err(Failure::NoReply(DeviceError::Protocol(format!("a reply of more than {limit} bytes"))))
        }
        Ok(Err(ReadError::Io(error))) if reply.is_empty() => Err(Failure::NoReply(unreachable(&error))),
        Err(error) if reply.is_empty() => Err(Failure::NoReply(error)),
        // Where a reset or the deadline cut it short, it can be mended, and says more than nothing.
        Ok(Ok(()) | Err(ReadError::Io(_))) | Err(_) => Ok(body(&reply)),
    }
}

#[derive(Debug)]
enum ReadError {
    TooLong,
    Io(io::Error),
}

async fn read_reply(
    stream: &mut (impl AsyncReadExt + Unpin),
    reply: &mut Vec<u8>,
    limit: usize,
) -> Result<(), ReadError> {
    let mut end = EndOfReply::default();
    let mut chunk = [0; 4096];
    loop {
        let length = stream.read(&mut chunk).await.map_err(ReadError::Io)?;
        let received = chunk.get(..length).unwrap_or_default();
        if received.is_empty() {
            return Ok(());
        }
        match received.iter().position(|byte| end.is_after(*byte)) {
            Some(last) => {
                reply.extend_from_slice(received.get(..=last).unwrap_or(received));
                return Ok(());
            }
            None => reply.extend_from_slice(received),
        }
        if reply.len() > limit {
            return Err(ReadError::TooLong);
        }
    }
}

fn body(reply: &[u8]) -> Body {
    let text = String::from_utf8_lossy(reply);
    match json::parse(&text) {
        Some(parsed) => Body::Json(parsed),
        None => match json::plain(&text.replace('\0', "")) {
            words if words.is_empty() => Body::Empty,
            words => Body::Text { words, is_whole: is_whole_line(reply) },
        },
    }
}

fn is_whole_line(reply: &[u8]) -> bool {
    let ends = reply.last().is_some_and(|byte| matches!(byte, b'\n' | 0));
    let text = std::str::from_utf8(reply).ok();
    let text = text.map(|text| text.trim_start_matches(|c: char| c == '\0' || c.is_whitespace()));
    ends && text.is_some_and(|text| !text.starts_with(JSON_BEGINS))
}

/// Finds the end of a reply by counting braces outside strings. Text that doesn't begin like JSON ends with its
/// first line.
#[derive(Debug, Default)]
struct EndOfReply {
    depth: usize,
    started: bool,
    is_json: bool,
    in_string: bool,
    escaped: bool,
}

impl EndOfReply {
    /// Takes the next byte; whether the reply is complete with it.
    fn is_after(&mut self, byte: u8) -> bool {
        if byte == 0 {
            // NULs before the reply are padding; after its beginning one ends it.
            return self.started;
        }
        if !self.started {
            if byte.is_ascii_whitespace() {
                return false;
            }
            self.started = true;
            self.is_json = JSON_BEGINS.contains(&char::from(byte));
            self.depth = 1;
            return false;
        }
        if !self.is_json {
            return byte == b'\n';
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn end_of(bytes: &[u8]) -> Option<usize> {
        let mut end = EndOfReply::default();
        bytes.iter().position(|byte| end.is_after(*byte)).map(|last| last + 1)
    }

    #[rstest]
    #[case(br#"{"a":1}"#, Some(7))]
    #[case(br#" {"a":{"b":[1]}}{"c":2}"#, Some(16))]
    #[case(br#"{"a":"}\"}"}"#, Some(12))]
    #[case(br#","a":{}}"#, Some(8))]
    #[case(b"{\"a\":\0", Some(6))]
    #[case(b"\0{}", Some(3))]
    #[case(br#"{"a":1"#, None)]
    #[case(b"HTTP/1.1 400 {}\r\n\r\n", Some(17))]
    #[case(b"Socket connect failed: Connection refused\n\0", Some(42))]
    #[case(b"busy", None)]
    fn a_reply_ends_where_its_object_ends(#[case] bytes: &[u8], #[case] expected: Option<usize>) {
        assert_eq!(end_of(bytes), expected);
    }

    #[rstest]
    #[case(b"HTTP/1.1 400 Bad Request\r\n", true)]
    #[case(b"\0busy\0", true)]
    #[case(b"Socket connect fai", false)]
    #[case(b"{{\n", false)]
    #[case(b"\xff\xfe\n", false)]
    fn only_a_line_to_its_end_is_whole(#[case] reply: &[u8], #[case] expected: bool) {
        assert!(
            matches!(body(reply), Body::Text { is_whole, .. } if is_whole == expected),
            "{:?}",
            body(reply)
        );
    }

    #[tokio::test]
    async fn a_reply_is_capped() {
        let endless = vec![b'{'; 9000];
        let outcome = read_reply(&mut endless.as_slice(), &mut Vec::new(), 4000).await;
        assert!(matches!(outcome, Err(ReadError::TooLong)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = end_of(&bytes);
            let _ = body(&bytes);
        }
    }
}
