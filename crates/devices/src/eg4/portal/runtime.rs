//! The reply to `getInverterRuntime`: what its members mean. Which of them are there depends on model and
//! firmware; an inverter that is offline keeps some at their last value and leaves the others out.

use super::{
    account::Inverter,
    clock::{self, upload_time},
    fields::Fields,
};
use crate::eg4::bank::UnitReading;
use model::{Celsius, Watts};

/// Where a device's consumption is read. Chosen at the first reading that allows a choice and kept: a rule such
/// as "the first that isn't zero" would make the value jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadSource {
    /// `pLoad170`, the inverter's register 170: hybrids with newer firmware.
    Register170,
    /// `consumptionPower`: hybrids.
    Consumption,
    /// From the balance of all other powers, conversion losses (about 50 to 150 W) included.
    Balance,
    /// `peps` and the extra outputs where they are enabled: the off-grid XP models, where the backup output
    /// *is* the house and the other members mean nothing.
    BackupOutput,
}

/// One inverter's reading. `load` is its choice so far, and is set when this reading allows one.
pub(super) fn unit(fields: Fields<'_>, inverter: &Inverter, load: &mut Option<LoadSource>) -> UnitReading {
    let time = |name| fields.text(name).and_then(clock::parse);
    let offline = fields.text("statusText").is_some_and(|text| text.eq_ignore_ascii_case("offline"));
    let never_uploaded = fields.flag("hasRuntimeData") == Some(false);
    let reading = UnitReading {
        serial: inverter.serial.clone(),
        model: inverter.model.clone(),
        soc: fields.number("soc"),
        lost: offline || never_uploaded || fields.flag("lost") == Some(true),
        source_time: upload_time(time("serverTime"), time("deviceTime"), inverter.offset),
        ..UnitReading::default()
    };
    if reading.lost {
        // What is left of the powers is frozen.
        return reading;
    }
    let powers = Powers::of(fields);
    let source = load.or_else(|| LoadSource::choose(fields, inverter.model.as_deref(), &powers));
    *load = source;
    UnitReading {
        pv: powers.pv,
        load: source.and_then(|source| source.read(fields, &powers)),
        grid: powers.grid,
        battery: powers.battery,
        voltage: fields.number("vBat").map(|tenths| tenths / 10.0),
        temperature: temperature(fields),
        ..reading
    }
}

/// The flows that the house's balance is made of, in the project's signs.
#[derive(Debug, Default)]
struct Powers {
    pv: Option<Watts>,
    grid: Option<Watts>,
    battery: Option<Watts>,
}

impl Powers {
    fn of(fields: Fields<'_>) -> Self {
        let difference = |plus: &str, minus: &str| {
            let (plus, minus) = (fields.number(plus)?, fields.number(minus)?);
            Watts::new(plus - minus)
        };
        // Solar inverters coupled at the generator port count where the flow is said to exist.
        let coupled = fields.flag("_12KAcCoupleInverterFlow") == Some(true);
        let pv = fields.watts("ppv");
        Self {
            pv: if coupled { add(pv, fields.watts("acCouplePower")) } else { pv },
            // "toUser" is the import from the grid, not the consumption.
            grid: difference("pToUser", "pToGrid"),
            battery: fields.watts("batPower").or_else(|| difference("pCharge", "pDisCharge")),
        }
    }

    /// What comes in from grid, sun and battery and doesn't stay in the battery. Losses and values that aren't
    /// of quite the same moment can bring it slightly under zero, which a consumption can't be.
    fn balance(&self) -> Option<Watts> {
        let balance = self.grid?.get() + self.pv?.get() - self.battery?.get();
        Watts::new(balance.max(0.0))
    }
}

impl LoadSource {
    fn choose(fields: Fields<'_>, model: Option<&str>, powers: &Powers) -> Option<Self> {
        if is_off_grid_family(fields, model) {
            Some(Self::BackupOutput)
        } else if fields.number("pLoad170").is_some() {
            Some(Self::Register170)
        } else if fields.number("consumptionPower").is_some() {
            Some(Self::Consumption)
        } else {
            powers.balance().map(|_| Self::Balance)
        }
    }

    fn read(self, fields: Fields<'_>, powers: &Powers) -> Option<Watts> {
        match self {
            Self::Register170 => fields.watts("pLoad170"),
            Self::Consumption => fields.watts("consumptionPower"),
            Self::Balance => powers.balance(),
            Self::BackupOutput => {
                let outputs =
                    [("gridLoadPowerShow", "gridLoadPower"), ("smartLoadInverterEnable", "smartLoadPower")];
                let enabled = outputs.into_iter().filter(|(flag, _)| fields.flag(flag) == Some(true));
                enabled.fold(fields.watts("peps"), |sum, (_, power)| add(sum, fields.watts(power)))
            }
        }
    }
}

/// Whether this is an XP model (6000XP, 12000XP; sold elsewhere as SNA), told by its name or by the family
/// prefix of its firmware code, or by the portal's own hiding of the consumption.
fn is_off_grid_family(fields: Fields<'_>, model: Option<&str>) -> bool {
    let model = model.unwrap_or_default().to_ascii_uppercase();
    let firmware = fields.text("fwCode").unwrap_or_default().to_ascii_uppercase();
    let named = model.ends_with("XP") || model.starts_with("SNA") || firmware.starts_with("CEAA-");
    named || fields.flag("hideConsumption") == Some(true)
}

fn add(a: Option<Watts>, b: Option<Watts>) -> Option<Watts> {
    a.zip(b).map(|(a, b)| a + b)
}

/// 127 means that there is no sensor, and values beyond what a cell survives were seen (1012).
fn temperature(fields: Fields<'_>) -> Option<Celsius> {
    fields.number("tBat").filter(|degrees| (-60.0..=100.0).contains(degrees)).and_then(Celsius::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eg4::portal::clock::PlantOffset;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn inverter(model: &str) -> Inverter {
        Inverter {
            serial: "52310A0071".to_owned(),
            model: Some(model.to_owned()),
            offset: PlantOffset::from_hhmm(-400.0),
        }
    }

    fn read(reply: &Value, model: &str) -> UnitReading {
        unit(Fields::of(reply).unwrap(), &inverter(model), &mut None)
    }

    fn hybrid() -> Value {
        json!({
            "success": true, "serialNum": "52310A0071", "fwCode": "fAAB-2530", "lost": false,
            "hasRuntimeData": true, "statusText": "normal", "status": 40, "soc": 64,
            "serverTime": "2026-06-03 17:20:41", "deviceTime": "2026-06-03 13:20:41",
            "ppv": 3210, "pToUser": 140, "pToGrid": 0, "batPower": 1850, "pCharge": 1850, "pDisCharge": 0,
            "vBat": 534, "tBat": 21, "pLoad170": 1395, "consumptionPower": 1410, "peps": 0,
            "genPower": 88_123, "acCouplePower": 0, "_12KAcCoupleInverterFlow": false,
        })
    }

    fn off_grid() -> Value {
        json!({
            "serialNum": "52310A0099", "fwCode": "ceaa-1A0B", "lost": false, "soc": 81, "status": 192,
            "serverTime": "2026-06-03 17:20:41", "deviceTime": "2026-06-03 13:20:41", "hideConsumption": true,
            "ppv": 310, "pToUser": 0, "pToGrid": 0, "pCharge": 0, "pDisCharge": 1640, "vBat": "531",
            "pf": "[0]", "vact": 6145, "consumptionPower": 0, "peps": 1822, "tBat": 127, "genPower": 52_210,
            "gridLoadPowerShow": false, "gridLoadPower": 400, "smartLoadInverterEnable": true, "smartLoadPower": 95,
        })
    }

    #[test]
    fn a_hybrid() {
        let unit = read(&hybrid(), "18KPV");
        assert_eq!(unit.soc, Some(64.0));
        assert_eq!(unit.source_time, "2026-06-03T17:20:41Z".parse().ok());
        assert_eq!(unit.pv, Some(Watts::whole(3210)));
        assert_eq!(unit.grid, Some(Watts::whole(140)));
        assert_eq!(unit.battery, Some(Watts::whole(1850)));
        assert_eq!(unit.load, Some(Watts::whole(1395)));
        assert_eq!((unit.voltage, unit.temperature), (Some(53.4), Celsius::new(21.0)));
        assert!(!unit.lost && !unit.says_nothing());
    }

    #[test]
    fn an_off_grid_model() {
        let unit = read(&off_grid(), "12000XP");
        assert_eq!(unit.battery, Watts::new(-1640.0));
        assert_eq!(unit.load, Some(Watts::whole(1822 + 95)));
        assert_eq!((unit.voltage, unit.temperature), (Some(53.1), None));
    }

    #[test]
    fn the_family_shows_in_the_name_or_the_firmware_or_what_is_hidden() {
        let code = |code: &str| json!({ "fwCode": code });
        let family = |reply: &Value, model| is_off_grid_family(Fields::of(reply).unwrap(), model);
        assert!(family(&code("ceaa-1A0B"), None));
        assert!(family(&json!({}), Some("6000XP")));
        assert!(family(&json!({}), Some("SNA12K-US")));
        assert!(family(&json!({ "hideConsumption": true }), None));
        assert!(!family(&code("FAAB-2530"), Some("18KPV")));
        assert!(!family(&code("EAAB-2530"), Some("12KPV")));
        assert!(!family(&json!({}), None));
    }

    #[test]
    fn the_load_is_read_where_it_was_first_read() {
        let mut reply = hybrid();
        let mut load = None;
        assert_eq!(
            unit(Fields::of(&reply).unwrap(), &inverter("18KPV"), &mut load).load,
            Some(Watts::whole(1395))
        );
        reply["pLoad170"] = json!("");
        assert_eq!(unit(Fields::of(&reply).unwrap(), &inverter("18KPV"), &mut load).load, None);
        assert_eq!(load, Some(LoadSource::Register170));
    }

    #[test]
    fn the_load_of_a_hybrid_falls_back_to_the_balance() {
        let mut reply = hybrid();
        reply.as_object_mut().unwrap().remove("pLoad170");
        assert_eq!(read(&reply, "18KPV").load, Some(Watts::whole(1410)));
        reply.as_object_mut().unwrap().remove("consumptionPower");
        assert_eq!(read(&reply, "18KPV").load, Some(Watts::whole(140 + 3210 - 1850)));
        reply["pToUser"] = json!("");
        assert_eq!(read(&reply, "18KPV").load, None);
        reply["pToUser"] = json!(0);
        reply["pToGrid"] = json!(1500);
        assert_eq!(read(&reply, "18KPV").load, Some(Watts::ZERO), "140 W under zero are losses");
    }

    #[test]
    fn coupled_solar_inverters_count_where_they_flow() {
        let mut reply = hybrid();
        reply["acCouplePower"] = json!(900);
        assert_eq!(read(&reply, "18KPV").pv, Some(Watts::whole(3210)));
        reply["_12KAcCoupleInverterFlow"] = json!(true);
        assert_eq!(read(&reply, "18KPV").pv, Some(Watts::whole(3210 + 900)));
        reply["acCouplePower"] = json!("");
        assert_eq!(read(&reply, "18KPV").pv, None);
    }

    #[test]
    fn an_offline_inverter_has_no_live_values() {
        let mut reply = hybrid();
        reply["lost"] = json!(true);
        for gone in ["status", "ppv", "soc", "vBat", "pCharge", "pDisCharge", "batPower", "peps"] {
            reply.as_object_mut().unwrap().remove(gone);
        }
        let mut load = None;
        let reading = unit(Fields::of(&reply).unwrap(), &inverter("18KPV"), &mut load);
        assert!(reading.lost && !reading.says_nothing());
        assert_eq!((reading.soc, reading.grid, reading.load, reading.temperature), (None, None, None, None));
        assert_eq!(reading.source_time, "2026-06-03T17:20:41Z".parse().ok());
        assert_eq!(load, None, "what is frozen decides nothing");
    }

    #[test]
    fn an_inverter_is_offline_in_several_words() {
        assert!(read(&json!({ "statusText": "offline", "soc": 64 }), "18KPV").lost);
        assert!(read(&json!({ "hasRuntimeData": false }), "18KPV").lost);
        assert!(read(&json!({ "lost": "true" }), "18KPV").lost);
        assert!(!read(&json!({ "soc": 64 }), "18KPV").lost);
    }

    #[test]
    fn a_reply_without_live_values_says_nothing() {
        let reply = json!({ "success": true, "lost": false, "serverTime": "2026-06-03 17:20:41", "soc": "" });
        assert!(read(&reply, "18KPV").says_nothing());
    }

    #[test]
    fn a_state_of_charge_passes_as_it_is() {
        for (soc, expected) in [
            (json!("58 %"), Some(58.0)),
            (json!(127), Some(127.0)),
            (json!(-1), Some(-1.0)),
            (json!(0), Some(0.0)),
            (json!("--"), None),
            (json!("NaN"), None),
        ] {
            assert_eq!(read(&json!({ "soc": soc }), "18KPV").soc, expected);
        }
    }

    #[test]
    fn a_temperature_beyond_all_cells_is_none() {
        for (degrees, expected) in [(127, None), (1012, None), (-20, Some(-20.0)), (0, Some(0.0))] {
            let unit = read(&json!({ "tBat": degrees }), "18KPV");
            assert_eq!(unit.temperature.map(Celsius::get), expected);
        }
    }

    /// Objects that are near enough to the real ones to get far into the code.
    fn nearly_runtime() -> impl Strategy<Value = Value> {
        let value = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(|number| json!(number)),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,24}".prop_map(Value::from),
            "20[0-9]{2}-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-6][0-9]".prop_map(Value::from),
            Just(Value::Null),
            Just(json!([{}])),
        ];
        let names: Vec<String> = [hybrid(), off_grid()]
            .iter()
            .flat_map(|reply| reply.as_object().unwrap().keys().cloned().collect::<Vec<_>>())
            .collect();
        proptest::collection::hash_map(proptest::sample::select(names), value, 0..30)
            .prop_map(|map| json!(map))
    }

    proptest! {
        #[test]
        fn no_object_panics_and_no_number_is_infinite(reply in nearly_runtime(), model in "\\PC{0,12}") {
            let unit = read(&reply, &model);
            for power in [unit.pv, unit.load, unit.grid, unit.battery].into_iter().flatten() {
                prop_assert!(power.get().is_finite());
            }
            prop_assert!(unit.soc.is_none_or(f64::is_finite));
            let _ = crate::eg4::bank::merge(vec![unit.clone(), unit]);
        }
    }
}
