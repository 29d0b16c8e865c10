//! One search from its beginning to its end.

use super::{
    announced,
    identify::Identifier,
    knock::{Knocked, knock},
    pace::{Pace, Ports},
    ranges::{Ranges, may_be_asked},
};
use model::discovery::{DeviceKind, FoundDevice};
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a search tells while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum ScanEvent {
    /// The first: what is searched.
    Began {
        /// The ranges, in words for a person.
        ranges: String,
        /// How many addresses that are.
        addresses: usize,
    },
    /// So many addresses are done.
    Progress {
        /// Done.
        done: usize,
        /// In all. It grows by devices that announce themselves from elsewhere in the own network.
        total: usize,
    },
    /// A miner, or something unknown that listens where miners do.
    Found(Box<FoundDevice>),
    /// The last.
    Ended {
        /// It was given up before its end.
        cancelled: bool,
        /// How long it took.
        took: Duration,
    },
}

/// What to search, and how.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where.
    pub ranges: Ranges,
    /// Addresses of devices that are known, which are looked at before all others, whether in `ranges` or not. One that
    /// isn't private is left out.
    pub known: Vec<Ipv4Addr>,
    /// Where miners listen.
    pub ports: Ports,
    /// How quickly.
    pub pace: Pace,
}

/// A search that goes on. Dropping it ends it at once.
#[derive(Debug)]
pub struct Scan {
    events: UnboundedReceiver<ScanEvent>,
    cancel: CancellationToken,
    _ends: DropGuard,
}

impl Search {
    /// A search of `ranges` as real networks are searched: the miners' own ports, the usual pace within the files that
    /// this program may open.
    pub fn new(ranges: Ranges) -> Self {
        Self { ranges, known: Vec::new(), ports: Ports::default(), pace: Pace::default().within_files() }
    }

    /// Begins it, within a tokio runtime.
    pub fn begin(self) -> Scan {
        // Unbounded for the sender never to wait: a search tells at most two events for each of its addresses.
        let (sender, events) = unbounded_channel();
        let cancel = CancellationToken::new();
        tokio::spawn(run(self, sender, cancel.clone()));
        Scan { events, cancel: cancel.clone(), _ends: cancel.drop_guard() }
    }

    /// Every address in the order in which they are looked at: known ones, then the others shuffled, so that no part of
    /// the network gets all of it at once.
    fn order(&self) -> Vec<Ipv4Addr> {
        let mut seen = HashSet::new();
        let mut order: Vec<_> =
            self.known.iter().copied().filter(|known| may_be_asked(*known) && seen.insert(*known)).collect();
        let mut others: Vec<_> =
            self.ranges.addresses().into_iter().filter(|address| seen.insert(*address)).collect();
        let chance = RandomState::new();
        others.sort_by_cached_key(|address| chance.hash_one(address));
        order.append(&mut others);
        order
    }
}

impl Scan {
    /// The next event; `None` after [`ScanEvent::Ended`].
    pub async fn next(&mut self) -> Option<ScanEvent> {
        self.events.recv().await
    }

    /// What ends it at once from elsewhere. The events that are under way and [`ScanEvent::Ended`] still come.
    pub fn canceller(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Everything that is found until it ends.
    pub async fn all(mut self) -> Vec<FoundDevice> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            if let ScanEvent::Found(device) = event {
                all.push(*device);
            }
        }
        all
    }
}

async fn run(search: Search, events: UnboundedSender<ScanEvent>, cancel: CancellationToken) {
    let began = Instant::now();
    let order = search.order();
    // Whoever doesn't listen any more has cancelled.
    let _ = events.send(ScanEvent::Began { ranges: search.ranges.to_string(), addresses: order.len() });
    let cancelled = tokio::select! {
        biased;
        () = cancel.cancelled() => true,
        () = look_everywhere(search, order, events.clone()) => false,
    };
    let _ = events.send(ScanEvent::Ended { cancelled, took: began.elapsed() });
}

/// Looks at every address, and at devices that announce themselves from elsewhere in the own network. Dropping the future
/// ends all of it.
async fn look_everywhere(search: Search, order: Vec<Ipv4Addr>, events: UnboundedSender<ScanEvent>) {
    let Search { ranges, ports, pace, .. } = search;
    let places = (pace.connections / Ports::COUNT).max(1);
    let (all_knocked, every_knock) = watch::channel(false);
    let round = Arc::new(Round {
        places: Arc::new(Semaphore::new(places)),
        askers: Semaphore::new(pace.identifications.max(1)),
        every_knock,
        identifier: Identifier::new(ports, pace),
        tally: Tally { total: AtomicUsize::new(order.len()), done: AtomicUsize::new(0) },
        ports,
        pace,
        events,
    });
    let mut seen: HashSet<_> = order.iter().copied().collect();
    let mut announcements = announced::addresses((!ranges.are_loopback_only()).then_some(pace.announcements));

    let sweep = async {
        let mut visits = JoinSet::new();
        for address in order {
            // A place is taken before the visit begins, so that the order stays the one that was chosen.
            let place = round.place().await;
            visits.spawn(Arc::clone(&round).visit(address, place));
        }
        // With all places free, everybody has been knocked at once.
        let _ = round.places.acquire_many(u32::try_from(places).unwrap_or(u32::MAX)).await;
        all_knocked.send_replace(true);
        while visits.join_next().await.is_some() {}
    };
    let listen = async {
        let mut visits = JoinSet::new();
        while let Some(address) = announcements.recv().await {
            if ranges.allow(address) && seen.insert(address) {
                round.tally.total.fetch_add(1, Ordering::Relaxed);
                let place = round.place().await;
                visits.spawn(Arc::clone(&round).visit(address, place));
            }
        }
        while visits.join_next().await.is_some() {}
    };
    tokio::join!(sweep, listen);
}

/// What the visits of one search share.
struct Round {
    /// How many addresses may be knocked at, each at all its ports.
    places: Arc<Semaphore>,
    /// How many devices may be asked.
    askers: Semaphore,
    /// Whether every address was knocked at once by now.
    every_knock: watch::Receiver<bool>,
    identifier: Identifier,
    tally: Tally,
    ports: Ports,
    pace: Pace,
    events: UnboundedSender<ScanEvent>,
}

/// How many addresses are done.
struct Tally {
    total: AtomicUsize,
    done: AtomicUsize,
}

/// A place among those who knock. There is none if nobody gives any out, which doesn't happen.
type Place = Option<OwnedSemaphorePermit>;

impl Round {
    async fn place(&self) -> Place {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Looks at one address to the end, and tells what is there.
    async fn visit(self: Arc<Self>, address: Ipv4Addr, place: Place) {
        if let Some(device) = self.look(address, place).await {
            let _ = self.events.send(ScanEvent::Found(Box::new(device)));
        }
        let done = 1 + self.tally.done.fetch_add(1, Ordering::Relaxed);
        let total = self.tally.total.load(Ordering::Relaxed);
        let _ = self.events.send(ScanEvent::Progress { done, total });
    }

    /// Knocks, asks where something is open, and knocks a second time where nothing was said, unless it is known by then
    /// what is there.
    async fn look(&self, address: Ipv4Addr, place: Place) -> Option<FoundDevice> {
        let first = knock(address, &self.ports.all(), self.pace.knock).await;
        drop(place);
        let found = self.ask(address, &first).await;
        if first.silent.is_empty() || found.as_ref().is_some_and(|found| found.kind != DeviceKind::Unknown) {
            return found;
        }
        tokio::join!(sleep(self.pace.pause), self.everybody_knocked());
        let place = self.place().await;
        let second = knock(address, &first.silent, self.pace.second_knock).await;
        drop(place);
        let mut later = self.ask(address, &second).await;
        if let Some(later) = &mut later {
            later.ports.extend(first.open);
            later.ports.sort_unstable();
        }
        later.or(found)
    }

    async fn everybody_knocked(&self) {
        // An end without it leaves nobody to wait for.
        let _ = self.every_knock.clone().wait_for(|done| *done).await;
    }

    async fn ask(&self, address: Ipv4Addr, knocked: &Knocked) -> Option<FoundDevice> {
        if knocked.open.is_empty() {
            return None;
        }
        let _turn = self.askers.acquire().await;
        self.identifier.identify(address, &knocked.open).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::parse_range;

    #[test]
    fn known_addresses_come_first_and_all_come_once() {
        let known = [[10, 0, 0, 9], [8, 8, 8, 8], [10, 0, 0, 9], [192, 168, 7, 7]].map(Ipv4Addr::from);
        let ranges = Ranges::only(&[parse_range("10.0.0.0/26").unwrap()]).unwrap();
        let search = Search { known: known.to_vec(), ..Search::new(ranges) };
        let order = search.order();
        assert_eq!(order[..2], [known[0], known[3]]);
        assert_eq!(order.len(), 63, "62 of the range and one from elsewhere");
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), 63);
        let mut rising = order.clone();
        rising.sort();
        assert_ne!(order, rising, "shuffled");
    }
}
