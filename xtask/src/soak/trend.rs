//! Whether something grows: its values early on, held against those at the end.

/// A series of values, one for each look.
pub(super) struct Trend {
    /// What.
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) values: Vec<f64>,
    /// By how much the end may be above the beginning: a share of it, and an amount besides.
    pub(super) share: f64,
    pub(super) amount: f64,
}

impl Trend {
    /// The medians of the first and of the last quarter.
    pub(super) fn ends(&self) -> (f64, f64) {
        let quarter = (self.values.len() / 4).max(1);
        let (first, last) = (self.values.chunks(quarter).next(), self.values.rchunks(quarter).next());
        (median(first.unwrap_or_default()), median(last.unwrap_or_default()))
    }

    /// The most that the last quarter's may be.
    pub(super) fn allowed(&self) -> f64 {
        self.ends().0.mul_add(1.0 + self.share, self.amount)
    }

    /// Whether it grew by more than it may, or isn't known.
    pub(super) fn grows(&self) -> bool {
        let (_, last) = self.ends();
        last.is_nan() || self.allowed().is_nan() || last > self.allowed()
    }

    /// The greatest value.
    pub(super) fn highest(&self) -> f64 {
        self.values.iter().copied().fold(f64::NAN, f64::max)
    }
}

/// The median; no number of nothing.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(values: impl Iterator<Item = f64>) -> Trend {
        Trend { name: "memory", unit: "MB", values: values.collect(), share: 0.1, amount: 1.0 }
    }

    #[test]
    fn a_leak_is_seen_and_noise_is_not() {
        let noise = |at: u32| 20.0 + f64::from(at * 7 % 5) / 5.0;
        assert!(!trend((0..100).map(noise)).grows());
        assert!(trend((0..100).map(|at| noise(at) + f64::from(at) / 20.0)).grows());
        // A single high value is no leak.
        assert!(!trend((0..100).map(|at| if at == 99 { 500.0 } else { noise(at) })).grows());
    }

    #[test]
    fn what_was_never_measured_counts_as_growth() {
        assert!(trend(std::iter::empty()).grows());
        assert!(trend(std::iter::once(f64::NAN)).grows());
    }

    #[test]
    fn less_is_no_growth() {
        assert!(!trend((0..40).map(|at| 50.0 - f64::from(at))).grows());
    }
}
