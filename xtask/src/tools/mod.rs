//! What building, trying and packing needs besides Rust. Each tool is looked for, and set up where it is missing.

mod chromium;
mod installed;
mod npm;
pub(crate) mod target;

use crate::{debian, workspace::Workspace};
use anyhow::Context;
pub(crate) use installed::QUICK_BUILD;
use installed::Tool;
use std::{
    env,
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::Command,
};

/// The newest that builds with the toolchain of the workspace.
pub(crate) const CARGO_LEPTOS: &str = "0.3.10";

/// What looks at what the project is made of.
const CARGO_DENY: &str = "0.20.2";

/// What makes Debian's packages.
const CARGO_DEB: &str = "3.8.0";

/// What searches for input that breaks a parser.
const CARGO_FUZZ: &str = "0.13.1";

/// Where the tools are.
pub(crate) struct Tools {
    /// The directories with the programs, to be searched before all others.
    directories: Vec<PathBuf>,
}

impl Tools {
    /// Sets up what building the page needs.
    pub(crate) fn for_building(workspace: &Workspace) -> anyhow::Result<Self> {
        // What may fail at once comes before what takes minutes.
        target::ensure(workspace, target::WASM)?;
        let npm = npm::ensure(workspace)?;
        let wasm_bindgen = installed::ensure(workspace, &Tool::wasm_bindgen(workspace)?)?;
        let cargo_leptos = installed::ensure(workspace, &Tool::cargo_leptos())?;
        Ok(Self { directories: vec![cargo_leptos, wasm_bindgen, npm] })
    }

    /// Sets up what trying the page in a browser needs. Also, where the browser is.
    pub(crate) fn for_browsing(workspace: &Workspace) -> anyhow::Result<(Self, PathBuf)> {
        let npm = npm::ensure(workspace)?;
        let chromium = chromium::find(debian::install)?;
        Ok((Self { directories: vec![npm] }, chromium))
    }

    /// Sets up what looking at the project's dependencies needs.
    pub(crate) fn for_looking_through(workspace: &Workspace) -> anyhow::Result<Self> {
        Ok(Self { directories: vec![installed::ensure(workspace, &Tool::cargo_deny())?] })
    }

    /// Sets up what making Debian's packages needs.
    pub(crate) fn for_packaging(workspace: &Workspace) -> anyhow::Result<Self> {
        Ok(Self { directories: vec![installed::ensure(workspace, &Tool::cargo_deb())?] })
    }

    /// Sets up what fuzzing needs besides a nightly Rust.
    pub(crate) fn for_fuzzing(workspace: &Workspace) -> anyhow::Result<Self> {
        Ok(Self { directories: vec![installed::ensure(workspace, &Tool::cargo_fuzz())?] })
    }

    /// A script of the workspace's, run by Node.js. The packages from npm are there.
    pub(crate) fn node(&self, workspace: &Workspace, script: &str) -> anyhow::Result<Command> {
        let mut command = Command::new("node");
        command.arg(workspace.root().join(script));
        command.env("PATH", path(&self.directories, env::var_os("PATH").as_deref())?);
        Ok(command)
    }

    /// A program of these, which itself finds the others.
    pub(crate) fn command(&self, program: &str) -> anyhow::Result<Command> {
        let at = self.directories.iter().map(|directory| directory.join(program));
        let at = at.into_iter().find(|at| at.is_file());
        let mut command = Command::new(at.with_context(|| format!("{program} wasn't installed"))?);
        command.env("PATH", path(&self.directories, env::var_os("PATH").as_deref())?);
        Ok(command)
    }
}

/// A search path with `directories` before what was inherited.
fn path(directories: &[PathBuf], inherited: Option<&OsStr>) -> anyhow::Result<OsString> {
    let inherited = inherited.into_iter().flat_map(env::split_paths);
    env::join_paths(directories.iter().cloned().chain(inherited)).context(
        "the tools are in a directory whose name can't be in PATH: move the project or the cache elsewhere",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_found_before_what_else_is_on_the_path() {
        let tools = ["/tools/a/bin", "/tools/b/bin"].map(PathBuf::from);
        let found = path(&tools, Some(OsStr::new("/usr/local/bin:/usr/bin"))).unwrap();
        assert_eq!(found, "/tools/a/bin:/tools/b/bin:/usr/local/bin:/usr/bin");
        assert_eq!(path(&tools, None).unwrap(), "/tools/a/bin:/tools/b/bin");
    }

    #[test]
    fn a_directory_that_cannot_be_on_the_path_is_told() {
        let error = path(&[PathBuf::from("/a:b")], None).unwrap_err().to_string();
        assert!(error.contains("can't be in PATH"), "{error}");
    }
}
