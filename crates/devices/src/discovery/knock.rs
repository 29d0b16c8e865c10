//! Whether something listens: connections that are opened and reset at once.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// What came of knocking at some ports of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Knocked {
    /// Something listens there.
    pub(super) open: Vec<u16>,
    /// No answer in time. Refusing would have been one.
    pub(super) silent: Vec<u16>,
}

/// Knocks at these ports at the same time.
pub(super) async fn knock(address: Ipv4Addr, ports: &[u16], patience: Duration) -> Knocked {
    let knocks = ports.iter().map(|port| async move { (*port, answer(address, *port, patience).await) });
    let mut knocked = Knocked::default();
    for (port, answer) in futures::future::join_all(knocks).await {
        match answer {
            Answer::Open => knocked.open.push(port),
            Answer::Refused => {}
            Answer::Silence => knocked.silent.push(port),
        }
    }
    knocked
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Open,
    Refused,
    Silence,
}

async fn answer(address: Ipv4Addr, port: u16, patience: Duration) -> Answer {
    match timeout(patience, TcpStream::connect(SocketAddrV4::new(address, port))).await {
        Ok(Ok(stream)) => {
            // A reset frees the place at once on devices that have few, and leaves nothing waiting on this side.
            let _ = stream.set_zero_linger();
            Answer::Open
        }
        Ok(Err(error))
            if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) =>
        {
            Answer::Refused
        }
        // "No route" is what the system says when nobody answered to the address, and no files are left is our own
        // trouble: neither says that nothing is there.
        Ok(Err(_)) | Err(_) => Answer::Silence,
    }
}
