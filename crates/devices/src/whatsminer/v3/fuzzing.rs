//! Any bytes as what comes over a connection of V3.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::{
    super::json::Fields,
    frame::{ReadError, Reply, read_reply},
    reading::{self, Replies},
};
use crate::{DeviceError, fuzzing::check_reading};
use futures::FutureExt;

const LIMIT: usize = 1 << 16;

/// Frames: heartbeats, reports, and the first reply, which is information, status and setting at once.
pub fn v3(bytes: &[u8]) {
    let mut stream = bytes;
    // Bytes in memory are always there at once.
    let read = read_reply(&mut stream, "get.device.info", LIMIT).now_or_never();
    let reply = match read {
        Some(Ok(reply)) => reply,
        Some(Err(ReadError::Closed(_))) => return,
        Some(Err(ReadError::Other(error))) => {
            let DeviceError::Protocol(words) = error else { return };
            assert!(words.len() < 4096, "a device's words without an end: {} bytes", words.len());
            return;
        }
        None => unreachable!("bytes in memory that one has to wait for"),
    };
    let Reply { message, .. } = reply;
    let fields = Fields::new(message.as_object());
    let seen = reading::observation(&Replies { info: fields, status: fields, setting: fields });
    check_reading(&seen.reading, &message.to_string());
    assert!(seen.mac.is_none_or(|mac| mac.len() == 17), "no hardware address");
    let _ = reading::identity(fields);
}
