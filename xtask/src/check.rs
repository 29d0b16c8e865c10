//! `cargo xtask check`: what can be said of the sources without running them.

use crate::{
    direction, process, say,
    tools::{self, target},
    workspace::{self, Workspace},
};
use anyhow::bail;

const READ_ABOVE: &str = "each message above says what to change";

/// Format, lints, documentation, dependency direction, and what the project is made of.
pub(crate) fn everything(workspace: &Workspace) -> anyhow::Result<()> {
    quickly(workspace)?;
    dependencies(workspace)?;
    documentation(workspace)
}

/// All but the documentation.
pub(crate) fn quickly(workspace: &Workspace) -> anyhow::Result<()> {
    // The quickest first.
    dependency_direction(workspace)?;
    format(workspace)?;
    lints(workspace)
}

fn format(workspace: &Workspace) -> anyhow::Result<()> {
    say::step("checking the format");
    let advice = "`cargo fmt --all` puts it right";
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]), advice)
}

fn lints(workspace: &Workspace) -> anyhow::Result<()> {
    say::step("checking the lints");
    let mut command = workspace.cargo(&["clippy", "--all-targets", "--locked"]);
    command.args(workspace::ON_THIS_MACHINE).args(["--", "-D", "warnings"]);
    process::run(&mut command, READ_ABOVE)?;
    say::step("checking the lints of what runs in the browser");
    target::ensure(workspace, target::WASM)?;
    let mut command = workspace.cargo(&["clippy", "--package", "frontend", "--locked"]);
    command.args(["--target", target::WASM, "--", "-D", "warnings"]);
    process::run(&mut command, READ_ABOVE)
}

/// Licences, where packages come from, and what is kept out: `deny.toml`. What was found out about packages since
/// (advisories) isn't looked up: a check must not turn red by itself.
fn dependencies(workspace: &Workspace) -> anyhow::Result<()> {
    let tools = tools::Tools::for_looking_through(workspace)?;
    say::step("checking licences and origins of what the project is made of");
    let mut command = tools.command("cargo-deny")?;
    command.current_dir(workspace.root()).args(["--locked", "--log-level", "error"]);
    command.args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    process::run(&mut command, "deny.toml says what may be used, and why")
}

fn documentation(workspace: &Workspace) -> anyhow::Result<()> {
    say::step("building the documentation");
    let mut command = workspace.cargo(&["doc", "--no-deps", "--document-private-items", "--locked"]);
    command.args(workspace::ON_THIS_MACHINE).env("RUSTDOCFLAGS", "-D warnings");
    process::run(&mut command, READ_ABOVE)
}

fn dependency_direction(workspace: &Workspace) -> anyhow::Result<()> {
    say::step("checking which crate depends on which");
    let violations = direction::violations(&direction::members(workspace.metadata()));
    if violations.is_empty() {
        return Ok(());
    }
    let listed = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
    bail!(
        "the workspace's crates depend on each other against its rule:\n  {listed}\n\
         Move the code to where it belongs, or change the rule in xtask/src/direction.rs."
    );
}
