//! From what is known to what the page shows.

use crate::{
    civil::{civil, moment},
    view::{
        AlertRow, BatteryCard, CommandRow, Connected, DemoPanel, Fact, FaultSwitch, MinerCard, Sentence, View,
    },
    words::{self, Told},
};
use model::{
    Alert, BatteryReading, Celsius, ManualTarget, MinerReading, Operation, OperationStage, PowerIntent,
    Severity, TeraHash, UtcMillis, Watts,
    demo::{DemoFault, DemoState},
    event::Overview,
    snapshot::{BatteryView, Connection, MinerState, MinerView},
};

/// The steps of the ladder, percent.
const STEPS: [u8; 7] = [40, 50, 60, 70, 80, 90, 100];
/// How many of the last commands are shown.
const COMMANDS: usize = 6;

/// Puts everything into the page's words.
pub fn tell(overview: &Overview) -> View {
    let teller = Teller { overview, now: overview.snapshot.at };
    let snapshot = &overview.snapshot;
    let doing = snapshot.miners.first().map(words::headline);
    let name = &overview.site.name;
    View {
        at: snapshot.at.0,
        pace: overview.demo.as_ref().map_or(1.0, |demo| demo.pace),
        site: name.clone(),
        version: overview.site.version.clone(),
        title: doing.map_or_else(|| name.clone(), |doing| format!("{doing} · {name}")),
        clock: civil(snapshot.at, &overview.site.timezone).clock(),
        connections: teller.connections(),
        miners: snapshot.miners.iter().map(|miner| teller.miner(miner)).collect(),
        battery: teller.battery(&snapshot.battery),
        alerts: snapshot.alerts.iter().map(|alert| teller.alert(alert)).collect(),
        demo: overview.demo.as_ref().map(demo),
    }
}

struct Teller<'a> {
    overview: &'a Overview,
    now: UtcMillis,
}

/// How a connection is.
type Health = (&'static str, &'static str);

impl Teller<'_> {
    fn moment(&self, at: UtcMillis) -> String {
        moment(at, self.now, &self.overview.site.timezone)
    }

    fn connections(&self) -> Vec<Connected> {
        let snapshot = &self.overview.snapshot;
        let connected = |label: &str, (health, word): Health, seen, error: &Option<String>| Connected {
            label: label.to_owned(),
            health: health.to_owned(),
            word: word.to_owned(),
            seen,
            error: error.clone(),
        };
        let miners = snapshot.miners.iter().map(|miner| {
            let Connection { last_seen, error, .. } = &miner.connection;
            connected(&miner.name, of_miner(&miner.connection), last_seen.map(|seen| seen.0), error)
        });
        let battery = &snapshot.battery;
        let said = self.said_at(battery).map(|at| at.0);
        let battery = connected("Battery", self.of_battery(battery), said, &battery.connection.error);
        miners.chain([battery]).collect()
    }

    /// When the battery said what it said last: by the law's own reckoning of its age where that counts, else by the
    /// battery's time.
    fn said_at(&self, battery: &BatteryView) -> Option<UtcMillis> {
        let counts =
            battery.age_seconds.map(|age| UtcMillis(self.now.0.saturating_sub((age * 1000.0) as i64)));
        counts.or_else(|| battery.reading.as_ref()?.source_time)
    }

    fn of_battery(&self, battery: &BatteryView) -> Health {
        let (old, stale) =
            (f64::from(self.overview.site.old_after_s), f64::from(self.overview.site.stale_after_s));
        let age = self.said_at(battery).map(|at| self.now.millis_since(at) as f64 / 1000.0);
        match age {
            Some(age) if age >= stale => ("bad", "data stale"),
            _ if battery.age_seconds.is_none() && battery.reading.is_some() => ("bad", "no good reading"),
            Some(age) if age >= old => ("doubtful", "data old"),
            Some(_) if !battery.connection.connected => ("doubtful", "not answering"),
            Some(_) => ("good", "fresh"),
            None if battery.connection.error.is_some() => ("bad", "not answering"),
            None => ("", "waiting"),
        }
    }

    fn miner(&self, miner: &MinerView) -> MinerCard {
        let explanation = &miner.decision.explanation;
        let said = |text: &String, is_strong| Sentence { text: text.clone(), is_strong };
        let why = [
            Some(said(&explanation.why, false)),
            explanation.why_not_more.as_ref().map(|text| said(text, true)),
            Some(said(&explanation.what_would_change, false)),
            explanation.when.as_ref().map(|text| said(text, false)),
        ];
        let (tag, obedience) = obedience(miner);
        let error = miner.connection.error.as_ref().map(|error| {
            let seen = miner.connection.last_seen.map(|seen| format!(" Last seen {}.", self.moment(seen)));
            format!("{error}.{}", seen.unwrap_or_default())
        });
        MinerCard {
            id: miner.id.to_string(),
            name: miner.name.clone(),
            headline: words::headline(miner),
            why: why.into_iter().flatten().filter(|sentence| !sentence.text.is_empty()).collect(),
            tag: tag.to_owned(),
            obedience,
            is_old: !miner.connection.connected,
            figures: figures(miner.reading.as_ref()),
            facts: facts(miner),
            is_auto: miner.intent.auto_control,
            is_latched: miner.latches.emergency,
            step: step(miner),
            wishes: self.wishes(miner),
            error,
            commands: miner
                .operations
                .iter()
                .take(COMMANDS)
                .map(|operation| self.command(operation))
                .collect(),
            identity: identity(miner),
        }
    }

    fn wishes(&self, miner: &MinerView) -> Vec<String> {
        let mut wishes = Vec::new();
        if miner.intent.power == PowerIntent::Off {
            wishes.push("You switched it off. It stays off until you switch it on.".to_owned());
        }
        if let (Some(manual), Some(until)) = (miner.intent.manual, miner.manual_until)
            && until > self.now
        {
            let target = match manual.target {
                ManualTarget::Percent(percent) => percent.to_string(),
                ManualTarget::Watts(watts) => watts.to_string(),
            };
            wishes.push(format!("Held at {target} until {}.", self.moment(until)));
        }
        wishes
    }

    fn command(&self, operation: &Operation) -> CommandRow {
        let said = operation.words.as_ref().filter(|_| operation.stage == OperationStage::Failed);
        let said = said.map_or_else(String::new, |words| format!(" It said: {words}."));
        CommandRow {
            when: self.moment(operation.decided_at),
            what: words::command(operation.command),
            outcome: format!("{}.{said}", words::stage(operation)),
        }
    }

    fn battery(&self, battery: &BatteryView) -> BatteryCard {
        let percent = battery.soc.map(model::Soc::get);
        let said_at = self.said_at(battery);
        let said = match said_at {
            Some(at) if battery.age_seconds.is_some() => {
                format!("The battery said so at {}", self.moment(at))
            }
            Some(at) => format!("The last reading can't be used: it is of {}", self.moment(at)),
            None => "The battery has said nothing yet.".to_owned(),
        };
        let session = battery
            .connection
            .session_since
            .map(|since| format!("Signed in at the portal since {}. ", self.moment(since)));
        BatteryCard {
            charge: fact("State of charge", words::charge(percent)),
            percent,
            facts: flows(battery.reading.as_ref()),
            said,
            said_at: said_at.map(|at| at.0),
            is_old: battery.age_seconds.is_none_or(|age| age >= f64::from(self.overview.site.old_after_s)),
            source: format!(
                "{}The portal is asked every {} s and learns something new every 2 to 5 min.",
                session.unwrap_or_default(),
                battery.poll_seconds
            ),
            error: battery.connection.error.clone(),
        }
    }

    fn alert(&self, alert: &Alert) -> AlertRow {
        let (class, severity) = match alert.severity {
            Severity::Info => ("info", "Note"),
            Severity::Warning => ("warning", "Warning"),
            Severity::Alarm => ("alarm", "Alarm"),
        };
        let times = if alert.count > 1 { format!(", {} times", alert.count) } else { String::new() };
        AlertRow {
            class: class.to_owned(),
            severity: severity.to_owned(),
            text: alert.text.clone(),
            since: format!("since {}{times}", self.moment(alert.since)),
            is_over: !alert.active,
        }
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
    Fact { label: label.to_owned(), value: told.value, unit: told.unit.to_owned() }
}

fn figures(reading: Option<&MinerReading>) -> Vec<Fact> {
    let rate = reading.and_then(|reading| reading.hash_rate).map(TeraHash::get);
    vec![
        fact("Hash rate", words::number(rate, 1, "TH/s")),
        fact("Power", words::power(reading.and_then(|reading| reading.power))),
        fact("Efficiency", words::number(reading.and_then(words::efficiency), 1, "J/TH")),
    ]
}

fn facts(miner: &MinerView) -> Vec<Fact> {
    let reading = miner.reading.as_ref();
    let celsius = |of: fn(&MinerReading) -> Option<Celsius>| {
        words::number(reading.and_then(of).map(Celsius::get), 0, "°C")
    };
    let rpm =
        |of: fn(&MinerReading) -> Option<u32>| words::number(reading.and_then(of).map(f64::from), 0, "rpm");
    vec![
        fact("Set to", words::power(reading.and_then(|reading| reading.power_set))),
        fact("At most", words::number(Some(f64::from(miner.latches.ceiling.get())), 0, "%")),
        fact("Chips", celsius(|reading| reading.chip_max)),
        fact("Air", celsius(|reading| reading.ambient)),
        fact("Fan in", rpm(|reading| reading.fan_in_rpm)),
        fact("Fan out", rpm(|reading| reading.fan_out_rpm)),
    ]
}

/// The step of the ladder that the miner is set to, as near as there is one.
fn step(miner: &MinerView) -> u8 {
    let set = miner.reading.as_ref().and_then(|reading| reading.power_set);
    let share = set.map(|set| set.get() / miner.base_watts.get() * 100.0);
    let near = |share: f64| STEPS.into_iter().find(|step| (f64::from(*step) - share).abs() < 5.0);
    share.and_then(near).unwrap_or(60)
}

/// What is on its way, or that it does what it was told.
fn obedience(miner: &MinerView) -> (&'static str, String) {
    match miner.operations.first() {
        _ if miner.state == MinerState::Unknown => ("bad", "not known what it does".to_owned()),
        Some(operation) if words::is_under_way(operation) => ("busy", words::stage(operation).to_owned()),
        Some(operation) if operation.stage == OperationStage::Failed => {
            ("bad", format!("{}: failed", words::command(operation.command)))
        }
        _ => ("good", "does what it was told".to_owned()),
    }
}

fn identity(miner: &MinerView) -> String {
    let identity = miner.identity.as_ref();
    let pools = miner.reading.iter().flat_map(|reading| &reading.pools);
    let pool = pools.filter(|pool| pool.active).map(|pool| format!("{} ({})", pool.url, pool.status)).next();
    let parts = [
        identity.and_then(|identity| identity.model.clone()),
        identity.and_then(|identity| identity.firmware.clone()),
        identity.map(|identity| identity.api.clone()),
        pool,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Sun, house, battery and grid. A direction is a word, never only a sign.
fn flows(reading: Option<&BatteryReading>) -> Vec<Fact> {
    let of = |of: fn(&BatteryReading) -> Option<Watts>| reading.and_then(of);
    let size = |power: Option<Watts>| words::power(power.and_then(|power| Watts::new(power.get().abs())));
    let (battery, grid) = (of(|reading| reading.battery), of(|reading| reading.grid));
    let direction = match battery.map(Watts::get) {
        Some(watts) if watts >= 1.0 => "Charging with",
        Some(watts) if watts <= -1.0 => "Giving",
        Some(_) => "Resting",
        None => "In or out",
    };
    let side = if grid.is_some_and(|grid| grid.get() <= -1.0) { "To the grid" } else { "From the grid" };
    vec![
        fact("Sun", words::power(of(|reading| reading.pv))),
        fact("House", words::power(of(|reading| reading.load))),
        fact(direction, size(battery)),
        fact(side, size(grid)),
    ]
}

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
    let switch = |fault: DemoFault| FaultSwitch {
        code: words::fault_code(fault).to_owned(),
        label: words::fault(fault).to_owned(),
        is_on: demo.faults.contains(&fault),
    };
    DemoPanel { time, pace: demo.pace, faults: DemoFault::ALL.map(switch).to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{event::SiteFacts, snapshot::Snapshot};

    const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

    fn overview(battery: BatteryView) -> Overview {
        Overview {
            site: SiteFacts {
                name: "Home".into(),
                timezone: "America/Denver".into(),
                old_after_s: 360,
                stale_after_s: 720,
                manual_hours: 2.0,
                version: "1".into(),
            },
            snapshot: Snapshot {
                at: NOW,
                tick: 1,
                clock_synced: true,
                battery,
                miners: Vec::new(),
                alerts: Vec::new(),
                database_ok: true,
                invariants: Vec::new(),
            },
            demo: None,
        }
    }

    fn battery(age: Option<f64>) -> BatteryView {
        let connection = Connection { connected: true, ..Connection::default() };
        BatteryView { connection, age_seconds: age, soc: model::Soc::new(60.0), ..BatteryView::default() }
    }

    #[test]
    fn a_battery_is_as_fresh_as_its_own_data() {
        let word = |age| tell(&overview(battery(age))).connections[0].word.clone();
        assert_eq!(word(Some(359.0)), "fresh");
        assert_eq!(word(Some(360.0)), "data old");
        assert_eq!(word(Some(720.0)), "data stale");
        assert_eq!(word(None), "waiting");
        assert!(tell(&overview(battery(Some(360.0)))).battery.is_old);
        assert!(!tell(&overview(battery(Some(359.0)))).battery.is_old);
        assert_eq!(tell(&overview(battery(Some(60.0)))).battery.said_at, Some(NOW.0 - 60_000));
    }

    #[test]
    fn a_miner_that_was_never_seen_is_waited_for_until_it_fails() {
        assert_eq!(of_miner(&Connection::default()), ("", "waiting"));
        let failed = Connection { error: Some("refused".into()), ..Connection::default() };
        assert_eq!(of_miner(&failed).0, "bad");
        let gone = Connection { last_seen: Some(NOW), ..Connection::default() };
        assert_eq!(of_miner(&gone).0, "bad");
    }

    #[test]
    fn a_direction_is_a_word() {
        let labels = |battery: f64, grid: f64| {
            let reading = BatteryReading {
                battery: Watts::new(battery),
                grid: Watts::new(grid),
                ..BatteryReading::default()
            };
            let facts = flows(Some(&reading));
            [
                (facts[2].label.clone(), facts[2].value.clone()),
                (facts[3].label.clone(), facts[3].value.clone()),
            ]
        };
        let told = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        assert_eq!(labels(-2570.0, 0.0), [told("Giving", "2.57"), told("From the grid", "0")]);
        assert_eq!(labels(310.0, -800.0), [told("Charging with", "310"), told("To the grid", "800")]);
        assert_eq!(flows(None).iter().map(|fact| fact.unit.as_str()).collect::<String>(), "", "unknown");
    }
}
