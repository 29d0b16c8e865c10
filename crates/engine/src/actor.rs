//! A miner's actor: the only one that commands it, one operation at a time.
//!
//! The newest order counts. An off interrupts whatever is under way: the interrupted call is abandoned, and what it
//! did is unknown.

use crate::{
    clock::{Busy, Timekeeper},
    reader::MinerStatus,
    recorder::Durable,
};
use control::Outcome;
use devices::{DeviceError, Miner, WriteOutcome, Written};
use model::{Command, Means, Now};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A command to carry out.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) sequence: u64,
    pub(crate) command: Command,
    /// Its record, which goes before it.
    pub(crate) durable: Option<Durable>,
    /// Travels with the work, so that simulated time waits for it.
    pub(crate) busy: Busy,
}

/// What became of an order so far.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    pub(crate) sequence: u64,
    pub(crate) outcome: Outcome,
    pub(crate) means: Option<Means>,
    pub(crate) sent_at: Now,
    pub(crate) ended_at: Option<Now>,
    /// The miner's own words, or what went wrong.
    pub(crate) words: Option<String>,
    /// The error, for the alert it deserves.
    pub(crate) error: Option<DeviceError>,
}

pub(crate) struct Actor {
    pub(crate) device: Arc<dyn Miner>,
    pub(crate) keeper: Arc<Timekeeper>,
    pub(crate) status: watch::Receiver<MinerStatus>,
    pub(crate) reports: watch::Sender<Option<Report>>,
    pub(crate) wake: mpsc::Sender<Busy>,
    pub(crate) shutdown: CancellationToken,
    /// The engine's own deadline, in real time, should a driver break its promise.
    pub(crate) deadline: Duration,
}

impl Actor {
    /// Works until the orders end, or the shutdown finds it idle.
    pub(crate) async fn run(&self, orders: &mut mpsc::Receiver<Order>) {
        let mut next = None;
        loop {
            let order = if let Some(order) = next.take() {
                order
            } else {
                let ordered = tokio::select! {
                    biased;
                    ordered = orders.recv() => ordered,
                    () = self.shutdown.cancelled() => None,
                };
                let Some(ordered) = ordered else { return };
                ordered
            };
            next = self.carry_out(order, orders).await;
        }
    }

    async fn carry_out(&self, order: Order, orders: &mut mpsc::Receiver<Order>) -> Option<Order> {
        let Order { sequence, command, durable, busy } = order;
        let sent_at = self.keeper.now();
        let under_way = Report {
            sequence,
            outcome: Outcome::UnderWay,
            means: None,
            sent_at,
            ended_at: None,
            words: None,
            error: None,
        };
        self.reports.send_replace(Some(under_way.clone()));
        tracing::info!(sequence, %command, "sending");
        let carried = async {
            if let Some(durable) = durable {
                durable.wait().await;
            }
            self.call(command, sent_at).await
        };
        let (result, newer) = tokio::select! {
            biased;
            Some(newer) = orders.recv(), if !command.is_off() => (None, Some(newer)),
            result = tokio::time::timeout(self.deadline, carried) => (result.ok(), None),
        };
        let mut report = Report { ended_at: Some(self.keeper.now()), ..under_way };
        match result {
            Some(Ok(Written { outcome, means, words })) => {
                report.outcome = match outcome {
                    WriteOutcome::Acked => Outcome::Acknowledged,
                    WriteOutcome::Unknown => Outcome::Unknown,
                };
                (report.means, report.words) = (Some(means), words);
            }
            Some(Err(error)) => {
                report.outcome = Outcome::Failed;
                report.words = Some(error.to_string());
                report.error = Some(error);
            }
            None => {
                report.outcome = Outcome::Unknown;
                report.words = Some(match newer {
                    Some(_) => "given up for a newer command".into(),
                    None => "the driver didn't end within its deadline".into(),
                });
            }
        }
        tracing::info!(sequence, outcome = ?report.outcome, words = report.words.as_deref(), "sent");
        self.reports.send_replace(Some(report));
        // A full queue of wakes means that the loop is about to look anyway.
        let _ = self.wake.try_send(busy);
        newer
    }

    async fn call(&self, command: Command, now: Now) -> Result<Written, DeviceError> {
        let (stranger, is_known) = {
            let status = self.status.borrow();
            (status.stranger.clone(), status.identity.is_some())
        };
        if let Some(stranger) = stranger {
            return Err(DeviceError::WrongDevice(stranger));
        }
        // Whoever answers again may be another one. An off is tried all the same.
        if !command.is_off() && !is_known {
            return Err(DeviceError::Unreachable("who answers isn't known at the moment".to_owned()));
        }
        match command {
            Command::Off => self.device.stop(now).await,
            Command::Start { watts, .. } => self.device.start(watts, now).await,
            Command::SetPower { watts, .. } => self.device.set_power(watts, now).await,
        }
    }
}
