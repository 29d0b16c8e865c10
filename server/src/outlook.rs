//! What a page starts from: the snapshot, what is told of the configuration, the demo's switches, what a search found.

use crate::{current::Current, demo::Switches, network::Network, notify::Notifier};
use engine::Handle;
use model::{
    demo::DemoState,
    event::{Overview, SiteFacts},
    snapshot::Snapshot,
};
use std::sync::Arc;

/// The running site as a page sees it. Clones see the same site.
#[derive(Clone)]
pub struct Outlook {
    /// The running site.
    pub site: Handle,
    /// What is told of the configuration.
    pub current: Current,
    /// What a search found.
    pub network: Network,
    /// Who tells people of alerts.
    pub notifier: Notifier,
    /// What can be switched in the demo house.
    pub switches: Option<Switches>,
    /// What the page's files hash to; empty where there are none.
    pub build: Arc<str>,
}

impl Outlook {
    /// Everything known now.
    pub fn overview(&self) -> Overview {
        self.overview_of(&self.site.snapshot())
    }

    pub(crate) fn overview_of(&self, snapshot: &Snapshot) -> Overview {
        let facts = self.current.facts();
        let seconds = |duration: std::time::Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        Overview {
            site: SiteFacts {
                name: facts.site_name.clone(),
                timezone: facts.timezone.name().to_owned(),
                old_after_s: seconds(facts.old_after),
                stale_after_s: seconds(facts.stale_after),
                emergency: facts.emergency,
                ladder: control::ladder::steps().collect(),
                manual_hours: facts.manual_hold.as_secs_f64() / 3600.0,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                build: self.build.to_string(),
            },
            snapshot: snapshot.clone(),
            demo: self.demo(),
            moved: self.network.moved(snapshot),
            undelivered: self.notifier.undelivered(),
        }
    }

    pub(crate) fn demo(&self) -> Option<DemoState> {
        self.switches.as_ref().map(Switches::state)
    }
}
