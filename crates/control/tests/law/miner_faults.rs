//! A miner that refuses, ignores, restarts, vanishes or is switched by others.
//!
//! Samples come every 150 s, a tick is 10 s, the miner obeys and needs 90 s to come up unless a test says
//! otherwise. The monitor watches every tick.

use crate::world::{
    events::{Event, Obedience, TellsLimit},
    run::{Run, house, latched},
};
use control::{Decision, MinerObservation, Policy, Stage, StopReason, actuation::miner_state};
use model::{
    AlertCode, BlockedBy, Command, PowerPercent, Reason, TeraHash, Wanted, Watts, snapshot::MinerState,
};

#[test]
fn three_failures_in_a_row_degrade_it_and_the_person_may_try_again() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.house.happens(Event::Obedience(Obedience::Refuses));
    run.house.happens(Event::PersonOn);
    let starts = run.seconds(7200);
    assert_eq!(starts.len(), 3);
    assert!(starts.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 120));
    let decision = run.tick();
    assert_eq!(decision.blocked.unwrap().by, BlockedBy::Degraded);
    assert!(decision.alerts.contains(AlertCode::Degraded));
    run.house.happens(Event::Obedience(Obedience::Obeys));
    assert_eq!(run.seconds(600), [], "nothing upward by itself");
    run.house.happens(Event::PersonOn);
    assert_eq!(run.seconds(600).len(), 1);
    assert_eq!((run.percent(), run.state.degraded()), (Some(40), false));
}

#[test]
fn a_degraded_miner_still_goes_down_and_off() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::Obedience(Obedience::OnlySaysYes));
    let mut sent = Vec::new();
    for _ in 0..20 {
        sent.extend(run.sample(85.0));
    }
    assert!(run.state.degraded());
    assert!(sent.len() > 3 && sent.iter().all(|command| command.percent().unwrap().get() == 90));
    assert_eq!(run.sample(30.0), [Command::Off]);
}

#[test]
fn an_off_without_effect_is_sent_again_after_180_seconds_with_an_alarm() {
    let mut run = house(45.0, Some(50));
    run.sample(45.0);
    run.sample(45.0);
    run.house.happens(Event::Obedience(Obedience::OnlySaysYes));
    run.house.happens(Event::Cadence { upload: 120, fetch: 10 });
    run.house.happens(Event::Level(28.0));
    let mut sent = Vec::new();
    for _ in 0..60 {
        let decision = run.until(10, |_| true).unwrap();
        assert_ne!(decision.doing, MinerState::Off);
        let overdue = sent.first().is_some_and(|(first, _)| run.house.now - first >= 180);
        assert_eq!(decision.alerts.contains(AlertCode::OffNotVerified), overdue, "until one works");
        sent.extend(decision.command.map(|command| (run.house.now, command)));
    }
    assert!(sent.len() >= 3);
    assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 == 180));
    assert!(sent.iter().all(|(_, command)| command.is_off()));
}

#[test]
fn a_refused_off_is_tried_again_at_once_and_alarms() {
    let mut run = house(45.0, Some(50));
    run.sample(45.0);
    run.house.happens(Event::Obedience(Obedience::Refuses));
    run.house.happens(Event::Level(28.0));
    run.seconds(150);
    let offs = run.seconds(60);
    assert_eq!(offs.len(), 6, "every ten seconds");
    assert!(run.tick().alerts.contains(AlertCode::OffNotVerified));
}

#[test]
fn an_unreachable_miner_is_unknown_and_is_switched_off_blind() {
    let mut run = house(45.0, Some(50));
    run.sample(45.0);
    run.house.happens(Event::Reachable(false));
    run.house.happens(Event::Level(28.0));
    assert!(run.sample(28.0).contains(&Command::Off));
    let decision = run.tick();
    assert_eq!((decision.doing, decision.wanted), (MinerState::Unknown, Wanted::Off));
}

#[test]
fn an_emergency_while_a_start_is_on_its_way_sends_off_although_it_still_reads_off() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.house.happens(Event::Obedience(Obedience::Late));
    run.house.happens(Event::PersonOn);
    run.until(300, |decision| matches!(decision.command, Some(Command::Start { .. }))).unwrap();
    run.house.happens(Event::Obedience(Obedience::Obeys));
    run.house.happens(Event::Cadence { upload: 10, fetch: 10 });
    run.house.happens(Event::Level(30.0));
    let decision = run.tick();
    assert_eq!((decision.doing, decision.command), (MinerState::Off, Some(Command::Off)));
}

#[test]
fn a_miner_that_runs_on_after_a_failed_stale_off_goes_back_under_the_ladder() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::Obedience(Obedience::Refuses));
    run.house.happens(Event::Frozen(true));
    run.seconds(900);
    assert_eq!(run.percent(), Some(100), "it refused every off");
    run.house.happens(Event::Obedience(Obedience::Obeys));
    run.house.happens(Event::Reachable(false));
    run.seconds(20);
    run.house.happens(Event::Reachable(true));
    run.house.happens(Event::Frozen(false));
    run.house.happens(Event::Switched(true));
    for _ in 0..6 {
        run.sample(55.0);
    }
    assert_eq!(run.percent(), Some(60));
}

#[test]
fn a_miner_switched_on_before_it_may_return_goes_under_the_ladder() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.sample(55.0);
    run.house.happens(Event::Frozen(true));
    run.seconds(1200);
    assert_eq!(run.percent(), None);
    run.house.happens(Event::Frozen(false));
    run.until(300, |decision| decision.battery.arrived.is_some()).unwrap();
    // The second sample and somebody's hand at the machine come together.
    run.house.happens(Event::Level(45.0));
    run.seconds(140);
    run.house.happens(Event::SetElsewhere(100));
    run.house.happens(Event::Switched(true));
    for _ in 0..4 {
        run.sample(45.0);
    }
    assert_eq!(run.percent(), Some(50));
}

#[test]
fn switched_off_elsewhere_stays_off_and_switched_on_elsewhere_is_taken_over() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.sample(55.0);
    run.house.happens(Event::Switched(false));
    let first = run.tick();
    assert_eq!(first.command, None);
    assert!(run.until(30, |decision| decision.alerts.contains(AlertCode::ChangedElsewhere)).is_some());
    assert_eq!(run.sample(55.0), []);
    assert_eq!(run.state.stopped_by(), Some(StopReason::Elsewhere));
    run.house.happens(Event::Switched(true));
    for _ in 0..4 {
        run.sample(45.0);
    }
    assert_eq!(run.percent(), Some(50), "under the ladder again");
}

#[test]
fn switched_on_elsewhere_while_latched_it_is_switched_off_again() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.house.happens(Event::Switched(true));
    let decision = run.until(300, |decision| decision.command.is_some()).unwrap();
    assert_eq!((decision.command, decision.reason), (Some(Command::Off), Reason::SwitchedOnElsewhere));
    // The same where it was found off first, and the emergency came later.
    let mut run = house(50.0, None);
    for level in [50.0, 30.0, 31.0, 50.0] {
        run.sample(level);
    }
    assert!(run.state.emergency_latched && run.state.stopped_by() == Some(StopReason::FoundOff));
    run.house.happens(Event::Switched(true));
    assert_eq!(run.sample(50.0), [Command::Off]);
}

#[test]
fn a_crash_loop_stops_it() {
    let mut run = house(85.0, Some(90));
    run.sample(85.0);
    run.sample(85.0);
    run.house.happens(Event::Ramp(60));
    run.house.happens(Event::Restarts(3));
    let sent = run.seconds(600);
    assert_eq!(sent.into_iter().map(|(_, command)| command).collect::<Vec<_>>(), [Command::Off]);
    assert_eq!(run.state.stopped_by(), Some(StopReason::CrashLoop));
    assert!(run.tick().alerts.contains(AlertCode::CrashLoop));
}

#[test]
fn a_step_below_the_miners_range_is_off() {
    let mut run = house(85.0, Some(90));
    run.house.happens(Event::Range(Some((1800, 3600))));
    run.sample(85.0);
    for level in [55.0, 55.0, 55.0] {
        run.sample(level);
    }
    assert_eq!(run.percent(), Some(60));
    for level in [35.0, 35.0, 35.0] {
        run.sample(level);
    }
    assert_eq!((run.percent(), run.state.stopped_by()), (None, Some(StopReason::BelowRange)));
}

#[test]
fn what_a_miner_is_doing() {
    // (reachable, power, hash rate, service on, settling, state): a conflict is never "off", and unknown is not zero.
    let table = [
        (true, Some(3600), Some(100), Some(true), false, MinerState::Running),
        (true, Some(0), Some(0), Some(false), false, MinerState::Off),
        (true, Some(179), Some(0), Some(false), false, MinerState::Off),
        (true, Some(180), Some(0), Some(false), false, MinerState::Running),
        (true, Some(0), Some(1), Some(false), false, MinerState::Running),
        (true, Some(0), Some(0), Some(true), false, MinerState::Running),
        (true, Some(0), Some(0), None, false, MinerState::Off),
        (true, Some(0), Some(0), None, true, MinerState::Unknown),
        (true, None, None, Some(false), false, MinerState::Off),
        (true, None, None, None, false, MinerState::Unknown),
        (true, None, Some(0), None, false, MinerState::Unknown),
        (true, None, Some(100), Some(false), false, MinerState::Running),
        (true, None, Some(100), None, true, MinerState::Running),
        (false, Some(0), Some(0), Some(false), false, MinerState::Unknown),
        (false, Some(3600), Some(100), Some(true), false, MinerState::Unknown),
    ];
    for (reachable, power, rate, service_on, settling, state) in table {
        let miner = MinerObservation {
            reachable,
            power: power.map(Watts::whole),
            hash_rate: rate.and_then(|rate: u32| TeraHash::new(f64::from(rate))),
            service_on,
            ..MinerObservation::default()
        };
        assert_eq!(miner_state(&Policy::default(), &miner, settling), state, "{miner:?}");
    }
}

#[test]
fn a_refused_raise_is_sent_again_after_the_interval() {
    let mut run = house(100.0, Some(60));
    run.house.happens(Event::Obedience(Obedience::Refuses));
    let mut sent = run.seconds(600);
    run.house.happens(Event::Obedience(Obedience::Obeys));
    sent.extend(run.seconds(300));
    assert!(sent.len() == 3 && sent.iter().all(|(_, command)| command.percent() == Some(PowerPercent::FULL)));
    assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 300), "its settle time isn't known yet");
    assert_eq!((run.percent(), run.state.failures), (Some(100), 0));
}

#[test]
fn while_a_command_is_under_way_another_waits_for_its_effect() {
    let mut run = house(100.0, Some(60));
    run.house.happens(Event::Obedience(Obedience::OnlySaysYes));
    let raise = run.until(300, |decision| decision.command.is_some()).unwrap();
    assert_eq!(raise.reason, Reason::BatteryFull);
    run.house.happens(Event::Level(45.0));
    // Settled or not after 300 s, its fate is open until it had 600 s to show an effect.
    run.seconds(310);
    let waiting = run.tick();
    assert_eq!((waiting.wanted, waiting.command), (Wanted::Run(PowerPercent::new(50).unwrap()), None));
    assert_eq!(waiting.blocked.unwrap().by, BlockedBy::CommandUnderWay);
    run.house.happens(Event::Obedience(Obedience::Obeys));
    run.seconds(300);
    assert_eq!(run.percent(), Some(50));
}

#[test]
fn what_draws_more_than_it_was_told_is_told_again() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.sample(55.0);
    run.house.happens(Event::SetElsewhere(100));
    let decision = run.until(300, |decision| decision.command.is_some()).unwrap();
    assert_eq!(
        (decision.command.unwrap().percent(), decision.reason),
        (PowerPercent::new(60), Reason::DrawsTooMuch)
    );
    assert!(decision.alerts.contains(AlertCode::DrawsTooMuch));
    run.seconds(300);
    assert_eq!((run.percent(), run.state.ceiling.get()), (Some(60), 60));
}

#[test]
fn set_lower_elsewhere_is_left_alone_and_lowers_the_ceiling() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::SetElsewhere(60));
    for _ in 0..4 {
        assert_eq!(run.sample(95.0), []);
    }
    assert_eq!((run.percent(), run.state.ceiling.get()), (Some(60), 60));
}

#[test]
fn the_alarm_ends_when_a_failed_off_is_seen_to_be_off_after_all() {
    let mut run = house(45.0, Some(50));
    run.sample(45.0);
    run.house.happens(Event::Obedience(Obedience::Refuses));
    run.house.happens(Event::Level(28.0));
    let alarms = |decision: &Decision| decision.alerts.contains(AlertCode::OffNotVerified);
    assert!(run.until(300, alarms).is_some());
    run.house.happens(Event::Switched(false));
    let off = run.until(10, |_| true).unwrap();
    assert_eq!((off.doing, off.command, alarms(&off)), (MinerState::Off, None, false));
    assert_eq!(run.state.failures, 0);
}

#[test]
fn a_start_that_failed_long_ago_is_no_reason_to_undo_what_a_hand_did() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    run.clock(19, 0);
    run.house.happens(Event::Obedience(Obedience::Refuses));
    run.house.happens(Event::Level(65.0));
    assert!(
        run.until(300, |decision| decision.reason == Reason::SunsetStart && decision.command.is_some())
            .is_some()
    );
    run.seconds(30);
    run.house.happens(Event::Obedience(Obedience::Obeys));
    run.house.happens(Event::Switched(true));
    run.seconds(400);
    assert_eq!(run.percent(), Some(40));
    run.house.happens(Event::Switched(false));
    for _ in 0..4 {
        assert_eq!(run.sample(65.0), [], "it was switched off elsewhere");
    }
}

#[test]
fn no_power_is_written_to_a_miner_that_reads_off() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.sample(85.0);
    // The sample that confirms the reduction and somebody's hand at the machine come together.
    run.seconds(140);
    run.house.happens(Event::Switched(false));
    let decision = run.until(10, |_| true).unwrap();
    assert_eq!((decision.doing, decision.command), (MinerState::Off, None));
    assert_eq!(decision.blocked.unwrap().by, BlockedBy::MinerUnknown);
    run.sample(85.0);
    assert_eq!((run.percent(), run.state.stopped_by()), (None, Some(StopReason::Elsewhere)));
}

#[test]
fn an_unreachable_miner_gets_no_ordinary_command_and_one_seen_off_no_other_off() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.house.happens(Event::Reachable(false));
    for _ in 0..3 {
        assert_eq!(run.sample(45.0), []);
    }
    assert_eq!(run.tick().blocked.unwrap().by, BlockedBy::MinerUnknown);
    run.house.happens(Event::Reachable(true));
    run.house.happens(Event::PersonOff);
    assert_eq!(run.sample(45.0), [Command::Off]);
    run.house.happens(Event::Reachable(false));
    assert_eq!(run.sample(45.0), [], "it was seen off");

    let mut found_off = house(55.0, None);
    found_off.sample(55.0);
    found_off.house.happens(Event::Reachable(false));
    assert_eq!(found_off.sample(55.0), [], "it was found off, and nothing dangerous happened since");
}

#[test]
fn a_change_that_leaves_the_miner_off_is_got_over() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::Obedience(Obedience::OnlySaysYes));
    run.house.happens(Event::ManualPercent(90, 7200));
    assert!(run.until(60, |decision| decision.command.is_some()).is_some());
    run.house.happens(Event::Switched(false));
    // The reduction had 300 s to show; that the miner draws nothing now is its effect.
    run.seconds(400);
    assert_eq!(run.state.stopped_by(), Some(StopReason::Elsewhere));

    let mut run = house(100.0, Some(60));
    run.house.happens(Event::Obedience(Obedience::Refuses));
    assert!(run.until(300, |decision| decision.reason == Reason::BatteryFull).is_some());
    run.house.happens(Event::Switched(false));
    run.house.happens(Event::Obedience(Obedience::Obeys));
    run.seconds(600);
    assert_eq!(run.percent(), Some(100), "a refused change can leave it off: it is meant to run");
}

#[test]
fn a_change_within_the_tolerance_is_not_done_before_the_miner_says_so() {
    let mut run = house(95.0, Some(96));
    run.house.happens(Event::Obedience(Obedience::Late));
    assert!(run.until(300, |decision| decision.command.is_some()).is_some());
    run.seconds(60);
    assert_ne!(run.state.last.unwrap().stage, Stage::Observed);
    run.seconds(300);
    assert_eq!((run.state.last.unwrap().stage, run.percent()), (Stage::Observed, Some(100)));
}

#[test]
fn an_effect_that_comes_after_all_ends_the_degradation() {
    let mut run = house(100.0, Some(60));
    run.house.happens(Event::Obedience(Obedience::OnlySaysYes));
    run.seconds(2400);
    assert!(run.state.degraded());
    run.house.happens(Event::SetElsewhere(100));
    assert_eq!(run.seconds(600), []);
    assert_eq!(
        (run.state.failures, run.state.holding, run.percent()),
        (0, Some(Watts::whole(3600)), Some(100))
    );
}

#[test]
fn a_raise_that_somebody_else_made_is_not_sent_again() {
    let mut run = house(100.0, Some(40));
    // It shows on the very reading on which the law would raise it.
    run.seconds(70);
    run.house.happens(Event::SetElsewhere(100));
    assert_eq!(run.seconds(600), []);
    assert_eq!((run.percent(), run.state.ceiling.get()), (Some(100), 100));
}

/// A house at 60 % whose miner somebody gave all its power three times, a quarter of an hour apart.
fn contested(tells_limit: TellsLimit) -> Run {
    let mut run = house(55.0, Some(60));
    run.house.happens(Event::TellsLimit(tells_limit));
    run.sample(55.0);
    run.sample(55.0);
    for _ in 0..3 {
        assert!(!run.tick().alerts.contains(AlertCode::Contested));
        run.house.happens(Event::SetElsewhere(100));
        let sent = run.seconds(900);
        assert!(sent.iter().all(|(_, command)| command.percent() == PowerPercent::new(60)), "{sent:?}");
        assert_eq!(run.percent(), Some(60), "corrected each time");
    }
    assert!(run.tick().alerts.contains(AlertCode::Contested));
    run
}

#[test]
fn a_miner_that_others_change_three_times_within_an_hour_is_not_raised_until_an_hour_passed_without_that() {
    for tells_limit in [TellsLimit::Up, TellsLimit::Early] {
        let mut run = contested(tells_limit);
        run.house.happens(Event::Level(100.0));
        assert_eq!(run.seconds(2000), [], "full, and nothing upward all the same");
        let blocked = run.tick().blocked.unwrap();
        assert_eq!(blocked.by, BlockedBy::Contested);
        let free_at = blocked.until.unwrap().0 / 1000;
        assert!(run.seconds(free_at - run.house.now - 10).is_empty());
        let raised = run.until(20, |decision| decision.command.is_some()).unwrap();
        assert_eq!(raised.command.unwrap().percent(), Some(PowerPercent::FULL));
        assert!(!raised.alerts.contains(AlertCode::Contested));
    }
}

#[test]
fn a_contested_miner_still_goes_down_and_off_and_each_change_lengthens_the_wait() {
    let mut run = contested(TellsLimit::Up);
    let until = run.state.contest.until;
    run.house.happens(Event::SetElsewhere(100));
    let again = run.until(300, |decision| decision.command.is_some()).unwrap();
    assert_eq!(again.command.unwrap().percent(), PowerPercent::new(60));
    run.seconds(600);
    assert!(run.state.contest.until > until);
    for _ in 0..3 {
        run.sample(45.0);
    }
    assert_eq!(run.percent(), Some(50));
    assert_eq!(run.sample(30.0), [Command::Off]);
}

#[test]
fn a_person_who_switches_a_contested_miner_on_ends_the_wait() {
    let mut run = contested(TellsLimit::Up);
    run.house.happens(Event::PersonOn);
    assert!(!run.tick().alerts.contains(AlertCode::Contested));
    for _ in 0..4 {
        run.sample(100.0);
    }
    assert_eq!(run.percent(), Some(100));
}

#[test]
fn a_person_who_switches_on_a_contested_miner_that_already_runs_ends_the_wait_too() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    for _ in 0..3 {
        run.house.happens(Event::Switched(true));
        run.seconds(600);
        assert_eq!(run.percent(), None, "switched off again");
    }
    assert!(run.tick().alerts.contains(AlertCode::Contested));
    run.house.happens(Event::Switched(true));
    run.house.happens(Event::PersonOn);
    let taken = run.until(10, |_| true).unwrap();
    assert!(taken.command != Some(Command::Off) && !taken.alerts.contains(AlertCode::Contested));
    for _ in 0..4 {
        run.sample(100.0);
    }
    assert_eq!(run.percent(), Some(100));
}

#[test]
fn a_command_that_outlives_the_program_is_judged_by_what_the_miner_then_reads() {
    for obeys in [true, false] {
        let mut run = house(55.0, Some(100));
        run.house.happens(Event::TellsLimit(TellsLimit::Never));
        run.house.happens(Event::Obedience(if obeys { Obedience::Obeys } else { Obedience::OnlySaysYes }));
        let lowered = run.until(600, |decision| decision.command.is_some()).unwrap();
        assert_eq!(lowered.command.unwrap().percent(), PowerPercent::new(60));
        // Down for longer than the effect may take; and the miner isn't read at once.
        run.house.happens(Event::Down(1800));
        run.house.happens(Event::Reachable(false));
        run.tick();
        assert!(run.state.last.unwrap().stage.is_open() && run.state.failures == 0);
        run.house.happens(Event::Reachable(true));
        let again = run.until(300, |decision| decision.command.is_some());
        let stage = if obeys { Stage::Observed } else { Stage::UnderWay };
        assert_eq!((again.is_some(), run.state.last.unwrap().stage), (!obeys, stage));
        run.house.happens(Event::Obedience(Obedience::Obeys));
        for _ in 0..8 {
            run.sample(100.0);
        }
        assert_eq!(run.percent(), Some(100), "raised from what it holds");
    }
}

#[test]
fn changes_that_are_far_apart_are_no_contest() {
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.sample(55.0);
    for _ in 0..4 {
        run.house.happens(Event::SetElsewhere(100));
        let contested = run.until(2400, |decision| decision.alerts.contains(AlertCode::Contested));
        assert_eq!(contested, None);
    }
}

#[test]
fn who_switches_a_stopped_miner_on_again_and_again_contests_it() {
    let mut run = latched(Policy::default());
    run.sample(50.0);
    for switched_on in 1..=3 {
        run.house.happens(Event::Switched(true));
        let off = run.until(300, |decision| decision.command.is_some()).unwrap();
        assert_eq!(off.command, Some(Command::Off));
        assert_eq!(off.alerts.contains(AlertCode::Contested), switched_on == 3);
        run.seconds(300);
        assert_eq!(run.percent(), None);
    }
}

#[test]
fn what_others_do_to_a_miner_that_nobody_here_controls_is_no_contest() {
    let mut run = house(95.0, Some(100));
    run.house.happens(Event::Auto(false));
    run.sample(95.0);
    for percent in [60, 100, 50, 90, 40] {
        run.house.happens(Event::SetElsewhere(percent));
        let contested = run.until(300, |decision| decision.alerts.contains(AlertCode::Contested));
        assert_eq!(contested, None);
    }
}

#[test]
fn a_lower_limit_that_restarts_the_miner_is_left_alone_too() {
    let mut run = house(95.0, Some(100));
    run.house.happens(Event::TellsLimit(TellsLimit::Early));
    run.sample(95.0);
    run.house.happens(Event::SetElsewhere(60));
    for _ in 0..4 {
        assert_eq!(run.sample(95.0), []);
    }
    assert_eq!((run.percent(), run.state.ceiling.get()), (Some(60), 60));
}

#[test]
fn a_miner_that_no_longer_tells_what_it_draws_is_told_of_until_it_does_or_is_off() {
    let untold = |decision: &Decision| decision.alerts.contains(AlertCode::PowerUntold);
    let mut run = house(55.0, Some(60));
    run.sample(55.0);
    run.house.happens(Event::TellsPower(false));
    assert_eq!(run.until(300, untold), None, "a restart takes as long");
    let decision = run.until(20, untold).unwrap();
    assert_eq!((decision.doing, decision.command), (MinerState::Running, None));
    run.house.happens(Event::Reachable(false));
    assert!(!untold(&run.tick()), "then it tells nothing at all");
    run.house.happens(Event::Reachable(true));
    assert!(untold(&run.tick()));
    run.house.happens(Event::TellsPower(true));
    assert!(!untold(&run.tick()));
    run.house.happens(Event::TellsPower(false));
    assert!(run.until(400, untold).is_some(), "it began anew");
    run.house.happens(Event::PersonOff);
    run.seconds(30);
    assert_eq!((run.percent(), untold(&run.tick())), (None, false));

    let mut run = house(55.0, Some(60));
    run.house.happens(Event::TellsPower(false));
    assert_eq!(run.until(1200, untold), None, "it never told");
}

#[test]
fn a_miner_that_tells_no_power_is_at_the_limit_that_it_says_it_is_set_to() {
    let mut run = house(95.0, Some(100));
    run.sample(95.0);
    run.house.happens(Event::TellsPower(false));
    let mut sent = Vec::new();
    for _ in 0..12 {
        sent.extend(run.sample(85.0));
    }
    assert_eq!(sent.len(), 1, "once is enough: {sent:?}");
    assert_eq!((run.percent(), run.state.failures), (Some(90), 0));
    assert_eq!(run.state.last.unwrap().stage, Stage::Observed);
}

#[test]
fn a_miner_that_hashes_and_tells_no_power_isnt_seen_off() {
    let mut run = house(45.0, Some(50));
    run.sample(45.0);
    for event in [Event::TellsPower(false), Event::TellsService(false)] {
        run.house.happens(event);
    }
    run.house.happens(Event::Obedience(Obedience::OnlySaysYes));
    run.house.happens(Event::Level(28.0));
    let offs = run.seconds(600);
    assert!(offs.len() >= 2 && offs.iter().all(|(_, command)| command.is_off()), "{offs:?}");
    let decision = run.tick();
    assert_eq!((decision.doing, decision.wanted), (MinerState::Running, Wanted::Off));
    assert!(decision.alerts.contains(AlertCode::OffNotVerified));
}
