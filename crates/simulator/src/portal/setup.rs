//! What a portal is like: address, account, the site behind it.

use crate::house::InvalidSetup;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

/// A portal. Every field has a default.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortalSetup {
    /// Where it listens; port 0 takes any free one.
    pub addr: SocketAddr,
    /// The one account's user name.
    pub user: String,
    /// Its password. It can be read in, and is never written out.
    #[serde(skip_serializing)]
    pub password: String,
    /// The family of the inverters.
    pub profile: Profile,
    /// How many inverters there are, 1 ..= 10.
    pub inverters: u8,
    /// Time between two uploads, seconds, 10 ..= 3600. The field has seen 120 to 300.
    pub upload_seconds: u32,
    /// How far an upload strays from its time, seconds, up to half of `upload_seconds`.
    pub upload_jitter_seconds: u32,
    /// How long a session lasts after signing in, seconds of simulated time.
    pub session_seconds: u64,
    /// Makes jitter and cookies repeatable.
    pub seed: u64,
}

/// The family of the inverters: they fill the same reply differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// An 18kPV: consumption in `pLoad170` and `consumptionPower`, a battery of three modules.
    #[default]
    Hybrid,
    /// A 12000XP: consumption in `peps`, no modules, several fields that mean nothing.
    Xp,
}

impl Default for PortalSetup {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            user: "demo".to_owned(),
            password: "demo".to_owned(),
            profile: Profile::default(),
            inverters: 1,
            upload_seconds: 240,
            upload_jitter_seconds: 20,
            session_seconds: 7200,
            seed: 1,
        }
    }
}

impl fmt::Debug for PortalSetup {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalSetup")
            .field("addr", &self.addr)
            .field("profile", &self.profile)
            .field("inverters", &self.inverters)
            .field("upload_seconds", &self.upload_seconds)
            .finish_non_exhaustive()
    }
}

impl PortalSetup {
    /// Checks every number against its limits.
    pub fn check(&self) -> Result<(), InvalidSetup> {
        InvalidSetup::unless_within("inverters", f64::from(self.inverters), 1.0, 10.0)?;
        InvalidSetup::unless_within("upload_seconds", f64::from(self.upload_seconds), 10.0, 3600.0)?;
        let most = f64::from(self.upload_seconds) / 2.0;
        InvalidSetup::unless_within("upload_jitter_seconds", f64::from(self.upload_jitter_seconds), 0.0, most)
    }
}
