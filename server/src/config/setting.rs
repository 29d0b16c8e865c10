//! One row of the table of settings: what a value must look like, and how a text becomes one.

use super::{
    base_url::BaseUrl,
    host::Host,
    problem::nearest,
    service_url::ServiceUrl,
    yaml::{Content, Node},
};
use chrono::NaiveTime;
use chrono_tz::{TZ_VARIANTS, Tz};
use devices::discovery::{Ranges, parse_range};
use lettre::Address as MailAddress;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

/// A section of the file.
#[derive(Debug)]
pub struct Section {
    /// Its name in the file.
    pub name: &'static str,
    /// What it is about, for people.
    pub help: &'static str,
    /// Its settings, in the order in which people should read them.
    pub settings: &'static [Setting],
}

impl Section {
    /// The setting with this key.
    pub fn setting(&self, key: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in its section.
    pub key: &'static str,
    /// What people call it; its key, if empty.
    pub label: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// What it is where nothing is written, as it would be written in the file. `None`: nothing, or what `help`
    /// says; a miner's host has to be written.
    pub default: Option<&'static str>,
    /// Never shown.
    pub secret: bool,
    /// A short environment variable for it, beside the one that every setting has.
    pub variable: Option<&'static str>,
    /// What it is about, for people.
    pub help: &'static str,
}

impl Setting {
    /// The sign of its unit; empty for none.
    pub fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Whole { unit, .. } | Kind::Number { unit, .. } => unit,
            Kind::Span { unit, .. } => unit.sign(),
            _ => "",
        }
    }

    /// What people call it.
    pub fn label(&self) -> String {
        if !self.label.is_empty() {
            return self.label.to_owned();
        }
        let words = self.key.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}

/// What a setting may be. Ranges include both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// Unit, empty for none.
        unit: &'static str,
    },
    /// A number.
    Number {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Unit, empty for none.
        unit: &'static str,
    },
    /// A length of time.
    Span {
        /// Shortest, in the unit.
        min: f64,
        /// Longest, in the unit.
        max: f64,
        /// Unit.
        unit: TimeUnit,
    },
    /// A text.
    Text {
        /// Most characters.
        longest: usize,
    },
    /// A list of words, or words with commas between them.
    Words {
        /// What each of them is.
        of: Word,
        /// Most of them.
        most: usize,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A short name that is safe in a URL.
    Id,
    /// A device's name or address (see [`Host`]).
    Host,
    /// The address of a web service (see [`BaseUrl`]).
    BaseUrl,
    /// The address of a service that is told something (see [`ServiceUrl`]).
    ServiceUrl,
    /// The name or address of a server that may be anywhere.
    Server,
    /// A mail address.
    MailAddress,
    /// A time of day.
    TimeOfDay,
    /// An address of this machine to listen at.
    Listen,
    /// A hardware address.
    Mac,
    /// A time zone of the IANA database.
    Zone,
}

/// What a word of a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Letters and digits.
    Code {
        /// Most of them.
        longest: usize,
    },
    /// A host's name, or an address.
    Host,
    /// An IP address.
    Address,
    /// A range of a home network's addresses.
    Range,
    /// A mail address.
    MailAddress,
}

/// The unit of a [`Kind::Span`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
}

impl TimeUnit {
    const fn seconds(self) -> f64 {
        match self {
            Self::Seconds => 1.0,
            Self::Hours => 3600.0,
            Self::Days => 86_400.0,
        }
    }

    /// The unit's sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Hours => "h",
            Self::Days => "d",
        }
    }
}

/// How a time of day is written.
const TIME_OF_DAY: &str = "%H:%M";

/// A value that is what its [`Kind`] says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Span(Duration),
    Text(String),
    Words(Vec<String>),
    Host(Host),
    BaseUrl(BaseUrl),
    ServiceUrl(ServiceUrl),
    TimeOfDay(NaiveTime),
    Address(IpAddr),
    Zone(Tz),
}

impl Value {
    /// The value as it would be written in the file.
    pub(super) fn written(&self, kind: Kind) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Span(span) => {
                let unit = if let Kind::Span { unit, .. } = kind { unit } else { TimeUnit::Seconds };
                (span.as_secs_f64() / unit.seconds()).to_string()
            }
            Self::Text(text) => text.clone(),
            Self::Words(words) => words.join(", "),
            Self::Host(host) => host.as_str().to_owned(),
            Self::BaseUrl(url) => url.as_str().to_owned(),
            Self::ServiceUrl(url) => url.as_str().to_owned(),
            Self::TimeOfDay(time) => time.format(TIME_OF_DAY).to_string(),
            Self::Address(address) => address.to_string(),
            Self::Zone(zone) => zone.name().to_owned(),
        }
    }
}

/// A value as it was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written<'a> {
    /// In the file.
    Node(&'a Node),
    /// In the environment or as a default.
    Text(&'a str),
}

impl Kind {
    /// Reads what was written. `Ok(None)` if nothing was: an empty text is as good as none.
    ///
    /// # Errors
    /// What was expected, and what was found where that can't be a secret.
    pub(super) fn read(self, written: Written<'_>) -> Result<Option<Value>, String> {
        let (text, plain) = match written {
            Written::Text(text) => (text, true),
            Written::Node(node) if node.is_null() => return Ok(None),
            Written::Node(Node { content: Content::Scalar { text, plain }, .. }) => (text.as_str(), *plain),
            Written::Node(Node { content: Content::Mapping(_), .. }) => {
                return Err(format!("expected {self}, found a group of settings"));
            }
            Written::Node(Node { content: Content::List(items), .. }) => return self.read_list(items),
        };
        if text.is_empty() {
            return Ok(None);
        }
        let is_text =
            !matches!(self, Self::Flag | Self::Whole { .. } | Self::Number { .. } | Self::Span { .. });
        if !plain && !is_text {
            return Err(format!("expected {self}; write it without quotes"));
        }
        self.read_text(text).map(Some).map_err(|reason| match reason {
            Reason::Other => format!("expected {self}, found {}", showable(text)),
            Reason::Said(why) => format!("expected {self}: {why}"),
        })
    }

    fn read_list(self, items: &[Node]) -> Result<Option<Value>, String> {
        let Self::Words { .. } = self else { return Err(format!("expected {self}, found a list")) };
        let words: Option<Vec<&str>> = items
            .iter()
            .map(|item| match &item.content {
                Content::Scalar { text, .. } => Some(text.as_str()),
                Content::Mapping(_) | Content::List(_) => None,
            })
            .collect();
        words.and_then(|words| self.words(&words)).map(Some).ok_or_else(|| format!("expected {self}"))
    }

    fn read_text(self, text: &str) -> Result<Value, Reason> {
        let said = |why: &str| Reason::Said(why.to_owned());
        match self {
            Self::Flag => match text {
                "true" | "True" | "TRUE" => Ok(Value::Flag(true)),
                "false" | "False" | "FALSE" => Ok(Value::Flag(false)),
                _ => Err(Reason::Other),
            },
            Self::Whole { min, max, .. } => text
                .parse()
                .ok()
                .filter(|number| (min..=max).contains(number))
                .map(Value::Whole)
                .ok_or(Reason::Other),
            Self::Number { min, max, .. } => number(text, min, max).map(Value::Number).ok_or(Reason::Other),
            Self::Span { min, max, unit } => number(text, min, max)
                .and_then(|number| Duration::try_from_secs_f64(number * unit.seconds()).ok())
                .map(Value::Span)
                .ok_or(Reason::Other),
            Self::Text { longest } => {
                let fits = text.chars().count() <= longest && !text.chars().any(char::is_control);
                if fits { Ok(Value::Text(text.to_owned())) } else { Err(said("too long, or not only text")) }
            }
            Self::Words { .. } => {
                let words: Vec<&str> = text.split(',').map(str::trim).collect();
                self.words(&words).ok_or_else(|| said("that is none"))
            }
            Self::Choice(words) => words
                .iter()
                .find(|word| **word == text)
                .map(|word| Value::Text((*word).to_owned()))
                .ok_or_else(|| said("that is none of them")),
            Self::Id => {
                let safe =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
                let is_id = text.len() <= 32 && text.bytes().all(safe);
                if is_id { Ok(Value::Text(text.to_owned())) } else { Err(said("that is none")) }
            }
            Self::Host => Host::parse(text).map(Value::Host).map_err(said),
            Self::BaseUrl => BaseUrl::parse(text).map(Value::BaseUrl).map_err(said),
            Self::ServiceUrl => ServiceUrl::parse(text).map(Value::ServiceUrl).map_err(said),
            Self::Server => Host::parse_server(text).map(Value::Host).map_err(said),
            Self::MailAddress => {
                if is_mail_address(text) {
                    Ok(Value::Text(text.to_owned()))
                } else {
                    Err(said("that is none"))
                }
            }
            Self::TimeOfDay => NaiveTime::parse_from_str(text, TIME_OF_DAY)
                .map(Value::TimeOfDay)
                .map_err(|_| said("that is none")),
            Self::Listen => match text {
                "localhost" => Ok(Value::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))),
                _ => text.parse().map(Value::Address).map_err(|_| said("that is none")),
            },
            Self::Mac => mac(text).map(Value::Text).ok_or_else(|| said("that is none")),
            Self::Zone => text.parse().map(Value::Zone).map_err(|_| {
                let known = nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
                Reason::Said(format!("the nearest known one is {:?}", known.unwrap_or("UTC")))
            }),
        }
    }

    fn words(self, words: &[&str]) -> Option<Value> {
        let Self::Words { of, most } = self else { return None };
        let is_word = |word: &&str| match of {
            Word::Code { longest } => {
                (1..=longest).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
            Word::Host => Host::parse(word).is_ok(),
            Word::Address => word.parse::<IpAddr>().is_ok(),
            Word::MailAddress => is_mail_address(word),
            Word::Range => parse_range(word).and_then(|range| Ranges::only(&[range])).is_ok(),
        };
        (words.len() <= most && words.iter().all(is_word))
            .then(|| Value::Words(words.iter().map(|word| (*word).to_owned()).collect()))
    }
}

/// Why a text isn't of its kind.
enum Reason {
    /// It is something else altogether.
    Other,
    /// This.
    Said(String),
}

impl fmt::Display for Kind {
    /// What is expected, for people: "a number from 50 to 100 %".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = |unit: &'static str| if unit.is_empty() { String::new() } else { format!(" {unit}") };
        match self {
            Self::Flag => f.write_str("true or false"),
            Self::Whole { min, max, unit: name } => {
                write!(f, "a whole number from {min} to {max}{}", unit(name))
            }
            Self::Number { min, max, unit: name } => write!(f, "a number from {min} to {max}{}", unit(name)),
            Self::Span { min, max, unit } => write!(f, "a number from {min} to {max} {}", unit.sign()),
            Self::Text { longest } => write!(f, "a text of at most {longest} characters"),
            Self::Words { of: Word::Code { longest }, most } => {
                write!(f, "a list of at most {most} words of at most {longest} letters and digits")
            }
            Self::Words { of: Word::Host, most } => write!(f, "a list of at most {most} host names"),
            Self::Words { of: Word::Address, most } => write!(f, "a list of at most {most} IP addresses"),
            Self::Words { of: Word::Range, most } => {
                write!(
                    f,
                    "a list of at most {most} private ranges such as 192.168.1.0/24, each of at most 4096 addresses"
                )
            }
            Self::Words { of: Word::MailAddress, most } => {
                write!(f, "a list of at most {most} mail addresses")
            }
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Id => f.write_str("at most 32 small letters, digits, - and _"),
            Self::Host => f.write_str("a host name or an IP address"),
            Self::BaseUrl => f.write_str("the address of a web service"),
            Self::ServiceUrl => f.write_str("the address of a service"),
            Self::Server => f.write_str("the name or address of a server"),
            Self::MailAddress => f.write_str("a mail address"),
            Self::TimeOfDay => f.write_str("a time of day like 22:30"),
            Self::Listen => f.write_str("an IP address of this machine (0.0.0.0 for all)"),
            Self::Mac => f.write_str("a hardware address like c4:11:e0:12:34:56"),
            Self::Zone => f.write_str("a time zone like America/New_York"),
        }
    }
}

/// A number in this range. Words such as `nan` and `inf` aren't numbers.
fn number(text: &str, min: f64, max: f64) -> Option<f64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = text.parse().ok()?;
    (digits && (min..=max).contains(&number)).then_some(number)
}

fn is_mail_address(text: &str) -> bool {
    text.len() <= 254 && text.is_ascii() && text.parse::<MailAddress>().is_ok()
}

/// The hardware address in lower case with colons.
fn mac(text: &str) -> Option<String> {
    let pairs: Vec<&str> = text.split([':', '-']).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    (pairs.len() == 6 && pairs.iter().all(is_pair)).then(|| pairs.join(":").to_ascii_lowercase())
}

/// What was found, as far as it can't be a password that slipped into the wrong line.
fn showable(text: &str) -> String {
    let is_number =
        text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let known = [".nan", ".inf", "-.inf", "nan", "inf", "yes", "no", "on", "off", "true", "false"];
    if is_number || known.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        text.to_owned()
    } else {
        "another text".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: Kind = Kind::Whole { min: 1, max: 300, unit: "s" };
    const NUMBER: Kind = Kind::Number { min: -90.0, max: 90.0, unit: "°" };

    fn read(kind: Kind, text: &str) -> Option<Value> {
        kind.read(Written::Text(text)).ok().flatten()
    }

    #[test]
    fn numbers_are_numbers_in_their_range() {
        assert_eq!(read(WHOLE, "300"), Some(Value::Whole(300)));
        for text in ["0", "301", "1.0", "1e2", "0x10", "99999999999999999999", "ten", "-1", " 5", ".nan"] {
            assert_eq!(read(WHOLE, text), None, "{text}");
        }
        assert_eq!(read(NUMBER, "-33.5"), Some(Value::Number(-33.5)));
        assert_eq!(read(NUMBER, "1e1"), Some(Value::Number(10.0)));
        for text in ["90.1", "NaN", ".nan", "inf", "-.inf", "1e999", "-1e999", "1,5", "1_0", "e", "."] {
            assert_eq!(read(NUMBER, text), None, "{text}");
        }
    }

    #[test]
    fn a_span_is_told_in_its_unit() {
        let hours = Kind::Span { min: 0.1, max: 72.0, unit: TimeUnit::Hours };
        assert_eq!(read(hours, "0.5"), Some(Value::Span(Duration::from_secs(1800))));
        assert_eq!(read(hours, "0"), None);
    }

    #[test]
    fn an_empty_text_is_nothing() {
        for kind in [Kind::Flag, WHOLE, Kind::Host, Kind::Text { longest: 5 }] {
            assert_eq!(kind.read(Written::Text("")), Ok(None));
        }
    }

    #[test]
    fn quotes_make_a_text() {
        let node = Node { line: 1, content: Content::Scalar { text: "5".to_owned(), plain: false } };
        assert!(WHOLE.read(Written::Node(&node)).unwrap_err().contains("without quotes"));
        let text = Kind::Text { longest: 5 }.read(Written::Node(&node));
        assert_eq!(text, Ok(Some(Value::Text("5".to_owned()))));
    }

    #[test]
    fn a_message_shows_numbers_and_no_other_text() {
        assert_eq!(
            WHOLE.read(Written::Text("500")),
            Err("expected a whole number from 1 to 300 s, found 500".to_owned())
        );
        for kind in [Kind::Flag, WHOLE, NUMBER, Kind::Choice(&["a"]), Kind::Zone, Kind::Mac, Kind::Listen] {
            let message = kind.read(Written::Text("correct-horse")).unwrap_err();
            assert!(!message.contains("horse"), "{message}");
        }
    }

    #[test]
    fn the_nearest_zone_is_named() {
        assert_eq!(read(Kind::Zone, "Europe/Berlin"), Some(Value::Zone(Tz::Europe__Berlin)));
        let message = Kind::Zone.read(Written::Text("Europe/Berlni")).unwrap_err();
        assert!(message.contains("\"Europe/Berlin\""), "{message}");
        assert!(Kind::Zone.read(Written::Text("Mars/Base")).is_err());
    }

    #[test]
    fn hardware_addresses_have_one_spelling() {
        let expected = Some(Value::Text("c4:11:e0:12:34:5f".to_owned()));
        assert_eq!(read(Kind::Mac, "C4-11-E0-12-34-5F"), expected);
        for text in ["c4:11:e0:12:34", "c4:11:e0:12:34:5g", "c411e012345f", "c4:11:e0:12:34:5:f"] {
            assert_eq!(read(Kind::Mac, text), None, "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_one() {
        assert_eq!(read(Kind::TimeOfDay, "22:30"), NaiveTime::from_hms_opt(22, 30, 0).map(Value::TimeOfDay));
        assert_eq!(read(Kind::TimeOfDay, "00:00"), Some(Value::TimeOfDay(NaiveTime::MIN)));
        for text in ["24:00", "23:60", "22", "22:30:00", "-1:30", "10 pm", "22.30"] {
            assert_eq!(read(Kind::TimeOfDay, text), None, "{text}");
        }
    }

    #[test]
    fn mail_addresses_hold_one_address_and_nothing_else() {
        let one = "me+miner@solar.example";
        assert_eq!(read(Kind::MailAddress, one), Some(Value::Text(one.to_owned())));
        for text in [
            "me",
            "me@",
            "@solar.example",
            "a@b.example, c@d.example",
            "Me <me@solar.example>",
            "me@solar.example\r\nBcc: x@y.example",
        ] {
            assert_eq!(read(Kind::MailAddress, text), None, "{text}");
        }
    }

    #[test]
    fn words_come_as_a_list_or_with_commas() {
        let kind = Kind::Words { of: Word::Code { longest: 4 }, most: 2 };
        let expected = Value::Words(vec!["ab".to_owned(), "12".to_owned()]);
        assert_eq!(read(kind, "ab, 12"), Some(expected));
        for text in ["ab,12,cd", "abcde", "a b", "ab,,12", "ä"] {
            assert_eq!(read(kind, text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_any_kind(text in "\\PC{0,40}") {
            for kind in [Kind::Flag, WHOLE, NUMBER, Kind::Text { longest: 9 }, Kind::Words { of: Word::Code { longest: 4 }, most: 2 },
                Kind::Span { min: 0.0, max: 1e300, unit: TimeUnit::Days }, Kind::Id, Kind::Listen, Kind::Mac, Kind::Zone, Kind::Server, Kind::MailAddress, Kind::TimeOfDay]
            {
                let _ = kind.read(Written::Text(&text));
            }
        }
    }
}
