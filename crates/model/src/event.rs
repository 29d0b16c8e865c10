//! What a page starts from, and the events that keep it up to date.
//!
//! [`changes`] tells two snapshots apart, and [`Snapshot::apply`] puts the difference back: a page that missed nothing
//! holds what the server holds.

use crate::{
    Alert, Intent, LadderStep, MinerId, MinerReading, Operation, Soc, SunTimes, Undelivered, UtcMillis,
    demo::DemoState,
    discovery::Moved,
    snapshot::{
        BatteryView, Connection, DecisionView, InvariantCount, Latches, MinerState, MinerView, Snapshot,
    },
};
use serde::{Deserialize, Serialize};

/// The operations of a miner that a snapshot holds: the newest so many.
pub const OPERATIONS_SHOWN: usize = 20;

/// What a page needs to know of a site's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteFacts {
    /// The site's name.
    pub name: String,
    /// Its IANA zone: all civil times are told in it.
    pub timezone: String,
    /// Age in seconds from which the battery's data is old.
    pub old_after_s: u32,
    /// Age in seconds from which the battery's data counts for nothing.
    pub stale_after_s: u32,
    /// The state of charge at and under which a miner is off.
    pub emergency: Soc,
    /// The ladder, lowest step first. What lies at and under `emergency` is never reached.
    pub ladder: Vec<LadderStep>,
    /// Hours that a manual power holds if the person doesn't say.
    pub manual_hours: f64,
    /// Version of the program.
    pub version: String,
    /// What the page's files hash to: a page that began with another is out of date. Empty where there are no files.
    pub build: String,
}

/// Everything a page starts from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// What doesn't change.
    pub site: SiteFacts,
    /// What is known now.
    pub snapshot: Snapshot,
    /// The demo's switches, where the house is simulated and can be switched from here.
    pub demo: Option<DemoState>,
    /// Where miners were found that don't answer where they are known to be. Programs are told by `/api/network/devices`:
    /// the events of a change go without it.
    #[serde(skip)]
    pub moved: Vec<Moved>,
    /// The channels by which alerts don't reach people. Programs are told by `/api/system/status`.
    #[serde(skip)]
    pub undelivered: Vec<Undelivered>,
}

/// Something that happened. The name of the variant is the event's name on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// Everything, to begin with or to begin anew.
    Snapshot(Box<Overview>),
    /// The control loop ticked: readings and what follows from them.
    Tick(Box<Tick>),
    /// The law says something new about a miner.
    Decision(Box<Decided>),
    /// A command was given or came further.
    Operation(Box<Operation>),
    /// Alerts began, ended or changed; all there are, active ones first.
    Alert(Vec<Alert>),
}

impl Event {
    /// The event's name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Tick(_) => "tick",
            Self::Decision(_) => "decision",
            Self::Operation(_) => "operation",
            Self::Alert(_) => "alert",
        }
    }
}

/// What every tick renews.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// When.
    pub at: UtcMillis,
    /// Number of the tick.
    pub tick: u64,
    /// Something other than our own clock agrees with it.
    pub clock_synced: bool,
    /// The database takes writes.
    pub database_ok: bool,
    /// The battery and its source.
    pub battery: BatteryView,
    /// The miners, in the snapshot's order.
    pub miners: Vec<MinerTick>,
    /// Counters of broken invariants.
    pub invariants: Vec<InvariantCount>,
    /// The demo's switches.
    pub demo: Option<DemoState>,
}

/// What every tick renews of a miner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinerTick {
    /// Which.
    pub id: MinerId,
    /// Its connection.
    pub connection: Connection,
    /// The last reading.
    pub reading: Option<MinerReading>,
    /// What it is doing.
    pub state: MinerState,
    /// The person's wishes.
    pub intent: Intent,
    /// Today's sun.
    pub sun: Option<SunTimes>,
    /// When the manual power ends.
    pub manual_until: Option<UtcMillis>,
    /// The law's memory.
    pub latches: Latches,
    /// What was decided, with its words: numbers in them move with every tick.
    pub decision: DecisionView,
}

/// A decision about a miner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Which miner.
    pub miner: MinerId,
    /// What was decided.
    pub decision: DecisionView,
}

impl Tick {
    /// The tick that `snapshot` was published with.
    pub fn of(snapshot: &Snapshot, demo: Option<DemoState>) -> Self {
        let miner = |miner: &MinerView| MinerTick {
            id: miner.id.clone(),
            connection: miner.connection.clone(),
            reading: miner.reading.clone(),
            state: miner.state,
            intent: miner.intent,
            sun: miner.sun,
            manual_until: miner.manual_until,
            latches: miner.latches.clone(),
            decision: miner.decision.clone(),
        };
        Self {
            at: snapshot.at,
            tick: snapshot.tick,
            clock_synced: snapshot.clock_synced,
            database_ok: snapshot.database_ok,
            battery: snapshot.battery.clone(),
            miners: snapshot.miners.iter().map(miner).collect(),
            invariants: snapshot.invariants.clone(),
            demo,
        }
    }
}

/// The events that make `after` of `before`, without the tick; `None` if only a whole new snapshot does.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Option<Vec<Event>> {
    let same_miner = |(old, new): (&MinerView, &MinerView)| {
        (&old.id, &old.name, &old.host, old.base_watts, &old.identity)
            == (&new.id, &new.name, &new.host, new.base_watts, &new.identity)
    };
    let miners = || before.miners.iter().zip(&after.miners);
    if before.miners.len() != after.miners.len() || !miners().all(same_miner) {
        return None;
    }
    let mut events = Vec::new();
    for (old, new) in miners() {
        // Oldest first, as they happened.
        let changed = new.operations.iter().rev().filter(|operation| !old.operations.contains(operation));
        events.extend(changed.map(|operation| Event::Operation(Box::new(operation.clone()))));
        // Whoever looks seldom sees a command's decision by its command alone.
        let commanded =
            new.operations.first().map(|newest| newest.id) != old.operations.first().map(|newest| newest.id);
        if commanded || says_something_new(&old.decision, &new.decision) {
            let decided = Decided { miner: new.id.clone(), decision: new.decision.clone() };
            events.push(Event::Decision(Box::new(decided)));
        }
    }
    if before.alerts.len() != after.alerts.len()
        || before.alerts.iter().zip(&after.alerts).any(|(old, new)| differ(old, new))
    {
        events.push(Event::Alert(after.alerts.clone()));
    }
    Some(events)
}

/// A decision is made anew with every tick; its instant and the numbers in its words move then, and that is no news.
fn says_something_new(old: &DecisionView, new: &DecisionView) -> bool {
    let essence = |view: &DecisionView| {
        (view.rule, view.reason, view.wanted, view.command, view.blocked.map(|blocked| blocked.by))
    };
    essence(old) != essence(new)
}

/// An alert that holds is seen again with every tick; only its last instant moves then.
fn differ(old: &Alert, new: &Alert) -> bool {
    Alert { last: new.last, ..old.clone() } != *new
}

impl Snapshot {
    /// Takes an event up. What it says about a miner that isn't here is left out: the next snapshot brings it.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Snapshot(overview) => *self = overview.snapshot,
            Event::Tick(tick) => self.apply_tick(*tick),
            Event::Decision(decided) => {
                if let Some(miner) = self.miner_mut(&decided.miner) {
                    miner.decision = decided.decision;
                }
            }
            Event::Operation(operation) => {
                let Some(miner) = self.miner_mut(&operation.miner) else { return };
                if let Some(known) = miner.operations.iter_mut().find(|known| known.id == operation.id) {
                    *known = *operation;
                } else {
                    miner.operations.insert(0, *operation);
                    miner.operations.truncate(OPERATIONS_SHOWN);
                }
            }
            Event::Alert(alerts) => self.alerts = alerts,
        }
    }

    fn apply_tick(&mut self, tick: Tick) {
        self.at = tick.at;
        self.tick = tick.tick;
        self.clock_synced = tick.clock_synced;
        self.database_ok = tick.database_ok;
        self.battery = tick.battery;
        self.invariants = tick.invariants;
        for now in tick.miners {
            if let Some(miner) = self.miner_mut(&now.id) {
                miner.connection = now.connection;
                miner.reading = now.reading;
                miner.state = now.state;
                miner.intent = now.intent;
                miner.sun = now.sun;
                miner.manual_until = now.manual_until;
                miner.latches = now.latches;
                miner.decision = now.decision;
            }
        }
    }

    fn miner_mut(&mut self, id: &MinerId) -> Option<&mut MinerView> {
        self.miners.iter_mut().find(|miner| miner.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AlertCode, Command, Explanation, OperationId, OperationStage, PowerPercent, Reason, Rule, Severity,
        Soc, Wanted, Watts,
    };
    use proptest::prelude::*;

    fn operation(id: u64, stage: OperationStage) -> Operation {
        Operation {
            id: OperationId(id),
            miner: MinerId("garage".into()),
            command: Command::Off,
            reason: Reason::PersonOff,
            stage,
            means: None,
            decided_at: UtcMillis(0),
            sent_at: None,
            acknowledged_at: None,
            ended_at: None,
            words: None,
        }
    }

    fn alert(last: i64, active: bool, seen: bool) -> Alert {
        Alert {
            code: AlertCode::BatteryLost,
            miner: None,
            severity: Severity::Warning,
            text: "gone".into(),
            since: UtcMillis(0),
            last: UtcMillis(last),
            count: 1,
            active,
            seen,
        }
    }

    fn miner(why: &str, operations: Vec<Operation>) -> MinerView {
        MinerView {
            id: MinerId("garage".into()),
            name: "Garage".into(),
            host: "192.168.1.52".into(),
            base_watts: Watts::whole(3600),
            priority: 1,
            share: None,
            mac: None,
            connection: Connection::default(),
            identity: None,
            reading: None,
            state: MinerState::Running,
            intent: Intent::default(),
            sun: None,
            manual_until: None,
            decision: DecisionView {
                at: UtcMillis(0),
                rule: Rule::Ladder,
                reason: Reason::LadderHold,
                wanted: Wanted::Hold,
                command: None,
                blocked: None,
                blocked_until: None,
                explanation: Explanation { why: why.into(), ..Explanation::default() },
            },
            latches: Latches {
                ceiling: PowerPercent::FULL,
                emergency: false,
                emergency_unconfirmed: false,
                full_armed: true,
                stopped: None,
                degraded: false,
                commands_today: 0,
                command_budget: 48,
                settle_seconds: None,
            },
            operations,
        }
    }

    fn snapshot(tick: u64, miner: MinerView, alerts: Vec<Alert>) -> Snapshot {
        let battery = BatteryView { soc: Soc::new(tick as f64), ..BatteryView::default() };
        Snapshot {
            at: UtcMillis(tick as i64),
            tick,
            clock_synced: true,
            battery,
            miners: vec![miner],
            followed: Vec::new(),
            alerts,
            database_ok: true,
            invariants: Vec::new(),
        }
    }

    #[test]
    fn what_only_moves_in_time_is_no_news() {
        let before = snapshot(1, miner("so", vec![]), vec![alert(1, true, false)]);
        let mut after = snapshot(2, miner("so", vec![]), vec![alert(2, true, false)]);
        after.miners[0].decision.at = UtcMillis(2);
        after.miners[0].decision.explanation.why = "so, a minute later".into();
        assert_eq!(changes(&before, &after), Some(vec![]));
    }

    #[test]
    fn another_miner_makes_everything_new() {
        let before = snapshot(1, miner("so", vec![]), vec![]);
        let mut after = before.clone();
        after.miners[0].host = "192.168.1.60".into();
        assert_eq!(changes(&before, &after), None);
    }

    proptest! {
        /// Whoever applies every change holds what the server holds, but for the instants that only move.
        #[test]
        fn changes_make_the_later_snapshot_of_the_earlier(
            stages in prop::collection::vec((any::<bool>(), any::<bool>()), 0..30),
            (kept, new) in (0_usize..20, 0_usize..3),
            whys in (any::<bool>(), any::<bool>()),
            alerts in (any::<(bool, bool)>(), any::<(bool, bool)>()),
        ) {
            let stage = |done: bool| if done { OperationStage::Observed } else { OperationStage::Sent };
            let history: Vec<_> = stages.iter().enumerate().map(|(id, (old, new))| (id as u64, *old, *new)).collect();
            let kept = kept.min(history.len());
            let newest_first = |count: usize, later: bool| {
                let operations = history.iter().take(count).rev().take(OPERATIONS_SHOWN);
                let told = |(id, old, new): &(u64, bool, bool)| {
                    operation(*id, stage(if later { *old || *new } else { *old }))
                };
                operations.map(told).collect::<Vec<_>>()
            };
            let why = |changed: bool| if changed { "because" } else { "so" };
            let told = |last, (active, seen)| vec![alert(last, active, seen)];
            let before = snapshot(1, miner(why(whys.0), newest_first(kept, false)), told(1, alerts.0));
            let later = newest_first((kept + new).min(history.len()), true);
            let mut after = snapshot(2, miner(why(whys.1), later), told(2, alerts.1));
            let mut held = before.clone();
            for event in changes(&before, &after).unwrap() {
                held.apply(event);
            }
            held.apply(Event::Tick(Box::new(Tick::of(&after, None))));
            for alert in held.alerts.iter_mut().chain(&mut after.alerts) {
                alert.last = UtcMillis(0);
            }
            prop_assert_eq!(held, after);
        }
    }
}
