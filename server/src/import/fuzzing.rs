//! Any bytes as the files of the earlier program.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::{
    lines::Lines,
    log::{BatteryLog, Log, MinerLog, Reading},
    remembered,
    report::FileReport,
    when::When,
};
use engine::Inherited;
use model::{MinerId, UtcMillis};
use std::collections::HashSet;

/// 2026-11-18.
const NOW: UtcMillis = UtcMillis(1_795_000_000_000);
/// The first block: nothing of the kind is older.
const FIRST: UtcMillis = UtcMillis(1_230_940_800_000);
/// Few, so that a log is read in several pieces.
const AT_ONCE: usize = 3;

fn read<L: Log>(bytes: &[u8], log: &L, mut check: impl FnMut(L::Sample) -> UtcMillis) {
    let mut lines = Lines::new(bytes);
    let mut reading = Reading::new(log, When::new(chrono_tz::America::Denver), NOW);
    let mut report = FileReport::default();
    let mut moments = HashSet::new();
    loop {
        let samples = reading.samples(&mut lines, AT_ONCE, &mut report);
        let samples = samples.unwrap_or_else(|error| unreachable!("bytes in memory can be read: {error}"));
        if samples.is_empty() {
            break;
        }
        for sample in samples {
            let at = check(sample);
            assert!((FIRST..=NOW).contains(&at), "no time of such a sample: {at}");
            assert!(moments.insert(at), "two samples of {at}");
        }
    }
    report.check(moments.len() as u64);
    let _ = report.to_string();
}

/// `eg4_battery_log.csv`.
pub fn import_battery(bytes: &[u8]) {
    read(bytes, &BatteryLog, |sample| {
        let powers =
            [sample.pv, sample.load, sample.grid, sample.battery].map(|power| power.map(model::Watts::get));
        let possible = |power: &f64| (-200_000.0..=200_000.0).contains(power);
        assert!(powers.iter().flatten().all(possible), "no powers of a house: {powers:?}");
        assert!(sample.soc.is_some() || powers.iter().any(Option::is_some), "a sample of nothing");
        sample.at
    });
}

/// `wm_status_log.csv`.
pub fn import_miner(bytes: &[u8]) {
    read(bytes, &MinerLog(MinerId("garage".to_owned())), |sample| {
        let powers = [sample.power, sample.power_set].map(|power| power.map(model::Watts::get));
        let possible = |power: &f64| (0.0..=200_000.0).contains(power);
        assert!(powers.iter().flatten().all(possible), "no powers of a miner: {powers:?}");
        assert!(sample.power_set.is_none_or(|limit| limit.get() > 0.0), "a limit of 0");
        let hash_rate = sample.hash_rate.map(model::TeraHash::get);
        assert!(hash_rate.is_none_or(|rate| (0.0..=5000.0).contains(&rate)), "no hash rate: {hash_rate:?}");
        assert!(sample.power.is_some() || hash_rate.is_some(), "a sample of nothing");
        sample.at
    });
}

/// `wm_state.json`.
pub fn import_state(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(Inherited { auto_control, emergency_latched }) = remembered::parse(&text) {
        // With an escape in it, a name may be written in other letters.
        let names = |name: &str| text.contains(name) || text.contains('\\');
        assert!(auto_control.is_none() || names("autocontrol"), "a choice of nowhere");
        assert!(!emergency_latched || names("emergency_active"), "a latch of nowhere");
    }
}
