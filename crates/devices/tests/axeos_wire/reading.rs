//! Who is there and how it does, of every simulated firmware.

use super::bench::*;
use devices::{DeviceError, Miner};
use rstest::rstest;
use simulator::axeos::{Faults, Forced, Profile};

#[rstest]
#[case(Profile::Ultra245, "Bitaxe Ultra 205", "AxeOS 2.4.5", None)]
#[case(Profile::Supra245, "Bitaxe Supra 401", "AxeOS 2.4.5", None)]
#[case(Profile::Gamma29, "Bitaxe Gamma 601", "AxeOS 2.9.0", None)]
#[case(Profile::Gamma212, "Bitaxe Gamma 601", "AxeOS 2.12.2", None)]
#[case(Profile::Gamma215, "Bitaxe Gamma 601", "AxeOS 2.15.0", Some(true))]
#[case(Profile::Ultra215, "Bitaxe Ultra 205", "AxeOS 2.15.0", Some(true))]
#[case(Profile::NerdQaxe11, "NerdQAxe++", "NerdOS 1.1.0", Some(true))]
#[tokio::test]
async fn who_it_is_and_what_it_does(
    #[case] profile: Profile,
    #[case] model: &str,
    #[case] api: &str,
    #[case] service_on: Option<bool>,
) {
    let bench = Bench::new(profile);
    bench.pass(600);
    let identity = bench.miner.identify(now()).await.unwrap();
    assert_eq!(identity.mac.as_deref(), Some("02:00:00:00:a0:01"));
    assert_eq!((identity.model.as_deref(), identity.api.as_str()), (Some(model), api));
    let (reading, truth) = (bench.read().await, bench.device.state());
    assert_eq!(reading.service_on, service_on);
    let watts = reading.power.unwrap().get();
    assert!((watts - truth.watts).abs() < 0.02 * truth.watts, "{watts} W instead of {} W", truth.watts);
    let rate = reading.hash_rate.unwrap().get();
    assert!((rate - truth.hashrate_ths).abs() <= 0.25 * truth.hashrate_ths, "{rate} TH/s");
    assert!((50.0..70.0).contains(&reading.chip_max.unwrap().get()));
    assert!(reading.fan_in_rpm.unwrap() > 1000);
    assert_eq!(reading.uptime_seconds, Some(truth.uptime_seconds));
    assert_eq!(reading.errors, []);
}

#[tokio::test]
async fn requests_are_such_as_the_device_takes() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.identify(now()).await.unwrap();
    bench.miner.stop(now()).await.unwrap();
    for request in bench.device.log() {
        assert_eq!(request.origin, None, "its access filter looks at that");
        assert_eq!(request.connection.as_deref(), Some("close"));
        assert_eq!(request.body, "");
    }
}

#[tokio::test]
async fn a_paused_board_s_offset_is_no_power() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_truth(Forced::Stopped);
    bench.pass(10);
    let reading = bench.read().await;
    assert_eq!((reading.service_on, reading.power, reading.chip_max), (Some(false), None, None));
    assert!(reading.hash_rate.unwrap().get() < 1e-9);
}

#[tokio::test]
async fn a_board_that_measures_its_input_is_believed_while_paused() {
    let bench = Bench::new(Profile::Ultra215);
    bench.miner.stop(now()).await.unwrap();
    bench.pass(3);
    let ramping = bench.read().await;
    assert_eq!((ramping.service_on, ramping.power), (Some(false), None), "it tells what was before");
    bench.pass(10);
    let paused = bench.read().await;
    assert!((paused.power.unwrap().get() - 2.7).abs() < 0.1, "{:?}", paused.power);
}

#[tokio::test]
async fn numbers_that_are_null_are_unknown() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_faults(Faults { null_numbers: true, ..Faults::default() });
    let reading = bench.read().await;
    assert_eq!((reading.power, reading.hash_rate, reading.chip_max), (None, None, None));
    assert_eq!(reading.service_on, Some(true));
}

#[tokio::test]
async fn a_spike_is_unknown_and_faults_are_told() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_faults(Faults { hash_rate_ghs: Some(244_139.0), ..Faults::default() });
    assert_eq!(bench.read().await.hash_rate, None);
    bench.device.set_faults(Faults { power_fault: Some("VIN undervoltage".into()), ..Faults::default() });
    bench.pass(3);
    let reading = bench.read().await;
    assert_eq!((reading.service_on, reading.power), (Some(true), None));
    assert_eq!(reading.errors[0].text, "VIN undervoltage");
}

#[tokio::test]
async fn an_overheated_board_tells_a_power_from_before() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_truth(Forced::Overheats);
    bench.pass(20);
    let reading = bench.read().await;
    assert_eq!((reading.service_on, reading.power, reading.errors.len()), (Some(true), None, 1));
    bench.pass(60);
    assert!(bench.read().await.power.is_some());
}

#[tokio::test]
async fn another_one_at_the_address_is_told_and_not_commanded() {
    let bench = Bench::new(Profile::Gamma215);
    bench.miner.identify(now()).await.unwrap();
    bench.device.set_faults(Faults { mac: Some("02:00:00:00:FF:09".into()), ..Faults::default() });
    let read = bench.miner.read(now()).await.unwrap_err();
    assert!(
        matches!(&read, DeviceError::WrongDevice(words) if words.contains("02:00:00:00:ff:09")),
        "{read}"
    );
    for refused in [bench.miner.stop(now()).await, bench.miner.start(model::Watts::whole(18), now()).await] {
        assert!(matches!(refused, Err(DeviceError::WrongDevice(_))), "{refused:?}");
    }
    bench.device.set_faults(Faults { impostor: true, ..Faults::default() });
    let read = bench.miner.read(now()).await.unwrap_err();
    assert!(matches!(read, DeviceError::WrongDevice(_)), "{read}");
    assert!(bench.miner.stop(now()).await.is_err());
    assert_eq!(bench.commands(), []);
}
