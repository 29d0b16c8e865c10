//! A package as it is installed, updated, removed and purged: by Debian's own tools, in a small Debian of its own.
//!
//! There is no service manager in it. What it would do with the unit, `contents` does in its place.

use super::{Package, contents, documents};
use crate::{debian, folder, process, process::Service, program, say, workspace::Workspace};
use anyhow::{Context, bail, ensure};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

/// Where the system hangs what is started at boot.
const ENABLED: &str = "etc/systemd/system/multi-user.target.wants/wm-controller.service";
const PROGRAM: &str = "usr/bin/wm-controller";
const CONFIG: &str = "etc/wm-controller/config.yaml";
const SECRETS: &str = "etc/wm-controller/secrets";
/// What a dynamic user's state directory really is.
const STATE: &str = "var/lib/private/wm-controller/kept";
/// What a person wrote into the configuration.
const OWN_LINE: &str = "\napp: {port: 8081}\n";

/// Installs this machine's own package of these, and all that may come after.
pub(super) fn check(workspace: &Workspace, packages: &[Package]) -> anyhow::Result<()> {
    let Some(package) = packages.iter().find(|package| package.architecture.is_here()) else {
        say::skipped("none of these packages is for this machine: installing one");
        return Ok(());
    };
    let root = Root(fresh(workspace)?);
    say::step("installing, updating, removing and purging the package");
    fs::copy(&package.file, root.at("package.deb"))?;
    root.run(&["dpkg", "--install", "/package.deb"])?;
    let config = root.at(CONFIG);
    let facts = config.metadata().context("the package brings no configuration")?;
    ensure!(
        facts.uid() == 0 && facts.permissions().mode() & 0o777 == 0o600,
        "the configuration isn't root's alone"
    );
    ensure!(root.at(ENABLED).is_symlink(), "the service isn't started at boot");
    documents::refer_to_what_is_there(&root.0)?;
    let mut demo = root.command(&["/usr/bin/wm-controller"]);
    demo.args([
        "--demo",
        "--house",
        "one",
        "--scale",
        "0",
        "--history",
        "0",
        "--port",
        "0",
        "--data",
        "/tmp/demo",
    ]);
    let service = Service::start(&mut demo, &root.at("demo.log"))?;
    contents::has_page(&program::address(&service)?)?;
    drop(service);

    let written = fs::read_to_string(&config)? + OWN_LINE;
    fs::write(&config, &written)?;
    let state = root.at(STATE);
    fs::create_dir_all(state.parent().context("the state is nowhere")?)?;
    for kept in [&state, &root.at(SECRETS)] {
        fs::write(kept, "kept")?;
    }
    root.run(&["dpkg", "--install", "/package.deb"])?;
    ensure!(fs::read_to_string(&config)? == written && state.exists(), "an update loses something");
    ensure!(root.at(ENABLED).is_symlink(), "after an update the service isn't started at boot");

    root.run(&["dpkg", "--remove", "wm-controller"])?;
    ensure!(!root.at(PROGRAM).exists(), "the program is still there");
    ensure!(fs::read_to_string(&config)? == written && state.exists(), "a removal loses something");

    root.run(&["dpkg", "--purge", "wm-controller"])?;
    for gone in [STATE, CONFIG, SECRETS, ENABLED, "etc/wm-controller", "usr/share/wm-controller"] {
        ensure!(fs::symlink_metadata(root.at(gone)).is_err(), "/{gone} is left");
    }
    Ok(())
}

/// A small Debian like this machine's, in which nothing was installed yet.
fn fresh(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    if process::output(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("only root can install a package, even elsewhere: run this as root, or without --check");
    }
    let release = fs::read_to_string("/etc/os-release").context("reading /etc/os-release")?;
    let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let codename = codename.context("this machine isn't Debian: packages are tried there")?;
    let scratch = workspace.scratch()?;
    let base = scratch.join(format!("debian-{codename}"));
    if !base.join(STAMP).exists() {
        if process::output(Command::new("debootstrap").arg("--version")).is_none() {
            debian::install("debootstrap");
        }
        say::step(format_args!("making a small Debian {codename}, which takes some minutes once"));
        folder::empty(&base)?;
        let mut make = Command::new("debootstrap");
        make.args(["--variant=minbase", "--include=ca-certificates,libgcc-s1", codename]).arg(&base);
        process::run(&mut make, "it needs debootstrap, root and the network")?;
        fs::write(base.join(STAMP), "")?;
    }
    let root = scratch.join("debian-root");
    folder::remove(&root)?;
    process::run(Command::new("cp").arg("--archive").args([&base, &root]), "is the disk full?")?;
    Ok(root)
}

/// In a small Debian that is complete.
const STAMP: &str = "xtask-complete";

/// Its root directory.
struct Root(PathBuf);

impl Root {
    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.join(path)
    }

    fn command(&self, words: &[&str]) -> Command {
        // With /proc, from which a program knows where it is; both are gone with the command.
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--root"]);
        command.arg(&self.0).args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn run(&self, words: &[&str]) -> anyhow::Result<()> {
        process::run(&mut self.command(words), "Debian's own messages are above")
    }
}
