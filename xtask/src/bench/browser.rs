//! The page in a browser: how it is judged, how quickly it answers a finger, whether it grows.

use super::{Figure, page::Demo};
use crate::{
    page, process, say,
    tools::Tools,
    workspace::{Profile, Program, Workspace},
};
use anyhow::Context;
use serde_json::Value;
use std::{fs, process::Command};

/// What measures in the browser.
const SCRIPT: &str = "end2end/bench/page.mjs";
/// A house that looks back at the year that the history's bench makes, and whose miner doesn't answer any more.
const OLD_HOUSE: &str = "app: {host: 127.0.0.1}\nminer: {host: 127.0.0.1, v2_port: 9, v3_port: 10}\n";

/// Measures a demo, and another one with a year behind it.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    let (tools, chromium) = Tools::for_browsing(workspace)?;
    let files = page::build(workspace)?;
    say::step("building the program as it is shipped");
    let program = workspace.build("server", Program::Bin("wm-controller"), Profile::Release)?;
    let year = workspace.build("store", Program::Example("bench_history"), Profile::Release)?;

    say::step("making a year of history");
    let scratch = workspace.scratch()?.join("bench");
    let data = scratch.join("year");
    crate::folder::empty(&data)?;
    process::output(Command::new(year).arg("--keep").arg(&data)).context("the year can't be made")?;
    let demo = Demo::start(
        &program,
        &files,
        &scratch,
        "demo",
        &["--demo", "--house", "one", "--start", super::page::EVENING],
    )?;
    let configuration = scratch.join("year.yaml");
    fs::write(&configuration, OLD_HOUSE).with_context(|| format!("writing {}", configuration.display()))?;
    let configured = configuration.to_str().context("the workspace's path isn't text")?;
    let old = Demo::start(&program, &files, &scratch, "year", &["--config", configured])?;

    say::step("measuring in the browser, which takes about two minutes");
    let mut script = tools.node(workspace, SCRIPT)?;
    script.args([demo.base(), old.base()]).env("CHROMIUM", chromium);
    let told = process::output(&mut script).with_context(|| format!("{SCRIPT} failed: run it by hand"))?;
    let report: Value = serde_json::from_str(&told).with_context(|| format!("{SCRIPT} prints no JSON"))?;
    let number = |name: &str| {
        report.get(name).and_then(Value::as_f64).with_context(|| format!("{SCRIPT} tells no {name}"))
    };
    let lighthouse = format!(
        "Lighthouse 13, mobile profile; largest paint {:.0} ms, blocked {:.0} ms; failed: {}",
        number("largest_paint_ms")?,
        number("blocking_ms")?,
        report.get("failed").unwrap_or(&Value::Null)
    );
    // A score is as good as it is near to 100: what is missing must not be much.
    let missing = |name, of: &str, budget| {
        let figure = |score: f64| Figure {
            name,
            how: lighthouse.clone(),
            measured: 100.0 - score,
            budget,
            unit: "points",
        };
        number(of).map(figure)
    };
    let took = |name, of: &str, how: &str, budget| {
        number(of).map(|measured| Figure { name, how: how.to_owned(), measured, budget, unit: "ms" })
    };
    Ok(vec![
        missing("performance short of 100", "performance", 5.0)?,
        missing("accessibility short of 100", "accessibility", 0.0)?,
        missing("best practices short of 100", "best_practices", 0.0)?,
        Figure {
            name: "layout shift",
            how: lighthouse.clone(),
            measured: number("layout_shift")?,
            budget: 0.02,
            unit: "",
        },
        took(
            "a year on the screen",
            "year_ms",
            "from the click on All until the frame after it, slowest of five, 600 points a line",
            150.0,
        )?,
        took("a line toggled", "toggle_ms", "from the click to the frame after it, slowest of five", 50.0)?,
        Figure {
            name: "growth of the page",
            how: format!(
                "heap and buffers, WebAssembly included, over an hour of live updates after one; {:.1} MB in all",
                number("held_bytes")? / 1e6
            ),
            measured: number("growth_bytes")? / 1e6,
            budget: 2.0,
            unit: "MB",
        },
        Figure {
            name: "code of the charts",
            how: "brotli; loaded once they are near".to_owned(),
            measured: page::charts_compressed(&files)? as f64 / 1000.0,
            budget: 175.0,
            unit: "kB",
        },
    ])
}
