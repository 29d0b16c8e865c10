//! Measures the history and prints what it measured as one line of JSON; `cargo xtask bench` holds it against the
//! budgets.
//!
//! A year of samples ten seconds apart, of the battery and one miner, goes in the way it does in use, only in larger
//! batches. Then one more day goes in minute by minute, with all the commands that a day may have, and questions are asked.

use model::{
    Celsius, Command, MinerId, MonoTime, Now, Operation, OperationId, OperationStage, Reason, Soc, TeraHash,
    UtcMillis, Watts,
    history::{BatterySample, MinerSample, Quantity, Window},
};
use std::{
    error::Error,
    fs,
    hint::black_box,
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};
use store::{FILE_NAME, HistoryRules, Samples, Store};

const APART: i64 = 10_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const DAYS: i64 = 365;
/// 2026-01-01T00:00:00Z.
const BEGIN: i64 = 1_767_225_600_000;
const END: i64 = BEGIN + (DAYS + 1) * DAY;
const RULES: HistoryRules = HistoryRules {
    battery_gap: Duration::from_secs(15 * 60),
    miner_gap: Duration::from_secs(60),
    keep_samples: Duration::from_secs(30 * 24 * 3600),
};
/// The time between two commands on a day with as many as there may be.
const COMMANDS_APART: i64 = 30 * MINUTE;
/// The length of a law's state, in bytes.
const STATE: usize = 1500;
const CALLS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // `--keep DIRECTORY` makes the year there and measures nothing.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == "--keep") {
        let directory = arguments.next().ok_or("--keep needs a directory")?;
        let store = open(Path::new(&directory)).await?;
        fill(&store).await?;
        return Ok(store.close().await?);
    }
    let dir = tempfile::tempdir()?;

    let store = open(dir.path()).await?;
    let begun = Instant::now();
    fill(&store).await?;
    let fill_seconds = begun.elapsed().as_secs_f64();
    store.close().await?;
    drop(store);
    let bytes_a_year = fs::metadata(dir.path().join(FILE_NAME))?.len();

    let begun = Instant::now();
    let store = open(dir.path()).await?;
    let open_milliseconds = milliseconds(begun);
    let before = bytes_written()?;
    let mut commits = Vec::new();
    for from in (END - DAY..END).step_by(MINUTE as usize) {
        let samples = samples(from, from + MINUTE);
        let begun = Instant::now();
        store.record_samples(&samples, &RULES, UtcMillis(from + MINUTE)).await?;
        commits.push(milliseconds(begun));
        if from % COMMANDS_APART == 0 {
            command(&store, from).await?;
        }
    }
    // Closing writes the log back: the day's share of it.
    store.close().await?;
    drop(store);
    let bytes_a_day = bytes_written()? - before;
    commits.sort_by(f64::total_cmp);

    let store = open(dir.path()).await?;
    let begins = store.history_begins().await?.ok_or("nothing was kept")?;
    let mut tracks = serde_json::Map::new();
    for (name, length) in [
        ("1h", HOUR),
        ("6h", 6 * HOUR),
        ("24h", DAY),
        ("3d", 3 * DAY),
        ("1w", 7 * DAY),
        ("all", END - begins.0),
    ] {
        let window = Window { from: UtcMillis(END - length), to: UtcMillis(END), points: 1000 };
        tracks.insert(name.to_owned(), slowest(&store, window).await?.into());
    }
    let report = serde_json::json!({
        "track_milliseconds": tracks,
        "bytes_a_year": bytes_a_year,
        "bytes_written_a_day": bytes_a_day,
        "commit_milliseconds": commits.get(commits.len() / 2),
        "slowest_commit_milliseconds": commits.last(),
        "open_milliseconds": open_milliseconds,
        "fill_seconds": fill_seconds,
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// A year of samples.
async fn fill(store: &Store) -> Result<(), Box<dyn Error>> {
    for day in 0..DAYS {
        let from = BEGIN + day * DAY;
        store.record_samples(&samples(from, from + DAY), &RULES, UtcMillis(from + DAY)).await?;
    }
    Ok(())
}

/// A command to the miner, and all that is kept of it until it is seen to be done.
async fn command(store: &Store, at: i64) -> Result<(), Box<dyn Error>> {
    let now = Now { mono: MonoTime(at - BEGIN), utc: UtcMillis(at) };
    let state = "x".repeat(STATE);
    let mut operation = Operation {
        id: OperationId(u64::try_from(at / COMMANDS_APART)?),
        miner: the_miner(),
        command: Command::Off,
        reason: Reason::EmergencySoc,
        stage: OperationStage::Queued,
        means: None,
        decided_at: now.utc,
        sent_at: None,
        acknowledged_at: None,
        ended_at: None,
        words: None,
    };
    store.begin_operation(&state, &operation, now).await?;
    for stage in [OperationStage::Acknowledged, OperationStage::Observed] {
        operation.stage = stage;
        store.save_operation(&operation).await?;
        store.save_state(&the_miner(), &state, now).await?;
    }
    Ok(())
}

async fn open(dir: &Path) -> Result<Store, Box<dyn Error>> {
    Ok(Store::open(dir, Now { mono: MonoTime(0), utc: UtcMillis(BEGIN) }).await?.store)
}

/// The slowest of some calls for both tracks of a window, in milliseconds.
async fn slowest(store: &Store, window: Window) -> Result<f64, Box<dyn Error>> {
    let mut slowest = 0.0_f64;
    for _ in 0..CALLS {
        let begun = Instant::now();
        let of_battery = [Quantity::Soc, Quantity::Pv, Quantity::Battery];
        let of_miner = [Quantity::Power, Quantity::HashRate];
        let battery = store.battery_history(window, &of_battery, RULES.battery_gap).await?;
        let miner = store.miner_history(&the_miner(), window, &of_miner, RULES.miner_gap).await?;
        slowest = slowest.max(milliseconds(begun));
        for track in [battery, miner] {
            if track.at.is_empty() || track.at.len() > 1000 {
                return Err(format!("a track of {} points", track.at.len()).into());
            }
            black_box(track);
        }
    }
    Ok(slowest)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// What this process handed to the system to write since it began, in bytes.
fn bytes_written() -> Result<u64, Box<dyn Error>> {
    let told = fs::read_to_string("/proc/self/io")?;
    let line = told.lines().find_map(|line| line.strip_prefix("wchar: ")).ok_or("the system doesn't tell")?;
    Ok(line.trim().parse()?)
}

/// As the demo calls its miner.
fn the_miner() -> MinerId {
    MinerId("miner".to_owned())
}

fn samples(from: i64, to: i64) -> Samples {
    let instants = || (from..to).step_by(APART as usize);
    Samples { battery: instants().map(battery).collect(), miners: instants().map(miner).collect() }
}

/// A sunny day with clouds; the battery takes what is left.
fn battery(at: i64) -> BatterySample {
    let turn = (at % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
    let pv = (-turn.cos()).max(0.0) * 9000.0 * (1.0 - 0.6 * noise(at / 240_000)) * (1.0 - 0.02 * noise(at));
    let load = 3800.0 + 1500.0 * noise(at / 600_000) + 80.0 * noise(at + 1);
    let grid = 40.0 * noise(at + 2) - 20.0;
    BatterySample {
        at: UtcMillis(at),
        soc: Soc::new((60.0 - 35.0 * (turn - 1.0).cos()).round()),
        pv: Watts::new(pv),
        load: Watts::new(load),
        grid: Watts::new(grid),
        battery: Watts::new(pv + grid - load),
    }
}

fn miner(at: i64) -> MinerSample {
    let power = 3450.0 + 60.0 * noise(at + 3);
    MinerSample {
        miner: the_miner(),
        at: UtcMillis(at),
        power: Watts::new(power),
        power_set: Watts::new(3500.0),
        hash_rate: TeraHash::new(power / 29.0 + noise(at + 4)),
        ambient: Celsius::new(24.0 + 6.0 * noise(at / 900_000)),
        chip_max: Celsius::new(88.0 + 4.0 * noise(at + 5)),
        fan_in_rpm: Some(4300 + (60.0 * noise(at + 6)) as u32),
        fan_out_rpm: Some(4350 + (60.0 * noise(at + 7)) as u32),
    }
}

/// 0 to 1, the same for the same number (a step of the splitmix64 generator).
fn noise(of: i64) -> f64 {
    let mut mixed = (of as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}
