//! The start of the site, with what was changed on the settings page before.

use super::{Inner, Settings, State, loaded};
use crate::{
    assemble,
    config::{App, Change, Changes, Inputs},
    current::Current,
};
use anyhow::Context;
use engine::{Site, clock::Clock};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use store::Store;

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
    /// Starts the site.
    ///
    /// # Errors
    /// If it can't be put together.
    pub async fn start(self) -> anyhow::Result<Settings> {
        let Self { inputs, app, store, clock, demo, samples_wait } = self;
        let changes = kept(store.as_ref()).await;
        let (mut loaded, left_aside) = loaded(&inputs, &changes)?;
        loaded.config.app = app.clone();
        let mut setup = assemble::site(&loaded.config).context("putting the site together")?;
        if let Some(wait) = samples_wait {
            setup.samples_wait = wait;
        }
        let current = Current::new(assemble::facts(&loaded.config, demo), setup.history_rules());
        let site = Site::start(setup.clone(), store.clone(), clock).await;
        let handle = site.handle();
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
            state: Mutex::new(state),
            changing: tokio::sync::Mutex::default(),
        })))
    }
}

/// What was changed before.
async fn kept(store: Option<&Store>) -> Changes {
    let Some(store) = store else { return Changes::new() };
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
