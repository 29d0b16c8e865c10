//! `cargo xtask faults`: everything that can go wrong, tried on the program, in one table.

use crate::{process, say, workspace::Workspace};

/// Tries it all, or the scenarios whose names have `filter` in them, and prints what was expected and what was seen.
pub(crate) fn faults(workspace: &Workspace, filter: Option<&str>) -> anyhow::Result<()> {
    say::step("trying what can go wrong");
    let mut command = workspace.cargo(&["test", "--package", "server", "--test", "faults", "--locked"]);
    // More than there are cores: the longest of them wait for a device that is silent.
    command.args(["--", "--quiet", "--test-threads=4"]).args(filter);
    process::run(
        &mut command,
        "the table above names the rows that failed, and what each says stands above it",
    )
}
