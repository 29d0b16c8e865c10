//! Loopback networks that no other test has, and searches of them.

use devices::discovery::{Pace, Ports, Ranges, Scan, ScanEvent, Search};
use ipnet::Ipv4Net;
use model::{UtcMillis, discovery::FoundDevice};
use simulator::{
    network::{NetworkPorts, NetworkSetup, SimulatedNetwork},
    time::SimulatedClock,
};
use std::{
    net::{Ipv4Addr, SocketAddrV4},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::{net::TcpListener, time::timeout};

/// Ports that take no privileges.
pub(crate) const PORTS: Ports = Ports { v2: 4028, v3: 4433, http: 8000 };
/// Long enough for everything here: who reaches it hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// 62 loopback addresses for this test alone, by the number of its process.
pub(crate) fn subnet() -> Ipv4Net {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = process::id().wrapping_mul(4).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (1 << 17);
    let first = u32::from(Ipv4Addr::new(127, 64, 0, 0)) + number * 64;
    Ipv4Net::new(first.into(), 26).unwrap()
}

pub(crate) async fn network(subnet: Ipv4Net) -> SimulatedNetwork {
    let ports = NetworkPorts { v2: PORTS.v2, v3: PORTS.v3, http: PORTS.http, also_silent: Vec::new() };
    let clock = SimulatedClock::paused(UtcMillis(1_780_000_000_000));
    let setup = NetworkSetup { subnet, ports, seed: 7 };
    SimulatedNetwork::start(&setup, clock.source()).await.unwrap()
}

/// A search of loopback addresses that are answered at once or not at all.
pub(crate) fn search(ranges: &[Ipv4Net]) -> Search {
    let pace = Pace {
        knock: Duration::from_millis(300),
        pause: Duration::from_millis(1),
        second_knock: Duration::from_millis(300),
        ..Pace::default()
    };
    Search { ports: PORTS, pace, ..Search::new(Ranges::only(ranges).unwrap()) }
}

/// One that gives a device up soon.
pub(crate) fn impatient(ranges: &[Ipv4Net]) -> Search {
    let search = search(ranges);
    let (request, device) = (Duration::from_millis(400), Duration::from_millis(900));
    Search { pace: Pace { request, device, ..search.pace }, ..search }
}

/// One that gives no device up.
pub(crate) fn patient(ranges: &[Ipv4Net]) -> Search {
    let search = search(ranges);
    Search { pace: Pace { request: 10 * DEADLINE, device: 10 * DEADLINE, ..search.pace }, ..search }
}

/// The next event but progress.
pub(crate) async fn news(scan: &mut Scan) -> Option<ScanEvent> {
    loop {
        match soon(scan.next()).await {
            Some(ScanEvent::Progress { .. }) => {}
            event => return event,
        }
    }
}

/// The next device.
pub(crate) async fn found(scan: &mut Scan) -> Option<FoundDevice> {
    loop {
        match news(scan).await? {
            ScanEvent::Found(device) => return Some(*device),
            ScanEvent::Began { .. } | ScanEvent::Progress { .. } | ScanEvent::Ended { .. } => {}
        }
    }
}

pub(crate) async fn all(search: Search) -> Vec<FoundDevice> {
    soon(search.begin().all()).await
}

pub(crate) async fn listen(address: Ipv4Addr, port: u16) -> TcpListener {
    TcpListener::bind(SocketAddrV4::new(address, port)).await.unwrap()
}

/// Waits for something, not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("it doesn't happen")
}
