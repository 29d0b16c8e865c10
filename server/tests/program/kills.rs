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
use serde_json::{Value, json};
use simulator::miner::{Effect, Faults, WriteFault};
use std::{collections::BTreeMap, env, time::Duration};

/// So often without the variable: enough to notice what breaks at most instants.
const USUALLY: u64 = 12;

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
        match chance.below(10) {
            0..=3 => Self::Say(chance.of(&[28.0, 34.0, 45.0, 55.0, 62.0, 75.0, 88.0, 97.0, 100.0])),
            4 | 5 => Self::Pass(10 * (1 + chance.below(60))),
            6 => Self::Auto(chance.below(3) > 0),
            7 => chance.of(&[Self::Off, Self::On, Self::On]),
            8 => Self::Hold(40 + 10 * chance.below(7)),
            _ => Self::Nothing,
        }
    }

    /// Whether it was answered for.
    async fn done(self, joined: &Joined<'_>) -> bool {
        let post = async |path: &str, body: Option<Value>| joined.post(path, body).await.0 == 202;
        match self {
            Self::Say(level) => joined.say(level).await,
            Self::Pass(seconds) => joined.pass(seconds).await,
            Self::Auto(true) => return post("/api/autocontrol/enable", None).await,
            Self::Auto(false) => return post("/api/autocontrol/disable", None).await,
            Self::Off => return post("/api/miner/power_off", None).await,
            Self::On => return post("/api/miner/power_on", Some(json!({ "confirmed": true }))).await,
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
}

impl Known {
    fn takes(&mut self, act: Act, answered: bool) {
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
        let sent: Vec<_> = sent.filter(|sent| sent.params != json!("stop")).collect();
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

fn from_environment(name: &str, usual: u64) -> u64 {
    env::var(name).ok().map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_instant_of_a_kill_loses_or_repeats_anything() {
    let (kills, seed) = (from_environment("KILLS", USUALLY), from_environment("KILL_SEED", 7));
    let mut chance = Chance(seed.max(1));
    let house = House::open().await;
    let mut known = Known::default();
    for number in 0..kills {
        let joined = house.program().await;
        known.check(&joined, number).await;
        let faults = Faults {
            writes: chance.of(&[WriteFault::None, WriteFault::None, WriteFault::Silent]),
            reply_delay_ms: chance.of(&[0, 0, 20, 80]),
            ..Faults::default()
        };
        house.miner().set_faults(faults);
        let deadline = tokio::time::Instant::now() + Duration::from_millis(chance.below(400));
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
}
