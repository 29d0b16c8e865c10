//! A simulated device whose time stands still until it is moved, and a driver that is pointed at it.

use devices::{
    Deadlines, Miner,
    axeos::{AxeOs, AxeOsConfig},
};
use model::{MinerReading, MonoTime, Now, UtcMillis};
use simulator::{
    axeos::{AxeosSetup, Profile, SimulatedAxeos},
    time::SimulatedClock,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

pub(crate) const START: UtcMillis = UtcMillis(1_790_000_000_000);
/// Long enough for everything that happens at all.
const AT_LAST: Duration = Duration::from_secs(60);
/// Long enough for a device that answers.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(20),
    read: Duration::from_secs(30),
    write: Duration::from_secs(30),
};
/// As long as a test may wait for a reading of one that doesn't, and for a command.
pub(crate) const SHORT_READS: Deadlines = Deadlines { read: Duration::from_millis(300), ..PATIENT };
pub(crate) const SHORT_WRITES: Deadlines = Deadlines { write: Duration::from_millis(1000), ..PATIENT };

pub(crate) struct Bench {
    pub(crate) clock: SimulatedClock,
    pub(crate) device: SimulatedAxeos,
    pub(crate) miner: AxeOs,
}

impl Bench {
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with(profile, PATIENT)
    }

    pub(crate) fn with(profile: Profile, deadlines: Deadlines) -> Self {
        let clock = SimulatedClock::paused(START);
        let setup = AxeosSetup { profile, ..AxeosSetup::default() };
        let device = SimulatedAxeos::start(setup, clock.source()).unwrap();
        let miner = driver(device.addr(), deadlines);
        Self { clock, device, miner }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.jump(Duration::from_secs(seconds));
    }

    pub(crate) async fn read(&self) -> MinerReading {
        self.miner.read(now()).await.unwrap()
    }

    /// Paths of the commands so far, with what was answered.
    pub(crate) fn commands(&self) -> Vec<(String, Option<u16>)> {
        let log = self.device.log().into_iter().filter(|request| request.method != "GET");
        log.map(|request| (request.path, request.status)).collect()
    }
}

pub(crate) fn driver(addr: SocketAddr, deadlines: Deadlines) -> AxeOs {
    AxeOs::new(&AxeOsConfig { host: addr.ip().to_string(), port: addr.port(), deadlines }).unwrap()
}

pub(crate) fn now() -> Now {
    Now { mono: MonoTime(0), utc: START }
}

/// Waits for something, not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(AT_LAST, what).await.expect("it doesn't happen")
}

/// A device that says `reply` to whatever comes, bytes for bytes, and closes.
pub(crate) async fn says(reply: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(reply).await;
            let _ = stream.shutdown().await;
        }
    });
    addr
}
