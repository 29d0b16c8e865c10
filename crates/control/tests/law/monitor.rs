//! The monitor notices: every invariant, broken by hand in an otherwise true step.

use crate::world::{
    events::{Day, Event},
    run::{NOON, Run},
};
use control::{
    Decision, LastCommand, Observation, Policy, PowerRange, Stage, Stance, State, StopReason,
    monitor::Monitor, state::Ordinary, step,
};
use model::{
    Blocked, BlockedBy, CivilDay, Command, MonoTime, PowerIntent, PowerPercent, Reason, Rule, TeraHash,
    UtcMillis, Wanted, Watts, snapshot::MinerState,
};

/// One step of the law, to be falsified.
#[derive(Clone)]
struct Step {
    policy: Policy,
    before: State,
    seen: Observation,
    after: State,
    decision: Decision,
}

impl Step {
    /// A true step at 55 %, without a command.
    fn at_noon(mining: Option<u8>) -> Self {
        let policy = Policy::default();
        let mut run = Run::new(policy.clone(), &Day::quiet(55.0, mining, NOON));
        run.sample(55.0);
        run.sample(55.0);
        let before = run.state.clone();
        run.house.happens(Event::Quiet);
        let mut seen = run.house.observe();
        seen.now = MonoTime(seen.now.0 + 10_000);
        seen.miner.read_at = Some(seen.now);
        let (after, decision) = step(&policy, before.clone(), &seen);
        Self { policy, before, seen, after, decision }
    }

    fn broken(&self) -> Vec<&'static str> {
        let mut monitor = Monitor::default();
        let broken = monitor.check(&self.policy, &self.before, &self.seen, &self.after, &self.decision);
        let counted: Vec<_> =
            monitor.counts().filter(|(_, count)| *count == 1).map(|(name, _)| name).collect();
        assert_eq!(counted, broken.names().collect::<Vec<_>>(), "what is named is counted");
        assert_eq!(broken.is_empty(), counted.is_empty());
        counted
    }

    /// As if `command` had been sent.
    fn sends(mut self, command: Command, rule: Rule, reason: Reason) -> Self {
        let now = self.seen.now;
        self.decision = Decision {
            command: Some(command),
            rule,
            reason,
            wanted: command.percent().map_or(Wanted::Off, Wanted::Run),
            blocked: None,
            ..self.decision
        };
        self.after.last = Some(LastCommand {
            sequence: self.before.next_sequence,
            command,
            rule,
            reason,
            sent_at: now,
            stage: Stage::UnderWay,
            means: None,
            again: false,
            held_before: self.before.holding,
            settled: false,
        });
        self
    }
}

fn power(percent: u8) -> Command {
    let percent = PowerPercent::new(percent).unwrap();
    Command::SetPower { percent, watts: percent.of(Watts::whole(3600)) }
}

fn start(percent: u8) -> Command {
    let percent = PowerPercent::new(percent).unwrap();
    Command::Start { percent, watts: percent.of(Watts::whole(3600)) }
}

#[test]
fn a_true_step_breaks_nothing() {
    for mining in [None, Some(60), Some(40)] {
        assert_eq!(Step::at_noon(mining).broken(), [] as [&str; 0]);
    }
    let mut down = Step::at_noon(Some(60));
    down.before.battery.before = down.before.battery.good;
    let down = down.sends(power(50), Rule::Ladder, Reason::LadderDown);
    assert_eq!(down.broken(), [] as [&str; 0]);
}

#[test]
fn i1_an_emergency_that_is_let_pass() {
    let mut step = Step::at_noon(Some(60));
    step.seen.battery.as_mut().unwrap().soc_percent = Some(30.0);
    assert_eq!(step.broken(), ["I1"]);
    step.policy.emergency_soc = f64::NAN;
    assert_eq!(step.broken(), ["I1", "I9"], "and no setting may do that");
}

#[test]
fn i1_an_off_that_counts_on_a_start_not_having_arrived() {
    let mut step = Step::at_noon(None).sends(start(60), Rule::Stopped, Reason::PersonStart);
    step.decision.command = None;
    step.decision.wanted = Wanted::Off;
    step.seen.battery.as_mut().unwrap().soc_percent = Some(20.0);
    assert_eq!(step.broken(), ["I1"]);
}

#[test]
fn i2_a_ceiling_that_rises_by_itself() {
    let mut step = Step::at_noon(Some(60));
    step.after.ceiling = PowerPercent::new(70).unwrap();
    assert_eq!(step.broken(), ["I2"]);
}

#[test]
fn i3_a_raise_on_old_data_and_a_sample_that_is_none() {
    let mut raise = Step::at_noon(Some(60));
    let old = raise.after.battery.good.as_mut().unwrap();
    old.at = MonoTime(raise.seen.now.0 - 720_000);
    raise.before.battery.good = raise.after.battery.good;
    raise.after.ceiling = PowerPercent::FULL;
    raise.before.ceiling = PowerPercent::FULL;
    let raise = raise.sends(power(70), Rule::Ladder, Reason::LadderUp);
    assert_eq!(raise.broken(), ["I3"]);

    let mut more_than_told = Step::at_noon(Some(60));
    more_than_told.before.ceiling = PowerPercent::FULL;
    more_than_told.after.ceiling = PowerPercent::FULL;
    let more_than_told = more_than_told.sends(power(100), Rule::Ladder, Reason::LadderUp);
    assert_eq!(more_than_told.broken(), ["I3"]);

    let mut jump = Step::at_noon(Some(60));
    let now = jump.seen.now;
    let reading = jump.seen.battery.as_mut().unwrap();
    (reading.source_time, reading.source_at) = (UtcMillis(reading.source_time.0 + 1000), now);
    let good = jump.after.battery.good.as_mut().unwrap();
    (good.soc, good.source_time, good.at) = (model::Soc::new(90.0).unwrap(), reading.source_time, now);
    assert_eq!(jump.broken(), ["I3"]);
}

#[test]
fn i3_stale_data_that_is_let_pass() {
    let mut step = Step::at_noon(Some(60));
    let stale = MonoTime(step.seen.now.0 - 720_000);
    step.after.watching_since = stale;
    step.after.battery.good.as_mut().unwrap().at = stale;
    step.before.battery.good = step.after.battery.good;
    assert_eq!(step.broken(), ["I3"]);
    step.seen.intent.auto_control = false;
    assert_eq!(step.broken(), [] as [&str; 0], "rule 5");
}

#[test]
fn i4_a_command_within_the_interval() {
    let mut step = Step::at_noon(Some(60)).sends(power(50), Rule::Ladder, Reason::LadderDown);
    step.before.last_ordinary = Some(Ordinary { sent_at: MonoTime(step.seen.now.0 - 119_000), means: None });
    step.after.settle_restart = Some(std::time::Duration::from_secs(60));
    assert_eq!(step.broken(), ["I4"]);
    step.before.last_ordinary = Some(Ordinary { sent_at: MonoTime(step.seen.now.0 - 120_000), means: None });
    assert_eq!(step.broken(), [] as [&str; 0]);
    step.after.settle_restart = Some(std::time::Duration::from_secs(200));
    assert_eq!(step.broken(), ["I4"], "the measured settle time");
}

#[test]
fn i5_beside_the_ladder_and_above_the_ceiling() {
    for percent in [45, 70] {
        let step = Step::at_noon(Some(60));
        let mut step = step.sends(power(percent), Rule::Ladder, Reason::LadderUp);
        step.after.last.as_mut().unwrap().held_before = Some(Watts::whole(3600));
        assert_eq!(step.broken(), ["I5"], "{percent} %");
        step.decision.rule = Rule::Manual;
        assert_eq!(step.broken(), [] as [&str; 0], "{percent} % by the person");
    }
}

#[test]
fn i6_no_power_and_power_outside_the_range() {
    let nothing = Command::SetPower { percent: PowerPercent::new(50).unwrap(), watts: Watts::whole(0) };
    let step = Step::at_noon(Some(60)).sends(nothing, Rule::Ladder, Reason::LadderDown);
    assert_eq!(step.broken(), ["I6"]);
    for (min, max) in [(1801, 3600), (1000, 1799)] {
        let mut step = Step::at_noon(Some(60)).sends(power(50), Rule::Ladder, Reason::LadderDown);
        step.seen.miner.range = Some(PowerRange { min: Watts::whole(min), max: Watts::whole(max) });
        assert_eq!(step.broken(), ["I6"]);
    }
}

#[test]
fn i7_the_persons_off_that_is_not_done() {
    let mut step = Step::at_noon(Some(60));
    step.seen.intent.power = PowerIntent::Off;
    assert_eq!(step.broken(), ["I7"]);
}

#[test]
fn i10_a_sunset_start_by_day_unsynced_too_low_or_twice() {
    let mut night = Step::at_noon(None);
    night.seen.local.second_of_day = 69_000;
    let mut good = night.after.battery.good.unwrap();
    good.soc = model::Soc::new(61.0).unwrap();
    (night.before.battery.good, night.after.battery.good) = (Some(good), Some(good));
    night.after.last_sunset_start = Some(night.seen.local.day);
    let night = night.sends(start(70), Rule::Sunset, Reason::SunsetStart);
    assert_eq!(night.broken(), [] as [&str; 0]);

    let mut by_day = night.clone();
    by_day.seen.local.second_of_day = 43_200;
    let mut unsynced = night.clone();
    unsynced.seen.local.clock_synced = false;
    let mut twice = night.clone();
    twice.before.last_sunset_start = Some(night.seen.local.day);
    let mut low = night.clone();
    let sixty = low.after.battery.good.as_mut().unwrap();
    sixty.soc = model::Soc::new(60.0).unwrap();
    low.before.battery.good = low.after.battery.good;
    let mut low = low.sends(start(60), Rule::Sunset, Reason::SunsetStart);
    low.after.last_sunset_start = Some(night.seen.local.day);
    let mut forgotten = night.clone();
    forgotten.after.last_sunset_start = Some(CivilDay(1));
    for step in [by_day, unsynced, twice, low, forgotten] {
        assert_eq!(step.broken(), ["I10", "I18"]);
    }
}

#[test]
fn i11_silence_and_times_that_are_over() {
    let mut silent = Step::at_noon(Some(60));
    silent.decision.wanted = Wanted::Run(PowerPercent::new(50).unwrap());
    assert_eq!(silent.broken(), ["I11"]);
    let mut over = Step::at_noon(Some(60));
    over.decision.blocked = Some(Blocked { by: BlockedBy::Interval, until: Some(over.seen.now) });
    assert_eq!(over.broken(), ["I11"]);
    let mut timeless = Step::at_noon(Some(60));
    timeless.decision.blocked = Some(Blocked { by: BlockedBy::Settling, until: None });
    assert_eq!(timeless.broken(), ["I11"]);
}

#[test]
fn i12_one_command_too_many() {
    let mut step = Step::at_noon(Some(60)).sends(power(50), Rule::Ladder, Reason::LadderDown);
    step.before.ordinary_sent = vec![step.seen.now; 48];
    step.before.last_ordinary = None;
    assert_eq!(step.broken(), ["I12"]);
    step.policy.command_budget = 49;
    assert_eq!(step.broken(), [] as [&str; 0]);
}

#[test]
fn i14_shown_as_off_and_an_off_without_its_alarm() {
    let mut shown = Step::at_noon(Some(60));
    shown.decision.doing = MinerState::Off;
    shown.decision.wanted = Wanted::Hold;
    assert_eq!(shown.broken(), ["I14"]);
    shown.seen.miner.power = Some(Watts::whole(0));
    shown.seen.miner.service_on = Some(false);
    assert_eq!(shown.broken(), ["I14"], "it hashes");
    shown.seen.miner.hash_rate = TeraHash::new(0.0);
    assert_eq!(shown.broken(), [] as [&str; 0]);
    shown.seen.miner.reachable = false;
    assert_eq!(shown.broken(), ["I14"], "nobody answers");

    let mut unverified = Step::at_noon(Some(60)).sends(Command::Off, Rule::Emergency, Reason::EmergencySoc);
    let mut off = unverified.after.last.unwrap();
    (off.sent_at, off.stage) = (MonoTime(unverified.seen.now.0 - 180_000), Stage::Acknowledged);
    unverified.before.last = Some(off);
    assert_eq!(unverified.broken(), ["I14"], "it is sent again, and nobody is told");
}

#[test]
fn i15_a_safety_off_in_a_queue() {
    let mut step = Step::at_noon(Some(60));
    step.decision = Decision {
        rule: Rule::Emergency,
        reason: Reason::EmergencySoc,
        wanted: Wanted::Off,
        blocked: Some(Blocked { by: BlockedBy::CommandUnderWay, until: None }),
        ..step.decision
    };
    assert_eq!(step.broken(), ["I15"]);
}

#[test]
fn i18_a_power_for_a_miner_that_is_off() {
    let mut step = Step::at_noon(Some(60)).sends(power(50), Rule::Ladder, Reason::LadderDown);
    for (doing, broken) in [(MinerState::Running, false), (MinerState::Unknown, true)] {
        step.decision.doing = doing;
        assert_eq!(!step.broken().is_empty(), broken, "{doing:?}");
    }
}

#[test]
fn i18_a_start_that_nobody_granted() {
    for reason in
        [Reason::LadderUp, Reason::Recovered, Reason::PersonStart, Reason::ResumeSoc, Reason::BatteryFull]
    {
        let mut step = Step::at_noon(None).sends(start(60), Rule::Ladder, reason);
        assert_eq!(step.before.stopped_by(), Some(StopReason::FoundOff));
        assert_eq!(step.broken(), ["I18"], "{reason:?}");
        step.before.stance = Stance::Stopped { by: StopReason::Stale, since: MonoTime(0) };
        let granted = reason == Reason::Recovered;
        assert_eq!(step.broken().is_empty(), granted, "{reason:?}");
    }
}
