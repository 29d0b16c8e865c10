//! Signing in: what an account is told about itself, its plant and its inverters.

use super::{PLANT_ID, PLANT_NAME, merged, zone_offset_seconds};
use crate::portal::{PortalSetup, faults::PortalFaults, setup::Profile, uploads::Inverter};
use chrono_tz::Tz;
use model::UtcMillis;
use serde_json::{Value, json};

/// A wrong user name or password, as the portal spells it.
pub(in crate::portal) fn refused() -> Value {
    json!({"success": false, "msg": "LOGIN_ERROR_DISMATCH", "msgCode": 101})
}

/// The reply to a sign-in.
pub(in crate::portal) fn reply(
    setup: &PortalSetup,
    faults: &PortalFaults,
    inverters: &[Inverter],
    zone: Tz,
    now: UtcMillis,
) -> Value {
    let offset_minutes = zone_offset_seconds(zone, now) / 60;
    let rows: Vec<Value> = inverters
        .iter()
        .map(|inverter| row(inverter, setup.profile, faults.is_lost(inverter.index)))
        .collect();
    let mut plant = merged([json!({
        "plantId": PLANT_ID,
        "name": PLANT_NAME,
        "timezoneHourOffset": offset_minutes / 60,
        "timezoneMinuteOffset": offset_minutes % 60,
        "inverters": rows,
    })]);
    if let [first, _, ..] = inverters {
        let group = json!([{"parallelGroup": "A", "parallelFirstDeviceSn": first.serial}]);
        plant.insert("parallelGroups".to_owned(), group);
    }
    Value::Object(merged([person(), interface(), json!({"plants": [plant]})]))
}

/// The model's name as the portal shows it.
pub(super) fn model(profile: Profile) -> &'static str {
    match profile {
        Profile::Hybrid => "18KPV",
        Profile::Xp => "SNA12K-US",
    }
}

/// Static facts about one inverter.
pub(super) fn row(inverter: &Inverter, profile: Profile, lost: bool) -> Value {
    let hybrid = profile == Profile::Hybrid;
    json!({
        "serialNum": inverter.serial,
        "phase": 1,
        "lost": lost,
        "dtc": 1,
        "deviceType": 6,
        "subDeviceType": if hybrid { 164 } else { 131 },
        "allowExport2Grid": hybrid,
        "powerRating": 6,
        "deviceTypeText4APP": model(profile), "deviceTypeText": model(profile),
        "batteryType": "LITHIUM", "batteryTypeText": "Lithium battery",
        "standard": if hybrid { "fAAB" } else { "ceaa" },
        "slaveVersion": 25, "fwVersion": 31,
        "allowGenExercise": true,
        "withbatteryData": hybrid,
        "hardwareVersion": -1, "voltClass": 0, "machineType": 0, "odm": 4, "protocolVersion": 5,
    })
}

fn person() -> Value {
    json!({
        "success": true,
        "userId": 51_207, "parentUserId": 806,
        "username": "demo", "realName": "Demo Household", "email": "household@example.invalid",
        "readonly": false, "role": "VIEWER",
        "telNumber": "000-000-0000", "address": "",
        "countryText": "United States of America",
        "currentContinentIndex": 4, "currentRegionIndex": 0, "currentCountryIndex": 1,
        "regions": [
            {"value": "NORTH_AMERICA", "text": "North America"},
            {"value": "CENTRAL_AMERICA", "text": "Central America"},
        ],
        "countrys": [
            {"value": "CANADA", "text": "Canada"},
            {"value": "UNITED_STATES_OF_AMERICA", "text": "United States of America"},
        ],
        "timezone": "WEST7", "timezoneText": "GMT -7",
        "language": "ENGLISH",
        "platform": "EG4",
        "clusterId": 100,
        "userCreateDate": "2024-11-03 17:20:41", "userCreatedDays": 560,
        // The last thing looked at was a group: such a record has no more than this.
        "userVisitRecord": {"plantId": PLANT_ID, "serialNum": "Parallel_A"},
        "techInfo": {
            "techInfoType1": "PHONE_NUMBER", "techInfo1": "", "techInfoType2": "PHONE_NUMBER", "techInfo2": "",
            "techInfoCount": 2,
        },
    })
}

fn interface() -> Value {
    json!({
        "needHideDisChgEnergy": false,
        "allowRemoteSupport": true,
        "allowViewerVisitOptimalSet": false, "allowViewerVisitWeatherSet": false,
        "chartColorValues": "STANDARD",
        "tempUnit": "F", "tempUnitText": "℉",
        "dateFormat": "YYYY_MM_DD_SLASH",
        "userChartRecord": "{}",
        "firewallNotificationEnable": "false",
    })
}
