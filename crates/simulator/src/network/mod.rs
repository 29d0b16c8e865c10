//! A home network on loopback addresses: miners of many makes, printers, web servers, hosts that hang, and addresses where
//! nothing answers. It is what a search of the network is tried and measured on.
//!
//! Who lives where is a matter of the seed; who lives there is always the same ([`SimulatedNetwork::miners`]), so that a
//! search can be held to finding all of them and nobody else.

mod household;
mod others;
mod serve;
mod silent;

use crate::{
    TimeSource,
    axeos::{AxeosSetup, SimulatedAxeos},
    miner::{MinerSetup, SimulatedMiner},
};
use household::{Resident, household};
use ipnet::Ipv4Net;
use model::discovery::DeviceKind;
use serve::Server;
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The TCP ports of a simulated network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPorts {
    /// WhatsMiner's V2 and every relative of cgminer.
    pub v2: u16,
    /// WhatsMiner's V3.
    pub v3: u16,
    /// Web servers.
    pub http: u16,
    /// More ports at which silent hosts are silent: other programs that search knock there, too.
    pub also_silent: Vec<u16>,
}

impl Default for NetworkPorts {
    /// Those of real devices. Port 80 takes privileges.
    fn default() -> Self {
        Self { v2: 4028, v3: 4433, http: 80, also_silent: vec![4029, 8889] }
    }
}

/// What a simulated network is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSetup {
    /// Its addresses: loopback ones that nobody else uses.
    pub subnet: Ipv4Net,
    /// Where its devices listen.
    pub ports: NetworkPorts,
    /// Seed of who lives where.
    pub seed: u64,
}

/// A request that a device of the network received, of those that aren't simulated in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRequest {
    /// Who received it.
    pub address: Ipv4Addr,
    /// Its text: the head of an HTTP request, or a line of JSON.
    pub text: String,
}

/// What the devices of a network were asked.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<NetworkRequest>>>);

impl Log {
    fn note(&self, address: Ipv4Addr, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(NetworkRequest { address, text });
    }
}

/// A running network. Dropping it takes everything off it.
pub struct SimulatedNetwork {
    miners: Vec<(Ipv4Addr, DeviceKind)>,
    whatsminers: Vec<SimulatedMiner>,
    axeos: Vec<SimulatedAxeos>,
    silent: Vec<silent::SilentHost>,
    log: Log,
    _stop: DropGuard,
}

impl SimulatedNetwork {
    /// Starts it, within a tokio runtime.
    ///
    /// # Errors
    /// If an address can't be bound, or the subnet has too few addresses for everybody.
    pub async fn start(setup: &NetworkSetup, time: TimeSource) -> io::Result<Self> {
        let hosts: Vec<Ipv4Addr> = setup.subnet.hosts().collect();
        let residents = household(&hosts, setup.seed)?;
        let stop = CancellationToken::new();
        let mut network = Self {
            miners: Vec::new(),
            whatsminers: Vec::new(),
            axeos: Vec::new(),
            silent: Vec::new(),
            log: Log::default(),
            _stop: stop.clone().drop_guard(),
        };
        let mut silent = Vec::new();
        for (address, resident) in residents {
            if let Some(kind) = resident.kind() {
                network.miners.push((address, kind));
            }
            if resident == Resident::Silent {
                silent.push(address);
            } else {
                network.move_in(address, resident, &setup.ports, &time, &stop)?;
            }
        }
        network.silent = silent::hosts(&silent, &setup.ports).await?;
        Ok(network)
    }

    /// Its miners, with what they are.
    pub fn miners(&self) -> &[(Ipv4Addr, DeviceKind)] {
        &self.miners
    }

    /// Those that are WhatsMiners.
    pub fn whatsminers(&self) -> &[SimulatedMiner] {
        &self.whatsminers
    }

    /// Those that are Bitaxes or NerdQAxes.
    pub fn axeos(&self) -> &[SimulatedAxeos] {
        &self.axeos
    }

    /// Addresses that answer nothing at all, not even that they refuse.
    pub fn silent(&self) -> usize {
        self.silent.len()
    }

    /// What everybody else was asked, in order.
    pub fn requests(&self) -> Vec<NetworkRequest> {
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn move_in(
        &mut self,
        address: Ipv4Addr,
        resident: Resident,
        ports: &NetworkPorts,
        time: &TimeSource,
        stop: &CancellationToken,
    ) -> io::Result<()> {
        let at = |port| SocketAddr::from((address, port));
        let [.., last] = address.octets();
        let server = Server { address, log: self.log.clone(), stop: stop.clone() };
        match resident {
            Resident::WhatsMiner { profile, v2, v3 } => {
                let setup = MinerSetup {
                    id: address.to_string(),
                    profile,
                    mac: format!("02:00:00:00:77:{last:02x}"),
                    v2: v2.then(|| at(ports.v2)),
                    v3: v3.then(|| at(ports.v3)),
                    seed: u64::from(last),
                    ..MinerSetup::default()
                };
                self.whatsminers.push(SimulatedMiner::start(setup, Arc::clone(time))?);
                // The web page of its control board, which only refers to HTTPS.
                server.web(at(ports.http), others::to_https)?;
            }
            Resident::Axeos(profile) => {
                let setup = AxeosSetup {
                    id: address.to_string(),
                    profile,
                    mac: format!("02:00:00:00:A5:{last:02X}"),
                    addr: at(ports.http),
                    seed: u64::from(last),
                    ..AxeosSetup::default()
                };
                self.axeos.push(SimulatedAxeos::start(setup, Arc::clone(time))?);
            }
            Resident::Relative(relative) => {
                server.web(at(ports.http), move |path| others::relative(relative, address, path))?;
            }
            Resident::Antminer => {
                server.cgminer(at(ports.v2), others::antminer)?;
                server.web(at(ports.http), others::antminer_page)?;
            }
            Resident::Avalon => server.cgminer(at(ports.v2), others::avalon)?,
            Resident::Braiins => {
                server.cgminer(at(ports.v2), others::braiins)?;
                server.web(at(ports.http), others::braiins_page)?;
            }
            Resident::Web(site) => server.web(at(ports.http), move |path| others::site(site, path))?,
            Resident::Hanging { miners_port } => {
                server.hang(at(if miners_port { ports.v2 } else { ports.http }))?;
            }
            // Closed ports refuse by themselves.
            Resident::Refusing | Resident::Silent => {}
        }
        Ok(())
    }
}

impl fmt::Debug for SimulatedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedNetwork")
            .field("miners", &self.miners)
            .field("silent", &self.silent())
            .finish_non_exhaustive()
    }
}
