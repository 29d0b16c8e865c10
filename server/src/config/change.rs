//! What a person changed on the settings page: values that win over file and environment.

use super::{App, Miner, SECTIONS, setting::Setting};
use model::UtcMillis;
use std::collections::BTreeMap;

/// The settings that were changed, by what they are called there: `autocontrol.sunset_soc`, `miner.host`,
/// `miners.garage.host`. A miner of a list goes by its id: its place in the file may be another tomorrow.
pub type Changes = BTreeMap<String, Change>;

/// What a setting was changed to.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The value, as it would be written in the file. Empty for none.
    pub text: String,
    /// When.
    pub at: UtcMillis,
}

/// Values may be secrets.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Whether the settings page changes it. Where the program is reached, and what a miner's history belongs to, is for whoever
/// has the file.
pub fn is_changeable(section: &str, setting: &Setting) -> bool {
    section != App::SECTION.name && !(section == Miner::SECTION.name && setting.key == "id")
}

/// Whether what goes by this name on the settings page is a secret.
pub fn is_secret(name: &str) -> bool {
    let Some((section, key)) = name.split_once('.') else { return false };
    let (section, key) = match super::listed(name) {
        Some((_, key)) => (Miner::SECTION.name, key),
        None => (section, key),
    };
    let section = SECTIONS.iter().find(|known| known.name == section);
    // What isn't known any more may have been one.
    section
        .and_then(|section| section.setting(key))
        .map_or_else(|| key.contains("pass"), |setting| setting.secret)
}

/// A value that holds, as far as people may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// As it would be written in the file; empty for none.
    Text(String),
    /// A secret.
    Secret {
        /// There is one.
        is_set: bool,
    },
}
