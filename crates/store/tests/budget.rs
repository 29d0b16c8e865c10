//! What a day costs a memory card. Alone in its program: what is counted is what the whole process writes.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use model::{
    Command, MinerId, MonoTime, Now, Operation, OperationId, OperationStage, Reason, Soc, UtcMillis, Watts,
    history::{BatterySample, MinerSample},
};
use std::{fs, time::Duration};
use store::{HistoryRules, Samples, Store};

/// 2026-03-21T00:00:00Z.
const BEGIN: i64 = 1_774_051_200_000;
const MINUTE: i64 = 60_000;
/// What may be written in a day, in bytes.
const BUDGET: u64 = 20_000_000;

/// What this process handed to the system to be written so far (`proc_pid_io(5)`), whatever the file system makes of it.
fn written() -> u64 {
    let told = fs::read_to_string("/proc/self/io").unwrap();
    told.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().trim().parse().unwrap()
}

fn garage() -> MinerId {
    MinerId("garage".to_owned())
}

fn battery(at: i64) -> BatterySample {
    let watts = |scale: i64| Watts::new((at / 10_000 * scale % 5000) as f64);
    BatterySample {
        at: UtcMillis(at),
        soc: Soc::new((at / 60_000 % 1000) as f64 / 10.0),
        pv: watts(7),
        load: watts(11),
        grid: watts(13),
        battery: watts(17),
    }
}

fn miner(at: i64) -> MinerSample {
    MinerSample {
        miner: garage(),
        at: UtcMillis(at),
        power: Watts::new((at / 10_000 * 19 % 3600) as f64),
        power_set: Watts::new(3600.0),
        hash_rate: model::TeraHash::new((at / 10_000 * 23 % 130) as f64),
        ambient: model::Celsius::new((at / 10_000 * 3 % 40) as f64),
        chip_max: model::Celsius::new((at / 10_000 * 5 % 90) as f64),
        fan_in_rpm: Some((at / 10_000 * 29 % 6000) as u32),
        fan_out_rpm: Some((at / 10_000 * 31 % 6000) as u32),
    }
}

/// A day of one miner at the default polls: the battery asked every 30 s and telling something new each time, the miner read
/// every 10 s, a commit a minute, and all the commands that a day may have.
#[tokio::test]
async fn a_day_stays_in_the_budget_of_a_memory_card() {
    let dir = tempfile::tempdir().unwrap();
    let now = |at: i64| Now { mono: MonoTime(at - BEGIN), utc: UtcMillis(at) };
    let store = Store::open(dir.path(), now(BEGIN)).await.unwrap().store;
    let rules = HistoryRules {
        battery_gap: Duration::from_secs(360),
        miner_gap: Duration::from_secs(60),
        keep_samples: Duration::from_secs(86_400),
    };
    // The first day fills the tables, and in the second samples are removed too.
    let mut days = Vec::new();
    for day in 0..2 {
        let before = written();
        for minute in day * 1440..(day + 1) * 1440 {
            let begin = BEGIN + minute * MINUTE;
            let samples = Samples {
                battery: (0..2).map(|count| battery(begin + count * 30_000)).collect(),
                miners: (0..6).map(|count| miner(begin + count * 10_000)).collect(),
            };
            let taken = store.record_samples(&samples, &rules, UtcMillis(begin + MINUTE)).await.unwrap();
            assert_eq!(taken, 8);
            if minute % 30 == 0 {
                let mut operation = Operation {
                    id: OperationId(minute as u64 + 1),
                    miner: garage(),
                    command: Command::Off,
                    reason: Reason::EmergencySoc,
                    stage: OperationStage::Queued,
                    means: None,
                    decided_at: UtcMillis(begin),
                    sent_at: None,
                    acknowledged_at: None,
                    ended_at: None,
                    words: None,
                };
                let state = "x".repeat(1500);
                store.begin_operation(&state, &operation, now(begin)).await.unwrap();
                for stage in [OperationStage::Acknowledged, OperationStage::Observed] {
                    operation.stage = stage;
                    store.save_operation(&operation).await.unwrap();
                    store.save_state(&garage(), &state, now(begin)).await.unwrap();
                }
            }
        }
        days.push(written() - before);
    }
    println!("a day writes {days:?} bytes");
    assert!(days.iter().all(|day| *day < BUDGET && *day > 1_000_000), "{days:?}");
}
