//! Byte vectors of the protocol: the frames of independent clients, and the frames that answer them.

use crate::{
    TimeSource,
    miner::{Effect, MinerSetup, Phase, Physics, Profile, SimulatedMiner, device::Device},
};
use model::UtcMillis;
use rstest::rstest;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const STOP: &str = "5f0000007b22636d64223a227365742e6d696e65722e73657276696365222c227473223a313730303030303030302c22746f6b656e223a224c5a63714d6a6356222c226163636f756e74223a227375706572222c22706172616d223a2273746f70227d";

fn miner(password: &str) -> SimulatedMiner {
    let clock: TimeSource = Arc::new(|| UtcMillis(1_700_000_000_000));
    let setup = MinerSetup { v3_password: password.into(), v2: None, ..MinerSetup::default() };
    let physics = Physics::typical(Profile::G3);
    let device = Device::with_salts(setup, physics, clock, "BQ5hoXV9".into(), "px5hoXa9".into());
    SimulatedMiner::serve(device).unwrap()
}

/// Sends exactly this and reads one frame, its length included.
async fn ask(miner: &SimulatedMiner, request: &[u8]) -> Vec<u8> {
    let exchange = async {
        let mut stream = TcpStream::connect(miner.v3_addr().unwrap()).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut frame = vec![0; 4];
        stream.read_exact(&mut frame).await.unwrap();
        let length = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]);
        frame.resize(4 + length as usize, 0);
        stream.read_exact(&mut frame[4..]).await.unwrap();
        frame
    };
    timeout(Duration::from_secs(30), exchange).await.unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

#[tokio::test]
async fn the_stop_frame_stops_the_machine() {
    let miner = miner("super");
    let done = br#"{"code":0,"when":1700000000,"msg":"ok","desc":"set.miner.service"}"#;
    assert_eq!(ask(&miner, &bytes(STOP)).await, [b"\x42\0\0\0".as_slice(), done].concat());
    assert_eq!(miner.state().phase, Phase::Off);
}

#[tokio::test]
async fn another_password_has_no_permission() {
    let miner = miner("other");
    let denied = br#"{"code":-4,"when":1700000000,"msg":"no permission","desc":"set.miner.service"}"#;
    assert_eq!(ask(&miner, &bytes(STOP)).await, [b"\x4e\0\0\0".as_slice(), denied].concat());
    assert_eq!(miner.state().phase, Phase::Stable);
}

#[rstest]
#[case(
    0x61,
    r#"{"cmd":"set.miner.power_limit","ts":1700000000,"token":"JY75VGJs","account":"super","param":2400}"#
)]
#[case(
    0x61,
    r#"{"cmd":"set.miner.power_mode","ts":1700000000,"token":"IA5HozfO","account":"super","param":"low"}"#
)]
#[case(0x7d, r#"{"cmd":"set.miner.power_percent","ts":1700000000,"token":"OgV3FC+i","account":"super","param":{"percent":"60","mode":"fast"}}"#)]
#[case(
    0x5b,
    r#"{"cmd":"set.miner.power","ts":1700000000,"token":"CO6nlZTe","account":"super","param":2400}"#
)]
#[case(
    0x5f,
    r#"{"cmd":"set.miner.upfreq_speed","ts":1700000000,"token":"SQ2jBmuo","account":"super","param":5}"#
)]
#[case(
    0x62,
    r#"{"cmd":"set.miner.fastboot","ts":1700000000,"token":"PkxwSJiG","account":"super","param":"enable"}"#
)]
#[tokio::test]
async fn the_other_vectors_are_applied(#[case] length: u8, #[case] request: &str) {
    let miner = miner("super");
    let frame = [&[length, 0, 0, 0], request.as_bytes()].concat();
    let reply = ask(&miner, &frame).await;
    let reply: serde_json::Value = serde_json::from_slice(&reply[4..]).unwrap();
    assert_eq!(reply["code"], 0);
    assert_eq!(miner.log()[0].effect, Effect::Applied);
}
