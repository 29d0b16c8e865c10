//! What goes wrong in a soak: the simulated house's own faults, each switched on by its control API and off again.
//!
//! None of them holds a connection open for ever: in time that is lived through, a device's deadline is as long as in ours.
//! And none makes the house itself large, which is in the process that is measured: replies of megabytes are left to the tests.

use crate::http;
use anyhow::Context;
use serde_json::{Value, json};

const PORTAL: &str = "/portal/faults";
const NEW_MINER: &str = "/miners/miner/faults";
const OLD_MINER: &str = "/miners/shed/faults";
const BITAXE: &str = "/axeos/bitaxe-1/faults";
const HOUSE: &str = "/house";

/// A fault: where it is switched on, and with what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    at: &'static str,
    body: &'static str,
}

/// All of them.
pub(super) const FAULTS: [Fault; 40] = [
    of(HOUSE, r#"{"soc": 28, "hold_soc": true}"#),
    of(HOUSE, r#"{"soc": 100, "hold_soc": true}"#),
    of(HOUSE, r#"{"soc": 52}"#),
    of(HOUSE, r#"{"cloud_cover": 0.95}"#),
    of(PORTAL, r#"{"frozen": true}"#),
    of(PORTAL, r#"{"lost": true}"#),
    of(PORTAL, r#"{"reply": {"server_error": {"status": 503}}}"#),
    of(PORTAL, r#"{"reply": {"too_many_requests": {"retry_after": 600}}}"#),
    of(PORTAL, r#"{"reply": "maintenance"}"#),
    of(PORTAL, r#"{"reply": "truncated"}"#),
    of(PORTAL, r#"{"reply": "reset"}"#),
    of(PORTAL, r#"{"soc": {"value": 127}}"#),
    of(PORTAL, r#"{"soc": "missing"}"#),
    of(PORTAL, r#"{"lagging_every": 3, "strings_for_numbers": true}"#),
    of(PORTAL, r#"{"sessions_never_hold": true}"#),
    of(PORTAL, r#"{"clock": {"offset_seconds": 3600, "only_server_time": false}}"#),
    of(NEW_MINER, r#"{"refuse_connections": true}"#),
    of(NEW_MINER, r#"{"on_accept": "reset"}"#),
    of(NEW_MINER, r#"{"writes": "acknowledge_only"}"#),
    of(NEW_MINER, r#"{"writes": "drop_reply"}"#),
    of(NEW_MINER, r#"{"writes": {"apply_later": {"seconds": 90}}}"#),
    of(NEW_MINER, r#"{"wrong_password": true}"#),
    of(NEW_MINER, r#"{"not_utf8": true, "unknown_keys": true}"#),
    of(NEW_MINER, r#"{"clock_skew_seconds": 7200}"#),
    of(NEW_MINER, r#"{"power_reads_zero": true}"#),
    of(NEW_MINER, r#"{"error_codes": [540, 2010]}"#),
    of(NEW_MINER, r#"{"crash_loop_below_watts": 2600}"#),
    of(OLD_MINER, r#"{"refuse_connections": true}"#),
    of(OLD_MINER, r#"{"writes": "lose"}"#),
    of(OLD_MINER, r#"{"writes_disabled": true}"#),
    of(OLD_MINER, r#"{"forget_tokens": true}"#),
    of(OLD_MINER, r#"{"malformed": "trailing_comma"}"#),
    of(OLD_MINER, r#"{"malformed": "not_a_number"}"#),
    of(OLD_MINER, r#"{"malformed": "cut_short"}"#),
    of(OLD_MINER, r#"{"stale_readback_seconds": 120, "hash_reads_zero": true}"#),
    of(OLD_MINER, r#"{"resumes_after_power_off_seconds": 300}"#),
    of(BITAXE, r#"{"closed": true}"#),
    of(BITAXE, r#"{"unauthorized": true}"#),
    of(BITAXE, r#"{"null_numbers": true}"#),
    of(BITAXE, r#"{"truncate_bytes": 120}"#),
];

const fn of(at: &'static str, body: &'static str) -> Fault {
    Fault { at, body }
}

impl Fault {
    /// Switches it on, in the house whose control API this is.
    pub(super) fn begin(&self, house: &str) -> anyhow::Result<()> {
        let body: Value = serde_json::from_str(self.body).context("a fault's body")?;
        http::call(house, "PATCH", self.at, &body).map(drop)
    }

    /// Switches it off.
    pub(super) fn end(&self, house: &str) -> anyhow::Result<()> {
        let healed = json!({"hold_soc": false, "cloud_cover": null});
        match self.at {
            HOUSE => http::call(house, "PATCH", HOUSE, &healed),
            at => http::call(house, "DELETE", at, &Value::Null),
        }
        .map(drop)
    }
}
