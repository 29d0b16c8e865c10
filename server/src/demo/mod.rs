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
use devices::discovery::Ports;
use engine::clock::Clock;
use model::UtcMillis;
use serde_json::{Value, json};
use simulator::{
    axeos::{AxeosSetup, Profile as AxeosProfile, SimulatedAxeos},
    house::{Clouds, HouseSetup},
    miner::{MinerSetup, Profile as MinerProfile},
    program::{ControlApi, Simulation, SimulationSetup},
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// How long samples wait in time that is lived through, where an hour may take a fraction of a second of ours.
pub const SAMPLES_WAIT: Duration = Duration::from_secs(300);

/// Which simulated house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum House {
    /// One WhatsMiner.
    One,
    /// Two WhatsMiners and three Bitaxes, of which one is only looked at and two are still to be found.
    #[default]
    Several,
}

/// Where a search finds the devices of the house with several.
const RANGE: &str = "127.0.0.16/28";
/// The addresses of the WhatsMiners and of the Bitaxes there.
const WHATSMINERS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 17), Ipv4Addr::new(127, 0, 0, 18)];
const BITAXES: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 0, 0, 21), Ipv4Addr::new(127, 0, 0, 22), Ipv4Addr::new(127, 0, 0, 23)];

/// How often the miner is read in time that is lived through: days of it have to pass while a person waits.
const POLL_SECONDS: u32 = 40;

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
    /// The ports at which a search looks for devices.
    pub ports: Ports,
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
        which: House,
        present: UtcMillis,
        past: Duration,
        scale: f64,
        api: SocketAddr,
    ) -> anyhow::Result<Self> {
        let start = UtcMillis(present.0.saturating_sub(i64::try_from(past.as_millis())?));
        let time = LivedTime::new(start, past, scale)?;
        let ports = free_ports().await.context("finding ports for the simulated devices")?;
        let simulation = Simulation::start(simulated(which, ports), time.source()).await;
        let simulation = Arc::new(simulation.context("starting the simulated house")?);
        let api = ControlApi::start(api, false, Arc::clone(&simulation), time.clone()).await;
        let api = api.context("starting the simulation's control API")?;
        let names = [("Garage", 3600), ("Shed", 2400)];
        let miners = simulation.miners().iter().zip(names).map(|(miner, (name, base_watts))| {
            whatsminer(miner.id(), name, base_watts, (miner.v2_addr(), miner.v3_addr()))
        });
        // One Bitaxe is known already.
        let known = simulation.axeos().first().map(SimulatedAxeos::addr);
        let known = known.map(|addr| bitaxe("kitchen", "Kitchen", 19, addr, false));
        let ranges: Vec<_> = known.iter().map(|_| RANGE.to_owned()).collect();
        let mut miners: Vec<_> = miners.chain(known).collect();
        for miner in &mut miners {
            miner["poll_seconds"] = POLL_SECONDS.into();
        }
        let (inputs, config) = configuration(&simulation.portal().base_url(), &miners, &ranges)?;
        let control_api = format!("http://{}", api.addr());
        let switches = Switches::new(simulation, time.clone(), control_api.clone());
        Ok(Self {
            config,
            inputs,
            clock: time.clock(),
            time: Some(time),
            ports,
            switches: Some(switches),
            control_api,
            _api: Some(api),
        })
    }

    /// Joins a simulator that runs elsewhere on this machine, by the address of its control API. Its clock is
    /// followed, whatever its pace. All its devices are controlled, and a search looks where they are.
    pub async fn join(url: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let (state, clock) = joined::join(&url).await?;
        let (inputs, config) = configuration(&state.portal.url, &state.configured(), &state.ranges())?;
        Ok(Self {
            config,
            inputs,
            clock: Arc::new(clock),
            time: None,
            ports: Ports::default(),
            switches: None,
            control_api: url,
            _api: None,
        })
    }
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

/// The devices of a house. Those of the one with several share their ports, each at an address of its own, as on a real
/// network.
fn simulated(which: House, ports: Ports) -> SimulationSetup {
    let one = SimulationSetup { house: house(), ..SimulationSetup::default() };
    if which == House::One {
        return one;
    }
    let [garage, shed] = WHATSMINERS;
    let at = |address: Ipv4Addr, port: u16| SocketAddr::from((address, port));
    let first = MinerSetup {
        v2: Some(at(garage, ports.v2)),
        v3: Some(at(garage, ports.v3)),
        ..MinerSetup::default()
    };
    let second = MinerSetup {
        id: "shed".into(),
        profile: MinerProfile::G2,
        mac: "02:00:00:00:00:02".into(),
        v2: Some(at(shed, ports.v2)),
        v3: None,
        rated_watts: 2400,
        seed: 2,
        ..MinerSetup::default()
    };
    let boards = [AxeosProfile::Gamma215, AxeosProfile::Gamma212, AxeosProfile::NerdQaxe11];
    let bitaxe = |((address, profile), number): ((Ipv4Addr, AxeosProfile), u8)| AxeosSetup {
        id: format!("bitaxe-{number}"),
        profile,
        mac: format!("02:00:00:00:A0:{number:02X}"),
        addr: at(address, ports.http),
        seed: u64::from(number),
        ..AxeosSetup::default()
    };
    SimulationSetup {
        miners: vec![first, second],
        axeos: BITAXES.into_iter().zip(boards).zip(1..).map(bitaxe).collect(),
        ..one
    }
}

/// Three ports that nothing listens at.
async fn free_ports() -> io::Result<Ports> {
    let free = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let mut ports = [0; 3];
    // All are held until the last is known, so that they are three.
    let mut held = Vec::new();
    for (port, listener) in ports.iter_mut().zip(free) {
        let listener = listener.await?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    let [v2, v3, http] = ports;
    Ok(Ports { v2, v3, http })
}

/// A WhatsMiner as a person would write it into the configuration, by where it answers by V2 and by V3.
fn whatsminer(
    id: &str,
    name: &str,
    base_watts: u32,
    (v2, v3): (Option<SocketAddr>, Option<SocketAddr>),
) -> Value {
    let port = |addr: Option<SocketAddr>| addr.map_or(1, |addr| addr.port());
    let host = v2.or(v3).map_or_else(|| "127.0.0.1".to_owned(), |addr| addr.ip().to_string());
    json!({
        "id": id,
        "name": name,
        "base_watts": base_watts,
        "host": host,
        "v2_port": port(v2),
        "v3_port": port(v3),
        "password": "admin",
        "v3_password": "super",
    })
}

/// A Bitaxe likewise.
fn bitaxe(id: &str, name: &str, base_watts: u32, addr: SocketAddr, controlled: bool) -> Value {
    json!({
        "id": id,
        "name": name,
        "kind": "axeos",
        "controlled": controlled,
        "host": addr.ip().to_string(),
        "axeos_port": addr.port(),
        "base_watts": base_watts,
    })
}

/// A configuration as a person would write it, of these miners and of the ranges to be searched.
fn configuration(
    portal: &str,
    miners: &[Value],
    search_ranges: &[String],
) -> anyhow::Result<(Inputs, Config)> {
    let house = HouseSetup::default();
    // JSON is YAML: the demo goes through the same reader and the same checks as everybody's file.
    let text = json!({
        "site": {
            "name": "Demo house",
            "timezone": house.timezone,
            "latitude": house.latitude,
            "longitude": house.longitude,
            "search_ranges": search_ranges,
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
