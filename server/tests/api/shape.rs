//! Whether a JSON value has the members that scripts rely on, each of its type.

use serde_json::Value;

/// Every member of `members` is in `value`, and of its kind: "flag", "number", "whole", "text", "time" (RFC 3339),
/// "list", "object"; with a question mark it may be null, too.
pub(crate) fn assert_shape(value: &Value, members: &[(&str, &str)]) {
    let object = value.as_object().unwrap_or_else(|| unreachable!("not an object: {value}"));
    for (name, kind) in members {
        let member = object.get(*name).unwrap_or_else(|| unreachable!("{name} is missing in {value}"));
        assert!(is_of(member, kind), "{name} should be {kind}: {member}");
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    if let Some(kind) = kind.strip_suffix('?') {
        return value.is_null() || is_of(value, kind);
    }
    match kind {
        "flag" => value.is_boolean(),
        "number" => value.is_number(),
        "whole" => value.is_u64(),
        "text" => value.is_string(),
        "time" => value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        "list" => value.is_array(),
        "object" => value.is_object(),
        other => unreachable!("{other} is no kind"),
    }
}
