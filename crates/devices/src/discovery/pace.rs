//! How quickly a search goes, and where miners listen.

use std::{fs, time::Duration};

/// The TCP ports that are knocked at. Real devices have the default; simulated ones may listen elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// WhatsMiner's V2 API and every relative of cgminer: 4028.
    pub v2: u16,
    /// WhatsMiner's V3 API: 4433.
    pub v3: u16,
    /// The web server of Bitaxes and others: 80.
    pub http: u16,
}

impl Ports {
    /// How many there are.
    pub(super) const COUNT: usize = 3;

    /// Those of the three, in the order in which they are asked.
    pub(super) const fn all(self) -> [u16; Self::COUNT] {
        [self.v3, self.v2, self.http]
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self { v2: 4028, v3: 4433, http: 80 }
    }
}

/// Limits and deadlines of a search, in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Connections being opened at once, over all addresses. Home routers and Linux's own table of neighbours lose
    /// answers beyond some hundreds.
    pub connections: usize,
    /// Devices asked at once.
    pub identifications: usize,
    /// How long the first knock at a port waits. A device on the home network that is awake answers within some
    /// milliseconds, and a /24 is mostly addresses that never do.
    pub knock: Duration,
    /// How long a port is left alone that said nothing: by then the device's hardware address is known, and a Wi-Fi
    /// device that slept is awake.
    pub pause: Duration,
    /// How long the second knock waits.
    pub second_knock: Duration,
    /// One request, connection included.
    pub request: Duration,
    /// All requests to one device together.
    pub device: Duration,
    /// How long announcements are listened to.
    pub announcements: Duration,
}

impl Default for Pace {
    /// A /24 with four silent addresses of ten and some that hang is done in less than 3 s.
    fn default() -> Self {
        Self {
            connections: 224,
            identifications: 32,
            knock: Duration::from_millis(400),
            pause: Duration::from_millis(300),
            second_knock: Duration::from_millis(800),
            request: Duration::from_millis(2500),
            device: Duration::from_secs(6),
            announcements: Duration::from_secs(3),
        }
    }
}

impl Pace {
    /// The same with no more connections than half of the files that this program may still open: the control loop
    /// needs files, too, to reach the miners.
    #[must_use]
    pub fn within_files(self) -> Self {
        let Some(free) = free_files() else { return self };
        let identifications = self.identifications.min(free / 8).max(1);
        let connections = self.connections.min(free / 2).max(Ports::COUNT);
        Self { connections, identifications, ..self }
    }
}

/// How many files this program may still open, where Linux tells it (proc(5)).
fn free_files() -> Option<usize> {
    let limit = soft_limit(&fs::read_to_string("/proc/self/limits").ok()?)?;
    Some(limit.saturating_sub(fs::read_dir("/proc/self/fd").ok()?.count()))
}

fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_files_is_read_as_linux_prints_it() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max processes             96551                96551                processes \n\
            Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(soft_limit("Max open files unlimited unlimited files"), None);
        assert_eq!(soft_limit(""), None);
    }

    #[test]
    fn a_search_leaves_files_to_others() {
        let wish = Pace { connections: usize::MAX, ..Pace::default() };
        let pace = wish.within_files();
        assert!(pace.connections >= Ports::COUNT && pace.identifications >= 1);
        if let Some(free) = free_files() {
            assert!(pace.connections <= free.max(Ports::COUNT));
        }
    }
}
