//! A house in which something goes wrong: a site under test whose page and API are asked over a socket.

use crate::site::{House, Options};
use engine::clock::Clock;
use reqwest::Client;
use serde_json::Value;
use simulator::{
    catalogue::NamedFault,
    miner::{MinerTruth, Received, SimulatedMiner},
};
use std::{fmt, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

/// How long an answer may take, in real time: much longer than it does on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest sentence of an alert that the table shows whole, in characters.
const LONGEST_SENTENCE: usize = 130;

/// A site under test, and where its page answers.
pub(crate) struct Home {
    pub(crate) site: House,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
}

impl Home {
    /// Noon in June, the battery at 95 %, a miner at full power, auto-control on, and the first readings are in.
    pub(crate) async fn open() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let site = House::with(options).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = site.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let client = Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { site, address, client }
    }

    /// Something goes wrong, by its name in the simulator's catalogue.
    pub(crate) fn breaks(&self, fault: &str) {
        let fault = NamedFault::find(fault).unwrap_or_else(|| unreachable!("nothing is called {fault}"));
        fault.switch(&self.site.simulation, true).unwrap();
    }

    /// It is right again.
    pub(crate) fn mends(&self, fault: &str) {
        NamedFault::find(fault).unwrap().switch(&self.site.simulation, false).unwrap();
    }

    pub(crate) async fn run(&self, seconds: u64) {
        self.site.run(seconds).await;
    }

    /// Lets time pass until something holds: how many seconds that took. It fails if it doesn't come to hold in time.
    pub(crate) async fn until(&self, seconds: u64, what: &str, holds: impl Fn(&Self) -> bool) -> u64 {
        let begun = self.site.clock.elapsed();
        let came = self.site.clock.run_until(Duration::from_secs(seconds), || holds(self)).await;
        self.site.clock.everybody_rests().await;
        if !came {
            let told = self.told().await;
            unreachable!("not within {seconds} s: {what}; sent {:?}; {told}", self.sent());
        }
        self.site.clock.elapsed().saturating_sub(begun).as_secs()
    }

    /// The same of what the page and the API say.
    pub(crate) async fn until_told(
        &self,
        seconds: u64,
        what: &str,
        holds: impl Fn(&Told) -> bool,
    ) -> (u64, Told) {
        for passed in (0..=seconds).step_by(10) {
            let told = self.told().await;
            if holds(&told) {
                return (passed, told);
            }
            self.run(10).await;
        }
        unreachable!("not within {seconds} s: {what}; sent {:?}; {}", self.sent(), self.told().await)
    }

    pub(crate) fn miner(&self) -> &SimulatedMiner {
        self.site.miner()
    }

    pub(crate) fn truth(&self) -> MinerTruth {
        self.miner().state()
    }

    /// The first miner is off, in truth.
    pub(crate) fn is_off(&self) -> bool {
        !self.truth().service_on
    }

    /// What the first miner was sent that changes what it draws, in words.
    pub(crate) fn sent(&self) -> Vec<String> {
        sent_to(self.miner())
    }

    /// A reply of the API, as JSON.
    pub(crate) async fn api(&self, path: &str) -> Value {
        let reply = self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
    }

    /// A page, as it is.
    pub(crate) async fn page(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.address);
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// What an alert says, also if it is over.
    pub(crate) async fn alert_of(&self, code: &str) -> Option<String> {
        let system = self.api("/api/system/status").await;
        let alert = system["alerts"].as_array().unwrap().iter().find(|alert| alert["code"] == code);
        alert.map(|alert| alert["text"].as_str().unwrap().to_owned())
    }

    /// What the page and the API say; and no decision broke a rule.
    pub(crate) async fn told(&self) -> Told {
        let system = self.api("/api/system/status").await;
        let broken = system["invariant_violations"].as_object().unwrap();
        assert!(broken.values().all(|count| *count == 0), "{system:#}");
        let miner = self.api("/api/miner/status").await;
        let control = self.api("/api/autocontrol/status").await;
        let page = self.page("/").await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let active = system["alerts"].as_array().unwrap().iter().filter(|alert| alert["active"] == true);
        Told {
            state: text(&miner["status"]["state"]),
            reason: text(&control["decision"]["reason"]),
            alerts: active.map(|alert| text(&alert["code"])).collect(),
            headline: between(&page, "<h1 aria-live=\"polite\">", "</h1>")
                .first()
                .cloned()
                .unwrap_or_default(),
            sentences: between(news(&page), "<span class=\"text\">", "</span>"),
            battery: self.api("/api/battery/status").await,
        }
    }
}

/// What the page and the API say.
#[derive(Debug)]
pub(crate) struct Told {
    /// What the miner is shown to do.
    pub(crate) state: String,
    /// The decision's reason.
    pub(crate) reason: String,
    /// The codes of the alerts that hold.
    pub(crate) alerts: Vec<String>,
    /// The page's headline.
    pub(crate) headline: String,
    /// The alerts' sentences on the page.
    pub(crate) sentences: Vec<String>,
    /// The whole of the battery's status.
    pub(crate) battery: Value,
}

impl Told {
    pub(crate) fn alerts(&self, code: &str) -> bool {
        self.alerts.iter().any(|alert| alert == code)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Page: \u{201C}{}.", self.headline)?;
        for sentence in &self.sentences {
            let whole = sentence.chars().count() <= LONGEST_SENTENCE;
            let start: String = sentence.chars().take(LONGEST_SENTENCE).collect();
            write!(f, " {start}{}", if whole { "" } else { " …" })?;
        }
        write!(f, "\u{201D} API: {}, {}", self.state, self.reason)?;
        if !self.alerts.is_empty() {
            write!(f, "; alerts: {}", self.alerts.join(", "))?;
        }
        Ok(())
    }
}

/// What a miner was sent that changes what it draws, in words.
pub(crate) fn sent_to(miner: &SimulatedMiner) -> Vec<String> {
    miner.log().iter().filter_map(in_words).collect()
}

fn in_words(received: &Received) -> Option<String> {
    // The light is told to stay as it is, to see whether commands are taken.
    if !received.write || received.command.contains("led") {
        return None;
    }
    let params = received.params.to_string();
    let number: String = params.chars().filter(char::is_ascii_digit).collect();
    let command = received.command.as_str();
    Some(match command {
        "power_off" => "off".to_owned(),
        "power_on" => "start".to_owned(),
        "set.miner.service" => if params.contains("stop") { "off" } else { "start" }.to_owned(),
        _ if command.contains("limit") => format!("{number} W"),
        _ if command.contains("percent") || command.contains("pct") => format!("{number} %"),
        other => other.to_owned(),
    })
}

/// The part of the page with the alerts that are news.
fn news(page: &str) -> &str {
    let start = page.find("id=\"alerts-title\"").unwrap_or(page.len());
    let end = page.find("id=\"past-title\"").unwrap_or(page.len());
    page.get(start..end.max(start)).unwrap_or_default()
}

/// The texts between two marks, without tags.
fn between(page: &str, open: &str, close: &str) -> Vec<String> {
    let parts = page.split(open).skip(1);
    parts.map(|part| plain(part.split(close).next().unwrap_or_default())).collect()
}

/// HTML as a person reads it.
pub(crate) fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in html.chars() {
        match character {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                text.push(' ');
            }
            _ if !is_tag => text.push(character),
            _ => {}
        }
    }
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    let text = entities.iter().fold(text, |text, (entity, sign)| text.replace(entity, sign));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Seconds as a person says them: "12 min 5 s".
pub(crate) fn spoken(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// What a miner was sent, as the table tells it.
pub(crate) fn was_sent(sent: &[String]) -> String {
    if sent.is_empty() { "was sent nothing".to_owned() } else { format!("was sent: {}", sent.join(", ")) }
}
