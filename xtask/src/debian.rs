//! Debian's packages, for what Debian has and nothing else brings.

use crate::{process, say};
use std::{path::Path, process::Command};

const APT_GET: &str = "/usr/bin/apt-get";

/// Installs a package where we may: on Debian and what is made of it, as root. Whether it is there then.
pub(crate) fn install(package: &str) -> bool {
    let is_root = process::output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    if !is_root || !Path::new(APT_GET).exists() {
        return false;
    }
    say::step(format_args!("installing Debian's package {package}"));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(APT_GET);
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        process::output(&mut command).is_some()
    };
    apt(&["update"]) && apt(&["install", "--yes", "--no-install-recommends", package])
}
