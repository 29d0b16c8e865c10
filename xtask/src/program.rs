//! wm-controller as a program of its own, with the devices of a simulator.

use crate::process::Service;
use anyhow::Context;
use std::{path::Path, process::Command};

/// Starts it, and tells where it answers: `http://HOST:PORT`.
pub(crate) fn start(
    program: &Path,
    simulator_api: &str,
    data: &Path,
    log: &Path,
) -> anyhow::Result<(Service, String)> {
    let mut command = Command::new(program);
    command.args(["--simulator", simulator_api, "--port", "0", "--data"]).arg(data);
    let service = Service::start(&mut command, log)?;
    let address = address(&service)?;
    Ok((service, address))
}

/// Where the program answers, by what it printed: `http://HOST:PORT`.
pub(crate) fn address(service: &Service) -> anyhow::Result<String> {
    let told = service.announcement();
    let address = told.split_whitespace().find_map(|word| word.strip_suffix("/api/system/status"));
    Ok(address.with_context(|| format!("wm-controller announces no address: {told}"))?.to_owned())
}
