//! A household with miners of many makes, printers, web servers, hosts that hang, and addresses that answer nothing.

use crate::bench::{all, found, network, news, patient, search, subnet};
use devices::discovery::{Pace, ScanEvent, Search};
use model::discovery::{DeviceKind, FoundDevice};
use simulator::miner::SimulatedMiner;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

fn miners(found: &[FoundDevice]) -> BTreeMap<Ipv4Addr, DeviceKind> {
    let known = found.iter().filter(|device| device.kind != DeviceKind::Unknown);
    known.map(|device| (device.address, device.kind.clone())).collect()
}

#[tokio::test]
async fn all_miners_and_only_they_are_found() {
    let subnet = subnet();
    let network = network(subnet).await;
    let found = all(search(&[subnet])).await;
    let expected: BTreeMap<_, _> = network.miners().iter().cloned().collect();
    assert_eq!(miners(&found), expected);
    assert_eq!(found.iter().map(|device| device.address).collect::<BTreeSet<_>>().len(), found.len());
    let unknown: Vec<_> = found.iter().filter(|device| device.kind == DeviceKind::Unknown).collect();
    assert_eq!(unknown.len(), 1, "what hangs on a port of miners: {unknown:?}");
    assert!(unknown[0].evidence.ends_with("is open and says nothing"), "{}", unknown[0].evidence);
}

#[tokio::test]
async fn what_a_device_tells_of_itself_is_told_on() {
    let subnet = subnet();
    let _network = network(subnet).await;
    let found = all(search(&[subnet])).await;
    let whatsminers: Vec<_> = found.iter().filter(|device| device.kind == DeviceKind::Whatsminer).collect();
    let identity = |device: &FoundDevice| device.identity.clone().unwrap();
    for device in &whatsminers {
        // The oldest firmware has no sensor for its power.
        let tells_power = identity(device).model.as_deref() != Some("M20SV10");
        assert!(identity(device).model.is_some() && device.hash_rate.is_some(), "{device:?}");
        assert_eq!(device.power.is_some(), tells_power, "{device:?}");
    }
    let v3 = whatsminers.iter().find(|device| device.ports.contains(&4433)).unwrap();
    let [.., last] = v3.address.octets();
    assert_eq!(identity(v3).mac, Some(format!("02:00:00:00:77:{last:02x}")));
    assert!(v3.evidence.starts_with("port 4433 answered get.device.info with type M"), "{}", v3.evidence);
    let is_gamma = |device: &&FoundDevice| {
        let model = device.identity.as_ref().and_then(|identity| identity.model.as_deref());
        model == Some("Bitaxe Gamma 601")
    };
    let gamma = found.iter().find(is_gamma).unwrap();
    let [.., last] = gamma.address.octets();
    assert_eq!(identity(gamma).mac, Some(format!("02:00:00:00:a5:{last:02x}")));
    assert_eq!(identity(gamma).firmware.as_deref(), Some("v2.15.0"));
    assert_eq!(gamma.ports, [8000]);
}

#[tokio::test]
async fn nobody_is_asked_twice_or_with_a_password() {
    let subnet = subnet();
    let network = network(subnet).await;
    all(search(&[subnet])).await;
    let requests = network.requests();
    let mut lines = BTreeSet::new();
    for request in &requests {
        let line = request.text.lines().next().unwrap_or_default().to_owned();
        assert!(lines.insert((request.address, line)), "a second time: {request:?}");
        let text = request.text.to_lowercase();
        for word in ["authorization", "cookie", "origin", "token", "passw", "admin"] {
            assert!(!text.contains(word), "{word} in {request:?}");
        }
    }
    for bitaxe in network.axeos() {
        let asked = bitaxe.log();
        assert_eq!(asked.len(), 1, "a Bitaxe serves one after the other: {asked:?}");
        assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("GET", "/api/system/info"));
        assert!(asked[0].origin.is_none() && asked[0].body.is_empty(), "{asked:?}");
    }
    let writes = network.whatsminers().iter().flat_map(SimulatedMiner::log).filter(|entry| entry.write);
    assert_eq!(writes.count(), 0);
}

#[tokio::test]
async fn who_hangs_holds_nobody_up() {
    let subnet = subnet();
    let network = network(subnet).await;
    let mut scan = patient(&[subnet]).begin();
    let mut seen = Vec::new();
    // Those who hang are still being asked: they are given up only after minutes.
    while seen.len() < network.miners().len() {
        seen.push(found(&mut scan).await.unwrap());
    }
    assert_eq!(miners(&seen), network.miners().iter().cloned().collect());
    scan.canceller().cancel();
    assert!(matches!(news(&mut scan).await, Some(ScanEvent::Ended { cancelled: true, .. })));
    assert_eq!(news(&mut scan).await, None);
}

#[tokio::test]
async fn known_addresses_are_looked_at_first() {
    let subnet = subnet();
    let network = network(subnet).await;
    for (known, _) in [&network.miners()[4], &network.miners()[7]] {
        let search = search(&[subnet]);
        // One after the other, so that there is an order.
        let pace = Pace { connections: 3, identifications: 1, ..search.pace };
        let mut scan = Search { known: vec![*known], pace, ..search }.begin();
        assert_eq!(found(&mut scan).await.map(|device| device.address), Some(*known));
    }
}

#[tokio::test]
async fn the_events_of_a_search_come_in_their_order() {
    let subnet = subnet();
    let _network = network(subnet).await;
    let mut scan = search(&[subnet]).begin();
    let began = ScanEvent::Began { ranges: subnet.to_string(), addresses: 62 };
    assert_eq!(scan.next().await, Some(began));
    let (mut last, mut ended) = (0, false);
    while let Some(event) = scan.next().await {
        assert!(!ended, "nothing comes after the end");
        match event {
            ScanEvent::Progress { done, total } => {
                assert_eq!(total, 62);
                last = last.max(done);
            }
            ScanEvent::Ended { cancelled, .. } => {
                assert!(!cancelled);
                ended = true;
            }
            ScanEvent::Found(_) | ScanEvent::Began { .. } => {}
        }
    }
    assert!(ended);
    assert_eq!(last, 62);
}
