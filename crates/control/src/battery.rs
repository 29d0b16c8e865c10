//! Judging the battery's samples: new, possible, fresh, confirmed.
//!
//! A *sample* is a reading with a new source time. It is *good* when it is plausible and not yet older than
//! `stale_off`. Ages count from the source's time or the fetch, whichever is older.

use crate::{
    observation::BatteryObservation,
    policy::{JUMP_CONFIRM_POINTS, JUMP_POINTS_PER_MINUTE, Policy, SOURCE_AHEAD},
};
use model::{MonoTime, Soc, UtcMillis};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is remembered of the battery.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryMemory {
    /// Source time of the newest sample ever taken up. An older one is dropped, an equal one is the same again.
    pub newest: Option<UtcMillis>,
    /// Source time of the last reading that was too far ahead of our clock. Waiting until our clock catches up with
    /// it doesn't make it true.
    pub ahead: Option<UtcMillis>,
    /// The last good sample.
    pub good: Option<Sample>,
    /// The good sample before it.
    pub before: Option<Sample>,
    /// A sample that rose too fast and waits for a second one near it.
    pub candidate: Option<Sample>,
    /// Data was stale and the second good sample since has not come.
    pub recovering: bool,
    /// Good samples since data was last stale; stays at 2.
    pub good_in_a_row: u8,
    /// Two earlier samples, half an hour apart and more, for estimates of when.
    pub trend: [Option<Sample>; 2],
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// State of charge.
    pub soc: Soc,
    /// The source's time of it.
    pub source_time: UtcMillis,
    /// From when its age counts, on our monotonic clock.
    pub at: MonoTime,
}

/// Why a reading isn't a good sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejected {
    /// The source says that the battery is offline.
    Lost,
    /// No state of charge in it.
    NoSoc,
    /// Not finite or outside 0 ..= 100.
    Impossible(f64),
    /// It rose faster than a battery can, and isn't confirmed.
    Jump(f64),
    /// The source's clock is ahead of ours by more than two minutes.
    AheadOfOurClock(Duration),
    /// Older than `stale_off` when it arrived.
    TooOld,
    /// Older than a sample already seen.
    OlderThanLast,
}

/// How fresh the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// There is a good sample, younger than `warn_after`.
    Fresh,
    /// None since the start, and the stale rule's time isn't over.
    Waiting,
    /// None for `warn_after`.
    Old,
    /// None for `stale_off`.
    Stale,
}

/// The verdict of one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// How fresh the data is.
    pub freshness: Freshness,
    /// How long there has been no good sample.
    pub without_good_for: Duration,
    /// A good sample arrived on this tick.
    pub arrived: Option<Soc>,
    /// The last good state of charge, while not stale.
    pub soc: Option<Soc>,
    /// The lower of what was last told, confirmed or not: a reading that is in range and not stale. Rule 1 acts on it.
    pub lowest_reading: Option<f64>,
    /// Why the present reading isn't a good sample.
    pub rejected: Option<Rejected>,
}

impl BatteryMemory {
    /// Takes up a reading (or the lack of one) and judges the data as of `now`.
    pub fn judge(
        &mut self,
        policy: &Policy,
        now: MonoTime,
        watching_since: MonoTime,
        reading: Option<&BatteryObservation>,
    ) -> Verdict {
        let stale_off = policy.stale_off();
        if self.good.is_some_and(|good| now.since(good.at) >= stale_off) {
            // Also after a break of the program: what arrives now is the first sample since.
            (self.recovering, self.good_in_a_row) = (true, 0);
        }
        let (arrived, rejected) = match reading {
            Some(reading) => self.take_up(reading, now, stale_off),
            None => (None, None),
        };
        let usable = self.good.filter(|good| now.since(good.at) < stale_off);
        let without_good_for = match usable {
            Some(good) => now.since(good.at),
            // After a long break nothing is known of what happened meanwhile: the time counts from its end.
            None => now.since(self.good.map_or(watching_since, |good| good.at.max(watching_since))),
        };
        let freshness = if without_good_for >= stale_off {
            Freshness::Stale
        } else if without_good_for >= policy.warn_after {
            Freshness::Old
        } else if usable.is_some() {
            Freshness::Fresh
        } else {
            Freshness::Waiting
        };
        if freshness == Freshness::Stale {
            (self.recovering, self.good_in_a_row) = (true, 0);
        } else if self.good_in_a_row >= 2 {
            self.recovering = false;
        }
        let told = reading.filter(|reading| {
            now.since(reading.counts_from()) < stale_off
                && self.newest.is_none_or(|newest| reading.source_time >= newest)
        });
        let told = told.and_then(|reading| reading.soc_percent).filter(|soc| (0.0..=100.0).contains(soc));
        Verdict {
            freshness,
            without_good_for,
            arrived,
            soc: usable.map(|good| good.soc),
            lowest_reading: match (told, usable) {
                (Some(told), Some(good)) => Some(told.min(good.soc.get())),
                (told, good) => told.or(good.map(|good| good.soc.get())),
            },
            rejected,
        }
    }

    fn take_up(
        &mut self,
        reading: &BatteryObservation,
        now: MonoTime,
        stale_off: Duration,
    ) -> (Option<Soc>, Option<Rejected>) {
        let reject = |why| (None, Some(why));
        if reading.lost {
            return reject(Rejected::Lost);
        }
        let Some(told) = reading.soc_percent else { return reject(Rejected::NoSoc) };
        let Some(soc) = Soc::new(told) else { return reject(Rejected::Impossible(told)) };
        let ahead = reading.source_at.since(now);
        if ahead > SOURCE_AHEAD || self.ahead == Some(reading.source_time) {
            // Not remembered as the newest: once the clocks agree again, its successors would look old for ever.
            self.ahead = Some(reading.source_time);
            return reject(Rejected::AheadOfOurClock(ahead));
        }
        match self.newest {
            Some(newest) if reading.source_time < newest && !in_the_future(newest, reading, now) => {
                return reject(Rejected::OlderThanLast);
            }
            Some(newest) if reading.source_time == newest => {
                let waits = self.candidate.is_some_and(|candidate| candidate.source_time == newest);
                return (None, waits.then_some(Rejected::Jump(told)));
            }
            _ => self.newest = Some(reading.source_time),
        }
        let sample = Sample { soc, source_time: reading.source_time, at: reading.counts_from().min(now) };
        if now.since(sample.at) >= stale_off {
            return reject(Rejected::TooOld);
        }
        if self.good.is_some_and(|good| rose_too_fast(&good, &sample)) {
            let confirmed = self.candidate.is_some_and(|candidate| {
                now.since(candidate.at) < stale_off
                    && (candidate.soc.get() - soc.get()).abs() <= JUMP_CONFIRM_POINTS
            });
            if !confirmed {
                self.candidate = Some(sample);
                return reject(Rejected::Jump(told));
            }
            // The level is new: what was before it confirms nothing about it.
            self.good = None;
        }
        self.candidate = None;
        self.before = self.good;
        self.good = Some(sample);
        self.good_in_a_row = (self.good_in_a_row + 1).min(2);
        self.remember_for_trend(sample);
        (Some(soc), None)
    }

    /// The sample before the last good one, while it may still confirm something.
    pub fn confirming(&self, now: MonoTime, stale_off: Duration) -> Option<Soc> {
        self.before.filter(|before| now.since(before.at) < stale_off).map(|before| before.soc)
    }

    fn remember_for_trend(&mut self, sample: Sample) {
        const HALF_AN_HOUR: Duration = Duration::from_secs(1800);
        match self.trend[1] {
            Some(newer) if sample.at.since(newer.at) < HALF_AN_HOUR => {}
            newer => self.trend = [newer, Some(sample)],
        }
    }

    /// Change of the state of charge in points an hour, over the last half hour to hour; `None` before ten minutes
    /// of data are there.
    pub fn points_per_hour(&self) -> Option<f64> {
        const TEN_MINUTES: f64 = 600.0;
        let good = self.good?;
        let start =
            self.trend.iter().flatten().find(|start| good.at.since(start.at).as_secs_f64() <= 3600.0)?;
        let seconds = good.at.since(start.at).as_secs_f64();
        (seconds >= TEN_MINUTES).then(|| (good.soc.get() - start.soc.get()) * 3600.0 / seconds)
    }
}

impl BatteryObservation {
    /// From when the reading's age counts: its own time or the fetch, whichever is older.
    pub fn counts_from(&self) -> MonoTime {
        self.source_at.min(self.fetched_at)
    }
}

/// Whether a source time lies ahead of us by what `reading` tells of the source's clock: then that clock was set back,
/// and what it said before orders nothing.
fn in_the_future(source_time: UtcMillis, reading: &BatteryObservation, now: MonoTime) -> bool {
    let after_reading = u64::try_from(source_time.millis_since(reading.source_time)).unwrap_or(0);
    (reading.source_at + Duration::from_millis(after_reading)).since(now) > SOURCE_AHEAD
}

fn rose_too_fast(last: &Sample, sample: &Sample) -> bool {
    let points = sample.soc.get() - last.soc.get();
    let minutes = sample.source_time.millis_since(last.source_time) as f64 / 60_000.0;
    points > JUMP_POINTS_PER_MINUTE * minutes.max(0.0)
}
