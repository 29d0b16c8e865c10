//! The EG4 (LuxPower) monitoring portal, as far as its clients know it: sign-in and session, lists, live values.
//!
//! It tells what the inverters uploaded, not what is true now; it owns sessions, uploads and everything that can go
//! wrong with them, and knows the house only by looking at it. There is no vendor documentation of this interface:
//! what is simulated here is what open-source clients and captured replies show.
//!
//! ```no_run
//! # async fn example(house: std::sync::Arc<simulator::house::House>, time: simulator::TimeSource)
//! # -> std::io::Result<()> {
//! use simulator::portal::{PortalFaults, PortalSetup, SimulatedPortal};
//!
//! let portal = SimulatedPortal::start(PortalSetup::default(), house, time).await?;
//! // A client is pointed at portal.base_url(). Later, everything goes wrong:
//! let faults = PortalFaults { frozen: true, ..PortalFaults::default() };
//! portal.set_faults(faults).map_err(std::io::Error::other)?;
//! let request = portal.received(|request| request.path.ends_with("getInverterRuntime")).await;
//! # let _ = request;
//! # Ok(())
//! # }
//! ```

mod answer;
mod faults;
mod log;
mod replies;
mod session;
mod setup;
mod uploads;
mod wire;

pub use faults::{ClockFault, Expiry, LoginFault, PortalFaults, ReplyFault, ReplyTo, SocFault};
pub use log::{PortalCounts, PortalRequest};
pub use setup::{PortalSetup, Profile};

use crate::{
    TimeSource,
    house::{House, InvalidSetup},
};
use log::Log;
use session::Sessions;
use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uploads::{Inverter, Schedule};

/// How long open connections have to end when the portal is stopped.
const LAST_ORDERS: Duration = Duration::from_secs(1);

/// A running portal. Dropping it stops it.
pub struct SimulatedPortal {
    portal: Arc<Portal>,
    addr: SocketAddr,
    server: Option<JoinHandle<io::Result<()>>>,
}

/// What requests and the person who controls the simulation share.
struct Portal {
    setup: PortalSetup,
    house: Arc<House>,
    time: TimeSource,
    schedule: Schedule,
    log: Log,
    stop: CancellationToken,
    state: Mutex<State>,
}

/// What changes.
struct State {
    faults: PortalFaults,
    sessions: Sessions,
    inverters: Vec<Inverter>,
    /// How many live replies there were: which of them comes from a node that lags behind.
    live_replies: u64,
}

impl Portal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimulatedPortal {
    /// Starts a portal that takes its first upload now. A setup outside its limits is an error of kind
    /// `InvalidInput`.
    pub async fn start(setup: PortalSetup, house: Arc<House>, time: TimeSource) -> io::Result<Self> {
        setup.check().map_err(|invalid| io::Error::new(io::ErrorKind::InvalidInput, invalid))?;
        let listener = TcpListener::bind(setup.addr).await?;
        let addr = listener.local_addr()?;
        let now = time();
        let state = State {
            faults: PortalFaults::default(),
            sessions: Sessions::new(setup.seed, setup.session_seconds),
            inverters: (0..usize::from(setup.inverters))
                .map(|index| Inverter::new(index, &house, now))
                .collect(),
            live_replies: 0,
        };
        let portal = Arc::new(Portal {
            schedule: Schedule::new(&setup, now),
            setup,
            house,
            time,
            log: Log::default(),
            stop: CancellationToken::new(),
            state: Mutex::new(state),
        });
        let server = tokio::spawn(wire::serve(listener, Arc::clone(&portal)));
        Ok(Self { portal, addr, server: Some(server) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a client is given as the portal's address.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The setup it runs by.
    pub fn setup(&self) -> &PortalSetup {
        &self.portal.setup
    }

    /// Serial numbers of the inverters.
    pub fn serials(&self) -> Vec<String> {
        self.portal.lock().inverters.iter().map(|inverter| inverter.serial.clone()).collect()
    }

    /// The faults now.
    pub fn faults(&self) -> PortalFaults {
        self.portal.lock().faults.clone()
    }

    /// Replaces all faults, from the next request on. What was due to be uploaded before is uploaded first.
    pub fn set_faults(&self, faults: PortalFaults) -> Result<(), InvalidSetup> {
        faults.check()?;
        let now = (self.portal.time)();
        let mut state = self.portal.lock();
        let State { faults: current, inverters, .. } = &mut *state;
        for inverter in inverters.iter_mut() {
            inverter.bring_up(&self.portal.schedule, &self.portal.house, current, now);
        }
        *current = faults;
        Ok(())
    }

    /// Ends all sessions now.
    pub fn expire_sessions(&self) {
        self.portal.lock().sessions.end_all();
    }

    /// Takes an upload of every inverter now, besides those that are due; none arrives where a fault keeps them
    /// away. The portal's times have whole seconds: let simulated time pass before the next, or it has the same.
    pub fn upload_now(&self) {
        let now = (self.portal.time)();
        let house = self.portal.house.now();
        let mut state = self.portal.lock();
        let State { faults, inverters, .. } = &mut *state;
        for inverter in inverters.iter_mut().filter(|inverter| !faults.cuts_off(inverter.index)) {
            inverter.upload(now, house.clone());
        }
    }

    /// The requests so far, oldest first: the last 10 000.
    pub fn log(&self) -> Vec<PortalRequest> {
        self.portal.log.entries()
    }

    /// How often what was asked since the log was cleared.
    pub fn counts(&self) -> PortalCounts {
        self.portal.log.counts()
    }

    /// Forgets the requests so far, and their counts.
    pub fn clear_log(&self) {
        self.portal.log.clear();
    }

    /// Waits for a request that is wanted; one that is in the log already counts.
    pub async fn received(&self, wanted: impl Fn(&PortalRequest) -> bool) -> PortalRequest {
        self.portal.log.received(wanted).await
    }

    /// Stops it: from then on connections are refused.
    pub async fn stop(mut self) {
        self.portal.stop.cancel();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(LAST_ORDERS, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for SimulatedPortal {
    fn drop(&mut self) {
        self.portal.stop.cancel();
    }
}

impl fmt::Debug for SimulatedPortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedPortal").field("addr", &self.addr).finish_non_exhaustive()
    }
}
