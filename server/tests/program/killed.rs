//! The program is killed in the middle of a command (`kill -9`, a power cut) and started again on the same data.
//!
//! The miner keeps its reply to itself while the program is killed, so that the program dies between sending a command
//! and hearing of it.

use crate::house::House;
use serde_json::{Value, json};
use simulator::miner::{Effect, Faults, Phase, WriteFault};

/// What an operation was when it began; how far it has come may differ after a restart.
fn beginning(operation: &Value) -> Vec<&Value> {
    ["id", "miner", "command", "reason", "decided_at"].map(|member| &operation[member]).to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reduction_that_arrived_is_not_repeated() {
    let house = House::open().await;
    let joined = house.program().await;
    joined.say(60.0).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::Silent);
    joined.say(60.0).await;
    let command = house.command().await;
    assert_eq!((command.command.as_str(), command.effect), ("set.miner.power_percent", Effect::Applied));
    let before = joined.get("/api/miner/status").await;
    assert_eq!(before["latches"]["ceiling"], 60);
    let killed = joined.program.kill().await;
    assert_eq!(killed.status.code(), None, "it didn't end by itself: {}", killed.err);

    house.miner().update_faults(|faults| faults.writes = WriteFault::None);
    let joined = house.program().await;
    let after = joined.get("/api/miner/status").await;
    assert_eq!(after["latches"]["ceiling"], 60, "the journal's word, not the configuration's");
    assert_eq!(beginning(&after["op"]), beginning(&before["op"]));
    joined
        .pass_until(300, "its effect is seen", async || {
            joined.get("/api/miner/status").await["op"]["stage"] == "observed"
        })
        .await;
    joined.say(70.0).await;
    joined.say(70.0).await;
    joined.pass(600).await;
    joined.pass(10).await;
    assert_eq!(house.sent().len(), 1, "sent once, and the ceiling holds at 70 %: {:#?}", house.sent());
    let operations = joined.get("/api/miner/op_status").await;
    assert_eq!(operations["operations"].as_array().unwrap().len(), 1, "{operations}");
    let system = joined.get("/api/system/status").await;
    assert!(
        system["invariant_violations"].as_object().unwrap().values().all(|count| *count == 0),
        "{system}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_off_that_never_arrived_is_sent_again_and_the_latch_is_kept() {
    let house = House::open().await;
    let joined = house.program().await;
    // A command needs the miner's salt first: it waits for it when the program dies.
    house.miner().update_faults(|faults| {
        faults.only_commands = vec!["get.device.info".into()];
        faults.reply_delay_ms = 600_000;
    });
    joined.say(30.0).await;
    joined
        .until("an off on its way", async || {
            joined.get("/api/miner/status").await["op"]["command"]["kind"] == "off"
        })
        .await;
    joined.program.kill().await;
    assert!(house.sent().is_empty(), "it never arrived: {:#?}", house.sent());
    assert_ne!(house.miner().state().phase, Phase::Off);

    house.miner().set_faults(Faults::default());
    let joined = house.program().await;
    joined
        .pass_until(120, "the miner is off, and seen to be", async || {
            house.miner().state().phase == Phase::Off
                && joined.get("/api/miner/status").await["status"]["state"] == "off"
        })
        .await;
    joined.say(33.0).await;
    joined
        .until("the latch", async || joined.get("/api/miner/status").await["latches"]["emergency"] == true)
        .await;
    joined.program.stop().await;
    house.miner().clear_log();

    let joined = house.program().await;
    let latches = joined.get("/api/miner/status").await["latches"].clone();
    assert_eq!((&latches["emergency"], &latches["stopped"]), (&json!(true), &json!("emergency_soc")));
    joined.say(60.0).await;
    joined.say(60.0).await;
    joined.pass(600).await;
    joined.pass(10).await;
    let (status, refused) = joined.post("/api/miner/power_on", None).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("refused")), "the latch is asked about");
    assert!(house.sent().is_empty(), "{:#?}", house.sent());
    assert_eq!(house.miner().state().phase, Phase::Off);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_s_off_survives_the_kill() {
    let house = House::open().await;
    let joined = house.program().await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::Silent);
    assert_eq!(joined.post("/api/miner/power_off", None).await.0, 202);
    assert_eq!(house.command().await.effect, Effect::Applied);
    joined.program.kill().await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::None);

    let joined = house.program().await;
    assert_eq!(joined.get("/api/miner/status").await["intent"]["power"], "off");
    joined.say(100.0).await;
    joined.say(100.0).await;
    joined.pass(600).await;
    joined.pass(10).await;
    assert_eq!(house.miner().state().phase, Phase::Off);
    assert!(house.sent().iter().all(|sent| sent.params == json!("stop")), "{:#?}", house.sent());
}

/// What was answered with 202 is on the disk: a power cut right after the answer forgets nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_that_was_answered_for_survives_the_kill() {
    let house = House::open().await;
    let joined = house.program().await;
    assert_eq!(joined.post("/api/autocontrol/disable", None).await.0, 202);
    joined.program.kill().await;

    let joined = house.program().await;
    assert_eq!(joined.get("/api/autocontrol/status").await["enabled"], false);
    // The miner is off already when it is told so again: no command goes out, and the wish is kept all the same.
    assert_eq!(joined.post("/api/autocontrol/enable", None).await.0, 202);
    joined.say(30.0).await;
    joined
        .pass_until(120, "the miner is seen to be off", async || {
            joined.get("/api/miner/status").await["status"]["state"] == "off"
        })
        .await;
    assert_eq!(joined.post("/api/miner/power_off", None).await.0, 202);
    joined.program.kill().await;

    let joined = house.program().await;
    let status = joined.get("/api/miner/status").await;
    assert_eq!(
        (&status["intent"]["auto_control"], &status["intent"]["power"]),
        (&json!(true), &json!("off"))
    );
}

/// A signal isn't a kill: the answer on its way is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_in_mid_command_waits_for_the_answer() {
    let house = House::open().await;
    let joined = house.program().await;
    joined.say(60.0).await;
    house.miner().update_faults(|faults| {
        faults.only_commands = vec!["set.miner.power_percent".into()];
        faults.reply_delay_ms = 1500;
    });
    joined.say(60.0).await;
    house.command().await;
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(ended.err.contains("Acknowledged"), "the answer was waited for: {}", ended.err);

    let joined = house.program().await;
    joined
        .pass_until(300, "its effect is seen", async || {
            joined.get("/api/miner/status").await["op"]["stage"] == "observed"
        })
        .await;
    assert_eq!(house.sent().len(), 1, "{:#?}", house.sent());
}
