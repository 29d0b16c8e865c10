//! All miners together, where not exactly one is controlled: what they do, how much that is, and what is said of each of them
//! alike. What is one's own stands on its page.

use super::{
    Teller,
    miner::{power_of_all, said},
};
use crate::{
    view::{Sentence, Together},
    words,
};
use model::{
    PowerIntent, Reason, Watts,
    snapshot::{MinerState, MinerView},
};

impl Teller<'_> {
    /// All of them; `None`, where one's story is the house's.
    pub(super) fn together(&self) -> Option<Together> {
        let said = |text| Sentence { text, is_strong: false };
        match self.overview.snapshot.miners.as_slice() {
            [_] => None,
            [] => {
                let why = "The controller is starting, or the battery drives no miner yet.".to_owned();
                Some(Together { headline: "No miner yet".to_owned(), why: vec![said(why)], ladder: None })
            }
            miners => {
                let ladder = self.ladder_of_all();
                let [why, others @ ..] = self.said_of_each(miners);
                let power = said(self.power(miners));
                Some(Together {
                    headline: headline(miners, ladder.power),
                    why: why.into_iter().chain([power]).chain(others.into_iter().flatten()).collect(),
                    ladder: Some(ladder),
                })
            }
        }
    }

    /// Whether the battery drives it, and no person has taken it in hand.
    fn is_driven(&self, miner: &MinerView) -> bool {
        miner.intent.auto_control && miner.intent.power != PowerIntent::Off && self.held(miner).is_none()
    }

    /// What they draw together, and what is dealt out.
    fn power(&self, miners: &[MinerView]) -> String {
        let drawn = match power_of_all(miners) {
            None => "It isn't known what they draw together".to_owned(),
            Some(Watts::ZERO) => "They draw nothing".to_owned(),
            power => format!("They draw {} together", words::power(power).text()),
        };
        let whom =
            if miners.iter().all(|miner| self.is_driven(miner)) { "them" } else { "those that it drives" };
        let shares = miners.iter().filter_map(|miner| miner.share);
        match shares.fold(Watts::ZERO, |sum, share| sum + share) {
            Watts::ZERO => format!("{drawn}."),
            dealt => format!("{drawn}; the battery allows {whom} {}.", words::power(Some(dealt)).text()),
        }
    }

    /// What is said of each of those that the battery drives, or of each where it drives none: once.
    fn said_of_each(&self, miners: &[MinerView]) -> [Option<Sentence>; 4] {
        let is_any_driven = miners.iter().any(|miner| self.is_driven(miner));
        let meant = miners.iter().filter(|miner| !is_any_driven || self.is_driven(miner));
        let common = meant.map(of_all_alike).reduce(|mut common, said| {
            for (common, said) in common.iter_mut().zip(said) {
                *common = common.filter(|common| Some(*common) == said);
            }
            common
        });
        let sentence = |(text, is_strong): (&str, bool)| Sentence { text: text.to_owned(), is_strong };
        common.unwrap_or_default().map(|said| said.map(sentence))
    }
}

/// What is said of a miner and may be so of all. What its own share keeps it at isn't.
fn of_all_alike(miner: &MinerView) -> [Option<(&str, bool)>; 4] {
    let [why, why_not_more, what_would_change, when] = said(miner);
    let is_its_share = matches!(miner.decision.reason, Reason::LadderHold | Reason::LadderDown);
    [why, why_not_more.filter(|_| !is_its_share), what_would_change, when]
}

/// What they do, in a few words. `percent` is what all of them are set to, of what they can draw.
fn headline(miners: &[MinerView], percent: Option<f64>) -> String {
    let are = |state| miners.iter().filter(|miner| miner.state == state).count();
    let all = miners.len();
    match (are(MinerState::Running), are(MinerState::Off)) {
        (0, 0) => "Not known".to_owned(),
        (0, off) if off == all => "All off".to_owned(),
        (0, off) => format!("{off} of {all} off"),
        (running, _) if running < all => format!("{running} of {all} mining"),
        _ => percent.map_or_else(|| "All mining".to_owned(), |percent| format!("Mining at {percent:.0} %")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::{
        sample::{NOW, battery, overview, running},
        tell,
    };
    use model::{Explanation, Manual, ManualTarget, MonoTime, PowerPercent, UtcMillis};

    fn together(miners: Vec<MinerView>) -> Option<Together> {
        tell(&overview(battery(Some(60.0)), miners)).together
    }

    fn plain(together: &Together) -> Vec<String> {
        together.why.iter().map(|sentence| sentence.text.replace('\u{202f}', " ")).collect()
    }

    /// A miner that is set to a share of its full power in percent, is allowed as much and says why.
    fn told(id: &str, share: f64, why: &str, what_would_change: &str) -> MinerView {
        let mut miner = running(id, share);
        miner.share = Watts::new(share * 36.0);
        miner.decision.explanation = Explanation {
            why: why.into(),
            what_would_change: what_would_change.into(),
            ..Explanation::default()
        };
        miner
    }

    #[test]
    fn one_miner_s_story_is_the_house_s() {
        let nobody = together(vec![]).unwrap();
        assert_eq!((nobody.headline.as_str(), nobody.ladder), ("No miner yet", None));
        assert_eq!(together(vec![running("garage", 100.0)]), None);
        let view = tell(&overview(battery(Some(60.0)), vec![running("garage", 100.0)]));
        assert_eq!(view.title, "Mining at 100 % · Home");
    }

    #[test]
    fn the_headline_counts_and_what_is_not_known_is_not_off() {
        use MinerState::{Off, Running, Unknown};
        let is = |states: [MinerState; 3]| {
            let miners = states.into_iter().zip(["garage", "shed", "barn"]);
            let miner = |(state, id)| MinerView { state, ..running(id, 80.0) };
            together(miners.map(miner).collect()).unwrap().headline
        };
        assert_eq!(is([Running, Running, Running]), "Mining at 80 %");
        assert_eq!(is([Running, Off, Unknown]), "1 of 3 mining");
        assert_eq!(is([Off, Off, Unknown]), "2 of 3 off");
        assert_eq!(is([Off, Off, Off]), "All off");
        assert_eq!(is([Unknown, Unknown, Unknown]), "Not known");
    }

    #[test]
    fn what_is_said_of_each_is_said_once_and_nothing_else() {
        let down = "At 80 % all miners together go down to 80 %.";
        let both = together(vec![
            told("garage", 100.0, "Running at 100 % (3600 W).", down),
            told("shed", 60.0, "Running at 60 % (2160 W).", down),
        ]);
        let powers = "They draw 5.76 kW together; the battery allows them 5.76 kW.";
        assert_eq!(plain(&both.unwrap()), [powers, down]);
    }

    #[test]
    fn who_is_taken_in_hand_keeps_nothing_from_being_said_of_the_others() {
        let down = "At 80 % all miners together go down to 80 %.";
        let mut held = told("barn", 50.0, "Set to 50 % by you.", "Your setting ends at 14:00.");
        held.share = Some(Watts::ZERO);
        let target = ManualTarget::Percent(PowerPercent::new(50).unwrap());
        held.intent.manual = Some(Manual { target, until: MonoTime(0) });
        held.manual_until = Some(UtcMillis(NOW.0 + 1));
        let driven = [told("garage", 100.0, "Running.", down), told("shed", 100.0, "Running.", down)];
        let all = together(driven.into_iter().chain([held]).collect()).unwrap();
        let powers = "They draw 9.00 kW together; the battery allows those that it drives 7.20 kW.";
        assert_eq!(plain(&all), ["Running.", powers, down]);
    }

    #[test]
    fn a_share_of_its_own_is_nobody_else_s() {
        let limited = |id: &str, reason| {
            let mut miner = told(id, 80.0, "", "");
            miner.decision.reason = reason;
            miner.decision.explanation.why_not_more = Some("This is its share.".into());
            miner
        };
        let said =
            |reason| plain(&together(vec![limited("garage", reason), limited("shed", reason)]).unwrap());
        assert_eq!(said(Reason::LadderHold).len(), 1);
        assert_eq!(said(Reason::BatteryStale)[1], "This is its share.");
    }

    #[test]
    fn all_stand_on_one_ladder_by_their_full_powers() {
        let mut small = MinerView { base_watts: Watts::whole(1200), ..running("shed", 0.0) };
        small.state = MinerState::Off;
        small.latches.ceiling = PowerPercent::new(60).unwrap();
        let view = tell(&overview(battery(Some(60.0)), vec![running("garage", 100.0), small.clone()]));
        let ladder = view.ladder_of(None).unwrap();
        // 3600 of 4800 W; and 3600 + 720 W at most.
        assert_eq!((ladder.power, ladder.ceiling, ladder.tag.as_str()), (Some(75.0), 90, "90 % at most"));
        assert!(ladder.sentence.contains("the miners run at 75 %; they may run"), "{}", ladder.sentence);
        small.state = MinerState::Unknown;
        let ladder = together(vec![running("garage", 100.0), small]).unwrap().ladder;
        assert_eq!(ladder.unwrap().power, None, "nobody knows what one of them does");
    }
}
