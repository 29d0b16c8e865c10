//! `wm_state.json`: what the earlier program remembered over a restart.

use engine::Inherited;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What is taken of it. There may be more.
#[derive(Debug, Deserialize)]
struct Remembered {
    autocontrol: Option<bool>,
    #[serde(default)]
    emergency_active: Option<bool>,
}

/// What this text says.
///
/// # Errors
/// If it isn't JSON of that kind.
pub(super) fn parse(text: &str) -> Result<Inherited, serde_json::Error> {
    // The power went while it was written: what follows its end is no part of it.
    let text = text.trim_end_matches(|last: char| last == '\0' || last.is_whitespace());
    // Values without names, in a list, would be taken for it in their order.
    let names: Map<String, Value> = serde_json::from_str(text)?;
    let Remembered { autocontrol, emergency_active } = serde_json::from_value(Value::Object(names))?;
    Ok(Inherited { auto_control: autocontrol, emergency_latched: emergency_active == Some(true) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        let old =
            r#"{"autocontrol":true,"miner_power_state":"stopped","target_power_pct":60,"last_updated":1}"#;
        let told = parse(old).unwrap();
        assert_eq!(told, Inherited { auto_control: Some(true), emergency_latched: false });
        let new =
            "{\"autocontrol\":false,\"emergency_active\":true,\"emergency_soc\":29,\"more\":[]}\n\0\0\0";
        assert_eq!(parse(new).unwrap(), Inherited { auto_control: Some(false), emergency_latched: true });
        assert_eq!(parse("{}").unwrap(), Inherited::default());
        for broken in ["", "{\"autocontrol\":tr", "[]", "[true]", "{\"autocontrol\":\"yes\"}"] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }
}
