//! Putting a site together, and taking it down again.

use crate::{
    actor::Actor,
    alerts::AlertBook,
    battery::{BatteryStatus, BatteryTask},
    clock::{Clock, Timekeeper},
    control_loop::ControlLoop,
    followed::Followed,
    fullness::Fullness,
    local::Place,
    notices::Notices,
    punctuality::Punctuality,
    reader::{MinerStatus, Reader, unreachable_after},
    recorder::{AUTO_CONTROL, Recorder},
    requests::{Handle, Running},
    supervise::Supervisor,
    unit::Unit,
};
use chrono_tz::Tz;
use control::{Policy, PowerRange, State, monitor::Monitor};
use devices::{BatterySource, Miner};
use futures::FutureExt;
use model::{MinerId, Now, Operation, UtcMillis, snapshot::Snapshot};
use std::{
    collections::BTreeMap,
    mem,
    panic::AssertUnwindSafe,
    process,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::Duration,
};
use store::{HistoryRules, Store};
use tokio::sync::{Mutex, mpsc, watch};

/// The engine's own deadline for a device call, in real time. Drivers keep shorter ones; this is for a driver with a
/// bug.
const DRIVER_DEADLINE: Duration = Duration::from_secs(60);
/// How long a shutdown waits for commands under way, in real time.
const SHUTDOWN: Duration = Duration::from_secs(15);
/// How long it waits for the database.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// Readings of a miner that are this near to each other belong together, however often it is read.
const SHORTEST_MINER_GAP: Duration = Duration::from_secs(60);

/// One miner of a site.
#[derive(Clone)]
pub struct MinerSetup {
    /// Its id.
    pub id: MinerId,
    /// The name people read.
    pub name: String,
    /// Its address, for people.
    pub host: String,
    /// Its driver.
    pub device: Arc<dyn Miner>,
    /// The numbers of its law.
    pub policy: Policy,
    /// The powers it can hold.
    pub range: PowerRange,
    /// Time between two readings.
    pub poll: Duration,
    /// The hardware address it must have; the first one met, if `None`.
    pub mac: Option<String>,
    /// Whose turn it is where several miners share what the battery allows, 1 first.
    pub priority: u8,
    /// Whether the battery drives it until a person says otherwise.
    pub auto_control: bool,
    /// How long a manual power holds if the person doesn't say.
    pub manual_hold: Duration,
}

/// A miner of a site that is only looked at.
#[derive(Clone)]
pub struct FollowedSetup {
    /// Its id.
    pub id: MinerId,
    /// The name people read.
    pub name: String,
    /// Its address, for people.
    pub host: String,
    /// Its driver. Only its reading methods are called.
    pub device: Arc<dyn Miner>,
    /// Time between two readings.
    pub poll: Duration,
    /// The hardware address it must have; the first one met, if `None`.
    pub mac: Option<String>,
}

/// A site.
#[derive(Clone)]
pub struct SiteSetup {
    /// Its zone.
    pub timezone: Tz,
    /// Latitude and longitude in degrees; sunset is a fixed time of day without them.
    pub coordinates: Option<(f64, f64)>,
    /// The battery's source.
    pub battery: Arc<dyn BatterySource>,
    /// Time between two questions to it; never shorter than the source wants.
    pub battery_poll: Duration,
    /// The miners that are controlled.
    pub miners: Vec<MinerSetup>,
    /// The miners that are only looked at.
    pub followed: Vec<FollowedSetup>,
    /// Time between two ticks of the control loop. A new battery reading makes it tick at once.
    pub tick: Duration,
    /// How long samples are kept as they were taken.
    pub keep_samples: Duration,
    /// How long a sample waits for others, to be written with them: so much of the history can be lost with the power.
    pub samples_wait: Duration,
}

impl SiteSetup {
    /// Which samples belong together, and how long they are kept.
    pub fn history_rules(&self) -> HistoryRules {
        let battery_gap = self.miners.iter().map(|miner| miner.policy.warn_after).max();
        let polls = self.miners.iter().map(|miner| miner.poll);
        let polls = polls.chain(self.followed.iter().map(|followed| followed.poll));
        let miner_gap = polls.map(unreachable_after).max();
        HistoryRules {
            battery_gap: battery_gap.unwrap_or(Policy::default().warn_after),
            miner_gap: miner_gap.unwrap_or_default().max(SHORTEST_MINER_GAP),
            keep_samples: self.keep_samples,
        }
    }
}

/// A running site.
pub struct Site {
    handle: Handle,
    setup: SiteSetup,
    tasks: Tasks,
    store: Option<Store>,
    published: watch::Sender<Arc<Snapshot>>,
}

/// A bug kept the tasks of another setup from starting. The site goes on by the setup that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the site couldn't be started by the new setup, and goes on by the one before")]
pub struct NotRenewed;

/// Ends the program if a panic would leave it without a control loop.
struct NoneLeft;

impl Drop for NoneLeft {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("the site can't be renewed: the program ends");
            process::abort();
        }
    }
}

/// What runs.
struct Tasks {
    supervisor: Supervisor,
    archive: Supervisor,
    recorder: Recorder,
    control_loop: Arc<Mutex<ControlLoop>>,
}

impl Site {
    /// Starts every task. Without a store the site runs all the same and remembers nothing.
    pub async fn start(setup: SiteSetup, store: Option<Store>, clock: Arc<dyn Clock>) -> Self {
        let memory = Memory::load(store.as_ref(), &setup, clock.wall()).await;
        let keeper = Arc::new(Timekeeper::new(Arc::clone(&clock), memory.kept));
        let (published, snapshots) = watch::channel(Arc::new(ControlLoop::first_snapshot(&keeper)));
        let (punctuality, notices) = (Punctuality::default(), Notices::default());
        let told = (&punctuality, &notices);
        let (tasks, running) = launch(setup.clone(), &memory, None, store.clone(), &keeper, &published, told);
        let handle = Handle {
            running: Arc::new(RwLock::new(running)),
            renewal: Arc::default(),
            snapshots,
            keeper,
            clock,
            punctuality,
            notices,
        };
        Self { handle, setup, tasks, store, published }
    }

    /// Goes on by another setup: every task ends in order and is started anew, while time, what the law knows, alerts,
    /// and every handle stay. What is known of a device stays too if its driver is the same (the same `Arc`). The miners
    /// are left as they are; one that the new setup doesn't have isn't controlled any more.
    ///
    /// # Errors
    /// If a bug keeps the new tasks from starting: the site goes on by the setup that it had. There is always a control
    /// loop; a program that can't have one ends itself, for a service manager to start it again.
    pub async fn renew(&mut self, setup: SiteSetup) -> Result<(), NotRenewed> {
        let renewal = Arc::clone(&self.handle.renewal);
        let _renewed = renewal.write().await;
        let _or_end = NoneLeft;
        self.tasks.end().await;
        let before = self.before().await;
        let mut outcome = Ok(());
        let mut launched = self.launch(setup.clone(), before.clone()).await;
        if launched.is_some() {
            self.setup = setup;
        } else {
            tracing::error!("the site couldn't be started by the new setup; it goes on by the one before");
            outcome = Err(NotRenewed);
            launched = self.launch(self.setup.clone(), before).await;
        }
        let Some((tasks, running)) = launched else {
            tracing::error!("the site couldn't be started by the setup before either: the program ends");
            process::abort();
        };
        self.tasks = tasks;
        *self.handle.running.write().unwrap_or_else(PoisonError::into_inner) = running;
        outcome
    }

    /// Starts every task anew; `None` if that panics.
    async fn launch(&self, setup: SiteSetup, before: Option<Before>) -> Option<(Tasks, Running)> {
        let launched = async {
            let memory = Memory::load(self.store.as_ref(), &setup, self.handle.keeper.now().utc).await;
            let Handle { keeper, punctuality, notices, .. } = &self.handle;
            launch(
                setup,
                &memory,
                before,
                self.store.clone(),
                keeper,
                &self.published,
                (punctuality, notices),
            )
        };
        AssertUnwindSafe(launched).catch_unwind().await.ok()
    }

    /// What is known, for another setup. `None` if the control loop didn't end: what it kept last holds then.
    async fn before(&self) -> Option<Before> {
        let ended = tokio::time::timeout(LAST_WRITES, self.tasks.control_loop.lock()).await;
        let Ok(mut before) = ended else {
            tracing::error!("the control loop didn't end; the new one goes on from what was kept");
            return None;
        };
        let battery = before.battery.borrow().clone();
        Some(Before {
            units: mem::take(&mut before.units),
            followed: mem::take(&mut before.followed),
            source: Arc::clone(&self.setup.battery),
            battery,
            alerts: mem::take(&mut before.alerts),
            fullness: before.fullness,
            auto_control: mem::take(&mut before.auto_control),
            next_operation: before.next_operation,
            ticks: before.ticks,
        })
    }

    /// The way to look at the site and to ask something of it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends the site: commands under way are finished or given up at their deadline, everything is written down. The
    /// miners are left as they are.
    pub async fn stop(self) {
        self.tasks.end().await;
        if let Some(store) = self.store
            && let Err(error) = store.close().await
        {
            tracing::warn!(%error, "the database wasn't closed in order; the next start makes up for it");
        }
    }
}

impl Tasks {
    /// Commands under way are finished or given up at their deadline, everything is written down.
    async fn end(&self) {
        self.supervisor.shutdown.cancel();
        self.supervisor.tasks.close();
        if tokio::time::timeout(SHUTDOWN, self.supervisor.tasks.wait()).await.is_err() {
            tracing::error!("some tasks didn't end in time");
        }
        self.recorder.flush(LAST_WRITES).await;
        self.archive.shutdown.cancel();
        self.archive.tasks.close();
        let _ = tokio::time::timeout(LAST_WRITES, self.archive.tasks.wait()).await;
    }
}

/// What the site knew before it was renewed.
#[derive(Clone)]
struct Before {
    units: Vec<Unit>,
    followed: Vec<Followed>,
    /// The battery's source, and what it said.
    source: Arc<dyn BatterySource>,
    battery: BatteryStatus,
    alerts: AlertBook,
    fullness: Fullness,
    auto_control: BTreeMap<MinerId, bool>,
    next_operation: u64,
    ticks: u64,
}

/// Starts every task.
fn launch(
    setup: SiteSetup,
    memory: &Memory,
    before: Option<Before>,
    store: Option<Store>,
    keeper: &Arc<Timekeeper>,
    published: &watch::Sender<Arc<Snapshot>>,
    (punctuality, notices): (&Punctuality, &Notices),
) -> (Tasks, Running) {
    let before = before.unwrap_or_else(|| Before {
        units: Vec::new(),
        followed: Vec::new(),
        source: Arc::clone(&setup.battery),
        battery: BatteryStatus::default(),
        alerts: AlertBook::default(),
        fullness: Fullness::default(),
        auto_control: memory.auto_control.clone(),
        next_operation: memory.next_operation,
        ticks: 0,
    });
    let supervisor = Supervisor::new(Arc::clone(keeper));
    let archive = Supervisor::new(Arc::clone(keeper));
    // Should anything here panic, nothing of what was started already runs on.
    let unfinished = [&supervisor, &archive].map(|tasks| tasks.shutdown.clone().drop_guard());
    let (recorder, entries) =
        Recorder::new(store, Arc::clone(keeper), setup.history_rules(), setup.samples_wait);
    let entries = Arc::new(Mutex::new(entries));
    archive.keep_running("recorder", move |_| {
        let entries = Arc::clone(&entries);
        async move { entries.lock().await.run().await }
    });

    let (wake, wakes) = mpsc::channel(64);
    let (requests, inbox) = mpsc::channel(64);
    let mut known = before.units;
    let mut units = Vec::new();
    for miner in setup.miners {
        let at = known.iter().position(|unit| *unit.id() == miner.id);
        let unit = at.map(|at| known.swap_remove(at));
        let auto_control = before.auto_control.get(&miner.id).copied().unwrap_or(miner.auto_control);
        units.push(start_unit(miner, unit, auto_control, memory, &supervisor, &recorder, &wake));
    }
    let mut looked_at = Vec::new();
    for followed in setup.followed {
        let known = before.followed.iter().find(|known| Arc::ptr_eq(&known.setup.device, &followed.device));
        let known = known.map(|known| known.status.borrow().clone());
        let target = Target {
            id: followed.id.clone(),
            device: Arc::clone(&followed.device),
            poll: followed.poll,
            mac: followed.mac.clone(),
            is_controlled: false,
        };
        let status = start_reader(target, known, memory, &supervisor, &recorder);
        looked_at.push(Followed { setup: followed, status });
    }
    let poll = setup.battery_poll.max(setup.battery.shortest_poll());
    let is_same = Arc::ptr_eq(&before.source, &setup.battery);
    let (battery_sender, battery) =
        watch::channel(if is_same { before.battery } else { BatteryStatus::default() });
    let task = Arc::new(BatteryTask {
        source: Arc::clone(&setup.battery),
        keeper: Arc::clone(keeper),
        status: battery_sender,
        recorder: recorder.clone(),
        wake,
        poll,
        deadline: DRIVER_DEADLINE,
    });
    supervisor.keep_running("battery", move |busy| {
        let task = Arc::clone(&task);
        async move { task.run(busy).await }
    });

    let guards = units.iter().map(|unit| unit.orders.clone()).collect();
    let control_loop = Arc::new(Mutex::new(ControlLoop {
        keeper: Arc::clone(keeper),
        place: Place { timezone: setup.timezone, coordinates: setup.coordinates },
        units,
        followed: looked_at,
        battery,
        battery_poll: poll,
        recorder: recorder.clone(),
        alerts: before.alerts,
        // What counts as full may be another now: the history knows by that. Without one, what was seen holds.
        fullness: memory.fullness.unwrap_or(before.fullness),
        auto_control: before.auto_control,
        next_operation: before.next_operation,
        ticks: before.ticks,
        period: setup.tick,
        published: published.clone(),
        requests: inbox,
        wakes,
        supervisor: supervisor.clone(),
        punctuality: punctuality.clone(),
        notices: notices.clone(),
    }));
    let looping = Arc::clone(&control_loop);
    supervisor.keep_running_to_the_end("control loop", move |busy| {
        let control_loop = Arc::clone(&looping);
        async move { control_loop.lock().await.run(busy).await }
    });
    crate::control_loop::guard(&supervisor, published.subscribe(), guards);

    let running = Running {
        requests,
        battery: setup.battery,
        recorder: recorder.clone(),
        shutdown: supervisor.shutdown.clone(),
    };
    for started in unfinished {
        started.disarm();
    }
    (Tasks { supervisor, archive, recorder, control_loop }, running)
}

/// What an earlier run left.
struct Memory {
    states: BTreeMap<MinerId, State>,
    operations: BTreeMap<MinerId, Vec<Operation>>,
    macs: BTreeMap<MinerId, String>,
    auto_control: BTreeMap<MinerId, bool>,
    next_operation: u64,
    kept: Option<Now>,
    /// How long ago the battery was full; `None` if there is no history to ask.
    fullness: Option<Fullness>,
}

impl Memory {
    async fn load(store: Option<&Store>, setup: &SiteSetup, now: UtcMillis) -> Self {
        let mut memory = Self {
            states: BTreeMap::new(),
            operations: BTreeMap::new(),
            macs: BTreeMap::new(),
            auto_control: BTreeMap::new(),
            next_operation: 1,
            kept: None,
            fullness: None,
        };
        if let Some(store) = store
            && let Err(error) = memory.read(store, setup, now).await
        {
            tracing::error!(%error, "what an earlier run left can't be read; starting as if for the first time");
        }
        memory
    }

    async fn read(
        &mut self,
        store: &Store,
        setup: &SiteSetup,
        now: UtcMillis,
    ) -> Result<(), store::StoreError> {
        for saved in store.load_states().await? {
            let kept = Now { mono: saved.mono, utc: saved.utc };
            if self.kept.is_none_or(|newest| newest.mono < kept.mono) {
                self.kept = Some(kept);
            }
            match serde_json::from_str(&saved.json) {
                Ok(state) => {
                    self.states.insert(saved.miner, state);
                }
                // Starting as for the first time starts no miner by itself.
                Err(error) => {
                    tracing::error!(miner = %saved.miner, %error, "the kept state can't be understood");
                }
            }
        }
        self.auto_control = store.meta(&AUTO_CONTROL).await?.unwrap_or_default();
        self.next_operation = store.next_operation_id().await?.0;
        let ids = setup.miners.iter().map(|miner| &miner.id);
        for id in ids.chain(setup.followed.iter().map(|followed| &followed.id)) {
            if let Some(mac) = store.known_identity(id).await?.and_then(|identity| identity.mac) {
                self.macs.insert(id.clone(), mac);
            }
        }
        for miner in &setup.miners {
            self.operations.insert(miner.id.clone(), store.operations(&miner.id, 20).await?);
        }
        if let Some(miner) = setup.miners.first() {
            self.fullness = Some(Fullness::load(store, miner.policy.full_soc, now).await?);
        }
        Ok(())
    }
}

/// Whom a reader reads.
struct Target {
    id: MinerId,
    device: Arc<dyn Miner>,
    poll: Duration,
    mac: Option<String>,
    is_controlled: bool,
}

fn start_reader(
    target: Target,
    known: Option<MinerStatus>,
    memory: &Memory,
    supervisor: &Supervisor,
    recorder: &Recorder,
) -> watch::Receiver<MinerStatus> {
    let mut first = known.unwrap_or_default();
    let mac = target.mac.or_else(|| memory.macs.get(&target.id).cloned()).or_else(|| first.mac.clone());
    if first.mac != mac {
        // Who was known as another has to say again who it is.
        (first.identity, first.mac) = (None, mac);
    }
    let (sender, status) = watch::channel(first);
    let reader = Arc::new(Reader {
        id: target.id,
        device: target.device,
        keeper: Arc::clone(&supervisor.keeper),
        status: sender,
        recorder: recorder.clone(),
        poll: target.poll,
        is_controlled: target.is_controlled,
        deadline: DRIVER_DEADLINE,
    });
    supervisor.keep_running("miner's reader", move |busy| {
        let reader = Arc::clone(&reader);
        async move { reader.run(busy).await }
    });
    status
}

/// `before` is what the site knew of this miner before it was renewed.
fn start_unit(
    setup: MinerSetup,
    before: Option<Unit>,
    auto_control: bool,
    memory: &Memory,
    supervisor: &Supervisor,
    recorder: &Recorder,
    wake: &mpsc::Sender<crate::clock::Busy>,
) -> Unit {
    let keeper = &supervisor.keeper;
    let is_same = before.as_ref().is_some_and(|before| Arc::ptr_eq(&before.setup.device, &setup.device));
    let known = before.as_ref().filter(|_| is_same).map(|before| before.status.borrow().clone());
    let target = Target {
        id: setup.id.clone(),
        device: Arc::clone(&setup.device),
        poll: setup.poll,
        mac: setup.mac.clone(),
        is_controlled: true,
    };
    let status = start_reader(target, known, memory, supervisor, recorder);

    let (orders, inbox) = mpsc::channel(8);
    let report = before.as_ref().and_then(|before| before.reports.borrow().clone());
    let (report_sender, reports) = watch::channel(report);
    let actor = Arc::new(Actor {
        device: Arc::clone(&setup.device),
        keeper: Arc::clone(keeper),
        status: status.clone(),
        reports: report_sender,
        wake: wake.clone(),
        shutdown: supervisor.shutdown.clone(),
        deadline: DRIVER_DEADLINE,
    });
    let inbox = Arc::new(Mutex::new(inbox));
    supervisor.keep_running_to_the_end("miner's actor", move |_| {
        let (actor, inbox) = (Arc::clone(&actor), Arc::clone(&inbox));
        async move { actor.run(&mut *inbox.lock().await).await }
    });

    if let Some(Unit { mut state, monitor, operations, last, saved, .. }) = before {
        state.intent.auto_control = auto_control;
        return Unit { setup, state, monitor, operations, orders, reports, status, last, saved };
    }
    let saved = memory.states.get(&setup.id).cloned();
    let mut state = saved.clone().unwrap_or_else(|| State::new(keeper.now().mono));
    state.intent.auto_control = auto_control;
    // The newest operation of an earlier run is the law's last command; older ones are history.
    let last_sequence = state.last.map_or(0, |last| last.sequence);
    let operations = memory.operations.get(&setup.id).into_iter().flatten().cloned();
    let operations = operations
        .enumerate()
        .map(|(age, operation)| (if age == 0 { last_sequence } else { 0 }, operation))
        .collect();
    let monitor = Monitor::default();
    Unit { setup, state, monitor, operations, orders, reports, status, last: None, saved }
}

impl ControlLoop {
    fn first_snapshot(keeper: &Timekeeper) -> Snapshot {
        Snapshot {
            at: keeper.now().utc,
            tick: 0,
            clock_synced: false,
            battery: model::snapshot::BatteryView::default(),
            miners: Vec::new(),
            followed: Vec::new(),
            alerts: Vec::new(),
            database_ok: true,
            invariants: Vec::new(),
        }
    }
}
