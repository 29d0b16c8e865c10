//! Stopping and starting, verified by later readings as the engine does it.

use super::bench::*;
use devices::{DeviceError, Miner, WriteOutcome};
use model::{Means, Watts};
use rstest::rstest;
use simulator::axeos::{Faults, Forced, Phase, Profile};

const WATTS: u32 = 18;

#[tokio::test]
async fn a_pause_is_seen_in_later_readings_and_a_resume_too() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.check_writes(now()).await.unwrap();
    assert_eq!(bench.commands(), [], "looking changes nothing");
    let stopped = bench.miner.stop(now()).await.unwrap();
    assert_eq!((stopped.outcome, stopped.means), (WriteOutcome::Acked, Means::Stop));
    assert_eq!(stopped.words.as_deref(), Some("Mining paused"));
    let ramping = bench.read().await;
    assert_eq!((ramping.service_on, ramping.power), (Some(false), None));
    assert!(ramping.hash_rate.unwrap().get() > 0.5, "the acknowledgement isn't yet an effect");
    bench.pass(10);
    let off = bench.read().await;
    assert!(off.service_on == Some(false) && off.hash_rate.unwrap().get() < 1e-9);
    bench.miner.stop(now()).await.unwrap();

    let started = bench.miner.start(Watts::whole(WATTS), now()).await.unwrap();
    assert_eq!((started.outcome, started.means), (WriteOutcome::Acked, Means::Start));
    bench.pass(5);
    assert_eq!(bench.read().await.ramp_finished, Some(false));
    bench.pass(20);
    let on = bench.read().await;
    assert_eq!((on.service_on, on.ramp_finished), (Some(true), Some(true)));
    assert!((17.0..20.0).contains(&on.power.unwrap().get()));
    let paths: Vec<String> = bench.commands().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/api/system/pause", "/api/system/pause", "/api/system/resume"]);
}

#[tokio::test]
async fn a_restart_forgets_the_pause_and_readings_show_it() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.identify(now()).await.unwrap();
    bench.miner.stop(now()).await.unwrap();
    bench.pass(20);
    bench.device.set_truth(Forced::Reboots);
    soon(bench.device.until_listening(false)).await;
    let away = bench.miner.read(now()).await.unwrap_err();
    assert!(matches!(away, DeviceError::Unreachable(_)), "{away}");
    let away = bench.miner.stop(now()).await.unwrap_err();
    assert!(matches!(away, DeviceError::Unreachable(_)), "{away}");
    bench.pass(60);
    soon(bench.device.until_listening(true)).await;
    let back = bench.read().await;
    assert_eq!(back.service_on, Some(true));
    assert!(back.elapsed_seconds.unwrap() < 60);
    bench.miner.stop(now()).await.unwrap();
    bench.pass(10);
    assert_eq!(bench.device.state().phase, Phase::Stopped);
}

#[rstest]
#[case(Profile::Ultra245)]
#[case(Profile::Gamma29)]
#[case(Profile::Gamma212)]
#[tokio::test]
async fn firmware_without_a_pause_says_what_to_do(#[case] profile: Profile) {
    let bench = Bench::new(profile);
    let outcomes = [
        bench.miner.check_writes(now()).await,
        bench.miner.stop(now()).await.map(drop),
        bench.miner.start(Watts::whole(WATTS), now()).await.map(drop),
    ];
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert!(matches!(error, DeviceError::Unsupported(_)), "{error}");
        assert!(error.to_string().contains("2.14 or newer"), "{error}");
    }
    assert_eq!(bench.commands(), []);
}

#[tokio::test]
async fn it_takes_no_power() {
    let bench = Bench::new(Profile::Gamma215);
    let outcome = bench.miner.set_power(Watts::whole(10), now()).await;
    assert!(matches!(outcome, Err(DeviceError::Unsupported(_))), "{outcome:?}");
    assert_eq!(bench.device.log(), []);
}

#[tokio::test]
async fn a_nerd_is_shut_down_and_restarted() {
    let bench = Bench::new(Profile::NerdQaxe11);
    bench.miner.check_writes(now()).await.unwrap();
    let stopped = bench.miner.stop(now()).await.unwrap();
    assert_eq!(stopped.words.as_deref(), Some("System will shutdown shortly."));
    bench.pass(6);
    let off = bench.read().await;
    assert_eq!(off.service_on, Some(false));
    assert!(off.hash_rate.unwrap().get() < 1e-9 && off.power.unwrap().get() < 6.0);

    bench.miner.start(Watts::whole(70), now()).await.unwrap();
    bench.pass(1);
    soon(bench.device.until_listening(false)).await;
    bench.pass(60);
    soon(bench.device.until_listening(true)).await;
    assert_eq!(bench.read().await.service_on, Some(true));
    let again = bench.miner.start(Watts::whole(70), now()).await.unwrap();
    assert_eq!(again.words.as_deref(), Some("already on"));
    assert_eq!(bench.device.state().reboots, 1, "a running miner isn't restarted");
}

#[tokio::test]
async fn a_command_without_an_answer_is_unknown_and_is_not_sent_twice() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { drop_write_replies: true, ..Faults::default() });
    let stopped = bench.miner.stop(now()).await.unwrap();
    assert_eq!((stopped.outcome, stopped.means), (WriteOutcome::Unknown, Means::Stop));
    assert!(bench.device.state().paused);
    assert_eq!(bench.commands().len(), 1);
}

#[tokio::test]
async fn what_is_acknowledged_and_not_done_shows_in_readings() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_faults(Faults { swallow_writes: true, ..Faults::default() });
    assert_eq!(bench.miner.stop(now()).await.unwrap().outcome, WriteOutcome::Acked);
    bench.pass(30);
    let reading = bench.read().await;
    assert!(reading.service_on == Some(true) && reading.hash_rate.unwrap().get() > 0.9);
}
