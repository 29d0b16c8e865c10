//! The shapes that replies are made of. Those of the crate `model` are described here because it knows nothing but serde;
//! that they are true is held by the replies of a real house, and by the compiler where it is a list of words.

use model::{
    AlertCode, BlockedBy, Means, OperationStage, PowerIntent, Reason, Rule, Severity, snapshot::MinerState,
};
use serde::Serialize;
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::AdditionalProperties},
};

/// The words of an enumeration of the model, all of them: a new one that isn't said here doesn't compile.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident of $of:ident { $($word:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(ToSchema)]
        #[schema(rename_all = "snake_case")]
        pub(super) enum $name { $($word),* }

        impl From<$of> for $name {
            fn from(of: $of) -> Self {
                match of { $($of::$word => Self::$word),* }
            }
        }
    };
}

words! {
    /// What a miner is doing. Unknown is neither off nor running.
    State of MinerState { Unknown, Off, Running }
}
words! {
    /// The rule that decided, the highest priority first.
    RuleName of Rule {
        Emergency, Stale, PersonOff, Unstable, Manual, AutoOff, Full, Sunset, Stopped, Ladder,
    }
}
words! {
    /// Why, for machines.
    ReasonCode of Reason {
        WaitingForBattery, EmergencySoc, EmergencyUnconfirmed, BatteryStale, BatteryRecovering, PersonOff, CrashLoop,
        ManualPower, AutoControlOff, BatteryFull, SunsetStart, EmergencyLatched, FoundOff, SwitchedOffElsewhere,
        SwitchedOnElsewhere, PersonStart, ResumeSoc, Recovered, LadderDown, LadderUp, LadderHold, DrawsTooMuch,
        BelowRange, NoShare, MinerUnknown, VerifyingOff,
    }
}
words! {
    /// What stands in the way of what is wanted.
    Obstacle of BlockedBy {
        Interval, Settling, SecondSample, BatteryData, CommandUnderWay, MinerUnknown, Degraded, Contested, Budget,
        StartCondition, MinimumOffTime, OffRetry, Share, Turn,
    }
}
words! {
    /// How far a command has come.
    Stage of OperationStage { Queued, Sent, Acknowledged, Observed, Failed, Superseded }
}
words! {
    /// How a command was carried out.
    CarriedOutBy of Means { Stop, Start, Limit, Percent }
}
words! {
    /// How much an alert matters.
    AlertSeverity of Severity { Info, Warning, Alarm }
}
words! {
    /// What an alert is about.
    AlertAbout of AlertCode {
        BatteryDataOld, BatteryDataStale, BatteryLost, BatteryImplausible, ClocksDisagree, BatterySource, BatterySignIn,
        InvertersDisagree, BatteryNotFull, Emergency, MinerUnreachable, MinerProtocol, MinerPassword, MinerWritesDisabled, MinerTokens,
        MinerRefused, WrongDevice, OffNotVerified, NoEffect, Degraded, CrashLoop, ChangedElsewhere, Contested,
        DrawsTooMuch, PowerUntold, BudgetSpent, Database, Backup, DiskLow, TaskRestarted, InvariantBroken, Configuration,
    }
}

/// An instant in UTC (RFC 3339).
pub(super) struct Instant;

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("An instant in UTC (RFC 3339), ending with Z."))
            .examples([json!("2026-06-21T18:00:00Z")])
            .into()
    }
}

impl ToSchema for Instant {}

/// A share of a miner's full power.
pub(super) struct Percent;

impl PartialSchema for Percent {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(100))
            .description(Some("A share of a miner's full power. There is no 0: off is a command of its own."))
            .into()
    }
}

impl ToSchema for Percent {}

/// A state of charge.
pub(super) struct Charge;

impl PartialSchema for Charge {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(0))
            .maximum(Some(100))
            .description(Some("A battery's state of charge in percent."))
            .into()
    }
}

impl ToSchema for Charge {}

/// The shape of every error.
pub(super) struct Problem;

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        let text = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        let error = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("code", text("For machines."))
            .required("code")
            .property("message", text("For people."))
            .required("message")
            .property("field", text("The member of the request that is wrong, if it is one."))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("The shape of every error."))
            .property("error", error)
            .required("error")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .examples([json!({ "error": { "code": "invalid", "message": "must be true or false", "field": "confirm" } })])
            .into()
    }
}

impl ToSchema for Problem {}

/// A device's connection.
#[derive(ToSchema)]
pub(super) struct Connection {
    /// The last attempt succeeded.
    connected: bool,
    /// When the device last answered.
    last_seen: Option<Instant>,
    /// For how long the device has been running, where it tells.
    uptime_seconds: Option<u64>,
    /// What went wrong at the last attempt.
    error: Option<String>,
}

/// What a miner is told.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Command {
    /// Stop mining.
    Off,
    /// Start mining, drawing no more than this.
    Start {
        /// Of the miner's full power.
        #[schema(minimum = 1, maximum = 100)]
        percent: u8,
        /// The same in W, inside the miner's range.
        watts: f64,
    },
    /// Change the power of a running miner.
    SetPower {
        /// Of the miner's full power.
        #[schema(minimum = 1, maximum = 100)]
        percent: u8,
        /// The same in W, inside the miner's range.
        watts: f64,
    },
}

/// What the law wants, whether or not it may be commanded now.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Wanted {
    /// Leave everything as it is.
    Hold,
    /// Off.
    Off,
    /// Running at this share of full power.
    Run(Percent),
}

/// Why, for people.
#[derive(ToSchema)]
pub(super) struct Explanation {
    /// What it does and why this.
    why: String,
    /// Why not more.
    why_not_more: Option<String>,
    /// What would change it.
    what_would_change: String,
    /// When, where it can be told.
    when: Option<String>,
}

/// What stands in the way.
#[derive(ToSchema)]
pub(super) struct Blocked {
    /// The obstacle.
    by: Obstacle,
    /// When it ends, in milliseconds of the controller's own clock; `blocked_until` is the same as an instant.
    until: Option<i64>,
}

/// A decision about a miner.
#[derive(ToSchema)]
pub(super) struct Decision {
    /// When it was made.
    at: Instant,
    /// The rule that decided.
    rule: RuleName,
    /// Why, for machines.
    reason: ReasonCode,
    /// What the law wants.
    wanted: Wanted,
    /// What was commanded with it.
    command: Option<Command>,
    /// What stands in the way.
    blocked: Option<Blocked>,
    /// When that ends.
    blocked_until: Option<Instant>,
    /// Why, for people.
    explanation: Explanation,
}

/// The law's memory.
#[derive(ToSchema)]
pub(super) struct Latches {
    /// The highest power now allowed.
    ceiling: Percent,
    /// The emergency latch is set.
    emergency: bool,
    /// An emergency reading awaits the next good sample.
    emergency_unconfirmed: bool,
    /// The next full battery will act.
    full_armed: bool,
    /// Why it is stopped, while it is.
    stopped: Option<ReasonCode>,
    /// Three commands in a row failed: nothing upward is sent.
    degraded: bool,
    /// Commands of the last 24 hours.
    commands_today: u32,
    /// How many may be sent in a day.
    command_budget: u32,
    /// How long the miner was measured to need after a command.
    settle_seconds: Option<u32>,
}

/// A command on its way, and what became of it.
#[derive(ToSchema)]
pub(super) struct Operation {
    /// Its number.
    id: u64,
    /// The miner it is for.
    miner: String,
    /// What was asked.
    command: Command,
    /// Why.
    reason: ReasonCode,
    /// How far it has come.
    stage: Stage,
    /// How it was carried out, once that is known.
    means: Option<CarriedOutBy>,
    /// When the law decided on it.
    decided_at: Instant,
    /// When the first byte could have left.
    sent_at: Option<Instant>,
    /// When the miner acknowledged it.
    acknowledged_at: Option<Instant>,
    /// When its effect was seen, or when it failed.
    ended_at: Option<Instant>,
    /// The miner's own words, or what went wrong.
    words: Option<String>,
}

/// What a person should know about.
#[derive(ToSchema)]
pub(super) struct Alert {
    /// What it is about.
    code: AlertAbout,
    /// Which miner, where it is about one.
    miner: Option<String>,
    /// How much it matters.
    severity: AlertSeverity,
    /// What is wrong, and what to do about it.
    text: String,
    /// When it began.
    since: Instant,
    /// When it was last seen.
    last: Instant,
    /// How often it was seen.
    count: u32,
    /// It holds now.
    active: bool,
    /// It holds, and a person said that they know.
    seen: bool,
}

/// What the person last said about on and off; the number tells one request from the next.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum SaidOfPower {
    /// Nothing: the law decides.
    Undecided,
    /// Off, until the person says otherwise.
    Off,
    /// On.
    On {
        /// Rises with every request.
        request: u64,
    },
}

impl From<PowerIntent> for SaidOfPower {
    fn from(intent: PowerIntent) -> Self {
        match intent {
            PowerIntent::Undecided => Self::Undecided,
            PowerIntent::Off => Self::Off,
            PowerIntent::On { request } => Self::On { request },
        }
    }
}

/// A power that a person asked for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum AskedPower {
    /// Of the miner's full power.
    Percent(Percent),
    /// In W.
    Watts(f64),
}
