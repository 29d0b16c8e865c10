//! The lock on the data directory. It ends with the process, however that ends.

use crate::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

/// A file of its own: the database's file is renamed when it is damaged, and a lock must not move away with it.
const FILE_NAME: &str = "wm-controller.lock";

/// Held while this lives.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock at once or not at all.
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let failed = |error: &std::io::Error| StoreError::from_io("locking the data directory", error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(FILE_NAME))
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }
}
