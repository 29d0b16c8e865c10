//! `getInverterRuntime`: the live values of one inverter.

use super::{View, merged, without};
use crate::house::Grid;
use serde_json::{Value, json};

/// What an offline inverter's reply leaves out (seen in the field).
const LEFT_OUT_WHEN_LOST: [&str; 11] = [
    "status",
    "ppv",
    "soc",
    "vBat",
    "pCharge",
    "pDisCharge",
    "batPower",
    "batteryColor",
    "pinv",
    "prec",
    "peps",
];

/// Operating modes (input register 0 of the vendor's Modbus map).
mod mode {
    pub(super) const STANDBY: u8 = 0x00;
    pub(super) const PV_ON_GRID: u8 = 0x04;
    pub(super) const PV_CHARGE: u8 = 0x08;
    pub(super) const PV_CHARGE_ON_GRID: u8 = 0x0C;
    pub(super) const BATTERY_ON_GRID: u8 = 0x10;
    pub(super) const BYPASS: u8 = 0x11;
    pub(super) const PV_AND_BATTERY_ON_GRID: u8 = 0x14;
    pub(super) const BATTERY_OFF_GRID: u8 = 0x40;
    pub(super) const PV_OFF_GRID: u8 = 0x80;
    pub(super) const PV_CHARGE_OFF_GRID: u8 = 0x88;
    pub(super) const PV_AND_BATTERY_OFF_GRID: u8 = 0xC0;
}

/// The reply for one inverter.
pub(in crate::portal) fn reply(view: &View<'_>, grid: Grid) -> Value {
    let mut fields =
        merged([identity(view), panels(view), alternating_current(view, grid), battery(view), misc(view)]);
    if let Some(soc) = view.soc() {
        fields.insert("soc".to_owned(), soc);
    }
    if view.is_xp() {
        without(&mut fields, &["pLoad170"]);
    }
    if view.is_lost() {
        without(&mut fields, &LEFT_OUT_WHEN_LOST);
    }
    Value::Object(fields)
}

/// Firmware code and power rating as the family shows them.
pub(super) fn firmware(view: &View<'_>) -> (&'static str, &'static str) {
    if view.is_xp() { ("ceaa-1912", "12kW") } else { ("fAAB-2531", "12kW") }
}

/// The portal's word for the state of the uplink.
pub(super) fn status_text(view: &View<'_>) -> &'static str {
    if view.is_lost() { "offline" } else { "normal" }
}

fn identity(view: &View<'_>) -> Value {
    let (firmware, rating) = firmware(view);
    json!({
        "success": true,
        "serialNum": view.inverter.serial,
        "fwCode": firmware,
        "powerRatingText": rating,
        "lost": view.is_lost(),
        "hasRuntimeData": true,
        "statusText": status_text(view),
        "batShared": view.setup.inverters > 1,
        "isParallelEnabled": view.setup.inverters > 1,
        "allowGenExercise": true,
        "batteryType": "LITHIUM",
        "model": 590_336,
        "modelText": "0x90200",
        "serverTime": view.server_time(),
        "deviceTime": view.device_time(),
        "deviceTimeText": view.device_date(),
    })
}

fn panels(view: &View<'_>) -> Value {
    let power = view.share(view.snapshot.house.pv);
    let (first, second) = (power * 45 / 100, power * 35 / 100);
    // A string keeps its voltage while the sun is up, whatever it gives.
    let volts = |string: i64| if power > 0 { 3310 + 140 * string } else { 9 + string };
    json!({
        "vpv1": volts(0), "vpv2": volts(1), "vpv3": volts(2),
        "ppv1": first, "ppv2": second, "ppv3": power - first - second,
        "ppv": power,
        "pvStringNumber": 3,
    })
}

fn alternating_current(view: &View<'_>, grid: Grid) -> Value {
    let house = &view.snapshot.house;
    let (load, exchanged) = (view.share(house.load), view.share(house.grid));
    let (import, export) = (exchanged.max(0), (-exchanged).max(0));
    let off_grid = grid == Grid::OffGrid;
    let xp = view.is_xp();
    // What the inverter puts out: the load, less what the grid gives to it directly.
    let inverted = (load - import + export).max(0);
    let backup = if xp || off_grid { load } else { 0 };
    let (grid_volts, grid_hertz) = if off_grid { (0, 0) } else { (2427, 5998) };
    json!({
        // Split-phase units only mean the first of each three; the others hold whatever the register holds.
        "vacr": grid_volts, "vacs": 258, "vact": if xp { 6145 } else { 31 },
        "fac": grid_hertz,
        "pf": if xp { "[0]" } else { "1" },
        "vepsr": 2419, "vepss": 41_728, "vepst": 2817,
        "feps": 6000,
        "seps": backup + backup / 20,
        "peps": backup,
        "pEpsL1N": backup / 2, "pEpsL2N": backup / 2, "haspEpsLNValue": true,
        "pToGrid": export,
        "pToUser": import,
        "pinv": inverted,
        "prec": 0,
        "consumptionPower": if xp { 0 } else { load },
        "consumptionPower114": if xp { 0 } else { load },
        "hideConsumption": xp,
        "pLoad170": load,
        "epsLoadPowerShow": xp, "gridLoadPowerShow": false, "pLoadPowerShow": !xp,
        "epsLoadPower": if xp { load } else { 0 }, "gridLoadPower": 0, "smartLoadPower": 0,
        "smartLoadInverterFlow": false, "smartLoadInverterEnable": false,
        "status": status(view, off_grid),
    })
}

fn status(view: &View<'_>, off_grid: bool) -> u8 {
    let house = &view.snapshot.house;
    let sun = view.share(house.pv) > 0;
    let (charge, discharge) = view.charge_and_discharge();
    let exporting = house.grid.get() < 0.0;
    match (off_grid, sun, charge > 0, discharge > 0) {
        (false, true, true, _) if exporting || house.load.get() > 0.0 => mode::PV_CHARGE_ON_GRID,
        (false, true, true, _) => mode::PV_CHARGE,
        (false, true, _, true) => mode::PV_AND_BATTERY_ON_GRID,
        (false, true, _, _) => mode::PV_ON_GRID,
        (false, false, _, true) => mode::BATTERY_ON_GRID,
        (false, false, _, _) => mode::BYPASS,
        (true, true, true, _) => mode::PV_CHARGE_OFF_GRID,
        (true, true, _, true) => mode::PV_AND_BATTERY_OFF_GRID,
        (true, true, _, _) => mode::PV_OFF_GRID,
        (true, false, _, true) => mode::BATTERY_OFF_GRID,
        (true, false, _, _) => mode::STANDBY,
    }
}

fn battery(view: &View<'_>) -> Value {
    let house = &view.snapshot.house;
    let (charge, discharge) = view.charge_and_discharge();
    let amps = |limit: model::Watts| (limit.get() / house.voltage.max(1.0)).round() as i64;
    let (max_charge, max_discharge) = (amps(house.charge_limit), amps(house.discharge_limit));
    json!({
        "pCharge": charge,
        "pDisCharge": discharge,
        "batPower": charge - discharge,
        "batteryColor": if house.soc_percent > 20.0 { "green" } else { "red" },
        "vBat": view.decivolts(),
        "batParallelNum": "3",
        "batCapacity": view.amp_hours().to_string(),
        "tBat": if view.is_xp() { 0 } else { 24 },
        "maxChgCurr": max_charge * 10, "maxDischgCurr": max_discharge * 10,
        "maxChgCurrValue": max_charge, "maxDischgCurrValue": max_discharge,
        "bmsCharge": max_charge > 0, "bmsDischarge": max_discharge > 0, "bmsForceCharge": house.soc_percent < 3.0,
        "bmsBatCurrent": 0,
        "lowVoltProtect": false,
    })
}

fn misc(view: &View<'_>) -> Value {
    let house = &view.snapshot.house;
    let inverted = view.share(house.load);
    let arrow = if house.grid.get() > 0.0 { "toInverter" } else { "fromInverter" };
    // On an XP this is a counter that goes up by one a second, whatever its name says.
    let counter = view.snapshot.at.0.div_euclid(1000).rem_euclid(65_536);
    json!({
        "remainTime": 0,
        "tinner": if view.is_xp() { 0 } else { 31 + inverted / 700 },
        "tradiator1": 34 + inverted / 500, "tradiator2": 33 + inverted / 550,
        "vBus1": 3712, "vBus2": 3198,
        "_12KAcCoupleInverterFlow": false, "_12KAcCoupleInverterData": false, "acCouplePower": 0,
        "_12KUsingGenerator": false,
        "genVolt": 0, "genFreq": 0, "genPower": if view.is_xp() { counter } else { 0 }, "genDryContact": "OFF",
        "hasEpsOverloadRecoveryTime": false,
        "directions": {"inverterArrowDir": arrow},
        "hasUnclosedQuickChargeTask": false, "hasUnclosedQuickDischargeTask": false,
    })
}
