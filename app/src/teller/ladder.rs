//! The ladder: which power the battery's charge allows, and where the miner is, or all of them together are.

use super::Teller;
use crate::{
    view::{Ladder, Mark, Step},
    words,
};
use model::{
    PowerPercent, Watts,
    snapshot::{MinerState, MinerView},
};

/// Words that stand nearer to the battery's own than this would run into it, in percent of the width.
const ROOM: f64 = 17.0;

/// Where a miner stands on the ladder, or all of them together do.
#[derive(Clone, Copy)]
struct Stand {
    /// It is several.
    is_several: bool,
    /// What they do.
    state: MinerState,
    /// The power that they are set to, percent: 0, while they are off.
    power: Option<f64>,
    /// The highest power now allowed.
    ceiling: PowerPercent,
}

impl Stand {
    fn of(miner: &MinerView) -> Self {
        let (state, ceiling) = (miner.state, miner.latches.ceiling);
        Self { is_several: false, state, power: set_to(miner), ceiling }
    }

    /// Of what all of them can draw.
    fn of_all(miners: &[MinerView]) -> Self {
        let full: f64 = miners.iter().map(|miner| miner.base_watts.get()).sum();
        let mean = |of: fn(&MinerView) -> Option<f64>| {
            let parts = miners.iter().map(|miner| Some(of(miner)? * miner.base_watts.get()));
            let sum = parts.sum::<Option<f64>>()?;
            (full > 0.0).then(|| (sum / full * 10.0).round() / 10.0)
        };
        let are = |state| miners.iter().filter(|miner| miner.state == state).count();
        let state = match (are(MinerState::Running), are(MinerState::Off)) {
            (0, off) if off == miners.len() => MinerState::Off,
            (0, _) => MinerState::Unknown,
            _ => MinerState::Running,
        };
        let ceiling = mean(|miner| Some(f64::from(miner.latches.ceiling.get())));
        let ceiling = ceiling.and_then(|percent| PowerPercent::new(percent as u8));
        let ceiling = ceiling.unwrap_or(PowerPercent::FULL);
        Self { is_several: true, state, power: mean(set_to), ceiling }
    }

    /// What the ladder alone holds the power at.
    fn limit(self) -> String {
        let ceiling = self.ceiling;
        if ceiling == PowerPercent::FULL {
            "free to 100 %".to_owned()
        } else if self.power.is_some_and(|power| power.round() >= f64::from(ceiling.get())) {
            format!("held at {ceiling}")
        } else {
            format!("{ceiling} at most")
        }
    }
}

/// The power that a miner is set to, percent: 0, while it is off.
fn set_to(miner: &MinerView) -> Option<f64> {
    match miner.state {
        MinerState::Unknown => None,
        MinerState::Off => Some(0.0),
        MinerState::Running => words::share_in_force(miner).map(|share| (share * 10.0).round() / 10.0),
    }
}

impl Teller<'_> {
    pub(super) fn ladder(&self, miner: &MinerView) -> Ladder {
        let stand = Stand::of(miner);
        let share = miner.share.map(|share| match share {
            Watts::ZERO => "It has no share of what the battery allows all miners together.".to_owned(),
            share => {
                let told = words::power(Some(share)).text();
                format!("Its share of what the battery allows all miners together: {told}.")
            }
        });
        Ladder { share, ..self.drawn(stand, self.tag(miner, stand)) }
    }

    /// The ladder of all miners together: what they are set to, as a share of all their full powers.
    pub(super) fn ladder_of_all(&self) -> Ladder {
        let miners = &self.overview.snapshot.miners;
        let stand = Stand::of_all(miners);
        let tag = if miners.iter().all(|miner| miner.latches.stopped.is_some()) {
            ("bad", "stopped".to_owned())
        } else if miners.iter().all(|miner| !miner.intent.auto_control) {
            ("", "auto-control is off".to_owned())
        } else {
            ("", stand.limit())
        };
        self.drawn(stand, tag)
    }

    fn drawn(&self, stand: Stand, (class, tag): (&'static str, String)) -> Ladder {
        let charge = self.overview.snapshot.battery.soc.map(model::Soc::get);
        Ladder {
            sentence: self.in_words(stand, charge),
            tag,
            class: class.to_owned(),
            off_up_to: self.overview.site.emergency.get(),
            steps: self.steps(stand.ceiling, stand.power),
            ceiling: stand.ceiling.get(),
            charge,
            power: stand.power,
            marks: self.marks(charge),
            share: None,
        }
    }

    /// The steps that the emergency threshold leaves.
    fn steps(&self, ceiling: PowerPercent, power: Option<f64>) -> Vec<Step> {
        let emergency = self.overview.site.emergency;
        let reached = self.overview.site.ladder.iter().filter(|step| step.up_to > emergency);
        let steps: Vec<_> = reached.copied().collect();
        let distance = |step: &PowerPercent, power: f64| (f64::from(step.get()) - power).abs();
        let here = power.filter(|power| *power > 0.0).and_then(|power| {
            let powers = steps.iter().map(|step| step.power);
            powers.min_by(|one, other| distance(one, power).total_cmp(&distance(other, power)))
        });
        let told = |step: model::LadderStep| {
            let class = match here {
                Some(here) if step.power == here => "here",
                Some(here) if step.power < here => "below",
                _ if step.power > ceiling => "held",
                _ => "open",
            };
            let above = step.above.get().max(emergency.get());
            Step { above, width: step.up_to.get() - above, power: step.power.get(), class: class.to_owned() }
        };
        steps.into_iter().map(told).collect()
    }

    /// What holds the power.
    fn tag(&self, miner: &MinerView, stand: Stand) -> (&'static str, String) {
        if miner.latches.stopped.is_some() {
            ("bad", "stopped".to_owned())
        } else if let Some(held) = self.held(miner) {
            ("", format!("held at {held} by you"))
        } else if !miner.intent.auto_control {
            ("", "auto-control is off".to_owned())
        } else {
            ("", stand.limit())
        }
    }

    fn in_words(&self, stand: Stand, charge: Option<f64>) -> String {
        let Stand { is_several, state, power, ceiling } = stand;
        let [who, do_what, run, are, they] = if is_several {
            ["the miners", "do", "run", "are", "they"]
        } else {
            ["the miner", "does", "runs", "is", "it"]
        };
        let battery = charge.map_or_else(
            || "The battery's charge isn't known".to_owned(),
            |percent| format!("The battery is at {}", words::charge(Some(percent)).text()),
        );
        let does = match (state, power) {
            (MinerState::Unknown, _) => format!("it isn't known what {who} {do_what}"),
            (MinerState::Off, _) => format!("{who} {are} off"),
            (MinerState::Running, None) => format!("{who} {run}"),
            (MinerState::Running, Some(power)) => format!("{who} {run} at {power:.0} %"),
        };
        let limit = if ceiling == PowerPercent::FULL {
            format!("{they} may run at up to 100 %")
        } else {
            format!("{they} may run at no more than {ceiling} until the battery is full")
        };
        let emergency = self.overview.site.emergency;
        format!("{battery} and {does}; {limit}, and {are} off at {emergency} or less.")
    }

    /// Words below the ladder, without those that the battery's own would run into.
    fn marks(&self, charge: Option<f64>) -> Vec<Mark> {
        let emergency = self.overview.site.emergency;
        let mark = |at: f64, class: &str, text: String| Mark { at, text, class: class.to_owned() };
        let fixed = [
            mark(0.0, "start", "0 %".to_owned()),
            mark(emergency.get(), "", emergency.to_string()),
            mark(100.0, "end", "100 % full".to_owned()),
        ];
        let mut marks: Vec<_> = fixed
            .into_iter()
            .filter(|mark| charge.is_none_or(|charge| (charge - mark.at).abs() >= ROOM))
            .collect();
        marks.extend(charge.map(|charge| {
            let edge = match charge {
                low if low < ROOM / 2.0 => "now start",
                high if high > 100.0 - ROOM / 2.0 => "now end",
                _ => "now",
            };
            let at = match edge {
                "now start" => 0.0,
                "now end" => 100.0,
                _ => charge,
            };
            mark(at, edge, words::charge(Some(charge)).text())
        }));
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::{
        sample::{NOW, battery, overview, running},
        tell,
    };
    use model::{
        Manual, ManualTarget, MonoTime, Reason, Soc, UtcMillis,
        snapshot::{BatteryView, MinerView},
    };

    fn ladder(soc: Option<f64>, miner: MinerView) -> Ladder {
        let battery = BatteryView { soc: soc.and_then(Soc::new), ..battery(Some(60.0)) };
        tell(&overview(battery, vec![miner])).ladder_of(Some("garage")).cloned().unwrap()
    }

    fn at_most(ceiling: u8, mut miner: MinerView) -> MinerView {
        miner.latches.ceiling = PowerPercent::new(ceiling).unwrap();
        miner
    }

    fn classes(ladder: &Ladder) -> String {
        let steps = ladder.steps.iter().map(|step| format!("{}:{}", step.power, step.class));
        steps.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_filled_step_is_where_the_miner_is() {
        let held = ladder(Some(57.0), at_most(60, running("garage", 60.0)));
        assert_eq!(classes(&held), "40:below 50:below 60:here 70:held 80:held 90:held 100:held");
        assert_eq!((held.charge, held.power, held.tag.as_str()), (Some(57.0), Some(60.0), "held at 60 %"));
        assert_eq!(
            held.sentence.replace('\u{202f}', " "),
            "The battery is at 57 % and the miner runs at 60 %; it may run at no more than 60 % until the battery is full, and is off at 30 % or less."
        );
        let free = ladder(Some(75.0), running("garage", 80.0));
        assert_eq!(classes(&free), "40:below 50:below 60:below 70:below 80:here 90:open 100:open");
        assert_eq!(free.tag, "free to 100 %");
        let lower = ladder(Some(45.0), at_most(60, running("garage", 50.0)));
        assert_eq!(lower.tag, "60 % at most");
    }

    #[test]
    fn a_miner_that_is_off_is_on_no_step_and_an_unknown_one_nowhere() {
        let mut miner = at_most(60, running("garage", 60.0));
        miner.state = MinerState::Off;
        miner.latches.stopped = Some(Reason::EmergencySoc);
        let off = ladder(Some(29.0), miner.clone());
        assert_eq!(classes(&off), "40:open 50:open 60:open 70:held 80:held 90:held 100:held");
        assert_eq!((off.power, off.tag.as_str(), off.class.as_str()), (Some(0.0), "stopped", "bad"));
        miner.state = MinerState::Unknown;
        let unknown = ladder(None, miner);
        assert_eq!((unknown.charge, unknown.power), (None, None));
        assert!(unknown.sentence.starts_with("The battery's charge isn't known and it isn't known what"));
    }

    #[test]
    fn the_steps_begin_where_the_emergency_ends() {
        let above = |emergency: f64| {
            let mut overview = overview(battery(Some(60.0)), vec![running("garage", 100.0)]);
            overview.site.emergency = Soc::new(emergency).unwrap();
            let steps = tell(&overview).ladder_of(Some("garage")).unwrap().steps.clone();
            let first = steps.first().unwrap();
            (first.power, first.above, first.width)
        };
        assert_eq!(above(30.0), (40, 30.0, 10.0));
        assert_eq!(above(45.0), (50, 45.0, 5.0));
        assert_eq!(above(50.0), (60, 50.0, 10.0));
    }

    #[test]
    fn what_a_person_holds_is_theirs_until_it_ends() {
        let tag = |until: i64| {
            let mut miner = running("garage", 50.0);
            let target = ManualTarget::Percent(PowerPercent::new(50).unwrap());
            miner.intent.manual = Some(Manual { target, until: MonoTime(0) });
            miner.manual_until = Some(UtcMillis(NOW.0 + until));
            ladder(Some(90.0), miner).tag
        };
        assert_eq!(tag(60_000), "held at 50 % by you");
        assert_eq!(tag(0), "free to 100 %");
        let mut alone = running("garage", 50.0);
        alone.intent.auto_control = false;
        assert_eq!(ladder(Some(90.0), alone).tag, "auto-control is off");
    }

    #[test]
    fn words_never_run_into_the_battery_s_own() {
        for tenths in 0..=1000 {
            let marks = ladder(Some(f64::from(tenths) / 10.0), running("garage", 60.0)).marks;
            let (now, others) = marks.split_last().unwrap();
            assert!(now.class.starts_with("now"));
            assert!(
                others.iter().all(|mark| (mark.at - f64::from(tenths) / 10.0).abs() >= ROOM),
                "{marks:?}"
            );
        }
        let texts: Vec<_> = ladder(Some(57.0), running("garage", 60.0)).marks;
        assert_eq!(texts.iter().map(|mark| mark.at).collect::<Vec<_>>(), [0.0, 30.0, 100.0, 57.0]);
    }
}
