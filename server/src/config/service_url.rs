//! The address of a service that is told something: anywhere on the internet or at home, but beyond doubt.

use super::host;
use reqwest::Url;
use std::{fmt, net::IpAddr};

/// `https://` or `http://` with host, perhaps a port, path and query. Whoever knows the whole of it may be able to use it:
/// `Debug` tells no more than where it is.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl(Url);

impl ServiceUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, in plain words that don't repeat it: people paste keys into addresses.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "expected an address like https://ntfy.sh/my-topic";
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.len() > 2048 || text.contains('\\') {
            return Err(FORM);
        }
        // Some readers find a host where others find none.
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        if rest.starts_with('/') || !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err(FORM);
        }
        let url = Url::parse(text).map_err(|_| FORM)?;
        if !url.username().is_empty()
            || url.password().is_some()
            || rest.split('/').next().is_none_or(|at| at.contains('@'))
        {
            return Err(
                "write no user name and no password into the address: there are settings for what is secret",
            );
        }
        if url.fragment().is_some() {
            return Err("leave out the hash sign and what follows it");
        }
        if url.port() == Some(0) {
            return Err("the port must be a number from 1 to 65535");
        }
        let (host, _) = authority(&url).ok_or(FORM)?;
        match host.parse::<IpAddr>() {
            Ok(address) => host::unusable(address).map_or(Ok(()), Err)?,
            Err(_) if host::is_name(&host) => {}
            Err(_) => return Err(FORM),
        }
        Ok(Self(url))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address, for whoever calls it.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Host and port.
    pub fn authority(&self) -> Option<(String, u16)> {
        authority(&self.0)
    }

    /// Both are the same service: what is secret may go to the one if it may go to the other.
    pub fn is_at(&self, other: &Self) -> bool {
        self.0.scheme() == other.0.scheme() && self.authority() == other.authority()
    }
}

fn authority(url: &Url) -> Option<(String, u16)> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((host, url.port_or_known_default()?))
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn services_may_be_anywhere_and_have_paths_and_queries() {
        for (text, expected) in [
            ("https://ntfy.sh/my-topic", "https://ntfy.sh/my-topic"),
            ("HTTP://192.168.1.9:8080/Topic", "http://192.168.1.9:8080/Topic"),
            ("http://localhost:2586/t", "http://localhost:2586/t"),
            ("https://[2606:4700::1]/t", "https://[2606:4700::1]/t"),
            ("https://hooks.example/a/b?key=c@d", "https://hooks.example/a/b?key=c@d"),
        ] {
            assert_eq!(ServiceUrl::parse(text).as_ref().map(ServiceUrl::as_str), Ok(expected));
        }
    }

    #[test]
    fn whatever_is_none_or_leads_where_nothing_may_be_asked_is_refused() {
        for text in [
            "ntfy.sh/my-topic",
            "ftp://ntfy.sh/t",
            "file:///etc/passwd",
            "https:ntfy.sh/t",
            "https:///ntfy.sh/t",
            "https://user:secret@ntfy.sh/t",
            "https://user@ntfy.sh/t",
            "https://@ntfy.sh/t",
            "https://ntfy.sh/t#x",
            "https://ntfy.sh:0/t",
            "https://ntfy.sh:99999/t",
            "https://169.254.169.254/t",
            "http://2852039166/t",
            "http://0xa9fea9fe/t",
            "http://[fe80::1]/t",
            "http://[::ffff:169.254.169.254]/t",
            "http://100.100.100.200/t",
            "http://0.0.0.0/t",
            "https://nt fy.sh/t",
            "https://ntfy.sh\\@other.example/t",
            "https://",
        ] {
            assert!(ServiceUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_tells_where_it_is_and_no_more() {
        let url = ServiceUrl::parse("https://hooks.example/canary?key=canary").unwrap();
        assert_eq!(format!("{url:?}"), "https://hooks.example/…");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(https?://)?\\PC{0,40}") {
            let _ = ServiceUrl::parse(&text);
        }
    }
}
