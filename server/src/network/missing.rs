//! When the network is searched for a miner that is missing: not at once, since most come back where they were, and not
//! over and over, since a miner may be off for weeks.

use model::{MinerId, MonoTime};
use std::{collections::BTreeMap, time::Duration};

/// A miner that has been away for so long may have another address by now: a restart takes less.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// After a search, one that is still missing is searched for again after this.
const AGAIN: Duration = Duration::from_secs(6 * 3600);

/// The miners that are missing.
#[derive(Debug, Default)]
pub(super) struct Missing(BTreeMap<MinerId, Since>);

#[derive(Debug, Clone, Copy)]
struct Since {
    gone: MonoTime,
    searched: Option<MonoTime>,
}

impl Missing {
    /// Whether it is time to search, now that these are gone. If so, it counts as done.
    pub(super) fn calls_for_a_search(&mut self, now: MonoTime, gone: Vec<MinerId>) -> bool {
        self.0.retain(|miner, _| gone.contains(miner));
        for miner in gone {
            self.0.entry(miner).or_insert(Since { gone: now, searched: None });
        }
        let is_due = |since: &Since| match since.searched {
            None => now.since(since.gone) >= PATIENCE,
            Some(searched) => now.since(searched) >= AGAIN,
        };
        let due = self.0.values().any(is_due);
        if due {
            // One search is for everybody who is missing by then.
            for since in self.0.values_mut().filter(|since| now.since(since.gone) >= PATIENCE) {
                since.searched = Some(now);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u64; 0] = [];

    fn searches(missing: &mut Missing, minutes: impl Iterator<Item = u64>, gone: &[&str]) -> Vec<u64> {
        let gone: Vec<_> = gone.iter().map(|id| MinerId((*id).to_owned())).collect();
        let at = |minute: u64| MonoTime(0) + Duration::from_secs(60 * minute);
        minutes.filter(|minute| missing.calls_for_a_search(at(*minute), gone.clone())).collect()
    }

    #[test]
    fn who_is_missing_is_searched_for_after_a_while_and_then_seldom() {
        let mut missing = Missing::default();
        assert_eq!(searches(&mut missing, 0..10, &[]), NONE);
        assert_eq!(searches(&mut missing, 10..800, &["garage"]), [15, 375, 735]);
    }

    #[test]
    fn who_came_back_is_gone_anew() {
        let mut missing = Missing::default();
        assert_eq!(searches(&mut missing, 0..4, &["garage"]), NONE);
        assert_eq!(searches(&mut missing, 4..5, &[]), NONE);
        assert_eq!(searches(&mut missing, 5..12, &["garage"]), [10]);
        assert_eq!(searches(&mut missing, 12..13, &[]), NONE);
        assert_eq!(searches(&mut missing, 13..20, &["garage"]), [18]);
    }

    #[test]
    fn a_second_one_is_searched_for_in_its_own_time_and_with_the_first() {
        let mut missing = Missing::default();
        assert_eq!(searches(&mut missing, 0..60, &["garage"]), [5]);
        assert_eq!(searches(&mut missing, 60..800, &["garage", "shed"]), [65, 425, 785]);
    }
}
