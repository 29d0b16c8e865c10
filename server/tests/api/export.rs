//! `GET /api/history.csv`: the same that the histories tell, as a table.

use crate::{
    call::{Reply, get, request},
    house::{CANARY, House, Miners, Options},
};
use axum::body::{Body, to_bytes};
use model::UtcMillis;
use serde_json::Value;
use std::collections::BTreeMap;
use tower::ServiceExt;

/// A table as a spreadsheet reads it: the titles, and rows by their instants.
struct Table {
    titles: Vec<String>,
    rows: BTreeMap<String, BTreeMap<String, String>>,
}

async fn ask(house: &House, query: &str) -> axum::response::Response {
    house.outside.clone().oneshot(get(&format!("/api/history.csv?{query}"))).await.unwrap()
}

async fn table(house: &House, query: &str) -> Table {
    let response = ask(house, query).await;
    assert_eq!(response.status(), 200, "{query}");
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let bytes = to_bytes(response.into_body(), 1 << 24).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains(CANARY), "a secret");
    // RFC 4180: every line ends with both.
    assert!(text.ends_with("\r\n") && text.matches('\n').count() == text.matches("\r\n").count());
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let titles = lines.next().unwrap();
    let mut rows = BTreeMap::new();
    let mut last = String::new();
    for line in lines {
        assert_eq!(line.len(), titles.len(), "{line:?}");
        assert!(line[0] > last, "{} after {last}", line[0]);
        last.clone_from(&line[0]);
        rows.insert(line[0].clone(), titles.iter().cloned().zip(line).skip(1).collect());
    }
    Table { titles, rows }
}

/// What a program is told is what a spreadsheet is told, place by place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_json_it_is_the_same_table() {
    let (house, stretch) = lived().await;
    for query in [
        stretch.to_owned(),
        format!("{stretch}&points=7"),
        "from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z".into(),
    ] {
        let table = table(&house, &query).await;
        let json = house.get(&format!("/api/history.json?{query}")).await;
        let columns: Vec<_> =
            json["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(columns, table.titles, "{query}");
        let rows = json["rows"].as_array().unwrap();
        assert_eq!(rows.len(), table.rows.len(), "{query}");
        for row in rows {
            let row = row.as_array().unwrap();
            assert_eq!(row.len(), columns.len());
            let told = &table.rows[row[0].as_str().unwrap()];
            for (name, value) in columns.iter().zip(row).skip(1) {
                let cell = &told[*name];
                assert_eq!(value.as_f64(), cell.parse().ok(), "{name} at {}", row[0]);
                assert_eq!(value.is_null(), cell.is_empty(), "{name} at {}", row[0]);
            }
        }
    }
}

impl Table {
    /// Holds a history's rows against the columns that begin with `prefix`: each is there, and nothing besides.
    fn tells(&self, history: &Value, prefix: &str) {
        let mut told = 0;
        for row in history["data"].as_array().unwrap() {
            let instant = row["ts"].as_str().unwrap();
            let cells = self.rows.get(instant).unwrap_or_else(|| unreachable!("no row at {instant}"));
            for (name, value) in row.as_object().unwrap().iter().filter(|(name, _)| *name != "ts") {
                let cell = &cells[&format!("{prefix}{name}")];
                match value.as_f64() {
                    None => assert_eq!(cell, "", "{name} at {instant} isn't known"),
                    Some(value) => {
                        assert_eq!(
                            cell.parse::<f64>().unwrap().to_bits(),
                            value.to_bits(),
                            "{name} at {instant}"
                        );
                        told += 1;
                    }
                }
            }
        }
        let mine =
            |title: &str| title.starts_with("miner_") != prefix.is_empty() && title.starts_with(prefix);
        let cells = self.rows.values().flatten().filter(|(title, cell)| mine(title) && !cell.is_empty());
        assert_eq!(cells.count(), told, "what {prefix:?} tells");
        assert!(told > 0);
    }
}

/// A house with two miners that has lived for some hours; and a stretch that begins and ends within them.
async fn lived() -> (House, &'static str) {
    let house = House::with(Options { miners: Miners(&["garage", "shed"]), ..Options::default() }).await;
    house.run(5 * 3600).await;
    house.simulation.miners()[1].update_faults(|faults| faults.refuse_connections = true);
    house.run(900).await;
    (house, "from=2026-06-21T18:10:05Z&to=2026-06-21T23:10:00Z")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_has_every_sample_of_the_battery_and_of_each_miner() {
    let (house, stretch) = lived().await;
    let table = table(&house, stretch).await;
    assert_eq!(
        table.titles[..8],
        [
            "time",
            "soc_percent",
            "pv_power_w",
            "load_power_w",
            "grid_power_w",
            "battery_net_w",
            "miner_garage_power_w",
            "miner_garage_power_set_w"
        ]
    );
    assert_eq!(table.titles.len(), 1 + 5 + 7 + 7);
    // More than a piece holds, and all that the histories tell of the same stretch.
    let all = format!("{stretch}&points=10000");
    table.tells(&house.get(&format!("/api/battery/history?{all}")).await, "");
    table.tells(&house.get(&format!("/api/miner/history?id=garage&{all}")).await, "miner_garage_");
    table.tells(&house.get(&format!("/api/miner/history?id=shed&{all}")).await, "miner_shed_");
    assert!(table.rows.len() > 1700, "a reading every ten seconds: {}", table.rows.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_number_of_points_a_table_is_what_the_histories_tell() {
    let (house, stretch) = lived().await;
    // Samples of the battery beside buckets of the miners; buckets shorter than a minute, of minutes, of quarters.
    for points in [2, 7, 40, 100, 700, 1000, 10_000] {
        let query = format!("{stretch}&points={points}");
        let table = table(&house, &query).await;
        table.tells(&house.get(&format!("/api/battery/history?{query}")).await, "");
        table.tells(&house.get(&format!("/api/miner/history?id=garage&{query}")).await, "miner_garage_");
        table.tells(&house.get(&format!("/api/miner/history?id=shed&{query}")).await, "miner_shed_");
    }
    let one = table(&house, &format!("{stretch}&points=5&id=shed")).await;
    assert!(one.titles.iter().any(|title| title == "miner_shed_power_w_min"), "{:?}", one.titles);
    assert!(!one.titles.iter().any(|title| title.starts_with("miner_garage")), "{:?}", one.titles);
}

/// Readings are written once a minute. A table has those that wait, and says the same of them once they are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_reaches_to_the_present_and_says_the_same_afterwards() {
    let house = House::open().await;
    let mut waited = 0;
    for seconds in [20, 45, 38] {
        house.run(seconds).await;
        let now = house.get("/api/system/status").await["time"].as_str().unwrap().to_owned();
        let stretch = format!("from=2026-06-21T00:00:00Z&to={now}");
        let power = |table: &Table| -> BTreeMap<String, String> {
            let rows = table.rows.iter().map(|(at, row)| (at.clone(), row["miner_garage_power_w"].clone()));
            rows.filter(|(_, power)| !power.is_empty()).collect()
        };
        let early = table(&house, &stretch).await;
        let told = power(&early);
        let last: UtcMillis = told.last_key_value().unwrap().0.parse().unwrap();
        let behind = now.parse::<UtcMillis>().unwrap().millis_since(last);
        assert!(behind <= 11_000, "read every ten seconds, told {behind} ms behind");
        let history = house.get(&format!("/api/miner/history?{stretch}&points=10000")).await;
        waited += told.len() - history["data"].as_array().unwrap().len();
        // With a number of points, which is more than there are, it reaches as far.
        let stepwise = table(&house, &format!("{stretch}&points=10000")).await;
        assert_eq!(power(&stepwise).last_key_value(), told.last_key_value());

        house.run(120).await;
        let late = table(&house, &stretch).await;
        assert_eq!(power(&late), told);
        for (at, row) in &early.rows {
            // What the portal told later may stand beside it by then.
            let same = |(title, cell): (&String, &String)| cell.is_empty() || late.rows[at][title] == *cell;
            assert!(row.iter().all(same), "{at}: {row:?}, then {:?}", late.rows[at]);
        }
    }
    assert!(waited > 0, "something always was written already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_has_a_name_of_its_stretch_and_titles_even_if_it_is_empty() {
    let house = House::open().await;
    let response = ask(&house, "from=1999-01-01T00:00:00Z&to=1999-02-01T00:00:00Z").await;
    let expected = "attachment; filename=\"wm-controller-19990101T000000Z-19990201T000000Z.csv\"";
    assert_eq!(response.headers()["content-disposition"], expected);
    let empty = table(&house, "from=1999-01-01T00:00:00Z&to=1999-02-01T00:00:00Z").await;
    assert!(empty.rows.is_empty() && empty.titles[0] == "time");
    // All times there are: nothing is looked for where nothing can be.
    house.run(600).await;
    let everything = table(&house, "from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z").await;
    assert!(everything.rows.len() > 50, "{}", everything.rows.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_cannot_be_is_refused() {
    let house = House::open().await;
    for (query, field) in [
        ("days=0", "days"),
        ("days=inf", "days"),
        ("days=1&from=2026-06-21T00:00:00Z", "days"),
        ("points=0", "points"),
        ("points=10001", "points"),
        ("from=../../etc/passwd", "from"),
        ("from=2026-06-21", "from"),
        ("to=2026-06-20T00:00:00Z&from=2026-06-21T00:00:00Z", "from"),
        ("from=2026-06-21T00:00:00Z&to=2026-06-21T00:00:00Z", "from"),
        ("file=../x", "file"),
        ("points=5&points=6", "points"),
    ] {
        let (code, _, found) = Reply::read(ask(&house, query).await).await.error(400);
        assert_eq!((code.as_str(), found.as_deref()), ("bad_query", Some(field)), "{query}");
    }
    let (code, _, field) = Reply::read(ask(&house, "id=nobody").await).await.error(404);
    assert_eq!((code.as_str(), field.as_deref()), ("no_such_miner", Some("id")));
    for path in ["/api/history.csv/../x", "/api/history.csv/", "/api/..%2fhistory.csv"] {
        house.call(get(path)).await.error(404);
    }
}

/// Browsers and clients ask for it packed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_packed_for_the_way_is_whole() {
    let (house, stretch) = lived().await;
    let ask = |packed: &str| {
        let request =
            request("GET", &format!("/api/history.csv?{stretch}")).header("accept-encoding", packed);
        house.outside.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let plain = to_bytes(ask("identity").await.unwrap().into_body(), 1 << 24).await.unwrap();
    let response = ask("gzip").await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let packed = to_bytes(response.into_body(), 1 << 24).await.unwrap();
    // RFC 1952: it begins with its mark, and ends with the length of what was packed.
    assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < plain.len() / 2);
    let (_, length) = packed.split_last_chunk::<4>().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, plain.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_read_slowly_keep_nobody_from_the_histories() {
    let (house, stretch) = lived().await;
    let slow = [ask(&house, stretch).await, ask(&house, stretch).await];
    assert!(slow.iter().all(|response| response.status() == 200));
    // Both are half-way, and read no further: no connection to the database is theirs.
    let rows = house.get(&format!("/api/battery/history?{stretch}")).await["data"].clone();
    assert!(!rows.as_array().unwrap().is_empty());
    let (code, ..) = Reply::read(ask(&house, stretch).await).await.error(503);
    assert_eq!(code, "too_many_exports");
    for response in slow {
        let whole = to_bytes(Body::new(response.into_body()), 1 << 24).await.unwrap();
        assert!(whole.len() > 100_000, "{}", whole.len());
    }
}
