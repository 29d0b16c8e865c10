//! What somebody on the home network may try against the program, over sockets, as it runs: it answers with a refusal or not
//! at all, goes on, and the miner hears nothing of it.
//!
//! With `ATTACKED` naming another build of the program, that one is attacked.

use crate::{
    child::{BUILT, PATIENCE, Program},
    house::House,
};
use std::{env, net::SocketAddr, path::PathBuf};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// The most connections of one address.
const OF_ONE_ADDRESS: usize = 64;

async fn start(house: &House, variables: &[(&str, &str)]) -> (Program, SocketAddr) {
    let attacked = env::var_os("ATTACKED").map_or_else(|| PathBuf::from(BUILT), PathBuf::from);
    let file = house.configuration(|_| {});
    let arguments = ["--config", &file, "--port", "0", "--data", "data"];
    let mut program = Program::start_from(&attacked, house.dir.path(), &arguments, variables);
    let address = program.address().await;
    (program, address)
}

/// What comes back for these bytes until the other side closes, or has said all it will.
async fn said(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be closed before everything is written.
    let _ = stream.write_all(bytes).await;
    let mut told = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut told)).await.unwrap();
    String::from_utf8_lossy(&told).into_owned()
}

async fn is_well(address: SocketAddr) -> bool {
    let ask = "GET /api/system/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    said(address, ask.as_bytes()).await.starts_with("HTTP/1.1 200 ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_none_are_refused_and_change_nothing() {
    let house = House::in_real_time().await;
    let (program, address) = start(&house, &[]).await;
    let zeros = [0_u8; 4096];
    let mut garbage = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ".to_vec();
    garbage.extend(zeros);
    let body = r#"{"percent":100}"#;
    let post = |head: &str, body: &str| {
        format!(
            "POST /api/miner/power_pct HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{head}\r\n{body}"
        )
    };
    let length = format!("Content-Length: {}\r\n", body.len());
    let long = "x".repeat(1_000_000);
    let attempts: Vec<(&str, Vec<u8>)> = vec![
        ("nothing but zeros", zeros.to_vec()),
        ("zeros in a header", garbage),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("no name", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec()),
        ("another name", b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_vec()),
        (
            "a name that ends ours",
            b"GET / HTTP/1.1\r\nHost: evil.example#.localhost\r\nConnection: close\r\n\r\n".to_vec(),
        ),
        (
            "a line in a name",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n evil: yes\r\nConnection: close\r\n\r\n".to_vec(),
        ),
        (
            "a whole other address",
            b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_vec(),
        ),
        ("a large head", format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()),
        ("nobody known", post(&length, body).into_bytes()),
        (
            "a token that is none",
            post(&format!("{length}Authorization: Bearer wmc_{}\r\n", "0".repeat(64)), body).into_bytes(),
        ),
        ("another site", post(&format!("{length}Origin: http://evil.example\r\n"), body).into_bytes()),
        ("a site without a name", post(&format!("{length}Origin: null\r\n"), body).into_bytes()),
        (
            "a cookie of somebody",
            post(&format!("{length}Cookie: wm-session={}\r\n", "0".repeat(64)), body).into_bytes(),
        ),
        ("two lengths", post(&format!("{length}Content-Length: 0\r\n"), body).into_bytes()),
        (
            "a length and chunks",
            post(&format!("{length}Transfer-Encoding: chunked\r\n"), "0\r\n\r\n").into_bytes(),
        ),
        ("a packed body", post("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "\x1f\u{b}").into_bytes()),
        ("a length that is none", post("Content-Length: -1\r\n", body).into_bytes()),
        (
            "another method",
            b"DELETE /api/miner/power_off HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        ),
        ("a trace", b"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec()),
    ];
    for (what, bytes) in attempts {
        let told = said(address, &bytes).await;
        let status =
            told.strip_prefix("HTTP/1.1 ").or(told.strip_prefix("HTTP/1.0 ")).map_or("", |rest| &rest[..3]);
        assert!(status.is_empty() || status.starts_with('4'), "{what}: {told}");
        assert!(
            !told.contains("evil: yes\r\n") && !told.contains("evil.example"),
            "{what} comes back: {told}"
        );
    }
    assert!(is_well(address).await);
    assert!(house.sent().is_empty());
    let ended = program.stop().await;
    assert!(ended.status.success() && !ended.err.contains("panicked"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leads_out_of_the_page_s_files() {
    let house = House::in_real_time().await;
    let (program, address) = start(&house, &[]).await;
    for path in [
        "/../../../../etc/passwd",
        "/pkg/../../../../etc/passwd",
        "/pkg/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/vendor/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/install/..%5c..%5cetc%5cpasswd",
        "/install/%00",
        "/pkg//etc/passwd",
        "/data/wm-controller.db",
        "/house.yaml",
        "//etc/passwd",
    ] {
        let told = said(
            address,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .await;
        assert!(told.starts_with("HTTP/1.1 4"), "{path}: {told}");
        assert!(!told.contains("root:"), "{path}");
    }
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_every_connection_keeps_nobody_else_out() {
    let house = House::in_real_time().await;
    let (program, address) = start(&house, &[]).await;
    let mut silent = Vec::new();
    for _ in 0..OF_ONE_ADDRESS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
        silent.push(stream);
    }
    let mut next = TcpStream::connect(address).await.unwrap();
    let mut told = Vec::new();
    // Closed, in whichever way.
    let _ = timeout(PATIENCE, next.read_to_end(&mut told)).await.unwrap();
    assert!(told.is_empty());
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = other.connect(address).await.unwrap();
    other
        .write_all(b"GET /api/system/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut told = String::new();
    timeout(PATIENCE, other.read_to_string(&mut told)).await.unwrap().unwrap();
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    drop(silent);
    let ended = program.stop().await;
    assert!(ended.status.success(), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_isnt_open_shows_strangers_nothing_but_the_door() {
    let house = House::in_real_time().await;
    let (program, address) = start(&house, &[("WMC__APP__READ_REQUIRES_SIGN_IN", "true")]).await;
    for path in [
        "/",
        "/decisions",
        "/settings",
        "/account",
        "/rpc/chart?range=1h",
        "/api/system/status",
        "/api/system/health",
        "/api/miner/status",
        "/api/battery/status",
        "/api/events",
        "/api/decisions",
        "/api/miner/history",
        "/nowhere",
    ] {
        let told = said(
            address,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .await;
        assert!(told.starts_with("HTTP/1.1 401 "), "{path}: {told}");
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        let told = said(address, ask.as_bytes()).await;
        assert!(told.starts_with("HTTP/1.1 303 ") && told.contains("location: /claim"), "{path}: {told}");
    }
    for path in ["/claim", "/sign-in", "/offline"] {
        let told = said(
            address,
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
        )
        .await;
        assert!(told.starts_with("HTTP/1.1 200 "), "{path}: {told}");
        assert!(!told.contains("Garage") && !told.contains("3600"), "{path}");
    }
    program.stop().await;
}

/// Somebody on the home network, with an address and what their browser or script holds.
struct Somebody {
    address: SocketAddr,
    from: &'static str,
    /// Lines of a request's head.
    shown: String,
}

impl Somebody {
    fn with(&self, shown: &str) -> Self {
        Self { shown: format!("{}{shown}\r\n", self.shown), ..*self }
    }

    /// The status and all that comes back.
    async fn send(&self, request: &str, kind: &str, body: &str) -> (u16, String) {
        let host = if self.shown.contains("Host: ") { "" } else { "Host: localhost\r\n" };
        let bytes = format!(
            "{request} HTTP/1.1\r\n{host}{}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.shown,
            body.len()
        );
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{}:0", self.from).parse().unwrap()).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut told = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut told)).await.unwrap().unwrap();
        (told[9..12].parse().unwrap(), told)
    }

    async fn form(&self, path: &str, body: &str) -> (u16, String) {
        self.send(&format!("POST {path}"), "application/x-www-form-urlencoded", body).await
    }

    /// Whether they may switch the house's miner: asked by a command that can't be one, so that nothing happens.
    async fn may_switch(&self) -> bool {
        let (status, told) =
            self.send("POST /api/miner/power_pct", "application/json", r#"{"percent":0}"#).await;
        assert!(matches!(status, 401 | 403 | 421 | 422), "{told}");
        status == 422
    }
}

/// What a reply makes a browser keep, as it will show it.
fn cookies(told: &str) -> String {
    let kept = told.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let pairs: Vec<_> = kept.map(|cookie| cookie.split(';').next().unwrap()).collect();
    format!("Cookie: {}", pairs.join("; "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_cant_be_planted_replayed_or_used_from_another_site() {
    const PASSWORD: &str = "password=canary-7751-kept";
    const PLANTED: &str =
        "Cookie: wm-session=0000000000000000000000000000000000000000000000000000000000000000";
    let house = House::in_real_time().await;
    let (mut program, address) = start(&house, &[]).await;
    let code = program.says("with the code ").await;
    let stranger = Somebody { address, from: "127.0.0.1", shown: String::new() };
    let (status, claimed) = stranger.with(PLANTED).form("/claim", &format!("code={code}&{PASSWORD}")).await;
    assert_eq!(status, 303, "{claimed}");
    let owner = stranger.with(&cookies(&claimed));
    assert!(owner.may_switch().await && !stranger.may_switch().await);
    assert!(!stranger.with(PLANTED).may_switch().await, "nobody's session is one that was planted");
    assert_eq!(
        stranger.form("/claim", &format!("code={code}&{PASSWORD}")).await.0,
        409,
        "the code was for once"
    );

    for elsewhere in ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        let deceived = owner.with(elsewhere);
        assert!(!deceived.may_switch().await, "{elsewhere}");
        for form in ["/rpc/power_off", "/account/tokens/make", "/settings/save", "/sign-out", "/sign-in"] {
            assert_eq!(deceived.form(form, "miner=miner").await.0, 403, "{form} {elsewhere}");
        }
    }
    assert!(
        !owner.with("Host: evil.example").may_switch().await,
        "a name that was made to mean this address"
    );

    let (status, again) = owner.form("/sign-in", PASSWORD).await;
    assert_eq!(status, 303);
    let renewed = stranger.with(&cookies(&again));
    assert!(renewed.may_switch().await && !owner.may_switch().await, "a new sign-in ends the old session");
    assert_eq!(renewed.form("/sign-out", "").await.0, 303);
    assert!(!renewed.may_switch().await, "what was ended can't be shown again");
    assert!(house.sent().is_empty());
    assert!(program.stop().await.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_further_than_their_scope_and_guessing_locks_nobody_else_out() {
    const PASSWORD: &str = "password=canary-7751-kept";
    let house = House::in_real_time().await;
    let (mut program, address) = start(&house, &[]).await;
    let code = program.says("with the code ").await;
    let stranger = Somebody { address, from: "127.0.0.1", shown: String::new() };
    let (_, claimed) = stranger.form("/claim", &format!("code={code}&{PASSWORD}")).await;
    let owner = stranger.with(&cookies(&claimed));
    let (_, page) = owner.form("/account/tokens/make", "name=looks&scope=read").await;
    let (_, token) = page.split_once("wmc_").unwrap();
    let looks = stranger.with(&format!("Authorization: Bearer wmc_{}", &token[..64]));
    assert_eq!(looks.send("GET /api/system/status", "text/plain", "").await.0, 200);

    let (_, described) = stranger.send("GET /api/openapi.json", "text/plain", "").await;
    let (_, described) = described.split_once("\r\n\r\n").unwrap();
    // Whether it comes in chunks or not, a line of it is whole.
    let paths: Vec<_> = described
        .lines()
        .filter_map(|line| line.strip_prefix("    \"/api/")?.strip_suffix("\": {"))
        .map(|path| format!("/api/{path}"))
        .collect();
    let mut changing = 0;
    for path in &paths {
        let (status, told) = stranger.send(&format!("POST {path}"), "application/json", "{}").await;
        if status == 405 {
            continue;
        }
        changing += 1;
        assert_eq!(status, 401, "{path}: {told}");
        let (status, told) = looks.send(&format!("POST {path}"), "application/json", "{}").await;
        assert_eq!(status, 403, "{path}: {told}");
    }
    assert!(changing >= 8, "{changing} of {paths:?}");

    let guesser = Somebody { from: "127.0.0.66", shown: String::new(), ..stranger };
    let mut guesses = 0;
    while guesser.form("/sign-in", "password=password").await.0 == 401 {
        guesses += 1;
        assert!(guesses < 20, "guessing is slowed");
    }
    assert_eq!(guesser.form("/sign-in", PASSWORD).await.0, 429, "even if the next one is right");
    let elsewhere = Somebody { from: "127.0.0.67", shown: String::new(), ..stranger };
    assert_eq!(elsewhere.form("/sign-in", PASSWORD).await.0, 303);
    assert!(owner.may_switch().await);
    assert!(house.sent().is_empty());
    assert!(program.stop().await.status.success());
}
