//! The members of a JSON object, read tolerantly: the portal leaves members out, writes numbers as text and
//! text where a number belongs, and differs by model, firmware and region. Whatever can't be read is `None`.

use model::Watts;
use serde_json::{Map, Value};

/// A JSON object from the portal.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The object, or `None` if the value is something else.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// A finite number, or text that is one, with or without a percent sign ("58 %").
    pub(super) fn number(self, name: &str) -> Option<f64> {
        let number = match self.0.get(name)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => {
                let text = text.trim();
                text.strip_suffix('%').unwrap_or(text).trim_end().parse().ok()?
            }
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// A whole number.
    pub(super) fn whole(self, name: &str) -> Option<i64> {
        let number = self.number(name)?;
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    }

    /// Power in watts.
    pub(super) fn watts(self, name: &str) -> Option<Watts> {
        Watts::new(self.number(name)?)
    }

    /// Text that isn't blank, without the blanks around it.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        Some(self.0.get(name)?.as_str()?.trim()).filter(|text| !text.is_empty())
    }

    /// A truth value, also as a word or as 0 and 1.
    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(word) if word.eq_ignore_ascii_case("true") => Some(true),
            Value::String(word) if word.eq_ignore_ascii_case("false") => Some(false),
            Value::Number(number) => match number.as_i64()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
            _ => None,
        }
    }

    /// The objects of an array; empty if there is no such array.
    pub(super) fn objects(self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Fields::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!(58), Some(58.0))]
    #[case(json!(58.4), Some(58.4))]
    #[case(json!("58 %"), Some(58.0))]
    #[case(json!("58%"), Some(58.0))]
    #[case(json!(" -1 "), Some(-1.0))]
    #[case(json!(255), Some(255.0))]
    #[case(json!("102.3"), Some(102.3))]
    #[case(json!("--"), None)]
    #[case(json!(""), None)]
    #[case(json!("%"), None)]
    #[case(json!("[0]"), None)]
    #[case(json!("NaN"), None)]
    #[case(json!("inf"), None)]
    #[case(json!("1e999"), None)]
    #[case(json!(null), None)]
    #[case(json!(true), None)]
    #[case(json!([58]), None)]
    fn numbers(#[case] value: Value, #[case] expected: Option<f64>) {
        let reply = json!({ "soc": value });
        assert_eq!(Fields::of(&reply).unwrap().number("soc"), expected);
        assert_eq!(Fields::of(&reply).unwrap().number("other"), None);
    }

    #[rstest]
    #[case(json!(true), Some(true))]
    #[case(json!("False"), Some(false))]
    #[case(json!(1), Some(true))]
    #[case(json!(2), None)]
    #[case(json!(""), None)]
    #[case(json!(null), None)]
    fn flags(#[case] value: Value, #[case] expected: Option<bool>) {
        assert_eq!(Fields::of(&json!({ "lost": value })).unwrap().flag("lost"), expected);
    }
}
