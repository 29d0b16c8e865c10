//! The table of what was expected and what was seen.

use crate::{
    rows::SECTIONS,
    scenario::{Scenario, Seen},
};
use std::{
    io::{self, Write},
    time::Duration,
};

const COLUMNS: [(&str, usize); 5] = [
    ("fault", 26),
    ("expected", 36),
    ("what the miner did", 36),
    ("what page and API said", 52),
    ("took", 8),
];

/// A line of the table.
pub(crate) struct Line {
    pub(crate) scenario: &'static Scenario,
    pub(crate) seen: Result<Seen, String>,
    pub(crate) took: Duration,
}

/// Prints the lines in the list's order, under its sections.
pub(crate) fn print(lines: &[Line], out: &mut impl Write) -> io::Result<()> {
    let mut failed = 0;
    for section in &SECTIONS {
        let first =
            |line: &&Line| section.rows.iter().position(|row| Some(row) == line.scenario.rows.first());
        let mut lines: Vec<_> = lines.iter().filter(|line| first(line).is_some()).collect();
        if lines.is_empty() {
            continue;
        }
        lines.sort_by_key(first);
        writeln!(out, "\n{}\n", section.title)?;
        row(out, &COLUMNS.map(|(title, _)| title.to_owned()))?;
        for line in lines {
            writeln!(out, "{}", "-".repeat(COLUMNS.iter().map(|(_, width)| width + 2).sum()))?;
            let (done, told) = match &line.seen {
                Ok(seen) => (seen.done.clone(), seen.told.clone()),
                Err(why) => (format!("FAILED: {}", first_words(why)), String::new()),
            };
            failed += usize::from(line.seen.is_err());
            let fault = format!("{} [{}]", line.scenario.rows.join("; "), line.scenario.name);
            let took = format!("{:.1} s", line.took.as_secs_f64());
            row(out, &[fault, line.scenario.expected.to_owned(), done, told, took])?;
        }
    }
    let took: f64 = lines.iter().map(|line| line.took.as_secs_f64()).sum();
    writeln!(out, "\n{} scenarios, {failed} failed, {took:.0} s of them all\n", lines.len())
}

/// As much of a failure as fits; the whole of it stands above.
fn first_words(why: &str) -> String {
    why.chars().take(240).collect()
}

fn row(out: &mut impl Write, cells: &[String; 5]) -> io::Result<()> {
    let cells: Vec<_> =
        cells.iter().zip(COLUMNS).map(|(text, (_, width))| (wrapped(text, width), width)).collect();
    let height = cells.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0);
    for at in 0..height {
        let mut text = String::new();
        for (lines, width) in &cells {
            let part = lines.get(at).map_or("", String::as_str);
            let missing = width.saturating_sub(part.chars().count());
            text.push_str(part);
            text.push_str(&" ".repeat(missing + 2));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// The text in lines of at most `width` characters, broken between words where that can be.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        while !word.is_empty() {
            let used = if line.is_empty() { 0 } else { line.chars().count() + 1 };
            if used + word.len() <= width {
                if used > 0 {
                    line.push(' ');
                }
                line.extend(word.drain(..));
            } else if line.is_empty() {
                lines.push(word.drain(..width).collect());
            } else {
                lines.push(std::mem::take(&mut line));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
