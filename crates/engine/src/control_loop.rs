//! The control loop: the only place that decides.
//!
//! It ticks at its period and at once after a new battery reading, the end of a command or a person's wish. A tick
//! asks the law about every miner, sends offs before anything else, keeps what has to be kept and publishes what a
//! person may want to know.

use crate::{
    actor::Order,
    alerts::{self, AlertBook, Finding},
    battery::BatteryStatus,
    clock::{Busy, Timekeeper},
    followed::Followed,
    fullness::Fullness,
    local::Place,
    notices::Notices,
    punctuality::{Punctuality, Schedule},
    recorder::{Entry, Recorder},
    requests::{Envelope, Message, Refused, Reply, Request},
    supervise::Supervisor,
    unit::Unit,
};
use control::{Observation, Share, battery::Verdict};
use model::{
    AlertCode, Command, Manual, MinerId, Now, OperationId, PowerIntent, UtcMillis,
    snapshot::{BatteryView, Connection, InvariantCount, Snapshot},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};

/// How long the answer to a wish waits until the wish is on the disk, in real time.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest a manual power may hold.
const LONGEST_MANUAL: Duration = Duration::from_secs(7 * 86_400);
/// A loop that hasn't ticked for this long is dead: its miners are switched off without it.
const DEAD_AFTER: Duration = Duration::from_secs(180);

pub(crate) struct ControlLoop {
    pub(crate) keeper: Arc<Timekeeper>,
    pub(crate) place: Place,
    pub(crate) units: Vec<Unit>,
    pub(crate) followed: Vec<Followed>,
    pub(crate) battery: watch::Receiver<BatteryStatus>,
    pub(crate) battery_poll: Duration,
    pub(crate) recorder: Recorder,
    pub(crate) alerts: AlertBook,
    pub(crate) fullness: Fullness,
    pub(crate) auto_control: BTreeMap<MinerId, bool>,
    pub(crate) next_operation: u64,
    pub(crate) ticks: u64,
    pub(crate) period: Duration,
    pub(crate) published: watch::Sender<Arc<Snapshot>>,
    pub(crate) requests: mpsc::Receiver<Message>,
    pub(crate) wakes: mpsc::Receiver<Busy>,
    pub(crate) supervisor: Supervisor,
    pub(crate) punctuality: Punctuality,
    pub(crate) notices: Notices,
}

impl ControlLoop {
    /// Ticks until the shutdown, then writes everything down.
    pub(crate) async fn run(&mut self, busy: Busy) {
        let clock = Arc::clone(self.keeper.clock());
        let shutdown = self.supervisor.shutdown.clone();
        let mut busy = busy;
        let mut schedule = Schedule::new(clock.elapsed(), self.period);
        loop {
            // Going to sleep gives the token up; whoever wakes the loop brings one along.
            busy = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(message) = self.requests.recv() => match message {
                    Message::Wish(envelope) => self.answer(envelope).await,
                    Message::ClearAlerts { until, done, busy } => {
                        self.alerts.clear(until);
                        self.publish(self.keeper.now());
                        // Whoever asked may have gone.
                        let _ = done.send(());
                        busy
                    }
                    Message::WhatIf { laws, told, busy } => {
                        let would = |unit: &Unit| {
                            let (_, law) = laws.iter().find(|(miner, _)| miner == unit.id())?;
                            unit.would_decide(law, &self.keeper)
                        };
                        let _ = told.send(self.units.iter().filter_map(would).collect());
                        busy
                    }
                },
                Some(woken) = self.wakes.recv() => {
                    while self.wakes.try_recv().is_ok() {}
                    self.tick();
                    woken
                }
                woken = clock.sleep_until(busy, schedule.next()) => {
                    self.punctuality.began(schedule.begins(clock.elapsed()), self.period);
                    self.tick();
                    schedule.ticked(clock.elapsed());
                    woken
                }
            };
        }
        let now = self.keeper.now();
        for unit in &mut self.units {
            unit.save(&self.recorder, now);
        }
    }

    fn tick(&mut self) {
        let began = self.keeper.clock().elapsed();
        let now = self.keeper.now();
        self.ticks += 1;
        let local = self.place.local(now.utc, self.keeper.synced());
        let battery = self.battery.borrow().observation;
        let look = |unit: &Unit| Observation {
            now: now.mono,
            local,
            battery,
            miner: unit.observe(now),
            intent: unit.state.intent,
            share: Share::Whole,
        };
        let mut seen: Vec<_> = self.units.iter().map(look).collect();
        // One miner alone has the ladder for itself.
        if self.units.len() > 1 {
            let members: Vec<_> =
                self.units.iter().zip(&seen).map(|(unit, seen)| unit.member(seen)).collect();
            for (seen, share) in seen.iter_mut().zip(control::deal(now.mono, &members)) {
                seen.share = share;
            }
        }
        let mut commanded = BTreeMap::new();
        for (index, (unit, seen)) in self.units.iter_mut().zip(seen).enumerate() {
            let before = unit.last.take();
            let decision = unit.decide(&seen, &self.keeper);
            unit.follow_operations(&self.recorder, now);
            let operation = decision.command.map(|_| OperationId(self.next_operation));
            unit.journal(before.as_ref().map(|(_, _, view)| view), operation, &self.recorder);
            if let Some((command, id)) = decision.command.zip(operation) {
                self.next_operation += 1;
                commanded.insert(index, (command, id));
            } else {
                unit.save_if_changed(&self.recorder, now);
            }
        }
        self.send(&commanded, now);
        self.recorder.put(Entry::Time(now));
        self.publish(now);
        self.punctuality.ended(self.keeper.clock().elapsed().saturating_sub(began));
    }

    /// Sends what was decided, offs first.
    fn send(&mut self, commanded: &BTreeMap<usize, (Command, OperationId)>, now: Now) {
        for offs in [true, false] {
            for (index, unit) in self.units.iter_mut().enumerate() {
                if let Some((command, id)) =
                    commanded.get(&index).filter(|(command, _)| command.is_off() == offs)
                {
                    unit.send(*command, *id, &self.recorder, now, self.keeper.clock().busy());
                }
            }
        }
    }

    fn publish(&mut self, now: Now) {
        let mut findings = alerts::of_battery(&self.battery.borrow());
        let is_the_only_one = self.units.len() + self.followed.len() == 1;
        for unit in &self.units {
            for finding in unit.findings(is_the_only_one) {
                // What is wrong with the battery is told once, however many miners live on it.
                let told =
                    findings.iter().any(|other| other.code == finding.code && other.miner == finding.miner);
                if !told {
                    findings.push(finding);
                }
            }
        }
        self.watch_fullness(now);
        findings.extend(self.own_findings());
        self.alerts.update(findings, now.utc);
        let snapshot = Snapshot {
            at: now.utc,
            tick: self.ticks,
            clock_synced: self.keeper.synced(),
            battery: self.battery_view(),
            miners: self.units.iter().filter_map(|unit| unit.view(&self.keeper)).collect(),
            followed: self.followed.iter().map(|followed| followed.view(&self.keeper)).collect(),
            alerts: self.alerts.list(),
            database_ok: self.recorder.healthy(),
            invariants: self.invariants(),
        };
        self.published.send_replace(Arc::new(snapshot));
    }

    /// Takes notice of how full the battery was at its last good sample.
    fn watch_fullness(&mut self, now: Now) {
        let Some(full) = self.units.first().map(|unit| unit.setup.policy.full_soc) else { return };
        if let Some(verdict) = self.verdict()
            && let Some(soc) = verdict.soc
        {
            let age = i64::try_from(verdict.without_good_for.as_millis()).unwrap_or(i64::MAX);
            self.fullness.take(UtcMillis(now.utc.0.saturating_sub(age)), soc.get(), full);
        }
    }

    fn own_findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.fullness.is_overdue() {
            let text = "The battery hasn't been seen full for 14 days. Without that its cells drift apart, and so does the \
                        state of charge that it tells: let it be charged fully."
                .into();
            found.push(Finding { code: AlertCode::BatteryNotFull, miner: None, text });
        }
        if !self.recorder.healthy() {
            let text = "The database doesn't take writes: control goes on, but nothing is kept.".into();
            found.push(Finding { code: AlertCode::Database, miner: None, text });
        }
        found.extend(self.notices.findings());
        let restarts = self.supervisor.restarts();
        if restarts > 0 {
            let text =
                format!("A part of the program had to be started again, {restarts} times since the start.");
            found.push(Finding { code: AlertCode::TaskRestarted, miner: None, text });
        }
        found
    }

    /// How the law judges the battery's data.
    fn verdict(&self) -> Option<Verdict> {
        self.units.iter().find_map(|unit| unit.last.as_ref()).map(|(_, decision, _)| decision.battery)
    }

    fn battery_view(&self) -> BatteryView {
        let status = self.battery.borrow();
        let verdict = self.verdict();
        BatteryView {
            connection: Connection {
                connected: status.error.is_none() && status.reading.is_some(),
                last_seen: status.answered_at.map(|answered| answered.utc),
                error: status.error.as_ref().map(ToString::to_string),
                session_since: status.session_since,
            },
            reading: status.reading.as_deref().cloned(),
            soc: verdict.and_then(|verdict| verdict.soc),
            age_seconds: verdict
                .filter(|verdict| verdict.soc.is_some())
                .map(|verdict| verdict.without_good_for.as_secs_f64()),
            poll_seconds: u32::try_from(self.battery_poll.as_secs()).unwrap_or(u32::MAX),
        }
    }

    fn invariants(&self) -> Vec<InvariantCount> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (name, violations) in self.units.iter().flat_map(|unit| unit.monitor.counts()) {
            *counts.entry(name).or_default() += violations;
        }
        let count = |(name, violations): (&&'static str, &u64)| InvariantCount {
            name: (*name).to_owned(),
            violations: *violations,
        };
        let mut list: Vec<_> = counts.iter().map(count).collect();
        list.sort_by_key(|count| count.name.trim_start_matches('I').parse::<u32>().unwrap_or(u32::MAX));
        list
    }

    /// Takes up a person's wish and ticks, so that the answer already tells what follows from it.
    async fn answer(&mut self, envelope: Envelope) -> Busy {
        let Envelope { miner, request, reply, busy } = envelope;
        let answer = match self.take_up(miner, &request) {
            Ok(index) => {
                self.tick();
                match self.units.get(index).and_then(|unit| unit.last.as_ref().map(|last| (unit, last))) {
                    Some((unit, (_, decision, view))) => {
                        let sent = decision.command.and_then(|_| unit.operations.front());
                        Ok(Reply {
                            operation: sent.map(|(_, operation)| operation.clone()),
                            decision: view.clone(),
                        })
                    }
                    None => Err(Refused::NotRunning),
                }
            }
            Err(refused) => Err(refused),
        };
        // A wish that was answered for outlives a power cut. What it asked for is on its way by now.
        self.recorder.flush(PATIENCE).await;
        // Whoever asked may have gone.
        let _ = reply.send(answer);
        busy
    }

    fn take_up(&mut self, miner: Option<MinerId>, request: &Request) -> Result<usize, Refused> {
        let found = match &miner {
            None => (!self.units.is_empty()).then_some(0),
            Some(miner) => self.units.iter().position(|unit| unit.id() == miner),
        };
        let index =
            found.ok_or_else(|| Refused::NoSuchMiner(miner.unwrap_or_else(|| MinerId("(none)".into()))))?;
        let now = self.keeper.now();
        let unit = self.units.get_mut(index).ok_or(Refused::NotRunning)?;
        tracing::info!(miner = %unit.id(), ?request, "asked");
        let refusal = |confirmed| match &unit.last {
            Some((_, decision, _)) => control::refusal(&unit.setup.policy, &unit.state, decision, confirmed),
            None => Some("The controller has only just started.".to_owned()),
        };
        match *request {
            Request::PowerOn { confirmed } => {
                if let Some(why) = refusal(confirmed) {
                    return Err(Refused::Forbidden(why));
                }
                let asked_before = match unit.state.intent.power {
                    PowerIntent::On { request } => request,
                    PowerIntent::Off | PowerIntent::Undecided => 0,
                };
                let request = unit.state.honoured_request.max(asked_before).saturating_add(1);
                unit.state.intent.power = PowerIntent::On { request };
            }
            Request::PowerOff => {
                unit.state.intent.power = PowerIntent::Off;
                unit.state.intent.manual = None;
            }
            Request::Manual { target, hold } => {
                let range = unit.setup.range;
                let watts = target.watts(unit.setup.policy.base_watts);
                if watts < range.min || watts > range.max {
                    let field =
                        if matches!(target, model::ManualTarget::Percent(_)) { "percent" } else { "watts" };
                    let message =
                        format!("this miner holds {} to {}; {watts} was asked for", range.min, range.max);
                    return Err(Refused::Invalid { field, message });
                }
                if unit.state.intent.power == PowerIntent::Off {
                    return Err(Refused::Forbidden("You switched the miner off: switch it on first.".into()));
                }
                if let Some(why) = refusal(true) {
                    return Err(Refused::Forbidden(why));
                }
                if unit.state.stopped_by().is_some() {
                    return Err(Refused::Forbidden("The miner is stopped: switch it on first.".into()));
                }
                let hold = hold.unwrap_or(unit.setup.manual_hold).min(LONGEST_MANUAL);
                unit.state.intent.manual = Some(Manual { target, until: now.mono + hold });
            }
            Request::AutoControl { enabled } => {
                unit.state.intent.auto_control = enabled;
                if enabled {
                    unit.state.intent.manual = None;
                }
                self.auto_control.insert(unit.setup.id.clone(), enabled);
                self.recorder.put(Entry::AutoControl(self.auto_control.clone()));
            }
        }
        Ok(index)
    }
}

/// Watches the loop from outside: should it stop ticking, every miner is told to stop without it.
pub(crate) fn guard(
    supervisor: &Supervisor,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    miners: Vec<mpsc::Sender<Order>>,
) {
    let keeper = Arc::clone(&supervisor.keeper);
    supervisor.keep_running("guard", move |mut busy| {
        let (keeper, snapshots, miners) = (Arc::clone(&keeper), snapshots.clone(), miners.clone());
        async move {
            let mut last = (snapshots.borrow().tick, keeper.now().mono);
            loop {
                busy = keeper.sleep(busy, DEAD_AFTER / 6).await;
                let tick = snapshots.borrow().tick;
                let now = keeper.now().mono;
                if tick != last.0 {
                    last = (tick, now);
                } else if now.since(last.1) >= DEAD_AFTER {
                    tracing::error!("the control loop doesn't tick: switching every miner off");
                    for miner in &miners {
                        let order = Order {
                            sequence: 0,
                            command: Command::Off,
                            durable: None,
                            busy: keeper.clock().busy(),
                        };
                        let _ = miner.try_send(order);
                    }
                    last.1 = now;
                }
            }
        }
    });
}
