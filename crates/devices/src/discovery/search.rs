//! The search: first which addresses have a miner's port open, then who answers there.

use super::probe::{self, Ports};
use futures::{StreamExt, stream::FuturesUnordered};
use ipnet::Ipv4Net;
use model::{Now, discovery::FoundDevice};
use std::{
    collections::BTreeSet,
    hash::{BuildHasher, RandomState},
    io,
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long a connection may take: a device on the network takes a hundredth of it.
const CONNECT: Duration = Duration::from_millis(800);
/// An address that was silent altogether is tried once more after this: the first packet to a host that the kernel
/// doesn't know yet can get lost.
const AGAIN: Duration = Duration::from_millis(300);
/// Connections that are being opened at once.
const OPENING: usize = 384;
/// Addresses whose devices are asked who they are at once.
const ASKED: usize = 32;
/// How long a device may take to say who it is, however slowly it speaks.
const SAYING: Duration = Duration::from_millis(2500);

/// Where to look and for what.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The ranges.
    pub ranges: Vec<Ipv4Net>,
    /// Addresses where devices are known: they are asked first.
    pub known: Vec<Ipv4Addr>,
    /// The ports of the devices' interfaces.
    pub ports: Ports,
}

/// What a search tells while it is under way.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchEvent {
    /// So many addresses are through.
    Progress {
        /// These.
        done: u32,
        /// Of these.
        total: u32,
    },
    /// A device.
    Found(Box<FoundDevice>),
}

impl Plan {
    /// Every address once, those that are known first, the others in no order.
    fn addresses(&self) -> Vec<Ipv4Addr> {
        let inside = |address: &Ipv4Addr| self.ranges.iter().any(|range| range.contains(address));
        let mut seen: BTreeSet<Ipv4Addr> = BTreeSet::new();
        let known = self.known.iter().copied().filter(inside).filter(|address| seen.insert(*address));
        let mut addresses: Vec<_> = known.collect();
        let rest = self.ranges.iter().flat_map(Ipv4Net::hosts);
        let mut rest: Vec<_> = rest.filter(|address| seen.insert(*address)).collect();
        // A hasher with random keys is a shuffle.
        let order = RandomState::new();
        rest.sort_by_key(|address| order.hash_one(address));
        addresses.append(&mut rest);
        addresses
    }
}

/// Searches, and tells what it finds as it comes. It ends when all is asked, nobody listens any more, or `cancelled` is.
/// Whether it came to its end.
pub async fn search(
    plan: &Plan,
    now: Now,
    told: mpsc::Sender<SearchEvent>,
    cancelled: &CancellationToken,
) -> bool {
    tokio::select! {
        biased;
        () = cancelled.cancelled() => false,
        () = told.closed() => false,
        () = search_all(plan, now, &told) => true,
    }
}

async fn search_all(plan: &Plan, now: Now, told: &mpsc::Sender<SearchEvent>) {
    let (opening, asked) = (Arc::new(Semaphore::new(OPENING)), Arc::new(Semaphore::new(ASKED)));
    let addresses = plan.addresses();
    let total = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    let look = |address| look_at(address, plan.ports, now, Arc::clone(&opening), Arc::clone(&asked));
    let mut looking: FuturesUnordered<_> = addresses.into_iter().map(look).collect();
    let mut done = 0;
    while let Some(found) = looking.next().await {
        done += 1;
        if let Some(found) = found {
            // Whoever doesn't listen any more has ended the search.
            let _ = told.send(SearchEvent::Found(Box::new(found))).await;
        }
        let _ = told.send(SearchEvent::Progress { done, total }).await;
    }
}

async fn look_at(
    address: Ipv4Addr,
    ports: Ports,
    now: Now,
    opening: Arc<Semaphore>,
    asked: Arc<Semaphore>,
) -> Option<FoundDevice> {
    let open = match open_ports(address, ports, &opening).await {
        Heard::Open(open) => open,
        Heard::Closed => return None,
        Heard::Nothing => {
            sleep(AGAIN).await;
            match open_ports(address, ports, &opening).await {
                Heard::Open(open) => open,
                Heard::Closed | Heard::Nothing => return None,
            }
        }
    };
    let _permit = asked.acquire().await.ok()?;
    let mut found = None;
    let _ = timeout(SAYING, probe::who(address, ports, &open, now, &mut found)).await;
    // A miner's own port says at least that something is there.
    found.or_else(|| probe::unknown(address, ports, &open))
}

/// What was heard of an address.
enum Heard {
    /// These ports are open.
    Open(Vec<u16>),
    /// It answered, and has none of them.
    Closed,
    /// It didn't answer at all.
    Nothing,
}

async fn open_ports(address: Ipv4Addr, ports: Ports, opening: &Semaphore) -> Heard {
    let attempt = |port: u16| async move {
        let _permit = opening.acquire().await.ok();
        let connected = timeout(CONNECT, TcpStream::connect((address, port))).await;
        (port, connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(drop))
    };
    let attempts = futures::future::join_all(ports.all().map(attempt)).await;
    let refused = attempts.iter().any(|(_, outcome)| {
        outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    });
    let open: Vec<u16> =
        attempts.into_iter().filter_map(|(port, outcome)| outcome.is_ok().then_some(port)).collect();
    match (open.is_empty(), refused) {
        (false, _) => Heard::Open(open),
        (true, true) => Heard::Closed,
        (true, false) => Heard::Nothing,
    }
}
