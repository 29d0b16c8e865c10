//! What a person or a program may ask of the running site.

use crate::{
    clock::{Busy, Clock},
    notices::Notices,
    punctuality::{Punctuality, Ticks},
    recorder::Recorder,
};
use control::{Policy, PowerRange};
use model::{
    AlertCode, ManualTarget, MinerId, Operation, UtcMillis,
    snapshot::{DecisionView, Snapshot},
};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// A wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Switch on. `confirmed` starts it even while the emergency latch is set.
    PowerOn {
        /// The person saw the warning and wants it all the same.
        confirmed: bool,
    },
    /// Switch off, until switched on again.
    PowerOff,
    /// A power that holds for a while.
    Manual {
        /// How much.
        target: ManualTarget,
        /// How long; the configured time if `None`.
        hold: Option<Duration>,
    },
    /// The battery drives the miner, or doesn't. Switching it on ends a manual power.
    AutoControl {
        /// On or off.
        enabled: bool,
    },
}

/// The numbers by which a miner is controlled.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// The law's.
    pub policy: Policy,
    /// The powers that the miner can hold.
    pub range: PowerRange,
}

/// What is decided about a miner, and what would be by other numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct WouldDecide {
    /// Which.
    pub miner: MinerId,
    /// The decision that holds.
    pub now: DecisionView,
    /// The decision with the other numbers.
    pub then: DecisionView,
}

/// A wish that was taken up.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The command that follows from it, if one went out at once.
    pub operation: Option<Operation>,
    /// What the law decided with it.
    pub decision: DecisionView,
}

/// A wish that was not taken up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such miner.
    #[error("there is no miner {0}")]
    NoSuchMiner(MinerId),
    /// A safety rule forbids it now; the text says which and why.
    #[error("{0}")]
    Forbidden(String),
    /// The value can't be.
    #[error("{message}")]
    Invalid {
        /// The member of the request that is wrong.
        field: &'static str,
        /// What is expected.
        message: String,
    },
    /// The control loop doesn't answer.
    #[error("the control loop isn't running")]
    NotRunning,
}

/// What the control loop is handed.
pub(crate) enum Message {
    /// A wish about a miner.
    Wish(Envelope),
    /// A person has read the alerts up to this instant.
    ClearAlerts { until: UtcMillis, done: oneshot::Sender<()>, busy: Busy },
    /// What would be decided now by other numbers?
    WhatIf { laws: Vec<(MinerId, Law)>, told: oneshot::Sender<Vec<WouldDecide>>, busy: Busy },
}

pub(crate) struct Envelope {
    pub(crate) miner: Option<MinerId>,
    pub(crate) request: Request,
    pub(crate) reply: oneshot::Sender<Result<Reply, Refused>>,
    pub(crate) busy: Busy,
}

/// The running site, for those who look at it and ask something of it. Clones are the same site, also after
/// [`crate::Site::renew`].
#[derive(Clone)]
pub struct Handle {
    pub(crate) running: Arc<RwLock<Running>>,
    /// Whoever asks something while the site is renewed waits for the new one.
    pub(crate) renewal: Arc<tokio::sync::RwLock<()>>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) keeper: Arc<crate::clock::Timekeeper>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) punctuality: Punctuality,
    pub(crate) notices: Notices,
}

/// The ways to the tasks that run now.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) requests: mpsc::Sender<Message>,
    pub(crate) battery: Arc<dyn devices::BatterySource>,
    pub(crate) recorder: Recorder,
    pub(crate) shutdown: CancellationToken,
}

/// How long a request waits for the control loop, in real time.
const PATIENCE: Duration = Duration::from_secs(5);

impl Handle {
    /// The latest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Follows the snapshots: one after every tick of the control loop.
    pub fn follow(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Asks something of a miner; of the first one if `miner` is `None`.
    pub async fn ask(&self, miner: Option<MinerId>, request: Request) -> Result<Reply, Refused> {
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope { miner, request, reply, busy: self.clock.busy() };
        self.hand_over(Message::Wish(envelope), answer).await?
    }

    /// A person has read the alerts that were told up to `until`: what is over by then is dismissed, and what still holds
    /// is marked as seen.
    pub async fn clear_alerts(&self, until: UtcMillis) -> Result<(), Refused> {
        let (done, answer) = oneshot::channel();
        self.hand_over(Message::ClearAlerts { until, done, busy: self.clock.busy() }, answer).await
    }

    /// What would be decided now by other numbers. Nothing comes of it; a miner that isn't under control yet is left out.
    pub async fn what_if(&self, laws: Vec<(MinerId, Law)>) -> Result<Vec<WouldDecide>, Refused> {
        let (told, answer) = oneshot::channel();
        self.hand_over(Message::WhatIf { laws, told, busy: self.clock.busy() }, answer).await
    }

    async fn hand_over<T>(&self, message: Message, answer: oneshot::Receiver<T>) -> Result<T, Refused> {
        let exchange = async {
            let requests = {
                let _renewed = self.renewal.read().await;
                self.running().requests
            };
            requests.send(message).await.ok()?;
            answer.await.ok()
        };
        tokio::time::timeout(PATIENCE, exchange).await.ok().flatten().ok_or(Refused::NotRunning)
    }

    /// Signs in anew at the battery source.
    pub async fn refresh_battery_session(&self) -> Result<(), devices::DeviceError> {
        let _busy = self.clock.busy();
        let battery = self.running().battery;
        battery.refresh_session(self.keeper.now()).await
    }

    /// What was measured and isn't in the store yet. Whoever puts it behind what the store tells asks for it first: what
    /// is written in between is then in both, and in neither else.
    pub fn waiting_samples(&self) -> store::Samples {
        self.running().recorder.waiting_samples()
    }

    /// The engine's present instant.
    pub fn now(&self) -> model::Now {
        self.keeper.now()
    }

    /// Something that was found beside the control loop holds from now on, and stands among the alerts; with `None` it doesn't
    /// any more.
    pub fn note(&self, code: AlertCode, text: Option<String>) {
        self.notices.set(code, text);
    }

    /// Whether the site is being shut down.
    pub fn is_shutting_down(&self) -> bool {
        self.running().shutdown.is_cancelled()
    }

    /// How the control loop kept its time since the start.
    pub fn ticks(&self) -> Ticks {
        self.punctuality.ticks()
    }

    fn running(&self) -> Running {
        // Nothing is left half done under this lock.
        self.running.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
