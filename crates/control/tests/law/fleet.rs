//! Dealing out what several miners may draw together, for any claims.

use crate::world::{events::Event, run::latched};
use control::{
    Member, Observation, Policy, PowerRange, Share, deal,
    fleet::{BETWEEN_STARTS, Claim, Part, SLACK, steps},
    step,
};
use model::{BlockedBy, MonoTime, PowerPercent, Reason, Watts};
use proptest::prelude::*;

const NOW: MonoTime = MonoTime(1_000_000_000);

fn watts(value: f64) -> Watts {
    Watts::new(value).unwrap()
}

/// A miner of `base` watts that can hold every step of the ladder, or its full power alone.
fn member(base: u32, only_full: bool, part: impl Fn(f64, &[Watts]) -> Part) -> Member {
    let base = Watts::whole(base);
    let policy = Policy { base_watts: base, ..Policy::default() };
    let least = if only_full { base } else { Watts::whole(1) };
    let steps = steps(&policy, Some(PowerRange { min: least, max: base }));
    let claim = Claim { part: part(base.get(), &steps), started_at: None };
    Member { claim, base, steps, priority: 1, watts_per_terahash: None }
}

fn running(base: u32, held: u32, allowed: u8) -> Member {
    member(base, base < 500, |base, _| {
        let allowed = PowerPercent::new(allowed).unwrap().of(watts(base));
        Part::Running {
            held: Watts::whole(held),
            least: allowed,
            most: allowed,
            is_reachable: true,
            may_rise: true,
        }
    })
}

fn starting(base: u32, allowed: u8) -> Member {
    member(base, base < 500, |base, _| Part::Starting {
        allowed: PowerPercent::new(allowed).unwrap().of(watts(base)),
        is_asked_for: false,
    })
}

fn dealt(members: &[Member]) -> Vec<u32> {
    let power = |share| match share {
        Share::Dealt { power, .. } => power.map_or(0, Watts::round_to_whole),
        Share::Whole | Share::Asked => unreachable!("a dealt share is dealt"),
    };
    deal(NOW, members).into_iter().map(power).collect()
}

#[test]
fn nobody_is_touched_while_the_sum_fits() {
    assert_eq!(dealt(&[running(3600, 3600, 70), running(3600, 1440, 70)]), [3600, 1440]);
}

#[test]
fn one_miner_makes_room_and_the_last_in_order_first() {
    assert_eq!(dealt(&[running(3600, 3600, 90), running(3600, 3600, 90)]), [3600, 2880]);
    let first = Member { priority: 2, ..running(3600, 3600, 90) };
    assert_eq!(dealt(&[first, running(3600, 3600, 90)]), [2880, 3600]);
    let thirsty = Member { watts_per_terahash: Some(38.0), ..running(3600, 3600, 90) };
    let frugal = Member { watts_per_terahash: Some(19.0), ..running(3600, 3600, 90) };
    assert_eq!(dealt(&[thirsty, frugal]), [2880, 3600]);
}

#[test]
fn a_step_of_another_goes_before_an_off() {
    assert_eq!(dealt(&[running(3600, 2880, 50), running(3600, 1440, 50)]), [2160, 1440]);
}

#[test]
fn two_come_down_before_one_is_switched_off() {
    assert_eq!(dealt(&[running(3600, 1800, 40), running(2400, 1200, 40)]), [1440, 960]);
}

#[test]
fn small_miners_go_first_where_no_step_is_left_and_only_as_many_as_needed() {
    let small = |_| running(100, 100, 40);
    let mut members = vec![running(3600, 1440, 40), running(3600, 1440, 40)];
    members.extend((0..6).map(small));
    // 3120 W are allowed, 150 W more are no excess: two of the six have to go.
    assert_eq!(dealt(&members), [1440, 1440, 100, 100, 100, 0, 0, 0]);
}

#[test]
fn all_run_at_full_power_when_everything_is_allowed() {
    assert_eq!(
        dealt(&[running(3600, 1440, 100), running(3600, 2160, 100), starting(18, 100)]),
        [3600, 3600, 18]
    );
}

/// Sums of such powers differ by less than a rounding from what is allowed.
#[test]
fn a_difference_that_rounding_makes_is_none() {
    let third = f64::from(3600_u32) / 3.0;
    for nudge in [1e-13, 4e-13, 1e-12, 1e-9, 0.49] {
        let made = |held: f64| {
            member(3600, false, move |base, _| Part::Running {
                held: watts(held),
                least: watts(0.5 * base),
                most: watts(0.5 * base),
                is_reachable: true,
                may_rise: true,
            })
        };
        let slack = 3.0 * 3600.0 * SLACK;
        let members = [made(1800.0 + slack + nudge), made(1800.0), made(1440.0 + 360.0 + third * 1e-16)];
        let sum: f64 = deal(NOW, &members).into_iter().map(power).sum();
        assert!(sum <= 5400.0 + slack + 0.5, "{nudge}: {sum}");
    }
}

#[test]
fn what_a_step_left_over_moves_nobody_else() {
    // 5760 W are allowed and 5540 W held.
    assert_eq!(dealt(&[running(5000, 4000, 80), running(2200, 1540, 80)]), [4000, 1540]);
}

#[test]
fn a_miner_that_may_start_gets_what_it_brings_in() {
    assert_eq!(dealt(&[running(3600, 2520, 70), starting(3600, 70)]), [2520, 2520]);
}

#[test]
fn nothing_is_raised_on_what_may_still_be_drawn() {
    let off_under_way = member(3600, false, |base, _| Part::Out { draws: watts(base) });
    assert_eq!(dealt(&[running(3600, 1440, 100), off_under_way]), [1440, 0]);
}

#[test]
fn a_miner_out_of_reach_is_counted_and_left_alone() {
    let lost = member(3600, false, |base, _| Part::Running {
        held: watts(base),
        least: watts(0.6 * base),
        most: watts(0.6 * base),
        is_reachable: false,
        may_rise: false,
    });
    assert_eq!(dealt(&[running(3600, 2160, 60), lost]), [0, 3600]);
}

#[test]
fn starts_follow_one_another_but_for_what_a_person_asks_for() {
    let turns = |members: &[Member]| -> Vec<bool> {
        let turn = |share| matches!(share, Share::Dealt { may_start: true, .. });
        deal(NOW, members).into_iter().map(turn).collect()
    };
    let asked = member(3600, false, |base, _| Part::Starting { allowed: watts(base), is_asked_for: true });
    assert_eq!(turns(&[starting(3600, 100), starting(3600, 100), asked]), [true, false, true]);
    let mut just_started = running(3600, 3600, 100);
    just_started.claim.started_at = Some(MonoTime(NOW.0 - 1000));
    assert_eq!(turns(&[just_started.clone(), starting(3600, 100)]), [true, false]);
    let long_ago = i64::try_from(BETWEEN_STARTS.as_millis()).unwrap();
    just_started.claim.started_at = Some(MonoTime(NOW.0 - long_ago));
    assert_eq!(turns(&[just_started, starting(3600, 100)]), [true, true]);
}

#[test]
fn who_gets_no_share_is_told_what_really_keeps_it_off() {
    let told = |answers: bool| {
        let mut run = latched(Policy::default());
        for level in [60.0, 70.0, 80.0, 90.0, 99.0, 100.0] {
            run.sample(level);
        }
        run.house.happens(Event::Reachable(answers));
        let mut last = None;
        for _ in 0..60 {
            run.house.passes(10);
            let seen =
                Observation { share: Share::Dealt { power: None, may_start: true }, ..run.house.observe() };
            let (state, decision) = step(&run.policy, run.state.clone(), &seen);
            assert_eq!(decision.command, None);
            run.state = state;
            last = Some((decision.reason, decision.blocked.unwrap().by));
        }
        last.unwrap()
    };
    assert_eq!(told(true), (Reason::NoShare, BlockedBy::Share));
    assert_eq!(told(false).1, BlockedBy::MinerUnknown);
}

fn any_part() -> impl Strategy<Value = (u8, f64, u8, u8, bool, bool)> {
    (0..8_u8, 0.0..1.2_f64, 0..=10_u8, 0..=2_u8, any::<bool>(), any::<bool>())
}

prop_compose! {
    fn any_member()(
        base in prop_oneof![4 => 500..6000_u32, 3 => 10..120_u32],
        (kind, held, tenths, wider, is_reachable, may_rise) in any_part(),
        on_a_step in any::<bool>(),
        priority in 1..4_u8,
        watts_per_terahash in prop::option::of(10.0..60.0_f64),
    ) -> Member {
        let made = member(base, base < 500, |base, steps| {
            let least = f64::from(tenths) / 10.0 * base;
            let most = (f64::from(tenths + wider) / 10.0).min(1.0) * base;
            let near = steps.iter().rev().find(|step| step.get() <= held * base).map(|step| step.get());
            let held = match near {
                Some(near) if on_a_step => near,
                Some(_) => held * base,
                None => base,
            };
            match kind {
                0 => Part::Out { draws: watts(held) },
                1 | 2 => Part::Starting { allowed: watts(most), is_asked_for: false },
                3 => Part::Running {
                    held: watts(held), least: watts(least), most: watts(most), is_reachable, may_rise: is_reachable && may_rise,
                },
                _ => Part::Running {
                    held: watts(held), least: watts(least), most: watts(most), is_reachable: true, may_rise: true,
                },
            }
        });
        Member { priority, watts_per_terahash, ..made }
    }
}

fn sums(members: &[Member]) -> (f64, f64, f64) {
    let (mut least, mut most, mut bases) = (0.0, 0.0, 0.0);
    for member in members {
        match member.claim.part {
            Part::Out { .. } => {}
            Part::Running { least: low, most: high, .. } => {
                (least, most, bases) = (least + low.get(), most + high.get(), bases + member.base.get());
            }
            Part::Starting { allowed, .. } => {
                (least, most) = (least + allowed.get(), most + allowed.get());
                bases += member.base.get();
            }
        }
    }
    (least, most, (bases * SLACK).max(0.5))
}

fn power(share: Share) -> f64 {
    match share {
        Share::Dealt { power, .. } => power.map_or(0.0, Watts::get),
        Share::Whole | Share::Asked => f64::NAN,
    }
}

/// The same house at the next tick, once everybody did as they were dealt.
fn afterwards(members: &[Member], shares: &[Share]) -> Vec<Member> {
    let next = |(member, share): (&Member, &Share)| {
        let holds = power(*share);
        let part = match member.claim.part {
            Part::Running { most, is_reachable: true, .. } if holds <= 0.0 => {
                Part::Starting { allowed: most, is_asked_for: false }
            }
            Part::Running { least, most, is_reachable, may_rise, .. } => {
                Part::Running { held: watts(holds), least, most, is_reachable, may_rise }
            }
            Part::Starting { allowed, .. } if holds > 0.0 => Part::Running {
                held: watts(holds),
                least: allowed,
                most: allowed,
                is_reachable: true,
                may_rise: true,
            },
            part => part,
        };
        Member { claim: Claim { part, started_at: None }, ..member.clone() }
    };
    members.iter().zip(shares).map(next).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_sum_is_never_above_what_is_allowed(members in prop::collection::vec(any_member(), 0..9)) {
        let shares = deal(NOW, &members);
        prop_assert_eq!(shares.len(), members.len());
        let (_, most, slack) = sums(&members);
        let unheard = members.iter().filter_map(|member| match member.claim.part {
            // What is near a step counts as the step.
            Part::Running { held, is_reachable: false, .. } => Some(held.get() + 0.03 * member.base.get()),
            _ => None,
        });
        let (unheard, sum) = (unheard.sum::<f64>(), shares.iter().copied().map(power).sum::<f64>());
        // Those that can't be told anything may hold too much by themselves; nobody adds to it.
        prop_assert!(sum <= (most + slack + 0.5).max(unheard + 0.5), "{} of {}", sum, most);
    }

    #[test]
    fn a_share_is_a_step_or_what_is_held_and_only_who_takes_part_gets_one(
        members in prop::collection::vec(any_member(), 0..9),
    ) {
        for (member, share) in members.iter().zip(deal(NOW, &members)) {
            let dealt = power(share);
            let is_a_step = member.steps.iter().any(|step| (step.get() - dealt).abs() < 1e-6);
            match member.claim.part {
                Part::Out { .. } => prop_assert!(dealt == 0.0),
                Part::Starting { .. } => prop_assert!(dealt == 0.0 || is_a_step),
                Part::Running { held, is_reachable, may_rise, .. } => {
                    let same = (dealt - held.get()).abs() <= 0.03 * member.base.get();
                    prop_assert!(dealt == 0.0 || is_a_step || same);
                    prop_assert!(may_rise || same || dealt < held.get());
                    prop_assert!(is_reachable || same);
                }
            }
        }
    }

    #[test]
    fn nobody_is_raised_or_started_beyond_what_is_certain(members in prop::collection::vec(any_member(), 0..9)) {
        let (least, _, slack) = sums(&members);
        let shares = deal(NOW, &members);
        let raised = members.iter().zip(&shares).any(|(member, share)| match member.claim.part {
            Part::Running { held, .. } => power(*share) > held.get() + 0.031 * member.base.get(),
            Part::Starting { .. } => power(*share) > 0.0,
            Part::Out { .. } => false,
        });
        let elsewhere = members.iter().filter_map(|member| match member.claim.part {
            Part::Out { draws } => Some(draws.get()),
            _ => None,
        });
        let sum = shares.into_iter().map(power).sum::<f64>() + elsewhere.sum::<f64>();
        prop_assert!(!raised || sum <= least + slack + 0.5, "{} of {}", sum, least);
    }

    #[test]
    fn asked_again_it_deals_the_same(members in prop::collection::vec(any_member(), 0..9)) {
        let certain: Vec<_> = members
            .into_iter()
            .map(|mut member| {
                if let Part::Running { least, most, .. } = &mut member.claim.part {
                    *least = *most;
                }
                member
            })
            .collect();
        let once = deal(NOW, &certain);
        let again = deal(NOW, &afterwards(&certain, &once));
        let (once, again): (Vec<_>, Vec<_>) =
            (once.into_iter().map(power).collect(), again.into_iter().map(power).collect());
        prop_assert_eq!(once, again);
    }

    #[test]
    fn the_order_of_the_list_decides_only_between_equals(
        members in prop::collection::vec(any_member(), 0..6),
    ) {
        let distinct: Vec<_> = members
            .into_iter()
            .zip(1_u8..)
            .map(|(member, priority)| Member { priority, ..member })
            .collect();
        let backwards: Vec<_> = distinct.iter().rev().cloned().collect();
        let mut other = deal(NOW, &backwards);
        other.reverse();
        prop_assert_eq!(deal(NOW, &distinct), other);
    }
}
