//! The command line of the program `simulator`: what to simulate, where to listen, how fast time runs.

use super::SimulationSetup;
use crate::{
    axeos::{self, AxeosSetup},
    house::{Follow, RecordedDay},
    miner,
    portal::Profile,
};
use clap::{Parser, ValueEnum};
use ipnet::Ipv4Net;
use model::UtcMillis;
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Simulates a house with solar panels, a battery, its portal, a WhatsMiner and as many Bitaxes as are named, behind
/// the real protocols.
///
/// Prints one line of JSON with all addresses once everything listens, and runs until it is interrupted. Addresses
/// are IP:PORT; port 0 takes any free port.
#[derive(Debug, Parser)]
#[command(name = "simulator", version)]
pub struct Arguments {
    /// Where the control API listens.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub api: SocketAddr,
    /// Let the control API listen where others can reach it. It has no sign-in.
    #[arg(long)]
    pub expose: bool,
    /// Everything about house, portal and miners as JSON; what the other options say comes on top of it.
    #[arg(long, value_name = "FILE")]
    pub setup: Option<PathBuf>,
    /// Where the portal listens.
    #[arg(long, value_name = "ADDR")]
    pub portal: Option<SocketAddr>,
    /// The family of the inverters.
    #[arg(long)]
    pub inverter: Option<InverterChoice>,
    /// Where the first miner listens for V2 (TCP 4028 on a real one).
    #[arg(long, value_name = "ADDR")]
    pub v2: Option<SocketAddr>,
    /// Where the first miner listens for V3 (TCP 4433 on a real one).
    #[arg(long, value_name = "ADDR")]
    pub v3: Option<SocketAddr>,
    /// Firmware generation of the first miner.
    #[arg(long)]
    pub profile: Option<MinerChoice>,
    /// A Bitaxe or one of its kin: its profile, and where it listens (TCP 80 on a real one), like
    /// gamma-2.15.0@127.0.0.7:80. Can be given several times; the ids are axeos-1, axeos-2 and so on.
    #[arg(long, value_name = "PROFILE@ADDR", value_parser = axeos_choice)]
    pub axeos: Vec<AxeosChoice>,
    /// State of charge at the start, percent.
    #[arg(long, value_name = "PERCENT")]
    pub soc: Option<f64>,
    /// The simulated instant at the start, like 2026-03-21T12:00:00Z; now if left out.
    #[arg(long, value_name = "TIME")]
    pub start: Option<UtcMillis>,
    /// How many times as fast as ours simulated time runs; 0 is paused.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub scale: f64,
    /// Another house with other clouds, or the same one again.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A recorded day to live over and over instead of a simulated one.
    #[arg(long, value_name = "CSV")]
    pub day: Option<PathBuf>,
    /// Simulate a home network with miners of many makes on these loopback addresses instead, on the ports of real ones,
    /// like 127.0.9.0/24. Port 80 takes privileges; 254 addresses take 2000 files.
    #[arg(long, value_name = "CIDR", conflicts_with_all = ["setup", "portal", "v2", "v3", "axeos", "day", "expose"])]
    pub network: Option<Ipv4Net>,
    /// What the recorded day decides.
    #[arg(long, requires = "day", default_value = "everything")]
    pub follow: FollowChoice,
}

/// The family of the inverters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InverterChoice {
    /// EG4 18kPV.
    Hybrid,
    /// EG4 12000XP.
    Xp,
}

/// Firmware generation of a miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MinerChoice {
    /// 2021: V2 without a power limit.
    G1,
    /// 2023: V2 with power limit and percentage.
    G2,
    /// 2025: V3, and a reduced V2 beside it.
    G3,
}

/// A Bitaxe or one of its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxeosChoice {
    /// Board and firmware.
    pub profile: axeos::Profile,
    /// Where it listens.
    pub addr: SocketAddr,
}

/// Reads PROFILE@ADDR.
fn axeos_choice(text: &str) -> Result<AxeosChoice, String> {
    let (profile, addr) =
        text.split_once('@').ok_or("it must be a profile and an address, like gamma-2.15.0@127.0.0.7:80")?;
    Ok(AxeosChoice {
        profile: profile.parse().map_err(|error: axeos::UnknownProfile| error.to_string())?,
        addr: addr.parse().map_err(|_| format!("{addr:?} isn't like 127.0.0.7:80"))?,
    })
}

/// What a recorded day decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FollowChoice {
    /// Everything, the state of charge included.
    Everything,
    /// Sun and consumption; the battery is simulated under them.
    SunAndLoad,
}

/// What the command line comes to.
#[derive(Debug)]
pub struct Plan {
    /// What is simulated.
    pub setup: SimulationSetup,
    /// When it begins; `None` is now.
    pub start: Option<UtcMillis>,
}

impl Arguments {
    /// Reads the files that are named and puts everything together. The error names file and place.
    pub fn plan(&self) -> io::Result<Plan> {
        let mut setup = match &self.setup {
            None => SimulationSetup::default(),
            Some(path) => serde_json::from_str(&read(path)?).map_err(|error| in_file(path, &error))?,
        };
        if let Some(addr) = self.portal {
            setup.portal.addr = addr;
        }
        if let Some(choice) = self.inverter {
            setup.portal.profile = match choice {
                InverterChoice::Hybrid => Profile::Hybrid,
                InverterChoice::Xp => Profile::Xp,
            };
        }
        if let Some(soc) = self.soc {
            setup.house.initial_soc = soc;
        }
        if let Some(seed) = self.seed {
            setup.house.seed = seed;
            setup.portal.seed = seed;
        }
        if let Some(miner) = setup.miners.first_mut() {
            if let Some(choice) = self.profile {
                miner.profile = match choice {
                    MinerChoice::G1 => miner::Profile::G1,
                    MinerChoice::G2 => miner::Profile::G2,
                    MinerChoice::G3 => miner::Profile::G3,
                };
                if choice != MinerChoice::G3 {
                    miner.v3 = None;
                }
            }
            miner.v2 = self.v2.or(miner.v2);
            miner.v3 = self.v3.or(miner.v3);
            miner.seed = self.seed.unwrap_or(miner.seed);
        }
        for (AxeosChoice { profile, addr }, number) in self.axeos.iter().zip(1_u8..) {
            setup.axeos.push(AxeosSetup {
                id: format!("axeos-{number}"),
                profile: *profile,
                addr: *addr,
                mac: format!("02:00:00:00:A0:{number:02X}"),
                seed: self.seed.unwrap_or(1).wrapping_add(u64::from(number)),
                ..AxeosSetup::default()
            });
        }
        if let Some(path) = &self.day {
            let zone =
                setup.house.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let day = RecordedDay::parse(&read(path)?, zone).map_err(|error| in_file(path, &error))?;
            let follow = match self.follow {
                FollowChoice::Everything => Follow::Everything,
                FollowChoice::SunAndLoad => Follow::SunAndLoad,
            };
            setup.day = Some((day, follow));
        }
        Ok(Plan { setup, start: self.start })
    }
}

fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn in_file(path: &Path, error: &dyn std::error::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {error}", path.display()))
}
