//! Several miners with a law each on one battery, over random days.

use crate::world::{
    days::{day, policy},
    events::{Day, Event},
    house::House,
    run::{NOON, TICK},
};
use control::{
    Decision, Member, Observation, Policy, PowerRange, Share, State, claim, deal, fleet, fleet::Part,
    monitor::Monitor, step,
};
use model::{BlockedBy, MonoTime, Watts, snapshot::MinerState};
use proptest::prelude::*;
use std::time::Duration;

/// One of the miners, with the house as it sees it.
struct Place {
    policy: Policy,
    range: PowerRange,
    house: House,
    state: State,
    monitor: Monitor,
}

struct Site {
    places: Vec<Place>,
}

/// What one tick came to.
struct Ticked {
    members: Vec<Member>,
    decisions: Vec<Decision>,
}

impl Site {
    /// A big miner, a smaller one, and one that can only be on or off.
    fn new(policy: &Policy, day: &Day) -> Self {
        let place = |(base, least): (u32, u32)| Place {
            policy: Policy { base_watts: Watts::whole(base), ..policy.clone() },
            range: PowerRange { min: Watts::whole(least), max: Watts::whole(base) },
            house: House::new(day),
            state: State::new(MonoTime(0)),
            monitor: Monitor::default(),
        };
        Self { places: [(3600, 1080), (2400, 960), (300, 300)].into_iter().map(place).collect() }
    }

    /// The battery and the clocks are the same for all; what happens to a miner or its person, to one.
    fn happens(&mut self, event: Event, to: usize) {
        let one = matches!(
            event,
            Event::Obedience(_)
                | Event::Reachable(_)
                | Event::Switched(_)
                | Event::SetElsewhere(_)
                | Event::Restarts(_)
                | Event::Ramp(_)
                | Event::TellsService(_)
                | Event::TellsPower(_)
                | Event::TellsLimit(_)
                | Event::Auto(_)
                | Event::PersonOff
                | Event::PersonOn
                | Event::PersonLeaves
                | Event::ManualPercent(..)
                | Event::ManualWatts(..)
                | Event::ManualEnds
        );
        // The range is the miner's own here.
        if matches!(event, Event::Range(_)) {
            return;
        }
        let count = self.places.len();
        for (at, place) in self.places.iter_mut().enumerate() {
            if !one || at == to % count {
                place.house.happens(event);
            }
        }
    }

    fn tick(&mut self) -> Ticked {
        let mut seen = Vec::new();
        let mut members = Vec::new();
        for place in &mut self.places {
            place.house.passes(TICK);
            let mut look = place.house.observe();
            look.miner.range = Some(place.range);
            seen.push(look);
            members.push(Member {
                claim: claim(&place.policy, &place.state, &look),
                base: place.policy.base_watts,
                steps: fleet::steps(&place.policy, Some(place.range)),
                priority: 1,
                watts_per_terahash: None,
            });
        }
        let now = seen.first().map_or(MonoTime(0), |look| look.now);
        let shares = deal(now, &members);
        let mut decisions = Vec::new();
        for ((place, look), share) in self.places.iter_mut().zip(seen).zip(shares) {
            let look = Observation { share, ..look };
            let (after, decision) = step(&place.policy, place.state.clone(), &look);
            let broken = place.monitor.check(&place.policy, &place.state, &look, &after, &decision);
            assert!(
                broken.is_empty(),
                "{:?} by {decision:?} of {share:?}",
                broken.names().collect::<Vec<_>>()
            );
            place.state = after;
            if let (Some(command), Some(last)) = (decision.command, place.state.last) {
                place.house.miner.receive(place.house.now, last.sequence, command);
            }
            decisions.push(decision);
        }
        Ticked { members, decisions }
    }

    /// Lives on at this state of charge and returns how many commands there were.
    fn at(&mut self, level: f64, seconds: i64) -> usize {
        self.happens(Event::Level(level), 0);
        self.happens(Event::Drift(0.0), 0);
        (0..seconds / TICK)
            .map(|_| self.tick().decisions.iter().filter(|decision| decision.command.is_some()).count())
            .sum()
    }

    /// What each really runs at, in W.
    fn powers(&self) -> Vec<u32> {
        let power =
            |place: &Place| if place.house.miner.on { place.house.miner.set.round_to_whole() } else { 0 };
        self.places.iter().map(power).collect()
    }
}

const HOUR: i64 = 3600;

/// Everything runs at full power.
fn running() -> Site {
    let mut site = Site::new(&Policy::default(), &Day::quiet(95.0, Some(100), NOON));
    for (place, base) in site.places.iter_mut().zip([3600, 2400, 300]) {
        place.house.miner.set = Watts::whole(base);
    }
    site.at(95.0, HOUR / 2);
    assert_eq!(site.powers(), [3600, 2400, 300]);
    site
}

#[test]
fn the_house_goes_down_the_ladder_together_and_comes_back_with_a_full_battery() {
    let mut site = running();
    // 5670, 5040, 4410, 3780, 3150 and 2520 W are allowed, and 126 W more are no excess.
    let ladder = [
        (88.0, [3600, 1680, 300]),
        (78.0, [3600, 1200, 300]),
        (68.0, [2880, 1200, 300]),
        (58.0, [2160, 1200, 300]),
        (48.0, [1440, 1200, 300]),
        (38.0, [1440, 1200, 0]),
    ];
    for (level, powers) in ladder {
        site.at(level, HOUR);
        assert_eq!(site.powers(), powers, "at {level} %");
    }
    assert_eq!(site.at(66.0, HOUR), 0, "only a full battery raises");
    site.at(100.0, HOUR);
    assert_eq!(site.powers(), [3600, 2400, 300]);
}

#[test]
fn an_emergency_stops_all_on_one_tick() {
    let mut site = running();
    site.happens(Event::Level(29.0), 0);
    for _ in 0..60 {
        let decisions = site.tick().decisions;
        let offs = decisions.iter().filter(|decision| decision.command.is_some_and(model::Command::is_off));
        match offs.count() {
            0 => {}
            all => return assert_eq!(all, 3),
        }
    }
    unreachable!("nothing was switched off");
}

#[test]
fn one_dead_miner_keeps_no_other_from_the_ladder() {
    let mut site = running();
    site.happens(Event::Reachable(false), 1);
    site.at(68.0, HOUR);
    // 4410 W are allowed, and the one that nobody hears counts with its 2400 W.
    assert_eq!(site.powers(), [1800, 2400, 300]);
}

#[test]
fn a_miner_that_a_person_switches_off_leaves_the_others_what_they_bring_in() {
    let mut site = running();
    site.at(68.0, HOUR);
    assert_eq!(site.powers(), [1800, 2400, 300]);
    site.happens(Event::PersonOff, 1);
    site.at(68.0, HOUR);
    // The two bring in 2730 W: the big one rises by a step, since no other takes from it.
    assert_eq!(site.powers(), [2160, 0, 300]);
    assert_eq!(site.at(68.0, HOUR), 0);
}

#[test]
fn a_miner_that_is_off_and_then_gone_takes_nothing_from_the_others() {
    let mut site = running();
    site.happens(Event::PersonOff, 0);
    site.at(95.0, HOUR / 2);
    assert_eq!(site.powers(), [0, 2400, 300]);
    site.happens(Event::Reachable(false), 0);
    site.at(48.0, HOUR);
    site.at(100.0, HOUR);
    assert_eq!(site.powers(), [0, 2400, 300]);
}

#[test]
fn a_contested_miner_waits_and_says_until_when_while_the_others_start() {
    let mut site = running();
    site.happens(Event::Frozen(true), 0);
    site.at(95.0, HOUR / 3);
    assert_eq!(site.powers(), [0, 0, 0]);
    let until = MonoTime(site.places[0].house.now * 1000) + Duration::from_secs(2400);
    site.places[0].state.contest.until = Some(until);
    site.happens(Event::Frozen(false), 0);
    site.at(95.0, HOUR / 2);
    assert_eq!(site.powers(), [0, 2400, 300]);
    let blocked = site.tick().decisions[0].blocked.unwrap();
    assert_eq!((blocked.by, blocked.until), (BlockedBy::Contested, Some(until)));
    site.at(95.0, HOUR / 2);
    assert_eq!(site.powers(), [3600, 2400, 300]);
}

#[test]
fn a_restart_of_the_program_changes_nothing() {
    let mut site = running();
    site.at(58.0, HOUR);
    let before = site.powers();
    site.happens(Event::Down(100), 0);
    assert_eq!(site.at(58.0, HOUR), 0);
    assert_eq!(site.powers(), before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The monitors watch every step of every miner.
    #[test]
    fn no_day_breaks_an_invariant(policy in policy(), day in day()) {
        let mut site = Site::new(&policy, &day);
        let mut events = day.events.iter().enumerate();
        let mut next = events.next();
        let mut waited = 0;
        for _ in 0..1500 {
            waited += 1;
            while let Some((at, (_, event))) = next.filter(|(_, (after, _))| waited >= *after) {
                site.happens(*event, at);
                waited = 0;
                next = events.next();
            }
            let Ticked { members, decisions } = site.tick();
            let starts = decisions.iter().zip(&members).filter(|(decision, member)| {
                let alone = matches!(member.claim.part, Part::Starting { is_asked_for: false, .. });
                alone && matches!(decision.command, Some(model::Command::Start { .. }))
            });
            prop_assert!(starts.count() <= 1, "two started at once");
        }
    }

    /// Once the battery rests, so do the miners.
    #[test]
    fn a_battery_at_rest_causes_no_commands(levels in prop::collection::vec(31.0..=100.0_f64, 1..6)) {
        let mut site = running();
        for level in &levels {
            site.at(*level, HOUR / 2);
        }
        let last = levels.last().copied().unwrap_or(95.0);
        site.at(last, 2 * HOUR);
        let doing: Vec<_> = site.tick().decisions.iter().map(|decision| decision.doing).collect();
        prop_assert_eq!(site.at(last, 3 * HOUR), 0, "{:?} {:?}", site.powers(), doing);
        prop_assert!(!doing.contains(&MinerState::Unknown));
    }
}

#[test]
fn a_share_is_asked_for_without_sending_anything_upward() {
    let mut site = running();
    for place in &mut site.places {
        let look = Observation { share: Share::Asked, ..place.house.observe() };
        let (_, decision) = step(&place.policy, place.state.clone(), &look);
        assert!(decision.command.is_none());
        assert!(decision.claim.is_some());
    }
}
