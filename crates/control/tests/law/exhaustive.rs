//! The whole state space, cell by cell: every state of charge, ceiling and latch, one confirmed sample each, held
//! against the rules as they read.

use control::{
    BatteryObservation, Decision, LastCommand, MinerObservation, Observation, Policy, Stage, Stance, State,
    StopReason,
    battery::{BatteryMemory, Sample},
    monitor::Monitor,
    step,
};
use model::{
    CivilDay, Command, Intent, LocalTime, MonoTime, PowerIntent, PowerPercent, Reason, Rule, Soc, TeraHash,
    UtcMillis, Watts, snapshot::MinerState,
};

const NOW: MonoTime = MonoTime(100_000_000);
const TODAY: CivilDay = CivilDay(20_000);
const LADDER: [u8; 7] = [40, 50, 60, 70, 80, 90, 100];

#[derive(Debug, Clone, Copy)]
struct Cell {
    soc: f64,
    ceiling: u8,
    latched: bool,
    unconfirmed: bool,
    armed: bool,
    /// `None` while it runs, at the ceiling.
    stopped: Option<StopReason>,
    auto: bool,
    night: bool,
    person_off: bool,
}

/// What is commanded.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Asked {
    Nothing,
    Off,
    Percent(u8),
}

/// What the contract asks of a cell.
#[derive(Debug, PartialEq)]
struct Outcome {
    command: Asked,
    ceiling: u8,
    latched: bool,
    unconfirmed: bool,
    armed: bool,
}

fn decile(soc: f64) -> u8 {
    LADDER.into_iter().find(|step| soc <= f64::from(*step)).unwrap_or(100)
}

fn contract(cell: Cell) -> Outcome {
    let running = cell.stopped.is_none();
    let full = cell.armed && cell.soc >= 100.0;
    let mut outcome = Outcome {
        command: Asked::Nothing,
        ceiling: if full { 100 } else { cell.ceiling },
        // The sample after an emergency decides.
        latched: !full && (cell.latched || cell.unconfirmed && cell.soc <= 35.0),
        unconfirmed: false,
        armed: !full && (cell.armed || cell.soc < 98.0),
    };
    let off = if running { Asked::Off } else { Asked::Nothing };
    let allowed = outcome.ceiling.min(decile(cell.soc));
    if cell.soc <= 30.0 {
        outcome.unconfirmed = !outcome.latched;
        outcome.command = off;
    } else if cell.person_off {
        outcome.command = off;
    } else if !cell.auto {
        outcome.command = Asked::Nothing;
    } else if running {
        if allowed != cell.ceiling {
            outcome.command = Asked::Percent(allowed);
        }
    } else {
        let sunset = cell.night && cell.soc > 60.0;
        let by_itself =
            matches!(cell.stopped, Some(StopReason::Emergency | StopReason::Stale)) && !outcome.latched;
        if full || sunset || by_itself {
            outcome.command = Asked::Percent(allowed);
            outcome.latched &= !sunset;
        }
    }
    if let Asked::Percent(percent) = outcome.command {
        outcome.ceiling = percent;
    }
    outcome
}

/// The cell as a state of the law: the sample before said the same, the last command is long past.
fn state(cell: Cell) -> State {
    let at = MonoTime(NOW.0 - 150_000);
    let sample = Sample { soc: Soc::new(cell.soc).unwrap(), source_time: UtcMillis(at.0), at };
    let ceiling = PowerPercent::new(cell.ceiling).unwrap();
    let holding = ceiling.of(Watts::whole(3600));
    let long_ago = MonoTime(NOW.0 - 50_000_000);
    let last = |command, stage| LastCommand {
        sequence: 7,
        command,
        rule: Rule::Ladder,
        reason: Reason::LadderDown,
        sent_at: long_ago,
        stage,
        means: None,
        again: false,
        held_before: None,
        settled: true,
    };
    State {
        last_step: Some(MonoTime(NOW.0 - 10_000)),
        battery: BatteryMemory {
            newest: Some(sample.source_time),
            good: Some(sample),
            good_in_a_row: 2,
            ..BatteryMemory::default()
        },
        ceiling,
        emergency_latched: cell.latched,
        emergency_unconfirmed: cell.unconfirmed,
        full_armed: cell.armed,
        stance: cell.stopped.map_or(Stance::Running, |by| Stance::Stopped { by, since: long_ago }),
        holding: cell.stopped.is_none().then_some(holding),
        last: match cell.stopped {
            Some(StopReason::FoundOff | StopReason::Elsewhere) => None,
            Some(_) => Some(last(Command::Off, Stage::Observed)),
            None => Some(last(Command::SetPower { percent: ceiling, watts: holding }, Stage::Observed)),
        },
        next_sequence: 8,
        ..State::new(long_ago)
    }
}

fn seen(cell: Cell) -> Observation {
    let holding = PowerPercent::new(cell.ceiling).unwrap().of(Watts::whole(3600));
    let running = cell.stopped.is_none();
    Observation {
        now: NOW,
        local: LocalTime {
            day: TODAY,
            second_of_day: if cell.night { 69_000 } else { 43_200 },
            clock_synced: true,
            sun: None,
        },
        battery: Some(BatteryObservation {
            source_time: UtcMillis(NOW.0),
            source_at: NOW,
            fetched_at: NOW,
            soc_percent: Some(cell.soc),
            lost: false,
            pv: None,
            load: None,
            power: None,
        }),
        miner: MinerObservation {
            reachable: true,
            read_at: Some(NOW),
            service_on: Some(running),
            power: Some(if running { holding } else { Watts::ZERO }),
            hash_rate: TeraHash::new(if running { 100.0 } else { 0.0 }),
            power_set: running.then_some(holding),
            ..MinerObservation::default()
        },
        intent: Intent {
            auto_control: cell.auto,
            power: if cell.person_off { PowerIntent::Off } else { PowerIntent::Undecided },
            manual: None,
        },
        share: control::Share::Whole,
    }
}

fn observed(before: &State, after: &State, decision: &Decision) -> Outcome {
    assert!(before.next_sequence == after.next_sequence || decision.command.is_some());
    Outcome {
        command: match decision.command.map(Command::percent) {
            None => Asked::Nothing,
            Some(None) => Asked::Off,
            Some(Some(percent)) => Asked::Percent(percent.get()),
        },
        ceiling: after.ceiling.get(),
        latched: after.emergency_latched,
        unconfirmed: after.emergency_unconfirmed,
        armed: after.full_armed,
    }
}

fn every_cell() -> impl Iterator<Item = Cell> {
    let stops = [
        None,
        Some(StopReason::Emergency),
        Some(StopReason::Stale),
        Some(StopReason::Person),
        Some(StopReason::FoundOff),
        Some(StopReason::Elsewhere),
        Some(StopReason::CrashLoop),
        Some(StopReason::BelowRange),
    ];
    // Every whole percent, and a tenth above it.
    let charges = (0..=100_u32).flat_map(|whole| {
        let whole = f64::from(whole);
        [whole, whole + 0.1].into_iter().filter(|soc| *soc <= 100.0)
    });
    charges.flat_map(move |soc| {
        LADDER.into_iter().flat_map(move |ceiling| {
            stops.into_iter().flat_map(move |stopped| {
                (0..64_u32).map(move |bits| {
                    let flag = |bit: u32| bits >> bit & 1 == 1;
                    Cell {
                        soc,
                        ceiling,
                        latched: flag(0),
                        unconfirmed: flag(1),
                        armed: flag(2),
                        stopped,
                        auto: flag(3),
                        night: flag(4),
                        person_off: flag(5),
                    }
                })
            })
        })
    })
}

#[test]
fn every_cell_decides_as_the_contract_says() {
    let policy = Policy::default();
    let mut monitor = Monitor::default();
    let mut cells = 0;
    for cell in every_cell() {
        let (before, seen) = (state(cell), seen(cell));
        let (after, decision) = step(&policy, before.clone(), &seen);
        assert_eq!(observed(&before, &after, &decision), contract(cell), "{cell:?}\n{decision:?}");
        let broken = monitor.check(&policy, &before, &seen, &after, &decision);
        assert!(broken.is_empty(), "{:?}: {cell:?}\n{decision:?}", broken.names().collect::<Vec<_>>());
        cells += 1;
    }
    assert_eq!(cells, 201 * 7 * 8 * 64);
}

#[test]
fn without_a_fresh_sample_no_cell_starts_or_raises_anything() {
    let policy = Policy::default();
    for cell in every_cell() {
        let mut seen = seen(cell);
        seen.battery = None;
        // The last sample is as old as the stale rule allows.
        seen.now = MonoTime(NOW.0 - 150_000 + 720_000);
        seen.miner.read_at = Some(seen.now);
        let mut before = state(cell);
        before.last_step = Some(MonoTime(seen.now.0 - 10_000));
        let (after, decision) = step(&policy, before, &seen);
        assert!(decision.command.is_none_or(Command::is_off), "{cell:?}");
        let stops = cell.auto || cell.person_off || cell.unconfirmed;
        let off = decision.command == Some(Command::Off) || decision.doing == MinerState::Off;
        assert_eq!(off, stops || cell.stopped.is_some(), "{cell:?}\n{decision:?}");
        assert_eq!((after.ceiling.get(), after.emergency_latched), (cell.ceiling, cell.latched));
    }
}
