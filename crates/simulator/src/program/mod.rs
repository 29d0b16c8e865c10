//! A whole simulation in one piece: a house with its miners and its portal, and the API that controls it.
//!
//! It puts the parts together and keeps the house moving; what the parts do is theirs. As a library it is what the
//! demo house and the tests start; the program `simulator` adds the command line.

mod api;
mod arguments;
mod bodies;

pub use api::ControlApi;
pub use arguments::{Arguments, Plan};

use crate::{
    TimeSource,
    axeos::{AxeosSetup, SimulatedAxeos},
    house::{Follow, House, HouseSetup, InvalidSetup, RecordedDay},
    miner::{MinerSetup, SimulatedMiner},
    portal::{PortalSetup, SimulatedPortal},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, io, sync::Arc, time::Duration};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often, in real time, the house is brought up to now.
const PACE: Duration = Duration::from_millis(50);

/// What is simulated. The default is a demo: a sunny place, a house with 12 kW of panels and a battery of 30 kWh, a
/// hybrid inverter, and one running miner of 3600 W; everything on free ports of the loopback interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulationSetup {
    /// The house.
    pub house: HouseSetup,
    /// A recorded day that the house lives instead, and what of it.
    #[serde(skip)]
    pub day: Option<(RecordedDay, Follow)>,
    /// Its portal.
    pub portal: PortalSetup,
    /// Its WhatsMiners, each with an id of its own.
    pub miners: Vec<MinerSetup>,
    /// Its Bitaxes and their kin, each with an id that no WhatsMiner has either.
    pub axeos: Vec<AxeosSetup>,
}

impl Default for SimulationSetup {
    fn default() -> Self {
        Self {
            house: HouseSetup::default(),
            day: None,
            portal: PortalSetup::default(),
            miners: vec![MinerSetup::default()],
            axeos: Vec::new(),
        }
    }
}

/// A running simulation. Dropping it stops it.
pub struct Simulation {
    house: Arc<House>,
    portal: SimulatedPortal,
    miners: Vec<SimulatedMiner>,
    axeos: Vec<SimulatedAxeos>,
    _moving: DropGuard,
}

impl Simulation {
    /// Starts everything. A setup outside its limits is an error of kind `InvalidInput`.
    pub async fn start(setup: SimulationSetup, time: TimeSource) -> io::Result<Self> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let house = match setup.day {
            Some((day, follow)) => House::replaying(setup.house, day, follow, Arc::clone(&time)),
            None => House::new(setup.house, Arc::clone(&time)),
        };
        let house = Arc::new(house.map_err(invalid)?);
        let mut ids = BTreeSet::new();
        let mut take = |field: &str, id: &str| {
            let twice = || invalid(InvalidSetup::new(field, format!("not two with the id {id}")));
            if ids.insert(id.to_owned()) { Ok(()) } else { Err(twice()) }
        };
        let named = |id: &str, error: io::Error| io::Error::new(error.kind(), format!("miner {id}: {error}"));
        let mut miners: Vec<SimulatedMiner> = Vec::new();
        for setup in setup.miners {
            take("miners", &setup.id)?;
            let id = setup.id.clone();
            let miner = SimulatedMiner::start(setup, Arc::clone(&time)).map_err(|error| named(&id, error))?;
            house.attach(Arc::new(miner.clone()));
            miners.push(miner);
        }
        let mut axeos: Vec<SimulatedAxeos> = Vec::new();
        for setup in setup.axeos {
            take("axeos", &setup.id)?;
            let id = setup.id.clone();
            let device =
                SimulatedAxeos::start(setup, Arc::clone(&time)).map_err(|error| named(&id, error))?;
            house.attach(Arc::new(device.clone()));
            axeos.push(device);
        }
        let portal = SimulatedPortal::start(setup.portal, Arc::clone(&house), time)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("portal: {error}")))?;

        let stop = CancellationToken::new();
        tokio::spawn(keep_moving(Arc::clone(&house), stop.clone()));
        Ok(Self { house, portal, miners, axeos, _moving: stop.drop_guard() })
    }

    /// The house.
    pub fn house(&self) -> &Arc<House> {
        &self.house
    }

    /// Its portal.
    pub fn portal(&self) -> &SimulatedPortal {
        &self.portal
    }

    /// Its WhatsMiners, in the order of the setup.
    pub fn miners(&self) -> &[SimulatedMiner] {
        &self.miners
    }

    /// The WhatsMiner with this id.
    pub fn miner(&self, id: &str) -> Option<&SimulatedMiner> {
        self.miners.iter().find(|miner| miner.id() == id)
    }

    /// Its Bitaxes and their kin, in the order of the setup.
    pub fn axeos(&self) -> &[SimulatedAxeos] {
        &self.axeos
    }

    /// The Bitaxe, or one of its kin, with this id.
    pub fn axeos_device(&self, id: &str) -> Option<&SimulatedAxeos> {
        self.axeos.iter().find(|device| device.id() == id)
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("portal", &self.portal).finish_non_exhaustive()
    }
}

/// Brings the house up to now again and again, so that nobody who looks has to wait for hours to be made up for.
async fn keep_moving(house: Arc<House>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        house.now();
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            () = stop.cancelled() => {}
        }
    }
}
