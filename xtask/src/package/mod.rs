//! `cargo xtask package`: what is installed on Debian and what is made of it, one package for each architecture.
//!
//! What is in it says `package.metadata.deb` in the server's Cargo.toml; cargo-deb makes it. The files beside the program
//! are in packaging/.

mod architecture;
mod contents;
mod documents;
mod installed;
#[cfg(test)]
mod unit;

pub(crate) use architecture::Architecture;

use crate::{
    folder, page, process, say,
    tools::Tools,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, bail};
use clap::ValueEnum;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the page lies when cargo-deb takes it: beside the program that was built for the architecture.
const PAGE: &str = "wm-controller-page";

/// A package that was made.
struct Package {
    architecture: Architecture,
    file: PathBuf,
}

/// Makes the packages of these architectures, or of all; and looks at them, if `check`.
pub(crate) fn package(
    workspace: &Workspace,
    architectures: &[Architecture],
    check: bool,
) -> anyhow::Result<()> {
    let architectures = if architectures.is_empty() { Architecture::value_variants() } else { architectures };
    // What may fail at once comes before what takes minutes.
    let crosses: Vec<_> =
        architectures.iter().map(|one| Ok((*one, one.cross(workspace)?))).collect::<anyhow::Result<_>>()?;
    let tools = Tools::for_packaging(workspace)?;
    let page = page::build(workspace)?;
    let directory = workspace.target().join("debian");
    fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    let mut packages = Vec::new();
    for (architecture, cross) in crosses {
        say::step(format_args!("building wm-controller for {}", architecture.debian()));
        let program =
            workspace.build_for(cross.as_ref(), "server", Program::Bin("wm-controller"), Profile::Release)?;
        let beside = program.parent().context("the program is nowhere")?.join(PAGE);
        folder::empty(&beside)?;
        folder::copy(&page, &beside).with_context(|| format!("copying {}", page.display()))?;
        let fresh = directory.join(architecture.debian());
        folder::empty(&fresh)?;
        let mut deb = tools.command("cargo-deb")?;
        deb.current_dir(workspace.root()).args(["--no-build", "--locked", "--package", "server"]);
        deb.args(cross.iter().flat_map(|cross| ["--target", cross.target]));
        process::run(deb.arg("--output").arg(&fresh), "the messages above say what to change")?;
        packages.push(Package { architecture, file: only_file(&fresh)? });
    }
    if check {
        for package in &packages {
            say::step(format_args!("looking at the package for {}", package.architecture.debian()));
            contents::check(workspace, package)?;
        }
        installed::check(workspace, &packages)?;
    }
    for package in &packages {
        say::line(package.file.display());
    }
    Ok(())
}

fn only_file(directory: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let files: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    match files.as_slice() {
        [file] => Ok(file.clone()),
        files => bail!("{} has {} files, where one package should be", directory.display(), files.len()),
    }
}
