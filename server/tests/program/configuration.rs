//! Configurations that can't be, as the program tells of them; and one that says nothing.

use crate::{
    child::{Program, run},
    house::House,
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn write(dir: &Path, text: impl AsRef<[u8]>) {
    fs::write(dir.join("config.yaml"), text).unwrap();
    fs::set_permissions(dir.join("config.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
}

/// One message, and nothing else happens: nothing is announced, no data directory is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_configuration_ends_with_one_message_and_nothing_else() {
    let ten_megabytes = format!("# {}\n", "x".repeat(10 << 20));
    let deep = format!("app: {}", "[".repeat(100_000));
    for (text, told) in [
        ("app:\n  prot: 8081\n", &["config.yaml:2: app.prot", "\"port\""][..]),
        ("app:\n  port: many\n", &["config.yaml:2: app.port", "whole number"]),
        (
            "autocontrol:\n  emergency_soc: 80\n  full_soc: 95\n",
            &["config.yaml:2: autocontrol.emergency_soc", "sunset_soc"],
        ),
        ("\nautocontrol: {sunset_soc: .nan}\n", &["config.yaml:2: autocontrol.sunset_soc"]),
        ("site: {timezone: Mars/Base}", &["config.yaml:1: site.timezone"]),
        ("miner: {host: \"127.0.0.1:22\"}", &["config.yaml:1: miner.host"]),
        ("app: {port: 1, port: 2}", &["config.yaml:1: app.port", "twice"]),
        (&ten_megabytes, &["config.yaml: larger than 1 MiB"]),
        (&deep, &["config.yaml:1: "]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), text);
        let start: &[&str] = &["--port", "0"];
        for arguments in [start, &["check"], &["check", "--live"]] {
            let ended = run(dir.path(), arguments).await;
            let message = ended.err.as_str();
            assert_eq!((ended.status.code(), ended.out.as_str()), (Some(1), ""), "{arguments:?} {message}");
            assert!(message.starts_with("wm-controller: ") && message.lines().count() == 1, "{message}");
            for part in told {
                assert!(message.contains(part), "{part:?} isn't in {message}");
            }
            assert!(!dir.path().join("data").exists());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_problems_are_one_message() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "app: {prot: 1}\nautocontrol: {sunset_soc: 101}\n");
    let ended = run(dir.path(), &["--port", "0"]).await;
    assert_eq!(ended.status.code(), Some(1));
    let lines: Vec<_> = ended.err.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ended.err);
    assert!(lines[0].starts_with("wm-controller: ") && lines[0].contains("2 problems"), "{}", ended.err);
}

/// Without a file, and with one that is empty, everything is at its default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_file_starts_with_the_defaults() {
    let house = House::open().await;
    for text in [None, Some(""), Some("# nothing yet\n")] {
        let dir = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            write(dir.path(), text);
        }
        let mut program = Program::start(dir.path(), &["--port", "0"], &[("WMC__APP__HOST", "127.0.0.1")]);
        let address = program.address().await;
        let get = async |path| house.ask(address, reqwest::Method::GET, path, None).await;
        let (status, body) = get("/api/system/status").await;
        assert_eq!((status, &body["miner"], &body["demo"]), (200, &Value::Null, &json!(false)));
        assert_eq!(body["site"], json!({ "name": "Home", "timezone": "UTC" }));
        let (status, body) = get("/api/network/devices").await;
        assert_eq!((status, &body["device_count"]), (200, &json!(0)));
        assert_eq!(get("/api/system/health").await.0, 503, "a site that knows no battery isn't well");
        let ended = program.stop().await;
        assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
        assert!(dir.path().join("data/wm-controller.db").is_file());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_others_can_read_is_warned_about() {
    let house = House::in_real_time().await;
    let file = house.configuration(|_| {});
    let warned = async || {
        let checked = run(house.dir.path(), &["check", "--config", &file]).await;
        assert_eq!(checked.status.code(), Some(0), "{}", checked.err);
        let mut program =
            Program::start(house.dir.path(), &["--config", &file, "--port", "0", "--data", "data"], &[]);
        program.address().await;
        let ended = program.stop().await;
        [checked.out, ended.err].map(|said| said.contains("chmod 600"))
    };
    assert_eq!(warned().await, [false, false]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(warned().await, [true, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_arguments_are_told() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        &["--nonsense"][..],
        &["--port", "70000"],
        &["--demo", "--config", "config.yaml"],
        &["--demo", "--simulator", "http://127.0.0.1:1"],
        &["--scale", "5"],
        &["destroy"],
    ] {
        let ended = run(dir.path(), arguments).await;
        assert_eq!((ended.status.code(), ended.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.err.starts_with("error: "), "{}", ended.err);
    }
    let missing = run(dir.path(), &["--config", "nowhere.yaml"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(missing.err, "wm-controller: nowhere.yaml: there is no such file\n");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
