//! The one live store of the page: what the server said last, kept up to date by its stream of events.
//!
//! The server renders from the same store, so that the page reads the same before and after it comes alive.

use crate::{
    chart::{Chart, ChartStart},
    view::{self, View},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// How long the stream may be silent, in real milliseconds, before the page says so: a tick comes every 10 s.
const SILENCE: f64 = 25_000.0;

/// What the page begins with: the server puts it into the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The id of the miner whose page it is; the dashboard, if it is `None`.
    pub of: Option<String>,
    /// What is shown.
    pub view: View,
    /// The charts.
    pub chart: ChartStart,
    /// Whoever looks may change something too.
    pub may_change: bool,
    /// What a form without JavaScript asked for and was refused.
    pub refused: Option<Refused>,
}

/// What a form asked for and was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The call that the form made.
    pub call: String,
    /// The id of the miner that it was about, where it was about one and that is known.
    pub miner: Option<String>,
    /// Why.
    pub why: String,
}

/// The stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// There is none: the page is as the server rendered it.
    #[default]
    None,
    /// Events come.
    Open,
    /// It broke off and is being opened again.
    Lost,
    /// Closed while nobody looks.
    Asleep,
}

/// What the page knows. A handle: copies are the same store.
#[derive(Clone, Copy)]
pub struct Live {
    pub(crate) view: RwSignal<View>,
    pub(crate) link: RwSignal<Link>,
    /// The present at the site, in milliseconds since 1970. It goes on between two events and when none come any more.
    pub(crate) now: RwSignal<i64>,
    /// For how many real milliseconds nothing has come.
    pub(crate) silent: RwSignal<f64>,
    /// What is shown was kept by the browser: since the page was opened nothing has come.
    pub(crate) is_kept: RwSignal<bool>,
    /// The controller has other files for the page than this one is made of.
    pub(crate) is_outdated: RwSignal<bool>,
    of: StoredValue<Option<String>>,
    /// The charts, by themselves: the handle stays small.
    chart: StoredValue<Chart>,
    may_change: bool,
    refused: StoredValue<Option<Refused>>,
    build: StoredValue<String>,
}

impl Live {
    /// A store that begins with what the server rendered.
    pub fn new(start: Start) -> Self {
        let Start { of, view, chart, may_change, refused } = start;
        Self {
            now: RwSignal::new(view.at),
            build: StoredValue::new(view.build.clone()),
            view: RwSignal::new(view),
            of: StoredValue::new(of),
            link: RwSignal::default(),
            silent: RwSignal::new(0.0),
            is_kept: RwSignal::new(false),
            is_outdated: RwSignal::new(false),
            chart: StoredValue::new(Chart::new(chart)),
            may_change,
            refused: StoredValue::new(refused),
        }
    }

    /// The miner whose page this is; `None` on the dashboard.
    pub(crate) fn of(self) -> Option<String> {
        self.of.get_value()
    }

    /// Whether whoever looks may change something too. Who may is said anew with each document.
    pub(crate) const fn may_change(self) -> bool {
        self.may_change
    }

    /// The charts.
    pub(crate) fn chart(self) -> Chart {
        self.chart.get_value()
    }

    /// A part of what is shown. Whoever reads it is told only when it changes.
    pub fn part<T>(self, part: impl Fn(&View) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.view.with(&part))
    }

    /// How long ago an instant of the site was, in words.
    pub fn age(self, at: i64) -> String {
        view::age(self.now.get().saturating_sub(at) as f64 / 1000.0)
    }

    /// For how many seconds nothing has come, where that is longer than it should be: what the page shows is old then.
    pub fn silent_seconds(self) -> Option<f64> {
        let silent = self.silent.get();
        (silent > SILENCE || self.is_kept.get()).then_some(silent / 1000.0)
    }

    /// Whether a view is of the build of the page's files that this page began with.
    pub fn is_of_this_build(self, view: &View) -> bool {
        self.build.with_value(|build| *build == view.build)
    }

    /// Why the call of a form without JavaScript was refused, if it was this one, about this miner or none.
    pub fn refusal(self, call: &str, miner: Option<&str>) -> Option<String> {
        let refused = self.refused.get_value()?;
        let is_meant = refused.miner.is_none() || refused.miner.as_deref() == miner;
        (refused.call == call && is_meant).then_some(refused.why)
    }

    /// Whether what was refused was asked of this miner.
    pub(crate) fn is_refused_of(self, miner: &str) -> bool {
        self.refused.with_value(|refused| {
            refused.as_ref().is_some_and(|refused| refused.miner.as_deref() == Some(miner))
        })
    }
}
