//! The tests of the page in a browser, against the real program: they are Playwright's, in end2end/.

use crate::{
    page, process, say,
    tools::Tools,
    workspace::{Profile, Program, Workspace},
};
use std::ffi::OsString;

/// Runs them. `arguments` are Playwright's.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<()> {
    let (tools, chromium) = Tools::for_browsing(workspace)?;
    let page = page::build(workspace)?;
    say::step("building wm-controller");
    let program = workspace.build("server", Program::Bin("wm-controller"), Profile::Tested)?;
    say::step("running the browser tests");
    let results = workspace.scratch()?.join("browser");
    let mut tests = tools.command("playwright")?;
    tests.current_dir(workspace.root().join("end2end")).arg("test").arg("--output").arg(&results);
    tests.args(arguments);
    tests.env("WM_CONTROLLER", program).env("WM_SITE", page).env("CHROMIUM", chromium);
    let advice = format!("the tests that failed are named above; {} has what they left", results.display());
    process::run(&mut tests, &advice)
}
