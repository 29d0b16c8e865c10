//! What an account shows: its plants and their inverters. Of a login reply, which is full of personal data,
//! only what is needed to ask for readings is taken; the rest is dropped with the reply.

use super::{clock::PlantOffset, fields::Fields};
use crate::DeviceError;

/// `deviceType` of a GridBOSS, a transfer switch that sits among the inverters and answers none of their
/// requests.
const GRIDBOSS: i64 = 9;

/// An inverter of the account.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inverter {
    pub(super) serial: String,
    /// As the portal names it ("18KPV").
    pub(super) model: Option<String>,
    /// Of its plant.
    pub(super) offset: Option<PlantOffset>,
}

/// A place with inverters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plant {
    pub(super) id: i64,
    pub(super) offset: Option<PlantOffset>,
    pub(super) inverters: Vec<Inverter>,
}

/// What a login reply says about the account.
#[derive(Debug, PartialEq)]
pub(super) struct Account {
    /// Installers ask for their plants at another path than owners.
    pub(super) owner: bool,
    /// Those with inverters. Empty if the reply lists none; that happens in some regions.
    pub(super) plants: Vec<Plant>,
}

impl Account {
    pub(super) fn from_login(fields: Fields<'_>) -> Self {
        let plants = fields.objects("plants").filter_map(|plant| {
            let minutes = plant.number("timezoneMinuteOffset").unwrap_or(0.0);
            let offset = plant
                .number("timezoneHourOffset")
                .and_then(|hours| PlantOffset::from_hours_and_minutes(hours, minutes));
            let inverters = inverters(plant, "inverters", offset);
            Some(Plant { id: plant.whole("plantId")?, offset, inverters })
        });
        let plants = plants.filter(|plant| !plant.inverters.is_empty());
        Self { owner: fields.text("role").is_none_or(|role| role == "VIEWER"), plants: plants.collect() }
    }
}

/// The plants of a plant list, without their inverters.
pub(super) fn plants_of_list(fields: Fields<'_>) -> Vec<Plant> {
    let plants = fields.objects("rows").filter_map(|row| {
        let offset = row.number("currentTimezoneWithMinute").and_then(PlantOffset::from_hhmm);
        let id = row.whole("plantId").or_else(|| row.whole("id"))?;
        Some(Plant { id, offset, inverters: Vec::new() })
    });
    plants.collect()
}

/// The inverters of an overview of one plant.
pub(super) fn inverters_of_overview(fields: Fields<'_>, offset: Option<PlantOffset>) -> Vec<Inverter> {
    inverters(fields, "rows", offset)
}

fn inverters(fields: Fields<'_>, list: &str, offset: Option<PlantOffset>) -> Vec<Inverter> {
    let inverters = fields.objects(list).filter_map(|device| {
        // Pseudo serials such as `Parallel_A` stand for a group, not for a device.
        let serial =
            device.text("serialNum").filter(|text| text.bytes().all(|b| b.is_ascii_alphanumeric()))?;
        let model = device.text("deviceTypeText4APP").or_else(|| device.text("deviceTypeText"));
        (device.whole("deviceType") != Some(GRIDBOSS)).then(|| Inverter {
            serial: serial.to_owned(),
            model: model.map(str::to_owned),
            offset,
        })
    });
    inverters.collect()
}

/// The plant that is meant: the configured one, else the only one. Several plants are several batteries, and
/// driving a house by another house's battery would be worse than not at all.
pub(super) fn choose_plant(plants: &[Plant], wanted: Option<i64>) -> Result<&Plant, DeviceError> {
    match (wanted, plants) {
        (Some(id), _) => plants
            .iter()
            .find(|plant| plant.id == id)
            .ok_or_else(|| DeviceError::WrongDevice(format!("the portal's account has no plant {id}"))),
        (None, [only]) => Ok(only),
        (None, []) => Err(DeviceError::WrongDevice("the portal's account has no plant".to_owned())),
        (None, several) => {
            let ids: Vec<String> = several.iter().take(10).map(|plant| plant.id.to_string()).collect();
            let ids = ids.join(", ");
            Err(DeviceError::WrongDevice(format!(
                "the portal's account has several plants ({ids}): the configuration must say which one"
            )))
        }
    }
}

/// The configured inverters, with what the account knows about them.
pub(super) fn choose_inverters(plants: &[Plant], serials: &[String]) -> Vec<Inverter> {
    let known =
        |serial: &str| plants.iter().flat_map(|plant| &plant.inverters).find(|it| it.serial == serial);
    // An account with one plant says in which zone its inverters are, even those that it doesn't list.
    let offset = if let [only] = plants { only.offset } else { None };
    let unknown = |serial: &String| Inverter { serial: serial.clone(), model: None, offset };
    serials.iter().map(|serial| known(serial).cloned().unwrap_or_else(|| unknown(serial))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn account(login: &Value) -> Account {
        Account::from_login(Fields::of(login).unwrap())
    }

    fn login() -> Value {
        json!({
            "success": true, "role": "VIEWER", "email": "somebody@example.org",
            "userVisitRecord": { "plantId": 5, "serialNum": "Parallel_A", "deviceType": 6 },
            "plants": [{
                "plantId": 3107, "name": "Somewhere", "timezoneHourOffset": -5, "timezoneMinuteOffset": 0,
                "inverters": [
                    { "serialNum": "52310A0071", "deviceType": 6, "deviceTypeText4APP": "FlexBOSS21" },
                    { "serialNum": "52310A0072", "deviceType": 6, "deviceTypeText": "18KPV" },
                    { "serialNum": "52310G0073", "deviceType": 9, "deviceTypeText": "Grid Boss" },
                    { "serialNum": "Parallel_A", "deviceType": 6 },
                    { "deviceType": 6 },
                    "not a device"
                ]
            }]
        })
    }

    #[test]
    fn a_login_lists_plants_and_inverters() {
        let account = account(&login());
        assert!(account.owner);
        let plant = choose_plant(&account.plants, None).unwrap();
        let found: Vec<_> =
            plant.inverters.iter().map(|it| (it.serial.as_str(), it.model.as_deref())).collect();
        assert_eq!(found, [("52310A0071", Some("FlexBOSS21")), ("52310A0072", Some("18KPV"))]);
        assert_eq!(plant.inverters[0].offset, PlantOffset::from_hhmm(-500.0));
    }

    #[test]
    fn a_login_without_members_is_an_account_without_plants() {
        assert_eq!(account(&json!({})), Account { owner: true, plants: Vec::new() });
        assert_eq!(
            account(&json!({ "role": "INSTALLER", "plants": [{}, 7, null] })),
            Account { owner: false, plants: Vec::new() }
        );
    }

    #[test]
    fn lists_stand_in_for_a_login_without_plants() {
        let list = json!({ "total": 1, "rows": [{ "id": 3107, "currentTimezoneWithMinute": -400 }, { "name": "?" }] });
        let plants = plants_of_list(Fields::of(&list).unwrap());
        assert_eq!(plants.iter().map(|plant| plant.id).collect::<Vec<_>>(), [3107]);
        let overview = json!({ "rows": [{ "serialNum": "52310A0071", "deviceType": "6", "soc": "58 %" },
                                        { "serialNum": "52310G0073", "deviceType": "9" }] });
        let inverters = inverters_of_overview(Fields::of(&overview).unwrap(), plants[0].offset);
        assert_eq!(inverters.len(), 1);
        assert_eq!(inverters[0].offset, PlantOffset::from_hhmm(-400.0));
    }

    #[test]
    fn which_of_several_plants_must_be_said() {
        let plant = |id| Plant { id, offset: None, inverters: Vec::new() };
        let plants = [plant(11), plant(12)];
        assert_eq!(choose_plant(&plants, Some(12)).unwrap().id, 12);
        assert!(choose_plant(&plants, None).unwrap_err().to_string().contains("11, 12"));
        assert!(choose_plant(&plants, Some(13)).is_err());
        assert!(choose_plant(&[], None).is_err());
    }

    #[test]
    fn configured_inverters_need_not_be_listed() {
        let plants = account(&login()).plants;
        let chosen = choose_inverters(&plants, &["52310A0072".to_owned(), "99990A0001".to_owned()]);
        assert_eq!(chosen[0].model.as_deref(), Some("18KPV"));
        assert_eq!((chosen[1].serial.as_str(), chosen[1].model.as_deref()), ("99990A0001", None));
        assert_eq!(chosen[1].offset, PlantOffset::from_hhmm(-500.0));
    }
}
