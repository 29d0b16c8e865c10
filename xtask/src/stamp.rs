//! Remembers what a step was last done for, so that it isn't done again for the same.
//!
//! A stamp is a file under target/ with the hash of the step's inputs. It is for preparations only: a check or a test
//! always runs.

use anyhow::Context;
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};

/// The stamp of one step.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// The stamp kept in `file`, for a step with these inputs.
    pub(crate) fn new(file: PathBuf, inputs: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        inputs.hash(&mut hasher);
        Self { file, hash: format!("{:016x}", hasher.finish()) }
    }

    /// Whether the step was done for these very inputs.
    pub(crate) fn holds(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.hash)
    }

    /// Remembers that it is done.
    pub(crate) fn set(&self) -> anyhow::Result<()> {
        fs::write(&self.file, &self.hash).with_context(|| format!("writing {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process};

    #[test]
    fn a_stamp_holds_for_its_inputs_only() {
        let file = env::temp_dir().join(format!("xtask-stamp-{}", process::id()));
        let stamp = Stamp::new(file.clone(), &["one", "two"]);
        assert!(!stamp.holds());
        stamp.set().unwrap();
        assert!(stamp.holds());
        assert!(!Stamp::new(file.clone(), &["onet", "wo"]).holds());
        assert!(!Stamp::new(file.clone(), &["one", "two", ""]).holds());
        fs::remove_file(file).unwrap();
    }
}
