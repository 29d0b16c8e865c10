//! What is changed while the program runs: looked at first, kept, taken up at once, undone.

use crate::{
    access::{form, outside, taken_over, text},
    call::{get, request},
    house::{CANARY, House},
};
use axum::http::header;
use engine::clock::SystemClock;
use model::{MonoTime, Now, UtcMillis};
use server::{
    config::{Changes, Inputs, Shown},
    settings::{Looked, Problem, Refusal, Settings, Start, Typed},
};
use std::sync::Arc;
use store::Store;

/// What a person who is signed in does with the page.
pub(crate) struct Person {
    pub(crate) house: House,
    cookie: String,
}

impl Person {
    pub(crate) async fn enter() -> Self {
        let (house, cookie) = taken_over().await;
        Self { house, cookie }
    }

    async fn page(&self) -> String {
        self.page_at("/settings").await
    }

    pub(crate) async fn page_at(&self, path: &str) -> String {
        let mut asked = get(path);
        asked.headers_mut().insert(header::COOKIE, self.cookie.parse().unwrap());
        let response = outside(&self.house, asked).await;
        assert_eq!(response.status(), 200);
        text(response).await
    }

    /// Sends a form: the status, where it leads, and the page.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let response = outside(&self.house, form(path, &fields.join("&"), &self.cookie)).await;
        let to = response.headers().get(header::LOCATION);
        let to = to.map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
        (response.status().as_u16(), to, text(response).await)
    }

    /// Looks at a change, and says yes to it. The page that said what it does.
    pub(crate) async fn change(&self, fields: &[(&str, &str)]) -> String {
        let (status, _, preview) = self.send("/settings", fields).await;
        assert_eq!(status, 200, "{preview}");
        self.say_yes(&preview).await;
        preview
    }

    async fn say_yes(&self, preview: &str) {
        let (status, to, page) = self.send("/settings/save", &[("id", &id(preview))]).await;
        assert_eq!((status, to.as_str()), (303, "/settings?done=saved"), "{page}");
        self.house.run(1).await;
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What a change goes by that is looked at.
fn id(preview: &str) -> String {
    let (_, rest) = preview.split_once("name=\"id\" value=\"").ok_or(preview).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// What stands in a field.
fn value(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\"")).ok_or(name).unwrap();
    let tag = rest.split('>').next().unwrap();
    let (_, value) = tag.split_once(" value=\"").unwrap_or_default();
    value.split('"').next().unwrap().to_owned()
}

/// What is said to be wrong with a field.
fn problem<'a>(page: &'a str, name: &str) -> &'a str {
    let text = |(_, rest): (&'a str, &'a str)| rest.split(['<', '>']).nth(1).unwrap();
    page.split_once(&format!("id=\"{name}-problem\"")).map_or("", text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_is_there_with_where_it_comes_from_and_no_secret() {
    let person = Person::enter().await;
    let page = person.page().await;
    for (name, expected) in [
        ("site.name", "Test house"),
        ("miners.garage.base_watts", "3600"),
        ("battery.user", "demo"),
        ("autocontrol.sunset_soc", "60"),
        ("autocontrol.resume_soc", ""),
        ("data.max_days", "30"),
        ("miners.garage.password", ""),
        ("battery.password", ""),
    ] {
        assert_eq!(value(&page, name), expected, "{name}");
    }
    assert!(
        page.contains("From the file, line 1.") && page.contains("The default.") && page.contains("Not set.")
    );
    assert!(page.contains("kept; type to replace it"), "a secret says that it is there");
    for only_in_the_file in ["app.port", "miners.garage.id"] {
        assert!(!page.contains(&format!("name=\"{only_in_the_file}\"")), "{only_in_the_file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_dont_see_it() {
    let (house, _) = taken_over().await;
    let mut asked = get("/settings");
    asked.headers_mut().insert(header::ACCEPT, "text/html".parse().unwrap());
    let response = outside(&house, asked).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[header::LOCATION], "/sign-in?then=%2Fsettings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_says_what_it_does_holds_at_once_is_audited_and_can_be_undone() {
    let person = Person::enter().await;
    person.house.say_twice(55.0).await;
    person.house.run(400).await;
    let sent = person.house.sent();
    let (status, _, preview) = person.send("/settings", &[("data.default_days", "4")]).await;
    assert_eq!(status, 200);
    assert!(preview.contains("Nothing different would be decided now."), "{preview}");
    let (_, _, preview) = person
        .send("/settings", &[("autocontrol.emergency_soc", "56"), ("autocontrol.sunset_soc", "70")])
        .await;
    for said in ["Control law: Emergency off at", "30 %", "56 %", "With the change:"] {
        assert!(preview.contains(said), "{said}: {preview}");
    }
    person.house.run(60).await;
    assert_eq!(person.house.sent(), sent, "looking changes nothing");
    person.say_yes(&preview).await;
    person.house.run(120).await;
    assert!(person.house.sent().len() > sent.len(), "it holds: {:?}", person.house.sent());
    let page = person.page().await;
    assert_eq!(value(&page, "autocontrol.emergency_soc"), "56");
    assert!(page.contains("Changed here, "));
    let audit = person.page_at("/account").await;
    assert!(audit.contains("changed Control law: Emergency off at: 30 % → 56 %"), "{audit}");

    let (status, _, preview) = person.send("/settings/undo", &[("id", "1")]).await;
    assert_eq!(status, 200, "{preview}");
    person.say_yes(&preview).await;
    let page = person.page().await;
    assert_eq!(value(&page, "autocontrol.emergency_soc"), "30");
    assert_eq!(value(&page, "autocontrol.sunset_soc"), "60");
    assert!(!page.contains("Changed here, "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_everywhere_changes_with_it() {
    let person = Person::enter().await;
    person
        .change(&[
            ("site.name", "<script>alert(1)</script>"),
            ("site.timezone", "Europe/Berlin"),
            ("miners.garage.base_watts", "3000"),
            ("autocontrol.min_interval_sec", "300"),
        ])
        .await;
    person.house.run(30).await;
    let told = person.house.get("/api/autocontrol/status").await;
    assert_eq!(told["min_interval_sec"], 300);
    let told = person.house.get("/api/system/status").await;
    assert_eq!(told["site"]["timezone"], "Europe/Berlin");
    assert_eq!(told["site"]["name"], "<script>alert(1)</script>");
    for path in ["/", "/settings", "/account", "/decisions"] {
        let page = person.page_at(path).await;
        assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert"), "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_stays() {
    let person = Person::enter().await;
    let typed = [
        ("autocontrol.sunset_soc", "ninety"),
        ("autocontrol.min_interval_sec", "1"),
        ("site.name", "New name"),
    ];
    let (status, _, page) = person.send("/settings", &typed).await;
    assert_eq!(status, 422);
    assert!(problem(&page, "autocontrol.sunset_soc").contains("a number from 60 to 100 %"), "{page}");
    assert!(problem(&page, "autocontrol.min_interval_sec").contains("from 30 to"), "{page}");
    for (name, text) in typed {
        assert_eq!(value(&page, name), text);
    }
    let together = [("autocontrol.emergency_soc", "70"), ("autocontrol.sunset_soc", "70")];
    let (status, _, page) = person.send("/settings", &together).await;
    assert_eq!(status, 422);
    assert!(problem(&page, "autocontrol.sunset_soc").contains("more than emergency_soc + 5"), "{page}");
    let (status, _, page) = person.send("/settings", &[("autocontrol.sunset_soc", "60")]).await;
    assert_eq!(status, 200);
    assert!(page.contains("Nothing would be another."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_overtakes_another_makes_it_be_looked_at_again() {
    let person = Person::enter().await;
    let (_, _, first) = person.send("/settings", &[("autocontrol.sunset_soc", "70")]).await;
    let (_, _, second) = person.send("/settings", &[("autocontrol.full_soc", "98")]).await;
    person.say_yes(&first).await;
    for preview in [first, second] {
        let (status, _, page) = person.send("/settings/save", &[("id", &id(&preview))]).await;
        assert_eq!(status, 409);
        assert!(page.contains("Look again."), "{page}");
    }
    assert_eq!(value(&person.page().await, "autocontrol.full_soc"), "100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_goes_only_to_the_address_that_it_was_given_for() {
    let person = Person::enter().await;
    let elsewhere = ("miners.garage.host", "192.168.77.7");
    for path in ["/settings", "/settings/test"] {
        let (status, _, page) = person.send(path, &[elsewhere, ("test", "miners.garage")]).await;
        assert_eq!(status, 422, "{path}");
        assert!(problem(&page, "miners.garage.password").contains("type it again"), "{path}: {page}");
        let portal = [("battery.base_url", "https://portal.example"), ("test", "battery")];
        let (status, _, page) = person.send(path, &portal).await;
        assert_eq!(status, 422, "{path}");
        assert!(problem(&page, "battery.password").contains("type it again"), "{path}: {page}");
    }
    let (status, _, _) = person.send("/settings", &[elsewhere, ("miners.garage.password", "another")]).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_device_is_looked_for_where_none_may_be() {
    let person = Person::enter().await;
    for host in [
        "8.8.8.8",
        "169.254.169.254",
        "100.100.100.200",
        "fe80::1",
        "::ffff:169.254.1.1",
        "0.0.0.0",
        "224.0.0.1",
    ] {
        let typed =
            [("miners.garage.host", host), ("miners.garage.password", "p"), ("test", "miners.garage")];
        for path in ["/settings", "/settings/test"] {
            let (status, _, page) = person.send(path, &typed).await;
            assert_eq!(status, 422, "{path} {host}");
            assert_ne!(problem(&page, "miners.garage.host"), "", "{path} {host}");
        }
    }
    for url in [
        "https://169.254.169.254",
        "http://192.168.1.1",
        "https://[fe80::1]",
        "ftp://x",
        "https://u@x",
        "http://100.100.100.200/",
    ] {
        let typed = [("battery.base_url", url), ("battery.password", "p"), ("test", "battery")];
        let (status, _, page) = person.send("/settings/test", &typed).await;
        assert_eq!(status, 422, "{url}");
        assert_ne!(problem(&page, "battery.base_url"), "", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_tested_as_it_was_typed_and_says_what_to_do() {
    let person = Person::enter().await;
    let (status, _, page) = person.send("/settings/test", &[("test", "battery")]).await;
    assert_eq!(status, 200);
    assert!(page.contains("signed in; it tells 95 %"), "{page}");
    let (_, _, page) =
        person.send("/settings/test", &[("test", "battery"), ("battery.password", "wrong")]).await;
    assert!(page.contains("Doesn’t work"), "{page}");
    let (_, _, page) = person.send("/settings/test", &[("test", "miners.garage")]).await;
    assert!(page.contains("it would take commands."), "{page}");
    let wrong = [("test", "miners.garage"), ("miners.garage.password", "wrong")];
    let (_, _, page) = person.send("/settings/test", &wrong).await;
    assert!(page.contains("it would take no commands."), "{page}");
    let (status, _, _) = person.send("/settings/test", &[("test", "the moon")]).await;
    assert_eq!(status, 422);
    assert_eq!(value(&person.page().await, "battery.password"), "", "a test keeps nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_changed_and_never_told() {
    let person = Person::enter().await;
    let new = format!("{CANARY}-new");
    let preview = person.change(&[("miners.garage.password", &new)]).await;
    assert!(preview.contains("another secret"), "{preview}");
    let page = person.page().await;
    assert!(page.contains("Password of V2: as in the file → a secret"), "{page}");
    let (status, _, preview) = person.send("/settings", &[("reset", "miners.garage.password")]).await;
    assert_eq!(status, 200, "back to the file's: {preview}");
    person.page_at("/account").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_none_is_refused() {
    let person = Person::enter().await;
    let large = "x".repeat(200_000);
    let (status, _, _) = person.send("/settings", &[("site.name", &large)]).await;
    assert_eq!(status, 413);
    for path in ["/settings/undo", "/settings/save", "/settings/test"] {
        let (status, _, _) = person.send(path, &[]).await;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let asked =
        request("POST", "/settings").header(header::COOKIE, &person.cookie).body("{}".into()).unwrap();
    assert_eq!(outside(&person.house, asked).await.status(), 415);
}

/// A site without devices over this text, with its data here.
async fn alone(text: &str, data: &tempfile::TempDir) -> Settings {
    let now = Now { mono: MonoTime(0), utc: UtcMillis(1_800_000_000_000) };
    let store = Store::open(data.path(), now).await.unwrap().store;
    let inputs = Inputs::of_text(text, std::iter::empty());
    let app = inputs.load(&Changes::new()).unwrap().config.app;
    let clock = Arc::new(SystemClock::new());
    let start = Start { inputs, app, store: Some(store), clock, demo: false, samples_wait: None };
    start.start().await.unwrap()
}

/// What is wrong with a change.
fn wrong(looked: Result<Looked, Refusal>) -> Vec<Problem> {
    match looked {
        Err(Refusal::Wrong(problems)) => problems,
        _ => unreachable!("nothing is wrong"),
    }
}

/// Ends a site, and lets go of its database.
async fn end(settings: Settings) {
    settings.stop().await;
}

fn typed(fields: &[(&str, &str)]) -> Typed {
    Typed::read(fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn holds(settings: &Settings, path: &str) -> Shown {
    settings.holding().loaded.shown[path].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_holds_after_a_restart_unless_the_file_forbids_it() {
    let data = tempfile::tempdir().unwrap();
    let settings = alone("autocontrol: {sunset_soc: 65}", &data).await;
    let looked = settings.look(&typed(&[("autocontrol.sunset_soc", "70")])).await.unwrap();
    settings.keep(&looked.id, "somebody").await.unwrap();
    end(settings).await;

    let settings = alone("autocontrol: {sunset_soc: 65}", &data).await;
    assert_eq!(holds(&settings, "autocontrol.sunset_soc"), Shown::Text("70".into()));
    end(settings).await;

    let settings = alone("autocontrol: {emergency_soc: 68, sunset_soc: 80}", &data).await;
    assert_eq!(holds(&settings, "autocontrol.sunset_soc"), Shown::Text("80".into()), "the file's");
    let why = settings.holding().left_aside.unwrap();
    assert!(why.contains("more than emergency_soc + 5") && why.contains("settings page"), "{why}");
    // Whoever says something that fits is heard.
    let looked = settings.look(&typed(&[("autocontrol.sunset_soc", "75")])).await.unwrap();
    settings.keep(&looked.id, "somebody").await.unwrap();
    assert_eq!(holds(&settings, "autocontrol.sunset_soc"), Shown::Text("75".into()));
    assert_eq!(settings.holding().left_aside, None);
    end(settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_without_a_miner_gets_its_first_one_here_and_not_on_this_machine() {
    let data = tempfile::tempdir().unwrap();
    let settings = alone("", &data).await;
    let problems = wrong(settings.look(&typed(&[("miner.host", "127.0.0.1")])).await);
    assert!(
        problems.iter().any(|problem| problem.name == "miner.host" && problem.what.contains("this machine"))
    );
    let problems = wrong(settings.look(&typed(&[("miner.host", "localhost")])).await);
    assert!(problems.iter().any(|problem| problem.name == "miner.host"));
    let looked =
        settings.look(&typed(&[("miner.host", "192.168.86.52"), ("miner.password", "p")])).await.unwrap();
    assert!(
        looked.effects.iter().any(|effect| effect.contains("is followed from now on")),
        "{:?}",
        looked.effects
    );
    settings.keep(&looked.id, "somebody").await.unwrap();
    assert_eq!(holds(&settings, "miner.host"), Shown::Text("192.168.86.52".into()));
    let handle = settings.handle();
    handle.follow().wait_for(|snapshot| snapshot.miners.len() == 1).await.unwrap();
    let looked =
        settings.look(&typed(&[("reset", "miner.host"), ("reset", "miner.password")])).await.unwrap();
    assert!(
        looked.effects.iter().any(|effect| effect.contains("isn't controlled any more")),
        "{:?}",
        looked.effects
    );
    end(settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_of_a_list_keeps_its_changes_wherever_it_stands() {
    let data = tempfile::tempdir().unwrap();
    let list = |first: &str, second: &str| {
        format!(
            "miners: [{{id: {first}, host: 192.168.7.{}}}, {{id: {second}, host: 192.168.7.{}}}]",
            first.len(),
            second.len()
        )
    };
    let settings = alone(&list("shed", "garage"), &data).await;
    let looked = settings.look(&typed(&[("miners.shed.base_watts", "3000")])).await.unwrap();
    settings.keep(&looked.id, "somebody").await.unwrap();
    end(settings).await;
    let settings = alone(&list("garage", "shed"), &data).await;
    assert_eq!(holds(&settings, "miners[1].base_watts"), Shown::Text("3000".into()));
    assert_eq!(holds(&settings, "miners[0].base_watts"), Shown::Text("3600".into()));
    end(settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_is_adopted_renamed_released_and_forgotten() {
    let person = Person::enter().await;
    // The simulated house is on this machine. That somebody typed the same one's address twice is refused.
    let port = person.house.simulation.miners()[0].v2_addr().unwrap().port().to_string();
    let typed =
        [("miners.shed.host", "127.0.0.2"), ("miners.shed.v2_port", &port), ("miners.shed.name", "Shed")];
    let (status, _, preview) = person.send("/settings", &typed).await;
    assert_eq!(status, 200, "{preview}");
    assert!(preview.contains("Shed is followed from now on."), "{preview}");
    person.say_yes(&preview).await;
    let told = person.house.get("/api/network/devices").await;
    assert_eq!(told["devices"].as_array().unwrap().len(), 2, "{told}");
    person.change(&[("miners.shed.name", "Barn"), ("miners.shed.priority", "3")]).await;
    let preview = person.change(&[("miners.shed.controlled", "false")]).await;
    assert!(
        preview.contains("Barn isn&#x27;t controlled any more")
            || preview.contains("Barn isn't controlled any more"),
        "{preview}"
    );
    let told = person.house.get("/api/autocontrol/status").await;
    assert!(!told.to_string().contains("shed"), "{told}");
    let names: Vec<_> = ["host", "v2_port", "name", "priority", "controlled"]
        .into_iter()
        .map(|key| format!("miners.shed.{key}"))
        .collect();
    let reset: Vec<_> = names.iter().map(|name| ("reset", name.as_str())).collect();
    let preview = person.change(&reset).await;
    assert!(preview.contains("Miner Barn"), "{preview}");
    let told = person.house.get("/api/network/devices").await;
    assert_eq!(told["devices"].as_array().unwrap().len(), 1, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_miner_needs_an_address_of_a_home_network_and_an_id_that_can_be_one() {
    let person = Person::enter().await;
    for (name, host) in [("miners.shed.host", "8.8.8.8"), ("miners.shed.host", "169.254.1.1")] {
        let (status, _, page) = person.send("/settings", &[(name, host)]).await;
        assert_eq!(status, 422, "{page}");
    }
    for name in ["miners.a b.host", "miners.<i>.host", "miners..host", "miners.shed.id", "miners.shed.name"] {
        let (status, _, page) = person.send("/settings", &[(name, "192.168.1.5")]).await;
        assert_ne!(status, 500, "{name}: {page}");
        assert!(!page.contains("/settings/save"), "{name}: nothing to say yes to: {page}");
    }
}
