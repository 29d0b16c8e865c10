//! `getBatteryInfo`: the bank and its modules.

use super::{View, merged, runtime::status_text};
use crate::house::noise;
use serde_json::{Value, json};

/// Modules of a hybrid's bank.
const MODULES: i64 = 3;
/// Smallest battery current that is called charging or discharging, W.
const STANDBY_WATTS: i64 = 20;

/// The reply for one inverter.
pub(in crate::portal) fn reply(view: &View<'_>) -> Value {
    if view.is_lost() {
        return lost(view);
    }
    let mut fields = merged([live(view), capacity(view)]);
    if let Some(soc) = view.soc() {
        fields.insert("soc".to_owned(), soc);
    }
    if !view.is_xp() && !view.faults.missing_battery_array {
        fields.insert("batteryArray".to_owned(), (0..MODULES).map(|index| module(view, index)).collect());
    }
    Value::Object(fields)
}

/// What is left of it while the uplink is offline (seen in the field).
fn lost(view: &View<'_>) -> Value {
    json!({
        "success": true,
        "serialNum": view.inverter.serial,
        "lost": true,
        "totalNumber": 0,
        "currentType": "unknown", "currentText": "", "totalVoltageText": "",
        "remainCapacity": 0, "fullCapacity": 0, "capacityPercent": 0,
        "chargeVoltRef": "",
        "hasCellExtremes": false,
        "globalMaxCellTemp": "", "globalMinCellTemp": "", "globalMaxCellVoltage": "", "globalMinCellVoltage": "",
    })
}

fn live(view: &View<'_>) -> Value {
    let house = &view.snapshot.house;
    let (charge, discharge) = view.charge_and_discharge();
    let (status, kind) = match charge - discharge {
        power if power > STANDBY_WATTS => ("Charging", "charge"),
        power if power < -STANDBY_WATTS => ("Discharging", "discharge"),
        _ => ("StandBy", "unknown"),
    };
    json!({
        "success": true,
        "serialNum": view.inverter.serial,
        "lost": false,
        "hasRuntimeData": true,
        "statusText": status_text(view),
        "ppv": view.share(house.pv),
        "pCharge": charge, "pDisCharge": discharge, "batPower": charge - discharge,
        "batStatus": status,
        "vBat": view.decivolts(),
        "pinv": (view.share(house.load) - view.share(house.grid)).max(0),
        "prec": 0,
        "peps": if view.is_xp() { view.share(house.load) } else { 0 },
        "totalVoltageText": format!("{:.1}", house.voltage),
        "currentText": format!("{:.1}", amps(view).abs()),
        "currentType": kind,
    })
}

fn capacity(view: &View<'_>) -> Value {
    let (full, share) = (view.amp_hours(), view.snapshot.house.soc_percent / 100.0);
    // An XP knows no modules, and tells zeros for what it would have from them.
    let (remaining, total, percent, number) = if view.is_xp() {
        (0, 0, 0, 0)
    } else {
        ((full as f64 * share).round() as i64, full, view.whole_soc(), MODULES)
    };
    json!({
        "maxBatteryCharge": full,
        "currentBatteryCharge": (full as f64 * share * 10.0).round() / 10.0,
        "remainCapacity": remaining, "fullCapacity": total, "capacityPercent": percent,
        "totalNumber": number,
        "chargeVoltRef": 562,
        "hasCellExtremes": false,
        "globalMaxCellTemp": 0, "globalMinCellTemp": 0, "globalMaxCellVoltage": 0, "globalMinCellVoltage": 0,
    })
}

fn module(view: &View<'_>, index: i64) -> Value {
    let house = &view.snapshot.house;
    let serial = format!("Battery_ID_{:02}", index + 1);
    let full = view.amp_hours() / MODULES;
    let cell_millivolts = (house.voltage / 16.0 * 1000.0).round() as i64;
    // Modules of a bank are never quite alike.
    let stray = (noise::unit(view.setup.seed, index) * 7.0) as i64;
    json!({
        "batteryKey": format!("{}_{serial}", view.inverter.serial),
        "batterySn": serial,
        "batteryType": "BATT_default", "batteryTypeText": "", "batBmsModelText": "",
        "lastUpdateTime": view.server_time(),
        "batIndex": index,
        "lost": false,
        "totalVoltage": (house.voltage * 100.0).round() as i64 + stray - 3,
        "current": (amps(view) * 10.0 / MODULES as f64).round() as i64,
        "soc": view.whole_soc(), "soh": 100 - index,
        "currentRemainCapacity": (full as f64 * house.soc_percent / 100.0).round() as i64,
        "currentFullCapacity": full,
        "currentCapacityPercent": view.whole_soc(),
        "maxBatteryCharge": view.amp_hours(),
        "batMaxCellTemp": 240 + 10 * index, "batMinCellTemp": 230,
        "batMaxCellVoltage": cell_millivolts + stray, "batMinCellVoltage": cell_millivolts - 4,
        "batMaxCellNumTemp": 2, "batMinCellNumTemp": 4, "batMaxCellNumVolt": 11, "batMinCellNumVolt": 5,
        "batChargeMaxCur": 1800, "batChargeVoltRef": 562,
        "cycleCnt": 118 - 9 * index,
        "fwVersionText": "2.19",
        "chgCapacity": "", "disChgCapacity": "", "ambientTemp": "", "mosTemp": "", "noticeInfo": "",
    })
}

/// Current of this inverter's battery port, A, + = charging.
fn amps(view: &View<'_>) -> f64 {
    let (charge, discharge) = view.charge_and_discharge();
    (charge - discharge) as f64 / view.snapshot.house.voltage.max(1.0)
}
