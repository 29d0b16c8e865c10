//! Several miners on one battery: what it allows is for all of them together.

use crate::house::{House, Options};
use engine::MinerSetup;
use model::{
    AlertCode, Command, Operation, OperationStage,
    snapshot::{MinerState, Snapshot},
};
use simulator::miner::{Faults, Initial, MinerSetup as Simulated, OnAccept, Profile, WriteFault};

fn two() -> Options {
    let options = Options::default();
    let second = Simulated { id: "second".into(), ..options.miner.clone() };
    Options { others: vec![second], ..options }
}

/// The last commands, in percent; `None` is off.
fn told(house: &House) -> Vec<Option<u8>> {
    let snapshot = house.snapshot();
    let last = |miner: &model::snapshot::MinerView| {
        let command = miner.operations.first().map(|operation| operation.command);
        command.and_then(Command::percent).map(model::PowerPercent::get)
    };
    snapshot.miners.iter().map(last).collect()
}

#[tokio::test]
async fn one_miner_goes_down_while_the_other_keeps_its_power() {
    let house = House::open(two()).await;
    house.say_twice(88.0).await;
    house.until(600, "the second is seen at 80 %", |house| house.powers()[1] < 2950).await;
    assert_eq!(told(&house), [None, Some(80)]);
    assert!(house.powers()[0] > 3500, "{:?}", house.powers());
    let share = |at: usize| house.snapshot().miners[at].share.map(model::Watts::round_to_whole);
    assert_eq!((share(0), share(1)), (Some(3600), Some(2880)));
    house.assert_sound();
}

#[tokio::test]
async fn an_emergency_switches_all_off_at_once_though_one_of_them_hangs() {
    let house = House::open(two()).await;
    let hangs = Faults { on_accept: OnAccept::Silent, ..Faults::default() };
    house.simulation.miners()[0].set_faults(hangs);
    house.say(29.0).await;
    house.until(120, "the second is off", |house| house.snapshot().miners[1].state == MinerState::Off).await;
    let snapshot = house.snapshot();
    let offs: Vec<_> = snapshot
        .miners
        .iter()
        .filter_map(|miner| {
            miner
                .operations
                .iter()
                .filter(|operation| operation.command.is_off())
                .min_by_key(|operation| operation.id)
        })
        .map(|operation| operation.decided_at)
        .collect();
    assert_eq!(offs.len(), 2);
    assert_eq!(offs[0], offs[1], "decided on one tick");
    let told: Vec<_> = snapshot.alerts.iter().filter(|alert| alert.code == AlertCode::Emergency).collect();
    assert_eq!(told.len(), 2, "each of them is told by its name: {told:#?}");
    for name in ["Miner 1", "Miner 2"] {
        assert!(told.iter().any(|alert| alert.text.contains(&format!(": {name} is stopped"))), "{told:#?}");
    }
    house.assert_sound();
}

#[tokio::test]
async fn a_miner_that_is_only_looked_at_is_never_told_anything() {
    let house = House::open(Options { looks_at_the_last: true, ..two() }).await;
    house.say(29.0).await;
    house.until(120, "the first is off", |house| house.snapshot().miners[0].state == MinerState::Off).await;
    let snapshot = house.snapshot();
    assert_eq!(snapshot.miners.len(), 1);
    let looked_at = &snapshot.followed[0];
    assert!(looked_at.connection.connected);
    assert!(looked_at.reading.as_ref().and_then(|reading| reading.power).is_some());
    let log = house.simulation.miners()[1].log();
    assert!(!log.is_empty() && log.iter().all(|received| !received.write), "{log:?}");
    assert!(house.powers()[1] > 3500);
}

#[tokio::test]
async fn a_miner_that_is_adopted_takes_part_and_one_that_is_released_is_left_as_it_is() {
    let mut house = House::open(Options { looks_at_the_last: true, ..two() }).await;
    house
        .renew(|setup| {
            let adopted = setup.followed.remove(0);
            let first = setup.miners[0].clone();
            setup.miners.push(MinerSetup {
                id: adopted.id,
                name: adopted.name,
                device: adopted.device,
                ..first
            });
        })
        .await;
    house.run(15).await;
    house.say_twice(88.0).await;
    house.until(600, "the second is seen at 80 %", |house| house.powers()[1] < 2950).await;
    house.assert_sound();
    house
        .renew(|setup| {
            let MinerSetup { id, name, host, device, poll, mac, .. } = setup.miners.remove(1);
            setup.followed.push(engine::FollowedSetup { id, name, host, device, poll, mac });
        })
        .await;
    let sent = house.simulation.miners()[1].log().iter().filter(|received| received.write).count();
    house.say(29.0).await;
    house.until(120, "the first is off", |house| house.snapshot().miners[0].state == MinerState::Off).await;
    let after = house.simulation.miners()[1].log().iter().filter(|received| received.write).count();
    assert_eq!(sent, after);
}

#[tokio::test]
async fn starts_follow_one_another() {
    let options = two();
    let off = |miner: &Simulated| Simulated { initial: Initial::Off, ..miner.clone() };
    let (miner, others) = (off(&options.miner), options.others.iter().map(off).collect());
    let house = House::open(Options { miner, others, ..options }).await;
    house.say_twice(100.0).await;
    house.until(900, "both mine", |house| house.powers().iter().all(|power| *power > 1000)).await;
    let snapshot = house.snapshot();
    let starts: Vec<_> = snapshot
        .miners
        .iter()
        .filter_map(|miner| {
            miner.operations.iter().find(|operation| matches!(operation.command, Command::Start { .. }))
        })
        .map(|operation| operation.decided_at)
        .collect();
    assert_eq!(starts.len(), 2);
    assert!(starts[0].millis_since(starts[1]).abs() >= 30_000, "{starts:?}");
    house.assert_sound();
}

/// Both are told something on one tick, and the first doesn't answer: the second has said yes while the first one's
/// command is still on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_does_not_answer_keeps_no_other_waiting() {
    fn newest(snapshot: &Snapshot) -> Option<[&Operation; 2]> {
        let newest = |at: usize| snapshot.miners.get(at)?.operations.first();
        newest(0).zip(newest(1)).map(|(first, second)| [first, second])
    }
    for profile in [Profile::G2, Profile::G3] {
        // A reduction, and the off of an emergency.
        for soc in [60.0, 29.0] {
            let options = Options::default().with_profile(profile);
            let second = Simulated { id: "second".into(), ..options.miner.clone() };
            let house = House::open(Options { others: vec![second], ..options }).await;
            // It is slow to be read as well.
            house.miner().update_faults(|faults| {
                (faults.writes, faults.reply_delay_ms) = (WriteFault::Silent, 100);
            });
            let mut snapshots = house.handle.follow();
            let falls = async {
                house.say_twice(soc).await;
                house.run(15).await;
            };
            let said_yes = snapshots.wait_for(|snapshot| {
                newest(snapshot).is_some_and(|[_, second]| second.acknowledged_at.is_some())
            });
            let ((), said_yes) = tokio::join!(falls, async { said_yes.await.unwrap().clone() });
            let [first, second] = newest(&said_yes).unwrap();
            assert_eq!(first.decided_at, second.decided_at, "{profile:?} {soc}: {first:?} {second:?}");
            assert!(
                matches!(first.stage, OperationStage::Queued | OperationStage::Sent) && first.words.is_none(),
                "{profile:?} {soc}: {first:?}"
            );
            house.assert_sound();
        }
    }
}
