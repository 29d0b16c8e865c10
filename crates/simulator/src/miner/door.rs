//! A miner's two ports: who answers at each.

use super::{OnAccept, Protocol, device::Device, v2, v3};
use crate::port::{self, After, Port, Resident};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{net::TcpStream, sync::watch};
use tokio_util::sync::CancellationToken;

/// Clients of the V3 port at once, by the vendor's manual.
const V3_CLIENTS: usize = 10;
/// Clients of the V2 port at once.
const V2_CLIENTS: usize = 64;

/// A device, spoken to by one of its protocols.
struct Door {
    device: Arc<Device>,
    protocol: Protocol,
}

/// Opens a port of a device.
pub(super) fn open(
    address: SocketAddr,
    protocol: Protocol,
    device: Arc<Device>,
    shutdown: CancellationToken,
) -> io::Result<Port> {
    let clients = match protocol {
        Protocol::V2 => V2_CLIENTS,
        Protocol::V3 => V3_CLIENTS,
    };
    Port::open(address, clients, Arc::new(Door { device, protocol }), shutdown)
}

impl Resident for Door {
    fn online(&self) -> bool {
        self.device.online()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.device.network.subscribe()
    }

    async fn serve(&self, stream: &mut TcpStream, _peer: SocketAddr) -> After {
        match (self.device.faults().on_accept, self.protocol) {
            (OnAccept::Reset, _) => After::Reset,
            (OnAccept::Silent, _) => port::hold(stream).await,
            (OnAccept::Serve, Protocol::V2) => v2::serve(stream, &self.device).await,
            (OnAccept::Serve, Protocol::V3) => v3::serve(stream, &self.device).await,
        }
    }
}
