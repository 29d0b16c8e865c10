//! The running site behind the page's [`Backend`].

use crate::{events::News, outlook::Outlook};
use app::{
    backend::{Backend, History, Wish},
    calls::CallError,
    range::Range,
};
use async_trait::async_trait;
use engine::Request;
use model::{
    ManualTarget, MinerId, Operation, UtcMillis,
    demo::DemoChange,
    event::Overview,
    history::{Quantity, Window},
    journal::{JournalPage, Question},
};
use store::{HistoryRules, Store};

/// The shortest stretch that is drawn of everything there is: what began just now is drawn over an hour.
const SHORTEST: i64 = 3_600_000;

/// The running site, as the page sees it.
pub struct PageBackend {
    /// What is known.
    pub outlook: Outlook,
    /// What was kept; `None` if the database can't be used.
    pub store: Option<Store>,
    /// Which samples of it belong together.
    pub rules: HistoryRules,
    /// Who is to be told of a switch.
    pub news: News,
}

impl PageBackend {
    async fn window(&self, store: &Store, range: Range, points: u32) -> Result<Window, CallError> {
        let now = self.outlook.site.now().utc;
        let from = if let Some(length) = range.millis() {
            UtcMillis(now.0.saturating_sub(length))
        } else {
            let begins = store.history_begins().await.map_err(|error| unreadable(&error))?;
            UtcMillis(begins.map_or(now.0, |begins| begins.0).min(now.0.saturating_sub(SHORTEST)))
        };
        Ok(Window { from, to: now, points })
    }
}

#[async_trait]
impl Backend for PageBackend {
    fn overview(&self) -> Overview {
        self.outlook.overview()
    }

    async fn history(&self, range: Range, points: u32) -> Result<History, CallError> {
        let Some(store) = &self.store else {
            return Err(CallError("The database can't be used, so there is no history.".to_owned()));
        };
        let window = self.window(store, range, points).await?;
        let facts = &self.outlook.facts;
        let first = self.outlook.site.snapshot().miners.first().map(|miner| miner.id.clone());
        let battery = store.battery_history(window, &[Quantity::Soc, Quantity::Pv], self.rules.battery_gap);
        let miner = async {
            match first {
                Some(miner) => {
                    store.miner_history(&miner, window, &[Quantity::Power], self.rules.miner_gap).await
                }
                None => Ok(model::history::Track::default()),
            }
        };
        let (battery, miner) = tokio::join!(battery, miner);
        Ok(History {
            window,
            now: window.to,
            timezone: facts.timezone.name().to_owned(),
            emergency_percent: facts.emergency.get(),
            battery: battery.map_err(|error| unreadable(&error))?,
            miner: miner.map_err(|error| unreadable(&error))?,
        })
    }

    async fn journal(&self, question: &Question) -> Result<JournalPage, CallError> {
        let Some(store) = &self.store else {
            return Err(CallError("The database can't be used, so there is no journal.".to_owned()));
        };
        store.journal(question).await.map_err(|error| {
            tracing::warn!(%error, "the journal can't be read");
            CallError("The journal can't be read just now.".to_owned())
        })
    }

    async fn ask(&self, miner: Option<MinerId>, wish: Wish) -> Result<Option<Operation>, CallError> {
        let request = match wish {
            Wish::PowerOn { confirmed } => Request::PowerOn { confirmed },
            Wish::PowerOff => Request::PowerOff,
            Wish::Manual { percent, hold } => {
                Request::Manual { target: ManualTarget::Percent(percent), hold: Some(hold) }
            }
            Wish::AutoControl { enabled } => Request::AutoControl { enabled },
        };
        let reply = self.outlook.site.ask(miner, request).await;
        reply.map(|reply| reply.operation).map_err(|refused| CallError(refused.to_string()))
    }

    async fn refresh_battery_session(&self) -> Result<(), CallError> {
        let refreshed = self.outlook.site.refresh_battery_session().await;
        refreshed.map_err(|error| CallError(error.to_string()))
    }

    async fn change_demo(&self, change: DemoChange) -> Result<(), CallError> {
        let Some(switches) = &self.outlook.switches else {
            return Err(CallError("This house is real: there is nothing to switch.".to_owned()));
        };
        switches.switch(change).await.map_err(|error| CallError(error.to_string()))?;
        self.news.renew();
        Ok(())
    }
}

fn unreadable(error: &store::StoreError) -> CallError {
    tracing::warn!(%error, "the history can't be read");
    CallError("The history can't be read just now.".to_owned())
}
