//! What stands beside a backup: when it was made and by what, and what its bytes add up to.

use super::{Note, PART};
use crate::StoreError;
use model::UtcMillis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

/// More than any manifest holds.
const LARGEST: u64 = 64 * 1024;

/// What is told of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it was made.
    pub at: UtcMillis,
    /// The version of the program that made it.
    pub program: String,
    /// The version of its schema.
    pub schema: i64,
    /// Whether passwords and all else that is secret are in it.
    pub with_secrets: bool,
    /// The size of its file.
    pub bytes: u64,
    /// The SHA-256 of its file, as hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// That of a file that was just made.
    pub(super) fn of(file: &Path, note: Note) -> io::Result<Self> {
        let (bytes, sha256) = sum(file)?;
        let Note { at, program, schema, with_secrets, .. } = note;
        Ok(Self { at, program, schema, with_secrets, bytes, sha256 })
    }

    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut text = Vec::new();
        File::open(path)?.take(LARGEST).read_to_end(&mut text)?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// Writes it, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut part = path.as_os_str().to_owned();
        part.push(PART);
        let mut file = File::create(&part)?;
        file.write_all(&serde_json::to_vec_pretty(self).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(part, path)
    }

    /// Whether these are the bytes of a file.
    ///
    /// # Errors
    /// If they aren't, or can't be read.
    pub fn check(&self, file: &Path) -> Result<(), StoreError> {
        const CHECKING: &str = "checking the backup";
        let (bytes, sha256) = sum(file).map_err(|error| StoreError::from_io(CHECKING, &error))?;
        if (bytes, &sha256) == (self.bytes, &self.sha256) {
            return Ok(());
        }
        let why = "its bytes aren't those that were written".to_owned();
        Err(StoreError::Broken { doing: CHECKING, why })
    }
}

/// How many bytes a file has, and their SHA-256.
fn sum(file: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(file)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut piece)?;
        let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { break };
        hasher.update(piece);
        bytes += piece.len() as u64;
    }
    let digest: [u8; 32] = hasher.finalize().into();
    Ok((bytes, digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))))
}
