//! The miner's address, and what can be known about a request once its connection has failed.

use crate::DeviceError;
use crate::deadline::Deadline;
use std::{io, net::SocketAddrV4, time::Duration};
use tokio::net::TcpStream;

/// Longest reply that is read of a miner that one has, in bytes: real ones have a few thousand.
const REPLY_LIMIT: usize = 1 << 20;

/// One port of one host.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    host: String,
    port: u16,
    connect: Duration,
    /// Of one request, connection included, where that is bounded by more than the deadline of the call.
    request: Option<Duration>,
    reply_limit: usize,
}

impl Peer {
    /// `host` is a name, an IPv4 address, or an IPv6 address with or without brackets.
    pub(super) fn new(host: &str, port: u16, connect: Duration) -> Self {
        let bare = host.trim();
        let bare = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare);
        Self { host: bare.to_owned(), port, connect, request: None, reply_limit: REPLY_LIMIT }
    }

    /// A stranger, who may be anything: no request takes longer than `request`, and no reply is read that is longer
    /// than `reply_limit` bytes.
    pub(super) fn stranger(address: SocketAddrV4, request: Duration, reply_limit: usize) -> Self {
        let host = address.ip().to_string();
        Self { host, port: address.port(), connect: request, request: Some(request), reply_limit }
    }

    /// The end of one request within `deadline`.
    pub(super) fn request(&self, deadline: Deadline) -> Deadline {
        self.request.map_or(deadline, |request| deadline.sooner(request))
    }

    /// Longest reply that is read, in bytes.
    pub(super) const fn reply_limit(&self) -> usize {
        self.reply_limit
    }

    /// Opens a connection within the connect deadline and within `deadline`.
    pub(super) async fn connect(&self, deadline: Deadline) -> Result<TcpStream, DeviceError> {
        let stream = deadline
            .sooner(self.connect)
            .limit("connecting", TcpStream::connect((self.host.as_str(), self.port)))
            .await?
            .map_err(|error| unreachable(&error))?;
        // Only a matter of speed: a stream that can't do it works as well.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

/// A request that got no reply. Which of the two it is decides what a failed *write* means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not one byte of the request can have reached the device.
    NotSent(DeviceError),
    /// The device may have received the request, and acted on it.
    NoReply(DeviceError),
}

impl Failure {
    /// For a read, it makes no difference.
    pub(super) fn into_error(self) -> DeviceError {
        match self {
            Self::NotSent(error) | Self::NoReply(error) => error,
        }
    }
}

/// A reply that had to be mended, and lost what was asked for.
pub(super) fn unread() -> DeviceError {
    DeviceError::Protocol("its reply is cut or garbled, and too little of it is left".to_owned())
}

/// Plain words for what the operating system says about a connection.
pub(super) fn unreachable(error: &io::Error) -> DeviceError {
    let words = match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            "the connection was reset".to_owned()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no route to it".to_owned()
        }
        io::ErrorKind::UnexpectedEof => "it closed the connection without an answer".to_owned(),
        _ => error.to_string(),
    };
    DeviceError::Unreachable(words)
}
