//! What is on the network: shown, searched, and taken in by way of the settings. Every form is a browser's own.

use super::Page;
use crate::{
    access::{Done, Scope, Who},
    config::{Miner, Origin},
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
use devices::discovery::Ports;
use model::{
    TeraHash,
    discovery::{DeviceKind, FoundDevice},
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
    let text = why.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
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
        found: found(&holding.loaded.config.miners, snapshot, &seen, page.network.ports()),
        search: Search {
            is_running: seen.is_running,
            ranges: ranges.iter().flatten().map(ToString::to_string).collect(),
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
fn known(loaded: &crate::config::Loaded, devices: &[Device], snapshot: &Snapshot) -> Vec<Known> {
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

/// What was found and isn't known.
fn found(miners: &[Miner], snapshot: &Snapshot, seen: &Seen, ports: Ports) -> Vec<Found> {
    let macs: BTreeSet<String> = snapshot
        .miners
        .iter()
        .filter_map(|miner| miner.identity.as_ref())
        .chain(snapshot.followed.iter().filter_map(|followed| followed.identity.as_ref()))
        .filter_map(|identity| identity.mac.clone())
        .collect();
    let is_known = |device: &&FoundDevice| {
        let mac = device.identity.as_ref().and_then(|identity| identity.mac.as_ref());
        let address = device.address.to_string();
        mac.is_some_and(|mac| macs.contains(mac)) || miners.iter().any(|miner| miner.host.as_str() == address)
    };
    let mut taken: BTreeSet<String> = miners.iter().map(|miner| miner.id.0.clone()).collect();
    let new: Vec<_> = seen.found.iter().filter(|device| !is_known(device)).collect();
    new.into_iter().map(|device| candidate(device, ports, &mut taken)).collect()
}

fn candidate(device: &FoundDevice, ports: Ports, taken: &mut BTreeSet<String>) -> Found {
    let identity = device.identity.as_ref();
    let figures = [words::number(device.hash_rate.map(TeraHash::get), 2, "TH/s"), words::power(device.power)];
    let figures: Vec<_> = figures.iter().filter(|told| told.is_known()).map(words::Told::text).collect();
    let (word, kind) = match &device.kind {
        DeviceKind::Whatsminer | DeviceKind::Axeos => ("new", words::kind(identity)),
        DeviceKind::OtherMiner(maker) => ("seen, not supported", maker.clone()),
        DeviceKind::Unknown => ("not recognised", "unknown".to_owned()),
    };
    let address = device.address.to_string();
    let name = match identity.and_then(|identity| identity.model.clone()) {
        Some(model) => model,
        None => kind.clone(),
    };
    let takes = match device.kind {
        DeviceKind::Whatsminer => Some("whatsminer"),
        DeviceKind::Axeos => Some("axeos"),
        DeviceKind::OtherMiner(_) | DeviceKind::Unknown => None,
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
        if kind == "axeos" {
            // What it draws while it mines is all that it can be told to draw. Where it tells none, what most of them draw.
            let watts = device.power.map_or(20, |power| power.round_to_whole().max(1));
            fields.push(("base_watts", watts.to_string()));
        }
        let part = new_miner(&id, "");
        Takes {
            part: part.trim_end_matches('.').to_owned(),
            fields: fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            needs_password: kind == "whatsminer",
        }
    });
    Found {
        device: Device {
            name,
            kind,
            address,
            health: if takes.is_some() { "good" } else { "" }.to_owned(),
            word: word.to_owned(),
            figures: figures.join(" · "),
            seen: None,
        },
        evidence: device.evidence.clone(),
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
