//! What becomes of something that a person asked.

use crate::{backend::TakenUp, view::Answer, words};
use model::{Explanation, Operation, Wanted, snapshot::Snapshot};

/// What is said to whoever asked: the command that goes out, or why none does and what it waits for. `snapshot` is of
/// after that.
pub fn answer(taken_up: &TakenUp, snapshot: &Snapshot) -> Answer {
    let TakenUp { operation, decision } = taken_up;
    if let Some(operation) = operation {
        return Answer { words: words::progress(operation), command: Some(operation.id.0) };
    }
    let Explanation { why, why_not_more, .. } = &decision.explanation;
    let waits = decision.blocked.is_some() && decision.wanted != Wanted::Hold;
    let obstacle = why_not_more.as_ref().filter(|_| waits).map(|obstacle| format!(" {obstacle}"));
    // What waits is the next command that goes out.
    let next = |operation: &Operation| operation.id.0.saturating_add(1);
    let newest = snapshot.miners.iter().filter_map(|miner| miner.operations.first()).map(next).max();
    Answer { words: format!("{why}{}", obstacle.unwrap_or_default()), command: newest.filter(|_| waits) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::sample::{battery, operation, overview, running};
    use model::{Blocked, BlockedBy, OperationStage, PowerPercent, snapshot::DecisionView};

    fn answered(operation: Option<Operation>, blocked: Option<BlockedBy>, known: Vec<Operation>) -> Answer {
        let mut miner = running("garage", 100.0);
        let decision = DecisionView {
            wanted: Wanted::Run(PowerPercent::FULL),
            blocked: blocked.map(|by| Blocked { by, until: None }),
            explanation: Explanation {
                why: "Set to 60 % by you.".into(),
                why_not_more: Some("The change waits.".into()),
                ..Explanation::default()
            },
            ..miner.decision.clone()
        };
        miner.operations = known;
        let snapshot = overview(battery(Some(60.0)), vec![miner]).snapshot;
        answer(&TakenUp { operation, decision }, &snapshot)
    }

    #[test]
    fn a_command_that_goes_out_is_followed() {
        let sent = operation(7, OperationStage::Queued);
        let answer = answered(Some(sent.clone()), None, vec![sent]);
        assert_eq!(answer, Answer { words: "To 60 %: waiting to be sent.".into(), command: Some(7) });
    }

    #[test]
    fn a_command_that_waits_is_the_next_one() {
        let known = vec![operation(7, OperationStage::Acknowledged)];
        let answer = answered(None, Some(BlockedBy::Settling), known);
        let words = "Set to 60 % by you. The change waits.".to_owned();
        assert_eq!(answer, Answer { words, command: Some(8) });
    }

    #[test]
    fn where_nothing_follows_nothing_is_followed() {
        let known = vec![operation(7, OperationStage::Observed)];
        let answer = answered(None, None, known);
        assert_eq!(answer, Answer { words: "Set to 60 % by you.".into(), command: None });
    }
}
