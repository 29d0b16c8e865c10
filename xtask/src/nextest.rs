//! cargo-nextest: the runner of the tests, installed where it is missing.

use crate::{process, say, tools, workspace::Workspace};
use std::process::Command;

/// The version that is installed; it builds with the toolchain of the workspace. Any other that is there will do.
const VERSION: &str = "0.9.143";

/// Installs it if it is missing. Whether it is there then.
pub(crate) fn ensure(workspace: &Workspace) -> bool {
    let version = || process::output(&mut workspace.cargo(&["nextest", "--version"]));
    if version().is_some() {
        say::skipped("cargo-nextest is there");
        return true;
    }
    say::step(format_args!("installing cargo-nextest {VERSION}, which takes some minutes"));
    let mut install: Command =
        workspace.cargo(&["install", "cargo-nextest", "--locked", "--version", VERSION]);
    install.envs(tools::QUICK_BUILD);
    match process::run(&mut install, "the messages above say why") {
        Ok(()) => version().is_some(),
        Err(error) => {
            say::step(format_args!("{error:#}"));
            false
        }
    }
}
