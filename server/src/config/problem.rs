//! What is wrong with a configuration, in one message that names every place. No value of a secret, and no text
//! that could be one, ever stands in it.

use super::Origin;
use std::{fmt, path::PathBuf};

/// The most problems one message names; further ones are counted.
const MOST_NAMED: usize = 20;

/// A configuration that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    problems: Vec<Problem>,
    unnamed: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written; `None` if it concerns the file as a whole.
    pub origin: Option<Origin>,
    /// The setting ("autocontrol.sunset_soc"), where it is about one.
    pub path: Option<String>,
    /// What is wrong and what was expected, in plain words.
    pub what: String,
}

impl ConfigError {
    pub(super) fn whole(file: Option<PathBuf>, what: String) -> Self {
        Self { file, problems: vec![Problem { origin: None, path: None, what }], unnamed: 0 }
    }

    /// What is wrong, in the order of the file's lines, then of the environment's variables.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map_or_else(
            || "configuration".to_owned(),
            |file| file.display().to_string().escape_debug().to_string(),
        );
        let count = self.problems.len() + self.unnamed;
        if count > 1 {
            write!(f, "the configuration can't be used, {count} problems:")?;
        }
        for problem in &self.problems {
            if count > 1 {
                f.write_str("\n  ")?;
            }
            match &problem.origin {
                Some(Origin::File { line }) => write!(f, "{file}:{line}: ")?,
                Some(Origin::Environment { variable }) => {
                    write!(f, "environment variable {}: ", quotable(variable))?;
                }
                Some(Origin::Changed { .. }) => f.write_str("settings page: ")?,
                Some(Origin::Default) | None => write!(f, "{file}: ")?,
            }
            if let Some(path) = &problem.path {
                write!(f, "{path}: ")?;
            }
            f.write_str(&problem.what)?;
        }
        if self.unnamed > 0 {
            write!(f, "\n  and {} more", self.unnamed)?;
        }
        Ok(())
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems {
    named: Vec<Problem>,
    unnamed: usize,
}

impl Problems {
    /// Notes a problem; `what` is only put together if it will be named.
    pub(super) fn add(
        &mut self,
        origin: Option<Origin>,
        path: Option<String>,
        what: impl FnOnce() -> String,
    ) {
        if self.named.len() < MOST_NAMED {
            self.named.push(Problem { origin, path, what: what() });
        } else {
            self.unnamed += 1;
        }
    }

    pub(super) fn into_result(mut self, file: Option<PathBuf>) -> Result<(), ConfigError> {
        if self.named.is_empty() {
            return Ok(());
        }
        self.named.sort_by_key(|problem| match &problem.origin {
            Some(Origin::File { line }) => (0, *line),
            Some(Origin::Environment { .. }) => (1, 0),
            Some(Origin::Changed { .. }) => (2, 0),
            Some(Origin::Default) | None => (3, 0),
        });
        Err(ConfigError { file, problems: self.named, unnamed: self.unnamed })
    }
}

/// A name from outside as it may stand in a message: short, and without control characters.
pub(super) fn quotable(name: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = name.chars().take(LONGEST).collect::<String>().escape_debug().collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// The known name that is nearest to `unknown`; `None` if there are none.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // The distance takes time and memory in proportion to the length of both.
    let unknown: String = unknown.chars().take(64).flat_map(char::to_lowercase).collect();
    known.min_by_key(|name| strsim::damerau_levenshtein(&unknown, &name.to_lowercase()))
}
