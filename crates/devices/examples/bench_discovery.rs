//! The search on a simulated home network of 254 addresses, measured; the network stays until it is ended, for others to
//! be measured on it.
//!
//! ```text
//! bench_discovery 127.0.77
//! ```
//!
//! Prints a line of JSON: the range, the addresses of its miners, and of each of several searches what it found and how long
//! it took. Port 80 and the miners' own ports are the real ones, since other scanners know no others: it needs the right to
//! listen at port 80, and a system that takes the whole of 127.0.0.0/8 for its own.

use devices::discovery::{Plan, Ports, SearchEvent, ranges, search};
use model::{MonoTime, Now, UtcMillis, discovery::DeviceKind};
use serde_json::json;
use simulator::{
    axeos::{AxeosSetup, Profile as Board, SimulatedAxeos},
    miner::{MinerSetup, Profile, SimulatedMiner},
};
use std::{
    collections::BTreeSet,
    error::Error,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const NOW: Now = Now { mono: MonoTime(0), utc: UtcMillis(1_780_000_000_000) };
const SEARCHES: usize = 3;
/// So many of the 254 addresses drop everything that is sent to them: 40 %.
const SILENT: usize = 102;
/// A connection that isn't taken within this time meets a queue that is full.
const FULL: Duration = Duration::from_millis(400);

/// What is on the network, kept so that it stays.
#[derive(Default)]
struct Network {
    miners: Vec<SimulatedMiner>,
    boards: Vec<SimulatedAxeos>,
    full: Vec<(TcpListener, Vec<TcpStream>)>,
}

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let prefix = std::env::args().nth(1).unwrap_or_else(|| "127.0.77".to_owned());
    let range = ranges::given(&format!("{prefix}.0/24"))?;
    let ports = Ports::default();
    let mut addresses = range.hosts().collect::<Vec<_>>().into_iter();
    let mut network = Network::default();
    let mut miners = BTreeSet::new();
    let generations = [Profile::G1, Profile::G2, Profile::G3, Profile::G3];
    for (number, (profile, address)) in (1..).zip(generations.into_iter().zip(addresses.by_ref())) {
        let at = |port| Some(SocketAddr::from((address, port)));
        let setup = MinerSetup {
            profile,
            mac: format!("02:00:00:00:01:{number:02X}"),
            v2: at(ports.v2),
            v3: if profile == Profile::G3 { at(ports.v3) } else { None },
            ..MinerSetup::default()
        };
        network.miners.push(SimulatedMiner::start(setup, Arc::new(|| NOW.utc))?);
        miners.insert(address);
    }
    for (number, (profile, address)) in (1..9).zip(Board::ALL.into_iter().cycle().zip(addresses.by_ref())) {
        let setup = AxeosSetup {
            profile,
            mac: format!("02:00:00:00:A0:{number:02X}"),
            addr: SocketAddr::from((address, ports.http)),
            ..AxeosSetup::default()
        };
        network.boards.push(SimulatedAxeos::start(setup, Arc::new(|| NOW.utc))?);
        miners.insert(address);
    }
    let pages = ["<title>Printer</title>", "<title>Router</title> see AxeOS", "<title>Television</title>"];
    for (page, address) in pages.into_iter().cycle().take(24).zip(addresses.by_ref()) {
        answers(address, page).await?;
    }
    for address in addresses.by_ref().take(6) {
        hangs(address, ports.http).await?;
    }
    let all = [ports.v2, ports.v3, ports.http];
    let silent = addresses.by_ref().take(SILENT).flat_map(|address| all.map(|port| full(address, port)));
    network.full = futures::future::try_join_all(silent).await?;
    // The rest refuses.
    let plan = Plan { ranges: vec![range], known: Vec::new(), ports };
    let mut searches = Vec::new();
    for _ in 0..SEARCHES {
        let begun = Instant::now();
        let found = found(&plan).await;
        searches.push(json!({ "seconds": begun.elapsed().as_secs_f64(), "found": found }));
    }
    let report = json!({ "range": range.to_string(), "miners": miners, "searches": searches });
    writeln!(std::io::stdout(), "{report}")?;
    // Whoever started it ends it.
    std::future::pending().await
}

/// An address that drops whatever comes to this port: a queue of connections that nobody takes from, and that is full.
async fn full(address: Ipv4Addr, port: u16) -> Result<(TcpListener, Vec<TcpStream>), Failure> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((address, port)))?;
    let listener = socket.listen(1)?;
    let mut waiting = Vec::new();
    while let Ok(taken) = timeout(FULL, TcpStream::connect((address, port))).await {
        waiting.push(taken?);
    }
    Ok((listener, waiting))
}

/// The addresses of the miners that a search finds.
async fn found(plan: &Plan) -> BTreeSet<Ipv4Addr> {
    let (told, mut events) = mpsc::channel(64);
    let never = CancellationToken::new();
    let listening = async {
        let mut found = BTreeSet::new();
        while let Some(event) = events.recv().await {
            if let SearchEvent::Found(device) = event
                && matches!(device.kind, DeviceKind::Whatsminer | DeviceKind::Axeos)
            {
                found.insert(device.address);
            }
        }
        found
    };
    tokio::join!(search(plan, NOW, told, &never), listening).1
}

/// A web server that says the same to everybody.
async fn answers(address: Ipv4Addr, body: &'static str) -> Result<(), Failure> {
    let listener = TcpListener::bind((address, 80)).await?;
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Ok(())
}

/// Something that takes every connection and never says anything.
async fn hangs(address: Ipv4Addr, port: u16) -> Result<(), Failure> {
    let listener = TcpListener::bind((address, port)).await?;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Ok(())
}
