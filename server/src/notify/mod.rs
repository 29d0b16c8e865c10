//! Alerts to people: few, each once, with an end; by ntfy, a webhook, Telegram and mail.
//!
//! What it owns: what is told of all the alerts (`topic`), when (`ledger`, `quiet`), in which words (`message`) and how it
//! goes out (`channel` and a module for each of them). What it doesn't: whether an alert holds. It follows snapshots as the
//! page does, with a task for each channel (`courier`): one that hangs delays neither the others nor anybody else. A channel that
//! fails is told on the page, and to nobody by alert.

mod channel;
mod courier;
mod http;
mod ledger;
mod mail;
mod message;
mod ntfy;
mod quiet;
mod telegram;
mod topic;
mod webhook;

pub use channel::{Channel, Failure};

use crate::{config::Notify, current::Current, settings::Settings};
use channel::Sender;
use courier::{Courier, forget};
use engine::Handle;
use futures::{FutureExt, future::join_all};
use http::Http;
use message::Message;
use model::{Undelivered, UtcMillis};
use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::Store;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// How long a courier that a bug ended rests before it goes on.
const REST: Duration = Duration::from_secs(5);

/// How long is waited for others, in real time.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long an attempt may take.
    pub attempt: Duration,
    /// How long is waited after the first that failed. Each further time it is twice as long.
    pub first_wait: Duration,
    /// But no longer than this.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(20),
            first_wait: Duration::from_secs(10),
            longest_wait: Duration::from_secs(900),
        }
    }
}

/// The channels that are set up.
pub fn channels(config: &Notify) -> impl Iterator<Item = Channel> + use<> {
    Sender::all(config).into_iter().map(|sender| sender.channel())
}

/// How a channel is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelState {
    /// When a message last went out by it, since the program was started.
    pub sent: Option<UtcMillis>,
    /// Since when none does, and why.
    pub failing: Option<(UtcMillis, String)>,
    /// How things stood when it was last looked whether something is due.
    pub looked: Option<UtcMillis>,
}

/// The couriers of the running program. Clones are the same.
#[derive(Clone)]
pub struct Notifier(Arc<Office>);

/// What all couriers share.
struct Office {
    site: Handle,
    current: Current,
    configured: watch::Receiver<Arc<Notify>>,
    store: Option<Store>,
    http: Http,
    patience: Patience,
    states: Mutex<BTreeMap<Channel, ChannelState>>,
    /// One test at a time.
    testing: Semaphore,
}

/// Why nothing was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTested {
    /// There is nothing to test.
    #[error("No way to send alerts is set up.")]
    NothingConfigured,
    /// Another test is under way.
    #[error("A test is under way already.")]
    UnderWay,
}

/// What became of a test, channel by channel.
pub type Tested = Result<Vec<(Channel, Result<(), Failure>)>, NotTested>;

impl Notifier {
    /// Sends what is due until `closing`.
    ///
    /// # Errors
    /// If this machine can't speak HTTPS at all.
    pub fn start(
        settings: &Settings,
        store: Option<Store>,
        patience: Patience,
        closing: CancellationToken,
    ) -> reqwest::Result<Self> {
        let office = Arc::new(Office {
            site: settings.handle(),
            current: settings.current(),
            configured: settings.notify(),
            store,
            http: Http::new()?,
            patience,
            states: Mutex::default(),
            testing: Semaphore::new(1),
        });
        tokio::spawn(keep(Arc::clone(&office), closing));
        Ok(Self(office))
    }

    /// How each configured channel is.
    pub fn states(&self) -> BTreeMap<Channel, ChannelState> {
        let states = self.0.states().clone();
        let configured = Sender::all(&self.0.configured.borrow());
        let state = |channel| (channel, states.get(&channel).cloned().unwrap_or_default());
        configured.iter().map(Sender::channel).map(state).collect()
    }

    /// The channels by which alerts don't go out.
    pub fn undelivered(&self) -> Vec<Undelivered> {
        let failing = |(channel, state): (Channel, ChannelState)| {
            let (since, why) = state.failing?;
            Some(Undelivered { channel: channel.to_string(), since, why })
        };
        self.states().into_iter().filter_map(failing).collect()
    }

    /// Sends a test by every channel of this configuration, and says what became of each. What holds is tested if it is `None`.
    ///
    /// # Errors
    /// If there is none, or another test is under way.
    pub async fn test(&self, config: Option<&Notify>) -> Tested {
        let _alone = self.0.testing.try_acquire().map_err(|_| NotTested::UnderWay)?;
        let holds = Arc::clone(&self.0.configured.borrow());
        let senders = Sender::all(config.unwrap_or(&holds));
        if senders.is_empty() {
            return Err(NotTested::NothingConfigured);
        }
        let message = Message::test(&self.0.current.facts().site_name, self.0.site.now().utc);
        let send = async |sender: &Sender| {
            let sent = sender.send(&self.0.http, &message, self.0.patience.attempt).await;
            (sender.channel(), sent)
        };
        Ok(join_all(senders.iter().map(send)).await)
    }
}

impl Office {
    fn states(&self) -> MutexGuard<'_, BTreeMap<Channel, ChannelState>> {
        // Nothing is left half done under this lock.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes notice of an attempt, and says whether those before it failed.
    fn went(&self, channel: Channel, failure: Option<&Failure>, at: UtcMillis) -> bool {
        let mut states = self.states();
        let state = states.entry(channel).or_default();
        let before = state.failing.take();
        match failure {
            None => state.sent = Some(at),
            Some(failure) => {
                let since = before.as_ref().map_or(at, |(since, _)| *since);
                state.failing = Some((since, failure.to_string()));
            }
        }
        before.is_some()
    }

    fn looked(&self, channel: Channel, at: UtcMillis) {
        self.states().entry(channel).or_default().looked = Some(at);
    }
}

/// Keeps a courier for each channel that is configured, as it is configured.
async fn keep(office: Arc<Office>, closing: CancellationToken) {
    let mut configured = office.configured.clone();
    let mut running: BTreeMap<Channel, (Sender, CancellationToken)> = BTreeMap::new();
    loop {
        let wanted = Sender::all(&configured.borrow_and_update());
        running.retain(|_, (sender, end)| {
            let stays = wanted.contains(sender);
            if !stays {
                end.cancel();
                office.states().remove(&sender.channel());
            }
            stays
        });
        let is_there = |channel: &Channel| wanted.iter().any(|sender| sender.channel() == *channel);
        forget(office.store.as_ref(), Channel::ALL.into_iter().filter(|channel| !is_there(channel))).await;
        for sender in wanted {
            running.entry(sender.channel()).or_insert_with(|| {
                let end = closing.child_token();
                tokio::spawn(go_on(Arc::clone(&office), sender.clone(), end.clone()));
                (sender, end)
            });
        }
        tokio::select! {
            () = closing.cancelled() => return,
            changed = configured.changed() => if changed.is_err() { return },
        }
    }
}

/// Runs a courier, again if a bug ends it.
async fn go_on(office: Arc<Office>, sender: Sender, end: CancellationToken) {
    loop {
        let mut courier = Courier::new(Arc::clone(&office), sender.clone()).await;
        if AssertUnwindSafe(courier.run(end.clone())).catch_unwind().await.is_ok() {
            return;
        }
        tracing::error!(channel = sender.channel().word(), "telling people of alerts broke off; it goes on");
        tokio::time::sleep(REST).await;
    }
}
