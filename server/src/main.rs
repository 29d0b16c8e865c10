//! The program `wm-controller`.

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::clock::{Clock, SystemClock};
use model::{MinerId, MonoTime, Now, UtcMillis};
use server::{
    access::{Access, Door},
    check,
    config::{self, Changes, Inputs, Loaded},
    demo::{Demo, House},
    import::{self, Import},
    keeping::{PROGRAM, SECRETS},
    run::{self, Setup},
};
use std::{
    env, fs,
    io::{self, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use store::{
    Store,
    backup::{Backups, Making},
    restore,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Where the demo keeps its database, below `--data`.
const DEMO_DATA: &str = "demo";

/// Runs WhatsMiner bitcoin miners from a home's solar battery without hurting it.
#[derive(Parser)]
#[command(name = "wm-controller", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct Options {
    /// The configuration. Without it, config.yaml in the working directory is read if there is one.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Run against a simulated house instead of real devices.
    #[arg(long, conflicts_with_all = ["config", "simulator"])]
    demo: bool,
    /// Run against a simulator that is already running, by the address of its control API.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    simulator: Option<String>,
    /// How many times as fast as real time the demo runs; 0 is paused.
    #[arg(long, value_name = "N", default_value_t = 60.0, requires = "demo")]
    scale: f64,
    /// The demo's present at the start, like 2026-06-21T18:00:00Z; now if left out.
    #[arg(long, value_name = "TIME", requires = "demo")]
    start: Option<UtcMillis>,
    /// Which house the demo is: one WhatsMiner, or several devices.
    #[arg(long, value_enum, default_value = "several", requires = "demo")]
    house: DemoHouse,
    /// Let the demo ask for a sign-in, as a real house does.
    #[arg(long)]
    sign_in: bool,
    /// How many days the demo has lived through before, 0 to 30.
    #[arg(long, value_name = "DAYS", default_value = "3", value_parser = days, requires = "demo")]
    history: Duration,
    /// The port of the API, in place of the configured one. 0 takes any free one.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Where the page's files are: a directory with hash.txt and site/. That of the program, if left out.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Where the database is. The demo has one of its own below it, and begins anew at every start.
    #[arg(long, value_name = "DIR", default_value = "data", global = true)]
    data: PathBuf,
    /// Log as JSON, a line for each event.
    #[arg(long)]
    log_json: bool,
}

/// Which house the demo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DemoHouse {
    /// One WhatsMiner.
    One,
    /// Two WhatsMiners and three Bitaxes.
    Several,
}

impl From<DemoHouse> for House {
    fn from(house: DemoHouse) -> Self {
        match house {
            DemoHouse::One => Self::One,
            DemoHouse::Several => Self::Several,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Say whether the configuration is fine.
    Check {
        /// Also talk to the devices, without changing anything.
        #[arg(long)]
        live: bool,
    },
    /// Take over the history and the memory of the earlier Python program: wm_status_log.csv, eg4_battery_log.csv,
    /// wm_state.json. The program must not be running. What is there already stays as it is.
    Import {
        /// Files, or directories with them.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// The miner that the log is of, by its id. Needed where there are several.
        #[arg(long, value_name = "ID")]
        miner: Option<String>,
        /// Only say what would be taken.
        #[arg(long)]
        dry_run: bool,
    },
    /// Set the password with which people sign in. The program must not be running.
    SetPassword,
    /// Make a backup of the database. The program must not be running: it makes its own.
    Backup {
        /// Where to: a file that isn't there yet. Without it, among the program's own backups.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// With the passwords of devices, the household's password and the tokens.
        #[arg(long)]
        with_secrets: bool,
    },
    /// Restore a backup: history, journal and settings become those of it. The program must not be running. What is there now
    /// is set aside.
    Restore {
        /// The backup.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    match start(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // One message, causes included, whether or not logging is up yet.
            let _ = writeln!(io::stderr(), "wm-controller: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { options, command } = cli;
    if let Some(Command::Check { live }) = command {
        return check(&load(&options)?, live).await;
    }
    if let Some(Command::SetPassword) = command {
        return set_password(&options.data).await;
    }
    if let Some(Command::Backup { out, with_secrets }) = command {
        let now = Now { mono: MonoTime(0), utc: SystemClock::new().wall() };
        return backup(&options.data, out.as_deref(), with_secrets, now).await;
    }
    if let Some(Command::Restore { file }) = command {
        let now = Now { mono: MonoTime(0), utc: SystemClock::new().wall() };
        return restore(&options.data, &file, now).await;
    }
    if let Some(Command::Import { paths, miner, dry_run }) = command {
        let inputs = Inputs::read(options.config.as_deref(), config::environment())?;
        let now = Now { mono: MonoTime(0), utc: SystemClock::new().wall() };
        let import = Import { paths, miner: miner.map(MinerId), dry_run };
        import::import(&import, &inputs, &options.data, now, &mut io::stdout()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    // Before anything is told: whoever reads it may send a signal at once.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (setup, _demo, data) = if options.demo || options.simulator.is_some() {
        log(&options, false);
        let demo = if let Some(url) = &options.simulator {
            Demo::join(url).await?
        } else {
            // Simulated time begins anew, and so does what the demo remembers of it.
            let _ = std::fs::remove_dir_all(options.data.join(DEMO_DATA));
            let present = options.start.unwrap_or_else(|| SystemClock::new().wall());
            let api = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            Demo::start(options.house.into(), present, options.history, options.scale, api).await?
        };
        tracing::info!(control_api = demo.control_api, "DEMO: every device is simulated, and so is the time");
        let setup = Setup {
            config: demo.config.clone(),
            inputs: demo.inputs.clone(),
            clock: demo.clock.clone(),
            demo: true,
            guarded: options.sign_in,
            time: demo.time.clone(),
            ports: demo.ports,
            switches: demo.switches.clone(),
            site: None,
        };
        (setup, Some(demo), options.data.join(DEMO_DATA))
    } else {
        let inputs = Inputs::read(options.config.as_deref(), config::environment())?;
        let loaded = inputs.load(&Changes::new())?;
        log(&options, loaded.config.app.debug);
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        (Setup::real(inputs, loaded.config), None, options.data.clone())
    };
    let mut setup = setup;
    setup.config.app.port = options.port.unwrap_or(setup.config.app.port);
    setup.site = options.site.clone();
    let shutdown = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let announce = |address: SocketAddr, claim: Option<String>| {
        let mut out = io::stdout();
        // Where it listens at every address, this machine's own is one that can be opened.
        let own =
            if address.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
        let ip = if address.ip().is_unspecified() { own } else { address.ip() };
        let address = SocketAddr::new(ip, address.port());
        let _ = writeln!(out, "wm-controller answers at http://{address}/api/system/status");
        if let Some(code) = claim {
            let _ = writeln!(
                out,
                "Nobody has taken it over yet. Do so at http://{address}/claim with the code {code}"
            );
        }
    };
    run::run(setup, &data, shutdown, announce).await?;
    Ok(ExitCode::SUCCESS)
}

/// A number of days from 0 to 30.
fn days(text: &str) -> Result<Duration, &'static str> {
    let days = text.parse().ok().filter(|days| (0.0..=30.0).contains(days));
    days.and_then(|days: f64| Duration::try_from_secs_f64(days * 86_400.0).ok())
        .ok_or("expected 0 to 30 days")
}

fn load(options: &Options) -> anyhow::Result<Loaded> {
    Ok(config::load(options.config.as_deref(), config::environment())?)
}

async fn check(loaded: &Loaded, live: bool) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    check::describe(loaded, &mut out)?;
    if !live {
        return Ok(ExitCode::SUCCESS);
    }
    let now = Now { mono: MonoTime(0), utc: SystemClock::new().wall() };
    let well = check::live(&loaded.config, now, &mut out).await?;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks for a password twice, or reads a line of what is piped in, and keeps its hash. Every browser is signed out.
async fn set_password(data: &Path) -> anyhow::Result<ExitCode> {
    let now = Now { mono: MonoTime(0), utc: SystemClock::new().wall() };
    let opened = Store::open(data, now).await.context(MAY_BE_RUNNING)?;
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password("New password, 8 characters or more: ")?;
        if password != rpassword::prompt_password("The same again: ")? {
            bail!("these are two different ones");
        }
        password
    } else {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let clock = SystemClock::new();
    let access =
        Access::open(Door::Guarded { reading: false }, Some(opened.store.clone()), move || clock.wall())
            .await;
    access.set_password(&password).await?;
    opened.store.close().await?;
    let _ = writeln!(io::stdout(), "The password is set. Whoever was signed in signs in anew.");
    Ok(ExitCode::SUCCESS)
}

const MAY_BE_RUNNING: &str = "the program may be running: stop it first";

async fn backup(data: &Path, out: Option<&Path>, with_secrets: bool, now: Now) -> anyhow::Result<ExitCode> {
    let opened = Store::open(data, now).await.context(MAY_BE_RUNNING)?;
    let making = Making { at: now.utc, program: PROGRAM, with_secrets, secrets: SECRETS };
    let backups = Backups::of(data);
    let made = backups.make(&opened.store, making).await;
    opened.store.close().await?;
    let made = made?;
    let (_, mut path) = backups.find(&made.name).context("the backup is gone again")?;
    if let Some(out) = out {
        let mut file = fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(file.write(true).create_new(true), 0o600);
        let writing = || format!("writing {}", out.display());
        let mut file = file.open(out).with_context(writing)?;
        io::copy(&mut fs::File::open(&path)?, &mut file).with_context(writing)?;
        file.sync_all().with_context(writing)?;
        backups.remove(&made)?;
        out.clone_into(&mut path);
    }
    let secrets = if with_secrets { "with passwords" } else { "without passwords" };
    let _ = writeln!(io::stdout(), "{} ({} bytes, {secrets})", path.display(), made.manifest.bytes);
    Ok(ExitCode::SUCCESS)
}

async fn restore(data: &Path, file: &Path, now: Now) -> anyhow::Result<ExitCode> {
    // Holds the directory, and brings to an end what was begun before.
    let opened = Store::open(data, now).await.context(MAY_BE_RUNNING)?;
    let reading = || format!("reading {}", file.display());
    anyhow::ensure!(fs::metadata(file).with_context(reading)?.is_file(), "{} is no file", file.display());
    fs::copy(file, restore::incoming(data)?).with_context(reading)?;
    let proven = restore::prove(data, now).await;
    opened.store.close().await?;
    proven.with_context(|| format!("{} isn't restored, and everything is as it was", file.display()))?;
    let opened = Store::open(data, now).await?;
    for note in opened.notes {
        let _ = writeln!(io::stdout(), "{note}");
    }
    opened.store.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Logs to standard error; `RUST_LOG` overrides what is told.
fn log(options: &Options, debug: bool) {
    let default = if debug { "debug,hyper=info,reqwest=info,sqlx=info" } else { "info" };
    let wish = env::var("RUST_LOG").ok().filter(|wish| !wish.is_empty());
    let filter = wish.and_then(|wish| wish.parse::<Targets>().ok());
    let filter = filter.unwrap_or_else(|| default.parse().unwrap_or_default());
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    if options.log_json { registry.with(layer.json()).init() } else { registry.with(layer).init() }
}
