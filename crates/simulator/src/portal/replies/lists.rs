//! The lists: plants, inverters, inverters at a glance, members of a parallel group.

use super::{
    PLANT_ID, PLANT_NAME, View, account, energy, merged,
    runtime::{firmware, status_text},
    zone_offset_seconds,
};
use crate::portal::faults::SocFault;
use chrono_tz::Tz;
use model::UtcMillis;
use serde_json::{Value, json};

/// `plant/list/viewer`: the account's plants.
pub(in crate::portal) fn plants(zone: Tz, now: UtcMillis) -> Value {
    let minutes = zone_offset_seconds(zone, now) / 60;
    json!({
        "total": 1,
        "rows": [{
            "id": PLANT_ID, "plantId": PLANT_ID,
            "name": PLANT_NAME,
            "nominalPower": 12_000,
            "country": "United States of America",
            // ±HHMM as a number: −630 is six hours and a half behind.
            "currentTimezoneWithMinute": minutes / 60 * 100 + minutes % 60,
            "timezone": "GMT -7",
            "daylightSavingTime": true,
            "createDate": "2024-11-03",
            "noticeFault": false, "noticeWarn": false, "noticeEmail": "", "noticeEmail2": "",
            "contactPerson": "", "contactPhone": "", "address": "",
        }],
    })
}

/// `inverterOverview/list`: every inverter at a glance.
pub(in crate::portal) fn overview(views: &[View<'_>]) -> Value {
    json!({"success": true, "total": views.len(), "rows": views.iter().map(overview_row).collect::<Vec<_>>()})
}

fn overview_row(view: &View<'_>) -> Value {
    let house = &view.snapshot.house;
    let (sun, load) = (view.share(house.pv), view.share(house.load));
    let (charge, discharge) = view.charge_and_discharge();
    let soc = match &view.faults.soc {
        None => format!("{} %", view.whole_soc()),
        Some(SocFault::Missing) => String::new(),
        Some(SocFault::Value(value)) => {
            format!("{} %", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        }
    };
    let power = |watts: i64| format!("{watts} W");
    let [yielding, _, discharging, _, export, usage] = energy::totals(view);
    let energy_text = |tenths: i64| format!("{} kWh", energy::kilowatt_hours(tenths));
    let parallel = view.setup.inverters > 1;
    Value::Object(merged([
        json!({
            "serialNum": view.inverter.serial,
            "statusText": status_text(view),
            "deviceType": 6, "deviceTypeText": account::model(view.setup.profile),
            "phase": 1,
            "plantId": PLANT_ID, "plantName": PLANT_NAME,
            "endUser": "demo",
            "ppv": sun, "ppvText": power(sun),
            "pCharge": charge, "pChargeText": power(charge),
            "pDisCharge": discharge, "pDisChargeText": power(discharge),
            "pConsumption": load, "pConsumptionText": power(load),
            "soc": soc,
            "vBat": view.decivolts(), "vBatText": format!("{:.1} V", house.voltage),
        }),
        json!({
            "totalYielding": yielding, "totalYieldingText": energy_text(yielding),
            "totalDischarging": discharging, "totalDischargingText": energy_text(discharging),
            "totalExport": export, "totalExportText": energy_text(export),
            "totalUsage": usage, "totalUsageText": energy_text(usage),
            "parallelGroup": if parallel { "A" } else { "" },
            "parallelIndex": if parallel { (view.inverter.index + 1).to_string() } else { String::new() },
            "parallelInfo": "",
            "parallelModel": "",
        }),
    ]))
}

/// `inverter/list`: every inverter with its dongle.
pub(in crate::portal) fn inverters(views: &[View<'_>]) -> Value {
    let offline = views.iter().filter(|view| view.is_lost()).count();
    json!({
        "success": true,
        "total": views.len(),
        "rows": views.iter().map(inverter_row).collect::<Vec<_>>(),
        "currentPageSize": views.len(),
        "offlineNum": offline,
        "onlineNum": views.len() - offline,
    })
}

fn inverter_row(view: &View<'_>) -> Value {
    let (firmware, rating) = firmware(view);
    Value::Object(merged([
        account::row(view.inverter, view.setup.profile, view.is_lost()),
        json!({
            "datalogSn": view.inverter.dongle,
            "model": 590_336,
            "fwCode": firmware,
            "powerRatingText": rating,
            "status": if view.is_lost() { -1 } else { 1 }, "statusText": status_text(view),
            "plantId": PLANT_ID, "plantName": PLANT_NAME,
            "endUser": "demo",
            "batParallelNum": "3", "batCapacity": view.amp_hours().to_string(), "sohText": "99 %",
            "lastUpdateTime": view.server_time(),
        }),
    ]))
}

/// `getParallelGroupDetails`: the members of the group, if there is one.
pub(in crate::portal) fn parallel_group(views: &[View<'_>]) -> Value {
    if views.len() < 2 {
        return json!({"success": false, "msg": "notParallel"});
    }
    json!({
        "success": true,
        "deviceType": 6,
        "total": views.len(),
        "devices": views.iter().map(group_member).collect::<Vec<_>>(),
    })
}

fn group_member(view: &View<'_>) -> Value {
    let house = &view.snapshot.house;
    let (charge, discharge) = view.charge_and_discharge();
    json!({
        "serialNum": view.inverter.serial,
        "deviceType": 6, "subDeviceType": 164, "phase": 1, "dtc": 1, "machineType": 0,
        "parallelIndex": (view.inverter.index + 1).to_string(),
        "parallelNumText": view.setup.inverters.to_string(),
        "lost": view.is_lost(),
        "roleText": if view.inverter.index == 0 { "Primary" } else { "Subordinate" },
        "ppv1": view.share(house.pv),
        "soc": view.whole_soc(),
        "vBat": view.decivolts(),
        "pCharge": charge, "pDisCharge": discharge,
        "peps": 0,
    })
}
