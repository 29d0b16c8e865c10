//! Who lives on a simulated network, and where.

use super::others::{Relative, Site};
use crate::{axeos, house::noise, miner::Profile};
use model::discovery::DeviceKind;
use std::{io, net::Ipv4Addr};

/// Of a hundred addresses, so many say nothing at all.
const SILENT_PERCENT: usize = 40;

/// Who lives at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resident {
    /// A WhatsMiner with these of its APIs.
    WhatsMiner { profile: Profile, v2: bool, v3: bool },
    /// A Bitaxe, or a NerdQAxe.
    Axeos(axeos::Profile),
    /// A relative of theirs with firmware of its maker's own.
    Relative(Relative),
    /// A miner of another make.
    Antminer,
    /// The same.
    Avalon,
    /// The same.
    Braiins,
    /// A web server that is no miner's.
    Web(Site),
    /// It accepts connections and never says a word.
    Hanging {
        /// Where miners listen, or where web servers do.
        miners_port: bool,
    },
    /// It is there, and nothing listens.
    Refusing,
    /// Nobody, or a firewall that drops everything.
    Silent,
}

/// Who is on every network.
const EVERYBODY: [Resident; 22] = [
    Resident::WhatsMiner { profile: Profile::G0, v2: true, v3: false },
    Resident::WhatsMiner { profile: Profile::G1, v2: true, v3: false },
    Resident::WhatsMiner { profile: Profile::G2, v2: true, v3: false },
    Resident::WhatsMiner { profile: Profile::G2V3, v2: true, v3: true },
    Resident::WhatsMiner { profile: Profile::G3, v2: true, v3: true },
    // Its older API is switched off.
    Resident::WhatsMiner { profile: Profile::G3, v2: false, v3: true },
    Resident::Axeos(axeos::Profile::Gamma215),
    Resident::Axeos(axeos::Profile::Ultra245),
    Resident::Axeos(axeos::Profile::NerdQaxe11),
    Resident::Relative(Relative::Lucky),
    Resident::Relative(Relative::BitForge),
    Resident::Antminer,
    Resident::Avalon,
    Resident::Braiins,
    Resident::Web(Site::Printer),
    Resident::Web(Site::Printer),
    Resident::Web(Site::DashboardOfBitaxes),
    Resident::Web(Site::Router),
    Resident::Web(Site::Camera),
    Resident::Web(Site::Storage),
    Resident::Hanging { miners_port: false },
    Resident::Hanging { miners_port: true },
];

impl Resident {
    /// What a search should take it for; `None` if it is no miner.
    pub(super) fn kind(self) -> Option<DeviceKind> {
        let other = |maker: &str, model: Option<&str>| DeviceKind::OtherMiner {
            maker: maker.to_owned(),
            model: model.map(str::to_owned),
        };
        Some(match self {
            Self::WhatsMiner { .. } => DeviceKind::Whatsminer,
            Self::Axeos(_) | Self::Relative(_) => DeviceKind::Axeos,
            Self::Antminer => other("Antminer", Some("Antminer S19j Pro")),
            Self::Avalon => other("Avalon", Some("AvalonMiner 1246")),
            Self::Braiins => other("Braiins OS", None),
            Self::Web(_) | Self::Hanging { .. } | Self::Refusing | Self::Silent => return None,
        })
    }
}

/// Everybody at an address of their own, shuffled by `seed`; then the silent, and those who refuse.
pub(super) fn household(hosts: &[Ipv4Addr], seed: u64) -> io::Result<Vec<(Ipv4Addr, Resident)>> {
    let silent = hosts.len() * SILENT_PERCENT / 100;
    if hosts.len() < EVERYBODY.len() + silent {
        let words = format!("{} addresses are too few for {} devices", hosts.len(), EVERYBODY.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    }
    let mut shuffled = hosts.to_vec();
    shuffled.sort_by_key(|host| noise::bits(seed, i64::from(host.to_bits())));
    let rest = std::iter::repeat_n(Resident::Silent, silent).chain(std::iter::repeat(Resident::Refusing));
    Ok(shuffled.into_iter().zip(EVERYBODY.into_iter().chain(rest)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(count: u8) -> Vec<Ipv4Addr> {
        (1..=count).map(|last| Ipv4Addr::new(127, 0, 9, last)).collect()
    }

    #[test]
    fn everybody_has_a_place_and_four_of_ten_addresses_are_silent() {
        let residents = household(&hosts(254), 1).unwrap();
        let count = |wanted: fn(&Resident) -> bool| residents.iter().filter(|(_, one)| wanted(one)).count();
        assert_eq!(residents.len(), 254);
        assert_eq!(count(|one| *one == Resident::Silent), 101);
        assert_eq!(count(|one| one.kind().is_some()), 14);
        assert!(household(&hosts(30), 1).is_err());
        assert_ne!(household(&hosts(62), 1).unwrap(), household(&hosts(62), 2).unwrap());
    }
}
