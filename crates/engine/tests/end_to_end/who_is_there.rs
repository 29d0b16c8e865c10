//! Who answers at an address: miners that change places, that are replaced, that move.

use crate::{
    address::Address,
    house::{House, Options},
};
use model::{AlertCode, OperationStage, snapshot::MinerState};
use simulator::miner::{MinerSetup as Simulated, Phase, Profile, SimulatedMiner};
use std::sync::Arc;

const SECOND_MAC: &str = "02:00:00:00:00:02";
const STRANGERS_MAC: &str = "02:00:00:00:00:99";

/// Two miners of a generation, each at an address of its own.
fn two(profile: Profile) -> Options {
    let options = Options::default().with_profile(profile);
    let second = Simulated { id: "second".into(), mac: SECOND_MAC.into(), ..options.miner.clone() };
    Options { others: vec![second], movable: true, ..options }
}

impl House {
    /// The two WhatsMiners are at each other's address, or at their own again.
    fn exchange(&self, exchanged: bool) {
        let [first, second] = self.simulation.miners() else { unreachable!("there are two") };
        let (here, there) = if exchanged { (second, first) } else { (first, second) };
        self.addresses[0].lead_to(here);
        self.addresses[1].lead_to(there);
    }

    /// Another miner, which has a hardware address of its own.
    fn stranger(&self, profile: Profile) -> SimulatedMiner {
        let like = Options::default().with_profile(profile).miner;
        let set_up = Simulated { id: "stranger".into(), mac: STRANGERS_MAC.into(), ..like };
        let clock = self.clock.clone();
        SimulatedMiner::start(set_up, Arc::new(move || clock.true_time())).unwrap()
    }

    fn is_commanded(&self) -> bool {
        (0..self.simulation.miners().len()).any(|at| !self.sent_to(at).is_empty())
    }
}

fn writes(miner: &SimulatedMiner) -> usize {
    miner.log().iter().filter(|received| received.write).count()
}

/// They are seen at each other's address at once, or after none of them answered for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_change_places_neither_is_commanded_as_the_other() {
    for (profile, are_missed) in [
        (Profile::G1, false),
        (Profile::G2, false),
        (Profile::G3, false),
        (Profile::G2, true),
        (Profile::G3, true),
    ] {
        let house = House::open(two(profile)).await;
        if are_missed {
            house.addresses.iter().for_each(Address::lead_nowhere);
            house.run(60).await;
        }
        house.exchange(true);
        // Firmware that doesn't tell its address with each reading is asked for it once a minute.
        house.run(70).await;
        for at in [0, 1] {
            assert!(house.tells(AlertCode::WrongDevice, at), "{profile:?} {at}: {}", house.report());
            assert_eq!(house.view_of(at).state, MinerState::Unknown, "{profile:?} {at}");
        }
        house.say_twice(60.0).await;
        house.run(600).await;
        assert!(!house.is_commanded(), "{profile:?}: {}", house.report());
        house.exchange(false);
        house.until(900, "both have come down", |house| house.powers().iter().sum::<u32>() < 4400).await;
        house.run(300).await;
        for at in [0, 1] {
            assert!(!house.tells(AlertCode::WrongDevice, at), "{profile:?} {at}: {}", house.report());
            assert_eq!(house.sent_to(at).len(), 1, "{profile:?} {at}: {:?}", house.sent_to(at));
        }
        house.assert_sound();
    }
}

/// An off is decided for each on the tick, tried again and again, alarmed, and never said to a stranger; it gets through
/// as soon as each is where it should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_waits_for_those_that_changed_places_and_says_so() {
    for profile in [Profile::G2, Profile::G3] {
        let house = House::open(two(profile)).await;
        house.exchange(true);
        house.run(70).await;
        house.say(29.0).await;
        house.run(200).await;
        assert!(!house.is_commanded(), "{profile:?}: {}", house.report());
        for at in [0, 1] {
            let view = house.view_of(at);
            assert!(view.latches.emergency_unconfirmed || view.latches.emergency, "{profile:?} {at}");
            assert!(view.operations.iter().any(|operation| operation.command.is_off()), "{profile:?} {at}");
            assert_eq!(view.state, MinerState::Unknown, "never shown as off: {profile:?} {at}");
            assert!(house.tells(AlertCode::OffNotVerified, at), "{profile:?} {at}: {}", house.report());
        }
        house.exchange(false);
        house
            .until(400, "both are off", |house| {
                house.simulation.miners().iter().all(|miner| miner.state().phase == Phase::Off)
            })
            .await;
        house
            .until(60, "and seen", |house| {
                [0, 1].iter().all(|at| house.view_of(*at).state == MinerState::Off)
            })
            .await;
        house.assert_sound();
    }
}

/// Another one at the address, maybe of another generation, isn't commanded until a person says that it is the miner.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_replaced_is_not_commanded_until_a_person_takes_it_in() {
    for (before, after) in
        [(Profile::G3, Profile::G2), (Profile::G2, Profile::G3), (Profile::G3, Profile::G3)]
    {
        let mut house =
            House::open(Options { movable: true, ..Options::default().with_profile(before) }).await;
        let replacement = house.stranger(after);
        house.addresses[0].lead_nowhere();
        house.run(60).await;
        house.addresses[0].lead_to(&replacement);
        house.run(60).await;
        assert!(house.tells(AlertCode::WrongDevice, 0), "{}", house.report());
        // Neither the ladder nor an emergency, nor a restart of the program takes it for the one that is gone.
        house.say_twice(60.0).await;
        house.say_twice(29.0).await;
        house.restart().await;
        house.run(400).await;
        assert_eq!(writes(&replacement), 0, "{before:?} {after:?}: {:?}", replacement.log());
        assert!(house.tells(AlertCode::WrongDevice, 0), "{}", house.report());
        house.renew(|setup| setup.miners[0].mac = Some(STRANGERS_MAC.to_lowercase())).await;
        let stopped = |_: &House| replacement.state().phase == Phase::Off;
        house.until(400, "what a person has taken in is stopped", stopped).await;
        house.until(60, "and seen", |house| house.view().state == MinerState::Off).await;
        assert!(!house.tells(AlertCode::WrongDevice, 0), "{}", house.report());
        house.assert_sound();
    }
}

/// A hardware address that a person writes down is looked at, though the one who answers was known by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hardware_address_that_is_written_down_later_holds_at_once() {
    let mut house = House::open(Options::default()).await;
    house.renew(|setup| setup.miners[0].mac = Some(STRANGERS_MAC.to_lowercase())).await;
    house.run(15).await;
    assert!(house.tells(AlertCode::WrongDevice, 0), "{}", house.report());
    house.say_twice(29.0).await;
    house.run(200).await;
    assert_eq!(house.sent(), Vec::<String>::new(), "{}", house.report());
    house.assert_sound();
}

/// A miner gets another address: at the old one is nobody, or somebody else. It counts at what it was last seen to draw
/// until a person names the new one; then it goes on, and what it was told isn't told again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_moved_counts_until_its_new_address_is_named_and_is_told_nothing_twice() {
    for is_taken in [false, true] {
        let mut house = House::open(two(Profile::G3)).await;
        house.say_twice(88.0).await;
        house.until(600, "the second is seen at 80 %", |house| house.powers()[1] < 2950).await;
        house.run(200).await;
        let told = house.sent_to(1);
        assert_eq!(house.view_of(1).operations[0].stage, OperationStage::Observed, "{told:?}");
        let other = house.stranger(Profile::G3);
        let moved = Address::of(&house.simulation.miners()[1]).await;
        if is_taken {
            house.addresses[1].lead_to(&other);
        } else {
            house.addresses[1].lead_nowhere();
        }
        house.run(60).await;
        assert_eq!(house.view_of(1).state, MinerState::Unknown);
        assert!(!house.view_of(1).connection.connected);
        // 80 % of both is 5760 W, of which the one out of reach has its 2880.
        house.say_twice(78.0).await;
        house.until(600, "the first makes room", |house| house.powers()[0] < 2950).await;
        house.run(600).await;
        assert!(house.powers()[0] > 2700, "and no more than needed: {:?}", house.powers());
        assert_eq!((house.sent_to(1), writes(&other)), (told.clone(), 0));
        let driver = house.driver_at(&moved);
        house
            .renew(|setup| (setup.miners[1].device, setup.miners[1].mac) = (driver, Some(SECOND_MAC.into())))
            .await;
        house.until(60, "seen again", |house| house.view_of(1).state == MinerState::Running).await;
        house.run(900).await;
        assert_eq!(house.sent_to(1), told, "taken up as it is: {}", house.report());
        house.say_twice(29.0).await;
        house
            .until(120, "off where it is", |house| house.simulation.miners()[1].state().phase == Phase::Off)
            .await;
        assert_eq!(writes(&other), 0);
        house.assert_sound();
    }
}
