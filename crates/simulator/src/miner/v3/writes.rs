//! The V3 writes and what their parameters mean.

use crate::miner::{
    device::Write,
    machine::{Change, Pace, PowerMode},
};
use serde_json::Value;

/// The write of this name with this parameter; `None` if there is none.
pub(super) fn parse(command: &str, param: Option<&Value>) -> Option<Write> {
    let text = param.and_then(Value::as_str);
    let write = match command {
        "set.miner.service" => match text {
            Some("start") => Write::Change(Change::Start),
            Some("stop") => Write::Change(Change::Stop { resumes_after_s: None }),
            Some("restart") => Write::Change(Change::Restart),
            Some("enable" | "disable") => Write::WithoutEffect,
            _ => Write::Malformed,
        },
        "set.miner.power_limit" => whole_number(param, 99_999, Change::Limit),
        "set.miner.power" => whole_number(param, 99_999, Change::PowerTarget),
        "set.miner.upfreq_speed" => whole_number(param, 10, |speed| Change::UpfreqSpeed(speed as u8)),
        "set.miner.power_mode" => match text {
            Some("low") => Write::Change(Change::Mode(PowerMode::Low)),
            Some("normal") => Write::Change(Change::Mode(PowerMode::Normal)),
            Some("high") => Write::Change(Change::Mode(PowerMode::High)),
            _ => Write::Malformed,
        },
        "set.miner.power_percent" => percent(param),
        "set.miner.fastboot" => match text {
            Some("enable") => Write::Change(Change::FastBoot(true)),
            Some("disable") => Write::Change(Change::FastBoot(false)),
            _ => Write::Malformed,
        },
        "set.system.reboot" => Write::Change(Change::Reboot { seconds: 0.0 }),
        "set.system.led" | "set.fan.poweroff_cool" | "set.fan.zero_speed" | "set.fan.temp_offset" => {
            if param.is_some() { Write::WithoutEffect } else { Write::Malformed }
        }
        _ => return None,
    };
    Some(write)
}

/// A JSON number without a fraction, 0 ..= `most`.
fn whole_number(param: Option<&Value>, most: u32, change: impl FnOnce(u32) -> Change) -> Write {
    let Some(number) = param.and_then(Value::as_i64) else { return Write::Malformed };
    match u32::try_from(number) {
        Ok(number) if number <= most => Write::Change(change(number)),
        _ => Write::OutOfRange,
    }
}

/// The percentage is a text: the manual says number, firmware has been seen to read text only.
fn percent(param: Option<&Value>) -> Write {
    let text = |key: &str| param?.get(key)?.as_str();
    let pace = match text("mode") {
        Some("fast") => Pace::Fast,
        Some("normal") => Pace::Normal,
        _ => return Write::Malformed,
    };
    let Some(percent) = text("percent").and_then(|digits| digits.parse::<u8>().ok()) else {
        return Write::Malformed;
    };
    if percent <= 100 { Write::Change(Change::Percent { percent, pace }) } else { Write::OutOfRange }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("set.miner.power_limit", json!(2400), Write::Change(Change::Limit(2400)))]
    #[case("set.miner.power_limit", json!({ "watts": 2400 }), Write::Malformed)]
    #[case("set.miner.power_limit", json!(-1), Write::OutOfRange)]
    #[case("set.miner.power_limit", json!(100_000), Write::OutOfRange)]
    #[case("set.miner.power_percent", json!({ "percent": "60", "mode": "fast" }),
        Write::Change(Change::Percent { percent: 60, pace: Pace::Fast }))]
    #[case("set.miner.power_percent", json!({ "percent": 60, "mode": "fast" }), Write::Malformed)]
    #[case("set.miner.power_percent", json!({ "percent": "101", "mode": "normal" }), Write::OutOfRange)]
    #[case("set.miner.service", json!("stop"), Write::Change(Change::Stop { resumes_after_s: None }))]
    #[case("set.miner.service", json!("halt"), Write::Malformed)]
    fn parameters_are_checked(#[case] command: &str, #[case] param: Value, #[case] expected: Write) {
        assert_eq!(parse(command, Some(&param)), Some(expected));
        assert_eq!(parse(command, None), Some(Write::Malformed));
        assert_eq!(parse("set.miner.mode", Some(&param)), None);
    }
}
