//! A small portal on 127.0.0.1: it signs in, keeps sessions and answers with one snapshot per inverter. A test
//! changes its state between calls, and may answer in its place.

use devices::{
    Deadlines, Secret,
    eg4::{Portal, PortalConfig},
};
use model::{MonoTime, Now, UtcMillis};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub(crate) const USER: &str = "some.body@example.org";
pub(crate) const PASSWORD: &str = "p&ss=w ör+d";
pub(crate) const LOGIN: &str = "/WManage/api/login";
pub(crate) const RUNTIME: &str = "/WManage/api/inverter/getInverterRuntime";
pub(crate) const BATTERY_INFO: &str = "/WManage/api/battery/getBatteryInfo";

/// The moment `seconds` into the test, on both clocks.
pub(crate) fn at(seconds: i64) -> Now {
    Now { mono: MonoTime(seconds * 1000), utc: UtcMillis(1_774_000_000_000 + seconds * 1000) }
}

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;

/// A request as the portal got it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) form: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn session(&self) -> Option<&str> {
        self.headers.get("cookie")?.strip_prefix("JSESSIONID=")
    }
}

/// What goes over the wire.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, further headers, body; with a correct length.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, and then the connection is closed.
    Bytes(Vec<u8>),
    /// A head without a length, then zeros until the client has had enough.
    Endless,
    /// These bytes, and then nothing more on an open connection.
    Stalled(Vec<u8>),
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::status(200, body.to_string().as_bytes()).with("Content-Type", "application/json;charset=UTF-8")
    }

    pub(crate) fn page(text: &str) -> Self {
        let page = format!("<!DOCTYPE html>\n<html><body>{text}</body></html>");
        Self::status(200, page.as_bytes()).with("Content-Type", "text/html;charset=UTF-8")
    }

    pub(crate) fn status(status: u16, body: &[u8]) -> Self {
        Self::Whole(status, Vec::new(), body.to_vec())
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Whole(_, headers, _) = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// How an expired session shows itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    LoginPage,
    Unauthorised,
    Redirect,
    Forbidden,
    Words,
    Silence,
}

impl Style {
    pub(crate) fn reply(self) -> Reply {
        match self {
            Self::LoginPage => Reply::page("<form action=/WManage/web/login><input type=password></form>"),
            Self::Unauthorised => Reply::status(401, b""),
            Self::Redirect => Reply::status(302, b"").with("Location", "/WManage/web/login;jsessionid=DEAD"),
            Self::Forbidden => Reply::status(403, b"Forbidden"),
            Self::Words => Reply::json(&json!({ "success": false, "msg": "session expired" })),
            Self::Silence => Reply::json(&json!({ "success": false, "data": null })),
        }
    }
}

type Override = Box<dyn FnMut(&Request) -> Option<Reply> + Send>;

/// The state of the portal.
pub(crate) struct World {
    sessions: HashSet<String>,
    opened: usize,
    pub(crate) style: Style,
    pub(crate) login: Value,
    /// The runtime reply by serial number.
    pub(crate) runtime: HashMap<String, Value>,
    /// Answers in the portal's place.
    instead: Option<Override>,
    pub(crate) requests: Vec<Request>,
}

impl World {
    /// Ends all sessions.
    pub(crate) fn expire(&mut self, style: Style) {
        self.sessions.clear();
        self.style = style;
    }

    pub(crate) fn instead(&mut self, answer: impl FnMut(&Request) -> Option<Reply> + Send + 'static) {
        self.instead = Some(Box::new(answer));
    }

    /// Answers every request to `path` with `reply`.
    pub(crate) fn always(&mut self, path: &'static str, reply: Reply) {
        self.instead(move |request| (request.path == path).then(|| reply.clone()));
    }

    pub(crate) fn as_usual(&mut self) {
        self.instead = None;
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.requests.iter().filter(|request| request.path == path).count()
    }

    fn answer(&mut self, request: Request) -> Reply {
        let reply = match self.instead.as_mut().and_then(|instead| instead(&request)) {
            Some(reply) => reply,
            None => self.usual(&request),
        };
        self.requests.push(request);
        reply
    }

    fn usual(&mut self, request: &Request) -> Reply {
        if request.path == LOGIN {
            if (request.field("account"), request.field("password")) != (Some(USER), Some(PASSWORD)) {
                return Reply::json(
                    &json!({ "success": false, "msg": "LOGIN_ERROR_DISMATCH", "msgCode": 101 }),
                );
            }
            self.opened += 1;
            let id = format!("5E55{:04X}", self.opened);
            let cookie = format!("JSESSIONID={id}; Path=/WManage; HttpOnly");
            self.sessions.insert(id);
            return Reply::json(&self.login).with("Set-Cookie", &cookie);
        }
        if !request.session().is_some_and(|id| self.sessions.contains(id)) {
            return self.style.reply();
        }
        let serial = request.field("serialNum").unwrap_or_default();
        match (request.path.as_str(), self.runtime.get(serial)) {
            (RUNTIME, Some(runtime)) => Reply::json(runtime),
            _ => Reply::json(&json!({ "success": false, "msg": "DEVICE_ERROR_UNSUPPORT_DEVICE_TYPE" })),
        }
    }
}

/// A running portal; it ends when dropped.
pub(crate) struct Server {
    pub(crate) base_url: String,
    world: Arc<Mutex<World>>,
    _tasks: JoinSet<()>,
}

pub(crate) const SERIAL: &str = "52310A0071";

/// A login reply of one plant with these inverters.
pub(crate) fn login(serials: &[&str]) -> Value {
    let inverters: Vec<Value> = serials
        .iter()
        .map(|serial| json!({ "serialNum": serial, "deviceType": 6, "deviceTypeText4APP": "18KPV" }))
        .collect();
    json!({
        "success": true, "username": USER, "email": USER, "role": "VIEWER", "platform": "EG4",
        "userVisitRecord": { "plantId": 1, "serialNum": "Parallel_A" },
        "plants": [{ "plantId": 3107, "timezoneHourOffset": -5, "timezoneMinuteOffset": 0, "inverters": inverters }],
    })
}

/// The runtime of a hybrid inverter.
pub(crate) fn runtime(soc: i64, server_time: &str) -> Value {
    json!({
        "success": true, "lost": false, "hasRuntimeData": true, "statusText": "normal", "status": 40,
        "serverTime": server_time, "soc": soc, "ppv": 3210, "pToUser": 140, "pToGrid": 0, "batPower": 1850,
        "pCharge": 1850, "pDisCharge": 0, "pLoad170": 1395, "vBat": 534, "tBat": 21,
    })
}

impl Server {
    /// A portal with one inverter at 64 %.
    pub(crate) async fn start() -> Self {
        Self::with_inverters(&[(SERIAL, runtime(64, "2026-03-20 09:40:11"))]).await
    }

    pub(crate) async fn with_inverters(inverters: &[(&str, Value)]) -> Self {
        let serials: Vec<&str> = inverters.iter().map(|(serial, _)| *serial).collect();
        let world = Arc::new(Mutex::new(World {
            sessions: HashSet::new(),
            opened: 0,
            style: Style::LoginPage,
            login: login(&serials),
            runtime: inverters.iter().map(|(serial, reply)| ((*serial).to_owned(), reply.clone())).collect(),
            instead: None,
            requests: Vec::new(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&world);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { base_url, world, _tasks: tasks }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn logins(&self) -> usize {
        self.world().count(LOGIN)
    }

    pub(crate) fn requests(&self) -> usize {
        self.world().requests.len()
    }

    /// How clients of this portal are configured by default.
    pub(crate) fn config(&self) -> PortalConfig {
        let in_time = Duration::from_secs(20);
        PortalConfig {
            base_url: self.base_url.clone(),
            deadlines: Deadlines { connect: in_time, read: in_time, write: in_time },
            ..PortalConfig::new(Secret::new(USER.to_owned()), Secret::new(PASSWORD.to_owned()))
        }
    }

    pub(crate) fn client(&self) -> Portal {
        Portal::new(self.config()).unwrap()
    }
}

async fn serve(mut stream: TcpStream, world: Arc<Mutex<World>>) {
    let Some(request) = receive(&mut stream).await else { return };
    let reply = world.lock().unwrap().answer(request);
    // The client may leave at any time; what it makes of that is what the tests look at.
    let _ = send(&mut stream, reply).await;
}

async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut request_line = lines.next().unwrap().split(' ');
    assert_eq!(request_line.next(), Some("POST"), "everything is posted");
    let path = request_line.next().unwrap().to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes.split_off(end + 4);
    let length: usize = headers["content-length"].parse().unwrap();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(body).unwrap();
    let form = body.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (decoded(k), decoded(v)));
    Some(Request { path, headers, form: form.collect() })
}

/// The reverse of `application/x-www-form-urlencoded`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}

async fn send(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Reason\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
            head.push_str("Connection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
        }
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'0'; 8192]).await?;
            }
        }
        Reply::Stalled(bytes) => {
            stream.write_all(&bytes).await?;
            // Until the client closes.
            stream.read_u8().await?;
        }
    }
    stream.shutdown().await
}
