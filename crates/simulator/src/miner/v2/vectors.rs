//! Byte vectors of the protocol, over a real socket: the requests of independent clients, and the replies that they
//! were computed to get.

use crate::{
    TimeSource,
    miner::{
        Initial, MinerSetup, Phase, Physics, Profile, SimulatedMiner, TokenPolicy, device::Device,
        tokens::Grant,
    },
};
use model::UtcMillis;
use rstest::rstest;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const DONE: &str = "C/UGIQ8LwD66stwLyOOcM8AaTOolBWk/O12cM+G7Mz53lluOVpsOSpBcGhtOpg0QfXzqoVOPWCksKSnoq5FdlDzf1zswfpjLBG0UghjHFmJyj0Iw94hY+ImJc0aQQ3bU";
const NO_WRITES: &str = "u0m6Scm8fcwchtYzrI+LqsAaTOolBWk/O12cM+G7Mz4fodHtxZ9as9E16ynJb1GS8Su7taL8xnsKnyQOCJnh3JFlh29gxVQ91kzNPVCTPubWwfOURYhzRW8JaibUcWAP";
const INVALID: &str = "u0m6Scm8fcwchtYzrI+LqsAaTOolBWk/O12cM+G7Mz7msg0h7TBSIknR1VEaZIVbNhBAbewaXWhAvuGRUUQ4RKXZtXIBzcBwG3mKb1x8g4g=";

/// `power_off` with spaces in the JSON; NUL padding, then PKCS#7 padding.
const POWER_OFF: &str = "YJracrWpLn2XvqWuNiNqyg70K64pfivIJhwE32DXNCeyv4iYIDyJ6mJuwbGpytIytGFk3qcQXxIEGYONPJL4PpGxjzTpYw1ob9fHFP6+QL8=";
const POWER_OFF_PKCS7: &str = "YJracrWpLn2XvqWuNiNqyg70K64pfivIJhwE32DXNCeyv4iYIDyJ6mJuwbGpytIytGFk3qcQXxIEGYONPJL4PthSQx4gmZZEDxrtJlEujo4=";
const LIMIT_2400: &str = "APszrWSxSV2tQF6fMgI4ZaF773GCayhn3Xq4G82GrrDDGIWEZox6AzozKUJFGuhGNu8SDxCuRjTywNA6MsCdSZmN9lmZbn718Sv0yvT4EP/AhZ6e2cCC3oX03jqlzb/u";
const LIMIT_2400_SPACED: &str = "O5e/wLPd15lksXZtkQCQiRLBG6LwJEo6ZwiMEuVqiRQ9TPvw0wC2RPOdS8PDOszyO9rorR/TkyipP9p9HAmNtHth4xDcsucXPd766FoG1jC6nrZWHIxY13kIxycDkx+T";
const POWER_ON: &str =
    "WVz5U209eNn5F0vAECDsXvdTMCkkTwM5rcSXxsJKt2ZilMuWHdwG4167X10OiWCL06NhUKKDCJpGZkZeScEoOg==";
const RESTART: &str =
    "9ugez0Ad9q60O1qDmwhnXd94YXyNiSeCMuFnFLCpk8q/y7rXf7j/FVDqiSJn7ppyLNJYuDygvKTtHeUxeUnRBg==";
const PERCENT_60: &str = "3hNdL2Ur8H9IFLg53jqAiVhJb2MwZ3T2nqY9aYalAGSRNW2b7YLzfoKntkjnNRdFe2HjENyy5xc93vroWgbWMLqetlYcjFjXeQjHJwOTH5M=";
const PERCENT_60_V2: &str = "3hNdL2Ur8H9IFLg53jqAiQGJ0A6IN2IXZgpse6qxR1Rggt4T042+Mbg8RXw9/51Fv8u613+4/xVQ6okiZ+6acizSWLg8oLyk7R3lMXlJ0QY=";

/// A device with the password and the session of the vectors, at the instant of their replies.
struct Bench {
    device: Arc<Device>,
    miner: SimulatedMiner,
}

fn device(setup: MinerSetup, salt: &str, time: &str, newsalt: &str) -> Bench {
    let clock: TimeSource = Arc::new(|| UtcMillis(1_700_000_000_000));
    let physics = Physics::typical(setup.profile);
    let device = Device::with_salts(setup, physics, clock, salt.into(), "px5hoXa9".into());
    let grant = Grant { time: time.into(), newsalt: newsalt.into() };
    let opened = device.visit(|state, now| {
        let key = state.v2_key.clone();
        state.tokens.open(TokenPolicy::default(), now, &key, &grant)
    });
    assert!(opened.is_some());
    let miner = SimulatedMiner::serve(device).unwrap();
    Bench { device: Arc::clone(&miner.device), miner }
}

fn example_a(profile: Profile, writes_enabled: bool, initial: Initial) -> Bench {
    let setup = MinerSetup { profile, writes_enabled, initial, v3: None, ..MinerSetup::default() };
    device(setup, "BQ5hoXV9", "5626", "jbzkfQls")
}

impl Bench {
    /// Sends exactly this and reads to the end.
    async fn ask(&self, request: &str) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.miner.v2_addr().unwrap()).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).await.unwrap();
            reply
        };
        timeout(Duration::from_secs(30), exchange).await.unwrap()
    }

    async fn send(&self, data: &str) -> String {
        self.ask(&format!(r#"{{"enc": 1, "data": "{data}"}}"#)).await
    }
}

fn sealed(data: &str) -> String {
    format!(r#"{{"enc":"{data}"}}"#)
}

#[rstest]
#[case(POWER_OFF)]
#[case(POWER_OFF_PKCS7)]
#[tokio::test]
async fn power_off_stops_the_machine(#[case] data: &str) {
    let bench = example_a(Profile::G2, true, Initial::Running);
    assert_eq!(bench.send(data).await, sealed(DONE));
    assert_eq!(bench.miner.state().phase, Phase::Off);
}

#[rstest]
#[case(LIMIT_2400)]
#[case(LIMIT_2400_SPACED)]
#[tokio::test]
async fn the_limit_is_set(#[case] data: &str) {
    let bench = example_a(Profile::G2, true, Initial::Running);
    assert_eq!(bench.send(data).await, sealed(DONE));
    let truth = bench.miner.state();
    assert_eq!((truth.phase, truth.limit_watts, truth.restarts), (Phase::Booting, 2400, 1));
}

#[rstest]
#[case(POWER_ON, Initial::Off, Phase::Booting, None)]
#[case(RESTART, Initial::Running, Phase::Booting, None)]
#[case(PERCENT_60, Initial::Running, Phase::Stable, Some(60))]
#[case(PERCENT_60_V2, Initial::Running, Phase::Stable, Some(60))]
#[tokio::test]
async fn the_other_vectors_do_what_they_say(
    #[case] data: &str,
    #[case] initial: Initial,
    #[case] phase: Phase,
    #[case] percent: Option<u8>,
) {
    let bench = example_a(Profile::G2, true, initial);
    assert_eq!(bench.send(data).await, sealed(DONE));
    let truth = bench.miner.state();
    assert_eq!((truth.phase, truth.percent), (phase, percent));
}

#[tokio::test]
async fn denied_and_unknown_commands_are_answered_under_the_key() {
    let locked = example_a(Profile::G2, false, Initial::Running);
    assert_eq!(locked.send(POWER_OFF).await, sealed(NO_WRITES));
    assert_eq!(locked.miner.state().phase, Phase::Stable);

    let bench = example_a(Profile::G2, true, Initial::Running);
    let unknown = r#"{"cmd":"set_customer_msg","token":"w.BNbkCV6n1aNWgiBWLzT/"}"#;
    let data = bench.device.visit(|state, _| state.cipher.seal(unknown));
    assert_eq!(bench.send(&data).await, sealed(INVALID));
}

#[tokio::test]
async fn a_salt_with_a_dot_and_another_password() {
    let setup = MinerSetup {
        profile: Profile::G2,
        v2_password: "hunter2_".into(),
        v3: None,
        ..MinerSetup::default()
    };
    let bench = device(setup, "L7mYce6.", "7804", "yHmabpw8");
    let data = "XJEItrA7u53j67KBvJai56ZozmYo7sxtPfZBL0/52ZxWO5I1npvN/6GaticFv6hwrf4ES9LFQ+KYUUOTW0b26c10dOflR/UdDrT7nFEFcis=";
    let done = "dhG0BVw/9VEQ2Jqu5l/Rc/Vy0IjtMdMrxvw7uKjbtQFP5UAUjMualvqbs7yXyG3UvNNMM34Fpe8alBR8ez/oYIoc3xQCceKR1AiM9pd8cU3OFdB3x3qYcATjBN+E7tuY";
    assert_eq!(bench.send(data).await, sealed(done));
    assert_eq!(bench.miner.state().percent, Some(60));
}

#[tokio::test]
async fn a_vector_under_another_password_is_not_json() {
    let setup =
        MinerSetup { profile: Profile::G2, v2_password: "other".into(), v3: None, ..MinerSetup::default() };
    let bench = device(setup, "BQ5hoXV9", "5626", "jbzkfQls");
    let refused = r#"{"STATUS":"E","When":1700000000,"Code":23,"Msg":"enc json load err","Description":""}"#;
    assert_eq!(bench.send(POWER_OFF).await, refused);
}
