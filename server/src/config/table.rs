//! The one table of settings: names, kinds, ranges, defaults, explanations and, made of the same lines, the types
//! they are read into. What two settings mean to each other is in [`check`](super::check).

use super::{
    BaseUrl, Host, ServiceUrl,
    field::Field,
    gather::Values,
    setting::{Kind, Section, Setting, TimeUnit, Word},
};
use chrono::NaiveTime;
use chrono_tz::Tz;
use devices::Secret;
use model::{MinerId, Soc, Watts};
use std::{net::IpAddr, time::Duration};

/// The sections, in the order in which people should read them. `miners:` is a list of [`Miner::SECTION`].
pub const SECTIONS: [&Section; 7] = [
    &Site::SECTION,
    &Miner::SECTION,
    &Battery::SECTION,
    &AutoControl::SECTION,
    &Data::SECTION,
    &Notify::SECTION,
    &App::SECTION,
];

/// Makes of each section a type with a field for each setting, and its part of the table.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:literal => $type:ident {
            $( $(#[doc = $help:literal])+ $key:ident: $field:ty = $row:expr; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq)]
        pub struct $type {
            $( $(#[doc = $help])+ pub $key: $field, )+
        }

        impl $type {
            /// This section's part of the table.
            pub const SECTION: Section = Section {
                name: $name,
                help: concat!($($about),+).trim_ascii_start(),
                settings: &[$(
                    Setting {
                        key: stringify!($key),
                        help: concat!($($help),+).trim_ascii_start(),
                        ..$row
                    },
                )+],
            };

            /// Takes the section's values; `None` if one is missing, which is noted.
            pub(super) fn take(values: &mut Values<'_>) -> Option<Self> {
                $( let $key = values.take(stringify!($key), <$field as Field>::from_value); )+
                Some(Self { $( $key: $key?, )+ })
            }
        }
    };
}

section! {
    /// Where the house is, and what it is called.
    "site" => Site {
        /// The house's name, as the page shows it.
        name: String = text(64).or("Home");
        /// The house's time zone. Only the sunset rule and what people read depend on it.
        timezone: Tz = row(Kind::Zone).or("UTC");
        /// Degrees north of the equator. With the longitude, sunrise and sunset are the sun's own.
        latitude: Option<f64> = number(-90.0, 90.0, "°");
        /// Degrees east of Greenwich; west is negative.
        longitude: Option<f64> = number(-180.0, 180.0, "°");
        /// Ranges of addresses that are searched for miners, besides the networks that this machine is in: 192.168.20.0/24.
        search_ranges: Vec<String> = row(Kind::Words { of: Word::Range, most: 8 }).called("Also searched");
    }
}

section! {
    /// A miner: where it is, how to sign in, what it may draw.
    "miner" => Miner {
        /// A short name that stays the same for good: history and latches belong to it. Each miner of a list needs
        /// its own.
        id: MinerId = row(Kind::Id).or("miner");
        /// The miner's name, as the page shows it. Without one, its id.
        name: Option<String> = text(64);
        /// The kind of miner: a WhatsMiner, or a Bitaxe or another one whose firmware is AxeOS or descends from it.
        kind: MinerKind = row(Kind::Choice(&[MinerKind::WHATSMINER, MinerKind::AXEOS])).or(MinerKind::WHATSMINER);
        /// Whether the battery drives it. Without, it is only looked at: nothing is ever commanded.
        controlled: bool = row(Kind::Flag).or("true");
        /// Whose turn it is where several share what the battery allows: 1 gets its power first.
        priority: u8 = whole(1, 9, "").or("1");
        /// The miner's name or address on the home's network.
        host: Host = row(Kind::Host).variable("WM_HOST").called("Name or address");
        /// Port of the older interface, V2.
        v2_port: u16 = whole(1, 65_535, "").or("4028").called("Port of V2");
        /// Port of the newer interface, V3. It is used where it answers.
        v3_port: u16 = whole(1, 65_535, "").or("4433").called("Port of V3");
        /// Port of AxeOS.
        axeos_port: u16 = whole(1, 65_535, "").or("80").called("Port of AxeOS");
        /// The account of the older interface, V2: there is only one.
        user: String = text(64).or("admin").variable("WM_USER").called("Account of V2");
        /// The password of that account. Without it the miner can be read, but neither stopped nor started.
        password: Option<Secret> = text(256).secret().variable("WM_PASS").called("Password of V2");
        /// The account of the newer interface, V3.
        v3_account: String = text(64).or("super").called("Account of V3");
        /// The password of that account. Without it, the password above: who has changed the factory's passwords
        /// has mostly set both to the same.
        v3_password: Option<Secret> = text(256).secret().called("Password of V3");
        /// What the miner draws at 100 %: the steps of the ladder are percent of this. An AxeOS device can't be set, so
        /// it is on with this power, or off.
        base_watts: Watts = whole(1, 20_000, "W").or("3600").called("Power at 100 %");
        /// The least power it is ever told. Without it, 30 % of base_watts.
        min_watts: Option<Watts> = whole(100, 20_000, "W").called("Least power");
        /// The most power it is ever told. Without it, base_watts.
        max_watts: Option<Watts> = whole(500, 20_000, "W").called("Most power");
        /// How often the miner is read.
        poll_seconds: Duration = span(1.0, 300.0, TimeUnit::Seconds).or("10").called("Asked every");
        /// The hardware address that must answer at this host. Without it, the one that answered first.
        mac: Option<String> = row(Kind::Mac).called("Hardware address");
    }
}

section! {
    /// The battery, and where its state of charge comes from.
    "battery" => Battery {
        /// The kind of source.
        kind: BatteryKind = row(Kind::Choice(&[BatteryKind::EG4_PORTAL])).or(BatteryKind::EG4_PORTAL).called("Kind of source");
        /// The account at the portal.
        user: Option<String> = text(128).variable("EG4_USER");
        /// The account's password.
        password: Option<Secret> = text(256).secret().variable("EG4_PASS");
        /// The portal's address: another one for each region.
        base_url: BaseUrl =
            row(Kind::BaseUrl).or("https://monitor.eg4electronics.com").variable("EG4_BASE_URL").called("Address of the portal");
        /// How often the source is asked. The portal is asked every 30 s at the most, whatever is written here: it
        /// learns something new only every 2 to 5 minutes.
        poll_seconds: Duration = span(1.0, 300.0, TimeUnit::Seconds).or("10").called("Asked every");
        /// The age at which the session at the portal is renewed although it still works.
        session_refresh_hours: Duration = span(1.0, 8760.0, TimeUnit::Hours).or("168").called("Session renewed after");
        /// The number of the plant at the portal. Needed only if the account has several.
        plant: Option<u32> = whole(1, 2_147_483_647, "");
        /// The serial numbers of the inverters to read. Without them, all of the plant.
        inverters: Vec<String> = row(Kind::Words { of: Word::Code { longest: 32 }, most: 32 });
    }
}

section! {
    /// The control law: what the battery lets the miner do.
    "autocontrol" => AutoControl {
        /// Whether the battery drives the miner from the first start on. Later, what was last chosen on the page.
        enabled: bool = row(Kind::Flag).or("false").called("Auto-control from the start");
        /// At or under this state of charge the miner is off. The ladder has no step for less than 30 %.
        emergency_soc: Soc = number(30.0, 80.0, "%").or("30").called("Emergency off at");
        /// At this state of charge the battery counts as full.
        full_soc: Soc = number(95.0, 100.0, "%").or("100").called("Full at");
        /// The one start a night, after sunset, needs more than this.
        sunset_soc: Soc = number(60.0, 100.0, "%").or("60").called("Start after sunset above");
        /// A stopped miner starts again at this state of charge. Without it, only a full battery, the sunset start
        /// or a person starts it.
        resume_soc: Option<Soc> = number(50.0, 100.0, "%").called("Start again at");
        /// The shortest time off before the battery may start it again.
        min_off_sec: Duration = span(0.0, 86_400.0, TimeUnit::Seconds).or("1800").called("Shortest time off");
        /// The shortest time between two commands that aren't for safety.
        min_interval_sec: Duration = span(30.0, 86_400.0, TimeUnit::Seconds).or("120").called("Time between commands");
        /// The hour of the sunset, where the site has no coordinates.
        sunset_hour: u32 = whole(0, 23, "h").or("19");
        /// The minute of the sunset, where the site has no coordinates.
        sunset_minute: u32 = whole(0, 59, "min").or("0");
        /// The hour of the sunrise, where the site has no coordinates.
        sunrise_hour: u32 = whole(0, 23, "h").or("7");
        /// The minute of the sunrise, where the site has no coordinates.
        sunrise_minute: u32 = whole(0, 59, "min").or("0");
        /// The age of the battery's data at which there is a warning and nothing is raised. Without it, what suits
        /// the source: 360 s for the portal.
        warn_after_sec: Option<Duration> = span(10.0, 3600.0, TimeUnit::Seconds).called("Data is old after");
        /// The age of the battery's data at which the miner is switched off. Without it, what suits the source:
        /// 720 s for the portal.
        stale_off_sec: Option<Duration> = span(20.0, 3600.0, TimeUnit::Seconds).called("Off on data older than");
        /// Whether old data stops the miner even while the battery doesn't drive it.
        stale_off_without_auto: bool = row(Kind::Flag).or("false").called("Off on old data without auto-control");
        /// How long a power that a person chose holds.
        manual_hours: Duration = span(0.1, 72.0, TimeUnit::Hours).or("2").called("Manual power holds");
        /// How long the miner is left to settle after a command, until its own time was measured.
        settle_sec: Duration = span(30.0, 3600.0, TimeUnit::Seconds).or("300").called("Settling time");
        /// Off must be seen within this time, or it is sent again with an alarm.
        off_verify_sec: Duration = span(30.0, 900.0, TimeUnit::Seconds).or("180").called("Off must be seen within");
        /// The most commands in 24 hours that aren't for safety: each can cost the miner minutes of hashing.
        max_commands_per_day: u32 = whole(1, 500, "").or("48").called("Most commands a day");
    }
}

section! {
    /// The history.
    "data" => Data {
        /// How much of it the API tells if nobody says.
        default_days: Duration = span(1.0, 365.0, TimeUnit::Days).or("3").called("Told if nobody says");
        /// How long single samples are kept; what they were summed up to is kept for good.
        max_days: Duration = span(1.0, 3650.0, TimeUnit::Days).or("30").called("Samples are kept");
        /// How often the CSV files are written.
        log_interval_sec: Duration = span(60.0, 86_400.0, TimeUnit::Seconds).or("3600").called("CSV files are written every");
        /// Whether daily CSV files are written beside the database.
        csv_log: bool = row(Kind::Flag).or("false").called("Daily CSV files");
        /// Whether the database is backed up at night, beside it. A backup writes as much to the disk as the database is
        /// large; passwords are left out of it.
        backups: bool = row(Kind::Flag).or("true").called("Backups");
        /// How many days lie between two backups.
        backup_days: Duration = span(1.0, 90.0, TimeUnit::Days).or("7").called("A backup every");
        /// How many backups are kept; the oldest is removed for a new one.
        backups_kept: u32 = whole(1, 50, "").or("4").called("Backups kept");
    }
}

section! {
    /// How people are told of what can't wait until they look: by one or several of ntfy, a webhook, Telegram and mail.
    "notify" => Notify {
        /// The address of a topic at ntfy.sh or a server like it, with a name that nobody guesses. Whoever knows it reads along.
        ntfy_url: Option<ServiceUrl> = row(Kind::ServiceUrl).called("Ntfy topic");
        /// An access token of ntfy, where the topic needs one.
        ntfy_token: Option<Secret> = text(256).secret();
        /// The address that gets every alert as JSON. It is kept like a password, since it mostly holds one.
        webhook_url: Option<ServiceUrl> = row(Kind::ServiceUrl).secret().called("Webhook address");
        /// The token of a Telegram bot, as BotFather told it.
        telegram_token: Option<Secret> = text(256).secret().called("Token of the Telegram bot");
        /// The chat that the bot writes to: its number, or @ and the name of a channel.
        telegram_chat: Option<String> = text(64);
        /// Where the bot's API is.
        telegram_url: ServiceUrl = row(Kind::ServiceUrl).or("https://api.telegram.org").called("Address of Telegram");
        /// The server that mail is handed to.
        mail_host: Option<Host> = row(Kind::Server).called("Mail server");
        /// Its port: mostly 587 with starttls and 465 with tls.
        mail_port: u16 = whole(1, 65_535, "").or("587").called("Port of the mail server");
        /// How the way to it is encrypted. None is for a server on this machine or without a password.
        mail_security: MailSecurity = row(Kind::Choice(&[MailSecurity::STARTTLS, MailSecurity::TLS, MailSecurity::NONE]))
            .or(MailSecurity::STARTTLS).called("Encryption of mail");
        /// The account at the mail server, where it wants one.
        mail_user: Option<String> = text(254).called("Account at the mail server");
        /// The password of that account.
        mail_password: Option<Secret> = text(256).secret().called("Password at the mail server");
        /// The address that mail comes from.
        mail_from: Option<String> = row(Kind::MailAddress).called("Mail from");
        /// The addresses that mail goes to.
        mail_to: Vec<String> = row(Kind::Words { of: Word::MailAddress, most: 8 }).called("Mail to");
        /// When quiet hours begin, by the house's clock. What comes meanwhile is told at their end, if it still holds.
        quiet_from: Option<NaiveTime> = row(Kind::TimeOfDay).called("Quiet from");
        /// When they end.
        quiet_until: Option<NaiveTime> = row(Kind::TimeOfDay).called("Quiet until");
        /// Whether also that waits which otherwise doesn't: a stop for safety, and a miner that isn't seen to be off.
        quiet_for_all: bool = row(Kind::Flag).or("false").called("Quiet for everything");
    }
}

section! {
    /// The page and the API.
    "app" => App {
        /// The port to listen at. With 0 the system chooses one.
        port: u16 = whole(0, 65_535, "").or("8080");
        /// The address to listen at: 0.0.0.0 is reached from the whole home network, 127.0.0.1 from this machine
        /// alone.
        host: IpAddr = row(Kind::Listen).or("0.0.0.0");
        /// The names by which this machine is called, besides its addresses and localhost: raspberrypi.local, or its name on
        /// a tailnet.
        allowed_hosts: Vec<String> = row(Kind::Words { of: Word::Host, most: 32 });
        /// The addresses of proxies that are believed about who asks, and whether the way to them is encrypted: 127.0.0.1
        /// for one on this machine.
        trusted_proxies: Vec<String> = row(Kind::Words { of: Word::Address, most: 32 });
        /// Whether looking needs a sign-in too. Changing something always does.
        read_requires_sign_in: bool = row(Kind::Flag).or("false");
        /// Whether the log tells more.
        debug: bool = row(Kind::Flag).or("false");
    }
}

/// The kinds of battery sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatteryKind {
    /// EG4's web portal.
    Eg4Portal,
}

impl BatteryKind {
    pub(super) const EG4_PORTAL: &'static str = "eg4_portal";
}

/// The kinds of miners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinerKind {
    /// A WhatsMiner.
    WhatsMiner,
    /// A Bitaxe and its kin.
    AxeOs,
}

impl MinerKind {
    pub(super) const WHATSMINER: &'static str = "whatsminer";
    pub(super) const AXEOS: &'static str = "axeos";
}

/// How the way to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// It begins in the open, and nothing is said before it is encrypted.
    StartTls,
    /// From the first byte on.
    Tls,
    /// It isn't.
    None,
}

impl MailSecurity {
    pub(super) const STARTTLS: &'static str = "starttls";
    pub(super) const TLS: &'static str = "tls";
    pub(super) const NONE: &'static str = "none";
}

const fn row(kind: Kind) -> Setting {
    Setting { key: "", label: "", kind, default: None, secret: false, variable: None, help: "" }
}

const fn text(longest: usize) -> Setting {
    row(Kind::Text { longest })
}

const fn whole(min: i64, max: i64, unit: &'static str) -> Setting {
    row(Kind::Whole { min, max, unit })
}

const fn number(min: f64, max: f64, unit: &'static str) -> Setting {
    row(Kind::Number { min, max, unit })
}

const fn span(min: f64, max: f64, unit: TimeUnit) -> Setting {
    row(Kind::Span { min, max, unit })
}

impl Setting {
    /// With this default, as it would be written in the file.
    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// What people call it, where its key alone doesn't say it.
    const fn called(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    /// Never to be shown.
    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// With this environment variable beside the one that every setting has.
    const fn variable(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::setting::Written, *};
    use std::collections::BTreeSet;

    fn all() -> impl Iterator<Item = (&'static str, &'static Setting)> {
        SECTIONS.iter().flat_map(|section| section.settings.iter().map(|setting| (section.name, setting)))
    }

    #[test]
    fn every_default_is_what_its_kind_says() {
        for (section, setting) in all() {
            if let Some(default) = setting.default {
                let read = setting.kind.read(Written::Text(default));
                assert!(matches!(read, Ok(Some(_))), "{section}.{}: {read:?}", setting.key);
            }
        }
    }

    #[test]
    fn names_are_unique_and_everything_is_explained() {
        let mut paths = BTreeSet::new();
        let mut variables = BTreeSet::new();
        for (section, setting) in all() {
            assert!(paths.insert((section, setting.key)), "{section}.{}", setting.key);
            assert!(setting.variable.is_none_or(|variable| variables.insert(variable)));
            assert!(setting.help.ends_with('.') && !setting.help.starts_with(' '), "{:?}", setting.help);
            assert!(
                setting
                    .key
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
            );
        }
        let expected = ["EG4_BASE_URL", "EG4_PASS", "EG4_USER", "WM_HOST", "WM_PASS", "WM_USER"];
        assert_eq!(variables, BTreeSet::from(expected));
    }

    #[test]
    fn passwords_are_secrets_and_have_no_default() {
        for (_, setting) in all() {
            let is_secret = ["password", "token", "webhook"].iter().any(|word| setting.key.contains(word));
            assert_eq!(setting.secret, is_secret, "{}", setting.key);
            assert!(!setting.secret || setting.default.is_none(), "{}", setting.key);
        }
    }
}
