//! What the page needs from the server. The server implements it over the running site; the server functions in
//! [`crate::calls`] do nothing but call it.

use crate::{calls::CallError, chart::Event, range::Range};
use async_trait::async_trait;
use model::{
    MinerId, Operation, PowerPercent, UtcMillis,
    demo::DemoChange,
    event::Overview,
    history::{Track, Window},
    journal::{JournalPage, Question},
    snapshot::DecisionView,
};
use std::time::Duration;

/// The running site, as the page sees it.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Everything known now. Answers from memory.
    fn overview(&self) -> Overview;

    /// What was measured of the battery and a miner, controlled or only looked at, over a stretch of the past, in at most
    /// `points` points; of the first one if `miner` is `None`. Fails where there is no such miner.
    async fn history(
        &self,
        miner: Option<MinerId>,
        stretch: Stretch,
        points: u32,
    ) -> Result<History, CallError>;

    /// What was decided, as far as `question` asks for it.
    async fn journal(&self, question: &Question) -> Result<JournalPage, CallError>;

    /// Asks something of a miner; of the first one if `miner` is `None`. What follows from it, if a command goes out
    /// at once, and what was decided.
    async fn ask(&self, miner: Option<MinerId>, wish: Wish) -> Result<TakenUp, CallError>;

    /// A person has read the alerts that were told up to `until`.
    async fn clear_alerts(&self, until: UtcMillis) -> Result<(), CallError>;

    /// Signs in anew at the battery's source.
    async fn refresh_battery_session(&self) -> Result<(), CallError>;

    /// Changes the demo house.
    async fn change_demo(&self, change: DemoChange) -> Result<(), CallError>;
}

/// What a person can ask of a miner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wish {
    /// Switch on; even while the emergency latch is set, if `confirmed`.
    PowerOn {
        /// The person saw the warning and wants it all the same.
        confirmed: bool,
    },
    /// Switch off, until switched on again.
    PowerOff,
    /// Hold a power for a while.
    Manual {
        /// Share of the miner's full power.
        percent: PowerPercent,
        /// For how long.
        hold: Duration,
    },
    /// Let the battery drive the miner, or nobody.
    AutoControl {
        /// On or off.
        enabled: bool,
    },
}

/// A wish that was taken up.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenUp {
    /// The command that follows from it, if one went out at once.
    pub operation: Option<Operation>,
    /// What was decided with it.
    pub decision: DecisionView,
}

/// Which stretch of the past is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// Up to now.
    UpToNow(Range),
    /// As long as the range, around an instant; a day, where the range is everything.
    Around(Range, UtcMillis),
    /// From one instant to another.
    Between {
        /// Its beginning.
        from: UtcMillis,
        /// Its end.
        to: UtcMillis,
    },
}

impl Stretch {
    /// A range, up to now or around an instant in milliseconds since 1970.
    pub fn new(range: Range, at: Option<i64>) -> Self {
        at.map_or(Self::UpToNow(range), |at| Self::Around(range, UtcMillis(at)))
    }
}

/// A stretch of the past: what the charts are drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Which stretch.
    pub window: Window,
    /// The present: the window may reach a little beyond it.
    pub now: UtcMillis,
    /// The instant that was asked for, where one was.
    pub here: Option<UtcMillis>,
    /// The site's IANA zone.
    pub timezone: String,
    /// The state of charge at and under which the miner is off, percent.
    pub emergency_percent: f64,
    /// What the battery said.
    pub battery: Track,
    /// The miner that is meant; `None`, where there is none.
    pub whose: Option<MinerId>,
    /// What the miner did.
    pub miner: Track,
    /// What happened, in its order.
    pub events: Vec<Event>,
}
