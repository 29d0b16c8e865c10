//! What a step of the law tells a person.

use crate::{
    actuation::Findings,
    battery::{Freshness, Rejected, Verdict},
    state::{Stage, State, StopReason},
};
use model::{AlertCode, Blocked, BlockedBy, MonoTime};
use serde::{Deserialize, Serialize};

/// A set of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertSet(u32);

/// The alerts the law itself can raise.
const LAW_ALERTS: [AlertCode; 15] = [
    AlertCode::BatteryDataOld,
    AlertCode::BatteryDataStale,
    AlertCode::BatteryLost,
    AlertCode::BatteryImplausible,
    AlertCode::ClocksDisagree,
    AlertCode::Emergency,
    AlertCode::OffNotVerified,
    AlertCode::NoEffect,
    AlertCode::Degraded,
    AlertCode::CrashLoop,
    AlertCode::ChangedElsewhere,
    AlertCode::Contested,
    AlertCode::DrawsTooMuch,
    AlertCode::PowerUntold,
    AlertCode::BudgetSpent,
];

impl AlertSet {
    fn insert_if(&mut self, code: AlertCode, holds: bool) {
        if holds {
            self.0 |= Self::bit(code);
        }
    }

    fn bit(code: AlertCode) -> u32 {
        LAW_ALERTS.iter().position(|alert| *alert == code).map_or(0, |index| 1 << index)
    }

    /// Whether `code` is in the set.
    pub fn contains(self, code: AlertCode) -> bool {
        self.0 & Self::bit(code) != 0
    }

    /// Its members.
    pub fn iter(self) -> impl Iterator<Item = AlertCode> {
        LAW_ALERTS.into_iter().filter(move |code| self.contains(*code))
    }
}

/// Everything that holds at this step.
pub(crate) fn raised(
    battery: &Verdict,
    findings: Findings,
    state: &State,
    now: MonoTime,
    blocked: Option<Blocked>,
) -> AlertSet {
    let mut alerts = AlertSet::default();
    alerts.insert_if(AlertCode::BatteryDataOld, battery.freshness == Freshness::Old);
    alerts.insert_if(AlertCode::BatteryDataStale, battery.freshness == Freshness::Stale);
    alerts.insert_if(AlertCode::BatteryLost, battery.rejected == Some(Rejected::Lost));
    let implausible = matches!(battery.rejected, Some(Rejected::Impossible(_) | Rejected::Jump(_)));
    alerts.insert_if(AlertCode::BatteryImplausible, implausible);
    alerts
        .insert_if(AlertCode::ClocksDisagree, matches!(battery.rejected, Some(Rejected::AheadOfOurClock(_))));
    alerts.insert_if(AlertCode::Emergency, state.emergency_latched || state.emergency_unconfirmed);
    let off_failed = state.last.is_some_and(|last| {
        last.command.is_off() && last.stage != Stage::Observed && (last.again || last.stage == Stage::Failed)
    });
    alerts.insert_if(AlertCode::OffNotVerified, findings.off_not_verified || off_failed);
    // It stays told while the next attempt is under way.
    let without_effect = state.failures > 0 && state.last.is_some_and(|last| !last.command.is_off());
    alerts.insert_if(AlertCode::NoEffect, findings.no_effect || without_effect);
    alerts.insert_if(AlertCode::Degraded, state.degraded());
    alerts.insert_if(AlertCode::CrashLoop, state.stopped_by() == Some(StopReason::CrashLoop));
    alerts.insert_if(AlertCode::ChangedElsewhere, findings.changed_elsewhere);
    alerts.insert_if(AlertCode::Contested, state.contested_until(now).is_some());
    alerts.insert_if(AlertCode::DrawsTooMuch, findings.draws_too_much);
    alerts.insert_if(AlertCode::PowerUntold, findings.power_untold);
    alerts.insert_if(AlertCode::BudgetSpent, blocked.is_some_and(|blocked| blocked.by == BlockedBy::Budget));
    alerts
}
