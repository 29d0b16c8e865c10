//! A miner: what it does and why, its figures, what it was told.

use super::{Teller, fact};
use crate::{
    view::{CommandRow, Fact, MinerCard, Sentence},
    words,
};
use model::{
    Celsius, ManualTarget, MinerReading, Operation, OperationStage, PowerIntent, TeraHash, Watts,
    snapshot::{MinerState, MinerView},
};

/// How many of the last commands are shown.
const COMMANDS: usize = 6;
/// The power that is offered to be held where the miner's own is none of those that are.
const USUAL_STEP: u8 = 60;

impl Teller<'_> {
    pub(super) fn miner(&self, miner: &MinerView) -> MinerCard {
        let explanation = &miner.decision.explanation;
        let said = |text: &String, is_strong| Sentence { text: text.clone(), is_strong };
        let why = [
            Some(said(&explanation.why, false)),
            explanation.why_not_more.as_ref().map(|text| said(text, true)),
            Some(said(&explanation.what_would_change, false)),
            explanation.when.as_ref().map(|text| said(text, false)),
        ];
        let (tag, obedience) = obedience(miner);
        let error = miner.connection.error.as_ref().map(|error| {
            let seen = miner.connection.last_seen.map(|seen| format!(" Last seen {}.", self.moment(seen)));
            format!("{error}.{}", seen.unwrap_or_default())
        });
        let powers: Vec<u8> = self.overview.site.ladder.iter().map(|step| step.power.get()).collect();
        MinerCard {
            id: miner.id.to_string(),
            name: miner.name.clone(),
            headline: words::headline(miner),
            why: why.into_iter().flatten().filter(|sentence| !sentence.text.is_empty()).collect(),
            tag: tag.to_owned(),
            obedience,
            is_old: !miner.connection.connected,
            figures: figures(miner),
            facts: facts(miner),
            is_auto: miner.intent.auto_control,
            is_latched: miner.latches.emergency,
            ladder: self.ladder(miner),
            step: step(miner, &powers),
            powers,
            wishes: self.wishes(miner),
            error,
            commands: miner
                .operations
                .iter()
                .take(COMMANDS)
                .map(|operation| self.command(operation))
                .collect(),
            identity: identity(miner),
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

fn figures(miner: &MinerView) -> Vec<Fact> {
    let reading = miner.reading.as_ref();
    let rate = reading.and_then(|reading| reading.hash_rate).map(TeraHash::get);
    let under_way = miner.operations.first().filter(|operation| words::is_under_way(operation));
    let aim = under_way.map(|operation| {
        let watts = operation.command.watts();
        watts.map_or_else(|| "off".to_owned(), |watts| words::power(Some(watts)).text())
    });
    let power = words::power(reading.and_then(|reading| reading.power));
    vec![
        fact("Hash rate", words::number(rate, 1, "TH/s")),
        Fact { aim, ..fact("Power", power) },
        fact("Efficiency", words::number(reading.and_then(words::efficiency), 1, "J/TH")),
    ]
}

fn facts(miner: &MinerView) -> Vec<Fact> {
    let reading = miner.reading.as_ref();
    let celsius = |of: fn(&MinerReading) -> Option<Celsius>| {
        words::number(reading.and_then(of).map(Celsius::get), 0, "°C")
    };
    let rpm =
        |of: fn(&MinerReading) -> Option<u32>| words::number(reading.and_then(of).map(f64::from), 0, "rpm");
    vec![
        fact("Set to", words::power(reading.and_then(|reading| reading.power_set))),
        fact("At most", words::number(Some(f64::from(miner.latches.ceiling.get())), 0, "%")),
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

fn identity(miner: &MinerView) -> String {
    let identity = miner.identity.as_ref();
    let pools = miner.reading.iter().flat_map(|reading| &reading.pools);
    let pool = pools.filter(|pool| pool.active).map(|pool| format!("{} ({})", pool.url, pool.status)).next();
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
        sample::{battery, operation, overview, running},
        tell,
    };
    use model::Command;

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

    #[test]
    fn the_power_of_all_is_known_if_each_is() {
        let (garage, mut shed) = (running("garage", 100.0), running("shed", 50.0));
        assert_eq!(power_of_all(&[garage.clone(), shed.clone()]), Watts::new(5400.0));
        shed.connection.connected = false;
        assert_eq!(power_of_all(&[garage, shed]), None);
        assert_eq!(power_of_all(&[]), Some(Watts::ZERO));
    }
}
