//! What can happen to the house.

use model::SunTimes;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Event {
    /// Nothing new.
    Quiet,
    /// The state of charge drifts by this many points a minute.
    Drift(f64),
    /// The state of charge is something else from one moment to the next.
    Level(f64),
    /// The next uploads say this instead of the truth.
    Glitch { told: Option<f64>, uploads: u8 },
    /// The source says that the battery is offline.
    Lost(bool),
    /// The uplink stops uploading.
    Frozen(bool),
    /// The source's clock runs this many seconds ahead.
    Ahead(i64),
    /// The portal shows an earlier snapshot for a while.
    Older(bool),
    /// Seconds between uploads, and between looks at them.
    Cadence { upload: i64, fetch: i64 },
    /// What the miner makes of commands.
    Obedience(Obedience),
    /// Whether the miner answers.
    Reachable(bool),
    /// Somebody switches it at the machine.
    Switched(bool),
    /// Somebody sets another limit, in percent of 3600 W.
    SetElsewhere(u8),
    /// Its mining process restarts by itself, this often, every three minutes.
    Restarts(u8),
    /// Seconds from a restart to full power.
    Ramp(i64),
    /// Whether the firmware tells the state of its service.
    TellsService(bool),
    /// Whether the firmware tells what it draws.
    TellsPower(bool),
    /// When it tells its limit.
    TellsLimit(TellsLimit),
    /// The powers it says it can hold.
    Range(Option<(u32, u32)>),
    /// Auto-control.
    Auto(bool),
    /// The person says off.
    PersonOff,
    /// The person says on.
    PersonOn,
    /// The person leaves it to the law.
    PersonLeaves,
    /// A manual percent, for this many seconds.
    ManualPercent(u8, u64),
    /// A manual power in watts, for this many seconds.
    ManualWatts(u32, u64),
    /// The person takes the manual power back.
    ManualEnds,
    /// The wall clock moves by this many seconds.
    ClockMoves(i64),
    /// Whether something vouches for the wall clock.
    Synced(bool),
    /// The program is down for this many seconds.
    Down(i64),
}

/// What the miner makes of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obedience {
    /// It obeys.
    Obeys,
    /// It refuses.
    Refuses,
    /// It says yes and does nothing.
    OnlySaysYes,
    /// It obeys and no answer comes.
    Mute,
    /// It obeys after two minutes.
    Late,
}

/// When a miner tells the limit it is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TellsLimit {
    /// Never.
    Never,
    /// Once it is up.
    Up,
    /// From the moment it is on.
    Early,
}

/// A day: how it begins, and what happens after how many ticks.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    pub(crate) level: f64,
    pub(crate) drift: f64,
    pub(crate) mining: Option<u8>,
    /// Seconds after midnight.
    pub(crate) starts_at: u32,
    pub(crate) sun: Option<SunTimes>,
    pub(crate) auto: bool,
    pub(crate) events: Vec<(u16, Event)>,
}

impl Day {
    /// A quiet day at a steady level, under auto-control.
    pub(crate) fn quiet(level: f64, mining: Option<u8>, starts_at: u32) -> Self {
        Self { level, drift: 0.0, mining, starts_at, sun: None, auto: true, events: Vec::new() }
    }
}
