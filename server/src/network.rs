//! What is on the home network besides the miners that are configured: one search at a time, and what the searches found.
//!
//! What was found is kept in memory only, with when it was seen last: a device that is gone is told as old, and one that
//! moved is told at its new address alone. Nothing found here becomes a miner of the site by itself.

use crate::current::Current;
use devices::discovery::{
    MOST_ADDRESSES, RangeError, Ranges, ScanEvent, Search, own_interfaces, parse_range,
};
use engine::Handle;
use model::{UtcMillis, discovery::FoundDevice};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Why no search begins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSearch {
    /// One is under way.
    #[error("a search is under way already")]
    UnderWay,
    /// There is no network to search.
    #[error(
        "there is no private network here to search: if the controller runs in a container, name the network of the \
         house in network.extra_ranges"
    )]
    Nowhere,
    /// The ranges can't be searched.
    #[error(transparent)]
    Range(#[from] RangeError),
}

/// A search as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is searched, in words for a person.
    pub ranges: String,
    /// When it began.
    pub began: UtcMillis,
    /// How many addresses are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// When it ended; `None` while it goes on.
    pub ended: Option<UtcMillis>,
    /// It was given up before its end.
    pub cancelled: bool,
    /// How long it took, in real time.
    pub took: Option<Duration>,
}

/// A device, and when it was seen last.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// As it was found then.
    pub device: FoundDevice,
    /// When.
    pub at: UtcMillis,
}

/// The searches of this network. Clones are the same.
#[derive(Clone)]
pub struct Network {
    site: Handle,
    current: Current,
    /// Ends a search with the program.
    closing: CancellationToken,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The search that goes on, or the last one.
    search: Option<Progress>,
    /// Ends the one that goes on.
    cancel: Option<CancellationToken>,
    memory: Memory,
}

impl Network {
    /// Nothing was searched yet. A search ends at the latest with `closing`.
    pub fn new(site: Handle, current: Current, closing: CancellationToken) -> Self {
        Self { site, current, closing, state: Arc::default() }
    }

    /// Begins a search of the house's networks, within a tokio runtime.
    ///
    /// # Errors
    /// Why there is none.
    pub fn begin(&self) -> Result<Progress, NoSearch> {
        let ranges = self.ranges()?;
        let mut state = self.state();
        if state.cancel.is_some() {
            return Err(NoSearch::UnderWay);
        }
        let known = self.known(&state.memory);
        if ranges.searched().is_empty() {
            return Err(NoSearch::Nowhere);
        }
        let search = Search { known, ..Search::new(ranges.clone()) };
        let began = self.site.now().utc;
        let mut scan = search.begin();
        let progress = Progress {
            ranges: ranges.to_string(),
            began,
            done: 0,
            total: ranges.addresses().len(),
            ended: None,
            cancelled: false,
            took: None,
        };
        state.search = Some(progress.clone());
        state.cancel = Some(scan.canceller());
        drop(state);
        let network = self.clone();
        tokio::spawn(async move {
            let (mut found, mut has_ended) = (BTreeSet::new(), false);
            while let Some(event) = tokio::select! {
                event = scan.next() => event,
                () = network.closing.cancelled() => None,
            } {
                has_ended = matches!(event, ScanEvent::Ended { .. });
                network.note(event, &mut found);
            }
            if !has_ended {
                // However it broke off, the next may begin.
                let took = Duration::ZERO;
                network.note(ScanEvent::Ended { cancelled: true, took }, &mut found);
            }
        });
        Ok(progress)
    }

    /// Gives the search up that goes on. Whether there was one.
    pub fn cancel(&self) -> bool {
        self.state().cancel.as_ref().inspect(|cancel| cancel.cancel()).is_some()
    }

    /// The search that goes on, or the last one.
    pub fn search(&self) -> Option<Progress> {
        self.state().search.clone()
    }

    /// Everything that was found, by address.
    pub fn devices(&self) -> Vec<Seen> {
        self.state().memory.0.values().cloned().collect()
    }

    fn note(&self, event: ScanEvent, found: &mut BTreeSet<Ipv4Addr>) {
        let now = self.site.now().utc;
        let mut state = self.state();
        let State { search: Some(search), memory, cancel } = &mut *state else { return };
        match event {
            ScanEvent::Began { addresses, .. } => search.total = addresses,
            ScanEvent::Progress { done, total } => {
                search.done = search.done.max(done);
                search.total = search.total.max(total);
            }
            ScanEvent::Found(device) => {
                found.insert(device.address);
                memory.note(device, now);
            }
            ScanEvent::Ended { cancelled, took } => {
                search.ended = Some(now);
                search.cancelled = cancelled;
                search.took = Some(took);
                *cancel = None;
                if !cancelled {
                    memory.forget_moved(found);
                }
            }
        }
    }

    /// This host's own networks and what the configuration adds. A simulated house isn't on this host's network.
    fn ranges(&self) -> Result<Ranges, RangeError> {
        let facts = self.current.facts();
        let extra: Vec<_> =
            facts.extra_ranges.iter().map(|range| parse_range(range)).collect::<Result<_, _>>()?;
        if facts.demo {
            return Ranges::only(&extra);
        }
        let interfaces = own_interfaces().unwrap_or_else(|error| {
            tracing::warn!("this machine's networks can't be listed: {error}");
            Vec::new()
        });
        Ranges::of(&interfaces, &extra)
    }

    /// Addresses where something was seen, or where a configured miner is.
    fn known(&self, memory: &Memory) -> Vec<Ipv4Addr> {
        let snapshot = self.site.snapshot();
        let configured = snapshot.miners.iter().filter_map(|miner| miner.host.parse().ok());
        // A simulated house's miners have ports of their own.
        let configured = configured.filter(|_| !self.current.facts().demo);
        configured.chain(memory.0.keys().copied()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was found, by address.
#[derive(Debug, Default)]
struct Memory(BTreeMap<Ipv4Addr, Seen>);

impl Memory {
    fn note(&mut self, device: FoundDevice, at: UtcMillis) {
        self.0.insert(device.address, Seen { device, at });
        while self.0.len() > MOST_ADDRESSES {
            let oldest = self.0.iter().min_by_key(|(_, seen)| seen.at).map(|(address, _)| *address);
            self.0.remove(&oldest.unwrap_or(Ipv4Addr::UNSPECIFIED));
        }
    }

    /// Whoever was `found` at another address isn't at the old one any more.
    fn forget_moved(&mut self, found: &BTreeSet<Ipv4Addr>) {
        let macs: BTreeSet<String> =
            found.iter().filter_map(|address| self.0.get(address)?.device.mac.clone()).collect();
        self.0.retain(|address, seen| {
            found.contains(address) || seen.device.mac.as_ref().is_none_or(|mac| !macs.contains(mac))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::discovery::DeviceKind;

    fn device(last: u8, mac: Option<&str>) -> FoundDevice {
        FoundDevice {
            address: [192, 168, 1, last].into(),
            ports: vec![80],
            kind: DeviceKind::Bitaxe,
            model: None,
            mac: mac.map(str::to_owned),
            firmware: None,
            hash_rate: None,
            power: None,
            evidence: String::new(),
        }
    }

    fn lasts(memory: &Memory) -> Vec<u8> {
        memory.0.keys().map(|address| address.octets()[3]).collect()
    }

    #[test]
    fn who_moved_is_told_at_the_new_address_and_who_is_gone_at_the_old_one() {
        let mut memory = Memory::default();
        for (last, mac) in [(1, Some("moves")), (2, Some("goes")), (3, None), (4, Some("twice"))] {
            memory.note(device(last, mac), UtcMillis(1000));
        }
        let found = [(7, Some("moves")), (4, Some("twice")), (8, Some("twice"))].map(|(last, mac)| {
            let device = device(last, mac);
            let address = device.address;
            memory.note(device, UtcMillis(2000));
            address
        });
        memory.forget_moved(&found.into());
        assert_eq!(lasts(&memory), [2, 3, 4, 7, 8]);
        assert_eq!(memory.0[&Ipv4Addr::new(192, 168, 1, 2)].at, UtcMillis(1000));
    }
}
