//! A miner's reader: asks it at its own cadence, and makes sure that it is still the same miner.

use crate::{
    clock::{Busy, Timekeeper},
    recorder::{Entry, Recorder},
    samples,
};
use devices::{DeviceError, Miner};
use model::{MinerId, MinerIdentity, MinerReading, Now, snapshot::Connection};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// A miner that takes no commands is asked again after this many readings.
const CHECK_AGAIN: u32 = 60;
/// A miner that wasn't read for this many of its polls, and the slack, can't be reached.
const MISSED_POLLS: u32 = 3;
const SLACK: Duration = Duration::from_secs(5);

/// The latest that is known of a miner.
#[derive(Debug, Clone, Default)]
pub(crate) struct MinerStatus {
    pub(crate) identity: Option<MinerIdentity>,
    /// The last reading and when it was begun.
    pub(crate) reading: Option<(Arc<MinerReading>, Now)>,
    /// Why the last attempt failed, if it did.
    pub(crate) error: Option<DeviceError>,
    /// Why it would take no command, if it was found out that it wouldn't.
    pub(crate) writes_refused: Option<DeviceError>,
    /// That was looked into since the miner was last met.
    pub(crate) writes_checked: bool,
    /// The hardware address that it must have: configured, or remembered from the first contact.
    pub(crate) mac: Option<String>,
    /// Who answers there instead. Nothing is commanded while this is set.
    pub(crate) stranger: Option<String>,
}

/// A miner that is read at this interval and wasn't for so long can't be reached.
pub(crate) fn unreachable_after(poll: Duration) -> Duration {
    poll * MISSED_POLLS + SLACK
}

impl MinerStatus {
    /// The connection as people are told it.
    pub(crate) fn connection(&self, unreachable_after: Duration, keeper: &Timekeeper) -> Connection {
        let read_at = self.reading.as_ref().map(|(_, read_at)| *read_at);
        let is_fresh = read_at.is_some_and(|at| keeper.now().mono.since(at.mono) <= unreachable_after);
        Connection {
            connected: self.error.is_none() && is_fresh,
            last_seen: read_at.map(|at| at.utc),
            error: self.error.as_ref().map(ToString::to_string),
            session_since: None,
        }
    }
}

pub(crate) struct Reader {
    pub(crate) id: MinerId,
    pub(crate) device: Arc<dyn Miner>,
    pub(crate) keeper: Arc<Timekeeper>,
    pub(crate) status: watch::Sender<MinerStatus>,
    pub(crate) recorder: Recorder,
    pub(crate) poll: Duration,
    /// It may be commanded. One that is only looked at isn't asked whether it would take a command either.
    pub(crate) is_controlled: bool,
    /// The engine's own deadline, in real time, should a driver break its promise.
    pub(crate) deadline: Duration,
}

impl Reader {
    /// Reads for ever.
    pub(crate) async fn run(&self, mut busy: Busy) {
        for round in 0_u32.. {
            let now = self.keeper.now();
            let result = tokio::time::timeout(self.deadline, self.ask(now)).await.unwrap_or(Err(
                DeviceError::TimedOut { doing: "reading the miner", deadline: self.deadline },
            ));
            if let Ok(reading) = &result {
                let sample = samples::of_miner(&self.id, reading, now.utc);
                self.recorder.put(Entry::MinerSample(Box::new(sample), now));
            }
            self.status.send_modify(|status| match result {
                Ok(reading) => {
                    status.reading = Some((Arc::new(reading), now));
                    status.error = None;
                }
                Err(error) => {
                    if status.error.as_ref() != Some(&error) {
                        tracing::warn!(miner = %self.id, %error, "reading failed");
                    }
                    if let DeviceError::WrongDevice(stranger) = &error {
                        status.stranger = Some(stranger.clone());
                    }
                    // Whoever answers next has to say again who it is.
                    (status.identity, status.writes_checked) = (None, false);
                    status.error = Some(error);
                }
            });
            self.check_writes(round).await;
            busy = self.keeper.sleep(busy, self.poll).await;
        }
    }

    /// Finds out whether the miner would take a command, before one is needed: at the first reading, and now and
    /// then while it wouldn't.
    async fn check_writes(&self, round: u32) {
        let due = {
            let status = self.status.borrow();
            let refused = status.writes_refused.is_some() && round.is_multiple_of(CHECK_AGAIN);
            status.error.is_none() && (round == 0 || !status.writes_checked || refused)
        };
        if !due || !self.is_controlled {
            return;
        }
        let checked = tokio::time::timeout(self.deadline, self.device.check_writes(self.keeper.now())).await;
        self.status.send_modify(|status| {
            status.writes_checked = true;
            status.writes_refused = match checked {
                // What may be different in a moment says nothing about the miner.
                Ok(Err(error)) if !error.is_transient() => Some(error),
                _ => None,
            };
        });
    }

    async fn ask(&self, now: Now) -> Result<MinerReading, DeviceError> {
        if self.status.borrow().identity.is_none() {
            let identity = self.device.identify(now).await?;
            self.recognise(&identity)?;
            self.status.send_modify(|status| {
                status.identity = Some(identity);
                status.stranger = None;
            });
        }
        self.device.read(now).await
    }

    /// The first miner met at an address is the one; another one there is a stranger.
    fn recognise(&self, identity: &MinerIdentity) -> Result<(), DeviceError> {
        let Some(mac) = &identity.mac else { return Ok(()) };
        let expected = self.status.borrow().mac.clone();
        match expected {
            Some(expected) if !expected.eq_ignore_ascii_case(mac) => Err(DeviceError::WrongDevice(format!(
                "a miner with the hardware address {mac} instead of {expected}"
            ))),
            Some(_) => {
                self.recorder.remember_identity(&self.id, identity, &self.keeper);
                Ok(())
            }
            None => {
                tracing::info!(miner = %self.id, %mac, "met for the first time");
                self.recorder.remember_identity(&self.id, identity, &self.keeper);
                self.status.send_modify(|status| status.mac = Some(mac.clone()));
                Ok(())
            }
        }
    }
}
