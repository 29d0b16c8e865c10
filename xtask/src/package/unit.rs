//! What the service manager itself says of the unit in packaging/, where there is one.

use crate::process;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const UNIT: &str = "wm-controller.service";
/// The most exposure that systemd may find, in tenths of its scale of 0 to 10. What is left is that it may use the network.
const EXPOSURE: &str = "--threshold=12";

fn unit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging").join(UNIT)
}

/// systemd-analyze with these arguments; `None` on a machine without it.
fn analyze(arguments: &[&str], unit: &Path) -> Option<Output> {
    process::output(Command::new("systemd-analyze").arg("--version"))?;
    let mut command = Command::new("systemd-analyze");
    Some(command.args(["--no-pager"]).args(arguments).arg(unit).output().unwrap())
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    let directory = env::temp_dir().join(format!("xtask-unit-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let text = fs::read_to_string(unit()).unwrap();
    let verify = |text: &str| {
        let file = directory.join(UNIT);
        // The program isn't installed on the machine that builds it.
        fs::write(&file, text.replace("/usr/bin/wm-controller", "/bin/true")).unwrap();
        analyze(&["verify"], &file).map(|told| String::from_utf8_lossy(&told.stderr).into_owned())
    };
    if let Some(told) = verify(&text) {
        assert_eq!(told, "");
        let wrong = verify(&text.replace("Restart=always", "Restart=allways")).unwrap();
        assert!(wrong.contains("allways"), "what it doesn't understand would be told: {wrong}");
    }
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_unit_leaves_the_program_what_it_needs_and_no_more() {
    let Some(told) = analyze(&["security", "--offline=true", EXPOSURE], &unit()) else { return };
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{text}{}", String::from_utf8_lossy(&told.stderr));
    let overall = text.lines().last().unwrap();
    assert!(overall.contains("Overall exposure level for wm-controller.service: 1."), "{overall}");
}

/// What the manual promises of a service that nobody watches, and what its search for miners needs.
#[test]
fn the_unit_has_it_watched_and_started_again_and_lets_it_search() {
    let text = fs::read_to_string(unit()).unwrap();
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| unreachable!("no {key}"))
    };
    // Its control loop ticks every 10 s at the latest.
    assert!((20..=120).contains(&value("WatchdogSec").parse::<u32>().unwrap()));
    assert_eq!(["Type", "Restart", "StartLimitIntervalSec"].map(value), ["notify", "always", "0"]);
    assert!(value("RestrictAddressFamilies").split(' ').any(|family| family == "AF_NETLINK"));
    assert!(value("ExecStart").ends_with("--data %S/wm-controller"), "the directory that is kept");
    assert_eq!(value("StateDirectory"), "wm-controller");
}
