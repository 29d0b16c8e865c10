//! Addresses where nothing answers. A port whose queue of waiting connections is full drops every further one without a
//! word on Linux: who knocks waits, as they do at an address where nobody lives.

use super::NetworkPorts;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};

/// A connection on this host is there at once, or it is dropped.
const AT_ONCE: Duration = Duration::from_millis(200);
/// A queue of none holds one or two.
const MOST_WAITING: usize = 8;

/// An address that answers nothing, as long as this lives.
pub(super) struct SilentHost {
    /// With the connections that wait in vain.
    _ports: Vec<(TcpListener, Vec<TcpStream>)>,
}

/// Makes all these addresses silent on the network's ports.
pub(super) async fn hosts(addresses: &[Ipv4Addr], ports: &NetworkPorts) -> io::Result<Vec<SilentHost>> {
    let mut tasks = Vec::new();
    for address in addresses {
        let all = [ports.v2, ports.v3, ports.http].into_iter().chain(ports.also_silent.iter().copied());
        let host: Vec<_> =
            all.map(|port| tokio::spawn(port_of(SocketAddr::from((*address, port))))).collect();
        tasks.push(host);
    }
    let mut hosts = Vec::new();
    for host in tasks {
        let mut ports = Vec::new();
        for port in host {
            ports.push(port.await.map_err(io::Error::other)??);
        }
        hosts.push(SilentHost { _ports: ports });
    }
    Ok(hosts)
}

async fn port_of(at: SocketAddr) -> io::Result<(TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{at}: {error}"));
    socket.bind(at).map_err(named)?;
    let listener = socket.listen(0).map_err(named)?;
    let mut waiting = Vec::new();
    while waiting.len() < MOST_WAITING
        && let Ok(connected) = timeout(AT_ONCE, TcpStream::connect(at)).await
    {
        waiting.push(connected.map_err(named)?);
    }
    Ok((listener, waiting))
}
