//! How much room a disk has.

use std::path::Path;

/// The bytes that are free for us on the disk of this directory, as far as the system tells.
pub(super) fn free(dir: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(dir).ok()?;
    Some(told.f_bavail.saturating_mul(told.f_frsize))
}
