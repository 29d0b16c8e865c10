//! The program is restarted: nothing it knew is lost, and nothing is said twice.

use crate::house::{House, Options};
use engine::Request;
use model::snapshot::MinerState;
use simulator::miner::{Phase, WriteFault};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_latches_ceiling_and_wishes() {
    let mut house = House::open(Options::default()).await;
    house.say_twice(60.0).await;
    house.run(400).await;
    assert_eq!(house.sent(), ["percent 60"]);
    house.restart().await;
    house.say_twice(70.0).await;
    house.run(900).await;
    assert_eq!(house.sent(), ["percent 60"], "the ceiling holds, nothing is said twice: {}", house.report());
    house.say_twice(30.0).await;
    house.say_twice(33.0).await;
    house.restart().await;
    assert!(house.view().latches.emergency);
    house.say_twice(50.0).await;
    house.run(900).await;
    assert_eq!(house.sent(), ["percent 60", "off"], "{}", house.report());
    house.handle.ask(None, Request::AutoControl { enabled: false }).await.unwrap();
    house.restart().await;
    assert!(!house.view().intent.auto_control, "the person's word wins over the configuration");
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_mid_command_reads_back_instead_of_repeating() {
    let mut house = House::open(Options::default()).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::DropReply);
    house.say_twice(60.0).await;
    house.restart().await;
    house.run(600).await;
    assert_eq!(house.sent(), ["percent 60"], "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_off_that_was_lost_with_the_program_is_sent_again() {
    let mut house = House::open(Options::default()).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::Lose);
    house.say(30.0).await;
    house.restart().await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::None);
    house.until(200, "off", |house| house.truth().phase == Phase::Off).await;
    house.until(60, "seen off", |house| house.view().state == MinerState::Off).await;
    house.assert_sound();
}
