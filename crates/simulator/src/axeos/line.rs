//! A quantity that moves in straight lines, as a clock that is ramped does. Value and integral are closed formulas, and
//! the last two hours can be asked for.

use std::collections::VecDeque;

/// How far back a line can be asked, ms: two hours.
const HISTORY_MS: i64 = 2 * 3_600_000;
/// Knots that are remembered at most.
const MOST_KNOTS: usize = 16_384;

/// Where the line bends. Two knots at one instant are a jump.
#[derive(Debug, Clone, Copy)]
struct Knot {
    at_ms: i64,
    value: f64,
    /// Integral of everything before, in units times seconds.
    before: f64,
}

/// A quantity over simulated time, in ms. It stands still after its last knot.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Never empty.
    knots: VecDeque<Knot>,
}

impl Line {
    /// A quantity that stands at `value`.
    pub(super) fn new(at_ms: i64, value: f64) -> Self {
        Self { knots: VecDeque::from([Knot { at_ms, value, before: 0.0 }]) }
    }

    /// The value at an instant; before the remembered history the oldest that is known.
    pub(super) fn value(&self, at_ms: i64) -> f64 {
        self.look(at_ms).0
    }

    /// The integral from the beginning to an instant, in units times seconds.
    pub(super) fn integral(&self, at_ms: i64) -> f64 {
        self.look(at_ms).1
    }

    /// The mean between two instants, as far back as the history goes.
    pub(super) fn mean(&self, from_ms: i64, to_ms: i64) -> f64 {
        let from_ms = self.knots.front().map_or(from_ms, |oldest| from_ms.max(oldest.at_ms));
        if to_ms <= from_ms {
            return self.value(to_ms);
        }
        (self.integral(to_ms) - self.integral(from_ms)) / seconds(to_ms.saturating_sub(from_ms))
    }

    /// From `at_ms` on it goes straight to `goal` within `during_ms`, and stays there; 0 is a jump.
    pub(super) fn go(&mut self, at_ms: i64, goal: f64, during_ms: i64) {
        let (value, before) = self.look(at_ms);
        while self.knots.back().is_some_and(|knot| knot.at_ms > at_ms) {
            self.knots.pop_back();
        }
        self.knots.push_back(Knot { at_ms, value, before });
        let end = at_ms.saturating_add(during_ms.max(0));
        let before = before + f64::midpoint(value, goal) * seconds(end.saturating_sub(at_ms));
        self.knots.push_back(Knot { at_ms: end, value: goal, before });
        let stale = |second: &Knot| second.at_ms < at_ms.saturating_sub(HISTORY_MS);
        while self.knots.len() > MOST_KNOTS || self.knots.get(1).is_some_and(stale) {
            self.knots.pop_front();
        }
    }

    /// Value and integral at an instant.
    fn look(&self, at_ms: i64) -> (f64, f64) {
        let after = self.knots.partition_point(|knot| knot.at_ms <= at_ms);
        let Some(left) = after.checked_sub(1).and_then(|index| self.knots.get(index)) else {
            return self.knots.front().map_or((0.0, 0.0), |oldest| (oldest.value, oldest.before));
        };
        let gone = seconds(at_ms.saturating_sub(left.at_ms));
        let value = match self.knots.get(after) {
            None => left.value,
            Some(right) => {
                let whole = seconds(right.at_ms.saturating_sub(left.at_ms));
                left.value + (right.value - left.value) * gone / whole
            }
        };
        (value, left.before + f64::midpoint(left.value, value) * gone)
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn it_goes_straight_and_stays() {
        let mut line = Line::new(0, 10.0);
        line.go(1000, 30.0, 4000);
        for (at, value) in [(-5, 10.0), (999, 10.0), (3000, 20.0), (5000, 30.0), (99_000, 30.0)] {
            assert!(near(line.value(at), value), "{} at {at}", line.value(at));
        }
        line.go(3000, 0.0, 0);
        assert!(near(line.value(2999), 19.995) && near(line.value(3000), 0.0));
    }

    #[test]
    fn its_integral_is_the_area() {
        let mut line = Line::new(0, 10.0);
        line.go(2000, 30.0, 4000);
        line.go(10_000, 0.0, 0);
        assert!(near(line.integral(2000), 20.0));
        assert!(near(line.integral(4000), 50.0));
        assert!(near(line.integral(10_000), 20.0 + 80.0 + 120.0));
        assert!(near(line.integral(60_000), 220.0));
        assert!(near(line.mean(6000, 14_000), 15.0));
        assert!(near(line.mean(-9000, 2000), 10.0), "nothing is known of before");
    }

    #[test]
    fn what_it_remembers_is_bounded() {
        let mut line = Line::new(0, 0.0);
        for second in 0..20_000 {
            line.go(second * 1000, (second % 7) as f64, 0);
        }
        assert!(line.knots.len() <= 2 * 7202, "{}", line.knots.len());
        assert!(near(line.value(19_999_000), f64::from(19_999 % 7)));
        assert!(near(line.value(15_000_500), f64::from(15_000 % 7)));
    }
}
