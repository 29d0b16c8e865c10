//! A page for each miner, and what of the API is about one of several.

use crate::{
    call,
    house::{CANARY, House, Miners, Options, sent_to, without_database},
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, header},
};
use engine::clock::Lockstep;
use model::UtcMillis;
use serde_json::{Value, json};
use server::{
    config::{Changes, Inputs},
    settings::Start,
};
use std::{net::TcpListener, sync::Arc};
use tower::ServiceExt;

/// Two that are controlled and one that is only looked at.
async fn house() -> House {
    let miners = Miners(&["garage", "shed", "barn"]);
    House::with(Options { miners, only_looked_at: &["barn"], ..Options::default() }).await
}

async fn answer(house: &House, request: Request<Body>) -> Response<Body> {
    house.router.clone().oneshot(request).await.unwrap()
}

async fn page(house: &House, path: &str) -> String {
    let response = answer(house, call::get(path)).await;
    assert_eq!(response.status(), 200, "{path}");
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!html.contains(CANARY) && !html.contains("barn <b>"), "{html}");
    html
}

/// A form as a browser sends it from a page of this address.
fn form(call: &str, miner: &str, fields: &str, from: &str) -> Request<Body> {
    call::request("POST", &format!("/rpc/{call}?miner={miner}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, format!("http://127.0.0.1:8080{from}"))
        .body(format!("miner={miner}{fields}").into())
        .unwrap()
}

fn leads_to(response: &Response<Body>) -> String {
    assert_eq!(response.status(), 302);
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    location.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_miner_has_a_page_which_the_dashboard_and_the_devices_lead_to() {
    let house = house().await;
    house.run(120).await;
    let dashboard = page(&house, "/").await;
    let devices = page(&house, "/devices").await;
    for id in ["garage", "shed", "barn"] {
        let link = format!("href=\"/miners/{id}\"");
        assert!(dashboard.contains(&link) && devices.contains(&link), "{id}: {dashboard} {devices}");
        let own = page(&house, &format!("/miners/{id}")).await;
        assert!(own.contains(&format!("<title>Mining at 100 % · {id}")) || id == "barn", "{own}");
        // The way back, and to the others.
        for place in ["/", "/miners/garage", "/miners/shed", "/miners/barn"] {
            assert!(own.contains(&format!("href=\"{place}\"")), "{id}: {place}: {own}");
        }
        let hold = own.contains("action=\"/rpc/manual_power?miner=");
        assert_eq!(hold, id != "barn", "{id}: {own}");
        assert_eq!(own.contains("only looked at, and never told anything"), id == "barn", "{id}: {own}");
    }
    // The ladder is of all of them, once; its commands and powers are on a miner's own page.
    assert_eq!(dashboard.matches("class=\"ladder\"").count(), 1, "{dashboard}");
    assert!(!dashboard.contains("manual_power"), "{dashboard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_miner_the_dashboard_is_its_page() {
    let house = House::open().await;
    house.run(120).await;
    let (dashboard, own) = (page(&house, "/").await, page(&house, "/miners/garage").await);
    for html in [&dashboard, &own] {
        for call in ["power_on", "power_off", "auto_control", "manual_power"] {
            assert!(html.contains(&format!("action=\"/rpc/{call}?miner=garage\"")), "{call}: {html}");
        }
        assert!(!html.contains("Whose past"), "{html}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_page_of_nobody() {
    let house = house().await;
    for path in ["/miners/nobody", "/miners/", "/miners", "/miners/garage/more", "/miners/%3Cb%3E"] {
        let mut request = call::get(path);
        request.headers_mut().insert(header::ACCEPT, "text/html".parse().unwrap());
        let response = answer(&house, request).await;
        assert_eq!(response.status(), 404, "{path}");
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(String::from_utf8(bytes.to_vec()).unwrap().contains("There is nothing here"), "{path}");
    }
    house.call(call::get("/miners/nobody")).await.error(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_leads_back_to_the_page_that_it_was_sent_from() {
    let house = house().await;
    let sent = answer(&house, form("power_off", "shed", "", "/miners/shed?range=6h")).await;
    assert_eq!(leads_to(&sent), "/miners/shed?range=6h");
    house.run(30).await;
    let [garage, shed, barn] = house.simulation.miners() else { unreachable!() };
    assert_eq!(sent_to(shed), ["set.miner.service \"stop\""]);
    assert_eq!((sent_to(garage), sent_to(barn)), (vec![], vec![]), "nobody else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_said_at_the_miner_that_it_is_about() {
    let house = house().await;
    house.say_twice(28.0).await;
    let refused = answer(&house, form("power_on", "shed", "&confirmed=true", "/?range=6h")).await;
    let back = leads_to(&refused);
    assert!(back.starts_with("/?range=6h&") && back.ends_with("&__miner=shed"), "{back}");
    let html = page(&house, &back).await;
    assert_eq!(html.matches("class=\"refusal\"").count(), 1, "{html}");
    let (_, after) = html.split_once("id=\"part-line-shed\"").unwrap();
    assert!(after.contains("The battery is at 28"), "{html}");
    // The next refusal says whom it is about, and nothing of the one before.
    let next = leads_to(&answer(&house, form("power_on", "garage", "&confirmed=true", &back)).await);
    assert!(next.ends_with("&__miner=garage") && next.matches("__miner").count() == 1, "{next}");
    let odd = leads_to(&answer(&house, form("power_on", "%3Cb%3E", "", "/")).await);
    assert!(odd.contains("__err=") && !odd.contains("__miner"), "{odd}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_only_looked_at_is_told_nothing_by_any_form() {
    let house = house().await;
    for (call, fields) in [
        ("power_off", ""),
        ("power_on", ""),
        ("auto_control", "&enabled=true"),
        ("manual_power", "&percent=60&hours=2"),
    ] {
        let back = leads_to(&answer(&house, form(call, "barn", fields, "/miners/barn")).await);
        assert!(back.contains("__err="), "{call}: {back}");
    }
    house.run(60).await;
    assert_eq!(sent_to(&house.simulation.miners()[2]), Vec::<String>::new());
}

/// The powers of a plot's miner that are known, W.
fn drawn(plot: &Value) -> Vec<f64> {
    let lines = plot["stretch"]["miner"]["lines"].as_array().unwrap();
    let power = lines.iter().find(|line| line["shown"] == "miner").unwrap();
    power["mean"].as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_miner_has_charts_of_its_own() {
    let house = house().await;
    house.post("/api/miner/power_off?id=shed", Value::Null).await.with(202);
    house.run(1200).await;
    let last = |plot: &Value| drawn(plot).last().copied().unwrap();
    let first = house.get("/rpc/chart?range=1h").await;
    let of = async |id: &str| house.get(&format!("/rpc/chart?range=1h&miner={id}")).await;
    let (garage, shed, barn) = (of("garage").await, of("shed").await, of("barn").await);
    assert_eq!(
        (&first["miner"], drawn(&first)),
        (&garage["miner"], drawn(&garage)),
        "the first, where none is named"
    );
    assert_eq!((&shed["miner"], &barn["miner"]), (&"shed".into(), &"barn".into()));
    assert!(last(&garage) > 3000.0 && last(&barn) > 3000.0 && last(&shed) < 200.0, "{garage} {shed} {barn}");
    // What happened is each one's own, but for the sun.
    let told = |plot: &Value| {
        plot["events"].as_array().unwrap().iter().filter(|event| event["kind"] != "sunset").count()
    };
    assert!(told(&shed) > 0 && told(&barn) == 0, "{shed} {barn}");

    let now = first["now"].as_i64().unwrap();
    let part = |id: &str| format!("/rpc/chart_part?from={}&to={now}&miner={id}", now - 300_000);
    let part_of_shed = house.get(&part("shed")).await;
    let power = part_of_shed["miner"]["lines"][0]["mean"].as_array().unwrap();
    assert!(power.iter().filter_map(Value::as_f64).all(|watts| watts < 200.0), "{part_of_shed}");
    for path in ["/rpc/chart?range=1h&miner=nobody".to_owned(), part("nobody")] {
        let refused = house.call(call::get(&path)).await.with(500);
        assert_eq!(refused, "There is no such miner.", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_says_which_miner_s_past_is_drawn() {
    let house = house().await;
    house.post("/api/miner/power_off?id=shed", Value::Null).await.with(202);
    house.run(1200).await;
    let garage = page(&house, "/?range=1h").await;
    assert!(garage.contains("History of the battery and garage"), "{garage}");
    let shed = page(&house, "/?range=1h&miner=shed").await;
    assert!(shed.contains("History of the battery and shed"), "{shed}");
    // What else is chosen stays with it, in every form and link.
    assert!(
        shed.contains("name=\"miner\" value=\"shed\"") && shed.contains("?range=6h&amp;miner=shed"),
        "{shed}"
    );
    let nobody = page(&house, "/?range=1h&miner=nobody").await;
    assert!(nobody.contains("History of the battery and garage"), "{nobody}");
    let own = page(&house, "/miners/shed?range=1h&miner=garage").await;
    assert!(
        !own.contains("Whose past") && own.contains("/api/history.csv?days=0.041666666666666664&amp;id=shed"),
        "{own}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_tells_the_history_of_each_and_the_decisions_about_each() {
    let house = house().await;
    house.post("/api/miner/power_off?id=shed", Value::Null).await.with(202);
    house.run(1200).await;
    for (id, is_off) in [("garage", false), ("shed", true), ("barn", false)] {
        let history = house.get(&format!("/api/miner/history?days=1&id={id}")).await;
        let newest = history["data"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(newest["power_w"].as_f64().unwrap() < 200.0, is_off, "{id}: {newest}");
        let decisions = house.get(&format!("/api/decisions?miner={id}")).await;
        let decisions = decisions["decisions"].as_array().unwrap().clone();
        assert!(decisions.iter().all(|decision| decision["miner"] == id), "{decisions:?}");
        assert_eq!(decisions.is_empty(), id == "barn", "nothing is decided about who is only looked at");
        let table = answer(&house, call::get(&format!("/api/history.csv?days=1&id={id}"))).await;
        let table = to_bytes(table.into_body(), 1 << 20).await.unwrap();
        let titles = String::from_utf8_lossy(&table).lines().next().unwrap().to_owned();
        for other in ["garage", "shed", "barn"] {
            assert_eq!(titles.contains(&format!("miner_{other}_power_w")), other == id, "{id}: {titles}");
        }
    }
    for path in ["/api/miner/history?id=nobody", "/api/history.csv?id=nobody", "/api/decisions?miner=nobody"]
    {
        let (code, ..) = house.call(call::get(path)).await.error(404);
        assert_eq!(code, "no_such_miner", "{path}");
    }
    // Who is only looked at has no commands and takes none.
    house.call(call::get("/api/miner/op_status?id=barn")).await.error(404);
    house.post("/api/miner/power_off?id=barn", Value::Null).await.error(404);
}

/// Before its first tick the controller knows no miner. A page that is loaded anew after a restart must not end there.
// Real time leaps to the next deadline once everybody waits, and not before: until then the portal is silent, and the loop
// has neither an alarm in this house's time, which stands still, nor a reading to look at.
#[tokio::test(start_paused = true)]
async fn until_the_first_tick_a_miner_s_page_says_so_and_is_looked_at_again() {
    let portal = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = json!({
        "miners": [{ "id": "garage", "host": "127.0.0.1", "v2_port": 1, "v3_port": 2, "password": CANARY }],
        "battery": {
            "user": "demo",
            "password": CANARY,
            "base_url": format!("http://{}", portal.local_addr().unwrap()),
        },
    });
    let inputs = Inputs::of_text(&text.to_string(), std::iter::empty());
    let app = inputs.load(&Changes::new()).unwrap().config.app;
    let clock = Arc::new(Lockstep::new(UtcMillis(1_780_000_000_000)));
    let start = Start { inputs, app, store: None, clock, demo: false, samples_wait: None };
    let settings = start.start().await.unwrap();
    let handle = settings.handle();
    let router = without_database(settings).await;
    let ask = async |path: &str| router.clone().oneshot(call::get(path)).await.unwrap();

    for path in ["/miners/garage", "/miners/nobody"] {
        let response = ask(path).await;
        assert_eq!(response.status(), 503, "{path}");
        assert_eq!(response.headers()[header::REFRESH], "1", "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{path}");
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(html.contains("The controller is starting. This page comes by itself."), "{html}");
    }
    let told = call::Reply::read(ask("/api/miner/status?id=garage").await).await;
    assert_eq!(told.error(503).0, "starting");

    handle.follow().wait_for(|snapshot| snapshot.tick > 0).await.unwrap();
    let response = ask("/miners/garage").await;
    assert_eq!((response.status().as_u16(), response.headers().get(header::REFRESH)), (200, None));
    assert_eq!(ask("/miners/nobody").await.status(), 404);
}
