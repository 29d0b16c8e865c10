//! What the page shows, in the page's words: made on the server for every tick, sent whole, and shown as it is.
//!
//! Nothing is put into words in the browser but how long ago something was, which changes by itself.

use crate::chart::{Latest, Point};
use serde::{Deserialize, Serialize};

/// Everything the page shows, but for the past.
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
    /// What the page's files hash to; empty where there are none.
    pub build: String,
    /// The dashboard's title.
    pub title: String,
    /// The present on the site's wall clock.
    pub clock: String,
    /// The connection bar.
    pub connections: Vec<Connected>,
    /// All miners together, where several are controlled, or none: with one, its story is the house's.
    pub together: Option<Together>,
    /// The miners that are controlled, in the configuration's order.
    pub miners: Vec<MinerCard>,
    /// The miners that are only looked at, in the configuration's order.
    pub followed: Vec<MinerCard>,
    /// The battery.
    pub battery: BatteryCard,
    /// The battery's newest good reading: what its lines of the charts go on with.
    pub latest: Option<Point>,
    /// What flows from where to where.
    pub flow: Flow,
    /// What is on the network.
    pub devices: Vec<Device>,
    /// Alerts: what holds and is news first, then what holds and was seen, then what is over.
    pub alerts: Vec<AlertRow>,
    /// The demo's switches.
    pub demo: Option<DemoPanel>,
}

impl View {
    /// Whether it shows the same miners as another. A page is made for certain ones.
    pub fn has_miners_of(&self, other: &Self) -> bool {
        let ids = |miners: &[MinerCard]| miners.iter().map(|miner| miner.id.clone()).collect::<Vec<_>>();
        ids(&self.miners) == ids(&other.miners) && ids(&self.followed) == ids(&other.followed)
    }

    /// All miners, those that are controlled first.
    pub fn all_miners(&self) -> impl Iterator<Item = &MinerCard> {
        self.miners.iter().chain(&self.followed)
    }

    /// The miner of this id.
    pub fn miner(&self, id: &str) -> Option<&MinerCard> {
        self.all_miners().find(|miner| miner.id == id)
    }

    /// The title of a miner's page, or of the dashboard.
    pub fn title_of(&self, miner: Option<&str>) -> &str {
        miner.and_then(|id| self.miner(id)).map_or(&self.title, |miner| &miner.title)
    }

    /// What a miner does, or all of them together do, and why.
    pub fn story_of(&self, miner: Option<&str>) -> (String, Vec<Sentence>) {
        let of_one = miner.and_then(|id| self.miner(id)).map(|miner| (&miner.headline, &miner.why));
        let of_all = || self.together.as_ref().map(|together| (&together.headline, &together.why));
        let story = of_one.or_else(of_all);
        story.map(|(headline, why)| (headline.clone(), why.clone())).unwrap_or_default()
    }

    /// The ladder of a miner that is controlled, or of all of them together. There is none where nothing stands on it.
    pub fn ladder_of(&self, miner: Option<&str>) -> Option<&Ladder> {
        match miner {
            Some(id) => self.miner(id)?.drive.as_ref().map(|drive| &drive.ladder),
            None => self.together.as_ref()?.ladder.as_ref(),
        }
    }

    /// What the charts of the battery and a miner go on with.
    pub fn latest_of(&self, miner: Option<&str>) -> Latest {
        let miner = miner.and_then(|id| self.miner(id)?.latest.clone());
        Latest { battery: self.latest.clone(), miner }
    }
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
    /// Since when the sign-in holds, in milliseconds since 1970, where there is one.
    pub session: Option<i64>,
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
    /// What it is meant to become, while that is on its way.
    pub aim: Option<String>,
}

/// What flows between sun, battery, grid, house and miners, by way of a hub in their middle.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Flow {
    /// All of it as one sentence.
    pub sentence: String,
    /// What the sun gives.
    pub sun: Arm,
    /// What the battery gives or takes.
    pub battery: Arm,
    /// What the grid gives or takes; `None`, where it does neither or there is none.
    pub grid: Option<Arm>,
    /// What the house takes without the miners.
    pub home: Arm,
    /// What the miners take.
    pub miner: Arm,
    /// The battery's charge.
    pub charge: Fact,
    /// The same in percent, for the ring.
    pub percent: Option<f64>,
    /// What the battery said is old, and with it nearly everything here.
    pub is_old: bool,
}

/// A line between the hub and what stands around it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Arm {
    /// What stands at its end, and how much flows.
    pub told: Fact,
    /// Class of the line: "in", towards the hub; "out", from it; "still"; or "unknown".
    pub course: String,
    /// Width of the line, by the power, in units of the drawing.
    pub width: f64,
    /// How fast what flows moves: 1 to 5, by the power; 0, where nothing does.
    pub pace: u8,
}

/// All miners together: what they do, and why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Together {
    /// What they do, in a few words.
    pub headline: String,
    /// How much they draw, and what is said of all of them alike.
    pub why: Vec<Sentence>,
    /// What their power depends on; `None`, where there are none.
    pub ladder: Option<Ladder>,
}

/// The ladder: the state of charge from left to right, the power upwards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Ladder {
    /// All of it as one sentence.
    pub sentence: String,
    /// What holds the power, in a few words.
    pub tag: String,
    /// Class of the tag.
    pub class: String,
    /// Up to this state of charge the miner is off, percent.
    pub off_up_to: f64,
    /// The steps above that, lowest first.
    pub steps: Vec<Step>,
    /// The highest power now allowed, percent.
    pub ceiling: u8,
    /// The battery's charge, percent.
    pub charge: Option<f64>,
    /// The power that the miner is set to, percent: 0, while it is off.
    pub power: Option<f64>,
    /// The words below.
    pub marks: Vec<Mark>,
    /// What a miner has of the power that all of them share, where they do.
    pub share: Option<String>,
}

/// A step of the ladder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Step {
    /// The state of charge above which it begins, percent.
    pub above: f64,
    /// How much charge it is wide, percent.
    pub width: f64,
    /// Its power, percent.
    pub power: u8,
    /// Its class: "here", "below", "open", or "held" where the ceiling is lower.
    pub class: String,
}

/// Words below a place of the ladder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// The state of charge that it stands at, percent.
    pub at: f64,
    /// What it says.
    pub text: String,
    /// Its class: "start" and "end" reach inwards from the edges; "now" is the battery's.
    pub class: String,
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
    /// The title of its page.
    pub title: String,
    /// It in a line.
    pub line: Line,
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
    /// How it is told what to do; `None`, if it is only looked at.
    pub drive: Option<Drive>,
    /// What is wrong with its connection.
    pub error: Option<String>,
    /// Model, firmware, protocol, pool.
    pub identity: String,
    /// Its newest reading: what its lines of the charts go on with.
    pub latest: Option<Point>,
}

/// A miner in a line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// Class of its dot, as in [`Connected`].
    pub health: String,
    /// What it does, in a word or two.
    pub word: String,
    /// What it draws; a dash, where that isn't known.
    pub power: String,
    /// What it is set to, as a share of its full power; empty where it is off or that isn't known.
    pub percent: String,
}

/// How a miner is told what to do, by the battery and by a person.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Drive {
    /// The battery drives it.
    pub is_auto: bool,
    /// The emergency latch is set: a start has to be confirmed.
    pub is_latched: bool,
    /// What its power depends on.
    pub ladder: Ladder,
    /// The powers that can be held from here, percent.
    pub powers: Vec<u8>,
    /// The one of them that it is at, or as good as any.
    pub step: u8,
    /// What a person said that holds.
    pub wishes: Vec<String>,
    /// The last commands, newest first.
    pub commands: Vec<CommandRow>,
}

/// A command and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandRow {
    /// Its number.
    pub id: u64,
    /// When it was decided.
    pub when: String,
    /// What was asked.
    pub what: String,
    /// What became of it.
    pub outcome: String,
    /// Both for whoever just asked for it.
    pub progress: String,
}

/// What became of a form that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// What follows from it.
    pub words: String,
    /// The number of the command that does what was asked: what becomes of that is told instead, once it is known.
    pub command: Option<u64>,
}

/// The battery.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatteryCard {
    /// The state of charge.
    pub charge: Fact,
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
    /// Since when, or from when to when, and how often.
    pub since: String,
    /// It holds, and a person said that they know.
    pub is_seen: bool,
    /// It is over.
    pub is_over: bool,
}

/// A device on the network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Device {
    /// The address of its page; `None`, if it has none.
    pub page: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is; empty, where whoever answers next has to say it anew.
    pub kind: String,
    /// Where it is.
    pub address: String,
    /// Class of its dot, as in [`Connected`].
    pub health: String,
    /// What it does, in a word.
    pub word: String,
    /// Hash rate and power; empty, where they aren't known now.
    pub figures: String,
    /// When it was last seen, in milliseconds since 1970.
    pub seen: Option<i64>,
}

impl Device {
    /// What it is, as far as that is known, and where.
    pub fn what(&self) -> String {
        match self.kind.as_str() {
            "" => self.address.clone(),
            kind => format!("{kind} · {}", self.address),
        }
    }
}

/// The demo's switches.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DemoPanel {
    /// How its time runs.
    pub time: String,
    /// How many times as fast as ours.
    pub pace: f64,
    /// What can be wrong and has a switch of its own.
    pub faults: Vec<FaultSwitch>,
    /// What is wrong of everything else, in sentences.
    pub wrong: String,
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

/// The address of the page with everything that can be wrong with the demo, which is too much for every document.
pub const FAULTS: &str = "/demo/faults";

/// The address of a miner's page.
pub fn page_of(miner: &str) -> String {
    format!("/miners/{miner}")
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
