//! The program is killed (`kill -9`) at instants that chance chooses, again and again on the same data, while a battery
//! rises and falls, a person wants things and a miner is slow or silent: as many times as `KILLS` says, from the seed
//! `KILL_SEED`.
//!
//! After each restart the state is what the journal says, what was answered for holds, nothing is repeated and no rule is
//! broken.

use crate::{
    child::PATIENCE,
    house::{House, Joined},
};
use model::UtcMillis;
use serde_json::{Value, json};
use simulator::miner::{Effect, Faults, Received, WriteFault};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    time::{Duration, Instant},
};

/// So often without the variable: enough to notice what breaks at most instants.
const USUALLY: u64 = 12;

/// The most readings of the miner that a kill may cost: those of the minute that they wait to be written, at one every
/// 10 s; the one that is on its way; and the one that was made while they were being written.
const MOST_LOST: usize = 60 / 10 + 2;

/// A stream of numbers, the same for the same seed (xorshift64*, Vigna 2016).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % most
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// What happens while the program is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Say(f64),
    Pass(u64),
    Auto(bool),
    Off,
    On,
    Hold(u64),
    Nothing,
}

impl Act {
    fn of(chance: &mut Chance) -> Self {
        match chance.below(12) {
            0..=3 => Self::Say(chance.of(&[28.0, 34.0, 45.0, 55.0, 62.0, 75.0, 88.0, 97.0, 100.0, 100.0])),
            // As often as the rest lets a thousand kills last about a week.
            4 | 5 => Self::Pass(10 * (1 + chance.below(360))),
            6 => Self::Auto(chance.below(4) > 0),
            // Mostly on: a miner that is left off is told nothing more.
            7..=9 => chance.of(&[Self::Off, Self::On, Self::On, Self::On]),
            10 => Self::Hold(40 + 10 * chance.below(7)),
            _ => Self::Nothing,
        }
    }

    /// Whether it was answered for.
    async fn done(self, joined: &Joined<'_>) -> bool {
        let post = async |path: &str, body: Option<Value>| {
            let (status, reply) = joined.post(path, body).await;
            // What isn't understood is never done, and would leave the miner in peace for all of the test.
            assert_ne!(status, 422, "{path}: {reply}");
            status == 202
        };
        match self {
            // Twice, since a program that was restarted trusts the battery upward after two readings.
            Self::Say(level) => {
                joined.say(level).await;
                joined.say(level).await;
            }
            Self::Pass(seconds) => joined.pass(seconds).await,
            Self::Auto(true) => return post("/api/autocontrol/enable", None).await,
            Self::Auto(false) => return post("/api/autocontrol/disable", None).await,
            Self::Off => return post("/api/miner/power_off", None).await,
            Self::On => return post("/api/miner/power_on", Some(json!({ "confirm": true }))).await,
            Self::Hold(percent) => {
                return post("/api/miner/power_pct", Some(json!({ "percent": percent }))).await;
            }
            Self::Nothing => std::future::pending().await,
        }
        true
    }
}

/// What has to hold after a restart.
#[derive(Default)]
struct Known {
    /// What a person was answered for: auto-control, and off. `None` where a kill came between question and answer.
    auto: Option<bool>,
    is_off: Option<bool>,
    /// Every operation that was ever told, by its number.
    operations: BTreeMap<u64, Value>,
    /// How many acts were answered for.
    acts: u64,
}

impl Known {
    fn takes(&mut self, act: Act, answered: bool) {
        self.acts += u64::from(answered);
        let known = answered.then_some(());
        match act {
            Act::Auto(on) => self.auto = known.map(|()| on),
            Act::Off => self.is_off = known.map(|()| true),
            // Refused, it changes nothing; and a hold may end an off only by being refused.
            Act::On => self.is_off = if answered { Some(false) } else { None },
            Act::Say(_) | Act::Pass(_) | Act::Hold(_) | Act::Nothing => {}
        }
    }

    async fn check(&mut self, joined: &Joined<'_>, number: u64) {
        let house = joined.house;
        let system = joined.get("/api/system/status").await;
        let broken = system["invariant_violations"].as_object().unwrap();
        assert!(broken.values().all(|count| *count == 0), "kill {number}: {system}");
        assert_eq!(system["database_ok"], true, "kill {number}");
        let status = joined.get("/api/miner/status").await;
        if let Some(auto) = self.auto {
            assert_eq!(status["intent"]["auto_control"], auto, "kill {number}: {status:#}");
        }
        if let Some(is_off) = self.is_off {
            assert_eq!(status["intent"]["power"] == "off", is_off, "kill {number}: {status:#}");
        }
        let told = joined.get("/api/miner/op_status").await;
        for operation in told["operations"].as_array().unwrap() {
            let id = operation["id"].as_u64().unwrap();
            let before = self.operations.insert(id, operation["command"].clone());
            let same = before.is_none_or(|before| before == operation["command"]);
            assert!(same, "kill {number}: operation {id} is another one now: {operation}");
        }
        // Sent only what stands in the journal, and nothing upward or sideways twice for one operation.
        let sent = house.sent().into_iter().filter(|sent| sent.effect == Effect::Applied);
        let is_off = |sent: &Received| sent.params == json!("stop") || sent.command == "power_off";
        let sent: Vec<_> = sent.filter(|sent| !is_off(sent)).collect();
        // A start is a limit or a percentage, and the start itself.
        let writes = |command: &Value| match command["kind"].as_str().unwrap() {
            "off" => 0,
            "start" => 2,
            _ => 1,
        };
        let most: usize = self.operations.values().map(writes).sum();
        assert!(sent.len() <= most, "kill {number}: {most} by {:#?}, sent: {sent:#?}", self.operations);
    }
}

/// How many readings the miner gave before the kill that the database doesn't hold. Its files are looked at in a copy: what
/// the killed program left is for the next one to find.
async fn lost(house: &House, since: UtcMillis) -> usize {
    const MILLIS: i64 = (1 << 48) - 1;
    let (data, copy) = (house.dir.path().join("data/demo"), tempfile::tempdir().unwrap());
    for file in fs::read_dir(data).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let options = SqliteConnectOptions::new().filename(copy.path().join("wm-controller.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(key) FROM miner_samples").fetch_one(&mut database).await.unwrap();
    let kept = since.0.max(last.map_or(0, |key| key & MILLIS));
    let log = house.miner().log();
    let given = log.iter().filter(|asked| !asked.write && asked.at.0 > kept).map(|asked| asked.at.0);
    given.collect::<BTreeSet<_>>().len()
}

fn from_environment(name: &str, usual: u64) -> u64 {
    env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_instant_of_a_kill_loses_or_repeats_anything() {
    let (kills, seed) = (from_environment("KILLS", USUALLY), from_environment("KILL_SEED", 7));
    println!("{}", again_and_again(kills, seed).await);
}

/// Kills it so many times, and tells in a line what became of it.
pub(crate) async fn again_and_again(kills: u64, seed: u64) -> String {
    let mut chance = Chance(seed.max(1));
    let house = House::open().await;
    let mut known = Known::default();
    let (begun, first, mut most_lost) = (Instant::now(), house.clock.now(), 0);
    for number in 0..kills {
        let since = house.clock.now();
        let joined = house.program().await;
        known.check(&joined, number).await;
        let faults = Faults {
            writes: chance.of(&[WriteFault::None, WriteFault::None, WriteFault::Silent]),
            reply_delay_ms: chance.of(&[0, 0, 20, 80]),
            ..Faults::default()
        };
        house.miner().set_faults(faults);
        // Most die young; some live long enough to do more than to begin.
        let long = chance.of(&[400, 400, 2000, 6000]);
        let deadline = tokio::time::Instant::now() + Duration::from_millis(chance.below(long));
        let acting = async {
            loop {
                let act = Act::of(&mut chance);
                // Until it is answered for, nobody knows whether it was taken.
                known.takes(act, false);
                let answered = act.done(&joined).await;
                if answered || !matches!(act, Act::Off | Act::On | Act::Auto(_)) {
                    known.takes(act, answered);
                }
            }
        };
        // The instant is chance's: nothing is waited for.
        assert!(tokio::time::timeout_at(deadline, acting).await.is_err());
        let killed = joined.program.kill().await;
        assert!(!killed.err.contains("set aside") && !killed.err.contains("panicked"), "{}", killed.err);
        let lost = lost(&house, since).await;
        assert!(lost <= MOST_LOST, "kill {number}: {lost} readings are lost");
        most_lost = most_lost.max(lost);
        house.miner().set_faults(Faults::default());
    }
    // After all of it, the battery still switches the miner off.
    let joined = house.program().await;
    known.check(&joined, kills).await;
    joined.say(29.0).await;
    let off = async {
        joined
            .pass_until(900, "the miner is seen to be off", async || {
                joined.get("/api/miner/status").await["status"]["state"] == "off"
            })
            .await;
    };
    tokio::time::timeout(PATIENCE, off).await.unwrap();
    format!(
        "kill -9 at chance instants, {kills} times from seed {seed}: no latch, wish or command was lost or repeated; at the \
         most {most_lost} readings of 10 s were lost at once; {:.0} hours of the house, {} acts, {} operations; {:.0} s",
        house.clock.now().millis_since(first) as f64 / 3_600_000.0,
        known.acts,
        known.operations.len(),
        begun.elapsed().as_secs_f64()
    )
}
