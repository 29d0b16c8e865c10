//! A miner: what it does and why, its figures, what it was told.

use super::{Teller, fact, of_miner};
use crate::{
    chart,
    view::{CommandRow, Drive, Fact, Line, MinerCard, Sentence},
    words,
};
use model::{
    Celsius, Command, ManualTarget, MinerIdentity, MinerReading, Operation, OperationStage, PoolReading,
    PowerIntent, TeraHash, Watts,
    snapshot::{FollowedView, MinerState, MinerView},
};

/// How many of the last commands are shown.
const COMMANDS: usize = 6;
/// The power that is offered to be held where the miner's own is none of those that are.
const USUAL_STEP: u8 = 60;

impl Teller<'_> {
    pub(super) fn miner(&self, miner: &MinerView) -> MinerCard {
        let headline = words::headline(miner);
        let why = said(miner).into_iter().flatten();
        let (tag, obedience) = obedience(miner);
        let error = miner.connection.error.as_ref().map(|error| {
            let seen = miner.connection.last_seen.map(|seen| format!(" Last seen {}.", self.moment(seen)));
            format!("{error}.{}", seen.unwrap_or_default())
        });
        let powers: Vec<u8> = self.overview.site.ladder.iter().map(|step| step.power.get()).collect();
        MinerCard {
            id: miner.id.to_string(),
            name: miner.name.clone(),
            title: self.title(&headline, &miner.name),
            line: self.line(miner),
            headline,
            why: why.map(|(text, is_strong)| Sentence { text: text.to_owned(), is_strong }).collect(),
            tag: tag.to_owned(),
            obedience,
            is_old: !miner.connection.connected,
            figures: figures(miner.reading.as_ref(), aim(miner)),
            facts: facts(miner),
            drive: Some(Drive {
                is_auto: miner.intent.auto_control,
                is_latched: miner.latches.emergency,
                ladder: self.ladder(miner),
                step: step(miner, &powers),
                powers,
                wishes: self.wishes(miner),
                commands: miner
                    .operations
                    .iter()
                    .take(COMMANDS)
                    .map(|operation| self.command(operation))
                    .collect(),
            }),
            error,
            identity: identity(miner.identity.as_ref(), miner.reading.as_ref()),
            latest: chart::newest_of_miner(&miner.connection, miner.reading.as_ref()),
        }
    }

    /// A miner that is only looked at. One that doesn't answer may just be switched off: that is no fault.
    pub(super) fn followed(&self, miner: &FollowedView) -> MinerCard {
        let connection = &miner.connection;
        let reading = miner.reading.as_ref();
        let rate = reading.and_then(|reading| reading.hash_rate);
        let (health, headline) = match rate {
            _ if !connection.connected && connection.last_seen.is_none() => ("", "Not seen yet"),
            _ if !connection.connected => ("", "Doesn't answer"),
            Some(rate) if rate.get() > 0.0 => ("good", "Mining"),
            Some(_) => ("good", "Not mining"),
            None => ("good", "Answers"),
        };
        let seen = connection.last_seen.filter(|_| !connection.connected);
        let why = [
            Some(
                "It is only looked at, and never told anything. That is changed on the page of devices."
                    .to_owned(),
            ),
            seen.map(|seen| format!("Last seen {}: what stands here is of then.", self.moment(seen))),
        ];
        let facts = readings(reading);
        let word = headline.to_lowercase();
        MinerCard {
            id: miner.id.to_string(),
            name: miner.name.clone(),
            title: self.title(headline, &miner.name),
            line: Line {
                health: health.to_owned(),
                word,
                power: words::power(
                    reading.filter(|_| connection.connected).and_then(|reading| reading.power),
                )
                .text(),
                percent: String::new(),
            },
            headline: headline.to_owned(),
            why: why.into_iter().flatten().map(|text| Sentence { text, is_strong: false }).collect(),
            tag: String::new(),
            obedience: "only looked at".to_owned(),
            is_old: !connection.connected,
            figures: figures(reading, None),
            facts,
            drive: None,
            error: None,
            identity: identity(miner.identity.as_ref(), reading),
            latest: chart::newest_of_miner(connection, reading),
        }
    }

    fn title(&self, headline: &str, name: &str) -> String {
        format!("{headline} · {name} · {}", self.overview.site.name)
    }

    fn line(&self, miner: &MinerView) -> Line {
        let (health, reached) = of_miner(&miner.connection);
        let under_way = miner.operations.first().filter(|operation| words::is_under_way(operation));
        let word = match (miner.state, under_way.map(|operation| operation.command)) {
            _ if !miner.connection.connected => reached.to_owned(),
            (_, Some(Command::Off)) => "switching off".to_owned(),
            (_, Some(Command::Start { .. })) => "starting".to_owned(),
            (_, Some(Command::SetPower { percent, .. })) => format!("going to {percent}"),
            (MinerState::Unknown, None) => "not known".to_owned(),
            (MinerState::Off, None) if miner.intent.power == PowerIntent::Off => "off by you".to_owned(),
            (MinerState::Off, None) => "off".to_owned(),
            (MinerState::Running, None) if self.held(miner).is_some() => "held by you".to_owned(),
            (MinerState::Running, None) => "mining".to_owned(),
        };
        let is_known = miner.connection.connected && miner.state == MinerState::Running;
        let percent = words::share_in_force(miner).filter(|_| is_known);
        let reading = miner.reading.as_ref().filter(|_| miner.connection.connected);
        Line {
            health: health.to_owned(),
            word,
            power: words::power(reading.and_then(|reading| reading.power)).text(),
            percent: percent.map_or_else(String::new, |percent| words::number(Some(percent), 0, "%").text()),
        }
    }

    fn wishes(&self, miner: &MinerView) -> Vec<String> {
        let mut wishes = Vec::new();
        if miner.intent.power == PowerIntent::Off {
            wishes.push("You switched it off. It stays off until you switch it on.".to_owned());
        }
        if let (Some(target), Some(until)) = (self.held(miner), miner.manual_until) {
            wishes.push(format!("Held at {target} until {}.", self.moment(until)));
        }
        wishes
    }

    /// The power that a person asked for, while that holds.
    pub(super) fn held(&self, miner: &MinerView) -> Option<String> {
        let manual =
            miner.intent.manual.filter(|_| miner.manual_until.is_some_and(|until| until > self.now))?;
        Some(match manual.target {
            ManualTarget::Percent(percent) => percent.to_string(),
            ManualTarget::Watts(watts) => watts.to_string(),
        })
    }

    fn command(&self, operation: &Operation) -> CommandRow {
        CommandRow {
            id: operation.id.0,
            when: self.moment(operation.decided_at),
            what: words::command(operation.command),
            outcome: words::outcome(operation),
            progress: words::progress(operation),
        }
    }
}

/// Why, why not more, what would change it, and when; and whether it is said with stress.
pub(super) fn said(miner: &MinerView) -> [Option<(&str, bool)>; 4] {
    let explanation = &miner.decision.explanation;
    let sentences = [
        Some((explanation.why.as_str(), false)),
        explanation.why_not_more.as_deref().map(|text| (text, true)),
        Some((explanation.what_would_change.as_str(), false)),
        explanation.when.as_deref().map(|text| (text, false)),
    ];
    sentences.map(|said| said.filter(|(text, _)| !text.is_empty()))
}

/// The power that it is on its way to.
fn aim(miner: &MinerView) -> Option<String> {
    let under_way = miner.operations.first().filter(|operation| words::is_under_way(operation))?;
    let watts = under_way.command.watts();
    Some(watts.map_or_else(|| "off".to_owned(), |watts| words::power(Some(watts)).text()))
}

fn figures(reading: Option<&MinerReading>, aim: Option<String>) -> Vec<Fact> {
    let rate = reading.and_then(|reading| reading.hash_rate).map(TeraHash::get);
    let power = words::power(reading.and_then(|reading| reading.power));
    vec![
        fact("Hash rate", words::number(rate, 1, "TH/s")),
        Fact { aim, ..fact("Power", power) },
        fact("Efficiency", words::number(reading.and_then(words::efficiency), 1, "J/TH")),
    ]
}

fn facts(miner: &MinerView) -> Vec<Fact> {
    let set_to = miner.reading.as_ref().and_then(|reading| reading.power_set);
    let set_to = fact("Set to", words::power(set_to));
    let at_most = fact("At most", words::number(Some(f64::from(miner.latches.ceiling.get())), 0, "%"));
    let share = miner.share.map(|share| fact("Its share", words::power(Some(share))));
    [set_to, at_most].into_iter().chain(share).chain(readings(miner.reading.as_ref())).collect()
}

fn readings(reading: Option<&MinerReading>) -> Vec<Fact> {
    let celsius = |of: fn(&MinerReading) -> Option<Celsius>| {
        words::number(reading.and_then(of).map(Celsius::get), 0, "°C")
    };
    let rpm =
        |of: fn(&MinerReading) -> Option<u32>| words::number(reading.and_then(of).map(f64::from), 0, "rpm");
    vec![
        fact("Chips", celsius(|reading| reading.chip_max)),
        fact("Air", celsius(|reading| reading.ambient)),
        fact("Fan in", rpm(|reading| reading.fan_in_rpm)),
        fact("Fan out", rpm(|reading| reading.fan_out_rpm)),
    ]
}

/// The one of these powers that the miner is set to, as near as there is one.
fn step(miner: &MinerView, powers: &[u8]) -> u8 {
    let share = words::share_in_force(miner);
    let near = |share: f64| powers.iter().copied().find(|power| (f64::from(*power) - share).abs() < 5.0);
    share.and_then(near).unwrap_or(USUAL_STEP)
}

/// What is on its way, or that it does what it was told.
fn obedience(miner: &MinerView) -> (&'static str, String) {
    match miner.operations.first() {
        _ if miner.state == MinerState::Unknown => ("bad", "not known what it does".to_owned()),
        Some(operation) if words::is_under_way(operation) => ("busy", words::stage(operation).to_owned()),
        Some(operation) if operation.stage == OperationStage::Failed => {
            ("bad", format!("{}: failed", words::command(operation.command)))
        }
        _ => ("good", "does what it was told".to_owned()),
    }
}

fn identity(identity: Option<&MinerIdentity>, reading: Option<&MinerReading>) -> String {
    let pools = reading.iter().flat_map(|reading| &reading.pools);
    let told = |pool: &PoolReading| match pool.status.as_str() {
        "" => pool.url.clone(),
        status => format!("{} ({status})", pool.url),
    };
    let pool = pools.filter(|pool| pool.active).map(told).next();
    let parts = [
        identity.and_then(|identity| identity.model.clone()),
        identity.and_then(|identity| identity.firmware.clone()),
        identity.map(|identity| identity.api.clone()),
        pool,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What all of them draw together; not known unless each of them was just read.
pub(super) fn power_of_all(miners: &[MinerView]) -> Option<Watts> {
    let power = |miner: &MinerView| miner.reading.as_ref().filter(|_| miner.connection.connected)?.power;
    miners.iter().map(power).try_fold(Watts::ZERO, |sum, power| Some(sum + power?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::{
        sample::{NOW, battery, followed, operation, overview, running},
        tell,
    };
    use model::{Command, Manual, MonoTime, PowerPercent, UtcMillis, snapshot::Connection};

    fn power(command: Command, stage: OperationStage) -> Fact {
        let mut miner = running("garage", 100.0);
        miner.operations = vec![Operation { command, ..operation(1, stage) }];
        tell(&overview(battery(Some(60.0)), vec![miner])).miners[0].figures[1].clone()
    }

    #[test]
    fn what_is_wanted_stands_beside_what_is_while_it_is_on_its_way() {
        let down = operation(1, OperationStage::Sent).command;
        let fact = power(down, OperationStage::Sent);
        assert_eq!((fact.value.as_str(), fact.unit.as_str()), ("3.60", "kW"));
        assert_eq!(fact.aim.as_deref(), Some("2.16\u{202f}kW"));
        assert_eq!(power(Command::Off, OperationStage::Acknowledged).aim.as_deref(), Some("off"));
        assert_eq!(power(down, OperationStage::Observed).aim, None);
        assert_eq!(power(down, OperationStage::Failed).aim, None);
    }

    fn card(miner: MinerView) -> MinerCard {
        tell(&overview(battery(Some(60.0)), vec![miner])).miners[0].clone()
    }

    #[test]
    fn a_line_says_in_a_word_what_the_miner_does() {
        let line = |change: &dyn Fn(&mut MinerView)| {
            let mut miner = running("garage", 60.0);
            change(&mut miner);
            let Line { health, word, power, percent } = card(miner).line;
            [health, word, power, percent].map(|text| text.replace('\u{202f}', " "))
        };
        assert_eq!(line(&|_| {}), ["good", "mining", "2.16 kW", "60 %"]);
        assert_eq!(line(&|miner| miner.state = MinerState::Off), ["good", "off", "2.16 kW", ""]);
        assert_eq!(line(&|miner| miner.state = MinerState::Unknown), ["good", "not known", "2.16 kW", ""]);
        let going = |miner: &mut MinerView| miner.operations = vec![operation(1, OperationStage::Sent)];
        assert_eq!(line(&going)[1], "going to 60 %");
        let held = |miner: &mut MinerView| {
            let target = ManualTarget::Percent(PowerPercent::new(60).unwrap());
            miner.intent.manual = Some(Manual { target, until: MonoTime(0) });
            miner.manual_until = Some(UtcMillis(NOW.0 + 1));
        };
        assert_eq!(line(&held)[1], "held by you");
        let stopped = |miner: &mut MinerView| {
            (miner.state, miner.intent.power) = (MinerState::Off, PowerIntent::Off);
        };
        assert_eq!(line(&stopped)[1], "off by you");
        // What it drew when it was last heard isn't what it draws.
        let gone = |miner: &mut MinerView| miner.connection.connected = false;
        assert_eq!(line(&gone), ["bad", "can't be reached", "–", ""]);
    }

    #[test]
    fn a_share_is_told_where_there_are_several() {
        let share = |share: Option<u32>| {
            let share = share.map(Watts::whole);
            let card = card(MinerView { share, ..running("garage", 60.0) });
            let fact =
                card.facts.iter().find(|fact| fact.label == "Its share").map(|fact| fact.value.clone());
            (fact, card.drive.unwrap().ladder.share.map(|share| share.replace('\u{202f}', " ")))
        };
        assert_eq!(share(None), (None, None));
        let told = |value: &str, sentence: &str| (Some(value.to_owned()), Some(sentence.to_owned()));
        let all = "Its share of what the battery allows all miners together: 2.16 kW.";
        assert_eq!(share(Some(2160)), told("2.16", all));
        let none = "It has no share of what the battery allows all miners together.";
        assert_eq!(share(Some(0)), told("0", none));
    }

    #[test]
    fn one_that_is_only_looked_at_is_told_nothing_and_may_be_off_without_fault() {
        let card = |change: &dyn Fn(&mut FollowedView)| {
            let mut overview = overview(battery(Some(60.0)), vec![running("garage", 100.0)]);
            let mut miner = followed("shed");
            change(&mut miner);
            overview.snapshot.followed = vec![miner];
            tell(&overview).miner("shed").cloned().unwrap()
        };
        let mining = card(&|_| {});
        assert_eq!((mining.headline.as_str(), mining.title.as_str()), ("Mining", "Mining · shed · Home"));
        assert!(
            mining.drive.is_none() && mining.why[0].text.starts_with("It is only looked at"),
            "{mining:?}"
        );
        assert_eq!((mining.figures[0].value.as_str(), mining.latest.is_some()), ("100.4", true));
        let gone = card(&|miner| miner.connection.connected = false);
        assert_eq!((gone.headline.as_str(), gone.line.power.as_str()), ("Doesn't answer", "–"));
        assert!(gone.is_old && gone.error.is_none() && gone.latest.is_none(), "{gone:?}");
        assert!(gone.why[1].text.starts_with("Last seen 04:06"), "{gone:?}");
        let never = card(&|miner| {
            (miner.connection, miner.reading) = (Connection::default(), None);
        });
        assert_eq!((never.headline.as_str(), never.why.len()), ("Not seen yet", 1));
    }

    #[test]
    fn a_page_goes_on_with_its_own_miner_alone() {
        let mut overview =
            overview(battery(Some(60.0)), vec![running("garage", 100.0), running("barn", 50.0)]);
        overview.snapshot.followed = vec![followed("shed")];
        let view = tell(&overview);
        let power = |id| view.latest_of(id).miner.and_then(|point| point.values[0]);
        assert_eq!((power(Some("garage")), power(Some("barn"))), (Some(3600.0), Some(1800.0)));
        assert_eq!((power(Some("shed")), power(Some("nobody")), power(None)), (Some(2160.0), None, None));
        assert_eq!(view.title_of(Some("barn")), "Mining at 50 % · barn · Home");
        assert_eq!(view.title_of(None), "Mining at 75 % · Home");
        let mut another = view.clone();
        another.followed.clear();
        assert!(!another.has_miners_of(&view), "a page that is made for it has to be made anew");
    }

    #[test]
    fn the_power_of_all_is_known_if_each_is() {
        let (garage, mut shed) = (running("garage", 100.0), running("shed", 50.0));
        assert_eq!(power_of_all(&[garage.clone(), shed.clone()]), Watts::new(5400.0));
        shed.connection.connected = false;
        assert_eq!(power_of_all(&[garage, shed]), None);
        assert_eq!(power_of_all(&[]), Some(Watts::ZERO));
    }
}
