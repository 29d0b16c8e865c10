//! Where a device may be: names, and addresses of a home's own network.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A device's name or address, without port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// Reads a name, or an IPv4 or IPv6 address of a private network or of this machine.
    ///
    /// A name is taken as it is: who owns the name server owns the house. Addresses are judged, since one that was
    /// pasted by mistake must not make the program send a password to a stranger or to a machine's own metadata
    /// service.
    ///
    /// # Errors
    /// What is wrong with it, in plain words that don't repeat it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") {
            return Err("write the name or address alone, without http://");
        }
        if text.contains(['/', '@', '?', '#', '%']) {
            return Err("write the name or address alone, with nothing before or after it");
        }
        if text.contains(['[', ']']) {
            return Err("write an IPv6 address without brackets");
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Self::of_address(address);
        }
        if text.contains(':') {
            return Err("write the name or address alone: ports have settings of their own");
        }
        if is_name(text) { Ok(Self(text.to_ascii_lowercase())) } else { Err("that is no host name") }
    }

    /// Reads the name or address of a server, which may be anywhere.
    ///
    /// # Errors
    /// What is wrong with it, in plain words that don't repeat it.
    pub(super) fn parse_server(text: &str) -> Result<Self, &'static str> {
        match text.parse::<IpAddr>() {
            Ok(address) => unusable(address).map_or_else(|| Ok(Self(address.to_string())), Err),
            Err(_) if is_name(text) => Ok(Self(text.to_ascii_lowercase())),
            Err(_) => Err("write the name or address alone, with nothing before or after it"),
        }
    }

    /// The device at this address.
    ///
    /// # Errors
    /// Why no device at home can have it.
    pub fn of_address(address: IpAddr) -> Result<Self, &'static str> {
        match unusable(address).or_else(|| not_at_home(address)) {
            Some(why) => Err(why),
            None => Ok(Self(address.to_string())),
        }
    }

    /// Why nothing that may be asked can be behind this address, wherever it is.
    pub fn unusable(address: IpAddr) -> Option<&'static str> {
        unusable(address)
    }

    /// It stands for this machine itself.
    pub fn is_this_machine(&self) -> bool {
        self.0 == "localhost"
            || self.0.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// The name, or the address in its usual spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` can be a host name (RFC 1123 section 2.1; underscores occur in home networks). A last label that
/// starts like a number is an address that went wrong: some resolvers would read "192.168.5" as one.
pub(super) fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    text.len() <= 253 && !numeric && text.split('.').all(label)
}

/// Why no service can be behind this address, or none that may be asked.
pub(super) fn unusable(address: IpAddr) -> Option<&'static str> {
    /// Metadata services that aren't at a link-local address: Alibaba Cloud's and, by IPv6, Amazon's.
    const METADATA: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
        IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
    ];
    let address = address.to_canonical();
    let (unspecified, link_local) = match address {
        IpAddr::V4(v4) => (v4.octets()[0] == 0, v4.is_link_local()),
        IpAddr::V6(v6) => (v6.is_unspecified(), v6.is_unicast_link_local()),
    };
    if unspecified {
        Some("that address stands for no machine")
    } else if address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        Some("that address stands for many machines")
    } else if link_local || METADATA.contains(&address) {
        Some("a link-local or metadata address isn't a device's")
    } else {
        None
    }
}

/// Why a device at home can't have this address.
fn not_at_home(address: IpAddr) -> Option<&'static str> {
    let home = match address.to_canonical() {
        // 100.64.0.0/10 is shared address space (RFC 6598), which Tailscale uses.
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || matches!(v4.octets(), [100, 64..=127, _, _]),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    };
    (!home).then_some(
        "that address isn't one of a home network: a miner's API must never be reached over the internet",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_addresses_at_home_are_taken() {
        for (text, expected) in [
            ("192.168.86.52", "192.168.86.52"),
            ("10.0.0.1", "10.0.0.1"),
            ("172.31.255.254", "172.31.255.254"),
            ("100.101.102.103", "100.101.102.103"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("FD12:3456::0001", "fd12:3456::1"),
            ("Miner.Local", "miner.local"),
            ("localhost", "localhost"),
            ("m30s-garage", "m30s-garage"),
        ] {
            assert_eq!(Host::parse(text).as_ref().map(Host::as_str), Ok(expected));
        }
    }

    #[test]
    fn a_server_may_be_anywhere_where_one_can_be() {
        for text in ["smtp.example.com", "8.8.8.8", "192.168.1.5", "localhost", "2606:4700::1111"] {
            assert_eq!(Host::parse_server(text).as_ref().map(Host::as_str), Ok(text));
        }
        for text in
            ["smtp.example.com:25", "https://smtp.example.com", "169.254.1.1", "0.0.0.0", "", "a b", "u@h"]
        {
            assert!(Host::parse_server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn whatever_else_is_refused() {
        for text in [
            "http://192.168.1.5",
            "192.168.1.5/cgi",
            "192.168.1.5:4028",
            "127.0.0.1:22",
            "[::1]",
            "[::1]:4028",
            "admin@192.168.1.5",
            "miner 1",
            "-miner",
            "miner..local",
            "mïner",
            "192.168.1",
            "192.168.1.500",
            "2130706433",
            "0x7f000001",
            "fe80::1%eth0",
            "m\0",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_elsewhere_are_refused() {
        for text in [
            "169.254.169.254",
            "169.254.1.1",
            "fe80::1",
            "100.100.100.200",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "8.8.8.8",
            "::ffff:8.8.8.8",
            "192.0.0.192",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_address_is_at_home(bits in any::<u32>()) {
            let address = Ipv4Addr::from(bits);
            if Host::parse(&address.to_string()).is_ok() {
                let [a, b, ..] = address.octets();
                let home = a == 10 || a == 127 || (a == 192 && b == 168) || (a == 172 && b & 0xf0 == 16)
                    || (a == 100 && b & 0xc0 == 64);
                prop_assert!(home, "{}", address);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Host::parse(&text);
        }
    }
}
