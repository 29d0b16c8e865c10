//! The handle: events, forced states, JSON of everything, shutting down, and the miner as a consumer of the house.

use crate::bench::{Bench, START, soon};
use model::UtcMillis;
use rstest::rstest;
use serde_json::json;
use simulator::{
    Consumer,
    miner::{
        Cut, CutEnd, Faults, Forced, Initial, Malformation, MinerSetup, MinerTruth, Phase, Physics, Profile,
        Received, SimulatedMiner, TokenPolicy, WriteFault,
    },
};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_request_can_be_awaited_before_and_after_it_comes() {
    let bench = Bench::new(Profile::G2);
    let waiting = bench.miner.clone();
    let early = tokio::spawn(async move { waiting.received(|request| request.command == "pools").await });
    bench.read_v2("summary").await;
    bench.read_v2("pools").await;
    let early = soon(early).await.unwrap();
    let late = soon(bench.miner.received(|request| request.command == "pools")).await;
    assert_eq!((early.number, &late), (2, &early));
    bench.miner.clear_log();
    assert!(bench.miner.log().is_empty());
    bench.read_v2("pools").await;
    assert_eq!(soon(bench.miner.received(|_| true)).await.number, 3);
}

#[tokio::test]
async fn states_can_be_forced() {
    let bench = Bench::with(Profile::G3, |setup| setup.initial = Initial::Off);
    assert_eq!(bench.miner.state().phase, Phase::Off);
    bench.miner.set_truth(Forced::Stable { limit_watts: 2000 });
    let summary = bench.summary().await;
    assert_eq!((&summary["Power Limit"], &summary["Hash Stable"]), (&json!(2000), &json!("true")));
    let watts = bench.miner.state().watts;
    assert!((1999.0..2001.0).contains(&watts));
    bench.miner.set_truth(Forced::Off);
    assert_eq!(bench.daemon("status").await["mineroff"], "true");
    bench.miner.set_truth(Forced::Running);
    assert_eq!(bench.miner.state().phase, Phase::Booting);
}

#[tokio::test]
async fn the_house_sees_its_power_now_and_a_little_earlier() {
    let bench = Bench::new(Profile::G3);
    bench.pass(600);
    bench.miner.set_truth(Forced::Off);
    bench.pass(60);
    let watts = |seconds: i64| bench.miner.power_at(UtcMillis(START.0 + seconds * 1000)).get();
    assert!((13.9..14.1).contains(&watts(660)));
    let energy = bench.miner.state().energy_watt_hours;
    assert!((600.0..602.0).contains(&energy), "{energy} Wh");
}

#[tokio::test]
async fn its_past_is_remembered() {
    let bench = Bench::new(Profile::G3);
    bench.pass(600);
    bench.write_v3("set.miner.service", json!("stop")).await.unwrap();
    bench.pass(60);
    let watts = |seconds: i64| bench.miner.power_at(UtcMillis(START.0 + seconds * 1000)).get();
    assert!((13.9..14.1).contains(&watts(660)));
    assert!((3599.0..3601.0).contains(&watts(599)), "{} W", watts(599));
}

#[tokio::test]
async fn it_leaves_the_network_with_its_last_handle_or_when_told() {
    let bench = Bench::new(Profile::G3);
    let address = bench.miner.v2_addr().unwrap();
    bench.miner.shutdown();
    soon(bench.miner.until_listening(false)).await;
    assert!(TcpStream::connect(address).await.is_err());

    let bench = Bench::new(Profile::G3);
    let mut connection = bench.v3().await;
    connection.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    let clone = bench.miner.clone();
    drop(bench.miner);
    connection.ask(&json!({ "cmd": "get.fan.setting" })).await.unwrap();
    drop(clone);
    assert!(connection.end().await.is_err());
}

#[tokio::test]
async fn only_firmware_with_v3_serves_it() {
    let setup = MinerSetup { profile: Profile::G2, ..MinerSetup::default() };
    let clock = simulator::time::SimulatedClock::paused(START);
    assert!(SimulatedMiner::start(setup, clock.source()).is_err());
}

#[tokio::test]
async fn no_password_is_printed() {
    let setup = MinerSetup {
        v2_password: "canary-2".into(),
        v3_password: "canary-3".into(),
        ..MinerSetup::default()
    };
    let clock = simulator::time::SimulatedClock::paused(START);
    let miner = SimulatedMiner::start(setup.clone(), clock.source()).unwrap();
    for text in [format!("{setup:?}"), format!("{miner:?}"), serde_json::to_string(&setup).unwrap()] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[rstest]
#[case(Faults::default())]
#[case(Faults {
    tokens: TokenPolicy::NASTY,
    writes: WriteFault::ApplyLater { seconds: 360 },
    cut: Some(Cut { after_bytes: 7, then: CutEnd::Silence }),
    malformed: Some(Malformation::NotANumber),
    mac: Some("02:00:00:00:00:07".into()),
    ..Faults::default()
})]
fn faults_survive_their_json(#[case] faults: Faults) {
    let text = serde_json::to_string(&faults).unwrap();
    assert_eq!(serde_json::from_str::<Faults>(&text).unwrap(), faults);
}

#[test]
fn knobs_are_named_and_default_to_health() {
    assert_eq!(serde_json::from_str::<Faults>("{}").unwrap(), Faults::default());
    let faults: Faults = serde_json::from_value(
        json!({ "writes": { "apply_later": { "seconds": 5 } }, "power_reads_zero": true }),
    )
    .unwrap();
    assert_eq!(faults.writes, WriteFault::ApplyLater { seconds: 5 });
    assert!(serde_json::from_value::<Faults>(json!({ "pwoer_reads_zero": true })).is_err());
    assert_eq!(serde_json::from_str::<Physics>("{}").unwrap(), Physics::default());
}

#[tokio::test]
async fn truth_and_log_survive_their_json() {
    let bench = Bench::new(Profile::G3);
    bench.write_v3("set.miner.power_limit", json!(2000)).await.unwrap();
    bench.pass(100);
    let truth = bench.miner.state();
    let text = serde_json::to_string(&truth).unwrap();
    assert_eq!(serde_json::from_str::<MinerTruth>(&text).unwrap(), truth);
    let log = bench.miner.log();
    let text = serde_json::to_string(&log).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Received>>(&text).unwrap(), log);
}
