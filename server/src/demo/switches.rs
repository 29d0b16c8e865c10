//! What a page can switch in the demo house: its pace, its battery, and what is wrong with it.
//!
//! Nothing is remembered here: what is told is what the simulation is set to, by whomever.

use super::LivedTime;
use model::demo::{DemoChange, DemoFault, DemoState};
use simulator::{
    house::{InvalidSetup, Overrides},
    miner::{Faults, WriteFault},
    portal::{PortalFaults, ReplyFault},
    program::Simulation,
    time::{ClockRefused, Steering},
};
use std::{sync::Arc, time::Duration};

/// The share of the sky that thick clouds cover.
const OVERCAST: f64 = 0.95;
/// What a portal answers that is down.
const DOWN: ReplyFault = ReplyFault::ServerError { status: 503 };

/// The demo house's switches. Clones switch the same house.
#[derive(Clone)]
pub struct Switches {
    simulation: Arc<Simulation>,
    time: LivedTime,
    control_api: String,
}

/// A change that isn't made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSwitched {
    /// The pace is none.
    #[error(transparent)]
    Clock(#[from] ClockRefused),
    /// The simulation doesn't take it.
    #[error(transparent)]
    Setup(#[from] InvalidSetup),
}

impl Switches {
    pub(super) fn new(simulation: Arc<Simulation>, time: LivedTime, control_api: String) -> Self {
        Self { simulation, time, control_api }
    }

    /// How the house is set now.
    pub fn state(&self) -> DemoState {
        DemoState {
            pace: self.time.scale(),
            catching_up: self.time.is_catching_up(),
            faults: DemoFault::ALL.into_iter().filter(|fault| self.has(*fault)).collect(),
            control_api: self.control_api.clone(),
        }
    }

    /// Makes a change. A jump isn't waited for: [`DemoState::catching_up`] tells when it has been lived through.
    pub async fn switch(&self, change: DemoChange) -> Result<(), NotSwitched> {
        match change {
            DemoChange::Pace(scale) => self.time.set_scale(scale).await?,
            DemoChange::Jump(seconds) => self.time.jump(Duration::from_secs(seconds.into())),
            DemoChange::Charge(soc) => {
                self.simulation.house().set_soc(soc);
                self.simulation.portal().upload_now();
            }
            DemoChange::Fault { fault, on } => self.set(fault, on)?,
            DemoChange::Heal => {
                self.simulation.house().set_overrides(Overrides::default())?;
                self.simulation.portal().set_faults(PortalFaults::default())?;
                self.each_miner(|faults| *faults = Faults::default());
            }
        }
        Ok(())
    }

    fn has(&self, fault: DemoFault) -> bool {
        let of_portal = |has: fn(&PortalFaults) -> bool| has(&self.simulation.portal().faults());
        let of_miner =
            |has: fn(&Faults) -> bool| self.simulation.miners().iter().any(|miner| has(&miner.faults()));
        match fault {
            DemoFault::Clouds => {
                let cover = self.simulation.house().overrides().cloud_cover;
                cover.is_some_and(|cover| cover >= OVERCAST)
            }
            DemoFault::PortalFrozen => of_portal(|faults| faults.frozen),
            DemoFault::PortalDown => of_portal(|faults| faults.reply == Some(DOWN)),
            DemoFault::MinerIgnores => of_miner(|faults| faults.writes == WriteFault::AcknowledgeOnly),
            DemoFault::MinerUnreachable => of_miner(|faults| faults.refuse_connections),
        }
    }

    fn set(&self, fault: DemoFault, on: bool) -> Result<(), InvalidSetup> {
        let (house, portal) = (self.simulation.house(), self.simulation.portal());
        match fault {
            DemoFault::Clouds => {
                let cloud_cover = on.then_some(OVERCAST);
                house.set_overrides(Overrides { cloud_cover, ..house.overrides() })?;
            }
            DemoFault::PortalFrozen => {
                portal.set_faults(PortalFaults { frozen: on, ..portal.faults() })?;
            }
            DemoFault::PortalDown => {
                portal.set_faults(PortalFaults { reply: on.then_some(DOWN), ..portal.faults() })?;
            }
            DemoFault::MinerIgnores => {
                let writes = if on { WriteFault::AcknowledgeOnly } else { WriteFault::None };
                self.each_miner(|faults| faults.writes = writes);
            }
            DemoFault::MinerUnreachable => self.each_miner(|faults| faults.refuse_connections = on),
        }
        Ok(())
    }

    fn each_miner(&self, change: impl Fn(&mut Faults)) {
        for miner in self.simulation.miners() {
            miner.update_faults(&change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{assemble, demo::Demo};
    use model::{MonoTime, Now, Soc, UtcMillis};

    const NOON: UtcMillis = UtcMillis(1_774_094_400_000);

    async fn paused() -> (Demo, Switches) {
        let api = "127.0.0.1:0".parse().unwrap();
        let demo = Demo::start(crate::demo::House::One, NOON, Duration::ZERO, 0.0, api).await.unwrap();
        let switches = demo.switches.clone().unwrap();
        (demo, switches)
    }

    #[tokio::test]
    async fn a_fault_is_told_as_long_as_it_is_on() {
        let (demo, switches) = paused().await;
        for fault in DemoFault::ALL {
            switches.switch(DemoChange::Fault { fault, on: true }).await.unwrap();
            assert_eq!(switches.state().faults, [fault]);
            switches.switch(DemoChange::Fault { fault, on: false }).await.unwrap();
            assert_eq!(switches.state().faults, []);
        }
        assert_eq!(switches.state().control_api, demo.control_api);
    }

    #[tokio::test]
    async fn healing_takes_every_fault_away() {
        let (_demo, switches) = paused().await;
        for fault in DemoFault::ALL {
            switches.switch(DemoChange::Fault { fault, on: true }).await.unwrap();
        }
        assert_eq!(switches.state().faults, DemoFault::ALL);
        let overrides = Overrides { hold_soc: true, ..switches.simulation.house().overrides() };
        switches.simulation.house().set_overrides(overrides).unwrap();
        switches.switch(DemoChange::Heal).await.unwrap();
        assert_eq!(switches.state().faults, []);
        assert_eq!(switches.simulation.house().overrides(), Overrides::default());
    }

    #[tokio::test]
    async fn a_charge_is_told_by_the_portal_at_once() {
        let (demo, switches) = paused().await;
        let now = Now { mono: MonoTime(0), utc: NOON };
        let portal = assemble::battery(&demo.config).unwrap();
        for soc in [30.0, 55.0, 100.0] {
            switches.switch(DemoChange::Charge(Soc::new(soc).unwrap())).await.unwrap();
            assert_eq!(portal.read(now).await.unwrap().soc_percent, Some(soc));
        }
    }

    #[tokio::test]
    async fn pace_and_jumps_are_told_until_they_are_over() {
        let (_demo, switches) = paused().await;
        switches.switch(DemoChange::Pace(600.0)).await.unwrap();
        switches.switch(DemoChange::Jump(900)).await.unwrap();
        let state = switches.state();
        assert_eq!((state.pace.round(), state.catching_up), (600.0, true), "nobody moves this time");
        assert_eq!(
            switches.switch(DemoChange::Pace(-1.0)).await,
            Err(NotSwitched::Clock(ClockRefused::Scale))
        );
        switches.switch(DemoChange::Pace(0.0)).await.unwrap();
        assert!(!switches.state().catching_up);
    }
}
