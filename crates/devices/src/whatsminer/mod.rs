//! WhatsMiner (MicroBT): the [`Miner`] of this crate over the vendor's V3 and V2 network APIs.
//!
//! * Who answers is found out first ([`Miner::identify`], and by itself after every loss of contact): nothing is
//!   written to what isn't a WhatsMiner, or to another one than was identified.
//! * Everything is written by one protocol, V3 where it answers: on some firmware a V2 stop doesn't hold, and a V2
//!   start doesn't undo a V3 stop.
//! * Commands are sent one after the other, and never a second time while the outcome of the first isn't known.
//!   Reads run beside them; a stop waits for no read.
//! * Dropping a call at any point leaves what is remembered on the safe side: unknown.
//!
//! What it must not do: decide whether or when to start, stop or change anything; try to unlock a miner's write
//! access by any other way than telling the person how to.

mod error_codes;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod json;
mod md5crypt;
mod order;
mod peer;
mod power;
mod reading;
mod sighting;
mod v2;
mod v3;

pub(crate) use sighting::{Sighting, Stranger};

use crate::{Deadlines, DeviceError, Miner, Secret, WriteOutcome, Written, deadline::Deadline};
use async_trait::async_trait;
use model::{Means, MinerIdentity, MinerReading, Now, Watts};
use order::{Confirmation, Order, refused, whole_limit};
use peer::{Peer, unread};
use power::{Plan, PowerMemory};
use reading::Observation;
use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// What is wrong and what to do about it, where the miner lets its API change nothing.
const WRITES_DISABLED: &str = "the miner's network API isn't enabled for commands: change its default admin password, \
     then switch on \"Miner API Switch\" in WhatsMinerTool (Remote Ctrl)";
/// V3 may answer before V2 is asked as well.
const HEAD_START: Duration = Duration::from_millis(300);
/// Where V3 ought to be and didn't answer, it is looked for again after so many readings.
const LOOK_AGAIN: u32 = 30;
/// A stored limit this near to the wanted one, as a share of it, isn't written again before a start.
const LIMIT_TOLERANCE: f64 = 0.02;

/// How to reach one WhatsMiner.
#[derive(Debug, Clone)]
pub struct WhatsMinerConfig {
    /// Name, IPv4 or IPv6 address.
    pub host: String,
    /// TCP port of the V2 API; 4028 on every miner.
    pub v2_port: u16,
    /// TCP port of the V3 API; 4433 on every miner.
    pub v3_port: u16,
    /// The admin password, which V2 commands are encrypted with.
    pub v2_password: Secret,
    /// The account that signs V3 commands, normally "super".
    pub v3_account: String,
    /// Its password; separate from the admin password.
    pub v3_password: Secret,
    /// The miner's full power as configured. Percentages refer to it only where the miner tells neither its limit
    /// nor its stable power.
    pub base_watts: Watts,
    /// How long calls may take.
    pub deadlines: Deadlines,
}

/// The client of one WhatsMiner.
#[derive(Debug)]
pub struct WhatsMiner {
    deadlines: Deadlines,
    base: Watts,
    v2: v2::Client,
    v3: v3::Client,
    contact: Mutex<Contact>,
    power: Mutex<PowerMemory>,
    /// Held while a command is on its way.
    writing: tokio::sync::Mutex<()>,
    /// Told when a stop is wanted: looking whether commands are taken gives way to it.
    stop_wanted: tokio::sync::Notify,
}

/// Who was found.
#[derive(Debug, Default)]
struct Contact {
    known: Option<Known>,
    /// Whom [`Miner::identify`] told last: the miner that the caller means.
    identified: Option<MinerIdentity>,
    readings: u32,
}

#[derive(Debug, Clone)]
struct Known {
    protocol: Protocol,
    identity: MinerIdentity,
    /// V3 didn't answer although it may be there.
    may_have_v3: bool,
}

/// What a reading is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// To know how the miner is.
    Poll,
    /// To tell it something next: who answers must be the one that is meant.
    BeforeCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    V2(v2::Generation),
    V3,
}

impl WhatsMiner {
    /// A client that hasn't asked anybody anything yet.
    pub fn new(config: WhatsMinerConfig) -> Self {
        let peer = |port| Peer::new(&config.host, port, config.deadlines.connect);
        let (v2_peer, v3_peer) = (peer(config.v2_port), peer(config.v3_port));
        Self {
            deadlines: config.deadlines,
            base: config.base_watts,
            v2: v2::Client::new(v2_peer, config.v2_password),
            v3: v3::Client::new(v3_peer, config.v3_account, config.v3_password),
            contact: Mutex::default(),
            power: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            stop_wanted: tokio::sync::Notify::default(),
        }
    }

    /// Asks V3, and V2 at the same time unless V3 answers at once. V3 is awaited for half a read at the most, so
    /// that a port that drops packets doesn't use up the deadline.
    async fn discover(&self, deadline: Deadline) -> Result<Known, DeviceError> {
        let mut v3 = pin!(self.v3.probe(deadline.half()));
        let (v3, v2) = match timeout(HEAD_START, &mut v3).await {
            Ok(Ok(identity)) => (Ok(identity), Err(DeviceError::Unreachable("not asked".to_owned()))),
            Ok(Err(error)) => (Err(error), self.v2.probe(deadline).await),
            Err(_) => tokio::join!(v3, self.v2.probe(deadline)),
        };
        match (v3, v2) {
            (Ok(identity), _) => Ok(Known { protocol: Protocol::V3, identity, may_have_v3: false }),
            (Err(v3_error), Ok(found)) => Ok(Known {
                protocol: Protocol::V2(found.generation),
                identity: found.identity,
                may_have_v3: found.generation == v2::Generation::G3
                    || matches!(v3_error, DeviceError::TimedOut { .. }),
            }),
            (Err(wrong @ DeviceError::WrongDevice(_)), Err(v2_error)) if v2_error.is_transient() => {
                Err(wrong)
            }
            // What can't be read tells more than silence on the other port.
            (
                Err(unread @ DeviceError::Protocol(_)),
                Err(DeviceError::Unreachable(_) | DeviceError::TimedOut { .. }),
            ) => Err(unread),
            (Err(_), Err(v2_error)) => Err(v2_error),
        }
    }

    /// Who is there: as found before, or found out now. Another miner than the one that was identified is refused.
    async fn known(&self, deadline: Deadline) -> Result<Known, DeviceError> {
        if let Some(known) = hold(&self.contact).known.clone() {
            return Ok(known);
        }
        let known = self.discover(deadline).await?;
        if let (Some(expected), Some(found)) = (self.identified_mac(), &known.identity.mac)
            && expected != *found
        {
            return Err(another(found, &expected));
        }
        hold(&self.contact).known = Some(known.clone());
        Ok(known)
    }

    /// Passes an outcome on. After one that may mean another device or none, who is there isn't known any more.
    fn noting_loss<T>(&self, outcome: Result<T, DeviceError>) -> Result<T, DeviceError> {
        if let Err(
            DeviceError::Unreachable(_)
            | DeviceError::TimedOut { .. }
            | DeviceError::Protocol(_)
            | DeviceError::WrongDevice(_),
        ) = outcome
        {
            hold(&self.contact).known = None;
        }
        outcome
    }

    async fn read_within(
        &self,
        occasion: Occasion,
        now: Now,
        deadline: Deadline,
    ) -> Result<MinerReading, DeviceError> {
        let known = self.known(deadline).await?;
        let ramp_known = hold(&self.power).is_ramp_finished();
        let observation = match known.protocol {
            Protocol::V3 => self.v3.read(deadline).await,
            Protocol::V2(generation) => self.v2.read(generation, occasion, ramp_known, deadline).await,
        };
        let observation = self.noting_loss(observation.and_then(not_empty))?;
        // Two may have changed places between two readings without either of them being missed.
        if let Some((expected, found)) = known.identity.mac.as_ref().zip(observation.mac.as_ref())
            && expected != found
        {
            hold(&self.contact).known = None;
            return Err(another(found, expected));
        }
        Ok(hold(&self.power).observe(observation, now.mono))
    }

    /// Looks for V3 again where it ought to be: the miner may only have been too busy to answer.
    async fn look_for_v3(&self, deadline: Deadline) {
        let is_due = {
            let mut contact = hold(&self.contact);
            contact.readings = contact.readings.wrapping_add(1);
            contact.readings.is_multiple_of(LOOK_AGAIN)
                && contact.known.as_ref().is_some_and(|known| known.may_have_v3)
        };
        if is_due && let Ok(identity) = self.v3.probe(deadline.sooner(self.deadlines.read / 4)).await {
            let mut contact = hold(&self.contact);
            if let Some(known) = &mut contact.known
                && (known.identity.mac.is_none() || known.identity.mac == identity.mac)
            {
                *known = Known { protocol: Protocol::V3, identity, may_have_v3: false };
            }
        }
    }

    /// Sends one order. The caller holds `writing`.
    async fn send(&self, order: Order, now: Now, deadline: Deadline) -> Result<Confirmation, DeviceError> {
        let known = self.known(deadline).await?;
        hold(&self.power).about_to_send(order);
        let outcome = match known.protocol {
            Protocol::V3 => self.v3.write(order, now, deadline).await,
            Protocol::V2(v2::Generation::G0) => Err(DeviceError::Unsupported(
                "firmware of this age takes no commands over the network".to_owned(),
            )),
            Protocol::V2(_) => self.v2.write(order, now, deadline).await,
        };
        let mut power = hold(&self.power);
        match &outcome {
            Ok(confirmation) if confirmation.is_acked() => power.acknowledged(order),
            Err(error) if is_unsupported(order, error) => power.unsupported(order),
            Err(DeviceError::Refused { .. }) => power.refused(order),
            _ => {}
        }
        drop(power);
        self.noting_loss(outcome)
    }

    /// Sees to the limit that a start needs first.
    async fn limit_before_start(
        &self,
        watts: u32,
        now: Now,
        deadline: Deadline,
    ) -> Result<BeforeStart, DeviceError> {
        let reading = self.read_within(Occasion::BeforeCommand, now, deadline).await?;
        if self.has_limit(watts, &reading) {
            return Ok(BeforeStart::InForce);
        }
        if !hold(&self.power).takes_limit() {
            return Ok(BeforeStart::Unsupported);
        }
        // Half of the time at most, so that some is left to look whether an unanswered limit arrived.
        match self.send(Order::Limit(watts), now, deadline.half()).await {
            Ok(confirmation) if confirmation.is_acked() => Ok(BeforeStart::InForce),
            Ok(confirmation) => match self.read_within(Occasion::BeforeCommand, now, deadline).await {
                Ok(reading) if self.has_limit(watts, &reading) => Ok(BeforeStart::InForce),
                _ => Ok(BeforeStart::Unknown(confirmation)),
            },
            Err(DeviceError::Unsupported(_)) => Ok(BeforeStart::Unsupported),
            Err(DeviceError::Refused { .. }) => Ok(BeforeStart::Refused),
            Err(error) => Err(error),
        }
    }

    fn has_limit(&self, watts: u32, reading: &MinerReading) -> bool {
        let wanted = f64::from(watts);
        hold(&self.power)
            .limit(reading)
            .is_some_and(|limit| (limit.get() - wanted).abs() <= wanted * LIMIT_TOLERANCE)
    }

    async fn start_within(&self, power: Watts, now: Now, deadline: Deadline) -> Result<Written, DeviceError> {
        let watts = whole_limit(power).ok_or_else(|| refused("less than a watt isn't a power: use stop"))?;
        let before = self.limit_before_start(watts, now, deadline).await?;
        if let BeforeStart::Unknown(confirmation) = before {
            let words = format!(
                "the power limit got no answer ({}); not started",
                confirmation.words.unwrap_or_default()
            );
            return Ok(Confirmation::unknown(words).by(Means::Limit));
        }
        let mut started = self.send(Order::Start, now, deadline).await?.by(Means::Start);
        if started.outcome == WriteOutcome::Acked {
            match before {
                BeforeStart::Refused => {
                    if let Some(words) = self.limit_after_start(watts, now, deadline).await {
                        started.words = Some(words);
                    }
                }
                BeforeStart::Unsupported => {
                    started.words = Some("started at its own limit: its firmware takes none".to_owned());
                }
                BeforeStart::InForce | BeforeStart::Unknown(_) => {}
            }
        }
        Ok(started)
    }

    /// Firmware that refuses a limit while it is off may take it once it is on. The words say so if it doesn't.
    async fn limit_after_start(&self, watts: u32, now: Now, deadline: Deadline) -> Option<String> {
        let words = match self.send(Order::Limit(watts), now, deadline).await {
            Ok(confirmation) if confirmation.is_acked() => return None,
            Ok(_) => format!("started; the limit of {watts} W got no answer"),
            Err(error) => format!("started, but not at the limit of {watts} W: {error}"),
        };
        tracing::warn!(limit_w = watts, "{words}");
        Some(words)
    }

    async fn set_power_within(
        &self,
        power: Watts,
        now: Now,
        deadline: Deadline,
    ) -> Result<Written, DeviceError> {
        let reading = self.read_within(Occasion::BeforeCommand, now, deadline).await?;
        if reading.service_on == Some(false) {
            return Err(refused("the mining service is off: a limit might start it"));
        }
        loop {
            let plan = hold(&self.power).plan(power, &reading, self.base);
            let order = match plan {
                Plan::AlreadySet => {
                    return Ok(Confirmation::acked("already set".to_owned()).by(Means::Limit));
                }
                Plan::Impossible(why) => return Err(refused(why)),
                Plan::Send(order) => order,
            };
            match self.send(order, now, deadline).await {
                // Each kind of order can turn out unsupported once, and the next plan does without it.
                Err(error) if is_unsupported(order, &error) => {}
                outcome => return outcome.map(|confirmation| confirmation.by(order.means())),
            }
        }
    }

    /// A V3 password that is wrong must not keep a miner from being stopped: its V2 API has a password of its own.
    /// `why` is what V3 said; it stands if V2 doesn't do better.
    async fn stop_by_v2(
        &self,
        why: String,
        now: Now,
        deadline: Deadline,
    ) -> Result<Confirmation, DeviceError> {
        let by_v3 = hold(&self.contact).known.as_ref().is_some_and(|known| known.protocol == Protocol::V3);
        if by_v3 && let Ok(mut confirmation) = self.v2.write(Order::Stop, now, deadline).await {
            tracing::warn!("stopped by V2, since V3 didn't take the password");
            hold(&self.power).acknowledged(Order::Stop);
            confirmation.words = Some(format!("stopped by its V2 API; {why}"));
            return Ok(confirmation);
        }
        Err(DeviceError::BadCredentials(why))
    }

    async fn check_writes_within(&self, now: Now) -> Result<(), DeviceError> {
        let deadline = Deadline::after(self.deadlines.write);
        let _turn = self.turn(deadline).await?;
        let outcome = match self.known(deadline).await?.protocol {
            Protocol::V3 => self.v3.check_writes(now, deadline).await,
            Protocol::V2(v2::Generation::G0) => Err(DeviceError::Unsupported(
                "firmware of this age takes no commands over the network".to_owned(),
            )),
            Protocol::V2(_) => self.v2.check_writes(now, deadline).await,
        };
        self.noting_loss(outcome)
    }

    /// Waits until no other command is on its way, and keeps it so while the result lives. A command is for the miner
    /// that was known when it came: if another one was identified while it waited, it isn't sent.
    async fn turn(&self, deadline: Deadline) -> Result<tokio::sync::MutexGuard<'_, ()>, DeviceError> {
        let meant = self.identified_mac();
        let turn = deadline.limit("waiting for the command before this one", self.writing.lock()).await?;
        match (meant, self.identified_mac()) {
            (Some(meant), Some(found)) if meant != found => Err(another(&found, &meant)),
            _ => Ok(turn),
        }
    }

    fn identified_mac(&self) -> Option<String> {
        hold(&self.contact).identified.as_ref().and_then(|identity| identity.mac.clone())
    }
}

/// What became of the limit that a start begins with.
enum BeforeStart {
    /// It holds, or is acknowledged.
    InForce,
    /// Neither an answer nor a reading says that it holds.
    Unknown(Confirmation),
    /// This firmware has no limit.
    Unsupported,
    /// The miner refused it in its present state.
    Refused,
}

/// Whether the firmware doesn't have this kind of order. For a percentage, firmware says so with a general error,
/// too; it is sent only when it could act.
fn is_unsupported(order: Order, error: &DeviceError) -> bool {
    match error {
        DeviceError::Unsupported(_) => matches!(order, Order::Percent(_) | Order::Limit(_)),
        DeviceError::Refused { code, .. } => *code == 132 && matches!(order, Order::Percent(_)),
        _ => false,
    }
}

/// A reading of mended replies that tells nothing of what the miner does is none.
fn not_empty(observation: Observation) -> Result<Observation, DeviceError> {
    let MinerReading { repaired_replies, service_on, power, hash_rate, .. } = &observation.reading;
    let is_empty = service_on.is_none() && power.is_none() && hash_rate.is_none();
    if *repaired_replies > 0 && is_empty { Err(unread()) } else { Ok(observation) }
}

fn another(found: &str, expected: &str) -> DeviceError {
    DeviceError::WrongDevice(format!("the WhatsMiner {found} instead of {expected}"))
}

/// What one thread left behind in a panic is still the best that is known.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Miner for WhatsMiner {
    async fn identify(&self, _now: Now) -> Result<MinerIdentity, DeviceError> {
        let deadline = Deadline::after(self.deadlines.read);
        let found = self.discover(deadline).await;
        let mut contact = hold(&self.contact);
        contact.known = None;
        let known = found?;
        hold(&self.power).forget_abilities();
        if contact.identified.as_ref() != Some(&known.identity) {
            *hold(&self.power) = PowerMemory::default();
            self.v2.forget();
            self.v3.forget();
        }
        contact.identified = Some(known.identity.clone());
        contact.known = Some(known.clone());
        Ok(known.identity)
    }

    async fn read(&self, now: Now) -> Result<MinerReading, DeviceError> {
        let deadline = Deadline::after(self.deadlines.read);
        let reading = self.read_within(Occasion::Poll, now, deadline).await?;
        self.look_for_v3(deadline).await;
        Ok(reading)
    }

    async fn stop(&self, now: Now) -> Result<Written, DeviceError> {
        let deadline = Deadline::after(self.deadlines.write);
        self.stop_wanted.notify_waiters();
        let _turn = self.turn(deadline).await?;
        let stopped = match self.send(Order::Stop, now, deadline).await {
            Err(DeviceError::BadCredentials(why)) => self.stop_by_v2(why, now, deadline).await,
            other => other,
        };
        Ok(stopped?.by(Means::Stop))
    }

    /// Writes the limit if the stored one is unknown or differs by more than 2 %, then starts. A limit that fails
    /// in transport is the result: nothing is started. One without an answer is looked for in a reading; if that
    /// doesn't show it, the result is `Unknown` by [`Means::Limit`], and nothing was started. A limit that the
    /// firmware refuses while it is off is written again after the start.
    async fn start(&self, power: Watts, now: Now) -> Result<Written, DeviceError> {
        let deadline = Deadline::after(self.deadlines.write);
        let _turn = self.turn(deadline).await?;
        self.start_within(power, now, deadline).await
    }

    /// By percentage if the firmware has it, the ramp has finished and `power` is within the limit in force; else
    /// by limit. A limit already in force isn't sent again, since that alone restarts the miner: the result says
    /// "already set".
    async fn set_power(&self, power: Watts, now: Now) -> Result<Written, DeviceError> {
        let deadline = Deadline::after(self.deadlines.write);
        let _turn = self.turn(deadline).await?;
        self.set_power_within(power, now, deadline).await
    }

    /// Whether the API switch is on and the password right, proven by telling an automatic indicator light to stay
    /// automatic.
    async fn check_writes(&self, now: Now) -> Result<(), DeviceError> {
        let stop_wanted = self.stop_wanted.notified();
        tokio::pin!(stop_wanted);
        stop_wanted.as_mut().enable();
        tokio::select! {
            biased;
            () = stop_wanted => Err(DeviceError::Unavailable {
                words: "a stop goes first".to_owned(),
                retry_after: Duration::ZERO,
            }),
            checked = self.check_writes_within(now) => checked,
        }
    }
}
