//! Every generation's replies: envelopes, units, types, and which keys are there or missing.

use crate::bench::{Bench, EVERY_PROFILE, json_of};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::miner::Profile;

#[track_caller]
fn assert_has(object: &Value, keys: &[&str]) {
    for key in keys {
        assert!(object.get(key).is_some(), "no {key:?} in {object}");
    }
}

#[track_caller]
fn assert_lacks(object: &Value, keys: &[&str]) {
    for key in keys {
        assert!(object.get(key).is_none(), "{key:?} in {object}");
    }
}

#[track_caller]
fn assert_near(value: &Value, expected: f64, share: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() <= expected * share, "{value} isn't near {expected}");
}

#[tokio::test]
async fn every_read_is_json_whatever_the_machine_does() {
    for profile in EVERY_PROFILE {
        let bench = Bench::new(profile);
        for _ in 0..3 {
            for command in [
                "summary",
                "pools",
                "edevs",
                "devs",
                "devdetails",
                "get_psu",
                "get_version",
                "status",
                "get_miner_info",
                "get_error_code",
                "get_token",
                "version",
                "stats",
                "get_power",
                "summary+pools",
            ] {
                json_of(&bench.text_v2(command).await);
            }
            bench.pass(400);
            bench.miner.set_truth(simulator::miner::Forced::Running);
        }
    }
}

#[rstest]
#[case(Profile::G0, true)]
#[case(Profile::G1, true)]
#[case(Profile::G2, false)]
#[case(Profile::G2V3, false)]
#[case(Profile::G3, false)]
#[tokio::test]
async fn old_mining_replies_end_with_nul(#[case] profile: Profile, #[case] nul: bool) {
    let bench = Bench::new(profile);
    for command in ["summary", "pools", "edevs", "summary+pools"] {
        assert_eq!(bench.text_v2(command).await.ends_with('\0'), nul, "{command}");
    }
    assert!(!bench.text_v2("get_version").await.ends_with('\0'));
}

#[tokio::test]
async fn g0_is_a_cgminer_without_power() {
    let bench = Bench::new(Profile::G0);
    let reply = bench.read_v2("summary").await;
    assert_eq!(reply["STATUS"][0]["Description"], "cgminer 4.9.2");
    assert_has(&reply["SUMMARY"][0], &["Elapsed", "MHS av", "MHS 5s", "Total MH", "Temperature", "freq_avg"]);
    assert_lacks(&reply["SUMMARY"][0], &["Power", "Power Limit", "HS RT", "Uptime", "Hash Stable"]);
    assert_eq!(bench.read_v2("pools").await["POOLS"][0]["POOL"], 0);
    assert_eq!(bench.read_v2("version").await["VERSION"][0]["CGMiner"], "4.9.2");
    assert_eq!(bench.read_v2("devdetails").await["DEVDETAILS"][0]["Driver"], "bitmicro");
}

#[tokio::test]
async fn g1_prints_everything_in_one_long_row() {
    let bench = Bench::new(Profile::G1);
    bench.pass(3600);
    let reply = bench.read_v2("summary").await;
    let status = &reply["STATUS"][0];
    assert_eq!(
        (&status["STATUS"], &status["Code"], &status["Msg"]),
        (&json!("S"), &json!(11), &json!("Summary"))
    );
    assert_has(status, &["When", "Description"]);
    let summary = &reply["SUMMARY"][0];
    assert_has(
        summary,
        &[
            "Elapsed",
            "MHS av",
            "MHS 5s",
            "MHS 1m",
            "MHS 5m",
            "MHS 15m",
            "HS RT",
            "Found Blocks",
            "Getworks",
            "Accepted",
            "Rejected",
            "Hardware Errors",
            "Utility",
            "Discarded",
            "Stale",
            "Get Failures",
            "Local Work",
            "Remote Failures",
            "Network Blocks",
            "Total MH",
            "Work Utility",
            "Difficulty Accepted",
            "Difficulty Rejected",
            "Difficulty Stale",
            "Best Share",
            "Temperature",
            "freq_avg",
            "Fan Speed In",
            "Fan Speed Out",
            "Voltage",
            "Power",
            "Power_RT",
            "Power Rate",
            "Device Hardware%",
            "Device Rejected%",
            "Pool Rejected%",
            "Pool Stale%",
            "Last getwork",
            "Uptime",
            "Chip Data",
            "Power Current",
            "Power Fanspeed",
            "Error Code Count",
            "Factory Error Code Count",
            "Security Mode",
            "Liquid Cooling",
            "Hash Stable",
            "Hash Stable Cost Seconds",
            "Hash Deviation%",
            "Target Freq",
            "Target MHS",
            "Env Temp",
            "Power Mode",
            "Firmware Version",
            "CB Platform",
            "CB Version",
            "MAC",
            "Factory GHS",
            "Power Limit",
            "Power Voltage Input",
            "Power Current Input",
            "Chip Temp Min",
            "Chip Temp Max",
            "Chip Temp Avg",
            "Debug",
        ],
    );
    let number = |key: &str| summary[key].as_f64().unwrap();
    assert_near(&summary["Power Rate"], number("Power") / (number("MHS av") / 1e6), 0.001);
    assert_near(&summary["Total MH"], number("MHS av") * number("Elapsed"), 0.001);
    let by_shares = number("Difficulty Accepted") * 4_294_967_296.0 / number("Elapsed") / 1e6;
    assert_near(&summary["MHS av"], by_shares, 0.01);
    assert_near(&summary["Power"], number("Power Voltage Input") * number("Power Current Input"), 0.01);
    assert_near(&summary["Factory GHS"], number("MHS av") / 1e3, 0.02);
    assert!(number("Uptime") >= number("Elapsed"));
    assert!(summary["Firmware Version"].as_str().unwrap().starts_with('\''));

    let status = bench.read_v2("status").await;
    assert_eq!(status["Description"], "whatsminer v1.4.0");
    assert_has(&status["Msg"], &["btmineroff", "Firmware Version"]);
    assert_lacks(&status["Msg"], &["mineroff", "power_limit_set"]);
    assert_eq!(bench.daemon("get_version").await["api_ver"], "whatsminer v1.4.0");
    assert_lacks(&bench.daemon("get_version").await, &["platform", "chip"]);
    assert_eq!(bench.daemon("get_psu").await.as_object().unwrap().len(), 4);
    assert_has(&bench.read_v2("edevs").await["DEVS"][0], &["ASC", "Name", "ID", "Status", "Device Elapsed"]);
}

#[rstest]
#[case(Profile::G2)]
#[case(Profile::G2V3)]
#[tokio::test]
async fn g2_has_a_short_status_and_numbers(#[case] profile: Profile) {
    let bench = Bench::new(profile);
    bench.pass(3600);
    let reply = bench.read_v2("summary").await;
    assert_eq!(reply["STATUS"], json!([{ "STATUS": "S", "Msg": "Summary" }]));
    let summary = &reply["SUMMARY"][0];
    assert_has(
        summary,
        &[
            "Elapsed",
            "MHS av",
            "MHS 5s",
            "MHS 1m",
            "MHS 5m",
            "MHS 15m",
            "HS RT",
            "Accepted",
            "Rejected",
            "Total MH",
            "Temperature",
            "freq_avg",
            "Fan Speed In",
            "Fan Speed Out",
            "Power",
            "Power Rate",
            "Pool Rejected%",
            "Pool Stale%",
            "Last getwork",
            "Uptime",
            "Security Mode",
            "Hash Stable",
            "Hash Stable Cost Seconds",
            "Hash Deviation%",
            "Target Freq",
            "Target MHS",
            "Env Temp",
            "Power Mode",
            "Factory GHS",
            "Power Limit",
            "Chip Temp Min",
            "Chip Temp Max",
            "Chip Temp Avg",
            "Debug",
            "Btminer Fast Boot",
        ],
    );
    assert_lacks(summary, &["MAC", "Firmware Version", "Error Code Count", "Power_RT", "Voltage", "Utility"]);
    assert!(summary["Elapsed"].is_u64() && summary["Power"].is_u64() && summary["Hash Stable"].is_boolean());
    assert_eq!(summary["HS RT"], summary["MHS 5m"]);

    let status = bench.daemon("status").await;
    assert_has(
        &status,
        &["mineroff", "mineroff_reason", "mineroff_time", "FirmwareVersion", "power_mode", "hash_percent"],
    );
    assert_eq!(status.get("power_limit_set"), (profile == Profile::G2V3).then_some(&json!("3600")));
    assert_lacks(&status, &["btmineroff"]);
    let board = bench.read_v2("edevs").await["DEVS"][2].clone();
    assert_has(
        &board,
        &["ASC", "Slot", "Enabled", "Status", "MHS av", "HS Factory", "Upfreq Complete", "Chip Temp Max"],
    );
    assert_lacks(&board, &["Name", "ID", "Device Elapsed"]);
    let boards_together = board["MHS 1m"].as_f64().unwrap() * 3.0;
    assert_near(&summary["MHS 1m"], boards_together, 0.001);
    assert_eq!(bench.read_v2("devdetails").await["DEVDETAILS"].as_array().unwrap().len(), 3);
    assert_lacks(&bench.daemon("get_version").await, &["miner_type"]);
}

#[tokio::test]
async fn g3_is_flat_and_mixes_types_and_units() {
    let bench = Bench::new(Profile::G3);
    bench.pass(3600);
    let reply = bench.read_v2("summary").await;
    assert_eq!((&reply["STATUS"], &reply["Code"]), (&json!("S"), &json!(131)));
    let summary = &reply["Msg"];
    assert_has(
        summary,
        &[
            "Elapsed",
            "MHS av",
            "MHS 1m",
            "MHS 15m",
            "HS RT",
            "freq_avg",
            "Fan Speed In",
            "Fan Speed Out",
            "Power",
            "Power Rate",
            "Pool Rejected%",
            "Uptime",
            "Hash Stable",
            "Hash Stable Cost Seconds",
            "Target Freq",
            "Env Temp",
            "Power Mode",
            "Factory GHS",
            "Power Limit",
            "Chip Temp Min",
            "Chip Temp Max",
            "Chip Temp Avg",
            "Debug",
            "Btminer Fast Boot",
        ],
    );
    assert_lacks(
        summary,
        &["MHS 5s", "MHS 5m", "Accepted", "Total MH", "Temperature", "Target MHS", "Pool Stale%"],
    );
    assert_eq!(summary["Hash Stable"], "true");
    assert!(summary["Elapsed"].is_f64() && summary["Power"].is_f64() && summary["MHS av"].is_u64());
    assert_eq!(summary["HS RT"], summary["MHS 1m"]);
    // 3600 W at 21.5 J/TH: the summary in MH/s, the boards in TH/s under the same names.
    assert_near(&summary["MHS av"], 3600.0 / 21.5 * 1e6, 0.01);
    let board = bench.read_v2("edevs").await["DEVS"][0].clone();
    assert_near(&board["MHS av"], 3600.0 / 21.5 / 3.0, 0.01);
    assert_near(&board["Factory GHS"], 3600.0 / 21.5 / 3.0 * 1e3, 0.01);
    assert_lacks(&board, &["ASC", "Status", "Enabled", "Chip Temp Min", "MHS 5s", "MHS 5m"]);
    let pool = bench.read_v2("pools").await["POOLS"][0].clone();
    assert_eq!((&pool["To Remove"], &pool["POOL"]), (&json!(false), &json!(1)));
    assert_lacks(
        &pool,
        &["Long Poll", "Works", "Diff1 Shares", "Proxy", "Has Stratum", "Best Share", "Stratum URL"],
    );

    let deprecated = bench.read_v2("devdetails").await;
    assert_eq!(
        (&deprecated["Code"], &deprecated["Msg"]),
        (&json!(132), &json!("This command is deprecated."))
    );
    for command in ["stats", "version"] {
        assert_eq!(bench.read_v2(command).await["Code"], 14);
    }
    let version = bench.daemon("get_version").await;
    assert_eq!((&version["api_ver"], &version["miner_type"]), (&json!("2.2.2"), &json!("M60S_VK30")));
    assert_has(&bench.daemon("status").await, &["fast_mining", "fast_hash", "power_pct", "power_limit_set"]);
    let supply = bench.daemon("get_psu").await;
    assert!(supply.as_object().unwrap().values().all(Value::is_string));
    let watts: f64 =
        ["vin", "iin"].map(|key| supply[key].as_str().unwrap().parse::<f64>().unwrap()).iter().product();
    assert_near(&json!(watts / 1e5), 3600.0, 0.03);
}

#[tokio::test]
async fn miner_info_can_be_filtered() {
    let bench = Bench::new(Profile::G2);
    let whole = bench.daemon("get_miner_info").await;
    assert_eq!((&whole["mac"], &whole["ledstat"]), (&json!("02:00:00:00:00:01"), &json!("auto")));
    let reply = bench.try_v2(br#"{"cmd":"get_miner_info","info":"mac,hostname"}"#).await.unwrap();
    let some = json_of(&String::from_utf8(reply).unwrap())["Msg"].clone();
    assert_eq!(some, json!({ "mac": "02:00:00:00:00:01", "hostname": "WhatsMiner" }));
}

#[rstest]
#[case(Profile::G2V3, "3.0.0")]
#[case(Profile::G3, "3.0.2")]
#[tokio::test]
async fn v3_reads_are_complete(#[case] profile: Profile, #[case] api: &str) {
    let bench = Bench::new(profile);
    bench.pass(3600);
    let info = bench.read_v3("get.device.info", Value::Null).await["msg"].clone();
    assert_has(&info["network"], &["ip", "proto", "netmask", "dns", "mac", "gateway", "hostname"]);
    assert_has(
        &info["miner"],
        &["working", "type", "detect-hash-rate", "board-num", "pcbsn2", "power-limit-set"],
    );
    assert_eq!(info["miner"]["detect-hash-rate"].as_str().unwrap().split(':').count(), 3);
    assert_eq!((&info["system"]["api"], &info["system"]["apiswitch"]), (&json!(api), &json!("1")));
    assert_eq!(info["salt"].as_str().unwrap().len(), 8);
    let power = &info["power"];
    assert_near(&power["pin"], power["iin"].as_f64().unwrap() * power["vin"].as_f64().unwrap(), 0.01);

    let status = bench.read_v3("get.miner.status", json!("summary+pools+edevs")).await["msg"].clone();
    let summary = &status["summary"];
    assert_has(
        summary,
        &[
            "elapsed",
            "bootup-time",
            "freq-avg",
            "target-freq",
            "factory-hash",
            "hash-average",
            "hash-1min",
            "hash-15min",
            "hash-realtime",
            "power-rate",
            "power-5min",
            "power-realtime",
            "environment-temperature",
            "board-temperature",
            "chip-temp-min",
            "chip-temp-avg",
            "chip-temp-max",
            "power-limit",
            "up-freq-finish",
            "fan-speed-in",
            "fan-speed-out",
        ],
    );
    assert_near(&summary["hash-average"], summary["factory-hash"].as_f64().unwrap(), 0.01);
    assert_near(&summary["power-5min"], 3600.0, 0.001);
    let boards = status["edevs"].as_array().unwrap();
    let together: f64 = boards.iter().map(|board| board["hash-average"].as_f64().unwrap()).sum();
    assert_near(&summary["hash-average"], together, 0.001);
    assert_eq!(status["pools"][0]["stratum-active"], true);
    let setting = bench.read_v3("get.miner.setting", Value::Null).await["msg"].clone();
    assert_has(
        &setting,
        &["power-limit", "upfreq-speed", "power-mode", "fast-boot", "power", "power-percent"],
    );
}

#[tokio::test]
async fn noise_is_small_and_the_same_every_time() {
    let (one, other) = (Bench::new(Profile::G3), Bench::new(Profile::G3));
    let another = Bench::with(Profile::G3, |setup| setup.seed = 2);
    let mut readings = Vec::new();
    for _ in 0..50 {
        for bench in [&one, &other, &another] {
            bench.pass(13);
        }
        let watts = one.summary().await["Power"].clone();
        assert_near(&watts, 3600.0, 0.01);
        assert_eq!(watts, other.summary().await["Power"]);
        assert_ne!(watts, another.summary().await["Power"]);
        readings.push(watts.as_f64().unwrap());
    }
    let spread =
        readings.iter().copied().fold(0.0, f64::max) - readings.iter().copied().fold(f64::MAX, f64::min);
    assert!(spread > 20.0, "there is noise: {spread} W");
}
