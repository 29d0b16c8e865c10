//! Rust's standard library for the browser and for other machines.

use crate::{process, say, workspace::Workspace};
use anyhow::Context;
use std::{env, path::Path, process::Command};

/// What Rust calls the browser.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Installs that of a target if the toolchain of the workspace hasn't got it.
pub(crate) fn ensure(workspace: &Workspace, target: &str) -> anyhow::Result<()> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(workspace.root()).args(["--print", "target-libdir", "--target", target]);
    let directory =
        process::output(&mut rustc).with_context(|| format!("rustc doesn't know the target {target}"))?;
    if Path::new(&directory).exists() {
        return Ok(());
    }
    say::step(format_args!("installing the target {target}"));
    let mut add = Command::new("rustup");
    add.current_dir(workspace.root()).args(["target", "add", target]);
    let advice = "it needs the network; try again. A Rust that isn't rustup's has a package for the target where Rust \
                  itself came from";
    process::run(&mut add, advice).context(advice)
}
