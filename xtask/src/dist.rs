//! `cargo xtask dist`: the program and its page in one directory, as they are installed.

use crate::{
    folder, page, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use std::fs;

/// Builds everything and lays it out. The program finds its page beside itself.
pub(crate) fn dist(workspace: &Workspace) -> anyhow::Result<()> {
    let page = page::build(workspace)?;
    say::step("building wm-controller");
    let program = workspace.build("server", Program::Bin("wm-controller"), Profile::Release)?;
    let directory = workspace.target().join("dist");
    let fresh = directory.join("wm-controller.new");
    folder::empty(&fresh)?;
    folder::copy(&page, &fresh).with_context(|| format!("copying {}", page.display()))?;
    fs::copy(&program, fresh.join("wm-controller"))
        .with_context(|| format!("copying {}", program.display()))?;
    let installed = directory.join("wm-controller");
    folder::replace(&installed, &fresh)?;
    say::line(installed.display());
    Ok(())
}
