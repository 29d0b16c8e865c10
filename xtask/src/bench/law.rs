//! The control law: a step, and a year replayed.

use super::Figure;
use crate::{
    process, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use serde_json::Value;
use std::process::Command;

/// Measures the law with the example that its crate has for that.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    say::step("building the law's bench");
    let bench = workspace.build("control", Program::Example("bench_law"), Profile::Release)?;
    say::step("measuring the law");
    let told = process::output(&mut Command::new(bench)).context("the law's bench failed: run it by hand")?;
    let report: Value = serde_json::from_str(&told).context("the law's bench prints no JSON")?;
    let number = |name: &str| {
        report.get(name).and_then(Value::as_f64).with_context(|| format!("the law's bench tells no {name}"))
    };
    Ok(vec![
        Figure {
            name: "one step of the law",
            how: format!(
                "median of five means over {} steps through a made-up day like a recorded one",
                number("steps")?
            ),
            measured: number("step_nanoseconds")? / 1000.0,
            budget: 1.0,
            unit: "µs",
        },
        Figure {
            name: "replay of a year",
            how: format!("one replay of {} samples, ten seconds apart", number("replayed")?),
            measured: number("replay_seconds")?,
            budget: 5.0,
            unit: "s",
        },
    ])
}
