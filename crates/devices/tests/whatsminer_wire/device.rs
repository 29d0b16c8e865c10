//! Scripted devices: a V2 and a V3 port that answer each command as they were told to, and remember what came.
//! Their cryptography comes from other code than the driver's.

use aes::{
    Aes256, Block,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use devices::{Deadlines, Secret, whatsminer::*};
use model::{MonoTime, Now, UtcMillis, Watts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

pub(crate) const PASSWORD: &str = "canary-V2-pw";
pub(crate) const V3_PASSWORD: &str = "canary-V3-pw";
const SALT: &str = "BQ5hoXV9";
pub(crate) const V3_SALT: &str = "Ab3dEf9h";
pub(crate) const V3_TIME: u64 = 1_723_456_789;

/// What a device does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Replies; encrypted if the request was (V2), framed (V3).
    Json(Value),
    /// Replies in the open, whatever the request was.
    Plain(Value),
    /// Sends these pieces, each flushed by itself, then closes.
    Pieces(Vec<Vec<u8>>),
    /// Sends this and then nothing, without closing.
    Held(Vec<u8>),
    /// Closes without a byte.
    Eof,
    /// Resets the connection.
    Reset,
    /// Says nothing until the client gives up.
    Silent,
}

/// One request as a device received it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) command: String,
    pub(crate) body: Value,
    /// Which connection it came over, counted from 1.
    pub(crate) connection: usize,
}

#[derive(Debug, Default)]
struct Script {
    answers: HashMap<String, VecDeque<Answer>>,
    requests: Vec<Request>,
    connections: usize,
    tokens: usize,
}

/// One port of a device.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<Script>>,
    /// Woken at each request.
    received: Arc<Notify>,
    stop: Arc<Notify>,
}

impl Port {
    /// The answers to `command`, one after the other; the last one stays.
    pub(crate) fn on(&self, command: &str, answers: impl IntoIterator<Item = Answer>) -> &Self {
        self.script.lock().unwrap().answers.insert(command.to_owned(), answers.into_iter().collect());
        self
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.script.lock().unwrap().requests.clone()
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.command).collect()
    }

    pub(crate) fn count(&self, command: &str) -> usize {
        self.commands().iter().filter(|name| *name == command).count()
    }

    pub(crate) fn last(&self, command: &str) -> Value {
        self.requests().into_iter().rev().find(|request| request.command == command).unwrap().body
    }

    pub(crate) fn forget_requests(&self) {
        self.script.lock().unwrap().requests.clear();
    }

    /// Waits until `command` has come.
    pub(crate) async fn receives(&self, command: &str) {
        loop {
            let received = self.received.notified();
            tokio::pin!(received);
            received.as_mut().enable();
            if self.count(command) > 0 {
                return;
            }
            received.await;
        }
    }

    /// Closes the port: later connections are refused.
    pub(crate) async fn close(&self) {
        self.stop.notify_one();
        // Refused as soon as the listener is gone.
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    fn record(&self, command: &str, body: &Value, connection: usize) -> Option<Answer> {
        let mut script = self.script.lock().unwrap();
        script.requests.push(Request { command: command.to_owned(), body: body.clone(), connection });
        let answers = script.answers.get_mut(command);
        let answer = answers
            .and_then(|queue| if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() });
        drop(script);
        self.received.notify_waiters();
        answer
    }

    async fn listen(serve: fn(Port, TcpStream, usize) -> ServeFuture) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::default(),
            received: Arc::default(),
            stop: Arc::default(),
        };
        let task = port.clone();
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    () = task.stop.notified() => return,
                };
                let connection = {
                    let mut script = task.script.lock().unwrap();
                    script.connections += 1;
                    script.connections
                };
                tokio::spawn(serve(task.clone(), stream, connection));
            }
        });
        port
    }
}

type ServeFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Plays an answer that isn't a plain reply; the rest comes back as the bytes to send.
async fn play(stream: &mut TcpStream, answer: Answer) {
    match answer {
        Answer::Pieces(pieces) => {
            for piece in pieces {
                if stream.write_all(&piece).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            let _ = stream.shutdown().await;
        }
        Answer::Reset => stream.set_zero_linger().unwrap(),
        Answer::Held(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        Answer::Silent => {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        Answer::Eof | Answer::Json(_) | Answer::Plain(_) => {}
    }
}

/// A V2 port. Commands that have no answer get Code 14; `get_token` works unless told otherwise.
pub(crate) async fn v2_port() -> Port {
    Port::listen(|port, stream, connection| Box::pin(serve_v2(port, stream, connection))).await
}

#[expect(deprecated, reason = "the devices use what is no longer to be used")]
fn md5crypt(password: &str, salt: &str) -> String {
    let hash = pwhash::md5_crypt::hash_with(format!("$1${salt}").as_str(), password).unwrap();
    hash.rsplit('$').next().unwrap().to_owned()
}

fn v2_cipher() -> Aes256 {
    Aes256::new(&Sha256::digest(md5crypt(PASSWORD, SALT)))
}

fn new_salt(token: usize) -> String {
    format!("{token:08}")
}

fn seal(reply: &Value) -> Value {
    let mut bytes = reply.to_string().into_bytes();
    bytes.resize(bytes.len().next_multiple_of(16), 0);
    for chunk in bytes.chunks_mut(16) {
        let mut block = Block::try_from(&*chunk).unwrap();
        v2_cipher().encrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    json!({ "enc": STANDARD.encode(bytes) })
}

fn unseal(data: &str) -> Option<Value> {
    let mut bytes = STANDARD.decode(data).unwrap();
    for chunk in bytes.chunks_mut(16) {
        let mut block = Block::try_from(&*chunk).unwrap();
        v2_cipher().decrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
    let text = String::from_utf8(bytes).ok()?;
    serde_json::from_str(text.trim_end_matches('\0')).ok()
}

async fn serve_v2(port: Port, mut stream: TcpStream, connection: usize) {
    let mut text = Vec::new();
    let request: Value = loop {
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk).await {
            Ok(length) if length > 0 => text.extend_from_slice(&chunk[..length]),
            _ => return,
        }
        if let Ok(request) = serde_json::from_slice(&text) {
            break request;
        }
    };
    let is_sealed = request["enc"] == json!(1);
    let request = if is_sealed { unseal(request["data"].as_str().unwrap()) } else { Some(request) };
    let Some(request) = request else {
        port.record("(not decrypted)", &Value::Null, connection);
        let _ = stream.write_all(error(23, "enc json load err").to_string().as_bytes()).await;
        return;
    };
    let name = request.get("cmd").or(request.get("command")).and_then(Value::as_str).unwrap();
    let answer = port.record(name, &request, connection);
    let answer = match answer {
        Some(answer) => answer,
        None if name == "get_token" => {
            let mut script = port.script.lock().unwrap();
            script.tokens += 1;
            Answer::Json(message(
                134,
                json!({"time": "5626", "salt": SALT, "newsalt": new_salt(script.tokens)}),
            ))
        }
        None => Answer::Json(error(14, "invalid cmd")),
    };
    if is_sealed && matches!(answer, Answer::Json(_)) {
        let newest = port.script.lock().unwrap().tokens;
        let key = md5crypt(PASSWORD, SALT);
        let known = (1..=newest).map(|token| md5crypt(&format!("{key}5626"), &new_salt(token)));
        assert!(known.into_iter().any(|sign| request["token"] == json!(sign)), "an unknown token");
    }
    match answer {
        Answer::Json(reply) if is_sealed => {
            let _ = stream.write_all(seal(&reply).to_string().as_bytes()).await;
        }
        Answer::Json(reply) | Answer::Plain(reply) => {
            let _ = stream.write_all(reply.to_string().as_bytes()).await;
        }
        other => play(&mut stream, other).await,
    }
}

/// A V3 port, several requests a connection. Commands that have no answer get code −2. A command's parameter is part
/// of its name where it is a text: `get.miner.status summary+pools`.
pub(crate) async fn v3_port() -> Port {
    Port::listen(|port, stream, connection| Box::pin(serve_v3(port, stream, connection))).await
}

/// The same for firmware that closes the connection after each reply.
pub(crate) async fn v3_port_that_closes() -> Port {
    Port::listen(|port, mut stream, connection| {
        Box::pin(async move {
            serve_v3_once(&port, &mut stream, connection).await;
        })
    })
    .await
}

async fn serve_v3(port: Port, mut stream: TcpStream, connection: usize) {
    while serve_v3_once(&port, &mut stream, connection).await {}
}

async fn serve_v3_once(port: &Port, stream: &mut TcpStream, connection: usize) -> bool {
    let mut header = [0; 4];
    if stream.read_exact(&mut header).await.is_err() {
        return false;
    }
    let mut body = vec![0; u32::from_le_bytes(header) as usize];
    if stream.read_exact(&mut body).await.is_err() {
        return false;
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    let command = request["cmd"].as_str().unwrap();
    let name = match &request["param"] {
        Value::String(parameter) => format!("{command} {parameter}"),
        _ => command.to_owned(),
    };
    let mut answer = port.record(&name, &request, connection);
    if let (Some(token), Some(Answer::Json(_))) = (request.get("token"), &answer) {
        let signed = format!("{command}{V3_PASSWORD}{V3_SALT}{}", request["ts"]);
        let expected = STANDARD.encode(Sha256::digest(signed)).chars().take(8).collect::<String>();
        if *token != json!(expected)
            || request["ts"] != json!(V3_TIME)
            || request["account"] != json!("super")
        {
            answer = Some(Answer::Json(v3_error(-4, "no permission")));
        }
    }
    match answer.unwrap_or_else(|| Answer::Json(v3_error(-2, "invalid command"))) {
        Answer::Json(mut reply) | Answer::Plain(mut reply) => {
            reply["desc"] = json!(command);
            stream.write_all(&frame(&reply)).await.is_ok()
        }
        other => {
            play(stream, other).await;
            false
        }
    }
}

pub(crate) fn frame(reply: &Value) -> Vec<u8> {
    let body = reply.to_string();
    [&u32::try_from(body.len()).unwrap().to_le_bytes(), body.as_bytes()].concat()
}

/// A successful V3 reply.
pub(crate) fn v3_message(payload: Value) -> Value {
    json!({"code": 0, "when": V3_TIME, "msg": payload, "desc": ""})
}

pub(crate) fn v3_error(code: i64, words: &str) -> Value {
    json!({"code": code, "when": V3_TIME, "msg": words, "desc": ""})
}

/// A successful V2 reply of the API daemon.
pub(crate) fn message(code: i64, payload: Value) -> Value {
    json!({"STATUS": "S", "When": 1_700_000_000, "Code": code, "Msg": payload, "Description": ""})
}

pub(crate) fn error(code: i64, words: &str) -> Value {
    json!({"STATUS": "E", "When": 1_700_000_000, "Code": code, "Msg": words, "Description": ""})
}

pub(crate) fn done() -> Answer {
    Answer::Json(message(131, json!("API command OK")))
}

/// A V2 miner of 2023, running stably at 3500 of 3600 W.
pub(crate) async fn miner_of_2023() -> Port {
    let port = v2_port().await;
    let answer = |payload| [Answer::Json(message(131, payload))];
    port.on("get_version", answer(json!({"api_ver": "2.0.5", "fw_ver": "20230714.13.REL", "platform": "H616"})))
        .on("get_miner_info", answer(json!({"ip": "192.0.2.9", "mac": "C6:11:22:00:0A:0B", "minersn": "SN-1"})))
        .on("devdetails", [Answer::Json(json!({"STATUS": [{"STATUS": "S", "Msg": "Device Details"}],
            "DEVDETAILS": [{"DEVDETAILS": 0, "Driver": "bitmicro", "Model": "M50S_VH30"}], "id": 1}))])
        .on("status", answer(status("false")))
        .on("summary", [summary(2000, 3500, 3600, true)])
        .on("edevs", [Answer::Json(json!({"STATUS": [{"STATUS": "S", "Msg": "2 ASC(s)"}], "DEVS":
            [{"ASC": 0, "Upfreq Complete": 0}, {"ASC": 1, "Upfreq Complete": 1}], "id": 1}))])
        .on("get_error_code", answer(json!({"error_code": [{"206": "2024-02-03 04:05:06"}]})))
        .on("pools", [Answer::Json(json!({"STATUS": [{"STATUS": "S", "Msg": "1 Pool(s)"}], "POOLS": [{"POOL": 1,
            "URL": "stratum+tcp://pool.example:3333", "User": "home.1", "Status": "Alive", "Stratum Active": true,
            "Last Share Time": 1_700_000_100}], "id": 1}))]);
    port
}

pub(crate) fn status(off: &str) -> Value {
    json!({"mineroff": off, "mineroff_reason": "", "mineroff_time": "", "FirmwareVersion": "20230714.13.REL",
           "power_mode": "", "hash_percent": ""})
}

pub(crate) fn summary(elapsed: u64, power: u32, limit: u32, stable: bool) -> Answer {
    Answer::Json(json!({"STATUS": [{"STATUS": "S", "Msg": "Summary"}], "SUMMARY": [{"Elapsed": elapsed,
        "MHS av": 120_000_000.5, "MHS 5s": 121_000_000.25, "Power": power, "Power Rate": 29.0,
        "Power Limit": limit, "Power Mode": "Normal", "Hash Stable": stable, "Hash Stable Cost Seconds": 0,
        "Env Temp": 21.5, "Chip Temp Max": 88.5, "Factory GHS": 122_000, "Uptime": elapsed + 60}], "id": 1}))
}

/// A V3 miner, running stably at 3500 of 3600 W.
pub(crate) async fn v3_miner() -> Port {
    let port = v3_port().await;
    script_v3(&port);
    port
}

pub(crate) fn script_v3(port: &Port) {
    let answer = |payload| [Answer::Json(v3_message(payload))];
    port.on("get.device.info", answer(device_info("true", "1")))
        .on("get.device.info salt", answer(json!({"salt": V3_SALT})))
        .on("get.device.info system", answer(json!({"system": {"apiswitch": "1"}})))
        .on("get.miner.status summary+pools", [v3_summary(2000, 3500, 3600, 1)])
        .on(
            "get.miner.setting",
            answer(json!({"power-limit": 3600, "power-mode": "normal", "power-percent": 0})),
        );
    for command in [
        "set.miner.service stop",
        "set.miner.service start",
        "set.miner.power_limit",
        "set.miner.power_percent",
    ] {
        port.on(command, answer(json!("ok")));
    }
}

pub(crate) fn device_info(working: &str, switch: &str) -> Value {
    json!({"network": {"ip": "192.0.2.9", "mac": "C6:11:22:00:0A:0B"},
        "miner": {"working": working, "type": "M60S_VK30", "miner-sn": "SN-3", "power-limit-set": "3600"},
        "system": {"api": "3.0.3", "fwversion": "20251103.11.Rel", "apiswitch": switch},
        "power": {"mode": "1", "pin": 17}, "salt": V3_SALT,
        "error-code": [{"531": "2025-03-12 14:52:35", "reason": "Slot1 not found."}]})
}

pub(crate) fn v3_summary(elapsed: u64, power: u32, limit: u32, finished: u8) -> Answer {
    Answer::Json(v3_message(json!({"summary": {"elapsed": elapsed, "bootup-time": elapsed + 60,
        "hash-average": 120.5, "hash-realtime": 121.5, "factory-hash": 122.0, "power-realtime": power,
        "power-limit": limit, "up-freq-finish": finished, "environment-temperature": 21.5,
        "chip-temp-max": 88.5}, "pools": [{"id": 1, "url": "stratum+tcp://pool.example:3333", "status": "alive",
        "account": "home.1", "stratum-active": true, "last-share-time": 1_700_000_100}]})))
}

/// A port that refuses connections.
pub(crate) async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// Deadlines that end a silence soon, and still leave a busy machine the time for a whole exchange.
pub(crate) const SHORT: Duration = Duration::from_millis(1500);

/// The driver of a miner with these ports. `patience` is every deadline.
pub(crate) fn driver(v2_port: u16, v3_port: u16, patience: Duration) -> WhatsMiner {
    WhatsMiner::new(WhatsMinerConfig {
        host: "127.0.0.1".to_owned(),
        v2_port,
        v3_port,
        v2_password: Secret::new(PASSWORD.to_owned()),
        v3_account: "super".to_owned(),
        v3_password: Secret::new(V3_PASSWORD.to_owned()),
        base_watts: Watts::whole(3600),
        deadlines: Deadlines { connect: patience, read: patience, write: patience },
    })
}

/// The driver of a miner that has V2 only.
pub(crate) async fn v2_driver(port: &Port) -> WhatsMiner {
    driver(port.address.port(), closed_port().await, Duration::from_secs(20))
}

/// The driver of a miner that has V3 only.
pub(crate) async fn v3_driver(port: &Port) -> WhatsMiner {
    driver(closed_port().await, port.address.port(), Duration::from_secs(20))
}

/// So many seconds after the beginning.
pub(crate) fn at(seconds: i64) -> Now {
    Now { mono: MonoTime(seconds * 1000), utc: UtcMillis(1_750_000_000_000 + seconds * 1000) }
}
