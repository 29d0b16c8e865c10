//! Where to look for devices.

use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Wider ranges of an interface are narrowed to [`NARROWED`] around its own address: the kernel keeps a thousand
/// neighbours, and more searched at once are lost.
const WIDEST: u8 = 22;
const NARROWED: u8 = 24;
/// The most addresses of one range that a person gives.
const MOST: u32 = 4096;
/// What interfaces of VPNs, containers and virtual machines begin with: no miner is behind them.
const VIRTUAL: [&str; 14] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "tun",
    "tap",
    "wg",
    "utun",
    "tailscale",
    "zt",
    "vmnet",
    "vboxnet",
    "cni",
    "flannel",
];

/// An interface of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The length of its network's prefix.
    pub prefix: u8,
    /// It leads to one other host alone.
    pub is_point_to_point: bool,
}

/// A range that isn't searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSearched {
    /// It is no range.
    #[error("expected a range such as 192.168.1.0/24")]
    NoRange,
    /// It isn't a home's.
    #[error("only private networks are searched: 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16")]
    NotPrivate,
    /// It has too many addresses.
    #[error("a range of at most {MOST} addresses, which is a /20")]
    TooWide,
}

/// This host's interfaces.
///
/// # Errors
/// If the system doesn't tell them.
pub fn interfaces() -> std::io::Result<Vec<Interface>> {
    let all = if_addrs::get_if_addrs()?;
    let of = |interface: if_addrs::Interface| {
        let is_point_to_point = interface.is_p2p();
        match interface.addr {
            if_addrs::IfAddr::V4(of) => Some(Interface {
                name: interface.name,
                address: of.ip,
                prefix: of.prefixlen,
                is_point_to_point,
            }),
            if_addrs::IfAddr::V6(_) => None,
        }
    };
    Ok(all.into_iter().filter_map(of).collect())
}

/// The ranges of a home's networks that these interfaces are in.
pub fn own(interfaces: &[Interface]) -> Vec<Ipv4Net> {
    let mut ranges: Vec<Ipv4Net> = interfaces
        .iter()
        .filter(|interface| interface.address.is_private() && !interface.is_point_to_point)
        .filter(|interface| !VIRTUAL.iter().any(|prefix| interface.name.starts_with(prefix)))
        .filter_map(|interface| {
            let prefix = if interface.prefix < WIDEST { NARROWED } else { interface.prefix };
            Ipv4Net::new(interface.address, prefix).ok()
        })
        .map(|range| range.trunc())
        .collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}

/// A range that a person gives.
///
/// # Errors
/// If it is none, too wide, or not of a home's network. Addresses of this host itself are allowed: simulated devices may
/// be there.
pub fn given(text: &str) -> Result<Ipv4Net, NotSearched> {
    let text = text.trim();
    let one = || text.parse().ok().and_then(|address| Ipv4Net::new(address, 32).ok());
    let range = text.parse::<Ipv4Net>().ok().or_else(one).ok_or(NotSearched::NoRange)?.trunc();
    let (first, last) = (range.network(), range.broadcast());
    let is_of_a_home = |address: Ipv4Addr| address.is_private() || address.is_loopback();
    // Both ends inside, and of the same network: no range reaches over from one into the next.
    if !is_of_a_home(first) || !is_of_a_home(last) {
        return Err(NotSearched::NotPrivate);
    }
    if u32::from(last) - u32::from(first) >= MOST {
        return Err(NotSearched::TooWide);
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn interface(name: &str, address: &str, prefix: u8) -> Interface {
        Interface { name: name.into(), address: address.parse().unwrap(), prefix, is_point_to_point: false }
    }

    fn texts(ranges: &[Ipv4Net]) -> Vec<String> {
        ranges.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_homes_networks_are_searched_and_no_others() {
        let interfaces = [
            interface("lo", "127.0.0.1", 8),
            interface("eth0", "192.168.86.5", 24),
            interface("wlan0", "192.168.86.6", 24),
            interface("eth1", "10.7.3.9", 8),
            interface("eth2", "172.16.4.1", 22),
            interface("docker0", "172.17.0.1", 16),
            interface("br-0a1b", "172.18.0.1", 16),
            interface("tailscale0", "100.101.102.103", 32),
            interface("wg0", "10.8.0.2", 24),
            interface("eth3", "203.0.113.7", 24),
            interface("eth4", "169.254.7.8", 16),
            Interface { is_point_to_point: true, ..interface("ppp0", "10.9.0.2", 24) },
        ];
        assert_eq!(texts(&own(&interfaces)), ["10.7.3.0/24", "172.16.4.0/22", "192.168.86.0/24"]);
    }

    #[rstest]
    #[case("192.168.1.0/24", Ok("192.168.1.0/24"))]
    #[case(" 192.168.1.7/24 ", Ok("192.168.1.0/24"))]
    #[case("10.0.0.9", Ok("10.0.0.9/32"))]
    #[case("127.0.9.0/24", Ok("127.0.9.0/24"))]
    #[case("10.0.0.0/20", Ok("10.0.0.0/20"))]
    #[case("10.0.0.0/19", Err(NotSearched::TooWide))]
    #[case("192.168.0.0/15", Err(NotSearched::NotPrivate))]
    #[case("8.8.8.0/24", Err(NotSearched::NotPrivate))]
    #[case("100.64.0.0/24", Err(NotSearched::NotPrivate))]
    #[case("169.254.0.0/24", Err(NotSearched::NotPrivate))]
    #[case("0.0.0.0/0", Err(NotSearched::NotPrivate))]
    #[case("fe80::/64", Err(NotSearched::NoRange))]
    #[case("192.168.1.0/33", Err(NotSearched::NoRange))]
    #[case("everything", Err(NotSearched::NoRange))]
    fn a_given_range_is_a_homes(#[case] text: &str, #[case] expected: Result<&str, NotSearched>) {
        assert_eq!(given(text).map(|range| range.to_string()), expected.map(str::to_owned));
    }

    proptest! {
        #[test]
        fn no_public_address_is_ever_searched(address: u32, prefix in 0..=33_u8) {
            let text = format!("{}/{prefix}", Ipv4Addr::from(address));
            if let Ok(range) = given(&text) {
                prop_assert!(range.hosts().count() <= 4096);
                prop_assert!(range.hosts().all(|host| host.is_private() || host.is_loopback()));
            }
            let own_one = own(&[Interface {
                name: "eth0".into(), address: address.into(), prefix: prefix.min(32), is_point_to_point: false,
            }]);
            prop_assert!(own_one.iter().flat_map(Ipv4Net::hosts).all(|host| host.is_private()));
        }
    }
}
