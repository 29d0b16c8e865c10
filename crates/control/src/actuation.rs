//! What the miner does, and what became of the last command. A reply is not an effect: a command is done when the
//! miner's own readings show it.

use crate::{
    ladder::nearest_rung,
    observation::{MinerObservation, Outcome},
    policy::{CRASH_LOOP_WINDOW, OFF_SHARE, OFF_WATTS, Policy},
    state::{LastCommand, Stage, Stance, State, StopReason},
};
use model::{Command, Means, MonoTime, Reason, Watts, snapshot::MinerState};
use std::time::Duration;

/// A start or a raise must show within this time; a reduction within the settle time.
const UPWARD_EFFECT: Duration = Duration::from_secs(600);
/// A power within this share of what was commanded has arrived there.
const ARRIVED: f64 = 0.05;
/// A power this share and these watts above what was commanded isn't what was commanded: half a step of the ladder.
const TOO_MUCH: f64 = 0.05;
/// See [`TOO_MUCH`]; measuring noise at low powers is no offence.
const TOO_MUCH_WATTS: f64 = 50.0;
/// While the miner itself says that it is set to what was commanded, percentages are only this exact.
const TOO_MUCH_THOUGH_SET: f64 = 0.10;
/// Two powers nearer than this share of `base_watts` are the same: sending it again would only restart the miner.
const SAME_POWER: f64 = 0.03;
/// A miner that says it is set to less than this share of what it was told was told so by someone else. What is nearer
/// is its own cap ("not higher than ordinary power").
const LOWERED: f64 = 0.92;
/// A restart is never measured as over before this: at first the old readings still stand.
const SHORTEST_RESTART: Duration = Duration::from_secs(60);
/// A restart this soon after a command that restarts is the command's own.
const OWN_RESTART: Duration = Duration::from_secs(150);
/// The longest settle time that is believed.
const LONGEST_SETTLE: Duration = Duration::from_secs(1800);

/// What this tick's reading showed beside the state it led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent findings of one reading, each read by its own rule"
)]
pub struct Findings {
    /// The last off was not verified in its time.
    pub off_not_verified: bool,
    /// The last start or change of power had no effect in its time.
    pub no_effect: bool,
    /// The miner restarts by itself again and again.
    pub crash_loop: bool,
    /// Someone else switched it or set its power.
    pub changed_elsewhere: bool,
    /// It draws more than it was told to.
    pub draws_too_much: bool,
    /// It runs and no longer tells what it draws.
    pub power_untold: bool,
}

/// What the miner is doing, by measured power, hash rate and its own status. A conflict between them is never "off".
pub fn miner_state(policy: &Policy, miner: &MinerObservation, settling: bool) -> MinerState {
    if !miner.reachable {
        return MinerState::Unknown;
    }
    if miner.hash_rate.is_some_and(|rate| rate.get() > 0.0) {
        return MinerState::Running;
    }
    match (miner.power, miner.service_on) {
        (Some(power), _) if power.get() >= (OFF_SHARE * policy.base_watts.get()).max(OFF_WATTS) => {
            MinerState::Running
        }
        (_, Some(true)) => MinerState::Running,
        (_, Some(false)) => MinerState::Off,
        // No power and no word about the service: while it settles that is what a restart looks like.
        (Some(_), None) if !settling => MinerState::Off,
        (_, None) => MinerState::Unknown,
    }
}

/// Two powers that are the same to this miner.
pub fn same_power(policy: &Policy, one: Watts, other: Watts) -> bool {
    (one.get() - other.get()).abs() <= SAME_POWER * policy.base_watts.get()
}

/// The miner settles after the last start or change of power: readings mean little, and only safety acts.
pub fn settling_until(policy: &Policy, state: &State) -> Option<MonoTime> {
    let ordinary = state.last_ordinary?;
    let settled = state.last.is_some_and(|last| last.sent_at == ordinary.sent_at && last.settled);
    (!settled).then(|| ordinary.sent_at + state.settle_time(policy, ordinary.means))
}

/// Takes up the miner's reading: the fate of the last command, restarts, and changes that nobody ordered.
pub fn follow(
    policy: &Policy,
    state: &mut State,
    now: MonoTime,
    miner: &MinerObservation,
) -> (MinerState, Findings) {
    take_feedback(state, miner);
    let settling = settling_until(policy, state).is_some_and(|until| now < until);
    let doing = miner_state(policy, miner, settling);
    let mut findings = Findings::default();
    let new_reading = miner.reachable && miner.read_at.is_some() && miner.read_at > state.surprises.judged;
    if new_reading {
        state.surprises.judged = miner.read_at;
        findings.crash_loop = watch_restarts(policy, state, now, miner);
        measure_settling(state, now, miner);
    }
    watch_effect(policy, state, now, miner, doing, &mut findings);
    if new_reading {
        meet(policy, state, now, miner, doing);
        watch_for_others(policy, state, now, miner, doing, settling, &mut findings);
        watch_power(state, now, miner, doing);
    }
    // A restart may leave it without a word for as long.
    findings.power_untold = miner.reachable
        && state.surprises.power_untold_since.is_some_and(|since| now.since(since) >= policy.settle);
    (doing, findings)
}

fn take_feedback(state: &mut State, miner: &MinerObservation) {
    let Some(last) = &mut state.last else { return };
    if !matches!(last.stage, Stage::UnderWay | Stage::Lost) {
        return;
    }
    let feedback = miner.feedback.filter(|feedback| feedback.sequence == last.sequence);
    let Some(feedback) = feedback else {
        last.stage = Stage::Lost;
        return;
    };
    last.means = feedback.means.or(last.means);
    match feedback.outcome {
        Outcome::UnderWay => last.stage = Stage::UnderWay,
        Outcome::Acknowledged => last.stage = Stage::Acknowledged,
        Outcome::Unknown => last.stage = Stage::Unknown,
        Outcome::Failed => fail(state),
    }
    if let (Some(last), Some(ordinary)) = (state.last, &mut state.last_ordinary)
        && ordinary.sent_at == last.sent_at
    {
        ordinary.means = last.means;
    }
}

/// The last command had no effect: what the miner held before, it still holds.
fn fail(state: &mut State) {
    state.failures = state.failures.saturating_add(1);
    if let Some(last) = &mut state.last {
        last.stage = Stage::Failed;
        if !last.command.is_off() {
            state.holding = last.held_before;
        }
    }
}

fn watch_effect(
    policy: &Policy,
    state: &mut State,
    now: MonoTime,
    miner: &MinerObservation,
    doing: MinerState,
    findings: &mut Findings,
) {
    let given_up = |last: &LastCommand| last.stage == Stage::Failed;
    let Some(last) = state.last.filter(|last| last.stage.is_open() || given_up(last)) else { return };
    let read_since = miner.reachable && miner.read_at.is_some_and(|read_at| read_at > last.sent_at);
    // An effect can come after the command was given up on: then the miner's own word for it is asked.
    let told = last.command.watts().is_none_or(|wanted| is_set(policy, miner, wanted));
    if read_since && has_effect(policy, &last, miner, doing) && (told || !given_up(&last)) {
        state.failures = 0;
        state.holding = last.command.watts().or(state.holding);
        if let Some(last) = &mut state.last {
            last.stage = Stage::Observed;
        }
        if matches!(last.command, Command::Start { .. }) && matches!(state.stance, Stance::Starting { .. }) {
            state.stance = Stance::Running;
        }
        return;
    }
    // A command may have outlived the program: of its effect nothing can be said before the miner was read again.
    let unread = miner.read_at.is_none() && !last.command.is_off();
    if given_up(&last) || unread {
        return;
    }
    let allowed = match last.command {
        Command::Off => policy.off_verify,
        Command::SetPower { watts, .. } if last.held_before.is_some_and(|held| watts <= held) => {
            policy.settle
        }
        Command::Start { .. } | Command::SetPower { .. } => UPWARD_EFFECT,
    };
    if now.since(last.sent_at) >= allowed {
        match last.command {
            Command::Off => findings.off_not_verified = true,
            Command::Start { .. } | Command::SetPower { .. } => findings.no_effect = true,
        }
        fail(state);
    }
}

fn has_effect(policy: &Policy, last: &LastCommand, miner: &MinerObservation, doing: MinerState) -> bool {
    let Some(wanted) = last.command.watts() else { return doing == MinerState::Off };
    let hashing = miner.hash_rate.is_some_and(|rate| rate.get() > 0.0);
    let set = is_set(policy, miner, wanted);
    // Where it doesn't tell what it draws, its own word for its limit is all there is. A percentage may be no word of its
    // own: some firmware doesn't tell it, and then the one it said yes to is taken for it.
    let told = set && last.means != Some(Means::Percent);
    let within = miner.power.map_or(told, |power| !exceeds(policy, miner, power, wanted));
    match last.command {
        Command::Off => false,
        Command::Start { .. } => hashing && within,
        // Less power is the effect, whether or not it hashes yet.
        Command::SetPower { .. } if last.held_before.is_some_and(|held| wanted <= held) => within,
        Command::SetPower { .. } => {
            // Of a change within the tolerance the measured power says nothing.
            let tells = last.held_before.is_none_or(|held| !has_arrived(held, wanted));
            let arrived = tells && miner.power.is_some_and(|power| has_arrived(power, wanted));
            within && hashing && (set || arrived)
        }
    }
}

fn is_set(policy: &Policy, miner: &MinerObservation, wanted: Watts) -> bool {
    miner.power_set.is_some_and(|set| same_power(policy, set, wanted))
}

fn has_arrived(power: Watts, wanted: Watts) -> bool {
    (power.get() - wanted.get()).abs() <= ARRIVED * wanted.get()
}

fn exceeds(policy: &Policy, miner: &MinerObservation, power: Watts, wanted: Watts) -> bool {
    let share = if is_set(policy, miner, wanted) { TOO_MUCH_THOUGH_SET } else { TOO_MUCH };
    power.get() > wanted.get() * (1.0 + share) + TOO_MUCH_WATTS
}

fn watch_restarts(policy: &Policy, state: &mut State, now: MonoTime, miner: &MinerObservation) -> bool {
    let Some(elapsed) = miner.elapsed_seconds else { return false };
    let before = state.restarts.last_elapsed.replace(elapsed);
    if before.is_none_or(|before| elapsed >= before) {
        return false;
    }
    let own = state
        .last
        .is_some_and(|last| last.means != Some(Means::Percent) && now.since(last.sent_at) < OWN_RESTART);
    if own {
        return false;
    }
    // A percentage doesn't survive a restart, and a new limit restarts it: if the miner now says that it is set to more,
    // it holds that. Less isn't of the restart's making.
    if let Some(set) = miner.power_set.filter(|set| state.holding.is_none_or(|held| held < *set)) {
        let runs = state.stance == Stance::Running && !state.last.is_some_and(|last| last.stage.is_open());
        if runs && state.holding.is_some_and(|held| !same_power(policy, held, set)) && is_disputed(state, now)
        {
            state.contest.note(now);
        }
        state.holding = Some(set);
    }
    let seen = &mut state.restarts.seen;
    seen.rotate_left(1);
    if let Some(newest) = seen.last_mut() {
        *newest = Some(now);
    }
    let looping = seen.iter().all(|seen| seen.is_some_and(|seen| now.since(seen) <= CRASH_LOOP_WINDOW));
    if looping {
        *seen = Default::default();
    }
    looping
}

fn measure_settling(state: &mut State, now: MonoTime, miner: &MinerObservation) {
    let Some(last) = state.last.filter(|last| !last.settled && last.stage != Stage::Failed) else { return };
    let (Some(wanted), Some(means)) = (last.command.watts(), last.means) else { return };
    let read_since = miner.read_at.is_some_and(|read_at| read_at > last.sent_at);
    let hashing = miner.hash_rate.is_some_and(|rate| rate.get() > 0.0);
    let arrived = miner.power.is_some_and(|power| has_arrived(power, wanted));
    let took = now.since(last.sent_at);
    let plausible = means == Means::Percent || took >= SHORTEST_RESTART;
    if read_since && hashing && arrived && plausible {
        let took = took.min(LONGEST_SETTLE);
        if means == Means::Percent {
            state.settle_percent = Some(took);
        } else {
            state.settle_restart = Some(took);
        }
        if let Some(last) = &mut state.last {
            last.settled = true;
        }
    }
}

fn watch_power(state: &mut State, now: MonoTime, miner: &MinerObservation, doing: MinerState) {
    state.tells_power |= miner.power.is_some();
    let untold = state.tells_power && miner.power.is_none() && doing == MinerState::Running;
    let since = state.surprises.power_untold_since.unwrap_or(now);
    state.surprises.power_untold_since = untold.then_some(since);
}

/// The first reading ever, or the first after a stop: take the miner as it is found.
fn meet(policy: &Policy, state: &mut State, now: MonoTime, miner: &MinerObservation, doing: MinerState) {
    let open = state.last.is_some_and(|last| last.stage.is_open());
    match (state.stance, doing) {
        (Stance::Unmet, MinerState::Off) => {
            state.stance = Stance::Stopped { by: StopReason::FoundOff, since: now }
        }
        (Stance::Unmet, MinerState::Running) => {
            state.stance = Stance::Running;
            state.holding = miner.power_set.or(state.holding);
            if let Some(set) = miner.power_set {
                let share = set.get() / policy.base_watts.get() * 100.0;
                state.ceiling = state.ceiling.min(nearest_rung(share));
            }
        }
        (Stance::Running, MinerState::Running) if state.holding.is_none() => state.holding = miner.power_set,
        // Running before it was told to, or after it was given up on.
        (Stance::Starting { .. }, MinerState::Running) if !open => {
            state.stance = Stance::Running;
            state.holding = miner.power_set;
        }
        _ => {}
    }
}

fn watch_for_others(
    policy: &Policy,
    state: &mut State,
    now: MonoTime,
    miner: &MinerObservation,
    doing: MinerState,
    settling: bool,
    findings: &mut Findings,
) {
    let open = state.last.is_some_and(|last| last.stage.is_open());
    let quiet = !settling && !open;
    let should_run = state.stance == Stance::Running && quiet;
    let was_off = state.surprises.was_off;
    match doing {
        MinerState::Off => state.surprises.was_off = true,
        MinerState::Running => state.surprises.was_off = false,
        MinerState::Unknown => {}
    }
    let started_against_us =
        was_off && quiet && doing == MinerState::Running && matches!(state.stance, Stance::Stopped { .. });
    state.surprises.off =
        if should_run && doing == MinerState::Off { state.surprises.off.saturating_add(1) } else { 0 };
    let too_much = should_run
        && matches!((miner.power, state.holding), (Some(power), Some(holding)) if exceeds(policy, miner, power, holding));
    state.surprises.drawing = if too_much { state.surprises.drawing.saturating_add(1) } else { 0 };
    if state.surprises.off >= 2 {
        state.surprises.off = 0;
        let own_failure = state.last.is_some_and(|last| {
            last.stage == Stage::Failed && matches!(last.command, Command::SetPower { .. })
        });
        if own_failure {
            // A change of power that went wrong can leave the miner off: it is meant to run.
            state.stance = Stance::Starting { because: Reason::Recovered };
        } else {
            findings.changed_elsewhere = true;
            state.stance = Stance::Stopped { by: StopReason::Elsewhere, since: now };
        }
    }
    let mut changed = false;
    if state.surprises.drawing >= 2 {
        state.surprises.drawing = 0;
        // By its own word: what draws more than it says it is set to was set by nobody.
        changed |= matches!((miner.power_set, state.holding), (Some(set), Some(held)) if held < set && !same_power(policy, set, held));
        findings.draws_too_much = true;
        state.holding = miner.power;
    }
    let lowered = should_run
        && doing == MinerState::Running
        && matches!((miner.power_set, state.holding), (Some(set), Some(holding)) if set.get() < LOWERED * holding.get());
    if lowered {
        // Someone wants less: never fought. Like any reduction it lowers the ceiling.
        findings.changed_elsewhere = true;
        state.holding = miner.power_set;
        let share = miner.power_set.map_or(0.0, |set| set.get() / policy.base_watts.get() * 100.0);
        state.ceiling = state.ceiling.min(nearest_rung(share));
    }
    let found_running = quiet
        && doing == MinerState::Running
        && !state.emergency_latched
        && matches!(state.stance, Stance::Stopped { by: StopReason::FoundOff | StopReason::Elsewhere, .. });
    if found_running {
        findings.changed_elsewhere = true;
        state.stance = Stance::Running;
        state.holding = miner.power_set;
    }
    changed |= findings.changed_elsewhere;
    let resisted = started_against_us && !found_running;
    if resisted || (changed && is_disputed(state, now)) {
        state.contest.note(now);
    }
}

/// Somebody here decides what the miner does. Else what others do to it is no dispute.
fn is_disputed(state: &State, now: MonoTime) -> bool {
    state.intent.auto_control || state.intent.manual.is_some_and(|manual| now < manual.until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{PowerPercent, Rule, TeraHash};

    #[test]
    fn where_no_power_is_told_a_limit_is_seen_and_a_percentage_is_not() {
        let wanted = Watts::whole(2160);
        let miner = MinerObservation {
            reachable: true,
            hash_rate: TeraHash::new(100.0),
            power_set: Some(wanted),
            ..MinerObservation::default()
        };
        for (means, is_seen) in [(Means::Limit, true), (Means::Percent, false)] {
            let last = LastCommand {
                sequence: 1,
                command: Command::SetPower { percent: PowerPercent::FULL, watts: wanted },
                rule: Rule::Ladder,
                reason: Reason::LadderDown,
                sent_at: MonoTime(0),
                stage: Stage::Acknowledged,
                means: Some(means),
                again: false,
                held_before: Some(Watts::whole(3600)),
                settled: false,
            };
            let seen = has_effect(&Policy::default(), &last, &miner, MinerState::Running);
            assert_eq!(seen, is_seen, "{means:?}");
        }
    }
}
