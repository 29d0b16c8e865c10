//! What is told of the configuration that holds. A change on the settings page makes it another.

use crate::rest::Facts;
use std::sync::{Arc, PoisonError, RwLock};
use store::HistoryRules;

/// What holds now. Clones are the same.
#[derive(Clone)]
pub struct Current(Arc<RwLock<(Arc<Facts>, HistoryRules)>>);

impl Current {
    /// What holds from the start on.
    pub fn new(facts: Facts, rules: HistoryRules) -> Self {
        Self(Arc::new(RwLock::new((Arc::new(facts), rules))))
    }

    /// What the page and the API tell of the configuration.
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.read().0)
    }

    /// Which samples of the history belong together.
    pub fn rules(&self) -> HistoryRules {
        self.read().1
    }

    /// Something else holds from now on.
    pub(crate) fn set(&self, facts: Facts, rules: HistoryRules) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(facts), rules);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, (Arc<Facts>, HistoryRules)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
