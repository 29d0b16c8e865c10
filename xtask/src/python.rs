//! The virtual environment with the third-party Python clients, exactly as their list of requirements pins them.

use crate::{debian, process, say, stamp::Stamp, workspace::Workspace};
use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const REQUIREMENTS: &str = "crates/simulator/tests/clients/requirements.txt";

const WITHOUT: &str = "or leave the Python clients out with --quick";

/// Makes the environment if it isn't there for these requirements. Its interpreter.
pub(crate) fn environment(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let requirements = workspace.root().join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).with_context(|| format!("reading {REQUIREMENTS}"))?;
    let directory = workspace.scratch()?.join("venv");
    let python = directory.join("bin/python");
    // Inside the environment: whoever removes it removes the stamp.
    let stamp = Stamp::new(directory.join("requirements.stamp"), &[&wanted]);
    if stamp.holds() && version(&python).is_some() {
        say::skipped("the Python clients are installed");
        return Ok(python);
    }
    say::step("installing the Python clients into target/xtask/venv");
    make(&directory)?;
    match version(&python) {
        Some(version) if version >= (3, 11) => {}
        _ => bail!("the Python clients need Python 3.11 or later: put one first on the PATH, {WITHOUT}"),
    }
    // The list is complete, so nothing is resolved; pylxpweb asks for a newer Python than it needs.
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"])
        .args(["--ignore-requires-python", "--requirement"])
        .arg(&requirements);
    let advice = format!("it needs the network and the Python package index; try again, {WITHOUT}");
    process::run(&mut install, &advice)?;
    stamp.set()?;
    Ok(python)
}

/// Major and minor version of an interpreter that works.
fn version(python: &Path) -> Option<(u32, u32)> {
    let script = "import sys; print(*sys.version_info[:2])";
    let told = process::output(Command::new(python).args(["-c", script]))?;
    let (major, minor) = told.split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Makes an empty environment in the place of whatever is there.
fn make(directory: &Path) -> anyhow::Result<()> {
    let attempt = || {
        let mut venv = Command::new("python3");
        process::output(venv.args(["-m", "venv", "--clear"]).arg(directory)).is_some()
    };
    if attempt() || (debian::install("python3-venv") && attempt()) {
        return Ok(());
    }
    bail!(
        "python3 can't make a virtual environment. Install Python 3.11 or later with its venv module \
         (Debian, Raspberry Pi OS: sudo apt-get install python3-venv) and run this again, {WITHOUT}"
    );
}
