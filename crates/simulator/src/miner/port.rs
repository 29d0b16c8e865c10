//! The device's listening ports. A port is closed while the device isn't on the network, and keeps its number.

use super::{
    OnAccept, Protocol,
    device::Device,
    transport::{self, After},
    v2, v3,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    time,
};
use tokio_util::sync::CancellationToken;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// How often a device that isn't on the network looks whether its reboot is over: simulated time wakes nobody.
const GLANCE: Duration = Duration::from_millis(10);
/// Clients of the V3 port at once, by the vendor's manual.
const V3_CLIENTS: usize = 10;
/// Clients of the V2 port at once.
const V2_CLIENTS: usize = 64;

/// One port of a device.
pub(super) struct Port {
    pub(super) address: SocketAddr,
    listening: watch::Receiver<bool>,
}

impl Port {
    /// Binds and begins to serve until `shutdown`.
    pub(super) fn open(
        address: SocketAddr,
        protocol: Protocol,
        device: Arc<Device>,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let listener = reserve(address)?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (sender, listening) = watch::channel(true);
        let clients = match protocol {
            Protocol::V2 => V2_CLIENTS,
            Protocol::V3 => V3_CLIENTS,
        };
        let doorkeeper = Doorkeeper {
            address,
            protocol,
            changes: device.network.subscribe(),
            device,
            places: Arc::new(Semaphore::new(clients)),
            listening: sender,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = doorkeeper.run(listener, &shutdown) => {}
            }
        });
        Ok(Self { address, listening })
    }

    /// Waits until the port is open or closed.
    pub(super) async fn until_listening(&self, wanted: bool) {
        let _ = self.listening.clone().wait_for(|listening| *listening == wanted).await;
    }
}

/// A socket that owns the address without listening: connections to it are refused.
fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Accepts connections, and closes the port while the device is away.
struct Doorkeeper {
    address: SocketAddr,
    protocol: Protocol,
    device: Arc<Device>,
    changes: watch::Receiver<u64>,
    places: Arc<Semaphore>,
    listening: watch::Sender<bool>,
}

impl Doorkeeper {
    async fn run(mut self, mut listener: TcpListener, shutdown: &CancellationToken) {
        loop {
            // Connections don't outlive the device's presence on the network.
            let present = shutdown.child_token();
            self.accept(&listener, &present).await;
            present.cancel();
            drop(listener);
            let reserved = reserve(self.address);
            self.listening.send_replace(false);
            self.until_online().await;
            listener = self.listen(reserved).await;
            self.listening.send_replace(true);
        }
    }

    /// Serves until the device leaves the network.
    async fn accept(&mut self, listener: &TcpListener, present: &CancellationToken) {
        while self.device.online() {
            let accepted = tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) if self.device.online() => self.admit(stream, present.clone()),
                Ok((stream, _)) => transport::finish(stream, After::Reset).await,
                // Out of descriptors, most likely: they come back.
                Err(_) => time::sleep(GLANCE).await,
            }
        }
    }

    fn admit(&self, mut stream: TcpStream, present: CancellationToken) {
        // Whoever finds every place taken is shown out.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let (device, protocol) = (Arc::clone(&self.device), self.protocol);
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let after = tokio::select! {
                () = present.cancelled() => After::Reset,
                after = serve(&mut stream, protocol, &device) => after,
            };
            drop(place);
            transport::finish(stream, after).await;
        });
    }

    async fn until_online(&mut self) {
        while !self.device.online() {
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                () = time::sleep(GLANCE) => {}
            }
        }
    }

    /// Listens on the old address again, however long it takes to get it.
    async fn listen(&self, reserved: io::Result<TcpSocket>) -> TcpListener {
        let mut socket = reserved;
        loop {
            if let Ok(listener) = socket.and_then(|socket| socket.listen(BACKLOG)) {
                return listener;
            }
            time::sleep(GLANCE).await;
            socket = reserve(self.address);
        }
    }
}

async fn serve(stream: &mut TcpStream, protocol: Protocol, device: &Device) -> After {
    match (device.faults().on_accept, protocol) {
        (OnAccept::Reset, _) => After::Reset,
        (OnAccept::Silent, _) => transport::hold(stream).await,
        (OnAccept::Serve, Protocol::V2) => v2::serve(stream, device).await,
        (OnAccept::Serve, Protocol::V3) => v3::serve(stream, device).await,
    }
}
