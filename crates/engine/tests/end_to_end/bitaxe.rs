//! Bitaxes among the miners: small, only on or off, and given to losing their web server.

use crate::house::{House, Options};
use engine::Request;
use model::{
    AlertCode, MinerId, OperationStage, Soc,
    snapshot::{MinerState, Snapshot},
};
use simulator::axeos::{AxeosSetup, Phase, SimulatedAxeos, Stall};

/// Three Bitaxes beside a WhatsMiner that a person has switched off: they alone share what the battery allows, the first
/// of them first.
async fn three() -> House {
    let axeos = (1..=3).map(|number: u8| AxeosSetup {
        id: format!("bitaxe-{number}"),
        mac: format!("02:00:00:00:A0:{number:02X}"),
        seed: number.into(),
        ..AxeosSetup::default()
    });
    let mut house = House::open(Options { axeos: axeos.collect(), ..Options::default() }).await;
    house
        .renew(|setup| {
            for (miner, priority) in setup.miners.iter_mut().zip(1..) {
                miner.priority = priority;
            }
        })
        .await;
    house.handle.ask(Some(MinerId("m1".into())), Request::PowerOff).await.unwrap();
    house.run(30).await;
    house
}

impl House {
    fn bitaxe(&self, at: usize) -> &SimulatedAxeos {
        &self.simulation.axeos()[at]
    }

    /// How it is seen.
    fn seen(&self, at: usize) -> MinerState {
        self.view_of(at + 1).state
    }

    /// What it was told.
    fn told(&self, at: usize) -> Vec<String> {
        let posted = |received: simulator::axeos::Received| {
            let to = received.path.strip_prefix("/api/system/")?;
            (received.method == "POST").then(|| to.to_owned())
        };
        self.bitaxe(at).log().into_iter().filter_map(posted).collect()
    }
}

/// Its web server goes while it mines on: what it draws isn't given to others, it isn't taken for one that is off, and
/// once it answers again the ladder goes on with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_loses_its_web_server_counts_until_it_is_known_to_be_off() {
    let house = three().await;
    // 70 % of three is two.
    house.say_twice(68.0).await;
    house.until(300, "the last is paused", |house| house.seen(2) == MinerState::Off).await;
    assert_eq!([0, 1, 2].map(|at| house.told(at).len()), [0, 0, 1]);
    house.bitaxe(0).update_faults(|faults| faults.closed = true);
    house.until(120, "unknown", |house| house.seen(0) == MinerState::Unknown).await;
    house.run(7200).await;
    assert!(house.tells(AlertCode::MinerUnreachable, 1), "{}", house.report());
    assert_eq!([0, 1, 2].map(|at| house.told(at).len()), [0, 0, 1], "nobody gets what it may still draw");
    assert_eq!([1, 2].map(|at| house.seen(at)), [MinerState::Running, MinerState::Off]);
    // 40 % of three is one, and that is the one out of reach.
    house.say_twice(38.0).await;
    house.until(300, "the second makes room", |house| house.seen(1) == MinerState::Off).await;
    house.run(3600).await;
    assert_eq!([0, 1, 2].map(|at| house.told(at).len()), [0, 1, 1], "and nothing goes to and fro");
    assert_eq!(house.bitaxe(0).state().phase, Phase::Mining);
    house.bitaxe(0).update_faults(|faults| faults.closed = false);
    house.until(60, "seen again", |house| house.seen(0) == MinerState::Running).await;
    house.run(600).await;
    assert!(house.told(0).is_empty(), "{:?}", house.told(0));
    house.say(29.0).await;
    house.until(60, "paused with the others", |house| house.bitaxe(0).state().paused).await;
    house.until(120, "and seen", |house| house.seen(0) == MinerState::Off).await;
    house.assert_sound();
}

/// The answer to a command is lost: what it did is unknown, it is read back, and not sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_whose_answer_is_lost_is_read_back() {
    let house = three().await;
    house.bitaxe(2).update_faults(|faults| faults.drop_write_replies = true);
    house.say_twice(68.0).await;
    house.until(300, "the last is paused", |house| house.seen(2) == MinerState::Off).await;
    house.run(900).await;
    assert_eq!(house.told(2), ["pause"], "{}", house.report());
    let operation = house.view_of(3).operations[0].clone();
    assert_eq!(
        (operation.stage, operation.acknowledged_at),
        (OperationStage::Observed, None),
        "{operation:?}"
    );
    house.assert_sound();
}

/// It accepts every connection and never answers. An emergency reaches the others at once, and it as soon as it hears.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_keeps_no_other_waiting() {
    let house = three().await;
    house.bitaxe(0).update_faults(|faults| faults.stall = Stall::Everything);
    let off = |snapshot: &Snapshot, at: usize| {
        let newest = snapshot.miners[at + 1].operations.first();
        newest.filter(|operation| operation.command.is_off()).cloned()
    };
    let mut snapshots = house.handle.follow();
    let said_yes = async {
        let all = |snapshot: &std::sync::Arc<Snapshot>| {
            [1, 2].iter().all(|at| off(snapshot, *at).is_some_and(|off| off.acknowledged_at.is_some()))
        };
        snapshots.wait_for(all).await.unwrap().clone()
    };
    let falls = async {
        house.simulation.house().set_soc(Soc::new(29.0).unwrap());
        house.portal().upload_now();
        house.run(45).await;
    };
    let ((), said_yes) = tokio::join!(falls, said_yes);
    let offs = [0, 1, 2].map(|at| off(&said_yes, at).unwrap());
    assert!(offs.iter().all(|off| off.decided_at == offs[0].decided_at), "{offs:?}");
    assert!(offs[0].words.is_none(), "still on its way: {offs:?}");
    assert!(!house.bitaxe(0).state().paused);
    assert_ne!(house.seen(0), MinerState::Off, "never shown as off");
    house.bitaxe(0).update_faults(|faults| faults.stall = Stall::Nothing);
    house.until(300, "paused at last", |house| house.bitaxe(0).state().paused).await;
    house.until(120, "and seen", |house| house.seen(0) == MinerState::Off).await;
    house.assert_sound();
}
