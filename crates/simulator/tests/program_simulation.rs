//! A whole simulation: as a library over a day, and as the program from its first line to its end.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test can't do fails the test")]

mod http;

use serde_json::Value;
use simulator::{
    axeos::{AxeosSetup, Forced},
    miner::MinerSetup,
    program::{Simulation, SimulationSetup},
    time::SimulatedClock,
};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

#[tokio::test]
async fn a_demo_day_looks_like_a_day() {
    let clock = SimulatedClock::paused("2026-05-01T06:00:00Z".parse().unwrap());
    let simulation = Simulation::start(SimulationSetup::default(), clock.source()).await.unwrap();
    let (mut brightest, mut dark) = (0.0_f64, 0);
    for _ in 0..24 {
        clock.jump(Duration::from_secs(3600));
        let state = simulation.house().now();
        brightest = brightest.max(state.pv.get());
        dark += u32::from(state.pv.get() < 1.0);
        assert!((0.0..=100.0).contains(&state.soc_percent));
    }
    let day = simulation.house().now().total;
    assert!(brightest > 5000.0, "{brightest}");
    assert!((9..=12).contains(&dark), "a night in May has {dark} hours");
    assert!((day.miners - 24.0 * 3600.0).abs() < 5000.0, "the miner drew {} Wh", day.miners);
    let counted = simulation.miners().first().unwrap().state().energy_watt_hours;
    assert!((day.miners - counted).abs() < 50.0, "{} Wh by the house, {counted} Wh by the miner", day.miners);
}

#[tokio::test]
async fn a_miner_that_stops_between_two_looks_is_seen_as_it_was() {
    let clock = SimulatedClock::paused("2026-05-01T18:00:00Z".parse().unwrap());
    let simulation = Simulation::start(SimulationSetup::default(), clock.source()).await.unwrap();
    let miner = simulation.miner("miner").unwrap();
    miner.update_faults(|faults| faults.reboot_seconds = Some(3600));
    clock.jump(Duration::from_secs(1800));
    miner.reboot();
    clock.jump(Duration::from_secs(1800));
    let drawn = simulation.house().now().total.miners;
    assert!((1700.0..2000.0).contains(&drawn), "half an hour at 3.6 kW: {drawn} Wh");
}

#[tokio::test]
async fn miners_have_ids_of_their_own() {
    let clock = SimulatedClock::paused("2026-05-01T18:00:00Z".parse().unwrap());
    let setup = SimulationSetup { miners: vec![MinerSetup::default(); 2], ..SimulationSetup::default() };
    let error = Simulation::start(setup, clock.source()).await.unwrap_err();
    assert_eq!(error.to_string(), "miners: not two with the id miner");
}

#[tokio::test]
async fn a_bitaxe_beside_the_miners_is_part_of_the_load() {
    let clock = SimulatedClock::paused("2026-05-01T18:00:00Z".parse().unwrap());
    let setup = SimulationSetup {
        miners: Vec::new(),
        axeos: vec![AxeosSetup::default(), AxeosSetup { id: "shed".into(), ..AxeosSetup::default() }],
        ..SimulationSetup::default()
    };
    let simulation = Simulation::start(setup, clock.source()).await.unwrap();
    clock.jump(Duration::from_secs(3600));
    simulation.axeos_device("shed").unwrap().set_truth(Forced::Stopped);
    clock.jump(Duration::from_secs(3600));
    let state = simulation.house().now();
    assert!((state.miners.get() - 20.9).abs() < 0.2, "one mines, one is stopped: {}", state.miners);
    let counted: f64 = simulation.axeos().iter().map(|device| device.state().energy_watt_hours).sum();
    assert!((state.total.miners - counted).abs() < 0.5, "{} Wh, {counted} Wh", state.total.miners);

    let twice = SimulationSetup {
        axeos: vec![AxeosSetup { id: "miner".into(), ..AxeosSetup::default() }],
        ..SimulationSetup::default()
    };
    let error = Simulation::start(twice, clock.source()).await.unwrap_err();
    assert_eq!(error.to_string(), "axeos: not two with the id miner");
}

#[test]
fn a_setup_is_read_from_json_and_written_without_secrets() {
    let setup: SimulationSetup = serde_json::from_value(serde_json::json!({
        "house": {"battery_wh": 14_300, "clouds": {"cover": 0.9}},
        "portal": {"profile": "xp", "password": "swordfish"},
        "miners": [{"id": "shed", "profile": "g2", "v3": null}, {"id": "garage"}],
    }))
    .unwrap();
    assert_eq!(setup.portal.password, "swordfish");
    assert_eq!(setup.miners.len(), 2);
    let text = serde_json::to_string(&setup).unwrap() + &format!("{setup:?}");
    assert!(!text.contains("swordfish"));
    assert!(serde_json::from_str::<SimulationSetup>("{\"hose\": {}}").is_err());
}

/// The program, running. Dropping it kills it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the program and reads the line that it announces itself with.
fn program(arguments: &[&str]) -> (Running, Value) {
    let child = Command::new(env!("CARGO_BIN_EXE_simulator"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut line = String::new();
    BufReader::new(running.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (running, serde_json::from_str(&line).unwrap())
}

/// What the control API that was announced tells.
async fn told(announced: &Value, path: &str) -> Value {
    let api = announced["api"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    http::request(api, "GET", path, &[], "").await.unwrap().json()
}

#[tokio::test]
async fn the_program_announces_itself_and_ends_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let arguments = ["--start", "2026-03-21T12:00:00Z", "--scale", "0", "--soc", "41", "--profile", "g2"];
        let (mut running, announced) = program(&arguments);
        assert!(announced["portal"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        let miner = announced["miners"].get(0).unwrap();
        assert!(miner["v2"].is_string() && miner["v3"].is_null(), "a G2 has no V3: {miner}");
        let state = told(&announced, "/state").await;
        assert_eq!(state["time"]["utc"], "2026-03-21T12:00:00Z");
        assert_eq!(state["house"]["state"]["soc_percent"], 41.0);

        let id = running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert!(running.0.wait().unwrap().success());
    }
}

#[tokio::test]
async fn the_program_announces_every_bitaxe() {
    let devices = ["--axeos", "gamma-2.15.0@127.0.0.7:0", "--axeos", "nerdqaxe++-1.1@127.0.0.8:0"];
    let (_running, announced) = program(&devices);
    let second = &announced["axeos"].get(1).unwrap();
    assert_eq!((&second["id"], &second["profile"]), (&"axeos-2".into(), &"nerdqaxe++-1.1".into()));
    let addr = second["addr"].as_str().unwrap();
    assert!(addr.starts_with("127.0.0.8:"), "{addr}");
    let info = http::request(addr.parse().unwrap(), "GET", "/api/system/info", &[], "").await.unwrap().json();
    assert_eq!(info["macAddr"], "02:00:00:00:A0:02");

    let output = Command::new(env!("CARGO_BIN_EXE_simulator")).args(["--axeos", "gamma@x"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("gamma-2.15.0"));
}

#[tokio::test]
async fn the_program_lives_a_recorded_day() {
    let folder = std::env::temp_dir().join(format!("simulator-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("day.csv");
    std::fs::write(&file, "time,soc,pv_w,load_w,battery_w\n00:00,20,0,400,-400\n12:00,80,8000,900,6900\n")
        .unwrap();
    let path = file.to_str().unwrap();
    let (_running, announced) = program(&["--day", path, "--start", "2026-05-01T12:00:00Z", "--scale", "0"]);
    let state = told(&announced, "/house").await;
    assert_eq!((&state["state"]["soc_percent"], &state["state"]["pv"]), (&50.0.into(), &4000.0.into()));

    std::fs::write(&file, "time,soc\n00:00,200\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_simulator")).args(["--day", path]).output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("day.csv: line 2: soc"), "{told}");
    std::fs::remove_dir_all(&folder).unwrap();
}
