//! The V2 writes: which firmware has them, and what their parameters mean.

use crate::miner::{
    Profile,
    device::Write,
    machine::{Change, Pace, PowerMode},
};
use serde_json::{Map, Value};

/// The write of this name with these parameters; `None` if this firmware has none.
pub(super) fn parse(profile: Profile, command: &str, params: &Map<String, Value>) -> Option<Write> {
    if profile == Profile::G0 {
        return None;
    }
    let since_v2 = profile != Profile::G1;
    let since_v2_2 = profile == Profile::G3;
    let write = match command {
        "power_off" => match text(params, "respbefore") {
            Some("true" | "false") => Write::Change(Change::Stop { resumes_after_s: None }),
            None if !params.contains_key("respbefore") => {
                Write::Change(Change::Stop { resumes_after_s: None })
            }
            _ => Write::Malformed,
        },
        "power_on" => Write::Change(Change::Start),
        "restart_btminer" => Write::Change(Change::Restart),
        "reboot" => Write::Change(Change::Reboot { seconds: 0.0 }),
        "set_low_power" => Write::Change(Change::Mode(PowerMode::Low)),
        "set_normal_power" => Write::Change(Change::Mode(PowerMode::Normal)),
        "set_high_power" => Write::Change(Change::Mode(PowerMode::High)),
        "set_power_pct" => within(params, "percent", 100)
            .map_or(Write::OutOfRange, |percent| percent_change(percent, Pace::Fast)),
        "set_power_pct_v2" if since_v2 => within(params, "percent", 100)
            .map_or(Write::OutOfRange, |percent| percent_change(percent, Pace::Normal)),
        "adjust_power_limit" if since_v2 => within(params, "power_limit", 99_999)
            .map_or(Write::OutOfRange, |watts| Write::Change(Change::Limit(watts))),
        "adjust_upfreq_speed" if since_v2 => within(params, "upfreq_speed", 9)
            .map_or(Write::OutOfRange, |speed| Write::Change(Change::UpfreqSpeed(speed as u8))),
        "set_power" if since_v2_2 => within(params, "power", 99_999)
            .map_or(Write::OutOfRange, |watts| Write::Change(Change::PowerTarget(watts))),
        "restore_power_pct" if since_v2_2 => Write::Change(Change::RestorePercent),
        "enable_btminer_fast_boot" => Write::Change(Change::FastBoot(true)),
        "disable_btminer_fast_boot" => Write::Change(Change::FastBoot(false)),
        "update_pools" | "set_led" => Write::WithoutEffect,
        "set_poweroff_cool" | "set_fan_zero_speed" if since_v2 => Write::WithoutEffect,
        _ => return None,
    };
    Some(write)
}

fn percent_change(percent: u32, pace: Pace) -> Write {
    Write::Change(Change::Percent { percent: percent as u8, pace })
}

/// A whole number 0 ..= `most`. The manuals have every number as text; firmware isn't known to take anything else.
fn within(params: &Map<String, Value>, key: &str, most: u32) -> Option<u32> {
    let digits = text(params, key)?;
    let number: u32 = digits.parse().ok()?;
    (number <= most).then_some(number)
}

fn text<'a>(params: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    params.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn parse(profile: Profile, command: &str, params: &Value) -> Option<Write> {
        super::parse(profile, command, params.as_object().unwrap())
    }

    #[rstest]
    #[case("adjust_power_limit", json!({ "power_limit": "2400" }), Some(Write::Change(Change::Limit(2400))))]
    #[case("adjust_power_limit", json!({ "power_limit": "100000" }), Some(Write::OutOfRange))]
    #[case("adjust_power_limit", json!({ "power_limit": 2400 }), Some(Write::OutOfRange))]
    #[case("adjust_power_limit", json!({}), Some(Write::OutOfRange))]
    #[case("set_power_pct", json!({ "percent": "101" }), Some(Write::OutOfRange))]
    #[case("set_power_pct", json!({ "percent": "-1" }), Some(Write::OutOfRange))]
    #[case("power_off", json!({ "respbefore": "maybe" }), Some(Write::Malformed))]
    #[case("power_off", json!({}), Some(Write::Change(Change::Stop { resumes_after_s: None })))]
    #[case("frobnicate", json!({}), None)]
    fn parameters_are_checked(#[case] command: &str, #[case] params: Value, #[case] expected: Option<Write>) {
        assert_eq!(parse(Profile::G2, command, &params), expected);
    }

    #[rstest]
    #[case(Profile::G0, "power_off", false)]
    #[case(Profile::G1, "power_off", true)]
    #[case(Profile::G1, "adjust_power_limit", false)]
    #[case(Profile::G1, "set_power_pct_v2", false)]
    #[case(Profile::G2, "set_power", false)]
    #[case(Profile::G3, "set_power", true)]
    fn generations_know_what_they_knew(#[case] profile: Profile, #[case] command: &str, #[case] known: bool) {
        assert_eq!(parse(profile, command, &json!({})).is_some(), known);
    }
}
