//! Who may ask: the firmware's answer to pages that talk to devices behind their reader's back.
//!
//! Peer and `Origin` must both be private IPv4 addresses (10/8, 172.16/12, 192.168/16); without an `Origin` only the peer counts. Since 2.15 an
//! origin may also be a local name. Real firmware would refuse the loopback interface, which can't be its peer.

use super::Profile;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Whether a request from `peer` with this `Origin` is answered.
pub(super) fn admits(profile: Profile, hostname: &str, peer: SocketAddr, origin: Option<&str>) -> bool {
    let peer = match peer.ip().to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback(),
    };
    peer && origin.is_none_or(|origin| admits_origin(profile, hostname, origin))
}

fn admits_origin(profile: Profile, hostname: &str, origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return address.is_loopback() || address.is_private();
    }
    let local = host.rsplit_once('.').is_some_and(|(_, domain)| domain == "local");
    if profile.is_nerd() {
        return local || host == "localhost";
    }
    profile.is_since(15) && (local || host == hostname || !host.is_empty() && !host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Profile::Gamma215, "127.0.0.1", None, true)]
    #[case(Profile::Gamma215, "192.168.4.20", None, true)]
    #[case(Profile::Gamma215, "100.64.3.1", None, false)]
    #[case(Profile::Gamma215, "8.0.0.7", None, false)]
    #[case(Profile::Gamma215, "[fd00::7]", None, false)]
    #[case(Profile::Gamma215, "192.168.4.20", Some("http://10.1.2.3:8080"), true)]
    #[case(Profile::Gamma215, "192.168.4.20", Some("https://203.0.113.9"), false)]
    #[case(Profile::Gamma215, "192.168.4.20", Some("http://bitaxe"), true)]
    #[case(Profile::Gamma215, "192.168.4.20", Some("http://house.local"), true)]
    #[case(Profile::Gamma215, "192.168.4.20", Some("https://example.org"), false)]
    #[case(Profile::Gamma212, "192.168.4.20", Some("http://house.local"), false)]
    #[case(Profile::NerdQaxe11, "192.168.4.20", Some("http://localhost:3000"), true)]
    fn who_may_ask(
        #[case] profile: Profile,
        #[case] peer: &str,
        #[case] origin: Option<&str>,
        #[case] expected: bool,
    ) {
        let peer = format!("{peer}:40000").parse().unwrap();
        assert_eq!(admits(profile, "bitaxe", peer, origin), expected);
    }
}
