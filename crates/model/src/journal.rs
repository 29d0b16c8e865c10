//! The journal of decisions: what is kept of each, how it is asked for, and what is told of it.

use crate::{
    BlockedBy, Command, Explanation, MinerId, Operation, OperationId, Reason, Rule, UtcMillis, Wanted, Watts,
};
use std::{fmt, str::FromStr};

/// One decision about one miner, with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRecord {
    /// The miner.
    pub miner: MinerId,
    /// When it was made.
    pub at: UtcMillis,
    /// The rule that decided.
    pub rule: Rule,
    /// Why, for machines.
    pub reason: Reason,
    /// What the law wanted.
    pub wanted: Wanted,
    /// What was commanded with it, if anything.
    pub command: Option<Command>,
    /// The operation that carried the command out.
    pub operation: Option<OperationId>,
    /// What stood in the way.
    pub blocked_by: Option<BlockedBy>,
    /// When that ends, where it was known.
    pub blocked_until: Option<UtcMillis>,
    /// Why, for people.
    pub explanation: Explanation,
    /// State of charge in percent as the source gave it, possible or not. What isn't finite is kept as `None`.
    pub soc_percent: Option<f64>,
    /// When the battery said so.
    pub source_time: Option<UtcMillis>,
    /// What the miner drew.
    pub miner_power: Option<Watts>,
    /// What the miner was set to, in percent of its full power. What isn't finite is kept as `None`.
    pub power_set_percent: Option<f64>,
}

/// Where an entry stands in the journal. Its order is that of time; within an instant, that of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When the decision was made.
    pub at: UtcMillis,
    /// The entry's number, rising as entries are written.
    pub id: i64,
}

impl fmt::Display for Place {
    /// As it stands in an address: milliseconds and number, `1795000000000.17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.0, self.id)
    }
}

/// A text that is no place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (at, id) = text.split_once('.').ok_or(NotAPlace)?;
        let number = |text: &str| text.parse().map_err(|_| NotAPlace);
        Ok(Self { at: UtcMillis(number(at)?), id: number(id)? })
    }
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// What was decided.
    pub decision: DecisionRecord,
    /// What became of the command. `None` if there was none, or if it isn't known which operation carried it out.
    pub operation: Option<Operation>,
}

/// Decisions by one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The rule.
    pub rule: Rule,
    /// Only those for one of these reasons; for whatever reason, if there are none.
    pub reasons: Vec<Reason>,
}

/// Which entries of the journal are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Those about this miner; about any, if `None`.
    pub miner: Option<MinerId>,
    /// Those that one of these led to, of which no two may share a decision; whatever led to them, if there are none.
    pub causes: Vec<Cause>,
    /// Only those that sent a command.
    pub commands_only: bool,
    /// Not before this.
    pub from: UtcMillis,
    /// Before this.
    pub to: UtcMillis,
    /// Where to read.
    pub position: Position,
    /// At most so many.
    pub limit: u32,
}

/// Where to read in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Position {
    /// From the newest entry on.
    #[default]
    Newest,
    /// The entries next to this place that are older.
    OlderThan(Place),
    /// The entries next to this place that are newer.
    NewerThan(Place),
}

/// A page of the journal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JournalPage {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Where older ones follow, if there are any.
    pub older: Option<Place>,
    /// Where newer ones follow, if there may be any.
    pub newer: Option<Place>,
}

/// A decision to be marked on a chart: one that sent a command, or the first of an emergency or of a stop on stale data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Where it stands in the journal.
    pub place: Place,
    /// The rule that decided.
    pub rule: Rule,
    /// Why.
    pub reason: Reason,
    /// What was commanded with it, if anything.
    pub command: Option<Command>,
}

/// The marks of a stretch of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    /// The newest of them, in the order of time.
    pub marks: Vec<Mark>,
    /// There were more than fit: the oldest are left out.
    pub is_cut: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_is_no_place_is_refused() {
        for text in
            ["", ".", "1", "1.", ".1", "1.2.3", "a.1", "1.b", "1e3.1", " 1.1", "9223372036854775808.1"]
        {
            assert_eq!(text.parse::<Place>(), Err(NotAPlace), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_place_survives_its_text(at in any::<i64>(), id in any::<i64>()) {
            let place = Place { at: UtcMillis(at), id };
            prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Place>();
        }
    }
}
