//! The rules, highest first, and the step that asks them.

mod share;

use crate::{
    actuation::{self, Findings, same_power},
    alerts::{self, AlertSet},
    battery::{Freshness, Verdict},
    fleet::{Claim, Share},
    gate::{self, Direction},
    ladder::decile,
    observation::{Observation, PowerRange},
    policy::{EMERGENCY_MARGIN, FULL_REARM_POINTS, Policy},
    state::{Contest, LastCommand, Ordinary, Stage, Stance, State, StopReason},
};
use model::{
    Blocked, BlockedBy, CivilDay, Command, LocalTime, Manual, ManualTarget, MonoTime, PowerIntent,
    PowerPercent, Reason, Rule, Soc, SunTimes, Wanted, Watts, snapshot::MinerState,
};

/// What the law decided at one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// The rule that decided.
    pub rule: Rule,
    /// Why, for machines.
    pub reason: Reason,
    /// What is wanted, whether or not it may be commanded now.
    pub wanted: Wanted,
    /// What to send now. It is already in the state as [`State::last`].
    pub command: Option<Command>,
    /// What stands in the way.
    pub blocked: Option<Blocked>,
    /// What the miner is doing.
    pub doing: MinerState,
    /// The verdict on the battery's data.
    pub battery: Verdict,
    /// What a person should know.
    pub alerts: AlertSet,
    /// What the miner brings in and draws, told where there are several ([`Share::Asked`]).
    pub claim: Option<Claim>,
}

/// What a rule wants, before the gate.
#[derive(Debug, Clone, Copy)]
struct Want {
    rule: Rule,
    reason: Reason,
    act: Act,
    claim: Option<Claim>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    /// Leave it. `blocked` says what a wanted change waits for.
    Hold { wanted: Wanted, blocked: Option<BlockedBy> },
    /// Off; `insist` even if the miner's state isn't known.
    Off { insist: bool, waits_for: Option<BlockedBy> },
    /// Start at this power.
    Start { percent: PowerPercent, watts: Watts },
    /// Change a running miner to this power.
    Set { percent: PowerPercent, watts: Watts, direction: Direction },
}

impl Want {
    const fn new(rule: Rule, reason: Reason, act: Act) -> Self {
        Self { rule, reason, act, claim: None }
    }

    const fn hold(rule: Rule, reason: Reason) -> Self {
        Self::new(rule, reason, Act::Hold { wanted: Wanted::Hold, blocked: None })
    }

    const fn off(rule: Rule, reason: Reason) -> Self {
        Self::new(rule, reason, Act::Off { insist: true, waits_for: None })
    }

    const fn stay_off(rule: Rule, reason: Reason, waits_for: BlockedBy) -> Self {
        Self::new(rule, reason, Act::Off { insist: false, waits_for: Some(waits_for) })
    }
}

/// Everything a rule may look at.
struct Scene<'a> {
    policy: &'a Policy,
    seen: &'a Observation,
    now: MonoTime,
    battery: Verdict,
    doing: MinerState,
    findings: Findings,
}

/// One tick of the law.
///
/// Pure, total and deterministic. Time that runs backwards counts as standing still. The command in the decision is
/// already written into the returned state as under way: the caller keeps the state, then sends.
pub fn step(policy: &Policy, mut state: State, seen: &Observation) -> (State, Decision) {
    let now = state.last_step.map_or(seen.now, |last| seen.now.max(last));
    if state.last_step.is_none_or(|last| now.since(last) > policy.stale_off()) {
        state.watching_since = now;
    }
    state.last_step = Some(now);
    state.intent = seen.intent;
    let battery = state.battery.judge(policy, now, state.watching_since, seen.battery.as_ref());
    let (doing, findings) = actuation::follow(policy, &mut state, now, &seen.miner);
    let scene = Scene { policy, seen, now, battery, doing, findings };
    latches_follow(&scene, &mut state);
    let want = ask_rules(&scene, &mut state);
    let decision = act(&scene, &mut state, want);
    (state, decision)
}

/// The latches follow the battery, whoever is in control of the miner.
fn latches_follow(scene: &Scene<'_>, state: &mut State) {
    let emergency = scene.policy.emergency_soc();
    if let Some(soc) = scene.battery.arrived {
        if state.emergency_unconfirmed {
            state.emergency_unconfirmed = false;
            state.emergency_latched |= soc.get() <= emergency + EMERGENCY_MARGIN;
        }
        let full = scene.policy.full_soc();
        let before = state.battery.confirming(scene.now, scene.policy.stale_off());
        let confirmed = soc.get() >= full && before.is_some_and(|before| before.get() >= full);
        if confirmed && state.full_armed {
            state.full_armed = false;
            state.ceiling = PowerPercent::FULL;
            state.emergency_latched = false;
            let may_start = state.intent.auto_control && state.intent.power != PowerIntent::Off;
            if may_start && matches!(state.stance, Stance::Stopped { .. }) {
                state.stance = Stance::Starting { because: Reason::BatteryFull };
            }
        } else if soc.get() < full - FULL_REARM_POINTS {
            state.full_armed = true;
        }
    }
    if scene.battery.lowest_reading.is_some_and(|soc| soc <= emergency) && !state.emergency_latched {
        state.emergency_unconfirmed = true;
    }
}

fn ask_rules(scene: &Scene<'_>, state: &mut State) -> Want {
    let auto = state.intent.auto_control;
    let in_emergency = scene.battery.lowest_reading.is_some_and(|soc| soc <= scene.policy.emergency_soc());
    if in_emergency || state.emergency_unconfirmed {
        drop_power_on(state);
        stop(state, StopReason::Emergency, scene.now);
        let reason = if in_emergency { Reason::EmergencySoc } else { Reason::EmergencyUnconfirmed };
        return Want::off(Rule::Emergency, reason);
    }
    let stale = scene.battery.freshness == Freshness::Stale;
    if stale {
        drop_power_on(state);
        if auto || scene.policy.stale_off_without_auto {
            stop(state, StopReason::Stale, scene.now);
            return Want::off(Rule::Stale, Reason::BatteryStale);
        }
    }
    if state.intent.power == PowerIntent::Off {
        stop(state, StopReason::Person, scene.now);
        return Want::off(Rule::PersonOff, Reason::PersonOff);
    }
    if let Some(want) = power_on(scene, state) {
        return want;
    }
    let manual = state.intent.manual.filter(|manual| scene.now < manual.until);
    if scene.findings.crash_loop && (auto || manual.is_some()) {
        stop(state, StopReason::CrashLoop, scene.now);
        return Want::off(Rule::Unstable, Reason::CrashLoop);
    }
    if let (Some(manual), Stance::Running) = (manual, state.stance) {
        return hold_manual(scene, state, manual);
    }
    if !auto {
        if off_is_unverified(state) {
            let act = Act::Off { insist: false, waits_for: None };
            return Want::new(Rule::AutoOff, Reason::VerifyingOff, act);
        }
        return Want::hold(Rule::AutoOff, Reason::AutoControlOff);
    }
    match state.stance {
        Stance::Unmet => {
            let act = Act::Hold { wanted: Wanted::Hold, blocked: Some(BlockedBy::MinerUnknown) };
            Want::new(Rule::Ladder, Reason::MinerUnknown, act)
        }
        Stance::Running => run(scene, state),
        Stance::Starting { because } => start(scene, state, start_rule(because), because),
        Stance::Stopped { by, since } => stopped(scene, state, by, since),
    }
}

/// Rules 1 and 2 refuse the person's power-on; it is not kept for later.
fn drop_power_on(state: &mut State) {
    if let PowerIntent::On { request } = state.intent.power {
        state.honoured_request = state.honoured_request.max(request);
    }
}

/// What stopped it first is remembered: only what ends by itself is forgotten for something that weighs more. A miner
/// that was never met stays so: whether it was found off is told by the first reading.
fn stop(state: &mut State, by: StopReason, since: MonoTime) {
    let keep = state.stance == Stance::Unmet
        || matches!(state.stance, Stance::Stopped { by: before, .. } if !matches!(before, StopReason::Stale | StopReason::NoShare) && by != StopReason::Person)
        || state.stopped_by() == Some(by);
    if !keep {
        state.stance = Stance::Stopped { by, since };
    }
}

fn off_is_open(state: &State) -> bool {
    state.last.is_some_and(|last| last.command.is_off() && last.stage.is_open())
}

fn off_is_unverified(state: &State) -> bool {
    state.last.is_some_and(|last| last.command.is_off() && last.stage != Stage::Observed)
        && matches!(state.stance, Stance::Stopped { .. })
}

/// The person's own power-on, honoured once.
fn power_on(scene: &Scene<'_>, state: &mut State) -> Option<Want> {
    let PowerIntent::On { request } = state.intent.power else { return None };
    if request <= state.honoured_request {
        return None;
    }
    match (state.stance, scene.doing) {
        (Stance::Running | Stance::Starting { .. }, MinerState::Running) => {
            state.honoured_request = request;
            give_another_chance(state);
            None
        }
        (Stance::Stopped { .. } | Stance::Unmet, MinerState::Running) if !off_is_open(state) => {
            // It already runs: somebody was quicker.
            state.honoured_request = request;
            give_another_chance(state);
            take_as_running(scene, state);
            None
        }
        _ => {
            give_another_chance(state);
            Some(start(scene, state, Rule::Stopped, Reason::PersonStart))
        }
    }
}

/// A person who asks again has seen the alarm: nothing that went wrong before keeps the miner down.
fn give_another_chance(state: &mut State) {
    state.failures = 0;
    state.contest = Contest::default();
}

fn take_as_running(scene: &Scene<'_>, state: &mut State) {
    state.stance = Stance::Running;
    state.holding = scene.seen.miner.power_set;
}

/// A start; or, if the miner runs although it was stopped and no off is on its way, the ladder from where it is.
fn start_or_take(scene: &Scene<'_>, state: &mut State, rule: Rule, reason: Reason) -> Want {
    if scene.doing == MinerState::Running && !off_is_open(state) {
        take_as_running(scene, state);
        return run(scene, state);
    }
    start(scene, state, rule, reason)
}

fn start_rule(because: Reason) -> Rule {
    match because {
        Reason::BatteryFull => Rule::Full,
        Reason::SunsetStart => Rule::Sunset,
        Reason::PersonStart | Reason::ResumeSoc => Rule::Stopped,
        _ => Rule::Ladder,
    }
}

/// A start at min(ceiling, decile(SOC)), and never above a manual power that holds.
fn start(scene: &Scene<'_>, state: &mut State, rule: Rule, reason: Reason) -> Want {
    let Some(soc) = scene.battery.soc else {
        return Want::stay_off(rule, Reason::WaitingForBattery, BlockedBy::BatteryData);
    };
    let (mut percent, mut watts) = match scene.seen.share {
        Share::Whole => {
            let percent = state.ceiling.min(decile(soc));
            let Some(watts) = clamp(scene, percent.of(scene.policy.base_watts)) else {
                return Want::stay_off(rule, Reason::BelowRange, BlockedBy::StartCondition);
            };
            (percent, watts)
        }
        Share::Asked => return share::asked_to_start(scene, state, soc, rule, reason),
        Share::Dealt { power, may_start } => {
            share::follow_down(scene, state, soc);
            let Some(watts) = power.and_then(|power| clamp(scene, power)) else {
                return share::nothing_to_start_with(scene, state, rule, reason);
            };
            if !may_start {
                return Want::stay_off(rule, reason, BlockedBy::Turn);
            }
            (share_of(scene.policy, watts), watts)
        }
    };
    if let Some(manual) = state.intent.manual.filter(|manual| scene.now < manual.until)
        && let Some(asked) = clamp(scene, manual.target.watts(scene.policy.base_watts))
        && asked < watts
    {
        (percent, watts) = (share_of(scene.policy, asked), asked);
    }
    Want::new(rule, reason, Act::Start { percent, watts })
}

/// The power inside the miner's range; `None` if the miner can't hold so little.
fn clamp(scene: &Scene<'_>, watts: Watts) -> Option<Watts> {
    match scene.seen.miner.range {
        Some(PowerRange { min, max }) if min <= max => {
            if watts < min {
                None
            } else {
                Some(if watts > max { max } else { watts })
            }
        }
        _ => Some(watts),
    }
    .filter(|watts| watts.round_to_whole() > 0)
}

fn share_of(policy: &Policy, watts: Watts) -> PowerPercent {
    let percent = (watts.get() / policy.base_watts.get() * 100.0).round().clamp(1.0, 100.0);
    PowerPercent::new(percent as u8).unwrap_or(PowerPercent::FULL)
}

/// Rule 4: the person's power, as long as it lasts.
fn hold_manual(scene: &Scene<'_>, state: &mut State, manual: Manual) -> Want {
    let asked = manual.target.watts(scene.policy.base_watts);
    let (rule, reason) = (Rule::Manual, Reason::ManualPower);
    let Some(watts) = clamp(scene, asked) else {
        let act = Act::Hold { wanted: Wanted::Hold, blocked: Some(BlockedBy::StartCondition) };
        return Want::new(rule, Reason::BelowRange, act);
    };
    let percent = match manual.target {
        ManualTarget::Percent(percent) if watts == asked => percent,
        _ => share_of(scene.policy, watts),
    };
    change(scene, state, rule, reason, percent, watts)
}

/// A running miner to a power, if it isn't there already.
fn change(
    scene: &Scene<'_>,
    state: &mut State,
    rule: Rule,
    reason: Reason,
    percent: PowerPercent,
    watts: Watts,
) -> Want {
    let set = scene.seen.miner.power_set.filter(|set| same_power(scene.policy, *set, watts));
    if state.holding.is_none_or(|holding| holding < watts) && set.is_some() {
        // Somebody was quicker: sending it again would only restart the miner.
        state.holding = set;
    }
    let held = state.holding.or(scene.seen.miner.power);
    let act = match held {
        Some(held) if same_power(scene.policy, held, watts) => {
            Act::Hold { wanted: Wanted::Run(percent), blocked: None }
        }
        Some(held) if watts < held => Act::Set { percent, watts, direction: Direction::Down },
        Some(_) => Act::Set { percent, watts, direction: Direction::Up },
        None => Act::Hold { wanted: Wanted::Run(percent), blocked: Some(BlockedBy::MinerUnknown) },
    };
    Want::new(rule, reason, act)
}

/// A running miner: the ladder where it is the only one, else its share of what all may draw.
fn run(scene: &Scene<'_>, state: &mut State) -> Want {
    match scene.seen.share {
        Share::Whole => ladder(scene, state),
        Share::Asked => share::asked(scene, state),
        Share::Dealt { power, .. } => share::hold(scene, state, power),
    }
}

/// Rule 9 (and the running half of rule 6): at min(ceiling, decile(SOC)), down only with two samples that agree.
fn ladder(scene: &Scene<'_>, state: &mut State) -> Want {
    let base = scene.policy.base_watts;
    let Some(soc) = scene.battery.soc else {
        let act = Act::Hold { wanted: Wanted::Hold, blocked: Some(BlockedBy::BatteryData) };
        return Want::new(Rule::Stale, Reason::WaitingForBattery, act);
    };
    let newest = state.ceiling.min(decile(soc));
    let before = state
        .battery
        .confirming(scene.now, scene.policy.stale_off())
        .map(|before| state.ceiling.min(decile(before)));
    let Some(held) = state.holding.or(scene.seen.miner.power) else {
        let act = Act::Hold { wanted: Wanted::Run(newest), blocked: Some(BlockedBy::MinerUnknown) };
        return Want::new(Rule::Ladder, Reason::MinerUnknown, act);
    };
    let unlike = |percent: PowerPercent| !same_power(scene.policy, held, percent.of(base));
    let below = |percent: PowerPercent| percent.of(base) < held && unlike(percent);
    let above = |percent: PowerPercent| percent.of(base) > held && unlike(percent);
    // The least reduction that both samples ask for. With one sample alone only the ceiling is certain.
    let confirmed_down = before.map_or(state.ceiling, |before| before.max(newest));
    if below(confirmed_down) {
        let reason = if scene.findings.draws_too_much { Reason::DrawsTooMuch } else { Reason::LadderDown };
        let Some(watts) = clamp(scene, confirmed_down.of(base)) else {
            stop(state, StopReason::BelowRange, scene.now);
            return Want::off(Rule::Ladder, Reason::BelowRange);
        };
        return change(scene, state, Rule::Ladder, reason, confirmed_down, watts);
    }
    if below(newest) {
        let act = Act::Hold { wanted: Wanted::Run(newest), blocked: Some(BlockedBy::SecondSample) };
        return Want::new(Rule::Ladder, Reason::LadderHold, act);
    }
    let confirmed_up = before.map(|before| before.min(newest)).filter(|percent| above(*percent));
    if let (Some(percent), Some(watts)) =
        (confirmed_up, confirmed_up.and_then(|percent| clamp(scene, percent.of(base))))
    {
        let full = soc.get() >= scene.policy.full_soc();
        let (rule, reason) =
            if full { (Rule::Full, Reason::BatteryFull) } else { (Rule::Ladder, Reason::LadderUp) };
        return change(scene, state, rule, reason, percent, watts);
    }
    let blocked = above(newest).then_some(BlockedBy::SecondSample);
    let act = Act::Hold { wanted: Wanted::Run(newest), blocked };
    Want::new(Rule::Ladder, Reason::LadderHold, act)
}

/// Rule 8, with rule 7 inside it: what may start a stopped miner.
fn stopped(scene: &Scene<'_>, state: &mut State, by: StopReason, since: MonoTime) -> Want {
    let returns_by_itself = matches!(by, StopReason::Emergency | StopReason::Stale | StopReason::NoShare)
        && !state.emergency_latched;
    if returns_by_itself && state.battery.recovering {
        return Want::stay_off(Rule::Stale, Reason::BatteryRecovering, BlockedBy::SecondSample);
    }
    if sunset_start_due(scene, state).is_some() {
        return start(scene, state, Rule::Sunset, Reason::SunsetStart);
    }
    if returns_by_itself {
        return start_or_take(scene, state, Rule::Ladder, Reason::Recovered);
    }
    let soc = scene.battery.soc.map_or(0.0, Soc::get);
    if scene.policy.resume_soc.is_some_and(|resume| resume >= 50.0 && soc >= resume) {
        if scene.now.since(since) >= scene.policy.min_off {
            return start_or_take(scene, state, Rule::Stopped, Reason::ResumeSoc);
        }
        return Want::stay_off(Rule::Stopped, stopped_reason(scene, state, by), BlockedBy::MinimumOffTime);
    }
    Want::stay_off(Rule::Stopped, stopped_reason(scene, state, by), BlockedBy::StartCondition)
}

fn stopped_reason(scene: &Scene<'_>, state: &State, by: StopReason) -> Reason {
    if scene.doing == MinerState::Running && !off_is_unverified(state) {
        return Reason::SwitchedOnElsewhere;
    }
    if state.emergency_latched {
        return Reason::EmergencyLatched;
    }
    match by {
        StopReason::Emergency => Reason::EmergencyLatched,
        StopReason::Stale => Reason::BatteryRecovering,
        StopReason::Person => Reason::PersonOff,
        StopReason::FoundOff => Reason::FoundOff,
        StopReason::Elsewhere => Reason::SwitchedOffElsewhere,
        StopReason::CrashLoop => Reason::CrashLoop,
        StopReason::BelowRange => Reason::BelowRange,
        StopReason::NoShare => Reason::NoShare,
    }
}

/// Rule 7: the evening this start would belong to, if it may happen now.
fn sunset_start_due(scene: &Scene<'_>, state: &State) -> Option<CivilDay> {
    let evening = night(scene.policy, &scene.seen.local)?;
    let enough = scene.battery.soc.is_some_and(|soc| soc.get() > scene.policy.sunset_soc.max(60.0));
    let due = enough
        && scene.seen.local.clock_synced
        && scene.doing == MinerState::Off
        && state.last_sunset_start != Some(evening);
    due.then_some(evening)
}

/// The evening whose night it is, or `None` by day. The window runs from sunset over midnight to the next sunrise.
pub fn night(policy: &Policy, local: &LocalTime) -> Option<CivilDay> {
    let (sunrise, sunset) = match local.sun {
        Some(SunTimes::RisesAndSets { sunrise, sunset }) => (sunrise, sunset),
        Some(SunTimes::NoSunset) => return None,
        None => (policy.sunrise, policy.sunset),
    };
    let second = local.second_of_day;
    let yesterday = CivilDay(local.day.0.saturating_sub(1));
    if sunset < sunrise {
        // Near the polar circles the sun can set after midnight.
        return (sunset..sunrise).contains(&second).then_some(yesterday);
    }
    if second >= sunset {
        Some(local.day)
    } else if second < sunrise {
        Some(yesterday)
    } else {
        None
    }
}

fn act(scene: &Scene<'_>, state: &mut State, want: Want) -> Decision {
    let Scene { policy, now, battery, doing, .. } = scene;
    let (wanted, blocked, command) = match want.act {
        Act::Hold { wanted, blocked } => {
            // It should run and was just read as off: the next reading tells whether that is true.
            let surprised = matches!(wanted, Wanted::Run(_)) && *doing == MinerState::Off;
            let blocked = blocked.or(surprised.then_some(BlockedBy::MinerUnknown));
            (wanted, blocked.map(|by| Blocked { by, until: None }), None)
        }
        Act::Off { insist, waits_for } => match gate::off(policy, state, *now, *doing, insist) {
            Ok(true) => (Wanted::Off, None, Some(Command::Off)),
            Ok(false) => (
                Wanted::Off,
                waits_for.map(|by| Blocked { by, until: waiting_until(scene, state, by) }),
                None,
            ),
            Err(blocked) => (Wanted::Off, Some(blocked), None),
        },
        Act::Start { percent, watts } => {
            let blocked = gate::ordinary(policy, state, *now, battery, *doing, Direction::Start);
            (Wanted::Run(percent), blocked, blocked.is_none().then_some(Command::Start { percent, watts }))
        }
        Act::Set { percent, watts, direction } => {
            let blocked = gate::ordinary(policy, state, *now, battery, *doing, direction);
            (Wanted::Run(percent), blocked, blocked.is_none().then_some(Command::SetPower { percent, watts }))
        }
    };
    if let Some(command) = command {
        hand_over(scene, state, want, command);
    }
    let alerts = alerts::raised(&scene.battery, scene.findings, state, scene.now, blocked);
    Decision {
        rule: want.rule,
        reason: want.reason,
        wanted,
        command,
        blocked,
        doing: *doing,
        battery: *battery,
        alerts,
        claim: want.claim,
    }
}

fn waiting_until(scene: &Scene<'_>, state: &State, by: BlockedBy) -> Option<MonoTime> {
    match (by, state.stance) {
        (BlockedBy::MinimumOffTime, Stance::Stopped { since, .. }) => Some(since + scene.policy.min_off),
        (BlockedBy::Contested, _) => state.contested_until(scene.now),
        _ => None,
    }
}

/// Writes a command into the state: from here on it counts as sent.
fn hand_over(scene: &Scene<'_>, state: &mut State, want: Want, command: Command) {
    let sequence = state.next_sequence;
    state.next_sequence = sequence.saturating_add(1);
    // Firmware that doesn't tell what it is set to holds what it draws, as far as anybody knows.
    let drawn = scene.seen.miner.power.filter(|_| scene.doing == MinerState::Running);
    let held = state.holding.or(drawn);
    let again = command.is_off()
        && state.last.is_some_and(|last| last.command.is_off() && last.stage == Stage::Failed);
    state.last = Some(LastCommand {
        sequence,
        command,
        rule: want.rule,
        reason: want.reason,
        sent_at: scene.now,
        stage: Stage::UnderWay,
        means: None,
        again,
        held_before: held,
        settled: false,
    });
    let Some(watts) = command.watts() else { return };
    let lowers = held.is_none_or(|held| watts < held);
    state.holding = Some(watts);
    state.restarts.seen = Default::default();
    state.last_ordinary = Some(Ordinary { sent_at: scene.now, means: None });
    gate::note_ordinary(state, scene.now);
    let on_the_ladder = scene.battery.soc.map(|soc| state.ceiling.min(decile(soc)));
    if let (Command::Start { .. }, Some(allowed)) = (command, on_the_ladder) {
        state.stance = Stance::Starting { because: want.reason };
        state.ceiling = state.ceiling.min(allowed);
    }
    match want.reason {
        Reason::PersonStart => drop_power_on(state),
        Reason::SunsetStart => {
            state.emergency_latched = false;
            // A start that failed may be sent again by day: it is still the start of its night.
            state.last_sunset_start = night(scene.policy, &scene.seen.local).or(state.last_sunset_start);
        }
        _ => {}
    }
    // Of several miners the ceiling follows what all may draw, not what this one is dealt.
    let alone = scene.seen.share == Share::Whole;
    if let (Command::SetPower { percent, .. }, true) = (command, lowers && want.rule != Rule::Manual && alone)
    {
        state.ceiling = state.ceiling.min(percent);
    }
}
