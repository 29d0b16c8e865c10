//! The battery's task: asks its source at its own cadence and puts the source's time onto our monotonic clock.

use crate::{
    clock::{Busy, Timekeeper},
    recorder::{Entry, Recorder},
    samples,
};
use control::BatteryObservation;
use devices::{BatterySource, DeviceError};
use model::{BatteryReading, MonoTime, Now, UtcMillis};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};

/// The latest that is known of the battery.
#[derive(Debug, Clone, Default)]
pub(crate) struct BatteryStatus {
    pub(crate) reading: Option<Arc<BatteryReading>>,
    pub(crate) observation: Option<BatteryObservation>,
    /// When the source last answered.
    pub(crate) answered_at: Option<Now>,
    /// Why the last attempt failed, if it did.
    pub(crate) error: Option<DeviceError>,
    pub(crate) session_since: Option<UtcMillis>,
}

pub(crate) struct BatteryTask {
    pub(crate) source: Arc<dyn BatterySource>,
    pub(crate) keeper: Arc<Timekeeper>,
    pub(crate) status: watch::Sender<BatteryStatus>,
    pub(crate) recorder: Recorder,
    pub(crate) wake: mpsc::Sender<Busy>,
    pub(crate) poll: Duration,
    /// The engine's own deadline, in real time, should a source break its promise.
    pub(crate) deadline: Duration,
}

impl BatteryTask {
    /// Asks for ever.
    pub(crate) async fn run(&self, mut busy: Busy) {
        loop {
            let now = self.keeper.now();
            let result = tokio::time::timeout(self.deadline, self.source.read(now)).await;
            let result = result.unwrap_or(Err(DeviceError::TimedOut {
                doing: "reading the battery",
                deadline: self.deadline,
            }));
            self.take(result, now);
            // The loop looks at a new reading at once; a full queue means that it is about to anyway.
            let _ = self.wake.try_send(self.keeper.clock().busy());
            busy = self.keeper.sleep(busy, self.poll).await;
        }
    }

    fn take(&self, result: Result<BatteryReading, DeviceError>, now: Now) {
        if let Ok(reading) = &result {
            self.keeper.compare(reading.source_clock, reading.source_time);
        }
        // The clock may just have been set right.
        let now = Now { utc: self.keeper.utc_of(now.mono), ..now };
        if let Ok(reading) = &result
            && let Some(sample) = samples::of_battery(reading, self.status.borrow().reading.as_deref())
        {
            self.recorder.put(Entry::BatterySample(Box::new(sample), now));
        }
        self.status.send_modify(|status| {
            status.session_since = self.source.session_since();
            match result {
                Ok(reading) => {
                    status.observation =
                        observe(&reading, now, status.observation.as_ref()).or(status.observation);
                    status.reading = Some(Arc::new(reading));
                    status.answered_at = Some(now);
                    status.error = None;
                }
                Err(error) => {
                    if status.error.as_ref() != Some(&error) {
                        tracing::warn!(%error, "reading the battery failed");
                    }
                    status.error = Some(error);
                }
            }
        });
    }
}

/// Puts a reading onto our monotonic clock. The same snapshot keeps the place it was first given, unless that was
/// ahead of us: then the clocks disagreed, and may have been set right since.
fn observe(
    reading: &BatteryReading,
    now: Now,
    last: Option<&BatteryObservation>,
) -> Option<BatteryObservation> {
    let source_time = reading.source_time?;
    let at = |age: i64| MonoTime(now.mono.0.saturating_sub(age));
    let by_ours = at(now.utc.millis_since(source_time));
    // A clock of ours that is a little behind would make old data look fresh: the older of the two ages counts. One
    // that is far behind is for the law to see.
    let far_behind = by_ours.since(now.mono) > control::policy::SOURCE_AHEAD;
    let by_source =
        reading.source_clock.filter(|_| !far_behind).map(|clock| at(clock.millis_since(source_time)));
    let placed = by_source.map_or(by_ours, |by_source| by_source.min(by_ours));
    let same = last.filter(|last| last.source_time == source_time && last.source_at <= last.fetched_at);
    Some(BatteryObservation {
        source_time,
        source_at: same.map_or(placed, |same| same.source_at),
        fetched_at: same.map_or(now.mono, |same| same.fetched_at),
        soc_percent: reading.soc_percent,
        lost: reading.lost,
        pv: reading.pv,
        load: reading.load,
        power: reading.battery,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(source_time: i64) -> BatteryReading {
        BatteryReading {
            source_time: Some(UtcMillis(source_time)),
            soc_percent: Some(50.0),
            ..Default::default()
        }
    }

    #[test]
    fn the_same_snapshot_keeps_its_place_when_the_wall_clock_moves() {
        let first =
            observe(&reading(1_000_000), Now { mono: MonoTime(500_000), utc: UtcMillis(1_060_000) }, None)
                .unwrap();
        assert_eq!(first.source_at, MonoTime(440_000));
        let moved = Now { mono: MonoTime(530_000), utc: UtcMillis(9_000_000) };
        let again = observe(&reading(1_000_000), moved, Some(&first)).unwrap();
        assert_eq!((again.source_at, again.fetched_at), (first.source_at, first.fetched_at));
    }

    #[test]
    fn the_older_of_two_ages_counts() {
        let told = BatteryReading { source_clock: Some(UtcMillis(1_600_000)), ..reading(1_000_000) };
        let behind = Now { mono: MonoTime(0), utc: UtcMillis(1_100_000) };
        assert_eq!(observe(&told, behind, None).unwrap().source_at, MonoTime(-600_000));
        let ahead = Now { mono: MonoTime(0), utc: UtcMillis(2_000_000) };
        assert_eq!(observe(&told, ahead, None).unwrap().source_at, MonoTime(-1_000_000));
    }

    #[test]
    fn a_snapshot_from_the_future_is_placed_anew() {
        let ahead = observe(&reading(1_000_000), Now { mono: MonoTime(0), utc: UtcMillis(0) }, None).unwrap();
        assert_eq!(ahead.source_at, MonoTime(1_000_000));
        let set_right = Now { mono: MonoTime(30_000), utc: UtcMillis(1_030_000) };
        let again = observe(&reading(1_000_000), set_right, Some(&ahead)).unwrap();
        assert_eq!(again.source_at, MonoTime(0));
    }
}
