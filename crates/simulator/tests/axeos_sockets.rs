//! The simulated Bitaxes, spoken to over real sockets by the smallest client there can be.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what the helpers of a test can't do fails the test"
)]

mod http;

use http::Reply;
use model::UtcMillis;
use rstest::rstest;
use serde_json::{Value, json};
use simulator::{
    axeos::{AxeosSetup, Faults, Forced, Phase, Profile, SimulatedAxeos, Stall},
    time::SimulatedClock,
};
use std::{io, time::Duration};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

const START: UtcMillis = UtcMillis(1_790_000_000_000);
/// Long enough for every exchange here: who reaches it hangs.
const DEADLINE: Duration = Duration::from_secs(60);

struct Bench {
    clock: SimulatedClock,
    device: SimulatedAxeos,
}

impl Bench {
    fn new(profile: Profile) -> Self {
        let clock = SimulatedClock::paused(START);
        let setup = AxeosSetup { profile, ..AxeosSetup::default() };
        Self { device: SimulatedAxeos::start(setup, clock.source()).unwrap(), clock }
    }

    fn pass(&self, seconds: f64) {
        self.clock.jump(Duration::try_from_secs_f64(seconds).unwrap());
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Reply> {
        soon(http::request(self.device.addr(), method, path, headers, body)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], "").await.unwrap()
    }

    async fn post(&self, path: &str) -> Reply {
        self.ask("POST", path, &[], "").await.unwrap()
    }

    async fn info(&self) -> Value {
        self.get("/api/system/info").await.json()
    }

    async fn number(&self, name: &str) -> f64 {
        self.info().await.get(name).and_then(Value::as_f64).unwrap()
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("it doesn't happen")
}

fn near(one: f64, other: f64, by: f64) -> bool {
    (one - other).abs() <= by
}

#[rstest]
#[case(Profile::Ultra245, true, false, false, false)]
#[case(Profile::Supra245, true, false, false, false)]
#[case(Profile::Gamma29, false, false, false, true)]
#[case(Profile::Gamma212, false, true, false, true)]
#[case(Profile::Gamma215, false, true, true, true)]
#[case(Profile::Ultra215, false, true, true, true)]
#[case(Profile::NerdQaxe11, true, true, false, false)]
#[tokio::test]
async fn each_version_has_its_own_fields(
    #[case] profile: Profile,
    #[case] tells_chips: bool,
    #[case] averages: bool,
    #[case] pauses: bool,
    #[case] expects: bool,
) {
    let bench = Bench::new(profile);
    bench.pass(60.0);
    let info = bench.info().await;
    let has = |name: &str| info.get(name).is_some();
    assert_eq!(has("asicCount"), tells_chips);
    assert_eq!(has("hashRate_10m"), averages);
    assert_eq!(has("miningPaused"), pauses);
    assert_eq!(has("expectedHashrate"), expects);
    assert_eq!(has("shutdown"), profile.is_nerd());
    assert_eq!(has("deviceModel"), profile.is_nerd());
    assert_eq!(has("boardVersion"), !profile.is_nerd());
    assert_eq!(info["bestDiff"].is_string(), tells_chips || !averages);
    assert!(!has("power_fault"));
    let truth = bench.device.state();
    let told = info["hashRate"].as_f64().unwrap() / 1000.0;
    assert!(near(told, truth.hashrate_ths, 0.25 * truth.hashrate_ths), "{told} TH/s");
    assert!(near(info["power"].as_f64().unwrap(), truth.watts, 0.02 * truth.watts));
}

#[rstest]
#[case(Profile::Ultra245, 302, 405)]
#[case(Profile::Gamma29, 404, 404)]
#[case(Profile::Gamma215, 404, 404)]
#[case(Profile::NerdQaxe11, 302, 405)]
#[tokio::test]
async fn what_a_version_does_not_have(#[case] profile: Profile, #[case] get: u16, #[case] post: u16) {
    let bench = Bench::new(profile);
    assert_eq!(bench.get("/api/system/nothing").await.status, get);
    assert_eq!(bench.post("/api/system/nothing").await.status, post);
    let elsewhere = bench.get("/somewhere").await;
    assert_eq!((elsewhere.status, elsewhere.header("location")), (302, Some("/")));
    let page = bench.get("/").await;
    assert_eq!(String::from_utf8_lossy(&page.body).contains("AxeOS"), !profile.is_nerd());
    let options = bench.ask("OPTIONS", "/api/system", &[], "").await.unwrap();
    assert_eq!((options.status, options.header("access-control-allow-origin")), (200, Some("*")));
    let asic = bench.get("/api/system/asic").await;
    assert_eq!(asic.status == 200, profile != Profile::Ultra245);
}

#[tokio::test]
async fn a_pause_shows_as_it_does_on_a_device() {
    let bench = Bench::new(Profile::Gamma215);
    bench.pass(3600.0);
    let before = bench.info().await;
    assert_eq!(bench.post("/api/system/pause").await.json(), json!({"message": "Mining paused"}));
    bench.pass(4.0);
    let ramping = bench.info().await;
    assert_eq!((&ramping["miningPaused"], &ramping["expectedHashrate"]), (&json!(true), &json!(0.0)));
    assert_eq!((&ramping["power"], &ramping["temp"]), (&before["power"], &before["temp"]));
    assert!(ramping["actualFrequency"].as_f64().unwrap() < 400.0);
    assert!(bench.device.state().watts < 14.0);
    bench.pass(6.0);
    let paused = bench.info().await;
    assert_eq!(paused["hashRate"], 0.0);
    assert_eq!(
        (&paused["power"], &paused["temp"], &paused["fanspeed"]),
        (&5.0.into(), &(-1.0).into(), &30.0.into())
    );
    assert!(paused["hashRate_1m"].as_f64().unwrap() > 1000.0, "averages stand still");
    assert_eq!(bench.device.state().phase, Phase::Stopped);

    assert_eq!(bench.post("/api/system/pause").await.status, 200, "again is all right");
    assert_eq!(bench.post("/api/system/resume").await.json(), json!({"message": "Mining resumed"}));
    assert!(bench.number("expectedHashrate").await > 1000.0);
    bench.pass(2.0);
    assert!(near(bench.number("hashRate").await, 0.0, 1e-9));
    bench.pass(15.0);
    assert!(near(bench.number("hashRate").await, 1071.0, 110.0));
}

#[tokio::test]
async fn a_board_that_measures_its_input_tells_what_it_draws_while_paused() {
    let bench = Bench::new(Profile::Ultra215);
    bench.post("/api/system/pause").await;
    bench.pass(10.0);
    let (told, truth) = (bench.info().await, bench.device.state());
    assert!(near(told["power"].as_f64().unwrap(), 2.7, 0.1) && near(truth.watts, 2.7, 1e-9));
    assert!(told["temp"].as_f64().unwrap() > 20.0, "its sensor isn't the chip's own");
}

#[tokio::test]
async fn a_restart_leaves_the_network_and_forgets_the_pause() {
    let bench = Bench::new(Profile::Gamma215);
    bench.post("/api/system/pause").await;
    bench.pass(20.0);
    assert_eq!(bench.post("/api/system/restart").await.status, 200);
    bench.pass(1.0);
    soon(bench.device.until_listening(false)).await;
    assert!(TcpStream::connect(bench.device.addr()).await.is_err());
    bench.pass(8.0);
    soon(bench.device.until_listening(true)).await;
    let info = bench.info().await;
    assert_eq!(
        (&info["miningPaused"], &info["uptimeSeconds"], &info["sharesAccepted"]),
        (&json!(false), &0.into(), &0.into())
    );
    bench.pass(30.0);
    assert_eq!(bench.device.state().phase, Phase::Mining);
}

#[tokio::test]
async fn a_nerd_is_shut_down_and_comes_back_by_a_restart() {
    let bench = Bench::new(Profile::NerdQaxe11);
    let reply = bench.post("/api/system/shutdown").await;
    assert_eq!(reply.body, b"System will shutdown shortly.");
    bench.pass(6.0);
    let info = bench.info().await;
    assert_eq!((&info["shutdown"], &info["hashRate"]), (&json!(true), &0.0.into()));
    assert!(near(info["power"].as_f64().unwrap(), 5.0, 0.2), "as it is measured at the input");
    assert_eq!(bench.post("/api/system/resume").await.status, 405);
    bench.post("/api/system/restart").await;
    bench.pass(60.0);
    soon(bench.device.until_listening(true)).await;
    assert_eq!(bench.info().await["shutdown"], false);
}

#[tokio::test]
async fn settings_are_taken_live_and_power_follows_the_square_of_the_voltage() {
    let bench = Bench::new(Profile::Gamma212);
    let patch = async |body: &str| bench.ask("PATCH", "/api/system", &[], body).await.unwrap();
    assert_eq!(patch(r#"{"frequency": 400, "coreVoltage": 1000}"#).await.status, 200);
    bench.pass(10.0);
    assert!(near(bench.device.state().watts, 5.0 + 0.02 * 400.0, 1e-6));
    let refused = patch(r#"{"frequency": 490, "coreVoltage": -4}"#).await;
    assert_eq!((refused.status, refused.body.as_slice()), (400, b"Wrong API input".as_slice()));
    assert!(near(bench.number("frequency").await, 400.0, 1e-9), "all or nothing");
}

#[tokio::test]
async fn who_comes_from_elsewhere_is_refused() {
    let bench = Bench::new(Profile::Gamma215);
    let origin = async |origin| {
        let headers = [("Origin", origin)];
        bench.ask("GET", "/api/system/info", &headers, "").await.unwrap().status
    };
    assert_eq!(origin("http://192.168.1.9").await, 200);
    assert_eq!(origin("https://203.0.113.5").await, 401);
    let seen = soon(bench.device.received(|request| request.status == Some(401))).await;
    assert_eq!(seen.origin.as_deref(), Some("https://203.0.113.5"));
    bench.device.set_faults(Faults { unauthorized: true, ..Faults::default() });
    let refused = bench.post("/api/system/pause").await;
    assert_eq!((refused.status, refused.body.as_slice()), (401, b"Unauthorized".as_slice()));
    assert!(!bench.device.state().paused);
}

#[tokio::test]
async fn faults_of_what_is_told() {
    let bench = Bench::new(Profile::Gamma215);
    let set = |faults| bench.device.set_faults(faults);
    set(Faults { null_numbers: true, ..Faults::default() });
    let info = bench.info().await;
    assert!(info["power"].is_null() && info["hashRate"].is_null() && info["version"].is_string());
    set(Faults { hash_rate_ghs: Some(244_139.0), ..Faults::default() });
    assert!(near(bench.number("hashRate").await, 244_139.0, 1e-9));
    set(Faults { truncate_bytes: Some(200), ..Faults::default() });
    let cut = bench.get("/api/system/info").await;
    assert!(cut.body.len() == 200 && serde_json::from_slice::<Value>(&cut.body).is_err());
    set(Faults { mac: Some("02:00:00:00:FF:01".into()), ..Faults::default() });
    assert_eq!(bench.info().await["macAddr"], "02:00:00:00:FF:01");
    set(Faults { impostor: true, ..Faults::default() });
    assert!(serde_json::from_slice::<Value>(&bench.get("/api/system/info").await.body).is_err());

    set(Faults { flatline: true, ..Faults::default() });
    let before = bench.info().await;
    bench.pass(600.0);
    let after = bench.info().await;
    assert_eq!(
        (&before["hashRate"], &before["sharesAccepted"]),
        (&after["hashRate"], &after["sharesAccepted"])
    );
    set(Faults { power_fault: Some("VOUT overvoltage".into()), ..Faults::default() });
    bench.pass(2.0);
    let info = bench.info().await;
    assert_eq!((&info["power_fault"], &info["hashRate"]), (&json!("VOUT overvoltage"), &0.0.into()));
}

#[tokio::test]
async fn an_overheated_board_says_so_and_recovers_with_less() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_truth(Forced::Overheats);
    bench.pass(20.0);
    let info = bench.info().await;
    assert_eq!(
        (&info["overheat_mode"], &info["hashRate"], &info["miningPaused"]),
        (&1.into(), &0.0.into(), &false.into())
    );
    assert!(info["power"].as_f64().unwrap() > 15.0, "what it measured before");
    bench.pass(60.0);
    let info = bench.info().await;
    assert_eq!(
        (&info["overheat_mode"], &info["frequency"], &info["coreVoltage"]),
        (&0.into(), &425.0.into(), &1050.into())
    );
}

#[tokio::test]
async fn a_stalled_server_says_nothing_and_the_board_mines_on() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_faults(Faults { stall: Stall::Reads, ..Faults::default() });
    let addr = bench.device.addr();
    let asking = tokio::spawn(async move { http::request(addr, "GET", "/api/system/info", &[], "").await });
    soon(bench.device.received(|request| request.method == "GET")).await;
    assert_eq!(bench.post("/api/system/identify").await.status, 200, "another connection is served");
    assert!(!asking.is_finished());
    assert_eq!(bench.device.state().phase, Phase::Mining);
    bench.device.set_faults(Faults { closed: true, ..Faults::default() });
    soon(bench.device.until_listening(false)).await;
    assert!(soon(asking).await.unwrap().is_err());
    assert!(bench.device.state().watts > 18.0);
}

#[tokio::test]
async fn a_lost_answer_is_no_lost_command() {
    let bench = Bench::new(Profile::Gamma215);
    bench.device.set_faults(Faults { drop_write_replies: true, ..Faults::default() });
    assert!(bench.ask("POST", "/api/system/pause", &[], "").await.is_err());
    assert!(bench.device.state().paused);
    bench.device.set_faults(Faults { swallow_writes: true, ..Faults::default() });
    assert_eq!(bench.post("/api/system/resume").await.status, 200);
    assert!(bench.device.state().paused);
}

#[tokio::test]
async fn of_too_many_connections_the_least_recently_used_is_closed() {
    let bench = Bench::new(Profile::Gamma215);
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(TcpStream::connect(bench.device.addr()).await.unwrap());
    }
    let mut first = open.remove(0);
    let _one_more = TcpStream::connect(bench.device.addr()).await.unwrap();
    let mut byte = [0];
    assert_eq!(soon(first.read(&mut byte)).await.unwrap_or(0), 0);
}
