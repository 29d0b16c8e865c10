//! Simulated WhatsMiners: the machine in simulated time, and the device's own side of the V2 and V3 protocols on real
//! sockets.
//!
//! A [`SimulatedMiner`] answers as its [`Profile`] does, misbehaves as its [`Faults`] say, tells in a log what it was
//! asked, and tells in [`MinerTruth`] what it does in truth. It shares no code with the clients that speak to it.
//! Physics run in simulated time and transport faults in real time.

mod crypt;
mod curve;
mod device;
mod door;
mod faults;
mod impostor;
mod machine;
mod malformed;
mod physics;
mod profile;
mod received;
mod report;
mod spoiling;
mod tokens;
mod transport;
mod truth;
mod v2;
mod v3;

pub use faults::{
    Cut, CutEnd, EarlyPercent, Faults, Impostor, Malformation, OnAccept, TokenPolicy, WriteFault,
};
pub use physics::Physics;
pub use profile::Profile;
pub use received::{Answer, Effect, Protocol, Received};
pub use truth::{Forced, MinerTruth, Phase};

use crate::{Consumer, TimeSource, port::Port};
use device::Device;
use model::{UtcMillis, Watts};
use serde::{Deserialize, Serialize};
use std::{fmt, io, net::SocketAddr, sync::Arc};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a simulated miner is, and where it listens. The default is a current machine of 3600 W on free ports of the
/// loopback interface, with the vendor's passwords and writes enabled.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MinerSetup {
    /// A name for people.
    pub id: String,
    /// Firmware generation.
    pub profile: Profile,
    /// Hardware address as the device prints it.
    pub mac: String,
    /// Where V2 is served (TCP 4028 on a real device); port 0 is any free one, `None` is nowhere.
    pub v2: Option<SocketAddr>,
    /// Where V3 is served (TCP 4433 on a real device). Only profiles that have V3 can have one.
    pub v3: Option<SocketAddr>,
    /// Password of the V2 account `admin`. It can be read in, and is never written out.
    #[serde(skip_serializing)]
    pub v2_password: String,
    /// Password of the V3 account `super`. It can be read in, and is never written out.
    #[serde(skip_serializing)]
    pub v3_password: String,
    /// Whether writes over the network have been enabled with the vendor's tool.
    pub writes_enabled: bool,
    /// Power at which it is rated, W.
    pub rated_watts: u32,
    /// What it is doing when the simulation begins.
    pub initial: Initial,
    /// Seed of noise, salts and tokens.
    pub seed: u64,
}

impl Default for MinerSetup {
    fn default() -> Self {
        let any_port = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self {
            id: "miner".into(),
            profile: Profile::G3,
            mac: "02:00:00:00:00:01".into(),
            v2: any_port,
            v3: any_port,
            v2_password: "admin".into(),
            v3_password: "super".into(),
            writes_enabled: true,
            rated_watts: 3600,
            initial: Initial::Running,
            seed: 1,
        }
    }
}

impl fmt::Debug for MinerSetup {
    /// Without the passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MinerSetup")
            .field("id", &self.id)
            .field("profile", &self.profile)
            .field("mac", &self.mac)
            .field("v2", &self.v2)
            .field("v3", &self.v3)
            .field("writes_enabled", &self.writes_enabled)
            .field("rated_watts", &self.rated_watts)
            .field("initial", &self.initial)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// What a miner is doing when its simulation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// Mining at its rated power, the ramp long finished.
    Running,
    /// Switched off long ago.
    Off,
}

/// A simulated miner. Clones are the same miner; it leaves the network with the last of them.
#[derive(Clone)]
pub struct SimulatedMiner {
    device: Arc<Device>,
    ports: Arc<Ports>,
}

/// The ports, which close when this is dropped.
struct Ports {
    v2: Option<Port>,
    v3: Option<Port>,
    shutdown: CancellationToken,
    _closes: DropGuard,
}

impl SimulatedMiner {
    /// Starts a miner with the typical physics of its profile, within a tokio runtime.
    ///
    /// # Errors
    /// If an address can't be bound, or V3 is asked of a profile that hasn't got it.
    pub fn start(setup: MinerSetup, time: TimeSource) -> io::Result<Self> {
        let physics = Physics::typical(setup.profile);
        Self::start_with(setup, physics, time)
    }

    /// Starts a miner with physics of one's own, within a tokio runtime.
    ///
    /// # Errors
    /// As [`SimulatedMiner::start`].
    pub fn start_with(setup: MinerSetup, physics: Physics, time: TimeSource) -> io::Result<Self> {
        Self::serve(Device::new(setup, physics, time))
    }

    fn serve(device: Device) -> io::Result<Self> {
        if device.setup.v3.is_some() && !device.setup.profile.has_v3() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this firmware has no V3"));
        }
        let device = Arc::new(device);
        let shutdown = CancellationToken::new();
        let closes = shutdown.clone().drop_guard();
        let open = |address: Option<SocketAddr>, protocol| {
            address.map(|at| door::open(at, protocol, Arc::clone(&device), shutdown.clone())).transpose()
        };
        let v2 = open(device.setup.v2, Protocol::V2)?;
        let v3 = open(device.setup.v3, Protocol::V3)?;
        Ok(Self { device, ports: Arc::new(Ports { v2, v3, shutdown, _closes: closes }) })
    }

    /// The name from the setup.
    pub fn id(&self) -> &str {
        &self.device.setup.id
    }

    /// The hardware address from the setup.
    pub fn mac(&self) -> &str {
        &self.device.setup.mac
    }

    /// The firmware generation.
    pub fn profile(&self) -> Profile {
        self.device.setup.profile
    }

    /// Where V2 is served.
    pub fn v2_addr(&self) -> Option<SocketAddr> {
        self.ports.v2.as_ref().map(|port| port.address)
    }

    /// Where V3 is served.
    pub fn v3_addr(&self) -> Option<SocketAddr> {
        self.ports.v3.as_ref().map(|port| port.address)
    }

    /// What it does now, in truth.
    pub fn state(&self) -> MinerTruth {
        self.device.visit(|state, now| state.machine.truth(now))
    }

    /// The last 20 000 requests in order.
    pub fn log(&self) -> Vec<Received> {
        self.device.visit(|state, _| state.log.entries().cloned().collect())
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.device.visit(|state, _| state.log.clear());
    }

    /// The first request in the log that matches; waits for it if there is none yet.
    ///
    /// It waits as long as it takes: the deadline is the caller's.
    pub async fn received(&self, matching: impl Fn(&Received) -> bool) -> Received {
        let mut requests = self.device.requests.subscribe();
        loop {
            requests.mark_unchanged();
            let found =
                self.device.visit(|state, _| state.log.entries().find(|entry| matching(entry)).cloned());
            if let Some(found) = found {
                return found;
            }
            if requests.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// The faults that are switched on.
    pub fn faults(&self) -> Faults {
        self.device.faults()
    }

    /// Switches faults on and off. Ports open and close a little later: see [`SimulatedMiner::until_listening`].
    pub fn set_faults(&self, faults: Faults) {
        self.device.visit(|state, now| state.set_faults(now, faults));
    }

    /// Changes some of the faults.
    pub fn update_faults(&self, change: impl FnOnce(&mut Faults)) {
        self.device.visit(|state, now| {
            let mut faults = state.faults.clone();
            change(&mut faults);
            state.set_faults(now, faults);
        });
    }

    /// Puts the machine into a state at once, past every ramp.
    pub fn set_truth(&self, forced: Forced) {
        self.device.visit(|state, now| state.machine.force(now, forced));
    }

    /// Restarts the control board: it is off the network for a while and comes back mining.
    pub fn reboot(&self) {
        self.device.visit(device::State::reboot);
    }

    /// Waits until every port is open, or every port is closed. A port follows a fault or a reboot within milliseconds.
    pub async fn until_listening(&self, listening: bool) {
        for port in [&self.ports.v2, &self.ports.v3].into_iter().flatten() {
            port.until_listening(listening).await;
        }
    }

    /// Closes the ports and resets every connection. The machine goes on in simulated time.
    pub fn shutdown(&self) {
        self.ports.shutdown.cancel();
    }
}

impl fmt::Debug for SimulatedMiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedMiner")
            .field("id", &self.id())
            .field("v2", &self.v2_addr())
            .field("v3", &self.v3_addr())
            .finish_non_exhaustive()
    }
}

impl Consumer for SimulatedMiner {
    /// Instants up to two hours ago are answered from the machine's history.
    fn power_at(&self, now: UtcMillis) -> Watts {
        let watts = self.device.visit_at(Some(now), |state, _| state.machine.watts(now));
        Watts::new(watts).unwrap_or(Watts::ZERO)
    }
}
