//! Who lives on a simulated network, and where.

use super::{axeos::Model, others::Site};
use crate::{house::noise, miner::Profile};
use model::discovery::DeviceKind;
use std::{io, net::Ipv4Addr};

/// Of a hundred addresses, so many say nothing at all.
const SILENT_PERCENT: usize = 40;

/// Who lives at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resident {
    /// A WhatsMiner with these of its APIs.
    WhatsMiner { profile: Profile, v2: bool, v3: bool },
    /// A Bitaxe or one of its relatives.
    Axe(Model),
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
    Resident::Axe(Model::Gamma),
    Resident::Axe(Model::Ultra),
    Resident::Axe(Model::NerdQAxe),
    Resident::Axe(Model::Lucky),
    Resident::Axe(Model::BitForge),
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
        Some(match self {
            Self::WhatsMiner { .. } => DeviceKind::WhatsMiner,
            Self::Axe(Model::Gamma | Model::Ultra) => DeviceKind::Bitaxe,
            Self::Axe(Model::NerdQAxe) => DeviceKind::NerdAxe,
            Self::Axe(Model::Lucky) => DeviceKind::LuckyMiner,
            Self::Axe(Model::BitForge) => DeviceKind::BitForge,
            Self::Antminer => DeviceKind::OtherMiner("Antminer".to_owned()),
            Self::Avalon => DeviceKind::OtherMiner("Avalon".to_owned()),
            Self::Braiins => DeviceKind::OtherMiner("Braiins OS".to_owned()),
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
