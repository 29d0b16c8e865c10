//! What holds in the simulated house whatever happens in it.

#![expect(clippy::unwrap_used, reason = "what the helpers of a test can't do fails the test")]

use model::{Soc, UtcMillis, Watts};
use proptest::prelude::*;
use simulator::{
    Consumer,
    house::{Clouds, Follow, Grid, House, HouseSetup, LoadProfile, Overrides, RecordedDay},
    time::SimulatedClock,
};
use std::{sync::Arc, time::Duration};

const START: &str = "2026-05-01T06:00:00Z";

/// Draws its power in the first half of every hour.
struct HalfHours(f64);

impl Consumer for HalfHours {
    fn power_at(&self, now: UtcMillis) -> Watts {
        let on = now.0.rem_euclid(3_600_000) < 1_800_000;
        if on { Watts::new(self.0).unwrap() } else { Watts::ZERO }
    }
}

fn house(setup: HouseSetup) -> (House, SimulatedClock) {
    let clock = SimulatedClock::paused(START.parse().unwrap());
    (House::new(setup, clock.source()).unwrap(), clock)
}

fn assert_balanced(house: &House) {
    let state = house.now();
    let rest =
        state.pv.get() + state.grid.get() - state.load.get() - state.battery.get() - state.losses.get();
    assert!(rest.abs() < 1e-6, "powers don't balance by {rest} W: {state:?}");
    let total = state.total;
    let rest =
        total.pv + total.import + total.discharge - total.load - total.export - total.charge - total.losses;
    assert!(rest.abs() < 1e-3, "energies don't balance by {rest} Wh: {total:?}");
    assert!((0.0..=100.0).contains(&state.soc_percent));
    assert!(state.losses.get() >= -1e-9);
}

#[test]
fn the_energy_of_a_week_adds_up() {
    let (house, clock) = house(HouseSetup::default());
    house.attach(Arc::new(HalfHours(3600.0)));
    let begun = house.now();
    for _ in 0..7 * 24 {
        clock.jump(Duration::from_secs(3600));
        assert_balanced(&house);
    }
    let ended = house.now();
    let (setup, total) = (house.setup(), ended.total);
    let by_soc = (ended.soc_percent - begun.soc_percent) / 100.0 * setup.battery_wh;
    let by_flow = total.charge * setup.charge_efficiency - total.discharge / setup.discharge_efficiency;
    assert!(
        (by_soc - by_flow).abs() < 0.01,
        "{by_soc} Wh by the state of charge, {by_flow} Wh by what flowed"
    );
    assert!((total.stored - by_soc).abs() < 0.01);
    assert!((total.miners - 7.0 * 24.0 * 1800.0).abs() < 7.0 * 24.0 * 11.0, "half of each hour, to the step");
    assert!(total.pv > 100_000.0 && total.losses > 0.05 * total.load);
}

#[test]
fn the_day_s_counters_start_at_midnight_on_the_wall() {
    let (house, clock) = house(HouseSetup::default());
    clock.jump_to("2026-05-03T05:59:50Z".parse().unwrap()).unwrap();
    let evening = house.now();
    assert!(evening.today.load > 10_000.0 && evening.total.load > evening.today.load);
    clock.jump(Duration::from_secs(60));
    let midnight = house.now();
    assert!(midnight.today.load < 20.0, "midnight in Denver is 06:00 UTC in May");
    assert!(midnight.total.load > evening.total.load);
}

#[test]
fn a_full_battery_sheds_into_the_grid_and_an_empty_one_leans_on_it() {
    let bright = Overrides { pv: Watts::new(9000.0), load: Watts::new(500.0), ..Overrides::default() };
    let dark = Overrides { pv: Some(Watts::ZERO), load: Watts::new(2000.0), ..Overrides::default() };
    for grid in [Grid::Export, Grid::OffGrid] {
        let (house, clock) = house(HouseSetup { grid, ..HouseSetup::default() });
        house.set_overrides(bright).unwrap();
        clock.jump(Duration::from_secs(6 * 3600));
        let full = house.now();
        assert!((full.soc_percent - 100.0).abs() < 1e-6, "{}", full.soc_percent);
        assert!(full.battery.get().abs() < 1e-6);

        house.set_overrides(dark).unwrap();
        clock.jump(Duration::from_secs(24 * 3600));
        let empty = house.now();
        assert!(
            (empty.soc_percent - 5.0).abs() < 1e-6,
            "the inverter stops at its floor: {}",
            empty.soc_percent
        );
        match grid {
            Grid::Export => {
                assert!(full.grid.get() < -7500.0 && full.curtailed.get().abs() < 1e-6);
                assert!(empty.grid.get() > 2000.0 && empty.unserved.get().abs() < 1e-6);
            }
            Grid::OffGrid => {
                assert!(full.grid.get().abs() < 1e-6 && full.curtailed.get() > 8000.0);
                assert!(empty.load.get().abs() < 1e-6 && (empty.unserved.get() - 2000.0).abs() < 1e-6);
            }
        }
        assert_balanced(&house);
    }
}

#[test]
fn charging_slows_down_above_95_percent() {
    let (house, clock) = house(HouseSetup { max_charge_watts: 5000.0, ..HouseSetup::default() });
    house.set_overrides(Overrides { pv: Watts::new(11_000.0), ..Overrides::default() }).unwrap();
    let mut last = f64::INFINITY;
    for soc in [90.0, 95.0, 96.0, 98.0, 99.5] {
        house.set_soc(Soc::new(soc).unwrap());
        clock.jump(Duration::from_secs(10));
        let power = house.now().battery.get();
        assert!(power > 0.0 && power <= last, "{power} W at {soc} %");
        last = power;
    }
    assert!(last < 1000.0);
}

#[test]
fn what_is_held_stays_and_what_is_let_go_moves_again() {
    let (house, clock) = house(HouseSetup::default());
    let held = Overrides { hold_soc: true, load: Watts::new(4000.0), ..Overrides::default() };
    house.set_overrides(held).unwrap();
    house.set_soc(Soc::new(41.5).unwrap());
    assert!((house.now().soc_percent - 41.5).abs() < 1e-9, "visible at once");
    clock.jump(Duration::from_secs(7200));
    let state = house.now();
    assert!((state.soc_percent - 41.5).abs() < 1e-9);
    assert!(state.battery.get() < -3000.0, "the power flows nevertheless");
    house.set_overrides(Overrides { hold_soc: false, ..held }).unwrap();
    clock.jump(Duration::from_secs(3600));
    assert!(house.now().soc_percent < 30.0);

    let bad = Overrides { cloud_cover: Some(1.5), ..held };
    assert_eq!(house.set_overrides(bad).unwrap_err().field, "cloud_cover");
}

#[test]
fn the_past_can_be_asked_for() {
    let (house, clock) = house(HouseSetup::default());
    let start = clock.now();
    clock.jump(Duration::from_secs(1000));
    let then = house.now();
    clock.jump(Duration::from_secs(1000));
    assert_eq!(house.at(UtcMillis(start.0 + 1_000_000)), then);
    assert_eq!(house.at(UtcMillis(start.0 + 1_009_999)), then, "to the step");
}

#[test]
fn a_leap_of_years_neither_hangs_nor_breaks() {
    let now = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let time = Arc::clone(&now);
    let time = Arc::new(move || UtcMillis(time.load(std::sync::atomic::Ordering::Relaxed)));
    let house = House::new(HouseSetup::default(), time).unwrap();
    for instant in [4_000_000_000_000, -8_000_000_000_000, i64::MAX, i64::MIN] {
        now.store(instant, std::sync::atomic::Ordering::Relaxed);
        assert!((0.0..=100.0).contains(&house.now().soc_percent));
    }
}

#[test]
fn a_recorded_day_is_told_back() {
    let day =
        "time,soc,pv_w,load_w,battery_w\n00:00,40,0,500,-520\n12:00,80,9000,1000,7500\n18:00,90,1000,900,0\n";
    let day = RecordedDay::parse(day, chrono_tz::America::Denver).unwrap();
    let clock = SimulatedClock::paused(START.parse().unwrap());
    let house =
        House::replaying(HouseSetup::default(), day.clone(), Follow::Everything, clock.source()).unwrap();
    assert!((house.now().soc_percent - 40.0).abs() < 1e-9, "06:00 UTC is midnight in Denver in May");
    for _day in 0..2 {
        clock.jump(Duration::from_secs(6 * 3600));
        let morning = house.now();
        assert!((morning.soc_percent - 60.0).abs() < 1e-9);
        assert!((morning.pv.get() - 4500.0).abs() < 1e-6 && (morning.load.get() - 750.0).abs() < 1e-6);
        assert!((morning.grid.get() - (750.0 + 3490.0 - 4500.0)).abs() < 1e-6);
        clock.jump(Duration::from_secs(18 * 3600));
    }

    let clock = SimulatedClock::paused(START.parse().unwrap());
    let house = House::replaying(HouseSetup::default(), day, Follow::SunAndLoad, clock.source()).unwrap();
    house.attach(Arc::new(HalfHours(3000.0)));
    let state = house.now();
    assert!((state.soc_percent - 62.0).abs() < 1e-9, "the battery is simulated");
    assert!((state.load.get() - 3500.0).abs() < 1e-6, "the miner comes on top of the record");

    let poor = RecordedDay::parse("time,soc\n06:00,50\n", chrono_tz::UTC).unwrap();
    let error =
        House::replaying(HouseSetup::default(), poor, Follow::Everything, clock.source()).unwrap_err();
    assert_eq!(error.field, "day");
}

prop_compose! {
    fn any_setup()(
        latitude in -66.0..66.0_f64,
        pv_peak_watts in 0.0..30_000.0_f64,
        battery_wh in 500.0..60_000.0_f64,
        initial_soc in 0.0..=100.0_f64,
        max_charge_watts in 0.0..15_000.0_f64,
        max_discharge_watts in 0.0..15_000.0_f64,
        charge_efficiency in 0.5..=1.0_f64,
        discharge_efficiency in 0.5..=1.0_f64,
        discharge_floor_percent in 0.0..=50.0_f64,
        variation in 0.0..=1.0_f64,
        cover in 0.0..=1.0_f64,
        variability in 0.0..=1.0_f64,
        off_grid: bool,
        seed: u64,
    ) -> HouseSetup {
        HouseSetup {
            latitude, pv_peak_watts, battery_wh, initial_soc, max_charge_watts, max_discharge_watts,
            charge_efficiency, discharge_efficiency, discharge_floor_percent, seed,
            load: LoadProfile { variation, ..LoadProfile::default() },
            clouds: Clouds { cover, variability },
            grid: if off_grid { Grid::OffGrid } else { Grid::Export },
            ..HouseSetup::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_house_keeps_its_books(setup in any_setup(), hours in prop::collection::vec(1_u64..9, 1..5)) {
        let (house, clock) = house(setup);
        house.attach(Arc::new(HalfHours(3500.0)));
        for hours in hours {
            clock.jump(Duration::from_secs(hours * 3600));
            assert_balanced(&house);
        }
    }

    #[test]
    fn looking_changes_nothing(setup in any_setup(), looks in prop::collection::vec(1_u64..20_000, 1..30)) {
        let (watched, watching) = house(setup.clone());
        let (left_alone, leaving) = house(setup);
        for house in [&watched, &left_alone] {
            house.attach(Arc::new(HalfHours(2500.0)));
        }
        for seconds in looks {
            watching.jump(Duration::from_millis(seconds * 137));
            let _ = watched.now();
        }
        leaving.jump_to(watching.now()).unwrap();
        prop_assert_eq!(watched.now(), left_alone.now());
    }
}
