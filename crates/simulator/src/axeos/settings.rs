//! `PATCH /api/system`: settings, all of them or none. What isn't simulated is checked as far as it is a number, and
//! ignored as the firmware ignores what it doesn't know.

use super::{Profile, machine::Machine};
use model::UtcMillis;
use serde_json::{Map, Value};

/// The firmware's buffer.
const LONGEST_BODY: usize = 10_240;

/// Settings that were read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Settings {
    /// MHz.
    frequency: Option<f64>,
    /// mV.
    core_voltage: Option<f64>,
    auto_fan: Option<bool>,
    /// Percent.
    manual_fan: Option<f64>,
    clear_overheat: bool,
}

impl Settings {
    /// Takes the settings up.
    pub(super) fn apply(self, machine: &mut Machine, now: UtcMillis) {
        machine.auto_fan = self.auto_fan.unwrap_or(machine.auto_fan);
        machine.manual_fan = self.manual_fan.unwrap_or(machine.manual_fan);
        let frequency = self.frequency.unwrap_or(machine.frequency);
        let core_voltage = self.core_voltage.unwrap_or(machine.core_voltage);
        machine.set_clock(now, frequency, core_voltage);
        if self.clear_overheat {
            machine.clear_overheat(now);
        }
    }
}

/// Reads settings; the error is the status and the words of the refusal.
pub(super) fn parse(profile: Profile, body: &[u8]) -> Result<Settings, (u16, &'static str)> {
    if body.len() >= LONGEST_BODY {
        return Err((500, "content too long"));
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Err((400, "Invalid JSON")) };
    checked(profile, &members).ok_or((400, "Wrong API input"))
}

fn checked(profile: Profile, members: &Map<String, Value>) -> Option<Settings> {
    let mut settings = Settings::default();
    let old_fan = !profile.is_since(11) && !profile.is_nerd();
    for (name, value) in members {
        match name.as_str() {
            "frequency" => settings.frequency = Some(within(value, 1.0, 65_535.0)?),
            "coreVoltage" => {
                settings.core_voltage = Some(within(value, 1.0, 65_535.0).filter(|mv| mv.fract() == 0.0)?);
            }
            "autofanspeed" => settings.auto_fan = Some(flag(value)?),
            "fanspeed" if old_fan => settings.manual_fan = Some(within(value, 0.0, 100.0)?),
            "manualFanSpeed" if !old_fan => settings.manual_fan = Some(within(value, 0.0, 100.0)?),
            "overheat_mode" => {
                within(value, 0.0, 0.0)?;
                settings.clear_overheat = true;
            }
            _ => {}
        }
    }
    Some(settings)
}

fn within(value: &Value, from: f64, to: f64) -> Option<f64> {
    value.as_f64().filter(|number| (from..=to).contains(number))
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| match value.as_u64()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_nothing() {
        let parse = |text: &str| parse(Profile::Gamma215, text.as_bytes());
        let settings = parse(r#"{"frequency": 490.5, "coreVoltage": 1100, "rainbow": 7}"#).unwrap();
        assert_eq!((settings.frequency, settings.core_voltage), (Some(490.5), Some(1100.0)));
        for (text, status) in [
            (r#"{"frequency": 0}"#, 400),
            (r#"{"frequency": 500, "coreVoltage": "1100"}"#, 400),
            (r#"{"overheat_mode": 1}"#, 400),
            ("[]", 400),
            ("{", 400),
        ] {
            assert_eq!(parse(text).unwrap_err().0, status, "{text}");
        }
        assert_eq!(parse(&" ".repeat(10_240)).unwrap_err(), (500, "content too long"));
    }
}
