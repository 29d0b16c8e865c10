//! A site under test: a simulated house and the engine that drives it.

use crate::address::Address;
use chrono_tz::Tz;
use control::{Policy, PowerRange};
use devices::{
    BatterySource, Deadlines, Miner, Secret,
    axeos::{AxeOs, AxeOsConfig},
    eg4::{Portal, PortalConfig},
    whatsminer::{WhatsMiner, WhatsMinerConfig},
};
use engine::{
    FollowedSetup, Handle, MinerSetup, Site, SiteSetup,
    clock::{Clock, Lockstep},
};
use model::{
    AlertCode, MinerId, MonoTime, Now, Soc, UtcMillis, Watts,
    snapshot::{MinerView, Snapshot},
};
use simulator::{
    axeos::{AxeosSetup, SimulatedAxeos},
    house::Overrides,
    miner::{self, Faults, MinerTruth, Profile, Received, SimulatedMiner},
    portal::{PortalFaults, PortalSetup, SimulatedPortal},
    program::{Simulation, SimulationSetup},
};
use std::{path::Path, sync::Arc, time::Duration};
use store::Store;

/// What the engine thinks these commands are: those that change what a miner draws.
const STARTS: [&str; 2] = ["power_on", "set.miner.service"];

/// What a Bitaxe is said to draw, W.
const BITAXE_WATTS: u32 = 19;

/// A site under test.
pub(crate) struct House {
    pub(crate) clock: Lockstep,
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) handle: Handle,
    pub(crate) battery: Arc<dyn BatterySource>,
    /// Where the engine looks for the WhatsMiners, if they can move.
    pub(crate) addresses: Vec<Address>,
    options: Options,
    setup: SiteSetup,
    data: tempfile::TempDir,
    site: Option<Site>,
}

/// What a test may want different.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) start: UtcMillis,
    pub(crate) soc: f64,
    pub(crate) hold_soc: bool,
    pub(crate) auto_control: bool,
    pub(crate) policy: Policy,
    pub(crate) timezone: Tz,
    pub(crate) coordinates: Option<(f64, f64)>,
    pub(crate) portal: PortalSetup,
    pub(crate) miner: miner::MinerSetup,
    /// Miners beside the first, which are called m2 and so on.
    pub(crate) others: Vec<miner::MinerSetup>,
    /// Bitaxes, which come after them.
    pub(crate) axeos: Vec<AxeosSetup>,
    /// The WhatsMiners can move: the engine looks for each at an address that leads to it at first.
    pub(crate) movable: bool,
    /// The last of them all is only looked at.
    pub(crate) looks_at_the_last: bool,
    pub(crate) miner_faults: Faults,
    pub(crate) password: &'static str,
    pub(crate) v3_password: &'static str,
    pub(crate) portal_password: &'static str,
    /// There is no database.
    pub(crate) forgets: bool,
}

impl Default for Options {
    /// Noon in June at Albuquerque, the battery held at 95 %, a current miner at full power, auto-control on.
    fn default() -> Self {
        Self {
            start: "2026-06-21T18:00:00Z".parse().unwrap(),
            soc: 95.0,
            hold_soc: true,
            auto_control: true,
            policy: Policy::default(),
            timezone: chrono_tz::America::Denver,
            coordinates: None,
            portal: PortalSetup::default(),
            miner: miner::MinerSetup {
                v2_password: "pass-v2".into(),
                v3_password: "pass-v3".into(),
                ..Default::default()
            },
            others: Vec::new(),
            axeos: Vec::new(),
            movable: false,
            looks_at_the_last: false,
            miner_faults: Faults::default(),
            password: "",
            v3_password: "",
            portal_password: "demo",
            forgets: false,
        }
    }
}

impl Options {
    /// The same with a miner of another generation.
    pub(crate) fn with_profile(self, profile: Profile) -> Self {
        let v3 = self.miner.v3.filter(|_| profile == Profile::G3);
        Self { miner: miner::MinerSetup { profile, v3, ..self.miner }, ..self }
    }

    /// The client of a WhatsMiner that was set up like this, at these ports for V2 and V3.
    fn driver(&self, (v2_port, v3_port): (u16, u16), set_up: &miner::MinerSetup) -> Arc<dyn Miner> {
        let password =
            |wrong: &str, right: &str| Secret::new(if wrong.is_empty() { right } else { wrong }.to_owned());
        let v3_wrong = if self.v3_password.is_empty() { self.password } else { self.v3_password };
        Arc::new(WhatsMiner::new(WhatsMinerConfig {
            host: "127.0.0.1".into(),
            v2_port,
            v3_port,
            v2_password: password(self.password, &set_up.v2_password),
            v3_account: "super".into(),
            v3_password: password(v3_wrong, &set_up.v3_password),
            base_watts: self.policy.base_watts,
            deadlines: deadlines(),
        }))
    }
}

/// Where a miner itself listens for V2 and V3; where nobody does, if it doesn't.
fn own_ports(miner: &SimulatedMiner) -> (u16, u16) {
    let port = |addr: Option<std::net::SocketAddr>| addr.map_or(1, |addr| addr.port());
    (port(miner.v2_addr()), port(miner.v3_addr()))
}

/// Real time a call to a simulated device may take: long for a busy machine, short for a device that is silent.
fn deadlines() -> Deadlines {
    let quick = Duration::from_millis(1500);
    Deadlines { connect: quick, read: quick, write: quick }
}

impl House {
    /// Starts the house and its engine, and lets the first readings come in.
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Lockstep::new(options.start);
        let time = clock.clone();
        let setup = SimulationSetup {
            house: simulator::house::HouseSetup { initial_soc: options.soc, ..Default::default() },
            portal: options.portal.clone(),
            miners: [vec![options.miner.clone()], options.others.clone()].concat(),
            axeos: options.axeos.clone(),
            ..Default::default()
        };
        let simulation = Simulation::start(setup, Arc::new(move || time.true_time())).await.unwrap();
        let simulation = Arc::new(simulation);
        let overrides = Overrides { hold_soc: options.hold_soc, ..simulation.house().overrides() };
        simulation.house().set_overrides(overrides).unwrap();
        simulation.miners()[0].set_faults(options.miner_faults.clone());
        simulation.portal().upload_now();
        let data = tempfile::tempdir().unwrap();
        let mut addresses = Vec::new();
        for miner in simulation.miners().iter().filter(|_| options.movable) {
            addresses.push(Address::of(miner).await);
        }
        let (site, setup) = start(&clock, &simulation, &addresses, &options, data.path()).await;
        let (handle, battery) = (site.handle(), Arc::clone(&setup.battery));
        let house =
            Self { handle, clock, simulation, battery, addresses, options, setup, data, site: Some(site) };
        house.run(15).await;
        house
    }

    pub(crate) fn miner(&self) -> &SimulatedMiner {
        &self.simulation.miners()[0]
    }

    pub(crate) fn portal(&self) -> &SimulatedPortal {
        self.simulation.portal()
    }

    pub(crate) fn truth(&self) -> MinerTruth {
        self.miner().state()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.handle.snapshot()
    }

    pub(crate) fn view(&self) -> MinerView {
        self.snapshot().miners[0].clone()
    }

    pub(crate) fn set_portal(&self, change: impl FnOnce(&mut PortalFaults)) {
        let mut faults = self.portal().faults();
        change(&mut faults);
        self.portal().set_faults(faults).unwrap();
    }

    /// Lets simulated seconds pass.
    pub(crate) async fn run(&self, seconds: u64) {
        self.clock.run_for(Duration::from_secs(seconds)).await;
        self.clock.everybody_rests().await;
    }

    /// Lets time pass until something holds. The test fails if it doesn't within so many simulated seconds.
    pub(crate) async fn until(&self, seconds: u64, what: &str, done: impl Fn(&Self) -> bool) {
        let came = self.clock.run_until(Duration::from_secs(seconds), || done(self)).await;
        assert!(came, "not within {seconds} s: {what}\n{}", self.report());
    }

    /// The battery says this, twice, each time in an upload of its own.
    pub(crate) async fn say_twice(&self, soc: f64) {
        self.say(soc).await;
        self.say(soc).await;
    }

    /// The battery says this in an upload of its own, and the engine has read it.
    pub(crate) async fn say(&self, soc: f64) {
        self.run(60).await;
        self.simulation.house().set_soc(Soc::new(soc).unwrap());
        self.portal().upload_now();
        self.run(40).await;
    }

    /// What the miners really draw, W.
    pub(crate) fn powers(&self) -> Vec<u32> {
        self.simulation.miners().iter().map(|miner| miner.state().watts.round() as u32).collect()
    }

    /// Everything that was sent to the miner and changes what it draws, in words: "off", "start", "limit 2160",
    /// "percent 60".
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent_to(0)
    }

    /// The same of any of the WhatsMiners, by its place among them.
    pub(crate) fn sent_to(&self, at: usize) -> Vec<String> {
        self.simulation.miners()[at].log().iter().filter_map(in_words).collect()
    }

    /// How a miner is seen, by its place among all.
    pub(crate) fn view_of(&self, at: usize) -> MinerView {
        self.snapshot().miners[at].clone()
    }

    /// Whether this is told of the miner at this place among all.
    pub(crate) fn tells(&self, code: AlertCode, at: usize) -> bool {
        let id = MinerId(format!("m{}", at + 1));
        let told =
            |alert: &model::Alert| alert.active && alert.code == code && alert.miner.as_ref() == Some(&id);
        self.snapshot().alerts.iter().any(told)
    }

    pub(crate) fn alerts(&self) -> Vec<AlertCode> {
        self.snapshot().alerts.iter().filter(|alert| alert.active).map(|alert| alert.code).collect()
    }

    /// Everything to look at when a test fails.
    pub(crate) fn report(&self) -> String {
        let snapshot = self.snapshot();
        let view = snapshot.miners.first();
        format!(
            "at {}\nsent: {:?}\ntruth: {:?}\nstate: {:?}\ndecision: {:?}\nlatches: {:?}\noperations: {:#?}\nalerts: {:#?}\nbattery: {:?}",
            self.clock.true_time(),
            self.sent(),
            self.truth(),
            view.map(|view| view.state),
            view.map(|view| &view.decision),
            view.map(|view| &view.latches),
            view.map(|view| &view.operations),
            snapshot.alerts,
            snapshot.battery,
        )
    }

    /// The powers that the miner holds.
    pub(crate) fn range(&self) -> PowerRange {
        self.setup.miners[0].range
    }

    /// No decision broke a rule.
    pub(crate) fn assert_sound(&self) {
        let broken: Vec<_> =
            self.snapshot().invariants.iter().filter(|count| count.violations > 0).cloned().collect();
        assert!(broken.is_empty(), "{broken:?}\n{}", self.report());
    }

    /// The client of the first WhatsMiner, or of one like it, at an address.
    pub(crate) fn driver_at(&self, address: &Address) -> Arc<dyn Miner> {
        self.options.driver(address.ports(), &self.options.miner)
    }

    /// Where the engine keeps its data.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Ends the engine in order.
    pub(crate) async fn stop(&mut self) {
        if let Some(site) = self.site.take() {
            site.stop().await;
        }
    }

    /// Ends the engine in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let (site, setup) =
            start(&self.clock, &self.simulation, &self.addresses, &self.options, self.data.path()).await;
        (self.handle, self.battery) = (site.handle(), Arc::clone(&setup.battery));
        (self.setup, self.site) = (setup, Some(site));
        self.run(15).await;
    }

    /// The same by a setup that it can't go on by: it goes on by the one it had.
    pub(crate) async fn fail_to_renew(&mut self, change: impl FnOnce(&mut SiteSetup)) {
        let mut setup = self.setup.clone();
        change(&mut setup);
        let tick = self.snapshot().tick;
        let outcome = self.site.as_mut().unwrap().renew(setup).await;
        assert_eq!(outcome, Err(engine::NotRenewed));
        self.clock.everybody_rests().await;
        assert!(self.snapshot().tick > tick, "ticks go on: {}", self.snapshot().tick);
    }

    /// Lets the running engine go on by another setup, and tick once.
    pub(crate) async fn renew(&mut self, change: impl FnOnce(&mut SiteSetup)) {
        change(&mut self.setup);
        let tick = self.snapshot().tick;
        self.site.as_mut().unwrap().renew(self.setup.clone()).await.unwrap();
        self.clock.everybody_rests().await;
        assert!(self.snapshot().tick > tick, "ticks go on: {}", self.snapshot().tick);
    }
}

async fn start(
    clock: &Lockstep,
    simulation: &Simulation,
    addresses: &[Address],
    options: &Options,
    data: &Path,
) -> (Site, SiteSetup) {
    let account = PortalConfig::new(Secret::new("demo".into()), Secret::new(options.portal_password.into()));
    let portal = PortalConfig { base_url: simulation.portal().base_url(), deadlines: deadlines(), ..account };
    let battery: Arc<dyn BatterySource> = Arc::new(Portal::new(portal).unwrap());
    let set_up = [vec![options.miner.clone()], options.others.clone()].concat();
    let mut ports: Vec<_> = simulation.miners().iter().map(own_ports).collect();
    for (ports, address) in ports.iter_mut().zip(addresses) {
        *ports = address.ports();
    }
    let device = |(ports, set_up): (&(u16, u16), &miner::MinerSetup)| options.driver(*ports, set_up);
    let bitaxe = |simulated: &SimulatedAxeos| -> (Arc<dyn Miner>, Policy, PowerRange) {
        let config =
            AxeOsConfig { host: "127.0.0.1".into(), port: simulated.addr().port(), deadlines: deadlines() };
        let base_watts = Watts::whole(BITAXE_WATTS);
        let range = PowerRange { min: base_watts, max: base_watts };
        (Arc::new(AxeOs::new(&config).unwrap()), Policy { base_watts, ..options.policy.clone() }, range)
    };
    let mut miners: Vec<_> = ports
        .iter()
        .zip(&set_up)
        .map(device)
        .map(|device| {
            (device, options.policy.clone(), PowerRange { min: Watts::whole(1080), max: Watts::whole(3600) })
        })
        .chain(simulation.axeos().iter().map(bitaxe))
        .zip(1_u32..)
        .map(|((device, policy, range), number)| MinerSetup {
            id: MinerId(format!("m{number}")),
            name: format!("Miner {number}"),
            host: "127.0.0.1".into(),
            device,
            policy,
            range,
            poll: Duration::from_secs(10),
            mac: None,
            priority: 1,
            auto_control: options.auto_control,
            manual_hold: Duration::from_secs(7200),
        })
        .collect();
    let last = options.looks_at_the_last.then(|| miners.pop()).flatten();
    let followed = last.map(|MinerSetup { id, name, host, device, poll, mac, .. }| FollowedSetup {
        id,
        name,
        host,
        device,
        poll,
        mac,
    });
    let setup = SiteSetup {
        timezone: options.timezone,
        coordinates: options.coordinates,
        battery,
        battery_poll: Duration::from_secs(30),
        miners,
        followed: followed.into_iter().collect(),
        tick: Duration::from_secs(10),
        keep_samples: Duration::from_secs(30 * 86_400),
        samples_wait: Duration::from_secs(60),
    };
    let now = Now { mono: MonoTime(0), utc: clock.wall() };
    let opened = Store::open(data, now).await.unwrap();
    (
        Site::start(setup.clone(), (!options.forgets).then_some(opened.store), Arc::new(clock.clone())).await,
        setup,
    )
}

fn in_words(received: &Received) -> Option<String> {
    if !received.write {
        return None;
    }
    let param = |name: &str| {
        let value =
            received.params.get(name).or_else(|| received.params.get("param")).unwrap_or(&received.params);
        let value = value.get(name).unwrap_or(value);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    Some(match received.command.as_str() {
        "power_off" => "off".into(),
        "set.miner.service" if param("param") == "stop" => "off".into(),
        command if STARTS.contains(&command) => "start".into(),
        "adjust_power_limit" | "set.miner.power_limit" => format!("limit {}", param("power_limit")),
        "set_power_pct" | "set_power_pct_v2" | "set.miner.power_percent" => {
            format!("percent {}", param("percent"))
        }
        // The light is told to stay as it is, to see whether commands are taken.
        "set_led" | "set.system.led" => return None,
        other => other.to_owned(),
    })
}
