//! The search of the home network: at most one at a time, what it found, and how far it is.

use crate::current::Current;
use devices::discovery::{
    Plan, Ports, SearchEvent,
    ranges::{self, NotSearched},
    search,
};
use engine::Handle;
use ipnet::Ipv4Net;
use model::{UtcMillis, discovery::FoundDevice};
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Events that wait to be taken up.
const WAITING: usize = 64;

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
    pub done: u32,
    /// All of them.
    pub total: u32,
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
    /// A range can't be searched.
    #[error("{range}: {why}")]
    Range {
        /// The range.
        range: String,
        /// Why not.
        why: NotSearched,
    },
}

impl Network {
    /// Nothing was searched yet. `ports` are those of the devices' interfaces.
    pub fn new(site: Handle, current: Current, ports: Ports, closing: CancellationToken) -> Self {
        Self(Arc::new(Inner { site, current, ports, closing, state: Mutex::default() }))
    }

    /// Where a search would look.
    ///
    /// # Errors
    /// If there is nowhere to look, or a range that was named can't be searched.
    pub fn ranges(&self) -> Result<Vec<Ipv4Net>, NoSearch> {
        let named = self.0.current.facts().search_ranges.clone();
        let given = named.into_iter().map(|range| match ranges::given(&range) {
            Ok(range) => Ok(range),
            Err(why) => Err(NoSearch::Range { range, why }),
        });
        let mut all: Vec<_> = given.collect::<Result<_, _>>()?;
        if self.0.current.facts().demo {
            // The demo's devices are simulated: the home network has nothing to do with it.
            return if all.is_empty() { Err(NoSearch::Nowhere) } else { Ok(all) };
        }
        let interfaces = ranges::interfaces().unwrap_or_else(|error| {
            tracing::warn!(%error, "the interfaces of this machine aren't known");
            Vec::new()
        });
        all.extend(ranges::own(&interfaces));
        let all = Ipv4Net::aggregate(&all);
        if all.is_empty() { Err(NoSearch::Nowhere) } else { Ok(all) }
    }

    /// What was found, and how far a search is.
    pub fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// The ports of the devices' interfaces.
    pub fn ports(&self) -> Ports {
        self.0.ports
    }

    /// Begins a search.
    ///
    /// # Errors
    /// If one is under way, or there is nowhere to look.
    pub fn begin(&self) -> Result<(), NoSearch> {
        let ranges = self.ranges()?;
        let cancelled = self.0.closing.child_token();
        {
            let mut state = self.state();
            if state.running.is_some() {
                return Err(NoSearch::Running);
            }
            state.running = Some(cancelled.clone());
            state.seen = Seen { is_running: true, ended: state.seen.ended, ..Seen::default() };
        }
        let texts: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        tracing::info!(ranges = texts.join(", "), "searching the network");
        let plan = Plan { ranges, known: self.known(), ports: self.0.ports };
        let this = self.clone();
        tokio::spawn(async move { this.run(plan, cancelled).await });
        Ok(())
    }

    /// Ends the search that is under way. What was found until then stays.
    pub fn cancel(&self) {
        if let Some(running) = &self.state().running {
            running.cancel();
        }
    }

    /// Where miners are known.
    fn known(&self) -> Vec<Ipv4Addr> {
        let snapshot = self.0.site.snapshot();
        let hosts = snapshot.miners.iter().map(|miner| miner.host.clone());
        let hosts = hosts.chain(snapshot.followed.iter().map(|followed| followed.host.clone()));
        hosts.filter_map(|host| host.parse().ok()).collect()
    }

    async fn run(&self, plan: Plan, cancelled: CancellationToken) {
        // Whatever happens, the next search can begin.
        let _over = Over(self);
        let (told, mut events) = mpsc::channel(WAITING);
        let now = self.0.site.now();
        let searching = async {
            let came_to_its_end = search(&plan, now, told, &cancelled).await;
            self.state().seen.ended = Some((self.0.site.now().utc, came_to_its_end));
        };
        let listening = async {
            while let Some(event) = events.recv().await {
                self.take_up(event);
            }
        };
        tokio::join!(searching, listening);
        let found = self.state().seen.found.len();
        tracing::info!(found, "the search is over");
    }

    fn take_up(&self, event: SearchEvent) {
        let mut state = self.state();
        match event {
            SearchEvent::Progress { done, total } => (state.seen.done, state.seen.total) = (done, total),
            SearchEvent::Found(device) => {
                let found = &mut state.seen.found;
                let at = found.partition_point(|known| known.address < device.address);
                found.insert(at, *device);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
