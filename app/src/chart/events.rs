//! What happened, as the charts mark it.

use super::{Event, EventKind};
use crate::{decisions::rule, words};
use model::{Rule, UtcMillis, journal::Mark};

/// Marks of the journal and sunsets, in their order.
pub fn events(marks: &[Mark], sunsets: &[UtcMillis]) -> Vec<Event> {
    let sunset = |at: &UtcMillis| Event { at: at.0, kind: EventKind::Sunset, text: "Sunset".to_owned() };
    let mut events: Vec<Event> = marks.iter().map(of_decision).chain(sunsets.iter().map(sunset)).collect();
    events.sort_by_key(|event| event.at);
    events
}

fn of_decision(mark: &Mark) -> Event {
    let kind = match mark.rule {
        Rule::Emergency => EventKind::Emergency,
        Rule::Stale | Rule::Unstable => EventKind::Fault,
        _ => EventKind::Command,
    };
    let cause = rule(mark.rule);
    let text = mark
        .command
        .map_or_else(|| cause.to_owned(), |command| format!("{} · {cause}", words::command(command)));
    Event { at: mark.place.at.0, kind, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Command, PowerPercent, Reason, Watts, journal::Place};

    #[test]
    fn marks_and_sunsets_come_in_their_order() {
        let mark = |at, rule, reason, command| Mark {
            place: Place { at: UtcMillis(at), id: at },
            rule,
            reason,
            command,
        };
        let half = PowerPercent::new(50).unwrap();
        let down = Command::SetPower { percent: half, watts: Watts::whole(1800) };
        let marks = [
            mark(10, Rule::Ladder, Reason::LadderDown, Some(down)),
            mark(30, Rule::Emergency, Reason::EmergencySoc, None),
        ];
        let told: Vec<_> =
            events(&marks, &[UtcMillis(20)]).into_iter().map(|event| (event.kind, event.text)).collect();
        let event = |kind, text: &str| (kind, text.to_owned());
        assert_eq!(
            told,
            [
                event(EventKind::Command, "To 50 % · Ladder"),
                event(EventKind::Sunset, "Sunset"),
                event(EventKind::Emergency, "Emergency"),
            ]
        );
    }
}
