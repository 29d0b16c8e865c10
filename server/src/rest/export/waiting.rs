//! What waits to be written, put behind what is written: a table reaches to the present, and costs the disk nothing.

use model::{
    UtcMillis,
    history::{Quantity, Sample, Track},
};
use store::{Samples, Subject, as_kept};

/// Samples that weren't in the store when a table was begun.
pub(super) struct Waiting {
    samples: Samples,
    /// The instant of the earliest.
    begins: Option<UtcMillis>,
}

impl Waiting {
    pub(super) fn new(samples: Samples) -> Self {
        let battery = samples.battery.iter().map(Sample::at);
        let begins = battery.chain(samples.miners.iter().map(Sample::at)).min();
        Self { samples, begins }
    }

    pub(super) fn begins(&self) -> Option<UtcMillis> {
        self.begins
    }

    /// Goes on with what waits of this subject, from an instant until before another. What was written meanwhile, and so is in
    /// the track already, isn't told twice.
    pub(super) fn go_on(&self, track: &mut Track, subject: &Subject, from: UtcMillis, to: UtcMillis) {
        if self.begins.is_none_or(|begins| begins >= to) {
            return;
        }
        let is_meant = |at: UtcMillis| from <= at && at < to;
        match subject {
            Subject::Battery => {
                let battery = self.samples.battery.iter().filter(|sample| is_meant(sample.at));
                track.go_on(battery.map(AsKept).collect());
            }
            Subject::Miner(miner) => {
                let of_miner =
                    self.samples.miners.iter().filter(|sample| sample.miner == *miner && is_meant(sample.at));
                track.go_on(of_miner.map(AsKept).collect());
            }
        }
    }
}

/// A sample with the values that it has once it is written: a table says the same before and after.
struct AsKept<'a, S>(&'a S);

impl<S: Sample> Sample for AsKept<'_, S> {
    fn at(&self) -> UtcMillis {
        self.0.at()
    }

    fn value(&self, quantity: Quantity) -> Option<f64> {
        self.0.value(quantity).map(|value| as_kept(quantity, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{MinerId, Soc, Watts, history::BatterySample};
    use std::time::Duration;
    use store::{HistoryRules, MOST_POINTS, Store};

    /// 2026-03-21T00:00:00Z.
    const BEGIN: i64 = 1_774_051_200_000;
    const GAP: Duration = Duration::from_secs(600);

    fn battery(seconds: i64) -> BatterySample {
        BatterySample {
            at: UtcMillis(BEGIN + seconds * 1000),
            soc: Soc::new(81.26),
            pv: Watts::new(1234.5678),
            load: None,
            grid: Watts::new(-0.4),
            battery: Watts::new(7e15),
        }
    }

    async fn told(store: &Store) -> Track {
        let window = model::history::Window {
            from: UtcMillis(BEGIN),
            to: UtcMillis(BEGIN + 3_600_000),
            points: MOST_POINTS,
        };
        store.battery_history(window, &Quantity::OF_BATTERY, GAP).await.unwrap()
    }

    #[tokio::test]
    async fn what_waits_is_told_as_it_will_be_once_it_is_written() {
        let store = Store::in_memory().await.unwrap();
        let rules =
            HistoryRules { battery_gap: GAP, miner_gap: GAP, keep_samples: Duration::from_secs(86_400) };
        let of = |samples: &[i64]| Samples {
            battery: samples.iter().map(|seconds| battery(*seconds)).collect(),
            miners: Vec::new(),
        };
        let now = UtcMillis(BEGIN + 3_600_000);
        store.record_samples(&of(&[0, 60]), &rules, now).await.unwrap();
        // One was written since it was asked what waits.
        let waiting = Waiting::new(of(&[60, 120, 180]));
        let mut track = told(&store).await;
        waiting.go_on(&mut track, &Subject::Miner(MinerId("garage".into())), UtcMillis(BEGIN), now);
        assert_eq!(track, told(&store).await);
        waiting.go_on(&mut track, &Subject::Battery, UtcMillis(BEGIN), now);
        store.record_samples(&of(&[120, 180]), &rules, now).await.unwrap();
        assert_eq!(track, told(&store).await);
        assert_eq!(track.at.len(), 4);
    }

    #[tokio::test]
    async fn of_what_waits_a_piece_tells_its_own() {
        let waiting = Waiting::new(Samples { battery: [10, 20, 30].map(battery).into(), miners: Vec::new() });
        let at = |seconds: i64| UtcMillis(BEGIN + seconds * 1000);
        assert_eq!(waiting.begins(), Some(at(10)));
        for (from, to, expected) in [(0, 10, vec![]), (0, 20, vec![at(10)]), (20, 40, vec![at(20), at(30)])] {
            let mut track = Track::default();
            waiting.go_on(&mut track, &Subject::Battery, at(from), at(to));
            assert_eq!(track.at, expected, "{from} to {to}");
        }
    }
}
