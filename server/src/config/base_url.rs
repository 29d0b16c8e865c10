//! The address of a web service: where a password goes must be beyond doubt.

use super::host;
use std::{fmt, net::IpAddr};

/// `https://`, or `http://` on this machine, with host, perhaps a port, perhaps a path; without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, in plain words that don't repeat it: people paste passwords into addresses.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "expected an address like https://monitor.eg4electronics.com";
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.len() > 512 || text.contains('\\') {
            return Err(FORM);
        }
        if rest.contains(['?', '#', '@']) {
            return Err("write scheme, host and path only: no user name, no question mark, no hash sign");
        }
        let (authority, path) =
            rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let (host, port) = split_port(authority).ok_or(FORM)?;
        if port.is_some_and(|port| port.parse().map_or(true, |port: u16| port == 0)) {
            return Err("the port must be a number from 1 to 65535");
        }
        let address = host.parse::<IpAddr>().ok();
        match address {
            Some(address) => host::unusable(address).map_or(Ok(()), Err)?,
            None if host::is_name(host) => {}
            None => return Err(FORM),
        }
        let here = host.eq_ignore_ascii_case("localhost")
            || address.is_some_and(|address| address.to_canonical().is_loopback());
        match scheme.to_ascii_lowercase().as_str() {
            "https" => {}
            "http" if here => {}
            "http" => {
                return Err("only https:// keeps the password to itself; http:// is for this machine alone");
            }
            _ => return Err(FORM),
        }
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self(format!("{}://{}{slash}{path}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())))
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Host and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
        return host.contains(':').then_some((host, port));
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_kept_without_a_slash_at_the_end() {
        for (text, expected) in [
            ("https://monitor.eg4electronics.com", "https://monitor.eg4electronics.com"),
            ("HTTPS://EU.Portal.example/", "https://eu.portal.example"),
            ("https://portal.example:8443/Prefix//", "https://portal.example:8443/Prefix"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:9000/", "http://[::1]:9000"),
            ("http://localhost", "http://localhost"),
            ("https://192.168.1.4", "https://192.168.1.4"),
        ] {
            assert_eq!(BaseUrl::parse(text).as_ref().map(BaseUrl::as_str), Ok(expected));
        }
    }

    #[test]
    fn whatever_could_send_the_password_astray_is_refused() {
        for text in [
            "monitor.eg4electronics.com",
            "http://monitor.eg4electronics.com",
            "http://localhost.example",
            "http://192.168.1.4",
            "ftp://127.0.0.1",
            "https://",
            "https:///path",
            "https://user:secret@portal.example",
            "https://portal.example?x=1",
            "https://portal.example#x",
            "https://portal.example:0",
            "https://portal.example:99999",
            "https://portal.example:",
            "https://[::1",
            "https://::1",
            "https://169.254.169.254",
            "https://por tal.example",
            "https://portal.example\\@other.example",
            "https://3232235777",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(https?://)?\\PC{0,40}") {
            let _ = BaseUrl::parse(&text);
        }
    }
}
