//! Whatever is wrong with a request is answered with a fitting status and the name of what is wrong, and the miner
//! hears nothing of it.

use crate::{
    call::{get, post, post_nothing, request},
    house::House,
};
use axum::{body::Body, http::header};
use serde_json::{Value, json};

/// Every address that changes something.
const CHANGES: [&str; 8] = [
    "/api/miner/power_on",
    "/api/miner/power_off",
    "/api/miner/power_pct",
    "/api/miner/power_limit",
    "/api/autocontrol/enable",
    "/api/autocontrol/disable",
    "/api/battery/refresh_session",
    "/api/alerts/clear",
];

/// Nothing was taken up, and no device was sent anything.
async fn assert_untouched(house: &House) {
    house.run(60).await;
    assert_eq!(house.sent(), Vec::<String>::new());
    assert_eq!(house.portal().counts().logins, 1, "no sign-in but the first");
    let intent = &house.get("/api/miner/status").await["intent"];
    assert_eq!(
        (&intent["auto_control"], &intent["power"], &intent["manual"]),
        (&json!(true), &json!("undecided"), &Value::Null)
    );
}

async fn assert_invalid(house: &House, path: &str, body: &str, field: &str) {
    let (code, message, named) = house.call(post(path, body.to_owned())).await.error(422);
    assert_eq!((code.as_str(), named.as_deref()), ("invalid", Some(field)), "{path} {body}: {message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_value_is_named() {
    let house = House::open().await;
    let wrong = [
        "0",
        "-1",
        "1e308",
        "-1e308",
        "1e999999",
        "60.5",
        "\"60\"",
        "true",
        "null",
        "[60]",
        "{}",
        "18446744073709551616",
    ];
    for (path, field, range) in [
        ("/api/miner/power_pct", "percent", &["101", "29"][..]),
        ("/api/miner/power_limit", "watts", &["99999", "100000", "4294967297", "3601", "1079"]),
    ] {
        for value in wrong.iter().chain(range) {
            let body = format!("{{\"{field}\":{value}}}");
            if *value == "1e999999" {
                // No JSON number that anything could hold.
                assert_eq!(house.call(post(path, body)).await.error(400).0, "bad_json");
                continue;
            }
            assert_invalid(&house, path, &body, field).await;
        }
        assert_invalid(&house, path, "{}", field).await;
        let (_, message, named) = house.call(post_nothing(path)).await.error(422);
        assert!(named.as_deref() == Some(field) && message.contains("missing"), "{message}");
        for hours in ["0", "-1", "169", "1e308", "\"2\"", "true", "[]"] {
            let body = format!("{{\"{field}\":50,\"hours\":{hours}}}");
            assert_invalid(&house, path, &body, "hours").await;
        }
        assert_invalid(&house, path, &format!("{{\"{field}\":50,\"force\":true}}"), "force").await;
    }
    for confirm in ["\"yes\"", "1", "[]", "{}"] {
        let body = format!("{{\"confirm\":{confirm}}}");
        assert_invalid(&house, "/api/miner/power_on", &body, "confirm").await;
    }
    for until in ["1795000000000", "\"yesterday\"", "\"2026-06-21\"", "true"] {
        assert_invalid(&house, "/api/alerts/clear", &format!("{{\"until\":{until}}}"), "until").await;
    }
    for path in CHANGES {
        assert_invalid(&house, path, r#"{"nonsense":1}"#, "nonsense").await;
    }
    assert_untouched(&house).await;
}

/// Two members of one name mean two things to two readers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_written_twice_is_refused() {
    let house = House::open().await;
    assert_invalid(&house, "/api/miner/power_pct", r#"{"percent":40,"percent":100}"#, "percent").await;
    assert_invalid(&house, "/api/miner/power_pct", r#"{"percent":40,"\u0070ercent":40}"#, "percent").await;
    assert_invalid(&house, "/api/miner/power_on", r#"{"confirm":false,"confirm":true}"#, "confirm").await;
    assert_untouched(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_json_object_is_refused() {
    let house = House::open().await;
    let deep = format!("{}1{}", "[".repeat(7000), "]".repeat(7000));
    let deep_member = format!("{{\"percent\":{}1{}}}", "{\"a\":".repeat(2000), "}".repeat(2000));
    let not_utf8 = b"{\"percent\":\"\xff\xfe\"}".to_vec();
    // The beginning of what gzip makes of a body.
    let gzip = vec![0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56];
    let bodies: Vec<Vec<u8>> = [
        "{",
        "percent=60",
        "60",
        "\"60\"",
        "true",
        "null",
        "[]",
        "[{\"percent\":60}]",
        "{\"percent\":NaN}",
        "{\"percent\":60} {}",
        "{percent:60}",
        "{\"percent\":60,}",
        " ",
        "\u{feff}{\"percent\":60}",
        "\0",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([deep.into_bytes(), deep_member.into_bytes(), not_utf8, gzip])
    .collect();
    for path in CHANGES {
        for body in &bodies {
            let (code, message, _) = house.call(post(path, body.clone())).await.error(400);
            assert_eq!(code, "bad_json", "{path} {}: {message}", String::from_utf8_lossy(body));
            assert!(message.len() < 300, "{message}");
        }
    }
    assert_untouched(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_another_kind_is_refused() {
    let house = House::open().await;
    let kinds = [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
        Some("text/plain; application/json"),
        Some(""),
    ];
    for path in CHANGES {
        for kind in kinds {
            let request = request("POST", path);
            let request =
                kind.into_iter().fold(request, |request, kind| request.header(header::CONTENT_TYPE, kind));
            let request = request.body(Body::from(r#"{"percent":60}"#)).unwrap();
            assert_eq!(house.call(request).await.error(415).0, "not_json", "{path} {kind:?}");
        }
    }
    assert_untouched(&house).await;
    let request = request("POST", "/api/miner/power_pct")
        .header(header::CONTENT_TYPE, "Application/JSON; charset=utf-8")
        .body(Body::from(r#"{"percent":60}"#))
        .unwrap();
    house.call(request).await.with(202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_body_is_refused() {
    let house = House::open().await;
    for path in CHANGES {
        let body = format!("{{\"percent\":60,\"padding\":\"{}\"}}", "x".repeat(100_000));
        assert_eq!(house.call(post(path, body)).await.error(413).0, "too_large", "{path}");
        let body = format!("{{\"percent\":60{}}}", " ".repeat(server::rest::LARGEST_BODY));
        assert_eq!(house.call(post(path, body)).await.error(413).0, "too_large", "{path}");
    }
    assert_untouched(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_query_is_named() {
    let house = House::open().await;
    let valid = |path: &str| match path.rsplit('/').next() {
        Some("power_pct") => json!({ "percent": 60 }),
        Some("power_limit") => json!({ "watts": 2000 }),
        _ => json!({}),
    };
    let about_no_miner = ["/api/battery/", "/api/alerts/"];
    let with_id = CHANGES.iter().filter(|path| !about_no_miner.iter().any(|about| path.starts_with(about)));
    for path in with_id {
        for (query, named) in [
            ("miner=garage", "miner"),
            ("id=garage&force=1", "force"),
            ("id=garage&id=shed", "id"),
            ("ID=garage", "ID"),
        ] {
            let (code, _, field) = house.post(&format!("{path}?{query}"), valid(path)).await.error(400);
            assert_eq!((code.as_str(), field.as_deref()), ("bad_query", Some(named)), "{path}?{query}");
        }
    }
    for path in ["/api/miner/status", "/api/miner/op_status", "/api/autocontrol/status"] {
        let (code, _, field) = house.call(get(&format!("{path}?miner=garage"))).await.error(400);
        assert_eq!((code.as_str(), field.as_deref()), ("bad_query", Some("miner")), "{path}");
    }
    assert_untouched(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_miner_is_named() {
    let house = House::open().await;
    let long = "x".repeat(5000);
    let ids = [
        "",
        "shed",
        "Garage",
        "garage%20",
        "garage%00",
        "..%2F..%2Fetc%2Fpasswd",
        "../../etc/passwd",
        "%ff%fe",
        "%3Cscript%3E",
        "garage'%20OR%201=1--",
        "%F0%9F%94%A5%E2%80%AE",
        long.as_str(),
    ];
    for id in ids {
        for path in ["/api/miner/status", "/api/miner/op_status", "/api/autocontrol/status"] {
            let (code, message, field) = house.call(get(&format!("{path}?id={id}"))).await.error(404);
            assert_eq!((code.as_str(), field.as_deref()), ("no_such_miner", Some("id")), "{id}");
            assert!(message.len() < 300, "{message}");
        }
        for path in ["/api/miner/power_on", "/api/miner/power_off", "/api/autocontrol/disable"] {
            let (code, message, field) = house.post(&format!("{path}?id={id}"), Value::Null).await.error(404);
            assert_eq!((code.as_str(), field.as_deref()), ("no_such_miner", Some("id")), "{path} {id}");
            assert!(message.len() < 300, "{message}");
        }
    }
    assert_untouched(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_methods_and_addresses_have_the_shape_of_errors() {
    let house = House::open().await;
    for path in CHANGES {
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let reply = house.call(request(method, path).body(Body::empty()).unwrap()).await;
            assert_eq!(reply.headers[header::ALLOW], "POST");
            assert_eq!(reply.error(405).0, "method_not_allowed", "{method} {path}");
        }
    }
    for path in ["/api/miner/status", "/api/system/health", "/api/network/devices"] {
        assert_eq!(house.call(post_nothing(path)).await.error(405).0, "method_not_allowed", "{path}");
    }
    for page in ["/", "/api"] {
        assert_eq!(house.call(post_nothing(page)).await.error(405).0, "method_not_allowed", "{page}");
    }
    for path in [
        "/api/",
        "/api/nothing",
        "/api/miner",
        "/api/miner/status/",
        "/API/miner/status",
        "//api/miner/status",
        "/api/../api/miner/status",
        "/api/miner/%73tatus/x",
        "/etc/passwd",
        "/api/miner/power_on/garage",
    ] {
        assert_eq!(house.call(get(path)).await.error(404).0, "not_found", "{path}");
        assert_eq!(house.call(post(path, "{}")).await.error(404).0, "not_found", "{path}");
    }
    assert_untouched(&house).await;
}
