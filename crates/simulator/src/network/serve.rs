//! Small servers that answer one request a connection, and one that never answers. They read no more than they need.

use super::Log;
use serde_json::Value;
use std::{io, net::Ipv4Addr, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// The longest request that is read, bytes.
const LONGEST_REQUEST: usize = 16 * 1024;
/// How long a server waits that can't accept.
const GLANCE: Duration = Duration::from_millis(10);
/// How long a client may take with one exchange.
const EXCHANGE: Duration = Duration::from_secs(60);

/// The servers of one device.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) address: Ipv4Addr,
    pub(super) log: Log,
    pub(super) stop: CancellationToken,
}

impl Server {
    /// Answers HTTP: `page` makes the whole response for a path.
    pub(super) fn web(
        &self,
        at: SocketAddr,
        page: impl Fn(&str) -> String + Copy + Send + Sync + 'static,
    ) -> io::Result<()> {
        self.serve(
            at,
            |head| head.contains("\r\n\r\n"),
            move |head| page(head.split_whitespace().nth(1).unwrap_or("/")),
        )
    }

    /// Answers as a relative of cgminer does: `reply` makes the text for a command, and a NUL ends it.
    pub(super) fn cgminer(
        &self,
        at: SocketAddr,
        reply: impl Fn(&str) -> Value + Copy + Send + Sync + 'static,
    ) -> io::Result<()> {
        let whole = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        self.serve(at, whole, move |text| {
            let request: Value = serde_json::from_str(text).unwrap_or_default();
            let command = request.get("command").and_then(Value::as_str).unwrap_or_default();
            format!("{}\0", reply(command))
        })
    }

    /// Accepts and never says a word.
    pub(super) fn hang(&self, at: SocketAddr) -> io::Result<()> {
        self.serve(at, |_| false, |_| String::new())
    }

    fn serve(
        &self,
        at: SocketAddr,
        whole: impl Fn(&str) -> bool + Copy + Send + Sync + 'static,
        answer: impl Fn(&str) -> String + Copy + Send + Sync + 'static,
    ) -> io::Result<()> {
        let listener = listen(at)?;
        let server = self.clone();
        tokio::spawn(async move {
            let stop = server.stop.clone();
            let accepting = async {
                loop {
                    let Ok((stream, _)) = listener.accept().await else {
                        // Out of descriptors, most likely: they come back.
                        sleep(GLANCE).await;
                        continue;
                    };
                    let server = server.clone();
                    tokio::spawn(async move {
                        tokio::select! {
                            () = server.stop.cancelled() => {}
                            _ = timeout(EXCHANGE, server.exchange(stream, whole, answer)) => {}
                        }
                    });
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = accepting => {}
            }
        });
        Ok(())
    }

    async fn exchange(
        &self,
        mut stream: TcpStream,
        whole: impl Fn(&str) -> bool,
        answer: impl Fn(&str) -> String,
    ) -> io::Result<()> {
        let mut received = Vec::new();
        let mut segment = [0; 2048];
        loop {
            let count = stream.read(&mut segment).await?;
            received.extend_from_slice(segment.get(..count).unwrap_or_default());
            let text = String::from_utf8_lossy(&received);
            if count == 0 || received.len() > LONGEST_REQUEST {
                return Ok(());
            }
            if whole(&text) {
                self.log.note(self.address, text.to_string());
                stream.write_all(answer(&text).as_bytes()).await?;
                return stream.shutdown().await;
            }
        }
    }
}

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{at}: {error}"));
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(at).map_err(named)?;
    socket.listen(BACKLOG).map_err(named)
}

/// A whole HTTP response.
pub(super) fn response(status: &str, headers: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
