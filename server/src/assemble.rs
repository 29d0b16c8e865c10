//! A site made of a configuration.

use crate::{
    config::{Battery, BatteryKind, Config, Miner, MinerKind},
    rest::Facts,
};
use control::PowerRange;
use devices::{
    BatterySource, Deadlines, DeviceError, Secret,
    axeos::{AxeOs, AxeOsConfig},
    eg4::{Portal, PortalConfig},
    whatsminer::{WhatsMiner, WhatsMinerConfig},
};
use engine::{FollowedSetup, MinerSetup, SiteSetup};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The vendor's password of the V2 account, for a miner that has no other configured. With it the miner refuses
/// writes, and says so.
const FACTORY_V2: &str = "admin";
/// The vendor's password of the V3 account.
const FACTORY_V3: &str = "super";

/// The longest time between two ticks of the control loop.
const SLOWEST_TICK: Duration = Duration::from_secs(10);
/// How long samples are gathered before they are written: often enough for a person, seldom enough for a memory card.
const SAMPLES_WAIT: Duration = Duration::from_secs(60);

/// The site that `config` describes, not yet started.
///
/// # Errors
/// If an address can't be one; the text says which.
pub fn site(config: &Config) -> Result<SiteSetup, DeviceError> {
    let (controlled, followed): (Vec<_>, Vec<_>) = config.miners.iter().partition(|miner| miner.controlled);
    Ok(SiteSetup {
        timezone: config.site.timezone,
        coordinates: config.site.latitude.zip(config.site.longitude),
        battery: battery(config)?,
        battery_poll: config.battery.effective_poll(),
        tick: tick(config),
        keep_samples: config.data.max_days,
        samples_wait: SAMPLES_WAIT,
        miners: controlled.into_iter().map(|miner| miner_setup(config, miner)).collect::<Result<_, _>>()?,
        followed: followed.into_iter().map(followed_setup).collect::<Result<_, _>>()?,
    })
}

/// The site that `after` describes, with those drivers of `setup`, made of `before`, that nothing has changed for: they are
/// signed in, and know their devices.
///
/// # Errors
/// As for [`site`].
pub fn renewed(after: &Config, before: &Config, setup: &SiteSetup) -> Result<SiteSetup, DeviceError> {
    let mut renewed = site(after)?;
    if has_same_source(&before.battery, &after.battery) {
        renewed.battery = Arc::clone(&setup.battery);
    }
    let made = setup.miners.iter().map(|miner| (&miner.id, &miner.device));
    let made = made.chain(setup.followed.iter().map(|followed| (&followed.id, &followed.device)));
    let made: BTreeMap<_, _> = made.collect();
    let devices = renewed.miners.iter_mut().map(|miner| (&miner.id, &mut miner.device));
    let devices =
        devices.chain(renewed.followed.iter_mut().map(|followed| (&followed.id, &mut followed.device)));
    for (id, device) in devices {
        let of = |config: &'_ Config| config.miners.iter().find(|miner| miner.id == *id).cloned();
        if let (Some(known), Some(configured), Some(made)) = (of(before), of(after), made.get(id))
            && has_same_driver(&known, &configured)
        {
            *device = Arc::clone(made);
        }
    }
    Ok(renewed)
}

/// Both are asked in the same way.
pub(crate) fn has_same_source(one: &Battery, other: &Battery) -> bool {
    *one == Battery { poll_seconds: one.poll_seconds, ..other.clone() }
}

/// Both are reached in the same way.
pub(crate) fn has_same_driver(one: &Miner, other: &Miner) -> bool {
    let same = Miner {
        name: one.name.clone(),
        min_watts: one.min_watts,
        max_watts: one.max_watts,
        poll_seconds: one.poll_seconds,
        mac: one.mac.clone(),
        controlled: one.controlled,
        priority: one.priority,
        ..other.clone()
    };
    *one == same
}

/// What the API tells of the configuration.
pub fn facts(config: &Config, demo: bool) -> Facts {
    Facts {
        site_name: config.site.name.clone(),
        timezone: config.site.timezone,
        coordinates: config.site.latitude.zip(config.site.longitude),
        fixed_sunset: config.autocontrol.sunset_second(),
        min_interval: config.autocontrol.min_interval_sec,
        emergency: config.autocontrol.emergency_soc,
        old_after: config.warn_after(),
        stale_after: config.stale_off(),
        manual_hold: config.autocontrol.manual_hours,
        default_days: config.data.default_days.as_secs_f64() / 86_400.0,
        tick: tick(config),
        search_ranges: config.site.search_ranges.clone(),
        csv_log: config.data.csv_log.then_some(config.data.log_interval_sec),
        samples_kept: config.data.max_days,
        backup_every: config.data.backups.then_some(config.data.backup_days),
        backups_kept: config.data.backups_kept as usize,
        demo,
    }
}

/// The control loop looks as often as the quickest miner is read.
fn tick(config: &Config) -> Duration {
    config.miners.iter().map(|miner| miner.poll_seconds).min().unwrap_or(SLOWEST_TICK).min(SLOWEST_TICK)
}

/// The driver of a configured miner.
///
/// # Errors
/// If its address can't be one; the text says which.
pub fn miner(miner: &Miner) -> Result<Arc<dyn devices::Miner>, DeviceError> {
    Ok(match miner.kind {
        MinerKind::WhatsMiner => Arc::new(whatsminer(miner)),
        MinerKind::AxeOs => Arc::new(AxeOs::new(&AxeOsConfig {
            host: miner.host.as_str().to_owned(),
            port: miner.axeos_port,
            deadlines: Deadlines::default(),
        })?),
    })
}

fn whatsminer(miner: &Miner) -> WhatsMiner {
    let or_factory = |secret: Option<&Secret>, factory: &str| {
        secret.cloned().unwrap_or_else(|| Secret::new(factory.to_owned()))
    };
    WhatsMiner::new(WhatsMinerConfig {
        host: miner.host.as_str().to_owned(),
        v2_port: miner.v2_port,
        v3_port: miner.v3_port,
        v2_password: or_factory(miner.password.as_ref(), FACTORY_V2),
        v3_account: miner.v3_account.clone(),
        v3_password: or_factory(miner.v3_secret(), FACTORY_V3),
        base_watts: miner.base_watts,
        deadlines: Deadlines::default(),
    })
}

/// The configured battery source.
///
/// # Errors
/// If its address can't be one.
pub fn battery(config: &Config) -> Result<Arc<dyn BatterySource>, DeviceError> {
    let battery = &config.battery;
    let secret = |text: Option<&str>| Secret::new(text.unwrap_or_default().to_owned());
    match battery.kind {
        BatteryKind::Eg4Portal => {
            let password = battery.password.as_ref().map(Secret::expose);
            let account = PortalConfig::new(secret(battery.user.as_deref()), secret(password));
            let portal = Portal::new(PortalConfig {
                base_url: battery.base_url.as_str().to_owned(),
                plant: battery.plant.map(i64::from),
                inverters: battery.inverters.clone(),
                session_refresh: battery.session_refresh_hours,
                ..account
            })?;
            Ok(Arc::new(portal))
        }
    }
}

fn miner_setup(config: &Config, configured: &Miner) -> Result<MinerSetup, DeviceError> {
    let (min, max) = configured.power_range();
    Ok(MinerSetup {
        id: configured.id.clone(),
        name: configured.label().to_owned(),
        host: configured.host.as_str().to_owned(),
        device: miner(configured)?,
        policy: config.policy(configured),
        range: PowerRange { min, max },
        poll: configured.poll_seconds,
        mac: configured.mac.clone(),
        priority: configured.priority,
        auto_control: config.autocontrol.enabled,
        manual_hold: config.autocontrol.manual_hours,
    })
}

fn followed_setup(configured: &Miner) -> Result<FollowedSetup, DeviceError> {
    Ok(FollowedSetup {
        id: configured.id.clone(),
        name: configured.label().to_owned(),
        host: configured.host.as_str().to_owned(),
        device: miner(configured)?,
        poll: configured.poll_seconds,
        mac: configured.mac.clone(),
    })
}
