//! What somebody may do, and what a request needs.

use std::{fmt, str::FromStr};

/// What somebody may do. Each may what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look.
    Read,
    /// Tell miners what to do.
    Control,
    /// Change who may do what, and settings.
    Admin,
}

impl Scope {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 3] = [Self::Read, Self::Control, Self::Admin];

    /// As it stands in forms and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Control => "control",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// There is no such scope.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSuchScope;

impl FromStr for Scope {
    type Err = NoSuchScope;

    fn from_str(word: &str) -> Result<Self, NoSuchScope> {
        Self::ALL.into_iter().find(|scope| scope.word() == word).ok_or(NoSuchScope)
    }
}
