//! Faults that touch a reply's bytes, whatever its protocol.

use super::Faults;
use serde_json::Value;

/// The longest reply that a fault can ask for, bytes.
const LONGEST: usize = 64 * 1024 * 1024;
/// Bytes that no UTF-8 text contains.
const NOT_UTF8: [u8; 3] = [0xFF, 0xC3, 0x28];

/// What a read tells, with the faults of its members: some are left out, and numbers are texts.
pub(super) fn spoil_members(told: &mut Value, faults: &Faults) {
    match told {
        Value::Object(members) => {
            members.retain(|name, _| !faults.left_out.contains(name));
            members.values_mut().for_each(|member| spoil_members(member, faults));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| spoil_members(item, faults)),
        Value::Number(number) if faults.numbers_as_texts => *told = Value::from(number.to_string()),
        _ => {}
    }
}

/// The bytes of a JSON text with the faults in it.
pub(super) fn spoil(text: String, faults: &Faults) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if faults.not_utf8 {
        // Right behind the opening quote of a string that is a value.
        let place = bytes.windows(3).position(|three| three == b"\":\"").map_or(0, |found| found + 3);
        bytes.splice(place..place, NOT_UTF8);
    }
    if let Some(length) = faults.oversize_bytes {
        let missing = length.min(LONGEST).saturating_sub(bytes.len());
        let place = bytes.len().min(1);
        bytes.splice(place..place, std::iter::repeat_n(b' ', missing));
    }
    bytes
}
