//! Any bytes as a reply of the portal: a sign-in, a list and a reading at once.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::{
    account::{Account, Inverter, inverters_of_overview, plants_of_list},
    clock::PlantOffset,
    reply::{Reply, Verdict, verdict},
    runtime::unit,
};
use crate::{DeviceError, eg4::bank::merge, fuzzing::has_no_digit};

/// The body of a reply.
pub fn portal(bytes: &[u8]) {
    let reply = Reply {
        status: 200,
        to_login: false,
        retry_after: None,
        clock: None,
        session: None,
        body: bytes.to_vec(),
    };
    let json = match reply.json() {
        Ok(json) => json,
        Err(failure) => return check_words(&failure.into()),
    };
    let fields = match verdict(&json) {
        Ok(Verdict::Data(fields)) => fields,
        Ok(Verdict::Nothing) => return,
        Ok(Verdict::Refused(error)) => return check_words(&error),
        Err(failure) => return check_words(&failure.into()),
    };
    let account = Account::from_login(fields);
    let plants = account.plants.iter().map(|plant| &plant.inverters);
    let listed = inverters_of_overview(fields, None);
    for inverter in plants.flatten().chain(&listed) {
        let is_plain = inverter.serial.bytes().all(|byte| byte.is_ascii_alphanumeric());
        assert!(is_plain, "a serial number that isn't one: {:?}", inverter.serial);
    }
    let _ = plants_of_list(fields);
    for model in ["18KPV", "12000XP"] {
        let inverter = |serial: &str| Inverter {
            serial: serial.to_owned(),
            model: Some(model.to_owned()),
            offset: PlantOffset::from_hhmm(-400.0),
        };
        let (one, two) = (inverter("A1"), inverter("B2"));
        let reading = merge(vec![unit(fields, &one, &mut None), unit(fields, &two, &mut None)]);
        let powers = [reading.pv, reading.load, reading.grid, reading.battery]
            .map(|power| power.map(model::Watts::get));
        let numbers = powers.into_iter().chain([reading.soc_percent, reading.voltage]);
        let numbers: Vec<f64> =
            numbers.flatten().chain(reading.temperature.map(model::Celsius::get)).collect();
        assert!(numbers.iter().all(|number| number.is_finite()), "no number: {reading:?}");
        if reading.lost {
            assert_eq!(powers, [None; 4], "powers of a battery that is lost");
        }
        if has_no_digit(&json.to_string()) {
            // Unknown is unknown, and never 0.
            assert!(numbers.is_empty() && reading.source_time.is_none(), "numbers of nowhere: {reading:?}");
        }
    }
}

/// What the portal says in sentences may name the account.
fn check_words(error: &DeviceError) {
    let words = error.to_string();
    assert!(words.len() < 512, "words without an end: {} bytes", words.len());
}
