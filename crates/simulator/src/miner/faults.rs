//! Everything that can be wrong with a simulated miner, each at its own switch.
//!
//! The knobs only say what is wanted; the modules that own a behaviour read them. Delays of the transport are real
//! milliseconds, everything else is simulated seconds.

use serde::{Deserialize, Serialize};

/// The faults of one miner. The default is a healthy device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, in any combination")]
pub struct Faults {
    /// Nothing listens: connections are refused. Open ones are reset.
    pub refuse_connections: bool,
    /// What happens to a connection that is accepted.
    pub on_accept: OnAccept,
    /// The commands whose replies are touched by the knobs from `reply_delay_ms` to `malformed`, and whose effects by
    /// `writes`. Empty: all.
    pub only_commands: Vec<String>,
    /// Wait before a reply, real ms.
    pub reply_delay_ms: u64,
    /// Send replies in segments of so many bytes; `None`: at once. One byte with a delay of 1000 ms is a slow drip.
    pub segment_bytes: Option<usize>,
    /// Wait before each segment but the first, real ms.
    pub segment_delay_ms: u64,
    /// End V2 replies with a NUL byte or don't; `None`: as the generation does.
    pub trailing_nul: Option<bool>,
    /// Break replies off.
    pub cut: Option<Cut>,
    /// Pad replies with spaces inside the JSON to this length in bytes, 64 MiB at most.
    pub oversize_bytes: Option<usize>,
    /// Put bytes that aren't UTF-8 into a string of the reply.
    pub not_utf8: bool,
    /// Print V2 replies as broken JSON.
    pub malformed: Option<Malformation>,
    /// Put keys into replies that no manual knows.
    pub unknown_keys: bool,
    /// Print the numbers of reads as texts.
    pub numbers_as_texts: bool,
    /// Members that reads leave out wherever they would stand, as firmware that calls them something else.
    pub left_out: Vec<String>,
    /// Close a V2 connection that has sent no complete request after this time, real ms. The manuals say 10 s.
    pub v2_idle_close_ms: u64,
    /// Close a V3 connection that is silent for this time, real ms. The manuals say 300 s.
    pub v3_idle_close_ms: u64,
    /// Answer V3 heartbeats with heartbeats. Whether real devices do isn't known.
    pub heartbeat_echo: bool,
    /// Another device answers at this address.
    pub impostor: Option<Impostor>,
    /// The device has another hardware address, as after an exchange of the control board.
    pub mac: Option<String>,
    /// How many V2 sessions there are and how long they live.
    pub tokens: TokenPolicy,
    /// The switch for writes over the network is off, whatever the setup says.
    pub writes_disabled: bool,
    /// The device takes every password for wrong.
    pub wrong_password: bool,
    /// The device has forgotten every V2 token by the time it is used.
    pub forget_tokens: bool,
    /// How far the `ts` of a V3 write may be from the device's clock, s. No manual tells.
    pub v3_clock_tolerance_seconds: u64,
    /// Commands that the firmware doesn't know (V2 code 14, V3 code −2).
    pub unknown_commands: Vec<String>,
    /// What becomes of writes and their acknowledgements.
    pub writes: WriteFault,
    /// What becomes of a percentage before the ramp has finished.
    pub early_percent: EarlyPercent,
    /// Power limits below this are acknowledged and ignored, W.
    pub ignore_limit_below_watts: Option<u32>,
    /// A machine whose set power is below this crashes and restarts every few minutes, W.
    pub crash_loop_below_watts: Option<u32>,
    /// The mining service comes back by itself this long after a V2 `power_off`, s (seen on an M64; a V3 stop held).
    pub resumes_after_power_off_seconds: Option<u64>,
    /// How long a reboot takes, s; `None`: as the physics say.
    pub reboot_seconds: Option<u64>,
    /// How long nothing is hashed after each start of the mining process, s; `None`: as the physics say.
    pub recalibration_seconds: Option<u64>,
    /// After a write, reads tell for so many seconds what was before it.
    pub stale_readback_seconds: u64,
    /// Power reads 0 whatever is drawn.
    pub power_reads_zero: bool,
    /// The hash rate reads 0 whatever is hashed.
    pub hash_reads_zero: bool,
    /// The power limit in force reads 0 whatever it is.
    pub limit_reads_zero: bool,
    /// The device's clock is ahead by so many seconds; behind if negative.
    pub clock_skew_seconds: i64,
    /// The error codes that the device reports.
    pub error_codes: Vec<u32>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            refuse_connections: false,
            on_accept: OnAccept::Serve,
            only_commands: Vec::new(),
            reply_delay_ms: 0,
            segment_bytes: None,
            segment_delay_ms: 0,
            trailing_nul: None,
            cut: None,
            oversize_bytes: None,
            not_utf8: false,
            malformed: None,
            unknown_keys: false,
            numbers_as_texts: false,
            left_out: Vec::new(),
            v2_idle_close_ms: 10_000,
            v3_idle_close_ms: 300_000,
            heartbeat_echo: true,
            impostor: None,
            mac: None,
            tokens: TokenPolicy::default(),
            writes_disabled: false,
            wrong_password: false,
            forget_tokens: false,
            v3_clock_tolerance_seconds: 300,
            unknown_commands: Vec::new(),
            writes: WriteFault::None,
            early_percent: EarlyPercent::Refused,
            ignore_limit_below_watts: None,
            crash_loop_below_watts: None,
            resumes_after_power_off_seconds: None,
            reboot_seconds: None,
            recalibration_seconds: None,
            stale_readback_seconds: 0,
            power_reads_zero: false,
            hash_reads_zero: false,
            limit_reads_zero: false,
            clock_skew_seconds: 0,
            error_codes: Vec::new(),
        }
    }
}

impl Faults {
    /// Whether the firmware doesn't know this command.
    pub(super) fn knows_not(&self, command: &str) -> bool {
        self.unknown_commands.iter().any(|unknown| unknown == command)
    }

    /// These faults as far as they concern `command`: see [`Faults::only_commands`].
    pub(super) fn concerning(&self, command: &str) -> Self {
        if self.only_commands.is_empty() || self.only_commands.iter().any(|only| only == command) {
            return self.clone();
        }
        let healthy = Self::default();
        Self {
            reply_delay_ms: healthy.reply_delay_ms,
            segment_bytes: healthy.segment_bytes,
            segment_delay_ms: healthy.segment_delay_ms,
            trailing_nul: healthy.trailing_nul,
            cut: healthy.cut,
            oversize_bytes: healthy.oversize_bytes,
            not_utf8: healthy.not_utf8,
            malformed: healthy.malformed,
            writes: healthy.writes,
            ..self.clone()
        }
    }
}

/// What happens to a connection that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnAccept {
    /// It is served.
    #[default]
    Serve,
    /// It is reset.
    Reset,
    /// It is held open and nothing is ever said.
    Silent,
}

/// A reply that breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// How many bytes of it are sent.
    pub after_bytes: usize,
    /// What comes then.
    pub then: CutEnd,
}

/// What comes where a reply breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutEnd {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// The connection stays open and silent.
    Silence,
}

/// A way in which firmware prints broken JSON. Each is known from the field; clients have to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformation {
    /// A line feed and a carriage return inside a string.
    ControlCharacters,
    /// The escape `\'`, which JSON doesn't know.
    EscapedQuote,
    /// A comma before a closing bracket: `,}` and `,]`.
    TrailingComma,
    /// No comma between two objects of a list: `}{`.
    MissingComma,
    /// A comma before the first object of a list: `[,{`.
    LeadingComma,
    /// `get_psu` without the comma before `"temp0"` and its opening quote in its place: `""temp0"`.
    GluedTemperature,
    /// The bare words `nan`, `inf` and `-inf`, and `"nan"` in quotes, as values.
    NotANumber,
    /// `get_error_code` with pairs in square brackets: `["329":"…"]`.
    BracketedErrors,
    /// A comma where the opening bracket of the reply belongs.
    CommaForBrace,
    /// The end is missing, as from a buffer too short for it.
    CutShort,
    /// The reply comes twice in a row, as from a buffer that wasn't emptied.
    Concatenated,
}

impl Malformation {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::ControlCharacters,
        Self::EscapedQuote,
        Self::TrailingComma,
        Self::MissingComma,
        Self::LeadingComma,
        Self::GluedTemperature,
        Self::NotANumber,
        Self::BracketedErrors,
        Self::CommaForBrace,
        Self::CutShort,
        Self::Concatenated,
    ];
}

/// Another device at the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impostor {
    /// An Antminer with its stock firmware on the V2 port; the V3 port closes every connection.
    Antminer,
    /// A web server on both ports: a printer, a router.
    WebServer,
}

/// How many V2 sessions there are and how long they live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenPolicy {
    /// A table, as the manuals have it.
    Table {
        /// How many tokens live at once.
        max: usize,
        /// How long a token lives after its last use, s.
        ttl_seconds: u64,
    },
    /// One session only, as one operator found it: while it lives no other token is given.
    SingleSession {
        /// How long the session lives after its token was issued, s.
        ttl_seconds: u64,
        /// A refused request for a token prolongs the session.
        refresh_on_failure: bool,
    },
}

impl TokenPolicy {
    /// The nasty one: a single session of 180 s that every refused request prolongs.
    pub const NASTY: Self = Self::SingleSession { ttl_seconds: 180, refresh_on_failure: true };
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self::Table { max: 32, ttl_seconds: 1800 }
    }
}

/// What becomes of writes and their acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WriteFault {
    /// They are applied and acknowledged.
    #[default]
    None,
    /// They are applied; the connection is closed without a reply.
    DropReply,
    /// They are applied; the connection stays open without a reply.
    Silent,
    /// They are acknowledged and not applied.
    AcknowledgeOnly,
    /// They are acknowledged, and applied so many simulated seconds later.
    ApplyLater {
        /// Simulated seconds.
        seconds: u64,
    },
    /// They are neither applied nor answered: the connection is closed.
    Lose,
}

/// What becomes of a percentage before the ramp has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyPercent {
    /// It is refused (V2 code 132, V3 code −1).
    #[default]
    Refused,
    /// It is acknowledged and ignored.
    Ignored,
}
