//! What V2 and V3 readings have in common: the values that both spell alike, checked.

use super::json::{self, Fields};
pub(super) use crate::lenient::mac_of;
use model::{Celsius, MinerError, MinerReading, PoolReading, TeraHash, UtcMillis, Watts};
use serde_json::Value;

/// The API takes and tells no limit above this (vendor's API manual V2.0.5). More means "no limit": firmware tells
/// the largest 32-bit integer then.
pub(super) const LARGEST_LIMIT: u32 = 99_999;

/// No device has more boards, pools or simultaneous errors worth keeping.
const LIST_LIMIT: usize = 64;

/// One reading, and what it doesn't say by itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Observation {
    /// `power_percent` and `power_set` are still empty: they depend on what was seen before.
    pub(super) reading: MinerReading,
    /// What the device says about its power percentage.
    pub(super) percent: ToldPercent,
    /// The hardware address of whoever answered, where the replies tell it.
    pub(super) mac: Option<String>,
}

/// A power percentage as a device tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ToldPercent {
    /// This firmware tells none.
    #[default]
    Nothing,
    /// It says that none is in force.
    Unset,
    /// Percent of the power at the present limit; above 100 on liquid-cooled models.
    Set(u8),
}

impl ToldPercent {
    /// 0 stands for "unset", and 100 has no effect.
    pub(super) fn of(number: Option<f64>) -> Self {
        match number.map(f64::round) {
            Some(0.0 | 100.0) => Self::Unset,
            Some(percent) if (1.0..=255.0).contains(&percent) => Self::Set(percent as u8),
            _ => Self::Nothing,
        }
    }
}

/// A power limit that is one: neither the 0 of a mining process that is down nor "none".
pub(super) fn limit_of(watts: Option<f64>) -> Option<Watts> {
    watts.filter(|watts| (1.0..=f64::from(LARGEST_LIMIT)).contains(watts)).and_then(Watts::new)
}

/// A power that was measured.
pub(super) fn power_of(watts: Option<f64>) -> Option<Watts> {
    watts.filter(|watts| *watts >= 0.0).and_then(Watts::new)
}

/// A hash rate in TH/s.
pub(super) fn tera_hash(value: Option<f64>) -> Option<TeraHash> {
    value.and_then(TeraHash::new)
}

/// A chip's temperature; a sensor that isn't read is told as 0.
pub(super) fn chip_temperature(celsius: Option<f64>) -> Option<Celsius> {
    celsius.filter(|celsius| *celsius != 0.0).and_then(Celsius::new)
}

/// A fan's speed.
pub(super) fn rpm(value: Option<f64>) -> Option<u32> {
    value.filter(|rpm| (0.0..=1e6).contains(rpm)).map(|rpm| rpm as u32)
}

/// Seconds since the epoch; 0 means never.
pub(super) fn instant(seconds: Option<f64>) -> Option<UtcMillis> {
    seconds
        .filter(|seconds| (1.0..=1e11).contains(seconds))
        .map(|seconds| UtcMillis((seconds * 1000.0) as i64))
}

/// A model name without underscores.
pub(super) fn model_of(text: &str) -> String {
    text.replace('_', "")
}

/// A list of `{"<code>":"<time>"}` objects, with a `reason` where the firmware gives one. What is none of it (a
/// text saying that the mining process is down) is skipped.
pub(super) fn errors_of(list: Option<&Value>) -> Vec<MinerError> {
    let entries = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut errors = Vec::new();
    for entry in entries.iter().filter_map(Value::as_object) {
        let reason = Fields::new(Some(entry)).text(&["reason"]).unwrap_or_default();
        for (name, time) in entry {
            if let Ok(code) = name.trim().parse() {
                errors.push(error(code, &reason, json::text_of(time)));
            }
        }
    }
    errors.truncate(LIST_LIMIT);
    errors
}

/// One error, with the vendor's words where the miner has none.
pub(super) fn error(code: u32, reason: &str, at: Option<String>) -> MinerError {
    let text = if reason.is_empty() { super::error_codes::meaning(code) } else { reason.to_owned() };
    MinerError { code, text, at }
}

/// The names under which a protocol tells about its pools.
pub(super) struct PoolNames {
    pub(super) url: &'static str,
    pub(super) user: &'static str,
    pub(super) status: &'static str,
    pub(super) active: &'static str,
    pub(super) last_share: &'static str,
}

/// The pools that have an address.
pub(super) fn pools_of<'a>(
    rows: impl IntoIterator<Item = &'a json::Object>,
    names: &PoolNames,
) -> Vec<PoolReading> {
    rows.into_iter()
        .take(LIST_LIMIT)
        .filter_map(|row| {
            let pool = Fields::new(Some(row));
            Some(PoolReading {
                url: pool.text(&[names.url])?,
                user: pool.text(&[names.user]).unwrap_or_default(),
                status: pool.text(&[names.status]).unwrap_or_default().to_lowercase(),
                active: pool.flag(&[names.active]) == Some(true),
                last_share: instant(pool.number(&[names.last_share])),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mac_in_any_spelling() {
        for text in ["C6:07:20:00:AB:1E", "c6-07-20-00-ab-1e", "C6072000AB1E", "c607.2000.ab1e"] {
            assert_eq!(mac_of(text).as_deref(), Some("c6:07:20:00:ab:1e"), "{text}");
        }
        for text in ["", "00:00:00:00:00:00", "c6:07:20", "not a mac add", "c6:07:20:00:ab:1é"] {
            assert_eq!(mac_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_limit_is_never_zero_and_never_endless() {
        assert_eq!(limit_of(Some(0.0)), None);
        assert_eq!(limit_of(Some(f64::from(i32::MAX))), None);
        assert_eq!(limit_of(Some(3500.0)), Some(Watts::whole(3500)));
    }

    #[test]
    fn percentages_as_firmware_tells_them() {
        assert_eq!(ToldPercent::of(Some(0.0)), ToldPercent::Unset);
        assert_eq!(ToldPercent::of(Some(100.0)), ToldPercent::Unset);
        assert_eq!(ToldPercent::of(Some(60.0)), ToldPercent::Set(60));
        assert_eq!(ToldPercent::of(Some(120.0)), ToldPercent::Set(120));
        assert_eq!(ToldPercent::of(Some(1e9)), ToldPercent::Nothing);
        assert_eq!(ToldPercent::of(None), ToldPercent::Nothing);
    }

    #[test]
    fn errors_in_all_known_shapes() {
        let list = json!([
            {"531": "2025-03-12 14:52:35", "reason": "Slot1 not found."},
            {"218": "2025-03-12 14:53:00"},
            "btminer process is down err",
            {"reason": "without a code"},
            7
        ]);
        let errors = errors_of(Some(&list));
        let told: Vec<_> = errors.iter().map(|error| (error.code, error.text.as_str())).collect();
        assert_eq!(told, [(531, "Slot1 not found."), (218, "input below 230 V in high power mode")]);
        assert_eq!(errors[0].at.as_deref(), Some("2025-03-12 14:52:35"));
        assert_eq!(errors_of(None), []);
        assert_eq!(errors_of(Some(&json!("btminer process is down err"))), []);
    }
}
