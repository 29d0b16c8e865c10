//! The search of the home network: at most one at a time, what it found, and how far it is. It begins when a person asks for
//! it, and by itself once a miner that is known has been missing (`missing`).

mod missing;

use crate::current::Current;
use devices::discovery::{Ports, RangeError, Ranges, Scan, ScanEvent, Search, own_interfaces, parse_range};
use engine::Handle;
use missing::Missing;
use model::{
    MinerId, UtcMillis,
    discovery::{FoundDevice, Moved},
    snapshot::Snapshot,
};
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// The search. Clones are the same.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    site: Handle,
    current: Current,
    ports: Ports,
    /// Ends a search with the program.
    closing: CancellationToken,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How a search that is under way is ended.
    running: Option<CancellationToken>,
    seen: Seen,
}

/// What was found, and how far a search is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// One is under way.
    pub is_running: bool,
    /// Addresses that it is through with.
    pub done: usize,
    /// All of them.
    pub total: usize,
    /// When the last one ended, and whether it came to its end.
    pub ended: Option<(UtcMillis, bool)>,
    /// What it found, by address.
    pub found: Vec<FoundDevice>,
}

/// Why no search begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSearch {
    /// One is under way.
    #[error("a search is under way already")]
    Running,
    /// There is nowhere to look.
    #[error("this machine is in no home network that could be searched: name a range in site.search_ranges")]
    Nowhere,
    /// The ranges can't be searched.
    #[error(transparent)]
    Range(#[from] RangeError),
}

impl Network {
    /// Nothing was searched yet. `ports` are those of the devices' interfaces.
    pub fn new(site: Handle, current: Current, ports: Ports, closing: CancellationToken) -> Self {
        Self(Arc::new(Inner { site, current, ports, closing, state: Mutex::default() }))
    }

    /// Where a search would look: this host's own networks, and what the configuration adds.
    ///
    /// # Errors
    /// If there is nowhere to look, or the ranges can't be searched.
    pub fn ranges(&self) -> Result<Ranges, NoSearch> {
        let facts = self.0.current.facts();
        let named = facts.search_ranges.iter().map(|range| parse_range(range));
        let named: Vec<_> = named.collect::<Result<_, _>>()?;
        let ranges = if facts.demo {
            // The demo's devices are simulated: the home network has nothing to do with it.
            Ranges::only(&named)?
        } else {
            let interfaces = own_interfaces().unwrap_or_else(|error| {
                tracing::warn!(%error, "the interfaces of this machine aren't known");
                Vec::new()
            });
            Ranges::of(&interfaces, &named)?
        };
        if ranges.searched().is_empty() { Err(NoSearch::Nowhere) } else { Ok(ranges) }
    }

    /// What was found, and how far a search is.
    pub fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// The miners that don't answer where they are known to be, and were found elsewhere.
    pub fn moved(&self, snapshot: &Snapshot) -> Vec<Moved> {
        let found = &self.state().seen.found;
        let elsewhere = |Gone { id, mac, host }: Gone<'_>| {
            let is_it = |device: &&FoundDevice| {
                device.identity.as_ref().and_then(|identity| identity.mac.as_deref()) == Some(mac)
                    && device.address.to_string() != host
            };
            found.iter().find(is_it).map(|device| Moved { miner: id.clone(), to: device.address })
        };
        gone(snapshot).filter_map(elsewhere).collect()
    }

    /// The ports of the devices' interfaces.
    pub fn ports(&self) -> Ports {
        self.0.ports
    }

    /// Begins a search, within a tokio runtime.
    ///
    /// # Errors
    /// If one is under way, or there is nowhere to look.
    pub fn begin(&self) -> Result<(), NoSearch> {
        let ranges = self.ranges()?;
        let search = Search { known: self.known(), ports: self.0.ports, ..Search::new(ranges) };
        let mut state = self.state();
        if state.running.is_some() {
            return Err(NoSearch::Running);
        }
        tracing::info!(ranges = %search.ranges, "searching the network");
        let scan = search.begin();
        state.running = Some(scan.canceller());
        state.seen = Seen { is_running: true, ended: state.seen.ended, ..Seen::default() };
        drop(state);
        let this = self.clone();
        tokio::spawn(async move { this.follow(scan).await });
        Ok(())
    }

    /// Ends the search that is under way. What was found until then stays.
    pub fn cancel(&self) {
        if let Some(running) = &self.state().running {
            running.cancel();
        }
    }

    /// Searches by itself once a miner that is known has been missing, and at long intervals while it is. Ends with the
    /// program.
    pub async fn keep_looking(&self) {
        let mut snapshots = self.0.site.follow();
        let mut missing = Missing::default();
        while let Some(Ok(())) = self.0.closing.run_until_cancelled(snapshots.changed()).await {
            let gone = gone(&snapshots.borrow_and_update()).map(|gone| gone.id.clone()).collect();
            if missing.calls_for_a_search(self.0.site.now().mono, gone)
                && let Err(why) = self.begin()
            {
                tracing::info!(%why, "a miner is missing, and is not searched for");
            }
        }
    }

    /// Where miners are known.
    fn known(&self) -> Vec<Ipv4Addr> {
        let snapshot = self.0.site.snapshot();
        let hosts = snapshot.miners.iter().map(|miner| miner.host.clone());
        let hosts = hosts.chain(snapshot.followed.iter().map(|followed| followed.host.clone()));
        hosts.filter_map(|host| host.parse().ok()).collect()
    }

    async fn follow(&self, mut scan: Scan) {
        // Whatever happens, the next search can begin.
        let _over = Over(self);
        while let Some(Some(event)) = self.0.closing.run_until_cancelled(scan.next()).await {
            self.take_up(event);
        }
        let found = self.state().seen.found.len();
        tracing::info!(found, "the search is over");
    }

    fn take_up(&self, event: ScanEvent) {
        let now = self.0.site.now().utc;
        let seen = &mut self.state().seen;
        match event {
            ScanEvent::Began { addresses, .. } => seen.total = addresses,
            // Told by many tasks at once: not always in order.
            ScanEvent::Progress { done, total } => {
                (seen.done, seen.total) = (seen.done.max(done), seen.total.max(total));
            }
            ScanEvent::Found(device) => {
                let at = seen.found.partition_point(|known| known.address < device.address);
                seen.found.insert(at, *device);
            }
            ScanEvent::Ended { cancelled, .. } => seen.ended = Some((now, !cancelled)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A miner that doesn't answer where it is known to be, and would be recognised elsewhere.
struct Gone<'a> {
    id: &'a MinerId,
    mac: &'a str,
    host: &'a str,
}

fn gone(snapshot: &Snapshot) -> impl Iterator<Item = Gone<'_>> {
    let controlled =
        snapshot.miners.iter().map(|miner| (&miner.id, &miner.host, &miner.connection, &miner.mac));
    let followed =
        snapshot.followed.iter().map(|miner| (&miner.id, &miner.host, &miner.connection, &miner.mac));
    let all = controlled.chain(followed).filter(|(_, _, connection, _)| !connection.connected);
    all.filter_map(|(id, host, _, mac)| Some(Gone { id, mac: mac.as_deref()?, host }))
}

/// Notes at its end that no search is under way.
struct Over<'a>(&'a Network);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running = None;
        state.seen.is_running = false;
    }
}
