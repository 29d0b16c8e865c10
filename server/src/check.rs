//! `wm-controller check`: would this configuration work, and with `--live`: do the devices?

use crate::{
    assemble,
    config::{self, Config, Loaded},
};
use model::{BatteryReading, Now};
use std::io::{self, Write};

/// A reading may be from this many seconds ahead of our clock, as the control law has it.
const FUTURE: i64 = 120;

/// Says what the configuration comes to, and what deserves a look.
pub fn describe(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let Loaded { config, warnings, file, .. } = loaded;
    match file {
        Some(file) => writeln!(out, "{} is fine.", file.display())?,
        None => writeln!(out, "No config.yaml: the defaults and the environment hold.")?,
    }
    writeln!(out, "Site {}, zone {}.", config.site.name, config.site.timezone)?;
    for miner in &config.miners {
        let (min, max) = miner.power_range();
        writeln!(
            out,
            "Miner {} at {}: 100 % is {}, told {min} to {max}.",
            miner.label(),
            miner.host.as_str(),
            miner.base_watts
        )?;
    }
    let battery = &config.battery;
    writeln!(
        out,
        "Battery at {}, asked every {} s.",
        battery.base_url.as_str(),
        battery.effective_poll().as_secs()
    )?;
    let enabled = if config.autocontrol.enabled { "on" } else { "off" };
    writeln!(out, "Auto-control is {enabled} unless somebody switched it in the program.")?;
    for warning in warnings {
        writeln!(out, "Warning: {warning}")?;
    }
    Ok(())
}

/// Something that was found out about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// It works.
    pub is_well: bool,
    /// What was found, and what to do about it.
    pub text: String,
}

/// Talks to the devices without changing anything, and says what works and what to do. Returns whether all works.
pub async fn live(config: &Config, now: Now, out: &mut impl Write) -> io::Result<bool> {
    let mut well = true;
    let found = battery(config, now).await;
    writeln!(out, "Battery: {}", found.text)?;
    well &= found.is_well;
    for configured in &config.miners {
        for found in miner(configured, now).await {
            writeln!(out, "Miner {}: {}", configured.label(), found.text)?;
            well &= found.is_well;
        }
    }
    if config.miners.is_empty() {
        writeln!(out, "No miner is configured: add miner.host to config.yaml.")?;
        well = false;
    }
    Ok(well)
}

/// Asks the battery's source for a reading.
pub async fn battery(config: &Config, now: Now) -> Finding {
    let reading = match assemble::battery(config) {
        Ok(source) => source.read(now).await,
        Err(error) => Err(error),
    };
    match reading {
        Ok(reading) => {
            let soc =
                reading.soc_percent.map_or_else(|| "no state of charge".to_owned(), |soc| format!("{soc} %"));
            let (age, in_time) = age(config, &reading, now);
            let lost = if reading.lost { ", and the portal says it is offline" } else { "" };
            let is_well = reading.soc_percent.is_some() && in_time && !reading.lost;
            Finding { is_well, text: format!("signed in; it tells {soc}, {age}{lost}.") }
        }
        Err(error) => Finding { is_well: false, text: format!("{error}.") },
    }
}

/// Asks a miner who it is, and whether it would take commands.
pub async fn miner(configured: &config::Miner, now: Now) -> Vec<Finding> {
    let miner = match assemble::miner(configured) {
        Ok(miner) => miner,
        Err(error) => return vec![Finding { is_well: false, text: format!("{error}.") }],
    };
    let identity = match miner.identify(now).await {
        Ok(identity) => identity,
        Err(error) => return vec![Finding { is_well: false, text: format!("{error}.") }],
    };
    let model = identity.model.as_deref().unwrap_or("A miner");
    let firmware = identity.firmware.as_deref().unwrap_or("unknown");
    let text = format!("{model}, firmware {firmware}, {}.", identity.api);
    let writes = match miner.check_writes(now).await {
        Ok(()) => Finding { is_well: true, text: "it would take commands.".to_owned() },
        Err(error) => Finding { is_well: false, text: format!("it would take no commands. {error}.") },
    };
    vec![Finding { is_well: true, text }, writes]
}

/// How old the reading is, and whether a miner would run on it.
fn age(config: &Config, reading: &BatteryReading, now: Now) -> (String, bool) {
    let Some(at) = reading.source_time else { return ("of unknown age".to_owned(), false) };
    let seconds = now.utc.millis_since(at) / 1000;
    let stale = config.stale_off().as_secs();
    if seconds < -FUTURE {
        (format!("{} s ahead of this machine's clock: set the clocks right", -seconds), false)
    } else if u64::try_from(seconds).is_ok_and(|seconds| seconds >= stale) {
        (format!("{seconds} s old: miners are switched off at {stale} s"), false)
    } else {
        (format!("{seconds} s old"), true)
    }
}
