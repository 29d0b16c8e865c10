//! What the page's address asks for.

use super::{ENTRIES, PATH, civil_day, topic::Topic};
use chrono::NaiveDate;
use model::{
    MinerId, UtcMillis,
    journal::{Place, Position, Question},
};
use std::collections::BTreeMap;

/// What is shown of the journal. Whatever an address says that can't be is as if it weren't said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    pub(super) miner: Option<MinerId>,
    pub(super) about: About,
    pub(super) day: Option<NaiveDate>,
    pub(super) position: Position,
}

/// Which decisions are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum About {
    #[default]
    Everything,
    /// Those that sent a command.
    Commands,
    Topic(Topic),
}

impl About {
    pub(super) const ALL: [Self; 5] = [
        Self::Everything,
        Self::Commands,
        Self::Topic(Topic::Safety),
        Self::Topic(Topic::Battery),
        Self::Topic(Topic::Person),
    ];

    /// As it stands in the address (`?about=safety`).
    pub(super) const fn slug(self) -> &'static str {
        match self {
            Self::Everything => "all",
            Self::Commands => "commands",
            Self::Topic(Topic::Safety) => "safety",
            Self::Topic(Topic::Battery) => "battery",
            Self::Topic(Topic::Person) => "person",
        }
    }

    /// As a button says it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Everything => "Everything",
            Self::Commands => "Commands",
            Self::Topic(Topic::Safety) => "Safety",
            Self::Topic(Topic::Battery) => "Sun and battery",
            Self::Topic(Topic::Person) => "A person",
        }
    }
}

impl Filter {
    /// What an address with this query asks for, where there are these miners.
    pub fn read<'a>(query: &BTreeMap<String, String>, miners: impl IntoIterator<Item = &'a MinerId>) -> Self {
        let said = |name: &str| query.get(name).map(String::as_str);
        let place = |name| said(name)?.parse::<Place>().ok();
        let position = match (place("before"), place("after")) {
            (Some(place), _) => Position::OlderThan(place),
            (None, Some(place)) => Position::NewerThan(place),
            (None, None) => Position::Newest,
        };
        Self {
            miner: miners.into_iter().find(|miner| said("miner") == Some(miner.0.as_str())).cloned(),
            about: About::ALL
                .into_iter()
                .find(|about| said("about") == Some(about.slug()))
                .unwrap_or_default(),
            day: said("day").and_then(civil_day::read),
            position,
        }
    }

    /// What the store is asked, at a site in the zone of this IANA name.
    pub fn question(&self, zone: &str) -> Question {
        let whole = (UtcMillis(i64::MIN), UtcMillis(i64::MAX));
        let (from, to) = self.day.map_or(whole, |day| civil_day::bounds(day, civil_day::zone(zone)));
        Question {
            miner: self.miner.clone(),
            causes: match self.about {
                About::Everything | About::Commands => Vec::new(),
                About::Topic(topic) => topic.causes(),
            },
            commands_only: self.about == About::Commands,
            from,
            to,
            position: self.position,
            limit: ENTRIES,
        }
    }

    /// The same, from the newest entry on.
    #[must_use]
    pub fn newest(&self) -> Self {
        self.at(Position::Newest)
    }

    pub(super) fn at(&self, position: Position) -> Self {
        Self { position, ..self.clone() }
    }

    /// It leaves entries out.
    pub(super) fn is_narrow(&self) -> bool {
        self.newest() != Self::default()
    }

    /// The page's address for this. An id has only letters that may stand in an address.
    pub(super) fn address(&self) -> String {
        let (before, after) = match self.position {
            Position::Newest => (None, None),
            Position::OlderThan(place) => (Some(place.to_string()), None),
            Position::NewerThan(place) => (None, Some(place.to_string())),
        };
        let about = (self.about != About::Everything).then(|| self.about.slug().to_owned());
        let parts = [
            ("miner", self.miner.as_ref().map(|miner| miner.0.clone())),
            ("about", about),
            ("day", self.day.map(|day| day.to_string())),
            ("before", before),
            ("after", after),
        ];
        let said = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let query = said.collect::<Vec<_>>().join("&");
        if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn miners() -> [MinerId; 2] {
        ["garage", "shed-2"].map(|id| MinerId(id.to_owned()))
    }

    /// What the page reads from an address.
    fn read(address: &str) -> Filter {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Filter::read(&query, &miners())
    }

    #[test]
    fn what_cannot_be_is_as_if_it_were_not_said() {
        for address in [
            "/decisions",
            "/decisions?",
            "/decisions?miner=&about=&day=&before=&after=",
            "/decisions?miner=attic&about=phase-of-the-moon&day=2026-02-30&before=x&after=7",
            "/decisions?miner=GARAGE&about=SAFETY&day=yesterday&before=1.&after=.1",
            "/decisions?about=<script>",
        ] {
            assert_eq!(read(address), Filter::default(), "{address}");
            assert!(!read(address).is_narrow());
        }
    }

    #[test]
    fn a_day_is_the_site_s() {
        let question = read("/decisions?day=2026-11-01").question("America/Denver");
        assert_eq!(question.from, "2026-11-01T06:00:00Z".parse().unwrap());
        assert_eq!(question.to, "2026-11-02T07:00:00Z".parse().unwrap());
    }

    #[test]
    fn commands_are_those_of_every_rule() {
        let question = read("/decisions?about=commands").question("UTC");
        assert!(question.commands_only && question.causes.is_empty());
        let question = read("/decisions?about=safety").question("UTC");
        assert!(!question.commands_only && !question.causes.is_empty());
    }

    proptest! {
        #[test]
        fn an_address_leads_to_what_it_was_made_for(
            miner in prop::option::of(prop::sample::select(miners().to_vec())),
            about in prop::sample::select(About::ALL.to_vec()),
            day in prop::option::of(0..100_000_u64),
            position in (0..3, any::<i64>(), any::<i64>()),
        ) {
            let place = Place { at: UtcMillis(position.1), id: position.2 };
            let position = match position.0 {
                0 => Position::Newest,
                1 => Position::OlderThan(place),
                _ => Position::NewerThan(place),
            };
            let day = day.map(|number| civil_day::read("1970-01-01").unwrap() + chrono::Days::new(number));
            let filter = Filter { miner, about, day, position };
            prop_assert_eq!(read(&filter.address()), filter);
        }
    }
}
