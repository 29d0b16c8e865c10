//! What a person configures about the portal.

use crate::{Deadlines, Secret};
use std::time::Duration;

/// How to reach the portal, and what to read there.
#[derive(Debug, Clone)]
pub struct PortalConfig {
    /// `https://monitor.eg4electronics.com` or the address of another region. A path prefix is kept. `http://`
    /// is accepted for a loopback address.
    pub base_url: String,
    /// Accepts `http://` for any address: the password then travels unencrypted.
    pub plain_http: bool,
    /// The account's name. Empty: none is configured, and every reading says so.
    pub user: Secret,
    /// The account's password. Empty: none is configured.
    pub password: Secret,
    /// Which plant to read; needed only if the account has several.
    pub plant: Option<i64>,
    /// Serial numbers of the inverters to read; empty for all of the plant.
    pub inverters: Vec<String>,
    /// The age at which a session is replaced although it still works; zero for never.
    pub session_refresh: Duration,
    /// What [`crate::BatterySource::shortest_poll`] says. Keeping it is the caller's business.
    pub poll_floor: Duration,
    /// `connect` holds for each connection; `read` for a whole reading, with all its requests and a sign-in if
    /// one is needed; `write` for [`crate::BatterySource::refresh_session`].
    pub deadlines: Deadlines,
}

impl PortalConfig {
    /// The portal of EG4 in North America with this account, at the project's own pace: a session for a week, a
    /// reading every 30 s at most, and deadlines for a server that was seen to take its time.
    pub fn new(user: Secret, password: Secret) -> Self {
        Self {
            base_url: "https://monitor.eg4electronics.com".to_owned(),
            plain_http: false,
            user,
            password,
            plant: None,
            inverters: Vec::new(),
            session_refresh: Duration::from_secs(168 * 60 * 60),
            poll_floor: Duration::from_secs(30),
            deadlines: Deadlines {
                connect: Duration::from_secs(10),
                read: Duration::from_secs(45),
                write: Duration::from_secs(30),
            },
        }
    }
}
