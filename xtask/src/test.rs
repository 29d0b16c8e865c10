//! `cargo xtask test`: everything, up to the first failure.
//!
//! The tests' own closing lines come last, so that whoever reads only the end knows what ran.

use crate::{
    browser, check, clients, nextest, process, say,
    tools::Tools,
    workspace::{self, Workspace},
};

const READ_ABOVE: &str = "the tests that failed are named above";

/// Every check and every test.
pub(crate) fn everything(workspace: &Workspace) -> anyhow::Result<()> {
    // Quickly done, and what is missing here would else be told only after half an hour.
    Tools::for_browsing(workspace)?;
    check::everything(workspace)?;
    if run_tests(workspace)? == DocTests::Outstanding {
        say::step("running the examples in the documentation");
        let mut command = workspace.cargo(&["test", "--doc", "--locked"]);
        process::run(command.args(workspace::ON_THIS_MACHINE), READ_ABOVE)?;
    }
    clients::run(workspace)?;
    browser::run(workspace, &[])
}

/// What is worth running after every change.
pub(crate) fn quickly(workspace: &Workspace) -> anyhow::Result<()> {
    check::quickly(workspace)?;
    run_tests(workspace).map(drop)
}

#[derive(PartialEq)]
enum DocTests {
    Done,
    Outstanding,
}

fn run_tests(workspace: &Workspace) -> anyhow::Result<DocTests> {
    if nextest::ensure(workspace) {
        say::step("running all tests");
        let mut command = workspace.cargo(&["nextest", "run", "--locked"]);
        process::run(command.args(workspace::ON_THIS_MACHINE), READ_ABOVE)?;
        Ok(DocTests::Outstanding)
    } else {
        say::step("running all tests with cargo test: cargo-nextest can't be installed here");
        let mut command = workspace.cargo(&["test", "--locked"]);
        process::run(command.args(workspace::ON_THIS_MACHINE), READ_ABOVE)?;
        Ok(DocTests::Done)
    }
}
