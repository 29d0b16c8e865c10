//! The V2 reads other than `summary`.

use super::{
    envelope::{Body, DEPRECATED, OK},
    summary::{accepted, giga, mega, round, summary},
};
use crate::miner::{
    Profile,
    report::{Report, device_time, mode_name},
};
use serde_json::{Map, Value, json};

/// Mining reads joined with `+` at most: field clients use three.
const MOST_JOINED: usize = 4;

/// What a read says; `None` if this firmware has no such read.
pub(super) fn read(
    profile: Profile,
    command: &str,
    request: &Map<String, Value>,
    report: &Report,
) -> Option<Body> {
    if let Some(mining) = mining_read(profile, command, report) {
        return Some(mining);
    }
    if command.contains('+') {
        return joined(profile, command, report);
    }
    if profile == Profile::G0 {
        return (command == "version").then(cgminer_version);
    }
    let message = match command {
        "status" => status(profile, report),
        "get_version" => version(profile),
        "get_psu" => power_supply(profile, report),
        "get_miner_info" => miner_info(profile, request, report),
        "get_error_code" => error_codes(report),
        _ => return None,
    };
    Some(Body::Daemon { code: OK, message })
}

/// The reads that the daemon has from the mining process.
fn mining_read(profile: Profile, command: &str, report: &Report) -> Option<Body> {
    let body = match command {
        "summary" => summary(profile, report),
        "pools" => pools(profile, report),
        "edevs" | "devs" => boards(profile, report),
        "devdetails" if profile == Profile::G3 => return Some(DEPRECATED),
        "devdetails" => board_details(profile),
        _ => return None,
    };
    let reachable = report.process_up || !profile.forwards_mining_reads();
    Some(if reachable { body } else { Body::MiningDown })
}

/// Several mining reads in one reply. The daemon's own reads can't be joined.
fn joined(profile: Profile, command: &str, report: &Report) -> Option<Body> {
    let names: Vec<&str> = command.split('+').collect();
    if names.len() > MOST_JOINED {
        return None;
    }
    let mut parts = Vec::new();
    for name in names {
        match mining_read(profile, name, report)? {
            Body::MiningDown => return Some(Body::MiningDown),
            body => parts.push((name.to_owned(), body)),
        }
    }
    Some(Body::Joined(parts))
}

fn pools(profile: Profile, report: &Report) -> Body {
    let first = i64::from(profile != Profile::G0);
    let row = |index: i64, name: &str| {
        let active = index == 0;
        let mut pool = json!({
            "POOL": first + index,
            "URL": format!("stratum+tcp://{name}:3333"),
            "Status": "Alive",
            "Priority": index,
            "Quota": 1,
            "Getworks": 1,
            "Accepted": if active { accepted(report) } else { 0 },
            "Rejected": 0,
            "Discarded": 0,
            "Stale": 0,
            "Get Failures": 0,
            "Remote Failures": 0,
            "User": "house.miner",
            "Last Share Time": if active && report.process_up { report.when } else { 0 },
            "Stratum Active": active,
            "Stratum Difficulty": 65536.0,
            "Pool Rejected%": 0.0,
            "Pool Stale%": 0.0,
            "Bad Work": 0,
        });
        let of_generation = if profile == Profile::G3 {
            json!({ "To Remove": false })
        } else {
            json!({
                "Long Poll": "N",
                "Works": 0,
                "Diff1 Shares": 0,
                "Proxy Type": "",
                "Proxy": "",
                "Difficulty Accepted": 0.0,
                "Difficulty Rejected": 0.0,
                "Difficulty Stale": 0.0,
                "Last Share Difficulty": 65536.0,
                "Work Difficulty": 0.0,
                "Has Stratum": true,
                "Stratum URL": name,
                "Best Share": 0,
                "Current Block Height": 0,
                "Current Block Version": 536_870_912,
            })
        };
        if let (Value::Object(pool), Value::Object(more)) = (&mut pool, of_generation) {
            pool.extend(more);
        }
        pool
    };
    let rows = vec![row(0, "pool.example"), row(1, "backup.example")];
    Body::Mining { code: 7, message: "2 Pool(s)".into(), section: "POOLS", rows }
}

fn boards(profile: Profile, report: &Report) -> Body {
    let count = profile.plate().boards;
    let rows = (0..count).map(|slot| board(profile, slot, report)).collect();
    Body::Mining { code: 9, message: format!("{count} ASC(s)"), section: "DEVS", rows }
}

fn board(profile: Profile, slot: u8, report: &Report) -> Value {
    let plate = profile.plate();
    let share = |terahash: f64| terahash / f64::from(plate.boards);
    let chip_data = plate.chip;
    let serial = format!("HB{slot}M0000000000000{slot}");
    if profile == Profile::G3 {
        // The names are still MHS; the unit has become TH/s.
        return json!({
            "Slot": slot,
            "Temperature": round(report.board_c(slot), 2),
            "Chip Frequency": report.frequency_mhz() as u64,
            "MHS av": round(share(report.hash.average), 2),
            "MHS 1m": round(share(report.hash.one_minute), 2),
            "MHS 15m": round(share(report.hash.quarter_hour), 2),
            "HS RT": round(share(report.hash.one_minute), 2),
            "Factory GHS": giga(share(report.hash.rated)),
            "Upfreq Complete": u8::from(report.ramp_finished),
            "Effective Chips": plate.chips_per_board,
            "PCB SN": serial,
            "Chip Data": chip_data,
        });
    }
    let [coolest, mean, hottest] = report.chips_c(slot);
    let mut board = json!({
        "ASC": slot,
        "Slot": slot,
        "Enabled": "Y",
        "Status": if report.process_up { "Alive" } else { "Initialising" },
        "Temperature": round(report.board_c(slot), 2),
        "Chip Frequency": report.frequency_mhz() as u64,
        "MHS av": mega(share(report.hash.average)),
        "MHS 5s": mega(share(report.hash.five_seconds)),
        "MHS 1m": mega(share(report.hash.one_minute)),
        "MHS 5m": mega(share(report.hash.five_minutes)),
        "MHS 15m": mega(share(report.hash.quarter_hour)),
        "HS RT": mega(share(report.hash.five_minutes)),
        "HS Factory": giga(share(report.hash.rated)),
        "Accepted": accepted(report) / u64::from(plate.boards),
        "Rejected": 0,
        "Last Share Pool": 0,
        "Last Share Time": report.when,
        "Upfreq Complete": u8::from(report.ramp_finished),
        "Effective Chips": plate.chips_per_board,
        "PCB SN": serial,
        "Chip Data": chip_data,
        "Chip Temp Min": round(coolest, 2),
        "Chip Temp Avg": round(mean, 2),
        "Chip Temp Max": round(hottest, 2),
        "chip_vol_diff": 8,
    });
    if let (Value::Object(board), Profile::G0 | Profile::G1) = (&mut board, profile) {
        let more = [
            ("Name", json!("SM")),
            ("ID", json!(slot)),
            ("Fan Speed In", json!(report.fan_rpm)),
            ("Fan Speed Out", json!(report.fan_rpm)),
            ("Hardware Errors", json!(0)),
            ("Utility", json!(1.4)),
            ("Diff1 Work", json!(0)),
            ("Last Share Difficulty", json!(65536.0)),
            ("Last Valid Work", json!(report.when)),
            ("Device Hardware%", json!(0.0)),
            ("Device Rejected%", json!(0.0)),
            ("Device Elapsed", json!(report.elapsed_s as u64)),
        ];
        board.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
    board
}

fn board_details(profile: Profile) -> Body {
    let plate = profile.plate();
    let rows = (0..plate.boards)
        .map(|slot| {
            json!({
                "DEVDETAILS": slot,
                "Name": "SM",
                "ID": slot,
                "Driver": "bitmicro",
                "Kernel": "",
                "Model": plate.model,
            })
        })
        .collect();
    Body::Mining { code: 69, message: "Device Details".into(), section: "DEVDETAILS", rows }
}

fn cgminer_version() -> Body {
    let row = json!({ "CGMiner": "4.9.2", "API": Profile::G0.plate().v2_api });
    Body::Mining { code: 22, message: "CGMiner versions".into(), section: "VERSION", rows: vec![row] }
}

/// The daemon's own view of the service: it answers while the mining process is down.
fn status(profile: Profile, report: &Report) -> Value {
    let off = (!report.service_on).to_string();
    let firmware = profile.plate().firmware;
    if profile == Profile::G1 {
        return json!({ "btmineroff": off, "Firmware Version": format!("'{firmware}'") });
    }
    let mut status = json!({
        "mineroff": off,
        "mineroff_reason": if report.off_since.is_some() { "by whatsminer api" } else { "" },
        "mineroff_time": report.off_since.map(device_time).unwrap_or_default(),
        "FirmwareVersion": firmware,
        "power_mode": "",
        "hash_percent": "",
    });
    if let (Value::Object(status), Profile::G2V3 | Profile::G3) = (&mut status, profile) {
        let limit = if report.limit_set_w == 0 { String::new() } else { report.limit_set_w.to_string() };
        status.insert("power_limit_set".into(), json!(limit));
        status.insert("power_mode".into(), json!(mode_name(report.mode)));
        status.insert("hash_percent".into(), json!("0"));
        if profile == Profile::G3 {
            status.insert("fast_mining".into(), json!("false"));
            status.insert("fast_hash".into(), json!("false"));
            status.insert("power_pct".into(), json!(report.percent.unwrap_or(100)));
        }
    }
    status
}

fn version(profile: Profile) -> Value {
    let plate = profile.plate();
    let mut version = json!({ "api_ver": plate.v2_api, "fw_ver": plate.firmware });
    if let (Value::Object(version), false) = (&mut version, profile == Profile::G1) {
        version.insert("platform".into(), json!(plate.platform));
        version.insert("chip".into(), json!(plate.chip));
        if profile == Profile::G3 {
            version.insert("miner_type".into(), json!(plate.model));
        }
    }
    version
}

/// All texts: `iin` in mA, `vin` in 10 mV, `pin` in W, `fan_speed` in rpm, `temp0` in °C.
fn power_supply(profile: Profile, report: &Report) -> Value {
    let name = profile.plate().power_supply;
    let (volts, amperes) = report.input();
    let mut supply =
        json!({ "name": name, "hw_version": "V01.00", "sw_version": "V01.00.V01.03", "model": name });
    let Value::Object(members) = &mut supply else { return supply };
    if profile == Profile::G1 {
        return supply;
    }
    let mut add = |key: &str, value: String| members.insert(key.to_owned(), Value::String(value));
    add("iin", format!("{:.0}", amperes * 1e3));
    add("vin", format!("{:.0}", volts * 1e2));
    add("fan_speed", if report.process_up { "6816".into() } else { "0".into() });
    add("version", "-1".into());
    add("serial_no", "PS0000000000001".into());
    if profile == Profile::G2 {
        // The manual's own spelling.
        add("vender", "7".into());
    } else {
        add("vendor", "7".into());
        add("pin", format!("{:.0}", report.power_w));
        add("temp0", format!("{:.1}", report.air_c + 9.0));
    }
    supply
}

fn miner_info(profile: Profile, request: &Map<String, Value>, report: &Report) -> Value {
    let mut info = json!({
        "ip": "192.0.2.20",
        "proto": "dhcp",
        "netmask": "255.255.255.0",
        "gateway": "192.0.2.1",
        "dns": "192.0.2.1",
        "hostname": "WhatsMiner",
        "mac": report.mac,
        "ledstat": "auto",
        "minersn": "MS00000000000001",
        "powersn": "PS0000000000001",
    });
    if let Value::Object(info) = &mut info {
        if profile == Profile::G3 {
            info.insert("upfreq_speed".into(), json!(report.upfreq_speed.to_string()));
        }
        if let Some(wanted) = request.get("info").and_then(Value::as_str) {
            info.retain(|key, _| wanted.split(',').any(|name| name.trim() == key));
        }
    }
    info
}

fn error_codes(report: &Report) -> Value {
    let at = device_time(report.when);
    let codes: Vec<Value> = report.errors.iter().map(|code| json!({ code.to_string(): at })).collect();
    json!({ "error_code": codes })
}
