//! The inverters' uploads: what the portal knows is what the last one said.
//!
//! Nothing runs in the background: whoever asks brings the uploads up to now, and the house remembers how it was at
//! the time of each.

use super::{PortalSetup, faults::PortalFaults};
use crate::house::{House, HouseState, noise};
use model::UtcMillis;

/// One inverter, as the portal knows it.
#[derive(Debug)]
pub(super) struct Inverter {
    /// Place among the inverters, from 0.
    pub(super) index: usize,
    /// Serial number, ten characters.
    pub(super) serial: String,
    /// Serial number of its dongle.
    pub(super) dongle: String,
    /// Its last upload.
    latest: Snapshot,
    /// The one before, for a node that lags behind.
    previous: Option<Snapshot>,
}

/// What an inverter said once.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// When it said it.
    pub(super) at: UtcMillis,
    /// The house as it was then.
    pub(super) house: HouseState,
}

/// When uploads are due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    start: UtcMillis,
    period_ms: i64,
    jitter_ms: i64,
    seed: u64,
}

impl Schedule {
    pub(super) fn new(setup: &PortalSetup, start: UtcMillis) -> Self {
        Self {
            start: whole_second(start),
            period_ms: i64::from(setup.upload_seconds).max(1) * 1000,
            jitter_ms: i64::from(setup.upload_jitter_seconds) * 1000,
            seed: setup.seed,
        }
    }

    /// When the upload with this number is due; number 0 is at the start.
    fn due(&self, inverter: usize, number: i64) -> UtcMillis {
        let seed = noise::bits(self.seed, inverter as i64);
        let stray =
            if number > 0 { (noise::unit(seed, number) * 2.0 - 1.0) * self.jitter_ms as f64 } else { 0.0 };
        whole_second(UtcMillis(self.start.0 + number * self.period_ms + stray as i64))
    }

    /// The number of the last upload that was due at `now`.
    fn last_due(&self, inverter: usize, now: UtcMillis) -> i64 {
        let about = now.millis_since(self.start).div_euclid(self.period_ms).max(0);
        [about + 1, about, about - 1]
            .into_iter()
            .find(|&number| self.due(inverter, number) <= now)
            .unwrap_or(0)
            .max(0)
    }
}

impl Inverter {
    /// An inverter that uploads its first snapshot now.
    pub(super) fn new(index: usize, house: &House, now: UtcMillis) -> Self {
        Self {
            index,
            serial: format!("52640E{:04}", 71 + index),
            dongle: format!("DJ5264{:04}", 301 + index),
            latest: Snapshot { at: whole_second(now), house: house.now() },
            previous: None,
        }
    }

    /// Takes the uploads that were due until now, as far as they are still of interest.
    pub(super) fn bring_up(
        &mut self,
        schedule: &Schedule,
        house: &House,
        faults: &PortalFaults,
        now: UtcMillis,
    ) {
        if faults.cuts_off(self.index) {
            return;
        }
        let last = schedule.last_due(self.index, now);
        for number in [last - 1, last] {
            let due = schedule.due(self.index, number.max(0));
            if due > self.latest.at {
                self.upload(due, house.at(due));
            }
        }
    }

    /// Takes an upload. Two in the same second can't be told apart by their time: the later one replaces the first.
    pub(super) fn upload(&mut self, at: UtcMillis, house: HouseState) {
        let snapshot = Snapshot { at: whole_second(at), house };
        if snapshot.at > self.latest.at {
            self.previous = Some(std::mem::replace(&mut self.latest, snapshot));
        } else {
            self.latest = snapshot;
        }
    }

    /// The last upload.
    pub(super) fn latest(&self) -> &Snapshot {
        &self.latest
    }

    /// The upload before the last, where there is one.
    pub(super) fn older(&self) -> &Snapshot {
        self.previous.as_ref().unwrap_or(&self.latest)
    }
}

/// The portal's times have whole seconds.
fn whole_second(instant: UtcMillis) -> UtcMillis {
    UtcMillis(instant.0.div_euclid(1000).saturating_mul(1000))
}
