//! The bodies of the portal's replies: complete field sets as clients know them, filled from a snapshot.
//!
//! One module per kind of reply; here is what they share: texts of instants, shares of the house's powers, and the
//! faults that change values rather than replies.

pub(super) mod account;
pub(super) mod bank;
pub(super) mod energy;
pub(super) mod lists;
pub(super) mod runtime;

use super::{
    PortalSetup,
    faults::{PortalFaults, SocFault},
    setup::Profile,
    uploads::{Inverter, Snapshot},
};
use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;
use model::{UtcMillis, Watts};
use serde_json::{Map, Value};

/// The one plant of the account.
pub(super) const PLANT_ID: i64 = 36_418;
/// Its name.
pub(super) const PLANT_NAME: &str = "Juniper Mesa";
/// Nominal voltage by which capacities in Ah are told.
const NOMINAL_VOLTS: f64 = 51.2;

/// One inverter with one of its snapshots, and all that decides how it is told.
pub(super) struct View<'a> {
    pub(super) setup: &'a PortalSetup,
    pub(super) faults: &'a PortalFaults,
    pub(super) zone: Tz,
    pub(super) battery_wh: f64,
    pub(super) inverter: &'a Inverter,
    pub(super) snapshot: &'a Snapshot,
}

impl View<'_> {
    /// This inverter's part of one of the house's powers, whole watts. The parts add up to the whole.
    fn share(&self, power: Watts) -> i64 {
        let (index, count) = (self.inverter.index as f64, f64::from(self.setup.inverters));
        let up_to = |part: f64| (power.get() * part / count).round() as i64;
        up_to(index + 1.0) - up_to(index)
    }

    /// Power into and out of the battery, W, of which one is zero.
    fn charge_and_discharge(&self) -> (i64, i64) {
        let battery = self.share(self.snapshot.house.battery);
        (battery.max(0), (-battery).max(0))
    }

    /// The state of charge in the replies: a whole number, unless a fault replaces it.
    fn soc(&self) -> Option<Value> {
        match &self.faults.soc {
            Some(SocFault::Missing) => None,
            Some(SocFault::Value(value)) => Some(value.clone()),
            None => Some(Value::from(self.whole_soc())),
        }
    }

    /// The state of charge that this inverter measures.
    fn whole_soc(&self) -> i64 {
        let apart = self.faults.soc_disagreement * self.inverter.index as f64;
        (self.snapshot.house.soc_percent + apart).round().clamp(0.0, 100.0) as i64
    }

    fn is_xp(&self) -> bool {
        self.setup.profile == Profile::Xp
    }

    fn is_lost(&self) -> bool {
        self.faults.is_lost(self.inverter.index)
    }

    /// Decivolts.
    fn decivolts(&self) -> i64 {
        (self.snapshot.house.voltage * 10.0).round() as i64
    }

    /// Capacity of the bank, Ah.
    fn amp_hours(&self) -> i64 {
        (self.battery_wh / NOMINAL_VOLTS).round() as i64
    }

    /// The time of the snapshot as the portal tells it: `serverTime`, UTC.
    fn server_time(&self) -> String {
        let offset = self.faults.clock.unwrap_or_default().offset_seconds;
        utc(shifted(self.snapshot.at, offset)).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The same on the plant's wall clock: `deviceTime`.
    fn device_time(&self) -> String {
        utc(shifted(self.snapshot.at, self.device_offset()))
            .with_timezone(&self.zone)
            .format("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// The date of the same as the page shows it: `deviceTimeText`.
    fn device_date(&self) -> String {
        utc(shifted(self.snapshot.at, self.device_offset()))
            .with_timezone(&self.zone)
            .format("%Y/%m/%d")
            .to_string()
    }

    fn device_offset(&self) -> i64 {
        match self.faults.clock {
            Some(clock) if !clock.only_server_time => clock.offset_seconds,
            _ => 0,
        }
    }
}

/// The portal's clock as the header `Date` tells it.
pub(super) fn http_date(now: UtcMillis, faults: &PortalFaults) -> String {
    let offset = faults.clock.filter(|clock| !clock.only_server_time).unwrap_or_default().offset_seconds;
    utc(shifted(now, offset)).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Every number as the text of itself, however deep.
pub(super) fn numbers_as_texts(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(values) => values.iter_mut().for_each(numbers_as_texts),
        Value::Object(fields) => fields.values_mut().for_each(numbers_as_texts),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Seconds east of Greenwich on the wall clock at this instant.
fn zone_offset_seconds(zone: Tz, at: UtcMillis) -> i64 {
    i64::from(utc(at).with_timezone(&zone).offset().fix().local_minus_utc())
}

fn shifted(instant: UtcMillis, seconds: i64) -> UtcMillis {
    UtcMillis(instant.0.saturating_add(seconds.saturating_mul(1000)))
}

fn utc(instant: UtcMillis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(instant.0).unwrap_or_default()
}

/// The fields of several objects in one: `json!` can't write a reply of this size in one piece.
fn merged<const N: usize>(parts: [Value; N]) -> Map<String, Value> {
    let mut whole = Map::new();
    for part in parts {
        if let Value::Object(fields) = part {
            whole.extend(fields);
        }
    }
    whole
}

/// Leaves fields out.
fn without(fields: &mut Map<String, Value>, names: &[&str]) {
    fields.retain(|name, _| !names.contains(&name.as_str()));
}
