//! The V3 reads: nobody needs a password for them. Hash rates are in TH/s throughout.

use super::Body;
use crate::miner::{
    Profile,
    report::{Report, device_time, mode_name},
};
use serde_json::{Map, Value, json};

/// What a device says instead of its mining data while the mining process is down.
const PROCESS_DOWN: &str = "btminer process is down err";

/// What a read says; `None` if there is no such read.
pub(super) fn read(
    profile: Profile,
    command: &str,
    param: Option<&Value>,
    salt: &str,
    report: &Report,
) -> Option<Body> {
    Some(match command {
        "get.device.info" => device_info(profile, param, salt, report),
        "get.miner.status" => status(profile, param, report),
        "get.miner.setting" => Body::success(setting(profile, report)),
        "get.system.setting" => Body::success(json!({
            "web-pool": 1,
            "timezone": "UTC",
            "zonename": "UTC",
            "hostname": "WhatsMiner",
            "time-randomized": { "start": 0, "stop": 0 },
            "ntp-server": ["0.pool.example", "1.pool.example", "2.pool.example", "3.pool.example"],
        })),
        "get.fan.setting" => {
            Body::success(json!({ "fan-poweroff-cool": 0, "fan-zero-speed": 0, "fan-temp-offset": 0 }))
        }
        _ => return None,
    })
}

/// All of the device, or the one part that is asked for.
fn device_info(profile: Profile, param: Option<&Value>, salt: &str, report: &Report) -> Body {
    let parts = ["network", "miner", "system", "power", "salt", "error-code"];
    let part = |name: &str| match name {
        "network" => json!({
            "ip": "192.0.2.20",
            "proto": "dhcp",
            "netmask": "255.255.255.0",
            "dns": "192.0.2.1",
            "mac": report.mac,
            "gateway": "192.0.2.1",
            "hostname": "WhatsMiner",
        }),
        "miner" => miner(profile, report),
        "system" => json!({
            "api": profile.plate().v3_api,
            "platform": profile.plate().platform,
            "fwversion": profile.plate().firmware,
            "control-board-version": "CB6V9",
            "btrom": "1",
            "apiswitch": if report.writes_enabled { "1" } else { "0" },
            "ledstatus": "auto",
        }),
        "power" => power_supply(profile, report),
        "salt" => json!(salt),
        _ => error_codes(profile, report),
    };
    let wanted: Vec<&str> = match param {
        None => parts.to_vec(),
        Some(param) => match param.as_str().filter(|name| parts.contains(name)) {
            Some(name) => vec![name],
            None => return Body::fail("fail"),
        },
    };
    Body::success(wanted.into_iter().map(|name| (name.to_owned(), part(name))).collect::<Map<_, _>>())
}

fn miner(profile: Profile, report: &Report) -> Value {
    let plate = profile.plate();
    let board_rating = (report.hash.rated * 1e3 / f64::from(plate.boards)).round() as u64;
    let ratings = vec![board_rating.to_string(); usize::from(plate.boards)].join(":");
    let mut miner = Map::new();
    let mut add = |key: String, value: Value| {
        miner.insert(key, value);
    };
    for slot in 0..plate.boards {
        add(format!("chipdata{slot}"), json!(plate.chip));
        add(format!("pcbsn{slot}"), json!(format!("HB{slot}M0000000000000{slot}")));
    }
    for (key, value) in [
        ("working", json!(report.service_on.to_string())),
        ("type", json!(plate.model)),
        ("hash-board", json!(plate.model.rsplit('V').next().unwrap_or_default())),
        ("detect-hash-rate", json!(ratings)),
        ("cointype", json!("BTC/BCH/BSV")),
        ("pool-strategy", json!("FAILOVER")),
        ("heatmode", json!("")),
        ("hash-percent", json!("0")),
        ("eeprom-liquid-cooling", json!("0-0-0")),
        ("fast-boot", json!(on_off(report.fast_boot))),
        ("board-num", json!(plate.boards.to_string())),
        ("miner-sn", json!("MS00000000000001")),
        ("power-limit-set", json!(report.limit_set_w.to_string())),
        ("web-pool", json!(1)),
    ] {
        add(key.to_owned(), value);
    }
    Value::Object(miner)
}

fn power_supply(profile: Profile, report: &Report) -> Value {
    let name = profile.plate().power_supply;
    let (volts, amperes) = report.input();
    let mode = match mode_name(report.mode) {
        "low" => "0",
        "high" => "2",
        _ => "1",
    };
    json!({
        "type": name,
        "mode": mode,
        "hwversion": "RT0161",
        "swversion": "230411.220806",
        "model": name,
        "iin": amperes,
        "vin": volts,
        "vout": 1212,
        "pin": report.power_w.round() as u64,
        "fanspeed": if report.process_up { 6528 } else { 0 },
        "temp0": report.air_c + 9.0,
        "sn": "PS0000000000001",
        "vendor": "1",
    })
}

/// The reason text came with API 3.0.1.
fn error_codes(profile: Profile, report: &Report) -> Value {
    let at = device_time(report.when);
    let entry = |code: &u32| match profile {
        Profile::G3 => json!({ code.to_string(): at, "reason": format!("Reason of {code}.") }),
        _ => json!({ code.to_string(): at }),
    };
    report.errors.iter().map(entry).collect()
}

/// The mining data. The parameter names the parts, joined with `+`, and can't be left out.
fn status(profile: Profile, param: Option<&Value>, report: &Report) -> Body {
    let Some(param) = param.and_then(Value::as_str) else { return Body::invalid_item("param item is null") };
    if !report.process_up {
        // Seen both as a failure and, in the place of the object, as a success.
        return Body { code: if profile == Profile::G3 { 0 } else { -1 }, message: PROCESS_DOWN.into() };
    }
    let mut parts = Map::new();
    for name in param.split('+') {
        let part = match name {
            "summary" => summary(report),
            "pools" => pools(report),
            "edevs" => boards(profile, report),
            _ => return Body::fail("fail"),
        };
        parts.insert(name.to_owned(), part);
    }
    Body::success(parts)
}

fn summary(report: &Report) -> Value {
    let ([coolest, ..], [_, mean, _], [.., hottest]) =
        (report.chips_c(0), report.chips_c(1), report.chips_c(2));
    json!({
        "elapsed": report.elapsed_s as u64,
        "bootup-time": report.uptime_s as u64,
        "freq-avg": report.frequency_mhz() as u64,
        "target-freq": 0,
        "factory-hash": report.hash.rated,
        "hash-average": report.hash.average,
        "hash-1min": report.hash.one_minute,
        "hash-15min": report.hash.quarter_hour,
        "hash-realtime": report.hash.five_seconds,
        "power-rate": report.power_rate(),
        "power-5min": report.power_five_minutes_w,
        "power-realtime": report.power_now_w.round() as u64,
        "environment-temperature": report.air_c,
        "board-temperature": [report.board_c(0), report.board_c(1), report.board_c(2)],
        "chip-temp-min": coolest,
        "chip-temp-avg": mean,
        "chip-temp-max": hottest,
        "power-limit": report.limit_w,
        "up-freq-finish": u8::from(report.ramp_finished),
        "fan-speed-in": report.fan_rpm,
        "fan-speed-out": report.fan_rpm,
    })
}

fn pools(report: &Report) -> Value {
    let pool = |id: u8, name: &str| {
        json!({
            "id": id,
            "url": format!("stratum+tcp://{name}:3333"),
            "status": "alive",
            "account": "house.miner",
            "stratum-active": id == 1,
            "reject-rate": 0,
            "last-share-time": if id == 1 { report.when } else { 0 },
        })
    };
    json!([pool(1, "pool.example"), pool(2, "backup.example")])
}

fn boards(profile: Profile, report: &Report) -> Value {
    let plate = profile.plate();
    let share = |terahash: f64| terahash / f64::from(plate.boards);
    let board = |slot: u8| {
        let [coolest, mean, hottest] = report.chips_c(slot);
        json!({
            "id": slot,
            "slot": slot,
            "hash-average": share(report.hash.average),
            "factory-hash": share(report.hash.rated),
            "freq": report.frequency_mhz() as u64,
            "effective-chips": plate.chips_per_board,
            "chip-temp-min": coolest,
            "chip-temp-avg": mean,
            "chip-temp-max": hottest,
        })
    };
    (0..plate.boards).map(board).collect()
}

fn setting(profile: Profile, report: &Report) -> Value {
    let mut setting = json!({
        "power-limit": report.limit_set_w,
        "upfreq-speed": report.upfreq_speed,
        "power-mode": mode_name(report.mode),
        "fast-boot": on_off(report.fast_boot),
        "target-freq": 0,
        "fast-mining": "disable",
        "power": report.power_target_w,
        "power-percent": report.percent.unwrap_or(0),
    });
    if let (Value::Object(setting), Profile::G3) = (&mut setting, profile) {
        setting.insert("fast-hash".into(), json!(0));
    }
    setting
}

fn on_off(on: bool) -> &'static str {
    if on { "enable" } else { "disable" }
}
