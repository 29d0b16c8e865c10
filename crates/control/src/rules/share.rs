//! The ladder for a miner of several: what it brings in to what all may draw, and how it takes its share of it.

use super::{Scene, Want, change, clamp, share_of, stop};
use crate::{
    actuation::same_power,
    battery::Freshness,
    fleet::{Claim, Part},
    gate::{self, Direction},
    ladder::decile,
    state::{State, StopReason},
};
use model::{BlockedBy, PowerPercent, Reason, Rule, Soc, Wanted, Watts, snapshot::MinerState};

/// The ladder's band: above `most` a miner has to come down, and only under `least` may it rise.
struct Band {
    least: Option<PowerPercent>,
    most: PowerPercent,
}

/// Down needs two samples that agree, and so does up.
fn band(scene: &Scene<'_>, state: &State, soc: Soc) -> Band {
    let allowed = |soc: Soc| state.ceiling.min(decile(soc));
    let newest = allowed(soc);
    let before = state.battery.confirming(scene.now, scene.policy.stale_off()).map(allowed);
    let certain = scene.battery.freshness == Freshness::Fresh && !state.battery.recovering;
    Band {
        least: before.map(|before| before.min(newest)).filter(|_| certain),
        most: before.map_or(state.ceiling, |before| before.max(newest)),
    }
}

/// The ceiling comes down with the ladder, whichever of the miners makes room.
pub(super) fn follow_down(scene: &Scene<'_>, state: &mut State, soc: Soc) {
    state.ceiling = state.ceiling.min(band(scene, state, soc).most);
}

/// A running miner tells what it brings in and what it holds.
pub(super) fn asked(scene: &Scene<'_>, state: &mut State) -> Want {
    let Some(soc) = scene.battery.soc else { return Want::hold(Rule::Stale, Reason::WaitingForBattery) };
    let base = scene.policy.base_watts;
    let Band { least, most } = band(scene, state, soc);
    // What it was last told is what counts: a miner that draws more is told again, and makes nobody else pay for it.
    let told = state.last.filter(|last| last.stage.is_open() || last.stage == crate::Stage::Observed);
    let told = told.and_then(|last| last.command.watts());
    let held = match (state.holding.or(scene.seen.miner.power), told) {
        (Some(held), Some(told)) if scene.doing == MinerState::Running => Some(held.least(told)),
        // Out of reach it counts at the most that is known of it.
        (Some(held), _) => Some(scene.seen.miner.power.map_or(held, |power| held.most(power))),
        (None, told) => told,
    };
    let part = match held {
        None => Part::Out { draws: base },
        Some(held) => Part::Running {
            held,
            least: least.map_or(Watts::ZERO, |least| least.of(base)),
            most: most.of(base),
            is_reachable: scene.doing != MinerState::Unknown,
            may_rise: scene.doing == MinerState::Running
                && !state.degraded()
                && state.contested_until(scene.now).is_none(),
        },
    };
    Want { claim: Some(Claim::of(state, part)), ..Want::hold(Rule::Ladder, Reason::LadderHold) }
}

/// What keeps a start back for longer than other commands do.
fn long_obstacle(scene: &Scene<'_>, state: &State) -> Option<BlockedBy> {
    let start = Direction::Start;
    let blocked = gate::ordinary(scene.policy, state, scene.now, &scene.battery, scene.doing, start)?;
    matches!(
        blocked.by,
        BlockedBy::MinerUnknown
            | BlockedBy::Degraded
            | BlockedBy::Contested
            | BlockedBy::BatteryData
            | BlockedBy::Budget
    )
    .then_some(blocked.by)
}

/// A miner that may start gets no power, and why.
pub(super) fn nothing_to_start_with(scene: &Scene<'_>, state: &State, rule: Rule, reason: Reason) -> Want {
    match long_obstacle(scene, state) {
        Some(by) => Want::stay_off(rule, reason, by),
        None => Want::stay_off(rule, Reason::NoShare, BlockedBy::Share),
    }
}

/// A miner that may start tells what it brings in.
pub(super) fn asked_to_start(
    scene: &Scene<'_>,
    state: &mut State,
    soc: Soc,
    rule: Rule,
    reason: Reason,
) -> Want {
    follow_down(scene, state, soc);
    let allowed = state.ceiling.min(decile(soc)).of(scene.policy.base_watts);
    let under_way = state.last.filter(|last| last.stage.is_open()).and_then(|last| last.command.watts());
    let part = if let Some(held) = under_way {
        Part::Running { held, least: allowed, most: allowed, is_reachable: true, may_rise: false }
    } else {
        // What it couldn't use anyway, others may.
        if let Some(by) = long_obstacle(scene, state) {
            return Want::stay_off(rule, reason, by);
        }
        Part::Starting { allowed, is_asked_for: reason == Reason::PersonStart }
    };
    Want { claim: Some(Claim::of(state, part)), ..Want::stay_off(rule, reason, BlockedBy::Share) }
}

/// A running miner at its share.
pub(super) fn hold(scene: &Scene<'_>, state: &mut State, power: Option<Watts>) -> Want {
    let Some(soc) = scene.battery.soc else {
        let act = super::Act::Hold { wanted: Wanted::Hold, blocked: Some(BlockedBy::BatteryData) };
        return Want::new(Rule::Stale, Reason::WaitingForBattery, act);
    };
    follow_down(scene, state, soc);
    let Some(watts) = power.and_then(|power| clamp(scene, power)) else {
        stop(state, StopReason::NoShare, scene.now);
        return Want::off(Rule::Ladder, Reason::NoShare);
    };
    let percent = share_of(scene.policy, watts);
    let held = state.holding.or(scene.seen.miner.power);
    let full = soc.get() >= scene.policy.full_soc();
    let (rule, reason) = match held {
        None => (Rule::Ladder, Reason::MinerUnknown),
        Some(held) if same_power(scene.policy, held, watts) => (Rule::Ladder, Reason::LadderHold),
        Some(held) if watts < held && scene.findings.draws_too_much => (Rule::Ladder, Reason::DrawsTooMuch),
        Some(held) if watts < held => (Rule::Ladder, Reason::LadderDown),
        Some(_) if full => (Rule::Full, Reason::BatteryFull),
        Some(_) => (Rule::Ladder, Reason::LadderUp),
    };
    change(scene, state, rule, reason, percent, watts)
}
