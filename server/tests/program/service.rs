//! The program as a service of the system: what its package brings along, and what it tells the service manager.

use crate::child::{PATIENCE, Program};
use serde_json::{Value, json};
use std::{os::unix::net::UnixDatagram, path::Path};

/// What a package puts into /etc/wm-controller.
const PACKAGED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/config.yaml");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_is_told_of_the_start_of_every_tick_and_of_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let told = || {
        let mut message = [0; 64];
        let length = manager.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    };
    let demo = ["--demo", "--house", "one", "--port", "0", "--history", "0"];
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let program = Program::start(dir.path(), &demo, &variables);
    assert_eq!([told(), told(), told()], ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    program.signal("-TERM");
    let last = std::iter::repeat_with(told).find(|told| told != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
    assert_eq!(program.ended().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_package_configures_starts_and_waits_to_be_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--config", PACKAGED, "--data", "kept", "--port", "0"];
    let mut program = Program::start(dir.path(), &arguments, &[("WMC__APP__HOST", "127.0.0.1")]);
    let address = program.address().await;
    program.says("with the code ").await;
    let status = reqwest::get(format!("http://{address}/api/system/status")).await.unwrap();
    let status: Value = serde_json::from_slice(&status.bytes().await.unwrap()).unwrap();
    assert_eq!(status["demo"], json!(false));
    assert!(dir.path().join("kept").exists());
    assert_eq!(program.stop().await.status.code(), Some(0));
}

#[test]
fn the_examples_in_what_a_package_configures_are_a_configuration() {
    let text = std::fs::read_to_string(Path::new(PACKAGED)).unwrap();
    // Prose has one blank behind its sign.
    let is_setting =
        |line: &str| line.starts_with("  ") || line.starts_with(|c: char| c.is_ascii_lowercase());
    let lines =
        text.lines().map(|line| line.strip_prefix('#').filter(|line| is_setting(line)).unwrap_or(line));
    let loaded =
        server::config::from_text(&lines.collect::<Vec<_>>().join("\n"), std::iter::empty()).unwrap();
    assert_eq!(loaded.config.miners.len(), 1);
    assert!(loaded.config.autocontrol.enabled && loaded.config.battery.password.is_some());
    assert_eq!(server::config::from_text(&text, std::iter::empty()).unwrap().config.miners, []);
}
