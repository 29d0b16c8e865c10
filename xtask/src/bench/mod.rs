//! `cargo xtask bench`: what the project promises to be quick or small, measured and held against its budget.
//!
//! The budgets are far above what a quiet machine measures, so that a busy one doesn't break them by noise: they are
//! there for mistakes of ten times and more.

mod browser;
mod discovery;
mod fleet;
mod history;
mod import;
mod journal;
mod law;
mod load;
mod page;
mod site;

use crate::{say, workspace::Workspace};
use anyhow::bail;
use clap::ValueEnum;

/// Something measured, with the most it may be.
#[derive(Debug, Clone, PartialEq)]
struct Figure {
    /// What.
    name: &'static str,
    /// How it was measured, in one line.
    how: String,
    /// The value.
    measured: f64,
    /// The most it may be.
    budget: f64,
    /// The unit of both.
    unit: &'static str,
}

impl Figure {
    /// A value that couldn't be measured as a number breaks its budget.
    fn keeps(&self) -> bool {
        self.measured <= self.budget
    }
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The control law.
    Law,
    /// The store's history.
    History,
    /// The store's journal of decisions.
    Journal,
    /// Taking over old logs.
    Import,
    /// The search of the network.
    Discovery,
    /// The page and the demo.
    Page,
    /// The page in a browser.
    Browser,
    /// The running program.
    Site,
    /// The running program while many look at it.
    Load,
    /// The running program with up to 200 miners.
    Fleet,
}

/// Measures these parts, or everything; shows it as a table, and fails if a budget is broken.
pub(crate) fn bench(workspace: &Workspace, parts: &[Part]) -> anyhow::Result<()> {
    let parts = if parts.is_empty() { Part::value_variants() } else { parts };
    let mut figures = Vec::new();
    for part in parts {
        figures.extend(match part {
            Part::Law => law::figures(workspace)?,
            Part::History => history::figures(workspace)?,
            Part::Journal => journal::figures(workspace)?,
            Part::Import => import::figures(workspace)?,
            Part::Discovery => discovery::figures(workspace)?,
            Part::Page => page::figures(workspace)?,
            Part::Browser => browser::figures(workspace)?,
            Part::Site => site::figures(workspace)?,
            Part::Load => load::figures(workspace)?,
            Part::Fleet => fleet::figures(workspace)?,
        });
    }
    table(&figures).iter().for_each(say::line);
    let broken: Vec<_> = figures.iter().filter(|figure| !figure.keeps()).map(|figure| figure.name).collect();
    if !broken.is_empty() {
        bail!(
            "over budget: {}. Measure again on a quiet machine; if it stays, look at what changed there",
            broken.join(", ")
        );
    }
    Ok(())
}

/// The figures in columns, and below how each was measured.
fn table(figures: &[Figure]) -> Vec<String> {
    let row = |figure: &Figure| {
        [
            figure.name.to_owned(),
            format!("{:.3} {}", figure.measured, figure.unit),
            format!("{} {}", figure.budget, figure.unit),
            if figure.keeps() { "ok" } else { "OVER" }.to_owned(),
        ]
    };
    let mut rows = vec![["figure", "measured", "budget", "verdict"].map(str::to_owned)];
    rows.extend(figures.iter().map(row));
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
        })
        .collect();
    lines.extend(figures.iter().map(|figure| format!("  {}: {}", figure.name, figure.how)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(measured: f64) -> Figure {
        Figure { name: "start", how: "once".to_owned(), measured, budget: 50.0, unit: "ms" }
    }

    #[test]
    fn a_budget_is_kept_up_to_its_last_bit() {
        assert!(figure(50.0).keeps());
        assert!(!figure(50.1).keeps());
        assert!(!figure(f64::NAN).keeps());
    }

    #[test]
    fn the_table_says_what_was_measured_and_how() {
        let lines = table(&[figure(3.25), figure(1234.5)]);
        assert_eq!(
            lines,
            [
                "figure | measured    | budget | verdict",
                "start  | 3.250 ms    | 50 ms  | ok",
                "start  | 1234.500 ms | 50 ms  | OVER",
                "  start: once",
                "  start: once",
            ]
        );
    }
}
