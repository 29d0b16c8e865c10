//! What a page can switch in the demo house: its pace, its battery, and what is wrong with it.
//!
//! Nothing is remembered here: what is told is what the simulation is set to, by whomever.

use super::LivedTime;
use model::demo::{DemoChange, DemoFault, DemoState};
use simulator::{
    catalogue::{CATALOGUE, NamedFault},
    house::{InvalidSetup, Overrides},
    miner::Faults,
    portal::PortalFaults,
    program::Simulation,
    time::{ClockRefused, Steering},
};
use std::{sync::Arc, time::Duration};

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
    /// There is no such fault.
    #[error("Nothing is called that.")]
    Fault,
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
            faults: self.possible().filter(|fault| fault.is_on(&self.simulation)).map(name).collect(),
            control_api: self.control_api.clone(),
            catalogue: self.possible().map(told).collect(),
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
            DemoChange::Fault { fault, on } => {
                let fault = NamedFault::find(&fault).ok_or(NotSwitched::Fault)?;
                fault.switch(&self.simulation, on)?;
            }
            DemoChange::Heal => {
                self.simulation.house().set_overrides(Overrides::default())?;
                self.simulation.portal().set_faults(PortalFaults::default())?;
                for miner in self.simulation.miners() {
                    miner.set_faults(Faults::default());
                }
            }
        }
        Ok(())
    }

    /// What can be wrong with this house.
    fn possible(&self) -> impl Iterator<Item = &'static NamedFault> {
        CATALOGUE.iter().filter(|fault| fault.can_happen(&self.simulation))
    }
}

fn name(fault: &NamedFault) -> String {
    fault.name.to_owned()
}

fn told(fault: &NamedFault) -> DemoFault {
    DemoFault { name: fault.name, sentence: fault.sentence }
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
        let catalogue = switches.state().catalogue;
        assert_eq!(catalogue.len(), CATALOGUE.len() - 1, "one miner swaps with nobody");
        for DemoFault { name, .. } in catalogue {
            let fault = |on| DemoChange::Fault { fault: name.to_owned(), on };
            switches.switch(fault(true)).await.unwrap();
            assert!(switches.state().faults.contains(&name.to_owned()), "{name}");
            switches.switch(fault(false)).await.unwrap();
            assert_eq!(switches.state().faults, [""; 0], "{name}");
        }
        let fire = DemoChange::Fault { fault: "fire".to_owned(), on: true };
        assert_eq!(switches.switch(fire).await, Err(NotSwitched::Fault));
        assert_eq!(switches.state().control_api, demo.control_api);
    }

    #[tokio::test]
    async fn healing_takes_every_fault_away() {
        let (_demo, switches) = paused().await;
        for DemoFault { name, .. } in switches.state().catalogue {
            switches.switch(DemoChange::Fault { fault: name.to_owned(), on: true }).await.unwrap();
        }
        assert!(
            switches.state().faults.len() > 20,
            "those that can hold at once: {:?}",
            switches.state().faults
        );
        let overrides = Overrides { hold_soc: true, ..switches.simulation.house().overrides() };
        switches.simulation.house().set_overrides(overrides).unwrap();
        switches.switch(DemoChange::Heal).await.unwrap();
        assert_eq!(switches.state().faults, [""; 0]);
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
