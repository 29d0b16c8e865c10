//! The alert book: each thing once, with a count, a beginning and an end, and whether a person has seen it.

use crate::{battery::BatteryStatus, reader::MinerStatus};
use control::{Decision, State, battery::Rejected};
use devices::DeviceError;
use model::{Alert, AlertCode, MinerId, Severity, UtcMillis};
use std::collections::BTreeMap;

/// An alert that is over stays readable for this long.
const KEPT: i64 = 86_400_000;

/// Something that holds at this tick.
pub(crate) struct Finding {
    pub(crate) code: AlertCode,
    pub(crate) miner: Option<MinerId>,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct AlertBook {
    alerts: BTreeMap<(AlertCode, Option<MinerId>), Alert>,
}

impl AlertBook {
    /// Takes up everything that holds now. What held before and isn't among it is over.
    pub(crate) fn update(&mut self, findings: Vec<Finding>, now: UtcMillis) {
        let mut holds = Vec::with_capacity(findings.len());
        for Finding { code, miner, text } in findings {
            let key = (code, miner.clone());
            let alert = self.alerts.entry(key.clone()).or_insert_with(|| {
                let severity = severity(code);
                Alert {
                    code,
                    miner,
                    severity,
                    text: String::new(),
                    since: now,
                    last: now,
                    count: 0,
                    active: false,
                    seen: false,
                }
            });
            if !alert.active {
                tracing::warn!(
                    ?code,
                    miner = alert.miner.as_ref().map(tracing::field::display),
                    text,
                    "alert"
                );
                (alert.active, alert.count, alert.since) = (true, alert.count.saturating_add(1), now);
                alert.seen = false;
            }
            (alert.last, alert.text) = (now, text);
            holds.push(key);
        }
        for (key, alert) in &mut self.alerts {
            alert.active &= holds.contains(key);
            alert.seen &= alert.active;
        }
        self.alerts.retain(|_, alert| alert.active || now.millis_since(alert.last) < KEPT);
    }

    /// A person has read what was told up to `until`: what is over is forgotten, what still holds is marked as seen.
    /// What began later they can't have read.
    ///
    /// How grave an alert is belongs to its code: what gets graver is another alert, and news.
    pub(crate) fn clear(&mut self, until: UtcMillis) {
        self.alerts.retain(|_, alert| alert.active || alert.last > until);
        for alert in self.alerts.values_mut().filter(|alert| alert.since <= until) {
            alert.seen = true;
        }
    }

    /// All alerts: what holds and is news first, then what holds and was seen, the gravest first among each.
    pub(crate) fn list(&self) -> Vec<Alert> {
        let mut list: Vec<_> = self.alerts.values().cloned().collect();
        list.sort_by_key(|alert| {
            (!alert.active, alert.seen, std::cmp::Reverse(alert.severity), std::cmp::Reverse(alert.last))
        });
        list
    }
}

fn severity(code: AlertCode) -> Severity {
    match code {
        AlertCode::BatteryDataStale
        | AlertCode::Emergency
        | AlertCode::WrongDevice
        | AlertCode::OffNotVerified
        | AlertCode::Degraded
        | AlertCode::CrashLoop
        | AlertCode::Contested
        | AlertCode::DrawsTooMuch
        | AlertCode::InvariantBroken => Severity::Alarm,
        AlertCode::ChangedElsewhere | AlertCode::Configuration | AlertCode::TaskRestarted => Severity::Info,
        _ => Severity::Warning,
    }
}

/// What people call a miner: where there is only one, it needs no name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Called<'a> {
    /// The only one there is.
    TheMiner,
    /// One of several, by its name.
    ByName(&'a str),
}

impl<'a> Called<'a> {
    pub(crate) const fn new(name: &'a str, is_the_only_one: bool) -> Self {
        if is_the_only_one { Self::TheMiner } else { Self::ByName(name) }
    }

    /// At the beginning of a sentence.
    const fn first(self) -> &'a str {
        match self {
            Self::TheMiner => "The miner",
            Self::ByName(name) => name,
        }
    }

    /// Within one.
    const fn within(self) -> &'a str {
        match self {
            Self::TheMiner => "the miner",
            Self::ByName(name) => name,
        }
    }
}

/// What the law itself raised about a miner.
pub(crate) fn of_law(
    id: &MinerId,
    called: Called<'_>,
    state: &State,
    decision: &Decision,
    words: Option<&str>,
) -> Vec<Finding> {
    let said = words.map_or_else(String::new, |words| format!(" It said: {words}."));
    let age = decision.battery.without_good_for.as_secs() / 60;
    let (first, name) = (called.first(), called.within());
    let text = |code| match code {
        AlertCode::BatteryDataOld => {
            format!("The last good battery reading is {age} min old. Nothing is started or raised.")
        }
        AlertCode::BatteryDataStale => format!("There has been no good battery reading for {age} min."),
        AlertCode::BatteryLost => {
            "The battery's portal says that the inverter is offline: check its dongle and Wi-Fi.".into()
        }
        AlertCode::BatteryImplausible => match decision.battery.rejected {
            Some(Rejected::Impossible(told)) => format!(
                "The battery source tells a state of charge of {told}, which can't be. It isn't used."
            ),
            Some(Rejected::Jump(told)) => format!(
                "The state of charge jumped to {told} %. It isn't used until a second reading confirms it."
            ),
            _ => "The battery source tells an impossible state of charge.".into(),
        },
        AlertCode::ClocksDisagree => match decision.battery.rejected {
            Some(Rejected::AheadOfOurClock(by)) => format!(
                "The battery source's clock is {} s ahead of this computer's clock. One of the two is wrong; the readings aren't used.",
                by.as_secs()
            ),
            _ => "The battery source's clock and this computer's disagree.".into(),
        },
        AlertCode::Emergency if state.emergency_latched => {
            format!("The battery fell to the emergency threshold: {name} is stopped and the latch is set.")
        }
        AlertCode::Emergency => {
            format!("The battery read at or under the emergency threshold: {name} is stopped.")
        }
        AlertCode::OffNotVerified => format!(
            "{first} was told to switch off and isn't seen to be off. Off is sent again; check the miner.{said}"
        ),
        AlertCode::NoEffect => format!("A command to {name} had no effect.{said}"),
        AlertCode::Degraded => {
            format!("Three commands to {name} failed in a row: it isn't started or raised any more.{said}")
        }
        AlertCode::CrashLoop => format!(
            "{first} restarted by itself again and again and was stopped: it can't hold the power it was given."
        ),
        AlertCode::ChangedElsewhere => format!("Someone else changed {name}."),
        AlertCode::Contested => format!(
            "{first} was switched or set three times within an hour without being told so here: another program or person commands it too, or it restarts by itself. It isn't started or raised until an hour passes without that, or you switch it on."
        ),
        AlertCode::DrawsTooMuch => format!("{first} draws more than it was told to."),
        AlertCode::PowerUntold => format!(
            "{first} no longer tells what it draws, although it runs. Its power isn't known until it tells it again; its firmware may have been changed."
        ),
        AlertCode::BudgetSpent => format!("The day's commands to {name} are spent; only off is sent."),
        other => format!("{other:?}"),
    };
    decision
        .alerts
        .iter()
        .map(|code| Finding { code, miner: about_miner(code).then(|| id.clone()), text: text(code) })
        .collect()
}

/// Alerts about the battery are one for all miners.
fn about_miner(code: AlertCode) -> bool {
    !matches!(
        code,
        AlertCode::BatteryDataOld
            | AlertCode::BatteryDataStale
            | AlertCode::BatteryLost
            | AlertCode::BatteryImplausible
            | AlertCode::ClocksDisagree
    )
}

/// What talking to a miner raised: its reader's error and its last refused command.
pub(crate) fn of_miner(
    id: &MinerId,
    name: &str,
    status: &MinerStatus,
    refused: Option<&DeviceError>,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for error in status.error.iter().chain(&status.writes_refused).chain(refused) {
        let code = match error {
            DeviceError::Unreachable(_) | DeviceError::TimedOut { .. } | DeviceError::Unavailable { .. } => {
                AlertCode::MinerUnreachable
            }
            DeviceError::Protocol(_) => AlertCode::MinerProtocol,
            DeviceError::WrongDevice(_) => AlertCode::WrongDevice,
            DeviceError::BadCredentials(_) => AlertCode::MinerPassword,
            DeviceError::WritesDisabled(_) => AlertCode::MinerWritesDisabled,
            DeviceError::TokensExhausted { .. } => AlertCode::MinerTokens,
            DeviceError::Refused { .. } | DeviceError::Unsupported(_) => AlertCode::MinerRefused,
        };
        if found.iter().all(|finding| finding.code != code) {
            found.push(Finding { code, miner: Some(id.clone()), text: format!("{name}: {error}") });
        }
    }
    let off_in_reading =
        status.reading.as_ref().is_some_and(|(reading, _)| reading.writes_enabled == Some(false));
    if off_in_reading && found.iter().all(|finding| finding.code != AlertCode::MinerWritesDisabled) {
        let text = format!(
            "{name} can be read but not commanded: its API write access is off. Change its default password, then enable the Miner API Switch in WhatsMinerTool."
        );
        found.push(Finding { code: AlertCode::MinerWritesDisabled, miner: Some(id.clone()), text });
    }
    found
}

/// What talking to the battery source raised.
pub(crate) fn of_battery(status: &BatteryStatus) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(error) = &status.error {
        let code = match error {
            DeviceError::BadCredentials(_) => AlertCode::BatterySignIn,
            _ => AlertCode::BatterySource,
        };
        found.push(Finding { code, miner: None, text: format!("Battery source: {error}") });
    }
    if let Some(reading) = &status.reading {
        // Who says that it is offline is told of as that.
        if status.error.is_none() && reading.soc_percent.is_none() && !reading.lost {
            let text = "Battery source: it answers, and tells no state of charge.".to_owned();
            found.push(Finding { code: AlertCode::BatterySource, miner: None, text });
        }
        let told = reading.units.iter().filter_map(|unit| unit.soc.map(model::Soc::get));
        let (low, high) = told.fold((f64::MAX, f64::MIN), |(low, high), soc| (low.min(soc), high.max(soc)));
        if high - low > 10.0 {
            let text = format!(
                "The inverters disagree about the state of charge: {low} % and {high} %. The lower one counts."
            );
            found.push(Finding { code: AlertCode::InvertersDisagree, miner: None, text });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::BatteryReading;

    fn finding(code: AlertCode) -> Finding {
        Finding { code, miner: None, text: "words".into() }
    }

    #[test]
    fn an_alert_is_counted_by_its_beginnings_and_ends_when_it_no_longer_holds() {
        let mut book = AlertBook::default();
        book.update(vec![finding(AlertCode::BatterySource)], UtcMillis(0));
        book.update(vec![finding(AlertCode::BatterySource)], UtcMillis(10_000));
        assert_eq!((book.list()[0].count, book.list()[0].active), (1, true));
        book.update(vec![], UtcMillis(20_000));
        assert!(!book.list()[0].active);
        book.update(vec![finding(AlertCode::BatterySource)], UtcMillis(30_000));
        assert_eq!(book.list()[0].count, 2);
        book.update(vec![], UtcMillis(30_000 + KEPT));
        assert!(book.list().is_empty(), "what is long over is forgotten");
    }

    /// Code, whether it holds, whether it was seen; in the order of the list.
    fn told(book: &AlertBook) -> Vec<(AlertCode, bool, bool)> {
        book.list().iter().map(|alert| (alert.code, alert.active, alert.seen)).collect()
    }

    #[test]
    fn what_still_holds_is_folded_away_and_what_is_over_is_dismissed() {
        let (old, stale) = (AlertCode::BatteryDataOld, AlertCode::BatteryDataStale);
        let mut book = AlertBook::default();
        book.update(vec![finding(old), finding(AlertCode::MinerRefused)], UtcMillis(0));
        book.update(vec![finding(old)], UtcMillis(10_000));
        book.clear(UtcMillis(10_000));
        assert_eq!(told(&book), [(old, true, true)]);
        book.update(vec![finding(old), finding(stale)], UtcMillis(20_000));
        assert_eq!(told(&book), [(stale, true, false), (old, true, true)], "it got graver: that is news");
        book.update(vec![], UtcMillis(30_000));
        book.update(vec![finding(old)], UtcMillis(40_000));
        assert_eq!(told(&book)[0], (old, true, false), "it began anew: that is news too");
        assert_eq!(book.list()[0].count, 2);
    }

    #[test]
    fn nothing_is_cleared_that_came_after_the_person_looked() {
        let mut book = AlertBook::default();
        book.update(vec![finding(AlertCode::BatterySource)], UtcMillis(10_000));
        book.clear(UtcMillis(9_999));
        assert_eq!(told(&book), [(AlertCode::BatterySource, true, false)]);
        book.update(vec![], UtcMillis(20_000));
        book.clear(UtcMillis(9_999));
        assert_eq!(told(&book), [(AlertCode::BatterySource, false, false)]);
        book.clear(UtcMillis(10_000));
        assert_eq!(told(&book), []);
    }

    /// Connection errors, refused sign-ins and refused commands, each in plain words, once.
    #[test]
    fn what_a_device_refuses_is_an_alert_of_its_own() {
        let id = MinerId("garage".into());
        let refused = |code, words: &str| DeviceError::Refused { code, words: words.to_owned() };
        for (error, code, words) in [
            (
                DeviceError::Unreachable("no route".into()),
                AlertCode::MinerUnreachable,
                "Garage: can't be reached: no route",
            ),
            (
                DeviceError::BadCredentials("wrong password".into()),
                AlertCode::MinerPassword,
                "Garage: wrong password",
            ),
            (
                refused(45, "permission denied"),
                AlertCode::MinerRefused,
                "Garage: refused with code 45: permission denied",
            ),
        ] {
            let status = MinerStatus { error: Some(error.clone()), ..MinerStatus::default() };
            let found = of_miner(&id, "Garage", &status, Some(&error));
            let told: Vec<_> = found.iter().map(|finding| (finding.code, finding.text.as_str())).collect();
            assert_eq!(told, [(code, words)]);
        }
        for (error, code) in [
            (DeviceError::BadCredentials("wrong password".into()), AlertCode::BatterySignIn),
            (DeviceError::Unreachable("no route".into()), AlertCode::BatterySource),
        ] {
            let status = BatteryStatus { error: Some(error.clone()), ..BatteryStatus::default() };
            let found = of_battery(&status);
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].code, found[0].text.clone()), (code, format!("Battery source: {error}")));
        }
    }

    /// An answer without a charge is as good as none, and somebody has to be told why the miner goes off.
    #[test]
    fn an_answer_without_a_charge_is_told_once_with_its_cause() {
        let told = |reading: BatteryReading, error| {
            let status = BatteryStatus { reading: Some(reading.into()), error, ..BatteryStatus::default() };
            of_battery(&status).into_iter().map(|finding| finding.text).collect::<Vec<_>>()
        };
        let nothing = BatteryReading::default();
        assert_eq!(
            told(nothing.clone(), None),
            ["Battery source: it answers, and tells no state of charge."]
        );
        assert_eq!(told(BatteryReading { lost: true, ..nothing.clone() }, None), [""; 0]);
        assert_eq!(told(BatteryReading { soc_percent: Some(300.0), ..nothing.clone() }, None), [""; 0]);
        let gone = DeviceError::Unreachable("no route".into());
        assert_eq!(told(nothing, Some(gone)).len(), 1, "the later failure alone");
    }

    #[test]
    fn the_gravest_comes_first() {
        let mut book = AlertBook::default();
        book.update(
            vec![finding(AlertCode::BatterySource), finding(AlertCode::OffNotVerified)],
            UtcMillis(0),
        );
        assert_eq!(book.list()[0].code, AlertCode::OffNotVerified);
    }
}
