//! Third-party clients against the simulated devices and against the program: what others understand by the protocols is
//! what ours do.

use crate::{
    folder,
    process::{self, Service},
    program, python, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use serde_json::Value;
use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
};

const SCRIPTS: &str = "crates/simulator/tests/clients";
/// Those that read the program itself.
const SERVER_SCRIPTS: &str = "server/tests/clients";
/// The simulated portal's account.
const ACCOUNT: [&str; 2] = ["demo", "demo"];

/// Firmware of the miner and family of the inverter: by V2 only, by V2 with a power limit, by V3 and V2.
const HOUSES: [(&str, &str); 3] = [("g1", "hybrid"), ("g2", "xp"), ("g3", "hybrid")];

/// A Bitaxe or one of its kin of every firmware, each at an address of its own: the clients know port 80 only.
const AXEOS: [&str; 7] = [
    "gamma-2.15.0@127.0.0.80:80",
    "gamma-2.12.2@127.0.0.81:80",
    "gamma-2.9.0@127.0.0.82:80",
    "ultra-2.4.5@127.0.0.83:80",
    "supra-2.4.5@127.0.0.84:80",
    "ultra-2.15.0@127.0.0.85:80",
    "nerdqaxe++-1.1@127.0.0.86:80",
];

/// Runs every client against every kind of house.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let python = python::environment(workspace)?;
    say::step("building the simulator");
    let simulator = workspace.build("simulator", Program::Bin("simulator"), Profile::Tested)?;
    say::step("building wm-controller");
    let server = workspace.build("server", Program::Bin("wm-controller"), Profile::Tested)?;
    let script_of = |folder: &str, name: &str| {
        let mut command = Command::new(&python);
        // No bytecode is left beside the sources.
        command.arg("-B").arg(workspace.root().join(folder).join(name));
        command
    };
    let script = |name: &str| script_of(SCRIPTS, name);
    for (miner, inverter) in HOUSES {
        say::step(format_args!(
            "running the Python clients against a {miner} miner and a {inverter} inverter"
        ));
        let log = workspace.scratch()?.join(format!("simulator-{miner}.log"));
        let house = Service::start(
            Command::new(&simulator).args(["--profile", miner, "--inverter", inverter, "--scale", "0"]),
            &log,
        )?;
        let (api, portal) = addresses(house.announcement())?;
        let advice = format!("what the clients expected is above; {} has the simulator's log", log.display());
        process::run(script("portal_clients.py").arg(&portal).args(ACCOUNT), &advice)?;
        process::run(script("portal_truth.py").args([&portal, &api]), &advice)?;
        process::run(script("miner_clients.py").arg(&api), &advice)?;
    }
    if may_listen_at_port_80() {
        bitaxes(workspace, &simulator, &script)?;
    } else {
        say::skipped(
            "left out: the Python clients against Bitaxes, which need TCP port 80 of 127.0.0.80 to 127.0.0.86. Run this as \
             root, or allow it (sudo sysctl net.ipv4.ip_unprivileged_port_start=80)",
        );
    }
    say::step("running the Python collector against wm-controller");
    let scratch = workspace.scratch()?;
    let (house_log, log) =
        (scratch.join("simulator-collected.log"), scratch.join("wm-controller-collected.log"));
    let house = Service::start(&mut Command::new(&simulator), &house_log)?;
    let (api, _) = addresses(house.announcement())?;
    let data = scratch.join("collected");
    folder::empty(&data)?;
    let (_program, address) = program::start(&server, &api, &data, &log)?;
    let advice = format!("what it expected is above; {} has the program's log", log.display());
    process::run(script_of(SERVER_SCRIPTS, "openmetrics.py").arg(address), &advice)?;
    say::step("asking wm-controller whatever its API's description allows and forbids");
    let log = scratch.join("described.log");
    let advice = format!("what wasn't as described is above; {} has the program's log", log.display());
    process::run(script_of(SERVER_SCRIPTS, "described.py").arg(&server).arg(&log), &advice)
}

/// Whether this system lets us listen where the clients look for Bitaxes. A port that is taken is another matter, and told
/// as a failure.
fn may_listen_at_port_80() -> bool {
    let tried = TcpListener::bind((Ipv4Addr::new(127, 0, 0, 80), 80));
    tried.map_or_else(|error| error.kind() != ErrorKind::PermissionDenied, |_| true)
}

/// The clients against every firmware of Bitaxes and their kin.
fn bitaxes(workspace: &Workspace, simulator: &Path, script: &impl Fn(&str) -> Command) -> anyhow::Result<()> {
    say::step("running the Python clients against Bitaxes");
    let log = workspace.scratch()?.join("simulator-axeos.log");
    let mut bitaxes = Command::new(simulator);
    bitaxes.args(["--scale", "0"]).args(AXEOS.iter().flat_map(|device| ["--axeos", device]));
    let house = Service::start(&mut bitaxes, &log).with_context(|| {
        format!(
            "the simulated Bitaxes need TCP port 80 of 127.0.0.80 to 127.0.0.86, since the clients know no other port: \
             run this as root, or allow it (sudo sysctl net.ipv4.ip_unprivileged_port_start=80); {} has the \
             simulator's log",
            log.display()
        )
    })?;
    let (api, _) = addresses(house.announcement())?;
    let advice = format!("what the clients expected is above; {} has the simulator's log", log.display());
    process::run(script("axeos_clients.py").arg(&api), &advice)?;
    Ok(())
}

/// Control API and portal from the simulator's announcement.
fn addresses(announcement: &str) -> anyhow::Result<(String, String)> {
    let announced: Value =
        serde_json::from_str(announcement).context("the simulator's announcement is no JSON")?;
    let address = |name: &str| {
        let told = announced.get(name).and_then(Value::as_str);
        told.map(str::to_owned).with_context(|| format!("the simulator announces no {name}: {announcement}"))
    };
    // The clients' HTTP library keeps no cookies for bare addresses.
    Ok((address("api")?, address("portal")?.replace("127.0.0.1", "localhost")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_tells_the_addresses() {
        let announcement = r#"{"api":"http://127.0.0.1:9000","miners":[],"portal":"http://127.0.0.1:9001"}"#;
        let expected = ("http://127.0.0.1:9000".to_owned(), "http://localhost:9001".to_owned());
        assert_eq!(addresses(announcement).unwrap(), expected);
        assert!(addresses("listening").is_err());
        assert!(addresses("{\"api\":1}").unwrap_err().to_string().contains("announces no api"));
    }
}
