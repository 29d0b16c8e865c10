//! Who listens at an address. Its open ports are asked one after the other, from the one that tells most: WhatsMiner V3,
//! V2, then the web. Who answered is asked nothing more.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod other;
mod web;

use super::pace::{Pace, Ports};
use crate::{
    DeviceError,
    axeos::info::{self, Info},
    whatsminer::{Sighting, Stranger},
};
use model::discovery::{DeviceKind, FoundDevice};
use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};
use tokio::time::timeout;
use web::{Page, Web};

/// The longest reply that is read of somebody unknown, bytes. A miner's own have some thousands.
const REPLY_LIMIT: usize = 64 * 1024;

/// Where AxeOS and its relatives tell everything about themselves.
const AXEOS_INFO: &str = "/api/system/info";

/// Asks who is there.
pub(super) struct Identifier {
    ports: Ports,
    device: Duration,
    stranger: Stranger,
    web: Option<Web>,
}

/// What was learnt of one address so far.
struct Findings {
    address: Ipv4Addr,
    ports: Vec<u16>,
    /// What a port of miners said that is no miner's.
    strange: Option<String>,
}

impl Identifier {
    pub(super) fn new(ports: Ports, pace: Pace) -> Self {
        let stranger = Stranger { request: pace.request, look: pace.device, reply_limit: REPLY_LIMIT };
        let web = Web::new(pace.request, REPLY_LIMIT);
        if let Err(error) = &web {
            tracing::warn!("web servers can't be asked who they are: {error}");
        }
        Self { ports, device: pace.device, stranger, web: web.ok() }
    }

    /// What listens on the `open` ports; `None` if it is neither a miner nor something on a port of miners.
    pub(super) async fn identify(&self, address: Ipv4Addr, open: &[u16]) -> Option<FoundDevice> {
        let mut ports = open.to_vec();
        ports.sort_unstable();
        let mut findings = Findings { address, ports, strange: None };
        // What was learnt before the deadline stays.
        let found = timeout(self.device, self.ask(&mut findings, open)).await;
        found.ok().flatten().or_else(|| findings.unknown())
    }

    async fn ask(&self, findings: &mut Findings, open: &[u16]) -> Option<FoundDevice> {
        let at = |port| open.contains(&port).then(|| SocketAddrV4::new(findings.address, port));
        let (v3, v2, http) = (at(self.ports.v3), at(self.ports.v2), at(self.ports.http));
        if let Some(v3) = v3 {
            findings.nothing_yet(v3.port());
            match self.stranger.by_v3(v3).await {
                Ok(sighting) => return Some(findings.whatsminer(sighting, v3.port(), "get.device.info")),
                Err(error) => findings.said(v3.port(), &error),
            }
        }
        if let Some(v2) = v2 {
            findings.nothing_yet(v2.port());
            match self.stranger.by_v2(v2).await {
                Ok(sighting) => {
                    return Some(findings.whatsminer(
                        sighting,
                        v2.port(),
                        "the questions of WhatsMiner's V2 API",
                    ));
                }
                Err(error) => {
                    findings.said(v2.port(), &error);
                    let answers =
                        !matches!(error, DeviceError::TimedOut { .. } | DeviceError::Unreachable(_));
                    if answers
                        && let Ok(name) = self.stranger.name(v2).await
                        && let Some(other) = other::by_name(&name)
                    {
                        let words = format!("port {} answered \"version\" with {}", v2.port(), other.marker);
                        return Some(findings.other(other, words));
                    }
                }
            }
        }
        self.ask_the_web(findings, http?).await
    }

    /// One page, and a second only from who answered the first as a web server does that isn't AxeOS.
    async fn ask_the_web(&self, findings: &Findings, at: SocketAddrV4) -> Option<FoundDevice> {
        let web = self.web.as_ref()?;
        let told = web.get(at, AXEOS_INFO).await?;
        if told.status == 200
            && let Ok(axeos) = info::parse(&told.body)
        {
            return Some(findings.axeos(axeos, at.port()));
        }
        let front: Page = web.get(at, "/").await?;
        let other = other::by_page(&front)?;
        let words = format!("port {} is a web server with {}", at.port(), other.marker);
        Some(findings.other(other, words))
    }
}

impl Findings {
    /// A port of miners is open. This stands unless something better is learnt.
    fn nothing_yet(&mut self, port: u16) {
        self.strange.get_or_insert_with(|| format!("port {port} is open and says nothing"));
    }

    fn said(&mut self, port: u16, error: &DeviceError) {
        self.strange = Some(match error {
            DeviceError::TimedOut { .. } => format!("port {port} is open and says nothing"),
            other => format!("port {port}: {other}"),
        });
    }

    fn unknown(self) -> Option<FoundDevice> {
        let evidence = self.strange.clone()?;
        Some(self.device(DeviceKind::Unknown, evidence))
    }

    fn whatsminer(&self, seen: Sighting, port: u16, asked: &str) -> FoundDevice {
        let identity = seen.identity;
        let told = match (&identity.model, &identity.firmware) {
            (Some(model), _) => format!("type {model}"),
            (None, Some(firmware)) => format!("firmware {firmware}"),
            (None, None) => "a WhatsMiner's boards".to_owned(),
        };
        FoundDevice {
            identity: Some(identity),
            hash_rate: seen.hash_rate,
            power: seen.power,
            ..self.device(DeviceKind::Whatsminer, format!("port {port} answered {asked} with {told}"))
        }
    }

    fn axeos(&self, Info { kind, identity, reading, .. }: Info, port: u16) -> FoundDevice {
        let evidence = format!("port {port} answered {AXEOS_INFO} as a {} does", kind.name());
        FoundDevice {
            identity: Some(identity),
            hash_rate: reading.hash_rate,
            power: reading.power,
            ..self.device(DeviceKind::Axeos, evidence)
        }
    }

    fn other(&self, other: other::Other, evidence: String) -> FoundDevice {
        self.device(DeviceKind::OtherMiner { maker: other.maker.to_owned(), model: other.model }, evidence)
    }

    fn device(&self, kind: DeviceKind, evidence: String) -> FoundDevice {
        FoundDevice {
            address: self.address,
            ports: self.ports.clone(),
            kind,
            identity: None,
            hash_rate: None,
            power: None,
            evidence,
        }
    }
}
