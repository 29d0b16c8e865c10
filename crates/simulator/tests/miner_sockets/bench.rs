//! A miner, a clock that stands still, and hand-written requests.

use aes::{
    Aes256,
    cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::UtcMillis;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulator::{
    miner::{Forced, Initial, MinerSetup, Profile, SimulatedMiner},
    time::SimulatedClock,
};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub(crate) const START: UtcMillis = UtcMillis(1_780_000_000_000);
/// Long enough for every exchange here: who reaches it hangs.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) const EVERY_PROFILE: [Profile; 5] =
    [Profile::G0, Profile::G1, Profile::G2, Profile::G2V3, Profile::G3];

pub(crate) struct Bench {
    pub(crate) clock: SimulatedClock,
    pub(crate) miner: SimulatedMiner,
}

/// A V2 session as its client knows it.
pub(crate) struct Session {
    sign: String,
    cipher: Aes256,
}

/// A reply to an encrypted V2 request.
#[derive(Debug, PartialEq)]
pub(crate) enum V2Reply {
    Sealed(Value),
    Plain(Value),
    Nothing,
}

impl V2Reply {
    #[track_caller]
    pub(crate) fn sealed(self) -> Value {
        match self {
            Self::Sealed(value) => value,
            other => panic!("not encrypted: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn plain(self) -> Value {
        match self {
            Self::Plain(value) => value,
            other => panic!("not in plain text: {other:?}"),
        }
    }
}

impl Bench {
    /// A running miner of 3600 W whose passwords aren't the vendor's.
    pub(crate) fn new(profile: Profile) -> Self {
        Self::with(profile, |_| ())
    }

    pub(crate) fn with(profile: Profile, change: impl FnOnce(&mut MinerSetup)) -> Self {
        let mut setup = MinerSetup {
            profile,
            v2_password: "v2-secret".into(),
            v3_password: "v3-secret".into(),
            initial: Initial::Running,
            ..MinerSetup::default()
        };
        if !profile.has_v3() {
            setup.v3 = None;
        }
        change(&mut setup);
        let clock = SimulatedClock::paused(START);
        let miner = SimulatedMiner::start(setup, clock.source()).unwrap();
        Self { clock, miner }
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.jump(Duration::from_secs(seconds));
    }

    pub(crate) fn off(self) -> Self {
        self.miner.set_truth(Forced::Off);
        self
    }

    pub(crate) async fn connect_v2(&self) -> TcpStream {
        TcpStream::connect(self.miner.v2_addr().unwrap()).await.unwrap()
    }

    /// Sends bytes to the V2 port and reads to the end.
    pub(crate) async fn try_v2(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.miner.v2_addr().unwrap()).await?;
            stream.write_all(request).await?;
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply).await?;
            Ok(reply)
        };
        timeout(DEADLINE, exchange).await.expect("the miner hangs")
    }

    /// The text that answers a V2 read, its NUL included.
    pub(crate) async fn text_v2(&self, command: &str) -> String {
        let request = json!({ "command": command }).to_string();
        String::from_utf8(self.try_v2(request.as_bytes()).await.unwrap()).unwrap()
    }

    pub(crate) async fn read_v2(&self, command: &str) -> Value {
        json_of(&self.text_v2(command).await)
    }

    /// `Msg` of a V2 read in the daemon's envelope.
    pub(crate) async fn daemon(&self, command: &str) -> Value {
        self.read_v2(command).await["Msg"].clone()
    }

    /// The one row of `summary`, whatever its envelope.
    pub(crate) async fn summary(&self) -> Value {
        let reply = self.read_v2("summary").await;
        if reply["SUMMARY"].is_array() { reply["SUMMARY"][0].clone() } else { reply["Msg"].clone() }
    }

    pub(crate) async fn session(&self) -> Session {
        self.session_with("v2-secret").await
    }

    pub(crate) async fn session_with(&self, password: &str) -> Session {
        let reply = self.read_v2("get_token").await;
        assert_eq!(reply["Code"], 134, "{reply}");
        let field = |name: &str| reply["Msg"][name].as_str().unwrap().to_owned();
        let key = md5crypt(password, &field("salt"));
        let sign = md5crypt(&format!("{key}{}", field("time")), &field("newsalt"));
        Session { sign, cipher: Aes256::new(&Array(Sha256::digest(key).into())) }
    }

    /// One encrypted request in a session of its own.
    pub(crate) async fn write_v2(&self, command: &str, params: Value) -> V2Reply {
        let session = self.session().await;
        self.send_v2(&session, command, params).await.unwrap()
    }

    pub(crate) async fn send_v2(
        &self,
        session: &Session,
        command: &str,
        params: Value,
    ) -> io::Result<V2Reply> {
        let reply = String::from_utf8(self.try_v2(session.seal(command, params).as_bytes()).await?).unwrap();
        if reply.is_empty() {
            return Ok(V2Reply::Nothing);
        }
        let reply = json_of(&reply);
        Ok(match reply["enc"].as_str() {
            Some(sealed) => V2Reply::Sealed(session.open(sealed)),
            None => V2Reply::Plain(reply),
        })
    }

    pub(crate) async fn v3(&self) -> V3Connection {
        V3Connection { stream: TcpStream::connect(self.miner.v3_addr().unwrap()).await.unwrap() }
    }

    /// One V3 request on a connection of its own.
    pub(crate) async fn read_v3(&self, command: &str, param: Value) -> Value {
        let mut connection = self.v3().await;
        connection.ask(&json!({ "cmd": command, "param": param })).await.unwrap()
    }

    pub(crate) async fn write_v3(&self, command: &str, param: Value) -> io::Result<Value> {
        let request = self.v3_write(command, param).await;
        self.v3().await.ask(&request).await
    }

    /// A V3 write, ready to be sent now.
    pub(crate) async fn v3_write(&self, command: &str, param: Value) -> Value {
        let reply = self.read_v3("get.device.info", json!("salt")).await;
        let (salt, ts) = (reply["msg"]["salt"].as_str().unwrap(), reply["when"].as_i64().unwrap());
        let digest = Sha256::digest(format!("{command}v3-secret{salt}{ts}"));
        let token = &STANDARD.encode(digest)[..8];
        json!({ "cmd": command, "ts": ts, "token": token, "account": "super", "param": param })
    }
}

impl Session {
    /// The request as it goes over the wire.
    pub(crate) fn seal(&self, command: &str, params: Value) -> String {
        let mut request = params;
        request["cmd"] = json!(command);
        request["token"] = json!(self.sign);
        let mut bytes = request.to_string().into_bytes();
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        for block in bytes.as_chunks_mut::<16>().0 {
            self.cipher.encrypt_block(block.into());
        }
        json!({ "enc": 1, "data": STANDARD.encode(bytes) }).to_string()
    }

    fn open(&self, sealed: &str) -> Value {
        let mut bytes = STANDARD.decode(sealed).unwrap();
        for block in bytes.as_chunks_mut::<16>().0 {
            self.cipher.decrypt_block(block.into());
        }
        json_of(&String::from_utf8(bytes).unwrap())
    }
}

pub(crate) struct V3Connection {
    pub(crate) stream: TcpStream,
}

impl V3Connection {
    pub(crate) async fn send(&mut self, content: &[u8]) -> io::Result<()> {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        self.stream.write_all(&[&length, content].concat()).await
    }

    pub(crate) async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let frame = async {
            let length = self.stream.read_u32_le().await?;
            let mut content = vec![0; length as usize];
            self.stream.read_exact(&mut content).await?;
            Ok(content)
        };
        timeout(DEADLINE, frame).await.expect("the miner hangs")
    }

    pub(crate) async fn ask(&mut self, request: &Value) -> io::Result<Value> {
        self.send(request.to_string().as_bytes()).await?;
        Ok(json_of(&String::from_utf8(self.receive().await?).unwrap()))
    }

    /// What the connection ends with.
    pub(crate) async fn end(&mut self) -> io::Result<usize> {
        end(&mut self.stream).await
    }
}

/// Reads to the end: how many bytes still came, or what broke the connection.
pub(crate) async fn end(stream: &mut TcpStream) -> io::Result<usize> {
    timeout(DEADLINE, stream.read_to_end(&mut Vec::new())).await.expect("the miner hangs")
}

/// The JSON of a text, its NULs aside.
#[track_caller]
pub(crate) fn json_of(text: &str) -> Value {
    match serde_json::from_str(text.trim_end_matches('\0')) {
        Ok(value) => value,
        Err(error) => panic!("{error}: {text}"),
    }
}

/// Waits for something, not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(DEADLINE, what).await.expect("it doesn't happen")
}

fn md5crypt(password: &str, salt: &str) -> String {
    #[expect(deprecated, reason = "the protocol has no other hash")]
    let hash = pwhash::md5_crypt::hash_with(format!("$1${salt}$").as_str(), password).unwrap();
    hash.rsplit('$').next().unwrap().to_owned()
}
