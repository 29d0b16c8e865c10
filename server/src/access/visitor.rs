//! Where a request comes from, and whether it came encrypted.

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, header},
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The most that is kept of what a browser calls itself, in characters.
const LONGEST_NAME: usize = 160;

/// Who stands at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// The address.
    pub(crate) address: IpAddr,
    /// The way here is encrypted.
    pub(crate) is_https: bool,
    /// What the browser or program calls itself; for people, and never trusted.
    pub(crate) browser: String,
}

impl Visitor {
    /// What the connection says; and what a proxy says, if the connection is that of one that is trusted
    /// (`X-Forwarded-For`, whose last entry that no trusted proxy wrote counts, and `X-Forwarded-Proto`).
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions, proxies: &[IpAddr]) -> Self {
        let peer =
            extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let browser = text(header::USER_AGENT.as_str()).unwrap_or_default();
        let browser = browser.chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
        if !proxies.contains(&peer) {
            return Self { address: peer, is_https: false, browser };
        }
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let path: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut address = peer;
        for hop in path.iter().rev() {
            // What can't be read hides what is behind it.
            let Ok(hop) = hop.parse::<IpAddr>() else { break };
            address = hop.to_canonical();
            if !proxies.contains(&address) {
                break;
            }
        }
        let is_https = text("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        Self { address, is_https, browser }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 5000)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies = ["127.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().unwrap());
        let visitor = Visitor::of(&map, &extensions, &proxies);
        (visitor.address.to_string(), visitor.is_https)
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let told = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        assert_eq!(visitor("192.168.1.9", &told), ("192.168.1.9".to_owned(), false));
        assert_eq!(visitor("127.0.0.1", &told), ("203.0.113.9".to_owned(), true));
        assert_eq!(visitor("::ffff:127.0.0.1", &told), ("203.0.113.9".to_owned(), true));
        assert_eq!(visitor("127.0.0.1", &[]), ("127.0.0.1".to_owned(), false));
    }

    #[test]
    fn what_a_visitor_wrote_into_the_header_isnt_the_address() {
        for (written, expected) in [
            ("1.1.1.1, 192.168.1.9", "192.168.1.9"),
            ("1.1.1.1, 192.168.1.9, 10.0.0.2", "192.168.1.9"),
            ("192.168.1.9, nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            assert_eq!(visitor("127.0.0.1", &[("x-forwarded-for", written)]).0, expected, "{written}");
        }
        let twice = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.168.1.9")];
        assert_eq!(visitor("127.0.0.1", &twice).0, "192.168.1.9");
    }
}
