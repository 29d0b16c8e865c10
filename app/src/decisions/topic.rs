//! What a decision was about, as people tell decisions apart.

use model::{Reason, Rule, journal::Cause};

/// What decisions can be about. Every decision is about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// The battery was low or not known, or the miner had to be protected.
    Safety,
    /// The miner followed the battery and the sun.
    Battery,
    /// A person said something.
    Person,
}

impl Topic {
    /// What a decision by this rule, for this reason, is about.
    const fn of(rule: Rule, reason: Reason) -> Self {
        match (rule, reason) {
            (_, Reason::PersonStart) => Self::Person,
            (_, Reason::EmergencyLatched | Reason::CrashLoop | Reason::VerifyingOff)
            | (Rule::Emergency | Rule::Stale | Rule::Unstable, _) => Self::Safety,
            (Rule::PersonOff | Rule::Manual | Rule::AutoOff, _) => Self::Person,
            (Rule::Full | Rule::Sunset | Rule::Stopped | Rule::Ladder, _) => Self::Battery,
        }
    }

    /// All that leads to decisions about this.
    pub(super) fn causes(self) -> Vec<Cause> {
        Rule::ALL
            .into_iter()
            .filter_map(|rule| {
                let mut reasons = Reason::ALL.to_vec();
                reasons.retain(|reason| Self::of(rule, *reason) == self);
                match reasons.len() {
                    0 => None,
                    all if all == Reason::ALL.len() => Some(Cause { rule, reasons: Vec::new() }),
                    _ => Some(Cause { rule, reasons }),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_is_about_one_thing() {
        let topics = [Topic::Safety, Topic::Battery, Topic::Person].map(Topic::causes);
        for rule in Rule::ALL {
            for reason in Reason::ALL {
                let meant = |cause: &Cause| {
                    cause.rule == rule && (cause.reasons.is_empty() || cause.reasons.contains(&reason))
                };
                let found = topics.iter().flatten().filter(|cause| meant(cause)).count();
                assert_eq!(found, 1, "{rule:?} {reason:?}");
            }
        }
    }

    #[test]
    fn a_person_s_start_is_a_person_s_and_a_latch_is_safety() {
        assert_eq!(Topic::of(Rule::Stopped, Reason::PersonStart), Topic::Person);
        assert_eq!(Topic::of(Rule::Stopped, Reason::EmergencyLatched), Topic::Safety);
        assert_eq!(Topic::of(Rule::Stopped, Reason::ResumeSoc), Topic::Battery);
        assert_eq!(Topic::of(Rule::AutoOff, Reason::VerifyingOff), Topic::Safety);
        assert_eq!(Topic::of(Rule::AutoOff, Reason::AutoControlOff), Topic::Person);
    }
}
