//! Samples on their way to the store: gathered for a while, so that a memory card isn't written to with every reading,
//! and kept for as long as the store doesn't take them.

use model::{
    BatteryReading, MinerId, MinerReading, MonoTime, Soc, UtcMillis,
    history::{BatterySample, MinerSample},
};
use std::{collections::VecDeque, time::Duration};
use store::Samples;

/// The most samples that wait. Beyond this the oldest are given up: two days of a miner that is read every 10 s.
const MOST: usize = 20_000;
/// The most samples of a kind that the store is given at once: it has two seconds for them.
const AT_ONCE: usize = 1000;

/// What waits to be written, oldest first.
#[derive(Debug)]
pub(crate) struct Gathered {
    wait: Duration,
    battery: VecDeque<BatterySample>,
    miners: VecDeque<MinerSample>,
    /// When it is to be written.
    due: Option<MonoTime>,
}

impl Gathered {
    /// Nothing yet. A sample waits so long for others.
    pub(crate) fn new(wait: Duration) -> Self {
        Self { wait, battery: VecDeque::new(), miners: VecDeque::new(), due: None }
    }

    pub(crate) fn add_battery(&mut self, sample: BatterySample, now: MonoTime) {
        self.battery.push_back(sample);
        self.added(now);
    }

    pub(crate) fn add_miner(&mut self, sample: MinerSample, now: MonoTime) {
        self.miners.push_back(sample);
        self.added(now);
    }

    fn added(&mut self, now: MonoTime) {
        self.due.get_or_insert(now + self.wait);
        while self.battery.len() + self.miners.len() > MOST {
            let battery_is_older = match (self.battery.front(), self.miners.front()) {
                (Some(battery), Some(miner)) => battery.at <= miner.at,
                (battery, _) => battery.is_some(),
            };
            if battery_is_older {
                self.battery.pop_front();
            } else {
                self.miners.pop_front();
            }
        }
    }

    /// Whether it is time to write.
    pub(crate) fn is_due(&self, now: MonoTime) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// All of it.
    pub(crate) fn all(&self) -> Samples {
        Samples {
            battery: self.battery.iter().cloned().collect(),
            miners: self.miners.iter().cloned().collect(),
        }
    }

    /// What to write next; `None` if nothing waits.
    pub(crate) fn next(&self) -> Option<Samples> {
        let samples = Samples {
            battery: self.battery.iter().take(AT_ONCE).cloned().collect(),
            miners: self.miners.iter().take(AT_ONCE).cloned().collect(),
        };
        (samples != Samples::default()).then_some(samples)
    }

    /// `samples`, which were next, are written. What is left is due at once.
    pub(crate) fn written(&mut self, samples: &Samples, now: MonoTime) {
        self.battery.drain(..samples.battery.len().min(self.battery.len()));
        self.miners.drain(..samples.miners.len().min(self.miners.len()));
        let empty = self.battery.is_empty() && self.miners.is_empty();
        self.due = (!empty).then_some(now);
    }

    /// What was next couldn't be written: it is tried again after a while.
    pub(crate) fn refused(&mut self, now: MonoTime) {
        self.due = Some(now + self.wait);
    }
}

/// What `reading` says of the battery, if it says something new after `last`: the source repeats itself until the
/// battery tells the next. A reading without a time of its own has no place in a history.
pub(crate) fn of_battery(reading: &BatteryReading, last: Option<&BatteryReading>) -> Option<BatterySample> {
    let at = reading.source_time?;
    if last.is_some_and(|last| last.source_time == Some(at)) {
        return None;
    }
    Some(BatterySample {
        at,
        soc: reading.soc_percent.filter(|_| !reading.lost).and_then(Soc::new),
        pv: reading.pv,
        load: reading.load,
        grid: reading.grid,
        battery: reading.battery,
    })
}

/// What `reading`, made at `at`, says of a miner.
pub(crate) fn of_miner(miner: &MinerId, reading: &MinerReading, at: UtcMillis) -> MinerSample {
    MinerSample {
        miner: miner.clone(),
        at,
        power: reading.power,
        power_set: reading.power_set,
        hash_rate: reading.hash_rate,
        ambient: reading.ambient,
        chip_max: reading.chip_max,
        fan_in_rpm: reading.fan_in_rpm,
        fan_out_rpm: reading.fan_out_rpm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn battery(at: i64) -> BatterySample {
        let reading = BatteryReading { source_time: Some(UtcMillis(at)), ..BatteryReading::default() };
        of_battery(&reading, None).unwrap()
    }

    fn miner(at: i64) -> MinerSample {
        of_miner(&MinerId("m".into()), &MinerReading::default(), UtcMillis(at))
    }

    #[test]
    fn a_reading_is_a_sample_once_and_only_with_a_time() {
        let first = BatteryReading {
            source_time: Some(UtcMillis(1000)),
            soc_percent: Some(55.0),
            ..BatteryReading::default()
        };
        let sample = of_battery(&first, None).unwrap();
        assert_eq!((sample.at, sample.soc), (UtcMillis(1000), Soc::new(55.0)));
        assert_eq!(of_battery(&first, Some(&first)), None);
        let next = BatteryReading { source_time: Some(UtcMillis(2000)), ..first.clone() };
        assert!(of_battery(&next, Some(&first)).is_some());
        assert_eq!(of_battery(&BatteryReading { source_time: None, ..first }, None), None);
    }

    #[test]
    fn a_state_of_charge_that_is_lost_or_impossible_isnt_known() {
        for (soc_percent, lost) in
            [(Some(55.0), true), (Some(127.0), false), (Some(f64::NAN), false), (None, false)]
        {
            let source_time = Some(UtcMillis(1000));
            let reading = BatteryReading { source_time, soc_percent, lost, ..BatteryReading::default() };
            assert_eq!(of_battery(&reading, None).unwrap().soc, None, "{soc_percent:?}, lost: {lost}");
        }
    }

    #[test]
    fn samples_are_due_a_minute_after_the_first_of_them() {
        let mut gathered = Gathered::new(Duration::from_secs(60));
        assert!(!gathered.is_due(MonoTime(i64::MAX)) && gathered.next().is_none());
        gathered.add_miner(miner(1), MonoTime(5000));
        gathered.add_battery(battery(2), MonoTime(60_000));
        assert!(!gathered.is_due(MonoTime(64_999)) && gathered.is_due(MonoTime(65_000)));
        let samples = gathered.next().unwrap();
        gathered.refused(MonoTime(66_000));
        assert!(!gathered.is_due(MonoTime(125_999)) && gathered.is_due(MonoTime(126_000)));
        assert_eq!(gathered.next().unwrap(), samples, "nothing is lost");
        gathered.written(&samples, MonoTime(126_000));
        assert!(!gathered.is_due(MonoTime(i64::MAX)) && gathered.next().is_none());
    }

    #[test]
    fn the_store_is_given_no_more_than_it_can_take_at_once() {
        let mut gathered = Gathered::new(Duration::from_secs(60));
        for at in 0..2500 {
            gathered.add_miner(miner(at), MonoTime(at));
        }
        let mut instants = Vec::new();
        while let Some(samples) = gathered.next() {
            assert!(samples.miners.len() <= AT_ONCE && gathered.is_due(MonoTime(100_000)));
            instants.extend(samples.miners.iter().map(|sample| sample.at.0));
            gathered.written(&samples, MonoTime(100_000));
        }
        assert_eq!(instants, (0..2500).collect::<Vec<_>>());
    }

    #[test]
    fn the_oldest_are_given_up_when_there_are_too_many() {
        let mut gathered = Gathered::new(Duration::from_secs(60));
        for at in 0..30_000 {
            gathered.add_miner(miner(at), MonoTime(at));
            if at % 10 == 0 {
                gathered.add_battery(battery(at), MonoTime(at));
            }
        }
        assert_eq!(gathered.battery.len() + gathered.miners.len(), MOST);
        let oldest = [gathered.battery[0].at, gathered.miners[0].at].map(|at| at.0);
        assert!(oldest[0].abs_diff(oldest[1]) <= 10 && oldest[1] > 11_000, "{oldest:?}");
        assert_eq!(gathered.miners.back().unwrap().at, UtcMillis(29_999));
    }
}
