//! From the entries of the journal to what the page shows.

use super::{
    civil_day::{clock, wall, zone},
    filter::{About, Filter},
};
use crate::{
    civil::moment,
    view::{Sentence, age, page_of},
    words,
};
use chrono::Datelike;
use chrono_tz::Tz;
use model::{
    BlockedBy, Command, MinerId, Operation, OperationStage, Rule, UtcMillis,
    event::Overview,
    journal::{DecisionRecord, Entry, JournalPage, Position},
};

/// How far the chart looks where a decision is looked up on it.
const CHART: &str = "6h";

/// What the page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The site's name.
    pub(super) site: String,
    /// The program's version.
    pub(super) version: String,
    /// The present, on the wall clock and as RFC 3339.
    pub(super) now: (String, String),
    /// The site's IANA zone.
    pub(super) zone: String,
    /// What was asked for.
    pub(super) filter: Filter,
    /// The miners that can be told apart: ids and names. Empty if there is only one.
    pub(super) miners: Vec<(MinerId, String)>,
    /// The entries, by days; or why there are none.
    pub(super) days: Result<Vec<Day>, String>,
    /// Addresses of the newer and the older entries.
    pub(super) newer: Option<String>,
    pub(super) older: Option<String>,
}

impl Journal {
    /// The document's title.
    pub fn title(&self) -> String {
        format!("Decisions · {}", self.site)
    }
}

/// What was decided in one day.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Day {
    /// "Sunday 1 November".
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Its name in the document.
    pub(super) anchor: String,
    /// When, on the wall clock.
    pub(super) clock: String,
    /// When, as RFC 3339.
    pub(super) instant: String,
    /// Where the chart shows it.
    pub(super) chart: String,
    /// Which rule decided.
    pub(super) rule: &'static str,
    /// The miner, where there are several.
    pub(super) miner: Option<String>,
    /// What the miner was set to before, where that changed and is known.
    pub(super) before: Option<String>,
    /// What was done.
    pub(super) did: String,
    /// Whether that was anything.
    pub(super) is_command: bool,
    /// What became of it: a class, and words.
    pub(super) outcome: Option<(&'static str, String)>,
    /// Why, why not more, what would change it.
    pub(super) why: Vec<Sentence>,
    /// What it was made from: what, and how much.
    pub(super) readings: Vec<(&'static str, String)>,
}

/// Puts a page of the journal into words.
pub fn tell(overview: &Overview, filter: Filter, page: Result<JournalPage, String>) -> Journal {
    let teller = Teller { overview, zone: zone(&overview.site.timezone) };
    let snapshot = &overview.snapshot;
    let address = |position| filter.at(position).address();
    let places = page.as_ref().map(|page| (page.newer, page.older)).unwrap_or_default();
    let named = snapshot.miners.iter().map(|miner| (miner.id.clone(), miner.name.clone()));
    Journal {
        site: overview.site.name.clone(),
        version: overview.site.version.clone(),
        now: (clock(snapshot.at, teller.zone), snapshot.at.to_string()),
        zone: overview.site.timezone.clone(),
        miners: if snapshot.miners.len() > 1 { named.collect() } else { Vec::new() },
        newer: places.0.map(|place| address(Position::NewerThan(place))),
        older: places.1.map(|place| address(Position::OlderThan(place))),
        days: page.and_then(|page| match teller.days(&page.entries) {
            days if days.is_empty() => Err(nothing(&filter).to_owned()),
            days => Ok(days),
        }),
        filter,
    }
}

fn nothing(filter: &Filter) -> &'static str {
    match filter.about {
        _ if !filter.is_narrow() && filter.position == Position::Newest => "Nothing was decided yet.",
        About::Everything => "Nothing was decided in this time.",
        _ => "Nothing of this kind was decided in this time.",
    }
}

struct Teller<'a> {
    overview: &'a Overview,
    zone: Tz,
}

impl Teller<'_> {
    fn days(&self, entries: &[Entry]) -> Vec<Day> {
        let mut days: Vec<Day> = Vec::new();
        for entry in entries {
            let title = self.title(entry.place.at);
            let row = self.row(entry);
            match days.last_mut().filter(|day| day.title == title) {
                Some(day) => day.rows.push(row),
                None => days.push(Day { title, rows: vec![row] }),
            }
        }
        days
    }

    /// The day of an instant, with its year if it isn't this one.
    fn title(&self, at: UtcMillis) -> String {
        let (day, today) = (wall(at, self.zone), wall(self.overview.snapshot.at, self.zone));
        let format = if day.year() == today.year() { "%A %-d %B" } else { "%A %-d %B %Y" };
        day.format(format).to_string()
    }

    fn row(&self, entry: &Entry) -> Row {
        let decision = &entry.decision;
        let explanation = &decision.explanation;
        let said = |text: &String, is_strong| Sentence { text: words::unbroken(text), is_strong };
        let why = [
            Some(said(&explanation.why, false)),
            explanation.why_not_more.as_ref().map(|text| said(text, true)),
            Some(said(&explanation.what_would_change, false)),
            explanation.when.as_ref().map(|text| said(text, false)),
        ];
        let (before, did) = done(decision);
        Row {
            anchor: format!("d{}", entry.place.id),
            clock: clock(decision.at, self.zone),
            instant: decision.at.to_string(),
            chart: format!("{}?range={CHART}&at={}#chart", self.page_of(&decision.miner), decision.at.0),
            rule: rule(decision.rule),
            miner: self.miner(&decision.miner),
            before,
            did,
            is_command: decision.command.is_some(),
            outcome: decision.command.map(|command| outcome(command, entry.operation.as_ref())),
            why: why.into_iter().flatten().filter(|sentence| !sentence.text.is_empty()).collect(),
            readings: self.readings(entry),
        }
    }

    /// Where the charts show a miner: its own page, where it isn't the only one.
    fn page_of(&self, id: &MinerId) -> String {
        let miners = &self.overview.snapshot.miners;
        let is_one_of_several = miners.len() > 1 && miners.iter().any(|miner| miner.id == *id);
        if is_one_of_several { page_of(&id.0) } else { "/".to_owned() }
    }

    /// The name of a miner, where it isn't the only one.
    fn miner(&self, id: &MinerId) -> Option<String> {
        let miners = &self.overview.snapshot.miners;
        let known = miners.iter().find(|miner| miner.id == *id);
        let name = known.map_or_else(|| id.to_string(), |miner| miner.name.clone());
        (miners.len() > 1 || known.is_none()).then_some(name)
    }

    fn readings(&self, entry: &Entry) -> Vec<(&'static str, String)> {
        let decision = &entry.decision;
        let then = |at| moment(at, decision.at, &self.overview.site.timezone);
        let charge = words::charge(decision.soc_percent);
        let said = decision.source_time.map(|at| {
            let seconds = decision.at.millis_since(at) as f64 / 1000.0;
            format!(", said at {}, {} old", then(at), age(seconds))
        });
        let battery = if charge.is_known() {
            format!("{}\u{a0}{}{}", charge.value, charge.unit, said.unwrap_or_default())
        } else {
            format!("not known{}", said.unwrap_or_default())
        };
        let power = words::power(decision.miner_power);
        let drew = power.is_known().then(|| format!("drew {}\u{a0}{}", power.value, power.unit));
        let set = decision.power_set_percent.map(|set| format!("set to {set:.0}\u{a0}%"));
        let miner = [drew, set].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let mut readings = vec![
            ("Battery", battery),
            ("Miner", if miner.is_empty() { "not known".to_owned() } else { miner }),
        ];
        if let Some(by) = decision.blocked_by {
            let until = decision.blocked_until.map(|until| format!(" until {}", then(until)));
            readings.push(("In the way", format!("{}{}", obstacle(by), until.unwrap_or_default())));
        }
        readings
    }
}

/// What the miner was set to before, where that is known and changed, and what was done.
fn done(decision: &DecisionRecord) -> (Option<String>, String) {
    let Some(command) = decision.command else { return (None, "Nothing sent".to_owned()) };
    match (command, decision.power_set_percent) {
        (Command::SetPower { percent, .. }, Some(set)) if (set - f64::from(percent.get())).abs() < 0.5 => {
            (None, format!("{percent} again"))
        }
        (Command::SetPower { percent, .. }, Some(set)) => (Some(format!("{set:.0}")), percent.to_string()),
        _ => (None, words::command(command)),
    }
}

/// What became of a command.
fn outcome(command: Command, operation: Option<&Operation>) -> (&'static str, String) {
    let Some(operation) = operation else { return ("", "not kept what became of it".to_owned()) };
    let begun = operation.sent_at.unwrap_or(operation.decided_at);
    let after = operation
        .ended_at
        .map(|ended| format!(" after {}", age(ended.millis_since(begun) as f64 / 1000.0)))
        .unwrap_or_default();
    match operation.stage {
        OperationStage::Observed if command.is_off() => ("good", format!("off seen{after}")),
        OperationStage::Observed => ("good", format!("seen to work{after}")),
        OperationStage::Failed => {
            let words = operation.words.as_ref().map(|words| format!(": {words}"));
            ("bad", format!("failed{after}{}", words.unwrap_or_default()))
        }
        _ => ("", words::stage(operation).to_owned()),
    }
}

/// What a rule is called.
pub(crate) const fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Emergency => "Emergency",
        Rule::Stale => "Battery data",
        Rule::PersonOff => "Switched off",
        Rule::Unstable => "Unstable",
        Rule::Manual => "Manual power",
        Rule::AutoOff => "Auto-control off",
        Rule::Full => "Full battery",
        Rule::Sunset => "Sunset",
        Rule::Stopped => "Stopped",
        Rule::Ladder => "Ladder",
    }
}

/// What an obstacle is called.
const fn obstacle(by: BlockedBy) -> &'static str {
    match by {
        BlockedBy::Interval => "the interval between two commands",
        BlockedBy::Settling => "the miner settles",
        BlockedBy::SecondSample => "no second reading that agrees",
        BlockedBy::BatteryData => "no fresh battery data",
        BlockedBy::CommandUnderWay => "the last command is under way",
        BlockedBy::MinerUnknown => "the miner's state isn't known",
        BlockedBy::Degraded => "three commands in a row failed",
        BlockedBy::Contested => "others change the miner again and again",
        BlockedBy::Budget => "the day's commands are spent",
        BlockedBy::StartCondition => "nothing that starts it",
        BlockedBy::Share => "not enough left for this miner",
        BlockedBy::Turn => "another miner that starts first",
        BlockedBy::MinimumOffTime => "the shortest time off",
        BlockedBy::OffRetry => "off is being verified",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::sample;
    use model::{
        Explanation, OperationId, PowerPercent, Reason, Wanted, Watts, journal::Place, snapshot::BatteryView,
    };

    /// 14:05:10 in New Mexico.
    const NOW: &str = "2026-11-27T21:05:10Z";

    fn overview() -> Overview {
        let mut overview = sample::overview(BatteryView::default(), Vec::new());
        overview.snapshot.at = NOW.parse().unwrap();
        overview
    }

    fn entry(at: &str) -> Entry {
        let at = at.parse().unwrap();
        Entry {
            place: Place { at, id: 7 },
            decision: DecisionRecord {
                miner: MinerId("garage".into()),
                at,
                rule: Rule::Ladder,
                reason: Reason::LadderHold,
                wanted: Wanted::Hold,
                command: None,
                operation: None,
                blocked_by: None,
                blocked_until: None,
                explanation: Explanation::default(),
                soc_percent: None,
                source_time: None,
                miner_power: None,
                power_set_percent: None,
            },
            operation: None,
        }
    }

    fn sixty() -> Command {
        Command::SetPower { percent: PowerPercent::new(60).unwrap(), watts: Watts::whole(2160) }
    }

    fn only_row(entry: Entry) -> Row {
        let page = JournalPage { entries: vec![entry], ..JournalPage::default() };
        tell(&overview(), Filter::default(), Ok(page)).days.unwrap().remove(0).rows.remove(0)
    }

    #[test]
    fn what_was_done_says_from_where_only_if_that_is_known() {
        let told = |command: Option<Command>, set: Option<f64>| {
            let entry = entry(NOW);
            done(&DecisionRecord { command, power_set_percent: set, ..entry.decision })
        };
        let of = |before: Option<&str>, did: &str| (before.map(str::to_owned), did.to_owned());
        assert_eq!(told(None, Some(80.0)), of(None, "Nothing sent"));
        assert_eq!(told(Some(sixty()), Some(79.97)), of(Some("80"), "60 %"));
        assert_eq!(told(Some(sixty()), Some(60.2)), of(None, "60 % again"));
        assert_eq!(told(Some(sixty()), None), of(None, "To 60 %"));
        assert_eq!(told(Some(Command::Off), Some(80.0)), of(None, "Off"));
    }

    #[test]
    fn a_command_says_what_became_of_it_as_far_as_it_is_known() {
        let operation = |stage, command, words: Option<&str>| Operation {
            id: OperationId(1),
            miner: MinerId("garage".into()),
            command,
            reason: Reason::LadderDown,
            stage,
            means: None,
            decided_at: UtcMillis(0),
            sent_at: Some(UtcMillis(1000)),
            acknowledged_at: None,
            ended_at: Some(UtcMillis(12_000)),
            words: words.map(str::to_owned),
        };
        let told = |stage, command, words| outcome(command, Some(&operation(stage, command, words)));
        let of = |class, words: &str| (class, words.to_owned());
        assert_eq!(told(OperationStage::Observed, Command::Off, None), of("good", "off seen after 11 s"));
        assert_eq!(told(OperationStage::Observed, sixty(), None), of("good", "seen to work after 11 s"));
        let refused = told(OperationStage::Failed, sixty(), Some("permission denied"));
        assert_eq!(refused, of("bad", "failed after 11 s: permission denied"));
        assert_eq!(told(OperationStage::Superseded, sixty(), None), of("", "replaced by a newer command"));
        assert_eq!(outcome(sixty(), None), of("", "not kept what became of it"));
    }

    #[test]
    fn what_is_not_known_is_said_to_be_so() {
        let row = only_row(entry(NOW));
        assert_eq!(row.readings, [("Battery", "not known".to_owned()), ("Miner", "not known".to_owned())]);
        assert_eq!((row.outcome, row.why.len()), (None, 0));
        assert_eq!(row.miner.as_deref(), Some("garage"), "a miner that isn't there any more keeps its name");
    }

    #[test]
    fn readings_say_how_old_they_were_then() {
        let mut seen = entry("2026-11-27T07:01:00Z");
        seen.decision.soc_percent = Some(60.0);
        seen.decision.source_time = Some("2026-11-27T06:59:00Z".parse().unwrap());
        seen.decision.miner_power = Watts::new(2134.0);
        seen.decision.power_set_percent = Some(60.0);
        seen.decision.blocked_by = Some(BlockedBy::Interval);
        seen.decision.blocked_until = Some("2026-11-27T07:03:00Z".parse().unwrap());
        let row = only_row(seen);
        let readings: Vec<_> = row.readings.iter().map(|(what, said)| (*what, said.as_str())).collect();
        assert_eq!(
            readings,
            [
                ("Battery", "60\u{a0}%, said at Thu 23:59, 2 min old"),
                ("Miner", "drew 2.13\u{a0}kW, set to 60\u{a0}%"),
                ("In the way", "the interval between two commands until 00:03"),
            ]
        );
        assert_eq!(row.chart, "/?range=6h&at=1795762860000#chart");
    }

    #[test]
    fn entries_stand_under_their_day_on_the_wall_clock() {
        let entries = ["2026-11-27T07:00:00Z", "2026-11-27T06:59:59Z", "2025-11-27T12:00:00Z"].map(entry);
        let page = JournalPage { entries: entries.to_vec(), ..JournalPage::default() };
        let days = tell(&overview(), Filter::default(), Ok(page)).days.unwrap();
        let titles: Vec<_> = days.iter().map(|day| day.title.as_str()).collect();
        assert_eq!(titles, ["Friday 27 November", "Thursday 26 November", "Thursday 27 November 2025"]);
        assert_eq!(days[1].rows[0].clock, "23:59:59");
    }

    #[test]
    fn nothing_is_said_in_plain_words() {
        let told = |query: &[(&str, &str)]| {
            let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let filter = Filter::read(&query, std::iter::empty());
            tell(&overview(), filter, Ok(JournalPage::default())).days.unwrap_err()
        };
        assert_eq!(told(&[]), "Nothing was decided yet.");
        assert_eq!(told(&[("day", "2026-11-01")]), "Nothing was decided in this time.");
        assert_eq!(told(&[("before", "1.1")]), "Nothing was decided in this time.");
        assert_eq!(told(&[("about", "safety")]), "Nothing of this kind was decided in this time.");
        let broken = tell(&overview(), Filter::default(), Err("The journal can't be read just now.".into()));
        assert_eq!(broken.days.unwrap_err(), "The journal can't be read just now.");
    }
}
