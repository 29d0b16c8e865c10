//! Copies of the database: made while it is in use, kept in a directory of their own, without what is secret.
//!
//! A backup is one SQLite file with its manifest beside it, which says when it was made, by which version, and what its bytes
//! add up to. Both appear whole or not at all. Whoever asks for one by name gets one of those that are there: a name is never
//! made into a path.

mod copy;
mod manifest;

pub use copy::{Note, SecretNames};
pub(crate) use copy::{forget_secrets, note_of};
pub use manifest::Manifest;

use crate::{
    Store, StoreError,
    open::{create_directory, sync_directory},
};
use model::UtcMillis;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where backups are, below the data directory.
pub const DIRECTORY: &str = "backups";

/// The longest that a backup may take, in real time: some gigabytes on a slow memory card.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// What isn't finished ends with this.
const PART: &str = ".part";
const DATABASE: &str = ".db";
const MANIFEST: &str = ".json";
/// What every backup's name begins with.
const PREFIX: &str = "wm-controller-";

/// The backups of a data directory.
#[derive(Debug, Clone)]
pub struct Backups {
    dir: PathBuf,
}

/// A backup that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// What it is called; also its file's name.
    pub name: String,
    /// What is told of it.
    pub manifest: Manifest,
}

/// What a backup is made with.
#[derive(Clone, Copy)]
pub struct Making<'a> {
    /// When.
    pub at: UtcMillis,
    /// The version of the program.
    pub program: &'a str,
    /// With passwords and all else that is secret.
    pub with_secrets: bool,
    /// What is secret.
    pub secrets: SecretNames<'a>,
}

impl Backups {
    /// Those of this data directory.
    pub fn of(data: &Path) -> Self {
        Self { dir: data.join(DIRECTORY) }
    }

    /// All that are whole, the newest first.
    pub fn list(&self) -> Vec<Backup> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut found: Vec<Backup> = names
            .filter(|name| is_name(name))
            .filter_map(|name| {
                let manifest = Manifest::read(&self.manifest(&name)).ok()?;
                let is_whole =
                    fs::metadata(self.dir.join(&name)).is_ok_and(|file| file.len() == manifest.bytes);
                is_whole.then_some(Backup { name, manifest })
            })
            .collect();
        found.sort_by(|one, other| (other.manifest.at, &other.name).cmp(&(one.manifest.at, &one.name)));
        found
    }

    /// The file of the backup with this name, if there is one.
    pub fn find(&self, name: &str) -> Option<(Backup, PathBuf)> {
        let found = self.list().into_iter().find(|backup| backup.name == name)?;
        let path = self.dir.join(&found.name);
        Some((found, path))
    }

    /// Makes one of a database that may be in use, and whose writers don't wait for it.
    ///
    /// # Errors
    /// If it can't be read or there is no room: nothing is left behind.
    pub async fn make(&self, store: &Store, making: Making<'_>) -> Result<Backup, StoreError> {
        let failed = |error: &io::Error| StoreError::from_io(MAKING, error);
        create_directory(&self.dir).map_err(|error| failed(&error))?;
        self.remove_remains();
        let name = self.free_name(making.at, making.with_secrets).map_err(|error| failed(&error))?;
        let part = self.dir.join(format!("{name}{PART}"));
        let made = self.make_whole(store, making, &name, &part).await;
        if made.is_err() {
            self.remove_remains();
        }
        made
    }

    async fn make_whole(
        &self,
        store: &Store,
        making: Making<'_>,
        name: &str,
        part: &Path,
    ) -> Result<Backup, StoreError> {
        let copied = tokio::time::timeout(LONGEST, copy::copy(store, part, making)).await;
        let note = copied.map_err(|_| StoreError::too_slow(MAKING, LONGEST))??;
        let (dir, name, part) = (self.dir.clone(), name.to_owned(), part.to_owned());
        let manifest_path = self.manifest(&name);
        let finishing = tokio::task::spawn_blocking(move || {
            let manifest = Manifest::of(&part, note)?;
            fs::File::open(&part)?.sync_all()?;
            fs::rename(&part, dir.join(&name))?;
            // With its manifest it is there: this comes last.
            manifest.write(&manifest_path)?;
            sync_directory(&dir)?;
            Ok(Backup { name, manifest })
        });
        let finished = finishing.await.map_err(io::Error::other).and_then(|finished| finished);
        finished.map_err(|error: io::Error| StoreError::from_io(MAKING, &error))
    }

    /// Removes all but the newest so many.
    ///
    /// # Errors
    /// If one can't be removed.
    pub fn prune(&self, keep: usize) -> io::Result<()> {
        for old in self.list().into_iter().skip(keep) {
            self.remove(&old)?;
        }
        Ok(())
    }

    /// Removes one.
    ///
    /// # Errors
    /// If it can't be removed.
    pub fn remove(&self, backup: &Backup) -> io::Result<()> {
        // Without its manifest it isn't there any more.
        fs::remove_file(self.manifest(&backup.name))?;
        fs::remove_file(self.dir.join(&backup.name))?;
        sync_directory(&self.dir)
    }

    /// Removes what was begun and never finished.
    pub fn remove_remains(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let is_begun = name.starts_with(PREFIX) && name.trim_end_matches("-journal").ends_with(PART);
            let is_alone = is_name(&name) && !self.manifest(&name).exists();
            if is_begun || is_alone {
                let _ = fs::remove_file(self.dir.join(name));
            }
        }
    }

    fn manifest(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}{MANIFEST}"))
    }

    fn free_name(&self, at: UtcMillis, with_secrets: bool) -> io::Result<String> {
        let stamp: String =
            at.to_string().chars().filter(|letter| !matches!(letter, ':' | '-' | '.')).collect();
        let secret = if with_secrets { "-with-secrets" } else { "" };
        let base = format!("{PREFIX}{stamp}{secret}");
        std::iter::once(format!("{base}{DATABASE}"))
            .chain((2..100).map(|count| format!("{base}-{count}{DATABASE}")))
            .find(|name| !self.dir.join(name).exists())
            .ok_or_else(|| io::Error::new(io::ErrorKind::AlreadyExists, base))
    }
}

const MAKING: &str = "making a backup";

/// Whether a file is called as a backup is.
fn is_name(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(DATABASE)).is_some_and(|stamp| {
        !stamp.is_empty() && stamp.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}
