//! What can be wrong with a portal. Everything can be switched while it runs; several faults can hold at once.

use crate::house::InvalidSetup;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The faults of a portal. The default has none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortalFaults {
    /// How a request without a valid session is answered.
    pub expiry: Expiry,
    /// Every session is over as soon as it is used: signing in succeeds and doesn't help.
    pub sessions_never_hold: bool,
    /// What happens to replies as a whole.
    pub reply: Option<ReplyFault>,
    /// Which requests `reply` and `slow_ms` concern.
    pub reply_to: ReplyTo,
    /// How many more replies `reply` spoils before it is over by itself; `null` for all.
    pub reply_count: Option<u32>,
    /// How long a reply is held back, in ms of *real* time, 0 ..= 600 000.
    pub slow_ms: u64,
    /// What is wrong with signing in.
    pub login: Option<LoginFault>,
    /// The uplink is offline and the portal says so: no uploads, `lost` is true, the live fields are left out.
    pub lost: bool,
    /// Only this inverter is lost, counted from 0, while `lost` is true; `null` for all.
    pub lost_inverter: Option<usize>,
    /// The portal takes no uploads and doesn't say so: old values under their old time.
    pub frozen: bool,
    /// Every so many-th live reply comes from a node that lags behind: it is an older snapshot. 1 is every reply.
    pub lagging_every: Option<u32>,
    /// What stands where the state of charge should.
    pub soc: Option<SocFault>,
    /// The portal's clock is wrong.
    pub clock: Option<ClockFault>,
    /// All numbers of live replies are texts.
    pub strings_for_numbers: bool,
    /// The battery reply has no modules.
    pub missing_battery_array: bool,
    /// Each inverter reports a state of charge this many points above that of the one before it, −100 ..= 100.
    pub soc_disagreement: f64,
}

/// How a request without a valid session is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// 200 with the sign-in page as HTML: what is seen most.
    #[default]
    Html200,
    /// 401 without a body.
    Status401,
    /// 302 to the sign-in page.
    Redirect302,
    /// 403 without a body.
    Status403,
    /// 200, JSON, `success: false` with an empty message.
    SuccessFalse,
    /// 200, JSON, `success: true` and not a single value.
    Zombie,
}

/// What happens to a reply as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyFault {
    /// A page of the web server with this status. The request isn't processed.
    ServerError {
        /// 500 ..= 599.
        status: u16,
    },
    /// 429. The request isn't processed.
    TooManyRequests {
        /// The header `Retry-After`, seconds; `null` for none.
        retry_after: Option<u32>,
    },
    /// 503 with the header `Retry-After`. The request isn't processed.
    Unavailable {
        /// Seconds.
        retry_after: u32,
    },
    /// 200 with an HTML page that wants to be clicked by a human. The request isn't processed.
    Captcha,
    /// 200 with an HTML page that tells of maintenance. The request isn't processed.
    Maintenance,
    /// The connection is reset before a byte is answered. The request isn't processed.
    Reset,
    /// Never answered, while the connection stays open. The request isn't processed.
    Silent,
    /// Half of the body, as if it were all.
    Truncated,
    /// A body of 5 MB.
    Oversized,
}

/// Which requests are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyTo {
    /// All of them.
    #[default]
    All,
    /// Signing in.
    Login,
    /// All but signing in.
    Data,
}

/// What is wrong with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginFault {
    /// The right password is refused like a wrong one.
    Refused,
    /// 404: there is nothing at the address any more.
    Missing404,
    /// 200 with an HTML page: something else is at the address.
    Html200,
}

/// What stands where the state of charge should.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocFault {
    /// This JSON value as it is: `{"value": 127}`, `{"value": "--"}`, `{"value": null}`.
    Value(Value),
    /// The field is left out.
    Missing,
}

/// The portal's clock is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockFault {
    /// How far it is ahead (+) or behind (−), seconds, at most 10 years.
    pub offset_seconds: i64,
    /// Only `serverTime` is wrong; otherwise `deviceTime` and the header `Date` are wrong with it.
    pub only_server_time: bool,
}

impl PortalFaults {
    /// Checks every number against its limits.
    pub fn check(&self) -> Result<(), InvalidSetup> {
        InvalidSetup::unless_within("slow_ms", self.slow_ms as f64, 0.0, 600_000.0)?;
        InvalidSetup::unless_within("soc_disagreement", self.soc_disagreement, -100.0, 100.0)?;
        let ten_years = 10.0 * 366.0 * 86_400.0;
        let offset = self.clock.unwrap_or_default().offset_seconds as f64;
        InvalidSetup::unless_within("clock", offset, -ten_years, ten_years)?;
        if self.lagging_every == Some(0) {
            return Err(InvalidSetup::new("lagging_every", "1 or more, or null"));
        }
        if let Some(ReplyFault::ServerError { status }) = self.reply {
            InvalidSetup::unless_within("reply", f64::from(status), 500.0, 599.0)?;
        }
        Ok(())
    }

    /// Whether no upload of this inverter arrives.
    pub(super) fn cuts_off(&self, inverter: usize) -> bool {
        self.frozen || self.is_lost(inverter)
    }

    /// Whether the portal says that this inverter is offline.
    pub(super) fn is_lost(&self, inverter: usize) -> bool {
        self.lost && self.lost_inverter.is_none_or(|lost| lost == inverter)
    }

    /// Whether a request, to sign in or not, is concerned by `reply` and `slow_ms`.
    pub(super) fn concern(&self, login: bool) -> bool {
        match self.reply_to {
            ReplyTo::All => true,
            ReplyTo::Login => login,
            ReplyTo::Data => !login,
        }
    }

    /// The fault of the next reply, counted.
    pub(super) fn next_reply_fault(&mut self, login: bool) -> Option<ReplyFault> {
        let fault = self.reply.filter(|_| self.concern(login))?;
        match &mut self.reply_count {
            None => Some(fault),
            Some(0) => {
                (self.reply, self.reply_count) = (None, None);
                None
            }
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    (self.reply, self.reply_count) = (None, None);
                }
                Some(fault)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn faults_read_as_documented() {
        let faults: PortalFaults = serde_json::from_value(json!({
            "expiry": "redirect302",
            "reply": {"server_error": {"status": 503}},
            "reply_count": 2,
            "soc": {"value": null},
            "clock": {"offset_seconds": -3600},
        }))
        .unwrap();
        assert_eq!(faults.reply, Some(ReplyFault::ServerError { status: 503 }));
        assert_eq!(faults.soc, Some(SocFault::Value(Value::Null)));
        assert_eq!(
            serde_json::from_value::<PortalFaults>(json!({"soc": "missing"})).unwrap().soc,
            Some(SocFault::Missing)
        );
        assert!(serde_json::from_value::<PortalFaults>(json!({"frosen": true})).is_err());
        let round_trip: PortalFaults =
            serde_json::from_value(serde_json::to_value(&faults).unwrap()).unwrap();
        assert_eq!(round_trip, faults);
    }

    #[test]
    fn a_counted_fault_ends_by_itself() {
        let mut faults = PortalFaults {
            reply: Some(ReplyFault::Reset),
            reply_count: Some(2),
            reply_to: ReplyTo::Data,
            ..PortalFaults::default()
        };
        assert_eq!(faults.next_reply_fault(true), None, "signing in isn't concerned");
        assert_eq!(faults.next_reply_fault(false), Some(ReplyFault::Reset));
        assert_eq!(faults.next_reply_fault(false), Some(ReplyFault::Reset));
        assert_eq!(faults.next_reply_fault(false), None);
        assert_eq!(faults.reply, None);
    }

    #[test]
    fn impossible_numbers_are_named() {
        for (field, faults) in [
            ("slow_ms", PortalFaults { slow_ms: u64::MAX, ..PortalFaults::default() }),
            ("lagging_every", PortalFaults { lagging_every: Some(0), ..PortalFaults::default() }),
            ("soc_disagreement", PortalFaults { soc_disagreement: f64::NAN, ..PortalFaults::default() }),
            (
                "reply",
                PortalFaults {
                    reply: Some(ReplyFault::ServerError { status: 200 }),
                    ..PortalFaults::default()
                },
            ),
        ] {
            assert_eq!(faults.check().unwrap_err().field, field);
        }
    }
}
