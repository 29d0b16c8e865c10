//! Several miners on one battery: the law's percentage applies to all of them together, and what it allows is dealt out.
//!
//! Each miner has its own law with its own memory, and all see the same battery. Of every tick each is asked first what
//! it brings in, which is its full power times what its ladder allows, and what it holds ([`claim`]). [`deal`] makes
//! shares of it, and with its share ([`Share::Dealt`]) each law decides as ever: safety, intervals, the day's budget
//! and what counts as done are each miner's own.
//!
//! A miner that the law keeps off, or that a person has taken in hand, brings nothing in and gets nothing.
//!
//! How the shares are made:
//!
//! * The power goes to those with the higher priority first, then to those that need less energy for a hash.
//! * In steps that the miner can hold ([`steps`]). Less than the least of them is off.
//! * Nobody's power is touched while the sum fits. If it doesn't, as few as possible come down, the last in order
//!   first, and a miner is switched off only where all steps together don't make enough room.
//! * What is left over starts those that may start, one after the other, and raises others only where it is as much as
//!   the widest step, or at full power: what a step left over doesn't move another miner.
//! * A miner out of reach counts at the most that is known of it until it is known to be off.
//!
//! Dealing has no memory. Asked again with what it dealt, it deals the same.

use crate::{
    Observation, Policy, PowerRange, Stage, Stance, State, actuation::same_power, ladder::RUNGS, rules::step,
};
use model::{Command, MonoTime, PowerPercent, Rule, Watts, snapshot::MinerState};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, time::Duration};

/// Between two starts: the house's wiring and its inverter see one inrush at a time.
pub const BETWEEN_STARTS: Duration = Duration::from_secs(30);
/// A sum this share of all full powers above what is allowed is no excess: it is less than the miners keep to theirs.
/// Small miners that can only be on or off are rounded up within it.
pub const SLACK: f64 = 0.02;
/// Rounding.
const NOTHING: f64 = 0.01;

/// A miner's part of what all together may draw.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// It is the only one: the ladder's percentage is its own.
    #[default]
    Whole,
    /// It isn't dealt yet. The law tells what the miner brings in and sends nothing upward.
    Asked,
    /// It is dealt.
    Dealt {
        /// The power, one of the miner's [`steps`] or what it holds already; `None` if it gets none.
        power: Option<Watts>,
        /// Whether it may start now; else others start first.
        may_start: bool,
    },
}

/// What a miner brings in to what all may draw, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Its part.
    pub part: Part,
    /// When it was last told to start, if that was its last command.
    pub started_at: Option<MonoTime>,
}

/// A miner's part in the dealing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// It takes no part: it brings nothing in and gets nothing.
    Out {
        /// What it may still draw though it shouldn't: nothing is raised on that.
        draws: Watts,
    },
    /// It runs, or was told to.
    Running {
        /// What it was told to hold.
        held: Watts,
        /// What its ladder certainly allows: others are raised only on this.
        least: Watts,
        /// What its ladder allows at the most: above it somebody has to come down.
        most: Watts,
        /// It takes commands.
        is_reachable: bool,
        /// It may be raised.
        may_rise: bool,
    },
    /// It is off, and may start.
    Starting {
        /// What its ladder allows.
        allowed: Watts,
        /// A person asked for it: it waits for nobody else's start.
        is_asked_for: bool,
    },
}

impl Claim {
    pub(crate) fn of(state: &State, part: Part) -> Self {
        let started = state.last.filter(|last| matches!(last.command, Command::Start { .. }));
        Self { part, started_at: started.map(|last| last.sent_at) }
    }
}

/// One of the miners among which power is dealt.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// What it brings in.
    pub claim: Claim,
    /// Its full power.
    pub base: Watts,
    /// The powers that it can hold, least first.
    pub steps: Vec<Watts>,
    /// Whose turn it is, 1 first.
    pub priority: u8,
    /// Watts for a TH/s, where known: less is better.
    pub watts_per_terahash: Option<f64>,
}

/// What a miner brings in at this tick. `state` is the one before it.
pub fn claim(policy: &Policy, state: &State, seen: &Observation) -> Claim {
    let asked = Observation { share: Share::Asked, ..*seen };
    let (after, decision) = step(policy, state.clone(), &asked);
    decision.claim.unwrap_or_else(|| {
        let known = [seen.miner.power, after.holding].into_iter().flatten().reduce(Watts::most);
        let in_hand = matches!(decision.rule, Rule::Manual | Rule::AutoOff);
        // One that was seen off and doesn't answer any more has most likely no current at all.
        let was_off = matches!(after.stance, Stance::Stopped { .. })
            && after.last.is_none_or(|last| last.command.is_off() && last.stage == Stage::Observed);
        let draws = match decision.doing {
            _ if in_hand => Watts::ZERO,
            MinerState::Off => Watts::ZERO,
            MinerState::Unknown if was_off => Watts::ZERO,
            MinerState::Running | MinerState::Unknown => known.unwrap_or(policy.base_watts),
        };
        Claim::of(&after, Part::Out { draws })
    })
}

/// The powers that a miner can hold: the ladder's steps of its full power that lie in its range, least first. One that
/// can't be set at all has a range of one power, and that is its only step.
pub fn steps(policy: &Policy, range: Option<PowerRange>) -> Vec<Watts> {
    let mut steps: Vec<Watts> = Vec::new();
    for rung in RUNGS.into_iter().filter_map(PowerPercent::new) {
        let watts = rung.of(policy.base_watts);
        let held = match range {
            Some(PowerRange { min, max }) if min <= max && watts < min => continue,
            Some(PowerRange { min, max }) if min <= max => watts.least(max),
            _ => watts,
        };
        if held.round_to_whole() > 0 && steps.last().is_none_or(|last| *last < held) {
            steps.push(held);
        }
    }
    steps
}

/// Deals out what the miners may draw together; the shares are in the order of `members`.
///
/// Pure, total and deterministic. The sum of the shares is never above what the ladders allow, but for [`SLACK`] and
/// for miners that can't be told anything.
pub fn deal(now: MonoTime, members: &[Member]) -> Vec<Share> {
    let mut table = Table::new(members);
    table.come_down();
    table.start();
    table.rise();
    let turn = table.turn(now);
    let share = |(at, seat): (usize, &Seat)| match members.get(at).map(|member| member.claim.part) {
        Some(Part::Starting { is_asked_for, .. }) => {
            Share::Dealt { power: seat.power(), may_start: is_asked_for || turn == Some(at) }
        }
        _ => Share::Dealt { power: seat.power(), may_start: true },
    };
    table.seats.iter().enumerate().map(share).collect()
}

/// What a member has while it is dealt.
#[derive(Debug, Clone, Copy)]
struct Seat {
    /// W; 0 is off.
    holds: f64,
}

impl Seat {
    fn power(self) -> Option<Watts> {
        Watts::new(self.holds).filter(|power| power.get() > 0.0)
    }
}

struct Table<'a> {
    members: &'a [Member],
    seats: Vec<Seat>,
    /// Indices, who is served first.
    order: Vec<usize>,
    /// What the ladders allow at the most, and for certain.
    most: f64,
    least: f64,
    /// What is drawn by those that take no part.
    elsewhere: f64,
    slack: f64,
}

impl<'a> Table<'a> {
    fn new(members: &'a [Member]) -> Self {
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by(|one, other| match (members.get(*one), members.get(*other)) {
            (Some(one), Some(other)) => in_order(one, other),
            _ => Ordering::Equal,
        });
        let (mut most, mut least, mut elsewhere, mut bases) = (0.0, 0.0, 0.0, 0.0);
        let mut seats = Vec::with_capacity(members.len());
        for member in members {
            let holds = match member.claim.part {
                Part::Out { draws } => {
                    elsewhere += draws.get().max(0.0);
                    0.0
                }
                Part::Running { held, least: certain, most: allowed, .. } => {
                    (most, least) = (most + allowed.get(), least + certain.get());
                    bases += member.base.get();
                    nearest_step(member, held)
                }
                Part::Starting { allowed, .. } => {
                    (most, least) = (most + allowed.get(), least + allowed.get());
                    bases += member.base.get();
                    0.0
                }
            };
            seats.push(Seat { holds });
        }
        let slack = (bases * SLACK).max(NOTHING);
        Self { members, seats, order, most, least, elsewhere, slack }
    }

    fn sum(&self) -> f64 {
        self.seats.iter().map(|seat| seat.holds).sum()
    }

    fn member(&self, at: usize) -> Option<(&'a Member, f64)> {
        self.members.get(at).zip(self.seats.get(at).map(|seat| seat.holds))
    }

    fn set(&mut self, at: usize, watts: f64) {
        if let Some(seat) = self.seats.get_mut(at) {
            seat.holds = watts;
        }
    }

    /// Those that can come down, who is served last first.
    fn can_come_down(&self) -> impl Iterator<Item = (usize, &'a Member, f64)> {
        self.order.iter().rev().filter_map(|at| {
            let (member, holds) = self.member(*at)?;
            let takes = matches!(member.claim.part, Part::Running { is_reachable: true, .. });
            (takes && holds > 0.0).then_some((*at, member, holds))
        })
    }

    /// Makes room until the sum fits, or nobody is left who could.
    fn come_down(&mut self) {
        let before: Vec<f64> = self.seats.iter().map(|seat| seat.holds).collect();
        // Each comes down by a step at the most, to its lowest at the most, and off at the most.
        for _ in 0..self.members.len().saturating_mul(3) {
            let excess = self.sum() - self.most;
            let room = excess - self.slack;
            // What is less than rounding makes no room: a difference this small is lost in a sum of powers.
            if room <= NOTHING {
                break;
            }
            let by_a_step = self.can_come_down().find_map(|(at, member, holds)| {
                let fits = |step: &&Watts| step.get() <= holds - room && step.get() < holds;
                member.steps.iter().rev().find(fits).map(|step| (at, step.get()))
            });
            // Several come down before one is switched off: who has most to give first, so that they are few.
            let by_steps = || {
                let lowest = |(at, member, holds): (usize, &Member, f64)| {
                    let step = member.steps.first()?.get();
                    (step < holds).then_some((at, step, holds - step))
                };
                let all: Vec<_> = self.can_come_down().filter_map(lowest).collect();
                let enough = all.iter().map(|(_, _, room)| room).sum::<f64>() >= room;
                let widest =
                    all.into_iter().reduce(|best, other| if other.2 > best.2 { other } else { best });
                widest.filter(|_| enough).map(|(at, step, _)| (at, step))
            };
            // Off, and the rest is somebody else's; or, of those that each would do, the one that gives up least.
            let off = |fits: fn(f64, f64) -> bool| {
                let mut fitting = self.can_come_down().filter(move |(_, _, holds)| fits(*holds, excess));
                fitting.next().map(|(at, ..)| (at, 0.0))
            };
            let smallest = || {
                let all = self.can_come_down();
                all.min_by(|one, other| one.2.total_cmp(&other.2)).map(|(at, ..)| (at, 0.0))
            };
            let Some((at, watts)) = by_a_step
                .or_else(by_steps)
                .or_else(|| off(|holds, excess| holds <= excess))
                .or_else(smallest)
            else {
                break;
            };
            self.set(at, watts);
        }
        self.give_back(&before);
    }

    /// Who made room early may have made too much of it together with those after.
    fn give_back(&mut self, before: &[f64]) {
        for at in self.order.clone() {
            let Some((member, holds)) = self.member(at) else { continue };
            let held = before.get(at).copied().unwrap_or(0.0);
            let most = held.min(holds + self.most + self.slack - self.sum());
            if let Some(step) = member.steps.iter().rev().find(|step| step.get() <= most)
                && step.get() > holds
            {
                self.set(at, step.get());
            }
        }
    }

    /// What may still be dealt.
    fn spare(&self) -> f64 {
        self.least - self.sum() - self.elsewhere
    }

    /// Those that may start get what they bring in, as far as there is enough.
    fn start(&mut self) {
        for at in self.order.clone() {
            let Some((member, _)) = self.member(at) else { continue };
            let Part::Starting { allowed, .. } = member.claim.part else { continue };
            let spare = self.spare() + self.slack;
            let fits = |step: &&Watts| step.get() <= allowed.get() + NOTHING && step.get() <= spare;
            let rounded_up = || member.steps.first().filter(|step| step.get() <= spare);
            if let Some(step) = member.steps.iter().rev().find(fits).or_else(rounded_up) {
                self.set(at, step.get());
            }
        }
    }

    /// Raises who may rise by what is left over.
    fn rise(&mut self) {
        let widest = self.members.iter().filter(|member| !matches!(member.claim.part, Part::Out { .. }));
        let widest = widest.map(widest_step).fold(0.0, f64::max);
        let bases: f64 = self.members.iter().filter_map(brought_in_at_full_power).sum();
        let is_everything = self.least >= bases - NOTHING;
        if !is_everything && self.spare() < widest - NOTHING {
            return;
        }
        for at in self.order.clone() {
            let Some((member, holds)) = self.member(at) else { continue };
            let may_rise = match member.claim.part {
                Part::Running { may_rise, .. } => may_rise,
                Part::Starting { .. } => holds > 0.0,
                Part::Out { .. } => false,
            };
            let most = holds + self.spare() + NOTHING;
            let step = member.steps.iter().rev().find(|step| step.get() <= most);
            if let Some(step) = step.filter(|step| may_rise && step.get() > holds) {
                self.set(at, step.get());
            }
        }
    }

    /// Who may start now: the first in order, once the last start is long enough ago.
    fn turn(&self, now: MonoTime) -> Option<usize> {
        let last = self.members.iter().filter_map(|member| member.claim.started_at).max();
        if last.is_some_and(|last| now.since(last) < BETWEEN_STARTS) {
            return None;
        }
        self.order.iter().copied().find(|at| {
            self.member(*at).is_some_and(|(member, holds)| {
                holds > 0.0 && matches!(member.claim.part, Part::Starting { is_asked_for: false, .. })
            })
        })
    }
}

/// The step that a held power is, if it is one; else the power itself.
fn nearest_step(member: &Member, held: Watts) -> f64 {
    let as_its_own = Policy { base_watts: member.base, ..Policy::default() };
    let near = member.steps.iter().rev().find(|step| same_power(&as_its_own, **step, held));
    near.copied().unwrap_or(held).get().max(0.0)
}

fn brought_in_at_full_power(member: &Member) -> Option<f64> {
    (!matches!(member.claim.part, Part::Out { .. })).then_some(member.base.get())
}

/// The widest step between two powers of a miner; its only power, if it has one only.
fn widest_step(member: &Member) -> f64 {
    let mut widest = if member.steps.len() == 1 { member.base.get() } else { 0.0 };
    for pair in member.steps.windows(2) {
        if let [lower, higher] = pair {
            widest = f64::max(widest, higher.get() - lower.get());
        }
    }
    widest
}

/// Who is served first. An unknown efficiency comes after every known one; what is left is the house's own order.
fn in_order(one: &Member, other: &Member) -> Ordering {
    let efficiency = |member: &Member| member.watts_per_terahash.filter(|value| *value > 0.0);
    one.priority.cmp(&other.priority).then_with(|| match (efficiency(one), efficiency(other)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    })
}
