//! Measures the law and prints what it measured as one line of JSON; `cargo xtask bench` holds it against the budgets.
//!
//! The day it lives is made like a recorded one: a battery that empties overnight and fills by noon, clouds, a portal
//! that uploads every four minutes, the control loop's tick of ten seconds, and a miner that does what it is told.

use control::{
    BatteryObservation, Feedback, MinerObservation, Observation, Outcome, Policy, State,
    replay::{Record, replay},
    step,
};
use model::{CivilDay, Command, Intent, LocalTime, MonoTime, Soc, TeraHash, UtcMillis, Watts};
use std::{
    hint::black_box,
    io::{self, Write},
    time::Instant,
};

const TICK_SECONDS: i64 = 10;
const TICKS_A_DAY: i64 = 86_400 / TICK_SECONDS;
const TICKS_A_YEAR: i64 = 365 * TICKS_A_DAY;
const UPLOAD_SECONDS: i64 = 240;
/// Whole days in a batch: more than a million steps.
const DAYS_A_BATCH: i64 = 120;
const BATCHES: usize = 5;

fn main() -> io::Result<()> {
    let policy = Policy::default();
    let day = observations(&policy);
    let mut step_nanoseconds: Vec<f64> = (0..BATCHES).map(|_| time_steps(&policy, &day)).collect();
    step_nanoseconds.sort_by(f64::total_cmp);
    let report = serde_json::json!({
        "step_nanoseconds": step_nanoseconds.get(BATCHES / 2),
        "steps": DAYS_A_BATCH * TICKS_A_DAY,
        "replay_seconds": time_replay(&policy),
        "replayed": TICKS_A_YEAR,
    });
    writeln!(io::stdout(), "{report}")
}

/// Mean time of a step over one batch, in nanoseconds.
fn time_steps(policy: &Policy, day: &[Observation]) -> f64 {
    let begun = Instant::now();
    for _ in 0..DAYS_A_BATCH {
        let mut state = State::new(MonoTime(0));
        for seen in day {
            let (after, decision) = step(black_box(policy), state, black_box(seen));
            black_box(&decision);
            state = after;
        }
        black_box(&state);
    }
    begun.elapsed().as_secs_f64() * 1e9 / (DAYS_A_BATCH * TICKS_A_DAY) as f64
}

/// Time to replay a year, in seconds.
fn time_replay(policy: &Policy) -> f64 {
    let records = (0..TICKS_A_YEAR).map(|tick| {
        let at = tick * TICK_SECONDS;
        Record { at: utc(at), local: local(at), soc: Soc::new(soc_at(at)) }
    });
    let begun = Instant::now();
    let outline = replay(policy, intent(), records, |_, _, decision| {
        black_box(decision);
    });
    black_box(outline);
    begun.elapsed().as_secs_f64()
}

/// What the law sees through the day, given what it decides.
fn observations(policy: &Policy) -> Vec<Observation> {
    let mut state = State::new(MonoTime(0));
    let mut miner = Miner { power: Some(policy.base_watts), started: 0, feedback: None };
    (0..TICKS_A_DAY)
        .map(|tick| {
            let at = tick * TICK_SECONDS;
            let seen = Observation {
                now: mono(at),
                local: local(at),
                battery: Some(battery(at)),
                miner: miner.seen(at),
                intent: intent(),
                share: control::Share::Whole,
            };
            let (after, decision) = step(policy, state.clone(), &seen);
            if let (Some(command), Some(last)) = (decision.command, after.last) {
                miner.obey(command, at, last.sequence);
            }
            state = after;
            seen
        })
        .collect()
}

/// A miner that does what it is told at once; `power` is `None` while it is off.
struct Miner {
    power: Option<Watts>,
    started: i64,
    feedback: Option<Feedback>,
}

impl Miner {
    fn seen(&self, at: i64) -> MinerObservation {
        MinerObservation {
            reachable: true,
            read_at: Some(mono(at)),
            service_on: Some(self.power.is_some()),
            power: Some(self.power.unwrap_or(Watts::ZERO)),
            hash_rate: TeraHash::new(if self.power.is_some() { 120.0 } else { 0.0 }),
            power_set: self.power,
            elapsed_seconds: self.power.and_then(|_| u64::try_from(at - self.started).ok()),
            range: None,
            feedback: self.feedback,
        }
    }

    fn obey(&mut self, command: Command, at: i64, sequence: u64) {
        if matches!(command, Command::Start { .. }) {
            self.started = at;
        }
        self.power = if command.is_off() { None } else { command.watts().or(self.power) };
        self.feedback = Some(Feedback { sequence, outcome: Outcome::Acknowledged, means: None });
    }
}

/// The latest upload at this time.
fn battery(at: i64) -> BatteryObservation {
    let uploaded = at - at % UPLOAD_SECONDS;
    BatteryObservation {
        source_time: utc(uploaded),
        source_at: mono(uploaded),
        fetched_at: mono(at),
        soc_percent: Some(soc_at(uploaded)),
        lost: false,
        pv: None,
        load: None,
        power: None,
    }
}

/// State of charge in percent, whole points as a portal tells it: 25 at dawn, full in the afternoon, with the ripple of
/// passing clouds.
fn soc_at(second: i64) -> f64 {
    let turn = (second % 86_400) as f64 / 86_400.0 * std::f64::consts::TAU;
    let clouds = 3.0 * (turn * 17.0).sin();
    (63.0 - 42.0 * (turn - 1.0).cos() + clouds).clamp(0.0, 100.0).round()
}

fn mono(second: i64) -> MonoTime {
    MonoTime(second * 1000)
}

fn utc(second: i64) -> UtcMillis {
    UtcMillis(second * 1000)
}

fn local(second: i64) -> LocalTime {
    LocalTime {
        day: CivilDay((second / 86_400) as i32),
        second_of_day: (second % 86_400) as u32,
        clock_synced: true,
        sun: None,
    }
}

fn intent() -> Intent {
    Intent { auto_control: true, ..Intent::default() }
}
