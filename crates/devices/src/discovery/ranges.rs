//! Which addresses are looked at: this host's own private networks, and what a person adds. What isn't private is
//! never asked anything.

use ipnet::Ipv4Net;
use std::{collections::BTreeSet, fmt, io, net::Ipv4Addr};

/// The most addresses of one scan. A home has some hundreds; Linux remembers 1024 neighbours at a time (`gc_thresh3`),
/// so that more answers would be lost.
pub const MOST_ADDRESSES: usize = 4096;

/// Own networks of a shorter prefix are clipped to the /24 around the own address.
const SHORTEST_PREFIX: u8 = 22;
const CLIPPED_PREFIX: u8 = 24;

/// Names of interfaces that lead to containers, virtual machines and VPNs, as the programs that make them begin them.
const ELSEWHERE: [&str; 12] =
    ["docker", "br-", "veth", "virbr", "tun", "tap", "wg", "utun", "tailscale", "zt", "podman", "cni"];

/// The blocks that RFC 1918 gives to private networks.
const PRIVATE: [Ipv4Net; 3] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
];
/// This host itself: only for tests and the demo, where a person names it.
const LOOPBACK: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);

/// One IPv4 address of one interface of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name, as the system has it ("eth0").
    pub name: String,
    /// The address.
    pub address: Ipv4Addr,
    /// Length of the network's prefix, bits.
    pub prefix: u8,
    /// Packets go through it.
    pub is_up: bool,
    /// It leads to one other host: a VPN or a modem.
    pub is_point_to_point: bool,
}

/// Why a range isn't searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It can't be read as a range.
    #[error("{0:?} is no range of addresses: write it like 192.168.1.0/24, or one address alone")]
    Unreadable(String),
    /// It belongs to somebody else.
    #[error(
        "{0} isn't a private network, and other people's addresses are never searched: a range must lie in \
         10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"
    )]
    NotPrivate(Ipv4Net),
    /// All ranges together are too many addresses.
    #[error("{0} addresses are too many for one search, which takes {MOST_ADDRESSES}: name smaller ranges")]
    TooMany(u64),
}

/// Reads a range as a person writes it: CIDR notation, or one address.
pub fn parse_range(text: &str) -> Result<Ipv4Net, RangeError> {
    let text = text.trim();
    let one = text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from);
    let range = one.or_else(|| text.parse::<Ipv4Net>().ok());
    range.map(|range| range.trunc()).ok_or_else(|| RangeError::Unreadable(text.to_owned()))
}

/// The ranges of a scan, all of them private.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ranges {
    searched: Vec<Ipv4Net>,
    /// Own networks in full, where `searched` has only a part of them.
    own: Vec<Ipv4Net>,
}

impl Ranges {
    /// The networks that these interfaces are in, and `extra` besides, as a person gave it. Interfaces that lead
    /// elsewhere are left out; a person's range is taken whole.
    pub fn of(interfaces: &[Interface], extra: &[Ipv4Net]) -> Result<Self, RangeError> {
        let mut ranges = Self::only(extra)?;
        for interface in interfaces.iter().filter(|interface| leads_home(interface)) {
            let Ok(network) = Ipv4Net::new(interface.address, interface.prefix) else { continue };
            if !lies_in(&PRIVATE, network) {
                continue;
            }
            let searched = match interface.prefix {
                SHORTEST_PREFIX.. => network,
                _ => Ipv4Net::new(interface.address, CLIPPED_PREFIX).unwrap_or(network),
            };
            ranges.add(searched.trunc());
            ranges.own.push(network.trunc());
        }
        ranges.bounded()
    }

    /// These ranges of a person alone.
    pub fn only(ranges: &[Ipv4Net]) -> Result<Self, RangeError> {
        let mut all = Self::default();
        for range in ranges {
            if !lies_in(&PRIVATE, *range) && !LOOPBACK.contains(range) {
                return Err(RangeError::NotPrivate(*range));
            }
            all.add(range.trunc());
        }
        all.bounded()
    }

    /// What is searched, to be shown to a person.
    pub fn searched(&self) -> &[Ipv4Net] {
        &self.searched
    }

    /// Every address that is searched, once, rising. Network and broadcast addresses aren't among them.
    pub fn addresses(&self) -> Vec<Ipv4Addr> {
        let all: BTreeSet<Ipv4Addr> = self.searched.iter().flat_map(Ipv4Net::hosts).collect();
        all.into_iter().collect()
    }

    /// Whether a device that announces itself from there may be asked who it is.
    pub fn allow(&self, address: Ipv4Addr) -> bool {
        self.searched.iter().chain(&self.own).any(|network| network.contains(&address))
    }

    /// Nothing but this host itself is searched.
    pub fn are_loopback_only(&self) -> bool {
        self.searched.iter().all(|network| LOOPBACK.contains(network))
    }

    fn add(&mut self, network: Ipv4Net) {
        if !self.searched.contains(&network) {
            self.searched.push(network);
        }
    }

    fn bounded(self) -> Result<Self, RangeError> {
        // Before the addresses are written out: a /8 has 16 million.
        let count: u64 = self.searched.iter().map(|network| 1_u64 << (32 - network.prefix_len())).sum();
        // What two ranges have in common counts once, where that decides.
        if count > 4 * MOST_ADDRESSES as u64 {
            return Err(RangeError::TooMany(count));
        }
        match self.addresses().len() {
            0..=MOST_ADDRESSES => Ok(self),
            more => Err(RangeError::TooMany(more as u64)),
        }
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.searched.iter().map(ToString::to_string).collect();
        f.write_str(&words.join(", "))
    }
}

/// Whether an address is private, or this host's own: nobody else's is ever asked.
pub(super) fn may_be_asked(address: Ipv4Addr) -> bool {
    let address = Ipv4Net::from(address);
    lies_in(&PRIVATE, address) || LOOPBACK.contains(&address)
}

fn lies_in(blocks: &[Ipv4Net], network: Ipv4Net) -> bool {
    blocks.iter().any(|block| block.contains(&network))
}

fn leads_home(interface: &Interface) -> bool {
    interface.is_up
        && !interface.is_point_to_point
        && !ELSEWHERE.iter().any(|prefix| interface.name.starts_with(prefix))
}

/// The IPv4 interfaces of this host as the system tells them now.
///
/// # Errors
/// What the system says if it doesn't tell them.
pub fn own_interfaces() -> io::Result<Vec<Interface>> {
    let all = if_addrs::get_if_addrs()?;
    let interface = |found: if_addrs::Interface| {
        // Loopback and some virtual interfaces tell no state: only "down" is one.
        let is_up = matches!(found.oper_status, if_addrs::IfOperStatus::Up | if_addrs::IfOperStatus::Unknown);
        let is_point_to_point = found.is_p2p();
        match (found.addr, found.name) {
            (if_addrs::IfAddr::V4(v4), name) if !v4.ip.is_loopback() => {
                Some(Interface { name, address: v4.ip, prefix: v4.prefixlen, is_up, is_point_to_point })
            }
            _ => None,
        }
    };
    Ok(all.into_iter().filter_map(interface).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn interface(name: &str, address: [u8; 4], prefix: u8) -> Interface {
        Interface {
            name: name.to_owned(),
            address: address.into(),
            prefix,
            is_up: true,
            is_point_to_point: false,
        }
    }

    fn nets(texts: &[&str]) -> Vec<Ipv4Net> {
        texts.iter().map(|text| parse_range(text).unwrap()).collect()
    }

    fn of(interfaces: &[Interface]) -> String {
        Ranges::of(interfaces, &[]).unwrap().to_string()
    }

    #[test]
    fn the_own_network_is_searched() {
        let ranges = Ranges::of(&[interface("eth0", [192, 168, 7, 33], 24)], &[]).unwrap();
        assert_eq!(ranges.to_string(), "192.168.7.0/24");
        let addresses = ranges.addresses();
        assert_eq!(addresses.len(), 254);
        assert_eq!(addresses.first(), Some(&Ipv4Addr::new(192, 168, 7, 1)));
        assert!(!ranges.are_loopback_only());
    }

    #[test]
    fn a_large_network_is_clipped_around_the_own_address() {
        assert_eq!(of(&[interface("eth0", [10, 4, 5, 6], 8)]), "10.4.5.0/24");
        assert_eq!(of(&[interface("eth0", [10, 4, 5, 6], 21)]), "10.4.5.0/24");
        assert_eq!(of(&[interface("eth0", [10, 4, 5, 6], 22)]), "10.4.4.0/22");
        let clipped = Ranges::of(&[interface("eth0", [10, 4, 5, 6], 16)], &[]).unwrap();
        assert!(clipped.allow([10, 4, 99, 1].into()), "the own network, though not searched");
        assert!(!clipped.allow([10, 5, 0, 1].into()));
    }

    #[rstest]
    #[case("docker0")]
    #[case("br-3f2a")]
    #[case("veth12")]
    #[case("virbr0")]
    #[case("tun0")]
    #[case("tap1")]
    #[case("wg0")]
    #[case("utun4")]
    #[case("tailscale0")]
    #[case("ztabc")]
    fn containers_and_vpns_are_elsewhere(#[case] name: &str) {
        assert_eq!(of(&[interface(name, [10, 21, 0, 1], 24)]), "");
    }

    #[test]
    fn what_is_down_or_leads_to_one_host_or_is_not_private_is_left_out() {
        let down = Interface { is_up: false, ..interface("eth1", [192, 168, 1, 2], 24) };
        let modem = Interface { is_point_to_point: true, ..interface("wwan0", [10, 0, 0, 2], 30) };
        let public = interface("eth2", [8, 0, 0, 5], 24);
        let link_local = interface("eth3", [169, 254, 3, 4], 16);
        let carrier = interface("eth4", [100, 64, 1, 1], 24);
        assert_eq!(of(&[down, modem, public, link_local, carrier]), "");
    }

    #[test]
    fn a_person_may_add_ranges_and_gets_them_whole() {
        let home = interface("wlan0", [192, 168, 1, 9], 24);
        let ranges = Ranges::of(&[home], &nets(&["10.9.0.0/21", "192.168.1.0/24", "172.20.0.7"])).unwrap();
        assert_eq!(ranges.to_string(), "10.9.0.0/21, 192.168.1.0/24, 172.20.0.7/32");
        assert_eq!(ranges.addresses().len(), 2046 + 254 + 1);
    }

    #[rstest]
    #[case("8.8.8.0/24")]
    #[case("172.32.0.0/24")]
    #[case("192.168.0.0/15")]
    #[case("169.254.0.0/24")]
    #[case("100.64.0.0/24")]
    #[case("0.0.0.0/0")]
    #[case("224.0.0.251")]
    fn a_public_range_is_refused_in_words(#[case] text: &str) {
        let error = Ranges::of(&[], &nets(&[text])).unwrap_err();
        assert!(error.to_string().contains("isn't a private network"), "{error}");
    }

    #[test]
    fn this_host_is_searched_only_where_it_is_named() {
        assert!(Ranges::only(&nets(&["127.0.9.0/24"])).unwrap().are_loopback_only());
        assert_eq!(of(&[interface("lo", [127, 0, 0, 1], 8)]), "");
        assert!(!Ranges::only(&nets(&["127.0.9.0/24", "10.0.0.0/24"])).unwrap().are_loopback_only());
    }

    #[test]
    fn too_many_addresses_are_refused() {
        let error = Ranges::only(&nets(&["10.0.0.0/8"])).unwrap_err();
        assert_eq!(error, RangeError::TooMany(1 << 24));
        assert!(Ranges::only(&nets(&["10.0.0.0/19"])).is_err());
        assert_eq!(Ranges::only(&nets(&["10.0.0.0/20"])).unwrap().addresses().len(), 4094);
        // The same again is no more.
        assert!(Ranges::only(&nets(&["10.0.0.0/20", "10.0.8.0/21"])).is_ok());
    }

    #[test]
    fn what_is_no_range_is_named() {
        for text in ["", "192.168.1.0/33", "192.168.1-3.0", "home", "fe80::1", "192.168.1.0/24/1"] {
            let error = parse_range(text).unwrap_err();
            assert!(error.to_string().contains("is no range of addresses"), "{error}");
        }
        assert_eq!(parse_range(" 192.168.1.77/24 ").unwrap().to_string(), "192.168.1.0/24");
    }

    #[test]
    fn the_own_interfaces_can_be_read() {
        assert!(own_interfaces().unwrap().iter().all(|found| !found.address.is_loopback()));
    }

    proptest! {
        #[test]
        fn nothing_but_private_addresses_is_ever_searched(
            own in proptest::collection::vec(("[a-z0-9-]{1,6}", any::<[u8; 4]>(), 0_u8..=40), 0..4),
            extra in proptest::collection::vec((any::<[u8; 4]>(), 0_u8..=32), 0..4),
        ) {
            let own: Vec<_> =
                own.into_iter().map(|(name, address, prefix)| interface(&name, address, prefix)).collect();
            let extra: Vec<_> = extra
                .into_iter()
                .map(|(address, prefix)| Ipv4Net::new(address.into(), prefix).unwrap())
                .collect();
            if let Ok(ranges) = Ranges::of(&own, &extra) {
                let addresses = ranges.addresses();
                prop_assert!(addresses.len() <= MOST_ADDRESSES);
                prop_assert!(addresses.iter().all(|address| may_be_asked(*address)));
                prop_assert!(addresses.iter().all(|address| ranges.allow(*address)));
            }
        }
    }
}
