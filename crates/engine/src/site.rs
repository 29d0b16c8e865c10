//! Putting a site together, and taking it down again.

use crate::{
    actor::Actor,
    alerts::AlertBook,
    battery::{BatteryStatus, BatteryTask},
    clock::{Clock, Timekeeper},
    control_loop::ControlLoop,
    local::Place,
    reader::{MinerStatus, Reader},
    recorder::{AUTO_CONTROL, Recorder},
    requests::Handle,
    supervise::Supervisor,
    unit::Unit,
};
use chrono_tz::Tz;
use control::{Policy, PowerRange, State, monitor::Monitor};
use devices::{BatterySource, Miner};
use model::{MinerId, Now, Operation, snapshot::Snapshot};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::{HistoryRules, Store};
use tokio::sync::{Mutex, mpsc, watch};

/// The engine's own deadline for a device call, in real time. Drivers keep shorter ones; this is for a driver with a
/// bug.
const DRIVER_DEADLINE: Duration = Duration::from_secs(60);
/// How long a shutdown waits for commands under way, in real time.
const SHUTDOWN: Duration = Duration::from_secs(15);
/// How long it waits for the database.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// A miner that wasn't read for this many of its polls, and the slack, can't be reached.
const MISSED_POLLS: u32 = 3;
const SLACK: Duration = Duration::from_secs(5);
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
    /// Whether the battery drives it until a person says otherwise.
    pub auto_control: bool,
    /// How long a manual power holds if the person doesn't say.
    pub manual_hold: Duration,
}

impl MinerSetup {
    /// A miner that wasn't read for this long can't be reached.
    pub(crate) fn unreachable_after(&self) -> Duration {
        self.poll * MISSED_POLLS + SLACK
    }
}

/// A site.
pub struct SiteSetup {
    /// Its zone.
    pub timezone: Tz,
    /// Latitude and longitude in degrees; sunset is a fixed time of day without them.
    pub coordinates: Option<(f64, f64)>,
    /// The battery's source.
    pub battery: Arc<dyn BatterySource>,
    /// Time between two questions to it; never shorter than the source wants.
    pub battery_poll: Duration,
    /// The miners.
    pub miners: Vec<MinerSetup>,
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
        let miner_gap = self.miners.iter().map(MinerSetup::unreachable_after).max();
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
    supervisor: Supervisor,
    archive: Supervisor,
    recorder: Recorder,
    store: Option<Store>,
}

impl Site {
    /// Starts every task. Without a store the site runs all the same and remembers nothing.
    pub async fn start(setup: SiteSetup, store: Option<Store>, clock: Arc<dyn Clock>) -> Self {
        let memory = Memory::load(store.as_ref(), &setup.miners).await;
        let keeper = Arc::new(Timekeeper::new(Arc::clone(&clock), memory.kept));
        let supervisor = Supervisor::new(Arc::clone(&keeper));
        let archive = Supervisor::new(Arc::clone(&keeper));
        let (recorder, entries) =
            Recorder::new(store.clone(), Arc::clone(&keeper), setup.history_rules(), setup.samples_wait);
        let entries = Arc::new(Mutex::new(entries));
        archive.keep_running("recorder", move |_| {
            let entries = Arc::clone(&entries);
            async move { entries.lock().await.run().await }
        });

        let (wake, wakes) = mpsc::channel(64);
        let (requests, inbox) = mpsc::channel(64);
        let auto_control = memory.auto_control.clone();
        let next_operation = memory.next_operation;
        let mut units = Vec::new();
        for miner in setup.miners {
            units.push(start_unit(miner, &memory, &supervisor, &recorder, &wake));
        }
        let poll = setup.battery_poll.max(setup.battery.shortest_poll());
        let (battery_sender, battery) = watch::channel(BatteryStatus::default());
        let task = Arc::new(BatteryTask {
            source: Arc::clone(&setup.battery),
            keeper: Arc::clone(&keeper),
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

        let first = ControlLoop::first_snapshot(&keeper);
        let (published, snapshots) = watch::channel(Arc::new(first));
        let guards = units.iter().map(|unit| unit.orders.clone()).collect();
        let control_loop = Arc::new(Mutex::new(ControlLoop {
            keeper: Arc::clone(&keeper),
            place: Place { timezone: setup.timezone, coordinates: setup.coordinates },
            units,
            battery,
            battery_poll: poll,
            recorder: recorder.clone(),
            alerts: AlertBook::default(),
            auto_control,
            next_operation,
            ticks: 0,
            period: setup.tick,
            published,
            requests: inbox,
            wakes,
            supervisor: supervisor.clone(),
        }));
        supervisor.keep_running_to_the_end("control loop", move |busy| {
            let control_loop = Arc::clone(&control_loop);
            async move { control_loop.lock().await.run(busy).await }
        });
        crate::control_loop::guard(&supervisor, snapshots.clone(), guards);

        let handle = Handle {
            requests,
            snapshots,
            battery: setup.battery,
            recorder: recorder.clone(),
            keeper,
            clock,
            shutdown: supervisor.shutdown.clone(),
        };
        Self { handle, supervisor, archive, recorder, store }
    }

    /// The way to look at the site and to ask something of it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends the site: commands under way are finished or given up at their deadline, everything is written down. The
    /// miners are left as they are.
    pub async fn stop(self) {
        self.supervisor.shutdown.cancel();
        self.supervisor.tasks.close();
        if tokio::time::timeout(SHUTDOWN, self.supervisor.tasks.wait()).await.is_err() {
            tracing::error!("some tasks didn't end in time");
        }
        self.recorder.flush(LAST_WRITES).await;
        self.archive.shutdown.cancel();
        self.archive.tasks.close();
        let _ = tokio::time::timeout(LAST_WRITES, self.archive.tasks.wait()).await;
        if let Some(store) = self.store
            && let Err(error) = store.close().await
        {
            tracing::warn!(%error, "the database wasn't closed in order; the next start makes up for it");
        }
    }
}

/// What an earlier run left.
struct Memory {
    states: BTreeMap<MinerId, State>,
    operations: BTreeMap<MinerId, Vec<Operation>>,
    macs: BTreeMap<MinerId, String>,
    auto_control: BTreeMap<MinerId, bool>,
    next_operation: u64,
    kept: Option<Now>,
}

impl Memory {
    async fn load(store: Option<&Store>, miners: &[MinerSetup]) -> Self {
        let mut memory = Self {
            states: BTreeMap::new(),
            operations: BTreeMap::new(),
            macs: BTreeMap::new(),
            auto_control: BTreeMap::new(),
            next_operation: 1,
            kept: None,
        };
        if let Some(store) = store
            && let Err(error) = memory.read(store, miners).await
        {
            tracing::error!(%error, "what an earlier run left can't be read; starting as if for the first time");
        }
        memory
    }

    async fn read(&mut self, store: &Store, miners: &[MinerSetup]) -> Result<(), store::StoreError> {
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
        for miner in miners {
            if let Some(mac) = store.known_identity(&miner.id).await?.and_then(|identity| identity.mac) {
                self.macs.insert(miner.id.clone(), mac);
            }
            self.operations.insert(miner.id.clone(), store.operations(&miner.id, 20).await?);
        }
        Ok(())
    }
}

fn start_unit(
    setup: MinerSetup,
    memory: &Memory,
    supervisor: &Supervisor,
    recorder: &Recorder,
    wake: &mpsc::Sender<crate::clock::Busy>,
) -> Unit {
    let keeper = &supervisor.keeper;
    let saved = memory.states.get(&setup.id).cloned();
    let mut state = saved.clone().unwrap_or_else(|| State::new(keeper.now().mono));
    state.intent.auto_control = memory.auto_control.get(&setup.id).copied().unwrap_or(setup.auto_control);

    let (status_sender, status) = watch::channel(MinerStatus::default());
    let reader = Arc::new(Reader {
        id: setup.id.clone(),
        device: Arc::clone(&setup.device),
        keeper: Arc::clone(keeper),
        status: status_sender,
        recorder: recorder.clone(),
        poll: setup.poll,
        expected_mac: Mutex::new(setup.mac.clone().or_else(|| memory.macs.get(&setup.id).cloned())),
        deadline: DRIVER_DEADLINE,
    });
    supervisor.keep_running("miner's reader", move |busy| {
        let reader = Arc::clone(&reader);
        async move { reader.run(busy).await }
    });

    let (orders, inbox) = mpsc::channel(8);
    let (report_sender, reports) = watch::channel(None);
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

    // The newest operation of an earlier run is the law's last command; older ones are history.
    let last_sequence = state.last.map_or(0, |last| last.sequence);
    let operations = memory.operations.get(&setup.id).into_iter().flatten().cloned();
    let operations = operations
        .enumerate()
        .map(|(age, operation)| (if age == 0 { last_sequence } else { 0 }, operation))
        .collect();
    Unit { setup, state, monitor: Monitor::default(), operations, orders, reports, status, last: None, saved }
}

impl ControlLoop {
    fn first_snapshot(keeper: &Timekeeper) -> Snapshot {
        Snapshot {
            at: keeper.now().utc,
            tick: 0,
            clock_synced: false,
            battery: model::snapshot::BatteryView::default(),
            miners: Vec::new(),
            alerts: Vec::new(),
            database_ok: true,
            invariants: Vec::new(),
        }
    }
}
