//! `cargo xtask run`: builds wm-controller with its page and becomes it.

use crate::{
    page, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use std::{ffi::OsString, os::unix::process::CommandExt, path::Path, process::Command};

/// Options that say what to run against.
const SOURCES: [&str; 3] = ["--config", "--demo", "--simulator"];

/// Option that says where the page is.
const SITE: &str = "--site";

/// Builds the page and the program and starts it in the place of this one, so that signals and the exit code are its own.
pub(crate) fn run(workspace: &Workspace, debug: bool, mut arguments: Vec<OsString>) -> anyhow::Result<()> {
    let profile = if debug { Profile::Debug } else { Profile::Release };
    let page = page::build(workspace)?;
    say::step("building wm-controller");
    let program = workspace.build("server", Program::Bin("wm-controller"), profile)?;
    if wants_demo(&arguments, Path::new("config.yaml").exists()) {
        say::step("there is no config.yaml here: starting the demo");
        arguments.insert(0, "--demo".into());
    } else {
        say::step("starting wm-controller");
    }
    // It only returns if it fails.
    let error = Command::new(&program).args(site(&arguments, &page)).args(arguments).exec();
    Err(error).with_context(|| format!("starting {}", program.display()))
}

fn wants_demo(arguments: &[OsString], configured: bool) -> bool {
    !configured && !SOURCES.iter().any(|source| has(arguments, source))
}

/// What tells the program where its page is, unless somebody else did.
fn site(arguments: &[OsString], page: &Path) -> Vec<OsString> {
    if has(arguments, SITE) { vec![] } else { vec![SITE.into(), page.into()] }
}

fn has(arguments: &[OsString], option: &str) -> bool {
    arguments.iter().any(|argument| {
        let text = argument.to_string_lossy();
        text == option || text.starts_with(&format!("{option}="))
    })
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

    #[test]
    fn the_page_is_the_one_that_was_built_unless_another_is_named() {
        let page = Path::new("/built");
        assert_eq!(site(&["--port".into(), "0".into()], page), ["--site", "/built"].map(OsString::from));
        assert!(site(&["--site".into(), "elsewhere".into()], page).is_empty());
        assert!(site(&["--site=elsewhere".into()], page).is_empty());
    }
}
