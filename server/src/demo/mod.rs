//! The site that nobody has to own: the real program, talking over real sockets to simulated devices, in simulated
//! time.
//!
//! A house in this process is lived through in lockstep: it has a past when it is first looked at, and a jump of time
//! leaves nothing out. A simulator that runs elsewhere has its own clock, which is followed.

mod joined;
mod lived;
mod switches;

pub use lived::LivedTime;
pub use switches::{NotSwitched, Switches};

use crate::config::{Changes, Config, Inputs};
use anyhow::Context;
use engine::clock::Clock;
use model::UtcMillis;
use serde::Deserialize;
use simulator::{
    house::{Clouds, HouseSetup},
    program::{ControlApi, Simulation, SimulationSetup},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// How long samples wait in time that is lived through, where an hour may take a fraction of a second of ours.
pub const SAMPLES_WAIT: Duration = Duration::from_secs(300);

/// How often the miner is read in time that is lived through: days of it have to pass while a person waits.
const POLL_SECONDS: u32 = 30;

/// The simulated devices' site: its configuration and its clock.
pub struct Demo {
    /// A configuration that points at the simulated devices.
    pub config: Config,
    /// What it is made of.
    pub inputs: Inputs,
    /// Simulated time.
    pub clock: Arc<dyn Clock>,
    /// What moves it, where that is this process.
    pub time: Option<LivedTime>,
    /// What a page can switch in the house, where it is in this process.
    pub switches: Option<Switches>,
    /// Where the simulation is controlled.
    pub control_api: String,
    /// Keeps the control API running.
    _api: Option<ControlApi>,
}

impl Demo {
    /// Starts a simulated house in this process: `past` before `present`, and from there on at `scale` times the speed
    /// of real time. Nothing moves until [`LivedTime::begin`].
    pub async fn start(
        present: UtcMillis,
        past: Duration,
        scale: f64,
        api: SocketAddr,
    ) -> anyhow::Result<Self> {
        let start = UtcMillis(present.0.saturating_sub(i64::try_from(past.as_millis())?));
        let time = LivedTime::new(start, past, scale)?;
        let setup = SimulationSetup { house: house(), ..SimulationSetup::default() };
        let simulation = Simulation::start(setup, time.source()).await;
        let simulation = Arc::new(simulation.context("starting the simulated house")?);
        let api = ControlApi::start(api, false, Arc::clone(&simulation), time.clone()).await;
        let api = api.context("starting the simulation's control API")?;
        let miners: Vec<_> = simulation
            .miners()
            .iter()
            .map(|miner| Device { id: miner.id().to_owned(), v2: miner.v2_addr(), v3: miner.v3_addr() })
            .collect();
        let (inputs, config) = configuration(&simulation.portal().base_url(), &miners, Some(POLL_SECONDS))?;
        let control_api = format!("http://{}", api.addr());
        let switches = Switches::new(simulation, time.clone(), control_api.clone());
        Ok(Self {
            config,
            inputs,
            clock: time.clock(),
            time: Some(time),
            switches: Some(switches),
            control_api,
            _api: Some(api),
        })
    }

    /// Joins a simulator that runs elsewhere on this machine, by the address of its control API. Its clock is
    /// followed, whatever its pace.
    pub async fn join(url: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let (state, clock) = joined::join(&url).await?;
        let (inputs, config) = configuration(&state.portal.url, &state.miners, None)?;
        Ok(Self {
            config,
            inputs,
            clock: Arc::new(clock),
            time: None,
            switches: None,
            control_api: url,
            _api: None,
        })
    }
}

/// A simulated miner and where it answers.
#[derive(Deserialize)]
struct Device {
    id: String,
    v2: Option<SocketAddr>,
    v3: Option<SocketAddr>,
}

/// A house in which something happens at any time of the year: clouds that keep the battery from being full on some
/// days, and a battery that the miner takes through the whole ladder in an evening.
fn house() -> HouseSetup {
    HouseSetup {
        battery_wh: 42_900.0,
        clouds: Clouds { cover: 0.5, variability: 1.0 },
        ..HouseSetup::default()
    }
}

/// A configuration as a person would write it, for these addresses. The miners are read as often as the program does
/// by itself, if `poll_seconds` is `None`.
fn configuration(
    portal: &str,
    miners: &[Device],
    poll_seconds: Option<u32>,
) -> anyhow::Result<(Inputs, Config)> {
    let house = HouseSetup::default();
    let port = |addr: Option<SocketAddr>| addr.map_or(1, |addr| addr.port());
    let miners: Vec<_> = miners
        .iter()
        .map(|miner| {
            let host =
                miner.v2.or(miner.v3).map_or_else(|| "127.0.0.1".to_owned(), |addr| addr.ip().to_string());
            serde_json::json!({
                "id": miner.id,
                "name": "Garage",
                "host": host,
                "v2_port": port(miner.v2),
                "v3_port": port(miner.v3),
                "password": "admin",
                "v3_password": "super",
                "poll_seconds": poll_seconds,
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
    let inputs = Inputs::of_text(&text, std::iter::empty());
    let loaded = inputs.load(&Changes::new()).context("the demo's own configuration")?;
    Ok((inputs, loaded.config))
}
