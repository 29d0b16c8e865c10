//! The house: sun, clouds, consumption, battery and grid, brought up to now whenever someone looks.
//!
//! It owns the physics and nothing else: no socket, no clock. It advances in fixed steps that lie on a grid of their
//! own, so that what happens doesn't depend on how often anyone looks. In each step it asks its consumers what they
//! draw at the end of it; one that can be switched from outside has to remember what it drew.

mod balance;
mod battery;
pub(crate) mod noise;
mod record;
mod setup;
mod state;
pub mod sun;

pub use record::{BadRecord, RecordedDay};
pub use setup::{Clouds, Grid, HouseSetup, InvalidSetup, LoadProfile};
pub use state::{Energy, HouseState};

use crate::{Consumer, TimeSource};
use balance::{Flows, Offer};
use battery::Bank;
use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use model::{Soc, UtcMillis, Watts};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Length of a step, ms.
const STEP_MS: i64 = 10_000;
const STEP_HOURS: f64 = STEP_MS as f64 / 3_600_000.0;
/// The longest time that is made up for, ms: what lies farther back is skipped, so that no jump of time hangs.
const LONGEST_CATCH_UP_MS: i64 = 32 * 86_400_000;
/// How many past steps can be asked for: two hours of them.
const REMEMBERED_STEPS: usize = 720;
/// What of the sun's power on the panels reaches the inverter: heat, dirt, cables.
const PANEL_PERFORMANCE: f64 = 0.86;

const SEED_CLOUDS: u64 = 0x0C10;
const SEED_LOAD: u64 = 0x10AD;

/// What a person holds fast against the simulation. `None` leaves it to the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// What the panels could give, W, 0 ..= 1 000 000.
    pub pv: Option<Watts>,
    /// What the house consumes without its miners, W, 0 ..= 1 000 000.
    pub load: Option<Watts>,
    /// Share of the sky that is covered, 0 ..= 1.
    pub cloud_cover: Option<f64>,
    /// The state of charge stays what it is, whatever flows.
    pub hold_soc: bool,
}

impl Overrides {
    fn check(&self) -> Result<(), InvalidSetup> {
        for (field, value, to) in [
            ("pv", self.pv.map(Watts::get), 1e6),
            ("load", self.load.map(Watts::get), 1e6),
            ("cloud_cover", self.cloud_cover, 1.0),
        ] {
            InvalidSetup::unless_within(field, value.unwrap_or_default(), 0.0, to)?;
        }
        Ok(())
    }
}

/// What a recorded day decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// Everything, the state of charge included: nothing that a miner does changes it.
    #[default]
    Everything,
    /// Sun and consumption. The battery is simulated under them, with the miners added to the recorded consumption.
    SunAndLoad,
}

/// A simulated house.
pub struct House {
    setup: HouseSetup,
    zone: Tz,
    bank: Bank,
    recorded: Option<(RecordedDay, Follow)>,
    time: TimeSource,
    consumers: Mutex<Vec<Arc<dyn Consumer>>>,
    world: Mutex<World>,
}

/// What changes.
struct World {
    /// The last step made, on the grid of steps.
    at: UtcMillis,
    /// State of charge then, percent.
    soc: f64,
    overrides: Overrides,
    total: Energy,
    /// The wall clock's day that `today` counts, in days of the common era.
    day: i32,
    today: Energy,
    /// The states after the last steps, oldest first.
    past: VecDeque<HouseState>,
}

/// What is to be supplied at an instant, before anyone supplies it.
struct Demand {
    pv: f64,
    load: f64,
    miners: f64,
}

impl House {
    /// A house that begins now, by `time`.
    pub fn new(setup: HouseSetup, time: TimeSource) -> Result<Self, InvalidSetup> {
        Self::build(setup, None, time)
    }

    /// A house that lives a recorded day over and over. [`Follow::Everything`] needs all four columns, a simulated
    /// battery under the recorded sun only `pv_w` and `load_w`.
    pub fn replaying(
        setup: HouseSetup,
        day: RecordedDay,
        follow: Follow,
        time: TimeSource,
    ) -> Result<Self, InvalidSetup> {
        let enough = match follow {
            Follow::Everything => day.is_complete(),
            Follow::SunAndLoad => day.has_sun_and_load(),
        };
        if !enough {
            let needed =
                "the record needs pv_w and load_w, and soc and battery_w unless the battery is simulated";
            return Err(InvalidSetup::new("day", needed));
        }
        Self::build(setup, Some((day, follow)), time)
    }

    fn build(
        setup: HouseSetup,
        recorded: Option<(RecordedDay, Follow)>,
        time: TimeSource,
    ) -> Result<Self, InvalidSetup> {
        let zone = setup.check()?;
        let world = World {
            at: on_grid(time()),
            soc: setup.initial_soc,
            overrides: Overrides::default(),
            total: Energy::default(),
            day: i32::MIN,
            today: Energy::default(),
            past: VecDeque::with_capacity(REMEMBERED_STEPS),
        };
        let house = Self {
            bank: setup.bank(),
            setup,
            zone,
            recorded,
            time,
            consumers: Mutex::new(Vec::new()),
            world: Mutex::new(world),
        };
        {
            let mut world = house.lock();
            let at = world.at;
            world.soc = house.recorded_soc(at).unwrap_or(world.soc);
            world.day = house.wall_clock(at).0;
            let state = house.state(&world, at);
            world.past.push_back(state);
        }
        Ok(house)
    }

    /// Adds something that draws power.
    pub fn attach(&self, consumer: Arc<dyn Consumer>) {
        self.consumers.lock().unwrap_or_else(PoisonError::into_inner).push(consumer);
    }

    /// The house now.
    pub fn now(&self) -> HouseState {
        let now = (self.time)();
        let mut world = self.lock();
        self.advance(&mut world, now);
        self.state(&world, now.max(world.at))
    }

    /// The house as it was at `instant`, to the step: no older than two hours, no newer than now.
    pub fn at(&self, instant: UtcMillis) -> HouseState {
        let now = (self.time)();
        let mut world = self.lock();
        self.advance(&mut world, now);
        let index = world.past.partition_point(|state| state.utc <= instant).saturating_sub(1);
        world.past.get(index).cloned().unwrap_or_else(|| self.state(&world, now.max(world.at)))
    }

    /// Sets the state of charge once; it goes on from there. A replay of everything overrules it at its next step.
    pub fn set_soc(&self, soc: Soc) {
        let now = (self.time)();
        let mut world = self.lock();
        self.advance(&mut world, now);
        world.soc = soc.get();
    }

    /// What is held fast.
    pub fn overrides(&self) -> Overrides {
        self.lock().overrides
    }

    /// Holds something fast, or lets it go, from now on.
    pub fn set_overrides(&self, overrides: Overrides) -> Result<(), InvalidSetup> {
        overrides.check()?;
        let now = (self.time)();
        let mut world = self.lock();
        self.advance(&mut world, now);
        world.overrides = overrides;
        Ok(())
    }

    /// What the house is like.
    pub fn setup(&self) -> &HouseSetup {
        &self.setup
    }

    /// The zone of its wall clock.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all steps up to `now`. Nothing happens if that is over already.
    fn advance(&self, world: &mut World, now: UtcMillis) {
        if now.millis_since(world.at) > LONGEST_CATCH_UP_MS {
            world.at = on_grid(UtcMillis(now.0 - LONGEST_CATCH_UP_MS));
        }
        while now.millis_since(world.at) >= STEP_MS {
            let at = UtcMillis(world.at.0 + STEP_MS);
            let (day, _) = self.wall_clock(at);
            if day != world.day {
                world.day = day;
                world.today = Energy::default();
            }
            let (flows, miners) = self.flows(world, at);
            let soc = match self.recorded_soc(at) {
                _ if world.overrides.hold_soc => world.soc,
                Some(recorded) => recorded,
                None => self.bank.after(world.soc, flows.battery, STEP_HOURS),
            };
            let stored_wh = (soc - world.soc) / 100.0 * self.bank.capacity_wh;
            world.soc = soc;
            world.at = at;
            for book in [&mut world.total, &mut world.today] {
                book.add(&flows, miners, stored_wh, STEP_HOURS);
            }
            let state = self.state_of(world, at, &flows, miners);
            if world.past.len() >= REMEMBERED_STEPS {
                world.past.pop_front();
            }
            world.past.push_back(state);
        }
    }

    fn state(&self, world: &World, at: UtcMillis) -> HouseState {
        let (flows, miners) = self.flows(world, at);
        self.state_of(world, at, &flows, miners)
    }

    fn state_of(&self, world: &World, at: UtcMillis, flows: &Flows, miners: f64) -> HouseState {
        let watts = |power: f64| Watts::new(power).unwrap_or_default();
        HouseState {
            utc: at,
            soc_percent: world.soc,
            pv: watts(flows.pv),
            curtailed: watts(flows.curtailed),
            load: watts(flows.load),
            miners: watts(miners),
            unserved: watts(flows.unserved),
            battery: watts(flows.battery),
            grid: watts(flows.grid),
            losses: watts(flows.losses),
            voltage: self.bank.voltage(world.soc, flows.battery),
            charge_limit: watts(self.bank.charge_limit(world.soc)),
            discharge_limit: watts(self.bank.discharge_limit(world.soc)),
            today: world.today,
            total: world.total,
        }
    }

    /// What flows at an instant, and what of the consumption is the miners'.
    fn flows(&self, world: &World, at: UtcMillis) -> (Flows, f64) {
        let demand = self.demand(world, at);
        if let Some((day, Follow::Everything)) = &self.recorded {
            let battery = day.battery.at(day.offset(self.wall_clock(at).1));
            let flows = Flows { pv: demand.pv, load: demand.load, battery, ..Flows::default() };
            return (Flows { grid: flows.load + battery - flows.pv, ..flows }, demand.miners);
        }
        let (soc, bank) = (world.soc, &self.bank);
        let flows = Offer {
            pv: demand.pv,
            load: demand.load + demand.miners,
            charge_limit: bank.charge_limit(soc).min(bank.room(soc, STEP_HOURS)),
            discharge_limit: bank.discharge_limit(soc).min(bank.reserve(soc, STEP_HOURS)),
            inverter_efficiency: self.setup.inverter_efficiency,
            inverter_idle: self.setup.inverter_idle_watts,
            grid: self.setup.grid,
        }
        .settle();
        (flows, demand.miners)
    }

    fn demand(&self, world: &World, at: UtcMillis) -> Demand {
        let second = self.wall_clock(at).1;
        let miners = {
            let consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
            consumers.iter().map(|consumer| consumer.power_at(at).get().max(0.0)).sum()
        };
        let (pv, load) = match &self.recorded {
            Some((day, _)) => {
                let offset = day.offset(second);
                (day.pv.at(offset), day.load.at(offset))
            }
            None => (self.sunshine(at, world.overrides.cloud_cover), self.consumption(at, second)),
        };
        Demand {
            pv: world.overrides.pv.map_or(pv, Watts::get),
            load: world.overrides.load.map_or(load, Watts::get),
            miners,
        }
    }

    /// What the panels could give, W.
    fn sunshine(&self, at: UtcMillis, cover: Option<f64>) -> f64 {
        let HouseSetup { latitude, longitude, panel_tilt, .. } = self.setup;
        let elevation = sun::elevation_degrees(latitude, longitude, at);
        let over_panels = sun::elevation_over_tilted(latitude, longitude, panel_tilt, at);
        let irradiance = sun::clear_sky_irradiance(elevation, over_panels);
        let through = sun::through_clouds(cover.unwrap_or_else(|| self.cloud_cover(at)));
        irradiance / 1000.0 * self.setup.pv_peak_watts * PANEL_PERFORMANCE * through
    }

    /// Fronts over hours, clouds over minutes.
    fn cloud_cover(&self, at: UtcMillis) -> f64 {
        let Clouds { cover, variability } = self.setup.clouds;
        let seed = noise::bits(self.setup.seed, SEED_CLOUDS as i64);
        let front = noise::smooth(seed, at.0, 5 * 3_600_000) - 0.5;
        let cloud = noise::smooth(seed.wrapping_add(1), at.0, 12 * 60_000) - 0.5;
        (cover + variability * (1.4 * front + 0.6 * cloud)).clamp(0.0, 1.0)
    }

    /// What the house consumes without its miners, W.
    fn consumption(&self, at: UtcMillis, second_of_day: f64) -> f64 {
        let hours = self.setup.load.hourly_watts;
        let hour = second_of_day / 3600.0;
        let index = hour as usize;
        let known = |index: usize| hours.get(index % hours.len()).copied().unwrap_or_default();
        let mean = known(index) + (known(index + 1) - known(index)) * hour.fract();
        let seed = noise::bits(self.setup.seed, SEED_LOAD as i64);
        let stray =
            noise::smooth(seed, at.0, 40 * 60_000) + noise::smooth(seed.wrapping_add(1), at.0, 4 * 60_000);
        mean * (1.0 + self.setup.load.variation * (stray - 1.0))
    }

    fn recorded_soc(&self, at: UtcMillis) -> Option<f64> {
        match &self.recorded {
            Some((day, Follow::Everything)) => Some(day.soc.at(day.offset(self.wall_clock(at).1))),
            _ => None,
        }
    }

    /// Day of the common era and second of the day on the wall.
    fn wall_clock(&self, at: UtcMillis) -> (i32, f64) {
        let utc = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        let local = utc.with_timezone(&self.zone);
        let second = f64::from(local.num_seconds_from_midnight())
            + f64::from(local.timestamp_subsec_millis()) / 1000.0;
        (local.num_days_from_ce(), second)
    }
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").field("setup", &self.setup).finish_non_exhaustive()
    }
}

/// The last instant on the grid of steps that isn't after `instant`.
fn on_grid(instant: UtcMillis) -> UtcMillis {
    UtcMillis(instant.0.div_euclid(STEP_MS).saturating_mul(STEP_MS))
}
