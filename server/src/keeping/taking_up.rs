//! Restoring: what is there or comes is copied to a place of its own and proven there; then the house is started anew with it.

use super::{Keeping, NotBegun, disk, room::LEFT_FREE};
use axum::body::Bytes;
use futures::{Stream, StreamExt};
use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
    pin::pin,
    thread,
    time::Duration,
};
use store::{backup::Backup, restore};
use tokio::sync::oneshot;

/// The largest file that is taken for a backup, in bytes: decades of one house.
const LARGEST: u64 = 8 << 30;
/// How long nothing may come of a file that is sent, in real time.
const PATIENCE: Duration = Duration::from_secs(60);

impl Keeping {
    /// Begins to restore a backup that is there.
    ///
    /// # Errors
    /// If it can't be begun.
    pub fn restore(&self, name: &str) -> Result<(), NotBegun> {
        let (backup, path) = self.find(name).ok_or(NotBegun::Unknown)?;
        self.has_room(backup.manifest.bytes)?;
        let this = self.clone();
        self.begin("a backup is being restored", async move {
            let data = this.0.data.clone();
            let copying = tokio::task::spawn_blocking(move || copied(&data, &backup, &path));
            let copied = copying.await.map_err(|error| error.to_string()).and_then(|copied| copied);
            this.prove(copied).await
        })
    }

    /// Takes a backup that is sent, and begins to restore it once it is there.
    ///
    /// # Errors
    /// If it doesn't come whole, or can't be begun.
    pub async fn receive<E: fmt::Display>(
        &self,
        pieces: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), NotBegun> {
        let receiving = self.occupy("a backup is being received")?;
        let path = restore::incoming(&self.0.data).map_err(|error| NotBegun::Broken(error.to_string()))?;
        let received = self.write(&path, pieces).await;
        drop(receiving);
        if let Err(refusal) = received {
            restore::give_up(&self.0.data);
            return Err(refusal);
        }
        let this = self.clone();
        self.begin("a backup is being restored", async move { this.prove(Ok(())).await })
    }

    async fn write<E: fmt::Display>(
        &self,
        path: &Path,
        pieces: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), NotBegun> {
        let broken = |error: io::Error| NotBegun::Broken(error.to_string());
        let free = disk::free(&self.0.data).unwrap_or(LARGEST).saturating_sub(LEFT_FREE);
        let most = free.min(LARGEST);
        let mut file = private(path).map_err(broken)?;
        let mut pieces = pin!(pieces);
        let mut bytes = 0;
        loop {
            let next = tokio::time::timeout(PATIENCE, pieces.next()).await;
            let Some(piece) = next.map_err(|_| NotBegun::Broken("nothing more came".into()))? else { break };
            let piece = piece.map_err(|error| NotBegun::Broken(error.to_string()))?;
            bytes += piece.len() as u64;
            if bytes > most {
                return Err(NotBegun::NoRoom { needed: bytes, free: most });
            }
            // A piece is small, and at most waits for the disk as everybody does.
            let written = tokio::task::spawn_blocking(move || file.write_all(&piece).map(|()| file)).await;
            file = written.map_err(io::Error::other).and_then(|file| file).map_err(broken)?;
        }
        self.count(bytes);
        Ok(())
    }

    /// Proves what is there, and starts the house anew with it.
    async fn prove(&self, copied: Result<(), String>) -> Result<String, String> {
        let (data, now) = (self.0.data.clone(), self.0.site.now());
        let proven = match copied {
            Ok(()) => {
                // On a thread of its own, which nobody waits for at a shutdown: a large file is read several times.
                let (runtime, (told, proven)) = (tokio::runtime::Handle::current(), oneshot::channel());
                thread::spawn(move || told.send(runtime.block_on(restore::prove(&data, now))));
                let proven = proven.await.map_err(|error| error.to_string());
                proven.and_then(|proven| proven.map_err(|error| error.to_string()))
            }
            Err(error) => Err(error),
        };
        let ready = proven.map_err(|error| {
            restore::give_up(&self.0.data);
            format!("Nothing was restored, and everything is as it was: {error}.")
        })?;
        tracing::warn!(?ready, "a backup is taken up: the house is started anew");
        self.0.anew.cancel();
        Ok("The backup is taken up now.".to_owned())
    }
}

/// Copies a backup that is there to where it is proven.
fn copied(data: &Path, backup: &Backup, path: &Path) -> Result<(), String> {
    backup.manifest.check(path).map_err(|error| error.to_string())?;
    let to = restore::incoming(data).map_err(|error| error.to_string())?;
    fs::copy(path, to).map(drop).map_err(|error| error.to_string())
}

/// A new file for its owner alone.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    options.open(path)
}
