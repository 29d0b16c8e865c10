//! The site that nobody has to own: the real program, talking over real sockets to simulated devices, in simulated
//! time.

use crate::config::{self, Config};
use anyhow::{Context, ensure};
use engine::clock::{Busy, Clock};
use model::UtcMillis;
use serde::Deserialize;
use simulator::{
    program::{ControlApi, Simulation, SimulationSetup},
    time::SimulatedClock,
};
use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

/// The longest real sleep before the pace of simulated time is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How often, in real time, a joined simulator is asked for its time.
const SYNC: Duration = Duration::from_millis(500);
/// A joined simulator answers within this time.
const ANSWER: Duration = Duration::from_secs(5);

/// The simulated devices' site: its configuration and its clock.
pub struct Demo {
    /// A configuration that points at the simulated devices.
    pub config: Config,
    /// Simulated time.
    pub clock: Arc<dyn Clock>,
    /// Where the simulation is controlled.
    pub control_api: String,
    /// Keeps the simulation running.
    _house: Option<(Arc<Simulation>, ControlApi)>,
}

impl Demo {
    /// Starts a simulated house in this process, at `scale` times the speed of real time.
    pub async fn start(start: UtcMillis, scale: f64, api: SocketAddr) -> anyhow::Result<Self> {
        let clock = SimulatedClock::new(start, scale);
        let simulation = Simulation::start(SimulationSetup::default(), clock.source()).await;
        let simulation = Arc::new(simulation.context("starting the simulated house")?);
        let api = ControlApi::start(api, false, Arc::clone(&simulation), clock.clone()).await;
        let api = api.context("starting the simulation's control API")?;
        let miners: Vec<_> = simulation
            .miners()
            .iter()
            .map(|miner| Device { id: miner.id().to_owned(), v2: miner.v2_addr(), v3: miner.v3_addr() })
            .collect();
        let config = configuration(&simulation.portal().base_url(), &miners)?;
        let control_api = format!("http://{}", api.addr());
        let clock = Arc::new(DemoClock::new(clock));
        Ok(Self { config, clock, control_api, _house: Some((simulation, api)) })
    }

    /// Joins a simulator that runs elsewhere on this machine, by the address of its control API. Its clock is
    /// followed, whatever its pace.
    pub async fn join(url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(ANSWER).no_proxy().build()?;
        let url = url.trim_end_matches('/').to_owned();
        let state: Joined = ask(&client, &format!("{url}/state")).await?;
        let config = configuration(&state.portal.url, &state.miners)?;
        let clock = SimulatedClock::new(state.time.utc, state.time.scale);
        tokio::spawn(follow(clock.clone(), client, format!("{url}/time")));
        Ok(Self { config, clock: Arc::new(DemoClock::new(clock)), control_api: url, _house: None })
    }
}

#[derive(Deserialize)]
struct Joined {
    time: Time,
    portal: JoinedPortal,
    miners: Vec<Device>,
}

#[derive(Deserialize)]
struct Time {
    utc: UtcMillis,
    scale: f64,
}

#[derive(Deserialize)]
struct JoinedPortal {
    url: String,
}

#[derive(Deserialize)]
struct Device {
    id: String,
    v2: Option<SocketAddr>,
    v3: Option<SocketAddr>,
}

async fn ask<T: for<'de> Deserialize<'de>>(client: &reqwest::Client, url: &str) -> anyhow::Result<T> {
    let answer = client.get(url).send().await.with_context(|| format!("asking the simulator at {url}"))?;
    ensure!(answer.status().is_success(), "the simulator at {url} answers {}", answer.status());
    let body = answer.bytes().await?;
    serde_json::from_slice(&body).with_context(|| format!("{url} isn't a simulator's"))
}

/// Keeps our clock with the simulator's. It only ever moves forward; a clock that is ahead waits.
async fn follow(clock: SimulatedClock, client: reqwest::Client, url: String) {
    let mut answers = true;
    loop {
        tokio::time::sleep(SYNC).await;
        match ask::<Time>(&client, &url).await {
            Ok(told) => {
                let ahead = clock.now().millis_since(told.utc);
                // Half a pace lets a clock that is ahead be caught up with.
                let pace = if ahead > 1000 { told.scale / 2.0 } else { told.scale };
                let _ = clock.set_scale(pace);
                let _ = clock.jump_to(told.utc);
                answers = true;
            }
            Err(error) => {
                if answers {
                    tracing::warn!(%error, "the simulator's time isn't known: ours goes on at its last pace");
                }
                answers = false;
            }
        }
    }
}

/// A configuration as a person would write it, for these addresses.
fn configuration(portal: &str, miners: &[Device]) -> anyhow::Result<Config> {
    let house = simulator::house::HouseSetup::default();
    let port = |addr: Option<SocketAddr>| addr.map_or(1, |addr| addr.port());
    let miners: Vec<_> = miners
        .iter()
        .map(|miner| {
            let host =
                miner.v2.or(miner.v3).map_or_else(|| "127.0.0.1".to_owned(), |addr| addr.ip().to_string());
            serde_json::json!({
                "id": miner.id,
                "host": host,
                "v2_port": port(miner.v2),
                "v3_port": port(miner.v3),
                "password": "admin",
                "v3_password": "super",
            })
        })
        .collect();
    // JSON is YAML: the demo goes through the same reader and the same checks as everybody's file.
    let text = serde_json::json!({
        "site": {
            "name": "Demo house",
            "timezone": house.timezone,
            "latitude": house.latitude,
            "longitude": house.longitude,
        },
        "miners": miners,
        "battery": { "user": "demo", "password": "demo", "base_url": portal },
        "autocontrol": { "enabled": true },
    })
    .to_string();
    let loaded = config::from_text(&text, std::iter::empty());
    Ok(loaded.context("the demo's own configuration")?.config)
}

/// The engine's clock over a simulated one.
struct DemoClock {
    clock: SimulatedClock,
    start: UtcMillis,
}

impl DemoClock {
    fn new(clock: SimulatedClock) -> Self {
        let start = clock.now();
        Self { clock, start }
    }
}

impl Clock for DemoClock {
    fn elapsed(&self) -> Duration {
        let millis = self.clock.now().millis_since(self.start);
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }

    fn wall(&self) -> UtcMillis {
        self.clock.now()
    }

    fn sleep_until(&self, busy: Busy, at: Duration) -> Pin<Box<dyn Future<Output = Busy> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = at.saturating_sub(self.elapsed());
                if left.is_zero() {
                    return busy;
                }
                // The pace may change, or time jump, while we rest.
                let real = Duration::try_from_secs_f64(left.as_secs_f64() / self.clock.scale());
                let rest = real.unwrap_or(LOOK_AGAIN).clamp(Duration::from_millis(1), LOOK_AGAIN);
                tokio::time::sleep(rest).await;
            }
        })
    }

    fn busy(&self) -> Busy {
        Busy::default()
    }
}
