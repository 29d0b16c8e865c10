//! V3 frames: the length of the body as four bytes, little-endian, then the body in JSON. A length of zero is a
//! heartbeat and means nothing (WhatsMiner API manual V3.0.0).
//!
//! What it must not do: know what a request or a reply means.

use super::super::{
    json::{self, Fields, Parsed},
    peer::unreachable,
};
use crate::DeviceError;
use serde_json::Value;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A reply.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::whatsminer) struct Reply {
    /// 0 is success.
    pub(in crate::whatsminer) code: i64,
    /// The device's clock, Unix seconds.
    pub(in crate::whatsminer) when: Option<u64>,
    /// The payload, or words.
    pub(in crate::whatsminer) message: Value,
    /// It had to be mended before it could be read.
    pub(in crate::whatsminer) repaired: bool,
}

/// `body` as it goes over the wire.
pub(in crate::whatsminer) fn frame(body: &str) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), body.as_bytes()].concat()
}

/// Why no reply could be read.
#[derive(Debug)]
pub(in crate::whatsminer) enum ReadError {
    /// The connection ended before the first byte of a reply.
    Closed(io::Error),
    /// Anything else.
    Other(DeviceError),
}

impl ReadError {
    pub(in crate::whatsminer) fn into_error(self) -> DeviceError {
        match self {
            Self::Closed(error) => unreachable(&error),
            Self::Other(error) => error,
        }
    }
}

/// Reads the reply to `command`, of `limit` bytes at the most. Heartbeats are skipped, and reports that the device sends
/// unasked.
pub(in crate::whatsminer) async fn read_reply(
    stream: &mut (impl AsyncRead + Unpin),
    command: &str,
    limit: usize,
) -> Result<Reply, ReadError> {
    loop {
        let mut header = [0; 4];
        stream.read_exact(&mut header).await.map_err(ReadError::Closed)?;
        let length = u32::from_le_bytes(header) as usize;
        if length == 0 {
            continue;
        }
        if length > limit {
            return Err(ReadError::Other(match std::str::from_utf8(&header) {
                // No length: another protocol is spoken there.
                Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    DeviceError::WrongDevice(format!("its answer begins with {text:?}"))
                }
                _ => DeviceError::Protocol(format!("a frame of {length} bytes")),
            }));
        }
        let mut body = Vec::new();
        let received = (&mut *stream).take(length as u64).read_to_end(&mut body).await;
        // A frame cut short says more than nothing.
        if body.is_empty() {
            let error = received.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into());
            return Err(ReadError::Other(unreachable(&error)));
        }
        if let Some(reply) = reply_of(&body, command)? {
            return Ok(reply);
        }
    }
}

/// The reply in a body; `None` if it is an unasked report.
fn reply_of(body: &[u8], command: &str) -> Result<Option<Reply>, ReadError> {
    let text = String::from_utf8_lossy(body);
    let protocol = |words: String| ReadError::Other(DeviceError::Protocol(words));
    let Parsed { value, repaired } =
        json::parse(&text).ok_or_else(|| protocol(format!("no JSON, but: {}", json::plain(&text))))?;
    let fields = Fields::new(value.as_object());
    let description = fields.text(&["desc"]);
    if description.as_deref() == Some("get.miner.report") && command != "get.miner.report" {
        return Ok(None);
    }
    // −1 is a code here, not an absent value.
    let code = fields.value(&["code"]).and_then(|code| match code {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    });
    Ok(Some(Reply {
        code: code.ok_or_else(|| protocol("a reply without a code".to_owned()))?,
        when: fields.count(&["when"]),
        message: fields.value(&["msg"]).cloned().unwrap_or(Value::Null),
        repaired,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const LIMIT: usize = 1 << 20;

    async fn read(bytes: &[u8]) -> Result<Reply, ReadError> {
        read_reply(&mut &*bytes, "get.device.info", LIMIT).await
    }

    #[test]
    fn a_request_is_framed() {
        let body = r#"{"cmd":"get.device.info"}"#;
        let framed = frame(body);
        assert_eq!(framed[..4], [0x19, 0, 0, 0]);
        assert_eq!(&framed[4..], body.as_bytes());
    }

    #[tokio::test]
    async fn heartbeats_and_reports_are_skipped() {
        let report = r#"{"code":0,"when":1,"msg":{"summary":{}},"desc":"get.miner.report"}"#;
        let reply = r#"{"code":0,"when":1700000000,"msg":{"salt":"px5hoXa9"},"desc":"get.device.info"}"#;
        let bytes = [&[0; 8], frame(report).as_slice(), &[0; 4], &frame(reply)].concat();
        let reply = read(&bytes).await.unwrap();
        assert_eq!((reply.code, reply.when), (0, Some(1_700_000_000)));
        assert_eq!(reply.message, json!({"salt": "px5hoXa9"}));
    }

    #[tokio::test]
    async fn codes_below_zero_are_codes() {
        for (body, code) in [(r#"{"code":-1,"msg":"fail"}"#, -1), (r#"{"code":"-4"}"#, -4)] {
            assert_eq!(read(&frame(body)).await.unwrap().code, code);
        }
    }

    #[tokio::test]
    async fn a_reply_is_capped() {
        let mut bytes = (u32::try_from(LIMIT).unwrap() + 1).to_le_bytes().to_vec();
        bytes.resize(100, b'x');
        assert!(matches!(read(&bytes).await, Err(ReadError::Other(DeviceError::Protocol(_)))));
        let http = read(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap_err().into_error();
        assert_eq!(http.to_string(), "another device answers there: its answer begins with \"HTTP\"");
    }

    #[tokio::test]
    async fn a_cut_frame_is_mended() {
        let whole = r#"{"code":0,"when":1,"msg":{"miner":{"working":"true","type":"M60S_VK30"}},"desc":"x"}"#;
        let bytes = frame(whole);
        let reply = read(&bytes[..bytes.len() - 20]).await.unwrap();
        assert!(reply.repaired);
        assert_eq!(reply.message.pointer("/miner/working"), Some(&json!("true")));
        assert!(matches!(read(&bytes[..2]).await, Err(ReadError::Closed(_))));
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>, text in "\\PC{0,60}") {
            let _ = reply_of(&body, "get.device.info");
            let _ = reply_of(format!("{{\"code\":{text}}}").as_bytes(), "x");
        }
    }
}
