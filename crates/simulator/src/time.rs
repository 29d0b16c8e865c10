//! Simulated time: an instant that runs faster or slower than ours, stands still, or jumps forward.
//!
//! This is the only place in the simulator that reads a real clock. Simulated time never goes back: everything that is
//! simulated may rely on that.

use crate::TimeSource;
use async_trait::async_trait;
use model::UtcMillis;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The fastest a simulated clock runs: a day in less than a second.
pub const FASTEST_SCALE: f64 = 100_000.0;

/// The farthest a single jump goes: one month. The house is simulated through all of it.
pub const LONGEST_JUMP: Duration = Duration::from_secs(31 * 86_400);

/// A change of the clock that it doesn't make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockRefused {
    /// A scale outside 0 ..= [`FASTEST_SCALE`].
    #[error("the scale must be a number from 0 (paused) to {FASTEST_SCALE}")]
    Scale,
    /// An instant that is over, or farther ahead than [`LONGEST_JUMP`].
    #[error("simulated time moves forward only, by at most {} days at once", LONGEST_JUMP.as_secs() / 86_400)]
    Instant,
}

/// Simulated time, for whoever sets its pace.
#[async_trait]
pub trait Steering: Send + Sync {
    /// The instant up to which everything has been simulated.
    fn now(&self) -> UtcMillis;

    /// The instant a jump is to end at; that of [`Steering::now`] where none is under way.
    fn wanted(&self) -> UtcMillis;

    /// How many times as fast as ours it runs.
    fn scale(&self) -> f64;

    /// Lets it run at another pace from now on. With 0 it stands still when this returns, and a jump under way has
    /// ended where it was.
    async fn set_scale(&self, scale: f64) -> Result<(), ClockRefused>;

    /// Moves it forward, by [`LONGEST_JUMP`] at the most.
    fn jump(&self, by: Duration);

    /// Moves it forward to `instant`.
    fn jump_to(&self, instant: UtcMillis) -> Result<(), ClockRefused>;
}

/// A simulated clock. Clones are the same clock.
#[derive(Clone)]
pub struct SimulatedClock {
    anchor: Arc<Mutex<Anchor>>,
}

/// A real instant, the simulated one that belongs to it, and how fast they drift apart.
#[derive(Clone, Copy)]
struct Anchor {
    real: Instant,
    simulated: UtcMillis,
    scale: f64,
}

impl Anchor {
    /// This anchor with its instants moved to now.
    fn moved_to_now(self) -> Self {
        let real = Instant::now();
        let millis = real.saturating_duration_since(self.real).as_secs_f64() * 1000.0 * self.scale;
        let simulated = UtcMillis(self.simulated.0.saturating_add(millis as i64));
        Self { real, simulated, ..self }
    }
}

impl SimulatedClock {
    /// A clock that tells `start` now and runs `scale` times as fast as ours; 0 is paused. A scale outside
    /// 0 ..= [`FASTEST_SCALE`] becomes the nearest inside, NaN a paused clock.
    pub fn new(start: UtcMillis, scale: f64) -> Self {
        let scale = if scale.is_nan() { 0.0 } else { scale.clamp(0.0, FASTEST_SCALE) };
        Self { anchor: Arc::new(Mutex::new(Anchor { real: Instant::now(), simulated: start, scale })) }
    }

    /// A clock that stands still and moves by [`SimulatedClock::jump`] only.
    pub fn paused(start: UtcMillis) -> Self {
        Self::new(start, 0.0)
    }

    /// The simulated instant.
    pub fn now(&self) -> UtcMillis {
        self.anchor().moved_to_now().simulated
    }

    /// How many times as fast as ours it runs.
    pub fn scale(&self) -> f64 {
        self.anchor().scale
    }

    /// Lets it run at another pace from now on.
    pub fn set_scale(&self, scale: f64) -> Result<(), ClockRefused> {
        if !(0.0..=FASTEST_SCALE).contains(&scale) {
            return Err(ClockRefused::Scale);
        }
        let mut anchor = self.anchor();
        *anchor = Anchor { scale, ..anchor.moved_to_now() };
        Ok(())
    }

    /// Moves it forward; by more than [`LONGEST_JUMP`] means by that.
    pub fn jump(&self, by: Duration) {
        let millis = i64::try_from(by.min(LONGEST_JUMP).as_millis()).unwrap_or(i64::MAX);
        let mut anchor = self.anchor();
        anchor.simulated = UtcMillis(anchor.simulated.0.saturating_add(millis));
    }

    /// Moves it forward to `instant`.
    pub fn jump_to(&self, instant: UtcMillis) -> Result<(), ClockRefused> {
        let mut anchor = self.anchor();
        let moved = anchor.moved_to_now();
        let ahead =
            u64::try_from(instant.millis_since(moved.simulated)).map_err(|_| ClockRefused::Instant)?;
        if Duration::from_millis(ahead) > LONGEST_JUMP {
            return Err(ClockRefused::Instant);
        }
        *anchor = Anchor { simulated: instant, ..moved };
        Ok(())
    }

    /// This clock as everything simulated reads it.
    pub fn source(&self) -> TimeSource {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    fn anchor(&self) -> std::sync::MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It arrives where it jumps to at once.
#[async_trait]
impl Steering for SimulatedClock {
    fn now(&self) -> UtcMillis {
        Self::now(self)
    }

    fn wanted(&self) -> UtcMillis {
        Self::now(self)
    }

    fn scale(&self) -> f64 {
        Self::scale(self)
    }

    async fn set_scale(&self, scale: f64) -> Result<(), ClockRefused> {
        Self::set_scale(self, scale)
    }

    fn jump(&self, by: Duration) {
        Self::jump(self, by);
    }

    fn jump_to(&self, instant: UtcMillis) -> Result<(), ClockRefused> {
        Self::jump_to(self, instant)
    }
}

impl fmt::Debug for SimulatedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimulatedClock({} × {})", self.now(), self.scale())
    }
}

/// The real instant: where a simulation begins that nobody gives another beginning, so that it can be watched by a
/// program that lives in real time. Only `main` asks for it.
#[expect(
    clippy::disallowed_methods,
    reason = "the program's start, handed to a simulated clock; nothing else reads it"
)]
pub fn wall_clock() -> UtcMillis {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UtcMillis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UtcMillis = UtcMillis(1_800_000_000_000);

    #[test]
    fn a_paused_clock_moves_by_jumps_only() {
        let clock = SimulatedClock::paused(START);
        let source = clock.source();
        assert_eq!(source(), START);
        clock.jump(Duration::from_millis(1500));
        assert_eq!(source(), UtcMillis(START.0 + 1500));
        assert_eq!(clock.jump_to(START), Err(ClockRefused::Instant), "time went back");
        assert_eq!(clock.jump_to(UtcMillis(i64::MAX)), Err(ClockRefused::Instant));
        assert_eq!(clock.jump_to(UtcMillis(START.0 + 2000)), Ok(()));
        assert_eq!(source(), UtcMillis(START.0 + 2000));
    }

    #[test]
    fn changing_the_pace_never_moves_time_back() {
        let clock = SimulatedClock::new(START, FASTEST_SCALE);
        let mut last = clock.now();
        for scale in [0.0, 1.0, FASTEST_SCALE, 0.5, 0.0, 3.0] {
            clock.set_scale(scale).unwrap();
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
        for bad in [-1.0, f64::NAN, f64::INFINITY, FASTEST_SCALE * 2.0] {
            assert_eq!(clock.set_scale(bad), Err(ClockRefused::Scale));
        }
    }

    #[test]
    fn a_fast_clock_runs_ahead_of_ours() {
        let clock = SimulatedClock::new(START, FASTEST_SCALE);
        let real = Instant::now();
        while real.elapsed() < Duration::from_millis(2) {}
        assert!(clock.now().millis_since(START) >= 199_999);
    }
}
