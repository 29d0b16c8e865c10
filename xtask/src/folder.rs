//! Directories as a whole: made anew beside the old one, and put into its place when they are complete.

use anyhow::Context;
use std::{fs, io, path::Path};

/// Makes an empty directory in the place of whatever is there.
pub(crate) fn empty(directory: &Path) -> anyhow::Result<()> {
    remove(directory)?;
    fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))
}

/// Puts `fresh` into the place of `directory`.
pub(crate) fn replace(directory: &Path, fresh: &Path) -> anyhow::Result<()> {
    remove(directory)?;
    fs::rename(fresh, directory).with_context(|| format!("making {}", directory.display()))
}

/// Copies a directory with everything in it into `to`, which exists.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copied = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&copied)?;
            copy(&entry.path(), &copied)?;
        } else {
            fs::copy(entry.path(), &copied)?;
        }
    }
    Ok(())
}

/// Removes a directory, if it is there.
pub(crate) fn remove(directory: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", directory.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process};

    #[test]
    fn a_directory_is_copied_and_replaced_as_a_whole() {
        let base = env::temp_dir().join(format!("xtask-folder-{}", process::id()));
        let (old, new, source) = (base.join("old"), base.join("new"), base.join("source"));
        for directory in [&old, &new, &source] {
            empty(directory).unwrap();
        }
        fs::write(old.join("left over"), "").unwrap();
        fs::create_dir(source.join("deep")).unwrap();
        fs::write(source.join("deep/file"), "text").unwrap();
        copy(&source, &new).unwrap();
        replace(&old, &new).unwrap();
        assert_eq!(fs::read_to_string(old.join("deep/file")).unwrap(), "text");
        assert!(!old.join("left over").exists() && !new.exists());
        empty(&old).unwrap();
        assert_eq!(fs::read_dir(&old).unwrap().count(), 0);
        fs::remove_dir_all(base).unwrap();
    }
}
