//! What those around the engine found, and the household should know: it stands among the alerts for as long as it holds.

use crate::alerts::Finding;
use model::AlertCode;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What holds. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<BTreeMap<AlertCode, String>>>);

impl Notices {
    /// This holds from now on; with `None` it doesn't any more.
    pub(crate) fn set(&self, code: AlertCode, text: Option<String>) {
        match text {
            Some(text) => drop(self.all().insert(code, text)),
            None => drop(self.all().remove(&code)),
        }
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let finding =
            |(code, text): (&AlertCode, &String)| Finding { code: *code, miner: None, text: text.clone() };
        self.all().iter().map(finding).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<AlertCode, String>> {
        // Nothing is left half done under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
