//! A simulated house in this process, and the program that runs it.

use crate::child::{PATIENCE, Program};
use engine::clock::{Clock, SystemClock};
use model::{Soc, UtcMillis};
use serde_json::{Value, json};
use simulator::{
    house::{HouseSetup, Overrides},
    miner::{MinerSetup, Received, SimulatedMiner},
    portal::PortalSetup,
    program::{ControlApi, Simulation, SimulationSetup},
    time::SimulatedClock,
};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// The time between two looks at the API, in real time.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Stands in every password of a house that is run by a configuration file.
pub(crate) const CANARY: &str = "canary-7751-kept";

/// A simulated house whose time stands still, and a directory for the program's data.
pub(crate) struct House {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) clock: SimulatedClock,
    pub(crate) dir: tempfile::TempDir,
    api: ControlApi,
    client: reqwest::Client,
    /// The token that is shown to the program, once there is one.
    token: OnceLock<String>,
    /// What the browser holds that took the house over.
    cookies: OnceLock<Vec<String>>,
}

impl House {
    /// Noon in June at Albuquerque, the battery held at 95 %, a current miner at full power. The passwords are those
    /// that the program takes when it joins a simulator.
    pub(crate) async fn open() -> Self {
        let clock = SimulatedClock::paused("2026-06-21T18:00:00Z".parse().unwrap());
        Self::with(clock, MinerSetup::default(), PortalSetup::default()).await
    }

    /// The same in real time with [`CANARY`] for every password, to be run by a configuration file.
    pub(crate) async fn in_real_time() -> Self {
        Self::ahead_of_real_time(0).await
    }

    /// The same with the clocks of the house ahead of ours by so many seconds.
    pub(crate) async fn ahead_of_real_time(seconds: i64) -> Self {
        let start = UtcMillis(SystemClock::new().wall().0 + seconds * 1000);
        let clock = SimulatedClock::new(start, 1.0);
        let miner =
            MinerSetup { v2_password: CANARY.into(), v3_password: CANARY.into(), ..MinerSetup::default() };
        Self::with(clock, miner, PortalSetup { password: CANARY.into(), ..PortalSetup::default() }).await
    }

    async fn with(clock: SimulatedClock, miner: MinerSetup, portal: PortalSetup) -> Self {
        let setup = SimulationSetup {
            house: HouseSetup { initial_soc: 95.0, ..HouseSetup::default() },
            portal,
            miners: vec![miner],
            ..SimulationSetup::default()
        };
        let simulation = Arc::new(Simulation::start(setup, clock.source()).await.unwrap());
        let held = Overrides { hold_soc: true, ..simulation.house().overrides() };
        simulation.house().set_overrides(held).unwrap();
        let loopback = "127.0.0.1:0".parse().unwrap();
        let api = ControlApi::start(loopback, false, Arc::clone(&simulation), clock.clone()).await.unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self {
            simulation,
            clock,
            dir: tempfile::tempdir().unwrap(),
            api,
            client,
            token: OnceLock::new(),
            cookies: OnceLock::new(),
        }
    }

    pub(crate) fn miner(&self) -> &SimulatedMiner {
        &self.simulation.miners()[0]
    }

    /// The arguments by which the program joins this house.
    pub(crate) fn joining(&self) -> [String; 6] {
        let simulator = format!("http://{}", self.api.addr());
        ["--simulator", &simulator, "--port", "0", "--data", "data"].map(str::to_owned)
    }

    /// A configuration file for this house, which only its owner may read.
    pub(crate) fn configuration(&self, change: impl FnOnce(&mut Value)) -> String {
        let miner = self.miner();
        let mut text = json!({
            "miner": {
                "host": "127.0.0.1",
                "v2_port": miner.v2_addr().unwrap().port(),
                "v3_port": miner.v3_addr().unwrap().port(),
                "password": CANARY,
            },
            "battery": { "user": "demo", "password": CANARY, "base_url": self.simulation.portal().base_url() },
            "autocontrol": { "enabled": true },
            "app": { "host": "127.0.0.1" },
        });
        change(&mut text);
        let path = self.dir.path().join("house.yaml");
        std::fs::write(&path, text.to_string()).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts the program, which joins this house, and waits until it has read miner and battery.
    pub(crate) async fn program(&self) -> Joined<'_> {
        let mut program = Program::start(self.dir.path(), &self.joining(), &[]);
        let address = program.address().await;
        let joined = Joined { house: self, program, address };
        joined
            .pass_until(120, "first readings", async || {
                joined.get("/api/miner/status").await["connection"]["connected"] == true
                    && joined.get("/api/battery/status").await["connection"]["connected"] == true
            })
            .await;
        joined
    }

    /// Takes over the house at this address, with the code that the program printed, as a browser would; and makes a token,
    /// which is shown from then on.
    pub(crate) async fn take_over(&self, program: &mut Program, address: SocketAddr) {
        let code = program.says("with the code ").await;
        let post = async |path: &str, cookie: &str, form: &[(&str, &str)]| {
            let request = self.client.post(format!("http://{address}{path}")).header("cookie", cookie);
            request.form(form).send().await.unwrap()
        };
        let claimed = post("/claim", "", &[("code", &code), ("password", CANARY)]).await;
        let cookies = claimed.headers().get_all("set-cookie").iter();
        let cookies: Vec<_> =
            cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
        assert_eq!((claimed.status().as_u16(), cookies.len()), (303, 2), "{cookies:?}");
        let made =
            post("/account/tokens/make", &cookies.join("; "), &[("name", "tests"), ("scope", "admin")]).await;
        let page = made.text().await.unwrap();
        let (_, token) = page.split_once("wmc_").unwrap();
        self.token.set(format!("wmc_{}", &token[..64])).unwrap();
        let values = cookies.iter().map(|cookie| cookie.split_once('=').unwrap().1.to_owned());
        self.cookies.set(values.collect()).unwrap();
    }

    /// What was handed out, and opens the house: the token, and what is in the browser's cookies.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let cookies = self.cookies.get().into_iter().flatten();
        let keys = self.token.get().into_iter().chain(cookies).map(String::as_str);
        keys.inspect(|key| assert!(key.len() >= 32, "{key} opens nothing"))
    }

    /// A reply with any status, as it is.
    pub(crate) async fn text(&self, address: SocketAddr, path: &str) -> (u16, String) {
        let mut request = self.client.get(format!("http://{address}{path}"));
        if let Some(token) = self.token.get() {
            request = request.bearer_auth(token);
        }
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    /// Sends a form, as a browser does: the status, and the page.
    pub(crate) async fn form(&self, address: SocketAddr, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let mut request = self.client.post(format!("http://{address}{path}")).form(form);
        if let Some(token) = self.token.get() {
            request = request.bearer_auth(token);
        }
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    /// Sends a file in a form, with these fields before it.
    pub(crate) async fn upload(
        &self,
        address: SocketAddr,
        path: &str,
        fields: &[(&str, &str)],
        file: &[u8],
    ) -> (u16, String) {
        const BETWEEN: &str = "------between";
        let mut body = Vec::new();
        for (name, text) in fields {
            let head = format!("--{BETWEEN}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(format!("{head}{text}\r\n").as_bytes());
        }
        let head = "content-disposition: form-data; name=\"file\"; filename=\"../../../etc/passwd\"\r\n";
        body.extend_from_slice(format!("--{BETWEEN}\r\n{head}\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BETWEEN}--\r\n").as_bytes());
        let mut request = self.client.post(format!("http://{address}{path}"));
        if let Some(token) = self.token.get() {
            request = request.bearer_auth(token);
        }
        let kind = format!("multipart/form-data; boundary={BETWEEN}");
        let reply = request.header("content-type", kind).body(body).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    }

    /// What the miner was sent that changes what it does, with whether it took effect.
    pub(crate) fn sent(&self) -> Vec<Received> {
        self.miner().log().into_iter().filter(changes_something).collect()
    }

    /// The first command the miner is sent that changes what it does.
    pub(crate) async fn command(&self) -> Received {
        tokio::time::timeout(PATIENCE, self.miner().received(changes_something)).await.unwrap()
    }

    /// A reply with any status; its body is JSON.
    pub(crate) async fn ask(
        &self,
        address: SocketAddr,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request = self.client.request(method, format!("http://{address}{path}"));
        if let Some(token) = self.token.get() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        (status, serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap())
    }
}

/// The light is told to stay as it is, to see whether commands are taken: that changes nothing.
pub(crate) fn changes_something(received: &Received) -> bool {
    received.write && received.command != "set.system.led"
}

/// The program, running the simulated house.
pub(crate) struct Joined<'a> {
    pub(crate) house: &'a House,
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

impl Joined<'_> {
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.house.ask(self.address, reqwest::Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Posts this, or nothing.
    pub(crate) async fn post(&self, path: &str, body: Option<Value>) -> (u16, Value) {
        self.house.ask(self.address, reqwest::Method::POST, path, body).await
    }

    /// Looks again and again until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let waiting = async {
            while !holds().await {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let (miner, system) = (self.get("/api/miner/status").await, self.get("/api/system/status").await);
            unreachable!("never: {what}\n{miner:#}\n{system:#}\n{:#?}", self.house.sent());
        }
    }

    /// Moves simulated time on, and waits until the program has ticked in the new time.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.house.clock.jump(Duration::from_secs(seconds));
        let now = self.house.clock.now();
        self.until("a tick in the new time", async || {
            let told = self.get("/api/system/status").await["time"].as_str().unwrap().parse::<UtcMillis>();
            told.unwrap() >= now
        })
        .await;
    }

    /// Moves simulated time on by 10 s again and again until something holds, but by no more than so many seconds.
    pub(crate) async fn pass_until(&self, seconds: u64, what: &str, holds: impl AsyncFn() -> bool) {
        for _ in 0..seconds / 10 {
            if holds().await {
                return;
            }
            self.pass(10).await;
        }
        self.until(what, holds).await;
    }

    /// The battery says this in an upload of its own, and the program has read it.
    pub(crate) async fn say(&self, soc: f64) {
        self.pass(35).await;
        self.house.simulation.house().set_soc(Soc::new(soc).unwrap());
        self.house.simulation.portal().upload_now();
        let uploaded = self.house.clock.now();
        self.pass(35).await;
        self.until("the battery's new reading", async || {
            let told = self.get("/api/battery/status").await["status"]["ts"].clone();
            told.as_str().is_some_and(|told| uploaded.millis_since(told.parse().unwrap()) < 1000)
        })
        .await;
    }
}
