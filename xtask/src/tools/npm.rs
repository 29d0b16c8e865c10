//! The packages from npm, exactly as their lock file pins them: wasm-opt, and what drives a browser.

use crate::{process, say, stamp::Stamp, workspace::Workspace};
use anyhow::{Context, bail};
use std::{fs, path::PathBuf, process::Command};

/// Where package.json and its lock file are.
const FOLDER: &str = "end2end";
/// The oldest Node.js that all of the packages run with.
const NODE: u32 = 20;

/// Installs the packages if they aren't there as the lock file has them. The directory of their programs.
pub(super) fn ensure(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.root().join(FOLDER);
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("reading {FOLDER}/{name}"))
    };
    let wanted = [read("package.json")?, read("package-lock.json")?];
    let _alone = workspace.lock("npm")?;
    let modules = folder.join("node_modules");
    let programs = modules.join(".bin");
    // Inside: whoever removes the packages removes the stamp.
    let stamp = Stamp::new(modules.join(".xtask-stamp"), &wanted);
    if stamp.holds() {
        return Ok(programs);
    }
    let told = process::output(Command::new("node").arg("--version"));
    let has_npm = process::output(Command::new("npm").arg("--version")).is_some();
    if !has_npm || told.as_deref().and_then(major).is_none_or(|major| major < NODE) {
        bail!(
            "the page needs Node.js {NODE} or later with npm. Install them (Debian 13, Raspberry Pi OS: sudo apt-get \
             install nodejs npm; elsewhere: https://nodejs.org) and run this again"
        );
    }
    say::step(format_args!("installing the npm packages into {FOLDER}/node_modules"));
    let mut install = Command::new("npm");
    install.current_dir(&folder).args(["ci", "--loglevel=error"]);
    // The browser is the system's own.
    install.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    process::run(&mut install, "it needs the network and the npm registry; try again")?;
    stamp.set()?;
    Ok(programs)
}

/// The major version in what `node --version` tells.
fn major(told: &str) -> Option<u32> {
    told.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_its_first_number() {
        assert_eq!(major("v20.19.2"), Some(20));
        assert_eq!(major("v9.11.2"), Some(9));
        assert_eq!(major("20.19.2"), None);
        assert_eq!(major("vnext"), None);
    }

    #[test]
    fn the_lock_file_names_no_registry() {
        let folder = Workspace::find().unwrap().root().join(FOLDER);
        let lock = fs::read_to_string(folder.join("package-lock.json")).unwrap();
        assert!(lock.contains("\"integrity\""));
        // Where to thank its authors is all that a package's address is for.
        let mut addresses = lock.lines().filter(|line| line.contains("://"));
        assert!(!lock.contains("\"resolved\""), "a registry is named");
        assert!(addresses.all(|line| line.trim_start().starts_with("\"url\"")), "a registry is named");
    }
}
