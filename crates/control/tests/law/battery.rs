//! What counts as a sample, when it is good, and what is made of it.

use control::{
    BatteryObservation, Policy,
    battery::{BatteryMemory, Freshness, Rejected, Verdict},
};
use model::{MonoTime, Soc, UtcMillis};
use proptest::prelude::*;
use std::time::Duration;

/// A reading made at `source` and fetched at `fetched`, in seconds.
fn reading(source: i64, fetched: i64, soc: f64) -> BatteryObservation {
    BatteryObservation {
        source_time: UtcMillis(source * 1000),
        source_at: MonoTime(source * 1000),
        fetched_at: MonoTime(fetched * 1000),
        soc_percent: Some(soc),
        lost: false,
        pv: None,
        load: None,
        power: None,
    }
}

fn judge(memory: &mut BatteryMemory, now: i64, reading: Option<BatteryObservation>) -> Verdict {
    memory.judge(&Policy::default(), MonoTime(now * 1000), MonoTime(0), reading.as_ref())
}

/// Takes each up at the second it was made.
fn after(samples: &[(i64, f64)]) -> BatteryMemory {
    let mut memory = BatteryMemory::default();
    for (at, soc) in samples {
        judge(&mut memory, *at, Some(reading(*at, *at, *soc)));
    }
    memory
}

#[test]
fn the_same_snapshot_again_is_no_second_sample() {
    let mut memory = BatteryMemory::default();
    let first = judge(&mut memory, 10, Some(reading(0, 10, 60.0)));
    assert_eq!(first.arrived, Soc::new(60.0));
    let again = judge(&mut memory, 20, Some(reading(0, 20, 60.0)));
    assert_eq!((again.arrived, again.rejected), (None, None));
    assert_eq!((memory.good_in_a_row, memory.before), (1, None));
}

#[test]
fn age_counts_from_the_source_however_often_it_is_fetched() {
    let mut memory = BatteryMemory::default();
    let mut seen = Vec::new();
    for now in (0..=720).step_by(10) {
        let verdict = judge(&mut memory, now, Some(reading(0, now, 60.0)));
        assert_eq!(verdict.without_good_for, Duration::from_secs(now as u64));
        seen.push((now, verdict.freshness));
    }
    for (now, freshness) in seen {
        let expected = match now {
            0..360 => Freshness::Fresh,
            360..720 => Freshness::Old,
            _ => Freshness::Stale,
        };
        assert_eq!(freshness, expected, "after {now} s");
    }
}

#[test]
fn age_counts_from_the_fetch_where_that_is_older() {
    let mut memory = BatteryMemory::default();
    // The source's clock is a minute ahead; the reading was fetched ten seconds ago.
    judge(&mut memory, 20, Some(reading(70, 10, 60.0)));
    assert_eq!(memory.good.unwrap().at, MonoTime(10_000));
}

#[test]
fn a_fetch_in_the_future_makes_nothing_younger() {
    let mut memory = BatteryMemory::default();
    judge(&mut memory, 20, Some(reading(100, 100, 60.0)));
    assert_eq!(memory.good.unwrap().at, MonoTime(20_000));
}

#[test]
fn an_older_snapshot_is_dropped() {
    let mut memory = after(&[(100, 60.0)]);
    let verdict = judge(&mut memory, 110, Some(reading(90, 110, 50.0)));
    assert_eq!((verdict.arrived, verdict.rejected), (None, Some(Rejected::OlderThanLast)));
    assert_eq!(verdict.lowest_reading, Some(60.0), "not even an emergency is read from it");
}

#[test]
fn what_cannot_be_is_no_sample() {
    let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 100.1, 127.0, 255.0, f64::MAX];
    for soc in bad {
        let mut memory = after(&[(0, 60.0)]);
        let verdict = judge(&mut memory, 150, Some(reading(150, 150, soc)));
        assert!(matches!(verdict.rejected, Some(Rejected::Impossible(_))), "{soc}");
        assert_eq!((verdict.arrived, verdict.soc), (None, Soc::new(60.0)), "{soc}");
        assert_eq!(verdict.lowest_reading, Some(60.0), "{soc}");
    }
    let mut memory = after(&[(0, 60.0)]);
    let lost = BatteryObservation { lost: true, ..reading(150, 150, 70.0) };
    assert_eq!(judge(&mut memory, 150, Some(lost)).rejected, Some(Rejected::Lost));
    let missing = BatteryObservation { soc_percent: None, ..reading(160, 160, 0.0) };
    assert_eq!(judge(&mut memory, 160, Some(missing)).rejected, Some(Rejected::NoSoc));
}

#[test]
fn minus_zero_is_zero() {
    let mut memory = BatteryMemory::default();
    assert_eq!(judge(&mut memory, 0, Some(reading(0, 0, -0.0))).arrived, Soc::new(0.0));
}

#[test]
fn a_jump_upward_waits_for_a_second_sample_near_it() {
    // (second sample after 40 -> 70 in a minute, good)
    for (second, good) in
        [(70.0, true), (72.0, true), (68.0, true), (72.1, false), (67.9, false), (100.0, false)]
    {
        let mut memory = after(&[(0, 40.0)]);
        let jump = judge(&mut memory, 60, Some(reading(60, 60, 70.0)));
        assert_eq!((jump.arrived, jump.rejected), (None, Some(Rejected::Jump(70.0))));
        assert_eq!((jump.soc, jump.lowest_reading), (Soc::new(40.0), Some(40.0)), "nothing rests on it");
        let again = judge(&mut memory, 70, Some(reading(60, 70, 70.0)));
        assert_eq!(again.arrived, None, "the same snapshot confirms nothing");
        let verdict = judge(&mut memory, 80, Some(reading(80, 80, second)));
        assert_eq!(verdict.arrived.is_some(), good, "{second}");
    }
}

#[test]
fn fifteen_points_a_minute_is_no_jump() {
    for (seconds, soc, good) in [(60, 55.0, true), (60, 55.1, false), (120, 70.0, true), (120, 70.1, false)] {
        let mut memory = after(&[(0, 40.0)]);
        let verdict = judge(&mut memory, seconds, Some(reading(seconds, seconds, soc)));
        assert_eq!(verdict.arrived.is_some(), good, "to {soc} in {seconds} s");
    }
}

#[test]
fn a_fall_is_never_a_jump() {
    let mut memory = after(&[(0, 100.0)]);
    assert_eq!(judge(&mut memory, 1, Some(reading(1, 1, 0.0))).arrived, Soc::new(0.0));
}

#[test]
fn a_new_level_is_confirmed_by_nothing_from_before_the_jump() {
    let memory = after(&[(0, 40.0), (60, 90.0), (80, 90.0)]);
    assert_eq!((memory.good.unwrap().soc, memory.before), (Soc::new(90.0).unwrap(), None));
    assert_eq!(memory.confirming(MonoTime(80_000), Duration::from_secs(720)), None);
}

#[test]
fn a_sample_confirms_only_while_it_is_not_stale() {
    let memory = after(&[(0, 40.0), (500, 42.0)]);
    let stale_off = Duration::from_secs(720);
    assert_eq!(memory.confirming(MonoTime(719_000), stale_off), Soc::new(40.0));
    assert_eq!(memory.confirming(MonoTime(720_000), stale_off), None);
}

#[test]
fn two_old_samples_that_arrive_together_confirm_nothing() {
    let mut memory = after(&[(0, 60.0)]);
    judge(&mut memory, 900, None);
    assert!(memory.recovering);
    for source in [100, 200] {
        let verdict = judge(&mut memory, 1000, Some(reading(source, 1000, 60.0)));
        assert_eq!((verdict.arrived, verdict.rejected), (None, Some(Rejected::TooOld)));
    }
    assert!(memory.recovering);
    judge(&mut memory, 1010, Some(reading(1000, 1010, 60.0)));
    assert!(memory.recovering, "one good sample");
    judge(&mut memory, 1160, Some(reading(1150, 1160, 60.0)));
    assert!(!memory.recovering, "two");
}

#[test]
fn a_break_of_the_program_ends_trust_as_stale_data_does() {
    let mut memory = after(&[(0, 60.0), (150, 60.0)]);
    // Hours later the law is asked again: it has watched since now.
    let now = MonoTime(20_000_000);
    let verdict = memory.judge(&Policy::default(), now, now, None);
    assert_eq!((verdict.freshness, verdict.soc), (Freshness::Waiting, None));
    // Whether or not there was a tick between the break and the first sample.
    for mut memory in [memory, after(&[(0, 60.0), (150, 60.0)])] {
        let back = reading(20_000, 20_000, 60.0);
        let verdict = memory.judge(&Policy::default(), now, now, Some(&back));
        assert_eq!((verdict.freshness, verdict.arrived), (Freshness::Fresh, Soc::new(60.0)));
        assert!(memory.recovering, "one sample after the break");
    }
}

#[test]
fn a_source_clock_ahead_is_refused_for_good_but_its_successors_are_not() {
    let mut memory = BatteryMemory::default();
    let verdict = judge(&mut memory, 0, Some(reading(3600, 0, 60.0)));
    assert_eq!(verdict.rejected, Some(Rejected::AheadOfOurClock(Duration::from_secs(3600))));
    let caught_up = judge(&mut memory, 3590, Some(reading(3600, 3590, 60.0)));
    assert_eq!((caught_up.arrived, caught_up.soc), (None, None), "it is an hour old, not new");
    // The source's clock was put right: an earlier time than the refused one is taken.
    let mut memory = BatteryMemory::default();
    judge(&mut memory, 0, Some(reading(3600, 0, 60.0)));
    assert_eq!(judge(&mut memory, 100, Some(reading(100, 100, 61.0))).arrived, Soc::new(61.0));
}

#[test]
fn an_unconfirmed_low_reading_counts_for_rule_1_and_a_high_one_does_not() {
    let mut memory = after(&[(0, 60.0)]);
    let low = judge(&mut memory, 150, Some(reading(150, 150, 20.0)));
    assert_eq!(low.lowest_reading, Some(20.0));
    let high = judge(&mut memory, 160, Some(reading(160, 160, 90.0)));
    assert_eq!(high.lowest_reading, Some(20.0), "unconfirmed");
}

#[test]
fn the_trend_needs_ten_minutes_and_forgets_what_is_older_than_an_hour() {
    let mut memory = BatteryMemory::default();
    for minute in 0..=180_i64 {
        let soc = 90.0 - minute as f64 / 6.0;
        judge(&mut memory, minute * 60, Some(reading(minute * 60, minute * 60, soc)));
        let trend = memory.points_per_hour();
        assert_eq!(trend.is_some(), minute >= 10, "after {minute} min");
        assert!(trend.is_none_or(|trend| (trend + 10.0).abs() < 1e-6), "after {minute} min: {trend:?}");
    }
}

proptest! {
    /// A sample is good only if it is new, possible, in time and not a lone jump; and a good one is told on.
    #[test]
    fn only_plausible_samples_arrive(
        samples in prop::collection::vec(
            (0..400_i64, -300..900_i64, prop_oneof![-20.0..130.0_f64, Just(f64::NAN)], any::<bool>()),
            1..60
        )
    ) {
        let mut memory = BatteryMemory::default();
        let (mut now, mut newest) = (1000, i64::MIN);
        for (passed, old, soc, lost) in samples {
            now += passed;
            let given = BatteryObservation { lost, ..reading(now - old, now, soc) };
            let before = memory;
            let verdict = judge(&mut memory, now, Some(given));
            if let Some(arrived) = verdict.arrived {
                prop_assert!(!lost && (0.0..=100.0).contains(&soc) && (-120..720).contains(&old));
                prop_assert!(now - old > newest, "new");
                prop_assert_eq!((arrived.get(), verdict.soc), (soc, Some(arrived)));
                if let Some(good) = before.good {
                    let minutes = (given.source_time.0 - good.source_time.0) as f64 / 60_000.0;
                    let near = before.candidate.is_some_and(|one| (one.soc.get() - soc).abs() <= 2.0);
                    prop_assert!(soc - good.soc.get() <= 15.0 * minutes || near);
                }
            }
            if !lost && (0.0..=100.0).contains(&soc) && old >= -120 {
                newest = newest.max(now - old);
            }
            prop_assert_eq!(verdict.soc.is_some(), memory.good.is_some_and(|good| {
                MonoTime(now * 1000).since(good.at) < Duration::from_secs(720)
            }));
        }
    }
}
