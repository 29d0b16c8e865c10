//! The project's own commands: `cargo xtask <command>`.
//!
//! Each command is a module; each step of it says in one line what it does, and what fails ends the command with one
//! message that says what to do about it. Nothing here is part of the product, and nothing of the product is linked
//! into it: what has to be tried or measured is built and run as a program.

mod bench;
mod browser;
mod check;
mod clients;
mod debian;
mod direction;
mod dist;
mod faults;
mod folder;
mod fuzz;
mod http;
mod nextest;
mod package;
mod page;
mod process;
mod process_facts;
mod program;
mod python;
mod run;
mod say;
mod soak;
mod stamp;
mod test;
mod tools;
mod workspace;

use clap::{Parser, Subcommand};
use std::{ffi::OsString, process::ExitCode};
use workspace::Workspace;

/// The project's own commands
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Every command can be run again at any time: what is there already is not made again."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build wm-controller with its page and start it
    ///
    /// What builds the page is installed where it is missing, which takes a quarter of an hour once; it needs Node.js 20
    /// or later with npm, and the network.
    ///
    /// Where the working directory has no config.yaml and the arguments name no configuration, it starts the demo: the
    /// real program against a simulated house. Arguments after `--` are the program's; `cargo xtask run -- --help`
    /// lists them. Ctrl-C and the exit code are the program's own.
    Run {
        /// Build the program without optimisation: quicker to build, slower to run. The page is the same
        #[arg(long)]
        debug: bool,
        /// Arguments of wm-controller
        #[arg(last = true, value_name = "ARGS")]
        arguments: Vec<OsString>,
    },
    /// Run every check and every test, in order, up to the first that fails
    ///
    /// First what `cargo xtask check` does; then all tests of the workspace with cargo-nextest, which is installed if it is
    /// missing, and the examples in the documentation; then third-party Python clients against the simulated devices and
    /// the program, in a virtual environment under target/xtask; then the page in Chromium, against the real program. Needs Python 3.11
    /// or later, Node.js 20 or later with npm, Chromium and, the first time, the network.
    Test {
        /// Only format, lints, dependency direction and nextest: no documentation, no Python clients, no browser
        #[arg(long)]
        quick: bool,
    },
    /// Try everything that can go wrong, and print a table of what was expected and what was seen
    ///
    /// The program's parts run over real sockets against the simulated devices, whose faults are switched on; faults of
    /// the process are tried on the built program. A row that fails makes it fail.
    Faults {
        /// Only the scenarios whose names have this in them
        filter: Option<String>,
    },
    /// Only run the third-party Python clients against the simulated devices and the program
    Clients,
    /// Only run the tests of the page in a browser
    Browser {
        /// Arguments of Playwright, as `-- --headed` or the name of a test
        #[arg(last = true, value_name = "ARGS")]
        arguments: Vec<OsString>,
    },
    /// Check format, lints, documentation and which crate depends on which
    Check,
    /// Build wm-controller with its page as it is installed, into target/dist/wm-controller
    ///
    /// The directory can be copied to any machine like this one; the program finds its page beside itself. The last line
    /// of the output names it.
    Dist,
    /// Build Debian packages of wm-controller, into target/debian
    ///
    /// For amd64 and arm64, or for what is named. What compiles for another machine than this is installed where it is
    /// missing. The last lines of the output name the packages.
    Package {
        /// Also look at what is in them, and install, update and remove one in a small Debian under target/xtask: needs
        /// root and the network
        #[arg(long)]
        check: bool,
        /// Which
        architectures: Vec<package::Architecture>,
    },
    /// Live through weeks in which one thing after the other goes wrong, and see that nothing grows or breaks
    ///
    /// The program as it is shipped, in its own demo house, whose time passes much sooner than ours: 24 days take some
    /// minutes. Fails if memory, open files or threads grow, an invariant breaks, or an alert never ends.
    Soak {
        /// How many simulated hours
        #[arg(long, default_value_t = 576)]
        hours: u32,
        /// Which faults come when
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Take this program, and build none
        #[arg(long, value_name = "FILE")]
        program: Option<std::path::PathBuf>,
    },
    /// Search for bytes that break a parser of what devices, files and requests say
    ///
    /// Needs a nightly Rust; cargo-fuzz is installed where it is missing. What breaks something is kept and named.
    Fuzz {
        /// How many inputs are tried on each target
        #[arg(long, default_value_t = 200_000)]
        runs: u64,
        /// Which; all, if none is named
        targets: Vec<String>,
    },
    /// Measure what the project promises to be quick or small, and hold it against its budget
    ///
    /// Builds in release mode, runs for several minutes, and wants the machine for itself. Ends with a table; a broken
    /// budget makes it fail.
    Bench {
        /// What to measure: everything, if nothing is named
        parts: Vec<bench::Part>,
    },
}

fn main() -> ExitCode {
    match start(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failed(&error);
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Run { debug, arguments } => run::run(&workspace, debug, arguments),
        Command::Test { quick: false } => test::everything(&workspace),
        Command::Test { quick: true } => test::quickly(&workspace),
        Command::Faults { filter } => faults::faults(&workspace, filter.as_deref()),
        Command::Clients => clients::run(&workspace),
        Command::Browser { arguments } => browser::run(&workspace, &arguments),
        Command::Check => check::everything(&workspace),
        Command::Dist => dist::dist(&workspace),
        Command::Package { check, architectures } => package::package(&workspace, &architectures, check),
        Command::Soak { hours, seed, program } => soak::soak(&workspace, hours, seed, program),
        Command::Fuzz { runs, targets } => fuzz::fuzz(&workspace, runs, &targets),
        Command::Bench { parts } => bench::bench(&workspace, &parts),
    }
}
