//! The listening ports of simulated devices. A port is closed while its device isn't on the network, and keeps its
//! number.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    time,
};
use tokio_util::sync::CancellationToken;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// How often a device that restarts looks whether it is on the network: simulated time wakes nobody.
const GLANCE: Duration = Duration::from_millis(10);
/// How long a silent connection is held at most.
const HELD: Duration = Duration::from_secs(600);
/// How long a client may take to notice the end before the connection is gone.
const LINGER: Duration = Duration::from_secs(1);

/// What comes after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum After {
    /// The connection may go on.
    Continue,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

/// Who answers at a port.
pub(crate) trait Resident: Send + Sync + 'static {
    /// Whether the device is on the network.
    fn online(&self) -> bool;

    /// Whether it may leave the network by itself soon, in simulated time, which wakes nobody.
    fn may_leave(&self) -> bool {
        false
    }

    /// Counts what may have changed either.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Serves one connection.
    fn serve(&self, stream: &mut TcpStream, peer: SocketAddr) -> impl Future<Output = After> + Send;
}

/// One port of a device.
pub(crate) struct Port {
    pub(crate) address: SocketAddr,
    listening: watch::Receiver<bool>,
}

impl Port {
    /// Binds and begins to serve so many clients at once, until `shutdown`.
    pub(crate) fn open(
        address: SocketAddr,
        clients: usize,
        resident: Arc<impl Resident>,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let listener = reserve(address)?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let (sender, listening) = watch::channel(true);
        let doorkeeper = Doorkeeper {
            address,
            changes: resident.changes(),
            resident,
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
    pub(crate) async fn until_listening(&self, wanted: bool) {
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
struct Doorkeeper<R> {
    address: SocketAddr,
    resident: Arc<R>,
    changes: watch::Receiver<u64>,
    places: Arc<Semaphore>,
    listening: watch::Sender<bool>,
}

impl<R: Resident> Doorkeeper<R> {
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
        while self.resident.online() {
            let accepted = tokio::select! {
                () = time::sleep(GLANCE), if self.resident.may_leave() => continue,
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) if self.resident.online() => self.admit(stream, peer, present.clone()),
                Ok((stream, _)) => finish(stream, After::Reset).await,
                // Out of descriptors, most likely: they come back.
                Err(_) => time::sleep(GLANCE).await,
            }
        }
    }

    fn admit(&self, mut stream: TcpStream, peer: SocketAddr, present: CancellationToken) {
        // Whoever finds every place taken is shown out.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let resident = Arc::clone(&self.resident);
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let after = tokio::select! {
                () = present.cancelled() => After::Reset,
                after = resident.serve(&mut stream, peer) => after,
            };
            drop(place);
            finish(stream, after).await;
        });
    }

    async fn until_online(&mut self) {
        while !self.resident.online() {
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

/// Keeps a connection open and says nothing until the client has enough of it.
pub(crate) async fn hold(stream: &mut TcpStream) -> After {
    let _ = time::timeout(HELD, until_closed(stream)).await;
    After::Close
}

/// Ends a connection.
async fn finish(mut stream: TcpStream, after: After) {
    if after == After::Reset {
        let _ = stream.set_zero_linger();
        return;
    }
    // Unread bytes at a close would turn it into a reset that can overtake the reply.
    if stream.shutdown().await.is_ok() {
        let _ = time::timeout(LINGER, until_closed(&mut stream)).await;
    }
}

async fn until_closed(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}
