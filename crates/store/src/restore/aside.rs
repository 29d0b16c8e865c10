//! What restores set aside: the database as it was before each of them. It is there for a while, should a restore have been
//! a mistake.

use crate::open::FILE_NAME;
use model::UtcMillis;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What the name of a file that is set aside says beside the moment.
pub(super) const WHY: &str = "before-restore";

/// A file that a restore set aside: the database from before, its log or its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is.
    pub path: PathBuf,
    /// When it was set aside.
    pub at: UtcMillis,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// All that restores set aside in this data directory. What a person renamed isn't told: it is theirs.
pub fn set_aside(data: &Path) -> Vec<SetAside> {
    let Ok(entries) = fs::read_dir(data) else { return Vec::new() };
    let told = |entry: fs::DirEntry| {
        let at = moment(entry.file_name().to_str()?)?;
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some(SetAside { path: entry.path(), at, bytes: metadata.len() })
    };
    entries.flatten().filter_map(told).collect()
}

/// Removes what restores set aside before this instant.
///
/// # Errors
/// If one of the files can't be removed; the others are.
pub fn remove_set_aside(data: &Path, before: UtcMillis) -> io::Result<Vec<SetAside>> {
    let old: Vec<_> = set_aside(data).into_iter().filter(|file| file.at < before).collect();
    let removed: Vec<_> = old.iter().map(|file| fs::remove_file(&file.path)).collect();
    removed.into_iter().collect::<io::Result<()>>().map(|()| old)
}

/// When a file was set aside, by its name; `None`, if it isn't to the letter one that was given here.
fn moment(name: &str) -> Option<UtcMillis> {
    let stamp = name.strip_prefix(FILE_NAME)?.strip_prefix('.')?.strip_prefix(WHY)?.strip_prefix('-')?;
    let (instant, rest) = stamp.split_once('Z')?;
    let rest = rest.strip_suffix("-wal").or_else(|| rest.strip_suffix("-shm")).unwrap_or(rest);
    let is_another = rest.strip_prefix('-').is_some_and(|count| count.parse::<u8>().is_ok());
    if !rest.is_empty() && !is_another {
        return None;
    }
    let (date, clock) = instant.split_once('T')?;
    let (year, day) = date.split_at_checked(4)?;
    let (month, day) = day.split_at_checked(2)?;
    let (hours, seconds) = clock.split_at_checked(2)?;
    let (minutes, seconds) = seconds.split_at_checked(2)?;
    format!("{year}-{month}-{day}T{hours}:{minutes}:{seconds}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::set_aside as put_aside;

    const NOW: UtcMillis = UtcMillis(1_774_094_400_250);
    const DAY: i64 = 86_400_000;

    fn names(files: &[SetAside]) -> Vec<String> {
        let name = |file: &SetAside| file.path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<_> = files.iter().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_set_aside_goes_after_its_time_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let put = |why: &str, at: UtcMillis| {
            for suffix in ["", "-wal"] {
                fs::write(dir.path().join(format!("{FILE_NAME}{suffix}")), "some").unwrap();
            }
            put_aside(dir.path(), why, at).unwrap();
        };
        put(WHY, NOW);
        put(WHY, NOW);
        put(WHY, UtcMillis(NOW.0 + DAY));
        put("broken", NOW);
        let others = [
            FILE_NAME.to_owned(),
            format!("{FILE_NAME}-wal"),
            format!("{FILE_NAME}.{WHY}-20260101T000000Z.gz"),
            format!("{FILE_NAME}.{WHY}-20260101T000000Z-mine"),
            format!("{FILE_NAME}.{WHY}-yesterday"),
            format!("keep-{FILE_NAME}.{WHY}-20260101T000000Z"),
        ];
        for name in &others {
            fs::write(dir.path().join(name), "theirs").unwrap();
        }
        fs::create_dir(dir.path().join(format!("{FILE_NAME}.{WHY}-20260101T000000Z"))).unwrap();
        let all = set_aside(dir.path());
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|file| file.bytes == 4 && (file.at == NOW || file.at.0 == NOW.0 + DAY)));

        assert_eq!(remove_set_aside(dir.path(), NOW).unwrap(), []);
        let removed = remove_set_aside(dir.path(), UtcMillis(NOW.0 + DAY)).unwrap();
        let stamp = "20260321T120000.250Z";
        let expected = ["", "-2", "-2-wal", "-wal"].map(|rest| format!("{FILE_NAME}.{WHY}-{stamp}{rest}"));
        assert_eq!(names(&removed), expected);
        assert_eq!(names(&set_aside(dir.path())).len(), 2);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2 + 2 + others.len() + 1);
    }
}
