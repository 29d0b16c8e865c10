//! The journal of decisions: how quickly it is told.

use super::Figure;
use crate::{
    process, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use serde_json::Value;
use std::process::Command;

/// What is measured, where the bench tells it, and how.
const FIGURES: [(&str, &str, &str); 2] = [
    (
        "page of the journal",
        "/page_milliseconds",
        "slowest of five for each of eight questions: 50 entries out of five years of 50,000 each",
    ),
    (
        "marks of a year",
        "/marks_milliseconds",
        "slowest of five: the newest 500 of a miner's commands and dangers",
    ),
];

/// Measures the store with the example that its crate has for that.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    say::step("building the journal's bench");
    let bench = workspace.build("store", Program::Example("bench_journal"), Profile::Release)?;
    say::step("measuring the journal over five years of decisions");
    let told =
        process::output(&mut Command::new(bench)).context("the journal's bench failed: run it by hand")?;
    let report: Value = serde_json::from_str(&told).context("the journal's bench prints no JSON")?;
    let figure = |(name, pointer, how): (&'static str, &str, &str)| {
        let number = report.pointer(pointer).and_then(Value::as_f64);
        let measured = number.with_context(|| format!("the journal's bench tells no {pointer}"))?;
        Ok(Figure { name, how: how.to_owned(), measured, budget: 20.0, unit: "ms" })
    };
    FIGURES.into_iter().map(figure).collect()
}
