//! `cargo xtask run`: builds wm-controller and becomes it.

use crate::{
    say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use std::{ffi::OsString, os::unix::process::CommandExt, path::Path, process::Command};

/// Options that say what to run against.
const SOURCES: [&str; 3] = ["--config", "--demo", "--simulator"];

/// Builds the program and starts it in the place of this one, so that signals and the exit code are its own.
pub(crate) fn run(workspace: &Workspace, debug: bool, mut arguments: Vec<OsString>) -> anyhow::Result<()> {
    let profile = if debug { Profile::Debug } else { Profile::Release };
    say::step("building wm-controller");
    let program = workspace.build("server", Program::Bin("wm-controller"), profile)?;
    if wants_demo(&arguments, Path::new("config.yaml").exists()) {
        say::step("there is no config.yaml here: starting the demo");
        arguments.insert(0, "--demo".into());
    } else {
        say::step("starting wm-controller");
    }
    // It only returns if it fails.
    let error = Command::new(&program).args(arguments).exec();
    Err(error).with_context(|| format!("starting {}", program.display()))
}

fn wants_demo(arguments: &[OsString], configured: bool) -> bool {
    let names_source = |argument: &OsString| {
        let text = argument.to_string_lossy();
        SOURCES.iter().any(|&source| text == source || text.starts_with(&format!("{source}=")))
    };
    !configured && !arguments.iter().any(names_source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_for_those_who_have_nothing_else() {
        let cases: [(&[&str], bool, bool); 8] = [
            (&[], false, true),
            (&[], true, false),
            (&["--port", "0"], false, true),
            (&["--config", "a.yaml"], false, false),
            (&["--port", "0", "--config=a.yaml"], false, false),
            (&["--simulator", "http://127.0.0.1:9000"], false, false),
            (&["--demo", "--scale", "1"], false, false),
            (&["--data", "--configured"], false, true),
        ];
        for (arguments, configured, expected) in cases {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            assert_eq!(wants_demo(&arguments, configured), expected, "{arguments:?} {configured}");
        }
    }
}
