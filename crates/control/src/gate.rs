//! Holding ordinary commands back until they may go. An off is never held back; it is only not repeated while the
//! last one is on its way or being verified.

use crate::{
    actuation::settling_until,
    battery::{Freshness, Verdict},
    policy::{OFF_RETRY, Policy},
    state::{LastCommand, Stage, Stance, State},
};
use model::{Blocked, BlockedBy, MonoTime, snapshot::MinerState};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// What an ordinary command would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Start a miner.
    Start,
    /// More power.
    Up,
    /// Less power.
    Down,
}

/// Whether off has to be sent now: `Ok(true)` send, `Ok(false)` nothing to send, `Err` it is on its way.
///
/// `insist` sends it even to a miner whose state isn't known.
pub fn off(
    policy: &Policy,
    state: &State,
    now: MonoTime,
    doing: MinerState,
    insist: bool,
) -> Result<bool, Blocked> {
    let last = state.last.filter(|last| last.command.is_off());
    let in_flight = state.last.is_some_and(|last| !last.command.is_off() && last.stage.is_open());
    match doing {
        // A start on its way will make this reading untrue.
        MinerState::Off if in_flight => return Ok(true),
        MinerState::Off => return Ok(false),
        MinerState::Unknown if last.is_some_and(|last| was_seen_off_for_this_stop(state, &last)) => {
            return Ok(false);
        }
        MinerState::Unknown if last.is_none() && !insist => return Ok(false),
        MinerState::Unknown | MinerState::Running => {}
    }
    let Some(last) = last else { return Ok(true) };
    let wait = |by, until: Option<MonoTime>| match until {
        Some(until) if until <= now => Ok(true),
        until => Err(Blocked { by, until }),
    };
    match last.stage {
        // Seen off, and running since: somebody switched it on.
        Stage::Observed => Ok(true),
        Stage::UnderWay => wait(BlockedBy::CommandUnderWay, None),
        Stage::Lost | Stage::Failed => wait(BlockedBy::OffRetry, Some(last.sent_at + OFF_RETRY)),
        Stage::Acknowledged | Stage::Unknown => {
            wait(BlockedBy::OffRetry, Some(last.sent_at + policy.off_verify))
        }
    }
}

/// Whether the last off was seen to work, and the miner didn't run between then and what stops it now.
fn was_seen_off_for_this_stop(state: &State, last: &LastCommand) -> bool {
    let ran_since = matches!(state.stance, Stance::Stopped { since, .. } if since > last.sent_at);
    last.stage == Stage::Observed && !ran_since
}

/// What stands in the way of an ordinary command now, if anything.
pub fn ordinary(
    policy: &Policy,
    state: &State,
    now: MonoTime,
    battery: &Verdict,
    doing: MinerState,
    direction: Direction,
) -> Option<Blocked> {
    let until = |by, until| Some(Blocked { by, until: Some(until) });
    let on_condition = |by| Some(Blocked { by, until: None });
    let upward = direction != Direction::Down;
    // A power written to a miner that is off can start it.
    let not_running = direction != Direction::Start && doing == MinerState::Off;
    if doing == MinerState::Unknown || not_running {
        return on_condition(BlockedBy::MinerUnknown);
    }
    if upward && state.degraded() {
        return on_condition(BlockedBy::Degraded);
    }
    if let Some(free_at) = state.contested_until(now).filter(|_| upward) {
        return until(BlockedBy::Contested, free_at);
    }
    if upward && (state.battery.recovering || battery.freshness != Freshness::Fresh) {
        return on_condition(BlockedBy::BatteryData);
    }
    if direction == Direction::Start && doing != MinerState::Off {
        return on_condition(BlockedBy::CommandUnderWay);
    }
    if let Some(last) =
        state.last.filter(|last| last.command.is_off() && now < last.sent_at + policy.min_interval)
    {
        return until(BlockedBy::Interval, last.sent_at + policy.min_interval);
    }
    if let Some(settled_at) = settling_until(policy, state).filter(|settled_at| now < *settled_at) {
        return until(BlockedBy::Settling, settled_at);
    }
    if let Some(last) = state.last_ordinary {
        let free_at = last.sent_at + policy.min_interval.max(state.settle_time(policy, last.means));
        if now < free_at {
            return until(BlockedBy::Interval, free_at);
        }
    }
    if state.last.is_some_and(|last| last.stage.is_open()) {
        return on_condition(BlockedBy::CommandUnderWay);
    }
    let today = state.ordinary_sent.iter().filter(|sent| now.since(**sent) < DAY).count();
    if today >= policy.command_budget as usize {
        let oldest = state.ordinary_sent.iter().find(|sent| now.since(**sent) < DAY);
        return Some(Blocked { by: BlockedBy::Budget, until: oldest.map(|oldest| *oldest + DAY) });
    }
    None
}

/// Notes an ordinary command, for the interval and the day's budget.
pub fn note_ordinary(state: &mut State, now: MonoTime) {
    state.ordinary_sent.retain(|sent| now.since(*sent) < DAY);
    state.ordinary_sent.push(now);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StopReason;
    use model::{Command, Reason, Rule};

    /// A miner whose last command was an off, seen to work at 100 s, and that was stopped at `since` seconds.
    fn stopped(since: i64) -> State {
        let off = LastCommand {
            sequence: 1,
            command: Command::Off,
            rule: Rule::Emergency,
            reason: Reason::EmergencySoc,
            sent_at: MonoTime(100_000),
            stage: Stage::Observed,
            means: None,
            held_before: None,
            settled: false,
            again: false,
        };
        let stance = Stance::Stopped { by: StopReason::Emergency, since: MonoTime(since * 1000) };
        State { last: Some(off), stance, ..State::new(MonoTime(0)) }
    }

    #[test]
    fn an_off_of_an_earlier_stop_says_nothing_about_a_miner_that_ran_since_and_is_out_of_reach() {
        let policy = Policy::default();
        let ask = |state: &State| off(&policy, state, MonoTime(500_000), MinerState::Unknown, true);
        assert_eq!(ask(&stopped(100)), Ok(false), "it was seen off for this stop");
        assert_eq!(ask(&stopped(300)), Ok(true), "it ran since");
    }
}
