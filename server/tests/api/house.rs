//! A site under test: a simulated house, the site that a configuration makes of it, and the API over that.

use crate::call::{Reply, get, post, post_nothing};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
    middleware::map_request,
};
use devices::discovery::Ports;
use engine::clock::{Clock, Lockstep};
use model::{MonoTime, Now, Soc, UtcMillis};
use serde_json::{Value, json};
use server::{
    access::{Access, Door, Scope},
    config::{Changes, Inputs},
    keeping::Keeping,
    notify::Patience,
    settings::{Settings, Start},
    web,
};
use simulator::{
    house::{HouseSetup, Overrides},
    miner::{Faults, MinerSetup, Received, SimulatedMiner},
    portal::{PortalFaults, PortalSetup, SimulatedPortal},
    program::{Simulation, SimulationSetup},
};
use std::{
    future::ready,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Stands in every password. No reply may hold it.
pub(crate) const CANARY: &str = "canary-9317";

/// How long is waited for who is told of alerts: long for a busy machine, short for somebody who never answers.
const PATIENCE: Patience = Patience {
    attempt: Duration::from_secs(3),
    first_wait: Duration::from_millis(10),
    longest_wait: Duration::from_millis(50),
};

/// A site under test.
pub(crate) struct House {
    pub(crate) simulation: Simulation,
    /// With a token that may everything, wherever a request shows neither a token nor a cookie.
    pub(crate) router: Router,
    /// As strangers meet it.
    pub(crate) outside: Router,
    pub(crate) access: Access,
    pub(crate) clock: Lockstep,
    /// By how many milliseconds those who sign in live later than the house.
    ahead: Arc<AtomicI64>,
    pub(crate) settings: Settings,
    inputs: Inputs,
    /// Ends what the program does besides the site.
    closing: CancellationToken,
    data: tempfile::TempDir,
}

/// Changes a configuration.
pub(crate) type Configure = Box<dyn Fn(&mut Value) + Send + Sync>;

/// What a test may want different.
#[derive(Default)]
pub(crate) struct Options {
    /// When it is; noon if `None`.
    pub(crate) start: Option<&'static str>,
    pub(crate) miner_faults: Faults,
    pub(crate) portal_faults: PortalFaults,
    /// The portal doesn't take the configured password.
    pub(crate) wrong_portal_password: bool,
    /// What the miners are called; each by its id if `None`.
    pub(crate) name: Option<&'static str>,
    /// The ids of the miners, all alike.
    pub(crate) miners: Miners,
    /// Those of them that are only looked at.
    pub(crate) only_looked_at: &'static [&'static str],
    /// The section of the configuration that says how people are told of alerts.
    pub(crate) notify: Value,
    /// Changes what is simulated.
    pub(crate) simulate: Option<fn(&mut SimulationSetup)>,
    /// Changes the configuration.
    pub(crate) configure: Option<Configure>,
    /// By how many milliseconds the wall clock is wrong when the site is started.
    pub(crate) wall_is_off_by: i64,
}

/// The ids of a site's miners.
pub(crate) struct Miners(pub(crate) &'static [&'static str]);

impl Default for Miners {
    fn default() -> Self {
        Self(&["garage"])
    }
}

impl House {
    /// Noon in June at Albuquerque, the battery held at 95 %, a current miner at full power, auto-control on, and the
    /// first readings are in.
    pub(crate) async fn open() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let clock = Lockstep::new(options.start.unwrap_or("2026-06-21T18:00:00Z").parse().unwrap());
        let time = clock.clone();
        let miner = |id: &&str| MinerSetup {
            id: (*id).into(),
            v2_password: CANARY.into(),
            v3_password: CANARY.into(),
            ..MinerSetup::default()
        };
        let mut setup = SimulationSetup {
            house: HouseSetup { initial_soc: 95.0, ..HouseSetup::default() },
            portal: PortalSetup { password: CANARY.into(), ..PortalSetup::default() },
            miners: options.miners.0.iter().map(miner).collect(),
            ..SimulationSetup::default()
        };
        if let Some(change) = options.simulate {
            change(&mut setup);
        }
        let simulation = Simulation::start(setup, Arc::new(move || time.true_time())).await.unwrap();
        let held = Overrides { hold_soc: true, ..simulation.house().overrides() };
        simulation.house().set_overrides(held).unwrap();
        simulation.portal().set_faults(options.portal_faults.clone()).unwrap();
        for miner in simulation.miners() {
            miner.set_faults(options.miner_faults.clone());
            miner.until_listening(!options.miner_faults.refuse_connections).await;
        }
        let inputs = configuration(&simulation, &options);
        clock.step_wall(options.wall_is_off_by);
        let data = tempfile::tempdir().unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let closing = CancellationToken::new();
        let store = open(&clock, &data).await.unwrap();
        let (settings, outside, access) =
            start(&clock, &ahead, inputs.clone(), (&data, store), &closing).await;
        let router = for_tests(&access, &outside).await;
        let house =
            Self { simulation, router, outside, access, clock, ahead, settings, inputs, closing, data };
        house.run(15).await;
        house
    }

    pub(crate) fn miner(&self) -> &SimulatedMiner {
        &self.simulation.miners()[0]
    }

    pub(crate) fn portal(&self) -> &SimulatedPortal {
        self.simulation.portal()
    }

    /// Lets simulated seconds pass.
    pub(crate) async fn run(&self, seconds: u64) {
        self.clock.run_for(Duration::from_secs(seconds)).await;
        self.clock.everybody_rests().await;
    }

    /// So many days later, for those who sign in.
    pub(crate) fn later(&self, days: i64) {
        self.ahead.fetch_add(days * 86_400_000, Ordering::Relaxed);
    }

    /// The battery says this in two uploads, and both have been read.
    pub(crate) async fn say_twice(&self, soc: f64) {
        for _ in 0..2 {
            self.run(60).await;
            self.simulation.house().set_soc(Soc::new(soc).unwrap());
            self.portal().upload_now();
            self.run(40).await;
        }
    }

    /// What the first miner was sent that changes what it does: "set.miner.service \"stop\"".
    pub(crate) fn sent(&self) -> Vec<String> {
        sent_to(self.miner())
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Reply {
        let reply = Reply::read(self.router.clone().oneshot(request).await.unwrap()).await;
        assert!(!reply.body.to_string().contains(CANARY), "a secret: {}", reply.body);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(get(path)).await.with(200)
    }

    /// Posts this, or nothing if it is null.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        let request = if body.is_null() { post_nothing(path) } else { post(path, body.to_string()) };
        self.call(request).await
    }

    /// Ends the program in order and starts it again on the same data.
    pub(crate) async fn restarted(self) -> Self {
        let Self { simulation, router, outside, access, clock, ahead, settings, inputs, closing, data } =
            self;
        settings.stop().await;
        closing.cancel();
        drop((router, outside, access, settings));
        let store = loop {
            match open(&clock, &data).await {
                Ok(store) => break store,
                // Somebody hasn't let go of it yet.
                Err(StoreError::Locked(_)) => tokio::task::yield_now().await,
                Err(error) => unreachable!("{error}"),
            }
        };
        let closing = CancellationToken::new();
        let (settings, outside, access) =
            start(&clock, &ahead, inputs.clone(), (&data, store), &closing).await;
        let router = for_tests(&access, &outside).await;
        let house =
            Self { simulation, router, outside, access, clock, ahead, settings, inputs, closing, data };
        house.run(15).await;
        house
    }

    /// Ends the site; the API stays.
    pub(crate) async fn stop(&mut self) {
        self.settings.stop().await;
    }
}

/// What this miner was sent that changes what it does.
pub(crate) fn sent_to(miner: &SimulatedMiner) -> Vec<String> {
    // The light is told to stay as it is, to see whether commands are taken.
    let changes = |received: &Received| received.write && received.command != "set.system.led";
    let writes = miner.log().into_iter().filter(changes);
    writes.map(|write| format!("{} {}", write.command, write.params)).collect()
}

fn configuration(simulation: &Simulation, options: &Options) -> Inputs {
    // Where nobody listens, if there is none.
    let port = |address: Option<std::net::SocketAddr>| address.map_or(1, |address| address.port());
    let miner = |miner: &SimulatedMiner| {
        json!({
            "id": miner.id(),
            "name": options.name.map_or_else(|| format!("{} <b>", miner.id()), str::to_owned),
            "host": "127.0.0.1",
            "v2_port": port(miner.v2_addr()),
            "v3_port": port(miner.v3_addr()),
            "password": CANARY,
            "controlled": !options.only_looked_at.contains(&miner.id()),
        })
    };
    let miners: Vec<_> = simulation.miners().iter().map(miner).collect();
    let portal_password = if options.wrong_portal_password { "wrong-canary-9317" } else { CANARY };
    let mut text = json!({
        "site": { "name": "Test house", "timezone": "America/Denver" },
        "miners": miners,
        "battery": { "user": "demo", "password": portal_password, "base_url": simulation.portal().base_url() },
        "autocontrol": { "enabled": true },
        "notify": options.notify,
    });
    if let Some(change) = &options.configure {
        change(&mut text);
    }
    Inputs::of_text(&text.to_string(), std::iter::empty())
}

/// A request with a token, unless it says by itself who sends it.
fn shows(token: &str, mut request: Request<Body>) -> Request<Body> {
    let headers = request.headers_mut();
    if !headers.contains_key(header::COOKIE) {
        headers.entry(header::AUTHORIZATION).or_insert(format!("Bearer {token}").parse().unwrap());
    }
    request
}

async fn open(clock: &Lockstep, data: &tempfile::TempDir) -> Result<Store, StoreError> {
    let opened = Store::open(data.path(), Now { mono: MonoTime(0), utc: clock.wall() }).await;
    opened.map(|opened| opened.store)
}

/// With a token that may everything, wherever a request shows neither a token nor a cookie.
async fn for_tests(access: &Access, outside: &Router) -> Router {
    let token = access.make_token("tests", Scope::Admin).await.unwrap();
    outside.clone().layer(map_request(move |request| ready(shows(&token, request))))
}

/// The API over a site that remembers nothing, to which everybody may everything.
pub(crate) async fn without_database(settings: Settings) -> Router {
    let (site, current) = (settings.handle(), settings.current());
    let closing = CancellationToken::new();
    web::router(web::Setup {
        keeping: Keeping::new(Path::new("nowhere"), None, site, current, closing.clone()),
        access: Access::open(Door::Open, None, || UtcMillis(0)).await,
        hosts: Vec::new(),
        proxies: Vec::new(),
        settings,
        store: None,
        switches: None,
        files: None,
        ports: Ports::default(),
        patience: Patience::default(),
        closing,
    })
    .unwrap()
}

async fn start(
    clock: &Lockstep,
    ahead: &Arc<AtomicI64>,
    inputs: Inputs,
    (data, store): (&tempfile::TempDir, Store),
    closing: &CancellationToken,
) -> (Settings, Router, Access) {
    let config = inputs.load(&Changes::new()).unwrap().config;
    // The simulated miner has ports of its own, and so does what is searched for.
    let ports = config.miners.first().map_or_else(Ports::default, |miner| Ports {
        v2: miner.v2_port,
        v3: miner.v3_port,
        http: 1,
    });
    let app = config.app;
    let start = Start {
        inputs,
        app,
        store: Some(store.clone()),
        clock: Arc::new(clock.clone()),
        demo: true,
        samples_wait: None,
    };
    let settings = start.start().await.unwrap();
    let ahead = Arc::clone(ahead);
    let handle = settings.handle();
    let access = Access::open(Door::Guarded { reading: false }, Some(store.clone()), move || {
        UtcMillis(handle.now().utc.0 + ahead.load(Ordering::Relaxed))
    })
    .await;
    let (handle, current) = (settings.handle(), settings.current());
    let keeping = Keeping::new(data.path(), Some(store.clone()), handle, current, closing.clone());
    let router = web::router(web::Setup {
        keeping,
        access: access.clone(),
        hosts: vec!["solar.example".to_owned()],
        proxies: vec!["10.0.0.2".parse().unwrap()],
        settings: settings.clone(),
        store: Some(store),
        switches: None,
        files: None,
        ports,
        patience: PATIENCE,
        closing: closing.clone(),
    })
    .unwrap();
    (settings, router, access)
}
