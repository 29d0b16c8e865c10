//! The search of the network, and what is made of it.

use crate::{
    house::{CANARY, House},
    settings::Person,
};
use serde_json::{Value, json};

/// Searches, and looks until it is over.
async fn searched(house: &House) -> Value {
    house.post("/api/network/scan", json!({})).await.with(202);
    once(house, |told| told["scanning"] == false).await
}

/// What is told of the network once it is so.
async fn once(house: &House, so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let told = house.get("/api/network/devices").await;
        if so(&told) {
            return told;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_is_in_no_network_is_told_so() {
    let house = House::open().await;
    let refused = house.post("/api/network/scan", json!({})).await.with(409);
    assert!(refused.to_string().contains("site.search_ranges"), "{refused}");
    let told = house.get("/api/network/devices").await;
    assert_eq!((told["scanning"].clone(), told["ranges"].clone()), (json!(false), json!([])));
    house.post("/api/network/scan", json!({ "range": "8.8.8.0/24" })).await.with(422);
    house.post("/api/network/scan/cancel", json!({})).await.with(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_that_is_public_is_refused() {
    let person = Person::enter().await;
    for range in ["8.8.8.0/24", "10.0.0.0/8", "169.254.0.0/24", "everything"] {
        let (status, _, page) = person.send("/settings", &[("site.search_ranges", range)]).await;
        assert_eq!(status, 422, "{range}: {page}");
        assert!(page.contains("private ranges such as"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_told_and_a_miner_that_moved_is_recognised() {
    let person = Person::enter().await;
    person.change(&[("site.search_ranges", "127.0.0.1")]).await;
    let told = searched(&person.house).await;
    assert_eq!(told["ranges"], json!(["127.0.0.1/32"]));
    let found = &told["found"][0];
    assert_eq!(found["type"], "whatsminer", "{told}");
    assert_eq!(found["mac"], told["devices"][0]["mac"], "{told}");
    assert!(!person.page_at("/devices").await.contains("Take in"), "it is known already");

    // The configured address is another one, as after a lease that ran out.
    let elsewhere = [("miners.garage.host", "127.0.0.9"), ("miners.garage.password", CANARY)];
    person.change(&elsewhere).await;
    person.house.run(60).await;
    let page = person.page_at("/devices").await;
    assert!(
        page.contains("doesn&#x27;t answer at 127.0.0.9") || page.contains("doesn't answer at 127.0.0.9"),
        "{page}"
    );
    assert!(page.contains("It is here now"), "{page}");
    let back = [("miners.garage.host", "127.0.0.1"), ("miners.garage.password", CANARY)];
    person.change(&back).await;
    person.house.run(30).await;
    let told = person.house.get("/api/network/devices").await;
    assert_eq!(told["devices"][0]["connected"], true, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_miner_that_is_missing_is_searched_for_by_itself() {
    let person = Person::enter().await;
    person.change(&[("site.search_ranges", "127.0.0.1")]).await;
    person.change(&[("miners.garage.host", "127.0.0.9"), ("miners.garage.password", CANARY)]).await;
    person.house.run(200).await;
    let told = person.house.get("/api/network/devices").await;
    assert_eq!(told["devices"][0]["connected"], false, "{told}");
    assert_eq!(told["last_scan_time"], Value::Null, "it may only be restarting: {told}");
    person.house.run(200).await;
    let told = once(&person.house, |told| !told["last_scan_time"].is_null()).await;
    assert_eq!(told["found"][0]["mac"], told["devices"][0]["mac"], "{told}");
    assert_eq!(told["devices"][0]["moved_to"], "127.0.0.1", "{told}");
    assert!(person.page_at("/devices").await.contains("It is here now"));
    // Nothing was sent to it by that, and nothing is until a person says yes.
    assert_eq!(told["devices"][0]["connected"], false, "{told}");
}
