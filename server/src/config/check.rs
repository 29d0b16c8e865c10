//! What settings mean to each other: combinations that can't be, and those that deserve a look.

use super::{Config, MailSecurity, Miner, MinerKind, Notify, Origin, Provenance, problem::Problems};
use control::policy::EMERGENCY_MARGIN;
use std::{collections::BTreeMap, time::Duration};

/// The portal has something new every 2 to 5 minutes: data younger than this can't be asked of it.
const PORTAL_RHYTHM: Duration = Duration::from_secs(300);
/// Full powers in W: a WhatsMiner's is this at least, an AxeOS device's less.
const SMALLEST_WHATSMINER: f64 = 500.0;

/// Notes every combination that can't be.
pub(super) fn check(config: &Config, provenance: &Provenance, problems: &mut Problems) {
    let mut checks = Checks { provenance, problems };
    law(config, &mut checks);

    let battery = &config.battery;
    let both = battery.user.is_some() == battery.password.is_some();
    checks.need(both, &["battery.user", "battery.password"], "an account needs both user and password");
    let site = &config.site;
    let both = site.latitude.is_some() == site.longitude.is_some();
    checks.need(both, &["site.latitude", "site.longitude"], "a place needs both latitude and longitude");
    let data = &config.data;
    let fits = data.default_days <= data.max_days;
    checks.need(fits, &["data.default_days", "data.max_days"], "default_days must be at most max_days");

    notify(&config.notify, &mut checks);
    miners(config, &mut checks);
}

fn notify(notify: &Notify, checks: &mut Checks<'_>) {
    let has_topic = notify.ntfy_url.as_ref().is_none_or(|url| url.url().path().len() > 1);
    checks.need(
        has_topic,
        &["notify.ntfy_url"],
        "write the address with its topic: https://ntfy.sh/my-topic",
    );
    let has_address = notify.ntfy_token.is_none() || notify.ntfy_url.is_some();
    checks.need(has_address, &["notify.ntfy_token", "notify.ntfy_url"], "a token needs the topic's address");
    let both = notify.telegram_token.is_some() == notify.telegram_chat.is_some();
    checks.need(
        both,
        &["notify.telegram_token", "notify.telegram_chat"],
        "Telegram needs both the bot's token and the chat",
    );
    let mail = [notify.mail_host.is_some(), notify.mail_from.is_some(), !notify.mail_to.is_empty()];
    checks.need(
        mail.iter().all(|is_there| *is_there == mail[0]),
        &["notify.mail_host", "notify.mail_from", "notify.mail_to"],
        "mail needs a server, an address that it comes from and one that it goes to",
    );
    let both = notify.mail_user.is_some() == notify.mail_password.is_some();
    checks.need(
        both,
        &["notify.mail_user", "notify.mail_password"],
        "an account needs both user and password",
    );
    let in_the_open = notify.mail_security == MailSecurity::None && notify.mail_password.is_some();
    let is_here = notify.mail_host.as_ref().is_some_and(super::Host::is_this_machine);
    checks.need(
        !in_the_open || is_here,
        &["notify.mail_security", "notify.mail_password"],
        "a password goes to another machine only over an encrypted way: starttls or tls",
    );
    let both = notify.quiet_from.is_some() == notify.quiet_until.is_some();
    checks.need(
        both,
        &["notify.quiet_from", "notify.quiet_until"],
        "quiet hours need a beginning and an end",
    );
    let is_other = notify.quiet_from.is_none() || notify.quiet_from != notify.quiet_until;
    checks.need(
        is_other,
        &["notify.quiet_from", "notify.quiet_until"],
        "quiet hours can't end when they begin",
    );
}

fn law(config: &Config, checks: &mut Checks<'_>) {
    let law = &config.autocontrol;
    let path = |key: &str| format!("autocontrol.{key}");
    let confirmed = law.emergency_soc.get() + EMERGENCY_MARGIN;
    checks.need(
        law.sunset_soc.get() > confirmed,
        &[&path("sunset_soc"), &path("emergency_soc")],
        "sunset_soc must be more than emergency_soc + 5",
    );
    checks.need(
        law.sunset_soc <= law.full_soc,
        &[&path("sunset_soc"), &path("full_soc")],
        "sunset_soc must be at most full_soc",
    );
    if let Some(resume_soc) = law.resume_soc {
        checks.need(
            resume_soc.get() > confirmed,
            &[&path("resume_soc"), &path("emergency_soc")],
            "resume_soc must be more than emergency_soc + 5",
        );
        checks.need(
            resume_soc <= law.full_soc,
            &[&path("resume_soc"), &path("full_soc")],
            "resume_soc must be at most full_soc",
        );
    }
    checks.need(
        config.warn_after() < config.stale_off(),
        &[&path("warn_after_sec"), &path("stale_off_sec")],
        &format!(
            "warn_after_sec ({} s) must be less than stale_off_sec ({} s)",
            config.warn_after().as_secs_f64(),
            config.stale_off().as_secs_f64()
        ),
    );
    checks.need(
        config.warn_after() > config.battery.effective_poll(),
        &[&path("warn_after_sec"), "battery.poll_seconds"],
        "warn_after_sec must be longer than the time between two questions to the battery's source",
    );
    checks.need(
        config.site.latitude.is_some() || law.sunset_second() != law.sunrise_second(),
        &[&path("sunset_hour"), &path("sunset_minute"), &path("sunrise_hour"), &path("sunrise_minute")],
        "sunset and sunrise can't be at the same time",
    );
}

fn miners(config: &Config, checks: &mut Checks<'_>) {
    let paths = miner_paths(config, checks.provenance);
    let mut ids = BTreeMap::new();
    let mut hosts = BTreeMap::new();
    for (miner, at) in config.miners.iter().zip(&paths) {
        let path = |key: &str| format!("{at}.{key}");
        let (lowest, highest) = miner.power_range();
        checks.need(
            lowest <= highest,
            &[&path("min_watts"), &path("max_watts")],
            "min_watts must be at most max_watts",
        );
        checks.need(
            lowest <= miner.base_watts,
            &[&path("min_watts"), &path("base_watts")],
            "min_watts must be at most base_watts",
        );
        match miner.kind {
            MinerKind::WhatsMiner => checks.need(
                miner.base_watts.get() >= SMALLEST_WHATSMINER,
                &[&path("base_watts")],
                "a WhatsMiner draws 500 W at least",
            ),
            MinerKind::AxeOs => checks.need(
                miner.base_watts.get() < SMALLEST_WHATSMINER,
                &[&path("base_watts"), &path("kind")],
                "what an AxeOS device draws, less than 500 W, has to be said",
            ),
        }
        checks.need(
            miner.v2_port != miner.v3_port,
            &[&path("v2_port"), &path("v3_port")],
            "v2_port and v3_port are two different ports",
        );
        let id = path("id");
        checks.need(
            !at.starts_with("miners") || checks.is_written(&id),
            &[&id, &path("host")],
            "each miner of a list needs an id of its own, so that its history and latches stay with it",
        );
        if let Some(other) = ids.insert(&miner.id, at) {
            checks.need(false, &[&id], &format!("this id is {other}'s already"));
        }
        if let Some(other) = hosts.insert((miner.host.as_str(), miner.port()), at) {
            checks.need(
                false,
                &[&path("host")],
                &format!("this host is {other}'s already: one miner, one entry"),
            );
        }
    }
}

/// What can be, but deserves a look. Names no value.
pub(super) fn warnings(config: &Config, provenance: &Provenance) -> Vec<String> {
    let mut warnings = Vec::new();
    for (miner, at) in config.miners.iter().zip(miner_paths(config, provenance)) {
        let needs_password = miner.kind == MinerKind::WhatsMiner && miner.controlled;
        if needs_password && miner.password.is_none() && miner.v3_password.is_none() {
            warnings.push(format!(
                "{at}.password isn't set: this miner can be read, but neither stopped nor started."
            ));
        }
    }
    if config.battery.user.is_none() && !config.miners.is_empty() {
        warnings.push(
            "battery.user and battery.password aren't set: without a state of charge no miner is started."
                .to_owned(),
        );
    }
    let ntfy = config.notify.ntfy_url.as_ref().filter(|_| config.notify.ntfy_token.is_some());
    if ntfy.is_some_and(|url| url.url().scheme() == "http") {
        warnings.push(
            "notify.ntfy_url begins with http://: its token goes over the network for everybody to read."
                .to_owned(),
        );
    }
    if config.stale_off() <= PORTAL_RHYTHM {
        warnings.push(format!(
            "autocontrol.stale_off_sec is {} s, but the portal has something new only every 2 to 5 minutes: miners \
             will be stopped although nothing is wrong.",
            config.stale_off().as_secs_f64()
        ));
    }
    warnings
}

/// The path of each miner's section: "miner", then "miners\[0\]" and so on.
pub(super) fn miner_paths(config: &Config, provenance: &Provenance) -> Vec<String> {
    let single = provenance.of("miner.host").map(|_| Miner::SECTION.name.to_owned());
    let listed = (0..).map(|index| format!("miners[{index}]"));
    single.into_iter().chain(listed).take(config.miners.len()).collect()
}

struct Checks<'a> {
    provenance: &'a Provenance,
    problems: &'a mut Problems,
}

impl Checks<'_> {
    /// Notes `what` unless it `holds`, at the first of these settings that somebody wrote.
    fn need(&mut self, holds: bool, paths: &[&str], what: &str) {
        if holds {
            return;
        }
        let written = paths.iter().find(|path| self.is_written(path)).or(paths.first());
        let origin = written.and_then(|path| self.provenance.of(path)).cloned();
        self.problems.add(origin, written.map(|path| (*path).to_owned()), || what.to_owned());
    }

    fn is_written(&self, path: &str) -> bool {
        self.provenance.of(path).is_some_and(|origin| *origin != Origin::Default)
    }
}
