//! Who is told of alerts: services on this machine that write down what they get.

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// How long is waited for a message before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken.
    Ok,
    /// Refused, with this status.
    Status(u16),
    /// To be asked elsewhere.
    Elsewhere(String),
    /// Nothing, ever.
    Silence,
}

/// A service that is told by HTTP.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    received: mpsc::UnboundedReceiver<Asked>,
}

/// What it was told.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
struct Shared {
    answer: Arc<Mutex<Answer>>,
    received: mpsc::UnboundedSender<Asked>,
}

impl Service {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(Answer::Ok));
        let (sender, received) = mpsc::unbounded_channel();
        let shared = Shared { answer: Arc::clone(&answer), received: sender };
        let router = Router::new().fallback(take).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, answer, received }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The next that it is told.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.unwrap().unwrap()
    }

    /// How much came that wasn't looked at yet.
    pub(crate) fn pending(&self) -> usize {
        self.received.len()
    }

    /// Nothing came that wasn't looked at yet.
    pub(crate) fn assert_nothing_more(&mut self) {
        let more = self.received.try_recv();
        assert!(more.is_err(), "{more:?}");
    }
}

async fn take(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 16).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let answer = shared.answer.lock().unwrap().clone();
    assert_eq!(head.method, "POST");
    let _ = shared.received.send(Asked { path: head.uri.to_string(), headers: head.headers, body });
    match answer {
        Answer::Ok => "canary of the reply".into_response(),
        Answer::Status(status) => {
            (StatusCode::from_u16(status).unwrap(), "canary of the reply").into_response()
        }
        Answer::Elsewhere(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Answer::Silence => std::future::pending().await,
    }
}

/// A mail server.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    received: mpsc::UnboundedReceiver<Letter>,
    /// What clients said that went away without a mail.
    left: mpsc::UnboundedReceiver<Vec<String>>,
}

/// A mail that it took.
#[derive(Debug, Default)]
pub(crate) struct Letter {
    /// What was said before the mail, command by command.
    pub(crate) said: Vec<String>,
    /// The mail itself.
    pub(crate) text: String,
}

impl MailServer {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::unbounded_channel();
        let (leaves, left) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, leaves) = (sender.clone(), leaves.clone());
                tokio::spawn(async move {
                    let mut letter = Letter::default();
                    // Whoever leaves in the middle may do so by breaking off.
                    let _ = serve(stream, sender, &mut letter).await;
                    let _ = leaves.send(letter.said);
                });
            }
        });
        Self { port, received, left }
    }

    /// What the next client said that goes away, since its last mail.
    pub(crate) async fn said_to_the_last(&mut self) -> Vec<String> {
        tokio::time::timeout(PATIENCE, self.left.recv()).await.unwrap().unwrap()
    }

    pub(crate) async fn next(&mut self) -> Letter {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.unwrap().unwrap()
    }
}

/// One client of the mail server. It offers no encryption, and takes one account.
async fn serve(
    stream: TcpStream,
    received: mpsc::UnboundedSender<Letter>,
    letter: &mut Letter,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n",
            "AUTH" => "235 welcome\r\n",
            "MAIL" | "RCPT" => "250 ok\r\n",
            "DATA" => "354 go on\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "500 what?\r\n",
        };
        letter.said.push(line);
        stream.write_all(reply.as_bytes()).await?;
        if verb == "DATA" {
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await?;
                if line == ".\r\n" {
                    break;
                }
                letter.text.push_str(&line);
            }
            stream.write_all(b"250 taken\r\n").await?;
            let _ = received.send(std::mem::take(letter));
        }
    }
}
