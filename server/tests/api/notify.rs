//! Alerts to people: what each service is told, once, with an end, and what becomes of it when one doesn't answer.

use crate::{
    call::get,
    house::{CANARY, House, Miners, Options},
    receivers::{Answer, Asked, MailServer, Service},
    settings::Person,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::{Soc, UtcMillis};
use serde_json::{Value, json};
use simulator::portal::PortalFaults;

/// A house that tells one service by ntfy.
async fn by_ntfy(options: Options) -> (House, Service) {
    let service = Service::open().await;
    let mut notify = options.notify.clone();
    if notify.is_null() {
        notify = json!({});
    }
    notify["ntfy_url"] = json!(service.url("/topic"));
    (House::with(Options { notify, ..options }).await, service)
}

impl House {
    /// Waits until every channel has looked at what holds now.
    async fn caught_up(&self) {
        loop {
            let status = self.get("/api/system/status").await;
            let now: UtcMillis = status["time"].as_str().unwrap().parse().unwrap();
            let channels = status["channels"].as_array().unwrap();
            let has_looked = |channel: &Value| {
                channel["last_looked"].as_str().is_some_and(|at| at.parse::<UtcMillis>().unwrap() >= now)
            };
            if channels.iter().all(has_looked) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Lets simulated minutes pass, and every channel look at each of them.
    async fn minutes(&self, minutes: u64) {
        for _ in 0..minutes {
            self.run(60).await;
            self.caught_up().await;
        }
    }

    /// The battery says this in two uploads, and every channel has looked at what follows from each.
    async fn says(&self, soc: f64) {
        for _ in 0..2 {
            self.run(60).await;
            self.simulation.house().set_soc(Soc::new(soc).unwrap());
            self.portal().upload_now();
            self.run(40).await;
            self.caught_up().await;
        }
    }

    /// The battery is full, the emergency is over, and every channel has seen it.
    async fn recovers(&self) {
        self.says(100.0).await;
        for _ in 0..60 {
            let status = self.get("/api/system/status").await;
            let holds = |alert: &Value| alert["code"] == "emergency" && alert["active"] == true;
            if !status["alerts"].as_array().unwrap().iter().any(holds) {
                return self.caught_up().await;
            }
            self.run(10).await;
        }
        unreachable!("a full battery ends an emergency");
    }

    async fn channel(&self, channel: &str) -> Value {
        let status = self.get("/api/system/status").await;
        let channels = status["channels"].as_array().unwrap();
        channels.iter().find(|known| known["channel"] == channel).unwrap().clone()
    }
}

const STOPPED: &str = "The miner is stopped for safety";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_is_told_once_as_it_expects_it_and_once_that_it_is_over() {
    let [mut ntfy, mut webhook, mut telegram] =
        [Service::open().await, Service::open().await, Service::open().await];
    let mut mail = MailServer::open().await;
    let notify = json!({
        "ntfy_url": ntfy.url("/topic"),
        "ntfy_token": CANARY,
        "webhook_url": webhook.url(&format!("/hook?key={CANARY}")),
        "telegram_url": telegram.url("/"),
        "telegram_token": format!("123:{CANARY}"),
        "telegram_chat": "-4711",
        "mail_host": "127.0.0.1",
        "mail_port": mail.port,
        "mail_security": "none",
        "mail_user": "me",
        "mail_password": CANARY,
        "mail_from": "miner@solar.example",
        "mail_to": "me@solar.example, you@solar.example",
    });
    let house = House::with(Options { notify, ..Options::default() }).await;
    house.says(25.0).await;

    let told = ntfy.next().await;
    assert_eq!(told.path, "/topic");
    let headers = ["title", "priority", "tags", "authorization"].map(|name| told.header(name));
    assert_eq!(headers, [STOPPED, "5", "rotating_light", &format!("Bearer {CANARY}")]);
    let words = "The battery read at or under the emergency threshold: the miner is stopped.";
    assert_eq!(told.body, words);

    let told = webhook.next().await;
    assert_eq!(
        (told.path.as_str(), told.header("content-type")),
        (format!("/hook?key={CANARY}").as_str(), "application/json")
    );
    let body = told.json();
    let at: UtcMillis = body["at"].as_str().unwrap().parse().unwrap();
    assert!(at <= house.settings.handle().now().utc);
    let expected = json!({
        "title": STOPPED, "text": words, "urgency": "urgent", "topic": "stopped_for_safety", "event": "begins",
        "miners": ["garage"], "site": "Test house", "at": body["at"],
    });
    assert_eq!(body, expected);

    let told = telegram.next().await;
    assert_eq!(told.path, format!("/bot123:{CANARY}/sendMessage"));
    let expected =
        json!({ "chat_id": "-4711", "text": format!("{STOPPED}\n{words}"), "disable_notification": false });
    assert_eq!(told.json(), expected);

    let letter = mail.next().await;
    let account = STANDARD.encode(format!("\0me\0{CANARY}"));
    assert_eq!(
        letter.said[1..],
        [
            format!("AUTH PLAIN {account}"),
            "MAIL FROM:<miner@solar.example>".to_owned(),
            "RCPT TO:<me@solar.example>".to_owned(),
            "RCPT TO:<you@solar.example>".to_owned(),
            "DATA".to_owned(),
        ]
    );
    for line in [
        "From: miner@solar.example",
        "To: me@solar.example, you@solar.example",
        &format!("Subject: {STOPPED}"),
        "Auto-Submitted: auto-generated",
    ] {
        assert!(letter.text.lines().any(|told| told == line), "{line}: {}", letter.text);
    }
    let text = letter.text.replace("=\r\n", "");
    assert!(text.ends_with(&format!("{words}\r\n")), "{text}");

    house.minutes(20).await;
    house.recovers().await;
    house.minutes(9).await;
    for service in [&mut ntfy, &mut webhook, &mut telegram] {
        service.assert_nothing_more();
    }
    house.minutes(2).await;
    let told = ntfy.next().await;
    let headers = ["title", "priority", "tags"].map(|name| told.header(name));
    assert_eq!(headers, ["Back to normal: the miner", "3", "white_check_mark"]);
    assert_eq!(told.body, "The miner is no longer stopped for safety.");
    let told = webhook.next().await.json();
    assert_eq!((&told["event"], &told["urgency"]), (&json!("ends"), &json!("normal")));
    assert_eq!(telegram.next().await.json()["disable_notification"], true);
    assert!(mail.next().await.text.contains("Subject: Back to normal: the miner"));
    house.minutes(20).await;
    for service in [&mut ntfy, &mut webhook, &mut telegram] {
        service.assert_nothing_more();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_and_begins_again_within_minutes_is_told_once() {
    let (house, mut service) = by_ntfy(Options::default()).await;
    house.says(25.0).await;
    assert_eq!(service.next().await.header("title"), STOPPED);
    for _ in 0..3 {
        house.recovers().await;
        house.minutes(3).await;
        house.says(25.0).await;
    }
    service.assert_nothing_more();
    house.recovers().await;
    house.minutes(11).await;
    assert_eq!(service.next().await.header("title"), "Back to normal: the miner");
    house.says(25.0).await;
    assert_eq!(service.next().await.header("title"), STOPPED, "that is another one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_that_are_stopped_together_are_one_message_with_their_names() {
    let options = Options { miners: Miners(&["garage", "shed"]), name: None, ..Options::default() };
    let (house, mut service) = by_ntfy(options).await;
    house.says(25.0).await;
    let told = service.next().await;
    assert_eq!(told.header("title"), "Stopped for safety: garage <b>, shed <b>");
    let line =
        |name: &str| format!("The battery read at or under the emergency threshold: {name} <b> is stopped.");
    assert_eq!(told.body, format!("{}\n{}", line("garage"), line("shed")));
    house.minutes(2).await;
    service.assert_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_in_any_script_arrives() {
    let options = Options { miners: Miners(&["a", "b"]), name: Some("Käller ☀"), ..Options::default() };
    let (house, mut service) = by_ntfy(options).await;
    house.says(25.0).await;
    let told = service.next().await;
    let title = told.header("title").strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap();
    let title = String::from_utf8(STANDARD.decode(title).unwrap()).unwrap();
    assert_eq!(title, "Stopped for safety: Käller ☀, Käller ☀");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_tells_nothing_twice_and_still_tells_the_end() {
    let (mut house, mut service) = by_ntfy(Options::default()).await;
    house.says(25.0).await;
    assert_eq!(service.next().await.header("title"), STOPPED);
    house = house.restarted().await;
    house.minutes(15).await;
    service.assert_nothing_more();
    house.recovers().await;
    house = house.restarted().await;
    house.minutes(11).await;
    assert_eq!(service.next().await.header("title"), "Back to normal: the miner");
    house = house.restarted().await;
    house.minutes(15).await;
    service.assert_nothing_more();
}

/// The portal says nothing new, and after a restart it isn't known for a while whether it still does so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_battery_that_isnt_heard_of_is_not_well_again_because_the_program_was_restarted() {
    let (mut house, mut service) = by_ntfy(Options::default()).await;
    house.portal().set_faults(PortalFaults { frozen: true, ..PortalFaults::default() }).unwrap();
    house.minutes(14).await;
    let told = service.next().await;
    assert_eq!((told.header("title"), told.header("priority")), ("The battery isn't heard of any more", "4"));
    house = house.restarted().await;
    house.minutes(30).await;
    service.assert_nothing_more();
    house.portal().set_faults(PortalFaults::default()).unwrap();
    house.minutes(20).await;
    let told = service.next().await;
    assert_eq!(told.header("title"), "Back to normal: the battery");
    assert_eq!(told.body, "There are good battery readings again.");
    service.assert_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_over_midnight_hold_back_what_can_wait_until_they_end() {
    // 23:30 at Albuquerque.
    let options = Options {
        start: Some("2026-06-22T05:30:00Z"),
        notify: json!({ "quiet_from": "22:00", "quiet_until": "01:00" }),
        ..Options::default()
    };
    let (house, mut service) = by_ntfy(options).await;
    house.portal().set_faults(PortalFaults { frozen: true, ..PortalFaults::default() }).unwrap();
    house.minutes(88).await;
    service.assert_nothing_more();
    house.minutes(3).await;
    let told = service.next().await;
    assert_eq!(told.header("title"), "The battery isn't heard of any more");
    assert!(told.body.contains(" Since ") && told.body.contains("23:"), "{}", told.body);
    house.minutes(20).await;
    service.assert_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_for_safety_is_told_in_quiet_hours_and_what_is_over_when_they_end_is_not() {
    // Noon at Albuquerque.
    let quiet = json!({ "quiet_from": "11:00", "quiet_until": "13:30" });
    let (house, mut service) = by_ntfy(Options { notify: quiet, ..Options::default() }).await;
    house.portal().set_faults(PortalFaults { frozen: true, ..PortalFaults::default() }).unwrap();
    house.minutes(15).await;
    house.portal().set_faults(PortalFaults::default()).unwrap();
    house.minutes(15).await;
    house.says(25.0).await;
    assert_eq!(service.next().await.header("title"), STOPPED, "the first that is told");
    house.recovers().await;
    house.minutes(20).await;
    service.assert_nothing_more();
    house.minutes(40).await;
    assert_eq!(service.next().await.header("title"), "Back to normal: the miner", "that it is over can wait");
    service.assert_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_for_everything_hold_back_everything() {
    let quiet = json!({ "quiet_from": "11:00", "quiet_until": "12:20", "quiet_for_all": true });
    let (house, mut service) = by_ntfy(Options { notify: quiet, ..Options::default() }).await;
    house.says(25.0).await;
    house.minutes(10).await;
    service.assert_nothing_more();
    house.minutes(10).await;
    assert_eq!(service.next().await.header("title"), STOPPED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_delays_no_other_and_nobody_is_followed_elsewhere() {
    let [mut ntfy, webhook, mut telegram, mut elsewhere] =
        [Service::open().await, Service::open().await, Service::open().await, Service::open().await];
    webhook.answers(Answer::Silence);
    telegram.answers(Answer::Elsewhere(elsewhere.url("/canary")));
    let notify = json!({
        "ntfy_url": ntfy.url("/topic"),
        "webhook_url": webhook.url("/hook"),
        "telegram_url": telegram.url("/"),
        "telegram_token": CANARY,
        "telegram_chat": "1",
    });
    let house = House::with(Options { notify, ..Options::default() }).await;
    house.say_twice(25.0).await;
    assert_eq!(ntfy.next().await.header("title"), STOPPED);
    for _ in 0..3 {
        assert_eq!(telegram.next().await.path, format!("/bot{CANARY}/sendMessage"), "it is tried again");
    }
    house.caught_up().await;
    elsewhere.assert_nothing_more();
    ntfy.assert_nothing_more();
    assert_eq!(house.channel("ntfy").await["error"], Value::Null);
    let told = house.channel("telegram").await["error"].clone();
    assert_eq!(told, "refused with status 307: it leads to another address, which isn't followed");
    let told = house.channel("webhook").await["error"].clone();
    assert_eq!(told, "no answer within 3 s");
    let status = house.get("/api/system/status").await;
    let codes: Vec<_> = status["alerts"].as_array().unwrap().iter().map(|alert| &alert["code"]).collect();
    assert_eq!(codes, ["emergency"], "that nobody is told is no alert");
    let page = page(&house, "/").await;
    for words in ["Alerts can&#x27;t be sent by Telegram", "Alerts can&#x27;t be sent by the webhook"] {
        let plain = words.replace("&#x27;", "'");
        assert!(page.contains(words) || page.contains(&plain), "{words}: {page}");
    }
}

async fn page(house: &House, path: &str) -> String {
    use tower::ServiceExt;
    let response = house.router.clone().oneshot(get(path)).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let page = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!page.contains(CANARY) && !page.contains("canary of the reply"), "a secret: {page}");
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_service_refused_is_sent_again_until_it_is_taken() {
    let (house, mut service) = by_ntfy(Options::default()).await;
    service.answers(Answer::Status(503));
    house.say_twice(25.0).await;
    let title = |asked: &Asked| asked.header("title").to_owned();
    assert_eq!(title(&service.next().await), STOPPED);
    assert_eq!(title(&service.next().await), STOPPED);
    house.caught_up().await;
    let told = house.channel("ntfy").await;
    assert_eq!(told["error"], "refused with status 503: it has a problem of its own");
    service.answers(Answer::Ok);
    let mut told = house.channel("ntfy").await;
    while told["last_sent"].is_null() {
        tokio::task::yield_now().await;
        told = house.channel("ntfy").await;
    }
    assert_eq!((&told["error"], &told["failing_since"]), (&Value::Null, &Value::Null));
    while service.pending() > 0 {
        service.next().await;
    }
    house.minutes(5).await;
    service.assert_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_before_it_could_be_sent_isnt_sent_any_more() {
    let (house, mut service) = by_ntfy(Options::default()).await;
    service.answers(Answer::Status(500));
    house.say_twice(25.0).await;
    service.next().await;
    house.recovers().await;
    house.minutes(1).await;
    while service.pending() > 0 {
        service.next().await;
    }
    service.answers(Answer::Ok);
    house.minutes(20).await;
    service.assert_nothing_more();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_says_of_every_channel_what_became_of_it() {
    let (mut ntfy, telegram) = (Service::open().await, Service::open().await);
    telegram.answers(Answer::Status(401));
    let notify = json!({
        "ntfy_url": ntfy.url("/topic"),
        "telegram_url": telegram.url("/"),
        "telegram_token": CANARY,
        "telegram_chat": "1",
    });
    let house = House::with(Options { notify, ..Options::default() }).await;
    let told = house.post("/api/alerts/test", Value::Null).await.with(200);
    let refused = "refused with status 401: the token or the address isn't accepted";
    let expected = json!({ "ok": false, "channels": [
        { "channel": "ntfy", "ok": true, "error": null },
        { "channel": "telegram", "ok": false, "error": refused },
    ] });
    assert_eq!(told, expected);
    assert_eq!(ntfy.next().await.header("title"), "Test from Test house");
    let none = House::open().await.post("/api/alerts/test", json!({})).await;
    assert_eq!(none.error(409).0, "nothing_configured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_are_set_up_tested_and_taken_away_on_the_page() {
    let person = Person::enter().await;
    let mut service = Service::open().await;
    let url = service.url("/topic");
    let typed = [("notify.ntfy_url", url.as_str()), ("notify.ntfy_token", CANARY)];
    let test = [&typed[..], &[("test", "notify")]].concat();
    let (status, _, said) = person.send("/settings/test", &test).await;
    assert_eq!(status, 200);
    assert!(said.contains("ntfy: it was taken."), "{said}");
    assert_eq!(service.next().await.header("authorization"), format!("Bearer {CANARY}"));
    let (_, _, said) = person.send("/settings/test", &[("test", "notify")]).await;
    assert!(said.contains("No way to send alerts is set up."), "a test keeps nothing: {said}");

    let preview = person.change(&typed).await;
    assert!(preview.contains("Alerts go out by ntfy from now on."), "{preview}");
    person.house.says(25.0).await;
    assert_eq!(service.next().await.header("title"), STOPPED);

    let mut other = Service::open().await;
    let elsewhere = other.url("/topic");
    for path in ["/settings", "/settings/test"] {
        let (status, _, said) =
            person.send(path, &[("notify.ntfy_url", &elsewhere), ("test", "notify")]).await;
        assert_eq!(status, 422);
        assert!(said.contains("type it again"), "{path}: {said}");
    }
    other.assert_nothing_more();

    let preview = person.change(&[("reset", "notify.ntfy_url"), ("reset", "notify.ntfy_token")]).await;
    assert!(preview.contains("Alerts are told on the page alone."), "{preview}");
    person.house.minutes(15).await;
    service.assert_nothing_more();
    // Set up anew, it is told what holds.
    person.change(&typed).await;
    person.house.minutes(1).await;
    assert_eq!(service.next().await.header("title"), STOPPED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_service_is_asked_where_none_may_be_and_no_password_goes_in_the_open() {
    let person = Person::enter().await;
    for url in [
        "http://169.254.169.254/latest",
        "http://2852039166/t",
        "http://[fe80::1]/t",
        "http://100.100.100.200/t",
        "http://0.0.0.0/t",
        "ftp://ntfy.sh/t",
        "https://user:pass@ntfy.sh/t",
        "https://ntfy.sh",
        "ntfy.sh/t",
    ] {
        for path in ["/settings", "/settings/test"] {
            let typed = [("notify.ntfy_url", url), ("test", "notify")];
            let (status, _, page) = person.send(path, &typed).await;
            assert_eq!(status, 422, "{path} {url}");
            assert!(page.contains("notify.ntfy_url-problem"), "{path} {url}: {page}");
        }
    }
    let mail = |host, security| {
        [
            ("notify.mail_host", host),
            ("notify.mail_security", security),
            ("notify.mail_from", "a@solar.example"),
            ("notify.mail_to", "b@solar.example"),
            ("notify.mail_user", "a"),
            ("notify.mail_password", CANARY),
        ]
    };
    for (host, security, expected) in [
        ("192.168.7.7", "none", 422),
        ("127.0.0.1", "none", 200),
        ("192.168.7.7", "starttls", 200),
        ("169.254.169.254", "tls", 422),
    ] {
        let (status, _, page) = person.send("/settings", &mail(host, security)).await;
        assert_eq!(status, expected, "{host} {security}: {page}");
    }
}

/// The server offers no encryption: neither account nor mail is told to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_goes_to_a_mail_server_that_offers_no_encryption() {
    let mut mail = MailServer::open().await;
    let notify = json!({
        "mail_host": "127.0.0.1",
        "mail_port": mail.port,
        "mail_user": "me",
        "mail_password": CANARY,
        "mail_from": "miner@solar.example",
        "mail_to": "me@solar.example",
    });
    let house = House::with(Options { notify, ..Options::default() }).await;
    let told = house.post("/api/alerts/test", Value::Null).await.with(200);
    let why = told["channels"][0]["error"].as_str().unwrap().to_owned();
    assert!(why.contains("encrypt"), "{why}");
    let said = mail.said_to_the_last().await;
    assert!(said.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{said:?}");
}
