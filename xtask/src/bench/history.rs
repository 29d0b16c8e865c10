//! The history: how quickly it is told, how large it grows, how much is written for it.

use super::Figure;
use crate::{
    process, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use serde_json::Value;
use std::process::Command;

/// The stretches that are asked for, and what the figures are called.
const STRETCHES: [(&str, &str); 6] = [
    ("1h", "history of an hour"),
    ("6h", "history of 6 hours"),
    ("24h", "history of 24 hours"),
    ("3d", "history of 3 days"),
    ("1w", "history of a week"),
    ("all", "history of a year"),
];
const MEGABYTE: f64 = 1_000_000.0;

/// Measures the store with the example that its crate has for that.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    say::step("building the history's bench");
    let bench = workspace.build("store", Program::Example("bench_history"), Profile::Release)?;
    say::step("measuring the history over a year of samples");
    let told =
        process::output(&mut Command::new(bench)).context("the history's bench failed: run it by hand")?;
    let report: Value = serde_json::from_str(&told).context("the history's bench prints no JSON")?;
    let number = |pointer: &str| {
        let number = report.pointer(pointer).and_then(Value::as_f64);
        number.with_context(|| format!("the history's bench tells no {pointer}"))
    };
    let mut figures = Vec::new();
    for (stretch, name) in STRETCHES {
        figures.push(Figure {
            name,
            how: "slowest of five: battery and miner, in at most 1,000 points, over a year of samples ten seconds apart"
                .to_owned(),
            measured: number(&format!("/track_milliseconds/{stretch}"))?,
            budget: 20.0,
            unit: "ms",
        });
    }
    figures.push(Figure {
        name: "database after a year",
        how: "battery and one miner every ten seconds, samples kept for 30 days".to_owned(),
        measured: number("/bytes_a_year")? / MEGABYTE,
        budget: 150.0,
        unit: "MB",
    });
    figures.push(Figure {
        name: "written on the worst day",
        how: "what the process wrote (wchar in /proc) over 1,440 commits of a minute each and all 48 commands of a day"
            .to_owned(),
        measured: number("/bytes_written_a_day")? / MEGABYTE,
        budget: 20.0,
        unit: "MB",
    });
    Ok(figures)
}
