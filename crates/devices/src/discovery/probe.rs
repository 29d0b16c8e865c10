//! Who answers at an address that has a miner's port open. Questions that change nothing, and no password.

use crate::{
    Deadlines, Miner, Secret,
    axeos::{AxeOs, AxeOsConfig},
    whatsminer::{WhatsMiner, WhatsMinerConfig},
};
use model::{
    MinerReading, Now, Watts,
    discovery::{DeviceKind, FoundDevice},
};
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What a single question may take. A search has many hosts to ask, and a device that is slower is found by its address.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_millis(800),
    read: Duration::from_millis(2200),
    write: Duration::from_millis(800),
};
/// The same for a question whose answer is only nice to have.
const BESIDES: Duration = Duration::from_millis(800);
/// What is read of an answer that is only looked through.
const LONGEST: u64 = 64 * 1024;

/// What gives miners of other makers away, in capitals, in what they answer to `version` at port 4028.
const AT_4028: [(&str, &str); 9] = [
    ("BOSMINER", "Braiins OS"),
    ("BOSER", "Braiins OS"),
    ("LUXMINER", "LuxOS"),
    ("AVALON", "Avalon"),
    ("GCMINER", "Auradine"),
    ("FLUXOS", "Auradine"),
    ("MARAFW", "Marathon"),
    ("ANTMINER", "Antminer"),
    ("BMMINER", "Antminer"),
];
/// The same, in the first page at port 80 with its head.
const AT_80: [(&str, &str); 7] = [
    ("REALM=\"ANTMINER CONFIGURATION\"", "Antminer"),
    ("<TITLE>AVALON", "Avalon"),
    ("BRAIINS OS", "Braiins OS"),
    ("ANTHILLOS", "Vnish"),
    ("LUXOR FIRMWARE", "LuxOS"),
    ("MINER WEB DASHBOARD", "ePIC"),
    ("PROTO OS", "Proto"),
];

/// The ports of the devices' interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// WhatsMiner V2, and what other makers took over from cgminer.
    pub v2: u16,
    /// WhatsMiner V3.
    pub v3: u16,
    /// AxeOS.
    pub http: u16,
}

impl Default for Ports {
    /// As they are on every device: 4028, 4433 and 80.
    fn default() -> Self {
        Self { v2: 4028, v3: 4433, http: 80 }
    }
}

impl Ports {
    /// All of them.
    pub(super) fn all(self) -> [u16; 3] {
        [self.v2, self.v3, self.http]
    }

    /// One of these is a miner's own: nothing else has it open.
    fn is_a_miners(self, open: &[u16]) -> bool {
        open.contains(&self.v2) || open.contains(&self.v3)
    }
}

/// Finds out who answers, and leaves `best` at what is known so far, whenever the caller has enough of waiting: nothing,
/// for what isn't a miner.
pub(super) async fn who(
    address: Ipv4Addr,
    ports: Ports,
    open: &[u16],
    now: Now,
    best: &mut Option<FoundDevice>,
) {
    let found = |kind, evidence: String| FoundDevice {
        address,
        ports: open.to_vec(),
        kind,
        identity: None,
        hash_rate: None,
        power: None,
        evidence,
    };
    if ports.is_a_miners(open) {
        let miner = whatsminer(address, ports);
        if let Ok(identity) = miner.identify(now).await {
            let evidence = format!("It answers as a WhatsMiner by {}.", identity.api);
            let device = FoundDevice { identity: Some(identity), ..found(DeviceKind::Whatsminer, evidence) };
            return tell(best.insert(device), &miner, now).await;
        }
    }
    if open.contains(&ports.http)
        && let Ok(device) =
            AxeOs::new(&AxeOsConfig { host: address.to_string(), port: ports.http, deadlines: DEADLINES })
        && let Ok(identity) = device.identify(now).await
    {
        let evidence = format!("It tells its state as {}.", identity.api);
        let is = FoundDevice { identity: Some(identity), ..found(DeviceKind::Axeos, evidence) };
        return tell(best.insert(is), &device, now).await;
    }
    if open.contains(&ports.v2)
        && let Some((maker, sign)) =
            given_away(address, ports.v2, br#"{"command":"version"}"#, &AT_4028).await
    {
        let evidence = format!("Its answer at port {} names {sign}. It isn't supported.", ports.v2);
        *best = Some(found(DeviceKind::OtherMiner(maker.to_owned()), evidence));
        return;
    }
    if open.contains(&ports.http) {
        let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        if let Some((maker, _)) = given_away(address, ports.http, request.as_bytes(), &AT_80).await {
            let evidence = format!("Its page is that of an {maker}. It isn't supported.");
            *best = Some(found(DeviceKind::OtherMiner(maker.to_owned()), evidence));
        }
    }
}

/// Something that holds a miner's own port open, whatever it is; `None` where only a web server is.
pub(super) fn unknown(address: Ipv4Addr, ports: Ports, open: &[u16]) -> Option<FoundDevice> {
    ports.is_a_miners(open).then(|| FoundDevice {
        address,
        ports: open.to_vec(),
        kind: DeviceKind::Unknown,
        identity: None,
        hash_rate: None,
        power: None,
        evidence: "A port of miners is open, and nothing that is known answers there.".to_owned(),
    })
}

/// The driver without a password: it only ever asks who is there.
fn whatsminer(address: Ipv4Addr, ports: Ports) -> WhatsMiner {
    WhatsMiner::new(WhatsMinerConfig {
        host: address.to_string(),
        v2_port: ports.v2,
        v3_port: ports.v3,
        v2_password: Secret::new(String::new()),
        v3_account: String::new(),
        v3_password: Secret::new(String::new()),
        base_watts: Watts::whole(3600),
        deadlines: DEADLINES,
    })
}

/// Adds what it tells of itself, if it is quick to.
async fn tell(found: &mut FoundDevice, device: &dyn Miner, now: Now) {
    let reading: Option<MinerReading> = timeout(BESIDES, device.read(now)).await.ok().and_then(Result::ok);
    found.hash_rate = reading.as_ref().and_then(|reading| reading.hash_rate);
    found.power = reading.as_ref().and_then(|reading| reading.power);
}

/// Whose sign is in the answer to a request, and the sign.
async fn given_away(
    address: Ipv4Addr,
    port: u16,
    request: &[u8],
    signs: &[(&'static str, &'static str)],
) -> Option<(&'static str, &'static str)> {
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect((address, port)).await.ok()?;
        stream.write_all(request).await.ok()?;
        stream.take(LONGEST).read_to_end(&mut answer).await.ok()
    };
    // Some keep the connection open after their answer: what has come by then is looked through.
    let _ = timeout(BESIDES, exchange).await;
    let answer = String::from_utf8_lossy(&answer).to_uppercase();
    let sign = signs.iter().find(|(sign, _)| answer.contains(sign));
    sign.map(|(sign, maker)| (*maker, *sign))
}
