//! The ladder: which power the battery's charge allows, and where the miner is.

use super::Teller;
use crate::{
    view::{Ladder, Mark, Step},
    words,
};
use model::{
    PowerPercent,
    snapshot::{MinerState, MinerView},
};

/// Words that stand nearer to the battery's own than this would run into it, in percent of the width.
const ROOM: f64 = 17.0;

impl Teller<'_> {
    pub(super) fn ladder(&self, miner: &MinerView) -> Ladder {
        let charge = self.overview.snapshot.battery.soc.map(model::Soc::get);
        let power = match miner.state {
            MinerState::Unknown => None,
            MinerState::Off => Some(0.0),
            MinerState::Running => words::share_in_force(miner).map(|share| (share * 10.0).round() / 10.0),
        };
        let (class, tag) = self.tag(miner, power);
        Ladder {
            sentence: self.in_words(miner, charge, power),
            tag,
            class: class.to_owned(),
            off_up_to: self.overview.site.emergency.get(),
            steps: self.steps(miner.latches.ceiling, power),
            ceiling: miner.latches.ceiling.get(),
            charge,
            power,
            marks: self.marks(charge),
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
    fn tag(&self, miner: &MinerView, power: Option<f64>) -> (&'static str, String) {
        let ceiling = miner.latches.ceiling;
        if miner.latches.stopped.is_some() {
            ("bad", "stopped".to_owned())
        } else if let Some(held) = self.held(miner) {
            ("", format!("held at {held} by you"))
        } else if !miner.intent.auto_control {
            ("", "auto-control is off".to_owned())
        } else if ceiling == PowerPercent::FULL {
            ("", "free to 100 %".to_owned())
        } else if power.is_some_and(|power| power.round() >= f64::from(ceiling.get())) {
            ("", format!("held at {ceiling}"))
        } else {
            ("", format!("{ceiling} at most"))
        }
    }

    fn in_words(&self, miner: &MinerView, charge: Option<f64>, power: Option<f64>) -> String {
        let battery = charge.map_or_else(
            || "The battery's charge isn't known".to_owned(),
            |percent| format!("The battery is at {}", words::charge(Some(percent)).text()),
        );
        let miner_does = match (miner.state, power) {
            (MinerState::Unknown, _) => "it isn't known what the miner does".to_owned(),
            (MinerState::Off, _) => "the miner is off".to_owned(),
            (MinerState::Running, None) => "the miner runs".to_owned(),
            (MinerState::Running, Some(power)) => format!("the miner runs at {power:.0} %"),
        };
        let ceiling = miner.latches.ceiling;
        let limit = if ceiling == PowerPercent::FULL {
            "it may run at up to 100 %".to_owned()
        } else {
            format!("it may run at no more than {ceiling} until the battery is full")
        };
        let emergency = self.overview.site.emergency;
        format!("{battery} and {miner_does}; {limit}, and is off at {emergency} or less.")
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
        tell(&overview(battery, vec![miner])).miners[0].ladder.clone()
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
            let steps = tell(&overview).miners[0].ladder.steps.clone();
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
