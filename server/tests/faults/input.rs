//! Bad input: configuration files, and requests.

use crate::{
    child::run,
    home::{Home, plain, was_sent},
    scenario::{Scenario, Seen},
    site::Options,
};
use reqwest::{Body, RequestBuilder};
use serde_json::{Value, json};

/// A file, and what the message has to name.
type File = (&'static str, &'static str);

/// Name, row, and files that are refused. Those without a miner get one.
const FILES: &[(&str, &str, &[File])] = &[
    (
        "not_numbers",
        "config: NaN, 1e308",
        &[
            ("autocontrol: {resume_soc: .nan}", "autocontrol.resume_soc"),
            ("autocontrol: {resume_soc: NaN}", "autocontrol.resume_soc"),
            ("autocontrol: {resume_soc: .inf}", "autocontrol.resume_soc"),
            ("miner: {host: 10.0.0.2, base_watts: 1e308}", "miner.base_watts"),
            ("battery: {poll_seconds: 1e308}", "battery.poll_seconds"),
        ],
    ),
    (
        "thresholds",
        "config: inverted thresholds",
        &[
            ("autocontrol: {emergency_soc: 80, sunset_soc: 60}", "sunset_soc"),
            ("autocontrol: {warn_after_sec: 900, stale_off_sec: 60}", "stale_off_sec"),
            ("miner: {host: 10.0.0.2, min_watts: 3000, max_watts: 2000}", "min_watts"),
        ],
    ),
    (
        "twice",
        "config: duplicate keys",
        &[
            ("miner: {host: 10.0.0.2, host: 10.0.0.3}", "host"),
            ("miner: {host: 10.0.0.2}\nminer: {host: 10.0.0.3}", "miner"),
        ],
    ),
    (
        "hosts",
        "config: hosts that are none",
        &[
            ("miner: {host: '127.0.0.1:22'}", "miner.host"),
            ("miner: {host: '[::1]'}", "miner.host"),
            ("miner: {host: 'http://10.0.0.2'}", "miner.host"),
            ("miner: {host: '169.254.169.254'}", "miner.host"),
        ],
    ),
    (
        "watts",
        "config: 0 W, negative W",
        &[
            ("miner: {host: 10.0.0.2, base_watts: 0}", "miner.base_watts"),
            ("miner: {host: 10.0.0.2, base_watts: -3600}", "miner.base_watts"),
            ("miner: {host: 10.0.0.2, min_watts: 0}", "miner.min_watts"),
            ("miner: {host: 10.0.0.2, max_watts: -1}", "miner.max_watts"),
        ],
    ),
    ("zone", "config: zone Mars/Base", &[("site: {timezone: Mars/Base}", "site.timezone")]),
    (
        "times",
        "config: 24:00, 23:60",
        &[
            ("autocontrol: {sunset_hour: 24, sunset_minute: 0}", "autocontrol.sunset_hour"),
            ("autocontrol: {sunset_hour: 23, sunset_minute: 60}", "autocontrol.sunset_minute"),
            ("autocontrol: {sunrise_hour: 24}", "autocontrol.sunrise_hour"),
        ],
    ),
];

const HUNDRED_MB: usize = 100_000_000;

/// Names that are markup to a page that isn't careful.
const MARKUP: [&str; 4] =
    ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "</script><b>", "{{7*7}}"];
/// Names of people who don't write English.
const NAMES: [&str; 4] = ["Garáž 🔥", "محطة التعدين", "鉱夫", "👩‍👩‍👧‍👦"];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let files = FILES.iter().map(|(name, row, files)| {
        Scenario::new(
            name,
            std::slice::from_ref(row),
            "refused, and the message names the place",
            move || async move {
                let with_miner = |text: &str| {
                    if text.contains("miner") {
                        text.to_owned()
                    } else {
                        format!("miner: {{host: 10.0.0.2}}\n{text}")
                    }
                };
                refused(files.iter().map(|(text, place)| (with_miner(text), *place)).collect()).await
            },
        )
    });
    files.chain(shapes()).chain(requests()).collect()
}

/// Files that are refused for their shape.
fn shapes() -> Vec<Scenario> {
    vec![
        Scenario::new("empty", &["config: empty"], "taken: everything is as it is by default", empty),
        Scenario::new("ten_mb", &["config: 10 MB"], "refused for its size", async || {
            refused(vec![(format!("# {}\nminer: {{host: 10.0.0.2}}\n", "x".repeat(10_000_000)), "")]).await
        }),
        Scenario::new("deep", &["config: deep nesting"], "refused; no stack overflows", async || {
            let flow = format!("miner: {}1{}", "[".repeat(20_000), "]".repeat(20_000));
            let block: Vec<_> = (0..1_500).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
            refused(vec![(flow, ""), (block.join("\n"), "")]).await
        }),
    ]
}

fn requests() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "html",
            &["config: HTML in names"],
            "a name is text on every page, never markup",
            async || names(MARKUP).await,
        ),
        Scenario::new(
            "unicode",
            &["config: Unicode, RTL, emoji names"],
            "a name is shown as it was written",
            async || names(NAMES).await,
        ),
        Scenario::new("paths", &["path traversal"], "404, and no file of the machine", paths),
        Scenario::new("sql", &["SQL metacharacters"], "refused or not found; nothing is changed", sql),
        Scenario::new(
            "bodies",
            &["body: wrong type, missing, extra"],
            "422 with the member's name; the miner hears nothing",
            bodies,
        ),
        Scenario::new("large_body", &["body: 100 MB"], "refused long before it is read", large_body),
        Scenario::new("gzip", &["body: gzip bomb"], "refused, not unpacked", gzip),
        Scenario::new(
            "content_type",
            &["body: wrong content type"],
            "refused; the miner hears nothing",
            content_type,
        ),
    ]
}

async fn empty() -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let mut told = String::new();
    for text in ["", "---\n", "# nothing\n"] {
        std::fs::write(dir.path().join("house.yaml"), text).unwrap();
        let ended = run(dir.path(), &["check", "--config", "house.yaml"]).await;
        assert_eq!((ended.status.code(), ended.err.as_str()), (Some(0), ""), "{text:?}");
        assert!(ended.out.contains("is fine") && !ended.out.contains("Miner"), "{text:?}: {}", ended.out);
        told = ended.out;
    }
    Seen { done: "no miner, nothing to command".to_owned(), told }
}

/// Files, and what each message has to name.
async fn refused(files: Vec<(String, &'static str)>) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let mut first = None;
    for (text, place) in &files {
        let begins: String = text.chars().take(80).collect();
        std::fs::write(dir.path().join("house.yaml"), text).unwrap();
        let ended = run(dir.path(), &["check", "--config", "house.yaml"]).await;
        assert_eq!((ended.status.code(), ended.out.as_str()), (Some(1), ""), "{begins}: {}", ended.err);
        assert!(ended.err.contains(place) && ended.err.len() < 8_000, "{begins}: {}", ended.err);
        first.get_or_insert(ended.err);
    }
    let told = first.unwrap_or_default().chars().take(220).collect();
    Seen { done: format!("{} files: didn't start, exit code 1", files.len()), told }
}

async fn names(names: [&'static str; 4]) -> Seen {
    let mut told = String::new();
    for name in names {
        let home = Home::with(Options { name: Some(name), ..Options::default() }).await;
        for (path, shows) in
            [("/", true), ("/miners/garage", true), ("/decisions", false), ("/settings", false)]
        {
            let page = home.page(path).await;
            assert!(!name.contains('<') || !page.contains(name), "{path} has {name} as markup");
            assert!(!shows || plain(&page).contains(name), "{path} doesn't show {name}");
        }
        let status = home.api("/api/miner/status").await;
        assert_eq!(status["status"]["name"], name);
        told = format!("API: {}", status["status"]["name"]);
    }
    Seen { done: format!("{} names on four pages: text, as written", names.len()), told }
}

/// A reply's status, and its error if it has one.
async fn answer(request: RequestBuilder) -> (u16, String) {
    match request.send().await {
        Ok(reply) => {
            let status = reply.status().as_u16();
            let body: Value =
                serde_json::from_str(&reply.text().await.unwrap_or_default()).unwrap_or_default();
            (status, body["error"].to_string())
        }
        // Closed before the whole of it was sent.
        Err(error) => (0, error.to_string()),
    }
}

async fn paths() -> Seen {
    let home = Home::open().await;
    let mut told = Vec::new();
    for path in [
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/pkg/..%2f..%2f..%2fetc%2fpasswd",
        "/miners/..%2f..%2fsettings",
        "/api/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    ] {
        let reply = home.client.get(format!("http://{}{path}", home.address)).send().await.unwrap();
        let status = reply.status().as_u16();
        let text = reply.text().await.unwrap();
        assert!(status == 404 && !text.contains("root:"), "{path}: {status} {text}");
        told.push(format!("{path}: {status}"));
    }
    Seen { done: was_sent(&home.sent()), told: told.join(" ") }
}

async fn sql() -> Seen {
    let home = Home::open().await;
    let mut told = Vec::new();
    for path in [
        "/api/miner/status?id=' OR '1'='1",
        "/api/decisions?miner=x'; DROP TABLE operations;--",
        "/api/miner/history?id=garage' UNION SELECT * FROM access--",
        "/api/history.csv?days=1;DELETE FROM meta",
    ] {
        let status = answer(home.client.get(format!("http://{}{path}", home.address))).await;
        assert!((400..500).contains(&status.0), "{path}: {status:?}");
        told.push(format!("{path}: {}", status.0));
    }
    assert_eq!(home.api("/api/system/status").await["database_ok"], true);
    Seen { done: was_sent(&home.sent()), told: told.join(" ") }
}

impl Home {
    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    /// Nothing was taken up, and the miner heard nothing.
    async fn untouched(&self) -> String {
        self.run(60).await;
        let intent = self.api("/api/miner/status").await["intent"].clone();
        assert_eq!(
            (self.sent().len(), &intent["manual"], &intent["power"]),
            (0, &Value::Null, &json!("undecided"))
        );
        was_sent(&self.sent())
    }
}

async fn bodies() -> Seen {
    let home = Home::open().await;
    let mut told = Vec::new();
    for body in [r#"{"percent":"60"}"#, "{}", r#"{"percent":60,"force":true}"#, r#"{"percent":null}"#] {
        let request = home.post("/api/miner/power_pct").header("content-type", "application/json");
        let (status, error) = answer(request.body(body)).await;
        assert_eq!(status, 422, "{body}: {error}");
        told.push(format!("{body}: {status} {error}"));
    }
    Seen { done: home.untouched().await, told: told.into_iter().take(2).collect::<Vec<_>>().join(" ") }
}

async fn large_body() -> Seen {
    let home = Home::open().await;
    let mut told = Vec::new();
    for path in ["/api/miner/power_pct", "/rpc/power_off", "/settings", "/sign-in"] {
        let request = home
            .post(path)
            .header("content-type", "application/json")
            .header("origin", format!("http://{}", home.address));
        let (status, error) = answer(request.body(vec![b' '; HUNDRED_MB])).await;
        assert!(status == 0 || (400..500).contains(&status), "{path}: {status} {error}");
        told.push(format!("{path}: {}", if status == 0 { "hung up".to_owned() } else { status.to_string() }));
    }
    Seen { done: home.untouched().await, told: told.join("; ") }
}

/// Ten megabytes of zeros, packed by hand: a stored JSON would be nothing new.
async fn gzip() -> Seen {
    let home = Home::open().await;
    // What gzip makes of a long row of spaces: a block with one literal, and matches of 258 bytes at distance 1.
    let bomb = [[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3].as_slice(), &[0xed; 10_000]].concat();
    let request = home.post("/api/miner/power_pct").header("content-type", "application/json");
    let (status, error) = answer(request.header("content-encoding", "gzip").body(Body::from(bomb))).await;
    assert!((400..500).contains(&status), "{status} {error}");
    Seen { done: home.untouched().await, told: format!("{status} {error}") }
}

async fn content_type() -> Seen {
    let home = Home::open().await;
    let mut told = Vec::new();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
    ] {
        let request = home.post("/api/miner/power_pct").header("content-type", kind);
        let (status, error) = answer(request.body(r#"{"percent":60}"#)).await;
        assert!((400..500).contains(&status), "{kind}: {status} {error}");
        told.push(format!("{kind}: {status}"));
    }
    Seen { done: home.untouched().await, told: told.join("; ") }
}
