//! From the first line to the end: starting, answering, keeping what was said, ending in order.

use crate::{
    child::{Program, run},
    house::{CANARY, House},
};
use serde_json::{Value, json};
use simulator::miner::Phase;
use std::process::Stdio;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_answers_and_ends_in_order() {
    let house = House::open().await;
    for signal in ["-TERM", "-INT"] {
        let joined = house.program().await;
        assert!(joined.address.ip().is_loopback());
        let system = joined.get("/api/system/status").await;
        assert_eq!((&system["demo"], &system["database_ok"]), (&json!(true), &json!(true)));
        assert_eq!(joined.get("/api/system/health").await["ok"], true);
        joined.program.signal(signal);
        let ended = joined.program.ended().await;
        assert_eq!(ended.status.code(), Some(0), "{signal}: {}", ended.err);
        assert!(ended.out.lines().count() == 1, "only the address: {}", ended.out);
    }
    assert!(house.sent().is_empty(), "{:?}", house.sent());
}

/// A client that never finishes its request, and one that keeps its connection open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_connections_don_t_keep_it_from_ending() {
    let house = House::open().await;
    let joined = house.program().await;
    let mut unfinished = TcpStream::connect(joined.address).await.unwrap();
    unfinished
        .write_all(b"POST /api/miner/power_off HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    let mut idle = TcpStream::connect(joined.address).await.unwrap();
    idle.write_all(b"GET /api/system/health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(house.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_program_on_the_same_data_is_refused() {
    let house = House::open().await;
    let joined = house.program().await;
    let second = run(house.dir.path(), &house.joining()).await;
    assert_eq!((second.status.code(), second.out.as_str()), (Some(1), ""));
    let told: Vec<_> = second.err.lines().filter(|line| line.starts_with("wm-controller: ")).collect();
    let [told] = told.as_slice() else { unreachable!("one message: {}", second.err) };
    assert!(told.contains("another program is using the data"), "{told}");
    assert!(second.err.trim_end().ends_with(told), "it is the last word: {}", second.err);
    assert_eq!(joined.get("/api/system/health").await["ok"], true, "the first one goes on");
    joined.program.stop().await;
    let third = house.program().await;
    assert_eq!(third.get("/api/system/status").await["database_ok"], true);
}

/// What a person said holds over a restart, against what is configured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_s_word_is_kept() {
    let house = House::open().await;
    let joined = house.program().await;
    assert_eq!(joined.post("/api/autocontrol/disable", None).await.0, 202);
    joined.program.stop().await;

    let joined = house.program().await;
    assert_eq!(
        joined.get("/api/autocontrol/status").await["enabled"],
        false,
        "the demo's configuration says on"
    );
    let (status, body) = joined.post("/api/miner/power_off", None).await;
    assert_eq!((status, &body["op"]["command"]["kind"]), (202, &json!("off")));
    joined
        .pass_until(120, "off is seen", async || {
            joined.get("/api/miner/status").await["op"]["stage"] == "observed"
        })
        .await;
    assert_eq!(house.miner().state().phase, Phase::Off);
    assert_eq!(joined.post("/api/autocontrol/enable", None).await.0, 202);
    joined.program.stop().await;

    let joined = house.program().await;
    let status = joined.get("/api/miner/status").await;
    assert_eq!(
        (&status["intent"]["auto_control"], &status["intent"]["power"]),
        (&json!(true), &json!("off"))
    );
    joined.say(100.0).await;
    joined.say(100.0).await;
    assert_eq!(joined.get("/api/miner/status").await["decision"]["reason"], "person_off");
    assert_eq!(house.sent().len(), 1, "{:?}", house.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_listens_where_it_is_told_and_a_house_that_everybody_may_switch_stays_on_this_machine() {
    let house = House::in_real_time().await;
    if cfg!(target_os = "linux") {
        let file = house.configuration(|text| text["app"] = json!({ "host": "127.0.0.2" }));
        // Whoever listened everywhere couldn't have this port, which is taken on one address.
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let arguments = ["--config", &file, "--port", &port, "--data", "data"];
        let mut program = Program::start(house.dir.path(), &arguments, &[]);
        let address = program.address().await;
        assert_eq!(address.to_string(), format!("127.0.0.2:{port}"));
        let (status, body) = house.ask(address, reqwest::Method::GET, "/api/system/status", None).await;
        assert_eq!((status, &body["demo"]), (200, &json!(false)));
        assert_eq!(program.stop().await.status.code(), Some(0));
    }
    // Its configuration says 0.0.0.0, as every one does that says nothing.
    let arguments = ["--demo", "--house", "one", "--history", "0", "--port", "0", "--data", "data"];
    let mut demo = Program::start(house.dir.path(), &arguments, &[]);
    assert_eq!(demo.address().await.ip().to_string(), "127.0.0.1");
    assert_eq!(demo.stop().await.status.code(), Some(0));
}

/// Sets the password of the house in `directory`: whether that was done, and what was said.
fn set_password(directory: &std::path::Path, password: &str) -> (bool, String) {
    let mut command = std::process::Command::new(crate::child::BUILT);
    command.args(["set-password", "--data", "data"]).current_dir(directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    std::io::Write::write_all(&mut running.stdin.take().unwrap(), format!("{password}\n").as_bytes())
        .unwrap();
    let ended = running.wait_with_output().unwrap();
    (ended.status.success(), String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_is_set_on_the_machine_while_the_program_isnt_running() {
    let house = House::in_real_time().await;
    let (done, said) = set_password(house.dir.path(), "short");
    assert!(!done && said.contains("8 to 256 characters"), "{said}");
    let (done, said) = set_password(house.dir.path(), CANARY);
    assert!(done && !said.contains(CANARY), "{said}");
    let file = house.configuration(|_| {});
    let mut program =
        Program::start(house.dir.path(), &["--config", &file, "--port", "0", "--data", "data"], &[]);
    let address = program.address().await;
    let sign_in = async |password: &str| {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let request = client.build().unwrap().post(format!("http://{address}/sign-in"));
        request.form(&[("password", password)]).send().await.unwrap().status().as_u16()
    };
    assert_eq!((sign_in("another one").await, sign_in(CANARY).await), (401, 303));
    let (done, said) = set_password(house.dir.path(), "another one");
    assert!(!done && said.contains("stop it first"), "{said}");
    let ended = program.stop().await;
    assert!(!ended.out.contains("with the code"), "there is a password: {}", ended.out);
}

/// Passwords in the configuration, everything logged that can be, and errors of every kind: no output and no reply
/// holds them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_output_and_no_reply_holds_a_secret() {
    let house = House::in_real_time().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    let refuses = axum::Router::new().fallback(async || axum::http::StatusCode::FORBIDDEN);
    tokio::spawn(async move { axum::serve(listener, refuses).await });
    for (wrong, log_json) in [(false, true), (true, false)] {
        let password = if wrong { "canary-7751-wrong" } else { CANARY };
        let file = house.configuration(|text| {
            text["app"]["debug"] = json!(true);
            text["miner"]["password"] = json!(password);
            text["miner"]["v3_password"] = json!(password);
            text["battery"]["password"] = json!(password);
            text["notify"] = json!({
                "ntfy_url": format!("{service}/topic"),
                "ntfy_token": password,
                "webhook_url": format!("{service}/{password}?key={password}"),
                "telegram_url": service,
                "telegram_token": password,
                "telegram_chat": "1",
                "mail_host": "127.0.0.1",
                "mail_port": 1,
                "mail_security": "none",
                "mail_user": "me",
                "mail_password": password,
                "mail_from": "a@solar.example",
                "mail_to": "b@solar.example",
            });
        });
        let mut arguments = vec!["--config", &file, "--port", "0", "--data", "data"];
        arguments.extend(log_json.then_some("--log-json"));
        let mut program = Program::start(house.dir.path(), &arguments, &[("RUST_LOG", "trace")]);
        let address = program.address().await;
        if !wrong {
            house.take_over(&mut program, address).await;
        }
        let post = reqwest::Method::POST;
        let mut said = String::new();
        let (status, body) = house.ask(address, post.clone(), "/api/battery/refresh_session", None).await;
        assert_eq!(status, if wrong { 409 } else { 202 }, "{body}");
        said += &body.to_string();
        let (status, body) = house.ask(address, post.clone(), "/api/alerts/test", None).await;
        let refused = body["channels"].as_array().unwrap().iter().filter(|channel| channel["ok"] == false);
        assert_eq!((status, refused.count()), (200, 4), "{body}");
        said += &body.to_string();
        let (status, body) = house.ask(address, post, "/api/miner/power_off", None).await;
        assert_eq!(status, 202, "{body}");
        said += &body.to_string();
        let before = house.miner().log().len();
        if !wrong {
            house.command().await;
        }
        for path in [
            "/api/miner/status",
            "/api/miner/op_status",
            "/api/battery/status",
            "/api/autocontrol/status",
            "/api/system/status",
            "/api/network/devices",
        ] {
            let (status, body) = house.ask(address, reqwest::Method::GET, path, None).await;
            assert_eq!(status, 200, "{path}: {body}");
            said += &body.to_string();
        }
        for (path, expected) in [
            ("/metrics", 200),
            ("/api/history.csv", 200),
            ("/api/decisions", 200),
            ("/api/battery/history", 200),
            ("/api/miner/history", 200),
            ("/", 200),
            ("/decisions", 200),
            ("/account", 200),
            ("/settings", 200),
            ("/api/history.csv?days=x", 400),
            ("/api/miner/status?id=x", 404),
            ("/nothing", 404),
        ] {
            let (status, body) = house.text(address, path).await;
            assert_eq!(status, expected, "{path}: {body}");
            said += &body;
        }
        assert!(house.miner().log().len() >= before);
        let ended = program.stop().await;
        assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
        said = said + &ended.out + &ended.err;
        assert!(said.contains("TRACE") && said.len() > 10_000, "everything was logged");
        let line = said.lines().find(|line| line.contains("canary"));
        assert_eq!(line, None);
        assert!(
            house.keys().count() >= 3 && house.keys().all(|key| !said.contains(key)),
            "what opens the house"
        );
    }
    let checked = run(house.dir.path(), &["check", "--live", "--config", "house.yaml"]).await;
    assert!(!format!("{checked:?}").contains("canary"), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulator_that_isn_t_there_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    // Nothing listens at port 1.
    let ended = run(dir.path(), &["--simulator", "http://127.0.0.1:1", "--port", "0"]).await;
    assert_eq!((ended.status.code(), ended.out.as_str()), (Some(1), ""));
    assert!(
        ended.err.starts_with("wm-controller: asking the simulator at http://127.0.0.1:1"),
        "{}",
        ended.err
    );
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

/// The whole demo in one process: house, portal, miner and program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_runs_by_itself() {
    let house = House::open().await;
    let arguments = ["--demo", "--house", "one", "--port", "0", "--history", "0.02"];
    let mut program = Program::start(house.dir.path(), &arguments, &[]);
    let address = program.address().await;
    let (status, body) = house.ask(address, reqwest::Method::GET, "/api/system/status", None).await;
    assert_eq!((status, &body["demo"]), (200, &json!(true)));
    assert_ne!(body["site"]["name"], Value::Null);
    let ended = program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
    assert!(house.dir.path().join("data/demo").is_dir(), "its data is apart from a household's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daily_files_hold_what_was_read() {
    let house = House::in_real_time().await;
    let file = house.configuration(|text| {
        text["data"] = json!({ "csv_log": true });
        text["app"]["port"] = json!(0);
    });
    let mut program = Program::start(house.dir.path(), &["--config", &file, "--data", "data"], &[]);
    program.address().await;
    let directory = house.dir.path().join("data/csv");
    let rows = |of: &str| {
        let files = std::fs::read_dir(&directory).into_iter().flatten();
        let mut names = files.map(|file| file.unwrap().path());
        let file = names.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(of))?;
        let text = std::fs::read_to_string(file).unwrap();
        Some(text.lines().map(str::to_owned).collect::<Vec<_>>()).filter(|lines| lines.len() == 2)
    };
    let [battery, miner] = loop {
        if let Some(both) = rows("battery-").zip(rows("miner-")) {
            break [both.0, both.1];
        }
        tokio::task::yield_now().await;
    };
    assert!(
        battery[0].starts_with("ts,soc_percent,pv_power_w") && battery[1].contains(",95,"),
        "{battery:?}"
    );
    assert!(miner[0].starts_with("ts,power_w,power_set_w,hashrate_ths"), "{miner:?}");
    let power: f64 = miner[1].split(',').nth(1).unwrap().parse().unwrap();
    assert!(power > 1000.0, "{miner:?}");
    let ended = program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
}
