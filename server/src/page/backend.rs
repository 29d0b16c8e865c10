//! The running site behind the page's [`Backend`].

use crate::{events::News, outlook::Outlook};
use app::{
    backend::{Backend, History, Stretch, TakenUp, Wish},
    calls::CallError,
    chart::{self, Event, Shown},
};
use async_trait::async_trait;
use engine::{Place, Reply, Request};
use model::{
    ManualTarget, MinerId, UtcMillis,
    demo::DemoChange,
    event::Overview,
    history::{Sample, Track, Window},
    journal::{JournalPage, Marks, Question},
};
use store::Store;

/// The shortest stretch that is drawn of everything there is: what began just now is drawn over an hour.
const SHORTEST: i64 = 3_600_000;
const DAY: i64 = 86_400_000;
/// Beyond this length, a sunset a day would hide everything else.
const LONGEST_WITH_SUNSETS: i64 = 8 * DAY;
/// The most decisions that a chart marks.
const MARKS: u32 = 200;

/// The running site, as the page sees it.
pub struct PageBackend {
    /// What is known.
    pub outlook: Outlook,
    /// What was kept; `None` if the database can't be used.
    pub store: Option<Store>,
    /// Who is to be told of a switch.
    pub news: News,
}

impl PageBackend {
    /// The miner that is meant, controlled or only looked at: the first one, if none is named. There may be none at all.
    fn meant(&self, named: Option<MinerId>) -> Result<Option<MinerId>, CallError> {
        let snapshot = self.outlook.site.snapshot();
        let controlled = snapshot.miners.iter().map(|miner| &miner.id);
        let mut known = controlled.chain(snapshot.followed.iter().map(|miner| &miner.id));
        match named {
            None => Ok(known.next().cloned()),
            Some(id) if known.any(|known| *known == id) => Ok(Some(id)),
            Some(_) => Err(CallError("There is no such miner.".to_owned())),
        }
    }

    /// What happened to a miner in a stretch of time. A chart without it is better than none.
    async fn events(&self, store: &Store, miner: Option<&MinerId>, window: Window) -> Vec<Event> {
        let facts = self.outlook.current.facts();
        let marks = match miner {
            Some(miner) => store.marks(miner, window.from, window.to, MARKS).await,
            None => Ok(Marks::default()),
        };
        let marks = marks.unwrap_or_else(|error| {
            tracing::warn!(%error, "the journal can't be read");
            Marks::default()
        });
        let place = Place { timezone: facts.timezone, coordinates: facts.coordinates };
        let sunsets = if window.to.millis_since(window.from) <= LONGEST_WITH_SUNSETS {
            place.sunsets(facts.fixed_sunset, window.from, window.to)
        } else {
            Vec::new()
        };
        chart::events(&marks.marks, &sunsets)
    }

    async fn window(
        &self,
        store: &Store,
        stretch: Stretch,
        now: UtcMillis,
        points: u32,
    ) -> Result<Window, CallError> {
        let (from, to) = match stretch {
            Stretch::UpToNow(range) => {
                let from = if let Some(length) = range.millis() {
                    now.0.saturating_sub(length)
                } else {
                    let begins = store.history_begins().await.map_err(|error| unreadable(&error))?;
                    let shortest = now.0.saturating_sub(SHORTEST);
                    begins.map_or(shortest, |begins| begins.0.min(shortest))
                };
                (UtcMillis(from), now)
            }
            Stretch::Around(range, at) => {
                let half = range.millis().unwrap_or(DAY) / 2;
                (UtcMillis(at.0.saturating_sub(half)), UtcMillis(at.0.saturating_add(half)))
            }
            Stretch::Between { from, to } => (from, to),
        };
        Ok(Window { from, to, points })
    }
}

#[async_trait]
impl Backend for PageBackend {
    fn overview(&self) -> Overview {
        self.outlook.overview()
    }

    async fn history(
        &self,
        miner: Option<MinerId>,
        stretch: Stretch,
        points: u32,
    ) -> Result<History, CallError> {
        let whose = self.meant(miner)?;
        let Some(store) = &self.store else {
            return Err(CallError("The database can't be used, so there is no history.".to_owned()));
        };
        let now = self.outlook.site.now().utc;
        let window = self.window(store, stretch, now, points).await?;
        let rules = self.outlook.current.rules();
        let facts = self.outlook.current.facts();
        let [of_battery, of_miner] =
            [Shown::OF_BATTERY.map(Shown::quantity).to_vec(), Shown::OF_MINER.map(Shown::quantity).to_vec()];
        // Before the store is asked: what is written in between is then in both.
        let mut waiting = self.outlook.site.waiting_samples();
        let battery = store.battery_history(window, &of_battery, rules.battery_gap);
        let miner = async {
            match &whose {
                Some(miner) => store.miner_history(miner, window, &of_miner, rules.miner_gap).await,
                None => Ok(Track::default()),
            }
        };
        let (battery, miner, events) =
            tokio::join!(battery, miner, self.events(store, whose.as_ref(), window));
        let (mut battery, mut miner) =
            (battery.map_err(|error| unreadable(&error))?, miner.map_err(|error| unreadable(&error))?);
        waiting.miners.retain(|sample| Some(&sample.miner) == whose.as_ref());
        go_on(&mut battery, waiting.battery, window);
        go_on(&mut miner, waiting.miners, window);
        Ok(History {
            window,
            now,
            here: if let Stretch::Around(_, at) = stretch { Some(at) } else { None },
            timezone: facts.timezone.name().to_owned(),
            emergency_percent: facts.emergency.get(),
            battery,
            whose,
            miner,
            events,
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

    async fn ask(&self, miner: Option<MinerId>, wish: Wish) -> Result<TakenUp, CallError> {
        let request = match wish {
            Wish::PowerOn { confirmed } => Request::PowerOn { confirmed },
            Wish::PowerOff => Request::PowerOff,
            Wish::Manual { percent, hold } => {
                Request::Manual { target: ManualTarget::Percent(percent), hold: Some(hold) }
            }
            Wish::AutoControl { enabled } => Request::AutoControl { enabled },
        };
        let reply = self.outlook.site.ask(miner, request).await;
        let Reply { operation, decision } = reply.map_err(|refused| CallError(refused.to_string()))?;
        Ok(TakenUp { operation, decision })
    }

    async fn clear_alerts(&self, until: UtcMillis) -> Result<(), CallError> {
        let cleared = self.outlook.site.clear_alerts(until).await;
        cleared.map_err(|refused| CallError(refused.to_string()))
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

/// Goes on with what the store doesn't have yet. That is a minute's worth: where it is more than a track may have points,
/// the database is in trouble, and the newest of it is told.
fn go_on(track: &mut Track, mut waiting: Vec<impl Sample>, window: Window) {
    waiting.retain(|sample| window.from <= sample.at() && sample.at() < window.to);
    waiting.drain(..waiting.len().saturating_sub(window.points as usize));
    track.go_on(waiting);
}

fn unreadable(error: &store::StoreError) -> CallError {
    tracing::warn!(%error, "the history can't be read");
    CallError("The history can't be read just now.".to_owned())
}
