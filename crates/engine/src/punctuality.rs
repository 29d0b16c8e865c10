//! How the control loop keeps its time: by how much its ticks came after they were due, and how long they took, counted since
//! the start.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The upper bounds of the classes that times are counted in. The clock's own grain is a millisecond.
const BOUNDS: [Duration; 10] = [
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// How often something took how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// How many took no longer than the bound of their class, and longer than that of the one before.
    counts: [u64; BOUNDS.len()],
    /// How many took longer than every bound.
    beyond: u64,
    sum: Duration,
    longest: Duration,
}

impl Times {
    /// The classes with their upper bounds, in rising order, and how many times are in each. What is longer than the last
    /// of them is in none.
    pub fn classes(&self) -> impl Iterator<Item = (Duration, u64)> {
        BOUNDS.into_iter().zip(self.counts)
    }

    /// How many were longer than every class allows.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.beyond
    }

    /// All of them together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// The longest of them.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    fn add(&mut self, time: Duration) {
        let class = BOUNDS.iter().zip(&mut self.counts).find(|(bound, _)| time <= **bound);
        match class {
            Some((_, count)) => *count += 1,
            None => self.beyond += 1,
        }
        self.sum += time;
        self.longest = self.longest.max(time);
    }
}

/// The ticks so far, by the site's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticks {
    lateness: Times,
    durations: Times,
    skipped: u64,
}

impl Ticks {
    /// By how much they came after they were due. Only ticks that were due count: those that a new reading or a wish brings
    /// about come when they come.
    pub fn lateness(&self) -> &Times {
        &self.lateness
    }

    /// How long they took, whatever brought them about: from the look at the devices' readings to the published snapshot.
    pub fn durations(&self) -> &Times {
        &self.durations
    }

    /// How many ticks there never were: when they were due, an earlier one was still outstanding.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// When ticks are due. What was missed isn't made up for: the next comes at once, and others follow it.
#[derive(Debug)]
pub(crate) struct Schedule {
    period: Duration,
    /// When the next tick should be ...
    due: Duration,
    /// ... and when it will be: later, if the one before took longer than the period.
    next: Duration,
    /// When the last one began.
    began: Duration,
}

impl Schedule {
    /// The first tick is due now.
    pub(crate) fn new(now: Duration, period: Duration) -> Self {
        Self { period, due: now, next: now, began: now }
    }

    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// A tick begins now: by how much it is late. It may have been waited for by a tick, by a wish or by the machine.
    pub(crate) fn begins(&mut self, now: Duration) -> Duration {
        self.began = now;
        now.saturating_sub(self.due)
    }

    /// A tick ends now.
    pub(crate) fn ticked(&mut self, now: Duration) {
        // Where it was the machine that slept through ticks, they are counted by this one.
        let slept = self.began.saturating_sub(self.next) >= self.period;
        self.due = if slept { self.began } else { self.next } + self.period;
        self.next = self.due.max(now);
    }
}

/// The count that the control loop keeps and others read. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Punctuality(Arc<Mutex<Ticks>>);

impl Punctuality {
    /// A tick begins, so much later than it was due.
    pub(crate) fn began(&self, late: Duration, period: Duration) {
        let missed = late.as_nanos().checked_div(period.as_nanos()).unwrap_or_default();
        let mut ticks = self.lock();
        ticks.lateness.add(late);
        ticks.skipped += u64::try_from(missed).unwrap_or(u64::MAX);
    }

    /// A tick ends, which took so long.
    pub(crate) fn ended(&self, took: Duration) {
        self.lock().durations.add(took);
    }

    pub(crate) fn ticks(&self) -> Ticks {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Ticks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_that_hangs_makes_the_next_one_late() {
        let seconds = Duration::from_secs;
        let mut schedule = Schedule::new(seconds(100), seconds(10));
        assert_eq!((schedule.next(), schedule.begins(seconds(100))), (seconds(100), seconds(0)));
        schedule.ticked(seconds(101));
        assert_eq!((schedule.next(), schedule.begins(seconds(110))), (seconds(110), seconds(0)));
        // It was to end before 120.
        schedule.ticked(seconds(145));
        assert_eq!((schedule.next(), schedule.begins(seconds(145))), (seconds(145), seconds(25)));
        // From there on it goes as before.
        schedule.ticked(seconds(146));
        assert_eq!((schedule.next(), schedule.begins(seconds(155))), (seconds(155), seconds(0)));
        assert_eq!(schedule.begins(seconds(150)), seconds(0), "early is not late");
    }

    #[test]
    fn a_sleep_that_took_too_long_is_counted_once() {
        let seconds = Duration::from_secs;
        let mut schedule = Schedule::new(seconds(100), seconds(10));
        schedule.begins(seconds(100));
        schedule.ticked(seconds(100));
        // Due at 110.
        assert_eq!(schedule.begins(seconds(144)), seconds(34));
        schedule.ticked(seconds(145));
        assert_eq!((schedule.next(), schedule.begins(seconds(154))), (seconds(154), seconds(0)));
    }

    #[test]
    fn each_tick_is_in_one_class_and_what_it_left_out_is_counted() {
        let punctuality = Punctuality::default();
        let period = Duration::from_secs(10);
        for millis in [0, 2, 3, 100, 101, 9_999, 10_000, 35_000] {
            punctuality.began(Duration::from_millis(millis), period);
        }
        let ticks = punctuality.ticks();
        let lateness = ticks.lateness();
        let classes: Vec<_> = lateness
            .classes()
            .filter(|(_, count)| *count > 0)
            .map(|(bound, n)| (bound.as_millis(), n))
            .collect();
        assert_eq!(classes, [(2, 2), (5, 1), (100, 1), (200, 1)]);
        assert_eq!((lateness.beyond(), lateness.count()), (3, 8));
        let sum_and_longest = [lateness.sum(), lateness.longest()].map(|time| time.as_millis());
        assert_eq!(sum_and_longest, [55_205, 35_000]);
        assert_eq!(ticks.skipped(), 1 + 3);
        assert_eq!(ticks.durations().count(), 0);
    }

    #[test]
    fn how_long_a_tick_took_leaves_out_none() {
        let punctuality = Punctuality::default();
        for millis in [30, 25_000] {
            punctuality.ended(Duration::from_millis(millis));
        }
        let ticks = punctuality.ticks();
        assert_eq!((ticks.durations().count(), ticks.durations().longest().as_secs()), (2, 25));
        assert_eq!((ticks.lateness().count(), ticks.skipped()), (0, 0));
    }
}
