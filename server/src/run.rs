//! The whole program: opens the database, starts the site, serves the API, feeds the watchdog, and ends it all in
//! order.

use crate::{
    access::{Access, Door},
    config::{Config, Inputs},
    csv_log,
    demo::{self, LivedTime, Switches},
    keeping::Keeping,
    listen,
    notify::Patience,
    page,
    settings::Start,
    web,
};
use anyhow::Context;
use devices::discovery::Ports;
use engine::{
    Handle,
    clock::{Clock, SystemClock},
};
use model::Now;
use simulator::time::Steering;
use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::ControlFlow,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open connections may keep the program from ending, in real time.
const CLOSING: Duration = Duration::from_secs(5);
/// How long the announcement waits for the control loop's first tick, in real time: until then the API knows nothing.
const FIRST_TICK: Duration = Duration::from_secs(5);
/// How long a demo's past is lived through at most before anything is answered, in real time. What is left of it on a
/// slower machine doesn't happen.
const PAST: Duration = Duration::from_secs(15);

/// Everything that makes a run.
pub struct Setup {
    /// The configuration, as it is before anything was changed on the settings page. Where the program is reached comes
    /// from here.
    pub config: Config,
    /// What it is made of.
    pub inputs: Inputs,
    /// The clock the site lives by.
    pub clock: Arc<dyn Clock>,
    /// The devices are simulated.
    pub demo: bool,
    /// Whoever changes something signs in, even where the devices are simulated.
    pub guarded: bool,
    /// What moves the clock, where it doesn't move by itself.
    pub time: Option<LivedTime>,
    /// The ports at which a search looks for devices.
    pub ports: Ports,
    /// What can be switched in the demo house.
    pub switches: Option<Switches>,
    /// Where the page's files are; beside the program, if `None`.
    pub site: Option<PathBuf>,
}

impl Setup {
    /// A site of real devices in real time.
    pub fn real(inputs: Inputs, config: Config) -> Self {
        Self {
            config,
            inputs,
            clock: Arc::new(SystemClock::new()),
            demo: false,
            guarded: true,
            time: None,
            ports: Ports::default(),
            switches: None,
            site: None,
        }
    }
}

/// The time between two looks at whether it is free.
const AGAIN: Duration = Duration::from_millis(200);
/// How long the directory may still be in use by the house before, where it is started anew, in real time.
const LET_GO: Duration = Duration::from_secs(30);

/// Runs until `shutdown`. `listening` is told the address once the API answers, and the code with which somebody takes over
/// the house, if nobody has.
///
/// Where a backup is restored, everything is started anew as at a start of the program, with the same miners under the same
/// law: nothing is switched for it. Whoever asks meanwhile waits at the door.
///
/// # Errors
/// If the program can't start: the database belongs to another program or a newer version, the port is taken.
pub async fn run(
    setup: Setup,
    data: &Path,
    shutdown: impl Future<Output = ()>,
    listening: impl FnOnce(SocketAddr, Option<String>),
) -> anyhow::Result<()> {
    tokio::pin!(shutdown);
    let mut listening = Some(listening);
    let mut door = None;
    loop {
        let told = |address, claim| {
            if let Some(listening) = listening.take() {
                listening(address, claim);
            }
        };
        match once(&setup, data, &mut door, shutdown.as_mut(), told).await? {
            End::Ended => return Ok(()),
            End::Anew => tracing::warn!("everything is started anew, with the backup that lies ready"),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// As it was told to.
    Ended,
    /// To be started anew.
    Anew,
}

/// One run. `door` stays open from one to the next.
async fn once(
    setup: &Setup,
    data: &Path,
    door: &mut Option<std::net::TcpListener>,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
    listening: impl FnOnce(SocketAddr, Option<String>),
) -> anyhow::Result<End> {
    let Setup { config, inputs, clock, demo, guarded, time, ports, switches, site: files } = setup;
    let (demo, guarded) = (*demo, *guarded);
    let files = site_files(files.as_deref())?;
    let patience = if door.is_some() { LET_GO } else { Duration::ZERO };
    let store = open_store(data, &**clock, patience).await?;
    // What everybody may switch stays on this machine.
    let is_open = demo && !guarded;
    let host = if is_open { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { config.app.host };
    let listener = listener(door, SocketAddr::new(host, config.app.port)).await?;
    let samples_wait = time.is_some().then_some(demo::SAMPLES_WAIT);
    let start = Start {
        inputs: inputs.clone(),
        app: config.app.clone(),
        store: store.clone(),
        clock: Arc::clone(clock),
        demo,
        samples_wait,
    };
    let settings = start.start().await?;
    let moving = time.as_ref().map(LivedTime::begin);
    if let Some(time) = time
        && live_through_past(time, shutdown.as_mut()).await.is_break()
    {
        drop(moving);
        settings.stop().await;
        return Ok(End::Ended);
    }
    let (stop, anew) = (CancellationToken::new(), CancellationToken::new());
    let door = if is_open { Door::Open } else { Door::Guarded { reading: config.app.read_requires_sign_in } };
    let access = access(door, store.clone(), demo, settings.handle()).await;
    let claim = access.claim_code();
    let proxies: Vec<IpAddr> =
        config.app.trusted_proxies.iter().filter_map(|proxy| proxy.parse().ok()).collect();
    let keeping = Keeping::new(data, store.clone(), settings.handle(), settings.current(), anew.clone());
    tokio::spawn(keeping.clone().look_after(stop.clone()));
    let router = web::router(web::Setup {
        settings: settings.clone(),
        store,
        keeping,
        switches: switches.clone(),
        files,
        access,
        hosts: hosts(config),
        proxies: proxies.clone(),
        ports: *ports,
        patience: Patience::default(),
        closing: stop.clone(),
    })
    .context("preparing to speak HTTPS")?;
    let local = listener.local_addr()?;
    let serving = tokio::spawn(listen::serve(listener, router, proxies, stop.clone()));
    let mut snapshots = settings.handle().follow();
    if tokio::time::timeout(FIRST_TICK, snapshots.wait_for(|snapshot| snapshot.tick > 0)).await.is_err() {
        tracing::warn!("the control loop hasn't ticked yet");
    }
    let watchdog = tokio::spawn(feed_watchdog(settings.handle()));
    let csv_log =
        csv_log::keep(settings.handle(), settings.current(), data.join(csv_log::DIRECTORY), stop.clone());
    tokio::spawn(csv_log);
    tracing::info!(address = %local, "listening");
    if let Some(code) = &claim {
        tracing::warn!(code, "nobody has taken over this controller yet: do so at /claim, with this code");
    }
    listening(local, claim);

    let end = tokio::select! {
        biased;
        () = shutdown => End::Ended,
        () = anew.cancelled() => End::Anew,
    };
    if end == End::Ended {
        tracing::info!("shutting down");
        // A supervisor may run us without a notification socket.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    }
    watchdog.abort();
    drop(moving);
    settings.stop().await;
    stop.cancel();
    if tokio::time::timeout(CLOSING, serving).await.is_err() {
        tracing::warn!("connections were still open");
    }
    Ok(end)
}

/// The door to the network, which is opened once: whoever knocks while the house is started anew waits.
async fn listener(
    door: &mut Option<std::net::TcpListener>,
    address: SocketAddr,
) -> anyhow::Result<TcpListener> {
    if door.is_none() {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listening at {address}"))?;
        *door = Some(listener.into_std()?);
    }
    let open = door.as_ref().context("the door is closed")?.try_clone()?;
    Ok(TcpListener::from_std(open)?)
}

/// The page's files. Without them everything runs, and the page is plain: only a directory that was named must hold them.
fn site_files(directory: Option<&Path>) -> anyhow::Result<Option<page::Site>> {
    match page::Site::find(directory) {
        Ok(site) => Ok(Some(site)),
        Err(problem) if directory.is_some() => Err(problem).context("looking for the page's files"),
        Err(problem) => {
            tracing::warn!(%problem, "the page has neither style nor script: its files aren't beside the program");
            Ok(None)
        }
    }
}

/// Waits until the time that lies behind the demo has been lived through, or not any longer. It breaks off at the
/// shutdown.
async fn live_through_past(time: &LivedTime, shutdown: impl Future<Output = ()>) -> ControlFlow<()> {
    let begun = Instant::now();
    tokio::select! {
        biased;
        () = shutdown => return ControlFlow::Break(()),
        lived = tokio::time::timeout(PAST, time.caught_up()) => {
            if lived.is_err() {
                tracing::warn!("this machine is too slow for the whole past: it ends earlier");
                time.stay();
            }
        }
    }
    tracing::info!(now = %time.now(), seconds = begun.elapsed().as_secs_f64(), "the demo's past is lived through");
    ControlFlow::Continue(())
}

/// The database; `None` if it can't be used just now, which stops nothing. Whoever still has it is waited for this long.
async fn open_store(data: &Path, clock: &dyn Clock, patience: Duration) -> anyhow::Result<Option<Store>> {
    let begun = Instant::now();
    loop {
        let now = Now { mono: model::MonoTime(0), utc: clock.wall() };
        match Store::open(data, now).await {
            Ok(opened) => {
                for note in opened.notes {
                    tracing::warn!("{note}");
                }
                return Ok(Some(opened.store));
            }
            Err(StoreError::Locked { .. }) if begun.elapsed() < patience => {
                tokio::time::sleep(AGAIN).await;
            }
            Err(error @ (StoreError::Locked { .. } | StoreError::NewerVersion { .. })) => {
                return Err(error).with_context(|| format!("opening the database in {}", data.display()));
            }
            Err(error) => {
                tracing::error!(%error, "the database can't be used: control goes on, and nothing is remembered");
                return Ok(None);
            }
        }
    }
}

/// Who may change something. A simulated house has a time of its own, which those who sign in don't live by.
async fn access(door: Door, store: Option<Store>, demo: bool, site: Handle) -> Access {
    if demo {
        let clock = SystemClock::new();
        Access::open(door, store, move || clock.wall()).await
    } else {
        Access::open(door, store, move || site.now().utc).await
    }
}

/// The names that are answered to: those that are configured, and this machine's own.
fn hosts(config: &Config) -> Vec<String> {
    let own = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let own = own.trim();
    let own = (!own.is_empty()).then(|| [own.to_owned(), format!("{own}.local")]);
    config.app.allowed_hosts.iter().cloned().chain(own.into_iter().flatten()).collect()
}

/// Tells the service manager that we are alive, once for every tick of the control loop: if the loop hangs, the
/// program is started again, however well the API answers.
async fn feed_watchdog(site: Handle) {
    let mut snapshots = site.follow();
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    while snapshots.changed().await.is_ok() {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
    }
}
