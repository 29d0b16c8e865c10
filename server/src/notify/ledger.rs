//! What a channel was told, and what it is to be told next: each thing once, and its end once.
//!
//! It computes and nothing else. There is no queue: what is due is asked for at each attempt, so that what waited is never
//! out of date, and there is never more of it than there are alerts.

use super::topic::manner;
use model::{
    AlertCode, MinerId, UtcMillis, Wanted,
    snapshot::{MinerState, Snapshot},
};
use std::{collections::BTreeMap, time::Duration};
use store::ToldAlert;

/// An alert is over once it was for so long: what ends and begins again sooner is the same one going on.
const CALM: Duration = Duration::from_secs(600);
/// The longest time between two reminders.
const LONGEST_REMINDER: Duration = Duration::from_secs(4 * 3600);

/// Which alert.
pub(super) type Key = (AlertCode, Option<MinerId>);

/// What is to be said of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// It holds, and wasn't told yet.
    Begins,
    /// It was told, and still holds.
    GoesOn,
    /// It was told, and is over.
    Ends,
}

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) key: Key,
    pub(super) step: Step,
    /// When it began, as far as that is known.
    pub(super) since: UtcMillis,
    /// The alert's own words, the last that were.
    pub(super) text: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    entries: BTreeMap<Key, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    since: UtcMillis,
    text: String,
    /// When it was last told, and how often it was.
    told: Option<(UtcMillis, u32)>,
    /// Since when it is seen to be over.
    over: Option<UtcMillis>,
}

/// What may be told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Everything.
    No,
    /// What is critical.
    ButForCritical,
    /// Nothing.
    Entirely,
}

impl Ledger {
    /// What was told before the program was started.
    pub(super) fn of(told: Vec<ToldAlert>) -> Self {
        let entry = |ToldAlert { code, miner, last, times }| {
            let entry = Entry { since: last, text: String::new(), told: Some((last, times)), over: None };
            ((code, miner), entry)
        };
        Self { entries: told.into_iter().map(entry).collect() }
    }

    /// What is to be kept over a restart.
    pub(super) fn kept(&self) -> Vec<ToldAlert> {
        let told = |((code, miner), entry): (&Key, &Entry)| {
            let (last, times) = entry.told?;
            Some(ToldAlert { code: *code, miner: miner.clone(), last, times })
        };
        self.entries.iter().filter_map(told).collect()
    }

    /// Takes notice of what holds. Of a miner that isn't controlled any more nothing is told any more: a person let it go.
    pub(super) fn look(&mut self, snapshot: &Snapshot) {
        let now = snapshot.at;
        let mut holds = BTreeMap::new();
        for alert in snapshot.alerts.iter().filter(|alert| alert.active && manner(alert.code).is_some()) {
            holds.insert((alert.code, alert.miner.clone()), alert);
        }
        for (key, alert) in &holds {
            let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry {
                since: alert.since,
                text: String::new(),
                told: None,
                over: None,
            });
            entry.text.clone_from(&alert.text);
            entry.over = None;
        }
        self.entries.retain(|key, entry| {
            if holds.contains_key(key) {
                return true;
            }
            let is_controlled = |id: &MinerId| snapshot.miners.iter().any(|miner| miner.id == *id);
            if entry.told.is_none() || !key.1.as_ref().is_none_or(is_controlled) {
                return false;
            }
            if is_over(key, snapshot) {
                // Time that stepped back begins anew.
                entry.over = Some(entry.over.map_or(now, |over| over.min(now)));
            }
            true
        });
    }

    /// What is to be told now, the gravest first.
    pub(super) fn due(&self, now: UtcMillis, quiet: Quiet) -> Vec<Due> {
        let due = self.entries.iter().filter_map(|(key, entry)| entry.due(key, now, quiet));
        let mut due: Vec<_> =
            due.filter(|due| due.step != Step::Ends || self.is_all_over(&due.key, now)).collect();
        due.sort_by_key(|due| (due.step == Step::Ends, manner(due.key.0).map(|manner| manner.topic)));
        due
    }

    /// Nothing of the same topic holds for the same miner: one that doesn't obey in another way isn't back to normal.
    fn is_all_over(&self, key: &Key, now: UtcMillis) -> bool {
        let topic = |code| manner(code).map(|manner| manner.topic);
        let is_same = |other: &Key| topic(other.0) == topic(key.0) && other.1 == key.1;
        let mut same = self.entries.iter().filter(|(other, _)| is_same(other));
        same.all(|(_, entry)| entry.over.is_some_and(|over| elapsed(over, now) >= CALM))
    }

    /// This was told.
    pub(super) fn told(&mut self, told: &[Due], now: UtcMillis) {
        for Due { key, step, .. } in told {
            if *step == Step::Ends {
                self.entries.remove(key);
            } else if let Some(entry) = self.entries.get_mut(key) {
                let times = entry.told.map_or(0, |(_, times)| times);
                entry.told = Some((now, times.saturating_add(1)));
            }
        }
    }
}

impl Entry {
    fn due(&self, key: &Key, now: UtcMillis, quiet: Quiet) -> Option<Due> {
        let manner = manner(key.0)?;
        let step = match (self.told, self.over) {
            (Some(_), Some(over)) => (elapsed(over, now) >= CALM).then_some(Step::Ends),
            (None, _) => (elapsed(self.since, now) >= manner.after).then_some(Step::Begins),
            (Some((last, times)), None) if !self.text.is_empty() => {
                let factor = 1_u32.checked_shl(times.saturating_sub(1)).unwrap_or(u32::MAX);
                let wait = manner.again?.saturating_mul(factor).min(LONGEST_REMINDER);
                (elapsed(last, now) >= wait).then_some(Step::GoesOn)
            }
            // Told before the program was started, and not yet seen again.
            (Some(_), None) => None,
        }?;
        let may_go_out = match quiet {
            Quiet::No => true,
            Quiet::ButForCritical => manner.is_critical && step != Step::Ends,
            Quiet::Entirely => false,
        };
        may_go_out.then(|| Due { key: key.clone(), step, since: self.since, text: self.text.clone() })
    }
}

/// An alert that isn't raised may be unknown: what is seen says whether it is over. After a start it takes a while until data
/// counts as stale again, and a miner that may be running isn't known to obey.
fn is_over((code, miner): &Key, snapshot: &Snapshot) -> bool {
    let of = |id: &MinerId| snapshot.miners.iter().find(|view| view.id == *id);
    match code {
        AlertCode::BatteryDataStale => {
            let holds = |code| snapshot.alerts.iter().any(|alert| alert.active && alert.code == code);
            snapshot.battery.soc.is_some() && !holds(AlertCode::BatteryDataOld)
        }
        AlertCode::OffNotVerified => miner
            .as_ref()
            .and_then(of)
            .is_some_and(|view| view.state == MinerState::Off || view.decision.wanted != Wanted::Off),
        AlertCode::Database => snapshot.database_ok,
        _ => true,
    }
}

fn elapsed(from: UtcMillis, now: UtcMillis) -> Duration {
    Duration::from_millis(u64::try_from(now.millis_since(from)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Alert, Severity, snapshot::BatteryView};

    const MINUTE: i64 = 60_000;

    /// A moment at which these alerts hold since the beginning.
    fn at(minute: i64, holds: &[AlertCode]) -> Snapshot {
        let alert = |code: &AlertCode| Alert {
            code: *code,
            miner: (*code == AlertCode::OffNotVerified).then(|| MinerId("garage".into())),
            severity: Severity::Alarm,
            text: "words".into(),
            since: UtcMillis(0),
            last: UtcMillis(minute * MINUTE),
            count: 1,
            active: true,
            seen: false,
        };
        Snapshot {
            at: UtcMillis(minute * MINUTE),
            tick: 1,
            clock_synced: true,
            battery: BatteryView::default(),
            miners: Vec::new(),
            followed: Vec::new(),
            alerts: holds.iter().map(alert).collect(),
            database_ok: !holds.contains(&AlertCode::Database),
            invariants: Vec::new(),
        }
    }

    /// What is told at this moment; it is taken.
    fn tell(ledger: &mut Ledger, snapshot: &Snapshot) -> Vec<(AlertCode, Step)> {
        ledger.look(snapshot);
        let due = ledger.due(snapshot.at, Quiet::No);
        ledger.told(&due, snapshot.at);
        due.into_iter().map(|due| (due.key.0, due.step)).collect()
    }

    #[test]
    fn a_miner_that_isnt_seen_to_be_off_is_told_again_less_and_less_often() {
        let mut ledger = Ledger::default();
        let mut told = Vec::new();
        for minute in 0..1440 {
            let steps = tell(&mut ledger, &at(minute, &[AlertCode::OffNotVerified]));
            let expected = if minute == 0 { Step::Begins } else { Step::GoesOn };
            assert!(steps.iter().all(|(_, step)| *step == expected), "{minute}: {steps:?}");
            told.extend(steps.iter().map(|_| minute));
        }
        assert_eq!(told, [0, 10, 30, 70, 150, 310, 550, 790, 1030, 1270]);
        // A restart goes on from there.
        let mut ledger = Ledger::of(ledger.kept());
        assert_eq!(tell(&mut ledger, &at(1500, &[AlertCode::OffNotVerified])), []);
        assert_eq!(
            tell(&mut ledger, &at(1510, &[AlertCode::OffNotVerified])),
            [(AlertCode::OffNotVerified, Step::GoesOn)]
        );
    }

    #[test]
    fn what_passes_by_itself_is_told_to_nobody() {
        let mut ledger = Ledger::default();
        assert_eq!(tell(&mut ledger, &at(0, &[AlertCode::Database])), []);
        assert_eq!(tell(&mut ledger, &at(1, &[AlertCode::Database])), []);
        assert_eq!(tell(&mut ledger, &at(2, &[])), []);
        assert_eq!(tell(&mut ledger, &at(60, &[])), [], "nor is its end");
        assert!(ledger.kept().is_empty());
    }

    #[test]
    fn over_is_what_is_seen_to_be_so_for_ten_minutes() {
        let mut ledger = Ledger::default();
        let battery = |minute, soc: Option<f64>| {
            let mut snapshot = at(minute, &[]);
            snapshot.battery.soc = soc.and_then(model::Soc::new);
            snapshot
        };
        assert_eq!(tell(&mut ledger, &at(0, &[AlertCode::BatteryDataStale])).len(), 1);
        for minute in 1..30 {
            assert_eq!(tell(&mut ledger, &battery(minute, None)), [], "that is unknown, and not well");
        }
        for minute in 30..40 {
            assert_eq!(tell(&mut ledger, &battery(minute, Some(50.0))), []);
        }
        assert_eq!(tell(&mut ledger, &battery(40, Some(50.0))), [(AlertCode::BatteryDataStale, Step::Ends)]);
        assert_eq!(tell(&mut ledger, &battery(41, Some(50.0))), []);
    }

    #[test]
    fn nothing_is_back_to_normal_while_it_goes_wrong_in_another_way() {
        let (emergency, restarts) = (AlertCode::Emergency, AlertCode::CrashLoop);
        let mut ledger = Ledger::default();
        assert_eq!(tell(&mut ledger, &at(0, &[emergency, restarts])).len(), 2);
        for minute in 1..30 {
            assert_eq!(tell(&mut ledger, &at(minute, &[restarts])), []);
        }
        for minute in 30..40 {
            assert_eq!(tell(&mut ledger, &at(minute, &[])), []);
        }
        let both = [(emergency, Step::Ends), (restarts, Step::Ends)];
        assert_eq!(tell(&mut ledger, &at(40, &[])), both, "both at once");
    }

    #[test]
    fn what_was_told_of_a_miner_that_was_let_go_is_forgotten() {
        let mut ledger = Ledger::default();
        assert_eq!(tell(&mut ledger, &at(0, &[AlertCode::OffNotVerified])).len(), 1);
        for minute in 1..30 {
            assert_eq!(tell(&mut ledger, &at(minute, &[])), []);
        }
        assert!(ledger.kept().is_empty());
    }

    #[test]
    fn a_clock_that_steps_back_keeps_no_end_waiting() {
        let mut ledger = Ledger::default();
        assert_eq!(tell(&mut ledger, &at(1000, &[AlertCode::Emergency])).len(), 1);
        assert_eq!(tell(&mut ledger, &at(1005, &[])), []);
        assert_eq!(tell(&mut ledger, &at(100, &[])), []);
        assert_eq!(tell(&mut ledger, &at(110, &[])), [(AlertCode::Emergency, Step::Ends)]);
    }
}
