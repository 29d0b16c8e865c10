//! The search of a home network, beside the scanners of two other projects.

use super::Figure;
use crate::{
    process::{self, Service},
    python, say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, bail};
use serde_json::Value;
use std::{collections::BTreeSet, process::Command};

/// Measures the search with the example that its crate has for that, and lets the others search the same network.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    let python = python::environment(workspace)?;
    say::step("building the search's bench");
    let bench = workspace.build("devices", Program::Example("bench_discovery"), Profile::Release)?;
    say::step("searching a simulated network of 254 addresses");
    let log = workspace.scratch()?.join("bench-discovery.log");
    let network = Service::start(&mut Command::new(bench), &log)?;
    let report: Value =
        serde_json::from_str(network.announcement()).context("the search's bench prints no JSON")?;
    let miners = addresses(report.get("miners"));
    let searches = report.get("searches").and_then(Value::as_array).context("there are no searches")?;
    let mut slowest = 0.0;
    for search in searches {
        let found = addresses(search.get("found"));
        if found != miners {
            bail!("not all miners and only they were found: {found:?} of {miners:?}");
        }
        slowest = f64::max(slowest, search.get("seconds").and_then(Value::as_f64).unwrap_or(f64::NAN));
    }
    let range = report.get("range").and_then(Value::as_str).context("there is no range")?;
    let script = workspace.root().join("crates/simulator/tests/clients/scanners.py");
    say::step("letting pyasic and asic-rs search it");
    let told = process::output(Command::new(python).arg("-B").arg(script).arg(range));
    let others: Value =
        serde_json::from_str(&told.context("the other scanners failed: run scanners.py by hand")?)
            .context("the other scanners print no JSON")?;
    let beside = |name: &str| {
        let of = others.get(name);
        let found = addresses(of.and_then(|of| of.get("found")));
        let seconds = of.and_then(|of| of.get("seconds")).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let right = found.intersection(&miners).count();
        format!("{name} found {right} and {} others in {seconds:.1} s", found.len() - right)
    };
    Ok(vec![Figure {
        name: "search of 254 addresses",
        how: format!(
            "slowest of {}, all {} miners and only they were found each time, 40 % of the addresses silent; {}; {}",
            searches.len(),
            miners.len(),
            beside("pyasic"),
            beside("asic-rs")
        ),
        measured: slowest,
        budget: 3.0,
        unit: "s",
    }])
}

fn addresses(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
