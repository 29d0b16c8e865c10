//! One miner that is only looked at.

use crate::{
    clock::Timekeeper,
    reader::{MinerStatus, unreachable_after},
    site::FollowedSetup,
};
use model::snapshot::FollowedView;
use tokio::sync::watch;

#[derive(Clone)]
pub(crate) struct Followed {
    pub(crate) setup: FollowedSetup,
    pub(crate) status: watch::Receiver<MinerStatus>,
}

impl Followed {
    pub(crate) fn view(&self, keeper: &Timekeeper) -> FollowedView {
        let status = self.status.borrow();
        FollowedView {
            id: self.setup.id.clone(),
            name: self.setup.name.clone(),
            host: self.setup.host.clone(),
            mac: status.mac.clone(),
            connection: status.connection(unreachable_after(self.setup.poll), keeper),
            identity: status.identity.clone(),
            reading: status.reading.as_ref().map(|(reading, _)| reading.as_ref().clone()),
        }
    }
}
