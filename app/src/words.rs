//! What is known, in the page's words. Nothing here decides: it says what the server said.

use crate::view;
use model::{
    Command, MinerIdentity, MinerReading, Operation, OperationStage, Watts,
    snapshot::{MinerState, MinerView},
};

/// A value and its unit, apart: the page sets units smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The number, or a dash where it isn't known.
    pub value: String,
    /// Its unit; empty where it isn't known.
    pub unit: &'static str,
}

impl Told {
    fn some(value: String, unit: &'static str) -> Self {
        Self { value, unit }
    }

    /// A value that isn't known.
    pub fn unknown() -> Self {
        Self { value: "–".to_owned(), unit: "" }
    }

    /// Whether it is known.
    pub fn is_known(&self) -> bool {
        !self.unit.is_empty()
    }

    /// Both as one text, which no line break parts.
    pub fn text(&self) -> String {
        if self.is_known() { format!("{}\u{202f}{}", self.value, self.unit) } else { self.value.clone() }
    }
}

/// A power: whole watts below a kilowatt, above it kilowatts with two decimals, from ten on with one.
pub fn power(power: Option<Watts>) -> Told {
    let Some(watts) = power.map(Watts::get) else { return Told::unknown() };
    let kilowatts = watts / 1000.0;
    // What is rounded decides, so that 999.6 W is 1.00 kW and not 1000 W.
    if watts.abs().round() < 1000.0 {
        Told::some(minus(format!("{watts:.0}")), "W")
    } else if (kilowatts.abs() * 100.0).round() < 1000.0 {
        Told::some(minus(format!("{kilowatts:.2}")), "kW")
    } else {
        Told::some(minus(format!("{kilowatts:.1}")), "kW")
    }
}

/// A number with so many decimals and its unit.
pub fn number(value: Option<f64>, decimals: usize, unit: &'static str) -> Told {
    value.map_or_else(Told::unknown, |value| Told::some(minus(format!("{value:.decimals$}")), unit))
}

/// A real minus sign, and none before a zero.
fn minus(number: String) -> String {
    match number.strip_prefix('-') {
        Some(rest) if rest.chars().all(|letter| matches!(letter, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => number,
    }
}

/// A state of charge: whole where it is whole, else with one decimal.
pub fn charge(percent: Option<f64>) -> Told {
    let whole = percent.is_some_and(|percent| ((percent * 10.0).round() / 10.0).fract() == 0.0);
    number(percent, usize::from(!whole), "%")
}

/// A number and its percent sign stay on one line.
pub fn unbroken(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// Efficiency in J/TH, where power and hash rate are known and it hashes.
pub fn efficiency(reading: &MinerReading) -> Option<f64> {
    let (power, rate) = (reading.power?.get(), reading.hash_rate?.get());
    (rate > 0.0).then(|| power / rate)
}

/// Whether an operation is still on its way.
pub fn is_under_way(operation: &Operation) -> bool {
    matches!(operation.stage, OperationStage::Queued | OperationStage::Sent | OperationStage::Acknowledged)
}

/// What a miner does, in the largest type of the page.
pub fn headline(miner: &MinerView) -> String {
    let under_way = miner.operations.first().filter(|operation| is_under_way(operation));
    if let Some(operation) = under_way {
        return match operation.command {
            Command::Off => "Switching off".to_owned(),
            Command::Start { percent, .. } => format!("Starting at {percent}"),
            Command::SetPower { percent, .. } => format!("Going to {percent}"),
        };
    }
    match miner.state {
        MinerState::Unknown => "Not known".to_owned(),
        MinerState::Off => "Off".to_owned(),
        MinerState::Running => share_in_force(miner)
            .map_or_else(|| "Mining".to_owned(), |percent| format!("Mining at {percent:.0} %")),
    }
}

/// The power the miner is set to as a percentage of its full power.
pub fn share_in_force(miner: &MinerView) -> Option<f64> {
    let set = miner.reading.as_ref()?.power_set?.get();
    let base = miner.base_watts.get();
    (base > 0.0).then(|| set / base * 100.0)
}

/// What kind of miner it is: its maker and its model, as far as they are known.
pub fn kind(identity: Option<&MinerIdentity>) -> String {
    let Some(identity) = identity else { return String::new() };
    // Only the WhatsMiner's own interfaces are called V2 and V3.
    let maker = if identity.api.starts_with('V') { "WhatsMiner" } else { "" };
    let model = identity.model.as_deref().unwrap_or_default();
    [maker, model].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What an operation asks for.
pub fn command(command: Command) -> String {
    match command {
        Command::Off => "Off".to_owned(),
        Command::Start { percent, .. } => format!("Start at {percent}"),
        Command::SetPower { percent, .. } => format!("To {percent}"),
    }
}

/// How far an operation has come.
pub fn stage(operation: &Operation) -> &'static str {
    match (operation.stage, operation.command) {
        (OperationStage::Queued, _) => "waiting to be sent",
        (OperationStage::Sent, _) => "sent, not yet answered",
        (OperationStage::Acknowledged, _) => "acknowledged, not yet seen to work",
        (OperationStage::Observed, Command::Off) => "seen to be off",
        (OperationStage::Observed, _) => "seen to work",
        (OperationStage::Failed, _) => "failed",
        (OperationStage::Superseded, _) => "replaced by a newer command",
    }
}

/// What became of an operation: how far it has come, how long that took, and the miner's words if it failed.
pub fn outcome(operation: &Operation) -> String {
    let stage = stage(operation);
    match (operation.stage, operation.sent_at.zip(operation.ended_at), &operation.words) {
        (OperationStage::Observed, Some((sent, ended)), _) => {
            format!("{stage} after {}.", view::age(ended.millis_since(sent) as f64 / 1000.0))
        }
        (OperationStage::Failed, _, Some(words)) => format!("{stage}. It said: {words}."),
        _ => format!("{stage}."),
    }
}

/// What was asked and what became of it, for whoever asked.
pub fn progress(operation: &Operation) -> String {
    let (command, outcome) = (command(operation.command), outcome(operation));
    match (operation.stage, operation.command.percent()) {
        (OperationStage::Observed, Some(percent)) => {
            format!("{command}: {}: running at {percent}.", stage(operation))
        }
        _ => format!("{command}: {outcome}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{MinerId, OperationId, PowerPercent, Reason, UtcMillis};

    fn told(watts: f64) -> String {
        let told = power(Watts::new(watts));
        format!("{} {}", told.value, told.unit)
    }

    #[test]
    fn powers_read_as_people_say_them() {
        assert_eq!(told(0.0), "0 W");
        assert_eq!(told(-0.4), "0 W");
        assert_eq!(told(-312.0), "−312 W");
        assert_eq!(told(999.4), "999 W");
        assert_eq!(told(999.6), "1.00 kW");
        assert_eq!(told(2134.0), "2.13 kW");
        assert_eq!(told(9996.0), "10.0 kW");
        assert_eq!(power(None), Told::unknown());
    }

    #[test]
    fn a_charge_has_decimals_only_where_it_needs_them() {
        assert_eq!(charge(Some(60.0)).value, "60");
        assert_eq!(charge(Some(50.1)).value, "50.1");
        assert_eq!(charge(Some(59.98)).value, "60");
        assert!(!charge(None).is_known());
    }

    #[test]
    fn what_became_of_a_command_is_told_to_the_end() {
        let told = |stage, words: Option<&str>| {
            let ended_at = matches!(stage, OperationStage::Observed).then_some(UtcMillis(6_000));
            let operation = Operation {
                id: OperationId(1),
                miner: MinerId("garage".into()),
                command: Command::SetPower {
                    percent: PowerPercent::new(60).unwrap(),
                    watts: Watts::whole(2160),
                },
                reason: Reason::ManualPower,
                stage,
                means: None,
                decided_at: UtcMillis(0),
                sent_at: Some(UtcMillis(0)),
                acknowledged_at: None,
                ended_at,
                words: words.map(str::to_owned),
            };
            (outcome(&operation), progress(&operation))
        };
        let both = |outcome: &str, progress: &str| (outcome.to_owned(), progress.to_owned());
        assert_eq!(
            told(OperationStage::Acknowledged, Some("ok")),
            both("acknowledged, not yet seen to work.", "To 60 %: acknowledged, not yet seen to work.")
        );
        assert_eq!(
            told(OperationStage::Observed, None),
            both("seen to work after 6 s.", "To 60 %: seen to work: running at 60 %.")
        );
        assert_eq!(
            told(OperationStage::Failed, Some("permission denied")),
            both("failed. It said: permission denied.", "To 60 %: failed. It said: permission denied.")
        );
    }

    #[test]
    fn nothing_has_an_efficiency_without_hashing() {
        let reading = |power: Option<f64>, rate: Option<f64>| MinerReading {
            power: power.and_then(Watts::new),
            hash_rate: rate.and_then(model::TeraHash::new),
            ..MinerReading::default()
        };
        assert_eq!(efficiency(&reading(Some(2000.0), Some(100.0))), Some(20.0));
        assert_eq!(efficiency(&reading(Some(2000.0), Some(0.0))), None);
        assert_eq!(efficiency(&reading(None, Some(100.0))), None);
    }
}
