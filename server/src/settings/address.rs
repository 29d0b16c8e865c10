//! Where devices may be that are named on the page, and where passwords may go.
//!
//! The page is reached from the whole home network. So that nobody who got in makes the controller ask around for them,
//! or send a kept password to a place of theirs:
//!
//! * an address that is typed here is one of a home network, and not this machine's own, unless a device is there already;
//! * a password goes only to the address that it was given for: with another address it is typed again.

use super::{Problem, Wanted, field};
use crate::config::{Config, Host, Loaded, Miner, Notify, ServiceUrl};
use devices::{Secret, discovery::parse_range};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// How long a name may take to be found.
const LOOKUP: Duration = Duration::from_secs(5);

/// What is wrong with the addresses of a configuration that would hold. `known` are those that were put together before.
pub(super) async fn problems(after: &Loaded, known: &[&Config], wanted: &Wanted) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_typed = |name: &str| wanted.get(name).is_some_and(Option::is_some);
    let is_here_already = known.iter().any(|config| has_device_here(config));
    for field in field::fields(after).into_iter().filter(|field| field.key == "host") {
        let Some(miner) = field::miner_of(after, &field.part) else { continue };
        if is_typed(&field.name)
            && let Some(why) = forbidden(miner.host.as_str(), miner.v2_port, is_here_already).await
        {
            problems.push(Problem { name: field.name.clone(), what: why });
        }
        let was = known.iter().filter_map(|config| config.miners.iter().find(|was| was.id == miner.id));
        let was: Vec<&Miner> = was.collect();
        for key in ["password", "v3_password"] {
            let name = format!("{}.{key}", field.part);
            let of = |miner: &Miner| {
                let secret = if key == "password" { &miner.password } else { &miner.v3_password };
                secret.as_ref().map(|secret: &Secret| secret.expose().to_owned())
            };
            let address = |miner: &Miner| (miner.host.clone(), miner.v2_port, miner.v3_port);
            let goes_there_already =
                was.iter().any(|was| of(was) == of(miner) && address(was) == address(miner));
            if of(miner).is_some() && !goes_there_already && !is_typed(&name) {
                problems.push(again(name));
            }
        }
    }
    let searched = "site.search_ranges";
    let is_own = |range: &String| parse_range(range).is_ok_and(|range| range.network().is_loopback());
    if is_typed(searched) && !is_here_already && after.config.site.search_ranges.iter().any(is_own) {
        problems.push(Problem { name: searched.to_owned(), what: own() });
    }
    let battery = &after.config.battery;
    let url = "battery.base_url";
    if is_typed(url)
        && let Some((host, port)) = authority(battery.base_url.as_str())
        && let Some(why) = forbidden_service(&host, port, is_here_already).await
    {
        problems.push(Problem { name: url.to_owned(), what: why });
    }
    let goes_there_already = known.iter().any(|was| {
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        was.battery.base_url == battery.base_url && secret(&was.battery.password) == secret(&battery.password)
    });
    let name = "battery.password";
    if battery.password.is_some() && !goes_there_already && !is_typed(name) {
        problems.push(again(name.to_owned()));
    }
    problems.extend(problems_of_alerts(&after.config.notify, known, wanted).await);
    problems
}

/// The same of the services that are told of alerts.
async fn problems_of_alerts(notify: &Notify, known: &[&Config], wanted: &Wanted) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_typed = |name: &str| wanted.get(name).is_some_and(Option::is_some);
    let has_service_here = |notify: &Notify| services(notify).iter().any(|(_, host, _)| is_here(host));
    let is_here_already =
        known.iter().any(|config| has_device_here(config) || has_service_here(&config.notify));
    let known: Vec<&Notify> = known.iter().map(|config| &config.notify).collect();
    for (name, host, port) in services(notify) {
        if is_typed(name)
            && let Some(why) = forbidden_service(&host, port, is_here_already).await
        {
            problems.push(Problem { name: name.to_owned(), what: why });
        }
    }
    let same = |one: Option<&ServiceUrl>, other: Option<&ServiceUrl>| {
        one.zip(other).is_some_and(|(one, other)| one.is_at(other))
    };
    let goes_there_already = known.iter().any(|was| {
        was.ntfy_token == notify.ntfy_token && same(was.ntfy_url.as_ref(), notify.ntfy_url.as_ref())
    });
    let ntfy = (notify.ntfy_token.is_some(), goes_there_already, "notify.ntfy_token");
    let goes_there_already = known.iter().any(|was| {
        was.telegram_token == notify.telegram_token && was.telegram_url.is_at(&notify.telegram_url)
    });
    let telegram = (notify.telegram_token.is_some(), goes_there_already, "notify.telegram_token");
    let goes_there_already = known.iter().any(|was| {
        let address = |notify: &Notify| (notify.mail_host.clone(), notify.mail_port, notify.mail_security);
        was.mail_password == notify.mail_password && address(was) == address(notify)
    });
    let mail = (notify.mail_password.is_some(), goes_there_already, "notify.mail_password");
    for (is_set, goes_there_already, name) in [ntfy, telegram, mail] {
        if is_set && !goes_there_already && !is_typed(name) {
            problems.push(again(name.to_owned()));
        }
    }
    problems
}

/// The services that are told of alerts: the setting that says where, host and port.
fn services(notify: &Notify) -> Vec<(&'static str, String, u16)> {
    let urls = [
        ("notify.ntfy_url", notify.ntfy_url.as_ref()),
        ("notify.webhook_url", notify.webhook_url.as_ref()),
        ("notify.telegram_url", Some(&notify.telegram_url)),
    ];
    let urls = urls.into_iter().filter_map(|(name, url)| {
        let (host, port) = url?.authority()?;
        Some((name, host, port))
    });
    let mail = notify.mail_host.as_ref();
    let mail = mail.map(|host| ("notify.mail_host", host.as_str().to_owned(), notify.mail_port));
    urls.chain(mail).collect()
}

fn again(name: String) -> Problem {
    let what = "type it again: the one that is kept was given for another address";
    Problem { name, what: what.to_owned() }
}

/// A device of this configuration is on this machine.
fn has_device_here(config: &Config) -> bool {
    let source = authority(config.battery.base_url.as_str());
    config.miners.iter().any(|miner| is_here(miner.host.as_str()))
        || source.is_some_and(|(host, _)| is_here(&host))
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Host and port of an address that was read before.
fn authority(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((host, url.port_or_known_default()?))
}

/// Why no device may be there.
async fn forbidden(host: &str, port: u16, is_here_already: bool) -> Option<String> {
    addresses(host, port).await.into_iter().find_map(|address| {
        if address.is_loopback() {
            return (!is_here_already).then(own);
        }
        Host::of_address(address).err().map(str::to_owned)
    })
}

/// Why no service may be there: unlike a device, it may be anywhere on the internet.
async fn forbidden_service(host: &str, port: u16, is_here_already: bool) -> Option<String> {
    addresses(host, port).await.into_iter().find_map(|address| {
        if address.is_loopback() {
            return (!is_here_already).then(own);
        }
        Host::unusable(address).map(str::to_owned)
    })
}

fn own() -> String {
    "that is this machine itself: only the file puts a device or a service here".to_owned()
}

/// The addresses behind a name. One that can't be found now may be there later: a device that is off has no name.
async fn addresses(host: &str, port: u16) -> Vec<IpAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return vec![address.to_canonical()];
    }
    let found = tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, port))).await;
    let found = found.ok().and_then(Result::ok).into_iter().flatten();
    found.map(|address: SocketAddr| address.ip().to_canonical()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Changes, Inputs};

    /// The names of what is wrong, if the range was typed into a site with its miner at `host`.
    async fn wrong(host: &str, range: &str) -> Vec<String> {
        let text = format!(
            "site: {{timezone: UTC, search_ranges: [{range}]}}\nminer: {{host: {host}}}\n\
             battery: {{user: me, password: sun, base_url: https://portal.invalid}}\n"
        );
        let loaded = Inputs::of_text(&text, std::iter::empty()).load(&Changes::new()).unwrap();
        let wanted = Wanted::from([("site.search_ranges".to_owned(), Some(range.to_owned()))]);
        let problems = problems(&loaded, &[&loaded.config], &wanted).await;
        problems.into_iter().map(|problem| problem.name).collect()
    }

    #[tokio::test]
    async fn this_machine_is_searched_only_where_the_file_has_put_a_device() {
        assert_eq!(wrong("192.168.7.9", "127.0.9.0/24").await, ["site.search_ranges"]);
        assert_eq!(wrong("192.168.7.9", "192.168.7.0/24").await, [""; 0]);
        assert_eq!(wrong("127.0.0.1", "127.0.9.0/24").await, [""; 0]);
    }
}
