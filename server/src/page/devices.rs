//! What is on the network: shown, searched, and taken in by way of the settings. Every form is a browser's own.

use super::Page;
use crate::{
    access::{Done, Scope, Who},
    config::{Loaded, Miner, Origin},
    network::{NoSearch, Seen},
    settings::{self, fields, new_miner},
};
use app::{
    devices::{Devices, Found, Known, Search, Takes},
    settings::Frame,
    teller,
    view::Device,
    words,
};
use axum::{
    Extension, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use devices::discovery::{Ports, Ranges};
use model::{
    TeraHash,
    discovery::{DeviceKind, FoundDevice},
    event::Overview,
    snapshot::Snapshot,
};
use std::collections::BTreeSet;

/// The page.
const DEVICES: &str = "/devices";
/// While a search is under way a browser looks again after this many seconds.
const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("1");

pub(super) fn routes() -> Router<Page> {
    Router::new()
        .route(DEVICES, get(show))
        .route("/devices/search", post(search))
        .route("/devices/cancel", post(cancel))
}

async fn show(State(page): State<Page>, Extension(who): Extension<Who>) -> Response {
    shown(&page, &who, StatusCode::OK, None)
}

async fn search(State(page): State<Page>, Extension(who): Extension<Who>) -> Response {
    match page.network.begin() {
        Ok(()) => {
            let mut response = Redirect::to(DEVICES).into_response();
            response.extensions_mut().insert(Done("searched the network".to_owned()));
            response
        }
        Err(why) => shown(&page, &who, StatusCode::CONFLICT, Some(sentence(&why))),
    }
}

async fn cancel(State(page): State<Page>) -> Response {
    page.network.cancel();
    let mut response = Redirect::to(DEVICES).into_response();
    response.extensions_mut().insert(Done("ended the search of the network".to_owned()));
    response
}

fn sentence(why: &NoSearch) -> String {
    format!("{}.", capital(&why.to_string()))
}

/// With a capital letter at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

fn shown(page: &Page, who: &Who, status: StatusCode, problem: Option<String>) -> Response {
    let overview = page.backend.overview();
    let snapshot = &overview.snapshot;
    let holding = page.settings.holding();
    let seen = page.network.seen();
    let ranges = page.network.ranges();
    let devices = Devices {
        frame: Frame {
            site: overview.site.name.clone(),
            version: overview.site.version.clone(),
            timezone: overview.site.timezone.clone(),
            now: snapshot.at,
        },
        known: known(&holding.loaded, &teller::tell(&overview).devices, snapshot),
        found: found(&holding.loaded, &overview, &seen, page.network.ports()),
        search: Search {
            is_running: seen.is_running,
            ranges: ranges.iter().flat_map(Ranges::searched).map(ToString::to_string).collect(),
            asked: (seen.done, seen.total),
            ended: seen.ended.map(|(at, is_whole)| {
                let when = app::civil::moment(at, snapshot.at, &overview.site.timezone);
                let how = if is_whole { "" } else { ", stopped before its end" };
                let what = match seen.found.len() {
                    0 => "nothing found".to_owned(),
                    1 => "1 device found".to_owned(),
                    more => format!("{more} devices found"),
                };
                format!("Last searched {when}{how}: {what}.")
            }),
        },
        may_change: who.may(Scope::Admin),
        problem: problem.or(ranges.err().filter(|why| *why != NoSearch::Nowhere).map(|why| sentence(&why))),
    };
    let mut response = (status, Html(app::devices_page(devices, page.files.as_deref()))).into_response();
    if seen.is_running {
        response.headers_mut().insert(header::REFRESH, LOOK_AGAIN);
    }
    response
}

/// The miners that are known. The page tells those that are controlled first, and so does `devices`.
fn known(loaded: &Loaded, devices: &[Device], snapshot: &Snapshot) -> Vec<Known> {
    let ids = snapshot.miners.iter().map(|miner| (&miner.id, Some(miner)));
    let ids = ids.chain(snapshot.followed.iter().map(|followed| (&followed.id, None)));
    let fields = fields(loaded);
    let one =
        |((id, controlled), device): ((&model::MinerId, Option<&model::snapshot::MinerView>), &Device)| {
            let part = settings::part_of(loaded, id)?;
            let added = fields
                .iter()
                .filter(|field| field.part == part)
                .filter(|field| matches!(loaded.provenance.of(&field.path), Some(Origin::Changed { .. })));
            let id_is_added = loaded.path_of(id).is_some_and(|path| {
                matches!(loaded.provenance.of(&format!("{path}.id")), Some(Origin::Changed { .. }))
            });
            let configured = loaded.config.miners.iter().find(|miner| miner.id == *id)?;
            Some(Known {
                added: if id_is_added { added.map(|field| field.name.clone()).collect() } else { Vec::new() },
                part,
                device: device.clone(),
                is_controlled: controlled.is_some(),
                priority: configured.priority,
                share: controlled.and_then(|miner| miner.share).map(|share| words::power(Some(share)).text()),
            })
        };
    ids.zip(devices).filter_map(one).collect()
}

/// What was found and isn't known, or is known to be somewhere else.
fn found(loaded: &Loaded, overview: &Overview, seen: &Seen, ports: Ports) -> Vec<Found> {
    let miners = &loaded.config.miners;
    let snapshot = &overview.snapshot;
    let macs = snapshot.miners.iter().map(|miner| &miner.mac);
    let macs: Vec<_> = macs.chain(snapshot.followed.iter().map(|miner| &miner.mac)).flatten().collect();
    let is_known =
        |device: &FoundDevice| match device.identity.as_ref().and_then(|identity| identity.mac.as_ref()) {
            Some(mac) if macs.contains(&mac) => true,
            _ => miners.iter().any(|miner| miner.host.as_str() == device.address.to_string()),
        };
    let mut taken: BTreeSet<String> = miners.iter().map(|miner| miner.id.0.clone()).collect();
    let mut list = Vec::new();
    for device in &seen.found {
        let who = overview.moved.iter().find(|moved| moved.to == device.address).map(|moved| &moved.miner);
        let who = who.and_then(|id| {
            Some((miners.iter().find(|miner| miner.id == *id)?, settings::part_of(loaded, id)?))
        });
        match who {
            Some((miner, part)) => list.push(moved(device, miner, part)),
            None if is_known(device) => {}
            None => list.push(candidate(device, ports, &mut taken)),
        }
    }
    list
}

/// A miner that doesn't answer where it was, and was found elsewhere.
fn moved(device: &FoundDevice, miner: &Miner, part: String) -> Found {
    let name = miner.label().to_owned();
    let was = miner.host.as_str();
    Found {
        device: Device {
            name: name.clone(),
            kind: words::kind(device.identity.as_ref()),
            address: device.address.to_string(),
            health: "doubtful".to_owned(),
            word: "moved".to_owned(),
            ..Device::default()
        },
        evidence: format!("It has the hardware address of {name}, which doesn't answer at {was} any more."),
        takes: Some(Takes {
            part,
            fields: vec![("host".to_owned(), device.address.to_string())],
            // A password goes only to the address that it was given for.
            needs_password: miner.password.is_some(),
            watts: None,
            is_known_as: Some(name),
        }),
    }
}

fn candidate(device: &FoundDevice, ports: Ports, taken: &mut BTreeSet<String>) -> Found {
    let identity = device.identity.as_ref();
    let figures = [words::number(device.hash_rate.map(TeraHash::get), 2, "TH/s"), words::power(device.power)];
    let figures: Vec<_> = figures.iter().filter(|told| told.is_known()).map(words::Told::text).collect();
    let (word, kind) = match &device.kind {
        DeviceKind::Whatsminer | DeviceKind::Axeos => ("new", words::kind(identity)),
        DeviceKind::OtherMiner { maker, .. } => ("seen, not supported", maker.clone()),
        DeviceKind::Unknown => ("not recognised", "unknown".to_owned()),
    };
    let address = device.address.to_string();
    let model = match &device.kind {
        DeviceKind::OtherMiner { model, .. } => model.as_ref(),
        DeviceKind::Whatsminer | DeviceKind::Axeos | DeviceKind::Unknown => {
            identity.and_then(|identity| identity.model.as_ref())
        }
    };
    let name = model.unwrap_or(&kind).clone();
    let takes = match device.kind {
        DeviceKind::Whatsminer => Some("whatsminer"),
        DeviceKind::Axeos => Some("axeos"),
        DeviceKind::OtherMiner { .. } | DeviceKind::Unknown => None,
    };
    let takes = takes.map(|kind| {
        let id = id_for(device, taken);
        let mut fields = vec![("kind", kind.to_owned()), ("host", address.clone())];
        fields.extend(identity.and_then(|identity| identity.mac.clone()).map(|mac| ("mac", mac)));
        let others = Ports::default();
        let odd = [
            ("v2_port", ports.v2, others.v2),
            ("v3_port", ports.v3, others.v3),
            ("axeos_port", ports.http, others.http),
        ];
        fields.extend(
            odd.into_iter()
                .filter(|(_, port, usual)| port != usual)
                .map(|(key, port, _)| (key, port.to_string())),
        );
        let part = new_miner(&id, "");
        Takes {
            part: part.trim_end_matches('.').to_owned(),
            fields: fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            needs_password: kind == "whatsminer",
            // It can't be told to draw anything else: what it draws while it mines is its full power.
            watts: (kind == "axeos")
                .then(|| device.power.map_or_else(String::new, |power| power.round_to_whole().to_string())),
            is_known_as: None,
        }
    });
    Found {
        device: Device {
            page: None,
            name,
            kind,
            address,
            health: if takes.is_some() { "good" } else { "" }.to_owned(),
            word: word.to_owned(),
            figures: figures.join(" · "),
            seen: None,
        },
        evidence: format!("{}.", capital(&device.evidence)),
        takes,
    }
}

/// An id that no miner has: by the hardware address, which stays, else by the address.
fn id_for(device: &FoundDevice, taken: &mut BTreeSet<String>) -> String {
    let mac = device.identity.as_ref().and_then(|identity| identity.mac.as_ref());
    let tail = mac.map(|mac| mac.replace(':', "").chars().rev().take(6).collect::<Vec<_>>());
    let tail = tail.map(|tail| tail.into_iter().rev().collect::<String>());
    let base = format!("miner-{}", tail.unwrap_or_else(|| device.address.to_string().replace('.', "-")));
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let id = std::iter::once(base.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or(base);
    taken.insert(id.clone());
    id
}
