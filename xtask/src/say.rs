//! What a person sees of the commands: one line for each step. The only place that prints.

use std::{
    fmt::Display,
    io::{self, Write},
    sync::LazyLock,
    time::Instant,
};

/// When the first step began.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A step begins: the minutes and seconds since the first show which of them takes its time.
pub(crate) fn step(what: impl Display) {
    let seconds = BEGUN.elapsed().as_secs();
    line(format_args!("xtask {:02}:{:02}: {what}", seconds / 60, seconds % 60));
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
