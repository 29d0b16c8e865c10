//! Where each value comes from.

use model::UtcMillis;
use std::{collections::BTreeMap, fmt};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody wrote it.
    Default,
    /// The file.
    File {
        /// Counted from 1.
        line: u32,
    },
    /// The environment, which wins over the file.
    Environment {
        /// The variable's name.
        variable: String,
    },
    /// The settings page, which wins over file and environment.
    Changed {
        /// When.
        at: UtcMillis,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { line } => write!(f, "line {line}"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Changed { .. } => f.write_str("settings page"),
        }
    }
}

/// Where each value of a configuration comes from, by its path: `autocontrol.sunset_soc`, `miners[0].host`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance(pub(super) BTreeMap<String, Origin>);

impl Provenance {
    /// Where the setting at this path comes from; `None` if there is no such setting in this configuration.
    pub fn of(&self, path: &str) -> Option<&Origin> {
        self.0.get(path)
    }

    /// Every setting's path and origin, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.0.iter().map(|(path, origin)| (path.as_str(), origin))
    }
}
