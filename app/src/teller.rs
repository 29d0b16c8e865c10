//! From what is known to what the page shows.

mod alerts;
mod answer;
mod battery;
mod connections;
mod devices;
mod flow;
mod ladder;
mod miner;
#[cfg(test)]
pub(crate) mod sample;
mod together;

pub use answer::answer;

use crate::{
    chart,
    civil::{civil, moment},
    view::{DemoPanel, Fact, FaultSwitch, View},
    words::{self, Told},
};
use model::{
    UtcMillis,
    demo::{DemoFault, DemoState},
    event::Overview,
    snapshot::{BatteryView, Connection},
};

/// Puts everything into the page's words.
pub fn tell(overview: &Overview) -> View {
    let teller = Teller { overview, now: overview.snapshot.at };
    let snapshot = &overview.snapshot;
    let together = teller.together();
    let doing = match &together {
        Some(together) => Some(together.headline.clone()),
        None => snapshot.miners.first().map(words::headline),
    };
    let name = &overview.site.name;
    View {
        at: snapshot.at.0,
        pace: overview.demo.as_ref().map_or(1.0, |demo| demo.pace),
        site: name.clone(),
        version: overview.site.version.clone(),
        build: overview.site.build.clone(),
        title: doing.map_or_else(|| name.clone(), |doing| format!("{doing} · {name}")),
        clock: civil(snapshot.at, &overview.site.timezone).clock(),
        connections: teller.connections(),
        together,
        miners: snapshot.miners.iter().map(|miner| teller.miner(miner)).collect(),
        followed: snapshot.followed.iter().map(|miner| teller.followed(miner)).collect(),
        battery: teller.battery(&snapshot.battery),
        latest: chart::newest_of_battery(&snapshot.battery),
        flow: teller.flow(),
        devices: {
            let controlled = snapshot.miners.iter().map(devices::controlled);
            let mut all: Vec<_> = controlled.chain(snapshot.followed.iter().map(devices::followed)).collect();
            overview.moved.iter().for_each(|moved| devices::tell_moved(&mut all, moved));
            all
        },
        alerts: teller.alerts(overview),
        demo: overview.demo.as_ref().map(demo),
    }
}

struct Teller<'a> {
    overview: &'a Overview,
    now: UtcMillis,
}

/// How a connection is: class of the dot, and a word.
type Health = (&'static str, &'static str);

impl Teller<'_> {
    fn moment(&self, at: UtcMillis) -> String {
        moment(at, self.now, &self.overview.site.timezone)
    }

    /// When the battery said what it said last: by the law's own reckoning of its age where that counts, else by the
    /// battery's time.
    fn said_at(&self, battery: &BatteryView) -> Option<UtcMillis> {
        let counts =
            battery.age_seconds.map(|age| UtcMillis(self.now.0.saturating_sub((age * 1000.0) as i64)));
        counts.or_else(|| battery.reading.as_ref()?.source_time)
    }

    /// What the battery said is old, or it said nothing that counts.
    fn is_old(&self, battery: &BatteryView) -> bool {
        battery.age_seconds.is_none_or(|age| age >= f64::from(self.overview.site.old_after_s))
    }
}

fn of_miner(connection: &Connection) -> Health {
    match (connection.connected, connection.last_seen) {
        (true, _) => ("good", "connected"),
        (false, Some(_)) => ("bad", "can't be reached"),
        (false, None) if connection.error.is_some() => ("bad", "can't be reached"),
        (false, None) => ("", "waiting"),
    }
}

fn fact(label: &str, told: Told) -> Fact {
    Fact { label: label.to_owned(), value: told.value, unit: told.unit.to_owned(), aim: None }
}

/// How many of the demo's faults have a switch on every page. The others are on a page of their own.
const AT_HAND: usize = 5;

fn demo(demo: &DemoState) -> DemoPanel {
    let time = if demo.catching_up {
        "Living through the time you skipped …".to_owned()
    } else if demo.pace <= 0.0 {
        "Its time stands still.".to_owned()
    } else if (demo.pace - 1.0).abs() < f64::EPSILON {
        "Its time runs as ours.".to_owned()
    } else {
        format!("Its time runs {} times as fast as ours.", demo.pace)
    };
    let mut at_hand = fault_switches(demo);
    let others = at_hand.split_off(at_hand.len().min(AT_HAND));
    let wrong: Vec<_> =
        others.iter().filter(|fault| fault.is_on).map(|fault| format!("{}.", fault.label)).collect();
    DemoPanel { time, pace: demo.pace, faults: at_hand, wrong: wrong.join(" ") }
}

/// Everything that can be wrong with the demo, and what is.
pub(crate) fn fault_switches(demo: &DemoState) -> Vec<FaultSwitch> {
    let switch = |fault: &DemoFault| FaultSwitch {
        code: fault.name.to_owned(),
        label: fault.sentence.to_owned(),
        is_on: demo.faults.iter().any(|name| name == fault.name),
    };
    demo.catalogue.iter().map(switch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_s_first_faults_have_switches_and_of_the_others_only_what_is_wrong_is_told() {
        const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
        let catalogue = NAMES.map(|name| DemoFault { name, sentence: "Sun and moon" }).to_vec();
        let faults = vec!["b".to_owned(), "g".to_owned()];
        let state =
            DemoState { pace: 0.0, catching_up: false, faults, control_api: String::new(), catalogue };
        let panel = demo(&state);
        let on: Vec<_> = panel.faults.iter().map(|fault| fault.is_on).collect();
        assert_eq!(on, [false, true, false, false, false]);
        assert_eq!(panel.wrong, "Sun and moon.");
        let all: Vec<_> = fault_switches(&state).into_iter().map(|fault| (fault.code, fault.is_on)).collect();
        assert_eq!(all, NAMES.map(|name| (name.to_owned(), name == "b" || name == "g")));
    }

    #[test]
    fn a_miner_that_was_never_seen_is_waited_for_until_it_fails() {
        assert_eq!(of_miner(&Connection::default()), ("", "waiting"));
        let failed = Connection { error: Some("refused".into()), ..Connection::default() };
        assert_eq!(of_miner(&failed).0, "bad");
        let gone = Connection { last_seen: Some(sample::NOW), ..Connection::default() };
        assert_eq!(of_miner(&gone).0, "bad");
    }
}
