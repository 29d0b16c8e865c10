//! The law at work in the house, tick by tick.

use super::{
    events::{Day, Event},
    house::House,
};
use control::{Decision, Observation, Policy, State, monitor::Monitor, step};
use model::{Command, MonoTime, PowerPercent};

/// Seconds between two ticks.
pub(crate) const TICK: i64 = 10;
/// One tick: what went in and what came out.
pub(crate) struct Tick<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) before: &'a State,
    pub(crate) seen: &'a Observation,
    pub(crate) after: &'a State,
    pub(crate) decision: &'a Decision,
    /// The house as it really is when it is looked at.
    pub(crate) house: &'a House,
}

/// The law in the house.
pub(crate) struct Run {
    pub(crate) policy: Policy,
    pub(crate) house: House,
    pub(crate) state: State,
    monitor: Monitor,
}

impl Run {
    pub(crate) fn new(policy: Policy, day: &Day) -> Self {
        Self { policy, house: House::new(day), state: State::new(MonoTime(0)), monitor: Monitor::default() }
    }

    /// One tick. The monitor watches it.
    pub(crate) fn tick(&mut self) -> Decision {
        let (before, seen, decision) = self.step();
        let broken = self.monitor.check(&self.policy, &before, &seen, &self.state, &decision);
        assert!(broken.is_empty(), "{:?} by {decision:?}", broken.names().collect::<Vec<_>>());
        decision
    }

    fn step(&mut self) -> (State, Observation, Decision) {
        self.house.passes(TICK);
        self.decide()
    }

    fn decide(&mut self) -> (State, Observation, Decision) {
        let seen = self.house.observe();
        let before = self.state.clone();
        let (after, decision) = step(&self.policy, before.clone(), &seen);
        self.state = after;
        (before, seen, decision)
    }

    /// The miner takes what was decided.
    fn deliver(&mut self, decision: &Decision) {
        if let (Some(command), Some(last)) = (decision.command, self.state.last) {
            self.house.miner.receive(self.house.now, last.sequence, command);
        }
    }

    /// Lives for so many seconds. Returns the commands with the time of each.
    pub(crate) fn seconds(&mut self, seconds: i64) -> Vec<(i64, Command)> {
        let mut sent = Vec::new();
        for _ in 0..seconds / TICK {
            let decision = self.tick();
            sent.extend(decision.command.map(|command| (self.house.now, command)));
            self.deliver(&decision);
        }
        sent
    }

    /// The battery's next sample says `level`: lives until the one after it is due.
    pub(crate) fn sample(&mut self, level: f64) -> Vec<Command> {
        self.house.happens(Event::Level(level));
        self.seconds(self.house.source.upload).into_iter().map(|(_, command)| command).collect()
    }

    /// Lives until `done`, at most so many seconds, and returns the decision at which it was.
    pub(crate) fn until(&mut self, seconds: i64, done: impl Fn(&Decision) -> bool) -> Option<Decision> {
        for _ in 0..seconds / TICK {
            let decision = self.tick();
            self.deliver(&decision);
            if done(&decision) {
                return Some(decision);
            }
        }
        None
    }

    /// What the miner really runs at, in percent of `base_watts`; `None` if it is off.
    pub(crate) fn percent(&self) -> Option<u8> {
        let share = self.house.miner.set.get() / self.policy.base_watts.get() * 100.0;
        self.house.miner.on.then_some(share.round() as u8)
    }

    /// Sets the clock on the wall.
    pub(crate) fn clock(&mut self, hour: i64, minute: i64) {
        let today = self.house.wall.div_euclid(86_400) * 86_400;
        self.house.wall = today + hour * 3600 + minute * 60;
    }
}

/// Lives through `ticks` of a day and shows each to `each`.
pub(crate) fn live<E>(
    policy: &Policy,
    day: &Day,
    ticks: usize,
    mut each: impl FnMut(&Tick<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut run = Run::new(policy.clone(), day);
    let mut events = day.events.iter();
    let mut next = events.next();
    let mut waited = 0;
    for _ in 0..ticks {
        run.house.passes(TICK);
        waited += 1;
        while let Some((_, event)) = next.filter(|(after, _)| waited >= *after) {
            run.house.happens(*event);
            waited = 0;
            next = events.next();
        }
        let (before, seen, decision) = run.decide();
        each(&Tick {
            policy,
            before: &before,
            seen: &seen,
            after: &run.state,
            decision: &decision,
            house: &run.house,
        })?;
        run.deliver(&decision);
    }
    Ok(())
}

/// Seconds of the day.
pub(crate) const NOON: u32 = 12 * 3600;

/// The law with its defaults, at noon, under auto-control.
pub(crate) fn house(level: f64, mining: Option<u8>) -> Run {
    Run::new(Policy::default(), &Day::quiet(level, mining, NOON))
}

/// A house whose battery fell to the emergency: the miner is off and latched, the ceiling is 40 %.
pub(crate) fn latched(policy: Policy) -> Run {
    let mut run = Run::new(policy, &Day::quiet(50.0, Some(60), NOON));
    for level in [50.0, 50.0, 38.0, 38.0, 38.0, 30.0, 30.0, 31.0] {
        run.sample(level);
    }
    assert_eq!((run.percent(), run.state.emergency_latched), (None, true));
    assert_eq!(run.state.ceiling.get(), 40);
    run
}

/// The percent of each command; `None` is off.
pub(crate) fn percents(commands: &[Command]) -> Vec<Option<u8>> {
    commands.iter().map(|command| command.percent().map(PowerPercent::get)).collect()
}
