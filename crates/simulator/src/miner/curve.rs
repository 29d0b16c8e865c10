//! A quantity that settles: every change approaches its goal exponentially, so that value and integral are closed
//! formulas. Looking at it once a second or once a day gives the same numbers, to the last bit.

use std::collections::VecDeque;

/// How far back a curve can be asked, ms: two hours.
const HISTORY_MS: i64 = 2 * 3_600_000;
/// How many changes it remembers at most.
const MOST_PIECES: usize = 4096;

/// A first-order response from `since` on: `to + (from − to)·e^(−t/τ)`.
#[derive(Debug, Clone, Copy)]
struct Piece {
    since_ms: i64,
    from: f64,
    to: f64,
    tau_s: f64,
    /// Integral over everything before `since_ms`, in units times seconds.
    before: f64,
}

impl Piece {
    /// Seconds since this piece began, and what is left of the difference then, 1 ..= 0.
    fn progress(&self, at_ms: i64) -> (f64, f64) {
        let seconds = at_ms.saturating_sub(self.since_ms).max(0) as f64 / 1000.0;
        (seconds, if self.tau_s > 0.0 { (-seconds / self.tau_s).exp() } else { 0.0 })
    }

    fn value(&self, at_ms: i64) -> f64 {
        let (_, remaining) = self.progress(at_ms);
        self.to + (self.from - self.to) * remaining
    }

    fn integral(&self, at_ms: i64) -> f64 {
        let (seconds, remaining) = self.progress(at_ms);
        self.before + self.to * seconds + (self.from - self.to) * self.tau_s * (1.0 - remaining)
    }
}

/// A quantity over the last two hours. Times are simulated milliseconds and never go back.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    /// Never empty.
    pieces: VecDeque<Piece>,
}

impl Curve {
    /// A quantity that stands at `value`.
    pub(super) fn new(at_ms: i64, value: f64) -> Self {
        let piece = Piece { since_ms: at_ms, from: value, to: value, tau_s: 0.0, before: 0.0 };
        Self { pieces: VecDeque::from([piece]) }
    }

    /// The value at an instant. Before the remembered history it's the oldest value known.
    pub(super) fn value(&self, at_ms: i64) -> f64 {
        self.piece_at(at_ms).map_or(0.0, |piece| piece.value(at_ms))
    }

    /// The integral from the beginning to an instant, in units times seconds.
    pub(super) fn integral(&self, at_ms: i64) -> f64 {
        self.piece_at(at_ms).map_or(0.0, |piece| piece.integral(at_ms))
    }

    /// The mean between two instants, as far back as the history goes; the value itself where there is nothing between.
    pub(super) fn mean(&self, from_ms: i64, to_ms: i64) -> f64 {
        let oldest = self.pieces.front().map_or(to_ms, |piece| piece.since_ms);
        let from_ms = from_ms.max(oldest);
        if to_ms <= from_ms {
            return self.value(to_ms);
        }
        (self.integral(to_ms) - self.integral(from_ms)) / ((to_ms - from_ms) as f64 / 1000.0)
    }

    /// From `at_ms` on the quantity approaches `goal` with the time constant `tau_s`; 0 is at once.
    pub(super) fn approach(&mut self, at_ms: i64, goal: f64, tau_s: f64) {
        let (from, before) = (self.value(at_ms), self.integral(at_ms));
        self.pieces.retain(|piece| piece.since_ms < at_ms);
        self.pieces.push_back(Piece { since_ms: at_ms, from, to: goal, tau_s, before });
        let stale = |second: &Piece| second.since_ms < at_ms.saturating_sub(HISTORY_MS);
        while self.pieces.len() > MOST_PIECES || self.pieces.get(1).is_some_and(stale) {
            self.pieces.pop_front();
        }
    }

    /// Sets the quantity to `value` as if it had always been there: the history before is gone, its integral isn't.
    pub(super) fn reset(&mut self, at_ms: i64, value: f64) {
        let before = self.integral(at_ms);
        self.pieces.clear();
        self.pieces.push_back(Piece { since_ms: at_ms, from: value, to: value, tau_s: 0.0, before });
    }

    fn piece_at(&self, at_ms: i64) -> Option<&Piece> {
        self.pieces.iter().rev().find(|piece| piece.since_ms <= at_ms).or_else(|| self.pieces.front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_settles_by_its_time_constant() {
        let mut curve = Curve::new(0, 14.0);
        curve.approach(60_000, 3614.0, 240.0);
        assert!((curve.value(59_999) - 14.0).abs() < 1e-9);
        // One time constant: 1 − 1/e of the way.
        assert!((curve.value(300_000) - (14.0 + 3600.0 * 0.632_120_558_8)).abs() < 1e-3);
        assert!((curve.value(60_000 + 3_600_000) - 3614.0).abs() < 0.01);
    }

    #[test]
    fn the_integral_is_that_of_many_small_steps() {
        let mut curve = Curve::new(0, 100.0);
        curve.approach(1000, 700.0, 5.0);
        curve.approach(9000, 20.0, 0.0);
        let steps: f64 =
            (0..12_000).map(|ms| f64::midpoint(curve.value(ms), curve.value(ms + 1)) / 1000.0).sum();
        assert!((curve.integral(12_000) - steps).abs() < 1.0, "{} against {steps}", curve.integral(12_000));
        assert!((curve.mean(10_000, 12_000) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn the_past_can_be_asked_and_is_bounded() {
        let mut curve = Curve::new(0, 1.0);
        for minute in 1..=1000 {
            curve.approach(minute * 60_000, minute as f64, 0.0);
        }
        assert!((curve.value(950 * 60_000 + 1) - 950.0).abs() < 1e-9);
        assert!(curve.pieces.len() <= 122);
        for again in 0..10 {
            curve.approach(1000 * 60_000, f64::from(again), 0.0);
        }
        assert!(curve.pieces.len() <= 122, "changes at one instant replace each other");
    }

    #[test]
    fn a_reset_keeps_what_was_integrated() {
        let mut curve = Curve::new(0, 60.0);
        curve.reset(10_000, 5.0);
        assert!((curve.integral(10_000) - 600.0).abs() < 1e-9);
        assert!((curve.mean(0, 20_000) - 5.0).abs() < 1e-9);
    }
}
