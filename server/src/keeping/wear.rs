//! How much is written to the disk: a memory card lives by it.

use std::{
    collections::VecDeque,
    fs,
    time::{Duration, Instant},
};

/// What may be written in a day besides backups, in bytes.
pub const BUDGET: u64 = 20_000_000;

/// The stretch that is told of.
const DAY: Duration = Duration::from_secs(86_400);
/// The shortest stretch that says anything about a day.
const SHORTEST: Duration = Duration::from_secs(30 * 60);

/// What was written in a stretch of time, backups left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// How long it was.
    pub over: Duration,
    /// How much was written, in bytes.
    pub bytes: u64,
}

impl Written {
    /// What that would be in a day; `None`, if the stretch is too short to say.
    pub fn in_a_day(self) -> Option<u64> {
        let share = DAY.as_secs_f64() / self.over.as_secs_f64();
        (self.over >= SHORTEST).then(|| (self.bytes as f64 * share.max(1.0)) as u64)
    }
}

/// What was written at which moments, of the last day.
pub(super) struct Wear {
    looks: VecDeque<(Instant, u64)>,
    /// What backups wrote.
    left_out: u64,
}

impl Wear {
    pub(super) fn begin() -> Self {
        let mut this = Self { looks: VecDeque::new(), left_out: 0 };
        this.look();
        this
    }

    /// Notes how much it is by now.
    pub(super) fn look(&mut self) {
        if let Some(written) = written() {
            self.note(Instant::now(), written);
        }
    }

    fn note(&mut self, now: Instant, written: u64) {
        self.looks.push_back((now, written.saturating_sub(self.left_out)));
        // One from before the day began is needed to tell of the whole of it.
        while self.looks.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= DAY) {
            self.looks.pop_front();
        }
    }

    pub(super) fn leave_out(&mut self, bytes: u64) {
        self.left_out += bytes;
    }

    pub(super) fn written(&self) -> Option<Written> {
        self.told(Instant::now(), written()?)
    }

    fn told(&self, now: Instant, written: u64) -> Option<Written> {
        let (begun, before) = self.looks.front()?;
        let bytes = written.saturating_sub(self.left_out).saturating_sub(*before);
        Some(Written { over: now.duration_since(*begun), bytes })
    }
}

/// What this process caused to be written to disks since it began, in bytes, as far as the system tells (Linux:
/// `proc_pid_io(5)`). Pages of the cache are counted whole when they are first touched, as a memory card gets them.
pub(super) fn written() -> Option<u64> {
    let told = fs::read_to_string("/proc/self/io").ok()?;
    told.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_told_without_backups() {
        let begun = Instant::now();
        let at = |hours: u64| begun + Duration::from_secs(hours * 3600);
        let mut wear = Wear { looks: VecDeque::new(), left_out: 0 };
        wear.note(at(0), 1_000);
        let told = wear.told(at(6), 5_001_000).unwrap();
        assert_eq!((told.over, told.bytes), (Duration::from_secs(6 * 3600), 5_000_000));
        assert_eq!(told.in_a_day(), Some(20_000_000));
        assert_eq!(wear.told(begun + Duration::from_secs(60), 2_000).unwrap().in_a_day(), None);
        wear.leave_out(3_000_000);
        assert_eq!(wear.told(at(6), 5_001_000).unwrap().bytes, 2_000_000);
        for hour in 1..=30 {
            wear.note(at(hour), 3_001_000 + hour * 1_000_000);
        }
        let told = wear.told(at(30), 33_001_000).unwrap();
        assert_eq!((told.over, told.bytes), (DAY, 24_000_000), "what was before isn't told any more");
    }
}
