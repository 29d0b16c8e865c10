//! Rust's standard library for the browser.

use crate::{process, say, workspace::Workspace};
use anyhow::Context;
use std::{env, path::Path, process::Command};

/// What Rust calls the browser.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Installs it if the toolchain of the workspace hasn't got it.
pub(crate) fn ensure_target(workspace: &Workspace) -> anyhow::Result<()> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(workspace.root()).args(["--print", "target-libdir", "--target", TARGET]);
    let directory = process::output(&mut rustc).context("rustc doesn't know the browser's target")?;
    if Path::new(&directory).exists() {
        return Ok(());
    }
    say::step(format_args!("installing the target {TARGET}"));
    let mut add = Command::new("rustup");
    add.current_dir(workspace.root()).args(["target", "add", TARGET]);
    let advice = "it needs the network; try again. A Rust that isn't rustup's has a package for the target where Rust \
                  itself came from";
    process::run(&mut add, advice).context(advice)
}
