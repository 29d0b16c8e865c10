//! The start of the site, with what was changed on the settings page before.

use super::{Inner, Settings, State, loaded};
use crate::{
    assemble,
    config::{App, Change, Changes, ConfigError, Inputs, Loaded, is_secret},
    current::Current,
};
use anyhow::{Context, bail};
use engine::{Site, SiteSetup, clock::Clock};
use futures::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::Store;
use tokio::sync::watch;

/// What a site is started with.
pub struct Start {
    /// What its configuration is made of.
    pub inputs: Inputs,
    /// Where the program is reached.
    pub app: App,
    /// Its database; `None` if that can't be used.
    pub store: Option<Store>,
    /// The clock it lives by.
    pub clock: Arc<dyn Clock>,
    /// Its devices are simulated.
    pub demo: bool,
    /// How long samples wait to be written, if not as long as usual.
    pub samples_wait: Option<Duration>,
}

impl Start {
    /// Starts the site. Should a bug keep it from starting with what was changed before, the file holds.
    ///
    /// # Errors
    /// If it can't be put together or started.
    pub async fn start(self) -> anyhow::Result<Settings> {
        let Self { inputs, app, store, clock, demo, samples_wait } = self;
        let changes = kept(store.as_ref()).await;
        let (mut loaded, mut left_aside) = loaded(&inputs, &changes)?;
        let put_together = |loaded: &Loaded| {
            let mut setup = assemble::site(&loaded.config).context("putting the site together")?;
            if let Some(wait) = samples_wait {
                setup.samples_wait = wait;
            }
            anyhow::Ok(setup)
        };
        loaded.config.app = app.clone();
        let mut setup = put_together(&loaded)?;
        let mut site = started(&setup, store.as_ref(), &clock).await;
        if site.is_none() && !changes.is_empty() {
            tracing::error!(
                "the site couldn't be started with what was changed on the settings page: the file holds"
            );
            left_aside = Some(
                "The house couldn't be started with what was changed here, which is a bug; the log has more. \
                 The file holds."
                    .to_owned(),
            );
            loaded = inputs.load(&Changes::new())?;
            loaded.config.app = app.clone();
            setup = put_together(&loaded)?;
            site = started(&setup, store.as_ref(), &clock).await;
        }
        let Some(site) = site else { bail!("a bug keeps the site from starting; the log has more") };
        let current = Current::new(assemble::facts(&loaded.config, demo), setup.history_rules());
        let handle = site.handle();
        let notify = watch::Sender::new(Arc::new(loaded.config.notify.clone()));
        let state = State { loaded, changes, setup, revision: 0, waiting: Vec::new(), left_aside };
        Ok(Settings(Arc::new(Inner {
            inputs,
            app,
            demo,
            samples_wait,
            store,
            handle,
            site: tokio::sync::Mutex::new(Some(site)),
            current,
            notify,
            state: Mutex::new(state),
            changing: tokio::sync::Mutex::default(),
        })))
    }
}

/// The running site; `None` if starting it panics.
pub(super) async fn started(
    setup: &SiteSetup,
    store: Option<&Store>,
    clock: &Arc<dyn Clock>,
) -> Option<Site> {
    let starting = Site::start(setup.clone(), store.cloned(), Arc::clone(clock));
    AssertUnwindSafe(starting).catch_unwind().await.ok()
}

/// What holds with what was changed on the settings page before. Changes that can't be taken up are left aside.
///
/// # Errors
/// If the file itself is wrong.
pub async fn loaded_with_changes(inputs: &Inputs, store: Option<&Store>) -> Result<Loaded, ConfigError> {
    Ok(loaded(inputs, &kept(store).await)?.0)
}

/// What was changed before.
async fn kept(store: Option<&Store>) -> Changes {
    let Some(store) = store else { return Changes::new() };
    if let Err(error) = store.forget_old_secrets(&is_secret).await {
        tracing::warn!(%error, "passwords that were replaced are still noted among the changes of the settings");
    }
    match store.settings().await {
        Ok(settings) => settings
            .into_iter()
            .map(|(name, kept)| (name, Change { text: kept.value, at: kept.at }))
            .collect(),
        Err(error) => {
            tracing::error!(%error, "what was changed on the settings page can't be read: the file holds");
            Changes::new()
        }
    }
}
