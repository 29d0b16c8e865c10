//! V3 replies to one reading. Pure: what wasn't answered comes in as an object that knows nothing. Hash rates are
//! in TH/s throughout.

use super::super::{
    json::{Fields, Object},
    reading::{
        self, Observation, PoolNames, ToldPercent, chip_temperature, limit_of, mac_of, power_of, rpm,
        tera_hash,
    },
};
use model::{Celsius, MinerIdentity, MinerReading};
use serde_json::Value;

const POOL_NAMES: PoolNames = PoolNames {
    url: "url",
    user: "account",
    status: "status",
    active: "stratum-active",
    last_share: "last-share-time",
};

/// What a poll brought in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replies<'a> {
    /// `get.device.info`.
    pub(super) info: Fields<'a>,
    /// `get.miner.status`; knows nothing while the mining process is down.
    pub(super) status: Fields<'a>,
    /// `get.miner.setting`.
    pub(super) setting: Fields<'a>,
}

pub(super) fn observation(replies: &Replies<'_>) -> Observation {
    let Replies { info, status, setting } = *replies;
    let (miner, power) = (info.inside("miner"), info.inside("power"));
    let summary = status.inside("summary");
    let now = power_of(summary.number(&["power-realtime"]));
    // Where the mining process tells nothing or 0, the supply's own measurement is nearer to the truth.
    let at_the_supply = power_of(power.number(&["pin"])).filter(|_| now.is_none_or(|now| now.get() <= 0.0));
    Observation {
        percent: ToldPercent::of(setting.number(&["power-percent"])),
        mac: mac(info),
        reading: MinerReading {
            service_on: miner.flag(&["working"]),
            power: at_the_supply.or(now).or(power_of(summary.number(&["power-5min"]))),
            hash_rate: tera_hash(summary.quantity(&["hash-realtime", "hash-1min", "hash-15min"])),
            hash_rate_average: tera_hash(summary.quantity(&["hash-average"])),
            hash_rate_rated: tera_hash(summary.positive(&["factory-hash"])),
            power_limit: limit_of(summary.number(&["power-limit"]))
                .or(limit_of(setting.number(&["power-limit"])))
                .or(limit_of(miner.number(&["power-limit-set"]))),
            ramp_finished: summary.flag(&["up-freq-finish"]),
            elapsed_seconds: summary.count(&["elapsed"]),
            uptime_seconds: summary.count(&["bootup-time"]),
            ambient: summary.number(&["environment-temperature"]).and_then(Celsius::new),
            chip_max: chip_temperature(summary.number(&["chip-temp-max"])),
            chip_average: chip_temperature(summary.number(&["chip-temp-avg"])),
            fan_in_rpm: rpm(summary.number(&["fan-speed-in"])),
            fan_out_rpm: rpm(summary.number(&["fan-speed-out"])),
            power_mode: setting.text(&["power-mode"]).map(|mode| mode.to_lowercase()).or(mode_of(power)),
            writes_enabled: info.inside("system").flag(&["apiswitch"]),
            errors: reading::errors_of(info.value(&["error-code"])),
            pools: reading::pools_of(pool_rows(status), &POOL_NAMES),
            ..MinerReading::default()
        },
    }
}

fn pool_rows(status: Fields<'_>) -> impl Iterator<Item = &Object> {
    status.value(&["pools"]).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn mode_of(power: Fields<'_>) -> Option<String> {
    let mode = match power.count(&["mode"])? {
        0 => "low",
        1 => "normal",
        2 => "high",
        _ => return None,
    };
    Some(mode.to_owned())
}

fn mac(info: Fields<'_>) -> Option<String> {
    info.inside("network").text(&["mac"]).and_then(|mac| mac_of(&mac))
}

/// Who it is, from `get.device.info`; `None` if that isn't a WhatsMiner's.
pub(super) fn identity(info: Fields<'_>) -> Option<MinerIdentity> {
    let (miner, system) = (info.inside("miner"), info.inside("system"));
    let model = miner.text(&["type"]);
    let firmware = system.text(&["fwversion"]);
    if model.is_none() && firmware.is_none() {
        return None;
    }
    Some(MinerIdentity {
        mac: mac(info),
        model: model.map(|model| reading::model_of(&model)),
        firmware,
        serial: miner.text(&["miner-sn"]),
        api: system.text(&["api"]).map_or_else(|| "V3".to_owned(), |api| format!("V3 {api}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{TeraHash, Watts};
    use proptest::prelude::*;
    use serde_json::json;

    fn info() -> Value {
        json!({
            "network": {"ip":"192.0.2.77","mac":"C6:07:20:00:AB:1E"},
            "miner": {"working":"true","type":"M60S_VK30","miner-sn":"","power-limit-set":"2147483647"},
            "system": {"api":"3.0.3","fwversion":"20251103.11.Rel","apiswitch":"1"},
            "power": {"mode":"1","pin":3301,"vin":221.0,"fanspeed":"6300"},
            "salt": "Ab3dEf9h",
            "error-code": [{"2010":"2025-12-01 08:00:00","reason":"All pools are disable."}]
        })
    }

    fn status() -> Value {
        json!({"summary": {"elapsed":2471,"bootup-time":"2600","hash-average":120.5,"hash-1min":121.0,
            "hash-realtime":"121.5","factory-hash":122.0,"power-realtime":3290,"power-5min":3280.5,
            "power-limit":3400,"up-freq-finish":1,"environment-temperature":24.5,"chip-temp-max":95.5,
            "chip-temp-avg":88.0,"fan-speed-in":4980,"fan-speed-out":5070},
            "pools": [{"id":1,"url":"stratum+tcp://one.example:3333","status":"alive","account":"home.1",
            "stratum-active":true,"last-share-time":1_700_000_000}]})
    }

    fn read(info: &Value, status: &Value, setting: &Value) -> Observation {
        let [info, status, setting] = [info, status, setting].map(|value| Fields::new(value.as_object()));
        observation(&Replies { info, status, setting })
    }

    #[test]
    fn a_running_miner() {
        let setting = json!({"power-limit":3400,"power-mode":"Normal","power-percent":0});
        let seen = read(&info(), &status(), &setting);
        let reading = &seen.reading;
        assert_eq!(seen.percent, ToldPercent::Unset);
        assert_eq!(reading.service_on, Some(true));
        assert_eq!(reading.power, Some(Watts::whole(3290)));
        assert_eq!(reading.hash_rate, TeraHash::new(121.5));
        assert_eq!(reading.power_limit, Some(Watts::whole(3400)));
        assert_eq!(reading.ramp_finished, Some(true));
        assert_eq!((reading.elapsed_seconds, reading.uptime_seconds), (Some(2471), Some(2600)));
        assert_eq!(reading.power_mode.as_deref(), Some("normal"));
        assert_eq!(reading.writes_enabled, Some(true));
        assert_eq!(
            (reading.errors[0].code, reading.errors[0].text.as_str()),
            (2010, "All pools are disable.")
        );
        assert!(reading.pools[0].active);
    }

    #[test]
    fn a_mining_process_that_is_down() {
        let mut info = info();
        info["miner"]["working"] = json!("false");
        info["power"]["pin"] = json!(14);
        info["error-code"] = json!(["btminer process is down err"]);
        let seen = read(&info, &json!("btminer process is down err"), &json!({}));
        assert_eq!(seen.reading.service_on, Some(false));
        assert_eq!(seen.reading.power, Some(Watts::whole(14)), "as the supply measures it");
        assert_eq!(seen.reading.hash_rate, None);
        assert_eq!(seen.reading.power_limit, None, "the largest integer means no limit");
        assert_eq!(seen.reading.errors, []);
        assert_eq!(seen.percent, ToldPercent::Nothing);
    }

    #[test]
    fn a_missing_service_state_is_unknown() {
        assert_eq!(read(&json!({"miner": {}}), &json!({}), &json!({})).reading, MinerReading::default());
    }

    #[test]
    fn identities() {
        let info = info();
        let identity = identity(Fields::new(info.as_object())).unwrap();
        assert_eq!(identity.mac.as_deref(), Some("c6:07:20:00:ab:1e"));
        assert_eq!(identity.model.as_deref(), Some("M60SVK30"));
        assert_eq!(identity.serial, None);
        assert_eq!(identity.api, "V3 3.0.3");
        let other = json!({"hostname": "printer", "system": {"fwversion": ""}});
        assert_eq!(super::identity(Fields::new(other.as_object())), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-z0-9-]{1,8}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_in_any_place_panics(
            place in 0_usize..40,
            value in any_json(),
        ) {
            let (mut info, mut status, mut setting) = (info(), status(), json!({"power-percent": 60}));
            let mut paths = Vec::new();
            for (index, root) in [&info, &status, &setting].into_iter().enumerate() {
                collect_paths(root, String::new(), index, &mut paths);
            }
            let (index, path) = paths[place % paths.len()].clone();
            if let Some(slot) = [&mut info, &mut status, &mut setting][index].pointer_mut(&path) {
                *slot = value;
            }
            let seen = read(&info, &status, &setting);
            prop_assert!(seen.reading.power.is_none_or(|power| power.get() >= 0.0));
            prop_assert!(seen.reading.power_limit.is_none_or(|limit| limit.get() >= 1.0));
            let _ = identity(Fields::new(info.as_object()));
        }
    }

    fn collect_paths(value: &Value, path: String, index: usize, paths: &mut Vec<(usize, String)>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    collect_paths(member, format!("{path}/{name}"), index, paths);
                }
            }
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    collect_paths(item, format!("{path}/{place}"), index, paths);
                }
            }
            _ => {}
        }
        paths.push((index, path));
    }
}
