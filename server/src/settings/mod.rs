//! What a person changes while the program runs: looked at before it is kept, kept in the database, taken up at once by
//! the running site, and undone again.
//!
//! What it owns: the configuration that holds, the changes that aren't kept yet, and the running site, which it renews.
//! What it doesn't: how the pages look, and who may change something.

mod address;
mod effects;
mod field;
mod start;

pub use field::{Field, Problem, Typed, fields, new_miner, part_of, title, told};
pub use start::{Start, loaded_with_changes};

use crate::{
    access::NoRandomness,
    assemble, check,
    config::{App, Change, Changes, Config, ConfigError, Inputs, Loaded, Notify, is_secret},
    current::Current,
};
use engine::{Handle, NotRenewed, Site, SiteSetup};
use model::Now;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use store::{BeforeAfter, SettingsChange, Store};
use tokio::sync::watch;

/// How many changes may wait for somebody to say yes, and for how long.
const WAITING: usize = 16;
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Who takes a change back that couldn't be taken up.
const ITSELF: &str = "WhatsMiner Controller";
/// How long a test of a connection may take.
const TEST: Duration = Duration::from_secs(25);

/// The settings of the running program. Clones are the same.
#[derive(Clone)]
pub struct Settings(Arc<Inner>);

struct Inner {
    inputs: Inputs,
    /// Where the program is reached, as it was started.
    app: App,
    demo: bool,
    samples_wait: Option<Duration>,
    store: Option<Store>,
    handle: Handle,
    site: tokio::sync::Mutex<Option<Site>>,
    current: Current,
    /// How people are told of alerts, for who does so.
    notify: watch::Sender<Arc<Notify>>,
    state: Mutex<State>,
    /// One change after the other.
    changing: tokio::sync::Mutex<()>,
}

struct State {
    loaded: Loaded,
    changes: Changes,
    setup: SiteSetup,
    /// Counts the changes: what was looked at before another one has to be looked at again.
    revision: u64,
    waiting: Vec<Waiting>,
    /// Why the kept changes don't hold.
    left_aside: Option<String>,
}

/// A change that somebody looks at.
struct Waiting {
    id: String,
    revision: u64,
    wanted: Wanted,
    begun: Instant,
}

/// What settings shall be changed to; `None` takes a change back.
pub type Wanted = BTreeMap<String, Option<String>>;

/// What holds, for who shows it.
#[derive(Clone)]
pub struct Holding {
    /// The configuration.
    pub loaded: Loaded,
    /// Why the kept changes don't hold, if they don't.
    pub left_aside: Option<String>,
}

/// A change that can be kept.
pub struct Looked {
    /// What it goes by.
    pub id: String,
    /// The settings that would be others: what they are called, what holds and what would.
    pub lines: Vec<(String, String, String)>,
    /// What follows.
    pub effects: Vec<String>,
    /// What would be decided.
    pub decisions: Vec<engine::WouldDecide>,
}

/// Why a change isn't one, or isn't kept.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Everything is as it was.
    #[error("Nothing would be another.")]
    Nothing,
    /// Something is wrong with it.
    #[error("Nothing was changed.")]
    Wrong(Vec<Problem>),
    /// It was looked at too long ago, or something else was changed since.
    #[error("Something was changed since you looked at this. Look again.")]
    Gone,
    /// It couldn't be remembered.
    #[error("The database can't be used just now, so nothing can be changed.")]
    NoDatabase,
    /// A bug kept the site from going on by it.
    #[error("That couldn't be taken up, which is a bug; the log has more. Everything goes on as before.")]
    NotTakenUp(#[from] NotRenewed),
    /// The same, and it is kept all the same: the next start tries it again.
    #[error(
        "That couldn't be taken up, which is a bug, and it couldn't be taken back: after a restart it is tried again. \
         Until then everything goes on as before."
    )]
    NotTakenBack,
    /// There is no such change to undo.
    #[error("That change isn't known any more.")]
    Unknown,
    /// There is no such device.
    #[error("There is no such device to be tested.")]
    NoDevice,
    /// It can't be given a name.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Settings {
    /// The running site.
    pub fn handle(&self) -> Handle {
        self.0.handle.clone()
    }

    /// What is told of the configuration.
    pub fn current(&self) -> Current {
        self.0.current.clone()
    }

    /// How people are told of alerts.
    pub fn notify(&self) -> watch::Receiver<Arc<Notify>> {
        self.0.notify.subscribe()
    }

    /// What holds now.
    pub fn holding(&self) -> Holding {
        let state = self.state();
        Holding { loaded: state.loaded.clone(), left_aside: state.left_aside.clone() }
    }

    /// What was changed, the newest first.
    pub async fn changes(&self) -> Vec<SettingsChange> {
        let Some(store) = &self.0.store else { return Vec::new() };
        store.settings_changes().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the changes of the settings can't be read");
            Vec::new()
        })
    }

    /// Looks at what was typed: what it would change, and do. Nothing is changed.
    ///
    /// # Errors
    /// If nothing would be another, or something is wrong.
    pub async fn look(&self, typed: &Typed) -> Result<Looked, Refusal> {
        let holding = self.state().loaded.clone();
        self.look_at(typed.wanted(&holding)).await
    }

    /// Looks at what undoing a change would do.
    ///
    /// # Errors
    /// As for [`Settings::look`].
    pub async fn look_back(&self, id: i64) -> Result<Looked, Refusal> {
        let change =
            self.changes().await.into_iter().find(|change| change.id == id).ok_or(Refusal::Unknown)?;
        // A secret that was there before is kept nowhere: it stays as it is now.
        let known =
            change.changes.into_iter().filter(|(name, of_it)| !is_secret(name) || of_it.before.is_none());
        let wanted = known.map(|(name, of_it)| (name, of_it.before)).collect();
        self.look_at(wanted).await
    }

    async fn look_at(&self, wanted: Wanted) -> Result<Looked, Refusal> {
        let (before, changes, revision) = {
            let state = self.state();
            (state.loaded.clone(), state.changes.clone(), state.revision)
        };
        let after = self.judge(&before, &changes, &wanted).await?;
        let lines = field::differences(&before, &after, &wanted);
        let wanted: Wanted = wanted
            .into_iter()
            .filter(|(name, text)| changes.get(name).map(|change| &change.text) != text.as_ref())
            .collect();
        if lines.is_empty() && wanted.is_empty() {
            return Err(Refusal::Nothing);
        }
        let decisions = self.0.handle.what_if(effects::laws(&after.config)).await.unwrap_or_default();
        let id = crate::access::new_name()?;
        let mut state = self.state();
        state.waiting.retain(|waiting| waiting.begun.elapsed() < PATIENCE);
        if state.waiting.len() >= WAITING {
            state.waiting.remove(0);
        }
        state.waiting.push(Waiting { id: id.clone(), revision, wanted, begun: Instant::now() });
        Ok(Looked { id, lines, effects: effects::effects(&before.config, &after.config), decisions })
    }

    /// The configuration that would hold.
    async fn judge(&self, before: &Loaded, changes: &Changes, wanted: &Wanted) -> Result<Loaded, Refusal> {
        let after = self.0.inputs.load(&self.with(changes, wanted));
        let mut after = after.map_err(|error| Refusal::Wrong(field::problems(&error, before)))?;
        after.config.app = self.0.app.clone();
        // Without any change: whoever has the file has put these passwords and addresses together.
        let written = self.0.inputs.load(&Changes::new()).ok();
        let known: Vec<&Config> =
            [&before.config].into_iter().chain(written.as_ref().map(|loaded| &loaded.config)).collect();
        let problems = address::problems(&after, &known, wanted).await;
        if problems.is_empty() { Ok(after) } else { Err(Refusal::Wrong(problems)) }
    }

    fn with(&self, changes: &Changes, wanted: &Wanted) -> Changes {
        let mut changes = changes.clone();
        let at = self.0.handle.now().utc;
        for (name, text) in wanted {
            match text {
                Some(text) => drop(changes.insert(name.clone(), Change { text: text.clone(), at })),
                None => drop(changes.remove(name)),
            }
        }
        changes
    }

    /// Keeps a change that was looked at, and lets the site go on by it. What was changed, in words without secrets.
    ///
    /// # Errors
    /// If it isn't known any more, or can't be kept: then nothing has changed.
    pub async fn keep(&self, id: &str, who: &str) -> Result<String, Refusal> {
        // Whoever asked may go away in the middle: what was begun is finished all the same.
        let (this, id, who) = (self.clone(), id.to_owned(), who.to_owned());
        tokio::spawn(async move { this.keep_to_the_end(&id, &who).await }).await.unwrap_or(Err(Refusal::Gone))
    }

    async fn keep_to_the_end(&self, id: &str, who: &str) -> Result<String, Refusal> {
        let _alone = self.0.changing.lock().await;
        let (wanted, before, changes) = {
            let mut state = self.state();
            let at = state.waiting.iter().position(|waiting| waiting.id == id).ok_or(Refusal::Gone)?;
            let waiting = state.waiting.remove(at);
            if waiting.revision != state.revision || waiting.begun.elapsed() >= PATIENCE {
                return Err(Refusal::Gone);
            }
            (waiting.wanted, state.loaded.clone(), state.changes.clone())
        };
        let store = self.0.store.as_ref().ok_or(Refusal::NoDatabase)?;
        let after = self.judge(&before, &changes, &wanted).await?;
        let setup = self.setup(&after.config, &before.config)?;
        let kept = wanted.iter().map(|(name, text)| {
            let before = changes.get(name).map(|change| change.text.clone());
            (name.clone(), BeforeAfter { before, after: text.clone() })
        });
        let kept: BTreeMap<_, _> = kept.collect();
        store.change_settings(&kept, &is_secret, who, self.0.handle.now().utc).await.map_err(|error| {
            tracing::error!(%error, "a change of the settings can't be kept");
            Refusal::NoDatabase
        })?;
        let lines = field::differences(&before, &after, &wanted);
        let said: Vec<_> =
            lines.iter().map(|(label, before, after)| format!("{label}: {before} → {after}")).collect();
        let said =
            if said.is_empty() { "settings, to what holds already".to_owned() } else { said.join("; ") };
        tracing::info!(who, changed = said, "settings changed");
        let changes = self.with(&changes, &wanted);
        if let Err(refusal) = self.take_up(after, changes, setup).await {
            // The next start mustn't stumble over it.
            let back = kept.into_iter().map(|(name, BeforeAfter { before, after })| {
                (name, BeforeAfter { before: after, after: before })
            });
            let taken_back =
                store.change_settings(&back.collect(), &is_secret, ITSELF, self.0.handle.now().utc).await;
            return Err(taken_back.map_or_else(
                |error| {
                    tracing::error!(%error, "a change of the settings that doesn't hold can't be taken back");
                    Refusal::NotTakenBack
                },
                |()| refusal,
            ));
        }
        Ok(said)
    }

    /// A site's setup for another configuration, with the drivers that stay as they are.
    fn setup(&self, after: &Config, before: &Config) -> Result<SiteSetup, Refusal> {
        let made = assemble::renewed(after, before, &self.state().setup);
        let mut setup = made.map_err(|error| {
            Refusal::Wrong(vec![Problem { name: "battery.base_url".to_owned(), what: error.to_string() }])
        })?;
        if let Some(wait) = self.0.samples_wait {
            setup.samples_wait = wait;
        }
        Ok(setup)
    }

    async fn take_up(&self, loaded: Loaded, changes: Changes, setup: SiteSetup) -> Result<(), Refusal> {
        if let Some(site) = self.0.site.lock().await.as_mut() {
            site.renew(setup.clone()).await?;
        }
        self.0.notify.send_if_modified(|holds| {
            let is_other = **holds != loaded.config.notify;
            if is_other {
                *holds = Arc::new(loaded.config.notify.clone());
            }
            is_other
        });
        self.0.current.set(assemble::facts(&loaded.config, self.0.demo), setup.history_rules());
        let mut state = self.state();
        state.loaded = loaded;
        state.changes = changes;
        state.setup = setup;
        state.revision += 1;
        state.left_aside = None;
        Ok(())
    }

    /// The configuration as it was typed, without changing anything.
    ///
    /// # Errors
    /// If something is wrong with it.
    pub async fn typed(&self, typed: &Typed) -> Result<Loaded, Refusal> {
        let (before, changes) = {
            let state = self.state();
            (state.loaded.clone(), state.changes.clone())
        };
        self.judge(&before, &changes, &typed.wanted(&before)).await
    }

    /// Talks to a device as it was typed, without changing anything: what works, and what to do. `device` is the name of
    /// its section.
    ///
    /// # Errors
    /// If something is wrong with what was typed, or there is no such device.
    pub async fn test(&self, device: &str, typed: &Typed) -> Result<Vec<check::Finding>, Refusal> {
        let after = self.typed(typed).await?;
        let now: Now = self.0.handle.now();
        let testing = async {
            if device == "battery" {
                return Some(vec![check::battery(&after.config, now).await]);
            }
            let miner = field::miner_of(&after, device)?;
            Some(check::miner(miner, now).await)
        };
        if let Ok(found) = tokio::time::timeout(TEST, testing).await {
            return found.ok_or(Refusal::NoDevice);
        }
        let text = format!("No answer within {} s.", TEST.as_secs());
        Ok(vec![check::Finding { is_well: false, text }])
    }

    /// Ends the site, once: see [`Site::stop`].
    pub async fn stop(&self) {
        let _alone = self.0.changing.lock().await;
        let site = self.0.site.lock().await.take();
        if let Some(site) = site {
            site.stop().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration with what was changed before; without that, if the two don't go together any more.
fn loaded(inputs: &Inputs, changes: &Changes) -> Result<(Loaded, Option<String>), ConfigError> {
    match inputs.load(changes) {
        Ok(loaded) => Ok((loaded, None)),
        Err(error) if changes.is_empty() => Err(error),
        Err(error) => {
            let loaded = inputs.load(&Changes::new())?;
            tracing::error!(%error, "what was changed on the settings page doesn't go with the file any more: the file holds");
            let why = "What was changed here doesn't go together with the file any more, so the file holds";
            Ok((loaded, Some(format!("{why}. {error}"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use devices::{BatterySource, DeviceError};
    use engine::clock::{Clock, SystemClock};
    use model::{BatteryReading, MonoTime, UtcMillis};
    use std::{
        iter,
        sync::atomic::{AtomicBool, Ordering},
    };

    /// A source that is broken when it is asked for this the first time.
    struct Broken(AtomicBool);

    #[async_trait]
    impl BatterySource for Broken {
        async fn read(&self, _: Now) -> Result<BatteryReading, DeviceError> {
            std::future::pending().await
        }

        async fn refresh_session(&self, _: Now) -> Result<(), DeviceError> {
            std::future::pending().await
        }

        fn session_since(&self) -> Option<UtcMillis> {
            None
        }

        fn shortest_poll(&self) -> Duration {
            assert!(!self.0.swap(false, Ordering::Relaxed), "a bug");
            Duration::from_secs(60)
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_cannot_be_taken_up_is_taken_back_and_everything_goes_on() {
        const NAME: &str = "autocontrol.emergency_soc";
        let dir = tempfile::tempdir().unwrap();
        let now = Now { mono: MonoTime(0), utc: UtcMillis(1_795_000_000_000) };
        let store = Store::open(dir.path(), now).await.unwrap().store;
        let inputs = Inputs::of_text("", iter::empty());
        let app = inputs.load(&Changes::new()).unwrap().config.app;
        let clock = Arc::new(SystemClock::new());
        let start = Start { inputs, app, store: Some(store.clone()), clock, demo: false, samples_wait: None };
        let settings = start.start().await.unwrap();
        let broken = Arc::new(Broken(AtomicBool::new(false)));
        settings.state().setup.battery = Arc::clone(&broken) as Arc<dyn BatterySource>;
        let change = async |to: &str| {
            let looked =
                settings.look_at(Wanted::from([(NAME.to_owned(), Some(to.to_owned()))])).await.unwrap();
            settings.keep(&looked.id, "somebody").await
        };
        let holds = || settings.holding().loaded.config.autocontrol.emergency_soc.get();
        change("31").await.unwrap();
        broken.0.store(true, Ordering::Relaxed);
        let refused = change("32").await;
        assert!(matches!(refused, Err(Refusal::NotTakenUp(_))), "{refused:?}");
        assert_eq!(holds().to_bits(), 31_f64.to_bits());
        assert_eq!(store.settings().await.unwrap()[NAME].value, "31", "and so it is at the next start");
        let who: Vec<_> = settings.changes().await.into_iter().map(|change| change.who).collect();
        assert_eq!(who, [ITSELF, "somebody", "somebody"], "newest first");
        let (setup, clock) = (settings.state().setup.clone(), Arc::new(SystemClock::new()) as Arc<dyn Clock>);
        broken.0.store(true, Ordering::Relaxed);
        assert!(start::started(&setup, None, &clock).await.is_none(), "a start that panics is none");
        change("33").await.unwrap();
        assert_eq!(holds().to_bits(), 33_f64.to_bits());
        settings.stop().await;
    }
}
