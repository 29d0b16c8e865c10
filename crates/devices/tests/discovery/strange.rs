//! Devices that do what none should, and how a search ends.

use crate::bench::{PORTS, all, found, impatient, listen, patient, search, soon, subnet};
use devices::discovery::{Pace, ScanEvent, Search};
use ipnet::Ipv4Net;
use model::{
    UtcMillis,
    discovery::{DeviceKind, FoundDevice},
};
use simulator::{
    miner::{MinerSetup, SimulatedMiner},
    time::SimulatedClock,
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};

fn hosts() -> (Ipv4Net, Vec<Ipv4Addr>) {
    let subnet = subnet();
    (subnet, subnet.hosts().collect())
}

/// Answers every connection's first bytes with `bytes`, as long as the client takes them.
fn answer(listener: TcpListener, bytes: impl Into<Vec<u8>>) {
    let bytes = bytes.into();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.clone();
            tokio::spawn(async move {
                if stream.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(&bytes).await;
                }
            });
        }
    });
}

/// Answers with one byte a second, for ever.
fn trickle(listener: TcpListener) {
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while stream.write_all(b"{").await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
            });
        }
    });
}

#[tokio::test]
async fn garbage_and_floods_and_trickles_are_unknown_on_ports_of_miners_and_nothing_on_others() {
    let (subnet, hosts) = hosts();
    let garbage: &[u8] = &[0xff, 0x00, 0x9f, 0x92, 0x96, 0x7b, 0x22, 0x0a];
    let flood = vec![b'{'; 5 << 20];
    let page = [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".as_slice(), &flood].concat();
    let frame = [(5_u32 << 20).to_le_bytes().as_slice(), &flood].concat();
    for (host, port, bytes) in [
        (1, PORTS.v2, garbage.to_vec()),
        (2, PORTS.v3, garbage.to_vec()),
        (3, PORTS.http, garbage.to_vec()),
        (4, PORTS.v2, flood.clone()),
        (5, PORTS.v3, frame),
        (6, PORTS.http, page),
        (7, PORTS.v2, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        (8, PORTS.v3, b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        (9, PORTS.v2, br#"{"STATUS":[{"STATUS":"E","Code":14,"Msg":"Invalid command"}],"id":1}"#.to_vec()),
    ] {
        answer(listen(hosts[host], port).await, bytes);
    }
    for (host, port) in [(10, PORTS.v2), (11, PORTS.v3), (12, PORTS.http)] {
        trickle(listen(hosts[host], port).await);
    }
    let mut found = all(impatient(&[subnet])).await;
    found.sort_by_key(|device| device.address);
    let unknown: Vec<_> = [1, 2, 4, 5, 7, 8, 9, 10, 11].into_iter().map(|host| hosts[host]).collect();
    assert_eq!(found.iter().map(|device| device.address).collect::<Vec<_>>(), unknown, "{found:#?}");
    assert!(found.iter().all(|device| device.kind == DeviceKind::Unknown), "{found:#?}");
    assert!(found.iter().all(|device| device.evidence.starts_with("port 4")), "{found:#?}");
}

#[tokio::test]
async fn a_search_that_is_dropped_lets_go_of_everybody() {
    let (_, hosts) = hosts();
    let listener = listen(hosts[0], PORTS.v2).await;
    let scan = patient(&[Ipv4Net::from(hosts[0])]).begin();
    // The knock, which is reset at once, and then the question.
    let mut stream = loop {
        let (mut stream, _) = soon(listener.accept()).await.unwrap();
        if soon(stream.read(&mut [0; 1024])).await.is_ok_and(|count| count > 0) {
            break stream;
        }
    };
    drop(scan);
    let end = soon(stream.read(&mut [0; 1024])).await;
    assert!(!end.is_ok_and(|count| count > 0), "the connection is closed or reset");
}

#[tokio::test]
async fn a_search_of_nothing_ends() {
    let mut scan = search(&[]).begin();
    assert_eq!(scan.next().await, Some(ScanEvent::Began { ranges: String::new(), addresses: 0 }));
    assert!(matches!(soon(scan.next()).await, Some(ScanEvent::Ended { cancelled: false, .. })));
    assert_eq!(scan.next().await, None);
}

#[tokio::test]
async fn one_device_at_two_addresses_is_told_at_both() {
    let (subnet, hosts) = hosts();
    let clock = SimulatedClock::paused(UtcMillis(1_780_000_000_000));
    let _miners = [hosts[3], hosts[40]].map(|address| {
        let at = |port| Some(SocketAddr::from((address, port)));
        let setup = MinerSetup { v2: at(PORTS.v2), v3: at(PORTS.v3), ..MinerSetup::default() };
        SimulatedMiner::start(setup, clock.source()).unwrap()
    });
    let mut found = all(search(&[subnet])).await;
    found.sort_by_key(|device| device.address);
    let mac = |device: FoundDevice| device.identity.and_then(|identity| identity.mac);
    let told: Vec<_> = found.into_iter().map(|device| (device.address, mac(device))).collect();
    assert_eq!(told, [hosts[3], hosts[40]].map(|address| (address, Some("02:00:00:00:00:01".to_owned()))));
}

/// A port that drops every connection until its queue is emptied.
async fn busy(address: Ipv4Addr, port: u16) -> (TcpListener, TcpStream) {
    let at = SocketAddr::from((address, port));
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(at).unwrap();
    let listener = socket.listen(0).unwrap();
    let waiting = TcpStream::connect(at).await.unwrap();
    // One more, in case that the queue holds two.
    let _ = timeout(Duration::from_millis(100), TcpStream::connect(at)).await;
    (listener, waiting)
}

#[tokio::test]
async fn who_is_silent_at_the_first_knock_is_knocked_at_again() {
    let (subnet, hosts) = hosts();
    let (sleeper, other) = (hosts[0], hosts[1]);
    let (asleep, waiting) = busy(sleeper, PORTS.v3).await;
    // It has a web page as well, which says nothing of miners.
    answer(
        listen(sleeper, PORTS.http).await,
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    );
    let listener = listen(other, PORTS.v2).await;
    let search = search(&[subnet]);
    // One address after the other: once the second is knocked at, the first knock at the first is over.
    let pace = Pace { connections: 3, second_knock: Duration::from_secs(30), ..search.pace };
    let mut scan = Search { known: vec![sleeper, other], pace, ..search }.begin();
    soon(listener.accept()).await.unwrap();
    drop((listener, waiting));
    let info = r#"{"code":0,"when":1780000000,"msg":{"miner":{"type":"M60S_VK30","working":"true"}},"desc":"get.device.info"}"#;
    let length = u32::try_from(info.len()).unwrap().to_le_bytes();
    answer(asleep, [length.as_slice(), info.as_bytes()].concat());
    let device = loop {
        let device = found(&mut scan).await.unwrap();
        if device.address == sleeper {
            break device;
        }
    };
    let model = device.identity.and_then(|identity| identity.model);
    assert_eq!((device.kind, model.as_deref()), (DeviceKind::Whatsminer, Some("M60SVK30")));
    assert_eq!(device.ports, [4433, 8000]);
}
