//! The page: how soon the demo is ready, how soon the first byte comes, how much is loaded until it is alive, and what
//! twenty who look at it cost.

use super::Figure;
use crate::{
    http, page,
    process::Service,
    process_facts::Memory,
    say,
    workspace::{Profile, Program, Workspace},
};
use anyhow::{Context, bail};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How often the page is asked for; the slowest counts.
const LOADS: usize = 20;
/// How many look at it at once.
const LOOKERS: usize = 20;
/// How many views each of them gets before memory is looked at.
const VIEWS: usize = 15;
/// How long a view may be waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// An evening in June at the demo's house.
pub(super) const EVENING: &str = "2026-06-23T23:40:00Z";

/// A running program whose page is looked at.
pub(super) struct Demo {
    server: Service,
    base: String,
}

impl Demo {
    /// Starts the program with its data in the directory `name` of `scratch`.
    pub(super) fn start(
        program: &Path,
        files: &Path,
        scratch: &Path,
        name: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["--port", "0"]).args(arguments);
        command.arg("--data").arg(scratch.join(name)).arg("--site").arg(files);
        let server = Service::start(&mut command, &scratch.join(format!("{name}.log")))?;
        let told = server.announcement();
        let base = told.split_whitespace().find_map(|word| word.strip_suffix("/api/system/status"));
        let base = base.with_context(|| format!("wm-controller announces no address: {told}"))?.to_owned();
        Ok(Self { server, base })
    }

    /// Its address.
    pub(super) fn base(&self) -> &str {
        &self.base
    }
}

/// Measures the demo as it is shipped.
pub(super) fn figures(workspace: &Workspace) -> anyhow::Result<Vec<Figure>> {
    let files = page::build(workspace)?;
    say::step("building the program as it is shipped");
    let program = workspace.build("server", Program::Bin("wm-controller"), Profile::Release)?;
    let scratch = workspace.scratch()?.join("bench");
    fs::create_dir_all(&scratch).with_context(|| format!("making {}", scratch.display()))?;

    say::step("starting the demo with three days behind it");
    let begun = Instant::now();
    let demo =
        Demo::start(&program, &files, &scratch, "data", &["--demo", "--house", "one", "--start", EVENING])?;
    let ready = begun.elapsed();
    let base = demo.base();

    say::step("loading the page");
    let mut slowest = Duration::ZERO;
    let mut document = 0;
    for _ in 0..LOADS {
        let (first_byte, bytes) = http::load(base, "/")?;
        slowest = slowest.max(first_byte);
        document = document.max(bytes);
    }
    let loaded = page::compressed(&files)?;
    let first_view = loaded.iter().map(|(_, bytes)| bytes).sum::<u64>() + document;

    say::step(format_args!("{LOOKERS} look at the page"));
    let memory = with_lookers(base, demo.server.id())?;
    let parts: Vec<_> =
        loaded.iter().map(|(name, bytes)| format!("{name} {:.1}", kilobytes(*bytes))).collect();
    let part = |name, kind: &str, budget| Figure {
        name,
        how: "brotli".to_owned(),
        measured: loaded
            .iter()
            .find(|(known, _)| *known == kind)
            .map_or(f64::NAN, |(_, bytes)| kilobytes(*bytes)),
        budget,
        unit: "kB",
    };
    Ok(vec![
        Figure {
            name: "demo ready",
            how: "from the start of the program to its announcement, with three days lived through"
                .to_owned(),
            measured: ready.as_secs_f64(),
            budget: 20.0,
            unit: "s",
        },
        Figure {
            name: "first byte of the page",
            how: format!("slowest of {LOADS} loads, each with a connection of its own, the demo running"),
            measured: slowest.as_secs_f64() * 1000.0,
            budget: 15.0,
            unit: "ms",
        },
        Figure {
            name: "first interactive view",
            how: format!(
                "kB compressed: document {:.1} (gzip), {} (brotli)",
                kilobytes(document),
                parts.join(", ")
            ),
            measured: kilobytes(first_view),
            budget: 270.0,
            unit: "kB",
        },
        part("module of the page", "wasm", 230.0),
        part("style of the page", "css", 12.0),
        Figure {
            name: "memory with twenty pages",
            how: format!(
                "VmRSS after {VIEWS} views to each of {LOOKERS} streams; the simulated house is in the same process. \
                 {:.1} MB of it is data; the highest was {:.1} MB",
                memory.data, memory.highest
            ),
            measured: memory.now,
            budget: 30.0,
            unit: "MB",
        },
    ])
}

fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

/// The program's memory while many hear its stream.
fn with_lookers(base: &str, id: u32) -> anyhow::Result<Memory> {
    let (tell, told) = mpsc::channel();
    let mut streams = Vec::new();
    for _ in 0..LOOKERS {
        let host = base.strip_prefix("http://").context("only plain HTTP is spoken here")?;
        let mut stream = TcpStream::connect(host)?;
        write!(stream, "GET /api/events?view=page HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
        let lines = BufReader::new(stream.try_clone()?);
        streams.push(stream);
        let tell = tell.clone();
        // It ends with its stream.
        thread::spawn(move || {
            let views = lines.lines().map_while(Result::ok).filter(|line| line.contains("event: view"));
            for _ in views {
                // Whoever counts may have enough.
                let _ = tell.send(());
            }
        });
    }
    for _ in 0..LOOKERS * VIEWS {
        if told.recv_timeout(PATIENCE).is_err() {
            bail!("the stream of the page fell silent: target/xtask/bench/demo.log may say why");
        }
    }
    Memory::of(id)
}
