//! The V2 `summary` of every generation: its fields, units and types.

use super::envelope::{Body, OK};
use crate::miner::{Profile, machine::PowerMode, report::Report};
use serde_json::{Map, Value, json};

/// Hashes of one share of difficulty 1.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;

/// What `summary` says.
pub(super) fn summary(profile: Profile, report: &Report) -> Body {
    let row = match profile {
        Profile::G0 => g0(report),
        Profile::G1 => g1(profile, report),
        Profile::G2 | Profile::G2V3 => g2(report),
        Profile::G3 => return Body::Daemon { code: OK, message: g3(report) },
    };
    Body::Mining { code: 11, message: "Summary".into(), section: "SUMMARY", rows: vec![row] }
}

/// What every cgminer counts.
fn counters(report: &Report) -> Map<String, Value> {
    let elapsed = report.elapsed_s.floor();
    let difficulty = report.hash.average * 1e12 * elapsed / HASHES_PER_DIFFICULTY;
    members(json!({
        "Elapsed": elapsed as u64,
        "MHS av": mega(report.hash.average),
        "MHS 5s": mega(report.hash.five_seconds),
        "MHS 1m": mega(report.hash.one_minute),
        "MHS 5m": mega(report.hash.five_minutes),
        "MHS 15m": mega(report.hash.quarter_hour),
        "Found Blocks": 0,
        "Getworks": (elapsed / 24.0) as u64,
        "Accepted": accepted(report),
        "Rejected": 0,
        "Hardware Errors": 0,
        "Utility": if elapsed > 0.0 { round(accepted(report) as f64 * 60.0 / elapsed, 2) } else { 0.0 },
        "Discarded": 0,
        "Stale": 0,
        "Get Failures": 0,
        "Remote Failures": 0,
        "Network Blocks": (elapsed / 600.0) as u64,
        "Total MH": round(mega(report.hash.average) * elapsed, 0),
        "Work Utility": 0.0,
        "Difficulty Accepted": round(difficulty, 0),
        "Difficulty Rejected": 0.0,
        "Difficulty Stale": 0.0,
        "Best Share": 731_902_144,
        "Device Hardware%": 0.0,
        "Device Rejected%": 0.0,
        "Pool Rejected%": 0.0,
        "Pool Stale%": 0.0,
        "Last getwork": 0,
    }))
}

/// A stock cgminer knows neither power nor limits.
fn g0(report: &Report) -> Value {
    let mut summary = counters(report);
    summary.extend(members(json!({
        "Temperature": round(report.board_c(2), 2),
        "freq_avg": report.frequency_mhz() as u64,
        "Fan Speed In": report.fan_rpm,
        "Fan Speed Out": report.fan_rpm,
        "Voltage": 1210,
        "Power Current": 248_000,
    })));
    Value::Object(summary)
}

fn g1(profile: Profile, report: &Report) -> Value {
    let plate = profile.plate();
    let [coolest, mean, hottest] = chips(report);
    let (volts, amperes) = report.input();
    let mut summary = counters(report);
    summary.extend(members(json!({
        "HS RT": mega(report.hash.five_minutes),
        "Local Work": (report.elapsed_s * 5800.0) as u64,
        "Temperature": round(report.board_c(2), 2),
        "freq_avg": report.frequency_mhz() as u64,
        "Fan Speed In": report.fan_rpm,
        "Fan Speed Out": report.fan_rpm,
        "Voltage": 1208,
        "Power": report.power_w.round() as u64,
        "Power_RT": report.power_now_w.round() as u64,
        "Power Rate": round(report.power_rate(), 2),
        "Chip Data": plate.chip,
        "Power Current": round(report.power_w / 12.08, 6),
        "Power Fanspeed": if report.process_up { 7320 } else { 0 },
        "Uptime": report.uptime_s as u64,
        "Security Mode": 0,
        "Liquid Cooling": false,
        "Hash Stable": report.ramp_finished,
        "Hash Stable Cost Seconds": report.stable_cost_s as u64,
        "Hash Deviation%": 0.0124,
        "Target Freq": 650,
        "Target MHS": mega(report.hash.target) as u64,
    })));
    summary.extend(members(json!({
        "Env Temp": round(report.air_c, 2),
        "Power Mode": capitalised(report.mode),
        "Firmware Version": format!("'{}'", plate.firmware),
        "CB Platform": plate.platform,
        "CB Version": "V8",
        "MAC": report.mac,
        "Factory GHS": giga(report.hash.rated),
        "Power Limit": report.limit_w,
        "Power Voltage Input": round(volts, 2),
        "Power Current Input": round(amperes, 2),
        "Chip Temp Min": round(coolest, 2),
        "Chip Temp Max": round(hottest, 2),
        "Chip Temp Avg": round(mean, 2),
        "Debug": "94.1/95.0T_38.1W_99.8/98.9_-2",
        "Error Code Count": report.errors.len(),
        "Factory Error Code Count": 0,
    })));
    for (index, code) in report.errors.iter().enumerate() {
        summary.insert(format!("Error Code {index}"), json!(code));
        summary.insert(format!("Error {index} Time"), json!(""));
    }
    Value::Object(summary)
}

fn g2(report: &Report) -> Value {
    const DROPPED: [&str; 15] = [
        "Found Blocks",
        "Getworks",
        "Hardware Errors",
        "Utility",
        "Discarded",
        "Stale",
        "Get Failures",
        "Remote Failures",
        "Network Blocks",
        "Work Utility",
        "Difficulty Accepted",
        "Difficulty Rejected",
        "Difficulty Stale",
        "Best Share",
        "Device Hardware%",
    ];
    let [coolest, mean, hottest] = chips(report);
    let mut summary = counters(report);
    summary.retain(|key, _| !DROPPED.contains(&key.as_str()) && key != "Device Rejected%");
    summary.extend(members(json!({
        "HS RT": mega(report.hash.five_minutes),
        "Temperature": round(report.board_c(2), 2),
        "freq_avg": report.frequency_mhz() as u64,
        "Fan Speed In": report.fan_rpm,
        "Fan Speed Out": report.fan_rpm,
        "Power": report.power_w.round() as u64,
        "Power Rate": round(report.power_rate(), 2),
        "Uptime": report.uptime_s as u64,
        "Security Mode": 0,
        "Hash Stable": report.ramp_finished,
        "Hash Stable Cost Seconds": report.stable_cost_s as u64,
        "Hash Deviation%": 0.0831,
        "Target Freq": 650,
        "Target MHS": mega(report.hash.target) as u64,
        "Env Temp": round(report.air_c, 2),
        "Power Mode": capitalised(report.mode),
        "Factory GHS": giga(report.hash.rated),
        "Power Limit": report.limit_w,
        "Chip Temp Min": round(coolest, 2),
        "Chip Temp Max": round(hottest, 2),
        "Chip Temp Avg": round(mean, 2),
        "Debug": "-0.0_100.0_412",
        "Btminer Fast Boot": on_off(report.fast_boot),
    })));
    Value::Object(summary)
}

/// Flat, with booleans as text and whole numbers as floats, and the other way round.
fn g3(report: &Report) -> Value {
    let [coolest, mean, hottest] = chips(report);
    json!({
        "Elapsed": report.elapsed_s,
        "MHS av": mega(report.hash.average) as u64,
        "MHS 1m": mega(report.hash.one_minute) as u64,
        "MHS 15m": mega(report.hash.quarter_hour) as u64,
        "HS RT": mega(report.hash.one_minute) as u64,
        "freq_avg": report.frequency_mhz(),
        "Fan Speed In": report.fan_rpm,
        "Fan Speed Out": report.fan_rpm,
        "Power": report.power_w,
        "Power Rate": round(report.power_rate(), 3),
        "Pool Rejected%": 0,
        "Uptime": report.uptime_s as u64,
        "Hash Stable": report.ramp_finished.to_string(),
        "Hash Stable Cost Seconds": report.stable_cost_s as u64,
        "Target Freq": 0,
        "Env Temp": round(report.air_c, 3),
        "Power Mode": capitalised(report.mode),
        "Factory GHS": giga(report.hash.rated),
        "Power Limit": report.limit_w,
        "Chip Temp Min": coolest,
        "Chip Temp Max": hottest,
        "Chip Temp Avg": mean,
        "Debug": "41.2 3.1/0.4 3.0/0.3 3.1/0.4 ",
        "Btminer Fast Boot": on_off(report.fast_boot),
    })
}

/// Coolest, mean and hottest chip of the machine, °C.
fn chips(report: &Report) -> [f64; 3] {
    let ([coolest, ..], [_, mean, _], [.., hottest]) =
        (report.chips_c(0), report.chips_c(1), report.chips_c(2));
    [coolest, mean, hottest]
}

/// Shares accepted since the mining process started.
pub(super) fn accepted(report: &Report) -> u64 {
    (report.elapsed_s * report.hash.average / 1200.0) as u64
}

/// TH/s as MH/s.
pub(super) fn mega(terahash: f64) -> f64 {
    round(terahash * 1e6, 2)
}

/// TH/s as whole GH/s.
pub(super) fn giga(terahash: f64) -> u64 {
    (terahash * 1e3).round() as u64
}

/// `value` with so many decimals.
pub(super) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

fn capitalised(mode: PowerMode) -> &'static str {
    match mode {
        PowerMode::Low => "Low",
        PowerMode::Normal => "Normal",
        PowerMode::High => "High",
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "enable" } else { "disable" }
}

fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
