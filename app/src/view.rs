//! What the page shows, in the page's words: made on the server for every tick, sent whole, and shown as it is.
//!
//! Nothing is put into words in the browser but how long ago something was, which changes by itself.

use serde::{Deserialize, Serialize};

/// Everything the page shows, but for the chart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct View {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// How many times as fast as ours the site's time runs: 1, but in the demo.
    pub pace: f64,
    /// The site's name.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// The document's title.
    pub title: String,
    /// The present on the site's wall clock.
    pub clock: String,
    /// The connection bar.
    pub connections: Vec<Connected>,
    /// The miners, in the configuration's order.
    pub miners: Vec<MinerCard>,
    /// The battery.
    pub battery: BatteryCard,
    /// Alerts, active ones first.
    pub alerts: Vec<AlertRow>,
    /// The demo's switches.
    pub demo: Option<DemoPanel>,
}

/// How a connection is, as a dot and always as a word too.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Connected {
    /// What is connected.
    pub label: String,
    /// Class of the dot: "good", "doubtful", "bad", or empty where it isn't known.
    pub health: String,
    /// The word.
    pub word: String,
    /// When the last sign came, in milliseconds since 1970.
    pub seen: Option<i64>,
    /// What is wrong.
    pub error: Option<String>,
}

/// A fact: what, and how much.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fact {
    /// What.
    pub label: String,
    /// How much; a dash where it isn't known.
    pub value: String,
    /// Its unit; empty where the value isn't known.
    pub unit: String,
}

/// A text, and whether it is said with stress.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sentence {
    /// What is said.
    pub text: String,
    /// It matters most.
    pub is_strong: bool,
}

/// One miner.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MinerCard {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub headline: String,
    /// Why, why not more, what would change it, and when.
    pub why: Vec<Sentence>,
    /// Class of the tag: "good", "busy" or "bad".
    pub tag: String,
    /// Whether it does what it was told, or how far it is with that.
    pub obedience: String,
    /// The last reading is old.
    pub is_old: bool,
    /// Hash rate, power, efficiency.
    pub figures: Vec<Fact>,
    /// The rest.
    pub facts: Vec<Fact>,
    /// The battery drives it.
    pub is_auto: bool,
    /// The emergency latch is set: a start has to be confirmed.
    pub is_latched: bool,
    /// The step of the ladder that it is at, percent.
    pub step: u8,
    /// What a person said that holds.
    pub wishes: Vec<String>,
    /// What is wrong with its connection.
    pub error: Option<String>,
    /// The last commands, newest first.
    pub commands: Vec<CommandRow>,
    /// Model, firmware, protocol, pool.
    pub identity: String,
}

/// A command and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandRow {
    /// When it was decided.
    pub when: String,
    /// What was asked.
    pub what: String,
    /// What became of it.
    pub outcome: String,
}

/// The battery.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryCard {
    /// The state of charge.
    pub charge: Fact,
    /// The same in percent, for the meter.
    pub percent: Option<f64>,
    /// Sun, house, battery, grid.
    pub facts: Vec<Fact>,
    /// What the battery said when.
    pub said: String,
    /// The instant of that, in milliseconds since 1970.
    pub said_at: Option<i64>,
    /// It is old, or there is nothing.
    pub is_old: bool,
    /// Where it comes from and how often.
    pub source: String,
    /// What is wrong with its source.
    pub error: Option<String>,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its class: "info", "warning" or "alarm".
    pub class: String,
    /// How grave it is, as a word.
    pub severity: String,
    /// What is wrong and what to do.
    pub text: String,
    /// Since when, and how often.
    pub since: String,
    /// It is over.
    pub is_over: bool,
}

/// The demo's switches.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DemoPanel {
    /// How its time runs.
    pub time: String,
    /// How many times as fast as ours.
    pub pace: f64,
    /// What can be wrong.
    pub faults: Vec<FaultSwitch>,
}

/// A fault that can be switched on and off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FaultSwitch {
    /// Its name on the wire.
    pub code: String,
    /// Its name for people.
    pub label: String,
    /// It is on.
    pub is_on: bool,
}

/// How long ago, in the largest unit that fits: "8 s", "11 min", "3 h", "2 days". Negative ages are "0 s".
pub fn age(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as i64;
    match seconds {
        0..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        5_400..=129_599 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_grow_into_larger_units() {
        for (seconds, text) in
            [(-5.0, "0 s"), (8.9, "8 s"), (89.0, "89 s"), (90.0, "2 min"), (660.0, "11 min"), (7200.0, "2 h")]
        {
            assert_eq!(age(seconds), text);
        }
        assert_eq!(age(200_000.0), "2 days");
        assert_eq!(age(f64::NAN), "0 s");
    }
}
