//! Energies of slots.

use crate::{
    BEGIN, HOUR, MINUTE, RULES, SECOND, SLOT, blank, drawing, garage, of_battery, of_miners, record, sunny,
};
use model::{
    UtcMillis, Watts,
    history::{BatteryEnergy, BatterySample},
};
use store::Store;

async fn energy(store: &Store, from: i64, to: i64) -> BatteryEnergy {
    store.battery_energy(UtcMillis(from), UtcMillis(to)).await.unwrap()
}

fn on_the_grid(at: i64, watts: i32) -> BatterySample {
    BatterySample { grid: Watts::new(watts.into()), ..blank(at) }
}

#[tokio::test]
async fn an_hour_at_a_constant_power() {
    let store = Store::in_memory().await.unwrap();
    let readings = (0..=HOUR).step_by(10_000).map(|after| drawing(&garage(), BEGIN + after, 3600));
    record(&store, &of_miners(readings), BEGIN + HOUR).await;
    let told = store.miner_energy(&garage(), UtcMillis(BEGIN), UtcMillis(BEGIN + HOUR)).await.unwrap();
    assert_eq!((told.drawn_wh, told.covered_s), (3600.0, 3600.0));
}

#[tokio::test]
async fn what_crosses_the_border_of_two_slots_is_split_between_them() {
    let store = Store::in_memory().await.unwrap();
    let border = BEGIN + SLOT;
    record(&store, &of_battery([sunny(border - MINUTE, 0), sunny(border + 2 * MINUTE, 3600)]), border + HOUR)
        .await;
    // The power rises to 1200 W at the border: 600 W over a minute, then 2400 W over two.
    let (before, after) = (energy(&store, BEGIN, border).await, energy(&store, border, border + SLOT).await);
    assert_eq!((before.pv_wh, before.covered_s), (10.0, 60.0));
    assert_eq!((after.pv_wh, after.covered_s), (80.0, 120.0));
}

#[tokio::test]
async fn a_change_of_sign_is_split_where_the_power_is_zero() {
    let store = Store::in_memory().await.unwrap();
    record(
        &store,
        &of_battery([on_the_grid(BEGIN, 1200), on_the_grid(BEGIN + 4 * MINUTE, -3600)]),
        BEGIN + HOUR,
    )
    .await;
    let told = energy(&store, BEGIN, BEGIN + SLOT).await;
    assert_eq!((told.imported_wh, told.exported_wh), (10.0, 90.0));
    assert_eq!((told.charged_wh, told.discharged_wh, told.pv_wh), (0.0, 0.0, 0.0));
}

#[tokio::test]
async fn a_gap_counts_nothing() {
    let store = Store::in_memory().await.unwrap();
    let gap = RULES.battery_gap.as_millis() as i64;
    record(&store, &of_battery([sunny(BEGIN, 3000), sunny(BEGIN + gap + 1, 3000)]), BEGIN + HOUR).await;
    assert_eq!(energy(&store, BEGIN, BEGIN + HOUR).await, BatteryEnergy::default());
    record(&store, &of_battery([sunny(BEGIN + 2 * gap + 1, 3000)]), BEGIN + HOUR).await;
    let told = energy(&store, BEGIN, BEGIN + HOUR).await;
    assert_eq!((told.pv_wh, told.covered_s), (500.0, 600.0), "as long as may be still belongs together");
}

#[tokio::test]
async fn an_unknown_reading_ends_a_run() {
    let store = Store::in_memory().await.unwrap();
    record(&store, &of_battery([sunny(BEGIN, 3000), sunny(BEGIN + 2 * MINUTE, 3000)]), BEGIN + HOUR).await;
    assert_eq!(energy(&store, BEGIN, BEGIN + SLOT).await.pv_wh, 100.0);
    record(&store, &of_battery([on_the_grid(BEGIN + MINUTE, 600)]), BEGIN + HOUR).await;
    assert_eq!(energy(&store, BEGIN, BEGIN + SLOT).await, BatteryEnergy::default());
}

/// Also in slots that only a line between two readings passes through.
#[tokio::test]
async fn a_late_reading_changes_the_intervals_at_both_sides() {
    let store = Store::in_memory().await.unwrap();
    let rules = store::HistoryRules { battery_gap: std::time::Duration::from_secs(3600), ..RULES };
    let now = UtcMillis(BEGIN + HOUR);
    let (left, middle, right) = (BEGIN + 10 * MINUTE, BEGIN + 22 * MINUTE, BEGIN + 50 * MINUTE);
    for sample in [sunny(left, 1000), sunny(right, 1000)] {
        store.record_samples(&of_battery([sample]), &rules, now).await.unwrap();
    }
    let slots = async || {
        let mut slots = Vec::new();
        for from in (BEGIN..BEGIN + HOUR).step_by(SLOT as usize) {
            slots.push((energy(&store, from, from + SLOT).await.pv_wh * 60.0 / 1000.0).round());
        }
        slots
    };
    assert_eq!(slots().await, [5.0, 15.0, 15.0, 5.0]);
    store.record_samples(&of_battery([blank(middle)]), &rules, now).await.unwrap();
    assert_eq!(slots().await, [0.0; 4]);
    store.record_samples(&of_battery([sunny(middle - MINUTE, 1000)]), &rules, now).await.unwrap();
    assert_eq!(slots().await, [5.0, 6.0, 0.0, 0.0]);
}

#[tokio::test]
async fn slots_are_counted_by_their_beginnings() {
    let store = Store::in_memory().await.unwrap();
    let readings = (0..=HOUR).step_by(10_000).map(|after| sunny(BEGIN + after, 400));
    record(&store, &of_battery(readings), BEGIN + HOUR).await;
    for (from, to, slots) in [
        (BEGIN, BEGIN + HOUR, 4.0),
        (BEGIN + SECOND, BEGIN + HOUR, 3.0),
        (BEGIN, BEGIN + SLOT + 1, 2.0),
        (BEGIN + SECOND, BEGIN + 2 * SECOND, 0.0),
        (BEGIN + HOUR, BEGIN, 0.0),
        (i64::MIN, i64::MAX, 4.0),
    ] {
        assert_eq!(energy(&store, from, to).await.pv_wh, slots * 100.0);
    }
    let nobody = store.miner_energy(&garage(), UtcMillis(0), UtcMillis(i64::MAX)).await.unwrap();
    assert_eq!((nobody.drawn_wh, nobody.covered_s), (0.0, 0.0));
}
