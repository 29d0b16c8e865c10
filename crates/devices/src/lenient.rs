//! Typed values out of objects whose types differ from firmware to firmware: a number may be an integer, a float or
//! a string, a boolean anything that says yes or no, and an absent value is absent in several ways.

use serde_json::{Map, Value};

/// A JSON object.
pub(crate) type Object = Map<String, Value>;

/// Longest text that is taken over from a device, in characters.
const TEXT_LIMIT: usize = 200;

/// Look-up in one object, by several spellings of a name. An empty one knows nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(Option<&'a Object>);

impl<'a> Fields<'a> {
    pub(crate) const fn new(object: Option<&'a Object>) -> Self {
        Self(object)
    }

    /// The value under the first of `names` that is there.
    pub(crate) fn value(self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| self.0?.get(*name))
    }

    /// The object under `name`; one that knows nothing if there is none.
    pub(crate) fn inside(self, name: &str) -> Self {
        Self(self.value(&[name]).and_then(Value::as_object))
    }

    /// The first of `names` that holds a finite number other than −1, which means "not available".
    pub(crate) fn number(self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number_of(self.0?.get(*name)?))
    }

    /// The same, for what can't be negative.
    pub(crate) fn quantity(self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number_of(self.0?.get(*name)?).filter(|number| *number >= 0.0))
    }

    /// The same, for what can't be zero either.
    pub(crate) fn positive(self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number_of(self.0?.get(*name)?).filter(|number| *number > 0.0))
    }

    /// A count, rounded down.
    pub(crate) fn count(self, names: &[&str]) -> Option<u64> {
        self.quantity(names).map(|number| number as u64)
    }

    /// The first of `names` that says yes or no.
    pub(crate) fn flag(self, names: &[&str]) -> Option<bool> {
        names.iter().find_map(|name| flag_of(self.0?.get(*name)?))
    }

    /// The first of `names` that holds a text or a number; an empty text is unset.
    pub(crate) fn text(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text_of(self.0?.get(*name)?))
    }
}

/// The object that `value` is, or that is the first element of the array it is.
pub(crate) fn object_of(value: &Value) -> Option<&Object> {
    value.as_object().or_else(|| value.as_array()?.first()?.as_object())
}

/// A finite number other than −1, however it is written.
fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // −1 is exact in every spelling that firmware uses for it.
    (number.is_finite() && (number + 1.0).abs() > f64::EPSILON).then_some(number)
}

/// Yes or no, however it is written.
fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64()? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "y" | "on" | "enable" | "enabled" => Some(true),
            "false" | "0" | "no" | "n" | "off" | "disable" | "disabled" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A text that isn't empty, or a number as text. Stray single quotes around it (a version on firmware of 2020 to
/// 2022) are dropped.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => plain(text.trim().trim_matches('\'')),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A hardware address in lower case with colons, from any of the usual spellings.
pub(crate) fn mac_of(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(|character| !":-. ".contains(*character)).collect();
    let is_address = digits.len() == 12
        && digits.iter().all(char::is_ascii_hexdigit)
        && digits.iter().any(|digit| *digit != '0');
    is_address.then(|| {
        let pairs: Vec<String> =
            digits.chunks(2).map(|pair| pair.iter().collect::<String>().to_ascii_lowercase()).collect();
        pairs.join(":")
    })
}

/// Text from a device, fit for a message: no control characters, of bounded length.
pub(crate) fn plain(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(TEXT_LIMIT)
        .collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_in_any_spelling() {
        for value in [json!(3553), json!(3553.0), json!("3553"), json!(" 3553.0 ")] {
            assert_eq!(number_of(&value), Some(3553.0), "{value}");
        }
        for value in [
            json!(null),
            json!(""),
            json!("--"),
            json!("nan"),
            json!("inf"),
            json!("-inf"),
            json!(-1),
            json!(-1.0),
            json!("-1"),
            json!([1]),
            json!({}),
            json!(true),
        ] {
            assert_eq!(number_of(&value), None, "{value}");
        }
        assert_eq!(number_of(&json!(-7.5)), Some(-7.5));
    }

    #[test]
    fn a_boolean_in_any_spelling() {
        for value in [json!(true), json!("true"), json!("True"), json!(1), json!("1"), json!("enable")] {
            assert_eq!(flag_of(&value), Some(true), "{value}");
        }
        for value in [json!(false), json!("false"), json!(0), json!("0"), json!("disable")] {
            assert_eq!(flag_of(&value), Some(false), "{value}");
        }
        for value in [json!(null), json!(""), json!(2), json!("perhaps"), json!([])] {
            assert_eq!(flag_of(&value), None, "{value}");
        }
    }

    #[test]
    fn an_unusable_value_does_not_hide_a_usable_one() {
        let object = json!({"a": -1, "b": "", "c": "12"});
        let fields = Fields::new(object.as_object());
        assert_eq!(fields.number(&["a", "b", "c"]), Some(12.0));
        assert_eq!(fields.text(&["b", "c"]).as_deref(), Some("12"));
        assert_eq!(Fields::new(None).number(&["a"]), None);
    }

    #[test]
    fn text_is_bounded_and_printable() {
        assert_eq!(text_of(&json!("'20210322.22.REL'")).as_deref(), Some("20210322.22.REL"));
        assert_eq!(text_of(&json!("  ")), None);
        assert_eq!(plain("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(plain(&"x".repeat(5000)).len(), TEXT_LIMIT);
    }
}
