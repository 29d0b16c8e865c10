//! The law over a recorded series: what it would have decided, tick by tick.
//!
//! The miner of a replay is an obedient one: it does what it is told within one tick, draws what it is set to and is
//! always reachable. That answers "what would the law have done", not "what would the miner have done".

use crate::{
    BatteryObservation, Decision, Feedback, MinerObservation, Observation, Outcome, Policy, State,
    energy::Energy, fleet::Share, monitor::Monitor, step,
};
use model::{Command, Intent, LocalTime, Means, MonoTime, Soc, TeraHash, UtcMillis, Watts};
use std::time::Duration;

/// One recorded tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// When the battery said it, in UTC: also the time of the tick.
    pub at: UtcMillis,
    /// The site's civil time then.
    pub local: LocalTime,
    /// State of charge; `None` is a gap.
    pub soc: Option<Soc>,
}

/// What a replay comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outline {
    /// Ticks replayed.
    pub ticks: u64,
    /// Starts and changes of power.
    pub ordinary_commands: u64,
    /// Offs.
    pub offs: u64,
    /// Energy the miner would have drawn, in Wh, and the time it is known for.
    pub energy: Energy,
    /// Broken invariants: zero, or it is a bug.
    pub violations: u64,
}

/// Runs the law over `records`, which should be in order, and hands every decision to `each`.
pub fn replay(
    policy: &Policy,
    intent: Intent,
    records: impl IntoIterator<Item = Record>,
    mut each: impl FnMut(&Record, &State, &Decision),
) -> Outline {
    let mut records = records.into_iter().peekable();
    let origin = records.peek().map_or(UtcMillis(0), |first| first.at);
    let mut state = State::new(MonoTime(0));
    let mut miner =
        ObedientMiner { power: policy.base_watts, running: true, started: MonoTime(0), feedback: None };
    let mut monitor = Monitor::default();
    let mut outline = Outline {
        ticks: 0,
        ordinary_commands: 0,
        offs: 0,
        energy: Energy::new(Duration::from_secs(900)),
        violations: 0,
    };
    let mut battery = None;
    for record in records {
        let now = MonoTime(record.at.millis_since(origin));
        if let Some(soc) = record.soc {
            battery = Some(BatteryObservation {
                source_time: record.at,
                source_at: now,
                fetched_at: now,
                soc_percent: Some(soc.get()),
                lost: false,
                pv: None,
                load: None,
                power: None,
            });
        }
        let seen = Observation {
            now,
            local: record.local,
            battery,
            miner: miner.observe(now),
            intent,
            share: Share::Whole,
        };
        let before = state.clone();
        let (after, decision) = step(policy, state, &seen);
        monitor.check(policy, &before, &seen, &after, &decision);
        if let (Some(command), Some(last)) = (decision.command, after.last) {
            if command.is_off() {
                outline.offs += 1;
            } else {
                outline.ordinary_commands += 1;
            }
            miner.obey(command, now, last.sequence);
        }
        outline.energy.add(now, record.soc.map(|_| miner.draws()));
        outline.ticks += 1;
        each(&record, &after, &decision);
        state = after;
    }
    outline.violations = monitor.counts().map(|(_, count)| count).sum();
    outline
}

struct ObedientMiner {
    power: Watts,
    running: bool,
    started: MonoTime,
    feedback: Option<Feedback>,
}

impl ObedientMiner {
    fn draws(&self) -> Watts {
        if self.running { self.power } else { Watts::ZERO }
    }

    fn observe(&self, now: MonoTime) -> MinerObservation {
        MinerObservation {
            reachable: true,
            read_at: Some(now),
            service_on: Some(self.running),
            power: Some(self.draws()),
            hash_rate: TeraHash::new(if self.running { 100.0 } else { 0.0 }),
            power_set: self.running.then_some(self.power),
            elapsed_seconds: Some(now.since(self.started).as_secs()),
            range: None,
            feedback: self.feedback,
        }
    }

    fn obey(&mut self, command: Command, now: MonoTime, sequence: u64) {
        let means = match command {
            Command::Off => Means::Stop,
            Command::Start { .. } => Means::Start,
            Command::SetPower { .. } => Means::Percent,
        };
        if let Some(power) = command.watts() {
            self.power = power;
        }
        if matches!(command, Command::Start { .. }) {
            self.started = now;
        }
        self.running = !command.is_off();
        self.feedback = Some(Feedback { sequence, outcome: Outcome::Acknowledged, means: Some(means) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::CivilDay;

    #[test]
    fn a_discharging_day_goes_down_the_ladder_once() {
        let records = (0..8640).map(|tick| Record {
            at: UtcMillis(tick * 10_000),
            local: LocalTime {
                day: CivilDay(0),
                second_of_day: tick as u32 * 10,
                clock_synced: true,
                sun: None,
            },
            soc: Soc::new(95.0 - tick as f64 * 70.0 / 8640.0),
        });
        let mut commands = Vec::new();
        let intent = Intent { auto_control: true, ..Intent::default() };
        let outline = replay(&Policy::default(), intent, records, |_, _, decision| {
            commands.extend(decision.command.map(|command| command.percent().map(model::PowerPercent::get)));
        });
        assert_eq!(commands, [Some(90), Some(80), Some(70), Some(60), Some(50), Some(40), None]);
        assert_eq!((outline.ticks, outline.ordinary_commands, outline.offs), (8640, 6, 1));
        assert_eq!(outline.violations, 0);
    }
}
