//! JSON as miners write it: mended where known firmware breaks it, and read without trust in types.

mod repair;

pub(super) use crate::lenient::{Fields, Object, object_of, plain, text_of};
use repair::repair;
use serde_json::Value;

/// A reply that could be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    /// The first JSON value of the text.
    pub(super) value: Value,
    /// It had to be mended first.
    pub(super) repaired: bool,
}

/// Reads the first JSON object or array of `text`, mending what known firmware breaks. `None` if there is none.
pub(super) fn parse(text: &str) -> Option<Parsed> {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    if let Some(value) = first_value(text) {
        return Some(Parsed { value, repaired: false });
    }
    first_value(&repair(text)?).map(|value| Parsed { value, repaired: true })
}

/// Padding, NULs or a second value after the first one are ignored, as the miners themselves do.
fn first_value(text: &str) -> Option<Value> {
    let value = serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}
