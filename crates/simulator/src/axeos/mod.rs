//! Simulated Bitaxes and NerdQAxes: the board in simulated time, and the device's own side of the AxeOS API (ESP-Miner)
//! on real sockets.
//!
//! A [`SimulatedAxeos`] answers as its [`Profile`] does, misbehaves as its [`Faults`] say, tells in a log what it was
//! asked, and tells in [`AxeosTruth`] what it does in truth. It shares no code with the clients that speak to it. What
//! is simulated follows the source of the firmware, bitaxeorg/ESP-Miner and shufps/ESP-Miner-NerdQAxePlus, by the
//! versions that the profiles name.
//!
//! Requests are served one after the other, and of more than twenty connections the least recently used is closed, as
//! the firmware's web server does.

mod access;
mod device;
mod faults;
mod http;
mod info;
mod line;
mod log;
mod machine;
mod profile;
mod routes;
mod settings;
mod truth;

pub use faults::{Faults, Stall};
pub use log::Received;
pub use profile::{Profile, UnknownProfile};
pub use truth::{AxeosTruth, Forced, Phase};

use crate::{
    Consumer, TimeSource,
    port::{After, Port, Resident},
};
use device::Device;
use model::{UtcMillis, Watts};
use serde::{Deserialize, Serialize};
use std::{fmt, io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpStream, sync::watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Connections that the port takes before it shows anybody out; the device closes older ones long before.
const CLIENTS: usize = 64;

/// What a simulated device is, and where it listens. The default is a current Bitaxe Gamma, mining, on a free port of
/// the loopback interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AxeosSetup {
    /// A name for people.
    pub id: String,
    /// Board and firmware.
    pub profile: Profile,
    /// Hardware address as the device prints it.
    pub mac: String,
    /// Its name in the network.
    pub hostname: String,
    /// Where it listens (TCP 80 on a real device); port 0 is any free one.
    pub addr: SocketAddr,
    /// Whether it mines when the simulation begins.
    pub mining: bool,
    /// Seed of the noise.
    pub seed: u64,
}

impl Default for AxeosSetup {
    fn default() -> Self {
        Self {
            id: "axeos".into(),
            profile: Profile::Gamma215,
            mac: "02:00:00:00:A0:01".into(),
            hostname: "bitaxe".into(),
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            mining: true,
            seed: 1,
        }
    }
}

/// A simulated device. Clones are the same device; it leaves the network with the last of them.
#[derive(Clone)]
pub struct SimulatedAxeos {
    device: Arc<Device>,
    door: Arc<Door>,
}

/// The port, which closes when this is dropped.
struct Door {
    port: Port,
    shutdown: CancellationToken,
    _closes: DropGuard,
}

impl SimulatedAxeos {
    /// Starts a device, within a tokio runtime.
    ///
    /// # Errors
    /// If the address can't be bound.
    pub fn start(setup: AxeosSetup, time: TimeSource) -> io::Result<Self> {
        let addr = setup.addr;
        let device = Arc::new(Device::new(setup, time));
        let shutdown = CancellationToken::new();
        let closes = shutdown.clone().drop_guard();
        let port = Port::open(addr, CLIENTS, Arc::clone(&device), shutdown.clone())?;
        Ok(Self { device, door: Arc::new(Door { port, shutdown, _closes: closes }) })
    }

    /// The name from the setup.
    pub fn id(&self) -> &str {
        &self.device.setup.id
    }

    /// Board and firmware.
    pub fn profile(&self) -> Profile {
        self.device.setup.profile
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.door.port.address
    }

    /// What it does now, in truth.
    pub fn state(&self) -> AxeosTruth {
        self.device.visit(|state, now| state.machine.truth(now))
    }

    /// The last 10 000 requests in order.
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
        self.device.visit(|state, _| state.faults.clone())
    }

    /// Switches faults on and off. The port opens and closes a little later: see [`SimulatedAxeos::until_listening`].
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

    /// Puts the device into a state, or lets something happen to it.
    pub fn set_truth(&self, forced: Forced) {
        self.device.visit(|state, now| state.machine.force(now, forced));
    }

    /// Waits until the port is open, or closed. It follows a fault or a restart within milliseconds.
    pub async fn until_listening(&self, listening: bool) {
        self.door.port.until_listening(listening).await;
    }

    /// Closes the port and resets every connection. The board goes on in simulated time.
    pub fn shutdown(&self) {
        self.door.shutdown.cancel();
    }
}

impl fmt::Debug for SimulatedAxeos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedAxeos")
            .field("id", &self.id())
            .field("profile", &self.profile())
            .field("addr", &self.addr())
            .finish_non_exhaustive()
    }
}

impl Consumer for SimulatedAxeos {
    /// Instants up to two hours ago are answered from the board's history.
    fn power_at(&self, now: UtcMillis) -> Watts {
        let watts = self.device.visit_at(Some(now), |state, _| state.machine.watts(now));
        Watts::new(watts).unwrap_or(Watts::ZERO)
    }
}

impl Resident for Device {
    fn online(&self) -> bool {
        self.visit(|state, _| state.online())
    }

    fn may_leave(&self) -> bool {
        self.visit(|state, _| state.machine.restarts_soon())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.network.subscribe()
    }

    async fn serve(&self, stream: &mut TcpStream, peer: SocketAddr) -> After {
        http::serve(stream, peer, self).await
    }
}
