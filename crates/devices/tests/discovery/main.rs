//! The search over real sockets, on a small network of simulated devices and of everything else that a house has.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

use devices::discovery::{Plan, Ports, SearchEvent, ranges, search};
use model::{
    MonoTime, Now, UtcMillis,
    discovery::{DeviceKind, FoundDevice},
};
use simulator::{
    axeos::{AxeosSetup, Profile as Board, SimulatedAxeos, Stall},
    miner::{Faults, MinerSetup, OnAccept, Profile, SimulatedMiner},
};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

const NOW: Now = Now { mono: MonoTime(0), utc: UtcMillis(1_780_000_000_000) };
/// Each test has a network of its own.
static NETWORKS: AtomicU8 = AtomicU8::new(1);

/// A network of 16 addresses, in which each device has the same ports.
struct Network {
    first: Ipv4Addr,
    ports: Ports,
}

impl Network {
    async fn new() -> Self {
        // Tests run in processes of their own: the process tells their networks apart, the counter those of one.
        let process = std::process::id().to_be_bytes();
        let number = NETWORKS.fetch_add(1, Ordering::Relaxed);
        let first = Ipv4Addr::new(127, 64 | process[2] & 63, process[3], number << 4);
        let mut free = Vec::new();
        for _ in 0..3 {
            free.push(TcpListener::bind((first, 0)).await.unwrap());
        }
        let port = |at: usize| free[at].local_addr().unwrap().port();
        Self { first, ports: Ports { v2: port(0), v3: port(1), http: port(2) } }
    }

    fn at(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.first) + u32::from(number))
    }

    fn plan(&self) -> Plan {
        let range = ranges::given(&format!("{}/28", self.first)).unwrap();
        Plan { ranges: vec![range], known: Vec::new(), ports: self.ports }
    }

    fn whatsminer(&self, number: u8, profile: Profile) -> SimulatedMiner {
        let at = |port| Some(SocketAddr::from((self.at(number), port)));
        let setup = MinerSetup {
            profile,
            mac: format!("02:00:00:00:01:{number:02X}"),
            v2: at(self.ports.v2),
            v3: if profile == Profile::G3 { at(self.ports.v3) } else { None },
            ..MinerSetup::default()
        };
        SimulatedMiner::start(setup, Arc::new(|| NOW.utc)).unwrap()
    }

    fn bitaxe(&self, number: u8, profile: Board) -> SimulatedAxeos {
        let setup = AxeosSetup {
            profile,
            mac: format!("02:00:00:00:A0:{number:02X}"),
            addr: SocketAddr::from((self.at(number), self.ports.http)),
            ..AxeosSetup::default()
        };
        SimulatedAxeos::start(setup, Arc::new(|| NOW.utc)).unwrap()
    }

    /// Something that answers everybody with the same, after a first look at the request.
    async fn says(&self, number: u8, port: u16, answer: Vec<u8>) {
        let listener = TcpListener::bind((self.at(number), port)).await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 512]).await;
                    let _ = stream.write_all(&answer).await;
                });
            }
        });
    }

    /// Something that takes every connection and never says anything.
    async fn hangs(&self, number: u8, port: u16) {
        let listener = TcpListener::bind((self.at(number), port)).await.unwrap();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
    }
}

fn page(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Everything that a search tells of devices, by address.
async fn found(plan: &Plan) -> BTreeMap<Ipv4Addr, FoundDevice> {
    let (told, mut events) = mpsc::channel(8);
    let never = CancellationToken::new();
    let listening = async {
        let mut found = BTreeMap::new();
        let mut last = (0, 0);
        while let Some(event) = events.recv().await {
            match event {
                SearchEvent::Found(device) => assert!(found.insert(device.address, *device).is_none()),
                SearchEvent::Progress { done, total } => last = (done, total),
            }
        }
        assert_eq!(last.0, last.1, "all addresses are through");
        found
    };
    let (ended, found) = tokio::join!(search(plan, NOW, told, &never), listening);
    assert!(ended);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_miners_are_found_and_nothing_else() {
    let network = Network::new().await;
    let _miners = [
        network.whatsminer(1, Profile::G1),
        network.whatsminer(2, Profile::G2),
        network.whatsminer(3, Profile::G3),
    ];
    let _boards = [
        network.bitaxe(4, Board::Ultra245),
        network.bitaxe(5, Board::Gamma215),
        network.bitaxe(6, Board::NerdQaxe11),
    ];
    let Ports { v2, http, .. } = network.ports;
    network.says(7, http, page("200 OK", "<title>Printer</title> see AxeOS, WhatsMiner, Antminer")).await;
    network
        .says(
            8,
            http,
            page("401 Unauthorized\r\nwww-authenticate: Digest realm=\"antMiner Configuration\"", ""),
        )
        .await;
    network
        .says(9, v2, br#"{"STATUS":[{"Msg":"BMMiner"}],"VERSION":[{"Type":"Antminer S19"}]}"#.to_vec())
        .await;
    network.says(10, v2, b"\0\0\0 nothing of sense".to_vec()).await;
    network.hangs(11, http).await;
    network.hangs(12, v2).await;
    network.says(13, http, vec![b'x'; 5_000_000]).await;
    network.says(14, http, page("302 Found\r\nlocation: http://192.0.2.1/", "")).await;
    let found = found(&network.plan()).await;
    let kinds: Vec<_> = found.iter().map(|(address, device)| (*address, device.kind.clone())).collect();
    let other = |name: &str| DeviceKind::OtherMiner(name.to_owned());
    let expected = [
        (1, DeviceKind::Whatsminer),
        (2, DeviceKind::Whatsminer),
        (3, DeviceKind::Whatsminer),
        (4, DeviceKind::Axeos),
        (5, DeviceKind::Axeos),
        (6, DeviceKind::Axeos),
        (8, other("Antminer")),
        (9, other("Antminer")),
        (10, DeviceKind::Unknown),
        (12, DeviceKind::Unknown),
    ];
    assert_eq!(kinds, expected.map(|(number, kind)| (network.at(number), kind)));
    let mac = |number| found[&network.at(number)].identity.as_ref().unwrap().mac.clone();
    assert_eq!(mac(3).as_deref(), Some("02:00:00:00:01:03"));
    assert_eq!(mac(5).as_deref(), Some("02:00:00:00:a0:05"));
    let rate = found[&network.at(5)].hash_rate.unwrap().get();
    assert!((0.5..2.0).contains(&rate), "{rate}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_to_do_anything_and_no_password_is_sent() {
    let network = Network::new().await;
    let (miner, board) = (network.whatsminer(1, Profile::G3), network.bitaxe(2, Board::Gamma215));
    found(&network.plan()).await;
    let asked = miner.log();
    assert!(!asked.is_empty());
    for request in &asked {
        assert!(!request.write, "{request:?}");
        assert!(
            request.command != "get_token" && !format!("{request:?}").contains("\"token\""),
            "{request:?}"
        );
    }
    let asked: Vec<_> = board.log().into_iter().map(|request| format!("{request:?}")).collect();
    assert!(!asked.is_empty() && asked.iter().all(|request| request.contains("GET")), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn miners_that_hang_hold_no_other_up() {
    let network = Network::new().await;
    let hanging: Vec<_> = (1..8).map(|number| network.whatsminer(number, Profile::G3)).collect();
    for miner in &hanging {
        miner.set_faults(Faults { on_accept: OnAccept::Silent, ..Faults::default() });
    }
    let (_well, board) = (network.whatsminer(8, Profile::G3), network.bitaxe(9, Board::Gamma215));
    board.update_faults(|faults| faults.stall = Stall::Everything);
    let found = found(&network.plan()).await;
    assert_eq!(found[&network.at(8)].kind, DeviceKind::Whatsminer);
    for number in 1..8 {
        assert_eq!(
            found[&network.at(number)].kind,
            DeviceKind::Unknown,
            "its port says that something is there"
        );
    }
    assert!(!found.contains_key(&network.at(9)), "a web server that says nothing can be anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_ends_at_once_when_it_is_cancelled_or_nobody_listens() {
    let network = Network::new().await;
    for number in 1..15 {
        network.hangs(number, network.ports.v2).await;
    }
    let cancelled = CancellationToken::new();
    let (told, _events) = mpsc::channel(8);
    cancelled.cancel();
    assert!(!search(&network.plan(), NOW, told, &cancelled).await);
    let (told, events) = mpsc::channel(8);
    drop(events);
    assert!(!search(&network.plan(), NOW, told, &CancellationToken::new()).await);
}
