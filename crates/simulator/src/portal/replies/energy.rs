//! `getInverterEnergyInfo`: counters of the day and of the inverter's life.

use super::{View, merged, runtime::firmware};
use crate::house::Energy;
use serde_json::{Value, json};

/// What is counted, as the portal's fields spell it.
const NAMES: [&str; 6] = ["Yielding", "Charging", "Discharging", "Import", "Export", "Usage"];
/// What an inverter had counted before the simulation began, in tenths of a kWh.
const BEFORE: [i64; 6] = [184_310, 97_205, 91_118, 22_467, 41_932, 158_640];

/// The reply for one inverter.
pub(in crate::portal) fn reply(view: &View<'_>) -> Value {
    let (firmware, rating) = firmware(view);
    let mut fields = merged([json!({
        "success": true,
        "serialNum": view.inverter.serial,
        "fwCode": firmware,
        "powerRatingText": rating,
        "lost": view.is_lost(),
        "hasRuntimeData": true,
        "todayIncomeText": "--", "todaySavingText": "0.00", "totalIncomeText": "--", "totalSavingText": "-.00",
        "totalCo2ReductionText": "0 kG", "totalCoalReductionText": "0 kG", "totalTreeEquivalentText": "0",
        "pvPieChargeTodayRate": 0, "pvPieExportTodayRate": 0, "pvPieUsageTodayRate": 0,
        "pvPieChargeTotalRate": 0, "pvPieExportTotalRate": 0, "pvPieUsageTotalRate": 0,
    })]);
    if let Some(soc) = view.soc() {
        fields.insert("soc".to_owned(), soc);
    }
    let today = tenths(view, &view.snapshot.house.today);
    for ((name, today), total) in NAMES.into_iter().zip(today).zip(totals(view)) {
        fields.insert(format!("today{name}"), json!(today));
        fields.insert(format!("today{name}Text"), json!(kilowatt_hours(today)));
        fields.insert(format!("total{name}"), json!(total));
        fields.insert(format!("total{name}Text"), json!(kilowatt_hours(total)));
        fields.insert(format!("total{name}Data"), json!(format!("{:.2}", total as f64 / 10_000.0)));
        fields.insert(format!("total{name}Unit"), json!("MWh"));
    }
    Value::Object(fields)
}

/// The life's counters of this inverter, in tenths of a kWh.
pub(super) fn totals(view: &View<'_>) -> [i64; 6] {
    let mut totals = BEFORE;
    for (total, since) in totals.iter_mut().zip(tenths(view, &view.snapshot.house.total)) {
        *total += since;
    }
    totals
}

/// The counters of this inverter, in tenths of a kWh.
fn tenths(view: &View<'_>, energy: &Energy) -> [i64; 6] {
    let count = f64::from(view.setup.inverters);
    [energy.pv, energy.charge, energy.discharge, energy.import, energy.export, energy.load]
        .map(|watt_hours| (watt_hours / count / 100.0).floor() as i64)
}

/// Tenths of a kWh as a text in kWh.
pub(super) fn kilowatt_hours(tenths: i64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
