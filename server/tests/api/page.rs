//! The page as the server renders it, and its forms as a browser without JavaScript sends them.

use crate::{
    call,
    house::{CANARY, House},
};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, header},
};
use model::UtcMillis;
use tower::ServiceExt;

async fn answer(house: &House, request: Request<Body>) -> Response<Body> {
    house.router.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains(CANARY), "a secret: {text}");
    text
}

fn form(path: &str, fields: &str) -> Request<Body> {
    call::request("POST", path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, "http://127.0.0.1:8080/?range=6h")
        .body(fields.to_owned().into())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_what_is_known_and_names_stay_text() {
    let house = House::open().await;
    house.run(120).await;
    let response = answer(&house, call::get("/")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let html = text(response).await;
    assert!(html.contains("Mining at 100 %"), "{html}");
    assert!(html.contains("garage &lt;b>") || html.contains("garage &lt;b&gt;"), "{html}");
    assert!(!html.contains("garage <b>"), "a name is never markup: {html}");
    assert!(html.contains("does what it was told"), "{html}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_followed_and_leads_back() {
    let house = House::open().await;
    let response = answer(&house, form("/rpc/power_off", "miner=garage")).await;
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()[header::LOCATION], "http://127.0.0.1:8080/?range=6h");
    house.run(30).await;
    assert_eq!(house.sent(), ["set.miner.service \"stop\""]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_leads_back_with_its_words() {
    let house = House::open().await;
    let response = answer(&house, form("/rpc/manual_power", "miner=garage&percent=7&hours=2")).await;
    assert_eq!(response.status(), 302);
    let back = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
    assert!(back.contains("__err="), "{back}");
    let path = back.strip_prefix("http://127.0.0.1:8080").unwrap();
    let html = text(answer(&house, call::get(path)).await).await;
    assert!(html.contains("this miner holds"), "{html}");
    assert_eq!(house.sent(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_with_something_impossible_changes_nothing() {
    let house = House::open().await;
    for (call, fields) in [
        ("power_off", "miner=nobody"),
        ("power_off", ""),
        ("power_on", "miner=garage&confirmed=perhaps"),
        ("auto_control", "miner=garage"),
        ("auto_control", "miner=garage&enabled=2"),
        ("manual_power", "miner=garage&percent=0&hours=2"),
        ("manual_power", "miner=garage&percent=300&hours=2"),
        ("manual_power", "miner=garage&percent=60&hours=NaN"),
        ("manual_power", "miner=garage&percent=60&hours=1e9"),
        ("manual_power", "miner=garage&percent=60&hours=-1"),
        ("clear_alerts", ""),
        ("clear_alerts", "until=yesterday"),
        ("demo_pace", "pace=60"),
        ("demo_fault", "fault=fire&on=true"),
    ] {
        let response = answer(&house, form(&format!("/rpc/{call}"), fields)).await;
        assert_eq!(response.status(), 302, "{call} {fields}");
        let back = response.headers()[header::LOCATION].to_str().unwrap();
        assert!(back.contains("__err="), "{call} {fields}: {back}");
    }
    house.run(60).await;
    assert_eq!(house.sent(), Vec::<String>::new());
    let large = format!("miner=garage&more={}", "x".repeat(1 << 20));
    assert_ne!(answer(&house, form("/rpc/power_off", &large)).await.status(), 200);
    assert_eq!(house.sent(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_said_in_the_language_of_whoever_asks() {
    let house = House::open().await;
    let mut request = call::get("/nowhere");
    request.headers_mut().insert(header::ACCEPT, "text/html,*/*;q=0.8".parse().unwrap());
    let page = answer(&house, request).await;
    assert_eq!(page.status(), 404);
    assert!(text(page).await.contains("There is nothing here"));
    house.call(call::get("/nowhere")).await.error(404);
    house.call(call::get("/api/nowhere")).await.error(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_without_switches_has_no_page_of_faults() {
    let house = House::open().await;
    house.call(call::get(app::view::FAULTS)).await.error(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_can_call_nothing() {
    let house = House::open().await;
    for origin in ["http://evil.example", "null"] {
        let mut request = form("/rpc/power_off", "miner=garage");
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        assert_eq!(answer(&house, request).await.status(), 403);
    }
    house.run(30).await;
    assert_eq!(house.sent(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_charts_reach_to_the_present() {
    let house = House::open().await;
    house.run(630).await;
    for range in ["1h", "24h"] {
        let now: UtcMillis = house.get("/api/system/status").await["time"].as_str().unwrap().parse().unwrap();
        let plot = house.get(&format!("/rpc/chart?range={range}")).await;
        let track = &plot["stretch"]["miner"];
        let last = track["at"].as_array().unwrap().last().unwrap().as_i64().unwrap();
        // A bucket's instant is its middle.
        let reach = 10_000 + track["step"].as_i64().unwrap_or(0) / 2;
        assert!((now.0 - last).abs() <= reach, "{range}: {} ms before now", now.0 - last);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_charts_lead_to_exports_and_backups() {
    let house = House::open().await;
    for page in ["/", "/miners/garage"] {
        let html = text(answer(&house, call::get(page)).await).await;
        let (_, chart) = html.split_once("id=\"chart\"").unwrap();
        let (chart, _) = chart.split_once("</section>").unwrap();
        assert!(chart.contains("href=\"/data\""), "{page}: {chart}");
    }
    assert_eq!(answer(&house, call::get("/data")).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_api_tells_every_call_and_is_found_where_tokens_are_made() {
    let house = House::open().await;
    let described = house.get("/api/openapi.json").await;
    let response = answer(&house, call::get("/api")).await;
    assert_eq!(response.status(), 200);
    let html = text(response).await;
    for path in described["paths"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("http://127.0.0.1:8080{path}")), "{path}");
    }
    for name in described["components"]["schemas"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("id=\"shape-{name}\"")), "{name}");
    }
    assert!(!html.contains("<script>") && !html.contains("style="), "{html}");
    let access = text(answer(&house, call::get("/account")).await).await;
    assert!(access.contains("href=\"/api\""), "{access}");
}
