//! Faults of writes: lost replies, lies, delays, refusals, and machines that don't do what they were told.

use crate::bench::{Bench, V2Reply, end};
use rstest::rstest;
use serde_json::{Value, json};
use simulator::miner::{Answer, EarlyPercent, Effect, Faults, Phase, Profile, Received, WriteFault};
use std::io::ErrorKind;
use tokio::io::AsyncWriteExt;

fn bench_with(faults: Faults) -> Bench {
    let bench = Bench::new(Profile::G3);
    bench.miner.set_faults(faults);
    bench
}

fn writes(fault: WriteFault) -> Faults {
    Faults { writes: fault, ..Faults::default() }
}

/// What came of the last write, and what the log says was answered.
fn last_write(bench: &Bench) -> (Effect, Answer) {
    let log = bench.miner.log();
    let write = log.iter().rfind(|request: &&Received| request.write).unwrap();
    (write.effect, write.answer.clone())
}

#[tokio::test]
async fn a_dropped_reply_hides_that_it_was_applied() {
    let bench = bench_with(writes(WriteFault::DropReply));
    assert_eq!(bench.write_v2("power_off", json!({})).await, V2Reply::Nothing);
    assert_eq!(bench.miner.state().phase, Phase::Off);
    assert_eq!(last_write(&bench), (Effect::Applied, Answer::NoReply));
    let error = bench.write_v3("set.miner.service", json!("start")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(bench.miner.state().phase, Phase::Booting);
}

#[tokio::test]
async fn a_silent_device_has_applied_it_too() {
    let bench = bench_with(writes(WriteFault::Silent));
    let session = bench.session().await;
    let mut stream = bench.connect_v2().await;
    stream.write_all(session.seal("power_off", json!({})).as_bytes()).await.unwrap();
    let write = bench.miner.received(|request| request.write).await;
    assert_eq!((write.effect, write.answer), (Effect::Applied, Answer::NoReply));
    bench.miner.update_faults(|faults| faults.refuse_connections = true);
    assert_eq!(end(&mut stream).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_acknowledgement_can_be_all_there_is() {
    let bench = bench_with(writes(WriteFault::AcknowledgeOnly));
    assert_eq!(bench.write_v2("power_off", json!({})).await.sealed()["Code"], 131);
    assert_eq!(bench.write_v3("set.miner.service", json!("stop")).await.unwrap()["code"], 0);
    bench.pass(3600);
    assert_eq!(bench.miner.state().phase, Phase::Stable);
    assert_eq!(last_write(&bench), (Effect::Nothing, Answer::Code(0)));
}

#[tokio::test]
async fn a_lost_write_does_nothing_and_says_nothing() {
    let bench = bench_with(writes(WriteFault::Lose));
    assert_eq!(bench.write_v2("power_off", json!({})).await, V2Reply::Nothing);
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}

#[tokio::test]
async fn a_write_can_come_into_force_much_later() {
    let bench = bench_with(writes(WriteFault::ApplyLater { seconds: 360 }));
    assert_eq!(bench.write_v2("power_off", json!({})).await.sealed()["Code"], 131);
    assert_eq!(last_write(&bench), (Effect::Delayed, Answer::Code(131)));
    bench.pass(359);
    assert_eq!(bench.daemon("status").await["mineroff"], "false");
    bench.pass(1);
    assert_eq!(bench.daemon("status").await["mineroff"], "true");
    bench.pass(100);
    assert!(bench.miner.state().watts < 15.0, "since then, not since somebody looked");
}

#[tokio::test]
async fn a_write_fault_can_be_for_one_command() {
    let bench =
        bench_with(Faults { only_commands: vec!["power_off".into()], ..writes(WriteFault::AcknowledgeOnly) });
    bench.write_v2("power_off", json!({})).await.sealed();
    assert_eq!(bench.miner.state().phase, Phase::Stable);
    bench.write_v2("restart_btminer", json!({})).await.sealed();
    assert_eq!(bench.miner.state().phase, Phase::Booting);
}

#[tokio::test]
async fn reads_can_be_stale_after_a_write() {
    let bench = bench_with(Faults { stale_readback_seconds: 180, ..Faults::default() });
    bench.write_v2("power_off", json!({})).await.sealed();
    bench.pass(179);
    assert_eq!(bench.daemon("status").await["mineroff"], "false");
    assert!(bench.summary().await["Power"].as_f64().unwrap() > 3500.0);
    let working = |info: Value| info["msg"]["miner"]["working"].clone();
    assert_eq!(working(bench.read_v3("get.device.info", json!("miner")).await), "true");
    assert_eq!(bench.miner.state().phase, Phase::Off);
    bench.pass(1);
    assert_eq!(bench.daemon("status").await["mineroff"], "true");
    assert_eq!(working(bench.read_v3("get.device.info", json!("miner")).await), "false");
}

#[tokio::test]
async fn a_low_limit_can_be_ignored() {
    let bench = bench_with(Faults { ignore_limit_below_watts: Some(1200), ..Faults::default() });
    assert_eq!(
        bench.write_v2("adjust_power_limit", json!({ "power_limit": "1199" })).await.sealed()["Code"],
        131
    );
    let truth = bench.miner.state();
    assert_eq!((truth.phase, truth.limit_watts), (Phase::Stable, 3600));
    bench.write_v2("adjust_power_limit", json!({ "power_limit": "1200" })).await.sealed();
    assert_eq!(bench.miner.state().limit_watts, 1200);
}

#[tokio::test]
async fn a_low_limit_can_end_in_a_crash_loop() {
    let bench = bench_with(Faults { crash_loop_below_watts: Some(1400), ..Faults::default() });
    bench.write_v2("adjust_power_limit", json!({ "power_limit": "1000" })).await.sealed();
    let (mut falls, mut last) = (0, 0.0);
    for _ in 0..60 {
        bench.pass(15);
        let elapsed = bench.summary().await["Elapsed"].as_f64().unwrap();
        falls += usize::from(elapsed < last);
        last = elapsed;
    }
    // Every 180 s of 900: the last restart is at their very end.
    assert_eq!(falls, 5);
    assert_eq!(bench.miner.state().phase, Phase::CrashLoop);
}

#[tokio::test]
async fn a_v2_stop_may_not_hold_where_a_v3_stop_does() {
    let bench = bench_with(Faults { resumes_after_power_off_seconds: Some(90), ..Faults::default() });
    bench.write_v2("power_off", json!({ "respbefore": "true" })).await.sealed();
    bench.pass(89);
    assert_eq!(bench.daemon("status").await["mineroff"], "true");
    bench.pass(1);
    assert_eq!(bench.daemon("status").await["mineroff"], "false");
    assert_eq!(bench.miner.state().phase, Phase::Booting);
    bench.write_v3("set.miner.service", json!("stop")).await.unwrap();
    bench.pass(86_400);
    assert_eq!(bench.miner.state().phase, Phase::Off);
}

#[tokio::test]
async fn an_early_percentage_can_be_swallowed() {
    let bench = bench_with(Faults { early_percent: EarlyPercent::Ignored, ..Faults::default() });
    bench.write_v2("restart_btminer", json!({})).await.sealed();
    assert_eq!(bench.write_v2("set_power_pct", json!({ "percent": "50" })).await.sealed()["Code"], 131);
    assert_eq!(last_write(&bench).0, Effect::Nothing);
    bench.pass(4000);
    assert_eq!(bench.miner.state().percent, None);
}

#[rstest]
#[case(Faults { wrong_password: true, ..Faults::default() }, 23, -4)]
#[case(Faults { forget_tokens: true, ..Faults::default() }, 135, 0)]
#[tokio::test]
async fn permissions_can_be_lost_at_any_time(#[case] faults: Faults, #[case] v2: i64, #[case] v3: i64) {
    let bench = Bench::new(Profile::G3);
    let session = bench.session().await;
    assert_eq!(
        bench.send_v2(&session, "set_led", json!({ "param": "auto" })).await.unwrap().sealed()["Code"],
        131
    );
    bench.miner.set_faults(faults);
    let reply = bench.send_v2(&session, "set_led", json!({ "param": "auto" })).await.unwrap();
    assert_eq!(reply.plain()["Code"], v2);
    assert_eq!(bench.write_v3("set.system.led", json!("auto")).await.unwrap()["code"], v3);
}

#[tokio::test]
async fn write_access_can_be_lost_at_any_time() {
    let bench = bench_with(Faults { writes_disabled: true, ..Faults::default() });
    assert_eq!(bench.write_v2("power_off", json!({})).await.sealed()["Code"], 45);
    assert_eq!(bench.write_v3("set.miner.service", json!("stop")).await.unwrap()["code"], -4);
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}
