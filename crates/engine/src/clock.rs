//! The clocks: the one place that reads them.
//!
//! [`Clock`] is what the engine runs on. [`SystemClock`] is the machine's. [`Lockstep`] is simulated time that
//! moves only while every task of the engine rests, as fast as the machine allows: a day over real sockets takes
//! seconds, and no slow machine changes its outcome. `Timekeeper` adds what the engine needs on top: monotonic time
//! that goes on over restarts, and a UTC that a stepping wall clock doesn't drag along.

use model::{MonoTime, Now, UtcMillis};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

/// A source of time.
pub trait Clock: Send + Sync + 'static {
    /// Time since the clock was made. Never runs backwards.
    fn elapsed(&self) -> Duration;

    /// What the wall clock says. It may jump.
    fn wall(&self) -> UtcMillis;

    /// Rests until [`Clock::elapsed`] has reached `at`. The caller's [`Busy`] is given up while it rests.
    fn sleep_until(&self, busy: Busy, at: Duration) -> Pin<Box<dyn Future<Output = Busy> + Send + '_>>;

    /// Marks the holder as at work. Simulated time stands still meanwhile; real time doesn't care.
    fn busy(&self) -> Busy;
}

/// Held by a task while it works, passed along with the work it hands to another.
#[derive(Debug, Default)]
pub struct Busy(Option<Arc<Gate>>);

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.lock().busy -= 1;
            gate.rested.notify_waiters();
        }
    }
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Starts counting now.
    pub fn new() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn wall(&self) -> UtcMillis {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UtcMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, busy: Busy, at: Duration) -> Pin<Box<dyn Future<Output = Busy> + Send + '_>> {
        Box::pin(async move {
            tokio::time::sleep(at.saturating_sub(self.elapsed())).await;
            busy
        })
    }

    fn busy(&self) -> Busy {
        Busy::default()
    }
}

/// Simulated time that moves from one sleeper's alarm to the next, and only while nobody is busy.
#[derive(Debug, Clone)]
pub struct Lockstep {
    gate: Arc<Gate>,
    origin: UtcMillis,
}

#[derive(Debug, Default)]
struct Gate {
    inner: Mutex<Inner>,
    rested: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    elapsed: Duration,
    wall_offset_millis: i64,
    busy: usize,
    sleepers: BTreeMap<(Duration, u64), oneshot::Sender<Busy>>,
    next: u64,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lockstep {
    /// Simulated time that starts at `origin`.
    pub fn new(origin: UtcMillis) -> Self {
        Self { gate: Arc::default(), origin }
    }

    /// Lets time run for `duration`, alarm by alarm, each only after everybody rests again.
    pub async fn run_for(&self, duration: Duration) {
        let until = self.gate.lock().elapsed + duration;
        while self.next_alarm(until).await {}
        self.gate.lock().elapsed = until;
    }

    /// Lets time run until `done` holds, looking after every alarm; gives up after `at_most`. Tells whether it came
    /// to hold.
    pub async fn run_until(&self, at_most: Duration, mut done: impl FnMut() -> bool) -> bool {
        let until = self.gate.lock().elapsed + at_most;
        self.everybody_rests().await;
        while !done() {
            if !self.next_alarm(until).await {
                return done();
            }
            self.everybody_rests().await;
        }
        true
    }

    /// Waits until nobody is busy.
    pub async fn everybody_rests(&self) {
        loop {
            let rested = self.gate.rested.notified();
            tokio::pin!(rested);
            rested.as_mut().enable();
            if self.gate.lock().busy == 0 {
                return;
            }
            rested.await;
        }
    }

    /// Steps the wall clock without moving time, as an administrator or NTP does.
    pub fn step_wall(&self, millis: i64) {
        self.gate.lock().wall_offset_millis += millis;
    }

    /// The true simulated instant, which a stepped wall clock doesn't change.
    pub fn true_time(&self) -> UtcMillis {
        UtcMillis(self.origin.0 + millis(self.gate.lock().elapsed))
    }

    async fn next_alarm(&self, until: Duration) -> bool {
        loop {
            self.everybody_rests().await;
            let (alarm, busy) = {
                let mut inner = self.gate.lock();
                let Some(entry) = inner.sleepers.first_entry() else { return false };
                let at = entry.key().0;
                if at > until {
                    return false;
                }
                let alarm = entry.remove();
                if alarm.is_closed() {
                    continue;
                }
                inner.elapsed = inner.elapsed.max(at);
                inner.busy += 1;
                (alarm, Busy(Some(Arc::clone(&self.gate))))
            };
            // Should the sleeper have gone meanwhile, the token comes back and is dropped: nobody is busy then.
            if alarm.send(busy).is_ok() {
                return true;
            }
        }
    }
}

impl Clock for Lockstep {
    fn elapsed(&self) -> Duration {
        self.gate.lock().elapsed
    }

    fn wall(&self) -> UtcMillis {
        let inner = self.gate.lock();
        UtcMillis(self.origin.0 + millis(inner.elapsed) + inner.wall_offset_millis)
    }

    fn sleep_until(&self, busy: Busy, at: Duration) -> Pin<Box<dyn Future<Output = Busy> + Send + '_>> {
        let (alarm, woken) = oneshot::channel();
        {
            let mut inner = self.gate.lock();
            let number = inner.next;
            inner.next += 1;
            inner.sleepers.insert((at, number), alarm);
        }
        drop(busy);
        Box::pin(async move {
            match woken.await {
                Ok(busy) => busy,
                // The clock is gone, and with it the test that ran on it.
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn busy(&self) -> Busy {
        self.gate.lock().busy += 1;
        Busy(Some(Arc::clone(&self.gate)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How far our clock may be from the source's before they disagree.
const AGREEMENT: i64 = 120_000;
/// A source without a clock of its own tells only when its data is from: at most this old.
const DATA_AGE: i64 = 720_000;
/// How long an agreement holds without being renewed.
const AGREEMENT_LASTS: Duration = Duration::from_secs(86_400);
/// A wall clock that moved by more than this was stepped.
const STEPPED: i64 = 2_000;

/// The engine's time: monotonic over restarts, and a UTC that follows a stepped wall clock only where the battery
/// source's own clock bears it out.
pub(crate) struct Timekeeper {
    clock: Arc<dyn Clock>,
    /// Monotonic time at the clock's zero.
    base: i64,
    anchor: Mutex<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    /// UTC minus elapsed time, in milliseconds.
    utc_at_zero: i64,
    /// When something else last agreed with our UTC.
    agreed_at: Option<Duration>,
}

impl Timekeeper {
    /// Goes on from the last moment that was kept, if there is one: the time the program was down counts by the wall
    /// clock, and not at all if that ran backwards.
    pub(crate) fn new(clock: Arc<dyn Clock>, kept: Option<Now>) -> Self {
        let elapsed = millis(clock.elapsed());
        let wall = clock.wall();
        let base = kept.map_or(0, |kept| kept.mono.0.saturating_add(wall.millis_since(kept.utc).max(0)));
        let anchor = Anchor { utc_at_zero: wall.0 - elapsed, agreed_at: None };
        Self { clock, base: base - elapsed, anchor: Mutex::new(anchor) }
    }

    pub(crate) fn now(&self) -> Now {
        let elapsed = millis(self.clock.elapsed());
        Now {
            mono: MonoTime(self.base.saturating_add(elapsed)),
            utc: UtcMillis(self.lock().utc_at_zero + elapsed),
        }
    }

    /// The instant of a monotonic time.
    pub(crate) fn utc_of(&self, at: MonoTime) -> UtcMillis {
        let now = self.now();
        UtcMillis(now.utc.0.saturating_add(at.millis_since(now.mono)))
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) async fn sleep(&self, busy: Busy, duration: Duration) -> Busy {
        self.clock.sleep_until(busy, self.clock.elapsed() + duration).await
    }

    /// Compares our UTC with what the battery source says: its own clock (an HTTP `Date`), or at least when its data
    /// is from. A stepped wall clock is followed only if the source agrees with it.
    pub(crate) fn compare(&self, source_clock: Option<UtcMillis>, source_time: Option<UtcMillis>) {
        let Some(reference) = source_clock.or(source_time) else { return };
        let behind = if source_clock.is_some() { AGREEMENT } else { DATA_AGE };
        let agrees = |ours: UtcMillis| (-AGREEMENT..=behind).contains(&ours.millis_since(reference));
        let elapsed = self.clock.elapsed();
        let wall = self.clock.wall();
        let mut anchor = self.lock();
        let ours = UtcMillis(anchor.utc_at_zero + millis(elapsed));
        if agrees(wall) && wall.millis_since(ours).abs() > STEPPED {
            anchor.utc_at_zero = wall.0 - millis(elapsed);
            anchor.agreed_at = Some(elapsed);
        } else if agrees(ours) {
            anchor.agreed_at = Some(elapsed);
        } else {
            anchor.agreed_at = None;
        }
    }

    /// Something other than our own clock agreed with it within the last day.
    pub(crate) fn synced(&self) -> bool {
        let elapsed = self.clock.elapsed();
        self.lock().agreed_at.is_some_and(|agreed| elapsed.saturating_sub(agreed) <= AGREEMENT_LASTS)
    }

    fn lock(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UtcMillis = UtcMillis(1_774_094_400_000);

    #[tokio::test]
    async fn time_moves_only_while_everybody_rests() {
        let clock = Lockstep::new(NOON);
        let ticks = Arc::new(Mutex::new(Vec::new()));
        for (name, period) in [("a", 10), ("b", 25)] {
            let (clock, ticks) = (clock.clone(), Arc::clone(&ticks));
            let mut busy = clock.busy();
            tokio::spawn(async move {
                for beat in 1.. {
                    busy = clock.sleep_until(busy, Duration::from_secs(period * beat)).await;
                    tokio::task::yield_now().await;
                    ticks.lock().unwrap().push((name, clock.elapsed().as_secs()));
                }
            });
        }
        clock.run_for(Duration::from_secs(50)).await;
        clock.everybody_rests().await;
        let expected = [("a", 10), ("a", 20), ("b", 25), ("a", 30), ("a", 40), ("b", 50), ("a", 50)];
        let mut seen = ticks.lock().unwrap().clone();
        seen.sort_by_key(|(name, at)| (*at, *name));
        let mut sorted = expected;
        sorted.sort_by_key(|(name, at)| (*at, *name));
        assert_eq!(seen, sorted);
    }

    #[test]
    fn a_stepped_wall_clock_is_followed_only_with_a_witness() {
        let clock = Lockstep::new(NOON);
        let keeper = Timekeeper::new(Arc::new(clock.clone()), None);
        assert!(!keeper.synced());
        keeper.compare(Some(NOON), None);
        assert!(keeper.synced());
        clock.step_wall(3_600_000);
        assert_eq!(keeper.now().utc, NOON);
        keeper.compare(Some(NOON), None);
        assert_eq!(keeper.now().utc, NOON, "the source doesn't agree with the step");
        keeper.compare(Some(UtcMillis(NOON.0 + 3_600_000)), None);
        assert_eq!(keeper.now().utc, UtcMillis(NOON.0 + 3_600_000), "the source agrees with the new time");
    }

    #[test]
    fn no_step_of_the_wall_clock_moves_monotonic_time() {
        for step in [3_600_000, -3_600_000, 86_400_000, -86_400_000, -NOON.0] {
            let clock = Lockstep::new(NOON);
            let keeper = Timekeeper::new(Arc::new(clock.clone()), None);
            clock.step_wall(step);
            assert_eq!(
                keeper.now(),
                Now { mono: MonoTime(0), utc: NOON },
                "by {step} ms: nobody bears it out"
            );
            let stepped = UtcMillis(NOON.0 + step);
            keeper.compare(Some(stepped), None);
            assert_eq!(keeper.now(), Now { mono: MonoTime(0), utc: stepped }, "by {step} ms: borne out");
        }
    }

    #[test]
    fn a_clock_that_begins_in_1970_is_known_to_be_right_only_once_it_was_set() {
        let clock = Lockstep::new(NOON);
        clock.step_wall(-NOON.0);
        let keeper = Timekeeper::new(Arc::new(clock.clone()), None);
        keeper.compare(Some(NOON), Some(NOON));
        assert!(!keeper.synced());
        clock.step_wall(NOON.0);
        assert!(!keeper.synced(), "nobody has borne it out yet");
        keeper.compare(Some(NOON), Some(NOON));
        assert!(keeper.synced());
        assert_eq!(keeper.now(), Now { mono: MonoTime(0), utc: NOON });
    }

    #[test]
    fn monotonic_time_goes_on_over_a_restart_and_never_back() {
        let clock = Lockstep::new(NOON);
        let kept = Now { mono: MonoTime(50_000), utc: UtcMillis(NOON.0 - 7_000) };
        assert_eq!(Timekeeper::new(Arc::new(clock.clone()), Some(kept)).now().mono, MonoTime(57_000));
        clock.step_wall(-86_400_000);
        assert_eq!(Timekeeper::new(Arc::new(clock), Some(kept)).now().mono, MonoTime(50_000));
    }
}
