//! The faults by name: one list for whoever wants something to go wrong, be it a test, a person at the demo's page, or
//! a call of the control API.
//!
//! A named fault is data: the members of a device's faults that it sets, as they would be sent to the control API. What
//! they do is the devices' own. Two that set the same member can't hold at once: the later one takes its place.

use crate::{
    house::{InvalidSetup, Overrides},
    miner::Faults,
    portal::PortalFaults,
    program::Simulation,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Where a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The sky over the house.
    Sky,
    /// The portal, and the battery that it tells of.
    Portal,
    /// Every WhatsMiner.
    Miners,
    /// Which WhatsMiner answers where.
    Addresses,
}

/// Something that can go wrong, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NamedFault {
    /// Its name on the wire.
    pub name: &'static str,
    /// What happens, for people.
    pub sentence: &'static str,
    /// Where.
    pub part: Part,
    /// The members of the part's faults that it sets, as JSON; empty where it isn't set by members.
    pub sets: &'static str,
}

const fn sky(name: &'static str, sentence: &'static str, sets: &'static str) -> NamedFault {
    NamedFault { name, sentence, part: Part::Sky, sets }
}

const fn portal(name: &'static str, sentence: &'static str, sets: &'static str) -> NamedFault {
    NamedFault { name, sentence, part: Part::Portal, sets }
}

const fn miner(name: &'static str, sentence: &'static str, sets: &'static str) -> NamedFault {
    NamedFault { name, sentence, part: Part::Miners, sets }
}

/// All of them, in the order in which people should read them.
pub const CATALOGUE: &[NamedFault] = &[
    sky("clouds", "Thick clouds", r#"{"cloud_cover": 0.95}"#),
    portal("portal_frozen", "Portal serves old data", r#"{"frozen": true}"#),
    portal("portal_down", "Portal is down", r#"{"reply": {"server_error": {"status": 503}}}"#),
    miner("miner_ignores", "Miner says yes and does nothing", r#"{"writes": "acknowledge_only"}"#),
    miner("miner_unreachable", "Miner can't be reached", r#"{"refuse_connections": true}"#),
    // The portal.
    portal("portal_lost", "Portal says that the inverter is offline", r#"{"lost": true}"#),
    portal("portal_lagging", "Portal serves an older reading every second time", r#"{"lagging_every": 2}"#),
    portal(
        "portal_success_false",
        "Portal answers success: false to everything",
        r#"{"sessions_never_hold": true, "expiry": "success_false"}"#,
    ),
    portal(
        "portal_zombie",
        "Portal answers without a single value",
        r#"{"sessions_never_hold": true, "expiry": "zombie"}"#,
    ),
    portal(
        "portal_signed_out",
        "Portal sends the sign-in page, however often one signs in",
        r#"{"sessions_never_hold": true, "expiry": "html200"}"#,
    ),
    portal(
        "portal_login_moved",
        "Portal's sign-in isn't where it was",
        r#"{"sessions_never_hold": true, "login": "missing404"}"#,
    ),
    portal(
        "portal_password",
        "Portal refuses the password",
        r#"{"sessions_never_hold": true, "login": "refused"}"#,
    ),
    portal("portal_captcha", "Portal asks whether one is human", r#"{"reply": "captcha"}"#),
    portal("portal_maintenance", "Portal is under maintenance", r#"{"reply": "maintenance"}"#),
    portal(
        "portal_busy",
        "Portal answers 429: ask in 60 s",
        r#"{"reply": {"too_many_requests": {"retry_after": 60}}}"#,
    ),
    portal(
        "portal_busy_silent",
        "Portal answers 429 and doesn't say until when",
        r#"{"reply": {"too_many_requests": {"retry_after": null}}}"#,
    ),
    portal(
        "portal_down_until",
        "Portal answers 503: ask in 60 s",
        r#"{"reply": {"unavailable": {"retry_after": 60}}}"#,
    ),
    portal("portal_resets", "Portal resets every connection", r#"{"reply": "reset"}"#),
    portal("portal_silent", "Portal accepts and never answers", r#"{"reply": "silent"}"#),
    portal("portal_truncated", "Portal's answers break off half-way", r#"{"reply": "truncated"}"#),
    portal("portal_oversized", "Portal's answers are 5 MB long", r#"{"reply": "oversized"}"#),
    portal("portal_strings", "Portal tells numbers as texts", r#"{"strings_for_numbers": true}"#),
    portal(
        "portal_no_modules",
        "Portal leaves the battery's modules out",
        r#"{"missing_battery_array": true}"#,
    ),
    portal("portal_ahead", "Portal's clock is an hour ahead", r#"{"clock": {"offset_seconds": 3600}}"#),
    portal("portal_behind", "Portal's clock is an hour behind", r#"{"clock": {"offset_seconds": -3600}}"#),
    portal("soc_missing", "The charge is left out", r#"{"soc": "missing"}"#),
    portal("soc_0", "The charge reads 0", r#"{"soc": {"value": 0}}"#),
    portal("soc_5", "The charge reads 5", r#"{"soc": {"value": 5}}"#),
    portal("soc_127", "The charge reads 127", r#"{"soc": {"value": 127}}"#),
    portal("soc_255", "The charge reads 255", r#"{"soc": {"value": 255}}"#),
    portal("soc_negative", "The charge reads -1", r#"{"soc": {"value": -1}}"#),
    portal("soc_102", "The charge reads 102.3", r#"{"soc": {"value": 102.3}}"#),
    portal("soc_dashes", "The charge reads --", r#"{"soc": {"value": "--"}}"#),
    portal("soc_nan", "The charge reads NaN", r#"{"soc": {"value": "NaN"}}"#),
    portal("soc_disagreement", "The inverters' charges are 15 points apart", r#"{"soc_disagreement": -15}"#),
    // The miners: the network.
    miner("miner_silent", "Miner accepts connections and says nothing", r#"{"on_accept": "silent"}"#),
    miner("miner_resets", "Miner resets every connection", r#"{"on_accept": "reset"}"#),
    miner(
        "miner_half_open",
        "Miner begins to answer and falls silent",
        r#"{"cut": {"after_bytes": 20, "then": "silence"}}"#,
    ),
    miner(
        "miner_reset_midway",
        "Miner resets in the middle of an answer",
        r#"{"cut": {"after_bytes": 20, "then": "reset"}}"#,
    ),
    miner("miner_truncated", "Miner's answers break off", r#"{"cut": {"after_bytes": 20, "then": "close"}}"#),
    miner(
        "miner_drips",
        "Miner answers a byte a second",
        r#"{"segment_bytes": 1, "segment_delay_ms": 1000}"#,
    ),
    miner("miner_slow", "Miner answers after half a second", r#"{"reply_delay_ms": 500}"#),
    miner(
        "miner_hangs_up",
        "Miner closes connections that are idle for a second",
        r#"{"v2_idle_close_ms": 1000, "v3_idle_close_ms": 1000}"#,
    ),
    // The miners: what they say.
    miner("miner_concatenated", "Miner's answers come twice in one (V2)", r#"{"malformed": "concatenated"}"#),
    miner("miner_nul", "Miner's answers end with a NUL (V2)", r#"{"trailing_nul": true}"#),
    miner("miner_not_utf8", "Miner's answers aren't UTF-8", r#"{"not_utf8": true}"#),
    miner("miner_oversized", "Miner's answers are 5 MB long", r#"{"oversize_bytes": 5000000}"#),
    miner("miner_bare_nan", "Miner prints bare words for numbers (V2)", r#"{"malformed": "not_a_number"}"#),
    miner("miner_strings", "Miner tells numbers as texts", r#"{"numbers_as_texts": true}"#),
    miner(
        "miner_renamed",
        "Miner's firmware calls power and hash rate something else",
        r#"{"left_out": ["Power", "Power_RT", "power-realtime", "power-5min", "MHS av", "MHS 1m", "HS RT", "hash-realtime", "hash-average"]}"#,
    ),
    miner("miner_power_0", "Miner tells 0 W while it hashes", r#"{"power_reads_zero": true}"#),
    miner("miner_hash_0", "Miner tells no hash rate while it draws power", r#"{"hash_reads_zero": true}"#),
    miner("miner_limit_0", "Miner tells a power limit of 0", r#"{"limit_reads_zero": true}"#),
    // The miners: commands.
    miner("miner_writes_off", "Miner's write access is off (code 45)", r#"{"writes_disabled": true}"#),
    miner("miner_password", "Miner refuses the password (code 23)", r#"{"wrong_password": true}"#),
    miner(
        "miner_unknown_command",
        "Miner's new firmware knows no percentages (code 14)",
        r#"{"unknown_commands": ["set_power_pct", "set_power_pct_v2", "set.miner.power_percent"]}"#,
    ),
    miner("miner_token_gone", "Miner forgets every session (code 135, V2)", r#"{"forget_tokens": true}"#),
    miner(
        "miner_sessions",
        "Miner has no session left: over max connect (V2)",
        r#"{"tokens": {"table": {"max": 0, "ttl_seconds": 1800}}, "forget_tokens": true}"#,
    ),
    miner("miner_no_reply", "Miner does what it is told and doesn't answer", r#"{"writes": "drop_reply"}"#),
    miner("miner_stays_silent", "Miner does what it is told and holds the line", r#"{"writes": "silent"}"#),
    miner("miner_loses", "Miner hangs up on every command", r#"{"writes": "lose"}"#),
    miner(
        "miner_late",
        "Miner does what it is told 6 minutes later",
        r#"{"writes": {"apply_later": {"seconds": 360}}}"#,
    ),
    miner(
        "miner_calibrates_30",
        "Miner recalibrates for 30 s at a start",
        r#"{"recalibration_seconds": 30}"#,
    ),
    miner(
        "miner_calibrates_90",
        "Miner recalibrates for 90 s at a start",
        r#"{"recalibration_seconds": 90}"#,
    ),
    miner(
        "miner_calibrates_600",
        "Miner recalibrates for 10 minutes at a start",
        r#"{"recalibration_seconds": 600}"#,
    ),
    miner("miner_reboots", "Miner restarts every few minutes", r#"{"crash_loop_below_watts": 100000}"#),
    miner(
        "miner_resumes",
        "Miner comes back 2 minutes after an off (V2)",
        r#"{"resumes_after_power_off_seconds": 120}"#,
    ),
    // Who is there.
    miner("other_antminer", "An Antminer is at the miner's address", r#"{"impostor": "antminer"}"#),
    miner("other_printer", "A printer is at the miner's address", r#"{"impostor": "web_server"}"#),
    miner("other_mac", "Another WhatsMiner is at the miner's address", r#"{"mac": "02:00:00:00:00:99"}"#),
    NamedFault {
        name: "swapped",
        sentence: "The first two WhatsMiners have swapped their addresses",
        part: Part::Addresses,
        sets: "",
    },
];

impl NamedFault {
    /// The one with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|fault| fault.name == name)
    }

    /// Whether it can happen here: it takes two to swap.
    pub fn can_happen(&self, simulation: &Simulation) -> bool {
        match self.part {
            Part::Sky | Part::Portal => true,
            Part::Miners => !simulation.miners().is_empty(),
            Part::Addresses => simulation.miners().len() > 1,
        }
    }

    /// Whether it is on, whoever switched it on: at one of several miners is enough.
    pub fn is_on(&self, simulation: &Simulation) -> bool {
        match self.part {
            Part::Sky => self.holds(&simulation.house().overrides()),
            Part::Portal => self.holds(&simulation.portal().faults()),
            Part::Miners => simulation.miners().iter().any(|miner| self.holds(&miner.faults())),
            Part::Addresses => match simulation.miners() {
                [one, other, ..] => one.faults().mac.as_deref() == Some(other.mac()),
                _ => false,
            },
        }
    }

    /// Switches it on, or back to what is healthy.
    ///
    /// # Errors
    /// If it can't happen here.
    pub fn switch(&self, simulation: &Simulation, on: bool) -> Result<(), InvalidSetup> {
        match self.part {
            Part::Sky => {
                let house = simulation.house();
                house.set_overrides(self.applied::<Overrides>(&house.overrides(), on)?)
            }
            Part::Portal => {
                let portal = simulation.portal();
                portal.set_faults(self.applied::<PortalFaults>(&portal.faults(), on)?)
            }
            Part::Miners => {
                for miner in simulation.miners() {
                    miner.set_faults(self.applied::<Faults>(&miner.faults(), on)?);
                }
                Ok(())
            }
            Part::Addresses => {
                let [one, other, ..] = simulation.miners() else {
                    return Err(InvalidSetup::new("fault", "a house with two WhatsMiners"));
                };
                for (miner, taken_for) in [(one, other), (other, one)] {
                    let mac = on.then(|| taken_for.mac().to_owned());
                    miner.update_faults(|faults| faults.mac = mac);
                }
                Ok(())
            }
        }
    }

    fn members(&self) -> Map<String, Value> {
        serde_json::from_str(self.sets).unwrap_or_default()
    }

    fn holds(&self, faults: &impl Serialize) -> bool {
        let faults = serde_json::to_value(faults).unwrap_or_default();
        self.members().iter().all(|(member, value)| within(value, faults.get(member)))
    }

    fn applied<T: Serialize + DeserializeOwned + Default>(
        &self,
        faults: &T,
        on: bool,
    ) -> Result<T, InvalidSetup> {
        let misfit = |error: serde_json::Error| InvalidSetup::new(self.name, error.to_string());
        let mut whole = serde_json::to_value(faults).map_err(misfit)?;
        let healthy = serde_json::to_value(T::default()).map_err(misfit)?;
        for (member, value) in self.members() {
            let value = if on { value } else { healthy.get(&member).cloned().unwrap_or_default() };
            if let Value::Object(members) = &mut whole {
                members.insert(member, value);
            }
        }
        serde_json::from_value(whole).map_err(misfit)
    }
}

/// Whether `told` is this value; of an object, as far as it goes.
fn within(value: &Value, told: Option<&Value>) -> bool {
    match (value, told) {
        (Value::Object(members), Some(Value::Object(told))) => {
            members.iter().all(|(member, value)| within(value, told.get(member)))
        }
        // A number is the same with and without a point.
        (Value::Number(one), Some(Value::Number(other))) => one.as_f64() == other.as_f64(),
        (value, told) => told == Some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{miner::MinerSetup, program::SimulationSetup};
    use model::UtcMillis;
    use std::{collections::BTreeSet, sync::Arc};

    async fn house(miners: usize) -> Simulation {
        let miners = (1..=miners).map(|number| MinerSetup {
            id: format!("m{number}"),
            mac: format!("02:00:00:00:00:{number:02}"),
            ..MinerSetup::default()
        });
        let setup = SimulationSetup { miners: miners.collect(), ..SimulationSetup::default() };
        Simulation::start(setup, Arc::new(|| UtcMillis(1_774_094_400_000))).await.unwrap()
    }

    #[tokio::test]
    async fn each_is_on_from_when_it_is_switched_on_until_it_is_switched_off() {
        let house = house(2).await;
        let (portal, miner) = (house.portal().faults(), house.miners()[1].faults());
        for fault in CATALOGUE {
            assert!(fault.can_happen(&house) && !fault.is_on(&house), "{}", fault.name);
            fault.switch(&house, true).unwrap();
            assert!(fault.is_on(&house), "{} sets nothing", fault.name);
            fault.switch(&house, false).unwrap();
            assert!(!fault.is_on(&house), "{} stays", fault.name);
        }
        assert_eq!((house.portal().faults(), house.miners()[1].faults()), (portal, miner));
        assert_eq!(house.house().overrides(), Overrides::default());
    }

    #[tokio::test]
    async fn one_miner_alone_swaps_with_nobody() {
        let house = house(1).await;
        let swapped = NamedFault::find("swapped").unwrap();
        assert!(!swapped.can_happen(&house) && !swapped.is_on(&house));
        assert!(swapped.switch(&house, true).is_err());
    }

    #[test]
    fn names_are_unique_and_sentences_are_short() {
        let names: BTreeSet<_> = CATALOGUE.iter().map(|fault| fault.name).collect();
        let sentences: BTreeSet<_> = CATALOGUE.iter().map(|fault| fault.sentence).collect();
        assert_eq!((names.len(), sentences.len()), (CATALOGUE.len(), CATALOGUE.len()));
        let too_long = CATALOGUE.iter().find(|fault| fault.sentence.len() > 64);
        assert_eq!(too_long, None);
    }
}
