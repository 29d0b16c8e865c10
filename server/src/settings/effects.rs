//! What follows from a change, in words.

use crate::{
    assemble,
    config::{Config, Miner, Notify},
    notify,
};
use control::PowerRange;
use engine::Law;
use model::MinerId;

/// The numbers by which each miner would be controlled.
pub(super) fn laws(config: &Config) -> Vec<(MinerId, Law)> {
    let law = |miner: &Miner| {
        let (min, max) = miner.power_range();
        (miner.id.clone(), Law { policy: config.policy(miner), range: PowerRange { min, max } })
    };
    config.miners.iter().filter(|miner| miner.controlled).map(law).collect()
}

/// What a person should know before they say yes.
pub(super) fn effects(before: &Config, after: &Config) -> Vec<String> {
    let mut effects = Vec::new();
    if !assemble::has_same_source(&before.battery, &after.battery) {
        effects.push(
            "The battery's source is signed in to anew. Until it answers, the state of charge isn't known."
                .to_owned(),
        );
    }
    for miner in &after.miners {
        match before.miners.iter().find(|known| known.id == miner.id) {
            None if !miner.controlled => {
                effects.push(format!("{} is looked at from now on, and never commanded.", miner.label()));
            }
            None => effects.push(format!(
                "{} is followed from now on. The battery drives it {}.",
                miner.label(),
                if after.autocontrol.enabled { "at once" } else { "once you switch auto-control on" }
            )),
            Some(known) if known.controlled && !miner.controlled => effects.push(left_alone(miner)),
            Some(known) if !known.controlled && miner.controlled => effects.push(format!(
                "The battery drives {} from now on{}.",
                miner.label(),
                if after.autocontrol.enabled { "" } else { ", once you switch auto-control on" }
            )),
            Some(known) if !assemble::has_same_driver(known, miner) => effects.push(format!(
                "{} is connected to anew. Until it answers, it isn't known what it does.",
                miner.label()
            )),
            Some(_) => {}
        }
    }
    let is_gone = |known: &&Miner| after.miners.iter().all(|miner| miner.id != known.id);
    effects.extend(before.miners.iter().filter(|known| known.controlled).filter(is_gone).map(left_alone));
    if after.data.max_days < before.data.max_days {
        effects.push(format!(
            "Single samples older than {:.0} days are removed for good; what they were summed up to stays.",
            after.data.max_days.as_secs_f64() / 86_400.0
        ));
    }
    if after.notify != before.notify {
        effects.push(told_by(&after.notify));
    }
    if after.autocontrol.enabled != before.autocontrol.enabled {
        effects.push("Where somebody has switched auto-control by hand, that holds.".to_owned());
    }
    effects
}

/// By which channels people are told of alerts.
fn told_by(notify: &Notify) -> String {
    let channels: Vec<_> = notify::channels(notify).map(|channel| channel.to_string()).collect();
    if channels.is_empty() {
        return "Alerts are told on the page alone.".to_owned();
    }
    format!("Alerts go out by {} from now on. Send a test to see whether they arrive.", channels.join(", "))
}

fn left_alone(miner: &Miner) -> String {
    format!(
        "{} isn't controlled any more and stays as it is, even if the battery runs empty. Switch it off first.",
        miner.label()
    )
}
