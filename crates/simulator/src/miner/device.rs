//! The device behind the ports: machine, faults, sessions and log under one lock. Both protocols act through it, so
//! that a write does the same whichever way it came.

use super::{
    Answer, EarlyPercent, Effect, Faults, MinerSetup, Physics, Protocol, WriteFault,
    crypt::{self, Cipher},
    machine::{Change, Machine},
    received::{Entry, Log},
    report::Report,
    tokens::{Grant, Tokens},
};
use crate::{TimeSource, house::noise};
use model::UtcMillis;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// The characters of salts.
const SALT_ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a write asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Write {
    /// A change of the machine. What the faults make of it is the device's business.
    Change(Change),
    /// Something that is acknowledged and has no use in the simulation: pools, lights, fans.
    WithoutEffect,
    /// The parameters are of the wrong type, or missing.
    Malformed,
    /// The parameters are out of range.
    OutOfRange,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It can't be done now.
    Refused,
    /// It is acknowledged, or would be.
    Done { effect: Effect, ending: Ending },
}

/// How an exchange ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With the reply.
    Answer,
    /// Without it; the connection is closed.
    Close,
    /// Without it; the connection stays open.
    Hold,
}

/// What goes back to a client.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) bytes: Vec<u8>,
    pub(super) ending: Ending,
    /// The faults as far as they concern the command.
    pub(super) faults: Faults,
}

/// What one request came to, ready for the log and for the printer of its protocol.
pub(super) struct Verdict<B> {
    pub(super) body: B,
    pub(super) command: String,
    pub(super) params: Value,
    pub(super) privileged: bool,
    pub(super) write: bool,
    pub(super) effect: Effect,
    pub(super) ending: Ending,
}

impl<B> Verdict<B> {
    /// A request that changes nothing.
    pub(super) fn read(command: impl Into<String>, params: Value, body: B) -> Self {
        Self {
            body,
            command: command.into(),
            params,
            privileged: false,
            write: false,
            effect: Effect::Nothing,
            ending: Ending::Answer,
        }
    }

    /// This verdict on a request with credentials.
    pub(super) fn privileged(self) -> Self {
        Self { privileged: true, ..self }
    }

    /// This verdict on a command that would change something.
    pub(super) fn write(self) -> Self {
        Self { write: true, ..self }
    }
}

/// One simulated device.
pub(super) struct Device {
    pub(super) setup: MinerSetup,
    time: TimeSource,
    state: Mutex<State>,
    /// The number of the last request in the log.
    pub(super) requests: watch::Sender<u64>,
    /// Counts what may have changed whether the device is on the network.
    pub(super) network: watch::Sender<u64>,
}

/// What is behind the lock.
pub(super) struct State {
    pub(super) machine: Machine,
    pub(super) faults: Faults,
    pub(super) tokens: Tokens,
    pub(super) log: Log,
    /// The salts are part of the stored password hashes: they last as long as the password.
    pub(super) v2_salt: String,
    pub(super) v2_key: String,
    pub(super) cipher: Cipher,
    pub(super) v3_salt: String,
    /// What reads tell until an instant, whatever is true.
    frozen: Option<(UtcMillis, Report)>,
    latest: UtcMillis,
    grants: i64,
    plate: (u32, u64),
    mac: String,
    writes_enabled: bool,
}

impl Device {
    pub(super) fn new(setup: MinerSetup, physics: Physics, time: TimeSource) -> Self {
        let (v2_salt, v3_salt) = (salt(setup.seed, -1), salt(setup.seed, -2));
        Self::with_salts(setup, physics, time, v2_salt, v3_salt)
    }

    /// A device whose passwords were stored with these salts.
    pub(super) fn with_salts(
        setup: MinerSetup,
        physics: Physics,
        time: TimeSource,
        v2_salt: String,
        v3_salt: String,
    ) -> Self {
        let now = time();
        let v2_key = crypt::md5crypt(&setup.v2_password, &v2_salt).unwrap_or_default();
        let running = setup.initial == super::Initial::Running;
        let state = State {
            machine: Machine::new(physics, setup.rated_watts, running, now),
            faults: Faults::default(),
            tokens: Tokens::default(),
            log: Log::default(),
            cipher: Cipher::new(&v2_key),
            v2_salt,
            v2_key,
            v3_salt,
            frozen: None,
            latest: now,
            grants: 0,
            plate: (setup.rated_watts, setup.seed),
            mac: setup.mac.clone(),
            writes_enabled: setup.writes_enabled,
        };
        Self {
            setup,
            time,
            state: Mutex::new(state),
            requests: watch::Sender::new(0),
            network: watch::Sender::new(0),
        }
    }

    /// Brings the machine up to now and looks at it, or does something with it.
    pub(super) fn visit<R>(&self, visitor: impl FnOnce(&mut State, UtcMillis) -> R) -> R {
        self.visit_at(None, visitor)
    }

    /// The same at an instant that somebody else calls now.
    pub(super) fn visit_at<R>(
        &self,
        at: Option<UtcMillis>,
        visitor: impl FnOnce(&mut State, UtcMillis) -> R,
    ) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock: time doesn't go back between two visitors.
        let now = at.unwrap_or_else(|| (self.time)()).max(state.latest);
        state.latest = now;
        let was_online = state.online();
        state.machine.advance(now);
        let result = visitor(&mut state, now);
        let (online, count) = (state.online(), state.log.count());
        drop(state);
        if online != was_online {
            self.network.send_modify(|changes| *changes += 1);
        }
        self.requests.send_if_modified(|last| std::mem::replace(last, count) != count);
        result
    }

    /// Whether anything answers at this device's address.
    pub(super) fn online(&self) -> bool {
        self.visit(|state, _| state.online())
    }

    /// The faults that are switched on.
    pub(super) fn faults(&self) -> Faults {
        self.visit(|state, _| state.faults.clone())
    }
}

impl State {
    fn online(&self) -> bool {
        !self.faults.refuse_connections && !self.machine.board_rebooting()
    }

    pub(super) fn set_faults(&mut self, now: UtcMillis, faults: Faults) {
        self.machine.set_crash_below(now, faults.crash_loop_below_watts);
        let usual = self.machine.physics().dead_time_s;
        self.machine.set_dead_time(faults.recalibration_seconds.map_or(usual, |seconds| seconds as f64));
        self.faults = faults;
    }

    /// Whether the network may change anything here.
    pub(super) fn writes_enabled(&self) -> bool {
        self.writes_enabled && !self.faults.writes_disabled
    }

    /// The device's view of itself, which may be an old one.
    pub(super) fn report(&self, now: UtcMillis) -> Report {
        let mac = self.faults.mac.as_deref().unwrap_or(&self.mac);
        let report = Report::new(&self.machine, now, &self.faults, self.plate, (mac, self.writes_enabled()));
        match &self.frozen {
            Some((until, frozen)) if now < *until => Report { when: report.when, ..frozen.clone() },
            _ => report,
        }
    }

    /// A new grant of a V2 token: time and salt look random and depend on the seed only.
    pub(super) fn next_grant(&mut self) -> Grant {
        let (_, seed) = self.plate;
        self.grants += 1;
        let time = format!("{:04}", noise::bits(seed, self.grants) % 10_000);
        Grant { time, newsalt: salt(seed, self.grants) }
    }

    /// Does what a write asks for, as far as the faults let it.
    pub(super) fn carry_out(
        &mut self,
        now: UtcMillis,
        protocol: Protocol,
        command: &str,
        change: Option<Change>,
    ) -> Outcome {
        let faults = self.faults.concerning(command);
        let ending = match faults.writes {
            WriteFault::Lose => return Outcome::Done { effect: Effect::Nothing, ending: Ending::Close },
            WriteFault::DropReply => Ending::Close,
            WriteFault::Silent => Ending::Hold,
            WriteFault::None | WriteFault::AcknowledgeOnly | WriteFault::ApplyLater { .. } => Ending::Answer,
        };
        let swallowed = Outcome::Done { effect: Effect::Nothing, ending };
        let Some(change) = change else { return swallowed };
        if !self.machine.accepts(change) {
            return match faults.early_percent {
                EarlyPercent::Refused => Outcome::Refused,
                EarlyPercent::Ignored => swallowed,
            };
        }
        let change = match change {
            Change::Stop { .. } if protocol == Protocol::V2 => {
                Change::Stop { resumes_after_s: faults.resumes_after_power_off_seconds }
            }
            Change::Reboot { .. } => self.reboot_change(),
            Change::Limit(watts) if faults.ignore_limit_below_watts.is_some_and(|floor| watts < floor) => {
                return swallowed;
            }
            other => other,
        };
        match faults.writes {
            WriteFault::AcknowledgeOnly => swallowed,
            WriteFault::ApplyLater { seconds } => {
                if self.machine.schedule(later(now, seconds), change) {
                    Outcome::Done { effect: Effect::Delayed, ending }
                } else {
                    Outcome::Refused
                }
            }
            _ => {
                self.apply(now, change);
                // A board that restarts takes its connections with it.
                let ending = if self.machine.board_rebooting() { Ending::Close } else { ending };
                Outcome::Done { effect: Effect::Applied, ending }
            }
        }
    }

    /// Changes the machine, whoever wants it.
    pub(super) fn apply(&mut self, now: UtcMillis, change: Change) {
        if self.faults.stale_readback_seconds > 0 {
            self.frozen = Some((later(now, self.faults.stale_readback_seconds), self.report(now)));
        }
        if matches!(change, Change::Reboot { .. }) {
            self.tokens.clear();
        }
        self.machine.apply(now, change);
    }

    /// Restarts the control board.
    pub(super) fn reboot(&mut self, now: UtcMillis) {
        self.apply(now, self.reboot_change());
    }

    fn reboot_change(&self) -> Change {
        let usual = self.machine.physics().reboot_s;
        Change::Reboot { seconds: self.faults.reboot_seconds.map_or(usual, |seconds| seconds as f64) }
    }

    /// Writes a verdict into the log. `code` is what the reply says, if it says one.
    pub(super) fn record<B>(
        &mut self,
        now: UtcMillis,
        protocol: Protocol,
        verdict: &Verdict<B>,
        code: Option<i64>,
    ) {
        let answer = match (verdict.ending, code) {
            (Ending::Answer, Some(code)) => Answer::Code(code),
            (Ending::Answer, None) => Answer::Text,
            (Ending::Close | Ending::Hold, _) => Answer::NoReply,
        };
        let entry = Entry {
            protocol,
            command: verdict.command.clone(),
            params: verdict.params.clone(),
            privileged: verdict.privileged,
            write: verdict.write,
            effect: verdict.effect,
            answer,
        };
        self.log.push(now, entry);
    }
}

fn later(now: UtcMillis, seconds: u64) -> UtcMillis {
    let millis = i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    UtcMillis(now.0.saturating_add(millis))
}

/// Eight characters that depend on seed and number.
fn salt(seed: u64, number: i64) -> String {
    let bits = noise::bits(seed.wrapping_add(0x5A17), number);
    let character = |place: u32| SALT_ALPHABET.get((bits >> (6 * place)) as usize % SALT_ALPHABET.len());
    (0..8).filter_map(character).map(|byte| char::from(*byte)).collect()
}
