//! Time that is lived through: it comes as far as it is wanted to, alarm by alarm, and no faster than everybody
//! follows.
//!
//! What a person sets, the pace and the jumps, is only a wish. A driver moves [`Lockstep`] time after it, in slices,
//! so that an hour that is jumped over has all its readings and decisions. What it can't keep up with it lets go: a
//! slow machine lives more slowly, it doesn't owe more and more.

use async_trait::async_trait;
use engine::clock::{Clock, Lockstep};
use model::UtcMillis;
use simulator::{
    TimeSource,
    time::{ClockRefused, FASTEST_SCALE, LONGEST_JUMP, Steering},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{self, Notify, watch},
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The most simulated time that passes before the wish is looked at again.
const SLICE: Duration = Duration::from_secs(30);
/// The driver's rest, in real time, when it has come as far as it should.
const REST: Duration = Duration::from_millis(20);
/// The most real time that simulated time may still owe at its pace.
const MOST_OWED: Duration = Duration::from_millis(200);

/// Simulated time that is lived through. It stands still until [`LivedTime::begin`]. Clones are the same time.
#[derive(Clone)]
pub struct LivedTime {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Lockstep,
    wish: Mutex<Wish>,
    /// The wish has changed: whatever moves after the old one ends.
    changed: Notify,
    /// Held while time moves.
    moving: sync::Mutex<()>,
    /// Told after every slice.
    slices: watch::Sender<()>,
}

/// What a person wants of time.
#[derive(Clone, Copy)]
struct Wish {
    /// How many times as fast as real time.
    scale: f64,
    /// How far jumps go, on the lockstep's own count.
    until: Duration,
}

impl LivedTime {
    /// Time that begins at `start`, with a jump of `past` to be lived through first, and goes on `scale` times as
    /// fast as ours.
    ///
    /// # Errors
    /// If `scale` isn't from 0 to [`FASTEST_SCALE`].
    pub fn new(start: UtcMillis, past: Duration, scale: f64) -> Result<Self, ClockRefused> {
        check(scale)?;
        let shared = Shared {
            clock: Lockstep::new(start),
            wish: Mutex::new(Wish { scale, until: past }),
            changed: Notify::new(),
            moving: sync::Mutex::new(()),
            slices: watch::Sender::new(()),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The engine's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.shared.clock.clone())
    }

    /// This time as everything simulated reads it.
    pub fn source(&self) -> TimeSource {
        let clock = self.shared.clock.clone();
        Arc::new(move || clock.true_time())
    }

    /// Lets time move until the guard is dropped. Whoever lives in it has to be there already: what nobody waits for
    /// passes at once.
    pub fn begin(&self) -> DropGuard {
        let (this, stop) = (self.clone(), CancellationToken::new());
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = this.drive() => {}
            }
        });
        stop.drop_guard()
    }

    /// Whether a jump is being lived through.
    pub fn is_catching_up(&self) -> bool {
        self.wish().until > self.shared.clock.elapsed()
    }

    /// Waits until no jump is being lived through.
    pub async fn caught_up(&self) {
        let mut slices = self.shared.slices.subscribe();
        while self.is_catching_up() {
            // The sender is ours as well: it doesn't go away.
            let _ = slices.changed().await;
        }
    }

    /// Ends a jump where it has come to.
    pub fn stay(&self) {
        self.wish().until = Duration::ZERO;
        self.shared.changed.notify_one();
        self.shared.slices.send_replace(());
    }

    async fn drive(&self) {
        let Shared { clock, changed, moving, slices, .. } = &*self.shared;
        let mut owed = Duration::ZERO;
        let mut looked = Instant::now();
        loop {
            let caught_up = {
                let _moving = moving.lock().await;
                let wish = *self.wish();
                owed = (owed + looked.elapsed().mul_f64(wish.scale)).min(MOST_OWED.mul_f64(wish.scale));
                looked = Instant::now();
                let before = clock.elapsed();
                let ahead = owed.max(wish.until.saturating_sub(before));
                tokio::select! {
                    biased;
                    () = changed.notified() => {}
                    // Also without a step to make: an alarm that is due now has to ring.
                    () = clock.run_for(ahead.min(SLICE)) => {}
                }
                owed = owed.saturating_sub(clock.elapsed().saturating_sub(before));
                ahead <= SLICE
            };
            slices.send_replace(());
            if caught_up {
                tokio::time::sleep(REST).await;
            }
        }
    }

    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.shared.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Steering for LivedTime {
    fn now(&self) -> UtcMillis {
        self.shared.clock.true_time()
    }

    fn wanted(&self) -> UtcMillis {
        let ahead = self.wish().until.saturating_sub(self.shared.clock.elapsed());
        later(self.now(), ahead)
    }

    fn scale(&self) -> f64 {
        self.wish().scale
    }

    async fn set_scale(&self, scale: f64) -> Result<(), ClockRefused> {
        check(scale)?;
        self.wish().scale = scale;
        if scale <= 0.0 {
            self.stay();
            // What moved after the old wish has ended once this is free.
            drop(self.shared.moving.lock().await);
        }
        Ok(())
    }

    fn jump(&self, by: Duration) {
        let now = self.shared.clock.elapsed();
        let mut wish = self.wish();
        wish.until = wish.until.max(now).saturating_add(by).min(now.saturating_add(LONGEST_JUMP));
    }

    fn jump_to(&self, instant: UtcMillis) -> Result<(), ClockRefused> {
        let ahead = u64::try_from(instant.millis_since(self.now())).map_err(|_| ClockRefused::Instant)?;
        let ahead = Duration::from_millis(ahead);
        if ahead > LONGEST_JUMP {
            return Err(ClockRefused::Instant);
        }
        self.wish().until = self.shared.clock.elapsed().saturating_add(ahead);
        Ok(())
    }
}

fn check(scale: f64) -> Result<(), ClockRefused> {
    if (0.0..=FASTEST_SCALE).contains(&scale) { Ok(()) } else { Err(ClockRefused::Scale) }
}

fn later(instant: UtcMillis, by: Duration) -> UtcMillis {
    UtcMillis(instant.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UtcMillis = UtcMillis(1_774_094_400_000);
    const BEAT: Duration = Duration::from_secs(10);
    const HOUR: Duration = Duration::from_secs(3600);
    /// Long enough for something to go wrong in.
    const A_WHILE: Duration = Duration::from_millis(100);

    /// Lives in this time: does something every ten seconds, which takes so much real time, and writes down when.
    fn follower(time: &LivedTime, work: Duration) -> Arc<Mutex<Vec<Duration>>> {
        let (clock, beats) = (time.clock(), Arc::new(Mutex::new(Vec::new())));
        let written = Arc::clone(&beats);
        let mut busy = clock.busy();
        tokio::spawn(async move {
            for beat in 1.. {
                busy = clock.sleep_until(busy, BEAT * beat).await;
                if !work.is_zero() {
                    tokio::time::sleep(work).await;
                }
                written.lock().unwrap().push(clock.elapsed());
            }
        });
        beats
    }

    async fn until(holds: impl Fn() -> bool) {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_past_and_a_jump_leave_nothing_out() {
        let time = LivedTime::new(NOON, 2 * HOUR, 0.0).unwrap();
        let beats = follower(&time, Duration::ZERO);
        assert_eq!((time.now(), time.wanted()), (NOON, later(NOON, 2 * HOUR)));
        let _moving = time.begin();
        time.caught_up().await;
        time.shared.clock.everybody_rests().await;
        assert_eq!((time.now(), beats.lock().unwrap().len()), (later(NOON, 2 * HOUR), 720));
        time.jump(HOUR);
        assert!(time.is_catching_up());
        time.caught_up().await;
        time.shared.clock.everybody_rests().await;
        assert_eq!((time.now(), time.wanted()), (later(NOON, 3 * HOUR), later(NOON, 3 * HOUR)));
        assert_eq!(*beats.lock().unwrap(), (1..=1080).map(|beat| BEAT * beat).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_pause_stands_still_once_it_is_set() {
        let time = LivedTime::new(NOON, Duration::ZERO, 3600.0).unwrap();
        let beats = follower(&time, Duration::from_millis(1));
        let _moving = time.begin();
        until(|| beats.lock().unwrap().len() > 3).await;
        time.set_scale(0.0).await.unwrap();
        let still = time.now();
        tokio::time::sleep(A_WHILE).await;
        assert_eq!((time.now(), time.wanted()), (still, still));

        time.jump(LONGEST_JUMP);
        until(|| time.now() > later(still, BEAT)).await;
        time.set_scale(0.0).await.unwrap();
        let still = time.now();
        tokio::time::sleep(A_WHILE).await;
        assert_eq!((time.now(), time.is_catching_up()), (still, false), "a pause ends a jump");

        time.jump_to(later(still, HOUR)).unwrap();
        time.caught_up().await;
        assert_eq!(time.now(), later(still, HOUR), "a jump out of a pause is lived through");
    }

    #[tokio::test]
    async fn what_a_slow_machine_misses_is_not_made_up_for() {
        let time = LivedTime::new(NOON, Duration::ZERO, FASTEST_SCALE).unwrap();
        let beats = follower(&time, Duration::from_millis(2));
        let _moving = time.begin();
        until(|| beats.lock().unwrap().len() > 100).await;
        assert!(!time.is_catching_up(), "no jump is under way");
        let (before, real) = (time.now(), Instant::now());
        time.set_scale(1.0).await.unwrap();
        tokio::time::sleep(A_WHILE).await;
        let lived = Duration::from_millis(time.now().millis_since(before).try_into().unwrap());
        assert!(lived <= SLICE + MOST_OWED + real.elapsed(), "{lived:?}");
    }

    #[tokio::test]
    async fn time_moves_forward_only_and_not_too_far() {
        let time = LivedTime::new(NOON, Duration::ZERO, 0.0).unwrap();
        for scale in [-1.0, f64::NAN, f64::INFINITY, FASTEST_SCALE * 2.0] {
            assert_eq!(time.set_scale(scale).await, Err(ClockRefused::Scale));
            assert!(LivedTime::new(NOON, Duration::ZERO, scale).is_err());
        }
        for instant in [UtcMillis(NOON.0 - 1), later(NOON, LONGEST_JUMP + HOUR), UtcMillis(i64::MAX)] {
            assert_eq!(time.jump_to(instant), Err(ClockRefused::Instant));
        }
        for _ in 0..3 {
            time.jump(LONGEST_JUMP);
        }
        assert_eq!(time.wanted(), later(NOON, LONGEST_JUMP));
    }
}
