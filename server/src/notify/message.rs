//! What people are told, in words.

use super::{
    ledger::{Due, Step},
    topic::{Topic, manner},
};
use model::{MinerId, UtcMillis, snapshot::Snapshot};
use std::collections::BTreeSet;

/// The most alerts that one message tells in full, and the most miners that it names.
const MOST: usize = 5;
/// What began longer ago than this, in milliseconds, is told with when it began.
const AGO: i64 = 300_000;

/// How loudly it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// That something is well, and a test.
    Normal,
    /// Something needs a person.
    High,
    /// At once.
    Urgent,
}

/// One message, whichever way it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) urgency: Urgency,
    /// For programs: what it is about, "test" for a test.
    pub(super) topic: &'static str,
    /// For programs: "begins", "goes_on", "ends".
    pub(super) step: &'static str,
    /// For programs.
    pub(super) miners: Vec<MinerId>,
    pub(super) site: String,
    pub(super) at: UtcMillis,
}

/// Where and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) site: &'a str,
    /// An IANA name.
    pub(super) zone: &'a str,
    pub(super) snapshot: &'a Snapshot,
}

impl Message {
    /// What tells somebody that they are reached.
    pub(super) fn test(site: &str, at: UtcMillis) -> Self {
        Self {
            title: format!("Test from {site}"),
            text: "This is what an alert will look like. Nothing is wrong.".to_owned(),
            urgency: Urgency::Normal,
            topic: "test",
            step: "begins",
            miners: Vec::new(),
            site: site.to_owned(),
            at,
        }
    }

    /// One message for all that is due of one topic and step.
    fn of(topic: Topic, step: Step, due: &[&Due], scene: Scene<'_>) -> Self {
        let ids: BTreeSet<_> = due.iter().filter_map(|due| due.key.1.clone()).collect();
        let who = who(&ids, scene.snapshot);
        let is_critical = due.iter().filter_map(|due| manner(due.key.0)).any(|manner| manner.is_critical);
        let urgency = match step {
            Step::Ends => Urgency::Normal,
            Step::Begins | Step::GoesOn if is_critical => Urgency::Urgent,
            Step::Begins | Step::GoesOn => Urgency::High,
        };
        let (title, text) = match step {
            Step::Ends => (
                format!("Back to normal: {}", ended_title(topic, who.as_deref())),
                ended(topic, &ids, who.as_deref()),
            ),
            Step::Begins => (title(topic, who.as_deref()), told(due, scene)),
            Step::GoesOn => (format!("Still: {}", title(topic, who.as_deref())), told(due, scene)),
        };
        Self {
            title,
            text,
            urgency,
            topic: topic.word(),
            step: match step {
                Step::Begins => "begins",
                Step::GoesOn => "goes_on",
                Step::Ends => "ends",
            },
            miners: ids.into_iter().collect(),
            site: scene.site.to_owned(),
            at: scene.snapshot.at,
        }
    }
}

/// The messages for what is due, with what each of them tells.
pub(super) fn messages(due: &[Due], scene: Scene<'_>) -> Vec<(Message, Vec<Due>)> {
    let mut messages: Vec<(Topic, Step, Vec<&Due>)> = Vec::new();
    for one in due {
        let Some(topic) = manner(one.key.0).map(|manner| manner.topic) else { continue };
        match messages.iter_mut().find(|(known, step, _)| (*known, *step) == (topic, one.step)) {
            Some((_, _, together)) => together.push(one),
            None => messages.push((topic, one.step, vec![one])),
        }
    }
    let message = |(topic, step, due): (Topic, Step, Vec<&Due>)| {
        (Message::of(topic, step, &due, scene), due.into_iter().cloned().collect())
    };
    messages.into_iter().map(message).collect()
}

/// The miners' names; `None` where there is only one miner, which needs none.
fn who(ids: &BTreeSet<MinerId>, snapshot: &Snapshot) -> Option<String> {
    if ids.is_empty() || snapshot.miners.len() + snapshot.followed.len() == 1 {
        return None;
    }
    let name = |id: &MinerId| {
        let view = snapshot.miners.iter().find(|view| view.id == *id);
        view.map_or_else(|| id.to_string(), |view| view.name.clone())
    };
    let named: Vec<_> = ids.iter().take(MOST).map(name).collect();
    let more = ids.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{}{more}", named.join(", ")))
}

fn title(topic: Topic, who: Option<&str>) -> String {
    match (topic, who) {
        (Topic::StoppedForSafety, None) => "The miner is stopped for safety".to_owned(),
        (Topic::StoppedForSafety, Some(who)) => format!("Stopped for safety: {who}"),
        (Topic::Disobeys, None) => "The miner doesn't obey".to_owned(),
        (Topic::Disobeys, Some(who)) => format!("Doesn't obey: {who}"),
        (Topic::BatteryDataStale, _) => "The battery isn't heard of any more".to_owned(),
        (Topic::BatteryNotFull, _) => "The battery isn't charged fully".to_owned(),
        (Topic::Database, _) => "Nothing is kept any more".to_owned(),
    }
}

fn ended_title(topic: Topic, who: Option<&str>) -> String {
    match (topic, who) {
        (Topic::StoppedForSafety | Topic::Disobeys, None) => "the miner".to_owned(),
        (Topic::StoppedForSafety | Topic::Disobeys, Some(who)) => who.to_owned(),
        (Topic::BatteryDataStale | Topic::BatteryNotFull, _) => "the battery".to_owned(),
        (Topic::Database, _) => "the database".to_owned(),
    }
}

fn ended(topic: Topic, ids: &BTreeSet<MinerId>, who: Option<&str>) -> String {
    let (who, are_several) = (who.unwrap_or("The miner"), ids.len() > 1);
    match (topic, are_several) {
        (Topic::StoppedForSafety, false) => format!("{who} is no longer stopped for safety."),
        (Topic::StoppedForSafety, true) => format!("{who} are no longer stopped for safety."),
        (Topic::Disobeys, false) => format!("{who} does what it is told again."),
        (Topic::Disobeys, true) => format!("{who} do what they are told again."),
        (Topic::BatteryDataStale, _) => "There are good battery readings again.".to_owned(),
        (Topic::BatteryNotFull, _) => "The battery was full.".to_owned(),
        (Topic::Database, _) => "The database takes writes again.".to_owned(),
    }
}

/// The alerts' own words, and since when they hold.
fn told(due: &[&Due], Scene { zone, snapshot, .. }: Scene<'_>) -> String {
    let line = |due: &&Due| {
        if snapshot.at.millis_since(due.since) < AGO {
            return due.text.clone();
        }
        format!("{} Since {}.", due.text, app::civil::moment(due.since, snapshot.at, zone))
    };
    let mut lines: Vec<_> = due.iter().take(MOST).map(line).collect();
    let more = due.len().saturating_sub(MOST);
    if more > 0 {
        lines.push(format!("{more} more are told on the page."));
    }
    lines.join("\n")
}
