//! The browser that the page is tried in.

use anyhow::bail;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// What it is called, on Debian and elsewhere.
const NAMES: [&str; 2] = ["chromium", "chromium-browser"];

/// Where it is: what the variable CHROMIUM says, or what is on the PATH. `install` is tried where there is none.
pub(super) fn find(install: impl FnOnce(&str) -> bool) -> anyhow::Result<PathBuf> {
    if let Some(chosen) = env::var_os("CHROMIUM") {
        return Ok(chosen.into());
    }
    let look = || NAMES.iter().find_map(|name| on_path(name, env::var_os("PATH").as_deref()));
    if let Some(found) = look().or_else(|| install("chromium").then(look).flatten()) {
        return Ok(found);
    }
    bail!(
        "the browser tests need Chromium. Install it (Debian, Raspberry Pi OS: sudo apt-get install chromium), or set \
         CHROMIUM to the program, and run this again; --quick leaves these tests out"
    );
}

fn on_path(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let directories = path.into_iter().flat_map(env::split_paths);
    directories.map(|directory| directory.join(name)).find(|at| is_program(at))
}

fn is_program(at: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    at.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_the_path_and_nothing_else_is() {
        let path = OsStr::new("/nowhere:/bin:/etc");
        assert_eq!(on_path("sh", Some(path)), Some(PathBuf::from("/bin/sh")));
        // A file, and a directory, that nobody can run.
        assert_eq!(on_path("passwd", Some(OsStr::new("/etc"))), None);
        assert_eq!(on_path("etc", Some(OsStr::new("/"))), None);
        assert_eq!(on_path("sh", None), None);
    }
}
