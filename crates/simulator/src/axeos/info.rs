//! `/api/system/info` and `/api/system/asic`, in the names and types of each version.

use super::{AxeosSetup, Profile, device::State, profile::Plate};
use model::UtcMillis;
use serde_json::{Map, Value, json};

/// Revolutions of the fan at full duty, rpm.
const FULL_FAN_RPM: f64 = 7000.0;
/// What is measured and becomes `null` where a conversion went wrong.
const MEASURED: [&str; 12] = [
    "power",
    "voltage",
    "current",
    "currentA",
    "temp",
    "temp2",
    "vrTemp",
    "hashRate",
    "hashRate_1m",
    "hashRate_10m",
    "hashRate_1h",
    "fanrpm",
];

/// What is told of the whole device.
pub(super) fn info(setup: &AxeosSetup, state: &State, now: UtcMillis) -> Value {
    let told = Told::of(setup, state, now);
    let mut members = told.common();
    if setup.profile.is_nerd() {
        members.extend(told.nerd());
    } else {
        members.extend(told.axeos());
    }
    if state.faults.null_numbers {
        for (name, value) in &mut members {
            if MEASURED.contains(&name.as_str()) {
                *value = Value::Null;
            }
        }
    }
    Value::Object(members)
}

/// What is told of the chips.
pub(super) fn asic(profile: Profile) -> Value {
    let plate = profile.plate();
    json!({
        "ASICModel": plate.asic,
        "deviceModel": plate.family,
        "swarmColor": "green",
        "asicCount": plate.chips,
        "defaultFrequency": plate.frequency,
        "frequencyOptions": [400, 490, 525, 550, 600, 625],
        "defaultVoltage": plate.core_voltage,
        "voltageOptions": [1000, 1060, 1100, 1150, 1200, 1250],
    })
}

struct Told<'a> {
    setup: &'a AxeosSetup,
    state: &'a State,
    now: UtcMillis,
    plate: Plate,
}

fn members<const N: usize>(list: [(&str, Value); N]) -> Map<String, Value> {
    list.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A number with so many digits behind the point as the firmware's printer leaves.
fn short(value: f64) -> Value {
    json!((value * 10_000.0).round() / 10_000.0)
}

/// A flag, which is 0 or 1 before 2.14.
fn flag(since_2_14: bool, value: bool) -> Value {
    if since_2_14 { json!(value) } else { json!(u8::from(value)) }
}

impl<'a> Told<'a> {
    fn of(setup: &'a AxeosSetup, state: &'a State, now: UtcMillis) -> Self {
        Self { setup, state, now, plate: setup.profile.plate() }
    }

    fn hash_rate(&self) -> f64 {
        let flat = self.state.flat.map(|(rate, _)| rate);
        self.state
            .faults
            .hash_rate_ghs
            .or(flat)
            .unwrap_or_else(|| self.state.machine.told_gigahashes(self.now))
    }

    fn fan(&self) -> (f64, f64) {
        let percent = self.state.machine.fan_percent();
        (percent, (FULL_FAN_RPM * percent / 100.0).round())
    }

    /// What every firmware has.
    fn common(&self) -> Map<String, Value> {
        let machine = &self.state.machine;
        let measured = machine.measured(self.now);
        let shares = self.state.flat.map_or_else(|| machine.shares(self.now), |(_, shares)| shares);
        let (percent, rpm) = self.fan();
        let mac = self.state.faults.mac.as_ref().unwrap_or(&self.setup.mac);
        members([
            ("power", short(measured.power)),
            ("voltage", short(measured.voltage)),
            ("current", short(measured.current)),
            ("temp", short(measured.temp)),
            ("vrTemp", short(measured.vr_temp)),
            ("hashRate", short(self.hash_rate())),
            ("bestDiff", json!("3.17G")),
            ("bestSessionDiff", json!("645k")),
            ("freeHeap", json!(181_244)),
            ("coreVoltage", json!(machine.core_voltage as u32)),
            ("coreVoltageActual", json!(machine.actual_core_voltage() as u32)),
            ("frequency", json!(machine.frequency)),
            ("ssid", json!("house")),
            ("macAddr", json!(mac)),
            ("hostname", json!(self.setup.hostname)),
            ("wifiStatus", json!("Connected!")),
            ("sharesAccepted", json!(shares)),
            ("sharesRejected", json!(shares / 400)),
            ("uptimeSeconds", json!(machine.uptime_seconds(self.now))),
            ("smallCoreCount", json!(self.plate.cores)),
            ("ASICModel", json!(self.plate.asic)),
            ("stratumURL", json!("pool.invalid")),
            ("stratumPort", json!(3333)),
            ("stratumUser", json!("worker.axe")),
            ("fallbackStratumURL", json!("backup.invalid")),
            ("fallbackStratumPort", json!(3334)),
            ("fallbackStratumUser", json!("worker.axe")),
            ("isUsingFallbackStratum", json!(0)),
            ("version", json!(self.plate.version)),
            ("runningPartition", json!("factory")),
            ("overheat_mode", json!(u8::from(machine.overheated()))),
            ("invertscreen", json!(0)),
            ("autofanspeed", flag(self.setup.profile.is_since(14), machine.auto_fan)),
            ("fanspeed", json!(percent)),
            ("fanrpm", json!(rpm)),
        ])
    }

    /// What AxeOS has, by its version.
    fn axeos(&self) -> Map<String, Value> {
        let since = |minor| self.setup.profile.is_since(minor);
        let machine = &self.state.machine;
        let mut more = members([("boardVersion", json!(self.plate.board)), ("idfVersion", json!("v5.4"))]);
        if !since(9) {
            more.extend(members([
                ("asicCount", json!(self.plate.chips)),
                ("flipscreen", json!(1)),
                ("invertfanpolarity", json!(1)),
                ("stratumDiff", json!(1000)),
            ]));
        }
        if since(6) {
            more.extend(members([
                ("maxPower", json!(self.plate.max_power)),
                ("nominalVoltage", json!(self.plate.nominal_voltage)),
                ("overclockEnabled", json!(0)),
                ("isPSRAMAvailable", json!(1)),
                ("wifiRSSI", json!(-58)),
                ("apEnabled", json!(0)),
                ("sharesRejectedReasons", json!([])),
            ]));
            // The key is there only while there is a fault.
            if machine.tripped()
                && let Some(fault) = &self.state.faults.power_fault
            {
                more.insert("power_fault".into(), json!(fault));
            }
        }
        if since(8) {
            more.extend(members([
                ("expectedHashrate", short(machine.expected_gigahashes())),
                ("temptarget", json!(60)),
                ("display", json!("SSD1306 (128x32)")),
            ]));
        }
        if since(9) {
            more.extend(members([
                ("axeOSVersion", json!(self.plate.version)),
                ("poolDifficulty", json!(1000)),
                ("responseTime", json!(34.2)),
                ("statsFrequency", json!(0)),
            ]));
        }
        if since(11) {
            let rate = short(self.hash_rate());
            more.extend(members([
                ("bestDiff", json!(3_170_000_000_u64)),
                ("bestSessionDiff", json!(645_000)),
                ("temp2", json!(-1)),
                ("minFanSpeed", json!(25)),
                ("errorPercentage", json!(0.31)),
                ("fan2rpm", json!(0)),
                ("ipv4", json!("192.0.2.61")),
                ("manualFanSpeed", json!(machine.manual_fan)),
                ("blockHeight", json!(958_112)),
                ("hashrateMonitor", json!({"asics": [{"total": rate, "errorCount": 12, "domains": []}]})),
            ]));
        }
        if since(12) {
            more.extend(self.averages());
            more.insert("resetReason".into(), json!("Reset due to power-on event"));
        }
        if since(14) {
            more.extend(members([
                ("actualFrequency", short(machine.actual_frequency(self.now))),
                ("miningPaused", json!(machine.paused())),
                ("cpuUsage", json!(11.4)),
                ("responseShareBatch", json!(1)),
                ("processTime", json!(2.5)),
            ]));
        }
        if since(15) {
            more.extend(members([
                ("totalUptimeSeconds", json!(machine.uptime_seconds(self.now) + 86_400)),
                ("workReceived", json!(machine.uptime_seconds(self.now) / 30)),
                ("primaryPoolIndex", json!(0)),
                ("secondaryPoolIndex", json!(1)),
                ("pools", json!([pool(0, "pool.invalid", 3333), pool(1, "backup.invalid", 3334)])),
            ]));
        }
        more
    }

    /// What NerdOS has. Power, voltage and current are those of the input, voltage in mV.
    fn nerd(&self) -> Map<String, Value> {
        let machine = &self.state.machine;
        let measured = machine.measured(self.now);
        let (percent, rpm) = self.fan();
        let mut more = members([
            ("deviceModel", json!(self.plate.family)),
            ("asicCount", json!(self.plate.chips)),
            ("hostip", json!("192.0.2.62")),
            ("currentA", short(measured.current / 1000.0)),
            ("minPower", json!(30)),
            ("maxPower", json!(self.plate.max_power)),
            ("vrTempInt", short(measured.temp - 4.0)),
            ("asicTemps", json!(vec![measured.temp; self.plate.chips as usize])),
            ("temp2", json!(measured.temp + 1.5)),
            ("fanspeed2", json!(percent)),
            ("fanrpm2", json!(rpm)),
            ("autofanspeed", json!(if machine.auto_fan { 2 } else { 0 })),
            ("shutdown", json!(machine.is_shut_down())),
            ("otp", json!(false)),
            ("wifiStatus", json!("WiFi Connected!")),
            ("hashRateTimestamp", json!(self.now.0)),
            ("hashRate_1d", short(machine.average_gigahashes(self.now, 7200))),
            ("lastResetReason", json!("Power on")),
            (
                "stratum",
                json!({"activePoolMode": 0, "poolBalance": 0, "usingFallback": false,
                    "pools": [{"connected": true, "host": "pool.invalid", "port": 3333}]}),
            ),
        ]);
        more.extend(self.averages());
        more
    }

    fn averages(&self) -> Map<String, Value> {
        let over = |seconds| short(self.state.machine.average_gigahashes(self.now, seconds));
        members([("hashRate_1m", over(60)), ("hashRate_10m", over(600)), ("hashRate_1h", over(3600))])
    }
}

fn pool(id: u8, host: &str, port: u16) -> Value {
    json!({
        "id": id,
        "stratumProtocol": "SV1",
        "stratumURL": host,
        "stratumPort": port,
        "stratumUser": "worker.axe",
        "stratumPassword": "*****",
        "stratumSuggestedDifficulty": 1000,
        "stratumExtranonceSubscribe": false,
        "stratumTLS": 0,
    })
}
