//! Any bytes as what a Bitaxe tells of itself.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::info;
use crate::fuzzing::check_reading;

/// A reply to `/api/system/info`.
pub fn axeos(bytes: &[u8]) {
    if let Ok(info) = info::parse(bytes) {
        check_reading(&info.reading, &String::from_utf8_lossy(bytes));
        assert!(info.identity.mac.is_none_or(|mac| mac.len() == 17), "no hardware address");
    }
}
