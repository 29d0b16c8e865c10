//! A decision in plain sentences: why this, why not more, what would change it, and when.
//!
//! Sentences are made on demand from the decision and the state it left, never stored: the law itself stays free
//! of text. Times are on the site's wall clock. An estimate says that it is one and is left out where none can be
//! made.

use crate::{
    battery::{Freshness, Rejected},
    fleet::Share,
    observation::Observation,
    policy::{EMERGENCY_MARGIN, Policy},
    rules::Decision,
    state::{Stance, State},
};
use model::{
    Blocked, BlockedBy, Explanation, MonoTime, PowerPercent, Reason, Soc, Wanted, Watts, snapshot::MinerState,
};
use std::time::Duration;

/// Says in plain words what `decision` means. `state` is the one the step returned with it.
pub fn explain(policy: &Policy, state: &State, seen: &Observation, decision: &Decision) -> Explanation {
    let teller = Teller { policy, state, seen, decision };
    Explanation {
        why: teller.why(),
        why_not_more: teller.why_not_more(),
        what_would_change: teller.what_would_change(),
        when: teller.when(),
    }
}

/// Why a person's request can't be followed now, for the refusal; `None` if nothing stands against it.
///
/// `upward` is a start or a manual power. Off is never refused.
pub fn refusal(policy: &Policy, state: &State, decision: &Decision, confirmed: bool) -> Option<String> {
    let emergency = policy.emergency_soc();
    if let Some(soc) = decision.battery.lowest_reading.filter(|soc| *soc <= emergency) {
        return Some(format!(
            "The battery is at {}, at or under the emergency threshold of {}.",
            percent(soc),
            percent(emergency)
        ));
    }
    if state.emergency_unconfirmed {
        return Some(
            "The battery just read an emergency; the next reading decides whether it was a glitch.".into(),
        );
    }
    match decision.battery.freshness {
        Freshness::Fresh if !state.battery.recovering => {}
        Freshness::Fresh => {
            return Some("Battery data has just come back; a second good reading is awaited.".into());
        }
        Freshness::Waiting => return Some("There is no good battery reading yet.".into()),
        Freshness::Old | Freshness::Stale => {
            return Some(format!(
                "There has been no good battery reading for {}.",
                duration(decision.battery.without_good_for)
            ));
        }
    }
    if state.emergency_latched && !confirmed {
        return Some(
            "The emergency latch is set: the battery fell too low. Confirm to start it all the same.".into(),
        );
    }
    None
}

struct Teller<'a> {
    policy: &'a Policy,
    state: &'a State,
    seen: &'a Observation,
    decision: &'a Decision,
}

impl Teller<'_> {
    fn now(&self) -> MonoTime {
        self.state.last_step.unwrap_or(self.seen.now)
    }

    /// A monotonic instant on the site's wall clock, "14:05".
    fn clock(&self, at: MonoTime) -> String {
        let ahead = at.millis_since(self.now()) / 1000;
        let second = i64::from(self.seen.local.second_of_day).saturating_add(ahead).rem_euclid(86_400);
        format!("{:02}:{:02}", second / 3600, second / 60 % 60)
    }

    fn soc(&self) -> String {
        self.decision.battery.soc.map_or_else(|| "unknown".to_owned(), |soc| soc.to_string())
    }

    fn held(&self) -> String {
        let power = self.state.holding.or(self.seen.miner.power);
        power.map_or_else(|| "an unknown power".to_owned(), |power| share(self.policy, power))
    }

    fn since(&self) -> String {
        match self.state.stance {
            Stance::Stopped { since, .. } => format!(" at {}", self.clock(since)),
            _ => String::new(),
        }
    }

    fn why(&self) -> String {
        let told = if self.decision.doing == MinerState::Unknown && self.seen.miner.read_at.is_some() {
            "The miner can't be reached, so what it is doing isn't known. "
        } else {
            ""
        };
        format!("{told}{}", self.cause())
    }

    fn cause(&self) -> String {
        let emergency = percent(self.policy.emergency_soc());
        match self.decision.reason {
            Reason::WaitingForBattery => "Waiting for the first battery reading; nothing is changed until then.".into(),
            Reason::EmergencySoc => {
                let low = self.decision.battery.lowest_reading.map_or_else(|| self.soc(), percent);
                format!("{} since the battery is at {low}, at or under the emergency threshold of {emergency}.", self.off_word())
            }
            Reason::EmergencyUnconfirmed => format!(
                "{} since a battery reading at or under {emergency} came in; the next good reading decides whether it was a glitch.",
                self.off_word()
            ),
            Reason::BatteryStale => format!(
                "{} since there has been no good battery reading for {}{}.",
                self.off_word(),
                duration(self.decision.battery.without_good_for),
                self.rejected()
            ),
            Reason::BatteryRecovering => "Off until two good battery readings in a row are there; one has come.".into(),
            Reason::PersonOff => format!("{} since you switched it off.", self.off_word()),
            Reason::CrashLoop => format!(
                "Stopped{} since it restarted by itself again and again: it can't hold the power it was given.",
                self.since()
            ),
            Reason::ManualPower => format!("Set to {} by you.", self.wanted_power()),
            Reason::AutoControlOff => "Auto-control is off: the miner is left as it is. Only an emergency of the battery still stops it.".into(),
            Reason::BatteryFull => format!("The battery is full: {}.", self.wanted_power()),
            Reason::SunsetStart => format!("Night run: the sun is down and the battery is at {}.", self.soc()),
            Reason::EmergencyLatched => format!(
                "Stopped{} since the battery fell to {emergency}: the emergency latch is set.",
                self.since()
            ),
            Reason::FoundOff => "The miner was off when the controller first met it, so it stays off.".into(),
            Reason::SwitchedOffElsewhere => format!("Someone else switched it off{}, so it stays off.", self.since()),
            Reason::SwitchedOnElsewhere => "Someone else switched it on while it has to be off: it is switched off again.".into(),
            Reason::PersonStart => "Starting since you switched it on.".into(),
            Reason::ResumeSoc => format!("Starting again since the battery is back at {}.", self.soc()),
            Reason::Recovered => "Starting again: the battery readings are good again.".into(),
            Reason::LadderDown => format!("Going down to {} since the battery fell to {}.", self.wanted_power(), self.soc()),
            Reason::LadderUp => format!("Going up to {}, as the battery's {} allow.", self.wanted_power(), self.soc()),
            Reason::DrawsTooMuch => format!("The miner draws more than it was told to: set to {} again.", self.wanted_power()),
            Reason::BelowRange => "The power the battery allows is less than this miner can hold.".into(),
            Reason::NoShare => format!("{} since the {} that the battery allows all miners together go to the others.", self.off_word(), self.allowed()),
            Reason::MinerUnknown => "The miner's state isn't known: nothing is sent until it is.".into(),
            Reason::VerifyingOff => "Off was commanded and isn't verified yet.".into(),
            Reason::LadderHold => self.running(),
        }
    }

    fn running(&self) -> String {
        let lowered = self
            .state
            .last
            .filter(|last| last.reason == Reason::LadderDown && last.command.percent().is_some());
        match lowered {
            Some(last) => {
                format!(
                    "Running at {} since the battery fell to that step at {}.",
                    self.held(),
                    self.clock(last.sent_at)
                )
            }
            None => format!("Running at {}, with the battery at {}.", self.held(), self.soc()),
        }
    }

    fn off_word(&self) -> &'static str {
        if self.decision.doing == MinerState::Off { "Off" } else { "Switching off" }
    }

    /// What the ladder allows: of this miner's power, or of that of all together.
    fn allowed(&self) -> PowerPercent {
        self.decision
            .battery
            .soc
            .map_or(self.state.ceiling, |soc| self.state.ceiling.min(crate::ladder::decile(soc)))
    }

    fn is_shared(&self) -> bool {
        self.seen.share != Share::Whole
    }

    fn wanted_power(&self) -> String {
        match self.decision.wanted {
            Wanted::Run(percent) => percent.to_string(),
            Wanted::Off => "off".into(),
            Wanted::Hold => self.held(),
        }
    }

    fn rejected(&self) -> String {
        match self.decision.battery.rejected {
            Some(Rejected::Lost) => "; its source says that it is offline".into(),
            Some(Rejected::NoSoc) => "; the source tells no state of charge".into(),
            Some(Rejected::Impossible(told)) => format!("; the source tells {told}, which can't be"),
            Some(Rejected::Jump(told)) => format!("; the source's {told} % rose too fast to be believed"),
            Some(Rejected::AheadOfOurClock(by)) => {
                format!("; the source's clock is {} ahead of ours: one of the two is wrong", duration(by))
            }
            Some(Rejected::TooOld | Rejected::OlderThanLast) | None => String::new(),
        }
    }

    fn why_not_more(&self) -> Option<String> {
        if let Some(blocked) = self.decision.blocked
            && let Some(text) = self.obstacle(blocked)
        {
            return Some(text);
        }
        let held = self.state.holding.or(self.seen.miner.power);
        match (self.decision.reason, self.decision.wanted) {
            (Reason::LadderHold | Reason::LadderDown, Wanted::Run(step)) if step < PowerPercent::FULL => {
                let allowed = self.decision.battery.soc.map(crate::ladder::decile);
                if allowed.is_some_and(|allowed| allowed > self.state.ceiling) {
                    Some(format!(
                        "{} is the ceiling: it may not rise until the battery is full.",
                        self.state.ceiling
                    ))
                } else if self.is_shared() {
                    let allowed = self.allowed();
                    Some(format!(
                        "The battery's {} allow all miners together {allowed}; this is its share.",
                        self.soc()
                    ))
                } else {
                    Some(format!("The battery's {} allow no more than {step}.", self.soc()))
                }
            }
            (Reason::ManualPower, _) if held.is_some_and(|held| held < self.policy.base_watts) => {
                Some("Your setting holds until it ends, the battery runs low or its data goes stale.".into())
            }
            _ => None,
        }
    }

    fn obstacle(&self, blocked: Blocked) -> Option<String> {
        let at = |until: Option<MonoTime>| {
            until.map_or_else(String::new, |until| format!(" until {}", self.clock(until)))
        };
        Some(match blocked.by {
            BlockedBy::Interval => format!("{} waits for the shortest interval between two commands{}.", self.wish(), at(blocked.until)),
            BlockedBy::Settling => format!("{} waits while the miner settles after the last command{}.", self.wish(), at(blocked.until)),
            BlockedBy::SecondSample => format!("{} waits for a second battery reading that agrees.", self.wish()),
            BlockedBy::BatteryData => format!("{} waits for fresh battery data.", self.wish()),
            BlockedBy::CommandUnderWay => "The last command isn't through yet.".into(),
            BlockedBy::MinerUnknown => format!("{} waits until the miner can be reached and read.", self.wish()),
            BlockedBy::Degraded => {
                "Three commands in a row failed: nothing upward is sent until a command works again or you switch it on.".into()
            }
            BlockedBy::Contested => format!(
                "{} waits since the miner was changed three times within an hour without being told so here{}. Switching it on ends the wait.",
                self.wish(),
                blocked.until.map_or_else(String::new, |until| format!("; it may go at {} if that doesn't happen again", self.clock(until)))
            ),
            BlockedBy::Budget => format!("{} waits since the day's {} commands are spent{}.", self.wish(), self.policy.command_budget, at(blocked.until)),
            BlockedBy::StartCondition => return None,
            BlockedBy::Share => "What is left of the power for all miners is less than this one can hold.".into(),
            BlockedBy::Turn => "Another miner starts first.".into(),
            BlockedBy::MinimumOffTime => format!("It stays off for its minimum time{}.", at(blocked.until)),
            BlockedBy::OffRetry => format!("Off was sent and is being verified; it is sent again{} if need be.",
                blocked.until.map_or_else(String::new, |until| format!(" at {}", self.clock(until)))),
        })
    }

    fn wish(&self) -> String {
        match (self.decision.wanted, self.decision.doing) {
            (Wanted::Run(_) | Wanted::Off, MinerState::Off) => "The start".into(),
            (Wanted::Run(percent), _) => format!("The change to {percent}"),
            (Wanted::Off | Wanted::Hold, _) => "The change".into(),
        }
    }

    fn what_would_change(&self) -> String {
        let emergency = percent(self.policy.emergency_soc());
        let full = percent(self.policy.full_soc());
        let start = format!(
            "It starts with a full battery ({full}), after sunset above {}{}, or when you switch it on.",
            percent(self.policy.sunset_soc.max(60.0)),
            self.policy.resume_soc.map_or_else(String::new, |resume| format!(
                ", at {} after {}",
                percent(resume),
                duration(self.policy.min_off)
            ))
        );
        match self.decision.reason {
            Reason::WaitingForBattery | Reason::BatteryStale => {
                "Two good battery readings in a row bring it back.".into()
            }
            Reason::BatteryRecovering => "The second good reading.".into(),
            Reason::EmergencySoc if self.state.emergency_latched => start,
            Reason::EmergencySoc | Reason::EmergencyUnconfirmed => format!(
                "A next reading above {} makes it a glitch; else {}",
                percent(self.policy.emergency_soc() + EMERGENCY_MARGIN),
                start.replacen("It starts", "it starts", 1)
            ),
            Reason::EmergencyLatched
            | Reason::FoundOff
            | Reason::SwitchedOffElsewhere
            | Reason::SwitchedOnElsewhere
            | Reason::CrashLoop
            | Reason::BelowRange => start,
            Reason::NoShare => {
                format!(
                    "It starts again by itself once there is enough for it: with a full battery ({full}), or when another miner stops."
                )
            }
            Reason::PersonOff => "Only you switch it on again.".into(),
            Reason::AutoControlOff => "Enable auto-control to let the battery drive it.".into(),
            Reason::ManualPower => match self.state.intent.manual {
                Some(manual) => format!(
                    "Your setting ends at {}; a battery at {emergency} stops it before.",
                    self.clock(manual.until)
                ),
                None => String::new(),
            },
            Reason::MinerUnknown => "A reading of the miner.".into(),
            Reason::VerifyingOff => "A reading that shows the miner off.".into(),
            Reason::BatteryFull
            | Reason::SunsetStart
            | Reason::PersonStart
            | Reason::ResumeSoc
            | Reason::Recovered
            | Reason::LadderDown
            | Reason::LadderUp
            | Reason::LadderHold
            | Reason::DrawsTooMuch => self.next_steps(),
        }
    }

    fn next_steps(&self) -> String {
        let full = percent(self.policy.full_soc());
        let up = if self.state.ceiling < PowerPercent::FULL {
            format!(" A full battery ({full}) raises it to 100 %.")
        } else {
            String::new()
        };
        match self.next_lower() {
            Some((threshold, Some(step))) if self.is_shared() => {
                format!("At {} all miners together go down to {step}.{up}", percent(threshold))
            }
            Some((threshold, Some(step))) => format!("At {} it goes down to {step}.{up}", percent(threshold)),
            Some((threshold, None)) => format!("At {} it stops.{up}", percent(threshold)),
            None => up.trim_start().to_owned(),
        }
    }

    /// The state of charge at which the power goes down next, and to which step; `None` as step means off.
    fn next_lower(&self) -> Option<(f64, Option<PowerPercent>)> {
        let Wanted::Run(step) = self.decision.wanted else { return None };
        let step = if self.is_shared() { self.allowed() } else { step };
        let emergency = self.policy.emergency_soc();
        let below = f64::from(step.get()) - 10.0;
        if below <= emergency || step <= crate::ladder::LOWEST {
            return Some((emergency, None));
        }
        Some((below, Soc::new(below).map(crate::ladder::decile)))
    }

    fn when(&self) -> Option<String> {
        let rate = self.state.battery.points_per_hour()?;
        let soc = self.decision.battery.soc?.get();
        let at = |points: f64| {
            let hours = points / rate;
            (hours > 0.0 && hours < 24.0)
                .then(|| Duration::try_from_secs_f64(hours * 3600.0).ok())
                .flatten()
                .map(|ahead| self.clock(self.now() + ahead))
        };
        if rate > 0.5 && soc < self.policy.full_soc() {
            return at(self.policy.full_soc() - soc).map(|time| {
                format!("At the present charge rate the battery is full at about {time} (estimate).")
            });
        }
        if rate < -0.5 {
            let (threshold, _) = self.next_lower()?;
            return at(threshold - soc).map(|time| {
                format!(
                    "At the present rate the battery reaches {} at about {time} (estimate).",
                    percent(threshold)
                )
            });
        }
        None
    }
}

fn share(policy: &Policy, power: Watts) -> String {
    format!("{:.0} % ({power})", (power.get() / policy.base_watts.get() * 100.0).clamp(0.0, 999.0))
}

fn percent(value: f64) -> String {
    Soc::new(value).map_or_else(|| format!("{value} %"), |soc| soc.to_string())
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatteryObservation, MinerObservation, step};
    use model::{CivilDay, Intent, LocalTime, TeraHash, UtcMillis};

    /// Ticks a running miner through pairs of agreeing samples, four minutes apart, starting at 12:00.
    fn run(socs: &[f64]) -> (Policy, State, Observation, Decision) {
        let policy = Policy::default();
        let mut state = State::new(MonoTime(0));
        let mut held = Watts::whole(3600);
        let mut last = None;
        for (index, soc) in socs.iter().flat_map(|soc| [*soc, *soc]).enumerate() {
            let now = MonoTime(index as i64 * 240_000);
            let seen = Observation {
                now,
                local: LocalTime {
                    day: CivilDay(20_000),
                    second_of_day: 43_200 + index as u32 * 240,
                    clock_synced: true,
                    sun: None,
                },
                battery: Some(BatteryObservation {
                    source_time: UtcMillis(now.0),
                    source_at: now,
                    fetched_at: now,
                    soc_percent: Some(soc),
                    lost: false,
                    pv: None,
                    load: None,
                    power: None,
                }),
                miner: MinerObservation {
                    reachable: true,
                    read_at: Some(now),
                    service_on: Some(true),
                    power: Some(held),
                    hash_rate: TeraHash::new(100.0),
                    power_set: Some(held),
                    elapsed_seconds: Some(10_000 + index as u64 * 240),
                    range: None,
                    feedback: None,
                },
                intent: Intent { auto_control: true, ..Intent::default() },
                share: Share::Whole,
            };
            let (next, decision) = step(&policy, state, &seen);
            held = decision.command.and_then(model::Command::watts).unwrap_or(held);
            (state, last) = (next, Some((seen, decision)));
        }
        let (seen, decision) = last.unwrap();
        (policy, state, seen, decision)
    }

    #[test]
    fn a_latched_run_says_why_and_what_would_change_it() {
        let (policy, state, seen, decision) = run(&[95.0, 60.0, 55.0, 57.0, 62.0]);
        let text = explain(&policy, &state, &seen, &decision);
        assert_eq!(text.why, "Running at 60 % (2160 W) since the battery fell to that step at 12:12.");
        assert_eq!(
            text.why_not_more.as_deref(),
            Some("60 % is the ceiling: it may not rise until the battery is full.")
        );
        assert_eq!(
            text.what_would_change,
            "At 50 % it goes down to 50 %. A full battery (100 %) raises it to 100 %."
        );
    }

    #[test]
    fn an_emergency_names_the_threshold_and_the_way_back() {
        let (policy, state, seen, decision) = run(&[60.0, 30.0, 31.0]);
        let text = explain(&policy, &state, &seen, &decision).paragraph();
        assert!(text.contains("emergency latch"), "{text}");
        assert!(text.contains("after sunset above 60 %"), "{text}");
    }

    #[test]
    fn a_refusal_names_the_rule() {
        let (policy, state, _, decision) = run(&[60.0, 30.0, 31.0]);
        let why = refusal(&policy, &state, &decision, false).unwrap();
        assert!(why.contains("Confirm"), "{why}");
        assert_eq!(refusal(&policy, &state, &decision, true), None);
    }
}
