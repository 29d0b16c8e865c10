//! One miner under control: its law, its operations, and the channels to its tasks.

use crate::{
    actor::{Order, Report},
    alerts::{self, Finding},
    clock::{Busy, Timekeeper},
    reader::{MinerStatus, unreachable_after},
    recorder::{Entry, Recorder},
    requests::{Law, WouldDecide},
    site::MinerSetup,
};
use control::{
    Decision, Feedback, Member, MinerObservation, Observation, Policy, Share, Stage, Stance, State,
    StopReason, monitor::Monitor,
};
use model::{
    Command, MinerId, Now, Operation, OperationId, OperationStage, Reason, Watts,
    event::OPERATIONS_SHOWN,
    journal::DecisionRecord,
    snapshot::{DecisionView, Latches, MinerView},
};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::{mpsc, watch};

/// How long an ordinary command waits for its record to be durable, in real time.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same for off: safety doesn't wait for a disk.
const PATIENCE_FOR_OFF: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(crate) struct Unit {
    pub(crate) setup: MinerSetup,
    pub(crate) state: State,
    pub(crate) monitor: Monitor,
    pub(crate) operations: VecDeque<(u64, Operation)>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) reports: watch::Receiver<Option<Report>>,
    pub(crate) status: watch::Receiver<MinerStatus>,
    pub(crate) last: Option<(Observation, Decision, DecisionView)>,
    /// What of the state is on disk.
    pub(crate) saved: Option<State>,
}

impl Unit {
    pub(crate) fn id(&self) -> &MinerId {
        &self.setup.id
    }

    /// What the law sees of this miner now.
    pub(crate) fn observe(&self, now: Now) -> MinerObservation {
        let status = self.status.borrow();
        let feedback = self.reports.borrow().as_ref().map(|report| Feedback {
            sequence: report.sequence,
            outcome: report.outcome,
            means: report.means,
        });
        let nothing =
            MinerObservation { range: Some(self.setup.range), feedback, ..MinerObservation::default() };
        let Some((reading, read_at)) = &status.reading else { return nothing };
        let fresh = now.mono.since(read_at.mono) <= unreachable_after(self.setup.poll);
        MinerObservation {
            reachable: fresh && status.stranger.is_none(),
            read_at: Some(read_at.mono),
            service_on: reading.service_on,
            power: reading.power,
            hash_rate: reading.hash_rate,
            power_set: reading.power_set,
            elapsed_seconds: reading.elapsed_seconds,
            ..nothing
        }
    }

    /// What it brings in where several miners share what the battery allows.
    pub(crate) fn member(&self, seen: &Observation) -> Member {
        let policy = &self.setup.policy;
        let reading = self.status.borrow().reading.clone();
        let efficiency = reading.and_then(|(reading, _)| {
            let (power, rate) = (reading.power?.get(), reading.hash_rate?.get());
            (power > 0.0 && rate > 0.0).then(|| power / rate)
        });
        Member {
            claim: control::claim(policy, &self.state, seen),
            base: policy.base_watts,
            steps: control::fleet::steps(policy, seen.miner.range),
            priority: self.setup.priority,
            watts_per_terahash: efficiency,
        }
    }

    /// One tick of the law. The state is replaced only by a whole step.
    pub(crate) fn decide(&mut self, seen: &Observation, keeper: &Timekeeper) -> Decision {
        let (after, decision) = control::step(&self.setup.policy, self.state.clone(), seen);
        self.monitor.check(&self.setup.policy, &self.state, seen, &after, &decision);
        self.state = after;
        let view = self.view_of(seen, &decision, keeper);
        self.last = Some((*seen, decision, view));
        decision
    }

    /// What the law would decide about what it saw last, by other numbers. `None` before the first tick.
    pub(crate) fn would_decide(&self, law: &Law, keeper: &Timekeeper) -> Option<WouldDecide> {
        let (seen, _, now) = self.last.as_ref()?;
        let miner = MinerObservation { range: Some(law.range), ..seen.miner };
        let seen = Observation { miner, ..*seen };
        let (after, decision) = control::step(&law.policy, self.state.clone(), &seen);
        let then = told(&law.policy, &after, &seen, &decision, keeper);
        Some(WouldDecide { miner: self.setup.id.clone(), now: now.clone(), then })
    }

    fn view_of(&self, seen: &Observation, decision: &Decision, keeper: &Timekeeper) -> DecisionView {
        told(&self.setup.policy, &self.state, seen, decision, keeper)
    }

    /// Brings the operations up to what the law and the actor know of them.
    pub(crate) fn follow_operations(&mut self, recorder: &Recorder, now: Now) {
        let report = self.reports.borrow().clone();
        let last = self.state.last;
        for (sequence, operation) in &mut self.operations {
            let before = operation.clone();
            if let Some(report) = report.as_ref().filter(|report| report.sequence == *sequence) {
                operation.sent_at = operation.sent_at.or(Some(report.sent_at.utc));
                operation.means = report.means.or(operation.means);
                operation.words = report.words.clone().or(operation.words.take());
                if report.outcome == control::Outcome::Acknowledged {
                    operation.acknowledged_at =
                        operation.acknowledged_at.or(report.ended_at.map(|at| at.utc));
                }
            }
            let settled = matches!(
                operation.stage,
                OperationStage::Observed | OperationStage::Failed | OperationStage::Superseded
            );
            if !settled {
                operation.stage = match last.filter(|last| last.sequence == *sequence).map(|last| last.stage)
                {
                    Some(Stage::UnderWay) if operation.sent_at.is_none() => OperationStage::Queued,
                    Some(Stage::UnderWay | Stage::Lost | Stage::Unknown) => OperationStage::Sent,
                    Some(Stage::Acknowledged) => OperationStage::Acknowledged,
                    Some(Stage::Observed) => OperationStage::Observed,
                    Some(Stage::Failed) => OperationStage::Failed,
                    None => OperationStage::Superseded,
                };
                let ended = matches!(
                    operation.stage,
                    OperationStage::Observed | OperationStage::Failed | OperationStage::Superseded
                );
                operation.ended_at = ended.then_some(now.utc);
            }
            if *operation != before {
                recorder.put(Entry::Operation(Box::new(operation.clone())));
            }
        }
    }

    /// Sends a decided command: the record first, the order then. The miner's actor waits for the record to be durable, so
    /// that the loop waits for nobody.
    pub(crate) fn send(
        &mut self,
        command: Command,
        id: OperationId,
        recorder: &Recorder,
        now: Now,
        busy: Busy,
    ) {
        let Some(last) = self.state.last else { return };
        let operation = Operation {
            id,
            miner: self.setup.id.clone(),
            command,
            reason: last.reason,
            stage: OperationStage::Queued,
            means: None,
            decided_at: now.utc,
            sent_at: None,
            acknowledged_at: None,
            ended_at: None,
            words: None,
        };
        let patience = if command.is_off() { PATIENCE_FOR_OFF } else { PATIENCE };
        let durable = match serde_json::to_string(&self.state) {
            Ok(json) => Some(recorder.begin(json, operation.clone(), now, patience)),
            Err(error) => {
                tracing::error!(%error, "the law's state can't be written down");
                None
            }
        };
        self.saved = Some(self.state.clone());
        self.operations.push_front((last.sequence, operation));
        self.operations.truncate(OPERATIONS_SHOWN);
        // An actor that doesn't take orders is being started again; the law sees no feedback and asks again.
        if let Err(error) = self.orders.try_send(Order { sequence: last.sequence, command, durable, busy }) {
            tracing::error!(miner = %self.setup.id, %error, "the miner's actor takes no order");
        }
    }

    /// Keeps the state if something in it changed that matters after a restart.
    pub(crate) fn save_if_changed(&mut self, recorder: &Recorder, now: Now) {
        if self.saved.as_ref().is_some_and(|saved| same_but_for_time(saved, &self.state)) {
            return;
        }
        self.save(recorder, now);
    }

    pub(crate) fn save(&mut self, recorder: &Recorder, now: Now) {
        if let Ok(json) = serde_json::to_string(&self.state) {
            recorder.put(Entry::State { miner: self.setup.id.clone(), json, at: now });
            self.saved = Some(self.state.clone());
        }
    }

    /// Writes a decision into the journal if it says something new. `operation` carries its command out.
    pub(crate) fn journal(
        &self,
        before: Option<&DecisionView>,
        operation: Option<OperationId>,
        recorder: &Recorder,
    ) {
        let Some((seen, decision, view)) = &self.last else { return };
        let essence = |view: &DecisionView| {
            (view.rule, view.reason, view.wanted, view.blocked.map(|blocked| blocked.by))
        };
        if decision.command.is_none() && before.map(essence) == Some(essence(view)) {
            return;
        }
        tracing::info!(miner = %self.setup.id, rule = ?view.rule, reason = %view.reason.code(), command = ?view.command, why = view.explanation.why, "decision");
        recorder.put(Entry::Decision(Box::new(DecisionRecord {
            miner: self.setup.id.clone(),
            at: view.at,
            rule: view.rule,
            reason: view.reason,
            wanted: view.wanted,
            command: view.command,
            operation,
            blocked_by: view.blocked.map(|blocked| blocked.by),
            blocked_until: view.blocked_until,
            explanation: view.explanation.clone(),
            soc_percent: seen.battery.and_then(|battery| battery.soc_percent),
            source_time: seen.battery.map(|battery| battery.source_time),
            miner_power: seen.miner.power,
            power_set_percent: seen
                .miner
                .power_set
                .map(|set| set.get() / self.setup.policy.base_watts.get() * 100.0),
        })));
    }

    /// What is wrong with it. Where it is the only miner, its name isn't said.
    pub(crate) fn findings(&self, is_the_only_one: bool) -> Vec<Finding> {
        let status = self.status.borrow();
        let report = self.reports.borrow();
        // A refusal is told as long as the command that met it is the last one.
        let refused = report.as_ref().and_then(|report| report.error.as_ref());
        let words = report.as_ref().and_then(|report| report.words.as_deref());
        let mut findings = alerts::of_miner(&self.setup.id, &self.setup.name, &status, refused);
        if let Some((_, decision, _)) = &self.last {
            let called = alerts::Called::new(&self.setup.name, is_the_only_one);
            findings.extend(alerts::of_law(&self.setup.id, called, &self.state, decision, words));
        }
        let broken: u64 = self.monitor.counts().map(|(_, count)| count).sum();
        if broken > 0 {
            findings.push(Finding {
                code: model::AlertCode::InvariantBroken,
                miner: Some(self.setup.id.clone()),
                text: format!("{broken} decisions broke a rule that must hold. That is a bug: please report it with the journal."),
            });
        }
        findings
    }

    pub(crate) fn view(&self, keeper: &Timekeeper) -> Option<MinerView> {
        let (seen, decision, view) = self.last.as_ref()?;
        let status = self.status.borrow();
        let state = &self.state;
        let unreachable_after = unreachable_after(self.setup.poll);
        Some(MinerView {
            id: self.setup.id.clone(),
            name: self.setup.name.clone(),
            host: self.setup.host.clone(),
            base_watts: self.setup.policy.base_watts,
            priority: self.setup.priority,
            share: match seen.share {
                Share::Whole | Share::Asked => None,
                Share::Dealt { power, .. } => Some(power.unwrap_or(Watts::ZERO)),
            },
            mac: status.mac.clone(),
            connection: status.connection(unreachable_after, keeper),
            identity: status.identity.clone(),
            reading: status.reading.as_ref().map(|(reading, _)| reading.as_ref().clone()),
            state: decision.doing,
            intent: state.intent,
            sun: seen.local.sun,
            manual_until: state.intent.manual.map(|manual| keeper.utc_of(manual.until)),
            decision: view.clone(),
            latches: Latches {
                ceiling: state.ceiling,
                emergency: state.emergency_latched,
                emergency_unconfirmed: state.emergency_unconfirmed,
                full_armed: state.full_armed,
                stopped: match state.stance {
                    Stance::Stopped { by, .. } => Some(stop_reason(by)),
                    _ => None,
                },
                degraded: state.degraded(),
                commands_today: u32::try_from(state.ordinary_sent.len()).unwrap_or(u32::MAX),
                command_budget: self.setup.policy.command_budget,
                settle_seconds: state
                    .settle_restart
                    .map(|settle| u32::try_from(settle.as_secs()).unwrap_or(u32::MAX)),
            },
            operations: self.operations.iter().map(|(_, operation)| operation.clone()).collect(),
        })
    }
}

/// A decision as people are told it.
fn told(
    policy: &Policy,
    state: &State,
    seen: &Observation,
    decision: &Decision,
    keeper: &Timekeeper,
) -> DecisionView {
    DecisionView {
        at: keeper.utc_of(seen.now),
        rule: decision.rule,
        reason: decision.reason,
        wanted: decision.wanted,
        command: decision.command,
        blocked: decision.blocked,
        blocked_until: decision.blocked.and_then(|blocked| blocked.until).map(|until| keeper.utc_of(until)),
        explanation: control::explain(policy, state, seen, decision),
    }
}

fn stop_reason(by: StopReason) -> Reason {
    match by {
        StopReason::Emergency => Reason::EmergencySoc,
        StopReason::Stale => Reason::BatteryStale,
        StopReason::Person => Reason::PersonOff,
        StopReason::FoundOff => Reason::FoundOff,
        StopReason::Elsewhere => Reason::SwitchedOffElsewhere,
        StopReason::CrashLoop => Reason::CrashLoop,
        StopReason::BelowRange => Reason::BelowRange,
        StopReason::NoShare => Reason::NoShare,
    }
}

/// Times that move with every tick and readings that the next one replaces aren't worth a write to a memory card.
fn same_but_for_time(saved: &State, state: &State) -> bool {
    let settled = |state: &State| State {
        last_step: None,
        surprises: control::state::Surprises::default(),
        restarts: control::state::Restarts { last_elapsed: None, ..state.restarts },
        ..state.clone()
    };
    settled(saved) == settled(state)
}
