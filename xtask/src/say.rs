//! What a person sees of the commands: one line for each step. The only place that prints.

use std::{
    fmt::Display,
    io::{self, Write},
};

/// A step begins.
pub(crate) fn step(what: impl Display) {
    line(format_args!("xtask: {what}"));
}

/// A step has nothing to do.
pub(crate) fn skipped(what: impl Display) {
    line(format_args!("xtask: {what}: skipped"));
}

/// A line of a result.
pub(crate) fn line(text: impl Display) {
    let mut out = io::stdout().lock();
    // Whoever closed the pipe doesn't want to read on; that is no reason to stop.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A command failed: the one message.
pub(crate) fn failed(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "xtask: {error:#}");
}
