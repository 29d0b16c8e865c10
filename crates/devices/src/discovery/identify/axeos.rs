//! AxeOS and its relatives, by the JSON of their `/api/system/info`.
//!
//! Field names and units are those of ESP-Miner's, NerdOS', Lucky Miner's and ForgeOS' own replies: `hashRate` in GH/s,
//! `power` in W. Any number may be null.

use crate::whatsminer::mac_of;
use model::{TeraHash, Watts, discovery::DeviceKind};
use serde_json::Value;

const GIGA_PER_TERA: f64 = 1000.0;
/// No device of the family hashes more, in GH/s; firmware with a corrupt counter tells millions.
const MOST_GIGA: f64 = 50_000.0;
/// No device of the family draws more, W.
const MOST_WATTS: f64 = 2000.0;
/// Longest text that is taken over from a device, in characters.
const TEXT_LIMIT: usize = 60;

/// A device of the family.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axe {
    pub(super) kind: DeviceKind,
    /// Family and board as far as it tells them, else its chip.
    pub(super) model: String,
    pub(super) chip: String,
    pub(super) mac: Option<String>,
    pub(super) firmware: Option<String>,
    pub(super) hash_rate: Option<TeraHash>,
    pub(super) power: Option<Watts>,
}

/// The device that tells this; `None` if that isn't one of the family.
pub(super) fn recognise(info: &Value) -> Option<Axe> {
    let chip = text(info, "ASICModel")?;
    // Present, though it may be null.
    info.get("hashRate")?;
    let device = text(info, "deviceModel");
    let (kind, model) = match (device, text(info, "minerModel")) {
        (Some(device), _) if device.to_lowercase().starts_with("nerd") => (DeviceKind::NerdAxe, device),
        (_, Some(lucky)) => (DeviceKind::LuckyMiner, lucky),
        (device, None) if info.get("chiptemp1").is_some() => {
            (DeviceKind::BitForge, device.unwrap_or_else(|| chip.clone()))
        }
        (Some(family), None) => match text(info, "boardVersion") {
            Some(board) => (DeviceKind::Bitaxe, format!("{family} {board}")),
            None => (DeviceKind::Bitaxe, family),
        },
        (None, None) => (DeviceKind::Bitaxe, chip.clone()),
    };
    Some(Axe {
        kind,
        model,
        chip,
        mac: text(info, "macAddr").and_then(|mac| mac_of(&mac)),
        firmware: text(info, "version"),
        hash_rate: number(info, "hashRate", MOST_GIGA).and_then(|giga| TeraHash::new(giga / GIGA_PER_TERA)),
        power: number(info, "power", MOST_WATTS).and_then(Watts::new),
    })
}

fn text(info: &Value, name: &str) -> Option<String> {
    let text = match info.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let clean: String = text.chars().filter(|character| !character.is_control()).take(TEXT_LIMIT).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

fn number(info: &Value, name: &str, most: f64) -> Option<f64> {
    info.get(name)?.as_f64().filter(|number| (0.0..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_bitaxe() {
        let axe = recognise(&json!({"deviceModel": "Gamma", "boardVersion": "601", "ASICModel": "BM1370",
            "hashRate": 1104.5, "power": 17.25, "macAddr": "02:AA:00:00:00:11", "version": "v2.9.1"}))
        .unwrap();
        assert_eq!((axe.kind, axe.model.as_str()), (DeviceKind::Bitaxe, "Gamma 601"));
        assert_eq!(axe.mac.as_deref(), Some("02:aa:00:00:00:11"));
        assert_eq!(axe.firmware.as_deref(), Some("v2.9.1"));
        assert_eq!((axe.hash_rate, axe.power), (TeraHash::new(1.1045), Watts::new(17.25)));
    }

    #[rstest]
    #[case(json!({"ASICModel": "BM1366", "hashRate": 480}), DeviceKind::Bitaxe, "BM1366")]
    #[case(json!({"ASICModel": "BM1370", "hashRate": null, "deviceModel": "NerdQAxe++"}), DeviceKind::NerdAxe, "NerdQAxe++")]
    #[case(json!({"ASICModel": "BM1366", "hashRate": 500, "minerModel": "LV07"}), DeviceKind::LuckyMiner, "LV07")]
    #[case(json!({"ASICModel": "BM1368", "hashRate": 500, "chiptemp1": 51, "deviceModel": "Nano"}), DeviceKind::BitForge, "Nano")]
    fn relatives(#[case] info: Value, #[case] kind: DeviceKind, #[case] model: &str) {
        let axe = recognise(&info).unwrap();
        assert_eq!((axe.kind, axe.model.as_str()), (kind, model));
    }

    #[rstest]
    #[case(json!({"name": "AxeOS dashboard", "hashRate": 5}))]
    #[case(json!({"ASICModel": "BM1370"}))]
    #[case(json!({"ASICModel": "", "hashRate": 1}))]
    #[case(json!({"ASICModel": {}, "hashRate": 1}))]
    #[case(json!(["ASICModel", "hashRate"]))]
    #[case(json!("ASICModel hashRate"))]
    fn what_is_none(#[case] info: Value) {
        assert_eq!(recognise(&info), None);
    }

    #[test]
    fn what_cannot_be_is_unknown() {
        let axe = recognise(&json!({"ASICModel": "BM1370", "hashRate": 244_000.0, "power": -3,
            "macAddr": "00:00:00:00:00:00", "version": "\u{1b}[31m"}))
        .unwrap();
        assert_eq!((axe.hash_rate, axe.power, axe.mac), (None, None, None));
        assert_eq!(axe.firmware.as_deref(), Some("[31m"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}", number: f64) {
            let _ = recognise(&json!({"ASICModel": text, "hashRate": number, "deviceModel": text, "power": number}));
        }
    }
}
