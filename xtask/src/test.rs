//! `cargo xtask test`: everything, up to the first failure.
//!
//! The tests' own closing lines come last, so that whoever reads only the end knows what ran.

use crate::{check, clients, nextest, process, say, workspace::Workspace};

const READ_ABOVE: &str = "the tests that failed are named above";

/// Every check and every test.
pub(crate) fn everything(workspace: &Workspace) -> anyhow::Result<()> {
    check::everything(workspace)?;
    if run_tests(workspace)? == DocTests::Outstanding {
        say::step("running the examples in the documentation");
        process::run(&mut workspace.cargo(&["test", "--doc", "--workspace", "--locked"]), READ_ABOVE)?;
    }
    clients::run(workspace)
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
        process::run(&mut workspace.cargo(&["nextest", "run", "--workspace", "--locked"]), READ_ABOVE)?;
        Ok(DocTests::Outstanding)
    } else {
        say::step("running all tests with cargo test: cargo-nextest can't be installed here");
        process::run(&mut workspace.cargo(&["test", "--workspace", "--locked"]), READ_ABOVE)?;
        Ok(DocTests::Done)
    }
}
